/* SPDX-License-Identifier: BSD-2-Clause */
/* A trace and a probe of it, to test payload modules with. */
#ifndef TESTS_PAYLOAD_SAMPLE_H
#define TESTS_PAYLOAD_SAMPLE_H

#include "payload/payload.h"

enum { SAMPLE_BYTES = 2048 };

/* Cookie 01020304 05060708, so that a name of 8 bytes begins 01020305 (the lowest bit is set). The
 * server is Kdc1.example, 192.0.2.77, port 5060. */
extern const struct payload_trace sample_trace;

/* The same to 2001:db8::a1, port 5070, of which the user typed the address. */
extern const struct payload_trace sample_trace_of_address;

/* Token a1a2a3a4, and b1b2 where there is room for 16 bits only. */
extern const struct payload_name sample_name;

/** A question as a module writes it. */
struct sample_question {
    uint8_t bytes[SAMPLE_BYTES];
    size_t len;
};

/** Let a module ask. @param len  Bytes that are wanted; 0 = as few as it needs. */
struct sample_question sample_ask(const struct payload_ops *ops, size_t len);

/** The same of another trace. */
struct sample_question sample_ask_of(const struct payload_trace *trace,
                                     const struct payload_ops *ops, size_t len);

/** Expect a question to be these bytes, written as hexadecimal digits; blanks are passed over. */
void sample_expect_question(const struct sample_question *question, const char *hex);

/** Show an answer, in hexadecimal digits, to a module. @return What fits() says. */
int sample_fits(const struct payload_ops *ops, const char *hex, struct payload_match *ret_match);

/** Expect a module to take an answer as one to the sample. */
void sample_expect_answer(const struct payload_ops *ops, const char *hex);

/** Expect a module to refuse an answer for this reason. */
void sample_expect_refusal(const struct payload_ops *ops, const char *hex, int reason);

/** Expect every prefix of an answer below this length to be refused as truncated, and none of the
 *  longer ones to be taken for another probe's. */
void sample_expect_truncation(const struct payload_ops *ops, const char *hex, size_t needed);

#endif
