/* SPDX-License-Identifier: BSD-2-Clause */
/* A user's own question; see app/question.h. */
#include "app/question.h"

#include "app/files.h"
#include "base/number.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int refuse(struct text *reterr, const char *option, const char *what)
{
    text_addf(reterr, "%s: %s", option, what);
    return -EINVAL;
}

static int read_file(const char *path, sonde_ns until_ns, const char *option,
                     struct question_bytes *bytes, struct text *reterr)
{
    char *contents = NULL;
    size_t len = 0;
    int r = file_read(path, until_ns, &contents, &len, reterr);
    static_assert(sizeof bytes->bytes == 1400, "messages name it");
    if (r == 0 && len > sizeof bytes->bytes)
        r = refuse(reterr, option, "the file holds more than 1400 bytes");
    else if (r == 0 && len == 0)
        r = refuse(reterr, option, "the file is empty");
    if (r == 0) {
        memcpy(bytes->bytes, contents, len);
        bytes->len = len;
    }
    free(contents);
    return r;
}

/* Read the value of one option. */
static int read_bytes(const char *value, sonde_ns until_ns, const char *option,
                      struct question_bytes *bytes, struct text *reterr)
{
    if (value == NULL)
        return 0;
    if (value[0] == '@')
        return read_file(value + 1, until_ns, option, bytes, reterr);
    switch (number_parse_hex(value, bytes->bytes, sizeof bytes->bytes, &bytes->len)) {
    case 0:
        return 0;
    case -ERANGE:
        return refuse(reterr, option, "more than 1400 bytes");
    default:
        return refuse(reterr, option, "not bytes in hexadecimal digits, such as 01ff20, or @FILE");
    }
}

/* Is anything asked that a question can be for? */
static bool has_udp(const struct target_list *targets)
{
    for (size_t i = 0; i < targets->count; i++) {
        const struct service_list *services = &targets->items[i].services;
        for (size_t k = 0; k < services->count; k++) {
            if (strcmp(services->items[k].protocol, "udp") == 0)
                return true;
        }
    }
    return false;
}

int question_read(const struct command *command, const struct target_list *targets,
                  struct question *ret_question, struct text *reterr)
{
    *ret_question = (struct question){.asks.len = 0};
    if (command->expect_reply != NULL && command->payload == NULL)
        return refuse(reterr, "--expect-reply", "needs --payload, the question");
    if (command->payload != NULL && !has_udp(targets))
        return refuse(reterr, "--payload", "none of the services is a UDP port");
    int r =
        read_bytes(command->payload, command->until_ns, "--payload", &ret_question->asks, reterr);
    if (r < 0)
        return r;
    return read_bytes(command->expect_reply, command->until_ns, "--expect-reply",
                      &ret_question->expects, reterr);
}
