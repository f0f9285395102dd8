/* SPDX-License-Identifier: BSD-2-Clause */
/* Traces to test the probe modules with. */
#ifndef TESTS_PROBE_SAMPLES_H
#define TESTS_PROBE_SAMPLES_H

#include "probe/probe.h"

enum {
    SAMPLE_SRC_PORT = 40001,
    SAMPLE_DST_PORT = 443,
    SAMPLE_ISN = 0x11223344,
    SAMPLE_ID_BASE = 1000,
    SAMPLE_SIZE = 64,
    SAMPLE_FILL = 0x5a,
    SAMPLE_TOS = 0x2a, /* DSCP 10, ECN 2 */
    SAMPLE_FLOW_LABEL = 0xabcde,
};
#define SAMPLE_COOKIE UINT64_C(0x0123456789abcdef)
#define SAMPLE_TS_BASE UINT32_C(0xfffffff0) /* so that TSval wraps after 16 probes */

/** The families that everything is tested over. */
static const enum sonde_family sample_families[] = {SONDE_FAMILY_IPV4, SONDE_FAMILY_IPV6};

/** Tokens at which 16-bit fields and signs change. */
static const uint32_t sample_tokens[] = {
    0,     1,     2,     255,    256,        32767,      32768,      65533,
    65534, 65535, 65536, 131069, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff,
};

enum { SAMPLE_TOKENS = sizeof sample_tokens / sizeof *sample_tokens };

/** @return A trace of @p ops from 192.0.2.1 to 198.51.100.7, or 2001:db8::1 to 2001:db8:ffff::7. */
struct sonde_spec sample_spec(const struct sonde_probe_ops *ops, enum sonde_family family);

/** A probe with its bytes. */
struct sample_probe {
    struct sonde_spec spec;
    struct sonde_tx tx;
    uint8_t bytes[PROBE_SIZE_MAX]; /* the segment that tx points at; to be falsified at will */
};

/** Build a probe of the first attempt with the trace's format and TTL 7; the test fails if that
 *  fails. */
void sample_build(struct sample_probe *probe, const struct sonde_probe_ops *ops,
                  const struct sonde_spec *spec, uint32_t token);

/** Likewise one of any name and format. */
void sample_build_as(struct sample_probe *probe, const struct sonde_probe_ops *ops,
                     const struct sonde_spec *spec, const struct sonde_format *format,
                     const struct probe_name *name);

/** The same with one of the trace's questions. */
void sample_ask(struct sample_probe *probe, const struct sonde_probe_ops *ops,
                const struct sonde_spec *spec, uint32_t token, uint8_t question);

/**
 * Let a module judge the ICMP error that a probe draws, as its bytes are now.
 * @param quote_len  Bytes of the segment that are quoted.
 */
int sample_match_error(const struct sonde_probe_ops *ops, const struct sample_probe *probe,
                       size_t quote_len, struct sonde_match *ret_match);

/** Let a module judge a packet. */
int sample_match(const struct sonde_probe_ops *ops, const struct sonde_spec *spec,
                 const struct wr *packet, struct sonde_match *ret_match);

/** A match that no module leaves like that: to see that a refusal changes nothing. */
static const struct sonde_match sample_untouched = {
    .outcome = SONDE_OUTCOME_COUNT,
    .has_token = true,
    .token = 0xdeadbeef,
    .attempt = 0xdeadbeef,
};

/** The test fails unless a match is as sample_untouched is. */
void sample_expect_untouched(const struct sonde_match *match, const char *what);

/** @return @p bytes summed up in one's complement (RFC 1071), with the pseudo-header of the probe
 * if
 *  @p protocol is not 0: 0xffff if the checksum in them is right. */
uint16_t sample_sum(const struct sonde_tx *tx, uint8_t protocol);

/** @return true if the checksum of an SCTP packet is right: the remainder of dividing its bits as a
 *  polynomial, RFC 9260 appendix A. */
bool sample_has_crc(const struct sonde_tx *tx);

#endif
