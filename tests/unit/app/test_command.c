/* SPDX-License-Identifier: BSD-2-Clause */
/* The command line: what each option does to a run, and that nonsense does nothing. */
#include "app/options.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { WORDS_MAX = 32 };

/* Read words separated by blanks, as main() would get them. The words live on in storage. */
static int parse(const char *line, char storage[512], struct command *command, struct text *error)
{
    char *argv[WORDS_MAX + 1] = {(char[]){"sonde"}};
    int argc = 1;
    char *save;
    strncpy(storage, line, 511);
    storage[511] = '\0';
    for (char *word = strtok_r(storage, " ", &save); word != NULL && argc < WORDS_MAX;
         word = strtok_r(NULL, " ", &save))
        argv[argc++] = word;
    return command_parse(argc, argv, command, error);
}

static void expect_refused(const char *line)
{
    struct command command;
    struct text error = {0};
    char storage[512];
    cr_expect_eq(parse(line, storage, &command, &error), -EINVAL, "%s", line);
    cr_expect(error.len > 10 && strchr(error.data, '\n') == NULL, "%s: %s", line, error.data);
    text_deinit(&error);
}

static struct command expect_taken(const char *line, char storage[512])
{
    struct command command = {.kind = COMMAND_RUN};
    struct text error = {0};
    cr_assert_eq(parse(line, storage, &command, &error), 0, "%s: %s", line, error.data);
    text_deinit(&error);
    return command;
}

/* Nothing that was asked for or expected is dropped: --expect twice is one list, as -F is. */
Test(command, a_list_that_is_given_twice_counts_twice)
{
    char storage[512];
    struct command command = expect_taken(
        "-P 22,25 --expect 22=closed host --port=443 --expect host:25=!open,443=open", storage);
    cr_expect_str_eq(command.rules.ports, "22,25,443");
    cr_expect_str_eq(command.expect, "22=closed,host:25=!open,443=open");
    command_deinit(&command);
}

Test(command, options_set_what_they_say)
{
    char storage[512];
    struct command command = expect_taken(
        "-r -n -c 100 -i 0.25 -Z1.5 -f2 -m 20 -U 5 -s 1400 -Q 184 -B 255 host", storage);
    cr_expect_eq(command.options.plan.cycles, 100);
    cr_expect_eq(command.options.plan.interval_ns, 250 * SONDE_NS_PER_MS);
    cr_expect_eq(command.options.plan.timeout_ns, 1500 * SONDE_NS_PER_MS);
    cr_expect_eq(command.options.plan.first_ttl, 2);
    cr_expect_eq(command.options.plan.max_ttl, 20);
    cr_expect_eq(command.options.plan.gap_limit, 5);
    cr_expect_eq(command.options.format.size_bytes, 1400);
    cr_expect_eq(command.options.format.tos, 184);
    cr_expect_eq(command.options.format.fill, 255);
    cr_expect(command.options.vantage.no_names);
    cr_expect_eq(command.word_count, 1);
    cr_expect_str_eq(command.words[0], "host");
    command_deinit(&command);

    command =
        expect_taken("-a 192.0.2.1 -I eth0 -L 1024 -M 7 --deadline 60 --rate 50 -6 host", storage);
    cr_expect_str_eq(command.options.vantage.source, "192.0.2.1");
    cr_expect_str_eq(command.options.vantage.interface, "eth0");
    cr_expect_eq(command.options.vantage.source_port, 1024);
    cr_expect_eq(command.options.vantage.mark, 7);
    cr_expect_eq(command.options.plan.deadline_ns, 60 * SONDE_NS_PER_S);
    cr_expect_eq(command.options.vantage.rate_pps, 50);
    cr_expect_eq(command.options.vantage.family, SONDE_FAMILY_IPV6);
    command_deinit(&command);
}

Test(command, the_least_packet_and_the_least_interval_are_taken)
{
    char storage[512];
    struct command command = expect_taken("-s 28 -i 0.001 host", storage);
    cr_expect_eq(command.options.format.size_bytes, 28); /* headers of IPv4 and ICMP */
    cr_expect_eq(command.options.plan.interval_ns, SONDE_NS_PER_MS);
    command_deinit(&command);
}

/* RFC 2474, RFC 2597 §6 (AF11 is 001010), RFC 3246 (EF 101110), RFC 5865 (VA 101100), RFC 8622 (LE
 * 000001): a DSCP stands in the upper six bits. */
Test(command, the_type_of_service_is_a_number_in_hexadecimal_too_or_the_name_of_a_dscp)
{
    static const struct {
        const char *word;
        unsigned tos;
    } cases[] = {
        {"0", 0},       {"255", 255},  {"0xb8", 0xb8}, {"0XB8", 0xb8}, {"0x0", 0},
        {"cs0", 0},     {"cs1", 0x20}, {"CS7", 0xe0},  {"af11", 0x28}, {"af13", 0x38},
        {"AF43", 0x98}, {"ef", 0xb8},  {"EF", 0xb8},   {"le", 0x04},   {"va", 0xb0},
    };
    static const char *const wrong[] = {"cs8",  "cs",   "af10",  "af14", "af44", "af51",
                                        "af1",  "0x",   "0x100", "0xg",  "b8",   "ef0",
                                        "cs-1", "-cs1", "0x1 ",  "256",  "a",    "expedited"};
    char storage[512];
    char line[64];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        (void)snprintf(line, sizeof line, "-Q %s host", cases[i].word);
        struct command command = expect_taken(line, storage);
        cr_expect_eq(command.options.format.tos, cases[i].tos, "%s", line);
        command_deinit(&command);
    }
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct command command;
        struct text error = {0};
        char *argv[] = {(char[]){"sonde"}, (char[]){"-Q"}, (char *)(uintptr_t)wrong[i],
                        (char[]){"host"}, NULL};
        cr_expect_eq(command_parse(4, argv, &command, &error), -EINVAL, "%s", wrong[i]);
        cr_expect_not_null(strstr(error.data, ": expected 0 to 255, "), "%s", error.data);
        text_deinit(&error);
    }
}

/* As the help says: three cycles are then there after little more than a second. */
Test(command, cycles_that_nobody_counts_follow_each_other_sooner)
{
    static const struct {
        const char *line;
        sonde_ns interval_ns; /* 0 = the library's default */
    } cases[] = {{"host", 500 * SONDE_NS_PER_MS},
                 {"-c 3 host", 0},
                 {"-c 0 host", 0},
                 {"-i 2 host", 2 * SONDE_NS_PER_S},
                 {"-c 3 -i 2 host", 2 * SONDE_NS_PER_S}};
    char storage[512];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct command command = expect_taken(cases[i].line, storage);
        cr_expect_eq(command.options.plan.interval_ns, cases[i].interval_ns, "%s", cases[i].line);
        command_deinit(&command);
    }
}

/* Nobody would read the names. */
Test(command, quiet_looks_up_no_names)
{
    char storage[512];
    struct command command = expect_taken("-q host", storage);
    cr_expect(command.quiet && command.options.vantage.no_names);
    command_deinit(&command);
}

Test(command, the_schema_may_be_named)
{
    char storage[512];
    struct command command = expect_taken("--print-schema=report", storage);
    cr_expect_eq(command.kind, COMMAND_SCHEMA);
    command_deinit(&command);
    cr_expect_not(command.is_event_schema);
    command = expect_taken("--print-schema=event", storage);
    cr_expect_eq(command.kind, COMMAND_SCHEMA);
    cr_expect(command.is_event_schema);
    command_deinit(&command);
    expect_refused("--print-schema=events");
    command = expect_taken("--print-schema event", storage); /* a value takes the "=" */
    cr_expect_eq(command.word_count, 1);
    command_deinit(&command);
}

Test(command, letters_can_be_joined_and_long_names_take_their_value_both_ways)
{
    char storage[512];
    struct command command = expect_taken("-wbnc10 host --timeout=3 --color never", storage);
    cr_expect(command.wide && command.show_addresses && command.options.vantage.no_names);
    cr_expect_eq(command.options.plan.cycles, 10);
    cr_expect_eq(command.options.plan.timeout_ns, 3 * SONDE_NS_PER_S);
    cr_expect_eq(command.color, COLOR_NEVER);
    command_deinit(&command);
}

Test(command, words_keep_their_order_and_two_dashes_end_the_options)
{
    char storage[512];
    struct command command = expect_taken("a -n :22 b -- -c 80", storage);
    cr_expect_eq(command.word_count, 5);
    cr_expect_str_eq(command.words[1], ":22");
    cr_expect_str_eq(command.words[3], "-c");
    cr_expect_eq(command.options.plan.cycles, 0);
    command_deinit(&command);
}

Test(command, the_last_word_on_the_output_wins)
{
    char storage[512];
    struct command command = expect_taken("-j -r host", storage);
    cr_expect_not(command.json);
    command_deinit(&command);
    command = expect_taken("-r -j host", storage);
    cr_expect(command.json);
    command_deinit(&command);
}

Test(command, what_is_no_run_needs_no_target)
{
    static const struct {
        const char *line;
        enum command_kind kind;
    } cases[] = {
        {"-h", COMMAND_HELP},
        {"--help", COMMAND_HELP},
        {"-v", COMMAND_VERSION},
        {"-V", COMMAND_VERSION},
        {"--version", COMMAND_VERSION},
        {"--services", COMMAND_SERVICES},
        {"--print-schema", COMMAND_SCHEMA},
        {"--doctor", COMMAND_DOCTOR},
    };
    char storage[512];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct command command = expect_taken(cases[i].line, storage);
        cr_expect_eq(command.kind, cases[i].kind, "%s", cases[i].line);
        command_deinit(&command);
    }
}

Test(command, a_stream_goes_on_until_it_is_ended)
{
    char storage[512];
    struct command command = expect_taken("--stream host", storage);
    cr_expect_eq(command.stream, STREAM_ALL);
    cr_expect_eq(command.options.plan.cycles, SONDE_CYCLES_ENDLESS);
    cr_expect_eq(command.options.plan.interval_ns, 0); /* the usual second */
    command_deinit(&command);
    command = expect_taken("-c 5 --stream=changes --record file host", storage);
    cr_expect_eq(command.stream, STREAM_CHANGES);
    cr_expect_eq(command.options.plan.cycles, 5);
    cr_expect_str_eq(command.record, "file");
    command_deinit(&command);
}

Test(command, zero_cycles_are_a_run_without_end_in_every_output)
{
    static const char *const lines[] = {
        "-c 0 host",
        "-rc0 host",
        "-w --report-cycles=0 host",
        "-j -c 0 host",
        "-q -c 0 host",
        "--stream -c 0 host",
        "-c 0 --record file host",
        "-c 0 --simulate demo host",
        "-c 0 --simulate demo --virtual-time --deadline 10 host",
        "--stream --simulate demo --virtual-time --deadline 10 host",
    };
    char storage[512];
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct command command = expect_taken(lines[i], storage);
        cr_expect_eq(command.options.plan.cycles, SONDE_CYCLES_ENDLESS, "%s", lines[i]);
        command_deinit(&command);
    }
}

Test(command, a_replay_takes_what_is_shown_and_no_more)
{
    char storage[512];
    struct command command =
        expect_taken("--replay file -c 2 -n -b -e -w -j -q --ascii --color never", storage);
    cr_expect_str_eq(command.replay, "file");
    cr_expect_eq(command.options.plan.cycles, 2);
    command_deinit(&command);
}

static void expect_error(const char *line, const char *wanted)
{
    struct command command;
    struct text error = {0};
    char storage[512];
    cr_expect_eq(parse(line, storage, &command, &error), -EINVAL, "%s", line);
    cr_expect_not_null(strstr(error.data, wanted), "%s: %s", line, error.data);
    cr_expect_null(strchr(error.data, '\n'), "%s", error.data);
    text_deinit(&error);
}

Test(command, what_a_replay_or_a_stream_cannot_do_is_said)
{
    expect_error("--replay file host", "takes no target");
    expect_error("--replay file -P 443", "takes no --port");
    expect_error("-i 2 --replay file", "takes no --interval");
    expect_error("--replay file --record other", "takes no --record");
    expect_error("--replay file --simulate demo", "takes no --simulate");
    expect_error("--replay file --stream", "takes no --stream");
    expect_error("--replay file --expect 22=open", "takes no --expect");
    expect_error("--stream=all host", "--stream all: expected changes or stdin");
    expect_error("--stream -j host", "--stream is the whole output");
    expect_error("--stream -q host", "--stream is the whole output");
    expect_error("--stream -w host", "--stream is the whole output");
    expect_error("--record", "--record needs a value");
    expect_error("--record - host", "--record takes a file (./- is one of that name)");
    expect_error("--record - -q host", "--stream prints the same");
    expect_error("--stream=stdin -F -", "takes no -F -");
    expect_error("--stream=stdin --simulate demo --virtual-time h", "takes no --virtual-time");
}

Test(command, what_nothing_would_end_is_refused)
{
    const char *wanted = "in virtual time a run needs an end: -c 3, or --deadline 60";
    expect_error("-c 0 --simulate demo --virtual-time host", wanted);
    expect_error("-q -c 0 --simulate demo --virtual-time host", wanted);
    expect_error("--stream --simulate demo --virtual-time host", wanted);
    expect_error("-c -1 host", "-c -1: expected 1 to 4294967294, or 0 for no end");
}

Test(command, flows_take_source_ports_of_their_own)
{
    char storage[512];
    struct command command = expect_taken("--flows 8 -L 4000 --flows 1 host", storage);
    cr_expect_eq(command.rules.flows, 1);
    command_deinit(&command);
    command = expect_taken("--flows 32 host", storage);
    cr_expect_eq(command.rules.flows, 32);
    command_deinit(&command);
    expect_error("--flows 33 host", "1 to 32");
    expect_error("-L 4000 --flows 2 host", "not -L");
}

/* Every option with a number, times every value that is none of its. */
Test(command, nonsense_values_are_refused)
{
    static const char *const options[] = {"-c", "-i",         "-Z",     "-f",     "-m",
                                          "-U", "-s",         "-B",     "-Q",     "-L",
                                          "-M", "--deadline", "--rate", "--flows"};
    static const char *const values[] = {
        "-1",
        "+5",
        "5x",
        "x5",
        "0x10",
        "1e3",
        "nan",
        "inf",
        "1,5",
        "--",
        "18446744073709551616",
        "99999999999999999999999",
        "1e308",
        "4e-324",
        "\xd9\xa3",
        "5.5.5",
        "%s",
        "NaN",
        "1_000",
    };
    char line[128];
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        for (size_t k = 0; k < sizeof values / sizeof *values; k++) {
            if (strcmp(options[i], "-Q") == 0 && strcmp(values[k], "0x10") == 0)
                continue; /* a type of service may be in hexadecimal */
            (void)snprintf(line, sizeof line, "%s %s host", options[i], values[k]);
            expect_refused(line);
        }
    }
}

Test(command, values_out_of_range_are_refused)
{
    static const char *const lines[] = {
        "-c -1 h",          "-c 4294967295 h",
        "-i 0 h",           "-i 0.0009 h",
        "-i 86401 h",       "-Z 0 h",
        "-Z 3601 h",        "-f 0 h",
        "-f 256 h",         "-m 0 h",
        "-m 256 h",         "-U 0 h",
        "-U 256 h",         "-s 27 h",
        "-s 9001 h",        "-B 256 h",
        "-Q 256 h",         "-L 0 h",
        "-L 65536 h",       "-M 0 h",
        "-M 4294967296 h",  "--rate 0 h",
        "--rate 1000001 h", "--deadline 0 h",
        "-c 1.5 h",         "-m 1.0 h",
        "-f 31 h", /* above the default of -m */
        "-f 9 -m 8 h",      "-a example.com h",
        "-a 127.1 h",       "-a 192.0.2.1%eth0 h",
        "-I lo/../x h",     "-I 0123456789abcdef h",
        "--color blue h",   "--virtual-time h",
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        expect_refused(lines[i]);
}

Test(command, empty_values_are_refused)
{
    static const char *const options[] = {"-c", "-i", "-I",         "-a",
                                          "-P", "-F", "--simulate", "--color"};
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        char *argv[] = {(char[]){"sonde"}, (char *)(uintptr_t)options[i], (char[]){""},
                        (char[]){"host"}, NULL};
        struct command command;
        struct text error = {0};
        cr_expect_eq(command_parse(4, argv, &command, &error), -EINVAL, "%s", options[i]);
        text_deinit(&error);
    }
}

Test(command, a_missing_value_is_missed)
{
    static const char *const lines[] = {"-c", "host -c", "host --timeout", "host -nc", "-F"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        expect_refused(lines[i]);
}

Test(command, no_target_is_a_mistake)
{
    expect_refused("");
    expect_refused("-n");
}

Test(command, long_options_are_matched_in_full)
{
    expect_refused("--time 3 host");
    expect_refused("--repor host");
    expect_refused("--no host");
    expect_refused("--jsonx host");
    expect_refused("--json=mtr host");
    expect_refused("--print-schem");
    expect_refused("--= host");
}

Test(command, an_unknown_option_is_answered_with_the_nearest)
{
    static const struct {
        const char *line;
        const char *suggests;
    } cases[] = {
        {"--reprot h", "--report?"},
        {"--timout 3 h", "--timeout?"},
        {"--jsn h", "--json?"},
        {"--intervall 3 h", "--interval?"},
        {"--completely-different h", "--help"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct command command;
        struct text error = {0};
        char storage[512];
        cr_expect_eq(parse(cases[i].line, storage, &command, &error), -EINVAL);
        cr_expect_not_null(strstr(error.data, cases[i].suggests), "%s", error.data);
        text_deinit(&error);
    }
}

Test(command, what_warns_is_not_above_what_fails)
{
    static const char *const lines[] = {"--warn 50,5% --crit 50,5% host",
                                        "--warn ,5% --crit 50 host", "--warn 50 --crit ,5% host",
                                        "--warn 500 host"};
    char storage[512];
    expect_error("--warn 60 --crit 50 host", "--warn is above --crit");
    expect_error("--crit ,5% --warn ,6% host", "--warn is above --crit");
    expect_error("--warn 50,6% --crit 60,5% host", "--warn is above --crit");
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct command command = expect_taken(lines[i], storage);
        command_deinit(&command);
    }
}

Test(command, letters_of_mtr_that_are_not_used_name_what_to_use)
{
    static const char *const letters[] = {"-x", "-p", "-g", "-l", "-S", "-y",
                                          "-D", "-G", "-t", "-z", "-C", "-o"};
    for (size_t i = 0; i < sizeof letters / sizeof *letters; i++) {
        char line[16];
        (void)snprintf(line, sizeof line, "%s x h", letters[i]);
        expect_error(line, "mtr's; use -");
    }
}

Test(command, the_options_of_other_tools_name_what_to_use)
{
    static const struct {
        const char *line;
        const char *names;
    } cases[] = {
        {"-p 443 h", "-p takes no number here: use -P 443"},
        {"-p443 h", "use -P 443"},
        {"-p 80,443 h", "use -P 80,443"},
        {"-p 1-1024 h", "use -P 1-1024"},
        {"-w 1 h", "-w takes no number here: use -Z 1"},
        {"-w0.5 h", "use -Z 0.5"},
        {"-rw 1 h", "use -Z 1"},
        {"-q 1 h", "-q takes no number here: use -c 1"},
        {"-q3 h", "use -c 3"},
        {"h -nq 3", "use -c 3"},
        {"-Pn h", "-Pn is nmap's, and not needed"},
        {"-sS h", "use -T"},
        {"-sU h", "use -u"},
        {"-iL hosts", "use -F"},
        {"-W 1 h", "ping's; use -Z"},
        {"--count 3 h", "--count is ping's; use -c"},
        {"--count=3 h", "use -c"},
        {"--numeric h", "--numeric is ping's; use -n"},
        {"--max-hops 9 h", "--max-hops is traceroute's; use -m"},
        {"--max-hops=9 h", "use -m"},
        {"--queries=1 h", "use -c"},
        {"--wait 1 h", "use -Z"},
        {"--source-port 53 h", "nmap's; use -L"},
        {"--gracetime 1 h", "mtr's; use -Z"},
        {"--inet6 h", "mtr's; use -6"},
        {"--xml h", "use -j"},
        {"--csv h", "--csv is mtr's; use -j"},
        {"-rwzbc 100 h", "-z is mtr's; use -b"},
        {"--order LSNA h", "--order is mtr's; use -j"},
        {"-oG - h", "-oG is nmap's; use -j"},
        {"-oA scan h", "-oA is nmap's; use -j"},
        {"--traceroute h", "always traced"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect_error(cases[i].line, cases[i].names);
}

Test(command, a_number_is_asked_for_with_its_unit_and_bounds)
{
    expect_error("-i 100ms h", "-i 100ms: expected seconds, 0.001 to 86400");
    expect_error("-Z 1s h", "-Z 1s: expected seconds, 0.01 to 3600");
    expect_error("--deadline 5m h", "--deadline 5m: expected seconds, 0.01 to 31622400");
    expect_error("--rate 1k h", "--rate 1k: expected packets a second, 1 to 1000000");
    expect_error("-s 1k h", "-s 1k: expected bytes, 28 to 9000");
    expect_error("-Q x h", "-Q x: expected 0 to 255, 0x00 to 0xff, cs0 to cs7, af11 to af43, ef, "
                           "le or va");
    expect_error("-f 31 h", "-f 31 is above -m 30");
}

/* What these options are used for here stays as it is. */
Test(command, a_number_that_is_no_value_is_left_alone)
{
    static const char *const lines[] = {"-w h 443", "-wb h 443", "-q h 1", "-q4 h",
                                        "-w6 h",    "-qn h 443", "-w :443"};
    char storage[512];
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct command command = expect_taken(lines[i], storage);
        command_deinit(&command);
    }
}

Test(command, options_that_are_not_built_yet_are_refused_as_unknown)
{
    static const char *const lines[] = {"--metrics h", "--check h",  "--md h",   "--live h",
                                        "--html f h",  "--redact h", "--diff h", "--live=lines h"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        expect_error(lines[i], "unknown option -");
}

Test(command, errors_carry_no_control_bytes)
{
    struct command command;
    struct text error = {0};
    char storage[512];
    cr_expect_eq(parse("--\033[31mx\007 h", storage, &command, &error), -EINVAL);
    for (const char *at = error.data; *at != '\0'; at++)
        cr_expect_geq(*at, 0x20);
    text_deinit(&error);
}

Test(command, the_help_names_every_option_and_fits_a_screen)
{
    struct text text = {0};
    command_help(&text);
    for (size_t i = 0; options_at(i) != NULL; i++) {
        const struct option_line *line = options_at(i);
        char spelling[64];
        if (line->name == NULL)
            continue;
        (void)snprintf(spelling, sizeof spelling, "--%s", line->name);
        cr_expect_not_null(strstr(text.data, spelling), "%s", spelling);
    }
    char *save;
    for (char *at = strtok_r(text.data, "\n", &save); at != NULL; at = strtok_r(NULL, "\n", &save))
        cr_expect_leq(strlen(at), 80, "%s", at);
    text_deinit(&text);
}
