/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Error queues: what the kernel hands over of an ICMP error, ip(7) and linux/errqueue.h, becomes
 * what a raw socket would have shown. The kernel strips the quoted IP header, and UDP's too.
 */
#include "io/linux/errqueue.h"
#include "io/linux/unprivileged_internal.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

enum { ROOM = 256 };

/* A stack of one label, 24001; the checksum is derived in tests/unit/wire/test_icmpext.c. */
static const uint8_t structure[] = {0x20, 0, 0xc1, 0x1c, 0, 8, 1, 1, 0x05, 0xdc, 0x17, 0xfe};

static const struct sonde_addr router4 = {.family = SONDE_FAMILY_IPV4, .bytes = {10, 0, 0, 1}};
static const struct sonde_addr host4 = {.family = SONDE_FAMILY_IPV4, .bytes = {192, 0, 2, 5}};
static const struct sonde_addr router6 = {.family = SONDE_FAMILY_IPV6,
                                          .bytes = {0x20, 1, 0x0d, 0xb8, [15] = 1}};
static const struct sonde_addr host6 = {.family = SONDE_FAMILY_IPV6,
                                        .bytes = {0x20, 1, 0x0d, 0xb8, [15] = 5}};

/* A time exceeded. */
static struct errqueue_entry exceeded(bool ipv6)
{
    return (struct errqueue_entry){
        .error =
            {
                .ee_errno = EHOSTUNREACH,
                .ee_origin = ipv6 ? SO_EE_ORIGIN_ICMP6 : SO_EE_ORIGIN_ICMP,
                .ee_type = ipv6 ? 3 : 11,
            },
        .offender = ipv6 ? router6 : router4,
    };
}

static struct errqueue_about about(bool ipv6, uint8_t protocol)
{
    bool echo = protocol == IP_PROTO_ICMP;
    return (struct errqueue_about){protocol, ipv6 ? host6 : host4, 40000, echo ? 0 : 53};
}

/* What is returned: bytes that count up, with room before them. */
struct returned {
    uint8_t room[ERRQUEUE_HEADROOM + ROOM];
};

static uint8_t *fill(struct returned *returned)
{
    memset(returned->room, 0xff, sizeof returned->room);
    for (unsigned i = 0; i < ROOM; i++)
        returned->room[ERRQUEUE_HEADROOM + i] = (uint8_t)i;
    return returned->room + ERRQUEUE_HEADROOM;
}

Test(errqueue, an_error_is_what_a_raw_socket_would_have_shown)
{
    static const uint8_t protocols[] = {IP_PROTO_ICMP, IP_PROTO_UDP, IP_PROTO_TCP};
    for (unsigned i = 0; i < 6; i++) {
        bool ipv6 = i % 2 != 0;
        uint8_t protocol = protocols[i / 2];
        struct returned returned;
        uint8_t *bytes = fill(&returned);
        const struct errqueue_entry entry = exceeded(ipv6);
        const struct errqueue_about to = about(ipv6, protocol);
        struct sonde_rx rx;
        cr_assert_eq(errqueue_decode(&entry, &to, bytes, 44, &rx), 0);
        cr_expect_eq(rx.kind, SONDE_RX_ERROR);
        cr_expect(sonde_addr_equal(&rx.from, ipv6 ? &router6 : &router4));
        cr_expect(sonde_addr_equal(&rx.remote, ipv6 ? &host6 : &host4));
        cr_expect_eq(rx.protocol, protocol);
        cr_expect_eq(rx.local_port, 40000);
        cr_expect_eq(rx.remote_port, protocol == IP_PROTO_ICMP ? 0 : 53);
        cr_expect_eq(rx.icmp_type, ipv6 ? 3 : 11);
        cr_expect_eq(rx.icmp_code, 0);
        cr_expect_eq(rx.ext.count, 0);
        cr_expect(!rx.attributed);
        cr_expect(!rx.quote.has_header && !rx.quote.has_id, "the kernel has stripped it");
        size_t header = protocol == IP_PROTO_UDP ? 8 : 0;
        cr_expect_eq(rx.quote.segment.len, header + 44);
        cr_expect_eq(rx.quote.segment.data + header, bytes);
        /* RFC 768: ports 40000 and 53, length 8 + 44, checksum 0 = not known */
        static const uint8_t udp[] = {0x9c, 0x40, 0, 53, 0, 52, 0, 0};
        if (header > 0)
            cr_expect_arr_eq(rx.quote.segment.data, udp, sizeof udp);
    }
}

Test(errqueue, eight_bytes_of_transport_header_are_enough_and_seven_are_not)
{
    static const struct {
        uint8_t protocol;
        size_t len;
        int result;
    } cases[] = {
        {IP_PROTO_UDP, 0, 0}, /* its header was there, and has been stripped */
        {IP_PROTO_ICMP, 8, 0},
        {IP_PROTO_TCP, 8, 0},
        {IP_PROTO_ICMP, 7, SONDE_DISCARD_SHORT_QUOTE},
        {IP_PROTO_TCP, 0, SONDE_DISCARD_SHORT_QUOTE},
    };
    for (size_t i = 0; i < 2 * sizeof cases / sizeof *cases; i++) {
        bool ipv6 = i % 2 != 0;
        struct returned returned;
        uint8_t *bytes = fill(&returned);
        const struct errqueue_entry entry = exceeded(ipv6);
        const struct errqueue_about to = about(ipv6, cases[i / 2].protocol);
        struct sonde_rx rx;
        cr_expect_eq(errqueue_decode(&entry, &to, bytes, cases[i / 2].len, &rx),
                     cases[i / 2].result, "%zu", i);
    }
}

/* RFC 4884: the field is 128 bytes long, and of these IP's header and UDP's are stripped. */
Test(errqueue, extensions_are_found_with_a_length_and_at_byte_128_without)
{
    static const struct {
        bool ipv6;
        uint8_t protocol;
        size_t field; /* bytes of it that are returned */
    } cases[] = {
        {false, IP_PROTO_UDP, 128 - 20 - 8}, {true, IP_PROTO_UDP, 128 - 40 - 8},
        {false, IP_PROTO_TCP, 128 - 20},     {true, IP_PROTO_TCP, 128 - 40},
        {false, IP_PROTO_ICMP, 128 - 20},    {true, IP_PROTO_ICMP, 128 - 40},
    };
    for (size_t i = 0; i < 2 * sizeof cases / sizeof *cases; i++) {
        bool stated = i % 2 != 0;
        bool ipv6 = cases[i / 2].ipv6;
        size_t field = cases[i / 2].field;
        struct returned returned;
        uint8_t *bytes = fill(&returned);
        memcpy(bytes + field, structure, sizeof structure);
        struct errqueue_entry entry = exceeded(ipv6);
        entry.error.ee_rfc4884.len = stated ? (uint16_t)field : 0;
        const struct errqueue_about to = about(ipv6, cases[i / 2].protocol);
        struct sonde_rx rx;
        cr_assert_eq(errqueue_decode(&entry, &to, bytes, field + sizeof structure, &rx), 0);
        cr_assert_eq(rx.ext.count, 1, "%zu", i);
        cr_expect_eq(rx.ext.items[0].u.mpls.labels[0].label, 24001);
        cr_expect_eq(rx.ext.legacy, !stated);
        cr_expect_eq(rx.quote.segment.len, ipv6 ? 128 - 40 : 128 - 20, "%zu", i);
    }
}

/* A router has quoted 8 bytes of transport header, and padded them: RFC 4884 §4. */
Test(errqueue, what_a_quote_is_padded_with_is_no_part_of_the_probe)
{
    static const struct {
        bool ipv6;
        uint8_t protocol;
        size_t field; /* bytes of it that are returned */
        size_t quoted;
    } cases[] = {
        {false, IP_PROTO_UDP, 128 - 20 - 8, 0}, {true, IP_PROTO_UDP, 128 - 40 - 8, 0},
        {false, IP_PROTO_TCP, 128 - 20, 8},     {true, IP_PROTO_TCP, 128 - 40, 8},
        {false, IP_PROTO_ICMP, 128 - 20, 8},    {true, IP_PROTO_ICMP, 128 - 40, 8},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t field = cases[i].field;
        struct returned returned;
        uint8_t *bytes = fill(&returned);
        memset(bytes + cases[i].quoted, 0, field - cases[i].quoted);
        memcpy(bytes + field, structure, sizeof structure);
        struct errqueue_entry entry = exceeded(cases[i].ipv6);
        const struct errqueue_about to = about(cases[i].ipv6, cases[i].protocol);
        struct sonde_rx rx;
        entry.error.ee_rfc4884.len = (uint16_t)field;
        cr_assert_eq(errqueue_decode(&entry, &to, bytes, field + sizeof structure, &rx), 0);
        cr_expect_eq(rx.ext.count, 1, "%zu", i);
        cr_expect_eq(rx.quote.segment.len, 8, "%zu", i);
    }
}

Test(errqueue, a_length_beyond_what_is_there_leaves_the_error)
{
    struct returned returned;
    uint8_t *bytes = fill(&returned);
    struct errqueue_entry entry = exceeded(false);
    const struct errqueue_about to = about(false, IP_PROTO_UDP);
    struct sonde_rx rx;
    entry.error.ee_rfc4884.len = 65535;
    cr_assert_eq(errqueue_decode(&entry, &to, bytes, 200, &rx), 0);
    cr_expect_eq(rx.ext.count, 0);
    cr_expect_eq(rx.quote.segment.len, 208);
}

Test(errqueue, what_is_no_error_about_a_probe_ends_none)
{
    struct errqueue_entry entries[6];
    for (unsigned i = 0; i < 6; i++)
        entries[i] = exceeded(false);
    entries[0].error.ee_origin = SO_EE_ORIGIN_LOCAL;        /* this machine's own MTU */
    entries[1].error.ee_origin = SO_EE_ORIGIN_TIMESTAMPING; /* a packet has left */
    entries[2].error.ee_type = 5;                           /* RFC 792: a redirect */
    entries[3].error.ee_origin = SO_EE_ORIGIN_ICMP6;        /* about an IPv4 probe */
    entries[4].offender = (struct sonde_addr){0};           /* AF_UNSPEC: the kernel does not say */
    entries[5].offender = router6;
    for (unsigned i = 0; i < 6; i++) {
        struct returned returned;
        uint8_t *bytes = fill(&returned);
        const struct errqueue_about to = about(false, IP_PROTO_UDP);
        struct sonde_rx rx;
        cr_expect_eq(errqueue_decode(&entries[i], &to, bytes, 44, &rx), SONDE_DISCARD_NOT_A_RESULT,
                     "%u", i);
    }
}

/* The second word of the header: RFC 1191 §4, RFC 4443 §3.2 and §3.4, RFC 792. The kernel gives
 * the pointer of an IPv4 parameter problem by itself (net/ipv4/icmp.c, icmp_unreach()). */
Test(errqueue, mtu_and_pointer_stand_where_the_header_has_them)
{
    static const struct {
        bool ipv6;
        uint8_t type;
        uint8_t code;
        uint32_t given;
        uint32_t info;
    } cases[] = {{false, 3, 4, 1400, 1400},
                 {false, 12, 0, 20, 20U << 24},
                 {true, 2, 0, 1280, 1280},
                 {true, 4, 0, 40, 40}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct returned returned;
        uint8_t *bytes = fill(&returned);
        struct errqueue_entry entry = exceeded(cases[i].ipv6);
        const struct errqueue_about to = about(cases[i].ipv6, IP_PROTO_UDP);
        struct sonde_rx rx;
        entry.error.ee_type = cases[i].type;
        entry.error.ee_code = cases[i].code;
        entry.error.ee_info = cases[i].given;
        cr_assert_eq(errqueue_decode(&entry, &to, bytes, 44, &rx), 0);
        cr_expect_eq(rx.icmp_info, cases[i].info, "%zu", i);
    }
}

/* A control message as ip(7) describes it: the error, and behind it the offender's address. */
struct control {
    _Alignas(struct cmsghdr) char bytes[CONTROL_BYTES];
    struct msghdr message;
};

static void put_control(struct control *control, int level, int type, const void *data, size_t len)
{
    struct cmsghdr header = {.cmsg_len = CMSG_LEN(len), .cmsg_level = level, .cmsg_type = type};
    memset(control, 0, sizeof *control);
    memcpy(control->bytes, &header, sizeof header);
    memcpy(control->bytes + CMSG_LEN(0), data, len);
    control->message.msg_control = control->bytes;
    control->message.msg_controllen = CMSG_SPACE(len);
}

Test(errqueue, the_offender_stands_behind_the_error)
{
    struct {
        struct sock_extended_err error;
        struct sockaddr_in offender;
    } data = {{.ee_origin = SO_EE_ORIGIN_ICMP, .ee_type = 11},
              {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x0a000001)}};
    struct control control;
    struct errqueue_entry entry;
    put_control(&control, IPPROTO_IP, IP_RECVERR, &data, sizeof data);
    cr_assert(errqueue_find(&control.message, &entry));
    cr_expect_eq(entry.error.ee_type, 11);
    cr_expect(sonde_addr_equal(&entry.offender, &router4));
    /* cut short, it is not there */
    for (size_t len = sizeof data.error; len < sizeof data; len++) {
        put_control(&control, IPPROTO_IP, IP_RECVERR, &data, len);
        cr_assert(errqueue_find(&control.message, &entry), "%zu", len);
        cr_expect_eq(entry.offender.family, SONDE_FAMILY_NONE, "%zu", len);
    }
    put_control(&control, IPPROTO_IP, IP_RECVERR, &data, sizeof data.error - 1);
    cr_expect(!errqueue_find(&control.message, &entry));
    put_control(&control, IPPROTO_IP, IP_RECVTTL, &data, sizeof data);
    cr_expect(!errqueue_find(&control.message, &entry));
    control.message.msg_controllen = 0;
    cr_expect(!errqueue_find(&control.message, &entry));
}

Test(arrivals, come_out_in_the_order_of_their_time_and_leave_room_again)
{
    struct arrivals arrivals;
    cr_assert_eq(arrivals_init(&arrivals), 0);
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < ARRIVALS_MAX; i++) {
            struct arrival *arrival = arrivals_spare(&arrivals);
            cr_assert_not_null(arrival);
            arrival->rx.stamp.time_ns = i * 37 % ARRIVALS_MAX; /* 37 and 256 have no divisor */
            arrivals_add(&arrivals);
        }
        cr_expect_null(arrivals_spare(&arrivals));
        for (unsigned i = 0; i < ARRIVALS_MAX; i++) {
            const struct arrival *arrival = arrivals_take(&arrivals);
            cr_assert_not_null(arrival);
            cr_expect_eq(arrival->rx.stamp.time_ns, i);
        }
        cr_expect_null(arrivals_take(&arrivals));
    }
    arrivals_deinit(&arrivals);
}

Test(arrivals, the_one_that_was_taken_stays_as_it_is_until_the_next_is)
{
    struct arrivals arrivals;
    cr_assert_eq(arrivals_init(&arrivals), 0);
    arrivals_spare(&arrivals)->rx.stamp.time_ns = 7;
    arrivals_add(&arrivals);
    const struct arrival *taken = arrivals_take(&arrivals);
    for (unsigned i = 1; i < ARRIVALS_MAX; i++) {
        struct arrival *arrival = arrivals_spare(&arrivals);
        cr_assert_not_null(arrival, "%u", i);
        cr_assert_neq(arrival, taken);
        arrival->rx.stamp.time_ns = 1000 + i;
        arrivals_add(&arrivals);
    }
    cr_expect_null(arrivals_spare(&arrivals));
    cr_expect_eq(taken->rx.stamp.time_ns, 7);
    arrivals_deinit(&arrivals);
}
