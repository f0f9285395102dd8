/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The words of JSON and of scripts. They are a contract: this table is its second copy, and a word
 * that changes here breaks somebody's script. Each list stands in the order of its enumeration, of
 * which that of the verdict codes means something: worst first.
 */
#include <criterion/criterion.h>
#include <limits.h>
#include <sonde/vocabulary.h>
#include <string.h>

static const char *state(unsigned value)
{
    return sonde_state_name((enum sonde_state)value);
}

static const char *outcome(unsigned value)
{
    return sonde_outcome_name((enum sonde_outcome)value);
}

static const char *level(unsigned value)
{
    return sonde_level_name((enum sonde_level)value);
}

static const char *code(unsigned value)
{
    return sonde_code_name((enum sonde_code)value);
}

static const char *way(unsigned value)
{
    return sonde_way_name((enum sonde_way)value);
}

static const char *confidence(unsigned value)
{
    return sonde_confidence_name((enum sonde_confidence)value);
}

static const char *stop_reason(unsigned value)
{
    return sonde_stop_reason_name((enum sonde_stop_reason)value);
}

static const char *loss_kind(unsigned value)
{
    return sonde_loss_kind_name((enum sonde_loss_kind)value);
}

static const char *status(unsigned value)
{
    return sonde_status_name((enum sonde_status)value);
}

static const char *transport(unsigned value)
{
    return sonde_transport_kind_name((enum sonde_transport_kind)value);
}

static const char *discard(unsigned value)
{
    return sonde_discard_name((enum sonde_discard)value);
}

enum { WORDS_MAX = 24 };

static const struct vocabulary {
    const char *name;
    const char *(*word)(unsigned value);
    unsigned first; /* the smallest value */
    unsigned count; /* the enumeration's _COUNT */
    const char *words[WORDS_MAX];
} vocabularies[] = {
    {"state",
     state,
     0,
     SONDE_STATE_COUNT,
     {"unknown", "open", "closed", "filtered", "rejected", "open_or_filtered", "unreachable"}},
    {"outcome",
     outcome,
     0,
     SONDE_OUTCOME_COUNT,
     {"no_reply", "echo_reply", "open", "closed", "udp_reply", "port_unreachable", "ttl_exceeded",
      "packet_too_big", "admin_prohibited", "host_unreachable", "net_unreachable",
      "other_unreachable", "send_error"}},
    {"level", level, 0, SONDE_LEVEL_COUNT, {"ok", "degraded", "failed", "unknown"}},
    {"code",
     code,
     0,
     SONDE_CODE_COUNT,
     {"name_unresolved",
      "no_permission",
      "local_blocked",
      "no_route",
      "routing_loop",
      "host_unreachable",
      "port_intercepted",
      "port_rejected",
      "port_filtered",
      "port_closed",
      "port_unexpectedly_open",
      "packet_too_big",
      "mtu_black_hole",
      "loss_on_some_paths",
      "loss_at_destination",
      "latency_over_limit",
      "outage",
      "unstable",
      "path_changed",
      "latency_changed",
      "udp_unconfirmed",
      "inconclusive",
      "ok"}},
    {"way", way, 0, SONDE_WAY_COUNT, {"there", "there_or_back"}},
    {"confidence", confidence, 0, SONDE_CONFIDENCE_COUNT, {"low", "medium", "high"}},
    {"stop reason",
     stop_reason,
     0,
     SONDE_STOP_COUNT,
     {"reached", "max_ttl", "gap_limit", "rejected", "interrupted"}},
    {"loss kind",
     loss_kind,
     0,
     SONDE_LOSS_KIND_COUNT,
     {"none", "silent", "rate_limited", "forwarding", "unknown"}},
    {"status", status, 0, SONDE_STATUS_COUNT, {"complete", "interrupted", "partial", "error"}},
    {"transport",
     transport,
     0,
     SONDE_TRANSPORT_KIND_COUNT,
     {"raw", "unprivileged", "simulated", "replayed"}},
    {"discard",
     discard,
     1, /* 0 is "not discarded" and has no word */
     SONDE_DISCARD_COUNT,
     {"foreign", "not_a_result", "malformed", "short_quote", "bad_checksum", "bad_token",
      "different_address", "truncated", "unknown_probe", "ambiguous", "too_late"}},
};

enum { VOCABULARIES = sizeof vocabularies / sizeof *vocabularies };

Test(vocabulary, each_value_has_the_word_of_the_contract)
{
    for (size_t i = 0; i < VOCABULARIES; i++) {
        const struct vocabulary *v = &vocabularies[i];
        unsigned listed = 0;
        while (listed < WORDS_MAX && v->words[listed] != NULL)
            listed++;
        cr_expect_eq(v->count - v->first, listed, "%s: %u words listed", v->name, listed);
        for (unsigned n = 0; n < listed; n++)
            cr_expect_str_eq(v->word(v->first + n), v->words[n], "%s %u", v->name, v->first + n);
    }
}

Test(vocabulary, no_two_values_share_a_word)
{
    for (size_t i = 0; i < VOCABULARIES; i++) {
        const struct vocabulary *v = &vocabularies[i];
        for (unsigned a = v->first; a < v->count; a++) {
            for (unsigned b = v->first; b < a; b++)
                cr_expect_str_neq(v->word(a), v->word(b), "%s %u and %u", v->name, a, b);
        }
    }
}

Test(vocabulary, words_are_made_for_scripts)
{
    for (size_t i = 0; i < VOCABULARIES; i++) {
        const struct vocabulary *v = &vocabularies[i];
        for (unsigned n = v->first; n < v->count; n++) {
            const char *word = v->word(n);
            cr_expect_gt(strlen(word), 0);
            cr_expect_eq(strspn(word, "abcdefghijklmnopqrstuvwxyz_"), strlen(word), "%s", word);
        }
    }
}

Test(vocabulary, a_value_outside_its_enumeration_is_unknown)
{
    for (size_t i = 0; i < VOCABULARIES; i++) {
        const struct vocabulary *v = &vocabularies[i];
        const unsigned outside[] = {v->count, v->count + 1, 1000, INT_MAX, UINT_MAX};
        for (size_t n = 0; n < sizeof outside / sizeof *outside; n++)
            cr_expect_str_eq(v->word(outside[n]), "unknown", "%s %u", v->name, outside[n]);
    }
    cr_expect_str_eq(discard(0), "unknown");
}

/* The words that the RFC has for a code, as far as ours must hold them. */
struct meaning {
    uint8_t code;
    const char *first;
    const char *second;
};

static void expect_meanings(enum sonde_family family, const struct meaning *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *text = sonde_unreachable_text(family, cases[i].code);
        cr_expect_not_null(strstr(text, cases[i].first), "%u: %s", cases[i].code, text);
        cr_expect_not_null(strstr(text, cases[i].second), "%u: %s", cases[i].code, text);
        for (size_t n = 0; n < i; n++)
            cr_expect_str_neq(text, sonde_unreachable_text(family, cases[n].code));
    }
}

/* Failed, then not known, then degraded; among equals the order of the codes. */
Test(vocabulary, the_worst_verdict_is_the_one_to_read_first)
{
    static const struct {
        enum sonde_level level;
        enum sonde_code code;
    } order[] = {
        {SONDE_LEVEL_FAILED, SONDE_CODE_PORT_FILTERED},
        {SONDE_LEVEL_FAILED, SONDE_CODE_PORT_CLOSED},
        {SONDE_LEVEL_UNKNOWN, SONDE_CODE_NAME_UNRESOLVED},
        {SONDE_LEVEL_UNKNOWN, SONDE_CODE_INCONCLUSIVE},
        {SONDE_LEVEL_DEGRADED, SONDE_CODE_PORT_INTERCEPTED},
        {SONDE_LEVEL_DEGRADED, SONDE_CODE_UDP_UNCONFIRMED},
        {SONDE_LEVEL_OK, SONDE_CODE_OK},
    };
    size_t count = sizeof order / sizeof *order;
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < count; k++)
            cr_expect_eq(
                sonde_is_worse(order[i].level, order[i].code, order[k].level, order[k].code), i < k,
                "%zu and %zu", i, k);
    }
}

Test(vocabulary, codes_of_icmp_unreachable_are_put_into_the_words_of_their_rfcs)
{
    static const struct meaning cases[] = {
        /* RFC 792 */
        {0, "network", "unreachable"},
        {1, "host", "unreachable"},
        {2, "protocol", "unreachable"},
        {3, "port", "unreachable"},
        {4, "fragmentation", "needed"},
        {5, "source route", "failed"},
        /* RFC 1122 §3.2.2.1 */
        {6, "network", "unknown"},
        {7, "host", "unknown"},
        {8, "source host", "isolated"},
        {9, "network", "administratively prohibited"},
        {10, "host", "administratively prohibited"},
        {11, "network unreachable", "type of service"},
        {12, "host unreachable", "type of service"},
        /* RFC 1812 §5.2.7.1 */
        {13, "administratively", "prohibited"},
        {14, "host precedence", "violation"},
        {15, "precedence", "cutoff"},
    };
    expect_meanings(SONDE_FAMILY_IPV4, cases, sizeof cases / sizeof *cases);
}

Test(vocabulary, codes_of_icmpv6_unreachable_are_put_into_the_words_of_their_rfcs)
{
    static const struct meaning cases[] = {
        /* RFC 4443 §3.1 */
        {0, "no route", "destination"},
        {1, "administratively", "prohibited"},
        {2, "beyond scope", "source address"},
        {3, "address", "unreachable"},
        {4, "port", "unreachable"},
        {5, "source address", "policy"},
        {6, "route", "reject"},
        /* RFC 6550 §20.16 */
        {7, "error", "source routing header"},
    };
    expect_meanings(SONDE_FAMILY_IPV6, cases, sizeof cases / sizeof *cases);
}

Test(vocabulary, an_unassigned_code_is_an_unknown_code)
{
    static const uint8_t codes[] = {16, 100, 200, 255}; /* unassigned in both */
    for (size_t i = 0; i < sizeof codes; i++) {
        cr_expect_str_eq(sonde_unreachable_text(SONDE_FAMILY_IPV4, codes[i]), "unknown code");
        cr_expect_str_eq(sonde_unreachable_text(SONDE_FAMILY_IPV6, codes[i]), "unknown code");
    }
    cr_expect_str_eq(sonde_unreachable_text(SONDE_FAMILY_IPV6, 9), "unknown code");
    cr_expect_str_eq(sonde_unreachable_text(SONDE_FAMILY_IPV6, 15), "unknown code");
}
