/* SPDX-License-Identifier: BSD-2-Clause */
/* From outcomes to states. */
#include "analyze/evidence.h"
#include "wire/ip.h"

bool analyze_reached(const struct analyze_target *target, uint32_t service)
{
    return evidence_tally(target, service)->reached;
}

/* The outcome that shows a refusal; NO_REPLY if none does. A missing route, for everything of the
 * target alike, is no refusal of the port. */
static enum sonde_outcome find_refusal(const struct analyze_target *target,
                                       const struct tally_service *tally)
{
    static const enum sonde_outcome policies[] = {
        SONDE_OUTCOME_ADMIN_PROHIBITED,
        SONDE_OUTCOME_PORT_UNREACHABLE,
    };
    static const enum sonde_outcome routings[] = {
        SONDE_OUTCOME_HOST_UNREACHABLE,
        SONDE_OUTCOME_NET_UNREACHABLE,
        SONDE_OUTCOME_OTHER_UNREACHABLE,
    };
    for (size_t i = 0; i < sizeof policies / sizeof *policies; i++) {
        if (tally->outcomes[policies[i]].shown > 0)
            return policies[i];
    }
    if (!evidence_target_reached(target))
        return SONDE_OUTCOME_NO_REPLY;
    for (size_t i = 0; i < sizeof routings / sizeof *routings; i++) {
        const struct tally_outcome *outcome = &tally->outcomes[routings[i]];
        if (outcome->shown > 0 && evidence_is_refusal(target, &outcome->evidence))
            return routings[i];
    }
    return SONDE_OUTCOME_NO_REPLY;
}

/* Do the services of the target that are answered lose so much that this silence may be chance? */
static bool is_chance(const struct analyze_target *target, uint32_t service)
{
    uint64_t sent = 0;
    uint64_t received = 0;
    for (uint32_t i = 0; i < target->tally->service_count; i++) {
        const struct tally_service *other = evidence_tally(target, i);
        /* whom only its word "port unreachable" answers may ration that */
        if (i == service || !evidence_passes(target, i) ||
            other->outcomes[SONDE_OUTCOME_PORT_UNREACHABLE].ended > 0)
            continue;
        sent += other->sent;
        received += other->sent - evidence_lost(other); /* who refuses has lost nothing */
    }
    /* that a TTL ran out is no chance */
    return evidence_tally(target, service)->outcomes[SONDE_OUTCOME_TTL_EXCEEDED].ended == 0 &&
           evidence_is_chance(evidence_silent(target, service), sent, received);
}

/* Does nothing of the target answer because nothing gets there? So says a router, a TTL that runs
 * out, or a way that comes round again; or else it has to be seen of another service, too, or it
 * may be this port alone. */
static bool is_unreachable(const struct analyze_target *target, uint32_t service)
{
    if (evidence_target_reached(target))
        return false;
    const struct tally_service *tally = evidence_tally(target, service);
    if (tally->outcomes[SONDE_OUTCOME_TTL_EXCEEDED].ended > 0 || evidence_loop(tally).ttl != 0)
        return true;
    for (uint32_t i = 0; i < target->tally->service_count; i++) {
        if (evidence_no_way(target, i) != SONDE_OUTCOME_NO_REPLY ||
            (i != service && evidence_tally(target, i)->sent > 0))
            return true;
    }
    return false;
}

/* What silence means: it depends on what else is answered. */
static enum sonde_state silence_state(const struct analyze_target *target, uint32_t service)
{
    const struct tally_service *tally = evidence_tally(target, service);
    bool udp = target->services[service].protocol == IP_PROTO_UDP;
    struct bracket bracket;
    uint64_t in_vain = evidence_silent(target, service) +
                       tally->outcomes[SONDE_OUTCOME_TTL_EXCEEDED].ended +
                       tally->outcomes[SONDE_OUTCOME_HOST_UNREACHABLE].shown +
                       tally->outcomes[SONDE_OUTCOME_NET_UNREACHABLE].shown;
    if (evidence_is_refusal(target, &tally->outcomes[SONDE_OUTCOME_OTHER_UNREACHABLE].evidence))
        in_vain += tally->outcomes[SONDE_OUTCOME_OTHER_UNREACHABLE].shown;
    bool told =
        evidence_no_way(target, service) != SONDE_OUTCOME_NO_REPLY || target->next_hop.silent;
    if (in_vain < EVIDENCE_REPEATED && !told) /* a router's word is no chance, nor this machine's */
        return SONDE_STATE_UNKNOWN;
    bool found = evidence_bracket(target, service, &bracket);
    if (found && !bracket.at_target)
        return SONDE_STATE_FILTERED; /* others get further: even over UDP that is no open port */
    if (!found && is_unreachable(target, service))
        return SONDE_STATE_UNREACHABLE;
    if (!found && !evidence_target_reached(target))
        return SONDE_STATE_UNKNOWN; /* nothing else was asked */
    if (is_chance(target, service) || !evidence_is_asked(target, service))
        return SONDE_STATE_UNKNOWN;
    return udp ? SONDE_STATE_OPEN_OR_FILTERED : SONDE_STATE_FILTERED;
}

enum sonde_state analyze_state(const struct analyze_target *target, uint32_t service,
                               enum sonde_outcome *ret_deciding)
{
    static const struct {
        enum sonde_outcome outcome;
        enum sonde_state state;
    } answers[] = {
        {SONDE_OUTCOME_OPEN, SONDE_STATE_OPEN},
        {SONDE_OUTCOME_UDP_REPLY, SONDE_STATE_OPEN},
        {SONDE_OUTCOME_ECHO_REPLY, SONDE_STATE_OPEN},
        {SONDE_OUTCOME_CLOSED, SONDE_STATE_CLOSED},
    };
    const struct tally_service *tally = evidence_tally(target, service);
    struct interception found;
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        if (tally->outcomes[answers[i].outcome].shown == 0)
            continue;
        *ret_deciding = answers[i].outcome;
        bool reset = answers[i].state == SONDE_STATE_CLOSED &&
                     evidence_interception(target, service, &found);
        return reset ? SONDE_STATE_REJECTED : answers[i].state;
    }
    if (evidence_is_target(target, service, SONDE_OUTCOME_PORT_UNREACHABLE)) {
        *ret_deciding = SONDE_OUTCOME_PORT_UNREACHABLE;
        return SONDE_STATE_CLOSED;
    }
    *ret_deciding = find_refusal(target, tally);
    if (*ret_deciding != SONDE_OUTCOME_NO_REPLY)
        return SONDE_STATE_REJECTED;
    if (tally->outcomes[SONDE_OUTCOME_PACKET_TOO_BIG].shown > 0) {
        *ret_deciding = SONDE_OUTCOME_PACKET_TOO_BIG;
        return SONDE_STATE_UNKNOWN; /* the port was not asked; who says so may say it seldom */
    }
    return silence_state(target, service);
}
