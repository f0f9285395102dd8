/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Probes on their way out: many at once, and each with the kernel's stamp.
 *
 * A packet that leaves is stamped where it enters the queueing discipline (SCHED). That happens
 * within sendmmsg(), so the stamps are there, in the socket's error queue, when it returns; only a
 * packet that has to wait for its neighbour's address has none yet, and is given the time at which
 * the batch was handed over. Stamps are numbered in the order of sending (OPT_ID); whether a packet
 * that could not be sent took a number is not documented, so the numbers then begin anew.
 */
#include "base/time.h"
#include "io/clock.h"
#include "io/linux/internal.h"

#include <assert.h>
#include <errno.h>
#include <linux/net_tstamp.h>
#include <string.h>

void send_stamped(struct sender *sender)
{
    const int off = 0;
    const int on = SOF_TIMESTAMPING_TX_SCHED | SOF_TIMESTAMPING_SOFTWARE | SOF_TIMESTAMPING_OPT_ID |
                   SOF_TIMESTAMPING_OPT_TSONLY;
    char byte;
    while (recv(sender->fd, &byte, sizeof byte, MSG_ERRQUEUE | MSG_DONTWAIT) >= 0)
        ; /* stamps that nobody fetched */
    sender->next_id = 0;
    sender->stamped = setsockopt(sender->fd, SOL_SOCKET, SO_TIMESTAMPING, &off, sizeof off) == 0 &&
                      setsockopt(sender->fd, SOL_SOCKET, SO_TIMESTAMPING, &on, sizeof on) == 0;
}

/* Read stamps, as many as there are, up to a batch. @return how many. */
static uint32_t read_stamps(const struct sender *sender, struct side sides[IO_BATCH])
{
    _Alignas(struct cmsghdr) char controls[IO_BATCH][CONTROL_BYTES];
    struct mmsghdr messages[IO_BATCH];
    memset(messages, 0, sizeof messages);
    for (uint32_t i = 0; i < IO_BATCH; i++)
        messages[i].msg_hdr =
            (struct msghdr){.msg_control = controls[i], .msg_controllen = sizeof controls[i]};
    int count = recvmmsg(sender->fd, messages, IO_BATCH, MSG_ERRQUEUE | MSG_DONTWAIT, NULL);
    for (int i = 0; i < count; i++)
        side_read(&messages[i].msg_hdr, &sides[i]);
    return count > 0 ? (uint32_t)count : 0;
}

/* Give the packets that left just now, between two times, the kernel's stamps. */
static void stamp_batch(struct linux_transport *linux_transport, struct sender *sender,
                        sonde_ns until_ns, struct sonde_sent *sents, uint32_t count)
{
    struct side sides[IO_BATCH];
    uint32_t first = sender->next_id;
    uint32_t missing = count;
    uint32_t read = 1;
    wall_follow(linux_transport);
    while (missing > 0 && read > 0) {
        read = read_stamps(sender, sides);
        for (uint32_t i = 0; i < read; i++) {
            uint32_t at = sides[i].sent_id - first;
            if (!sides[i].is_sent || at >= count)
                continue;
            sonde_ns from_ns = sents[at].stamp.time_ns;
            sents[at].stamp =
                stamp_of(linux_transport, from_ns, until_ns, sides[i].wall_ns, from_ns);
            missing--;
        }
    }
    sender->next_id += count;
}

/* What sendmmsg() only reads; an iovec knows no const. */
static struct iovec iovec_of(struct sonde_span bytes)
{
    struct iovec iov = {.iov_len = bytes.len};
    memcpy(&iov.iov_base, &bytes.data, sizeof iov.iov_base);
    return iov;
}

/* Send some probes of one family. @return how many were tried; at least 1. */
static uint32_t send_batch(struct linux_transport *linux_transport, const struct sonde_tx *txs,
                           uint32_t count, struct sonde_sent *sents)
{
    struct sender *sender = &linux_transport->senders[family_index(txs->flow->dst.family)];
    uint8_t headers[IO_BATCH][PACKET_HEADER_MAX];
    struct iovec iovs[IO_BATCH][2];
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
                                              .msg_iovlen = 2};
    }
    sonde_ns from = clock_monotonic_ns();
    int sent = sendmmsg(sender->fd, messages, count, MSG_DONTWAIT);
    int error = errno == EINTR ? -EAGAIN : -errno;
    sonde_ns until = clock_monotonic_ns();
    uint32_t tried = sent > 0 ? (uint32_t)sent : 1;
    for (uint32_t i = 0; i < tried; i++)
        sents[i] = (struct sonde_sent){{from, SONDE_CLOCK_USER}, sent > 0 ? 0 : error};
    if (sent > 0 && sender->stamped)
        stamp_batch(linux_transport, sender, until, sents, tried);
    if (sent < (int)count)
        send_stamped(sender);
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
        *ret_sents = (struct sonde_sent){{clock_monotonic_ns(), SONDE_CLOCK_USER}, r};
        return 1;
    }
    unsigned family = family_index(txs->flow->dst.family);
    uint32_t same = 1;
    while (same < count && family_index(txs[same].flow->dst.family) == family)
        same++;
    if (!linux_transport->senders[family].stamped)
        same = 1; /* our own clock tells only when a packet left that goes alone */
    return send_batch(linux_transport, txs, same, ret_sents);
}
