/* SPDX-License-Identifier: BSD-2-Clause */
/* Traces to test the probe modules with; see samples.h. */
#include "tests/unit/probe/samples.h"

#include "tests/support/answers.h"
#include "wire/icmp.h"

#include <criterion/criterion.h>

enum { PACKET_BYTES = PROBE_SIZE_MAX + 2 * PACKET_HEADER_MAX + ICMP_HEADER_BYTES };

struct sonde_spec sample_spec(const struct sonde_probe_ops *ops, enum sonde_family family)
{
    struct sonde_spec spec = {
        .flow =
            {
                .protocol = ops->protocol,
                .src_port = SAMPLE_SRC_PORT,
                .dst_port = ops->has_ports ? SAMPLE_DST_PORT : 0,
            },
        .cookie = SAMPLE_COOKIE,
        .isn = SAMPLE_ISN,
        .ts_base = SAMPLE_TS_BASE,
        .flow_label = SAMPLE_FLOW_LABEL,
        .id_base = SAMPLE_ID_BASE,
        .dscp = 10,
        .format = {.size_bytes = SAMPLE_SIZE, .ttl = 7, .ecn = 2},
        .fill = SAMPLE_FILL,
    };
    bool ipv6 = family == SONDE_FAMILY_IPV6;
    const char *src = ipv6 ? "2001:db8::1" : "192.0.2.1";
    const char *dst = ipv6 ? "2001:db8:ffff::7" : "198.51.100.7";
    cr_assert_eq(sonde_addr_parse(src, &spec.flow.src), 0);
    cr_assert_eq(sonde_addr_parse(dst, &spec.flow.dst), 0);
    return spec;
}

void sample_build(struct sample_probe *probe, const struct sonde_probe_ops *ops,
                  const struct sonde_spec *spec, uint32_t token)
{
    sample_ask(probe, ops, spec, token, 0);
}

void sample_build_as(struct sample_probe *probe, const struct sonde_probe_ops *ops,
                     const struct sonde_spec *spec, const struct sonde_format *format,
                     const struct probe_name *name)
{
    probe->spec = *spec;
    int r = ops->build(&probe->spec, format, name, probe->bytes, sizeof probe->bytes, &probe->tx);
    cr_assert_eq(r, 0, "%s, token %u", ops->name, name->token);
}

void sample_ask(struct sample_probe *probe, const struct sonde_probe_ops *ops,
                const struct sonde_spec *spec, uint32_t token, uint8_t question)
{
    struct sonde_format format = spec->format;
    format.question = question;
    const struct probe_name name = {.token = token};
    sample_build_as(probe, ops, spec, &format, &name);
}

int sample_match(const struct sonde_probe_ops *ops, const struct sonde_spec *spec,
                 const struct wr *packet, struct sonde_match *ret_match)
{
    struct sonde_rx rx = {0};
    answer_decode(packet, &rx);
    return ops->match(spec, &rx, ret_match);
}

int sample_match_error(const struct sonde_probe_ops *ops, const struct sample_probe *probe,
                       size_t quote_len, struct sonde_match *ret_match)
{
    uint8_t bytes[PACKET_BYTES];
    struct wr wr = wr_init(bytes, sizeof bytes);
    bool ipv6 = probe->spec.flow.dst.family == SONDE_FAMILY_IPV6;
    uint8_t type = ipv6 ? ICMP6_TIME_EXCEEDED : ICMP4_TIME_EXCEEDED;
    answer_error(&wr, &probe->tx, NULL, type, 0, quote_len);
    return sample_match(ops, &probe->spec, &wr, ret_match);
}

void sample_expect_untouched(const struct sonde_match *match, const char *what)
{
    cr_expect_eq(match->outcome, sample_untouched.outcome, "%s", what);
    cr_expect_eq(match->has_token, sample_untouched.has_token, "%s", what);
    cr_expect_eq(match->token, sample_untouched.token, "%s", what);
    cr_expect_eq(match->attempt, sample_untouched.attempt, "%s", what);
}

static uint32_t sum_words(uint32_t sum, const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        sum += i % 2 == 0 ? (uint32_t)bytes[i] << 8 : bytes[i];
    return sum;
}

uint16_t sample_sum(const struct sonde_tx *tx, uint8_t protocol)
{
    uint32_t len = (uint32_t)tx->segment.len;
    uint32_t sum = sum_words(0, tx->segment.data, tx->segment.len);
    if (protocol != 0) {
        size_t addr_len = tx->flow->dst.family == SONDE_FAMILY_IPV6 ? 16 : 4;
        sum = sum_words(sum, tx->flow->src.bytes, addr_len);
        sum = sum_words(sum, tx->flow->dst.bytes, addr_len);
        sum += protocol + len;
    }
    while (sum > 0xffff)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)sum;
}

/* A bit of bytes, the least significant one of each first. */
static uint32_t bit_of(const uint8_t *bytes, size_t i)
{
    return (uint32_t)bytes[i / 8] >> i % 8 & 1;
}

bool sample_has_crc(const struct sonde_tx *tx)
{
    enum { AT = 8, LEN = 4 }; /* of the checksum, which counts as 0 */
    uint32_t remainder = UINT32_MAX;
    for (size_t i = 0; i < 8 * tx->segment.len; i++) {
        bool is_checksum = i / 8 >= AT && i / 8 < AT + LEN;
        uint32_t bit = is_checksum ? 0 : bit_of(tx->segment.data, i);
        remainder = remainder << 1 ^ (remainder >> 31 != bit ? UINT32_C(0x1edc6f41) : 0);
    }
    for (unsigned i = 0; i < 8 * LEN; i++) { /* its first bit is the highest of the remainder */
        if ((~remainder >> (31 - i) & 1) != bit_of(tx->segment.data + AT, i))
            return false;
    }
    return true;
}
