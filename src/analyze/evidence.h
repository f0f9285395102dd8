/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What states and rules are built on: questions to the tally that more than one of them asks.
 */
#ifndef ANALYZE_EVIDENCE_H
#define ANALYZE_EVIDENCE_H

#include "analyze/analyze.h"

enum { EVIDENCE_REPEATED = 2 /* what was seen so often was no accident */ };

/** @return The tally of a service. */
static inline const struct tally_service *evidence_tally(const struct analyze_target *target,
                                                         uint32_t service)
{
    return target->tally->services[service];
}

/** @return What was asked and answered at a TTL; NULL if nothing was asked. */
const struct tally_hop *evidence_hop(const struct tally_service *tally, unsigned ttl);

/** @return The router that the path goes through at a TTL; NULL if none answered there. */
const struct sonde_addr *evidence_router(const struct tally_service *tally, unsigned ttl);

/** @return true if a router with this address is at a hop; false for NULL: nothing was asked. */
bool evidence_is_router_at(const struct tally_hop *hop, const struct sonde_addr *addr);

/** @return true if the same routers answered two traces at every TTL from @p first to @p last at
 *  which routers answered both. */
bool evidence_same_way(const struct tally_service *a, const struct tally_service *b, unsigned first,
                       unsigned last);

/** @return true if traces of the target, or packets of one, meet different routers at the same TTL,
 * up to @p max_ttl: they may take ways of different lengths, too. */
bool evidence_parallel(const struct analyze_target *target, unsigned max_ttl);

/** @return The TTL at which a router with this address answered any trace of the target; 0 if it
 *  is no known hop. */
uint8_t evidence_find_router(const struct analyze_target *target, const struct sonde_addr *addr);

/** @return true if the last reply of this outcome came from the target's address. */
bool evidence_is_target(const struct analyze_target *target, uint32_t service,
                        enum sonde_outcome outcome);

/** @return true if a reply is an unreachable, and no remark about headers. */
bool evidence_is_refusal(const struct analyze_target *target,
                         const struct tally_evidence *evidence);

/** @return The outcome by which a router says of a service that there is no way to the host;
 *  SONDE_OUTCOME_NO_REPLY: none does. */
enum sonde_outcome evidence_no_way(const struct analyze_target *target, uint32_t service);

/** @return Probes of a service that were to expire at a TTL. */
uint64_t evidence_asks(const struct tally_service *tally, unsigned ttl);

/** @return true if a silent service was asked often enough at every hop behind the last that
 * answered it: where others are answered, and where there must be a hop that nobody was asked at.
 */
bool evidence_is_looked_at(const struct analyze_target *target, uint32_t service);

/** A path that comes round again. */
struct loop {
    uint8_t ttl;      /* of the first router in it; 0 = there is none */
    unsigned matches; /* routers behind a whole round that stand where they stood before */
    const struct sonde_addr *first;
    const struct sonde_addr *second; /* the next in it; NULL = that never answered, or not yet */
};

/** @return The loop that a trace shows by itself. Its addresses are the tally's. */
struct loop evidence_loop(const struct tally_service *tally);

/** @return The loop that a trace shows together with others of the target: with those that go the
 *  same way, as far as both are seen, where they agree. Its addresses are the tally's. */
struct loop evidence_common_loop(const struct analyze_target *target, uint32_t service);

/** @return true if anything of the target answered any service. */
bool evidence_target_reached(const struct analyze_target *target);

/** @return true if the target answers a service, and no device in its place. */
bool evidence_passes(const struct analyze_target *target, uint32_t service);

/** @return How many other services pass. */
uint32_t evidence_controls(const struct analyze_target *target, uint32_t service);

/** @return Unanswered probes that would have reached the target, if nothing was in their way: at
 *  full TTL, or with a TTL that is enough for others. */
uint64_t evidence_silent(const struct analyze_target *target, uint32_t service);

/** @return true if each question of a service was asked, and waited for. */
bool evidence_is_asked(const struct analyze_target *target, uint32_t service);

/** @return Probes at full TTL that nobody answered in time: what is lost. Those that somebody on
 * the way refused are not answered by the target, but not lost. */
static inline uint64_t evidence_lost(const struct tally_service *tally)
{
    return tally->outcomes[SONDE_OUTCOME_NO_REPLY].ended;
}

/** @return Of the probes at full TTL, those that somebody on the way refused by a rule. */
static inline uint64_t evidence_refused(const struct tally_service *tally)
{
    uint64_t unanswered = tally->sent - tally->received;
    uint64_t refused = tally->outcomes[SONDE_OUTCOME_ADMIN_PROHIBITED].ended;
    return refused < unanswered ? refused : unanswered;
}

/** @return Those that the target did not answer though nobody refused them: what was lost, could
 * not be delivered, or ran out on the way. */
static inline uint64_t evidence_failed(const struct tally_service *tally)
{
    return tally->sent - tally->received - evidence_refused(tally);
}

/** @return true if a good part of what counts as lost was answered late. */
bool evidence_is_late(const struct tally_service *tally);

/** @return true if silence says nothing, because it may be chance: others, of whose probes so many
 *  were sent and answered, lose so much themselves that as many in a row may go unanswered. */
bool evidence_is_chance(uint64_t silent, uint64_t sent, uint64_t received);

/** Bounds of a proportion. */
struct interval {
    double low;
    double high;
};

/** @return Where a proportion lies with 95 % confidence, of which @p hits of @p count were seen;
 *  0 to 1 if nothing was. Source: E. B. Wilson, JASA 22 (1927) 209-212. */
struct interval evidence_wilson(uint64_t hits, uint64_t count);

/** The part of the path in which probes of a service are lost, though a control passes it. */
struct bracket {
    uint8_t seen_ttl;              /* the deepest hop that answered; 0 = none did */
    const struct sonde_addr *seen; /* NULL = not known */
    bool at_target;                /* the control is answered next by the target itself */
    uint8_t lost_ttl;              /* the first hop that answers the control only; 0 = not known */
    const struct sonde_addr *lost; /* who that is */
    uint32_t control;
    uint64_t control_sent; /* there */
    uint64_t control_received;
    bool same_protocol;
    bool detour; /* the control took another way, as far as the service is seen */
};

/**
 * Find where a service that nobody answers is lost.
 * @param ret_bracket  On true, the tightest bracket that any control gives.
 * @return false if no control goes beyond what is seen of the service, or too little was asked.
 */
bool evidence_bracket(const struct analyze_target *target, uint32_t service,
                      struct bracket *ret_bracket);

/** Answers in the target's name from a device that is nearer. */
struct interception {
    uint8_t ttl;      /* the smallest TTL that drew one */
    uint32_t control; /* the service that shows how far away the target is */
    uint8_t distance; /* it is so far away */
    bool is_exact;    /* or else farther */
    uint64_t answers; /* with TTLs too small to reach the target */
    enum sonde_outcome outcome;
};

/** @return true if answers in the target's name come from a device short of it. */
bool evidence_interception(const struct analyze_target *target, uint32_t service,
                           struct interception *ret_interception);

/** @return true if a device answers other services in the target's name, or this one is answered
 * nearer or much sooner than others are, and nothing shows that it gets as far as they do. */
bool evidence_may_be_intercepted(const struct analyze_target *target, uint32_t service);

/** @return How sure it is that the target itself accepts or resets connections to a service. What
 *  does so bears the target's name, whoever sends it: it is the target's if the service is seen to
 *  get as far as others meet the last router before the target. */
enum sonde_confidence evidence_own_answer(const struct analyze_target *target, uint32_t service);

/** The part of the path at which loss begins that goes on to the target: between two routers that
 *  answer, or behind one. */
struct loss_begin {
    uint8_t clean_ttl; /* the deepest hop that shows clearly less; 0 = none does */
    uint8_t lossy_ttl; /* the first behind it that shows clearly more than that; 0 = the target */
};

/** @return true if a service loses less than it does at other times when it is asked once a second
 *  or less often, by more than chance explains: then what answers it, does so only so often. */
bool evidence_rationed(const struct tally_service *tally);

/** Flows of a service that lose more than the others do, by more than chance explains. */
struct lossy_flows {
    uint32_t count; /* 0: there are none, or the service has one flow */
    uint32_t dead;  /* of these, never answered */
    uint32_t worst; /* the trace of the one that loses most */
};

/** @return Which flows of a service lose more than the others. */
struct lossy_flows evidence_lossy_flows(const struct analyze_target *target, uint32_t service);

/** @return true if a service loses more than chance explains, and from where. */
bool evidence_loss(const struct analyze_target *target, uint32_t service,
                   struct loss_begin *ret_begin);

#endif
