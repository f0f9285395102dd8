/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Multicast DNS, RFC 6762, asked by unicast from a port that is not its own. So a responder answers
 * as a DNS server does, with identification and question (§6.7).
 *
 * First it is asked for the name of its address (§4), which it has even where it offers nothing.
 * Then for the kinds of service that it offers (RFC 6763 §9), because small responders know no name
 * by address.
 */
#include "payload/dnsmsg.h"

static const char kinds[] = "\x09_services\x07_dns-sd\x04_udp\x05local";

static const struct dnsmsg_question services = {
    .name = kinds,
    .name_bytes = sizeof kinds,
    .type = DNSMSG_TYPE_PTR,
    .qclass = DNSMSG_CLASS_IN,
};

/* A label of the decimal digits of a number up to 255. */
static void write_number(struct wr *wr, uint8_t number)
{
    uint8_t digits = number >= 100 ? 3 : number >= 10 ? 2 : 1;
    wr_u8(wr, digits);
    if (number >= 100)
        wr_u8(wr, (uint8_t)('0' + number / 100));
    if (number >= 10)
        wr_u8(wr, (uint8_t)('0' + number / 10 % 10));
    wr_u8(wr, (uint8_t)('0' + number % 10));
}

/* A label of one hexadecimal digit. */
static void write_digit(struct wr *wr, uint8_t value)
{
    wr_u8(wr, 1);
    wr_u8(wr, (uint8_t) "0123456789abcdef"[value & 15]);
}

/* The name that stands for an address: its parts, the last one first; RFC 1035 §3.5, RFC 3596 §2.5.
 */
static void write_reverse(struct wr *wr, const struct sonde_addr *addr)
{
    static const char ipv4[] = "\x07in-addr\x04"
                               "arpa";
    static const char ipv6[] = "\x03ip6\x04"
                               "arpa";
    bool is_ipv6 = addr->family == SONDE_FAMILY_IPV6;
    for (size_t i = is_ipv6 ? 16 : 4; i > 0; i--) {
        if (is_ipv6) {
            write_digit(wr, addr->bytes[i - 1]);
            write_digit(wr, addr->bytes[i - 1] >> 4);
        } else {
            write_number(wr, addr->bytes[i - 1]);
        }
    }
    wr_bytes(wr, is_ipv6 ? ipv6 : ipv4, is_ipv6 ? sizeof ipv6 : sizeof ipv4);
}

/* The question for the name of the server's address, its own name in @p name. */
static struct dnsmsg_question question_of(const struct payload_trace *trace,
                                          uint8_t name[static DNSMSG_NAME_BYTES])
{
    struct wr wr = wr_init(name, DNSMSG_NAME_BYTES);
    write_reverse(&wr, &trace->addr);
    return (struct dnsmsg_question){
        .name = (const char *)name,
        .name_bytes = wr.len,
        .type = DNSMSG_TYPE_PTR,
        .qclass = DNSMSG_CLASS_IN,
    };
}

static void address_ask(const struct payload_trace *trace, const struct payload_name *name,
                        size_t len, struct wr *wr)
{
    uint8_t bytes[DNSMSG_NAME_BYTES];
    const struct dnsmsg_question question = question_of(trace, bytes);
    (void)len;
    dnsmsg_ask(&question, name, 0, wr);
}

static int address_recognize(const struct payload_trace *trace, struct sonde_span quoted,
                             struct payload_match *ret_match)
{
    uint8_t bytes[DNSMSG_NAME_BYTES];
    const struct dnsmsg_question question = question_of(trace, bytes);
    return dnsmsg_recognize(&question, quoted, ret_match);
}

static int address_fits(const struct payload_trace *trace, struct sonde_span answer,
                        struct payload_match *ret_match)
{
    uint8_t bytes[DNSMSG_NAME_BYTES];
    const struct dnsmsg_question question = question_of(trace, bytes);
    return dnsmsg_fits(&question, answer, ret_match);
}

static void kinds_ask(const struct payload_trace *trace, const struct payload_name *name,
                      size_t len, struct wr *wr)
{
    (void)trace;
    (void)len;
    dnsmsg_ask(&services, name, 0, wr);
}

static int kinds_recognize(const struct payload_trace *trace, struct sonde_span quoted,
                           struct payload_match *ret_match)
{
    (void)trace;
    return dnsmsg_recognize(&services, quoted, ret_match);
}

static int kinds_fits(const struct payload_trace *trace, struct sonde_span answer,
                      struct payload_match *ret_match)
{
    (void)trace;
    return dnsmsg_fits(&services, answer, ret_match);
}

const struct payload_ops payload_mdns = {
    .name = "mdns",
    .topic = "its address",
    .asks = "the name of its address",
    .silence = "a responder ignores other links than its own", /* RFC 6762 §5.5 */
    .next = &payload_mdns_kinds,
    .ask = address_ask,
    .recognize = address_recognize,
    .fits = address_fits,
};

const struct payload_ops payload_mdns_kinds = {
    .name = "mdns",
    .topic = "its kinds of service",
    .asks = "which kinds of service it offers",
    .ask = kinds_ask,
    .recognize = kinds_recognize,
    .fits = kinds_fits,
};
