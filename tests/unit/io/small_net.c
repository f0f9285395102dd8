/* SPDX-License-Identifier: BSD-2-Clause */
/* See tests/unit/io/small_net.h. */
#include "tests/unit/io/small_net.h"

#include "wire/udp.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum { SOURCE_PORT = 40000 };

void small_net_open(struct small_net *net, const char *text)
{
    struct sim_error error = {0};
    const struct sonde_span span = {(const uint8_t *)text, strlen(text)};
    net->packet = NULL;
    cr_assert_eq(scenario_parse(span, &net->scenario, &error), 0, "line %u: %s", error.line,
                 error.text);
    cr_assert_eq(network_init(&net->network, net->scenario), 0);
}

void small_net_close(struct small_net *net)
{
    free(net->packet);
    network_deinit(&net->network);
    scenario_free(net->scenario);
}

static void send_segment(struct small_net *net, sonde_ns now, struct sonde_flow *flow, uint8_t ttl,
                         const struct wr *segment)
{
    flow->src = net->scenario->vantage4;
    cr_assert_eq(sonde_addr_parse("203.0.113.1", &flow->dst), 0);
    if (flow->protocol != IP_PROTO_SCTP) /* which has one already, right or wrong */
        bytes_checksum(segment->data, segment->len, flow->protocol, &flow->src, &flow->dst);
    const struct sonde_tx tx = {
        .flow = flow, .segment = {segment->data, segment->len}, .ttl = ttl, .id = 1};
    cr_assert_eq(network_send(&net->network, &tx, now), 0);
}

void small_net_syn(struct small_net *net, sonde_ns now, uint16_t port, uint32_t isn, uint32_t ts)
{
    uint8_t bytes[TCP_HEADER_BYTES + TCP_OPTIONS_MAX];
    struct wr wr = wr_init(bytes, sizeof bytes);
    const struct tcp_header syn = {
        .src_port = SOURCE_PORT,
        .dst_port = port,
        .seq = isn,
        .flags = TCP_SYN,
        .window = 64240,
        .options = {.has_timestamps = true, .ts_value = ts, .window_scale = -1},
    };
    tcp_encode(&wr, &syn);
    struct sonde_flow flow = {.protocol = IP_PROTO_TCP, .src_port = SOURCE_PORT, .dst_port = port};
    send_segment(net, now, &flow, 64, &wr);
}

void small_net_sctp(struct small_net *net, sonde_ns now, uint16_t port, uint8_t ttl,
                    const struct sctp_packet *packet, bool damaged)
{
    uint8_t bytes[64];
    struct wr wr = wr_init(bytes, sizeof bytes);
    struct sctp_packet sent = *packet;
    sent.src_port = SOURCE_PORT;
    sent.dst_port = port;
    sctp_encode(&wr, &sent, (struct sonde_span){NULL, 0});
    sctp_patch_checksum(&wr, sctp_checksum((struct sonde_span){bytes, wr.len}) ^ damaged);
    cr_assert(wr_ok(&wr));
    struct sonde_flow flow = {.protocol = IP_PROTO_SCTP, .src_port = SOURCE_PORT, .dst_port = port};
    send_segment(net, now, &flow, ttl, &wr);
}

void small_net_ask(struct small_net *net, sonde_ns now, uint16_t from, uint16_t to, uint8_t ttl,
                   const char *question)
{
    uint8_t bytes[256];
    struct wr wr = wr_init(bytes, sizeof bytes);
    udp_encode(&wr, from, to, strlen(question));
    wr_bytes(&wr, question, strlen(question));
    cr_assert(wr_ok(&wr));
    struct sonde_flow flow = {.protocol = IP_PROTO_UDP, .src_port = from, .dst_port = to};
    send_segment(net, now, &flow, ttl, &wr);
}

bool small_net_recv(struct small_net *net, sonde_ns until, struct arrival *ret_arrival)
{
    free(net->packet);
    net->packet = network_run(&net->network, until, &ret_arrival->time_ns);
    if (net->packet == NULL)
        return false;
    cr_assert(bytes_decode(net->packet, &ret_arrival->ip));
    ret_arrival->tcp = (struct tcp_header){0};
    if (ret_arrival->ip.protocol == IP_PROTO_TCP)
        cr_assert_eq(tcp_decode(ret_arrival->ip.payload, &ret_arrival->tcp), 0);
    ret_arrival->sctp = (struct sctp_packet){0};
    if (ret_arrival->ip.protocol == IP_PROTO_SCTP)
        cr_assert_eq(sctp_decode(ret_arrival->ip.payload, &ret_arrival->sctp), 0);
    (void)!packet_decode((struct sonde_span){net->packet->bytes, net->packet->len},
                         &ret_arrival->rx);
    return true;
}

unsigned small_net_count(struct small_net *net, sonde_ns until)
{
    unsigned count = 0;
    struct arrival arrival;
    while (small_net_recv(net, until, &arrival))
        count++;
    return count;
}
