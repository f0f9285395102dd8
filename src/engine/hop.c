/* SPDX-License-Identifier: BSD-2-Clause */
/* What probes draw at a hop, and which router is the path's; see engine/hop.h. */
#include "engine/hop.h"

#include <stdlib.h>
#include <string.h>

enum {
    RUN_TRUSTED = 3,      /* answers in a row that make another router the path's */
    RUN_TRUSTED_MAX = 24, /* likewise, however often routers take turns */
    /* Likewise, together with those of the router before, in a row, too: packets that are spread
     * over two routers by chance fall so less than once in 2,000 times. */
    RUN_TOGETHER = 16,
    RESPONDERS_AT_FIRST = 2,
};

struct tally_hop *hop_new(void)
{
    struct tally_hop *hop = calloc(1, sizeof *hop);
    if (hop == NULL)
        return NULL;
    hop->current = hop->last = TALLY_NOBODY;
    hop->run_trusted = RUN_TRUSTED;
    return hop;
}

void hop_free(struct tally_hop *hop)
{
    if (hop == NULL)
        return;
    for (uint32_t i = 0; i < hop->responder_count; i++)
        free(hop->responders[i].ext);
    free(hop->responders);
    rtt_deinit(&hop->rtt);
    free(hop);
}

/* Keep a responder as one of those that stay; its answers are counted anew. @return Its index now.
 */
static uint32_t keep_responder(struct tally_hop *hop, uint32_t index, uint32_t *kept)
{
    if (index == TALLY_NOBODY)
        return index;
    struct tally_responder responder = hop->responders[index];
    responder.received = 0;
    hop->responders[index] = hop->responders[*kept];
    hop->responders[*kept] = responder;
    return (*kept)++;
}

void hop_reset(struct tally_hop *hop)
{
    uint32_t kept = 0;
    bool is_same = hop->current == hop->last;
    uint32_t last = hop->last;
    if (last == 0 && hop->current != TALLY_NOBODY)
        last = hop->current; /* where the first is moved to, to make place */
    hop->current = keep_responder(hop, hop->current, &kept);
    hop->last = is_same ? hop->current : keep_responder(hop, last, &kept);
    for (uint32_t i = kept; i < hop->responder_count; i++)
        free(hop->responders[i].ext);
    hop->responder_count = kept;
    hop->sent = hop->received = hop->passed_over = hop->unlisted = 0;
    rtt_deinit(&hop->rtt);
    hop->asks = (struct hop_asks){.count = 0};
}

/* The index of a responder, added if need be; TALLY_NOBODY if there are too many already. */
static uint32_t responder_index(struct tally_hop *hop, const struct sonde_addr *addr)
{
    uint32_t count = hop->responder_count;
    for (uint32_t i = 0; i < count; i++) {
        if (sonde_addr_equal(&hop->responders[i].addr, addr))
            return i;
    }
    if (count == TALLY_RESPONDERS_MAX)
        return TALLY_NOBODY;
    if (count == 0 || (count >= RESPONDERS_AT_FIRST && (count & (count - 1)) == 0)) {
        size_t room = count == 0 ? (size_t)RESPONDERS_AT_FIRST : 2 * (size_t)count;
        struct tally_responder *grown = realloc(hop->responders, room * sizeof *grown);
        if (grown == NULL)
            return TALLY_NOBODY;
        hop->responders = grown;
    }
    hop->responders[count] = (struct tally_responder){.addr = *addr};
    hop->responder_count++;
    return count;
}

static void keep_extensions(struct tally_responder *responder, const struct sonde_event *event)
{
    if (event->ext.count == 0)
        return;
    if (responder->ext == NULL)
        responder->ext = malloc(sizeof *responder->ext);
    if (responder->ext != NULL)
        *responder->ext = event->ext;
}

/* Another router answers at a hop than the last time. Short runs that end are what a path looks
 * like that splits per packet: the more there are, the longer must a run be to be trusted. */
static void begin_run(struct tally_hop *hop, uint32_t index, sonde_ns sent_ns)
{
    hop->run_from_ns = sent_ns;
    if (hop->run > 0 && hop->run < RUN_TRUSTED)
        hop->run_trusted *= 2;
    else if (hop->run >= hop->run_trusted)
        hop->run_trusted /= 2;
    if (hop->run_trusted < RUN_TRUSTED)
        hop->run_trusted = RUN_TRUSTED;
    if (hop->run_trusted > RUN_TRUSTED_MAX)
        hop->run_trusted = RUN_TRUSTED_MAX;
    hop->last = index;
    hop->run_before = hop->run;
    hop->run = 0;
    hop->run_after = hop->last_cycle;
}

/* Does the path go through another router now? One that answers several times in a row has taken
 * over, be it new or come back. Where routers take turns, the path splits and does not change. */
static bool follow(struct tally_hop *hop, uint32_t index, const struct sonde_event *event)
{
    if (index != hop->last)
        begin_run(hop, index, event->sent_ns);
    hop->run++;
    hop->last_cycle = event->cycle;
    if (hop->current == TALLY_NOBODY)
        hop->current = index;
    if (index == hop->current || index == TALLY_NOBODY || hop->run < hop->run_trusted ||
        hop->run + hop->run_before < RUN_TOGETHER)
        return false;
    hop->current = index;
    return true;
}

void hop_set_router(struct tally_hop *hop, const struct sonde_addr *addr)
{
    hop->current = TALLY_NOBODY;
    for (uint32_t i = 0; addr != NULL && i < hop->responder_count; i++) {
        if (sonde_addr_equal(&hop->responders[i].addr, addr))
            hop->current = i;
    }
}

/* A probe to a hop as it is noted: when it left, in steps of about a millisecond and modulo 2^29,
 * and what became of it. Of two times the later one is less than half of that ahead of the other.
 */
enum {
    ASK_TIME_SHIFT = 3,
    ASK_STEP_SHIFT = 20, /* 2^20 ns */
};
static const uint32_t ASK_TIMES = UINT32_C(1) << (32 - ASK_TIME_SHIFT);

static uint32_t ask_time(sonde_ns sent_ns)
{
    return (uint32_t)((uint64_t)sent_ns >> ASK_STEP_SHIFT) & (ASK_TIMES - 1);
}

static bool ask_is_before(uint32_t ask, sonde_ns time_ns)
{
    uint32_t ahead = (ask_time(time_ns) - (ask >> ASK_TIME_SHIFT)) & (ASK_TIMES - 1);
    return time_ns != INT64_MIN &&
           (time_ns == SONDE_NS_NEVER || (ahead > 0 && ahead < ASK_TIMES / 2));
}

static void count_ask(struct hop_counts *counts, uint32_t ask)
{
    counts->sent++;
    counts->received += (ask & HOP_ANSWERED) != 0;
    counts->expired += (ask & HOP_EXPIRED) != 0;
    counts->passed_over += (ask & HOP_PASSED_OVER) != 0;
}

/* Let the oldest one be counted with those before, of which the older half is forgotten in time. */
static void settle(struct hop_asks *asks)
{
    uint32_t oldest = asks->newest[0];
    count_ask(&asks->settled, oldest);
    if (asks->settled.sent > HOP_ASKS_TOGETHER)
        count_ask(&asks->settling, oldest);
    if (asks->settling.sent >= HOP_ASKS_TOGETHER) {
        asks->settled = asks->settling;
        asks->settling = (struct hop_counts){0};
    }
    memmove(&asks->newest[0], &asks->newest[1], (HOP_ASKS_MAX - 1) * sizeof *asks->newest);
    asks->count--;
}

void hop_note_ask(struct tally_hop *hop, sonde_ns sent_ns, unsigned what)
{
    struct hop_asks *asks = &hop->asks;
    if (asks->count == HOP_ASKS_MAX)
        settle(asks);
    asks->newest[asks->count++] = ask_time(sent_ns) << ASK_TIME_SHIFT | what;
}

struct hop_counts hop_count_until(const struct tally_hop *hop, sonde_ns until_ns)
{
    struct hop_counts counts = hop->asks.settled;
    for (uint32_t i = 0; i < hop->asks.count; i++) {
        if (ask_is_before(hop->asks.newest[i], until_ns))
            count_ask(&counts, hop->asks.newest[i]);
    }
    return counts;
}

void hop_begin_at(struct tally_hop *hop, sonde_ns from_ns)
{
    struct hop_asks anew = {.count = 0};
    for (uint32_t i = 0; i < hop->asks.count; i++) {
        if (!ask_is_before(hop->asks.newest[i], from_ns))
            anew.newest[anew.count++] = hop->asks.newest[i];
    }
    hop->asks = anew;
    hop->was_passed_over = hop_count_until(hop, SONDE_NS_NEVER).passed_over > 0;
}

bool hop_on_answer(struct tally_hop *hop, const struct sonde_event *event, bool counts)
{
    hop->received += counts;
    if (counts && event->rtt_ns >= 0)
        rtt_add(&hop->rtt, event->rtt_ns);
    uint32_t index = responder_index(hop, &event->from);
    bool changed = event->outcome == SONDE_OUTCOME_TTL_EXCEEDED && follow(hop, index, event);
    if (index == TALLY_NOBODY) {
        hop->unlisted += counts;
        return changed;
    }
    struct tally_responder *responder = &hop->responders[index];
    responder->received += counts;
    responder->sent_ns = event->sent_ns;
    responder->reply_ttl = event->reply_ttl;
    responder->icmp_type = event->icmp_type;
    responder->icmp_code = event->icmp_code;
    responder->kind = event->outcome;
    keep_extensions(responder, event);
    return changed;
}
