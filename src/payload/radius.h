/* SPDX-License-Identifier: BSD-2-Clause */
/* What the questions of RADIUS share: the layout of RFC 2865 §3. */
#ifndef PAYLOAD_RADIUS_H
#define PAYLOAD_RADIUS_H

#include "payload/payload.h"

enum {
    RADIUS_HEADER_BYTES = 20,
    RADIUS_AUTHENTICATOR_BYTES = 16,
    RADIUS_BEFORE_AUTHENTICATOR_BYTES = 4,

    RADIUS_ACCESS_REQUEST = 1,
    RADIUS_ACCESS_ACCEPT = 2,
    RADIUS_ACCESS_REJECT = 3,
    RADIUS_ACCOUNTING_RESPONSE = 5,
    RADIUS_ACCESS_CHALLENGE = 11,
    RADIUS_STATUS_SERVER = 12,  /* RFC 5997 */
    RADIUS_PROTOCOL_ERROR = 52, /* RFC 7930 §4 */
};

/** Write what a question begins with. Its authenticator names the probe, and its identifier is half
 *  of that name. @param len  Bytes of the whole packet. */
void radius_write_header(struct wr *wr, const struct payload_trace *trace, uint8_t code,
                         uint16_t name, uint16_t len);

/** Write the authenticator of the question of that name. */
void radius_write_authenticator(struct wr *wr, const struct payload_trace *trace, uint16_t name);

/** Read what radius_write_header() wrote, as recognize() of a module does. */
SONDE_MUST_CHECK int radius_read_header(const struct payload_trace *trace, uint8_t code,
                                        struct sonde_span question,
                                        struct payload_match *ret_match);

#endif
