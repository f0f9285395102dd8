/* SPDX-License-Identifier: BSD-2-Clause */
/* The network's clockwork; see fake_net.h. Its rules are in fake_rules.c. */
#include "tests/unit/engine/fake_net.h"

#include "tests/support/answers.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { STALLS_ALLOWED = 4, TARGETS_A_BYTE = 250 };

struct engine_plan net_plan(void)
{
    return (struct engine_plan){
        .targets = 1,
        .cycles = 1,
        .interval_ns = S,
        .timeout_ns = 2 * S,
        .first_ttl = 1,
        .max_ttl = 30,
        .gap_limit = 8,
    };
}

struct net *net_new_at(const struct engine_plan *plan, uint32_t rate_pps)
{
    struct net *net = calloc(1, sizeof *net);
    cr_assert_not_null(net);
    *net = (struct net){
        .plan = *plan,
        .family = SONDE_FAMILY_IPV4,
        .distance = 5,
        .hop_ns = 2 * MS,
        .quote_len = 28,
        .serial = 0x10000000,
        .naming = {PROBE_NAMING_PROBE, PROBE_NAMING_ATTEMPT},
        .on_probe = net_open_path,
        .batch = ENGINE_BATCH,
    };
    cr_assert_eq(tally_new(plan->max_ttl, &net->tally), 0);
    const struct engine_config config = {.rate_pps = rate_pps};
    cr_assert_eq(engine_new(&config, 0, &net->engine), 0);
    cr_assert_eq(engine_add_run(net->engine, plan, net->tally, &net->run), 0);
    uint32_t arrivals = 2048 + 64 * plan->targets;
    cr_assert_eq(heap_init(&net->queue, arrivals), 0);
    net->last_probe = calloc(plan->targets, sizeof *net->last_probe);
    net->arrivals = calloc(arrivals, sizeof *net->arrivals);
    net->free_arrivals = calloc(arrivals, sizeof *net->free_arrivals);
    cr_assert(net->last_probe != NULL && net->arrivals != NULL && net->free_arrivals != NULL);
    for (uint32_t i = 0; i < arrivals; i++)
        net->free_arrivals[net->free_count++] = arrivals - 1 - i;
    return net;
}

struct net *net_new(const struct engine_plan *plan)
{
    return net_new_at(plan, 0);
}

void net_free(struct net *net)
{
    if (engine_ended(net->run) == ENGINE_COMPLETE)
        cr_expect_eq(net->ended, net->sent, "a probe has no outcome");
    engine_free(net->engine);
    tally_free(net->tally);
    heap_deinit(&net->queue);
    free(net->free_arrivals);
    free(net->arrivals);
    free(net->last_probe);
    free(net->probes);
    free(net);
}

struct sonde_addr net_target_addr(const struct net *net, uint32_t target)
{
    struct sonde_addr addr = {.family = (uint8_t)net->family};
    uint8_t high = (uint8_t)(target / TARGETS_A_BYTE);
    uint8_t low = (uint8_t)(target % TARGETS_A_BYTE + 1);
    if (net->family == SONDE_FAMILY_IPV6)
        memcpy(addr.bytes, (const uint8_t[]){0x20, 1, 0xd, 0xb8}, 4); /* 2001:db8::hhll */
    else
        memcpy(addr.bytes, (const uint8_t[]){198, 18}, 2);
    size_t at = net->family == SONDE_FAMILY_IPV6 ? 14 : 2;
    addr.bytes[at] = high;
    addr.bytes[at + 1] = low;
    return addr;
}

uint32_t net_target_of(const struct sonde_tx *tx)
{
    size_t at = tx->flow->dst.family == SONDE_FAMILY_IPV6 ? 14 : 2;
    const uint8_t *bytes = tx->flow->dst.bytes;
    return bytes[at] * (uint32_t)TARGETS_A_BYTE + bytes[at + 1] - 1;
}

uint32_t net_service_of(const struct sonde_tx *tx)
{
    return tx->flow->src_port - (uint32_t)NET_OWN_PORT;
}

struct sonde_addr net_router_addr(const struct net *net, unsigned ttl)
{
    struct sonde_addr addr = {.family = (uint8_t)net->family};
    if (net->family == SONDE_FAMILY_IPV6) /* fd00::tt:1 */
        memcpy(addr.bytes, (const uint8_t[16]){0xfd, [13] = (uint8_t)ttl, [15] = 1}, 16);
    else
        memcpy(addr.bytes, (const uint8_t[]){10, (uint8_t)ttl, 0, 1}, 4);
    return addr;
}

static void add_service(struct net *net, const struct sonde_probe_ops *ops, bool standby)
{
    uint32_t number = net->service_count++;
    uint32_t salt = net->target_count * 1000 + number;
    struct sonde_spec spec = {
        .flow =
            {
                .src = net_router_addr(net, 0),
                .dst = net_target_addr(net, net->target_count - 1),
                .protocol = ops->protocol,
                .src_port = (uint16_t)(NET_OWN_PORT + number),
                .dst_port =
                    !ops->has_ports ? 0 : (uint16_t)(NET_PORT + (net->one_port ? 0 : number)),
            },
        .cookie = UINT64_C(0x1122334455667788) * (salt + 1),
        .isn = 0x01020304 * (salt + 1),
        .ts_base = UINT32_C(0xfffffff0) + salt,
        .id_base = (uint16_t)(salt * 7 + 60000),
        .format = {.size_bytes = 64},
        .naming = net->naming[ops->naming == PROBE_NAMING_ATTEMPT],
        .nameless = net->nameless,
        .other_port = net->other_port && ops->protocol == IP_PROTO_UDP,
        .repeats = net->repeats && ops->protocol == IP_PROTO_UDP,
    };
    if (ops->protocol == IP_PROTO_UDP)
        spec.question_count = (uint8_t)payload_questions(net->payload, NULL, spec.questions);
    int r =
        standby ? engine_add_standby(net->run, ops, &spec) : engine_add_trace(net->run, ops, &spec);
    cr_assert_eq(r, 0);
}

static uint32_t count_words(const char *words)
{
    uint32_t count = 0;
    for (; *words != '\0'; words++)
        count += *words != ' ' && (words[1] == ' ' || words[1] == '\0');
    return count;
}

/* The module of that name, which may be the test's own. */
static const struct sonde_probe_ops *find_module(const struct net *net, const char *name)
{
    if (net->module != NULL && strcmp(net->module->name, name) == 0)
        return net->module;
    return probe_by_name(name);
}

void net_add(struct net *net, const char *services)
{
    struct sonde_addr addr = net_target_addr(net, net->target_count);
    cr_assert_eq(engine_add_target(net->run, &addr, count_words(services)), 0);
    net->target_count++;
    net->service_count = 0;
    while (*services != '\0') {
        char name[8] = "";
        bool standby = *services == '+';
        services += standby;
        size_t len = strcspn(services, " ");
        cr_assert_lt(len, sizeof name);
        memcpy(name, services, len);
        cr_assert_not_null(find_module(net, name), "%s", name);
        add_service(net, find_module(net, name), standby);
        services += len + strspn(services + len, " ");
    }
}

/* Keep a probe that left, or that will never leave. */
static void note_sent(struct net *net, const struct net_probe *probe)
{
    net->sent++;
    if (net->forgetful)
        return;
    if (net->probe_count == net->probe_cap) {
        net->probe_cap = net->probe_cap == 0 ? 256 : net->probe_cap * 2;
        net->probes = realloc(net->probes, net->probe_cap * sizeof *net->probes);
        cr_assert_not_null(net->probes);
    }
    net->probes[net->probe_count] = *probe;
    net->probes[net->probe_count].before = net->last_probe[probe->target];
    net->last_probe[probe->target] = ++net->probe_count;
}

/* Only what has ended can be late or double. */
static bool ends_probe(const struct sonde_event *event)
{
    return event->type == SONDE_EVENT_PROBE || event->type == SONDE_EVENT_UNAWAITED;
}

static bool is_of(const struct net_probe *probe, const struct sonde_event *event)
{
    bool ended = !ends_probe(event);
    return probe->sent_ns == event->sent_ns && probe->service == event->service &&
           probe->ttl == event->ttl &&
           probe->size_bytes == event->size_bytes && /* questions differ */
           probe->ended == ended;
}

/* The probe that a record is of. */
static struct net_probe *find_probe(struct net *net, const struct sonde_event *event)
{
    cr_assert_lt(event->target, net->target_count);
    size_t i = net->last_probe[event->target];
    while (i > 0 && !is_of(&net->probes[i - 1], event))
        i = net->probes[i - 1].before;
    cr_assert_gt(i, 0, "a record of no probe: service %u, TTL %u, %s", event->service, event->ttl,
                 sonde_outcome_name(event->outcome));
    return &net->probes[i - 1];
}

/* Has a router behind this probe's answered another one that went ahead blindly, so that this one,
 * too, was passed on to where it expired? */
static bool is_passed_on(const struct net *net, const struct net_probe *probe)
{
    for (size_t i = 0; i < net->probe_count; i++) {
        const struct net_probe *other = &net->probes[i];
        if (other->is_blind && other->ended && other->outcome == SONDE_OUTCOME_TTL_EXCEEDED &&
            other->target == probe->target && other->service == probe->service &&
            other->ttl > probe->ttl)
            return true;
    }
    return false;
}

static void note_event(struct net *net, const struct sonde_event *event)
{
    struct net_probe *probe = find_probe(net, event);
    cr_assert(event->size_bytes == probe->size_bytes && event->ecn == probe->ecn &&
                  event->dont_fragment == probe->dont_fragment,
              "the record has another format than the probe");
    if (!ends_probe(event)) {
        probe->late += event->type == SONDE_EVENT_LATE;
        probe->duplicates += event->type == SONDE_EVENT_DUPLICATE;
        return;
    }
    bool unawaited = event->type == SONDE_EVENT_UNAWAITED;
    if (probe->is_blind && !unawaited && event->outcome == SONDE_OUTCOME_NO_REPLY)
        cr_assert(is_passed_on(net, probe), "that a probe which went ahead blindly is not answered "
                                            "says nothing");
    probe->ended = true;
    probe->unawaited = unawaited;
    probe->cycle = event->cycle;
    probe->to_target = event->to_target;
    probe->question = event->question;
    probe->uncertain = event->uncertain;
    probe->outcome = event->outcome;
    probe->rtt_ns = event->rtt_ns;
    probe->from = event->from;
    probe->error = event->error;
    probe->ended_ns = net->now;
}

/* What holds for every record. */
static void check_event(const struct sonde_event *event)
{
    bool answered =
        event->outcome != SONDE_OUTCOME_NO_REPLY && event->outcome != SONDE_OUTCOME_SEND_ERROR;
    cr_assert_geq(event->rtt_ns, -1);
    cr_assert_lt(event->outcome, SONDE_OUTCOME_COUNT);
    cr_assert_eq(answered, event->from.family != SONDE_FAMILY_NONE);
    cr_assert_eq(event->outcome == SONDE_OUTCOME_SEND_ERROR, event->error > 0);
    if (event->type == SONDE_EVENT_UNAWAITED)
        cr_assert_not(answered);
    if (!answered || event->uncertain)
        cr_assert_eq(event->rtt_ns, -1);
    if (!answered)
        cr_assert(event->reply_ttl == -1 && event->icmp_type == -1 && event->icmp_code == -1);
    cr_assert_eq(event->has_quoted, event->icmp_type >= 0); /* as with raw sockets */
}

static bool is_later(int error)
{
    return error == -EAGAIN || error == -ENOBUFS || error == -ENOMEM;
}

/* Of a probe that was always told "later", the engine says when it gives it up. */
static void note_unsent(struct net *net, const struct sonde_event *event)
{
    if (event->outcome != SONDE_OUTCOME_SEND_ERROR || !is_later(-event->error))
        return;
    const struct net_probe probe = {
        .target = event->target,
        .service = event->service,
        .ttl = event->ttl,
        .sent_ns = event->sent_ns,
        .size_bytes = event->size_bytes,
        .ecn = event->ecn,
        .dont_fragment = event->dont_fragment,
    };
    note_sent(net, &probe);
}

static void pull_events(struct net *net)
{
    struct engine_event popped;
    const struct sonde_event *event = &popped.event;
    while (engine_pop_event(net->engine, &popped) == 0) {
        cr_assert_eq(popped.run, net->run);
        check_event(event);
        note_unsent(net, event);
        net->events++;
        net->ended += ends_probe(event);
        if (!net->forgetful)
            note_event(net, event);
        if (net->on_event != NULL)
            net->on_event(net, event);
    }
}

void net_arrive(struct net *net, const struct wr *wr, sonde_ns delay_ns)
{
    cr_assert_gt(net->free_count, 0, "more answers are under way than the network holds");
    uint32_t slot = net->free_arrivals[--net->free_count];
    cr_assert(wr_ok(wr) && wr->len <= NET_PACKET_BYTES);
    memcpy(net->arrivals[slot].bytes, wr->data, wr->len);
    net->arrivals[slot].len = wr->len;
    heap_set(&net->queue, slot, net->now + delay_ns);
}

static void deliver_due(struct net *net)
{
    static struct sonde_rx rx;
    while (heap_time(&net->queue) <= net->now) {
        uint32_t slot = heap_top(&net->queue);
        sonde_ns time = heap_time(&net->queue);
        const struct net_arrival *arrival = &net->arrivals[slot];
        int r = packet_decode((struct sonde_span){arrival->bytes, arrival->len}, &rx);
        rx.stamp = (struct sonde_stamp){time, SONDE_CLOCK_SIMULATED};
        if (net->reads_late)
            rx.stamp = (struct sonde_stamp){net->now, SONDE_CLOCK_USER};
        if (r == 0)
            engine_on_rx(net->engine, &rx);
        else
            engine_on_discard(net->engine, r);
        heap_set(&net->queue, slot, SONDE_NS_NEVER);
        net->free_arrivals[net->free_count++] = slot;
        pull_events(net);
    }
}

/* Take an attempt back. @return false if that, and what was taken behind it, has to wait. */
static bool send_release(struct net *net, const struct sonde_tx *tx)
{
    int error = net->on_release != NULL ? net->on_release(net, tx) : 0;
    const struct sonde_sent sent = {.stamp = {net->now, SONDE_CLOCK_SIMULATED}, .error = error};
    net->releases += error == 0;
    engine_on_sent(net->engine, tx->handle, &sent);
    return !is_later(error);
}

/* Send a probe. @return false if it, and what was taken behind it, has to wait. */
static bool send_probe(struct net *net, const struct sonde_tx *tx)
{
    if (tx->handle == ENGINE_NO_PROBE)
        return send_release(net, tx);
    int error = net->on_send != NULL ? net->on_send(net, tx) : 0;
    const struct net_probe probe = {
        .target = net_target_of(tx),
        .service = net_service_of(tx),
        .ttl = tx->ttl,
        .sent_ns = net->now,
        .size_bytes = (uint16_t)packet_size(tx),
        .ecn = tx->tos & IP_ECN_MASK,
        .dont_fragment = tx->dont_fragment,
        .is_blind = net_is_blind(tx),
    };
    if (!is_later(error))
        note_sent(net, &probe);
    const struct sonde_sent sent = {.stamp = {net->now, SONDE_CLOCK_SIMULATED}, .error = error};
    engine_on_sent(net->engine, tx->handle, &sent);
    pull_events(net);
    if (error == 0)
        net->on_probe(net, tx);
    return !is_later(error);
}

/* Take probes as often as there are any, up to net->batch at once. */
static void send_due(struct net *net)
{
    static uint8_t bufs[ENGINE_BATCH][PROBE_SIZE_MAX];
    struct sonde_tx txs[ENGINE_BATCH];
    uint32_t count;
    do {
        count = 0;
        while (count < net->batch &&
               engine_next_tx(net->engine, net->now, bufs[count], &txs[count]) == 0)
            count++;
        uint32_t sent = 0;
        while (sent < count && send_probe(net, &txs[sent]))
            sent++;
    } while (count > 0);
}

void net_turn(struct net *net)
{
    bool over = engine_ended(net->run) != ENGINE_RUNNING;
    uint64_t events = net->events;
    uint64_t sent = net->sent + net->releases;
    deliver_due(net);
    while (engine_on_time(net->engine, net->now))
        pull_events(net);
    pull_events(net);
    send_due(net);
    if (over)
        cr_assert_eq(net->events, events, "something was said after the end");
    if (net->events > events || net->sent + net->releases > sent)
        net->stalls = 0;
}

/* When something happens next. */
static sonde_ns wake_ns(struct net *net)
{
    sonde_ns wake = engine_deadline_ns(net->engine);
    if (heap_time(&net->queue) < wake)
        wake = heap_time(&net->queue);
    cr_assert(net->open || wake != SONDE_NS_NEVER, "the engine waits for nothing");
    net->stalls = wake > net->now ? 0 : net->stalls + 1;
    cr_assert_leq(net->stalls, STALLS_ALLOWED, "the engine wants to be woken and does nothing");
    return wake > net->now ? wake : net->now;
}

void net_run_until(struct net *net, sonde_ns until)
{
    net_turn(net);
    while (engine_ended(net->run) == ENGINE_RUNNING) {
        sonde_ns wake = wake_ns(net);
        if (wake > until)
            break;
        net->now = wake;
        net_turn(net);
    }
    if (net->now < until && engine_ended(net->run) == ENGINE_RUNNING)
        net->now = until;
}

void net_run(struct net *net)
{
    net_run_until(net, net->now + 3600 * S);
    cr_assert_neq(engine_ended(net->run), ENGINE_RUNNING, "the run does not end");
}

size_t net_count(const struct net *net, uint32_t service, uint8_t ttl, bool to_target)
{
    size_t count = 0;
    for (size_t i = 0; i < net->probe_count; i++) {
        const struct net_probe *probe = &net->probes[i];
        count += probe->ended && !probe->unawaited && probe->to_target == to_target &&
                 (service == UINT32_MAX || probe->service == service) &&
                 (ttl == 0 || probe->ttl == ttl);
    }
    return count;
}

size_t net_outcomes(const struct net *net, enum sonde_outcome outcome)
{
    size_t count = 0;
    for (size_t i = 0; i < net->probe_count; i++)
        count +=
            net->probes[i].ended && !net->probes[i].unawaited && net->probes[i].outcome == outcome;
    return count;
}

size_t net_unawaited(const struct net *net)
{
    size_t count = 0;
    for (size_t i = 0; i < net->probe_count; i++)
        count += net->probes[i].unawaited;
    return count;
}

struct engine_discards net_discard_counts(const struct net *net)
{
    struct engine_discards counts = *engine_run_discards(net->run);
    for (int reason = 0; reason < SONDE_DISCARD_COUNT; reason++)
        counts.count[reason] += engine_discards(net->engine)->count[reason];
    return counts;
}

uint64_t net_discards(const struct net *net)
{
    const struct engine_discards counts = net_discard_counts(net);
    uint64_t sum = 0;
    for (int reason = 0; reason < SONDE_DISCARD_COUNT; reason++)
        sum += counts.count[reason];
    return sum;
}
