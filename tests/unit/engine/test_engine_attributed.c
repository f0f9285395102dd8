/* SPDX-License-Identifier: BSD-2-Clause */
/* Answers that the kernel itself attributes to a probe, because it had a socket of its own. */
#include "fake_net.h"

#include <criterion/criterion.h>
#include <string.h>

enum { SYNS = 3 };

/* The SYNs of a run in which nobody answers, as a transport keeps them. */
static struct {
    uint32_t token[SYNS];
    uint8_t bytes[SYNS][60];
    size_t len;
    uint32_t count;
} syns;

static void keep(struct net *net, const struct sonde_tx *tx)
{
    (void)net;
    if (syns.count == SYNS)
        return;
    syns.token[syns.count] = tx->token;
    syns.len = tx->segment.len;
    memcpy(syns.bytes[syns.count++], tx->segment.data, tx->segment.len);
}

/* Let three SYNs fly: one at full TTL, and two to hops. With a socket for each their answers name
 * them;
 * @p naming says how it is without. */
static struct net *fly(enum probe_naming naming)
{
    struct engine_plan plan = net_plan();
    struct net *net = net_new(&plan);
    net->naming[1] = naming;
    memset(&syns, 0, sizeof syns);
    net_add(net, "tcp");
    net->on_probe = keep;
    engine_start(net->run, 0);
    net_run_until(net, 50 * MS);
    cr_assert_eq(syns.count, SYNS);
    return net;
}

/* Something comes in about the flow, and the kernel says that it is about the second SYN, or says
 * nothing. @return the event that it makes; outcome SONDE_OUTCOME_NO_REPLY if it makes none. */
static struct sonde_event answer(struct net *net, bool attributed, struct sonde_rx *rx)
{
    struct engine_event popped;
    rx->stamp.time_ns = 60 * MS;
    rx->protocol = IP_PROTO_TCP;
    rx->remote = net_target_addr(net, 0);
    rx->local_port = NET_OWN_PORT;
    rx->remote_port = NET_PORT;
    rx->attributed = attributed;
    rx->token = syns.token[1];
    engine_on_rx(net->engine, rx);
    return engine_pop_event(net->engine, &popped) == 0
               ? popped.event
               : (struct sonde_event){.outcome = SONDE_OUTCOME_NO_REPLY};
}

static void expect_second(const struct net *net, const struct sonde_event *event,
                          enum sonde_outcome outcome)
{
    const struct net_probe *second = &net->probes[1];
    cr_expect_eq(event->outcome, outcome);
    cr_expect(!event->uncertain);
    cr_expect_eq(event->ttl, second->ttl);
    cr_expect_eq(event->sent_ns, second->sent_ns);
    cr_expect_eq(event->rtt_ns, 60 * MS - second->sent_ns);
}

/* A RST carries no timestamp, and so names no probe. RFC 9293 §3.10.7.3: it acknowledges the SYN.
 */
static struct sonde_rx rst_into(uint8_t *buf, size_t cap)
{
    struct tcp_header syn;
    cr_assert_eq(tcp_decode((struct sonde_span){syns.bytes[1], syns.len}, &syn), 0);
    const struct tcp_header rst = {
        .src_port = syn.dst_port,
        .dst_port = syn.src_port,
        .ack = syn.seq + 1,
        .flags = TCP_RST | TCP_ACK,
        .options.window_scale = -1,
    };
    struct wr wr = wr_init(buf, cap);
    tcp_encode(&wr, &rst);
    return (struct sonde_rx){.kind = SONDE_RX_ANSWER, .segment = {wr.data, wr.len}};
}

/* A time exceeded with the 8 bytes that RFC 792 asks for: no timestamp, and the kernel has stripped
 * the identification. */
static struct sonde_rx short_quote(void)
{
    return (struct sonde_rx){
        .kind = SONDE_RX_ERROR,
        .from = {.family = SONDE_FAMILY_IPV4, .bytes = {10, 1, 0, 1}},
        .icmp_type = 11,
        .quote = {.segment = {syns.bytes[1], 8}},
    };
}

/* The run is cut off where it is. */
static void end(struct net *net)
{
    engine_stop(net->run);
    net_free(net);
}

Test(attributed, a_reset_is_the_answer_to_the_probe_that_the_kernel_names)
{
    uint8_t bytes[64];
    struct net *net = fly(PROBE_NAMING_PROBE);
    struct sonde_rx rx = rst_into(bytes, sizeof bytes);
    struct sonde_event event = answer(net, true, &rx);
    expect_second(net, &event, SONDE_OUTCOME_CLOSED);
    end(net);
    /* without that it is of their attempt, which the first began; the others, whose checksum is
     * wrong, can have drawn nothing of a host */
    net = fly(PROBE_NAMING_ATTEMPT);
    rx = rst_into(bytes, sizeof bytes);
    event = answer(net, false, &rx);
    cr_expect_eq(event.outcome, SONDE_OUTCOME_CLOSED);
    cr_expect(net->probes[1].is_blind && net->probes[2].is_blind);
    cr_expect_eq(event.ttl, ENGINE_FULL_TTL);
    cr_expect_eq(event.sent_ns, net->probes[0].sent_ns);
    cr_expect_eq(event.rtt_ns, 60 * MS - net->probes[0].sent_ns);
    cr_expect_not(event.uncertain);
    end(net);
}

Test(attributed, a_short_quote_is_about_the_probe_that_the_kernel_names)
{
    struct net *net = fly(PROBE_NAMING_PROBE);
    struct sonde_rx rx = short_quote();
    struct sonde_event event = answer(net, true, &rx);
    expect_second(net, &event, SONDE_OUTCOME_TTL_EXCEEDED);
    end(net);
    net = fly(PROBE_NAMING_ATTEMPT);
    rx = short_quote();
    event = answer(net, false, &rx);
    cr_expect_eq(event.outcome, SONDE_OUTCOME_NO_REPLY);
    cr_expect_eq(net_discard_counts(net).count[SONDE_DISCARD_AMBIGUOUS], 1);
    end(net);
}

/* What the packet itself says goes first: the kernel knows the socket, and no more. The secret is
 * in the lower 20 bits of what is acknowledged. */
Test(attributed, an_answer_with_another_secret_is_nobodys)
{
    for (unsigned bit = 0; bit < 20; bit++) {
        uint8_t bytes[64];
        struct net *net = fly(PROBE_NAMING_PROBE);
        struct sonde_rx rx = rst_into(bytes, sizeof bytes);
        bytes[11 - bit / 8] ^= (uint8_t)(1 << bit % 8); /* the acknowledgment is at 8 to 11 */
        struct sonde_event event = answer(net, true, &rx);
        cr_expect_eq(event.outcome, SONDE_OUTCOME_NO_REPLY, "bit %u", bit);
        cr_expect_eq(net_discard_counts(net).count[SONDE_DISCARD_BAD_TOKEN], 1);
        end(net);
    }
}

/* The upper 12 bits name the attempt. Where nobody has made that one, it is nobody's. */
Test(attributed, an_answer_to_an_attempt_that_was_never_made_is_nobodys)
{
    for (unsigned bit = 20; bit < 32; bit++) {
        uint8_t bytes[64];
        struct net *net = fly(PROBE_NAMING_ATTEMPT);
        struct sonde_rx rx = rst_into(bytes, sizeof bytes);
        bytes[11 - bit / 8] ^= (uint8_t)(1 << bit % 8);
        struct sonde_event event = answer(net, false, &rx);
        cr_expect_eq(event.outcome, SONDE_OUTCOME_NO_REPLY, "bit %u", bit);
        cr_expect_eq(net_discard_counts(net).count[SONDE_DISCARD_UNKNOWN_PROBE], 1);
        end(net);
    }
}
