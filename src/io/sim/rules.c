/* SPDX-License-Identifier: BSD-2-Clause */
/* What nodes do to packets that pass: the rules of a scenario in motion. */
#include "base/time.h"
#include "io/sim/network.h"
#include "wire/icmp.h"

#include <string.h>

/* What a rule can match by. */
struct subject {
    enum sim_what what;
    uint16_t port; /* the service's: destination on the way out, source on the way back */
};

static bool subject_of(const struct sim_packet *packet, struct subject *ret_subject)
{
    struct ip_header ip;
    if (!bytes_decode(packet, &ip) || ip.payload.len < 4)
        return false;
    const uint8_t *segment = ip.payload.data;
    struct subject subject = {SIM_ANY, 0};
    switch (ip.protocol) {
    case IP_PROTO_TCP:
    case IP_PROTO_UDP:
        subject.what = ip.protocol == IP_PROTO_TCP ? SIM_TCP : SIM_UDP;
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

/* Does the rule speak of this packet? Masks and chances count only packets that it speaks of. */
static bool rule_matches(struct sim_network *network, struct sim_rule *rule,
                         const struct sim_packet *packet, const struct subject *subject,
                         sonde_ns now)
{
    if (rule->what != SIM_ANY &&
        (rule->what != subject->what || (rule->port != 0 && rule->port != subject->port)))
        return false;
    if (now < rule->from_ns || now >= rule->until_ns)
        return false;
    if (rule->mask_len > 0 && !mask_next(network, rule, packet))
        return false;
    return rule->chance_ppm >= 1000000 ||
           prng_below(network_prng(network, packet), 1000000) < rule->chance_ppm;
}

static enum sim_fate rule_act(struct sim_network *network, const struct sim_rule *rule,
                              struct sim_packet *packet, sonde_ns now)
{
    bool ipv6 = packet->bytes[0] >> 4 == 6;
    switch (rule->action) {
    case SIM_DROP:
        return SIM_GONE;
    case SIM_REJECT:
        network_error(network, rule->node, packet, ipv6 ? ICMP6_UNREACHABLE : ICMP4_UNREACHABLE,
                      network_reject_code(packet, rule->code), now);
        return SIM_GONE;
    case SIM_RESET:
    case SIM_ANSWER:
        tcp_answer(network, rule->node, packet, rule->action == SIM_ANSWER, now);
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
    struct subject subject;
    if (!subject_of(packet, &subject))
        return SIM_PASS;
    for (uint32_t i = packet->next_rule; i < scenario->rule_count; i++) {
        struct sim_rule *rule = &scenario->rules[i];
        packet->next_rule = i + 1; /* a copy goes on from here */
        if (rule->node != node || rule->back != packet->back || rule->prerouting != prerouting ||
            !rule_matches(network, rule, packet, &subject, now))
            continue;
        if (rule_act(network, rule, packet, now) == SIM_GONE)
            return SIM_GONE;
    }
    packet->next_rule = 0;
    return SIM_PASS;
}
