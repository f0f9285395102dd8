/* SPDX-License-Identifier: BSD-2-Clause */
/* The records of a run, written as they come; see app/recording.h. */
#include "app/recording.h"

#include "app/print.h"
#include "app/url.h"
#include "record/record.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FILE_MODE = 0666 /* less what the user's umask takes away */ };

int recording_open(const struct command *command, struct recording *ret_recording,
                   struct text *reterr)
{
    *ret_recording =
        (struct recording){.command = command, .fd = -1, .streams = command->stream != STREAM_NONE};
    if (command->record == NULL)
        return 0;
    int fd = open(command->record, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, FILE_MODE);
    if (fd < 0) {
        const char *reason = strerrordesc_np(errno);
        text_add(reterr, "cannot write the record ");
        text_add_untrusted(reterr, command->record, strlen(command->record));
        text_addf(reterr, ": %s", reason != NULL ? reason : "?");
        return -EINVAL;
    }
    ret_recording->fd = fd;
    return 0;
}

void recording_close(struct recording *recording)
{
    if (recording->command != NULL && recording->fd >= 0)
        (void)close(recording->fd);
    *recording = (struct recording){.fd = -1};
}

/* Write a line, at once if the system can. @return 0; a negative errno. */
static int write_line(int fd, const struct text *line)
{
    size_t at = 0;
    while (at < line->len) {
        ssize_t written = write(fd, line->data + at, line->len - at);
        if (written < 0 && errno != EINTR)
            return -errno;
        at += written > 0 ? (size_t)written : 0;
    }
    return 0;
}

/* Say why no more of the record is kept, or streamed. */
static void give_up(struct recording *recording, const char *what, int error)
{
    struct text words = {0};
    const char *reason = error == -EMSGSIZE ? "a line of it is too long" : strerrordesc_np(-error);
    text_addf(&words, "%s ends here: %s", what, reason != NULL ? reason : "?");
    recording->failed = true;
    (void)complain(SONDE_EXIT_INTERNAL, words.data);
    text_deinit(&words);
}

static void keep(struct recording *recording, const struct text *line)
{
    int r = recording->fd >= 0 ? write_line(recording->fd, line) : 0;
    if (r == 0)
        return;
    give_up(recording, "the record", r);
    (void)close(recording->fd);
    recording->fd = -1;
}

static void stream(struct recording *recording, const struct text *line)
{
    int r = recording->streams ? write_line(STDOUT_FILENO, line) : 0;
    recording->streams = recording->streams && r == 0;
    recording->is_unread |= r < 0;
    if (r < 0 && r != -EPIPE)
        give_up(recording, "the stream", r);
}

/* Is a record of what happened to a single probe, or only of another cycle? */
static bool is_detail(enum sonde_record_type type)
{
    return type == SONDE_RECORD_PROBE || type == SONDE_RECORD_UNAWAITED ||
           type == SONDE_RECORD_LATE || type == SONDE_RECORD_DUPLICATE ||
           type == SONDE_RECORD_CYCLE;
}

/* An argument without anything that is secret: the user information of a URL. */
static const char *public_argument(const char *argument, struct text *text)
{
    struct url url;
    struct text error = {0};
    if (strstr(argument, "://") == NULL || strchr(argument, '@') == NULL)
        return argument;
    if (url_is(argument) && url_read(argument, &url, &error) == 0) {
        text_add(text, url.shown);
        url_deinit(&url);
    } else {
        text_add_bytes(text, argument, (size_t)(strstr(argument, "://") - argument));
        text_add(text, "://");
    }
    text_deinit(&error);
    return text->data != NULL ? text->data : "";
}

/* Write the first record, with the command line. */
static int write_start(const struct command *command, struct sonde_record *record,
                       struct text *line)
{
    size_t count = command->argc > 0 ? (size_t)command->argc : 0;
    const char **arguments = calloc(count + 1, sizeof *arguments);
    struct text *texts = calloc(count + 1, sizeof *texts);
    int r = -ENOMEM;
    for (size_t i = 0; arguments != NULL && texts != NULL && i < count; i++)
        arguments[i] = public_argument(command->argv[i], &texts[i]);
    if (arguments != NULL && texts != NULL) {
        if (count > 0)
            arguments[0] = "sonde";
        record->u.run_start.command = arguments;
        record->u.run_start.command_count = count;
        r = record_write(record, line);
    }
    for (size_t i = 0; texts != NULL && i < count; i++)
        text_deinit(&texts[i]);
    free(texts);
    free(arguments);
    return r;
}

void recording_write(struct recording *recording, struct sonde_run *run)
{
    struct sonde_record record;
    int r = 0;
    while (recording->command != NULL && (r = sonde_run_next_record(run, &record)) == 0) {
        struct text line = {0};
        if (recording->fd < 0 && !recording->streams)
            continue; /* nobody wants it any more, but it would hold up the run */
        r = record.type == SONDE_RECORD_RUN_START ? write_start(recording->command, &record, &line)
                                                  : record_write(&record, &line);
        if (r == 0)
            keep(recording, &line);
        if (r == 0 && !(recording->command->stream == STREAM_CHANGES && is_detail(record.type)))
            stream(recording, &line);
        text_deinit(&line);
        if (r < 0)
            break;
    }
    if (r < 0 && !recording->failed) {
        give_up(recording, recording->fd >= 0 ? "the record" : "the stream", r);
        if (recording->fd >= 0)
            (void)close(recording->fd);
        recording->fd = -1;
        recording->streams = false;
    }
}
