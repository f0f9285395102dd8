/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the fuzz targets share.
 *
 * A target is one function, which libFuzzer calls with bytes of its choice under the address and
 * the undefined-behaviour sanitizer. What these cannot see, the target states with FUZZ_CHECK().
 * Most targets take their choices from the input through a struct rd, which gives 0 for ever once
 * the input is used up: so every input means something.
 */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include "base/text.h"
#include "wire/packet.h"

/** What libFuzzer calls. @return 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/** End the process with a report unless @p condition holds; unlike assert(), in every build. */
#define FUZZ_CHECK(condition)                                                                      \
    ((condition) ? (void)0 : fuzz_fail(#condition, __FILE_NAME__, __LINE__))

__attribute__((noreturn, cold)) void fuzz_fail(const char *condition, const char *file, int line);

/** Check that a text is fit for a terminal: well-formed UTF-8 (RFC 3629 §4) without a control (C0,
 *  DEL, C1), but for newlines if they are allowed. */
void fuzz_check_shown(const char *bytes, size_t len, bool newlines_allowed);

/** Check what a reader of the command line promises: an error says why, in one line. */
void fuzz_check_error(int result, const struct text *error);

/** Check what a decoder made of @p packet. @param result  What the decoder returned. */
void fuzz_check_rx(int result, struct sonde_span packet, const struct sonde_rx *rx);

/** Check extensions that icmpext_decode() gave. */
void fuzz_check_extensions(const struct sonde_extensions *ext);

/** Put the right checksum into an IPv4 packet with an ICMP message, so that inputs get past it.
 *  @return false if it is no such packet. */
bool fuzz_repair_icmp(uint8_t *packet, size_t len);

#endif
