/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An engine with a few targets, in virtual time. The input chooses the settings and then what
 * happens, step by step: time passes, or goes back a little; probes are sent or refused; targets
 * are added; traces are paused and resumed; and what arrives is made from probes that were sent, or
 * from nothing, with stamps of any time. When the input is used up, nobody answers any more.
 *
 * What must hold: every probe sent ends exactly once or is in flight; no round trip is negative;
 * nothing is said once the run is over; whenever all that is due has been done, the next deadline
 * lies ahead, so that the run ends and the loop around it never spins; and what the tally sums up
 * is what the events say.
 */
#include "base/time.h"
#include "engine/engine.h"
#include "forge.h"
#include "fuzz.h"
#include "judge.h"

#include <errno.h>
#include <string.h>

enum {
    TARGETS_MAX = 3,
    TRACES_MAX = 4,
    PROBES_KEPT = 32, /* that answers are made from */
    OPEN_MAX = 16384, /* probes in flight */
    STEPS_MAX = 400,
    TURNS_MAX = 4096,     /* of the loop, while time stands still */
    DEADLINES_MAX = 20000 /* until a run without answers is over */
};
static const sonde_ns TIME_MAX_NS = (sonde_ns)1 << 61; /* 73 years */

/* A probe that was sent and has not ended: what its event will say of it. */
struct open_probe {
    sonde_ns sent_ns;
    uint32_t target;
    uint32_t service;
    uint8_t ttl;
};

struct sent {
    uint8_t bytes[256];
    size_t len;
};

/* What the events of a service add up to: by question, those of its full-TTL probes. */
struct sums {
    uint64_t sent[SONDE_QUESTIONS_MAX];
    uint64_t silent[SONDE_QUESTIONS_MAX];
    uint64_t received[SONDE_QUESTIONS_MAX];
    uint64_t uncertain;
    uint64_t late;
    uint64_t duplicates;
    uint64_t at_hops;
};

struct run {
    struct rd in;
    struct engine_plan plan;
    struct engine *engine;
    struct engine_run *run;
    struct tally *tally;
    uint32_t targets;
    struct sonde_addr addrs[TARGETS_MAX];
    uint32_t services[TARGETS_MAX];
    struct sums sums[TARGETS_MAX][TRACES_MAX];
    sonde_ns now;
    sonde_ns latest; /* any time that the engine was told */
    bool started;
    bool over; /* and its last events were taken */
    struct sent sent[PROBES_KEPT];
    uint64_t sent_count;
    struct open_probe open[OPEN_MAX];
    uint32_t open_count;
};

/* From 1 ns to 73 years. */
static sonde_ns read_span(struct rd *in)
{
    sonde_ns span = rd_u8(in) + 1;
    return span << rd_u8(in) % 54;
}

static bool is_later(int error)
{
    return error == -EAGAIN || error == -ENOBUFS || error == -ENOMEM;
}

/* What holds for every event. */
static void check_event(const struct run *run, const struct sonde_event *event)
{
    bool answered =
        event->outcome != SONDE_OUTCOME_NO_REPLY && event->outcome != SONDE_OUTCOME_SEND_ERROR;
    bool ends = event->type == SONDE_EVENT_PROBE || event->type == SONDE_EVENT_UNAWAITED;
    FUZZ_CHECK(!run->over);
    FUZZ_CHECK(event->target < run->targets);
    FUZZ_CHECK(event->service < run->services[event->target]);
    if (event->to_target)
        FUZZ_CHECK(event->ttl == ENGINE_FULL_TTL || event->ttl == ENGINE_FULL_TTL_MAX);
    else
        FUZZ_CHECK(event->ttl >= run->plan.first_ttl && event->ttl <= run->plan.max_ttl);
    FUZZ_CHECK(run->plan.cycles == 0 || event->cycle < run->plan.cycles);
    FUZZ_CHECK((unsigned)event->outcome < SONDE_OUTCOME_COUNT);
    FUZZ_CHECK(event->question < SONDE_QUESTIONS_MAX);
    FUZZ_CHECK(event->rtt_ns >= -1);
    FUZZ_CHECK(event->rtt_ns <= run->latest - event->sent_ns || event->rtt_ns == -1);
    FUZZ_CHECK((event->outcome == SONDE_OUTCOME_SEND_ERROR) == (event->error > 0));
    FUZZ_CHECK(answered == (event->from.family != SONDE_FAMILY_NONE));
    FUZZ_CHECK(answered || (event->rtt_ns == -1 && ends));
    FUZZ_CHECK(event->type != SONDE_EVENT_UNAWAITED || event->outcome == SONDE_OUTCOME_NO_REPLY);
    FUZZ_CHECK(!event->uncertain || event->rtt_ns == -1);
    fuzz_check_extensions(&event->ext);
}

/* A probe ends: it was sent, and has not ended before. */
static void close_probe(struct run *run, const struct sonde_event *event)
{
    uint32_t i = 0;
    if (is_later(-event->error))
        return; /* it was always told "later", until it was given up */
    while (i < run->open_count &&
           (run->open[i].sent_ns != event->sent_ns || run->open[i].target != event->target ||
            run->open[i].service != event->service || run->open[i].ttl != event->ttl))
        i++;
    FUZZ_CHECK(i < run->open_count);
    run->open[i] = run->open[--run->open_count];
}

static void add_up(struct run *run, const struct sonde_event *event)
{
    struct sums *sums = &run->sums[event->target][event->service];
    bool left = event->outcome != SONDE_OUTCOME_SEND_ERROR && !event->uncertain;
    sums->late += event->type == SONDE_EVENT_LATE;
    sums->duplicates += event->type == SONDE_EVENT_DUPLICATE;
    if (event->type != SONDE_EVENT_PROBE)
        return;
    sums->at_hops += !event->to_target && left;
    sums->uncertain += event->to_target && event->uncertain;
    if (!event->to_target || !left)
        return;
    sums->sent[event->question]++;
    sums->silent[event->question] += event->outcome == SONDE_OUTCOME_NO_REPLY;
    sums->received[event->question] += sonde_event_is_target(event, &run->addrs[event->target]);
}

static void take_events(struct run *run)
{
    struct engine_event popped;
    const struct sonde_event *event = &popped.event;
    while (engine_pop_event(run->engine, &popped) == 0) {
        FUZZ_CHECK(popped.run == run->run);
        check_event(run, event);
        if (event->type == SONDE_EVENT_PROBE || event->type == SONDE_EVENT_UNAWAITED)
            close_probe(run, event);
        add_up(run, event);
    }
    run->over = run->started && engine_ended(run->run) != ENGINE_RUNNING;
    if (run->over && engine_ended(run->run) == ENGINE_COMPLETE)
        FUZZ_CHECK(run->open_count == 0);
}

static void pass_time(struct run *run, sonde_ns until)
{
    run->now = ns_max(ns_min(until, TIME_MAX_NS), 0);
    run->latest = ns_max(run->latest, run->now);
}

static void expire(struct run *run)
{
    for (int i = 0; engine_on_time(run->engine, run->now); i++) {
        FUZZ_CHECK(i < TURNS_MAX);
        take_events(run);
    }
    take_events(run);
}

static void send_probe(struct run *run, const struct sonde_tx *tx, int error, sonde_ns sent_ns)
{
    const struct sonde_sent how = {.stamp = {sent_ns, SONDE_CLOCK_KERNEL}, .error = error};
    FUZZ_CHECK(!run->over && tx->ttl > 0);
    struct sent *sent = &run->sent[run->sent_count++ % PROBES_KEPT];
    sent->len = packet_encode(tx, sent->bytes, sizeof sent->bytes);
    FUZZ_CHECK(sent->len > 0);
    run->latest = ns_max(run->latest, sent_ns);
    if (tx->handle != ENGINE_NO_PROBE && !is_later(error)) {
        struct open_probe probe = {.sent_ns = sent_ns, .ttl = tx->ttl};
        while (!sonde_addr_equal(&run->addrs[probe.target], &tx->flow->dst))
            probe.target++;
        probe.service = tx->flow->src_port % TRACES_MAX;
        FUZZ_CHECK(run->open_count < OPEN_MAX);
        run->open[run->open_count++] = probe;
    }
    engine_on_sent(run->engine, tx->handle, &how);
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

/* Do all that is due. After that there is time until the deadline. */
static void settle(struct run *run)
{
    for (int i = 0; i == 0 || engine_deadline_ns(run->engine) <= run->now; i++) {
        FUZZ_CHECK(i < TURNS_MAX);
        expire(run);
        (void)send_some(run, ENGINE_BATCH, 0, run->now);
    }
}

static void send_badly(struct run *run)
{
    static const int errors[] = {0, 0, -EAGAIN, -ENOBUFS, -EPERM, -ENETUNREACH, -EMSGSIZE, -EINVAL};
    int error = errors[rd_u8(&run->in) % 8];
    /* sending takes time, and the kernel's stamp may be from before the loop looked at the clock */
    sonde_ns skew = (int8_t)rd_u8(&run->in) * SONDE_NS_PER_US;
    uint32_t count = 1 + rd_u8(&run->in) % ENGINE_BATCH;
    (void)send_some(run, count, error, ns_max(run->now + skew, 0));
}

static void receive(struct run *run, const uint8_t *packet, size_t len)
{
    struct sonde_rx rx;
    struct sonde_span bytes = {packet, len};
    int64_t skew = (int8_t)rd_u8(&run->in) * ((int64_t)1 << rd_u8(&run->in) % 48);
    rx.stamp.time_ns = ns_max(run->now + skew, 0);
    rx.stamp.clock = SONDE_CLOCK_KERNEL;
    int r = packet_decode(bytes, &rx);
    fuzz_check_rx(r, bytes, &rx);
    if (r != 0) {
        engine_on_discard(run->engine, r);
        return;
    }
    uint8_t named = rd_u8(&run->in);
    rx.attributed = named % 8 == 7; /* the kernel names a probe, rightly or not */
    rx.token = rd_u8(&run->in) % 64;
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

static void add_trace(struct run *run, const struct sonde_addr *addr, uint32_t service)
{
    uint8_t choice = rd_u8(&run->in);
    const struct sonde_probe_ops *ops = probe_at(choice % 4);
    struct sonde_spec spec = {
        .flow =
            {
                .src = {.family = addr->family, .bytes = {192, 0, 2, 1}},
                .dst = *addr,
                .protocol = ops->protocol,
                .src_port = (uint16_t)(40000 + service), /* a multiple of TRACES_MAX, and that */
                .dst_port = ops->has_ports ? 443 : 0,
            },
        .cookie = UINT64_C(0x636f6f6b69652121) + service,
        .isn = 0x10203040 * service,
        .ts_base = UINT32_MAX - 3, /* it wraps after a few probes */
        .id_base = rd_u16(&run->in),
        .format = {.size_bytes = PROBE_SIZE_USUAL},
        .nameless = (choice & 8) != 0 && (choice & 16) != 0,
        .other_port = (choice & 32) != 0 && ops->protocol == IP_PROTO_UDP,
        .repeats = (choice & 64) != 0 && ops->protocol == IP_PROTO_UDP,
    };
    if (((choice & 4) != 0 && ops->protocol == IP_PROTO_TCP) || ops->protocol == IP_PROTO_SCTP)
        spec.naming = PROBE_NAMING_ATTEMPT;
    else if ((choice & 4) != 0 && ops->protocol == IP_PROTO_UDP)
        spec.naming = PROBE_NAMING_NOTHING;
    else if ((spec.id_base & 1) != 0 && ops->protocol == IP_PROTO_UDP)
        spec.question_count = (uint8_t)payload_questions(&payload_dns, NULL, spec.questions);
    int r = (choice & 128) != 0 && service > 0 ? engine_add_standby(run->run, ops, &spec)
                                               : engine_add_trace(run->run, ops, &spec);
    FUZZ_CHECK(r == 0);
}

/* Add a target, and begin it if the run is on. */
static void add_target(struct run *run)
{
    struct sonde_addr addr = {.family = SONDE_FAMILY_IPV4,
                              .bytes = {203, 0, 113, (uint8_t)(100 + run->targets)}};
    if (run->targets == TARGETS_MAX || (run->started && !run->plan.open))
        return;
    if ((rd_u8(&run->in) & 1) != 0)
        addr = (struct sonde_addr){.family = SONDE_FAMILY_IPV6,
                                   .bytes = {0x20, [15] = (uint8_t)(1 + run->targets)}};
    uint32_t index = run->targets;
    uint32_t services = 1U + rd_u8(&run->in) % TRACES_MAX;
    FUZZ_CHECK(engine_add_target(run->run, &addr, services) == 0);
    run->addrs[index] = addr;
    run->services[index] = services;
    run->targets++;
    for (uint32_t service = 0; service < services; service++)
        add_trace(run, &addr, service);
    if (run->started)
        engine_begin_target(run->run, index, run->now);
}

static void pause_or_resume(struct run *run, bool pauses)
{
    const uint32_t target = rd_u8(&run->in) % run->targets;
    const struct engine_place place = {target, rd_u8(&run->in) % run->services[target]};
    if (pauses)
        engine_pause(run->run, &place, run->now);
    else
        engine_resume(run->run, &place, run->now);
}

static void resume_all(struct run *run)
{
    for (uint32_t i = 0; i < run->targets; i++) {
        for (uint32_t k = 0; k < run->services[i]; k++)
            engine_resume(run->run, &(struct engine_place){i, k}, run->now);
    }
}

static void begin(struct run *run)
{
    struct rd *in = &run->in;
    uint8_t choice = rd_u8(in);
    const struct engine_config config = {.rate_pps = (choice & 32) != 0 ? rd_u16(in) : 0};
    run->plan = (struct engine_plan){
        .targets = 1,
        .cycles = choice >> 6, /* 0 = endless */
        .interval_ns = (choice & 4) != 0 ? read_span(in) : SONDE_NS_PER_S,
        .timeout_ns = (choice & 8) != 0 ? read_span(in) : 2 * SONDE_NS_PER_S,
        .duration_ns = (choice & 16) != 0 ? read_span(in) : 0,
        .first_ttl = (uint8_t)(1 + rd_u8(in) % 4),
        .gap_limit = (uint8_t)(1 + rd_u8(in) % 16),
        .open = (choice & 1) != 0,
    };
    run->plan.max_ttl = (uint8_t)(run->plan.first_ttl + rd_u8(in) % 24);
    /* more cycles than that in flight only cost memory, which is slow to get */
    run->plan.timeout_ns = ns_min(run->plan.timeout_ns, ns_mul(run->plan.interval_ns, 100));
    FUZZ_CHECK(tally_new(run->plan.max_ttl, &run->tally) == 0);
    FUZZ_CHECK(engine_new(&config, 0, &run->engine) == 0);
    FUZZ_CHECK(engine_add_run(run->engine, &run->plan, run->tally, &run->run) == 0);
    for (int i = 0; i <= (choice >> 1 & 1); i++)
        add_target(run);
    pass_time(run, read_span(in) % SONDE_NS_PER_S);
    engine_start(run->run, run->now);
    run->started = true;
}

static void step(struct run *run)
{
    struct sonde_span garbage;
    switch (rd_u8(&run->in) % 12) {
    case 0:
        pass_time(run, ns_add(run->now, read_span(&run->in)));
        break;
    case 1:
        if (engine_deadline_ns(run->engine) < TIME_MAX_NS)
            pass_time(run, ns_max(engine_deadline_ns(run->engine), run->now));
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
    case 7:
        add_target(run);
        break;
    case 8: /* the clock goes back by up to 255 ms */
        pass_time(run, run->now - rd_u8(&run->in) * SONDE_NS_PER_MS);
        break;
    case 9:
        pause_or_resume(run, true);
        break;
    case 10:
        pause_or_resume(run, false);
        break;
    default:
        garbage = rd_span(&run->in, rd_u8(&run->in));
        receive(run, garbage.data, garbage.len);
        break;
    }
    expire(run);
}

/* Nobody answers any more: the run ends by itself, unless it is endless. */
static void run_out(struct run *run)
{
    engine_set_open(run->run, false);
    resume_all(run);
    for (int i = 0; run->plan.cycles > 0 && !run->over; i++) {
        FUZZ_CHECK(i < DEADLINES_MAX);
        settle(run);
        if (engine_deadline_ns(run->engine) > TIME_MAX_NS)
            break;
        pass_time(run, engine_deadline_ns(run->engine));
    }
    engine_stop(run->run);
    take_events(run);
    FUZZ_CHECK(run->over && engine_deadline_ns(run->engine) == SONDE_NS_NEVER);
    FUZZ_CHECK(send_some(run, 1, 0, run->now) == 0);
    receive_forged(run, true);
    expire(run);
}

/* Silence to a question that was never answered is no loss, if another was answered. */
static void check_questions(const struct tally_service *service, const struct sums *sums)
{
    uint64_t sent = 0;
    uint64_t heard = 0; /* sent with a question that was answered, or answered by somebody else */
    uint64_t received = 0;
    for (size_t i = 0; i < SONDE_QUESTIONS_MAX; i++) {
        sent += sums->sent[i];
        heard += sums->received[i] > 0 ? sums->sent[i] : sums->sent[i] - sums->silent[i];
        received += sums->received[i];
    }
    FUZZ_CHECK(service->sent == (received > 0 ? heard : sent));
    FUZZ_CHECK(service->received == received);
}

/* What the engine folded into its tally is what its events say. */
static void check_sums(const struct run *run)
{
    for (uint32_t target = 0; target < run->targets; target++) {
        for (uint32_t k = 0; k < run->services[target]; k++) {
            const struct tally_service *service = run->tally->targets[target]->services[k];
            const struct sums *sums = &run->sums[target][k];
            uint64_t at_hops = 0;
            for (unsigned ttl = 0; service->hops != NULL && ttl <= run->plan.max_ttl; ttl++)
                at_hops += service->hops[ttl] != NULL ? service->hops[ttl]->sent : 0;
            check_questions(service, sums);
            FUZZ_CHECK(service->uncertain == sums->uncertain && at_hops == sums->at_hops);
            FUZZ_CHECK(service->late == sums->late && service->duplicates == sums->duplicates);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct run run;
    memset(&run, 0, sizeof run);
    run.in = rd_init((struct sonde_span){data, size});
    begin(&run);
    for (int i = 0; i < STEPS_MAX && run.in.rest.len > 0 && !run.over; i++)
        step(&run);
    run_out(&run);
    check_sums(&run);
    judge_tally(run.tally, run.plan.max_ttl);
    engine_free(run.engine);
    tally_free(run.tally);
    return 0;
}
