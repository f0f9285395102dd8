/* SPDX-License-Identifier: BSD-2-Clause */
/* Arrivals on the raw sockets, with the kernel's time stamps. socket(7), timestamping.rst. */
#include "base/time.h"
#include "io/clock.h"
#include "io/linux/internal.h"

#include <errno.h>
#include <linux/errqueue.h>
#include <string.h>
#include <time.h>

enum { CONTROL_BYTES = 256 /* a time stamp and a hop limit, with room to spare */ };

/* What came with a packet. */
struct side {
    sonde_ns stamp_ns; /* CLOCK_REALTIME at arrival; 0 = none */
    int16_t hop_limit; /* -1 = none */
};

static void side_read(struct msghdr *message, struct side *side)
{
    struct cmsghdr *control = CMSG_FIRSTHDR(message);
    for (; control != NULL; control = CMSG_NXTHDR(message, control)) {
        if (control->cmsg_level == SOL_SOCKET && control->cmsg_type == SCM_TIMESTAMPING) {
            struct scm_timestamping stamps;
            memcpy(&stamps, CMSG_DATA(control), sizeof stamps);
            side->stamp_ns = (sonde_ns)stamps.ts[0].tv_sec * SONDE_NS_PER_S + stamps.ts[0].tv_nsec;
        } else if (control->cmsg_level == IPPROTO_IPV6 && control->cmsg_type == IPV6_HOPLIMIT) {
            int hop_limit;
            memcpy(&hop_limit, CMSG_DATA(control), sizeof hop_limit);
            side->hop_limit = (int16_t)hop_limit;
        }
    }
}

/*
 * The kernel stamps arrivals with the wall clock. The stamp's age is the same on every clock, so
 * it becomes a time of ours by taking the age from now. If somebody has set the wall clock in
 * between, the age comes out negative, or older than the last look at the socket that found
 * nothing: then the stamp is not used.
 */
static void stamp(const struct receiver *receiver, const struct side *side, struct sonde_rx *rx)
{
    sonde_ns now = clock_monotonic_ns();
    sonde_ns age = ns_sub(clock_wall_ns(), side->stamp_ns);
    bool valid = side->stamp_ns != 0 && age >= 0 && age <= ns_sub(now, receiver->drained_ns);
    rx->clock = valid ? SONDE_CLOCK_KERNEL : SONDE_CLOCK_USER;
    rx->time_ns = valid ? now - age : now;
}

/* A raw IPv6 socket gives the payload; what the header said comes beside it. */
static int decode6(const struct linux_transport *linux_transport, const struct receiver *receiver,
                   const struct sockaddr_storage *from, size_t len, const struct side *side,
                   struct sonde_rx *rx)
{
    uint16_t unused;
    struct ip_header ip = {
        .protocol = receiver->protocol == IP_PROTO_ICMP ? IP_PROTO_ICMPV6 : receiver->protocol,
        .payload = {linux_transport->packet, len},
    };
    from_sockaddr(from, &ip.src, &unused);
    int r = packet_decode_payload(&ip, rx);
    rx->reply_ttl = side->hop_limit;
    return r;
}

/* Read one packet. @return as linux_recv(); -EAGAIN: this socket is empty. */
static int receive(struct linux_transport *linux_transport, struct receiver *receiver,
                   struct sonde_rx *rx)
{
    struct sockaddr_storage from = {0};
    union {
        struct cmsghdr align;
        char bytes[CONTROL_BYTES];
    } control;
    struct iovec iov = {linux_transport->packet, sizeof linux_transport->packet};
    struct msghdr message = {
        .msg_name = &from,
        .msg_namelen = sizeof from,
        .msg_iov = &iov,
        .msg_iovlen = 1,
        .msg_control = &control,
        .msg_controllen = sizeof control,
    };
    sonde_ns looked = clock_monotonic_ns();
    ssize_t len = recvmsg(receiver->fd, &message, MSG_DONTWAIT);
    if (len < 0) {
        /* anything else than "empty" is an error of the interface, say: nothing to read now */
        receiver->drained_ns = looked;
        return -EAGAIN;
    }
    struct side side = {.hop_limit = -1};
    side_read(&message, &side);
    stamp(receiver, &side, rx);
    if (receiver->family == SONDE_FAMILY_IPV6)
        return decode6(linux_transport, receiver, &from, (size_t)len, &side, rx);
    return packet_decode((struct sonde_span){linux_transport->packet, (size_t)len}, rx);
}

int linux_recv(struct sonde_transport *transport, sonde_ns now_ns, struct sonde_rx *ret_rx)
{
    struct linux_transport *linux_transport = (struct linux_transport *)transport;
    (void)now_ns;
    for (uint32_t i = 0; i < linux_transport->receiver_count; i++) {
        struct receiver *receiver = &linux_transport->receivers[linux_transport->next_receiver];
        if (receiver->ready) {
            int r = receive(linux_transport, receiver, ret_rx);
            if (r != -EAGAIN)
                return r;
            receiver->ready = false;
        }
        linux_transport->next_receiver =
            (linux_transport->next_receiver + 1) % linux_transport->receiver_count;
    }
    return -EAGAIN;
}
