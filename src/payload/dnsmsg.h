/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Messages in the format of DNS, RFC 1035 §4, which multicast DNS, LLMNR and NetBIOS's name service
 * have taken over: a question, and what may be an answer to it. The identification names the probe.
 */
#ifndef PAYLOAD_DNSMSG_H
#define PAYLOAD_DNSMSG_H

#include "payload/payload.h"

enum {
    DNSMSG_TYPE_A = 1,
    DNSMSG_TYPE_NS = 2,
    DNSMSG_TYPE_PTR = 12,
    DNSMSG_TYPE_TXT = 16,
    DNSMSG_TYPE_NBSTAT = 33, /* RFC 1002 §4.2.1.3 */
    DNSMSG_TYPE_OPT = 41,    /* RFC 6891 */

    DNSMSG_CLASS_IN = 1, /* the Internet's */
    DNSMSG_CLASS_CH = 3, /* Chaosnet's, in which servers say who they are; RFC 4892 */

    DNSMSG_NAME_BYTES = 255, /* the longest; RFC 1035 §2.3.4 */
};

/** What is asked for. */
struct dnsmsg_question {
    const char *name; /* labels with their lengths, and the empty one at the end */
    size_t name_bytes;
    uint16_t type;
    uint16_t qclass;
    uint16_t flags; /* of the query: second word of the header */
};

/** Write a header and the question. @param additional  How many additional records will follow. */
void dnsmsg_ask(const struct dnsmsg_question *question, const struct payload_name *name,
                uint16_t additional, struct wr *wr);

/** How many records a message says that it has, by their kinds. */
struct dnsmsg_counts {
    uint16_t questions;
    uint16_t answers;
    uint16_t authorities;
    uint16_t additional;
};

/** Read the header of a response to a query.
 *  @return As fits() of a payload module. */
SONDE_MUST_CHECK int dnsmsg_read_header(struct rd *rd, struct dnsmsg_counts *ret_counts,
                                        struct payload_match *ret_match);

/** Say whether a response is one to this question, which stands in it again or is left out; what is
 *  answered does not matter.
 *  @return As fits() of a payload module. */
int dnsmsg_fits(const struct dnsmsg_question *question, struct sonde_span answer,
                struct payload_match *ret_match);

/** The same of a quoted question, as recognize() of a payload module does: by its identification,
 *  and as far as it is quoted, by all of it. */
int dnsmsg_recognize(const struct dnsmsg_question *question, struct sonde_span quoted,
                     struct payload_match *ret_match);

#endif
