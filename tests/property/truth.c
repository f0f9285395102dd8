/* SPDX-License-Identifier: BSD-2-Clause */
/* Ways and fates; see tests/property/truth.h. */
#include "tests/property/truth.h"

#include "wire/icmp.h"

#include <stdlib.h>

static const struct sonde_addr *address_of(const struct sim_node *node, enum sonde_family family)
{
    return family == SONDE_FAMILY_IPV6 ? &node->addr6 : &node->addr4;
}

uint32_t truth_place(const struct sim_scenario *scenario, const struct way *way,
                     const struct sonde_addr *addr, uint8_t ttl)
{
    for (uint32_t i = 0; i < way->len; i++) {
        const struct sim_node *node = &scenario->nodes[way->nodes[i]];
        if (!sonde_addr_equal(address_of(node, addr->family), addr))
            continue;
        return i == way->host && ttl != i + 1 ? way->len - 1 : i;
    }
    return UINT32_MAX;
}

static uint32_t place_on(const struct sim_path *path, uint16_t node)
{
    uint32_t at = 0;
    while (at < path->step_count && path->steps[at].node != node)
        at++;
    return at;
}

uint32_t truth_back(const struct way *way, uint32_t place, uint16_t *ret_nodes)
{
    uint32_t count = 0;
    const struct sim_path *back = way->back;
    uint32_t from = back != NULL ? place_on(back, way->nodes[place]) + 1 : 0;
    bool is_host = place >= way->host;
    bool as_it_came = back == NULL || (!is_host && from > back->step_count);
    for (; place > 0 && (as_it_came || place > way->host); place--)
        ret_nodes[count++] = way->nodes[place - 1];
    for (uint32_t at = is_host ? 0 : from; !as_it_came && at < back->step_count; at++)
        ret_nodes[count++] = (uint16_t)back->steps[at].node;
    return count;
}

bool truth_is_unclear(const struct sim_scenario *scenario, const struct sim_node *node)
{
    bool translated = false;
    for (uint32_t i = 0; i < scenario->node_count; i++)
        translated |= scenario->nodes[i].nat_port_shift != 0;
    return translated && node->quote_bytes != 0;
}

bool truth_is_split(const struct truth *truth)
{
    for (uint32_t i = 1; i < truth->count; i++) {
        if (truth->ways[i].from_ns == truth->ways[i - 1].from_ns)
            return true;
    }
    return false;
}

bool truth_is_spread(const struct truth *truth)
{
    for (uint32_t i = 1; i < truth->count; i++) {
        if (truth->ways[i].from_ns == truth->ways[i - 1].from_ns &&
            (truth->ways[i].fate != truth->ways[i - 1].fate ||
             truth->ways[i].place != truth->ways[i - 1].place))
            return true;
    }
    return false;
}

bool truth_has(const struct truth *truth, enum fate_kind fate)
{
    for (uint32_t i = 0; i < truth->count; i++) {
        if (truth->ways[i].fate == fate)
            return true;
    }
    return false;
}

void truth_clean(struct sim_scenario *scenario)
{
    scenario->rule_count = 0;
    for (uint32_t i = 0; i < scenario->path_count; i++) {
        if (scenario->paths[i].back)
            scenario->paths[i].from_ns = SONDE_NS_NEVER;
    }
    for (uint32_t i = 0; i < scenario->node_count; i++) {
        struct sim_node *node = &scenario->nodes[i];
        node->silent = node->dead = false;
        node->limit = (struct sim_limit){0};
        node->quote_bytes = 0;
        node->ext.count = 0;
        node->initial_ttl = 255;
        node->nat4 = node->nat6 = node->from4 = node->from6 = (struct sonde_addr){0};
    }
    for (uint32_t i = 0; i < scenario->path_count; i++) {
        for (uint32_t k = 0; k < scenario->paths[i].step_count; k++)
            scenario->paths[i].steps[k].per_packet = false;
    }
}

/* Is a rule about such a packet? */
static bool is_about(const struct sim_rule *rule, enum sim_what what, uint16_t port)
{
    enum sim_what about = rule->what == SIM_SYN && !rule->back ? SIM_TCP : rule->what;
    return about == SIM_ANY || (about == what && (rule->port == 0 || rule->port == port));
}

static bool is_total(const struct sim_rule *rule)
{
    return rule->mask_len == 0 && rule->chance_ppm >= 1000000 && rule->burst_ns == 0 &&
           rule->limit.interval_ns == 0;
}

/* The share that a rule takes which does not take all. */
static double share_of(const struct sim_rule *rule)
{
    double share = rule->chance_ppm / 1e6;
    if (rule->mask_len != 0)
        share *= __builtin_popcountll(rule->mask) / (double)rule->mask_len;
    if (rule->burst_ns != 0)
        share *= (double)rule->burst_ns / (double)(rule->burst_ns + rule->pause_ns);
    return share;
}

static void add_loss(const struct sim_rule *rule, uint32_t place, struct way *way)
{
    if (place < way->len)
        way->lossy |= UINT64_C(1) << place;
    way->bursty |= rule->burst_ns != 0;
    if (rule->limit.interval_ns != 0)
        way->limited = true;
    else
        way->loss = 1 - (1 - way->loss) * (1 - share_of(rule));
}

static enum sim_what what_of(uint8_t protocol)
{
    return protocol == IP_PROTO_TCP ? SIM_TCP : protocol == IP_PROTO_UDP ? SIM_UDP : SIM_ECHO;
}

/* What a rule that takes all of a service's probes makes of them. */
static void end_by_rule(const struct sim_scenario *scenario, const struct sim_rule *rule,
                        const struct sonde_flow *flow, struct way *way)
{
    const struct sim_node *node = &scenario->nodes[rule->node];
    bool ipv6 = flow->dst.family == SONDE_FAMILY_IPV6;
    bool tcp = flow->protocol == IP_PROTO_TCP;
    way->fate = FATE_SILENT;
    if (rule->action == SIM_REJECT && !node->silent) {
        way->fate = FATE_REJECTED;
        way->rationed = node->limit.interval_ns > 0 || truth_is_unclear(scenario, node);
        way->code = (uint8_t)(rule->code >= 0 ? rule->code : ipv6 ? 1 : 13);
    } else if (tcp && rule->action == SIM_RESET) {
        way->fate = FATE_RESET;
    } else if (tcp && rule->action == SIM_ANSWER) {
        way->fate = FATE_FAKED;
    }
}

/* Go out along a way, up to who ends it. @return false if the host gets the probes. */
static bool go_out(const struct sim_scenario *scenario, const struct sonde_flow *flow,
                   struct way *way)
{
    bool dead = way->host < way->len && scenario->nodes[way->nodes[way->host]].dead;
    uint32_t most = dead ? way->host : way->len; /* nothing gets to a dead host */
    way->dead = dead;
    for (uint32_t place = 0; place < most; place++) {
        for (int hook = 0; hook < 2; hook++) {
            for (uint32_t i = 0; i < scenario->rule_count; i++) {
                const struct sim_rule *rule = &scenario->rules[i];
                if (rule->node != way->nodes[place] || rule->back ||
                    rule->prerouting != (hook == 0) ||
                    !is_about(rule, what_of(flow->protocol), flow->dst_port))
                    continue;
                if (!is_total(rule)) {
                    add_loss(rule, place, way);
                    continue;
                }
                way->place = place;
                end_by_rule(scenario, rule, flow, way);
                return true;
            }
        }
    }
    way->place = way->len - 1;
    if (way->loop_at == way->len)
        return false;
    way->fate = FATE_LOOP;
    way->place = way->loop_at;
    return true;
}

static const struct sim_port *find_port(const struct sim_node *host, const struct sonde_flow *flow)
{
    const struct sim_port *port = NULL;
    for (uint32_t i = 0; i < host->port_count; i++) {
        const struct sim_port *candidate = &host->ports[i];
        if (candidate->protocol == flow->protocol &&
            (candidate->port == flow->dst_port || (candidate->port == 0 && port == NULL)))
            port = candidate;
    }
    return port;
}

/* What the host does with a probe. */
static void arrive(const struct sim_scenario *scenario, const struct sonde_flow *flow,
                   struct way *way)
{
    const struct sim_node *host = &scenario->nodes[way->nodes[way->len - 1]];
    const struct sim_port *port = find_port(host, flow);
    enum sim_port_state state = port != NULL ? port->state : SIM_PORT_SILENT;
    way->dead |= host->dead;
    if (flow->protocol == IP_PROTO_ICMP)
        state = host->silent ? SIM_PORT_SILENT : SIM_PORT_ECHO;
    way->fate = FATE_ANSWERED;
    if (state == SIM_PORT_CLOSED)
        way->fate = FATE_CLOSED;
    bool by_error = state == SIM_PORT_CLOSED && flow->protocol == IP_PROTO_UDP;
    if (state == SIM_PORT_SILENT || (by_error && host->silent) || host->dead)
        way->fate = FATE_SILENT;
    way->rationed = by_error && host->limit.interval_ns > 0;
}

/* Does what a node sends, of a kind, get back from a place? What takes only some of it adds to the
 * loss of the way, if that is wanted. */
static bool gets_back(const struct sim_scenario *scenario, struct way *way, uint32_t place,
                      enum sim_what what, uint16_t port)
{
    uint16_t nodes[TRUTH_NODES_MAX];
    uint32_t count = truth_back(way, place, nodes);
    for (uint32_t k = 0; k < count; k++) {
        for (uint32_t i = 0; i < scenario->rule_count; i++) {
            const struct sim_rule *rule = &scenario->rules[i];
            if (rule->node != nodes[k] || !rule->back || !is_about(rule, what, port))
                continue;
            uint32_t at = 0;
            while (at < way->len && way->nodes[at] != nodes[k])
                at++; /* it may be on the way back only */
            if (is_total(rule)) {
                way->place = at < way->len ? at : way->end;
                return false;
            }
            add_loss(rule, at, way);
            way->is_back = true;
        }
    }
    return true;
}

/* Go back from who answered. What takes an answer makes a silence of it. */
static void go_back(const struct sim_scenario *scenario, const struct sonde_flow *flow,
                    struct way *way)
{
    bool by_error =
        way->fate == FATE_REJECTED || (way->fate == FATE_CLOSED && flow->protocol == IP_PROTO_UDP);
    enum sim_what what = by_error ? SIM_ERROR : what_of(flow->protocol);
    if (gets_back(scenario, way, way->place, what, flow->dst_port))
        return;
    way->fate = FATE_SILENT;
    way->is_back = true;
}

/* Find out whose ICMP errors do not get back. */
static void find_mute(const struct sim_scenario *scenario, struct way *way)
{
    for (uint32_t place = 0; place < way->len; place++) {
        struct way tried = *way;
        if (!gets_back(scenario, &tried, place, SIM_ERROR, 0))
            way->mute |= UINT64_C(1) << place;
    }
}

static void follow(const struct sim_scenario *scenario, const struct sonde_flow *flow,
                   struct way *way)
{
    if (!go_out(scenario, flow, way))
        arrive(scenario, flow, way);
    way->end = way->place;
    find_mute(scenario, way);
    if (way->fate != FATE_SILENT && way->fate != FATE_LOOP)
        go_back(scenario, flow, way);
}

/* What lays out the ways of one path statement. */
struct layer {
    const struct sim_scenario *scenario;
    const struct sonde_flow *flow;
    const struct sim_path *path;
    bool met[TRUTH_NODES_MAX * TRUTH_NODES_MAX]; /* by node: does the flow meet it? */
    struct truth *truth;
};

/* Find out which nodes the service's flow meets on this path. */
static void meet(struct layer *layer, struct sim_network *clean, const struct truth_flow *flow)
{
    const struct sim_scenario *scenario = clean->scenario;
    for (uint8_t ttl = 1; ttl < TRUTH_NODES_MAX; ttl++) {
        const struct sonde_tx tx = {
            .flow = &flow->flow, .segment = {flow->bytes, flow->len}, .ttl = ttl, .id = 1};
        sonde_ns time;
        sonde_ns now = layer->path->from_ns;
        if (network_send(clean, &tx, now) < 0)
            abort();
        struct sim_packet *reply = network_run(clean, now + 100 * SONDE_NS_PER_S, &time);
        struct sonde_rx rx;
        if (reply == NULL)
            return; /* it got to the host, which has no answer to it */
        if (packet_decode((struct sonde_span){reply->bytes, reply->len}, &rx) != 0)
            abort();
        bool arrived = sonde_addr_equal(&rx.from, &flow->flow.dst);
        for (uint32_t i = 0; !arrived && i < scenario->node_count; i++)
            layer->met[i] |=
                sonde_addr_equal(&rx.from, address_of(&scenario->nodes[i], rx.from.family));
        free(reply);
        if (arrived)
            return;
    }
}

/* Does the flow meet a node of the alternative that begins at a step?
 * @return 1 if so; 0 if not; -1 if it has no nodes. */
static int is_met(const struct layer *layer, uint32_t at)
{
    int met = -1;
    uint32_t depth = 0;
    for (;; at++) {
        const struct sim_step *step = &layer->path->steps[at];
        depth += step->kind == SIM_STEP_OPEN;
        if (depth == 0 && step->kind != SIM_STEP_NODE)
            return met;
        depth -= step->kind == SIM_STEP_CLOSE;
        if (step->kind == SIM_STEP_NODE && met < 1)
            met = layer->met[step->node];
    }
}

static void lay(const struct layer *layer, uint32_t at, struct way way);

/* Lay the rest of a way behind each alternative that may be taken of a group. Who meets none of
 * them has taken the empty one. */
static void lay_group(const struct layer *layer, uint32_t open, const struct way *way)
{
    const struct sim_step *steps = layer->path->steps;
    bool met_any = false;
    for (uint32_t at = open; steps[at].kind != SIM_STEP_CLOSE; at = steps[at].next)
        met_any |= is_met(layer, at + 1) == 1;
    for (uint32_t at = open; steps[at].kind != SIM_STEP_CLOSE; at = steps[at].next) {
        int met = is_met(layer, at + 1);
        if (steps[open].per_packet || met == 1 || (met < 0 && !met_any))
            lay(layer, at + 1, *way);
    }
}

/* The host that a path leads to, and the machine behind it that answers this port. Nothing gets
 * behind a host that nobody finds. */
static void add_host(const struct layer *layer, struct way *way)
{
    const struct sim_path *path = layer->path;
    const struct sim_node *host = &layer->scenario->nodes[path->host];
    const struct sim_port *port = find_port(host, layer->flow);
    way->host = way->len;
    way->nodes[way->len++] = (uint16_t)path->host;
    if (port != NULL && port->state == SIM_PORT_TO && !host->dead)
        way->nodes[way->len++] = (uint16_t)port->to;
    way->loop_at = way->len;
}

static const struct sim_path *find_back(const struct sim_scenario *scenario, uint32_t host)
{
    const struct sim_path *back = NULL;
    for (uint32_t i = 0; i < scenario->path_count; i++) {
        if (scenario->paths[i].back && scenario->paths[i].host == host)
            back = &scenario->paths[i];
    }
    return back;
}

/* Lay the rest of a way, from a step on; where packets are spread, lay all of them. */
static void lay(const struct layer *layer, uint32_t at, struct way way)
{
    const struct sim_path *path = layer->path;
    while (at < path->step_count) {
        const struct sim_step *step = &path->steps[at];
        switch (step->kind) {
        case SIM_STEP_NODE:
            if (step->loop_start)
                way.loop_at = way.len;
            way.nodes[way.len++] = (uint16_t)step->node;
            at++;
            break;
        case SIM_STEP_OPEN:
            lay_group(layer, at, &way);
            return;
        case SIM_STEP_OR:
            at = step->next;
            break;
        case SIM_STEP_CLOSE:
            at++;
            break;
        }
    }
    if (way.loop_at == UINT32_MAX)
        add_host(layer, &way);
    follow(layer->scenario, layer->flow, &way);
    if (layer->truth->count == TRUTH_WAYS_MAX)
        abort();
    layer->truth->ways[layer->truth->count++] = way;
}

void truth_find(const struct sim_scenario *scenario, struct sim_network *clean,
                const struct truth_flow *flow, sonde_ns until_ns, struct truth *ret_truth)
{
    for (uint32_t i = 0; i < scenario->path_count; i++) {
        struct layer layer = {
            .scenario = scenario,
            .flow = &flow->flow,
            .path = &scenario->paths[i],
            .truth = ret_truth,
        };
        if (layer.path->back || layer.path->from_ns > until_ns)
            continue;
        meet(&layer, clean, flow);
        lay(&layer, 0,
            (struct way){
                .from_ns = layer.path->from_ns,
                .loop_at = UINT32_MAX,
                .host = UINT32_MAX,
                .back = find_back(scenario, layer.path->host),
            });
    }
}
