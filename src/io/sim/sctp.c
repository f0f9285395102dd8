/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SCTP of simulated hosts, as far as an INIT gets: an INIT ACK, an ABORT, or word that the host has
 * no such protocol. As Linux does it (net/sctp/sm_statefuns.c, sctp_sf_do_5_1B_init() and
 * sctp_sf_tabort_8_4_8()) nothing is kept of an INIT: what the host needs to know later stands in
 * the cookie that it gives away.
 */
#include "wire/sctp.h"
#include "io/sim/network.h"

enum { WINDOW = 106496 /* that Linux offers */ };

/* What stands in an INIT ACK behind its fixed part. */
static const uint8_t cookie[] = {0, SCTP_PARAMETER_COOKIE, 0, 12, 'c', 'o', 'o', 'k', 'i', 'e', 0,
                                 0};

/** An INIT at a node, and what it needs for an answer. */
struct init {
    struct sim_network *network;
    uint32_t node;
    const struct sim_packet *packet;
    sonde_ns now;
    struct ip_header ip;
    struct sctp_packet sctp;
};

/* @return false if it is no INIT. */
static bool init_read(struct sim_network *network, uint32_t node, const struct sim_packet *packet,
                      sonde_ns now, struct init *ret_init)
{
    *ret_init = (struct init){.network = network, .node = node, .packet = packet, .now = now};
    return bytes_decode(packet, &ret_init->ip) && ret_init->ip.protocol == IP_PROTO_SCTP &&
           sctp_decode(ret_init->ip.payload, &ret_init->sctp) == 0 &&
           ret_init->sctp.chunk == SCTP_INIT && !ret_init->sctp.cut;
}

/* Answer with an INIT ACK, or an ABORT. Both have the tag that the INIT brought: RFC 9260 §8.5.1.
 */
static void answer(const struct init *init, bool open, uint8_t ttl)
{
    const struct sim_node *node = &init->network->scenario->nodes[init->node];
    struct prng *prng = network_prng(init->network, init->packet);
    uint8_t bytes[SCTP_HEADER_BYTES + SCTP_INIT_BYTES + sizeof cookie];
    struct wr wr = wr_init(bytes, sizeof bytes);
    struct sctp_packet sctp = {
        .src_port = init->sctp.dst_port,
        .dst_port = init->sctp.src_port,
        .tag = init->sctp.initiate_tag,
        .chunk = open ? SCTP_INIT_ACK : SCTP_ABORT,
    };
    if (open) {
        sctp.initiate_tag = (uint32_t)prng_next(prng) | 1; /* 0 is none */
        sctp.window_bytes = WINDOW;
        sctp.out_streams = sctp.in_streams = 10;
        sctp.tsn = (uint32_t)prng_next(prng);
    }
    sctp_encode(&wr, &sctp, (struct sonde_span){cookie, open ? sizeof cookie : 0});
    struct ip_header ip = {
        .src = node->is_host ? host_source(node, &init->ip.dst) : init->ip.dst,
        .protocol = IP_PROTO_SCTP,
        .ttl = ttl,
    };
    network_reply(init->network, init->node, init->packet, &ip, (struct sonde_span){bytes, wr.len},
                  init->now);
}

void sctp_answer(struct sim_network *network, const struct sim_rule *rule,
                 const struct sim_packet *packet, sonde_ns now)
{
    struct init init;
    uint8_t ttl = rule->ttl != 0 ? rule->ttl : network->scenario->nodes[rule->node].initial_ttl;
    if (init_read(network, rule->node, packet, now, &init))
        answer(&init, rule->action == SIM_ANSWER, ttl);
}

void sctp_receive(struct sim_network *network, uint32_t index, const struct sim_packet *packet,
                  sonde_ns now)
{
    const struct sim_node *node = &network->scenario->nodes[index];
    struct init init;
    if (!init_read(network, index, packet, now, &init))
        return;
    const struct sim_port *port =
        host_find_port(node, IP_PROTO_SCTP, init.sctp.dst_port, (struct sonde_span){NULL, 0});
    if (port != NULL && port->state == SIM_PORT_ABSENT)
        network_lacks_protocol(network, index, packet, now);
    else if (port != NULL && port->state != SIM_PORT_SILENT)
        answer(&init, port->state == SIM_PORT_OPEN, host_initial_ttl(node, port));
}
