/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Causes on this machine come first: an error of our own socket is never reported as the network's.
 * Of probes that did not leave for several reasons all are told, and the most frequent one gives
 * the finding its code.
 */
#include "analyze/rules.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

/* An error of sending, as io/transport.h has it. */
static const struct cause {
    int error;
    enum sonde_code code;
    const char *words;
} causes[] = {
    {EPERM, SONDE_CODE_LOCAL_BLOCKED, "refused by this machine's firewall"},
    {ENETUNREACH, SONDE_CODE_NO_ROUTE, "this machine has no route there"},
    {EHOSTUNREACH, SONDE_CODE_NO_ROUTE, "this machine has an unreachable route there"},
    {EINVAL, SONDE_CODE_NO_ROUTE, "this machine has a blackhole route there"},
    {EACCES, SONDE_CODE_NO_ROUTE, "this machine has a prohibit route there"},
    {ENETDOWN, SONDE_CODE_NO_ROUTE, "the interface of this machine is down"},
    {EADDRNOTAVAIL, SONDE_CODE_NO_ROUTE, "the source address is not one of this machine's"},
    {EMSGSIZE, SONDE_CODE_PACKET_TOO_BIG, "packet too big for this machine's interface"},
    {EOPNOTSUPP, SONDE_CODE_INCONCLUSIVE, "to set ECN in TCP probes takes raw sockets"},
    {ENOBUFS, SONDE_CODE_INCONCLUSIVE, "no room in a queue of this machine"},
};

static const struct cause *find_cause(int error)
{
    for (size_t i = 0; i < sizeof causes / sizeof *causes; i++) {
        if (causes[i].error == error)
            return &causes[i];
    }
    return NULL;
}

const char *analyze_error_text(int error)
{
    const struct cause *cause = find_cause(error);
    const char *words = cause != NULL ? cause->words : strerrordesc_np(error);
    return words != NULL ? words : "it cannot be sent to";
}

static void say_error(const struct tally_error *error, struct text *words)
{
    text_add(words, analyze_error_text(error->error));
    if (error->error == EMSGSIZE && error->mtu_bytes > 0)
        text_addf(words, ": MTU %" PRIu32 ", %u bytes", error->mtu_bytes, error->size_bytes);
}

void words_unsent(const struct rule_case *at, struct text *words)
{
    const struct tally_error *errors = at->tally->errors;
    uint64_t unsent = at->tally->outcomes[SONDE_OUTCOME_SEND_ERROR].ended;
    uint64_t probes = at->tally->sent + unsent;
    if (errors[0].count == probes) {
        say_error(&errors[0], words);
        return;
    }
    for (uint32_t i = 0; i < TALLY_ERRORS_MAX && errors[i].error != 0; i++) {
        text_addf(words,
                  i == 0 ? "%" PRIu64 " of %" PRIu64 " probes did not leave: "
                         : "; %" PRIu64 " of %" PRIu64 ": ",
                  errors[i].count, probes);
        say_error(&errors[i], words);
    }
}

/* Is this what most of the probes that did not leave were kept here by? */
static enum rule_answer look_for(const struct rule_case *at, enum sonde_code code,
                                 struct finding *finding)
{
    const struct cause *cause = find_cause(at->tally->errors[0].error);
    struct text words = {0};
    if (cause == NULL || cause->code != code)
        return RULE_QUIET;
    words_unsent(at, &words);
    words_say(finding, &words);
    finding->level = at->tally->sent > 0 ? SONDE_LEVEL_DEGRADED : SONDE_LEVEL_UNKNOWN;
    return RULE_FIRES;
}

/* A firewall on this machine refuses to send. */
enum rule_answer rule_local_blocked(const struct rule_case *at, struct finding *finding)
{
    return look_for(at, SONDE_CODE_LOCAL_BLOCKED, finding);
}

/* The routing of this machine has nothing for the target. */
enum rule_answer rule_no_route(const struct rule_case *at, struct finding *finding)
{
    return look_for(at, SONDE_CODE_NO_ROUTE, finding);
}

/* The interface of this machine takes no packet of that size. */
enum rule_answer rule_too_big_here(const struct rule_case *at, struct finding *finding)
{
    return look_for(at, SONDE_CODE_PACKET_TOO_BIG, finding);
}

void words_next_hop(const struct rule_case *at, struct text *words)
{
    char buf[SONDE_ADDR_TEXT_BYTES];
    struct sonde_addr addr = at->target->next_hop.addr;
    addr.scope = 0;
    text_add(words, sonde_addr_text(&addr, buf));
}

/* Nobody on the own link is who packets are given to: they never got beyond this machine. */
enum rule_answer rule_next_hop_silent(const struct rule_case *at, struct finding *finding)
{
    const struct analyze_next_hop *next_hop = &at->target->next_hop;
    bool ipv6 = next_hop->addr.family == SONDE_FAMILY_IPV6;
    struct text words = {0};
    if (at->state != SONDE_STATE_UNREACHABLE || !next_hop->silent)
        return RULE_QUIET;
    if (sonde_addr_equal(&next_hop->addr, &at->target->tally->addr)) {
        text_addf(&words, "nobody on %s answers for ", next_hop->interface);
        words_next_hop(at, &words);
    } else {
        text_add(&words, "the gateway ");
        words_next_hop(at, &words);
        text_addf(&words, " does not answer on %s", next_hop->interface);
    }
    text_add(&words, ipv6 ? ": no reply to neighbour solicitations" : ": no reply to ARP");
    words_say(finding, &words);
    finding->has_blame = true;
    finding->blame.first_lost = (struct sonde_place){1, next_hop->addr};
    return RULE_FIRES;
}
