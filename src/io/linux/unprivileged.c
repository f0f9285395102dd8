/* SPDX-License-Identifier: BSD-2-Clause */
/* The unprivileged transport; see io/linux/unprivileged.h. */
#include "io/linux/unprivileged.h"

#include "base/time.h"
#include "io/clock.h"
#include "io/linux/unprivileged_internal.h"

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

static struct unprivileged *unprivileged_of(struct sonde_transport *transport)
{
    return (struct unprivileged *)transport; /* it is the first member */
}

int unprivileged_prepare(const struct unprivileged *unprivileged, int fd, enum sonde_family family)
{
    int r = socket_bind_interface(fd, unprivileged->interface);
    if (r < 0)
        return r;
    /* The path's MTU is none of our business, the interface's is: ip(7), ipv6(7). Over IPv4 routers
     * may divide what is too long; over IPv6 they refuse it, which UDP hears only in this mode
     * (net/ipv6/udp.c, __udp6_lib_err(); include/net/ip6_route.h, ip6_sk_accept_pmtu()). */
    return family == SONDE_FAMILY_IPV6
               ? socket_set(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_PROBE)
               : socket_set(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_INTERFACE);
}

int unprivileged_watch(const struct unprivileged *unprivileged, int fd, uint32_t events,
                       enum watch_kind kind, uint32_t index)
{
    struct epoll_event event = {.events = events, .data.u64 = (uint64_t)kind << 32 | index};
    return epoll_ctl(unprivileged->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
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
static void tell_room(struct unprivileged *unprivileged)
{
    uint32_t free = unprivileged->connection_cap - unprivileged->connection_open;
    unprivileged->transport.room = free > 0 ? free : 1;
}

static int unprivileged_bind(struct sonde_transport *transport, struct sonde_flow *flow,
                             uint32_t nth)
{
    struct unprivileged *unprivileged = unprivileged_of(transport);
    int fd = unprivileged->routers[family_index(flow->dst.family)];
    if (fd < 0)
        return -EPROTONOSUPPORT;
    if (flow->protocol == IP_PROTO_SCTP)
        return -ESOCKTNOSUPPORT;
    if (flow->src.family != SONDE_FAMILY_NONE)
        unprivileged->source_chosen[family_index(flow->dst.family)] = true;
    int r = socket_find_source(fd, unprivileged->interface, flow);
    if (r < 0)
        return r;
    if (flow->protocol != IP_PROTO_TCP)
        return datagram_bind(unprivileged, flow, nth);
    if (unprivileged->config.source_port != 0)
        return -EOPNOTSUPP;
    flow->src_port = 0; /* each probe has its own */
    return 0;
}

/* Take what has happened to all sockets, as far as there is room. */
static void look_around(struct unprivileged *unprivileged)
{
    struct epoll_event events[EVENTS];
    int count;
    do {
        count = epoll_wait(unprivileged->epoll_fd, events, EVENTS, 0);
        for (int i = 0; i < count; i++) {
            uint32_t index = (uint32_t)events[i].data.u64;
            if (events[i].data.u64 >> 32 == WATCH_CONNECTION)
                connection_read(unprivileged, &unprivileged->connections[index]);
            else
                datagram_read(unprivileged, &unprivileged->datagrams[index]);
        }
    } while (count == EVENTS && arrivals_spare(&unprivileged->arrivals) != NULL);
}

static uint32_t unprivileged_send(struct sonde_transport *transport, const struct sonde_tx *txs,
                                  uint32_t count, struct sonde_sent *ret_sents)
{
    (void)count; /* one at a time, so that our own clock tells when it left */
    struct unprivileged *unprivileged = unprivileged_of(transport);
    *ret_sents = txs->flow->protocol == IP_PROTO_TCP ? connection_send(unprivileged, txs)
                                                     : datagram_send(unprivileged, txs);
    ret_sents->error = socket_explain(unprivileged->routers[family_index(txs->flow->dst.family)],
                                      unprivileged->interface, txs->flow, ret_sents->error);
    if (unprivileged->connection_open > 0)
        look_around(unprivileged); /* the time of a RST is when we see it */
    tell_room(unprivileged);
    return 1;
}

static int unprivileged_recv(struct sonde_transport *transport, sonde_ns now_ns,
                             struct sonde_rx *ret_rx)
{
    (void)now_ns;
    struct unprivileged *unprivileged = unprivileged_of(transport);
    struct arrival *arrival = arrivals_take(&unprivileged->arrivals);
    if (arrival == NULL) {
        look_around(unprivileged);
        arrival = arrivals_take(&unprivileged->arrivals);
    }
    if (arrival == NULL)
        return -EAGAIN;
    if (arrival->result == 0)
        *ret_rx = arrival->rx;
    else
        ret_rx->stamp = arrival->rx.stamp;
    return arrival->result;
}

static sonde_ns unprivileged_tell(struct sonde_transport *transport, struct io_watch *watch)
{
    struct unprivileged *unprivileged = unprivileged_of(transport);
    if (watch->count < IO_WATCH_MAX)
        watch->fds[watch->count++] =
            (struct pollfd){.fd = unprivileged->epoll_fd, .events = POLLIN};
    return unprivileged->arrivals.waiting > 0 ? INT64_MIN : unprivileged->expiry_ns;
}

static int unprivileged_wait(struct sonde_transport *transport, sonde_ns until_ns,
                             sonde_ns *ret_now_ns)
{
    struct unprivileged *unprivileged = unprivileged_of(transport);
    struct pollfd own = {.fd = unprivileged->epoll_fd, .events = POLLIN};
    if (unprivileged->arrivals.waiting > 0)
        until_ns = INT64_MIN; /* there is something already */
    int r =
        clock_poll(&own, 1, unprivileged->config.watch, ns_min(until_ns, unprivileged->expiry_ns));
    if (own.revents != 0)
        look_around(unprivileged);
    connection_expire(unprivileged, clock_monotonic_ns());
    tell_room(unprivileged);
    *ret_now_ns = clock_monotonic_ns();
    return r;
}

static uint64_t unprivileged_lost_here(struct sonde_transport *transport)
{
    const struct unprivileged *unprivileged = unprivileged_of(transport);
    uint64_t lost = 0;
    for (uint32_t i = 0; i < unprivileged->datagram_count; i++)
        lost += unprivileged->datagrams[i].losses.lost;
    return lost;
}

static sonde_ns unprivileged_slept_ns(struct sonde_transport *transport)
{
    (void)transport;
    return clock_slept_ns();
}

static struct sonde_transport *unprivileged_free(struct sonde_transport *transport)
{
    struct unprivileged *unprivileged = unprivileged_of(transport);
    for (uint32_t i = 0; i < CONNECTIONS_MAX; i++)
        socket_close(unprivileged->connections[i].fd);
    for (uint32_t i = 0; i < unprivileged->datagram_count; i++)
        socket_close(unprivileged->datagrams[i].fd);
    for (int i = 0; i < FAMILIES; i++)
        socket_close(unprivileged->routers[i]);
    socket_close(unprivileged->epoll_fd);
    arrivals_deinit(&unprivileged->arrivals);
    free(unprivileged);
    return NULL;
}

static const struct sonde_transport_ops unprivileged_ops = {
    .bind = unprivileged_bind,
    .send = unprivileged_send,
    .recv = unprivileged_recv,
    .wait = unprivileged_wait,
    .watch = unprivileged_tell,
    .lost_here = unprivileged_lost_here,
    .slept_ns = unprivileged_slept_ns,
    .free = unprivileged_free,
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
static int hold_wanted(struct unprivileged *unprivileged, enum sonde_family family)
{
    if (unprivileged->config.source_port == 0)
        return 0;
    struct sonde_flow flow = {.dst = {.family = (uint8_t)family},
                              .protocol = IP_PROTO_UDP,
                              .src_port = unprivileged->config.source_port};
    return datagram_bind(unprivileged, &flow, 0);
}

/* Open what one family needs, if it is wanted. -EAFNOSUPPORT: this system does without it. */
static int open_family(struct unprivileged *unprivileged, enum sonde_family family)
{
    const struct linux_config *config = &unprivileged->config;
    if (config->family != SONDE_FAMILY_NONE && config->family != family)
        return 0;
    int r = socket_router(family, config, &unprivileged->routers[family_index(family)]);
    return r < 0 ? r : hold_wanted(unprivileged, family);
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

static int open_all(struct unprivileged *unprivileged)
{
    if (unprivileged->config.mark != 0)
        return -EOPNOTSUPP; /* to mark a socket takes privilege, and there is one for each SYN */
    int r = arrivals_init(&unprivileged->arrivals);
    if (r < 0)
        return r;
    unprivileged->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (unprivileged->epoll_fd < 0)
        return -errno;
    int r4 = open_family(unprivileged, SONDE_FAMILY_IPV4);
    int r6 = r4 == 0 || r4 == -EAFNOSUPPORT ? open_family(unprivileged, SONDE_FAMILY_IPV6) : r4;
    return r6 == -EAFNOSUPPORT ? r4 : r6;
}

int unprivileged_new(const struct linux_config *config, struct sonde_transport **ret_transport,
                     bool *ret_icmp)
{
    struct unprivileged *unprivileged = calloc(1, sizeof *unprivileged);
    if (unprivileged == NULL)
        return -ENOMEM;
    unprivileged->transport.ops = &unprivileged_ops;
    unprivileged->config = *config;
    unprivileged->expiry_ns = SONDE_NS_NEVER;
    unprivileged->epoll_fd = -1;
    for (int i = 0; i < FAMILIES; i++)
        unprivileged->routers[i] = -1;
    for (uint32_t i = 0; i < CONNECTIONS_MAX; i++)
        unprivileged->connections[i].fd = -1;
    wall_follow(&unprivileged->wall);
    if (config->interface != NULL)
        unprivileged->interface = if_nametoindex(config->interface);
    int r = open_all(unprivileged);
    unprivileged->config.interface = NULL;
    unprivileged->connection_cap = find_cap();
    tell_room(unprivileged);
    if (r < 0) {
        unprivileged_free(&unprivileged->transport);
        return r;
    }
    *ret_icmp = icmp_is_allowed();
    *ret_transport = &unprivileged->transport;
    return 0;
}
