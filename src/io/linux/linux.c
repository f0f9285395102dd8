/* SPDX-License-Identifier: BSD-2-Clause */
/* The raw-socket transport; see io/linux/linux.h. */
#include "io/linux/linux.h"

#include "base/time.h"
#include "io/clock.h"
#include "io/linux/internal.h"

#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

static struct linux_transport *linux_of(struct sonde_transport *transport)
{
    return (struct linux_transport *)transport; /* it is the first member */
}

/* The n-th port that is held for a family and protocol; held from now on if it was not. */
static int hold_nth(struct linux_transport *linux_transport, struct sonde_flow *flow, uint32_t nth)
{
    enum sonde_family family = flow->dst.family;
    for (uint32_t i = 0; i < linux_transport->hold_count; i++) {
        const struct hold *hold = &linux_transport->holds[i];
        if (hold->family == family && hold->protocol == flow->protocol && hold->nth == nth) {
            flow->src_port = hold->port;
            return 0;
        }
    }
    if (linux_transport->hold_count == HOLDS_MAX || linux_transport->config.source_port != 0)
        return -EADDRINUSE;
    struct hold hold = {.family = family, .protocol = flow->protocol, .nth = nth};
    int r = socket_hold(family, flow->protocol, 0, &hold.fd, &hold.port);
    if (r < 0)
        return r;
    linux_transport->holds[linux_transport->hold_count++] = hold;
    flow->src_port = hold.port;
    return 0;
}

static bool can_receive(const struct linux_transport *linux_transport,
                        const struct sonde_flow *flow)
{
    for (uint32_t i = 0; i < linux_transport->receiver_count; i++) {
        const struct receiver *receiver = &linux_transport->receivers[i];
        if (receiver->family == (enum sonde_family)flow->dst.family &&
            receiver->protocol == flow->protocol)
            return true;
    }
    return false;
}

static int linux_bind(struct sonde_transport *transport, struct sonde_flow *flow, uint32_t nth)
{
    struct linux_transport *linux_transport = linux_of(transport);
    if (!can_receive(linux_transport, flow))
        return -EPROTONOSUPPORT;
    int r = socket_find_source(linux_transport->routers[family_index(flow->dst.family)],
                               linux_transport->interface, flow);
    if (r == 0 && protocol_has_ports(flow->protocol))
        r = hold_nth(linux_transport, flow, nth);
    if (r < 0)
        return r;
    filter_add_flow(&linux_transport->flows, flow);
    linux_transport->filters_stale = true;
    return 0;
}

static int linux_wait(struct sonde_transport *transport, sonde_ns until_ns, sonde_ns *ret_now_ns)
{
    struct linux_transport *linux_transport = linux_of(transport);
    struct pollfd fds[RECEIVERS_MAX];
    sonde_ns looked = clock_monotonic_ns();
    for (uint32_t i = 0; i < linux_transport->receiver_count; i++) {
        const struct receiver *receiver = &linux_transport->receivers[i];
        fds[i] = (struct pollfd){.fd = receiver->fd, .events = POLLIN};
        if (receiver->next < receiver->filled)
            until_ns = looked; /* there is something already */
    }
    int r =
        clock_poll(fds, linux_transport->receiver_count, linux_transport->config.watch, until_ns);
    for (uint32_t i = 0; i < linux_transport->receiver_count; i++) {
        struct receiver *receiver = &linux_transport->receivers[i];
        receiver->ready = fds[i].revents != 0;
        if (!receiver->ready)
            receiver->drained_ns = looked;
    }
    *ret_now_ns = clock_monotonic_ns();
    return r;
}

static sonde_ns linux_watch(struct sonde_transport *transport, struct io_watch *watch)
{
    struct linux_transport *linux_transport = linux_of(transport);
    sonde_ns until_ns = SONDE_NS_NEVER;
    for (uint32_t i = 0; i < linux_transport->receiver_count; i++) {
        const struct receiver *receiver = &linux_transport->receivers[i];
        if (watch->count < IO_WATCH_MAX)
            watch->fds[watch->count++] = (struct pollfd){.fd = receiver->fd, .events = POLLIN};
        if (receiver->next < receiver->filled)
            until_ns = INT64_MIN;
    }
    return until_ns;
}

static uint64_t linux_lost_here(struct sonde_transport *transport)
{
    const struct linux_transport *linux_transport = linux_of(transport);
    uint64_t lost = 0;
    for (uint32_t i = 0; i < linux_transport->receiver_count; i++)
        lost += linux_transport->receivers[i].losses.lost;
    return lost;
}

static sonde_ns linux_slept_ns(struct sonde_transport *transport)
{
    (void)transport;
    return clock_slept_ns();
}

static struct sonde_transport *linux_free(struct sonde_transport *transport)
{
    struct linux_transport *linux_transport = linux_of(transport);
    for (int i = 0; i < FAMILIES; i++) {
        socket_close(linux_transport->senders[i].fd);
        socket_close(linux_transport->routers[i]);
    }
    for (uint32_t i = 0; i < linux_transport->receiver_count; i++) {
        socket_close(linux_transport->receivers[i].fd);
        free(linux_transport->receivers[i].packets);
    }
    for (uint32_t i = 0; i < linux_transport->hold_count; i++)
        socket_close(linux_transport->holds[i].fd);
    free(linux_transport);
    return NULL;
}

static const struct sonde_transport_ops linux_ops = {
    .bind = linux_bind,
    .send = linux_send,
    .recv = linux_recv,
    .wait = linux_wait,
    .watch = linux_watch,
    .lost_here = linux_lost_here,
    .slept_ns = linux_slept_ns,
    .free = linux_free,
};

static int add_receiver(struct linux_transport *linux_transport, enum sonde_family family,
                        uint8_t protocol)
{
    struct receiver *receiver = &linux_transport->receivers[linux_transport->receiver_count];
    *receiver = (struct receiver){.fd = -1, .family = family, .protocol = protocol};
    int r = socket_receiver(family, protocol, &receiver->fd);
    if (r < 0)
        return r;
    receiver->drained_ns = clock_monotonic_ns();
    linux_transport->receiver_count++;
    receiver->packets = malloc((size_t)SLOTS * PACKET_MAX);
    return receiver->packets != NULL ? 0 : -ENOMEM;
}

/* A port that was asked for is held at once: below 1024 it takes privilege. */
static int hold_wanted(struct linux_transport *linux_transport, enum sonde_family family,
                       uint8_t protocol)
{
    uint16_t port = linux_transport->config.source_port;
    if (port == 0 || !protocol_has_ports(protocol))
        return 0;
    struct hold *hold = &linux_transport->holds[linux_transport->hold_count];
    *hold = (struct hold){.family = family, .protocol = protocol};
    int r = socket_hold(family, protocol, port, &hold->fd, &hold->port);
    if (r == 0)
        linux_transport->hold_count++;
    return r;
}

/* Open everything of one family, if it is wanted. -EAFNOSUPPORT: this system does without it. */
static int open_family(struct linux_transport *linux_transport, enum sonde_family family)
{
    const struct linux_config *config = &linux_transport->config;
    unsigned at = family_index(family);
    if (config->family != SONDE_FAMILY_NONE && config->family != family)
        return 0;
    int r = socket_sender(family, config, &linux_transport->senders[at]);
    if (r == 0)
        r = socket_router(family, config, &linux_transport->routers[at]);
    if (r == 0)
        r = add_receiver(linux_transport, family, IP_PROTO_ICMP);
    for (size_t i = 0; r == 0 && i < config->protocol_count; i++) {
        if (config->protocols[i] != IP_PROTO_ICMP)
            r = add_receiver(linux_transport, family, config->protocols[i]);
        if (r == 0)
            r = hold_wanted(linux_transport, family, config->protocols[i]);
    }
    return r;
}

int linux_new(const struct linux_config *config, struct sonde_transport **ret_transport)
{
    if (config->protocol_count > LINUX_PROTOCOLS_MAX)
        return -EINVAL;
    struct linux_transport *linux_transport = calloc(1, sizeof *linux_transport);
    if (linux_transport == NULL)
        return -ENOMEM;
    linux_transport->transport.ops = &linux_ops;
    linux_transport->config = *config;
    wall_follow(&linux_transport->wall);
    for (int i = 0; i < FAMILIES; i++)
        linux_transport->senders[i].fd = linux_transport->routers[i] = -1;
    int r4 = open_family(linux_transport, SONDE_FAMILY_IPV4);
    int r6 = r4 == 0 || r4 == -EAFNOSUPPORT ? open_family(linux_transport, SONDE_FAMILY_IPV6) : r4;
    int r = r6 == -EAFNOSUPPORT ? r4 : r6;
    if (config->interface != NULL)
        linux_transport->interface = if_nametoindex(config->interface);
    linux_transport->config.interface = NULL;
    if (r < 0) {
        linux_free(&linux_transport->transport);
        return r;
    }
    *ret_transport = &linux_transport->transport;
    return 0;
}

void linux_interface_of(const struct sonde_addr *addr, char *name, size_t cap)
{
    struct ifaddrs *all = NULL;
    name[0] = '\0';
    if (cap == 0 || getifaddrs(&all) != 0)
        return;
    for (const struct ifaddrs *at = all; at != NULL; at = at->ifa_next) {
        struct sockaddr_storage storage = {0};
        struct sonde_addr found;
        uint16_t port;
        if (at->ifa_addr == NULL ||
            (at->ifa_addr->sa_family != AF_INET && at->ifa_addr->sa_family != AF_INET6))
            continue;
        bool ipv6 = at->ifa_addr->sa_family == AF_INET6;
        memcpy(&storage, at->ifa_addr,
               ipv6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in));
        from_sockaddr(&storage, &found, &port);
        if (!sonde_addr_equal(&found, addr) || strlen(at->ifa_name) >= cap)
            continue;
        memcpy(name, at->ifa_name, strlen(at->ifa_name) + 1);
        break;
    }
    freeifaddrs(all);
}
