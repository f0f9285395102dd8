/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Six probes of ours, as a router sees them, and ICMP errors that quote them.
 *
 * The probes went from 192.0.2.1 to 198.51.100.2, or from 2001:db8::1 to 2001:db8::2, with TTL 1 as
 * they expired; the errors come from 203.0.113.9 or 2001:db8:9::9, with TTL 250 as they arrive.
 */
#ifndef TESTS_UNIT_WIRE_SAMPLES_H
#define TESTS_UNIT_WIRE_SAMPLES_H

#include "spell.h"
#include "wire/packet.h"

enum { SAMPLES = 6 };

struct sample {
    const char *name;
    enum sonde_family family;
    uint8_t number;   /* the protocol's number in this family's header */
    uint8_t protocol; /* as a flow has it */
    uint16_t remote_port;
    const char *segment;
};

/** IPv4 and IPv6, each ICMP, UDP and TCP; the local port or echo identifier is SAMPLE_PORT. */
extern const struct sample samples[SAMPLES];

enum { SAMPLE_PORT = 0xc0de };

/** An ICMP message to decode. */
struct message {
    uint8_t type;
    uint8_t code;
    uint32_t info;
    struct sonde_span body;
};

/** @return Bytes of the IP header in the sample's quote. */
size_t sample_header_len(const struct sample *sample);

/** Write the probe as a router quotes it whole, from the IP header on. */
void put_quote(struct wr *wr, const struct sample *sample);

/** @return A time exceeded (length attribute @p quoted_bytes; 0 = absent) with this body. */
struct message time_exceeded(const struct sample *sample, size_t quoted_bytes,
                             struct sonde_span body);

/**
 * Decode a message of the sample's family, in every way in which it may come in: whole, and for
 * IPv6 without its header, too, as a raw socket has it. They must agree.
 */
int decode_message(const struct sample *sample, struct message message, struct tail *tail,
                   struct sonde_rx *ret_rx);

/** Expect an error that belongs to the probe of @p sample. */
void expect_error(const struct sample *sample, const struct sonde_rx *rx);

#endif
