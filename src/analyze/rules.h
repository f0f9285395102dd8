/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The rules: each looks for one thing that may be wrong with a service.
 *
 * A rule is a small pure function with an id. It fires with a finding, stays quiet, or says that
 * there is something but too little evidence. The table in verdict.c lists all; a new rule is one
 * function and one line.
 */
#ifndef ANALYZE_RULES_H
#define ANALYZE_RULES_H

#include "analyze/evidence.h"
#include "base/text.h"

/** What a rule looks at. */
struct rule_case {
    const struct analyze_target *target;
    uint32_t service;
    const struct tally_service *tally;
    enum sonde_state state;
    enum sonde_outcome deciding;
    uint32_t expect;              /* as in struct analyze_service */
    const struct finding *wanted; /* what a rule above has found, that is as it is wanted; without
                                     text: none has */
};

enum rule_answer {
    RULE_QUIET,
    RULE_FIRES,
    RULE_INCONCLUSIVE,
};

/**
 * A rule's function.
 * @param finding  Its rule, code, sent, received and deciding outcome are filled in; level and
 *                 confidence are SONDE_LEVEL_FAILED and SONDE_CONFIDENCE_HIGH unless the rule says
 *                 otherwise. Only RULE_FIRES makes it count.
 */
typedef enum rule_answer rule_look(const struct rule_case *at, struct finding *finding);

/* rules_local.c: what this machine does itself */
rule_look rule_local_blocked;
rule_look rule_no_route;
rule_look rule_too_big_here;
rule_look rule_next_hop_silent;

/* rules_size.c: what does not fit through */
rule_look rule_packet_too_big;

/* rules_host.c: what is wrong with the way to the host */
rule_look rule_routing_loop;
rule_look rule_host_unreachable;

/* rules_port.c: what is wrong with the port */
rule_look rule_port_intercepted;
rule_look rule_port_rejected;
rule_look rule_port_filtered;
rule_look rule_port_closed;
rule_look rule_rejected_at_times;
rule_look rule_closed_at_times;
rule_look rule_port_unexpectedly_open;
rule_look rule_udp_unconfirmed;

/* rules_quality.c: what is wrong with a service that answers */
rule_look rule_loss_at_destination;
rule_look rule_loss_over_limit;
rule_look rule_latency_over_limit;
rule_look rule_path_changed;

/* rules_time.c: what was wrong before, and what has changed */
rule_look rule_outage;
rule_look rule_unstable;
rule_look rule_latency_changed;

/* rules_flows.c: what is wrong with some flows of a service that has several */
rule_look rule_loss_on_some_paths;

/* remarks.c: what limits a verdict, because of where and how it was measured */

/** Add to a verdict what has to be known with it. */
void remarks_add(const struct rule_case *at, struct finding *verdict);

/* words.c: sentences */

/** Make the blame of a finding one of probes or answers: nothing is seen of the way back, so nobody
 *  can be sure where on it an answer is lost. */
void words_there_or_back(struct finding *finding);

/** Add the address of the next hop, without a zone: its interface is known. In rules_local.c. */
void words_next_hop(const struct rule_case *at, struct text *words);

/** Add why probes did not leave; some did not. Of several reasons all are told, with their shares.
 *  In rules_local.c. */
void words_unsent(const struct rule_case *at, struct text *words);

/** Add a moment, "14:05:00", with its day if that is not today, or not when the run started. */
void words_clock(const struct rule_case *at, struct text *words, sonde_ns time_ns);

/** Put words into a finding, and free them. */
void words_say(struct finding *finding, struct text *words);

/** Add "hop 4 (10.4.0.1)", or the address alone if the TTL is 0. */
void words_hop(const struct rule_case *at, struct text *words, uint8_t ttl,
               const struct sonde_addr *addr);

/** @return What an ICMP error says that refuses a probe, in words. */
const char *words_refusal(const struct rule_case *at, const struct tally_evidence *word);

/** Add "; icmp and 443/tcp pass", or nothing if nothing else of the target answers. */
void words_passing(const struct rule_case *at, struct text *words);

/** Add that the hops behind the last that answered were not asked often enough for this service,
 * and what others of its protocol show that are silent, too; or nothing if they were. */
void words_not_looked_at(const struct rule_case *at, struct text *words);

/** Add that the largest TTL does not get there. */
void words_ran_out(const struct rule_case *at, struct text *words);

/** Add what a rule has found that is as it is wanted; one has. In verdict.c. */
void words_wanted(const struct rule_case *at, struct text *words);

/** Add "; answered version.bind, but not . NS (0 of 2)", or nothing if the service answers its
 * first question, or none. */
void words_deaf(const struct rule_case *at, struct text *words);

/** Add " (. NS, version.bind)": what was asked in vain, or nothing if there is but one question. */
void words_asked(const struct rule_case *at, struct text *words);

/** Add "no answer to 3 probes", or "to 3 of 5 probes" where the others were refused: of probes that
 *  were to reach the target, as the table counts them. */
void words_silence(const struct rule_case *at, struct text *words);

/** Add "; the path is seen up to hop 3 (10.3.0.1)", or nothing if no hop answered the service. */
void words_seen_up_to(const struct rule_case *at, struct text *words);

/** Name one end of where loss begins, in words and in the blame: the router that a trace meets at a
 *  TTL; there is one. In rules_quality.c. */
void words_loss_end(const struct rule_case *at, const struct tally_service *tally, uint8_t ttl,
                    struct sonde_place *place, struct text *words);

/** Add "no loss", and how many probes were refused, or answered late. */
void words_loss(const struct rule_case *at, struct text *words);

/** Add "50.3 ms, no loss", with what else words_loss() says. */
void words_round_trip(const struct rule_case *at, struct text *words);

#endif
