/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sends probes of one flow, each with a format of its own, through a transport, and prints what it
 * made of them. What was on the wire is for test_format.py to see.
 *
 * formats raw|unprivileged MODULE ADDRESS PORT FORMAT...
 *
 * A format is TTL,SIZE,ECN,DF. Output, a line each: the source port of the flow; of each probe
 * "sent TOKEN ERRNO"; of each arrival "came TOKEN|- TYPE CODE", or "came TOKEN|- answer", and
 * behind that "quoted ECN DF" if that is known. It ends by itself, a second after the last probe.
 */
#include "base/time.h"
#include "io/clock.h"
#include "io/linux/unprivileged.h"
#include "probe/probe.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DSCP = 10, PROBES_MAX = 16 };

static struct sonde_transport *open_transport(bool raw, uint8_t protocol)
{
    struct sonde_transport *transport = NULL;
    const struct linux_config config = {.protocols = {protocol}, .protocol_count = 1};
    bool icmp = true;
    int r = raw ? linux_new(&config, &transport) : unprivileged_new(&config, &transport, &icmp);
    if (r < 0 || !icmp) {
        (void)fprintf(stderr, "no transport: %s\n", strerror(-r));
        exit(2);
    }
    return transport;
}

static struct sonde_format read_format(const char *text)
{
    unsigned numbers[4] = {0};
    for (int i = 0; i < 4; i++) {
        char *end;
        numbers[i] = (unsigned)strtoul(text, &end, 10);
        text = *end == ',' ? end + 1 : end;
    }
    return (struct sonde_format){.ttl = (uint8_t)numbers[0],
                                 .size_bytes = (uint16_t)numbers[1],
                                 .ecn = (uint8_t)numbers[2],
                                 .dont_fragment = numbers[3] != 0};
}

static void tell(const struct sonde_probe_ops *ops, const struct sonde_spec *spec,
                 const struct sonde_rx *rx)
{
    struct sonde_match match;
    int r = ops->match(spec, rx, &match);
    if (r != 0) {
        printf("discarded %s\n", sonde_discard_name((enum sonde_discard)r));
        return;
    }
    uint32_t token = rx->attributed ? rx->token : match.token;
    if (match.has_token || rx->attributed)
        printf("came %u", token);
    else
        printf("came -");
    if (rx->kind == SONDE_RX_ANSWER)
        printf(" answer");
    else
        printf(" %u %u", rx->icmp_type, rx->icmp_code);
    if (rx->kind == SONDE_RX_ERROR && rx->quote.has_header)
        printf(" quoted %d %d", rx->quote.tos & IP_ECN_MASK, rx->quote.dont_fragment);
    printf("\n");
}

/* Take what comes until a time. */
static void listen_until(struct sonde_transport *transport, const struct sonde_probe_ops *ops,
                         const struct sonde_spec *spec, sonde_ns until_ns)
{
    static struct sonde_rx rx;
    sonde_ns now = clock_monotonic_ns();
    do {
        int r = transport->ops->recv(transport, now, &rx);
        if (r == 0)
            tell(ops, spec, &rx);
        else if (r == -EAGAIN && transport->ops->wait(transport, until_ns, &now) < 0)
            return;
        now = clock_monotonic_ns();
    } while (now < until_ns);
}

int main(int argc, char **argv)
{
    static uint8_t buf[PROBE_SIZE_MAX];
    const struct sonde_probe_ops *ops = argc > 5 ? probe_by_name(argv[2]) : NULL;
    struct sonde_spec spec = {.dscp = DSCP,
                              .cookie = UINT64_C(0x0123456789abcdef),
                              .flow_label = 0xabcde,
                              .id_base = 1000};
    if (ops == NULL || argc - 5 > PROBES_MAX || sonde_addr_parse(argv[3], &spec.flow.dst) != 0)
        return 2;
    struct sonde_transport *transport = open_transport(strcmp(argv[1], "raw") == 0, ops->protocol);
    spec.flow.protocol = ops->protocol;
    spec.flow.dst_port = ops->has_ports ? (uint16_t)strtoul(argv[4], NULL, 10) : 0;
    spec.flow.src_port = ops->has_ports ? 0 : 4321;
    int r = transport->ops->bind(transport, &spec.flow, 0);
    printf("port %u\n", spec.flow.src_port);
    for (int i = 5; r == 0 && i < argc; i++) {
        const struct sonde_format format = read_format(argv[i]);
        const struct probe_name name = {.token = (uint32_t)i - 4};
        struct sonde_tx tx;
        struct sonde_sent sent;
        r = ops->build(&spec, &format, &name, buf, sizeof buf, &tx);
        if (r == 0 && transport->ops->send(transport, &tx, 1, &sent) == 1)
            printf("sent %u %d\n", name.token, -sent.error);
    }
    if (r == 0)
        listen_until(transport, ops, &spec, ns_add(clock_monotonic_ns(), SONDE_NS_PER_S));
    transport->ops->free(transport);
    return r == 0 ? 0 : 2;
}
