/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Remarks: what limits a verdict, because of where and how it was measured. They are no findings:
 * nothing is wrong with the service because of them.
 */
#include "analyze/rules.h"
#include "wire/ip.h"

#include <inttypes.h>
#include <string.h>

enum {
    HOPS_UNHEARD_MIN = 3, /* silent hops in a row, from the first on, that are no chance */
    ASKS_UNHEARD_MIN = 2, /* probes to each of them */
};

/* Probes that expired on the way at a TTL, of all services; 0 if somebody has answered one. */
static uint64_t count_unheard(const struct analyze_target *target, unsigned ttl)
{
    uint64_t sent = 0;
    for (uint32_t i = 0; i < target->tally->service_count; i++) {
        const struct tally_hop *hop = evidence_hop(evidence_tally(target, i), ttl);
        if (hop != NULL && hop->received > 0)
            return 0;
        sent += hop != NULL ? hop->sent : 0;
    }
    return sent;
}

/* Is the target reached by a TTL, and by no smaller one? */
static bool is_nearest(const struct analyze_target *target, unsigned ttl)
{
    for (uint32_t i = 0; i < target->tally->service_count; i++) {
        const struct tally_service *tally = evidence_tally(target, i);
        if (tally->received > 0 && tally->reach.dest_ttl == ttl)
            return true;
    }
    return false;
}

/* The target answers, and no hop before it is heard, though each was asked repeatedly. */
static void remark_unheard(const struct rule_case *at, struct text *words)
{
    const struct analyze_target *target = at->target;
    uint64_t sent = 0;
    unsigned hops = 0;
    for (; hops < target->max_ttl; hops++) {
        uint64_t here = count_unheard(target, hops + 1);
        if (here < ASKS_UNHEARD_MIN)
            break;
        sent += here;
    }
    /* the first TTL that is answered has to be the target's */
    if (hops < HOPS_UNHEARD_MIN || !is_nearest(target, hops + 1))
        return;
    text_addf(words,
              "; no hop before the target is heard (0 of %" PRIu64
              " probes), as if ICMP errors were dropped here or near here",
              sent);
}

/* What goes through such a network is taken apart and put together again: an answer to a TTL that
 * is too small for the target is no device's, and the silence of a port may be the program's. */
static void remark_user_mode(const struct rule_case *at, struct text *words)
{
    const char *name = at->target->next_hop.user_mode;
    if (name == NULL)
        return;
    text_addf(words, "; by way of a user-mode network (%s at ", name);
    words_next_hop(at, words);
    text_add(words, "): TTLs do not count behind it");
}

/* May a firewall of this machine drop what is sent to a service without a word to the sender? */
static bool is_untold(const struct rule_case *at)
{
    uint8_t protocol = at->target->services[at->service].protocol;
    bool ipv6 = at->target->tally->addr.family == SONDE_FAMILY_IPV6;
    return at->target->is_deaf && (protocol == IP_PROTO_TCP || (protocol == IP_PROTO_ICMP && ipv6));
}

/* Nothing at all is seen of a service, not even a refusal, while others are: it may be dropped
 * before it leaves. */
static void remark_deaf(const struct rule_case *at, struct text *words)
{
    const struct analyze_target *target = at->target;
    bool unseen = target->next_hop.user_mode == NULL && at->tally->sent > 0 &&
                  at->tally->reach.top_ttl == 0 && at->deciding == SONDE_OUTCOME_NO_REPLY;
    bool seen = false;
    for (uint32_t i = 0; i < target->tally->service_count; i++)
        seen |= evidence_tally(target, i)->reach.top_ttl > 0;
    if (is_untold(at) && unseen && seen)
        text_add(words, "; or this machine's firewall drops it, which raw sockets alone are told");
}

/* The kernel says that it lacks a protocol only if nobody receives it, and sonde does: net/ipv4/
 * ip_input.c, ip_protocol_deliver_rcu(); net/ipv6/ip6_input.c, likewise. */
static void remark_own(const struct rule_case *at, struct text *words)
{
    uint8_t protocol = at->target->services[at->service].protocol;
    if (at->target->is_own && protocol == IP_PROTO_SCTP && at->deciding == SONDE_OUTCOME_NO_REPLY)
        text_add(words, "; or this machine has no SCTP, which it does not say while it is probed");
}

void remarks_add(const struct rule_case *at, struct finding *verdict)
{
    struct text words = {0};
    if (verdict->code == SONDE_CODE_LOCAL_BLOCKED || verdict->code == SONDE_CODE_NO_ROUTE)
        return;
    text_add(&words, verdict->text);
    size_t len = words.len;
    remark_unheard(at, &words);
    remark_user_mode(at, &words);
    remark_deaf(at, &words);
    remark_own(at, &words);
    if (words.len > len)
        words_say(verdict, &words);
    else
        text_deinit(&words);
}
