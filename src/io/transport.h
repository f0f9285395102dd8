/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A transport: what carries probes out and arrivals in. The only thing with sockets.
 *
 * io/linux has real ones, io/sim a simulated network; the engine never sees the difference.
 */
#ifndef IO_TRANSPORT_H
#define IO_TRANSPORT_H

#include "wire/packet.h"

#include <poll.h>

enum {
    IO_WATCH_MAX = 48,
    IO_BATCH = 64,        /* probes sent at once */
    IO_PACKET_MAX = 9000, /* bytes of a packet, IP header included: a jumbo frame */
};

/**
 * Descriptors that end a wait besides the transport's own: a signal's, the name resolver's. Their
 * owner changes them in place between waits; revents are filled in by the wait.
 */
struct io_watch {
    struct pollfd fds[IO_WATCH_MAX];
    nfds_t count;
};

struct sonde_transport {
    const struct sonde_transport_ops *ops;
    uint32_t room; /* how many probes it can take at once, for now; 0 = IO_BATCH */
};

struct sonde_transport_ops {
    /**
     * Make a flow ready: choose what of it is open, and let its answers in.
     * @param flow  dst, protocol and dst_port are given; src may be (family SONDE_FAMILY_NONE: the
     *              system's choice), and so may src_port (0: any, but for ICMP it is the identifier
     *              to use). On 0, src and src_port are set; on an error they may be.
     * @param nth   Which source port: flows with different nth get different ones. Flows to the
     *              same dst, protocol and dst_port have different nth.
     * @return 0; -ENETUNREACH, -EHOSTUNREACH, -EINVAL, -EACCES, -EADDRNOTAVAIL: no way there, as
     *         struct sonde_sent has it; -EDESTADDRREQ: a link-local address needs a zone;
     *         -ENOTUNIQ: it is no address of a single host; -EADDRINUSE: the source port is
     *         somebody else's; -EPROTONOSUPPORT: no socket for this protocol and family;
     *         -ESOCKTNOSUPPORT: it takes raw sockets, which this transport does without; -EPERM:
     *         not allowed. The flow cannot be probed then.
     */
    int (*bind)(struct sonde_transport *transport, struct sonde_flow *flow, uint32_t nth);

    /**
     * Send probes, in their order.
     * @param txs        The probes; their flows were bound.
     * @param count      1 to IO_BATCH.
     * @param ret_sents  Receives how it went for each probe that was tried.
     * @return How many were tried, from the first on; at least 1. Fewer than @p count: try the
     *         others now, unless the last one tried was told "later".
     */
    uint32_t (*send)(struct sonde_transport *transport, const struct sonde_tx *txs, uint32_t count,
                     struct sonde_sent *ret_sents);

    /**
     * Take one arrival. They come in the order of their time, except that one which came in after
     * the last wait may be missed until after the next.
     * @param now_ns  The time now.
     * @param ret_rx  On 0, the arrival; its spans are valid until the next call.
     * @return 0; an enum sonde_discard: something came that is no answer, only the stamp of ret_rx
     *         was set, count it and ask again; -EAGAIN: nothing is there, ret_rx is as it was.
     */
    int (*recv)(struct sonde_transport *transport, sonde_ns now_ns, struct sonde_rx *ret_rx);

    /**
     * Wait for an arrival, a watched descriptor, a signal, or a time.
     * @param until_ns    When to return at the latest; a time in the past returns at once.
     * @param ret_now_ns  The time now.
     * @return 0; a negative errno if waiting is impossible (the run cannot go on).
     */
    int (*wait)(struct sonde_transport *transport, sonde_ns until_ns, sonde_ns *ret_now_ns);

    /** Tell what wait() would wait for beside the watch of others: add the transport's own
     *  descriptors to @p watch. @return When to call wait() if none of them becomes ready. */
    sonde_ns (*watch)(struct sonde_transport *transport, struct io_watch *watch);

    /** @return Arrivals so far that were lost here, for want of room in a receive queue, as far as
     *  reading it has shown. */
    uint64_t (*lost_here)(struct sonde_transport *transport);

    /** @return How long this machine has slept so far, as clock_slept_ns(); 0 where that changes
     *  nothing. */
    sonde_ns (*slept_ns)(struct sonde_transport *transport);

    /** Close everything. @return NULL. */
    struct sonde_transport *(*free)(struct sonde_transport *transport);
};

#endif
