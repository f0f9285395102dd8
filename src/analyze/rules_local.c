/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Causes on this machine come first: an error of our own socket is never reported as the network's.
 */
#include "analyze/rules.h"

#include <errno.h>
#include <inttypes.h>

/* Say how many probes did not leave, if some did. */
static void say_share(const struct rule_case *at, struct finding *finding, const char *reason)
{
    uint64_t unsent = at->tally->outcomes[SONDE_OUTCOME_SEND_ERROR].ended;
    struct text words = {0};
    if (at->tally->sent > 0)
        text_addf(&words, "%" PRIu64 " of %" PRIu64 " probes did not leave: ", unsent,
                  at->tally->sent + unsent);
    text_add(&words, reason);
    words_say(finding, &words);
    finding->level = at->tally->sent > 0 ? SONDE_LEVEL_DEGRADED : SONDE_LEVEL_UNKNOWN;
}

/* A firewall on this machine refuses to send: send() fails with EPERM. */
enum rule_answer rule_local_blocked(const struct rule_case *at, struct finding *finding)
{
    if (at->tally->last_error != EPERM && at->tally->last_error != EACCES)
        return RULE_QUIET;
    say_share(at, finding, "this machine's own firewall refuses to send the probes");
    return RULE_FIRES;
}

/* The routing table of this machine has nothing for the target. */
enum rule_answer rule_no_route(const struct rule_case *at, struct finding *finding)
{
    switch (at->tally->last_error) {
    case ENETUNREACH:
    case EHOSTUNREACH:
    case ENETDOWN:
    case EADDRNOTAVAIL:
        say_share(at, finding, "this machine has no route there");
        return RULE_FIRES;
    default:
        return RULE_QUIET;
    }
}
