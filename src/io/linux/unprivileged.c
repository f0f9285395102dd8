/* SPDX-License-Identifier: BSD-2-Clause */
/* The unprivileged transport; see io/linux/unprivileged.h. */
#include "io/linux/unprivileged.h"

#include "base/time.h"
#include "io/clock.h"
#include "io/linux/ordinary.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>

enum {
    EVENTS = 64,
    DESCRIPTORS_LEFT = 12, /* for sockets that are opened later, the resolver's and the C library */
};

static struct ordinary *ordinary_of(struct sonde_transport *transport)
{
    return (struct ordinary *)transport; /* it is the first member */
}

int ordinary_prepare(const struct ordinary *ordinary, int fd, enum sonde_family family)
{
    int r = socket_bind_interface(fd, ordinary->interface);
    if (r < 0)
        return r;
    /* The path's MTU is none of our business, the interface's is: ip(7), ipv6(7). Over IPv4 routers
     * may divide what is too long; over IPv6 they refuse it, which UDP hears only in this mode
     * (net/ipv6/udp.c, __udp6_lib_err(); include/net/ip6_route.h, ip6_sk_accept_pmtu()). */
    return family == SONDE_FAMILY_IPV6
               ? socket_set(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_PROBE)
               : socket_set(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_INTERFACE);
}

int ordinary_watch(const struct ordinary *ordinary, int fd, uint32_t events,
                   enum ordinary_kind kind, uint32_t index)
{
    struct epoll_event event = {.events = events, .data.u64 = (uint64_t)kind << 32 | index};
    return epoll_ctl(ordinary->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

socklen_t to_sockaddr_flow(const struct sonde_addr *addr, uint16_t port, uint32_t flow_label,
                           struct sockaddr_storage *storage)
{
    socklen_t len = to_sockaddr(addr, port, storage);
    if (addr->family == SONDE_FAMILY_IPV6) {
        struct sockaddr_in6 in6;
        memcpy(&in6, storage, sizeof in6);
        in6.sin6_flowinfo = htonl(flow_label);
        memcpy(storage, &in6, sizeof in6);
    }
    return len;
}

/* Probes that can be handed over at once, while every one of them may be a SYN. */
static void tell_room(struct ordinary *ordinary)
{
    uint32_t free = ordinary->connection_cap - ordinary->connection_open;
    ordinary->transport.room = free > 0 ? free : 1;
}

static int ordinary_bind(struct sonde_transport *transport, struct sonde_flow *flow, uint32_t nth)
{
    struct ordinary *ordinary = ordinary_of(transport);
    int fd = ordinary->routers[family_index(flow->dst.family)];
    if (fd < 0)
        return -EPROTONOSUPPORT;
    if (flow->src.family != SONDE_FAMILY_NONE)
        ordinary->source_chosen[family_index(flow->dst.family)] = true;
    int r = socket_find_source(fd, ordinary->interface, flow);
    if (r < 0)
        return r;
    if (flow->protocol != IP_PROTO_TCP)
        return datagram_bind(ordinary, flow, nth);
    if (ordinary->config.source_port != 0)
        return -EOPNOTSUPP;
    flow->src_port = 0; /* each probe has its own */
    return 0;
}

/* Take what has happened to all sockets, as far as there is room. */
static void look_around(struct ordinary *ordinary)
{
    struct epoll_event events[EVENTS];
    int count;
    do {
        count = epoll_wait(ordinary->epoll_fd, events, EVENTS, 0);
        for (int i = 0; i < count; i++) {
            uint32_t index = (uint32_t)events[i].data.u64;
            if (events[i].data.u64 >> 32 == ORDINARY_CONNECTION)
                connection_read(ordinary, &ordinary->connections[index]);
            else
                datagram_read(ordinary, &ordinary->datagrams[index]);
        }
    } while (count == EVENTS && arrivals_spare(&ordinary->arrivals) != NULL);
}

static uint32_t ordinary_send(struct sonde_transport *transport, const struct sonde_tx *txs,
                              uint32_t count, struct sonde_sent *ret_sents)
{
    (void)count; /* one at a time, so that our own clock tells when it left */
    struct ordinary *ordinary = ordinary_of(transport);
    *ret_sents = txs->flow->protocol == IP_PROTO_TCP ? connection_send(ordinary, txs)
                                                     : datagram_send(ordinary, txs);
    if (ordinary->connection_open > 0)
        look_around(ordinary); /* the time of a RST is when we see it */
    tell_room(ordinary);
    return 1;
}

static int ordinary_recv(struct sonde_transport *transport, sonde_ns now_ns,
                         struct sonde_rx *ret_rx)
{
    (void)now_ns;
    struct ordinary *ordinary = ordinary_of(transport);
    struct arrival *arrival = arrivals_take(&ordinary->arrivals);
    if (arrival == NULL) {
        look_around(ordinary);
        arrival = arrivals_take(&ordinary->arrivals);
    }
    if (arrival == NULL)
        return -EAGAIN;
    if (arrival->result == 0)
        *ret_rx = arrival->rx;
    else
        ret_rx->stamp = arrival->rx.stamp;
    return arrival->result;
}

static int ordinary_wait(struct sonde_transport *transport, sonde_ns until_ns, sonde_ns *ret_now_ns)
{
    struct ordinary *ordinary = ordinary_of(transport);
    struct pollfd own = {.fd = ordinary->epoll_fd, .events = POLLIN};
    if (ordinary->arrivals.waiting > 0)
        until_ns = INT64_MIN; /* there is something already */
    int r = clock_poll(&own, 1, ordinary->config.watch, ns_min(until_ns, ordinary->expiry_ns));
    if (own.revents != 0)
        look_around(ordinary);
    connection_expire(ordinary, clock_monotonic_ns());
    tell_room(ordinary);
    *ret_now_ns = clock_monotonic_ns();
    return r;
}

static uint64_t ordinary_lost_here(struct sonde_transport *transport)
{
    struct ordinary *ordinary = ordinary_of(transport);
    uint64_t lost = 0;
    for (uint32_t i = 0; i < ordinary->datagram_count; i++) {
        struct datagram *datagram = &ordinary->datagrams[i];
        losses_count(&datagram->losses, datagram->fd);
        lost += datagram->losses.lost;
    }
    return lost;
}

static struct sonde_transport *ordinary_free(struct sonde_transport *transport)
{
    struct ordinary *ordinary = ordinary_of(transport);
    for (uint32_t i = 0; i < CONNECTIONS_MAX; i++)
        socket_close(ordinary->connections[i].fd);
    for (uint32_t i = 0; i < ordinary->datagram_count; i++)
        socket_close(ordinary->datagrams[i].fd);
    for (int i = 0; i < FAMILIES; i++)
        socket_close(ordinary->routers[i]);
    socket_close(ordinary->epoll_fd);
    arrivals_deinit(&ordinary->arrivals);
    free(ordinary);
    return NULL;
}

static const struct sonde_transport_ops ordinary_ops = {
    .bind = ordinary_bind,
    .send = ordinary_send,
    .recv = ordinary_recv,
    .wait = ordinary_wait,
    .lost_here = ordinary_lost_here,
    .free = ordinary_free,
};

/* How many connections may be open at once. */
static uint32_t find_cap(void)
{
    struct rlimit limit = {.rlim_cur = CONNECTIONS_MAX};
    (void)getrlimit(RLIMIT_NOFILE, &limit);
    uint32_t most = CONNECTIONS_MAX + DESCRIPTORS_LEFT;
    uint32_t cap = 0;
    for (uint32_t fd = 0; fd < limit.rlim_cur && cap < most; fd++)
        cap += fcntl((int)fd, F_GETFD) < 0;
    return cap > DESCRIPTORS_LEFT ? cap - DESCRIPTORS_LEFT : 1;
}

/* A port that was asked for is held at once: below 1024 it takes privilege. */
static int hold_wanted(struct ordinary *ordinary, enum sonde_family family)
{
    if (ordinary->config.source_port == 0)
        return 0;
    struct sonde_flow flow = {.dst = {.family = (uint8_t)family},
                              .protocol = IP_PROTO_UDP,
                              .src_port = ordinary->config.source_port};
    return datagram_bind(ordinary, &flow, 0);
}

/* Open what one family needs. -EAFNOSUPPORT: this system does without it. */
static int open_family(struct ordinary *ordinary, enum sonde_family family)
{
    int *router = &ordinary->routers[family_index(family)];
    int r = socket_router(family, &ordinary->config, router);
    return r < 0 ? r : hold_wanted(ordinary, family);
}

/* May this process have ICMP datagram sockets? One setting counts for both families. */
static bool icmp_is_allowed(void)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_ICMP);
    if (fd < 0 && errno == EAFNOSUPPORT)
        fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_ICMPV6);
    bool refused = fd < 0 && (errno == EACCES || errno == EPERM || errno == EPROTONOSUPPORT);
    socket_close(fd);
    return !refused;
}

static int open_all(struct ordinary *ordinary)
{
    if (ordinary->config.mark != 0)
        return -EOPNOTSUPP; /* to mark a socket takes privilege, and there is one for each SYN */
    int r = arrivals_init(&ordinary->arrivals);
    if (r < 0)
        return r;
    ordinary->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (ordinary->epoll_fd < 0)
        return -errno;
    int r4 = open_family(ordinary, SONDE_FAMILY_IPV4);
    int r6 = r4 == 0 || r4 == -EAFNOSUPPORT ? open_family(ordinary, SONDE_FAMILY_IPV6) : r4;
    return r6 == -EAFNOSUPPORT ? r4 : r6;
}

int unprivileged_new(const struct linux_config *config, struct sonde_transport **ret_transport,
                     bool *ret_icmp)
{
    struct ordinary *ordinary = calloc(1, sizeof *ordinary);
    if (ordinary == NULL)
        return -ENOMEM;
    ordinary->transport.ops = &ordinary_ops;
    ordinary->config = *config;
    ordinary->expiry_ns = SONDE_NS_NEVER;
    ordinary->epoll_fd = -1;
    for (int i = 0; i < FAMILIES; i++)
        ordinary->routers[i] = -1;
    for (uint32_t i = 0; i < CONNECTIONS_MAX; i++)
        ordinary->connections[i].fd = -1;
    wall_follow(&ordinary->wall);
    if (config->interface != NULL)
        ordinary->interface = if_nametoindex(config->interface);
    int r = open_all(ordinary);
    ordinary->config.interface = NULL;
    ordinary->connection_cap = find_cap();
    tell_room(ordinary);
    if (r < 0) {
        ordinary_free(&ordinary->transport);
        return r;
    }
    *ret_icmp = icmp_is_allowed();
    *ret_transport = &ordinary->transport;
    return 0;
}
