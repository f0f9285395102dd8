/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The command line, read by the table in app/options.c.
 *
 * The grammar is getopt's, with two differences that it cannot be told: long options are matched
 * in full, since an abbreviation that works today means something else after the next release; and
 * an unknown one is answered with the nearest.
 */
#include "app/hints.h"
#include "app/nearest.h"
#include "app/numbers.h"
#include "app/options.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_BYTES = NEAREST_BYTES /* longer than any long option */ };

/* Where the reader is. */
struct reader {
    int argc;
    char **argv;
    int at; /* the next argument */
    struct command *command;
    struct text *reterr;
};

static const struct option_line *find_letter(char letter)
{
    size_t i = 0;
    while (options_at(i) != NULL && (options_at(i)->letter == 0 || options_at(i)->letter != letter))
        i++;
    return options_at(i);
}

static const struct option_line *find_name(const char *name, size_t len)
{
    size_t i = 0;
    for (; options_at(i) != NULL; i++) {
        const char *candidate = options_at(i)->name;
        if (candidate != NULL && strncmp(candidate, name, len) == 0 && candidate[len] == '\0')
            break;
    }
    return options_at(i);
}

/* Refuse what is no option here: with what it is elsewhere, or with the nearest. */
static int unknown(struct reader *reader, const char *option)
{
    const char *hint = hint_option(option);
    struct nearest nearest = nearest_init(option + strspn(option, "-"));
    for (size_t i = 0; options_at(i) != NULL; i++) {
        if (options_at(i)->name != NULL && option[1] == '-')
            nearest_consider(&nearest, options_at(i)->name);
    }
    if (hint == NULL)
        text_add(reader->reterr, "unknown option ");
    text_add_untrusted(reader->reterr, option, strlen(option));
    if (hint != NULL)
        text_addf(reader->reterr, " is %s", hint);
    else if (nearest.best != NULL)
        text_addf(reader->reterr, " (did you mean --%s?)", nearest.best);
    else
        text_add(reader->reterr, " (--help lists them)");
    return -EINVAL;
}

static int unknown_name(struct reader *reader, const char *name, size_t len)
{
    char option[NAME_BYTES + 3];
    (void)snprintf(option, sizeof option, "--%.*s",
                   (int)text_whole(name, len < NAME_BYTES ? len : NAME_BYTES), name);
    return unknown(reader, option);
}

/*
 * Refuse a number behind an option that takes none here, but does elsewhere: "-w 1", "-q3". A -4 or
 * -6 may be joined to it.
 * @param rest  What is joined to the letter; "" = nothing: then the next argument is looked at.
 */
static int check_number(struct reader *reader, char letter, const char *rest)
{
    const char option[] = {'-', letter, '\0'};
    const char *next = reader->at < reader->argc ? reader->argv[reader->at] : "";
    const char *number = rest[0] != '\0' ? rest : next;
    const char *instead = hint_number(option, number);
    bool is_family = strcmp(rest, "4") == 0 || strcmp(rest, "6") == 0;
    if (instead == NULL || is_family)
        return 0;
    text_addf(reader->reterr, "%s takes no number here: use %s %s", option, instead, number);
    return -EINVAL;
}

/* "-c", "--report-cycles": as the user wrote it, for errors */
static void add_spelling(struct text *text, const struct option_line *line, bool by_letter)
{
    if (by_letter)
        text_addf(text, "-%c", line->letter);
    else
        text_addf(text, "--%s", line->name);
}

static bool is_named(const struct option_line *line, const char *name)
{
    return line->name != NULL && strcmp(line->name, name) == 0;
}

/* Does an option change what is shown of a run, and not what is measured? */
static bool shows(const struct option_line *line)
{
    bool is_output = strcmp(line->group, "Output") == 0 && !is_named(line, "stream");
    return is_output || line->number == SONDE_OPTION_CYCLES || is_named(line, "replay");
}

static int apply(struct reader *reader, const struct option_line *line, bool by_letter,
                 const char *value)
{
    bool is_number = line->number != SONDE_OPTION_NONE;
    if (!shows(line) && reader->command->measuring == NULL)
        reader->command->measuring = line;
    if (line->apply == NULL && !is_number) {
        *(bool *)((char *)reader->command + line->flag) = true;
        return 0;
    }
    int r = line->apply != NULL ? line->apply(reader->command, value)
                                : numbers_read(value, line->number, &reader->command->options);
    if (r == -EINVAL) {
        add_spelling(reader->reterr, line, by_letter);
        text_add(reader->reterr, " ");
        text_add_untrusted(reader->reterr, value, strlen(value));
        text_add(reader->reterr, ": expected ");
        if (is_number)
            numbers_add_bounds(reader->reterr, line->number);
        if (line->wanted != NULL)
            text_addf(reader->reterr, is_number ? ", %s" : "%s", line->wanted);
    }
    return r;
}

static int missing_value(struct reader *reader, const struct option_line *line, bool by_letter)
{
    add_spelling(reader->reterr, line, by_letter);
    text_addf(reader->reterr, " needs a value: %s", line->argument);
    return -EINVAL;
}

/* "--name", "--name value", "--name=value" */
static int read_long(struct reader *reader, const char *arg)
{
    size_t len = strcspn(arg, "=");
    const char *value = arg[len] == '=' ? arg + len + 1 : NULL;
    const struct option_line *line = find_name(arg, len);
    if (line == NULL)
        return unknown_name(reader, arg, len);
    if (line->argument == NULL && value != NULL) {
        add_spelling(reader->reterr, line, false);
        text_add(reader->reterr, " takes no value");
        return -EINVAL;
    }
    if (line->argument != NULL && value == NULL && !line->is_optional) {
        if (reader->at == reader->argc)
            return missing_value(reader, line, false);
        value = reader->argv[reader->at++];
    }
    return apply(reader, line, false, value != NULL ? value : "");
}

/* "-r", "-rn", "-c 10", "-c10", "-rc10" */
static int read_letters(struct reader *reader, const char *letters)
{
    while (*letters != '\0') {
        const struct option_line *line = find_letter(*letters);
        int number = check_number(reader, *letters, letters + 1);
        if (number < 0)
            return number;
        if (line == NULL)
            return unknown(reader, (const char[]){'-', *letters, '\0'});
        const char *value = "";
        letters++;
        if (line->argument != NULL) {
            if (*letters != '\0')
                value = letters;
            else if (reader->at < reader->argc)
                value = reader->argv[reader->at++];
            else
                return missing_value(reader, line, true);
            letters = "";
        }
        int r = apply(reader, line, true, value);
        if (r < 0)
            return r;
    }
    return 0;
}

static int read_all(struct reader *reader)
{
    bool options_end = false;
    while (reader->at < reader->argc) {
        const char *arg = reader->argv[reader->at++];
        int r = 0;
        if (!options_end && strcmp(arg, "--") == 0)
            options_end = true;
        else if (!options_end && strncmp(arg, "--", 2) == 0)
            r = read_long(reader, arg + 2);
        else if (!options_end && arg[0] == '-' && strlen(arg) > 2 && hint_option(arg) != NULL)
            r = unknown(reader, arg);
        else if (!options_end && arg[0] == '-' && arg[1] != '\0')
            r = read_letters(reader, arg + 1);
        else
            reader->command->words[reader->command->word_count++] = arg;
        if (r < 0)
            return r;
    }
    return 0;
}

/* Would a service have failed before it is degraded? */
static bool is_above(const struct sonde_limits *warn, const struct sonde_limits *crit)
{
    if (!warn->set || !crit->set)
        return false;
    bool rtt = crit->rtt_ns != 0 && warn->rtt_ns > crit->rtt_ns;
    return rtt || (warn->loss_ratio < 1 && warn->loss_ratio > crit->loss_ratio);
}

/* A replay measures nothing, and a stream is the whole output. */
static int check_output(const struct command *command, struct text *reterr)
{
    if (command->replay != NULL && command->measuring != NULL) {
        text_add(reterr, "--replay shows what was measured before, so it takes no ");
        add_spelling(reterr, command->measuring, command->measuring->name == NULL);
        return -EINVAL;
    }
    if (command->replay != NULL && command->word_count > 0) {
        text_add(reterr, "--replay shows what was measured before, so it takes no target");
        return -EINVAL;
    }
    if (command->record != NULL && strcmp(command->record, "-") == 0) {
        text_add(reterr, "--record takes a file (./- is one of that name): --stream prints the "
                         "same to standard output");
        return -EINVAL;
    }
    if (command->stream != STREAM_NONE && (command->json || command->wide || command->quiet)) {
        text_add(reterr, "--stream is the whole output: --record FILE keeps it beside another");
        return -EINVAL;
    }
    if (command->stream != STREAM_STDIN)
        return 0;
    bool reads_stdin = false;
    for (size_t i = 0; i < command->file_count; i++)
        reads_stdin |= strcmp(command->files[i], "-") == 0;
    if (reads_stdin || command->options.simulation.virtual_time) {
        text_addf(reterr, "--stream=stdin waits for lines, so it takes no %s",
                  reads_stdin ? "-F -" : "--virtual-time");
        return -EINVAL;
    }
    return 0;
}

/* What no single option can check. */
static int check(const struct command *command, struct text *reterr)
{
    const struct sonde_options *options = &command->options;
    int64_t first_ttl = sonde_option_get(options, SONDE_OPTION_FIRST_TTL);
    int64_t max_ttl = sonde_option_get(options, SONDE_OPTION_MAX_TTL);
    if (command->kind != COMMAND_RUN)
        return 0;
    int r = check_output(command, reterr);
    if (r < 0 || command->replay != NULL)
        return r;
    if (first_ttl > max_ttl) {
        text_addf(reterr, "-f %" PRId64 " is above -m %" PRId64 ": no hop is left to probe",
                  first_ttl, max_ttl);
        return -EINVAL;
    }
    if (options->vantage.source_port != 0 && options->plan.flows > 1) {
        text_add(reterr, "--flows takes a source port for each flow, so not -L");
        return -EINVAL;
    }
    if (is_above(&options->judgement.warn, &options->judgement.crit)) {
        text_add(reterr, "--warn is above --crit: a service would never be degraded");
        return -EINVAL;
    }
    if (command->word_count == 0 && command->file_count == 0) {
        text_add(reterr, "no target (try: sonde example.com:443, or sonde --help)");
        return -EINVAL;
    }
    if (options->simulation.virtual_time && command->simulate == NULL) {
        text_add(reterr, "--virtual-time needs --simulate");
        return -EINVAL;
    }
    if (options->simulation.virtual_time && options->plan.cycles == SONDE_CYCLES_ENDLESS &&
        options->plan.deadline_ns == 0) {
        text_add(reterr, "in virtual time a run needs an end: -c 3, or --deadline 60");
        return -EINVAL;
    }
    return 0;
}

int command_parse(int argc, char **argv, struct command *ret_command, struct text *reterr)
{
    struct command command = {
        .rules.services = {.protocol = "tcp", .max = SERVICES_USUAL},
        .argc = argc,
        .argv = argv,
    };
    struct reader reader = {argc, argv, 1, &command, reterr};
    size_t room = argc > 0 ? (size_t)argc : 1;
    command.words = calloc(room, sizeof *command.words);
    command.files = calloc(room, sizeof *command.files);
    int r = command.words == NULL || command.files == NULL ? -ENOMEM : read_all(&reader);
    if (command.stream != STREAM_NONE && command.options.plan.cycles == 0)
        command.options.plan.cycles = SONDE_CYCLES_ENDLESS;
    if (r == 0)
        r = check(&command, reterr);
    if (r < 0) {
        command_deinit(&command);
        return r;
    }
    if (command.options.plan.cycles == 0 && command.options.plan.interval_ns == 0)
        command.options.plan.interval_ns = COMMAND_INTERVAL_MS * SONDE_NS_PER_MS;
    command.rules.flows = (uint32_t)sonde_option_get(&command.options, SONDE_OPTION_FLOWS);
    *ret_command = command;
    return 0;
}

void command_deinit(struct command *command)
{
    free(command->words);
    free(command->files);
    free(command->ports);
    free(command->expect);
    command->words = NULL;
    command->files = NULL;
    command->ports = NULL;
    command->rules.ports = NULL;
    command->expect = NULL;
}
