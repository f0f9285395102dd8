/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of options, and how each is applied; see app/options.h. */
#include "app/options.h"

#include "app/expect.h"
#include "app/numbers.h"
#include "app/tos.h"

#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static int apply_tcp(struct command *command, const char *value)
{
    (void)value;
    command->rules.tcp = true;
    command->rules.udp = false;
    command->rules.services.protocol = "tcp";
    return 0;
}

static int apply_udp(struct command *command, const char *value)
{
    (void)value;
    command->rules.tcp = false;
    command->rules.udp = true;
    command->rules.services.protocol = "udp";
    return 0;
}

/* Put a list behind those that the option was given before: all of them count. */
static int add_list(char **lists, const char *value)
{
    struct text joined = {0};
    if (value[0] == '\0')
        return -EINVAL;
    if (*lists != NULL)
        text_addf(&joined, "%s,", *lists);
    text_add(&joined, value);
    if (!text_ok(&joined)) {
        text_deinit(&joined);
        return -ENOMEM;
    }
    free(*lists);
    *lists = joined.data;
    return 0;
}

static int apply_ports(struct command *command, const char *value)
{
    int r = add_list(&command->ports, value);
    command->rules.ports = command->ports;
    return r;
}

static int apply_ipv4(struct command *command, const char *value)
{
    (void)value;
    command->options.vantage.family = SONDE_FAMILY_IPV4;
    return 0;
}

static int apply_ipv6(struct command *command, const char *value)
{
    (void)value;
    command->options.vantage.family = SONDE_FAMILY_IPV6;
    return 0;
}

static int apply_cycles(struct command *command, const char *value)
{
    if (strcmp(value, "0") != 0)
        return numbers_read(value, SONDE_OPTION_CYCLES, &command->options);
    command->options.plan.cycles = SONDE_CYCLES_ENDLESS;
    return 0;
}

static int apply_tos(struct command *command, const char *value)
{
    return tos_read(value, &command->options.format.tos);
}

static int apply_source(struct command *command, const char *value)
{
    struct sonde_addr addr = {.family = SONDE_FAMILY_NONE};
    command->options.vantage.source = value;
    int r = sonde_addr_parse(value, &addr);
    command->rules.source = addr.family;
    return r;
}

static int apply_interface(struct command *command, const char *value)
{
    size_t len = strlen(value);
    command->options.vantage.interface = value;
    command->rules.has_interface = true;
    bool valid = len > 0 && len < 16 && strpbrk(value, "/ \t") == NULL; /* netdevice(7): IFNAMSIZ */
    return valid ? 0 : -EINVAL;
}

static int apply_expect(struct command *command, const char *value)
{
    return add_list(&command->expect, value); /* read when the targets are known */
}

static int apply_warn(struct command *command, const char *value)
{
    return expect_read_limits(value, &command->options.judgement.warn);
}

static int apply_crit(struct command *command, const char *value)
{
    return expect_read_limits(value, &command->options.judgement.crit);
}

static int apply_record(struct command *command, const char *value)
{
    command->record = value;
    return value[0] == '\0' ? -EINVAL : 0;
}

static int apply_replay(struct command *command, const char *value)
{
    command->replay = value;
    return value[0] == '\0' ? -EINVAL : 0;
}

static int apply_stream(struct command *command, const char *value)
{
    static const char *const words[] = {
        [STREAM_ALL] = "", [STREAM_CHANGES] = "changes", [STREAM_STDIN] = "stdin"};
    for (unsigned i = STREAM_ALL; i < sizeof words / sizeof *words; i++) {
        if (strcmp(value, words[i]) == 0) {
            command->stream = (enum stream_kind)i;
            return 0;
        }
    }
    return -EINVAL;
}

static int apply_simulate(struct command *command, const char *value)
{
    command->simulate = value;
    return value[0] == '\0' ? -EINVAL : 0;
}

static int apply_file(struct command *command, const char *value)
{
    command->files[command->file_count++] = value;
    return value[0] == '\0' ? -EINVAL : 0;
}

static int apply_many(struct command *command, const char *value)
{
    (void)value;
    static_assert(SERVICES_MANY == 64 && SERVICES_USUAL == 16, "the help of --many names them");
    command->rules.services.max = SERVICES_MANY;
    return 0;
}

static int apply_report(struct command *command, const char *value)
{
    (void)value;
    command->json = false;
    return 0;
}

/* What is not printed needs no names. */
static int apply_quiet(struct command *command, const char *value)
{
    (void)value;
    command->quiet = true;
    command->options.vantage.no_names = true;
    return 0;
}

static int apply_wide(struct command *command, const char *value)
{
    command->wide = true;
    return apply_report(command, value);
}

static int apply_color(struct command *command, const char *value)
{
    static const char *const words[] = {
        [COLOR_AUTO] = "auto", [COLOR_ALWAYS] = "always", [COLOR_NEVER] = "never"};
    for (unsigned i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcmp(value, words[i]) == 0) {
            command->color = (enum color_when)i;
            return 0;
        }
    }
    return -EINVAL;
}

/* The first request wins: "sonde --version --help" prints the version. */
static int apply_kind(struct command *command, enum command_kind kind)
{
    if (command->kind == COMMAND_RUN)
        command->kind = kind;
    return 0;
}

static int apply_payload(struct command *command, const char *value)
{
    command->payload = value;
    return value[0] == '\0' ? -EINVAL : 0;
}

static int apply_expect_reply(struct command *command, const char *value)
{
    command->expect_reply = value;
    return value[0] == '\0' ? -EINVAL : 0;
}

static int apply_help(struct command *command, const char *value)
{
    (void)value;
    return apply_kind(command, COMMAND_HELP);
}

static int apply_version(struct command *command, const char *value)
{
    (void)value;
    return apply_kind(command, COMMAND_VERSION);
}

static int apply_services(struct command *command, const char *value)
{
    (void)value;
    return apply_kind(command, COMMAND_SERVICES);
}

static int apply_schema(struct command *command, const char *value)
{
    if (value[0] != '\0' && strcmp(value, "report") != 0 && strcmp(value, "event") != 0)
        return -EINVAL;
    if (command->kind == COMMAND_RUN)
        command->is_event_schema = strcmp(value, "event") == 0;
    return apply_kind(command, COMMAND_SCHEMA);
}

static int apply_doctor(struct command *command, const char *value)
{
    (void)value;
    return apply_kind(command, COMMAND_DOCTOR);
}

/* A line for an option that takes a value. */
#define TAKES(LETTER, NAME, ARGUMENT, WANTED, GROUP, HELP, APPLY)                                  \
    {                                                                                              \
        .letter = (LETTER), .name = (NAME), .argument = (ARGUMENT), .wanted = (WANTED),            \
        .group = (GROUP), .help = (HELP), .apply = (APPLY)                                         \
    }

/* A line for an option that is a number of the library's. */
#define NUMBER(LETTER, NAME, ARGUMENT, OPTION, GROUP, HELP)                                        \
    {                                                                                              \
        .letter = (LETTER), .name = (NAME), .argument = (ARGUMENT), .number = (OPTION),            \
        .group = (GROUP), .help = (HELP)                                                           \
    }

/* A line for an option that does something by itself. */
#define DOES(LETTER, NAME, GROUP, HELP, APPLY)                                                     \
    {                                                                                              \
        .letter = (LETTER), .name = (NAME), .group = (GROUP), .help = (HELP), .apply = (APPLY)     \
    }

/* A line for an option that only sets a flag of the command. */
#define FLAG(LETTER, NAME, GROUP, HELP, MEMBER)                                                    \
    {                                                                                              \
        .letter = (LETTER), .name = (NAME), .group = (GROUP), .help = (HELP),                      \
        .flag = offsetof(struct command, MEMBER)                                                   \
    }

static const struct option_line option_lines[] = {
    DOES('4', "ipv4", "Targets", "use IPv4 only", apply_ipv4),
    DOES('6', "ipv6", "Targets", "use IPv6 only", apply_ipv6),
    TAKES('F', "filename", "FILE", "the name of a file", "Targets",
          "read targets from FILE, one a line (- = stdin)", apply_file),
    FLAG(0, "all-addresses", "Targets", "take every address of a name as a target of its own",
         options.plan.all_addresses),
    DOES(0, "many", "Targets", "allow 64 services a target instead of 16", apply_many),
    DOES(0, "services", "Targets", "list the service names and presets", apply_services),
    DOES('T', "tcp", "Probing", "ports without a protocol are TCP (the default)", apply_tcp),
    DOES('u', "udp", "Probing", "ports without a protocol are UDP", apply_udp),
    TAKES('P', "port", "LIST", "a list such as 22,443,53/udp", "Probing",
          "probe these services at every target", apply_ports),
    NUMBER(0, "flows", "N", SONDE_OPTION_FLOWS, "Probing",
           "probe N flows of each service side by side"),
    FLAG(0, "no-icmp", "Probing", "do not add icmp as control", rules.no_icmp),
    FLAG(0, "no-control", "Probing", "probe no other port to compare a silent one",
         options.plan.no_controls),
    NUMBER('f', "first-ttl", "N", SONDE_OPTION_FIRST_TTL, "Probing", "begin the path at this TTL"),
    NUMBER('m', "max-ttl", "N", SONDE_OPTION_MAX_TTL, "Probing", "end the path at this TTL"),
    NUMBER('U', "max-unknown", "N", SONDE_OPTION_GAP_LIMIT, "Probing",
           "give a path up after N silent hops"),
    TAKES(0, "payload", "HEX", "hexadecimal digits, or @FILE", "Probing",
          "ask UDP ports this instead of what they are for", apply_payload),
    TAKES(0, "expect-reply", "HEX", "hexadecimal digits, or @FILE", "Probing",
          "and take only answers that begin so", apply_expect_reply),
    NUMBER('s', "psize", "BYTES", SONDE_OPTION_SIZE, "Probing",
           "packet size with headers, for icmp and udp"),
    NUMBER('B', "bitpattern", "N", SONDE_OPTION_FILL, "Probing", "fill payloads with this byte"),
    {.letter = 'Q',
     .name = "tos",
     .argument = "TOS",
     .number = SONDE_OPTION_TOS,
     .wanted = "0x00 to 0xff, cs0 to cs7, af11 to af43, ef, le or va",
     .group = "Probing",
     .help = "type of service, or the name of a DSCP",
     .apply = apply_tos},
    TAKES('a', "address", "ADDRESS", "a numeric address of this machine", "Probing",
          "send from this address", apply_source),
    TAKES('I', "interface", "NAME", "the name of an interface", "Probing",
          "send through this interface", apply_interface),
    NUMBER('L', "localport", "PORT", SONDE_OPTION_SOURCE_PORT, "Probing",
           "send TCP, UDP and SCTP from this port"),
    NUMBER('M', "mark", "N", SONDE_OPTION_MARK, "Probing",
           "mark packets for the firewall and routing rules"),
    FLAG(0, "unprivileged", "Probing", "use no raw sockets, even if they are allowed",
         options.vantage.unprivileged),
    {.letter = 'c',
     .name = "report-cycles",
     .argument = "N",
     .number = SONDE_OPTION_CYCLES,
     .wanted = "or 0 for no end",
     .group = "Timing",
     .help = "cycles; 0 = no end",
     .apply = apply_cycles},
    NUMBER('i', "interval", "SECONDS", SONDE_OPTION_INTERVAL, "Timing", "from cycle to cycle"),
    NUMBER('Z', "timeout", "SECONDS", SONDE_OPTION_TIMEOUT, "Timing",
           "a probe is lost at the latest after this"),
    NUMBER(0, "deadline", "SECONDS", SONDE_OPTION_DEADLINE, "Timing",
           "end the whole run at the latest after this"),
    NUMBER(0, "rate", "PPS", SONDE_OPTION_RATE, "Timing",
           "send at most this many packets a second"),
    TAKES(0, "expect", "LIST", "a list such as 22=closed,443=open", "Expecting",
          "what services are to be (that they answer)", apply_expect),
    TAKES(0, "warn", "RTT_MS,LOSS%", "milliseconds and percent, as in 100,5%", "Expecting",
          "above this a service is degraded", apply_warn),
    TAKES(0, "crit", "RTT_MS,LOSS%", "milliseconds and percent, as in 500,20%", "Expecting",
          "above this a service has failed", apply_crit),
    DOES('r', "report", "Output", "a text report", apply_report),
    DOES('w', "report-wide", "Output", "a text report, as wide as need be", apply_wide),
    FLAG('j', "json", "Output", "one JSON document", json),
    DOES('q', "quiet", "Output", "nothing: the exit code says it", apply_quiet),
    FLAG('n', "no-dns", "Output", "no names, addresses only", options.vantage.no_names),
    FLAG('b', "show-ips", "Output", "names and addresses", show_addresses),
    FLAG('e', "mpls", "Output", "MPLS labels and other extensions", show_extensions),
    TAKES(0, "color", "WHEN", "auto, always or never", "Output", "auto, always or never (auto)",
          apply_color),
    FLAG(0, "ascii", "Output", "no characters beyond ASCII", ascii),
    {.name = "print-schema",
     .argument = "KIND",
     .is_optional = true,
     .wanted = "report or event",
     .group = "Output",
     .help = "print the JSON Schema of -j; event: of --stream",
     .apply = apply_schema},
    {.name = "stream",
     .argument = "KIND",
     .is_optional = true,
     .wanted = "changes or stdin",
     .group = "Output",
     .help = "what happens, as JSON Lines; changes: no probes",
     .apply = apply_stream},
    TAKES(0, "record", "FILE", "the name of a file", "Other",
          "keep all that happens in FILE, beside the output", apply_record),
    TAKES(0, "replay", "FILE", "the name of a file", "Other",
          "show what was kept in FILE (- = stdin)", apply_replay),
    TAKES(0, "simulate", "FILE", "a scenario file, or demo", "Other",
          "run on a simulated network (demo = built in)", apply_simulate),
    FLAG(0, "virtual-time", "Other", "simulate as fast as the machine can",
         options.simulation.virtual_time),
    DOES(0, "doctor", "Other", "what sonde may do here, and how to allow the rest", apply_doctor),
    DOES('h', "help", "Other", "this text", apply_help),
    DOES('v', "version", "Other", "the version", apply_version),
    DOES('V', NULL, "Other", "the version", apply_version),
};

const struct option_line *options_at(size_t index)
{
    return index < sizeof option_lines / sizeof *option_lines ? &option_lines[index] : NULL;
}
