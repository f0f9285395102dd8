/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The command line, read by the table in app/options.c.
 *
 * The grammar is getopt's, with two differences that it cannot be told: long options are matched
 * in full, since an abbreviation that works today means something else after the next release; and
 * an unknown one is answered with the nearest.
 */
#include "app/options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_BYTES = 32 /* longer than any long option */ };

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

/* How many letters have to be changed, added or removed (Levenshtein). */
static size_t distance(const char *a, const char *b)
{
    size_t row[NAME_BYTES + 1];
    size_t a_len = strnlen(a, NAME_BYTES);
    size_t b_len = strnlen(b, NAME_BYTES);
    for (size_t k = 0; k <= b_len; k++)
        row[k] = k;
    for (size_t i = 1; i <= a_len; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t k = 1; k <= b_len; k++) {
            size_t best = diagonal + (a[i - 1] != b[k - 1]);
            diagonal = row[k];
            best = row[k] + 1 < best ? row[k] + 1 : best;
            best = row[k - 1] + 1 < best ? row[k - 1] + 1 : best;
            row[k] = best;
        }
    }
    return row[b_len];
}

static int unknown_name(struct reader *reader, const char *name, size_t len)
{
    char bare[NAME_BYTES + 1];
    const char *nearest = NULL;
    size_t nearest_distance = 3; /* further than this is no help */
    len = len < NAME_BYTES ? len : NAME_BYTES;
    memcpy(bare, name, len);
    bare[len] = '\0';
    for (size_t i = 0; options_at(i) != NULL; i++) {
        const struct option_line *line = options_at(i);
        if (line->name == NULL || line->group == NULL)
            continue;
        bool begins = len >= 3 && strncmp(line->name, bare, len) == 0;
        size_t changes = begins ? 0 : distance(bare, line->name);
        if (changes < nearest_distance) {
            nearest_distance = changes;
            nearest = line->name;
        }
    }
    text_add(reader->reterr, "unknown option --");
    text_add_untrusted(reader->reterr, bare, len);
    if (nearest != NULL)
        text_addf(reader->reterr, " (did you mean --%s?)", nearest);
    else
        text_add(reader->reterr, " (--help lists them)");
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

static int apply(struct reader *reader, const struct option_line *line, bool by_letter,
                 const char *value)
{
    if (line->group == NULL) {
        add_spelling(reader->reterr, line, by_letter);
        text_addf(reader->reterr, " is mtr's and not used here: %s", line->help);
        return -EINVAL;
    }
    if (line->apply == NULL) {
        *(bool *)((char *)reader->command + line->flag) = true;
        return 0;
    }
    int r = line->apply(reader->command, value);
    if (r < 0) {
        add_spelling(reader->reterr, line, by_letter);
        text_add(reader->reterr, " ");
        text_add_untrusted(reader->reterr, value, strlen(value));
        text_addf(reader->reterr, ": expected %s", line->wanted);
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
    if (line->argument == NULL && line->group != NULL && value != NULL) {
        add_spelling(reader->reterr, line, false);
        text_add(reader->reterr, " takes no value");
        return -EINVAL;
    }
    if (line->argument != NULL && value == NULL) {
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
        if (line == NULL) {
            text_add(reader->reterr, "unknown option -");
            text_add_untrusted(reader->reterr, letters, 1);
            text_add(reader->reterr, " (--help lists them)");
            return -EINVAL;
        }
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
        else if (!options_end && arg[0] == '-' && arg[1] != '\0')
            r = read_letters(reader, arg + 1);
        else
            reader->command->words[reader->command->word_count++] = arg;
        if (r < 0)
            return r;
    }
    return 0;
}

/* What no single option can check. */
static int check(const struct command *command, struct text *reterr)
{
    const struct sonde_options *options = &command->options;
    unsigned max_ttl = options->max_ttl != 0 ? options->max_ttl : 30;
    if (command->kind != COMMAND_RUN)
        return 0;
    if (options->first_ttl > max_ttl) {
        text_addf(reterr, "-f %u is above -m %u: no hop is left to probe", options->first_ttl,
                  max_ttl);
        return -EINVAL;
    }
    if (command->word_count == 0 && command->file_count == 0) {
        text_add(reterr, "no target (try: sonde example.com:443, or sonde --help)");
        return -EINVAL;
    }
    if (options->virtual_time && command->simulate == NULL) {
        text_add(reterr, "--virtual-time needs --simulate");
        return -EINVAL;
    }
    return 0;
}

int command_parse(int argc, char **argv, struct command *ret_command, struct text *reterr)
{
    struct command command = {
        .rules.services = {.protocol = "tcp", .max = SERVICES_USUAL},
    };
    struct reader reader = {argc, argv, 1, &command, reterr};
    size_t room = argc > 0 ? (size_t)argc : 1;
    command.words = calloc(room, sizeof *command.words);
    command.files = calloc(room, sizeof *command.files);
    int r = command.words == NULL || command.files == NULL ? -ENOMEM : read_all(&reader);
    if (r == 0)
        r = check(&command, reterr);
    if (r < 0) {
        command_deinit(&command);
        return r;
    }
    *ret_command = command;
    return 0;
}

void command_deinit(struct command *command)
{
    free(command->words);
    free(command->files);
    command->words = NULL;
    command->files = NULL;
}

static void help_group(struct text *text, const char *group)
{
    text_addf(text, "\n%s:\n", group);
    for (size_t i = 0; options_at(i) != NULL; i++) {
        const struct option_line *line = options_at(i);
        struct text spelling = {0};
        if (line->group == NULL || strcmp(line->group, group) != 0)
            continue;
        if (line->letter != 0)
            text_addf(&spelling, "-%c", line->letter);
        else
            text_add(&spelling, "  ");
        if (line->name != NULL)
            text_addf(&spelling, "%s --%s", line->letter != 0 ? "," : " ", line->name);
        if (line->argument != NULL)
            text_addf(&spelling, " %s", line->argument);
        text_addf(text, "  %-26s %s\n", spelling.data != NULL ? spelling.data : "", line->help);
        text_deinit(&spelling);
    }
}

void command_help(struct text *text)
{
    text_add(text, "Usage: sonde [OPTION...] TARGET [:SERVICE | PORT]... [TARGET ...]\n"
                   "Ping and trace a host and its services: which port answers, and if not, where\n"
                   "on the way it stops.\n"
                   "\n"
                   "  sonde example.com                     the host (icmp)\n"
                   "  sonde example.com:443                 443/tcp, with icmp as control\n"
                   "  sonde example.com 443 :ssh :53/udp    several services of one host\n"
                   "  sonde -r -c 100 db1 :5432 web1 :@web  two hosts, a report for a ticket\n"
                   "  sonde -j example.com:443 | jq .       for programs\n");
    const char *last = "";
    for (size_t i = 0; options_at(i) != NULL; i++) {
        const char *group = options_at(i)->group;
        if (group != NULL && strcmp(group, last) != 0)
            help_group(text, group);
        last = group != NULL ? group : last;
    }
    text_add(text, "\n"
                   "Exit status: 0 every service answers; 1 at least one does not; 2 usage error,\n"
                   "nothing sent; 3 something could not be measured; 4 internal error.\n");
}
