/* SPDX-License-Identifier: BSD-2-Clause */
/* Answers to probes as a network might give them, right or wrong, by choices from the input. */
#ifndef FUZZ_FORGE_H
#define FUZZ_FORGE_H

#include "base/bytes.h"

enum { FORGE_BYTES = 1024 };

/**
 * Answer a probe in its own protocol: echo reply, SYN-ACK, RST or datagram.
 * @param probe   The packet that was sent.
 * @param in      Makes the choices.
 * @param packet  Receives the answer.
 * @return Its length.
 */
size_t forge_answer(struct sonde_span probe, struct rd *in, uint8_t packet[FORGE_BYTES]);

/** Send an ICMP error about a probe, from the target or a router. @return Its length. */
size_t forge_error(struct sonde_span probe, struct rd *in, uint8_t packet[FORGE_BYTES]);

/** Change up to three bytes of a packet. */
void forge_damage(struct rd *in, uint8_t *packet, size_t len);

#endif
