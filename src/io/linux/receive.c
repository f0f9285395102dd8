/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Arrivals on the raw sockets: read many at once, and handed on in the order in which they came in
 * over all sockets, because what an answer means may hang on what came before it. That order holds
 * for all that was there at the last wait; what comes in while the sockets are read may be handed
 * on before its elders on a socket that was found empty already.
 */
#include "base/time.h"
#include "io/clock.h"
#include "io/linux/internal.h"

#include <errno.h>
#include <linux/sock_diag.h>
#include <string.h>

void losses_count(struct losses *losses, int fd)
{
    uint32_t info[SK_MEMINFO_VARS] = {0};
    socklen_t len = sizeof info;
    if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, info, &len) < 0)
        return; /* cannot happen: it has been there since Linux 4.12 */
    bool backed_up = info[SK_MEMINFO_RMEM_ALLOC] > info[SK_MEMINFO_RCVBUF] / 2;
    if (backed_up || losses->backed_up)
        losses->lost += info[SK_MEMINFO_DROPS] - losses->dropped;
    losses->dropped = info[SK_MEMINFO_DROPS];
    losses->backed_up = backed_up;
}

/* Read what is there, as far as there are slots. */
static void fill(struct linux_transport *linux_transport, struct receiver *receiver)
{
    _Alignas(struct cmsghdr) char controls[SLOTS][CONTROL_BYTES];
    struct iovec iovs[SLOTS];
    struct mmsghdr messages[SLOTS];
    memset(messages, 0, sizeof messages);
    for (uint32_t i = 0; i < SLOTS; i++) {
        iovs[i] = (struct iovec){receiver->packets + (size_t)i * PACKET_MAX, PACKET_MAX};
        messages[i].msg_hdr = (struct msghdr){
            .msg_name = &receiver->slots[i].from,
            .msg_namelen = sizeof receiver->slots[i].from,
            .msg_iov = &iovs[i],
            .msg_iovlen = 1,
            .msg_control = controls[i],
            .msg_controllen = sizeof controls[i],
        };
    }
    losses_count(&receiver->losses, receiver->fd);
    sonde_ns looked = clock_monotonic_ns();
    int count = recvmmsg(receiver->fd, messages, SLOTS, MSG_DONTWAIT, NULL);
    sonde_ns now = clock_monotonic_ns();
    receiver->next = 0;
    receiver->filled = count > 0 ? (uint32_t)count : 0; /* an error: nothing to read now */
    if (count > 0)
        wall_follow(&linux_transport->wall);
    for (uint32_t i = 0; i < receiver->filled; i++) {
        struct slot *slot = &receiver->slots[i];
        struct side side;
        side_read(&messages[i].msg_hdr, &side);
        slot->len = messages[i].msg_len;
        slot->hop_limit = side.hop_limit;
        slot->stamp =
            stamp_of_arrival(&linux_transport->wall, receiver->drained_ns, now, side.wall_ns);
    }
    if (receiver->filled < SLOTS) {
        receiver->ready = false;
        receiver->drained_ns = looked;
    }
}

/* The receiver whose next packet came in first; NULL if there is none. */
static struct receiver *find_first(struct linux_transport *linux_transport)
{
    struct receiver *first = NULL;
    for (uint32_t i = 0; i < linux_transport->receiver_count; i++) {
        struct receiver *receiver = &linux_transport->receivers[i];
        if (receiver->next == receiver->filled && receiver->ready)
            fill(linux_transport, receiver);
        if (receiver->next < receiver->filled &&
            (first == NULL || receiver->slots[receiver->next].stamp.time_ns <
                                  first->slots[first->next].stamp.time_ns))
            first = receiver;
    }
    return first;
}

/* A raw IPv6 socket gives the payload; what the header said comes beside it. */
static int decode6(const struct receiver *receiver, const struct slot *slot,
                   struct sonde_span payload, struct sonde_rx *rx)
{
    uint16_t unused;
    struct ip_header ip = {
        .protocol = receiver->protocol == IP_PROTO_ICMP ? IP_PROTO_ICMPV6 : receiver->protocol,
        .payload = payload,
    };
    from_sockaddr(&slot->from, &ip.src, &unused);
    int r = packet_decode_payload(&ip, rx);
    rx->reply_ttl = slot->hop_limit;
    return r;
}

int linux_recv(struct sonde_transport *transport, sonde_ns now_ns, struct sonde_rx *ret_rx)
{
    (void)now_ns;
    struct receiver *receiver = find_first((struct linux_transport *)transport);
    if (receiver == NULL)
        return -EAGAIN;
    uint32_t at = receiver->next++;
    const struct slot *slot = &receiver->slots[at];
    struct sonde_span packet = {receiver->packets + (size_t)at * PACKET_MAX, slot->len};
    ret_rx->stamp = slot->stamp;
    if (receiver->family == SONDE_FAMILY_IPV6)
        return decode6(receiver, slot, packet, ret_rx);
    return packet_decode(packet, ret_rx);
}
