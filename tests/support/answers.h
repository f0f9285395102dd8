/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Answers to probes as whole packets, for tests: what a host, a server or a router sends back.
 *
 * They are put together with the wire floor and go through packet_decode(), as if they had come
 * from a raw socket. What the answer is to is a struct sonde_tx; a test that wants a quote or an
 * echo falsified changes a copy of it.
 */
#ifndef TESTS_ANSWERS_H
#define TESTS_ANSWERS_H

#include "wire/packet.h"
#include "wire/sctp.h"
#include "wire/tcp.h"

enum { ANSWER_TTL = 60 /* of every answer, as it arrives */ };

/**
 * Write an echo reply with the identifier, sequence and payload of a request.
 * @param wr    Receives the packet.
 * @param from  Who sends it; NULL = the address that was probed. So in all functions below.
 */
void answer_echo(struct wr *wr, const struct sonde_tx *tx, const struct sonde_addr *from);

/** Write a TCP segment to the probe's source. @param tcp  All but the ports. */
void answer_tcp(struct wr *wr, const struct sonde_tx *tx, const struct sonde_addr *from,
                const struct tcp_header *tcp);

/** Write an SCTP packet of one chunk, without parameters, to the probe's source. @param packet  All
 *  but the ports. */
void answer_sctp(struct wr *wr, const struct sonde_tx *tx, const struct sonde_addr *from,
                 const struct sctp_packet *packet);

/** Write a UDP datagram to the probe's source. */
void answer_udp(struct wr *wr, const struct sonde_tx *tx, const struct sonde_addr *from,
                struct sonde_span payload);

/**
 * Write an ICMP error about a probe.
 * @param quote_len  Bytes of the probe's segment that are quoted, at most.
 */
void answer_error(struct wr *wr, const struct sonde_tx *tx, const struct sonde_addr *from,
                  uint8_t type, uint8_t code, size_t quote_len);

/** Decode a packet that has to be an answer; the test fails if it is not. */
void answer_decode(const struct wr *wr, struct sonde_rx *ret_rx);

#endif
