/* SPDX-License-Identifier: BSD-2-Clause */
/* What every module's packets have in common: sizes, checksums, and one path for all of a trace. */
#include "tests/unit/probe/samples.h"

#include "payload/payload.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

/* Call visit for every module over every family. */
static void for_each_trace(void (*visit)(const struct sonde_probe_ops *, struct sonde_spec *))
{
    for (size_t i = 0; probe_at(i) != NULL; i++) {
        for (size_t k = 0; k < 2; k++) {
            struct sonde_spec spec = sample_spec(probe_at(i), sample_families[k]);
            visit(probe_at(i), &spec);
        }
    }
}

static void visit_members(const struct sonde_probe_ops *ops, struct sonde_spec *spec)
{
    static struct sample_probe probe;
    for (unsigned ttl = 1; ttl <= 255; ttl++) {
        struct sonde_format format = spec->format;
        format.ttl = (uint8_t)ttl;
        memset(&probe.tx, 0xee, sizeof probe.tx);
        int r = ops->build(spec, &format, &(struct probe_name){.token = 3}, probe.bytes,
                           sizeof probe.bytes, &probe.tx);
        cr_assert_eq(r, 0);
        cr_expect_eq(probe.tx.ttl, ttl);
        cr_expect_eq(probe.tx.flow, &spec->flow);
        cr_expect_eq(probe.tx.segment.data, probe.bytes);
        cr_expect_eq(probe.tx.tos, SAMPLE_TOS);
        cr_expect_eq(probe.tx.flow_label, SAMPLE_FLOW_LABEL);
        cr_expect_eq(probe.tx.id, SAMPLE_ID_BASE + 3 + 1, "%s", ops->name);
        cr_expect(probe.tx.header_len >= 8 && probe.tx.header_len <= probe.tx.segment.len);
    }
}

Test(build, a_probe_says_how_it_is_to_be_sent)
{
    for_each_trace(visit_members);
}

static void visit_ttls(const struct sonde_probe_ops *ops, struct sonde_spec *spec)
{
    static struct sample_probe first;
    static struct sample_probe other;
    static const struct probe_name name = {.token = 9};
    struct sonde_format format = spec->format;
    format.ttl = 1;
    int r = ops->build(spec, &format, &name, first.bytes, sizeof first.bytes, &first.tx);
    cr_assert_eq(r, 0);
    for (unsigned ttl = 2; ttl <= 255; ttl++) {
        format.ttl = (uint8_t)ttl;
        r = ops->build(spec, &format, &name, other.bytes, sizeof other.bytes, &other.tx);
        cr_assert_eq(r, 0);
        cr_assert_eq(other.tx.segment.len, first.tx.segment.len);
        cr_assert_arr_eq(other.bytes, first.bytes, first.tx.segment.len, "%s, TTL %u", ops->name,
                         ttl);
    }
}

Test(build, nothing_in_the_segment_depends_on_the_ttl)
{
    for_each_trace(visit_ttls);
}

static void visit_flow(const struct sonde_probe_ops *ops, struct sonde_spec *spec)
{
    static struct sample_probe first;
    static struct sample_probe other;
    sample_build(&first, ops, spec, 0);
    for (uint32_t token = 1; token <= 65536; token++) {
        sample_build(&other, ops, spec, token);
        cr_assert_arr_eq(other.bytes, first.bytes, 4, "%s, token %u", ops->name, token);
        cr_assert_eq(other.tx.flow_label, first.tx.flow_label);
        cr_assert_eq(other.tx.tos, first.tx.tos);
        cr_assert_eq(other.tx.segment.len, first.tx.segment.len);
    }
}

static void visit_short_flow(const struct sonde_probe_ops *ops, struct sonde_spec *spec)
{
    uint16_t headers = spec->flow.dst.family == SONDE_FAMILY_IPV6 ? 48 : 28;
    uint16_t *size = &spec->format.size_bytes;
    for (*size = headers + 2U; *size < headers + 16U; (*size)++) {
        static struct sample_probe first;
        static struct sample_probe other;
        sample_build(&first, ops, spec, 0);
        for (size_t i = 0; i < SAMPLE_TOKENS; i++) {
            sample_build(&other, ops, spec, sample_tokens[i]);
            cr_assert_arr_eq(other.bytes, first.bytes, 4, "%s, %u bytes", ops->name, *size);
        }
    }
}

/* Two bytes of payload are enough for that. */
Test(build, a_short_probe_keeps_to_the_flow)
{
    for_each_trace(visit_short_flow);
}

/* Ports, or for ICMP type, code and checksum: what load balancers hash besides addresses. */
Test(build, the_first_four_bytes_are_the_same_in_every_probe_of_a_trace)
{
    for_each_trace(visit_flow);
}

static void visit_tokens(const struct sonde_probe_ops *ops, struct sonde_spec *spec)
{
    static struct sample_probe one;
    static struct sample_probe two;
    for (uint32_t i = 0; i + 1 < SAMPLE_TOKENS; i++) {
        sample_build(&one, ops, spec, sample_tokens[i]);
        sample_build(&two, ops, spec, sample_tokens[i + 1]);
        cr_expect(memcmp(one.bytes, two.bytes, one.tx.segment.len) != 0, "%s, token %u", ops->name,
                  sample_tokens[i]);
        cr_expect_neq(one.tx.id, 0);
    }
}

Test(build, different_tokens_make_different_packets)
{
    for_each_trace(visit_tokens);
}

/* Which pseudo-header counts: none for ICMP; RFC 4443 §2.3, RFC 8200 §8.1, RFC 9293 §3.1. */
static uint8_t pseudo_protocol(const struct sonde_spec *spec)
{
    if (spec->flow.protocol != IP_PROTO_ICMP)
        return spec->flow.protocol;
    return spec->flow.dst.family == SONDE_FAMILY_IPV6 ? IP_PROTO_ICMPV6 : 0;
}

static bool has_right_checksum(const struct sample_probe *probe)
{
    if (probe->spec.flow.protocol == IP_PROTO_SCTP)
        return sample_has_crc(&probe->tx);
    return sample_sum(&probe->tx, pseudo_protocol(&probe->spec)) == 0xffff;
}

static void visit_checksums(const struct sonde_probe_ops *ops, struct sonde_spec *spec)
{
    static const uint16_t sizes[] = {28, 29, 30, 31, 41, 49, 50, 61, 64, 65, 1500, 9000};
    static const uint64_t cookies[] = {
        0, 1, SAMPLE_COOKIE, 0xffff, 0xfffe, UINT64_MAX, UINT64_C(0xffff000000000000),
    };
    static struct sample_probe probe;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        for (size_t k = 0; k < sizeof cookies / sizeof *cookies; k++) {
            spec->format.size_bytes = sizes[i];
            spec->cookie = cookies[k];
            for (size_t n = 0; n < SAMPLE_TOKENS; n++) {
                sample_build(&probe, ops, spec, sample_tokens[n]);
                cr_expect(has_right_checksum(&probe), "%s, %u bytes, cookie %zu, token %u",
                          ops->name, sizes[i], k, sample_tokens[n]);
            }
        }
    }
}

Test(build, checksums_are_right_at_every_size_and_token)
{
    for_each_trace(visit_checksums);
}

static void visit_sizes(const struct sonde_probe_ops *ops, struct sonde_spec *spec)
{
    static const uint16_t sizes[] = {28, 29, 30, 48, 49, 64, 65, 1500, 9000};
    static struct sample_probe probe;
    bool ipv6 = spec->flow.dst.family == SONDE_FAMILY_IPV6;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        spec->format.size_bytes = sizes[i];
        sample_build(&probe, ops, spec, 1);
        size_t len = sizes[i] - (ipv6 ? 40U : 20U);
        if (ipv6 && sizes[i] < 48)
            len = 8; /* the header alone */
        if (spec->flow.protocol == IP_PROTO_TCP)
            len = 40; /* a SYN: 20, MSS 4, SACK 2, timestamps 10, NOP 1, scale 3 */
        if (spec->flow.protocol == IP_PROTO_SCTP)
            len = 32; /* the common header 12, an INIT 20 */
        cr_expect_eq(probe.tx.segment.len, len, "%s, %u bytes", ops->name, sizes[i]);
    }
}

Test(build, packets_have_the_size_that_was_asked_for_and_syn_and_init_their_own)
{
    for_each_trace(visit_sizes);
}

/* RFC 1035 §4.1: 12 bytes of header, 5 of a question for the root. Padding is RFC 7830's option. */
Test(build, a_question_is_padded_where_a_longer_packet_than_usual_is_asked_for)
{
    static const struct {
        uint16_t size_bytes;
        size_t len; /* over IPv4; over IPv6, 20 less */
    } cases[] = {{64, 25}, {200, 180}, {1400, 1380}};
    static struct sample_probe probe;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (size_t k = 0; k < 2; k++) {
            struct sonde_spec spec = sample_spec(&probe_udp, sample_families[k]);
            spec.questions[0] = &payload_dns;
            spec.question_count = 1;
            spec.format.size_bytes = cases[i].size_bytes;
            sample_build(&probe, &probe_udp, &spec, 1);
            bool shorter = i > 0 && sample_families[k] == SONDE_FAMILY_IPV6;
            cr_expect_eq(probe.tx.segment.len, cases[i].len - (shorter ? 20 : 0), "%u bytes",
                         cases[i].size_bytes);
        }
    }
}

static void visit_fill(const struct sonde_probe_ops *ops, struct sonde_spec *spec)
{
    static struct sample_probe probe;
    if (spec->flow.protocol == IP_PROTO_TCP || spec->flow.protocol == IP_PROTO_SCTP)
        return; /* SYN and INIT carry no payload */
    spec->format.size_bytes = 200;
    for (unsigned fill = 0; fill <= 255; fill += 85) {
        spec->fill = (uint8_t)fill;
        sample_build(&probe, ops, spec, 1);
        /* behind the header (8), cookie (8), token (4) and compensation (2) */
        for (size_t i = 22; i < probe.tx.segment.len; i++)
            cr_assert_eq(probe.bytes[i], fill, "%s, byte %zu", ops->name, i);
    }
}

Test(build, the_rest_of_the_payload_is_the_fill_byte)
{
    for_each_trace(visit_fill);
}

static void visit_room(const struct sonde_probe_ops *ops, struct sonde_spec *spec)
{
    static const struct probe_name name = {.token = 1};
    const struct sonde_format format = spec->format;
    static struct sample_probe probe;
    sample_build(&probe, ops, spec, 1);
    size_t len = probe.tx.segment.len;
    for (size_t cap = 0; cap < len; cap++) {
        memset(probe.bytes, 0xee, sizeof probe.bytes);
        cr_expect_eq(ops->build(spec, &format, &name, probe.bytes, cap, &probe.tx), -ENOBUFS,
                     "%s, %zu bytes", ops->name, cap);
        cr_expect_eq(probe.bytes[cap], 0xee, "%s wrote beyond %zu bytes", ops->name, cap);
    }
    cr_expect_eq(ops->build(spec, &format, &name, probe.bytes, len, &probe.tx), 0, "%s", ops->name);
}

Test(build, a_buffer_that_is_too_small_is_refused_and_not_overrun)
{
    for_each_trace(visit_room);
}
