/* SPDX-License-Identifier: BSD-2-Clause */
/* command_parse(): the input, split at its NUL bytes, is what stands behind the program's name. */
#include "app/options.h"
#include "fuzz.h"

#include <string.h>

enum {
    INPUT_MAX = 4096,
    ARGUMENTS_MAX = 64,
};

/* A number is within its bounds, or not set. */
static void check_options(const struct sonde_options *options)
{
    for (int i = SONDE_OPTION_NONE + 1; i < SONDE_OPTION_COUNT; i++) {
        const struct sonde_bounds *bounds = sonde_option_bounds((enum sonde_option)i);
        int64_t value = sonde_option_get(options, (enum sonde_option)i);
        FUZZ_CHECK(value == bounds->standard || (value >= bounds->least && value <= bounds->most));
    }
    FUZZ_CHECK(sonde_option_get(options, SONDE_OPTION_FIRST_TTL) <=
               sonde_option_get(options, SONDE_OPTION_MAX_TTL));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char arguments[INPUT_MAX + 1];
    char name[] = "sonde";
    char *argv[ARGUMENTS_MAX + 2] = {name};
    int argc = 1;
    if (size > INPUT_MAX)
        return 0;
    if (size > 0)
        memcpy(arguments, data, size);
    arguments[size] = '\0';
    for (size_t at = 0; at < size && argc <= ARGUMENTS_MAX; at += strlen(arguments + at) + 1)
        argv[argc++] = arguments + at;

    struct command command;
    struct text error = {0};
    int r = command_parse(argc, argv, &command, &error);
    fuzz_check_error(r, &error);
    text_deinit(&error);
    if (r < 0)
        return 0;
    FUZZ_CHECK(command.word_count + command.file_count < (size_t)argc);
    for (size_t i = 0; i < command.word_count; i++)
        FUZZ_CHECK(command.words[i] != NULL);
    FUZZ_CHECK(command.kind != COMMAND_RUN || command.word_count + command.file_count > 0);
    FUZZ_CHECK(command.rules.ports == NULL || command.rules.ports[0] != '\0');
    if (command.kind == COMMAND_RUN)
        check_options(&command.options);
    command_deinit(&command);
    return 0;
}
