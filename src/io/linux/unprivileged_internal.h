/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of the unprivileged transport share. */
#ifndef IO_LINUX_UNPRIVILEGED_INTERNAL_H
#define IO_LINUX_UNPRIVILEGED_INTERNAL_H

#include "io/linux/errqueue.h"
#include "io/linux/internal.h"

#ifndef IPV6_FLOWINFO_SEND
#define IPV6_FLOWINFO_SEND 33 /* linux/in6.h, which does not go with netinet/in.h */
#endif

enum {
    ARRIVALS_MAX = 256,
    CONNECTIONS_MAX = 512,
    SYN_BYTES_MAX = 60,       /* the longest TCP header */
    DATAGRAMS_MAX = HOLDS_MAX /* sockets that datagrams leave and come in through */
};

/** Something that came in and was not handed on yet. */
struct arrival {
    int result; /* of decoding: 0, or an enum sonde_discard */
    struct sonde_rx rx;
    uint8_t buffer[ERRQUEUE_HEADROOM + PACKET_MAX]; /* what rx borrows */
};

/** Arrivals, in the order in which they came in. */
struct arrivals {
    struct arrival *slots; /* [ARRIVALS_MAX]; owned */
    uint16_t order[ARRIVALS_MAX];
    uint32_t waiting; /* of order, the first so many: in the order of their stamps */
    uint32_t spare;   /* of order, the last so many: free; in between is the one that is lent out */
};

/** A socket that datagrams leave and come in through. */
struct datagram {
    int fd;
    enum sonde_family family;
    uint8_t protocol;
    uint16_t wanted; /* the port that was asked for, or the echo identifier; 0 = any */
    uint16_t port;   /* that it has */
    uint32_t nth;
    sonde_ns data_drained_ns;  /* when its receive queue was last known to be empty */
    sonde_ns error_drained_ns; /* likewise, its error queue */
    struct losses losses;
    bool undivided;                   /* its packets may not be divided */
    const struct sonde_flow *sending; /* of the probe that is being sent; NULL = none is */
    bool refused;                     /* this machine itself has spoken of it: its firewall */
    uint32_t mtu_bytes;     /* of the interface that the last packet too big was to leave by */
    bool stamped;           /* the kernel has stamped something that left */
    uint32_t stamp_id;      /* the highest number of a stamp */
    sonde_ns stamp_wall_ns; /* and its time */
};

/** A SYN that is on its way, and the socket that it left through. */
struct connection {
    int fd; /* -1 = free */
    struct sonde_flow flow;
    uint32_t token;
    sonde_ns sent_ns;
    uint8_t syn[SYN_BYTES_MAX]; /* as the engine wrote it */
    size_t syn_len;
};

struct unprivileged {
    struct sonde_transport transport;
    struct linux_config config;
    int epoll_fd;
    int routers[FAMILIES];        /* UDP sockets that ask the routing table by connecting */
    unsigned interface;           /* index of the only one to send through; 0 = any */
    bool source_chosen[FAMILIES]; /* it is not left to the routing table */
    struct wall wall;
    struct arrivals arrivals;
    struct datagram datagrams[DATAGRAMS_MAX];
    uint32_t datagram_count;
    struct connection connections[CONNECTIONS_MAX];
    uint32_t connection_cap;  /* that may be open at once */
    uint32_t connection_open; /* that are */
    bool counting;            /* a connection was reset at once: who does so is to be found out */
    sonde_ns expiry_ns;       /* no connection is to be closed before */
};

/** What an epoll event is about. */
enum watch_kind { WATCH_DATAGRAM, WATCH_CONNECTION };

/** Watch a socket. @param index  Of the datagram or connection. */
SONDE_MUST_CHECK int unprivileged_watch(const struct unprivileged *unprivileged, int fd,
                                        uint32_t events, enum watch_kind kind, uint32_t index);

/** Let a socket leave by the interface that was asked for, and send packets that are neither
 *  marked "don't fragment" nor fragmented here, as most of the raw transport's. */
SONDE_MUST_CHECK int unprivileged_prepare(const struct unprivileged *unprivileged, int fd,
                                          enum sonde_family family);

/** As to_sockaddr(), with an IPv6 flow label. */
socklen_t to_sockaddr_flow(const struct sonde_addr *addr, uint16_t port, uint32_t flow_label,
                           struct sockaddr_storage *storage);

/* arrivals.c */

/** @return 0; -ENOMEM. Ownership: arrivals_deinit() frees what this allocates. */
SONDE_MUST_CHECK int arrivals_init(struct arrivals *arrivals);

void arrivals_deinit(struct arrivals *arrivals);

/** @return A free slot to read into, with result 0; NULL if there is none. It is as it was unless
 *  arrivals_add() follows. */
struct arrival *arrivals_spare(struct arrivals *arrivals);

/** The slot that arrivals_spare() gave is filled. */
void arrivals_add(struct arrivals *arrivals);

/** @return The first arrival, taken out and valid until the next call; NULL if there is none. */
struct arrival *arrivals_take(struct arrivals *arrivals);

/* datagram.c */

/**
 * Find the socket that a flow's datagrams leave through, or open it.
 * @param flow  Of ICMP or UDP; on 0, its src_port is set.
 * @param nth   As for bind() of a transport.
 * @return 0; -EPERM: not allowed; -EADDRINUSE; another negative errno.
 */
SONDE_MUST_CHECK int datagram_bind(struct unprivileged *unprivileged, struct sonde_flow *flow,
                                   uint32_t nth);

/** Send a probe. */
struct sonde_sent datagram_send(struct unprivileged *unprivileged, const struct sonde_tx *tx);

/** Read what is there, as far as there is room. */
void datagram_read(struct unprivileged *unprivileged, struct datagram *datagram);

/* connect.c */

/** Send a SYN. */
struct sonde_sent connection_send(struct unprivileged *unprivileged, const struct sonde_tx *tx);

/** Close what has waited for so long that the kernel would soon send its SYN again. */
void connection_expire(struct unprivileged *unprivileged, sonde_ns now_ns);

/** Close a connection's socket. */
void connection_close(struct unprivileged *unprivileged, struct connection *connection);

/* connected.c */

/** Take what has happened to a connection. */
void connection_read(struct unprivileged *unprivileged, struct connection *connection);

/** What went through the interface that a SYN is to leave by, and through the loopback interface,
 *  before it was sent. */
struct connection_counts {
    bool known;
    bool is_here; /* the target is this machine: whoever answers is the target */
    unsigned interface;
    uint64_t sent;
    uint64_t looped;
};

/** Count before a SYN is sent, if need be. */
struct connection_counts connection_count(const struct unprivileged *unprivileged,
                                          const struct sonde_flow *flow);

/**
 * Take what has happened to a connection by the time that connect() has returned. What this
 * machine's firewall says in refusing the SYN is there by then, and connect() does not tell.
 * @param before  From connection_count().
 * @return 0; -EPERM: the firewall has refused it; -EAGAIN: it cannot be told, try again. Unless 0,
 *         the connection is closed.
 */
SONDE_MUST_CHECK int connection_read_at_once(struct unprivileged *unprivileged,
                                             struct connection *connection,
                                             const struct connection_counts *before);

#endif
