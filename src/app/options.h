/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The command line. One table holds every option: the parser, --help, and the tests that compare
 * man page and completions with it all read that table. What numbers may be it has from the
 * library; see app/numbers.h.
 */
#ifndef APP_OPTIONS_H
#define APP_OPTIONS_H

#include "app/targets.h"

#include <sonde/run.h>

struct option_line;

/** What sonde is asked to do. */
enum command_kind {
    COMMAND_RUN,
    COMMAND_HELP,
    COMMAND_VERSION,
    COMMAND_SERVICES,
    COMMAND_SCHEMA,
    COMMAND_DOCTOR,
};

/** When output is coloured. */
enum color_when {
    COLOR_AUTO, /* on a terminal that can, unless NO_COLOR is set */
    COLOR_ALWAYS,
    COLOR_NEVER,
};

/** Which records are streamed to standard output. */
enum stream_kind {
    STREAM_NONE,
    STREAM_ALL,
    STREAM_CHANGES, /* but those of single probes and cycles */
    STREAM_STDIN,   /* all; a line on standard input is a cycle now */
};

/** The command line, read. */
struct command {
    enum command_kind kind;
    struct sonde_options options; /* strings borrowed from argv */
    sonde_ns until_ns; /* when all is to be over, by sonde_clock_ns(); 0 = no limit, or in virtual
                          time, which begins with the run; set by main() */
    struct target_rules rules;
    const char **words; /* targets and services in their order; borrowed from argv */
    size_t word_count;
    const char **files; /* of -F */
    size_t file_count;
    char *ports;              /* of -P, for the rules; NULL = none */
    char *expect;             /* what services are wanted to be; NULL = that they answer */
    const char *payload;      /* what UDP ports are asked: digits or "@FILE"; NULL = the usual */
    const char *expect_reply; /* what an answer to that begins with; NULL = anything */
    const char *simulate;     /* a scenario file, or "demo"; NULL = the real network */
    const char *record;       /* a file for the record of the run; NULL = none */
    const char *replay;       /* a file with a record to show in place of a run; NULL = none */
    const struct option_line *measuring; /* an option that a replay cannot take; NULL = none */
    enum stream_kind stream;
    bool is_event_schema; /* of COMMAND_SCHEMA: that of events, not of reports */
    int argc;             /* as main() got them */
    char **argv;
    bool json;
    bool wide;
    bool quiet;
    bool show_addresses;
    bool show_extensions;
    bool ascii;
    enum color_when color;
};

/** One line of the table of options. */
struct option_line {
    char letter;              /* 0 = none */
    const char *name;         /* long name without dashes; NULL = none */
    const char *argument;     /* what it takes, for the help; NULL = nothing */
    bool is_optional;         /* it takes that only behind a "=", and may do without */
    const char *group;        /* heading in the help */
    const char *help;         /* what it does; the default of a number is added */
    enum sonde_option number; /* which number of the library's it is; SONDE_OPTION_NONE = none */
    const char *wanted;       /* what values are right, for errors; beside the bounds of a number */
    size_t flag; /* offset of the bool in struct command that it sets, if it is no number
                    and has no apply */
    int (*apply)(struct command *command, const char *value); /* 0; -EINVAL: a wrong value. NULL
                                                                 for a number: read as one */
};

/** From cycle to cycle, in milliseconds, where nobody chose how many: so the usual cycles, and what
 *  they take to be told apart from chance, are there after little more than a second. */
enum { COMMAND_INTERVAL_MS = 500 };

/** @return The line at @p index; NULL beyond the last. */
const struct option_line *options_at(size_t index);

/**
 * Read a command line.
 * @param argc,argv    As main() got them.
 * @param ret_command  On 0, the command.
 * @param reterr       On -EINVAL, one line: what is wrong and what would be right; safe to print.
 * @return 0; -EINVAL; -ENOMEM.
 * Ownership: command_deinit() frees what this allocates.
 */
SONDE_MUST_CHECK int command_parse(int argc, char **argv, struct command *ret_command,
                                   struct text *reterr);

/** Free what command_parse() allocated. */
void command_deinit(struct command *command);

/** Write --help. */
void command_help(struct text *text);

#endif
