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
    DNSMSG_TYPE_NBSTAT = 33, /* RFC 1002 §4.2.1.3 */
    DNSMSG_TYPE_OPT = 41,    /* RFC 6891 */
};

/** What is asked for, in the Internet's class. */
struct dnsmsg_question {
    const char *name; /* labels with their lengths, and the empty one at the end */
    size_t name_bytes;
    uint16_t type;
    uint16_t flags; /* of the query: second word of the header */
};

/** Write a header and the question. @param additional  How many additional records will follow. */
void dnsmsg_ask(const struct dnsmsg_question *question, const struct payload_name *name,
                uint16_t additional, struct wr *wr);

/** Say whether a response is one to this question, which stands in it again or is left out; what is
 *  answered does not matter.
 *  @return As fits() of a payload module. */
int dnsmsg_fits(const struct dnsmsg_question *question, struct sonde_span answer,
                struct payload_match *ret_match);

#endif
