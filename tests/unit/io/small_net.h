/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A simulated network under test: packets are sent into it at a time, and what comes back is taken
 * out one by one, in the order of time. The host that is asked has the address 203.0.113.1, the
 * vantage 192.0.2.1.
 */
#ifndef TESTS_UNIT_IO_SMALL_NET_H
#define TESTS_UNIT_IO_SMALL_NET_H

#include "base/time.h"
#include "io/sim/network.h"
#include "wire/sctp.h"

#define MS SONDE_NS_PER_MS
#define SMALL_NET_VANTAGE "vantage v 192.0.2.1 2001:db8::1\n"

struct small_net {
    struct sim_network network;
    struct sim_scenario *scenario;
    struct sim_packet *packet; /* what arrived last */
};

/** Something that has come back. Its spans are valid until the next one is taken. */
struct arrival {
    sonde_ns time_ns;
    struct ip_header ip;     /* as it arrived */
    struct sonde_rx rx;      /* what a transport makes of it */
    struct tcp_header tcp;   /* if it is TCP */
    struct sctp_packet sctp; /* if it is SCTP */
};

/** Put a scenario in motion; end it with small_net_close(). A test fails if it is none. */
void small_net_open(struct small_net *net, const char *text);
void small_net_close(struct small_net *net);

/** Send a SYN with a sequence number and a timestamp from port 40000 at @p now. */
void small_net_syn(struct small_net *net, sonde_ns now, uint16_t port, uint32_t isn, uint32_t ts);

/** Send an SCTP packet of one chunk from port 40000 to a port. @param packet  All but the ports.
 *  @param damaged  Its checksum is wrong. */
void small_net_sctp(struct small_net *net, sonde_ns now, uint16_t port, uint8_t ttl,
                    const struct sctp_packet *packet, bool damaged);

/** Send a datagram from a port to a port. */
void small_net_ask(struct small_net *net, sonde_ns now, uint16_t from, uint16_t to, uint8_t ttl,
                   const char *question);

/** @return What comes back next, but not after @p until; packet NULL in the net if nothing does. */
bool small_net_recv(struct small_net *net, sonde_ns until, struct arrival *ret_arrival);

/** @return How many arrivals come until a time; they are thrown away. */
unsigned small_net_count(struct small_net *net, sonde_ns until);

#endif
