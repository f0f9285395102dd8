/* SPDX-License-Identifier: BSD-2-Clause */
/* What nodes do to packets that pass: the rules of a scenario in motion. */
#include "base/time.h"
#include "io/sim/network.h"
#include "wire/icmp.h"

#include <math.h>

/* What a rule can match by. */
struct subject {
    enum sim_what what; /* SIM_TCP also of a SYN */
    bool is_syn;
    uint16_t port; /* the service's: destination on the way out, source on the way back */
};

enum { FLAGS_AT = 13 /* bytes into a TCP header */ };

static bool subject_of(const struct sim_packet *packet, struct subject *ret_subject)
{
    struct ip_header ip;
    if (!bytes_decode(packet, &ip) || ip.payload.len < 4)
        return false;
    const uint8_t *segment = ip.payload.data;
    struct subject subject = {SIM_ANY, false, 0};
    switch (ip.protocol) {
    case IP_PROTO_TCP:
    case IP_PROTO_UDP:
    case IP_PROTO_SCTP:
        subject.what = ip.protocol == IP_PROTO_TCP   ? SIM_TCP
                       : ip.protocol == IP_PROTO_UDP ? SIM_UDP
                                                     : SIM_SCTP;
        subject.is_syn = ip.protocol == IP_PROTO_TCP && ip.payload.len > FLAGS_AT &&
                         segment[FLAGS_AT] == TCP_SYN;
        segment += packet->back ? 0 : 2;
        subject.port = (uint16_t)(segment[0] << 8 | segment[1]);
        break;
    case IP_PROTO_ICMP:
    case IP_PROTO_ICMPV6:
        subject.what =
            icmp_classify(ip.src.family, segment[0]) == ICMP_ERROR ? SIM_ERROR : SIM_ECHO;
        break;
    default:
        break;
    }
    *ret_subject = subject;
    return true;
}

/* The bit of a mask that a packet meets. What is aside is not counted: it meets any of them. */
static bool mask_next(struct sim_network *network, struct sim_rule *rule,
                      const struct sim_packet *packet)
{
    uint32_t at = rule->mask_at;
    if (packet->aside)
        at = prng_below(&network->aside_prng, rule->mask_len);
    else
        rule->mask_at = (at + 1) % rule->mask_len;
    return (rule->mask >> at & 1) != 0;
}

/* A length of time of an exponential distribution. */
static sonde_ns draw_span(struct sim_rule *rule, sonde_ns mean)
{
    struct prng prng = {rule->dice};
    double uniform = ((double)(prng_next(&prng) >> 11) + 1) * 0x1p-53; /* above 0, up to 1 */
    rule->dice = prng.state;
    return (sonde_ns)(-log(uniform) * (double)mean) + 1;
}

/* Is there a burst now? They come and go with time, whether or not anybody looks: so they have
 * dice of their own, and are the same whatever is sent. */
static bool is_bursting(struct sim_network *network, struct sim_rule *rule, sonde_ns now)
{
    if (rule->switch_ns == 0) {
        rule->dice = mix64(network->scenario->seed ^ (uint64_t)(rule - network->scenario->rules));
        rule->is_bursting = draw_span(rule, rule->burst_ns) > draw_span(rule, rule->pause_ns);
        rule->switch_ns = draw_span(rule, rule->is_bursting ? rule->burst_ns : rule->pause_ns);
    }
    while (rule->switch_ns <= now) {
        rule->is_bursting = !rule->is_bursting;
        sonde_ns span = draw_span(rule, rule->is_bursting ? rule->burst_ns : rule->pause_ns);
        rule->switch_ns = ns_add(rule->switch_ns, span);
    }
    return rule->is_bursting;
}

static bool is_about(const struct sim_rule *rule, const struct subject *subject)
{
    if (rule->what == SIM_ANY)
        return true;
    bool fits = rule->what == SIM_SYN ? subject->is_syn : rule->what == subject->what;
    return fits && (rule->port == 0 || rule->port == subject->port);
}

/* Is the rule for this packet? Masks, chances and limits count only packets that it speaks of. */
static bool rule_matches(struct sim_network *network, struct sim_rule *rule,
                         const struct sim_packet *packet, const struct subject *subject,
                         sonde_ns now)
{
    if (!is_about(rule, subject) || now < rule->from_ns || now >= rule->until_ns)
        return false;
    if (rule->mask_len > 0 && !mask_next(network, rule, packet))
        return false;
    if (rule->burst_ns != 0 && !is_bursting(network, rule, now))
        return false;
    if (rule->chance_ppm < 1000000 &&
        prng_below(network_prng(network, packet), 1000000) >= rule->chance_ppm)
        return false;
    return rule->limit.interval_ns == 0 || !limit_allows(&rule->limit, now);
}

/* Does a device that answers a packet look at its checksum first? Linux does so before it rejects,
 * but not for SCTP: include/net/netfilter/nf_reject.h, nf_reject_verify_csum(). */
static bool is_unanswered(const struct sim_rule *rule, const struct sim_packet *packet)
{
    struct subject subject;
    if (rule->action == SIM_REJECT)
        return subject_of(packet, &subject) && subject.what != SIM_SCTP;
    return rule->action == SIM_RESET || rule->action == SIM_ANSWER;
}

static enum sim_fate rule_act(struct sim_network *network, const struct sim_rule *rule,
                              struct sim_packet *packet, sonde_ns now)
{
    bool ipv6 = packet->bytes[0] >> 4 == 6;
    if (packet->damaged && is_unanswered(rule, packet))
        return SIM_GONE;
    switch (rule->action) {
    case SIM_DROP:
        return SIM_GONE;
    case SIM_REJECT:
        network_error(network, rule->node, packet, ipv6 ? ICMP6_UNREACHABLE : ICMP4_UNREACHABLE,
                      network_reject_code(packet, rule->code), now);
        return SIM_GONE;
    case SIM_RESET:
    case SIM_ANSWER:
        tcp_answer(network, rule, packet, now);
        sctp_answer(network, rule, packet, now);
        return SIM_GONE;
    case SIM_DUPLICATE:
        network_copy(network, packet, ns_add(now, 1));
        return SIM_PASS;
    case SIM_TRUNCATE:
        bytes_truncate(packet, rule->amount);
        return SIM_PASS;
    case SIM_FORGE:
        bytes_forge(packet);
        return SIM_PASS;
    case SIM_HOLD:
        network_copy(network, packet, ns_add(now, rule->hold_ns));
        return SIM_GONE;
    case SIM_FAIL:
        break; /* stands at the vantage only */
    }
    return SIM_PASS;
}

int rules_fail(struct sim_network *network, const struct sim_packet *packet, sonde_ns now)
{
    struct sim_scenario *scenario = network->scenario;
    struct subject subject;
    if (!subject_of(packet, &subject))
        return 0;
    for (uint32_t i = 0; i < scenario->rule_count; i++) {
        struct sim_rule *rule = &scenario->rules[i];
        if (rule->node == SIM_NODE_VANTAGE && rule_matches(network, rule, packet, &subject, now))
            return -rule->error;
    }
    return 0;
}

enum sim_fate rules_apply(struct sim_network *network, uint32_t node, bool prerouting,
                          struct sim_packet *packet, sonde_ns now)
{
    struct sim_scenario *scenario = network->scenario;
    for (uint32_t i = packet->next_rule; i < scenario->rule_count; i++) {
        struct sim_rule *rule = &scenario->rules[i];
        struct subject subject;
        packet->next_rule = i + 1; /* a copy goes on from here */
        if (rule->node != node || rule->back != packet->back || rule->prerouting != prerouting ||
            !subject_of(packet, &subject) || !rule_matches(network, rule, packet, &subject, now))
            continue;
        if (rule_act(network, rule, packet, now) == SIM_GONE)
            return SIM_GONE;
    }
    packet->next_rule = 0;
    return SIM_PASS;
}
