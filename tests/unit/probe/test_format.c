/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Probes of one flow with different formats: their bytes, and how answers and quotes tell them
 * apart. The bytes were written by hand from RFC 791, 8200, 792, 4443 and 768; the sums of 16-bit
 * words that each checksum is the complement of stand beside them.
 */
#include "tests/support/answers.h"
#include "tests/unit/probe/samples.h"
#include "wire/icmp.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

enum { SHORTEST = 28, LONGEST = 90 };

static void expect_bytes(const struct sonde_tx *tx, const char *hex, const char *what)
{
    uint8_t packet[PROBE_SIZE_MAX + PACKET_HEADER_MAX];
    char spelled[256] = "";
    size_t len = packet_encode(tx, packet, sizeof packet);
    cr_assert(len > 0 && 2 * len < sizeof spelled, "%s", what);
    for (size_t i = 0; i < len; i++)
        (void)snprintf(spelled + 2 * i, 3, "%02x", packet[i]);
    cr_expect_str_eq(spelled, hex, "%s", what);
}

/* The DSCP is 10. With ECN 1 the type of service is 10 * 4 + 1 = 0x29, with ECN 2 it is 0x2a. The
 * fields of 16 bits of tokens 3 and 4 are 1000 + 3 + 1 = 0x3ec and 0x3ed. */
static const struct {
    const char *what;
    const struct sonde_probe_ops *ops;
    enum sonde_family family;
    struct sonde_format format;
    uint32_t token;
    const char *hex;
} wanted[] = {
    {"ICMP, headers alone, not to be divided",
     &probe_icmp,
     SONDE_FAMILY_IPV4,
     {.size_bytes = 28, .ttl = 7, .ecn = 1, .dont_fragment = true},
     3,
     /* header 27c6d, 7c6f; echo 0800 + 9c41 + 03ec = a82d */
     "4529001c03ec400007018390c0000201c6336407"
     "080057d29c4103ec"},
    {"ICMP, a part of the cookie",
     &probe_icmp,
     SONDE_FAMILY_IPV4,
     {.size_bytes = 36, .ttl = 9, .ecn = 2},
     4,
     /* header 23e77, 3e79; the checksum is that of the trace, the cookie's words 0123 + 4567 + 89ab
      * + cdef = 19e24, 9e25; all words but the first of the payload are 21688, 168a */
     "452a002403ed00000901c186c0000201c6336407"
     "08009e259c4103ede9750123456789ab"},
    {"ICMPv6, headers alone",
     &probe_icmp,
     SONDE_FAMILY_IPV6,
     {.size_bytes = 48, .ttl = 7, .ecn = 1, .dont_fragment = true},
     3,
     /* addresses 2001 + db8 + 1 + 2001 + db8 + ffff + 7, length 8, 3a, 8000 + 9c41 + 3ec: 27be8,
      * 7bea */
     "629abcde00083a0720010db800000000000000000000000120010db8ffff00000000000000000007"
     "800084159c4103ec"},
    {"ICMPv6, a part of the cookie",
     &probe_icmp,
     SONDE_FAMILY_IPV6,
     {.size_bytes = 56, .ttl = 9, .ecn = 2},
     4,
     /* 3ea4b, ea4e */
     "62aabcde00103a0920010db800000000000000000000000120010db8ffff00000000000000000007"
     "80009e259c4103ed15b10123456789ab"},
    {"UDP, headers alone, not to be divided",
     &probe_udp,
     SONDE_FAMILY_IPV4,
     {.size_bytes = 28, .ttl = 7, .ecn = 1, .dont_fragment = true},
     3,
     /* header 27c7d, 7c7f; c000 + 0201 + c633 + 6407 + 11 + 8 + 9c41 + 01bb + 8 = 28a58, 8a5a */
     "4529001c03ec400007118380c0000201c6336407"
     "9c4101bb000875a5"},
    {"UDP, all of the proof",
     &probe_udp,
     SONDE_FAMILY_IPV4,
     {.size_bytes = 42, .ttl = 9, .ecn = 2},
     4,
     /* header 23e8d, 3e8f; the checksum is the token's field; all words but the last are 42c89,
      * 2c8d
      */
     "452a002a03ed00000911c170c0000201c6336407"
     "9c4101bb001603ed0123456789abcdef00000004d372"},
    {"UDP over IPv6, headers alone",
     &probe_udp,
     SONDE_FAMILY_IPV6,
     {.size_bytes = 48, .ttl = 7, .ecn = 1, .dont_fragment = true},
     3,
     /* 1f996, f997 */
     "629abcde0008110720010db800000000000000000000000120010db8ffff00000000000000000007"
     "9c4101bb00080668"},
    {"UDP over IPv6, all of the proof",
     &probe_udp,
     SONDE_FAMILY_IPV6,
     {.size_bytes = 62, .ttl = 9, .ecn = 2},
     4,
     /* 39bc7, 9bca */
     "62aabcde0016110920010db800000000000000000000000120010db8ffff00000000000000000007"
     "9c4101bb001603ed0123456789abcdef000000046435"},
};

Test(format, two_probes_of_one_flow_are_on_the_wire_as_each_was_asked_for)
{
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        const struct sonde_spec spec = sample_spec(wanted[i].ops, wanted[i].family);
        const struct probe_name name = {.token = wanted[i].token};
        static struct sample_probe probe;
        sample_build_as(&probe, wanted[i].ops, &spec, &wanted[i].format, &name);
        expect_bytes(&probe.tx, wanted[i].hex, wanted[i].what);
    }
}

/* RFC 791 §3.1: the type of service is byte 1, DF the second bit of byte 6. RFC 8200 §3: the
 * traffic class is bits 4 to 11. */
Test(format, every_module_leaves_ecn_and_df_to_the_format_and_out_of_the_segment)
{
    for (size_t i = 0; probe_at(i) != NULL; i++) {
        for (size_t k = 0; k < 8; k++) {
            const struct sonde_spec spec = sample_spec(probe_at(i), SONDE_FAMILY_IPV4);
            const struct sonde_spec spec6 = sample_spec(probe_at(i), SONDE_FAMILY_IPV6);
            const struct probe_name name = {.token = 3};
            static struct sample_probe usual;
            static struct sample_probe probe;
            uint8_t header[PACKET_HEADER_MAX];
            struct sonde_format format = spec.format;
            format.ecn = k & 3;
            format.dont_fragment = k >= 4;
            sample_build(&usual, probe_at(i), &spec, 3);
            sample_build_as(&probe, probe_at(i), &spec, &format, &name);
            cr_assert_eq(probe.tx.segment.len, usual.tx.segment.len);
            cr_expect_arr_eq(probe.bytes, usual.bytes, usual.tx.segment.len);
            cr_assert_eq(packet_encode_header(&probe.tx, header, sizeof header), 20);
            cr_expect_eq(header[1], 10 << 2 | (k & 3), "%s", probe_at(i)->name);
            cr_expect_eq(header[6], k >= 4 ? 0x40 : 0, "%s", probe_at(i)->name);
            sample_build_as(&probe, probe_at(i), &spec6, &format, &name);
            cr_expect(probe.tx.dont_fragment, "no router divides it: RFC 8200 §5");
            cr_assert_eq(packet_encode_header(&probe.tx, header, sizeof header), 40);
            cr_expect_eq((unsigned)header[0] << 8 | header[1], 0x600aU | (10U << 2 | (k & 3U)) << 4,
                         "%s", probe_at(i)->name);
        }
    }
}

/* What takes an attempt back is of no format: it has the trace's. */
Test(format, what_takes_a_syn_back_has_the_formats_of_the_trace)
{
    struct sonde_spec spec = sample_spec(&probe_tcp, SONDE_FAMILY_IPV4);
    uint8_t bytes[PROBE_SIZE_MAX];
    struct sonde_tx tx;
    spec.format.dont_fragment = true;
    cr_assert_eq(probe_tcp.release(&spec, 0, bytes, sizeof bytes, &tx), 0);
    cr_expect_eq(tx.tos, SAMPLE_TOS);
    cr_expect(tx.dont_fragment);
    cr_expect_neq(tx.ttl, spec.format.ttl, "it has to arrive");
}

/* A quote that a router on the way has changed: other ECN bits, DF the other way round. */
static int match_rewritten(const struct sonde_probe_ops *ops, struct sample_probe *probe,
                           size_t quote_len, struct sonde_match *match)
{
    const struct sonde_tx sent = probe->tx;
    probe->tx.tos ^= 3;
    probe->tx.dont_fragment = !probe->tx.dont_fragment;
    int r = sample_match_error(ops, probe, quote_len, match);
    probe->tx = sent;
    return r;
}

/* One flow, probes of all sizes: what comes back of each names it. */
static void visit_sizes(const struct sonde_probe_ops *ops, enum sonde_family family)
{
    const struct sonde_spec spec = sample_spec(ops, family);
    bool ipv6 = family == SONDE_FAMILY_IPV6;
    for (uint16_t size = SHORTEST; size <= LONGEST; size++) {
        const struct sonde_format format = {.size_bytes = size, .ttl = 7, .ecn = size & 3};
        const struct probe_name name = {.token = UINT32_C(65535) * 7 + size};
        static struct sample_probe probe;
        struct sonde_match match = sample_untouched;
        sample_build_as(&probe, ops, &spec, &format, &name);
        /* a proof has 14 bytes, headers 28 or 48 */
        bool whole = ops->protocol == IP_PROTO_TCP || ops->protocol == IP_PROTO_SCTP ||
                     size >= (ipv6 ? 62 : 42);
        cr_assert_eq(match_rewritten(ops, &probe, SIZE_MAX, &match), 0, "%s over IPv%d, %u bytes",
                     ops->name, (int)family, size);
        bool named = whole || !ipv6 || ops == &probe_icmp || size >= 50;
        cr_expect_eq(match.has_token, named, "%s over IPv%d, %u bytes", ops->name, (int)family,
                     size);
        cr_expect_eq(match.has_full_token, whole, "%s over IPv%d, %u bytes", ops->name, (int)family,
                     size);
        if (named)
            cr_expect_eq(match.token, whole ? name.token : size, "%u bytes", size);
    }
}

Test(format, a_quote_names_its_probe_whatever_its_size_and_whatever_routers_rewrote)
{
    for (size_t i = 0; probe_at(i) != NULL; i++) {
        visit_sizes(probe_at(i), SONDE_FAMILY_IPV4);
        visit_sizes(probe_at(i), SONDE_FAMILY_IPV6);
    }
}

Test(format, an_echo_names_its_probe_whatever_its_size)
{
    for (size_t k = 0; k < 2; k++) {
        const struct sonde_spec spec = sample_spec(&probe_icmp, sample_families[k]);
        for (uint16_t size = SHORTEST; size <= LONGEST; size++) {
            const struct sonde_format format = {.size_bytes = size, .ttl = 7};
            const struct probe_name name = {.token = UINT32_C(65535) * 7 + size};
            static struct sample_probe probe;
            struct sonde_match match = sample_untouched;
            uint8_t bytes[PROBE_SIZE_MAX];
            struct wr wr = wr_init(bytes, sizeof bytes);
            sample_build_as(&probe, &probe_icmp, &spec, &format, &name);
            answer_echo(&wr, &probe.tx, NULL);
            bool whole = size >= (k == 1 ? 62 : 42);
            cr_assert_eq(sample_match(&probe_icmp, &spec, &wr, &match), 0, "%u bytes", size);
            cr_expect_eq(match.has_full_token, whole, "%u bytes", size);
            cr_expect_eq(match.token, whole ? name.token : size, "%u bytes", size);
        }
    }
}
