/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A link on the way takes no packet of that size, and whoever stands before it says so. That is an
 * answer, but not of the port: it was never asked.
 */
#include "analyze/rules.h"

#include <inttypes.h>

enum rule_answer rule_packet_too_big(const struct rule_case *at, struct finding *finding)
{
    const struct tally_outcome *outcome = &at->tally->outcomes[SONDE_OUTCOME_PACKET_TOO_BIG];
    const struct tally_evidence *word = &outcome->evidence;
    struct text words = {0};
    if (outcome->shown == 0)
        return RULE_QUIET;
    finding->has_blame = true;
    finding->blame.reporter =
        (struct sonde_place){evidence_find_router(at->target, &word->from), word->from};
    if (outcome->ended > 0 && outcome->ended < at->tally->sent)
        text_addf(&words, "%" PRIu64 " of %" PRIu64 " probes: ", outcome->ended, at->tally->sent);
    text_add(&words, "packet too big, ");
    words_hop(at, &words, finding->blame.reporter.ttl, &word->from);
    if (word->mtu_bytes > 0)
        text_addf(&words, ": MTU %" PRIu32 ", sent %u bytes", word->mtu_bytes, word->size_bytes);
    else
        text_addf(&words, ": sent %u bytes", word->size_bytes);
    words_say(finding, &words);
    finding->evidence.outcome = SONDE_OUTCOME_PACKET_TOO_BIG;
    finding->level = at->state == SONDE_STATE_UNKNOWN ? SONDE_LEVEL_UNKNOWN : SONDE_LEVEL_DEGRADED;
    return RULE_FIRES;
}
