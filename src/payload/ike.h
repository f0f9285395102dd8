/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the questions of IKE share: the header that versions 1 and 2 have in common (RFC 2408 §3.1,
 * RFC 7296 §3.1), and the marker that tells them from ESP on the port that they share (RFC 3948
 * §2.2). The initiator's cookie, or SPI, names the probe.
 */
#ifndef PAYLOAD_IKE_H
#define PAYLOAD_IKE_H

#include "payload/payload.h"

enum {
    IKE_HEADER_BYTES = 28,
    IKE_MARKER_BYTES = 4, /* zero */
    IKE_VERSION_1 = 0x10,
    IKE_VERSION_2 = 0x20,
    IKE_VERSION_3 = 0x30,
    IKE_VERSION_MASK = 0xf0,          /* the major one */
    IKE_EXCHANGE_1_IDENTITY = 2,      /* main mode; RFC 2408 §3.1 */
    IKE_EXCHANGE_1_INFORMATIONAL = 5, /* a notice; RFC 2408 §4.8 */
    IKE_EXCHANGE_SA_INIT = 34,        /* RFC 7296 §3.1 */
    IKE_FLAG_INITIATOR = 0x08,
    IKE_FLAG_RESPONSE = 0x20,
};

/** What a header says of its message. */
struct ike_message {
    uint8_t version;
    uint8_t exchange;
    uint8_t flags;
    bool has_responder; /* the responder's cookie, or SPI, is not 0 */
};

/** Write a header. @param first  Type of the first payload. @param len  Bytes of the message. */
void ike_write_header(struct wr *wr, const struct payload_trace *trace,
                      const struct payload_name *name, uint8_t first,
                      const struct ike_message *message, size_t len);

/** Write what every payload begins with; RFC 7296 §3.2, RFC 2408 §3.2. */
void ike_write_generic(struct wr *wr, uint8_t next, uint16_t len);

/** Is it a response in version 2 or above to the first message of an SA? */
bool ike_is_response(const struct ike_message *message);

/**
 * Judge an answer by its header, as fits() of a payload module does.
 * @param answers  Says whether a message is an answer to the question.
 */
SONDE_MUST_CHECK int ike_read_answer(struct rd *rd, const struct payload_trace *trace,
                                     bool (*answers)(const struct ike_message *message),
                                     struct payload_match *ret_match);

/** Take the marker. @return 0; as fits() of a payload module if it is not there. */
SONDE_MUST_CHECK int ike_take_marker(struct rd *rd);

/** Read a quoted question of this version up to its name, as recognize() of a payload module does.
 */
SONDE_MUST_CHECK int ike_recognize(struct rd *rd, const struct payload_trace *trace,
                                   uint8_t version, struct payload_match *ret_match);

#endif
