/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Syslog, RFC 5426: a server takes what it is told, and never answers (§3). Whatever it can read is
 * logged, a mere line's end as an empty line; an empty datagram is not (rsyslog 8.2302).
 */
#include "payload/payload.h"

static void syslog_ask(const struct payload_trace *trace, const struct payload_name *name,
                       size_t len, struct wr *wr)
{
    (void)trace;
    (void)name;
    (void)len;
    (void)wr;
}

static int syslog_recognize(const struct payload_trace *trace, struct sonde_span question,
                            struct payload_match *ret_match)
{
    (void)trace;
    (void)question;
    (void)ret_match;
    return SONDE_DISCARD_TRUNCATED;
}

static int syslog_fits(const struct payload_trace *trace, struct sonde_span answer,
                       struct payload_match *ret_match)
{
    (void)trace;
    (void)answer;
    (void)ret_match;
    return SONDE_DISCARD_NOT_A_RESULT;
}

const struct payload_ops payload_syslog = {
    .name = "syslog",
    .unnamed = true,
    .asks = "nothing: the datagram is empty",
    .silence = "syslog has no answers",
    .nameless = true,
    .ask = syslog_ask,
    .recognize = syslog_recognize,
    .fits = syslog_fits,
};
