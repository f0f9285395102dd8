/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ICMP errors that quote a probe: to which probe they belong, however the quote was treated on the
 * way, and which quotes prove nothing. Every case is tried with probes of both families in ICMP,
 * UDP and TCP.
 */
#include "samples.h"

#include <criterion/criterion.h>

/* A stack of one label, 24001; the checksum is derived in test_icmpext.c. */
#define STRUCTURE "20 00 c11c 0008 01 01 05dc17fe"

struct quote {
    uint8_t room[TAIL_BYTES];
    struct wr wr;
};

/* Start a body with the sample's whole quote. */
static void quote_init(struct quote *quote, const struct sample *sample)
{
    quote->wr = wr_init(quote->room, sizeof quote->room);
    put_quote(&quote->wr, sample);
}

/* Decode a time exceeded with what was put into the quote. */
static int decode(const struct quote *quote, const struct sample *sample, size_t quoted_bytes,
                  struct tail *tail, struct sonde_rx *ret_rx)
{
    struct message message = time_exceeded(sample, quoted_bytes, written(&quote->wr));
    return decode_message(sample, message, tail, ret_rx);
}

Test(quote, a_whole_quote_names_its_probe)
{
    for (const struct sample *sample = samples; sample < samples + SAMPLES; sample++) {
        struct quote quote;
        struct tail tail;
        struct sonde_rx rx;
        bool ipv6 = sample->family == SONDE_FAMILY_IPV6;
        quote_init(&quote, sample);
        cr_assert_eq(decode(&quote, sample, 0, &tail, &rx), 0, "%s", sample->name);
        expect_error(sample, &rx);
        cr_expect_eq(rx.icmp_type, ipv6 ? 3 : 11, "%s", sample->name);
        cr_expect_eq(rx.icmp_code, 0, "%s", sample->name);
        cr_expect_eq(rx.icmp_info, 0, "%s", sample->name);
        expect_addr(&rx.quote.src, ipv6 ? "2001:db8::1" : "192.0.2.1");
        cr_expect_eq(rx.quote.ttl, 1, "%s", sample->name);
        cr_expect(rx.quote.has_header, "%s", sample->name);
        cr_expect_eq(rx.quote.tos, 0, "%s", sample->name);
        cr_expect(rx.quote.dont_fragment, "%s", sample->name);
        if (!ipv6)
            cr_expect_eq(rx.quote.id, 0xbeef, "%s", sample->name);
        expect_hex(rx.quote.segment, sample->segment, sample->name);
        cr_expect_eq(rx.ext.count, 0, "%s", sample->name);
    }
}

/* P01, P02: what RFC 792 promises is enough, and a byte less is not. */
Test(quote, eight_bytes_of_transport_header_are_enough_and_seven_are_not)
{
    for (const struct sample *sample = samples; sample < samples + SAMPLES; sample++) {
        struct quote quote;
        quote_init(&quote, sample);
        size_t whole = quote.wr.len;
        size_t enough = sample_header_len(sample) + 8;
        for (size_t len = 0; len <= whole; len++) {
            struct tail tail;
            struct sonde_rx rx;
            quote.wr.len = len;
            int r = decode(&quote, sample, 0, &tail, &rx);
            cr_expect_eq(r, len < enough ? SONDE_DISCARD_SHORT_QUOTE : 0, "%s, %zu", sample->name,
                         len);
            if (r != 0)
                continue;
            expect_error(sample, &rx);
            cr_expect_eq(rx.quote.segment.len, len - enough + 8, "%s, %zu", sample->name, len);
        }
    }
}

/* P03 */
Test(quote, of_another_version_than_its_error_it_is_malformed)
{
    for (const struct sample *sample = samples; sample < samples + SAMPLES; sample++) {
        for (unsigned version = 0; version <= 15; version++) {
            struct quote quote;
            struct tail tail;
            struct sonde_rx rx;
            quote_init(&quote, sample);
            quote.room[0] = (uint8_t)(version << 4 | (quote.room[0] & 0x0f));
            int expected = version == (unsigned)sample->family ? 0 : SONDE_DISCARD_MALFORMED;
            cr_expect_eq(decode(&quote, sample, 0, &tail, &rx), expected, "%s, version %u",
                         sample->name, version);
        }
    }
}

Test(quote, a_packet_of_the_other_family_is_malformed)
{
    for (size_t i = 0; i < SAMPLES; i++) {
        struct quote quote;
        struct tail tail;
        struct sonde_rx rx;
        quote_init(&quote, &samples[(i + 3) % SAMPLES]);
        cr_expect_eq(decode(&quote, &samples[i], 0, &tail, &rx), SONDE_DISCARD_MALFORMED, "%s",
                     samples[i].name);
    }
}

/* P03: a quote of 28 bytes, which is all that many routers send, and one of 128 */
Test(quote, an_ipv4_header_length_that_cannot_be_is_malformed)
{
    static const size_t lengths[] = {28, 128};
    for (const struct sample *sample = samples; sample < samples + 3; sample++) {
        for (unsigned ihl = 0; ihl <= 15; ihl++) {
            for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
                struct quote quote;
                struct tail tail;
                struct sonde_rx rx;
                quote_init(&quote, sample);
                quote.room[0] = (uint8_t)(0x40 | ihl);
                quote.wr.len = 28;
                wr_fill(&quote.wr, 0, 100);
                quote.wr.len = lengths[i];
                if (ihl >= 5 && ihl * 4 <= lengths[i])
                    continue; /* possible: other tests */
                cr_expect_eq(decode(&quote, sample, 0, &tail, &rx), SONDE_DISCARD_MALFORMED,
                             "%s, IHL %u, %zu bytes", sample->name, ihl, lengths[i]);
            }
        }
    }
}

/* P04 */
Test(quote, ipv4_options_are_passed_over)
{
    static const char *const options[] = {
        "94040000",                                /* router alert */
        "0727040000000000000000000000000000000000" /* record route, 39 bytes, and an end */
        "0000000000000000000000000000000000000000",
    };
    for (const struct sample *sample = samples; sample < samples + 3; sample++) {
        for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
            struct quote whole;
            struct quote quote;
            struct tail tail;
            struct sonde_rx rx;
            quote_init(&whole, sample);
            quote.wr = wr_init(quote.room, sizeof quote.room);
            wr_bytes(&quote.wr, whole.room, 20);
            wr_hex(&quote.wr, options[i]);
            quote.room[0] = (uint8_t)(0x40 | quote.wr.len / 4);
            wr_bytes(&quote.wr, whole.room + 20, whole.wr.len - 20);
            cr_assert_eq(decode(&quote, sample, 0, &tail, &rx), 0, "%s", sample->name);
            expect_error(sample, &rx);
            expect_hex(rx.quote.segment, sample->segment, sample->name);
        }
    }
}

/* Decode the quote of an IPv6 sample with COUNT headers of this kind before its segment. */
static int decode_chain(const struct sample *sample, uint8_t kind, unsigned count,
                        struct tail *tail, struct sonde_rx *ret_rx)
{
    struct quote whole;
    struct quote quote;
    quote_init(&whole, sample);
    quote.wr = wr_init(quote.room, sizeof quote.room);
    wr_bytes(&quote.wr, whole.room, 40);
    quote.room[6] = kind;
    for (unsigned n = 1; n <= count; n++) {
        wr_u8(&quote.wr, n == count ? sample->number : kind);
        wr_fill(&quote.wr, 0, 7); /* 8 bytes, whatever the kind; of a fragment the first */
    }
    wr_bytes(&quote.wr, whole.room + 40, whole.wr.len - 40);
    return decode(&quote, sample, 0, tail, ret_rx);
}

/* P04: hop-by-hop, routing, fragment, AH, destination, mobility, HIP, shim6 */
Test(quote, ipv6_extension_headers_are_passed_over)
{
    static const uint8_t kinds[] = {0, 43, 44, 51, 60, 135, 139, 140};
    for (const struct sample *sample = samples + 3; sample < samples + SAMPLES; sample++) {
        struct tail tail;
        struct sonde_rx rx;
        for (size_t i = 0; i < sizeof kinds; i++) {
            cr_assert_eq(decode_chain(sample, kinds[i], 1, &tail, &rx), 0, "%s, %u", sample->name,
                         kinds[i]);
            expect_error(sample, &rx);
            expect_hex(rx.quote.segment, sample->segment, sample->name);
        }
        cr_expect_eq(decode_chain(sample, 60, 8, &tail, &rx), 0, "%s", sample->name);
        cr_expect_eq(decode_chain(sample, 60, 9, &tail, &rx), SONDE_DISCARD_MALFORMED, "%s",
                     sample->name);
    }
}

/* P05, P06: where it is in the header, and what a device on the way made of it */
Test(quote, what_was_rewritten_on_the_way_changes_no_attribution)
{
    static const struct {
        size_t family_first; /* the first sample that has such a field */
        size_t at;
        uint8_t value;
    } cases[] = {
        {0, 1, 0xff},  {0, 2, 0x00},  {0, 2, 0xff},  {0, 3, 0x00}, /* TOS, total length */
        {0, 4, 0x00},  {0, 6, 0x00},  {0, 6, 0x20},                /* identification, flags */
        {0, 8, 0x00},  {0, 8, 0xff},  {0, 10, 0x00},               /* TTL, checksum */
        {0, 12, 0x0a}, {0, 15, 0xff},                              /* source: a NAT was here */
        {3, 1, 0xff},  {3, 2, 0x00},  {3, 3, 0x00},                /* flow label, some class */
        {3, 4, 0xff},  {3, 5, 0x00},                               /* payload length */
        {3, 7, 0x00},  {3, 7, 0xff},                               /* hop limit */
        {3, 8, 0xfd},  {3, 23, 0xff},                              /* source */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (size_t n = cases[i].family_first; n < cases[i].family_first + 3; n++) {
            struct quote quote;
            struct tail tail;
            struct sonde_rx rx;
            quote_init(&quote, &samples[n]);
            quote.room[cases[i].at] = cases[i].value;
            cr_assert_eq(decode(&quote, &samples[n], 0, &tail, &rx), 0, "case %zu", i);
            expect_error(&samples[n], &rx);
            expect_hex(rx.quote.segment, samples[n].segment, samples[n].name);
        }
    }
}

Test(quote, fields_are_given_as_seen)
{
    struct quote quote;
    struct tail tail;
    struct sonde_rx rx;
    quote_init(&quote, &samples[1]); /* IPv4 UDP */
    quote.room[1] = 0x2e;            /* DSCP 11, ECN 2 */
    quote.room[4] = 0x12;            /* id 12ef */
    quote.room[6] = 0;               /* no DF: RFC 791 §3.1 */
    quote.room[8] = 0;               /* TTL: some decrement before they look */
    quote.room[12] = 10;             /* source 10.0.2.1, and */
    quote.room[20] = 0x40;           /* source port 40de: a NAT that does not translate back */
    cr_assert_eq(decode(&quote, &samples[1], 0, &tail, &rx), 0);
    cr_expect_eq(rx.quote.tos, 0x2e);
    cr_expect_not(rx.quote.dont_fragment);
    cr_expect_eq(rx.quote.id, 0x12ef);
    cr_expect_eq(rx.quote.ttl, 0);
    expect_addr(&rx.quote.src, "10.0.2.1");
    expect_addr(&rx.remote, "198.51.100.2");
    cr_expect_eq(rx.local_port, 0x40de);
    cr_expect_eq(rx.remote_port, 53);
    quote_init(&quote, &samples[4]); /* IPv6 UDP */
    quote.room[0] = 0x6b;            /* class b8 */
    quote.room[1] = 0x81;
    quote.room[7] = 255;
    quote.room[39] = 0x77; /* another destination: whether it is ours is for others to say */
    cr_assert_eq(decode(&quote, &samples[4], 0, &tail, &rx), 0);
    cr_expect_eq(rx.quote.tos, 0xb8);
    cr_expect(rx.quote.dont_fragment, "RFC 8200 §5");
    cr_expect_eq(rx.quote.ttl, 255);
    expect_addr(&rx.remote, "2001:db8::77");
}

Test(quote, of_a_later_fragment_proves_nothing)
{
    struct quote quote;
    struct tail tail;
    struct sonde_rx rx;
    for (size_t i = 0; i < 3; i++) {
        quote_init(&quote, &samples[i]);
        quote.room[7] = 1; /* offset of 8 bytes */
        cr_expect_eq(decode(&quote, &samples[i], 0, &tail, &rx), SONDE_DISCARD_SHORT_QUOTE, "%s",
                     samples[i].name);
    }
}

/* P30: only what we send can be ours */
Test(quote, an_error_about_an_error_or_about_an_answer_is_foreign)
{
    static const struct {
        size_t sample;
        uint8_t type;
    } cases[] = {
        {0, 0}, {0, 3}, {0, 5}, {0, 11}, {0, 12},  {0, 128}, /* 128 is a request in ICMPv6 only */
        {3, 1}, {3, 2}, {3, 3}, {3, 4},  {3, 129}, {3, 8},   /* and 8 in ICMP only */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct sample *sample = &samples[cases[i].sample];
        struct quote quote;
        struct tail tail;
        struct sonde_rx rx;
        quote_init(&quote, sample);
        quote.room[sample_header_len(sample)] = cases[i].type;
        cr_expect_eq(decode(&quote, sample, 0, &tail, &rx), SONDE_DISCARD_FOREIGN, "%s, type %u",
                     sample->name, cases[i].type);
    }
}

Test(quote, the_icmp_of_the_other_family_is_not_ours)
{
    for (size_t i = 0; i < SAMPLES; i += 3) {
        struct quote quote;
        struct tail tail;
        struct sonde_rx rx;
        quote_init(&quote, &samples[i]);
        quote.room[i == 0 ? 9 : 6] = i == 0 ? IP_PROTO_ICMPV6 : IP_PROTO_ICMP;
        if (decode(&quote, &samples[i], 0, &tail, &rx) == 0)
            cr_expect_neq(rx.protocol, IP_PROTO_ICMP, "%s", samples[i].name);
    }
}

/*
 * Extensions: whatever is wrong with them, the hop that sent them stays. P14 to P19.
 */
Test(quote, extensions_cost_no_hop_and_are_believed_only_if_right)
{
    static const struct {
        const char *what;
        const char *structure;
        size_t quoted_bytes; /* stated; the structure always stands at 128 */
        unsigned count;
        bool legacy, bad_checksum, malformed;
    } cases[] = {
        {"as RFC 4884 has it", STRUCTURE, 128, 1, false, false, false},
        {"legacy", STRUCTURE, 0, 1, true, false, false},                                /* P16 */
        {"length beyond the packet", STRUCTURE, 144, 0, false, false, true},            /* P14 */
        {"length below 128", STRUCTURE, 120, 0, false, false, true},                    /* P15 */
        {"no checksum", "20 00 0000 0008 01 01 05dc17fe", 128, 1, false, false, false}, /* P17 */
        {"wrong checksum", "20 00 c11d 0008 01 01 05dc17fe", 128, 0, false, true, false},
        {"version 1", "10 00 d11c 0008 01 01 05dc17fe", 128, 0, false, false, false}, /* P18 */
        {"object length 0", "20 00 0000 0000 01 01", 128, 0, false, false, true},     /* P19 */
        {"object length 65535", "20 00 0000 ffff 01 01", 128, 0, false, false, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (const struct sample *sample = samples; sample < samples + SAMPLES; sample++) {
            struct quote quote;
            struct tail tail;
            struct sonde_rx rx;
            quote_init(&quote, sample);
            wr_fill(&quote.wr, 0, 128 - quote.wr.len); /* RFC 4884 §4: padded with zeros */
            wr_hex(&quote.wr, cases[i].structure);
            cr_assert_eq(decode(&quote, sample, cases[i].quoted_bytes, &tail, &rx), 0, "%s: %s",
                         sample->name, cases[i].what);
            expect_error(sample, &rx);
            cr_expect_eq(rx.ext.count, cases[i].count, "%s: %s", sample->name, cases[i].what);
            cr_expect_eq(rx.ext.legacy, cases[i].legacy, "%s: %s", sample->name, cases[i].what);
            cr_expect_eq(rx.ext.bad_checksum, cases[i].bad_checksum, "%s", cases[i].what);
            cr_expect_eq(rx.ext.malformed, cases[i].malformed, "%s", cases[i].what);
            if (cases[i].count > 0)
                cr_expect_eq(rx.ext.items[0].u.mpls.labels[0].label, 24001, "%s", sample->name);
        }
    }
}

/* RFC 4884 §4 has a short quote padded with zeros to 128 bytes before a structure. Linux since 6.19
 * does so, too (net/ipv4/icmp.c). What is padding is no part of the probe. */
Test(quote, what_it_is_padded_with_is_no_part_of_the_probe)
{
    for (const struct sample *sample = samples; sample < samples + SAMPLES; sample++) {
        struct quote whole;
        quote_init(&whole, sample);
        size_t header_len = sample_header_len(sample);
        for (size_t quoted = header_len + 8; quoted <= whole.wr.len; quoted++) {
            for (unsigned stated = 0; stated < 2; stated++) {
                struct quote quote;
                struct tail tail;
                struct sonde_rx rx;
                quote_init(&quote, sample);
                quote.wr.len = quoted;
                /* the last byte that is not 0 ends what is known to be quoted */
                size_t known = quoted - header_len;
                while (known > 8 && whole.room[header_len + known - 1] == 0)
                    known--;
                wr_fill(&quote.wr, 0, 128 - quoted);
                wr_hex(&quote.wr, STRUCTURE);
                cr_assert_eq(decode(&quote, sample, stated * 128, &tail, &rx), 0, "%s",
                             sample->name);
                expect_error(sample, &rx);
                cr_expect_eq(rx.ext.count, 1, "%s", sample->name);
                cr_expect_eq(rx.quote.segment.len, known, "%s: of %zu bytes", sample->name, quoted);
            }
        }
    }
}

/* A quote that nothing is added to is as long as it is: what ends in zeros may be the probe. */
Test(quote, of_less_than_128_bytes_it_is_not_padded)
{
    struct quote quote;
    struct tail tail;
    struct sonde_rx rx;
    quote_init(&quote, &samples[1]); /* IPv4 UDP: a header of 20 bytes */
    quote.wr.len = 28;
    wr_fill(&quote.wr, 0, 99);
    cr_assert_eq(decode(&quote, &samples[1], 0, &tail, &rx), 0);
    cr_expect_eq(rx.quote.segment.len, 107);
    quote.wr.len = 28;
    wr_fill(&quote.wr, 0, 100);
    cr_assert_eq(decode(&quote, &samples[1], 0, &tail, &rx), 0);
    cr_expect_eq(rx.quote.segment.len, 8);
}

/* P20 and P21 beside a label that stays; what becomes of each object is for their own tests */
Test(quote, odd_objects_cost_neither_the_hop_nor_what_stands_before_them)
{
    static const struct {
        const char *object;
        unsigned count;
        bool malformed;
    } cases[] = {
        {"0008 f7 01 deadbeef", 2, false},           /* unknown class */
        {"000c 02 02 08 65746830 000000", 2, false}, /* an interface's name, "eth0" */
        {"0008 02 02 00 657468", 2, true},           /* its length is 0 */
        {"0008 02 02 44 657468", 2, true},           /* 68 */
        {"0008 02 02 06 657468", 2, true},           /* no multiple of 4 */
        {"0008 02 02 08 657468", 2, true},           /* ends beyond the object */
        {"000c 02 04 0007 0000 c0000209", 2, true},  /* an address of family 7 */
        {"0006 f7 01 dead", 1, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (const struct sample *sample = samples; sample < samples + SAMPLES; sample++) {
            struct quote quote;
            struct tail tail;
            struct sonde_rx rx;
            quote_init(&quote, sample);
            wr_fill(&quote.wr, 0, 128 - quote.wr.len);
            wr_hex(&quote.wr, "20 00 0000 0008 01 01 05dc17fe");
            wr_hex(&quote.wr, cases[i].object);
            cr_assert_eq(decode(&quote, sample, 128, &tail, &rx), 0, "case %zu", i);
            expect_error(sample, &rx);
            cr_expect_eq(rx.ext.count, cases[i].count, "case %zu", i);
            cr_expect_eq(rx.ext.malformed, cases[i].malformed, "case %zu", i);
            cr_expect_eq(rx.ext.items[0].u.mpls.labels[0].label, 24001, "case %zu", i);
        }
    }
}
