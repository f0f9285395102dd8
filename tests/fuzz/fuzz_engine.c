/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An engine with a few targets, in virtual time. The input chooses the settings and then what
 * happens, step by step: time passes, probes are sent or refused, targets join, and what arrives is
 * made from probes that were sent, or from nothing. When the input is used up, nobody answers any
 * more.
 *
 * What must hold: every probe sent ends exactly once or is in flight; no round trip is negative;
 * nothing is said once the run is over; and whenever all that is due has been done, the next
 * deadline lies ahead, so that the run ends and the loop around it never spins.
 */
#include "analyze/analyze.h"
#include "engine/internal.h"
#include "engine/tally.h"
#include "forge.h"
#include "fuzz.h"

#include <errno.h>
#include <string.h>

enum {
    STARTING_MAX = 2, /* targets at the start */
    TARGETS_MAX = 4,  /* with those that join later */
    TRACES_MAX = 3,
    PROBES_KEPT = 32, /* that answers are made from */
    STEPS_MAX = 400,
    DUE_MAX = 4096,       /* probes that may be due at one time */
    DEADLINES_MAX = 20000 /* until a run without answers is over */
};
static const sonde_ns TIME_MAX_NS = (sonde_ns)1 << 61; /* 73 years */

struct sent {
    uint8_t bytes[256];
    size_t len;
};

struct run {
    struct rd in;
    struct engine_config config;
    struct engine *engine;
    struct tally *tally;
    uint32_t services[TARGETS_MAX];
    sonde_ns now;
    sonde_ns latest; /* any time that the engine was told */
    struct sent sent[PROBES_KEPT];
    uint64_t sent_count;
    uint64_t ended_count;
    bool over; /* and its last events were taken */
};

/* From 1 ns to 73 years. */
static sonde_ns read_span(struct rd *in)
{
    sonde_ns span = rd_u8(in) + 1;
    return span << rd_u8(in) % 54;
}

static void check_event(const struct run *run, const struct sonde_event *event)
{
    FUZZ_CHECK(event->target < run->tally->target_count);
    FUZZ_CHECK(event->service < run->services[event->target]);
    FUZZ_CHECK(event->ttl >= run->config.first_ttl && event->ttl <= run->config.max_ttl);
    FUZZ_CHECK(!event->to_target || event->ttl == run->config.max_ttl);
    FUZZ_CHECK(run->config.cycles == 0 || event->cycle < run->config.cycles);
    FUZZ_CHECK((unsigned)event->outcome < SONDE_OUTCOME_COUNT);
    FUZZ_CHECK(event->question < SONDE_QUESTIONS_MAX);
    FUZZ_CHECK(event->rtt_ns >= -1);
    FUZZ_CHECK(event->rtt_ns <= run->latest - event->sent_ns || event->rtt_ns == -1);
    FUZZ_CHECK((event->outcome == SONDE_OUTCOME_SEND_ERROR) == (event->error > 0));
    bool answered =
        event->outcome != SONDE_OUTCOME_NO_REPLY && event->outcome != SONDE_OUTCOME_SEND_ERROR;
    FUZZ_CHECK(answered == (event->from.family != SONDE_FAMILY_NONE));
    bool unawaited = event->type == SONDE_EVENT_UNAWAITED;
    FUZZ_CHECK(answered ||
               (event->rtt_ns == -1 && (event->type == SONDE_EVENT_PROBE || unawaited)));
    FUZZ_CHECK(!unawaited || event->outcome == SONDE_OUTCOME_NO_REPLY);
    FUZZ_CHECK(!event->uncertain || event->rtt_ns == -1);
    fuzz_check_extensions(&event->ext);
}

/* Count what a target has in flight, and compare with what it says itself. */
static uint64_t count_flying(const struct engine *engine, const struct engine_target *target)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < target->trace_count; i++) {
        const struct engine_trace *trace = &engine->traces[target->first_trace + i];
        uint32_t index = trace->line.first;
        for (; index != FLIGHT_NONE; index = engine->flights.flights[index].next) {
            const struct flight *flight = &engine->flights.flights[index];
            FUZZ_CHECK(flight->state == FLIGHT_FLYING && ++count <= engine->flights.cap);
            FUZZ_CHECK(&engine->traces[flight->trace] == trace);
        }
    }
    FUZZ_CHECK(count == target->flying_count);
    FUZZ_CHECK(target->unsent_count <= count);
    return count;
}

static bool is_later(int error)
{
    return error == -EAGAIN || error == -ENOBUFS || error == -ENOMEM;
}

/* Take the events; then the books must balance. */
static void take_events(struct run *run)
{
    struct sonde_event event;
    while (engine_pop_event(run->engine, &event) == 0) {
        FUZZ_CHECK(!run->over);
        check_event(run, &event);
        run->sent_count += is_later(-event.error); /* it was given up */
        run->ended_count += event.type == SONDE_EVENT_PROBE || event.type == SONDE_EVENT_UNAWAITED;
        tally_on_event(run->tally, &event);
    }
    uint64_t flying = 0;
    for (uint32_t i = 0; i < run->engine->target_count; i++)
        flying += count_flying(run->engine, &run->engine->targets[i]);
    FUZZ_CHECK(run->sent_count + run->engine->unsent_count == run->ended_count + flying);
    run->over = engine_ended(run->engine) != ENGINE_RUNNING;
}

static void pass_time(struct run *run, sonde_ns until)
{
    run->now = ns_min(ns_max(run->now, until), TIME_MAX_NS);
    run->latest = ns_max(run->latest, run->now);
}

static void expire(struct run *run)
{
    for (int i = 0; engine_on_time(run->engine, run->now); i++) {
        FUZZ_CHECK(i < DUE_MAX);
        FUZZ_CHECK(run->engine->event_count > 0); /* it asked for room, so it used some */
        take_events(run);
    }
    take_events(run);
}

static void send_probe(struct run *run, const struct sonde_tx *tx, int error, sonde_ns sent_ns)
{
    FUZZ_CHECK(!run->over);
    FUZZ_CHECK(tx->ttl >= run->config.first_ttl && tx->ttl <= run->config.max_ttl && tx->id != 0);
    struct sent *sent = &run->sent[run->sent_count % PROBES_KEPT];
    sent->len = packet_encode(tx, sent->bytes, sizeof sent->bytes);
    FUZZ_CHECK(sent->len > 0);
    run->sent_count += !is_later(error);
    run->latest = ns_max(run->latest, sent_ns);
    engine_on_sent(run->engine, tx->handle,
                   &(struct sonde_sent){.stamp = {sent_ns, SONDE_CLOCK_KERNEL}, .error = error});
    take_events(run);
}

/* Send up to @p count probes that are due, one of them with an error. @return how many were due. */
static uint32_t send_some(struct run *run, uint32_t count, int error, sonde_ns sent_ns)
{
    static uint8_t bufs[ENGINE_BATCH][PROBE_SIZE_MAX];
    struct sonde_tx txs[ENGINE_BATCH];
    uint32_t taken = 0;
    while (taken < count && engine_next_tx(run->engine, run->now, bufs[taken], &txs[taken]) == 0)
        taken++;
    uint32_t failing = taken / 2; /* what was taken behind it is forgotten if it has to wait */
    for (uint32_t i = 0; i < taken && (i <= failing || !is_later(error)); i++)
        send_probe(run, &txs[i], i == failing ? error : 0, sent_ns);
    return taken;
}

/* What the engine remembers of when a walk goes on is never later than what it would find out now.
 * Earlier may be: arrivals are stamped later than the loop's idea of the time. */
static void check_plans(struct run *run)
{
    for (uint32_t i = 0; i < run->engine->target_count; i++) {
        struct engine_target *target = &run->engine->targets[i];
        struct engine_target before = *target;
        if (before.stale || run->now >= before.walk_until_ns)
            continue;
        target->stale = true;
        plan_update(run->engine, target, run->now);
        FUZZ_CHECK(target->stale || before.walk_ns <= ns_max(target->walk_ns, run->now));
    }
}

/* Do all that is due. After that there is time until the deadline. */
static void settle(struct run *run)
{
    int sent = 0;
    do {
        FUZZ_CHECK(sent < DUE_MAX);
        expire(run);
        sent++;
    } while (send_some(run, ENGINE_BATCH, 0, run->now) > 0);
    FUZZ_CHECK(engine_deadline_ns(run->engine) > run->now);
    check_plans(run);
}

static void send_badly(struct run *run)
{
    static const int errors[] = {0, 0, -EAGAIN, -ENOBUFS, -EPERM, -ENETUNREACH, -EMSGSIZE, -EINVAL};
    int error = errors[rd_u8(&run->in) % 8];
    sonde_ns late = rd_u8(&run->in) * SONDE_NS_PER_US; /* sending takes time */
    uint32_t count = 1 + rd_u8(&run->in) % ENGINE_BATCH;
    (void)send_some(run, count, error, run->now + late);
}

static void receive(struct run *run, const uint8_t *packet, size_t len)
{
    struct sonde_rx rx;
    struct sonde_span bytes = {packet, len};
    /* the kernel's stamp is older than the loop's idea of now, or somewhat younger */
    int64_t skew = (int8_t)rd_u8(&run->in) * ((int64_t)1 << rd_u8(&run->in) % 24);
    rx.stamp.time_ns = ns_max(run->now + skew, 0);
    rx.stamp.clock = SONDE_CLOCK_KERNEL;
    int r = packet_decode(bytes, &rx);
    fuzz_check_rx(r, bytes, &rx);
    if (r != 0) {
        engine_on_discard(run->engine, r);
        return;
    }
    run->latest = ns_max(run->latest, rx.stamp.time_ns);
    engine_on_rx(run->engine, &rx);
    take_events(run);
}

static void receive_forged(struct run *run, bool error)
{
    uint8_t packet[FORGE_BYTES];
    const struct sent *sent = &run->sent[rd_u8(&run->in) % PROBES_KEPT];
    struct sonde_span probe = {sent->bytes, sent->len};
    if (probe.len == 0)
        return;
    size_t len =
        error ? forge_error(probe, &run->in, packet) : forge_answer(probe, &run->in, packet);
    forge_damage(&run->in, packet, len);
    receive(run, packet, len);
}

static void add_trace(struct run *run, const struct sonde_addr *addr, uint32_t nth)
{
    const struct sonde_probe_ops *ops = probe_at(rd_u8(&run->in) % 3);
    struct sonde_spec spec = {
        .flow =
            {
                .src = {.family = addr->family, .bytes = {192, 0, 2, 1}},
                .dst = *addr,
                .protocol = ops->protocol,
                .src_port = (uint16_t)(40000 + nth),
                .dst_port = ops->has_ports ? 443 : 0,
            },
        .cookie = 0x636f6f6b69652121 + nth,
        .isn = 0x10203040 * nth,
        .ts_base = UINT32_MAX - 3, /* it wraps after a few probes */
        .id_base = rd_u16(&run->in),
        .size_bytes = PROBE_SIZE_USUAL,
    };
    if (ops->protocol == IP_PROTO_UDP && (spec.id_base & 1) != 0)
        spec.question_count = (uint8_t)payload_questions(&payload_dns, NULL, spec.questions);
    FUZZ_CHECK(engine_add_trace(run->engine, ops, &spec) == 0);
}

/* Add a target with its traces. */
static void add_target(struct run *run)
{
    struct rd *in = &run->in;
    struct sonde_addr addr = {.family = SONDE_FAMILY_IPV4, .bytes = {203, 0, 113, 100}};
    if ((rd_u8(in) & 1) != 0)
        addr = (struct sonde_addr){.family = SONDE_FAMILY_IPV6, .bytes = {0x20, [15] = 1}};
    uint32_t i = run->tally->target_count;
    run->services[i] = 1U + rd_u8(in) % TRACES_MAX;
    FUZZ_CHECK(engine_add_target(run->engine, &addr) == 0);
    for (uint32_t k = 0; k < run->services[i]; k++)
        add_trace(run, &addr, i * TRACES_MAX + k);
    FUZZ_CHECK(tally_add_target(run->tally, &addr, run->services[i]) == 0);
}

/* Let a target join that nobody made room for. */
static void join(struct run *run)
{
    if (run->tally->target_count == TARGETS_MAX || !run->config.open)
        return;
    FUZZ_CHECK(engine_reserve(run->engine, 1, TRACES_MAX) == 0);
    add_target(run);
    engine_begin_target(run->engine, run->tally->target_count - 1, run->now);
}

static void step(struct run *run)
{
    struct sonde_span garbage;
    uint8_t choice = rd_u8(&run->in);
    if (choice == 0xff) {
        join(run);
        return;
    }
    switch (choice % 8) {
    case 0:
        pass_time(run, ns_add(run->now, read_span(&run->in)));
        break;
    case 1:
        if (engine_deadline_ns(run->engine) < TIME_MAX_NS)
            pass_time(run, engine_deadline_ns(run->engine));
        break;
    case 2:
        send_badly(run);
        break;
    case 3:
        settle(run);
        break;
    case 4:
        receive_forged(run, false);
        break;
    case 5:
    case 6:
        receive_forged(run, true);
        break;
    default:
        garbage = rd_span(&run->in, rd_u8(&run->in));
        receive(run, garbage.data, garbage.len);
        break;
    }
    expire(run);
}

static void begin(struct run *run)
{
    struct rd *in = &run->in;
    uint8_t choice = rd_u8(in);
    uint32_t targets = 1 + choice % STARTING_MAX;
    run->config = (struct engine_config){
        .targets = targets,
        .traces = targets * TRACES_MAX,
        .cycles = choice >> 6, /* 0 = endless */
        .interval_ns = (choice & 4) != 0 ? read_span(in) : SONDE_NS_PER_S,
        .timeout_ns = (choice & 8) != 0 ? read_span(in) : 2 * SONDE_NS_PER_S,
        .duration_ns = (choice & 16) != 0 ? read_span(in) : 0,
        .rate_pps = (choice & 32) != 0 ? rd_u16(in) : 0,
    };
    uint8_t wide = rd_u8(in);
    run->config.open = (wide & 0x80) != 0;
    run->config.first_ttl = (uint8_t)(1 + wide % 4);
    run->config.gap_limit = (uint8_t)(1 + rd_u8(in) % 16);
    run->config.max_ttl = (uint8_t)(run->config.first_ttl + rd_u8(in) % 24);
    FUZZ_CHECK(engine_new(&run->config, &run->engine) == 0);
    FUZZ_CHECK(tally_new(run->config.max_ttl, &run->tally) == 0);
    for (uint32_t i = 0; i < targets; i++)
        add_target(run);
    pass_time(run, read_span(in) % SONDE_NS_PER_S);
    engine_start(run->engine, run->now);
}

/* Nobody answers any more: the run ends by itself, unless it is endless. */
static void run_out(struct run *run)
{
    engine_close(run->engine);
    run->over |= engine_ended(run->engine) != ENGINE_RUNNING;
    for (int i = 0; run->config.cycles > 0 && !run->over; i++) {
        FUZZ_CHECK(i < DEADLINES_MAX);
        settle(run);
        if (engine_deadline_ns(run->engine) > TIME_MAX_NS)
            break;
        pass_time(run, engine_deadline_ns(run->engine));
    }
    engine_stop(run->engine);
    take_events(run);
    FUZZ_CHECK(run->over && engine_deadline_ns(run->engine) == SONDE_NS_NEVER);
    FUZZ_CHECK(send_some(run, 1, 0, run->now) == 0);
    receive_forged(run, true);
    expire(run);
}

static void check_rtt(const struct rtt_stats *rtt)
{
    if (rtt->samples == 0)
        return;
    FUZZ_CHECK(rtt->min_ns >= 0 && rtt_mean(rtt) >= rtt->min_ns && rtt_mean(rtt) <= rtt->max_ns);
    sonde_ns before = rtt->min_ns;
    for (unsigned percent = 1; percent <= 100; percent++) {
        FUZZ_CHECK(rtt_percentile(rtt, percent) >= before);
        before = rtt_percentile(rtt, percent);
    }
    FUZZ_CHECK(before <= rtt->max_ns);
    FUZZ_CHECK(rtt->samples == 1 || (rtt_stddev(rtt) >= 0 && rtt_jitter(rtt) >= 0));
}

static void check_hops(const struct analyze_target *target, uint32_t index, uint8_t max_ttl)
{
    const struct tally_service *service = &target->tally->services[index];
    for (unsigned ttl = 0; service->hops != NULL && ttl <= max_ttl; ttl++) {
        const struct tally_hop *hop = service->hops[ttl];
        if (hop == NULL)
            continue;
        uint64_t listed = hop->unlisted;
        for (uint32_t i = 0; i < hop->responder_count; i++)
            listed += hop->responders[i].received;
        FUZZ_CHECK(listed == hop->received && hop->received <= hop->sent);
        FUZZ_CHECK(hop->current == TALLY_NOBODY || hop->current < hop->responder_count);
        check_rtt(&hop->rtt);
        (void)analyze_loss(target, index, (uint8_t)ttl);
    }
}

static void check_finding(const struct finding *finding)
{
    FUZZ_CHECK((unsigned)finding->code < SONDE_CODE_COUNT);
    FUZZ_CHECK((unsigned)finding->level < SONDE_LEVEL_COUNT);
    FUZZ_CHECK(finding->rule != NULL);
    fuzz_check_shown(finding->text, strlen(finding->text), false);
}

/* What is made of the records: sums that must fit, and an analysis of whatever it is. */
static void check_tally(const struct run *run)
{
    static const struct analyze_service names[TRACES_MAX] = {
        {.protocol = IP_PROTO_ICMP, .control = true, .name = "icmp"},
        {.protocol = IP_PROTO_TCP, .name = "443/tcp"},
        {.protocol = IP_PROTO_UDP, .name = "443/udp"},
    };
    uint8_t max_ttl = run->config.max_ttl;
    for (uint32_t i = 0; i < run->tally->target_count; i++) {
        const struct analyze_target target = {
            .tally = &run->tally->targets[i],
            .services = names,
            .warn = {SONDE_NS_PER_MS, 0},
            .crit = {SONDE_NS_PER_S, 0.5},
            .max_ttl = max_ttl,
        };
        for (uint32_t k = 0; k < target.tally->service_count; k++) {
            const struct tally_service *service = &target.tally->services[k];
            struct analysis analysis;
            FUZZ_CHECK(service->received <= service->sent);
            check_rtt(&service->rtt);
            check_hops(&target, k, max_ttl);
            analyze_service(&target, k, &analysis);
            FUZZ_CHECK((unsigned)analysis.state < SONDE_STATE_COUNT);
            check_finding(&analysis.verdict);
            FUZZ_CHECK(analysis.finding_count <= ANALYZE_FINDINGS_MAX);
            for (uint32_t n = 0; n < analysis.finding_count; n++)
                check_finding(&analysis.findings[n]);
            (void)analyze_distance(&target, k);
            (void)analyze_stop(&target, k, false);
            (void)tally_path_id(run->tally, service);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct run run = {.in = rd_init((struct sonde_span){data, size})};
    begin(&run);
    for (int i = 0; i < STEPS_MAX && run.in.rest.len > 0 && !run.over; i++)
        step(&run);
    run_out(&run);
    check_tally(&run);
    tally_free(run.tally);
    engine_free(run.engine);
    return 0;
}
