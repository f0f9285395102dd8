/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Many runs on one engine, whose targets come and go, are paused, and begin their figures anew
 * while answers come late and twice: each run's figures are those that it has alone, and nothing is
 * left behind.
 *
 * Every target has a source address of its own, so that its budgets are its own, too. What becomes
 * of a probe depends on its run, target, service and TTL, and on how many of these there were
 * before; not on when it leaves.
 */
#include "base/heap.h"
#include "base/prng.h"
#include "base/time.h"
#include "engine/engine.h"
#include "tests/support/answers.h"
#include "tests/support/failing_alloc.h"
#include "wire/icmp.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static const sonde_ns MS = SONDE_NS_PER_MS;
static const sonde_ns S = SONDE_NS_PER_S;

enum {
    RUNS = 100,
    TARGETS = 100,  /* of each run, one after another */
    ADDRESSES = 20, /* that they have: a new target is often where one was removed */
    SERVICES = 2,
    PORT = 443,
    OWN_PORT = 20000,
    DISTANCE = 3,
    UNDER_WAY = 1 << 16,
    ANSWER_BYTES = 160,
};

/* What a target added up to when it was removed, and what happened to it until then. */
struct figures {
    uint64_t sent;
    uint64_t received;
    uint64_t late;
    uint64_t duplicates;
    uint64_t events;
    sonde_ns rtt_sum_ns;
    uint64_t hops_sent;
    uint64_t hops_received;
};

struct guest {
    struct engine_run *run;
    struct tally *tally;
    uint32_t number;
    uint32_t added;
    uint32_t
        places[TARGETS];  /* what the engine calls each, or called it; numbers are given again */
    uint32_t at[TARGETS]; /* which has that number, or had it last */
    uint64_t asked[TARGETS][SERVICES][256]; /* by TTL: probes that left */
    struct figures figures[TARGETS];
};

struct answer {
    size_t len;
    uint8_t bytes[ANSWER_BYTES];
};

static struct house {
    struct engine *engine;
    struct engine_run *bystanders;
    struct tally *bystanders_tally;
    struct guest *guests[RUNS];
    struct heap queue; /* of answers */
    struct answer *answers;
    uint32_t *free_answers;
    uint32_t free_count;
    sonde_ns now;
} house;

enum deed_kind { ADDS, REMOVES, PAUSES, RESUMES, RESETS };

/* One of the things that happen, in the order of their times. */
struct deed {
    sonde_ns time_ns;
    uint32_t guest;
    uint32_t target; /* TARGETS: the run itself */
    enum deed_kind kind;
};

static struct deed deeds[RUNS * (4 * TARGETS + 2)];
static uint32_t deed_count;

static int compare_deeds(const void *a, const void *b)
{
    const struct deed *one = a;
    const struct deed *two = b;
    if (one->time_ns != two->time_ns)
        return one->time_ns < two->time_ns ? -1 : 1;
    return one->guest != two->guest ? (one->guest < two->guest ? -1 : 1)
                                    : (int)one->target - (int)two->target;
}

static void plan_deed(sonde_ns time_ns, uint32_t guest, uint32_t target, enum deed_kind kind)
{
    deeds[deed_count++] = (struct deed){time_ns, guest, target, kind};
}

/* Runs begin within 20 s of one another. Each gets 100 targets, of which one stays for up to 4 s.
 * Of ten targets one is paused for a third of that, and another begins its figures anew. No deed is
 * done at the very time at which something else is due. */
static void plan_deeds(void)
{
    struct prng prng = {20261130};
    deed_count = 0;
    for (uint32_t i = 0; i < RUNS; i++) {
        sonde_ns begin = (sonde_ns)prng_below(&prng, 20000) * MS;
        plan_deed(begin, i, TARGETS, ADDS);
        for (uint32_t k = 0; k < TARGETS; k++) {
            sonde_ns at = begin + k * 150 * MS + (1 + prng_below(&prng, 100)) * MS;
            at += prng_below(&prng, 1000);
            sonde_ns stay = (1 + prng_below(&prng, 2800)) * MS + prng_below(&prng, 1000);
            plan_deed(at, i, k, ADDS);
            plan_deed(at + stay, i, k, REMOVES);
            if (k % 10 == 0) {
                plan_deed(at + stay / 3, i, k, PAUSES);
                plan_deed(at + 2 * (stay / 3), i, k, RESUMES);
            } else if (k % 10 == 1) {
                plan_deed(at + stay / 2, i, k, RESETS);
            }
        }
        plan_deed(begin + 22 * S, i, TARGETS, REMOVES);
    }
    qsort(deeds, deed_count, sizeof *deeds, compare_deeds);
}

static struct sonde_addr source_of(uint32_t guest, uint32_t target)
{
    uint8_t low = (uint8_t)(1 + target % ADDRESSES);
    return (struct sonde_addr){SONDE_FAMILY_IPV4, {10, 200, (uint8_t)guest, low}, 0};
}

/* Two runs in a row have the same targets. */
static struct sonde_addr address_of(uint32_t guest, uint32_t target)
{
    uint8_t low = (uint8_t)(1 + target % ADDRESSES);
    return (struct sonde_addr){SONDE_FAMILY_IPV4, {198, 18, (uint8_t)(guest / 2), low}, 0};
}

static void add_target(struct guest *guest, uint32_t target)
{
    const struct sonde_probe_ops *const ops[SERVICES] = {&probe_tcp, &probe_udp};
    struct sonde_addr addr = address_of(guest->number, target);
    uint32_t place = tally_next_target(guest->tally);
    cr_assert_eq(engine_add_target(guest->run, &addr, SERVICES), 0);
    guest->places[target] = place;
    guest->at[place] = target;
    for (uint32_t service = 0; service < SERVICES; service++) {
        struct sonde_spec spec = {
            .flow = {.src = source_of(guest->number, target),
                     .dst = addr,
                     .protocol = ops[service]->protocol,
                     .dst_port = PORT},
            .cookie = mix64((uint64_t)guest->number << 32 | target << 8 | service),
            .isn = (uint32_t)mix64(guest->number + target),
            .format = {.size_bytes = 64},
            .naming = service == 0 ? PROBE_NAMING_ATTEMPT : PROBE_NAMING_NOTHING,
        };
        spec.nth = engine_free_flow(house.engine, &spec.flow, 0);
        spec.flow.src_port = (uint16_t)(OWN_PORT + spec.nth);
        cr_assert_eq(engine_add_trace(guest->run, ops[service], &spec), 0);
    }
    cr_assert_eq(guest->added++, target);
    engine_begin_target(guest->run, place, house.now);
}

static void remove_target(struct guest *guest, uint32_t target)
{
    struct figures *figures = &guest->figures[target];
    uint32_t place = guest->places[target];
    const struct tally_target *tally = guest->tally->targets[place];
    for (uint32_t i = 0; i < SERVICES; i++) {
        const struct tally_service *service = tally->services[i];
        figures->sent += service->sent;
        figures->received += service->received;
        figures->late += service->late;
        figures->duplicates += service->duplicates;
        figures->rtt_sum_ns += service->rtt.samples > 0 ? rtt_mean(&service->rtt) : 0;
        for (unsigned ttl = 1; service->hops != NULL && ttl <= guest->tally->max_ttl; ttl++) {
            figures->hops_sent += service->hops[ttl] != NULL ? service->hops[ttl]->sent : 0;
            figures->hops_received += service->hops[ttl] != NULL ? service->hops[ttl]->received : 0;
        }
    }
    engine_remove_target(guest->run, place, house.now);
    cr_assert_null(guest->tally->targets[place]);
}

static void add_guest(uint32_t number)
{
    const struct engine_plan plan = {
        .targets = TARGETS,
        .interval_ns = 500 * MS,
        .timeout_ns = 400 * MS,
        .first_ttl = 1,
        .max_ttl = 4, /* few buckets of the budget each */
        .gap_limit = 8,
        .open = true,
    };
    struct guest *guest = calloc(1, sizeof *guest);
    cr_assert_not_null(guest);
    guest->number = number;
    cr_assert_eq(tally_new(plan.max_ttl, &guest->tally), 0);
    cr_assert_eq(engine_add_run(house.engine, &plan, guest->tally, &guest->run), 0);
    engine_start(guest->run, house.now);
    house.guests[number] = guest;
}

/* The guest's figures stay. */
static void remove_guest(struct guest *guest)
{
    engine_remove_run(guest->run, house.now);
    guest->run = NULL;
    guest->tally = tally_free(guest->tally);
}

static void with_services(const struct guest *guest, uint32_t target,
                          void (*what)(struct engine_run *, const struct engine_place *, sonde_ns))
{
    for (uint32_t i = 0; i < SERVICES; i++)
        what(guest->run, &(struct engine_place){guest->places[target], i}, house.now);
}

static void do_deed(const struct deed *deed)
{
    struct guest *guest = house.guests[deed->guest];
    bool is_run = deed->target == TARGETS;
    switch (deed->kind) {
    case ADDS:
        if (is_run)
            add_guest(deed->guest);
        else
            add_target(guest, deed->target);
        break;
    case REMOVES:
        if (is_run)
            remove_guest(guest);
        else
            remove_target(guest, deed->target);
        break;
    case PAUSES:
        with_services(guest, deed->target, engine_pause);
        break;
    case RESUMES:
        with_services(guest, deed->target, engine_resume);
        break;
    case RESETS:
        with_services(guest, deed->target, engine_reset);
        break;
    }
}

static void arrive(const struct wr *wr, sonde_ns delay_ns)
{
    cr_assert_gt(house.free_count, 0);
    cr_assert(wr_ok(wr) && wr->len <= ANSWER_BYTES);
    uint32_t slot = house.free_answers[--house.free_count];
    memcpy(house.answers[slot].bytes, wr->data, wr->len);
    house.answers[slot].len = wr->len;
    heap_set(&house.queue, slot, house.now + delay_ns);
}

/* Of eight probes one is lost, one answered twice, one answered when it was given up. */
static void answer(const struct sonde_tx *tx, uint64_t fate)
{
    uint8_t bytes[ANSWER_BYTES];
    struct wr wr = wr_init(bytes, sizeof bytes);
    struct sonde_addr router = tx->flow->dst;
    unsigned hops = tx->ttl < DISTANCE ? tx->ttl : DISTANCE;
    sonde_ns delay = 2 * hops * MS + (sonde_ns)(fate >> 8) % 100000; /* no two at one time */
    router.bytes[0] = 10;
    router.bytes[1] = (uint8_t)(tx->ttl + 3 * tx->flow->src.bytes[2]);
    if (tx->ttl < DISTANCE) {
        answer_error(&wr, tx, &router, ICMP4_TIME_EXCEEDED, 0, 64);
    } else if (tx->flow->protocol == IP_PROTO_UDP) {
        answer_udp(&wr, tx, NULL, (struct sonde_span){(const uint8_t *)"answer", 6});
    } else {
        struct tcp_header syn;
        cr_assert_eq(tcp_decode(tx->segment, &syn), 0);
        const struct tcp_header tcp = {.seq = (uint32_t)fate,
                                       .ack = syn.seq + 1,
                                       .flags = TCP_SYN | TCP_ACK,
                                       .options.window_scale = -1};
        answer_tcp(&wr, tx, NULL, &tcp);
    }
    if (fate % 8 == 0)
        return;
    arrive(&wr, fate % 8 == 2 ? delay + 440 * MS : delay);
    if (fate % 8 == 1)
        arrive(&wr, delay + MS);
}

static struct guest *guest_of(const struct sonde_tx *tx)
{
    return house.guests[tx->flow->src.bytes[2]];
}

/* The youngest target of a run at the address that a probe goes to is the only one. */
static uint32_t target_of(const struct guest *guest, const struct sonde_tx *tx)
{
    uint32_t target = guest->added - 1;
    for (;; target--) {
        struct sonde_addr addr = address_of(guest->number, target);
        uint32_t place = guest->places[target];
        if (guest->tally->targets[place] != NULL && guest->at[place] == target &&
            sonde_addr_equal(&addr, &tx->flow->dst))
            return target;
    }
}

static void send_due(void)
{
    uint8_t buf[PROBE_SIZE_MAX];
    struct sonde_tx tx;
    const struct sonde_sent sent = {.stamp = {house.now, SONDE_CLOCK_USER}};
    while (engine_next_tx(house.engine, house.now, buf, &tx) == 0) {
        struct guest *guest = guest_of(&tx);
        if (tx.handle != ENGINE_NO_PROBE) {
            uint32_t service = tx.flow->protocol == IP_PROTO_UDP;
            uint32_t target = target_of(guest, &tx);
            uint64_t nth = guest->asked[target][service][tx.ttl]++;
            uint64_t key = (uint64_t)guest->number << 40 | (uint64_t)target << 24 |
                           (uint64_t)service << 16 | (uint64_t)tx.ttl << 8;
            answer(&tx, mix64(mix64(key) + nth) >> 8);
        }
        engine_on_sent(house.engine, tx.handle, &sent);
    }
}

static void take_events(void)
{
    struct engine_event popped;
    while (engine_pop_event(house.engine, &popped) == 0) {
        if (popped.run == NULL)
            continue;
        struct guest *guest = NULL;
        for (uint32_t i = 0; i < RUNS; i++) {
            if (house.guests[i] != NULL && house.guests[i]->run == popped.run)
                guest = house.guests[i];
        }
        cr_assert_not_null(guest);
        cr_assert_not_null(guest->tally->targets[popped.event.target]);
        guest->figures[guest->at[popped.event.target]].events++;
    }
}

static void receive_due(void)
{
    static struct sonde_rx rx;
    while (heap_time(&house.queue) <= house.now) {
        uint32_t slot = heap_top(&house.queue);
        const struct answer *arrived = &house.answers[slot];
        struct sonde_span bytes = {arrived->bytes, arrived->len};
        cr_assert_eq(packet_decode(bytes, &rx), 0);
        rx.stamp = (struct sonde_stamp){heap_time(&house.queue), SONDE_CLOCK_USER};
        engine_on_rx(house.engine, &rx);
        heap_set(&house.queue, slot, SONDE_NS_NEVER);
        house.free_answers[house.free_count++] = slot;
        take_events();
    }
}

/* Let pass what happens before a time. */
static void pass(sonde_ns until)
{
    sonde_ns next;
    while ((next = ns_min(engine_deadline_ns(house.engine), heap_time(&house.queue))) < until) {
        house.now = ns_max(next, house.now);
        receive_due();
        while (engine_on_time(house.engine, house.now))
            take_events();
        take_events();
        send_due();
        take_events();
    }
    house.now = until;
}

/* Two targets that nobody asks, since the only target of an engine is asked more. */
static void add_bystanders(void)
{
    const struct engine_plan plan = {
        .interval_ns = S, .timeout_ns = S, .first_ttl = 1, .max_ttl = 1, .gap_limit = 1};
    cr_assert_eq(tally_new(1, &house.bystanders_tally), 0);
    cr_assert_eq(engine_add_run(house.engine, &plan, house.bystanders_tally, &house.bystanders), 0);
    for (uint32_t i = 0; i < 2; i++) {
        struct sonde_addr addr = address_of(RUNS, i);
        cr_assert_eq(engine_add_target(house.bystanders, &addr, 0), 0);
    }
}

static void remove_bystanders(void)
{
    engine_remove_run(house.bystanders, house.now);
    house.bystanders = NULL;
    tally_free(house.bystanders_tally);
}

static void open_house(void)
{
    house = (struct house){0};
    cr_assert_eq(engine_new(&(struct engine_config){.rate_pps = 1000000}, 0, &house.engine), 0);
    cr_assert_eq(heap_init(&house.queue, UNDER_WAY), 0);
    house.answers = calloc(UNDER_WAY, sizeof *house.answers);
    house.free_answers = calloc(UNDER_WAY, sizeof *house.free_answers);
    cr_assert(house.answers != NULL && house.free_answers != NULL);
    while (house.free_count < UNDER_WAY) {
        house.free_answers[house.free_count] = house.free_count;
        house.free_count++;
    }
}

static void close_house(void)
{
    if (house.bystanders != NULL)
        remove_bystanders();
    engine_free(house.engine);
    heap_deinit(&house.queue);
    free(house.answers);
    free(house.free_answers);
}

/* Do what the guests from one to another have to do. */
static void receive_guests(uint32_t from, uint32_t to)
{
    for (uint32_t i = 0; i < deed_count; i++) {
        if (deeds[i].guest < from || deeds[i].guest > to)
            continue;
        pass(deeds[i].time_ns);
        do_deed(&deeds[i]);
    }
}

Test(runs, each_has_the_figures_that_it_has_alone)
{
    static struct guest *together[RUNS];
    plan_deeds();
    open_house();
    int64_t live = alloc_live();
    add_bystanders();
    receive_guests(0, RUNS - 1);
    remove_bystanders();
    pass(house.now + 12 * S); /* by then no answer can come any more */
    for (uint32_t i = 0; i < RUNS; i++)
        together[i] = house.guests[i];
    cr_expect_eq(alloc_live(), live + RUNS, "what the guests keep of their figures");
    cr_expect_gt(engine_discards(house.engine)->count[SONDE_DISCARD_TOO_LATE], 1000,
                 "answers to what was removed");
    close_house();
    struct figures sum = {0};
    for (uint32_t i = 0; i < RUNS; i++) {
        open_house();
        add_bystanders();
        receive_guests(i, i);
        const struct guest *alone = house.guests[i];
        cr_assert_eq(alone->added, TARGETS);
        for (uint32_t k = 0; k < TARGETS; k++) {
            const struct figures *a = &alone->figures[k];
            const struct figures *b = &together[i]->figures[k];
            cr_assert_arr_eq(a, b, sizeof *a, "run %u, target %u", i, k);
            sum.sent += a->sent;
            sum.late += a->late;
            sum.duplicates += a->duplicates;
        }
        close_house();
        free(house.guests[i]);
        free(together[i]);
    }
    cr_expect(sum.sent > 50000 && sum.late > 10000 && sum.duplicates > 10000);
}
