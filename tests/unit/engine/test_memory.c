/* SPDX-License-Identifier: BSD-2-Clause */
/* What happens when memory runs out, at each allocation in turn: nothing leaks, nothing breaks. */
#include "engine/engine.h"
#include "engine/tally.h"
#include "tests/support/failing_alloc.h"
#include "tests/support/records.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>

static const char TARGET[] = "198.51.100.7";

Test(memory, an_engine_is_made_whole_or_not_at_all)
{
    const struct engine_plan plan = {
        .targets = 2,
        .cycles = 1,
        .interval_ns = SONDE_NS_PER_S,
        .timeout_ns = SONDE_NS_PER_S,
        .first_ttl = 1,
        .max_ttl = 30,
        .gap_limit = 8,
    };
    int64_t live = alloc_live();
    bool failed = true;
    for (unsigned n = 0; failed; n++) {
        struct tally *tally = NULL;
        struct engine *engine = NULL;
        struct engine_run *run = NULL;
        const struct sonde_addr addr = record_addr(TARGET);
        const struct sonde_spec spec = {.flow = {.dst = addr, .protocol = IP_PROTO_UDP}};
        cr_assert_eq(tally_new(30, &tally), 0);
        alloc_fail(n, 1);
        int r = engine_new(&(struct engine_config){0}, 0, &engine);
        cr_expect_eq(engine == NULL, r < 0, "allocation %u", n);
        if (r == 0)
            r = engine_add_run(engine, &plan, tally, &run);
        cr_expect_eq(run == NULL, r < 0, "allocation %u", n);
        if (r == 0)
            r = engine_add_target(run, &addr, 1);
        if (r == 0)
            r = engine_add_trace(run, &probe_udp, &spec);
        failed = alloc_heal();
        cr_expect_eq(r, failed ? -ENOMEM : 0, "allocation %u", n);
        engine_free(engine);
        tally_free(tally);
        cr_expect_eq(alloc_live(), live, "allocation %u leaves something behind", n);
        cr_assert_lt(n, 100);
    }
    cr_expect_null(engine_free(NULL));
}

Test(memory, a_tally_without_memory_for_a_target_stays_as_it_was)
{
    struct sonde_addr addr = record_addr(TARGET);
    struct tally *tally = NULL;
    int64_t live = alloc_live();
    alloc_fail(0, 1);
    cr_expect_eq(tally_new(30, &tally), -ENOMEM);
    cr_expect_null(tally);
    alloc_heal();
    cr_assert_eq(tally_new(30, &tally), 0);
    cr_assert_eq(tally_add_target(tally, &addr, 2), 0);
    bool failed = true;
    for (unsigned n = 0; failed; n++) {
        alloc_fail(n, 1);
        int r = tally_add_target(tally, &addr, 2);
        failed = alloc_heal();
        cr_expect_eq(r, failed ? -ENOMEM : 0, "allocation %u", n);
        cr_expect_eq(tally->target_count, failed ? 1 : 2, "allocation %u", n);
        cr_assert_lt(n, 100);
    }
    tally_free(tally);
    cr_expect_eq(alloc_live(), live);
}

/* Records that need all kinds of memory: hops, more and more responders, extensions, histograms. */
static void fold_everything(struct tally *tally)
{
    for (uint32_t cycle = 0; cycle < 40; cycle++) {
        char router[32];
        (void)snprintf(router, sizeof router, "10.2.0.%u", cycle % 20);
        struct sonde_event event = record_hop(0, cycle, 2, SONDE_OUTCOME_TTL_EXCEEDED, router);
        event.ext.count = 1;
        tally_on_event(tally, &event);
        event = record_hop(0, cycle, 3, SONDE_OUTCOME_OPEN, TARGET);
        tally_on_event(tally, &event);
        event = record_full(0, cycle, SONDE_OUTCOME_OPEN, TARGET);
        tally_on_event(tally, &event);
    }
}

/* However it fails, and whether or not memory comes back. */
Test(memory, a_tally_without_memory_counts_what_it_can_and_carries_on)
{
    static const uint64_t failures[] = {1, 3, UINT64_MAX / 2};
    struct sonde_addr addr = record_addr(TARGET);
    int64_t live = alloc_live();
    for (size_t i = 0; i < sizeof failures / sizeof *failures; i++) {
        bool failed = true;
        for (unsigned n = 0; failed; n++) {
            struct tally *tally = NULL;
            cr_assert_eq(tally_new(30, &tally), 0);
            cr_assert_eq(tally_add_target(tally, &addr, 1), 0);
            alloc_fail(n, failures[i]);
            fold_everything(tally);
            failed = alloc_heal();
            const struct tally_service *service = tally->targets[0]->services[0];
            cr_expect_eq(service->sent, 40);
            cr_expect_eq(service->received, 40);
            cr_expect_eq(rtt_mean(&service->rtt), 10 * SONDE_NS_PER_MS);
            (void)tally_path_id(tally, service);
            uint64_t kept = 0;
            for (unsigned ttl = 2; ttl <= 3; ttl++)
                kept += service->hops != NULL && service->hops[ttl] != NULL
                            ? service->hops[ttl]->sent
                            : 0;
            cr_expect_eq(kept + tally->unrecorded, 80, "allocation %u", n);
            tally_free(tally);
            cr_expect_eq(alloc_live(), live, "allocation %u leaves something behind", n);
            cr_assert_lt(n, 1000);
        }
    }
}

/* Two probes a cycle, each slower than the last: their histograms need one group after another. */
static void fold_slower(struct tally *tally)
{
    for (uint32_t cycle = 0; cycle < 40; cycle++) {
        struct sonde_event full = record_full(0, cycle, SONDE_OUTCOME_OPEN, TARGET);
        struct sonde_event hop = record_hop(0, cycle, 2, SONDE_OUTCOME_TTL_EXCEEDED, "10.2.0.1");
        full.rtt_ns = hop.rtt_ns = (sonde_ns)1 << cycle % 20 << 10;
        tally_on_event(tally, &full);
        tally_on_event(tally, &hop);
    }
}

/* Everything but the percentiles is as ever, and these are right or unknown: of the powers of two
 * from 2^10 to 2^29, each twice, 20 of 40 are at most 2^19. A bucket is off by 0.8 % (rtt.h). */
static bool expect_slower(const struct rtt_stats *rtt, unsigned n)
{
    sonde_ns median = rtt_percentile(rtt, 50);
    double error = (double)median / (1 << 19) - 1;
    cr_expect_eq(rtt->samples, 40, "allocation %u", n);
    cr_expect_eq(rtt->min_ns, 1 << 10, "allocation %u", n);
    cr_expect_eq(rtt->max_ns, 1 << 29, "allocation %u", n);
    /* 2 * (2^30 - 2^10) / 40 = 53687040 */
    cr_expect_eq(rtt_mean(rtt), 53687040, "allocation %u", n);
    cr_expect(median == -1 || (error > -0.008 && error < 0.008), "allocation %u: %lld", n,
              (long long)median);
    return median != -1;
}

Test(memory, a_tally_without_memory_for_a_histogram_loses_its_percentiles_alone)
{
    struct sonde_addr addr = record_addr(TARGET);
    int64_t live = alloc_live();
    struct sonde_event untimed = record_hop(0, 0, 2, SONDE_OUTCOME_TTL_EXCEEDED, "10.2.0.1");
    untimed.rtt_ns = -1;
    unsigned lost_full = 0;
    unsigned lost_hop = 0;
    bool failed = true;
    for (unsigned n = 0; failed; n++) {
        struct tally *tally = NULL;
        cr_assert_eq(tally_new(30, &tally), 0);
        cr_assert_eq(tally_add_target(tally, &addr, 1), 0);
        tally_on_event(tally, &untimed); /* makes the hop and its responder */
        alloc_fail(n, 1);
        fold_slower(tally);
        failed = alloc_heal();
        const struct tally_service *service = tally->targets[0]->services[0];
        bool full = expect_slower(&service->rtt, n);
        bool hop = expect_slower(&service->hops[2]->rtt, n);
        lost_full += !full;
        lost_hop += !hop;
        cr_expect_eq(failed, !full || !hop || tally->left_out > 0,
                     "allocation %u: only histograms and epochs are made", n);
        cr_expect(full || hop, "allocation %u: one failure, one histogram", n);
        cr_expect_eq(service->hops[2]->received, 41);
        cr_expect_eq(tally->unrecorded, 0, "allocation %u", n);
        tally_free(tally);
        cr_expect_eq(alloc_live(), live, "allocation %u leaves something behind", n);
        cr_assert_lt(n, 100);
    }
    /* Each once for the histogram, once for the group of up to 64 units of 64 ns, with 2^10 and
     * 2^11 ns, and once for each of the 18 factors of two from 2^12 to 2^29. */
    cr_expect_eq(lost_full, 20);
    cr_expect_eq(lost_hop, 20);
}
