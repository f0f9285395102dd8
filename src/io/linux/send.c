/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Probes on their way out: many at once, and each with the kernel's stamp.
 *
 * A packet that leaves is stamped where it enters the queueing discipline (SCHED). That happens
 * within sendmmsg(), so the stamps are there, in the socket's error queue, when it returns; only a
 * packet that has to wait for its neighbour's address has none yet, and is given the time at which
 * the batch was handed over.
 *
 * A device on top of another (VLAN, bridge, bond, macvlan) has a queue of its own, and each queue
 * stamps. The last stamp of those that are there serves: it is the nearest to the wire, and what
 * this machine did before it is no part of the round trip.
 */
#include "base/time.h"
#include "io/clock.h"
#include "io/linux/internal.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

enum {
    READS_MAX = 16, /* of a batch each: more than the error queue holds. Whoever fills it with
                       errors that are not about us must not keep us here */
};

/* Read some of what is in the error queue, up to a batch, and note what are stamps and sizes.
 * @return how many messages there were. */
static int read_stamps(struct sender *sender)
{
    _Alignas(struct cmsghdr) char controls[IO_BATCH][CONTROL_BYTES];
    struct mmsghdr messages[IO_BATCH];
    memset(messages, 0, sizeof messages);
    for (uint32_t i = 0; i < IO_BATCH; i++)
        messages[i].msg_hdr =
            (struct msghdr){.msg_control = controls[i], .msg_controllen = sizeof controls[i]};
    int count = recvmmsg(sender->fd, messages, IO_BATCH, MSG_ERRQUEUE | MSG_DONTWAIT, NULL);
    for (int i = 0; i < count; i++) {
        struct side side;
        side_read(&messages[i].msg_hdr, &side);
        if (side.is_sent)
            numbers_note(&sender->numbers, side.sent_id, side.wall_ns);
        if (side.mtu_bytes > 0)
            sender->mtu_bytes = side.mtu_bytes;
    }
    return count;
}

/* Give the packets that left just now, between two times, the kernel's stamps.
 * @param failed  One more was tried, and could not be sent. */
static void stamp_batch(struct linux_transport *linux_transport, struct sender *sender,
                        sonde_ns until_ns, struct sonde_sent *sents, uint32_t count, bool failed)
{
    sonde_ns walls_ns[IO_BATCH];
    for (int i = 0; i < READS_MAX && read_stamps(sender) == IO_BATCH; i++)
        ;
    numbers_take(&sender->numbers, count, failed, walls_ns);
    wall_follow(&linux_transport->wall);
    for (uint32_t i = 0; i < count; i++) {
        sonde_ns from_ns = sents[i].stamp.time_ns;
        sents[i].stamp = stamp_of(&linux_transport->wall, from_ns, until_ns, walls_ns[i], from_ns);
    }
}

/* What sendmmsg() only reads; an iovec knows no const. */
static struct iovec iovec_of(struct sonde_span bytes)
{
    struct iovec iov = {.iov_len = bytes.len};
    memcpy(&iov.iov_base, &bytes.data, sizeof iov.iov_base);
    return iov;
}

/* Can an error have come from outside? What the firewall and the queues of this machine say cannot.
 */
static bool may_be_of_others(int error)
{
    return error != EPERM && error != ENOBUFS && error != EAGAIN && error != ENOMEM;
}

/* sendmmsg(), unhindered by errors that came in from outside: one about the sender's own protocol
 * number, which only a forger sends, stays with the socket and is returned by the next call in
 * place of sending (net/core/sock.c, sock_alloc_send_pskb()). Returned once, it is gone. */
static int hand_over(struct sender *sender, struct mmsghdr *messages, uint32_t count)
{
    int sent = sendmmsg(sender->fd, messages, count, MSG_DONTWAIT);
    if (sent >= 0 || !may_be_of_others(errno))
        return sent;
    sender->numbers.unsure++;
    return sendmmsg(sender->fd, messages, count, MSG_DONTWAIT);
}

/* Send some probes of one family. @return how many were tried; at least 1. */
static uint32_t send_batch(struct linux_transport *linux_transport, const struct sonde_tx *txs,
                           uint32_t count, struct sonde_sent *sents)
{
    struct sender *sender = &linux_transport->senders[family_index(txs->flow->dst.family)];
    uint8_t headers[IO_BATCH][PACKET_HEADER_MAX];
    struct iovec iovs[IO_BATCH][2];
    _Alignas(struct cmsghdr) char controls[IO_BATCH][CONTROL_SOURCE_BYTES];
    struct sockaddr_storage to[IO_BATCH];
    struct mmsghdr messages[IO_BATCH];
    memset(messages, 0, count * sizeof *messages);
    for (uint32_t i = 0; i < count; i++) {
        const struct sonde_tx *tx = &txs[i];
        iovs[i][0] =
            (struct iovec){headers[i], packet_encode_header(tx, headers[i], sizeof headers[i])};
        iovs[i][1] = iovec_of(tx->segment);
        assert(iovs[i][0].iov_len > 0);
        messages[i].msg_hdr = (struct msghdr){.msg_name = &to[i],
                                              .msg_namelen = to_sockaddr(&tx->flow->dst, 0, &to[i]),
                                              .msg_iov = iovs[i],
                                              .msg_iovlen = 2,
                                              .msg_control = controls[i]};
        /* what the header says, raw sockets do not look at: net/ipv4/raw.c, raw_sendmsg();
         * net/ipv6/raw.c, rawv6_sendmsg() */
        control_put_source(&messages[i].msg_hdr, &tx->flow->src);
    }
    sonde_ns from = clock_monotonic_ns();
    int sent = hand_over(sender, messages, count);
    int error = errno == EINTR ? -EAGAIN : -errno;
    sonde_ns until = clock_monotonic_ns();
    unsigned family = family_index(txs->flow->dst.family);
    if (sent <= 0)
        error = socket_explain(linux_transport->routers[family], linux_transport->interface,
                               txs->flow, error);
    uint32_t left = sent > 0 ? (uint32_t)sent : 0;
    uint32_t tried = left > 0 ? left : 1;
    for (uint32_t i = 0; i < tried; i++)
        sents[i] =
            (struct sonde_sent){.stamp = {from, SONDE_CLOCK_USER}, .error = left > 0 ? 0 : error};
    sender->mtu_bytes = 0;
    stamp_batch(linux_transport, sender, until, sents, left, left < count);
    if (left == 0 && error == -EMSGSIZE)
        sents->mtu_bytes = sender->mtu_bytes;
    return tried;
}

/* Put the filters on that let the bound flows in. */
static int open_filters(struct linux_transport *linux_transport)
{
    for (uint32_t i = 0; i < linux_transport->receiver_count; i++) {
        int r = filter_open(linux_transport, &linux_transport->receivers[i]);
        if (r < 0)
            return r;
    }
    linux_transport->filters_stale = false;
    return 0;
}

uint32_t linux_send(struct sonde_transport *transport, const struct sonde_tx *txs, uint32_t count,
                    struct sonde_sent *ret_sents)
{
    struct linux_transport *linux_transport = (struct linux_transport *)transport;
    int r = linux_transport->filters_stale ? open_filters(linux_transport) : 0;
    if (r < 0) {
        *ret_sents =
            (struct sonde_sent){.stamp = {clock_monotonic_ns(), SONDE_CLOCK_USER}, .error = r};
        return 1;
    }
    unsigned family = family_index(txs->flow->dst.family);
    uint32_t same = 1;
    while (same < count && family_index(txs[same].flow->dst.family) == family)
        same++;
    const struct sender *sender = &linux_transport->senders[family];
    if (!sender->stamped || sender->numbers.unsure > 0)
        same = 1; /* our own clock tells only when a packet left that goes alone; and one that goes
                     alone tells by its stamp which number it has */
    return send_batch(linux_transport, txs, same, ret_sents);
}
