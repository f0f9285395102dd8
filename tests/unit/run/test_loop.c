/* SPDX-License-Identifier: BSD-2-Clause */
/* The run's loop over a transport that is slow, or never ready, in virtual time. */
#include "base/time.h"
#include "run/internal.h"
#include "tests/support/answers.h"
#include "tests/unit/run/case.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <sonde/sonde.h>
#include <stdio.h>
#include <stdlib.h>

enum { ARRIVALS_MAX = 1 << 15, ARRIVAL_BYTES = 128, PLACES = 3 };

struct arrival {
    sonde_ns time_ns;
    size_t len;
    uint8_t bytes[ARRIVAL_BYTES];
};

/* Every probe reaches its target, which answers one round trip later. */
struct fake {
    struct sonde_transport transport;
    struct sonde_transport *simulated; /* that it stands in for */
    sonde_ns now_ns;
    sonde_ns round_trip_ns;
    struct arrival *arrivals; /* [ARRIVALS_MAX], in the order of their time */
    size_t arrival_count;
    size_t taken;    /* arrivals handed on */
    size_t stall_at; /* the process stands still once so many wait; 0 = never */
    sonde_ns stall_ns;
    sonde_ns slept_ns; /* how long the machine has */
    uint64_t lost;     /* arrivals that found no room */
    bool deaf;         /* nobody answers any more */
    bool own_stamps;   /* answers are stamped when they are read */
    int error;         /* of every attempt to send */
    size_t attempts;
    bool few_places; /* a probe takes one of PLACES, for a second */
    sonde_ns taken_until_ns[PLACES];
};

static struct fake *fake_of(struct sonde_transport *transport)
{
    return (struct fake *)transport; /* it is the first member */
}

static int fake_bind(struct sonde_transport *transport, struct sonde_flow *flow, uint32_t nth)
{
    (void)transport;
    (void)nth;
    return sonde_addr_parse("192.0.2.1", &flow->src);
}

/* Take a place. @return 0; -EAGAIN if there is none. */
static int take_place(struct fake *fake)
{
    for (size_t i = 0; i < PLACES; i++) {
        if (fake->taken_until_ns[i] > fake->now_ns)
            continue;
        fake->taken_until_ns[i] = ns_add(fake->now_ns, SONDE_NS_PER_S);
        return 0;
    }
    return -EAGAIN;
}

static void tell_room(struct fake *fake)
{
    uint32_t free_places = 0;
    for (size_t i = 0; i < PLACES; i++)
        free_places += fake->taken_until_ns[i] <= fake->now_ns;
    if (fake->few_places)
        fake->transport.room = free_places > 0 ? free_places : 1;
}

static uint32_t fake_send(struct sonde_transport *transport, const struct sonde_tx *txs,
                          uint32_t count, struct sonde_sent *ret_sents)
{
    struct fake *fake = fake_of(transport);
    cr_assert_gt(count, 0);
    fake->attempts++;
    *ret_sents =
        (struct sonde_sent){.stamp = {fake->now_ns, SONDE_CLOCK_SIMULATED}, .error = fake->error};
    if (fake->few_places)
        ret_sents->error = take_place(fake);
    tell_room(fake);
    if (ret_sents->error != 0 || fake->deaf)
        return 1;
    cr_assert_lt(fake->arrival_count, ARRIVALS_MAX);
    struct arrival *arrival = &fake->arrivals[fake->arrival_count++];
    struct wr wr = wr_init(arrival->bytes, sizeof arrival->bytes);
    answer_echo(&wr, txs, NULL);
    cr_assert(wr_ok(&wr));
    arrival->len = wr.len;
    arrival->time_ns = ns_add(fake->now_ns, fake->round_trip_ns);
    return 1;
}

/* When the next answer comes; never: none is under way. */
static sonde_ns next_ns(const struct fake *fake)
{
    return fake->taken < fake->arrival_count ? fake->arrivals[fake->taken].time_ns : SONDE_NS_NEVER;
}

static int fake_recv(struct sonde_transport *transport, sonde_ns now_ns, struct sonde_rx *ret_rx)
{
    struct fake *fake = fake_of(transport);
    if (next_ns(fake) > now_ns)
        return -EAGAIN;
    const struct arrival *arrival = &fake->arrivals[fake->taken++];
    ret_rx->stamp = (struct sonde_stamp){arrival->time_ns, SONDE_CLOCK_SIMULATED};
    if (fake->own_stamps)
        ret_rx->stamp = (struct sonde_stamp){fake->now_ns, SONDE_CLOCK_USER};
    return packet_decode((struct sonde_span){arrival->bytes, arrival->len}, ret_rx);
}

static int fake_wait(struct sonde_transport *transport, sonde_ns until_ns, sonde_ns *ret_now_ns)
{
    struct fake *fake = fake_of(transport);
    if (fake->stall_at > 0 && fake->arrival_count - fake->taken >= fake->stall_at) {
        fake->stall_at = 0;
        fake->now_ns = ns_add(fake->now_ns, fake->stall_ns);
    }
    sonde_ns next = ns_min(until_ns, next_ns(fake));
    cr_assert_neq(next, SONDE_NS_NEVER, "the loop waits for nothing");
    fake->now_ns = ns_max(fake->now_ns, next);
    tell_room(fake);
    *ret_now_ns = fake->now_ns;
    return 0;
}

static uint64_t fake_lost_here(struct sonde_transport *transport)
{
    return fake_of(transport)->lost;
}

static sonde_ns fake_slept_ns(struct sonde_transport *transport)
{
    return fake_of(transport)->slept_ns;
}

static struct sonde_transport *fake_free(struct sonde_transport *transport)
{
    struct fake *fake = fake_of(transport);
    fake->simulated->ops->free(fake->simulated);
    free(fake->arrivals);
    free(fake);
    return NULL;
}

static const struct sonde_transport_ops fake_ops = {
    .bind = fake_bind,
    .send = fake_send,
    .recv = fake_recv,
    .wait = fake_wait,
    .lost_here = fake_lost_here,
    .slept_ns = fake_slept_ns,
    .free = fake_free,
};

/* A run of one cycle that asks so many hosts for an echo, over a fake of its own. */
static struct sonde_run *make_run(uint32_t hosts, struct fake **ret_fake)
{
    static const struct sonde_service icmp = {.protocol = "icmp"};
    const struct sonde_options options = {
        .vantage = {.no_names = true, .rate_pps = 1000000},
        .simulation = {.demo = true, .virtual_time = true},
        .plan.cycles = 1,
    };
    struct sonde_run *run = NULL;
    struct sonde_error error;
    cr_assert_eq(case_new(&options, &run, &error), 0, "%s", error.text);
    struct fake *fake = calloc(1, sizeof *fake);
    cr_assert_not_null(fake);
    *fake = (struct fake){
        .transport.ops = &fake_ops,
        .simulated = run->vantage->transport,
        .round_trip_ns = 50 * SONDE_NS_PER_MS,
    };
    fake->arrivals = calloc(ARRIVALS_MAX, sizeof *fake->arrivals);
    cr_assert_not_null(fake->arrivals);
    run->vantage->transport = &fake->transport;
    for (uint32_t i = 0; i < hosts; i++) {
        char host[32];
        (void)snprintf(host, sizeof host, "198.18.%u.%u", i / 250, i % 250 + 1);
        cr_assert_eq(sonde_run_add(run, host, host, &icmp, 1, NULL), 0);
    }
    cr_assert_eq(sonde_run_start(run), 0);
    *ret_fake = fake;
    return run;
}

static void run_to_end(struct sonde_run *run)
{
    int r = 0;
    for (int i = 0; r == 0; i++) {
        cr_assert_lt(i, 1000000, "the run does not end");
        r = case_step(run, SONDE_NS_NEVER);
    }
    cr_expect_eq(r, 1);
}

/* More answers wait in the socket than are taken in one turn, and all of them came in time: none of
 * them may be given up for lost because of the clock that went on meanwhile. */
Test(loop, answers_that_wait_after_a_stall_are_no_loss)
{
    /* They begin within a second: within a round trip of 900 ms at least 1,350 answers are under
     * way, and 1,024 are taken in a turn (run/loop.c). */
    enum { HOSTS = 1500, WAITING = 1300 };
    struct fake *fake;
    struct sonde_run *run = make_run(HOSTS, &fake);
    fake->stall_at = WAITING;
    fake->round_trip_ns = 900 * SONDE_NS_PER_MS;
    fake->stall_ns = 10 * SONDE_NS_PER_S; /* five timeouts */
    run_to_end(run);
    cr_expect_eq(fake->stall_at, 0, "it stood still");
    for (uint32_t i = 0; i < HOSTS; i++) {
        const struct tally_service *service = run->tally->targets[i]->services[0];
        cr_expect_eq(service->sent, 1);
        cr_expect_eq(service->received, 1, "host %u", i);
        cr_expect_eq(service->late, 0, "host %u", i);
        cr_expect_eq(service->rtt.max_ns, fake->round_trip_ns);
    }
    case_free(run);
}

Test(loop, a_run_in_which_nothing_can_ever_be_sent_ends)
{
    struct fake *fake;
    struct sonde_run *run = make_run(3, &fake);
    fake->error = -ENOBUFS;
    run_to_end(run);
    for (uint32_t i = 0; i < 3; i++) {
        const struct tally_service *service = run->tally->targets[i]->services[0];
        cr_expect_eq(service->sent, 0);
        cr_expect_eq(service->outcomes[SONDE_OUTCOME_SEND_ERROR].ended, 1);
        cr_expect_eq(service->errors[0].error, ENOBUFS);
    }
    cr_expect_geq(fake->now_ns, 2 * SONDE_NS_PER_S, "the timeout");
    cr_expect_leq(fake->now_ns, 10 * SONDE_NS_PER_S);
    cr_expect_leq(fake->attempts, 1000, "it does not keep the machine busy");
    case_free(run);
}

/* Every probe waits for its place; were they all chosen at once, the last would wait for 33 s, and
 * be given up after the timeout of 2 s. */
Test(loop, few_places_cost_time_and_no_probe)
{
    enum { HOSTS = 100 };
    struct fake *fake;
    struct sonde_run *run = make_run(HOSTS, &fake);
    fake->few_places = true;
    fake->transport.room = PLACES;
    run_to_end(run);
    for (uint32_t i = 0; i < HOSTS; i++) {
        const struct tally_service *service = run->tally->targets[i]->services[0];
        cr_expect_eq(service->outcomes[SONDE_OUTCOME_SEND_ERROR].ended, 0, "host %u", i);
        cr_expect_eq(service->received, 1, "host %u", i);
    }
    cr_expect_geq(fake->now_ns, (HOSTS / PLACES - 1) * SONDE_NS_PER_S);
    case_free(run);
}

/* Three hosts have been asked, and their answers do not come. */
static struct sonde_run *run_into_silence(struct fake **ret_fake)
{
    struct sonde_run *run = make_run(3, ret_fake);
    (*ret_fake)->deaf = true;
    while ((*ret_fake)->now_ns < 20 * SONDE_NS_PER_MS) /* they begin within 10 */
        cr_assert_eq(case_step(run, SONDE_NS_NEVER), 0);
    return run;
}

static void expect_each(const struct sonde_run *run, uint64_t sent, uint64_t received)
{
    for (uint32_t i = 0; i < 3; i++) {
        const struct tally_service *service = run->tally->targets[i]->services[0];
        cr_expect_eq(service->sent, sent, "host %u: %lu", i, (unsigned long)service->sent);
        cr_expect_eq(service->received, received, "host %u", i);
        cr_expect_eq(service->outcomes[SONDE_OUTCOME_NO_REPLY].ended, sent - received);
    }
}

Test(loop, what_is_in_flight_while_nothing_special_happens_is_lost)
{
    struct fake *fake;
    struct sonde_run *run = run_into_silence(&fake);
    run_to_end(run);
    expect_each(run, 1, 0);
    case_free(run);
}

/* The clock that times are told by stands still meanwhile. */
Test(loop, what_was_in_flight_when_the_machine_slept_is_no_loss)
{
    struct fake *fake;
    struct sonde_run *run = run_into_silence(&fake);
    fake->slept_ns = 3600 * SONDE_NS_PER_S;
    run_to_end(run);
    expect_each(run, 0, 0);
    case_free(run);
}

/* That it had slept before says nothing. */
Test(loop, a_machine_that_slept_before_the_run_has_missed_nothing)
{
    struct fake *fake;
    struct sonde_run *run = make_run(3, &fake);
    fake->slept_ns = 3600 * SONDE_NS_PER_S;
    fake->deaf = true;
    run_to_end(run);
    expect_each(run, 1, 0);
    case_free(run);
}

/* A debugger, or a program that has something else to do, for longer than the timeout of 2 s. */
Test(loop, what_was_in_flight_when_the_loop_stood_still_is_no_loss)
{
    struct fake *fake;
    struct sonde_run *run = run_into_silence(&fake);
    fake->now_ns = ns_add(fake->now_ns, 30 * SONDE_NS_PER_S);
    run_to_end(run);
    expect_each(run, 0, 0);
    case_free(run);
}

/* A machine that is busy comes late, and loss stays what it is. */
Test(loop, a_loop_that_is_half_a_second_late_still_shows_loss)
{
    struct fake *fake;
    struct sonde_run *run = run_into_silence(&fake);
    fake->now_ns = ns_add(engine_deadline_ns(run->vantage->engine), 500 * SONDE_NS_PER_MS);
    run_to_end(run);
    expect_each(run, 1, 0);
    case_free(run);
}

/* Answers that waited, and that nobody stamped but who read them: that they came is known, but not
 * when. */
Test(loop, answers_that_are_read_late_have_no_round_trip_unless_the_kernel_stamped_them)
{
    for (int own = 0; own < 2; own++) {
        struct fake *fake;
        struct sonde_run *run = make_run(3, &fake);
        fake->own_stamps = own != 0;
        while (fake->now_ns < 20 * SONDE_NS_PER_MS)
            cr_assert_eq(case_step(run, SONDE_NS_PER_MS), 0);
        fake->stall_at = 3;
        fake->stall_ns = 30 * SONDE_NS_PER_S;
        run_to_end(run);
        cr_expect_eq(fake->stall_at, 0, "it stood still");
        expect_each(run, 1, 1);
        for (uint32_t i = 0; i < 3; i++) {
            const struct rtt_stats *rtt = &run->tally->targets[i]->services[0]->rtt;
            cr_expect_eq(rtt->samples, own == 0);
            cr_expect_eq(rtt->max_ns, own == 0 ? fake->round_trip_ns : 0);
        }
        case_free(run);
    }
}

/* Answers may have come, and found no room. */
Test(loop, what_is_in_flight_when_a_queue_overflows_is_no_loss)
{
    struct fake *fake;
    struct sonde_run *run = run_into_silence(&fake);
    fake->lost = 7;
    run_to_end(run);
    expect_each(run, 0, 0);
    case_free(run);
}

/* The overflow was noticed at 100 s, and the timeout is 2 s: what left from 97 s on may have lost
 * its answer, and what left at 100 s and later has not. */
Test(loop, an_overflow_counts_for_what_was_in_flight_then)
{
    static const struct {
        sonde_ns from_s;
        sonde_ns to_s;
        bool lost;
    } cases[] = {{0, 1000, true},    {99, 1000, true}, {100, 1000, true}, {101, 1000, false},
                 {0, 97, true},      {0, 96, false},   {90, 98, true},    {98, 99, true},
                 {500, 1000, false}, {10, 20, false}};
    struct fake *fake;
    struct sonde_run *run = make_run(1, &fake);
    struct sonde_vantage *vantage = run->vantage;
    sonde_ns timeout_ns = 2 * SONDE_NS_PER_S;
    cr_expect_not(vantage_has_lost(vantage, 0, 1000 * SONDE_NS_PER_S, timeout_ns),
                  "there was none");
    vantage->lost = 1;
    vantage->lost_ns = 100 * SONDE_NS_PER_S;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        cr_expect_eq(vantage_has_lost(vantage, cases[i].from_s * SONDE_NS_PER_S,
                                      cases[i].to_s * SONDE_NS_PER_S, timeout_ns),
                     cases[i].lost, "case %zu", i);
    case_free(run);
}

static uint64_t one_lost(struct sonde_transport *transport)
{
    (void)transport;
    return 1;
}

/* One overflow silenced every limit for as long as the run lasts, whatever began anew since. */
Test(loop, a_limit_is_judged_again_once_figures_begin_anew_after_an_overflow)
{
    static const struct sonde_service icmp = {.protocol = "icmp"};
    for (int anew = 0; anew < 2; anew++) {
        const struct sonde_options options = {
            .plan = {.cycles = SONDE_CYCLES_ENDLESS},
            .judgement.warn = {.set = true, .rtt_ns = SONDE_NS_PER_MS, .loss_ratio = 1},
        };
        struct sonde_run *run = case_run_of("vantage here 192.0.2.1\n"
                                            "host h 203.0.113.10 delay=10ms\n"
                                            "path h\n",
                                            options);
        cr_assert_eq(sonde_run_add(run, "h", "203.0.113.10", &icmp, 1, NULL), 0);
        cr_assert_eq(sonde_run_start(run), 0);
        case_pass_until(run->vantage, 5 * SONDE_NS_PER_S);
        struct sonde_transport_ops ops = *run->vantage->transport->ops;
        ops.lost_here = one_lost;
        run->vantage->transport->ops = &ops;
        case_pass_until(run->vantage, 10 * SONDE_NS_PER_S);
        if (anew != 0)
            cr_assert_eq(sonde_run_reset(run, 0, 0), 0);
        case_pass_until(run->vantage, 20 * SONDE_NS_PER_S);
        struct sonde_snapshot *snapshot = case_snapshot(run);
        cr_expect_eq(snapshot->targets[0].services[0].verdict.code,
                     anew != 0 ? SONDE_CODE_LATENCY_OVER_LIMIT : SONDE_CODE_OK);
        sonde_snapshot_free(snapshot);
        case_free(run);
    }
}
