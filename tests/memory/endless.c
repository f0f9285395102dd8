/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Does a run that never ends stay as it is?
 *
 *     test-endless [CYCLES]
 *
 * Four services of a host are measured behind 29 routers, in virtual time. The network does what
 * lets state grow: delays vary, packets get lost and doubled, one hop is spread over eight routers
 * packet by packet, routers ration their answers, and a port is filtered for two minutes in ten,
 * on average.
 * Our own code's memory is counted once 10,000 cycles have been measured, and again at the end: it
 * may differ by 64 KiB. Nor may what is allocated and freed meanwhile, cycle by cycle, differ by
 * more than a quarter: what has to be looked through would grow with it. How long a cycle took is
 * printed; no time decides.
 */
#include "tests/support/failing_alloc.h"

#include <errno.h>
#include <sonde/sonde.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    HOPS = 30,
    SETTLED = 10000,        /* cycles after which nothing is new any more */
    CYCLES_DEFAULT = 30000, /* a few seconds; a million takes minutes */
    GROWTH_MAX_BYTES = 64 << 10,
    SCENARIO_BYTES = 8192,
};

/** A stretch of cycles, and what it took. */
struct stretch {
    uint32_t cycles;
    int64_t bytes; /* that are allocated at its end */
    uint64_t allocations;
    uint64_t events;
    sonde_ns taken_ns; /* of real time */
};

static void put(char *scenario, const char *line)
{
    size_t len = strlen(scenario);
    (void)snprintf(scenario + len, SCENARIO_BYTES - len, "%s\n", line);
}

/* 29 routers, the tenth of which is one of eight. */
static void write_scenario(char *scenario)
{
    char line[128];
    scenario[0] = '\0';
    put(scenario, "seed 7\nvantage here 192.0.2.1");
    for (int i = 1; i < HOPS; i++) {
        (void)snprintf(line, sizeof line,
                       "router r%d 10.0.%d.1 delay=300us jitter=400us limit=10 burst=6", i, i);
        put(scenario, line);
    }
    for (int i = 1; i <= 7; i++) {
        (void)snprintf(line, sizeof line, "router p%d 10.0.10.%d delay=300us jitter=1ms", i, i + 1);
        put(scenario, line);
    }
    put(scenario, "host h 203.0.113.10 delay=1ms jitter=3ms tcp:443=open tcp:22=closed udp:53=dns");
    put(scenario, "path h r1 r2 r3 r4 r5 r6 r7 r8 r9 { r10 | p1 | p2 | p3 | p4 | p5 | p6 | p7 }! "
                  "r11 r12 r13 r14 r15 r16 r17 r18 r19 r20 r21 r22 r23 r24 r25 r26 r27 r28 r29");
    put(scenario, "rule r5 drop any chance=1%\nrule r20 drop any dir=back chance=1%\n"
                  "rule r3 duplicate any dir=back chance=1%\n"
                  "rule r15 drop tcp:443 bursts=120s/480s");
}

/* Let a run go on until it has begun so many cycles. */
static int run_until(struct sonde_vantage *vantage, struct sonde_run *run, uint32_t cycles,
                     uint64_t *events)
{
    struct sonde_event event;
    struct sonde_progress progress = {.cycles_begun = 0};
    int r = 0;
    while (r == 0 && progress.cycles_begun < cycles) {
        r = sonde_vantage_step(vantage);
        while (sonde_run_pop_event(run, &event) == 0)
            ++*events;
        if (r == 0)
            r = sonde_vantage_wait(vantage, SONDE_NS_NEVER);
        sonde_run_progress(run, &progress);
    }
    return r;
}

/* A snapshot may be taken at any time, and leaves nothing behind. */
static int look(struct sonde_run *run)
{
    struct sonde_snapshot *snapshot = NULL;
    int r = sonde_run_snapshot(run, &snapshot);
    sonde_snapshot_free(snapshot);
    return r;
}

/* Measure a stretch, up to so many cycles in all. */
static int measure(struct sonde_vantage *vantage, struct sonde_run *run, uint32_t from,
                   uint32_t until, struct stretch *ret_stretch)
{
    struct stretch stretch = {.cycles = until - from};
    uint64_t allocations = alloc_count();
    sonde_ns begun = sonde_clock_ns();
    int r = run_until(vantage, run, until, &stretch.events);
    stretch.taken_ns = sonde_clock_ns() - begun;
    stretch.allocations = alloc_count() - allocations;
    stretch.bytes = alloc_bytes();
    *ret_stretch = stretch;
    return r == 0 ? look(run) : r;
}

static void print(const char *what, const struct stretch *stretch)
{
    double cycles = stretch->cycles;
    printf("%s: %.0f cycles, %lld bytes at the end; a cycle: %.3f records, %.3f allocations, "
           "%.1f us\n",
           what, cycles, (long long)stretch->bytes, (double)stretch->events / cycles,
           (double)stretch->allocations / cycles, (double)stretch->taken_ns / cycles / 1000);
}

/* Does a figure of each cycle differ by more than a quarter? */
static bool differs(uint64_t a, uint32_t a_cycles, uint64_t b, uint32_t b_cycles)
{
    double before = (double)a / a_cycles;
    double after = (double)b / b_cycles;
    return after > before * 1.25 || after < before * 0.75;
}

static int judge(const struct stretch *first, const struct stretch *last)
{
    int64_t grown = last->bytes - first->bytes;
    int failed = 0;
    print("from 5,000 to 10,000", first);
    print("the last ones", last);
    if (grown > GROWTH_MAX_BYTES || grown < -GROWTH_MAX_BYTES) {
        printf("FAILED: memory has changed by %lld bytes\n", (long long)grown);
        failed = 1;
    }
    if (differs(first->events, first->cycles, last->events, last->cycles)) {
        printf("FAILED: a cycle has another number of probes than before\n");
        failed = 1;
    }
    if (differs(first->allocations, first->cycles, last->allocations, last->cycles)) {
        printf("FAILED: a cycle takes another number of allocations than before\n");
        failed = 1;
    }
    return failed;
}

static int run_stretches(struct sonde_vantage *vantage, struct sonde_run *run, uint32_t cycles)
{
    struct stretch settling;
    struct stretch first;
    struct stretch middle;
    struct stretch last;
    int r = measure(vantage, run, 0, SETTLED / 2, &settling);
    if (r == 0)
        r = measure(vantage, run, SETTLED / 2, SETTLED, &first);
    if (r == 0)
        r = measure(vantage, run, SETTLED, cycles - SETTLED / 2, &middle);
    if (r == 0)
        r = measure(vantage, run, cycles - SETTLED / 2, cycles, &last);
    return r == 0 ? judge(&first, &last) : r;
}

static int start(const char *scenario, struct sonde_vantage **ret_vantage,
                 struct sonde_run **ret_run)
{
    static const struct sonde_service services[] = {
        {.protocol = "icmp", .control = true},
        {.protocol = "tcp", .port = 443},
        {.protocol = "tcp", .port = 22},
        {.protocol = "udp", .port = 53, .payload = "dns"},
    };
    const struct sonde_simulation simulation = {
        .scenario = scenario, .scenario_bytes = strlen(scenario), .virtual_time = true};
    const struct sonde_plan plan = {.cycles = SONDE_CYCLES_ENDLESS, .want_events = true};
    struct sonde_error error = {""};
    int r = sonde_vantage_new(&(struct sonde_vantage_options){0}, &simulation, ret_vantage, &error);
    if (r == 0)
        r = sonde_run_new(*ret_vantage, &plan, NULL, NULL, ret_run, &error);
    if (r < 0)
        (void)fprintf(stderr, "%s\n", error.text);
    if (r == 0)
        r = sonde_run_add(*ret_run, "host", "203.0.113.10", services, 4, NULL);
    return r == 0 ? sonde_run_start(*ret_run) : r;
}

int main(int argc, char **argv)
{
    struct sonde_vantage *vantage = NULL;
    struct sonde_run *run = NULL;
    uint32_t cycles = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : CYCLES_DEFAULT;
    char *scenario = malloc(SCENARIO_BYTES);
    if (scenario == NULL || cycles < 2 * SETTLED)
        return 2;
    write_scenario(scenario);
    int r = start(scenario, &vantage, &run);
    if (r == 0)
        r = run_stretches(vantage, run, cycles);
    if (r < 0)
        (void)fprintf(stderr, "%s\n", strerror(-r));
    sonde_vantage_free(vantage);
    free(scenario);
    return r != 0;
}
