/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Just enough of the Basic Encoding Rules (X.690) to find one's way in an answer of SNMP or
 * Kerberos: elements of definite length with tags of one octet.
 */
#ifndef PAYLOAD_BER_H
#define PAYLOAD_BER_H

#include "payload/payload.h"

/* Identifier octets; X.690 §8.1.2 and X.680 §8.4. */
enum {
    BER_INTEGER = 0x02,
    BER_OCTET_STRING = 0x04,
    BER_SEQUENCE = 0x30,
    BER_APPLICATION = 0x60, /* [APPLICATION n] that holds elements: plus n */
    BER_CONTEXT = 0xa0,     /* [n] that holds elements: plus n */
};

/** An element: its identifier octet, 0 if there is none, and a reader of what it holds. */
struct ber {
    uint8_t tag;
    struct rd content;
};

/**
 * Take a whole element; @p rd fails if it ends within.
 * @return It; with tag 0 after a failure, or if its length is not definite or too long to be true.
 * Source: X.690 §8.1.3.
 */
struct ber ber_take(struct rd *rd);

/**
 * Step into an element, what it holds being next; it need not all be there.
 * @return true if it is of this @p tag.
 */
bool ber_enter(struct rd *rd, uint8_t tag);

/** Pass over an element. @return true if it is of this @p tag. */
bool ber_skip(struct rd *rd, uint8_t tag);

/** Write what an element begins with: its tag, and how many octets it holds, up to 65535. */
void ber_write_head(struct wr *wr, uint8_t tag, size_t len);

/** Take an INTEGER. @return true if it is this one, 0 to 127. */
bool ber_is(struct rd *rd, uint8_t value);

/**
 * Write an INTEGER of 31 bits that names the probe: always 6 bytes, for the first of its four
 * octets is 0x40 to 0x7f, so that none can be left out (X.690 §8.3.2). Behind that stand 14 bits of
 * the cookie and the 16-bit form of the token.
 */
void ber_write_name(struct wr *wr, const struct payload_trace *trace,
                    const struct payload_name *name);

/** Read such an INTEGER.
 *  @return 0; SONDE_DISCARD_TRUNCATED; SONDE_DISCARD_NOT_A_RESULT if it is no INTEGER;
 *          SONDE_DISCARD_BAD_TOKEN if it names none of this trace's probes. */
SONDE_MUST_CHECK int ber_read_name(struct rd *rd, const struct payload_trace *trace,
                                   struct payload_match *ret_match);

#endif
