/* SPDX-License-Identifier: BSD-2-Clause */
/* What the probe modules share: the table, tokens in 16-bit fields, codes, proofs. */
#include "probe/probe.h"

#include "tests/unit/probe/samples.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

Test(probe, modules_are_found_by_name)
{
    static const struct {
        uint8_t protocol; /* IANA protocol numbers */
        const char *name;
        bool has_ports;
    } cases[] = {
        {1, "icmp", false},
        {6, "tcp", true},
        {17, "udp", true},
        {132, "sctp", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct sonde_probe_ops *ops = probe_by_name(cases[i].name);
        cr_assert_not_null(ops, "%s", cases[i].name);
        cr_expect_str_eq(ops->name, cases[i].name);
        cr_expect_eq(ops->protocol, cases[i].protocol);
        cr_expect_eq(ops->has_ports, cases[i].has_ports, "%s", cases[i].name);
    }
}

Test(probe, what_no_module_speaks_is_not_found)
{
    static const char *const names[] = {"", "ICMP", "tcp ", "tc", "dccp", "icmp6"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        cr_expect_null(probe_by_name(names[i]), "%s", names[i]);
}

Test(probe, every_module_can_be_visited)
{
    size_t count = 0;
    for (; probe_at(count) != NULL; count++)
        cr_expect_eq(probe_by_name(probe_at(count)->name), probe_at(count));
    cr_expect_eq(count, 4);
    cr_expect_null(probe_at(SIZE_MAX));
}

Test(probe, the_protocols_of_all_modules_are_collected_once_each)
{
    uint8_t protocols[PROBE_PROTOCOLS_MAX];
    size_t count = probe_protocols(protocols);
    for (size_t i = 0; probe_at(i) != NULL; i++) {
        size_t found = 0;
        for (size_t k = 0; k < count; k++)
            found += protocols[k] == probe_at(i)->protocol;
        cr_expect_eq(found, 1, "%s", probe_at(i)->name);
    }
    cr_expect_eq(count, 4);
}

/* Twelve bits count the attempts, twenty are the trace's secret: as in the table of test_tcp.c. */
Test(probe, the_number_of_an_attempt_names_it_and_proves_the_trace)
{
    static const struct {
        uint32_t base;
        uint32_t attempt;
        uint32_t number;
    } cases[] = {
        {0x11223344, 0, 0x11223344},    {0x11223344, 1, 0x11323344}, {0x11223344, 4095, 0x11123344},
        {0x11223344, 4096, 0x11223344}, {0xffffffff, 1, 0x000fffff}, {0, 2, 0x00200000},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sonde_match match = {0};
        cr_expect_eq(probe_attempt_number(cases[i].base, cases[i].attempt), cases[i].number);
        cr_expect(probe_match_attempt(cases[i].base, cases[i].number, &match));
        cr_expect(match.has_attempt);
        cr_expect_eq(match.attempt, cases[i].attempt % 4096);
        for (unsigned bit = 0; bit < 20; bit++) {
            struct sonde_match none = {0};
            uint32_t wrong = cases[i].number ^ UINT32_C(1) << bit;
            cr_expect_not(probe_match_attempt(cases[i].base, wrong, &none), "bit %u", bit);
            cr_expect_not(none.has_attempt);
        }
    }
}

Test(probe, sixteen_bit_fields_of_tokens_are_as_calculated)
{
    static const struct {
        uint16_t base;
        uint32_t token;
        uint16_t field; /* (token mod 65535 + base) mod 65535 + 1 */
    } cases[] = {
        {0, 0, 1},
        {0, 65534, 65535},
        {0, 65535, 1}, /* 65535 mod 65535 = 0 */
        {0, 65536, 2},
        {1000, 0, 1001},
        {1000, 64534, 65535}, /* 65534 + 1 */
        {1000, 64535, 1},     /* 65535 mod 65535 + 1 */
        {65534, 0, 65535},
        {65534, 1, 1},
        {65535, 0, 1},               /* a base of 65535 is one of 0 */
        {0, UINT32_C(0xffffffff), 1} /* 2^32 - 1 = 65535 * 65537 */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct sonde_spec spec = {.id_base = cases[i].base};
        cr_expect_eq(probe_field16(spec.id_base, cases[i].token), cases[i].field,
                     "base %u, token %u", cases[i].base, cases[i].token);
    }
}

Test(probe, every_sixteen_bit_field_names_one_token_and_none_is_zero)
{
    static const uint16_t bases[] = {0, 1, 1000, 32767, 32768, 65533, 65534, 65535};
    for (size_t i = 0; i < sizeof bases / sizeof *bases; i++) {
        const struct sonde_spec spec = {.id_base = bases[i]};
        static uint8_t seen[65536];
        unsigned wrong = 0;
        memset(seen, 0, sizeof seen);
        for (uint32_t token = 0; token < 65535; token++) {
            uint16_t field = probe_field16(spec.id_base, token);
            wrong += field == 0 || seen[field] != 0 || probe_token16(spec.id_base, field) != token;
            seen[field] = 1;
        }
        cr_expect_eq(wrong, 0, "base %u: %u tokens", bases[i], wrong);
    }
}

Test(probe, tokens_beyond_sixteen_bits_come_back_modulo_65535)
{
    static const uint16_t bases[] = {0, 1000, 65535};
    for (size_t i = 0; i < sizeof bases / sizeof *bases; i++) {
        const struct sonde_spec spec = {.id_base = bases[i]};
        for (size_t k = 0; k < SAMPLE_TOKENS; k++) {
            uint32_t token = sample_tokens[k];
            cr_expect_eq(probe_token16(spec.id_base, probe_field16(spec.id_base, token)),
                         token % 65535, "base %u, token %u", bases[i], token);
        }
    }
}

/* The outcomes of all codes of an ICMP type; those beyond the table's end are the last's. */
static void expect_outcomes(uint8_t family, uint8_t type, const enum sonde_outcome *outcomes,
                            size_t count)
{
    struct sonde_rx rx = {.kind = SONDE_RX_ERROR, .icmp_type = type};
    rx.remote.family = family;
    for (unsigned code = 0; code <= 255; code++) {
        rx.icmp_code = (uint8_t)code;
        cr_expect_eq(probe_error_outcome(&rx), outcomes[code < count ? code : count - 1],
                     "IPv%u, %u/%u", family, type, code);
    }
}

#define EXPECT_OUTCOMES(family, type, outcomes)                                                    \
    expect_outcomes(family, type, outcomes, sizeof(outcomes) / sizeof *(outcomes))

Test(probe, unreachable_codes_of_icmp_mean_what_rfc_1812_says)
{
    static const enum sonde_outcome outcomes[] = {
        SONDE_OUTCOME_NET_UNREACHABLE,   /* 0 network unreachable; RFC 792 */
        SONDE_OUTCOME_HOST_UNREACHABLE,  /* 1 host unreachable */
        SONDE_OUTCOME_OTHER_UNREACHABLE, /* 2 protocol unreachable */
        SONDE_OUTCOME_PORT_UNREACHABLE,  /* 3 port unreachable */
        SONDE_OUTCOME_PACKET_TOO_BIG,    /* 4 fragmentation needed; RFC 1191 §4 */
        SONDE_OUTCOME_HOST_UNREACHABLE,  /* 5 source route failed */
        SONDE_OUTCOME_NET_UNREACHABLE,   /* 6 network unknown; RFC 1812 §5.2.7.1 */
        SONDE_OUTCOME_HOST_UNREACHABLE,  /* 7 host unknown */
        SONDE_OUTCOME_HOST_UNREACHABLE,  /* 8 source host isolated */
        SONDE_OUTCOME_ADMIN_PROHIBITED,  /* 9 network administratively prohibited */
        SONDE_OUTCOME_ADMIN_PROHIBITED,  /* 10 host administratively prohibited */
        SONDE_OUTCOME_NET_UNREACHABLE,   /* 11 network unreachable for this type of service */
        SONDE_OUTCOME_HOST_UNREACHABLE,  /* 12 host unreachable for this type of service */
        SONDE_OUTCOME_ADMIN_PROHIBITED,  /* 13 communication administratively prohibited */
        SONDE_OUTCOME_OTHER_UNREACHABLE, /* 14 host precedence violation, and unassigned ones */
    };
    EXPECT_OUTCOMES(SONDE_FAMILY_IPV4, 3, outcomes);
}

Test(probe, unreachable_codes_of_icmpv6_mean_what_rfc_4443_says)
{
    static const enum sonde_outcome outcomes[] = {
        SONDE_OUTCOME_NET_UNREACHABLE,   /* 0 no route to destination */
        SONDE_OUTCOME_ADMIN_PROHIBITED,  /* 1 administratively prohibited */
        SONDE_OUTCOME_OTHER_UNREACHABLE, /* 2 beyond scope of source address */
        SONDE_OUTCOME_HOST_UNREACHABLE,  /* 3 address unreachable */
        SONDE_OUTCOME_PORT_UNREACHABLE,  /* 4 port unreachable */
        SONDE_OUTCOME_ADMIN_PROHIBITED,  /* 5 source address failed ingress/egress policy */
        SONDE_OUTCOME_ADMIN_PROHIBITED,  /* 6 reject route to destination */
        SONDE_OUTCOME_OTHER_UNREACHABLE, /* 7 error in source routing header, and later ones */
    };
    EXPECT_OUTCOMES(SONDE_FAMILY_IPV6, 1, outcomes);
}

Test(probe, only_an_exceeded_ttl_is_a_hop)
{
    static const enum sonde_outcome exceeded[] = {
        SONDE_OUTCOME_TTL_EXCEEDED,
        SONDE_OUTCOME_OTHER_UNREACHABLE, /* 1: fragment reassembly time exceeded */
    };
    static const enum sonde_outcome other[] = {SONDE_OUTCOME_OTHER_UNREACHABLE};
    static const enum sonde_outcome too_big[] = {SONDE_OUTCOME_PACKET_TOO_BIG};
    EXPECT_OUTCOMES(SONDE_FAMILY_IPV4, 11, exceeded);
    EXPECT_OUTCOMES(SONDE_FAMILY_IPV6, 3, exceeded);
    EXPECT_OUTCOMES(SONDE_FAMILY_IPV4, 12, other);  /* parameter problem */
    EXPECT_OUTCOMES(SONDE_FAMILY_IPV6, 2, too_big); /* RFC 4443 §3.2: the code is ignored */
    EXPECT_OUTCOMES(SONDE_FAMILY_IPV6, 4, other);   /* parameter problem */
}

enum { HEADER = 8 /* bytes, of ICMP and UDP alike */ };

static const struct sonde_spec payload_spec = {.cookie = SAMPLE_COOKIE, .fill = 0x5a};

/* Write a header of 0xee and a payload behind it. @return the payload's length. */
static size_t write_payload(size_t len, uint32_t token, uint8_t bytes[64], size_t *compensation)
{
    struct wr wr = wr_init(bytes, 64);
    wr_fill(&wr, 0xee, HEADER);
    *compensation = probe_write_payload(&wr, &payload_spec, len, token);
    cr_assert(wr_ok(&wr));
    return wr.len - HEADER;
}

Test(probe, a_payload_is_cookie_and_token_in_network_order_and_a_word_for_the_checksum)
{
    static const uint8_t expected[] = {
        0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0xca, 0xfe, 0xf0, 0x0d, 0, 0, 0x5a,
    };
    uint8_t bytes[64];
    size_t compensation;
    for (uint16_t len = 14; len <= 15; len++) {
        uint32_t token = 0;
        cr_assert_eq(write_payload(len, 0xcafef00d, bytes, &compensation), len);
        cr_expect_eq(compensation, HEADER + 12);
        cr_expect_arr_eq(bytes + HEADER, expected, len);
        struct sonde_span payload = {bytes + HEADER, len};
        cr_expect_eq(probe_read_proof(&payload_spec, payload, &token), 0);
        cr_expect_eq(token, 0xcafef00d);
    }
}

/* The word comes first: without it a trace would not be one flow. */
Test(probe, a_short_payload_is_a_word_for_the_checksum_and_what_fits_of_the_cookie)
{
    static const uint8_t expected[] = {0,    0,    0x01, 0x23, 0x45, 0x67, 0x89,
                                       0xab, 0xcd, 0xef, 0x5a, 0x5a, 0x5a};
    uint8_t bytes[64];
    size_t compensation;
    for (uint16_t len = 0; len < 14; len++) {
        uint32_t token = 99;
        cr_assert_eq(write_payload(len, 0xcafef00d, bytes, &compensation), len);
        cr_expect_eq(compensation, len < 2 ? 0 : HEADER);
        cr_expect_arr_eq(bytes + HEADER, expected, len);
        for (uint16_t back = 0; back <= len; back++) {
            struct sonde_span payload = {bytes + HEADER, back};
            cr_expect_eq(probe_read_proof(&payload_spec, payload, &token), SONDE_DISCARD_TRUNCATED);
        }
        for (uint16_t at = 2; at < len; at++) {
            bytes[HEADER + at] ^= 0x10;
            struct sonde_span payload = {bytes + HEADER, len};
            cr_expect_eq(probe_read_proof(&payload_spec, payload, &token), SONDE_DISCARD_BAD_TOKEN,
                         "byte %u of %u", at, len);
            bytes[HEADER + at] ^= 0x10;
        }
        cr_expect_eq(token, 99);
    }
}

Test(probe, a_proof_cut_short_or_with_another_cookie_is_none)
{
    uint8_t bytes[64];
    size_t compensation;
    uint32_t token = 99;
    (void)write_payload(36, 5, bytes, &compensation);
    uint8_t *proof = bytes + HEADER;
    for (size_t len = 0; len < PROBE_PROOF_BYTES; len++) {
        struct sonde_span payload = {proof, len};
        cr_expect_eq(probe_read_proof(&payload_spec, payload, &token), SONDE_DISCARD_TRUNCATED,
                     "%zu bytes", len);
    }
    for (unsigned bit = 0; bit < 64; bit++) {
        struct sonde_span payload = {proof, PROBE_PROOF_BYTES};
        proof[bit / 8] ^= (uint8_t)(1U << bit % 8);
        cr_expect_eq(probe_read_proof(&payload_spec, payload, &token), SONDE_DISCARD_BAD_TOKEN,
                     "bit %u", bit);
        proof[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
    cr_expect_eq(token, 99, "a refusal leaves the token alone");
}

/* RFC 894: the data of a frame are padded to 46 bytes, of which IPv4 and ICMP take 28. */
Test(probe, padding_behind_a_short_payload_is_no_part_of_it)
{
    uint8_t bytes[64] = {0};
    size_t compensation;
    for (size_t len = 0; len < 14; len++) {
        uint32_t token = 99;
        memset(bytes, 0, sizeof bytes);
        (void)write_payload(len, 5, bytes, &compensation);
        struct sonde_span payload = {bytes + HEADER, 18};
        cr_expect_eq(probe_read_proof(&payload_spec, payload, &token), SONDE_DISCARD_TRUNCATED,
                     "%zu bytes", len);
        payload.len = 19;
        cr_expect_eq(probe_read_proof(&payload_spec, payload, &token), SONDE_DISCARD_BAD_TOKEN,
                     "%zu bytes", len);
        payload.len = 18;
        bytes[HEADER + 17] = 1;
        cr_expect_eq(probe_read_proof(&payload_spec, payload, &token), SONDE_DISCARD_BAD_TOKEN,
                     "%zu bytes", len);
        cr_expect_eq(token, 99);
    }
}

Test(probe, a_payload_fills_the_packet_to_its_size)
{
    static const struct {
        enum sonde_family family;
        uint16_t size_bytes;
        size_t header_len;
        size_t payload_len;
    } cases[] = {
        {SONDE_FAMILY_IPV4, 64, 8, 36},     /* 64 - 20 - 8 */
        {SONDE_FAMILY_IPV6, 64, 8, 16},     /* 64 - 40 - 8 */
        {SONDE_FAMILY_IPV4, 9000, 8, 8972}, /* 9000 - 28 */
        {SONDE_FAMILY_IPV6, 48, 8, 0},      /* the headers alone */
        {SONDE_FAMILY_IPV6, 47, 8, 0},      /* not even those fit */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct sonde_spec spec = {.flow.dst.family = (uint8_t)cases[i].family};
        const struct sonde_format format = {.size_bytes = cases[i].size_bytes};
        cr_expect_eq(probe_payload_len(&spec, &format, cases[i].header_len), cases[i].payload_len,
                     "%u bytes over IPv%d", cases[i].size_bytes, (int)cases[i].family);
    }
}

Test(probe, an_identification_names_a_token_only_if_it_is_quoted_and_not_zero)
{
    static const struct {
        bool has_id;
        uint16_t id;
        bool found;
        uint32_t token; /* id - 1 - 1000, modulo 65535 */
    } cases[] = {
        {true, 1001, true, 0},      {true, 1000, true, 65534}, {true, 1, true, 64535},
        {true, 65535, true, 64534}, {true, 0, false, 0},       {false, 1001, false, 0},
    };
    const struct sonde_spec spec = {.id_base = SAMPLE_ID_BASE};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sonde_rx rx = {.kind = SONDE_RX_ERROR};
        struct sonde_match match = {0};
        rx.quote.has_id = cases[i].has_id;
        rx.quote.id = cases[i].id;
        cr_expect_eq(probe_match_id(&spec, &rx, &match), cases[i].found, "id %u", cases[i].id);
        cr_expect_eq(match.has_token, cases[i].found, "id %u", cases[i].id);
        cr_expect_not(match.has_full_token);
        cr_expect_eq(match.token, cases[i].token, "id %u", cases[i].id);
    }
}
