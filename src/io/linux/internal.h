/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of the raw-socket transport share. */
#ifndef IO_LINUX_INTERNAL_H
#define IO_LINUX_INTERNAL_H

#include "io/linux/linux.h"

#include <assert.h>
#include <netinet/in.h>
#include <sys/socket.h>

enum {
    SLOTS = 64,          /* packets read from a socket at once */
    CONTROL_BYTES = 256, /* a time stamp and a hop limit, with room to spare */
    RECEIVERS_MAX = 2 * (LINUX_PROTOCOLS_MAX + 1),
    HOLDS_MAX = 64,          /* source ports held */
    FILTER_TARGETS_MAX = 32, /* targets that the filter knows one by one */
    PACKET_MAX = 10240,      /* longest packet read whole: a jumbo frame, and more */
    FAMILIES = 2,
    RECEIVE_BUFFER_BYTES = 4 << 20, /* answers of a burst to ten thousand targets */
};
static_assert((int)PACKET_MAX >= (int)IO_PACKET_MAX, "answers are as long as probes");

/* A stamp may lie so far outside of what two readings of our clock allow: clocks are only compared
 * so exactly. */
static const sonde_ns STAMP_SLACK_NS = 2000;

/** A packet that was read, and what came with it. */
struct slot {
    size_t len;
    struct sockaddr_storage from;
    int16_t hop_limit; /* -1 = not known */
    struct sonde_stamp stamp;
};

/** What a receive queue had no room for. */
struct losses {
    uint64_t lost;
    uint32_t dropped; /* packets, by the kernel's count, when it was last looked at */
    bool backed_up;   /* more than half of its room was taken then */
};

/** A raw socket that answers arrive through. */
struct receiver {
    int fd;
    enum sonde_family family;
    uint8_t protocol;    /* IP_PROTO_ICMP stands for ICMPv6 too */
    bool ready;          /* there may be something to read */
    sonde_ns drained_ns; /* when it was last known to be empty */
    struct losses losses;
    uint32_t next; /* of the slots, the first that was not taken */
    uint32_t filled;
    struct slot slots[SLOTS];
    uint8_t *packets; /* [SLOTS * PACKET_MAX]; owned */
};

/** The numbers of the packets that leave through a socket, and their stamps as they are read. */
struct numbers {
    uint32_t next;   /* the least that the next packet can have */
    uint32_t unsure; /* how many more it can be: packets that failed may have taken one each */
    uint32_t end;    /* behind the highest that a stamp was read of; not below next */
    struct numbered {
        uint32_t number;
        sonde_ns wall_ns; /* 0 = nothing is here */
    } kept[IO_BATCH];     /* the last that were read, by their remainder */
};

/** A raw socket that probes leave through. */
struct sender {
    int fd;             /* -1 = the family is not there */
    bool stamped;       /* the kernel stamps what leaves */
    uint32_t mtu_bytes; /* of the interface that the last packet too big was to leave by */
    struct numbers numbers;
};

/** A source port that is ours. */
struct hold {
    int fd;
    enum sonde_family family;
    uint8_t protocol;
    uint16_t port;
    uint32_t nth;
};

/** What the filters let in. */
struct filter_flows {
    uint16_t ids[HOLDS_MAX]; /* echo identifiers */
    uint32_t id_count;
    bool any_id; /* there are more than fit */
    struct sonde_addr targets[FILTER_TARGETS_MAX];
    uint32_t target_count;
    bool any_target; /* there are more than fit: quotes are matched by source port then */
};

/** The clock of the kernel's stamps, against ours. */
struct wall {
    sonde_ns ahead_ns;
    sonde_ns since_ns; /* since when that surely holds */
};

struct linux_transport {
    struct sonde_transport transport;
    struct linux_config config;
    struct sender senders[FAMILIES]; /* IPv4, IPv6 */
    int routers[FAMILIES];           /* UDP sockets that ask the routing table by connecting */
    unsigned interface;              /* index of the only one to send through; 0 = any */
    struct receiver receivers[RECEIVERS_MAX];
    uint32_t receiver_count;
    struct wall wall;
    struct hold holds[HOLDS_MAX];
    uint32_t hold_count;
    struct filter_flows flows;
    bool filters_stale; /* a flow was bound since the filters were put on */
};

static inline unsigned family_index(enum sonde_family family)
{
    return family == SONDE_FAMILY_IPV6 ? 1 : 0;
}

/** Put an address and a port into the kernel's form. @return The bytes of @p storage used. */
socklen_t to_sockaddr(const struct sonde_addr *addr, uint16_t port,
                      struct sockaddr_storage *storage);

/** Read the kernel's form. */
void from_sockaddr(const struct sockaddr_storage *storage, struct sonde_addr *ret_addr,
                   uint16_t *ret_port);

/* sockets.c */

/** setsockopt() with an int. @return 0; a negative errno. */
int socket_set(int fd, int level, int name, int value);

/**
 * Put something beside a packet that is to be sent; cmsg(3).
 * @param message  msg_control has room for it behind the first msg_controllen bytes.
 */
void control_put(struct msghdr *message, int level, int type, const void *data, size_t len);

/** The bytes that control_put_source() takes at most. */
enum { CONTROL_SOURCE_BYTES = CMSG_SPACE(sizeof(struct in6_pktinfo)) };

/**
 * Let the source take part in the choice of a packet's way, as it does for a connected socket: a
 * rule of the routing may be about it (ip-rule(8), "from"). ip(7), IP_PKTINFO; ipv6(7).
 */
void control_put_source(struct msghdr *message, const struct sonde_addr *src);

/** Close a socket. @param fd  -1 = there is none. */
void socket_close(int fd);

/** Open a raw socket that answers of a protocol arrive through, its filter shut. */
SONDE_MUST_CHECK int socket_receiver(enum sonde_family family, uint8_t protocol, int *ret_fd);

/**
 * Open a raw socket that whole packets leave through. What the queue of an interface drops is an
 * error of sending (-ENOBUFS). The socket's error queue is to be read: besides stamps, it collects
 * errors that are about the socket's protocol number, which nothing of ours has.
 */
SONDE_MUST_CHECK int socket_sender(enum sonde_family family, const struct linux_config *config,
                                   struct sender *ret_sender);

/** Open a UDP socket that is never sent through: it asks the routing table. */
SONDE_MUST_CHECK int socket_router(enum sonde_family family, const struct linux_config *config,
                                   int *ret_fd);

/** Let a socket use one interface only, by its index; 0 = any. */
SONDE_MUST_CHECK int socket_bind_interface(int fd, unsigned interface);

/**
 * Ask the routing table which address the system sends from to a target.
 * @param fd         From socket_router().
 * @param interface  Index of the only one to send through; 0 = any.
 * @param flow       dst is given, and src may be; on 0, src is set.
 * @return 0; as bind() of a transport.
 * Source: the kernel's net/ipv4/fib_semantics.c, fib_props, and net/ipv6/route.c: what each type
 * of route says to who wants to take it.
 */
SONDE_MUST_CHECK int socket_find_source(int fd, unsigned interface, struct sonde_flow *flow);

/**
 * Find out what an error of sending means that may have several causes: EINVAL is said of a
 * blackhole route and of a source that is not this machine's any more, EACCES of a prohibit route
 * and by security modules.
 * @param fd     From socket_router().
 * @param flow   It was bound; a probe of it could not be sent.
 * @param error  A negative errno.
 * @return The error as struct sonde_sent has it.
 */
int socket_explain(int fd, unsigned interface, const struct sonde_flow *flow, int error);

/**
 * Hold a port.
 *
 * To open a socket of SCTP's can make the kernel load that protocol, and from then on answer for
 * it: a look at others shall not change this machine so. A port of TCP's is held in its place, so
 * that no other sonde is given the same; a port that was asked for is held by nothing. Programs
 * that speak SCTP are not disturbed if one of them has it, too: their kernel drops what has not
 * their tag, and a server answers an INIT beside an association without touching that (RFC 9260
 * §8.5, §5.2.2).
 *
 * @param port    0 = any.
 * @param ret_fd  On 0, a socket to be closed at the end; -1 if there is none.
 */
SONDE_MUST_CHECK int socket_hold(enum sonde_family family, uint8_t protocol, uint16_t port,
                                 int *ret_fd, uint16_t *ret_port);

/** @return true for protocols whose ports a socket can hold. */
bool protocol_has_ports(uint8_t protocol);

/* filter.c */

/** Let in nothing at all. */
SONDE_MUST_CHECK int filter_shut(int fd);

/** Let in what can be an answer to the bound flows. */
SONDE_MUST_CHECK int filter_open(const struct linux_transport *linux_transport,
                                 const struct receiver *receiver);

/** Note a flow that the filters must let in. */
void filter_add_flow(struct filter_flows *flows, const struct sonde_flow *flow);

/* stamp.c */

/** Where the kernel put time stamps and hop limit of a packet. */
struct side {
    sonde_ns wall_ns;   /* CLOCK_REALTIME; 0 = no stamp */
    int16_t hop_limit;  /* or the TTL; -1 = none */
    bool is_sent;       /* it is the stamp of a packet that left */
    uint32_t sent_id;   /* which */
    uint32_t mtu_bytes; /* it is of a packet that was too big for the interface, which takes so
                           much; 0 = it is not */
};

/** Read what came beside a packet. */
void side_read(struct msghdr *message, struct side *ret_side);

/**
 * Compare the kernel's clock with ours. To be called between reading stamps and stamp_of(): what
 * was stamped before then went by what is found now, or somebody has set the wall clock meanwhile.
 */
void wall_follow(struct wall *wall);

/**
 * Make a stamp of the kernel's one of ours; wall_follow() has just been called.
 * @param from_ns   It was not before this.
 * @param until_ns  Nor after this.
 * @param wall_ns   The kernel's stamp; 0 = none.
 * @param user_ns   Used instead if the kernel gave none, or if it may be from before somebody set
 *                  the wall clock: a small step cannot be seen in the stamp itself.
 */
struct sonde_stamp stamp_of(const struct wall *wall, sonde_ns from_ns, sonde_ns until_ns,
                            sonde_ns wall_ns, sonde_ns user_ns);

/**
 * Likewise of a packet that came in. It is stamped before it is handed to another processor
 * (receive packet steering, Documentation/networking/scaling.rst of the kernel), and comes into its
 * socket after that: so it may be older than the time when the socket was seen empty.
 * @param drained_ns  When that was last. If the wall clock was set since, the packet may be from
 *                    before, and has the time of reading.
 */
struct sonde_stamp stamp_of_arrival(const struct wall *wall, sonde_ns drained_ns, sonde_ns now_ns,
                                    sonde_ns wall_ns);

/* numbers.c */

/** Note a stamp. One that is noted later for the same number takes its place. */
void numbers_note(struct numbers *numbers, uint32_t number, sonde_ns wall_ns);

/**
 * Take the numbers of packets that have left just now; their stamps have been noted.
 * @param count         Packets that left, up to IO_BATCH.
 * @param failed        One more was tried behind them, and could not be sent.
 * @param ret_walls_ns  Receives the stamp of each; 0 if there is none, or nobody knows which.
 * Source: the kernel's net/core/sock.c, sock_set_timestamping(); net/ipv4/raw.c and
 * net/ipv6/raw.c, where a packet takes its number behind the look at the routing table and before
 * the firewall's.
 */
void numbers_take(struct numbers *numbers, uint32_t count, bool failed, sonde_ns *ret_walls_ns);

/* send.c */

uint32_t linux_send(struct sonde_transport *transport, const struct sonde_tx *txs, uint32_t count,
                    struct sonde_sent *ret_sents);

/* receive.c */

/**
 * Count what a socket's queue has had no room for since it was last looked at. The kernel counts
 * that together with packets whose checksum is wrong (net/ipv6/raw.c, rawv6_rcv_skb()), which
 * anybody may send, so it counts here only if the queue was well filled now or the last time: who
 * has no room for a packet still has all those before it, until the next reading. socket(7),
 * SO_MEMINFO.
 */
void losses_count(struct losses *losses, int fd);

int linux_recv(struct sonde_transport *transport, sonde_ns now_ns, struct sonde_rx *ret_rx);

#endif
