/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Packets spelled as hex text, so that a test shows what it feeds to a decoder and what it wants of
 * an encoder, header by header, with a comment behind each; and addresses spelled as usual.
 */
#ifndef TESTS_UNIT_WIRE_SPELL_H
#define TESTS_UNIT_WIRE_SPELL_H

#include "base/bytes.h"

#include <sonde/types.h>

enum { TAIL_BYTES = 4096 };

/** Room for one packet, which lies at its very end: what reads on leaves it, and ASan sees that. */
struct tail {
    uint8_t bytes[TAIL_BYTES];
};

/** Write the bytes that @p text spells; blanks in it mean nothing. */
void wr_hex(struct wr *wr, const char *text);

/** @return A copy of @p bytes that ends where @p tail ends. */
struct sonde_span tail_copy(struct tail *tail, struct sonde_span bytes);

/** @return The bytes that @p text spells, ending where @p tail ends. */
struct sonde_span tail_hex(struct tail *tail, const char *text);

/** @return What was written so far; the test fails if it did not fit. */
struct sonde_span written(const struct wr *wr);

/** Expect @p bytes to be those that @p text spells; @p what names the case. */
void expect_hex(struct sonde_span bytes, const char *text, const char *what);

/** @return The address that @p text spells. */
struct sonde_addr addr_of(const char *text);

/** Expect @p addr to be the one that @p text spells, with scope 0; "-" is no address. */
void expect_addr(const struct sonde_addr *addr, const char *text);

#endif
