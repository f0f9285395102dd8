/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of the raw-socket transport share. */
#ifndef IO_LINUX_INTERNAL_H
#define IO_LINUX_INTERNAL_H

#include "io/linux/linux.h"

#include <netinet/in.h>
#include <sys/socket.h>

enum {
    RECEIVERS_MAX = 2 * (LINUX_PROTOCOLS_MAX + 1),
    HOLDS_MAX = 64,          /* source ports held */
    FILTER_TARGETS_MAX = 32, /* targets that the filter knows one by one */
    PACKET_MAX = 65536,      /* longest packet that can arrive */
    FAMILIES = 2,
};

/** A raw socket that answers arrive through. */
struct receiver {
    int fd;
    enum sonde_family family;
    uint8_t protocol;    /* IP_PROTO_ICMP stands for ICMPv6 too */
    bool ready;          /* there may be something to read */
    sonde_ns drained_ns; /* when it was last known to be empty */
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

struct linux_transport {
    struct sonde_transport transport;
    struct linux_config config;
    int senders[FAMILIES]; /* IPv4, IPv6; -1 = the family is not there */
    int routers[FAMILIES]; /* UDP sockets that ask the routing table by connecting */
    unsigned interface;    /* index of the only one to send through; 0 = any */
    struct receiver receivers[RECEIVERS_MAX];
    uint32_t receiver_count;
    uint32_t next_receiver;
    struct hold holds[HOLDS_MAX];
    uint32_t hold_count;
    struct filter_flows flows;
    bool filters_stale; /* a flow was bound since the filters were put on */
    uint8_t packet[PACKET_MAX];
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

/** Open a raw socket that answers of a protocol arrive through, its filter shut. */
SONDE_MUST_CHECK int socket_receiver(enum sonde_family family, uint8_t protocol, int *ret_fd);

/** Open a raw socket that whole packets leave through. */
SONDE_MUST_CHECK int socket_sender(enum sonde_family family, const struct linux_config *config,
                                   int *ret_fd);

/** Open a UDP socket that is never sent through: it asks the routing table. */
SONDE_MUST_CHECK int socket_router(enum sonde_family family, const struct linux_config *config,
                                   int *ret_fd);

/** Let a socket use one interface only, by its index; 0 = any. */
SONDE_MUST_CHECK int socket_bind_interface(int fd, unsigned interface);

/** Hold a port. @param port  0 = any. */
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

/* receive.c */

int linux_recv(struct sonde_transport *transport, sonde_ns now_ns, struct sonde_rx *ret_rx);

#endif
