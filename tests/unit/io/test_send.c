/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Errors of sending: which are the probe's own. sendmmsg() is the test's here.
 */
#include "io/linux/internal.h"

#include <criterion/criterion.h>
#include <errno.h>

/* What sendmmsg() says to each call; 0 = it sends everything. */
static struct says {
    int errors[4];
    unsigned calls;
} kernel;

/* In the place of the C library's. */
int sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags)
{
    (void)fd;
    (void)messages;
    (void)flags;
    errno = kernel.errors[kernel.calls++];
    return errno == 0 ? (int)count : -1;
}

/* Send one probe. @return how it went. */
static int send_one(void)
{
    static const struct sonde_flow flow = {
        .protocol = IP_PROTO_UDP,
        .src = {.family = SONDE_FAMILY_IPV4, .bytes = {192, 0, 2, 1}},
        .dst = {.family = SONDE_FAMILY_IPV4, .bytes = {192, 0, 2, 2}},
    };
    static const uint8_t segment[8] = {0};
    const struct sonde_tx tx = {.flow = &flow, .ttl = 1, .segment = {segment, sizeof segment}};
    struct linux_transport transport = {.senders = {{.fd = -1}, {.fd = -1}}};
    struct sonde_sent sent;
    cr_assert_eq(linux_send(&transport.transport, &tx, 1, &sent), 1);
    return sent.error;
}

Test(send, an_error_that_came_in_from_outside_is_not_the_probes)
{
    /* what the kernel makes of ICMP errors: net/ipv4/icmp.c, icmp_err_convert; net/ipv4/raw.c,
     * raw_err(); net/ipv6/icmp.c, icmpv6_err_convert() */
    static const int errors[] = {ENETUNREACH, EHOSTUNREACH, ENOPROTOOPT, ECONNREFUSED, EMSGSIZE,
                                 EOPNOTSUPP,  EHOSTDOWN,    ENONET,      EPROTO,       EACCES};
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        kernel = (struct says){.errors = {errors[i], 0}};
        cr_expect_eq(send_one(), 0, "error %d", errors[i]);
        cr_expect_eq(kernel.calls, 2);
    }
}

Test(send, an_error_that_stays_is_the_probes)
{
    kernel = (struct says){.errors = {ENETUNREACH, ENETUNREACH}};
    cr_expect_eq(send_one(), -ENETUNREACH);
    cr_expect_eq(kernel.calls, 2);
    kernel = (struct says){.errors = {ECONNREFUSED, ENETUNREACH}};
    cr_expect_eq(send_one(), -ENETUNREACH, "the second error is this machine's own");
}

Test(send, what_a_firewall_or_a_queue_refuses_is_not_tried_twice)
{
    static const int errors[] = {EPERM, ENOBUFS, EAGAIN, ENOMEM};
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        kernel = (struct says){.errors = {errors[i]}};
        cr_expect_eq(send_one(), -errors[i]);
        cr_expect_eq(kernel.calls, 1, "error %d", errors[i]);
    }
}
