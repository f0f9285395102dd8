/* SPDX-License-Identifier: BSD-2-Clause */
/* The stable words of include/sonde/vocabulary.h, one table per enumeration. */
#include <assert.h>
#include <sonde/record.h>
#include <sonde/vocabulary.h>

/* Defines the function that looks a value up in WORDS; static_assert keeps table and enum in step.
 */
#define WORD_FUNCTION(NAME, ENUM, COUNT, WORDS)                                                    \
    const char *NAME(enum ENUM value)                                                              \
    {                                                                                              \
        static_assert(sizeof(WORDS) / sizeof *(WORDS) == (COUNT), "a word for each value");        \
        const unsigned at = (unsigned)value;                                                       \
        return at < (COUNT) && (WORDS)[at] != NULL ? (WORDS)[at] : "unknown";                      \
    }

static const char *const state_words[] = {
    [SONDE_STATE_UNKNOWN] = "unknown",         [SONDE_STATE_OPEN] = "open",
    [SONDE_STATE_CLOSED] = "closed",           [SONDE_STATE_FILTERED] = "filtered",
    [SONDE_STATE_REJECTED] = "rejected",       [SONDE_STATE_OPEN_OR_FILTERED] = "open_or_filtered",
    [SONDE_STATE_UNREACHABLE] = "unreachable",
};
WORD_FUNCTION(sonde_state_name, sonde_state, SONDE_STATE_COUNT, state_words)

static const char *const outcome_words[] = {
    [SONDE_OUTCOME_NO_REPLY] = "no_reply",
    [SONDE_OUTCOME_ECHO_REPLY] = "echo_reply",
    [SONDE_OUTCOME_OPEN] = "open",
    [SONDE_OUTCOME_CLOSED] = "closed",
    [SONDE_OUTCOME_UDP_REPLY] = "udp_reply",
    [SONDE_OUTCOME_PORT_UNREACHABLE] = "port_unreachable",
    [SONDE_OUTCOME_TTL_EXCEEDED] = "ttl_exceeded",
    [SONDE_OUTCOME_PACKET_TOO_BIG] = "packet_too_big",
    [SONDE_OUTCOME_ADMIN_PROHIBITED] = "admin_prohibited",
    [SONDE_OUTCOME_HOST_UNREACHABLE] = "host_unreachable",
    [SONDE_OUTCOME_NET_UNREACHABLE] = "net_unreachable",
    [SONDE_OUTCOME_OTHER_UNREACHABLE] = "other_unreachable",
    [SONDE_OUTCOME_SEND_ERROR] = "send_error",
};
WORD_FUNCTION(sonde_outcome_name, sonde_outcome, SONDE_OUTCOME_COUNT, outcome_words)

static const char *const level_words[] = {
    [SONDE_LEVEL_OK] = "ok",
    [SONDE_LEVEL_DEGRADED] = "degraded",
    [SONDE_LEVEL_FAILED] = "failed",
    [SONDE_LEVEL_UNKNOWN] = "unknown",
};
WORD_FUNCTION(sonde_level_name, sonde_level, SONDE_LEVEL_COUNT, level_words)

static const char *const code_words[] = {
    [SONDE_CODE_NAME_UNRESOLVED] = "name_unresolved",
    [SONDE_CODE_NO_PERMISSION] = "no_permission",
    [SONDE_CODE_LOCAL_BLOCKED] = "local_blocked",
    [SONDE_CODE_NO_ROUTE] = "no_route",
    [SONDE_CODE_ROUTING_LOOP] = "routing_loop",
    [SONDE_CODE_HOST_UNREACHABLE] = "host_unreachable",
    [SONDE_CODE_PORT_INTERCEPTED] = "port_intercepted",
    [SONDE_CODE_PORT_REJECTED] = "port_rejected",
    [SONDE_CODE_PORT_FILTERED] = "port_filtered",
    [SONDE_CODE_PORT_CLOSED] = "port_closed",
    [SONDE_CODE_PORT_UNEXPECTEDLY_OPEN] = "port_unexpectedly_open",
    [SONDE_CODE_PACKET_TOO_BIG] = "packet_too_big",
    [SONDE_CODE_MTU_BLACK_HOLE] = "mtu_black_hole",
    [SONDE_CODE_LOSS_ON_SOME_PATHS] = "loss_on_some_paths",
    [SONDE_CODE_LOSS_AT_DESTINATION] = "loss_at_destination",
    [SONDE_CODE_LATENCY_OVER_LIMIT] = "latency_over_limit",
    [SONDE_CODE_OUTAGE] = "outage",
    [SONDE_CODE_UNSTABLE] = "unstable",
    [SONDE_CODE_PATH_CHANGED] = "path_changed",
    [SONDE_CODE_LATENCY_CHANGED] = "latency_changed",
    [SONDE_CODE_UDP_UNCONFIRMED] = "udp_unconfirmed",
    [SONDE_CODE_INCONCLUSIVE] = "inconclusive",
    [SONDE_CODE_OK] = "ok",
};
WORD_FUNCTION(sonde_code_name, sonde_code, SONDE_CODE_COUNT, code_words)

/* Levels by how bad they are. */
static int badness(enum sonde_level level)
{
    switch (level) {
    case SONDE_LEVEL_FAILED:
        return 3;
    case SONDE_LEVEL_UNKNOWN:
        return 2;
    case SONDE_LEVEL_DEGRADED:
        return 1;
    case SONDE_LEVEL_OK:
    case SONDE_LEVEL_COUNT:
        break;
    }
    return 0;
}

bool sonde_is_worse(enum sonde_level level, enum sonde_code code, enum sonde_level than_level,
                    enum sonde_code than_code)
{
    if (level != than_level)
        return badness(level) > badness(than_level);
    return code < than_code;
}

static const char *const confidence_words[] = {
    [SONDE_CONFIDENCE_LOW] = "low",
    [SONDE_CONFIDENCE_MEDIUM] = "medium",
    [SONDE_CONFIDENCE_HIGH] = "high",
};
WORD_FUNCTION(sonde_confidence_name, sonde_confidence, SONDE_CONFIDENCE_COUNT, confidence_words)

static const char *const way_words[] = {
    [SONDE_WAY_THERE] = "there",
    [SONDE_WAY_THERE_OR_BACK] = "there_or_back",
};
WORD_FUNCTION(sonde_way_name, sonde_way, SONDE_WAY_COUNT, way_words)

static const char *const stop_words[] = {
    [SONDE_STOP_REACHED] = "reached",         [SONDE_STOP_MAX_TTL] = "max_ttl",
    [SONDE_STOP_GAP_LIMIT] = "gap_limit",     [SONDE_STOP_REJECTED] = "rejected",
    [SONDE_STOP_INTERRUPTED] = "interrupted",
};
WORD_FUNCTION(sonde_stop_reason_name, sonde_stop_reason, SONDE_STOP_COUNT, stop_words)

static const char *const loss_words[] = {
    [SONDE_LOSS_NONE] = "none",
    [SONDE_LOSS_SILENT] = "silent",
    [SONDE_LOSS_RATE_LIMITED] = "rate_limited",
    [SONDE_LOSS_FORWARDING] = "forwarding",
    [SONDE_LOSS_UNKNOWN] = "unknown",
};
WORD_FUNCTION(sonde_loss_kind_name, sonde_loss_kind, SONDE_LOSS_KIND_COUNT, loss_words)

static const char *const status_words[] = {
    [SONDE_STATUS_COMPLETE] = "complete",
    [SONDE_STATUS_INTERRUPTED] = "interrupted",
    [SONDE_STATUS_PARTIAL] = "partial",
    [SONDE_STATUS_ERROR] = "error",
};
WORD_FUNCTION(sonde_status_name, sonde_status, SONDE_STATUS_COUNT, status_words)

static const char *const transport_words[] = {
    [SONDE_TRANSPORT_RAW] = "raw",
    [SONDE_TRANSPORT_UNPRIVILEGED] = "unprivileged",
    [SONDE_TRANSPORT_SIMULATED] = "simulated",
    [SONDE_TRANSPORT_REPLAYED] = "replayed",
};
WORD_FUNCTION(sonde_transport_kind_name, sonde_transport_kind, SONDE_TRANSPORT_KIND_COUNT,
              transport_words)

static const char *const clock_words[] = {
    [SONDE_CLOCK_USER] = "user",
    [SONDE_CLOCK_KERNEL] = "kernel",
    [SONDE_CLOCK_SIMULATED] = "simulated",
};
WORD_FUNCTION(sonde_clock_name, sonde_clock, SONDE_CLOCK_COUNT, clock_words)

static const char *const record_type_words[] = {
    [SONDE_RECORD_RUN_START] = "run_start",
    [SONDE_RECORD_TARGET] = "target",
    [SONDE_RECORD_ERROR] = "error",
    [SONDE_RECORD_BEGIN] = "begin",
    [SONDE_RECORD_ZONE] = "zone",
    [SONDE_RECORD_PROBE] = "probe",
    [SONDE_RECORD_UNAWAITED] = "unawaited",
    [SONDE_RECORD_LATE] = "late",
    [SONDE_RECORD_DUPLICATE] = "duplicate",
    [SONDE_RECORD_NAME] = "name",
    [SONDE_RECORD_NEXT_HOP] = "next_hop",
    [SONDE_RECORD_INTERFACE] = "interface",
    [SONDE_RECORD_COUNTERS] = "counters",
    [SONDE_RECORD_CYCLE] = "cycle",
    [SONDE_RECORD_PATH_CHANGE] = "path_change",
    [SONDE_RECORD_VERDICT] = "verdict",
    [SONDE_RECORD_EPISODE] = "episode",
    [SONDE_RECORD_PAUSED] = "paused",
    [SONDE_RECORD_RESUMED] = "resumed",
    [SONDE_RECORD_RESET] = "reset",
    [SONDE_RECORD_REMOVED] = "removed",
    [SONDE_RECORD_RUN_END] = "run_end",
};
WORD_FUNCTION(sonde_record_type_name, sonde_record_type, SONDE_RECORD_TYPE_COUNT, record_type_words)

static const char *const discard_words[] = {
    [SONDE_DISCARD_FOREIGN] = "foreign",
    [SONDE_DISCARD_NOT_A_RESULT] = "not_a_result",
    [SONDE_DISCARD_MALFORMED] = "malformed",
    [SONDE_DISCARD_SHORT_QUOTE] = "short_quote",
    [SONDE_DISCARD_BAD_CHECKSUM] = "bad_checksum",
    [SONDE_DISCARD_BAD_TOKEN] = "bad_token",
    [SONDE_DISCARD_DIFFERENT_ADDRESS] = "different_address",
    [SONDE_DISCARD_TRUNCATED] = "truncated",
    [SONDE_DISCARD_UNKNOWN_PROBE] = "unknown_probe",
    [SONDE_DISCARD_AMBIGUOUS] = "ambiguous",
    [SONDE_DISCARD_TOO_LATE] = "too_late",
};
WORD_FUNCTION(sonde_discard_name, sonde_discard, SONDE_DISCARD_COUNT, discard_words)

/* RFC 792 (0-5), RFC 1122 §3.2.2.1 (6-12), RFC 1812 §5.2.7.1 (13-15) */
static const char *const unreachable4_words[] = {
    "network unreachable",
    "host unreachable",
    "protocol unreachable",
    "port unreachable",
    "fragmentation needed",
    "source route failed",
    "network unknown",
    "host unknown",
    "source host isolated",
    "network administratively prohibited",
    "host administratively prohibited",
    "network unreachable for this type of service",
    "host unreachable for this type of service",
    "administratively prohibited",
    "host precedence violation",
    "precedence cutoff",
};

/* RFC 4443 §3.1 (0-6), RFC 6550 §20.16 (7) */
static const char *const unreachable6_words[] = {
    "no route to destination",
    "administratively prohibited",
    "beyond scope of source address",
    "address unreachable",
    "port unreachable",
    "source address failed policy",
    "route rejected",
    "error in source routing header",
};

const char *sonde_unreachable_text(enum sonde_family family, uint8_t code)
{
    enum {
        COUNT4 = sizeof unreachable4_words / sizeof *unreachable4_words,
        COUNT6 = sizeof unreachable6_words / sizeof *unreachable6_words,
    };
    if (family == SONDE_FAMILY_IPV6)
        return code < COUNT6 ? unreachable6_words[code] : "unknown code";
    return code < COUNT4 ? unreachable4_words[code] : "unknown code";
}
