/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SYNs by connect(): one socket for each probe. tcp(7); the kernel's net/ipv4/tcp_input.c,
 * tcp_ipv4.c.
 *
 * Two connections cannot have the same addresses and ports, so each SYN has a source port of its
 * own. What comes of it:
 *
 *   SYN-ACK     the connection is established; the kernel has timed the round trip
 *   RST         refused, with nothing in the error queue; where that is so before connect() has
 *               returned, it may be this machine's firewall
 *   ICMP error  in the error queue
 *   silence     the kernel would send the SYN again after a second: the socket is closed before,
 *               and an answer that takes longer is missed
 *
 * The ACK that would complete the handshake is delayed (TCP_QUICKACK off), and then the connection
 * is reset, so that the program behind the port never sees it, as it never sees a raw SYN.
 *
 * Of what a probe asks for in its IP header, such a socket can have all but ECN: these two bits of
 * the type of service are TCP's own (net/ipv4/ip_sockglue.c, net/ipv6/ipv6_sockglue.c, for
 * SOCK_STREAM), and setting them changes nothing and is no error. So a SYN that is to have one of
 * them set is not sent.
 */
#include "base/time.h"
#include "io/clock.h"
#include "io/linux/unprivileged_internal.h"
#include "wire/tcp.h"

#include <errno.h>
#include <linux/net_tstamp.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

/* The kernel sends a SYN again after a second (tcp(7), RFC 6298 §2). */
static const sonde_ns SILENCE_MAX_NS = 950 * SONDE_NS_PER_MS;

void connection_close(struct unprivileged *unprivileged, struct connection *connection)
{
    (void)close(connection->fd);
    connection->fd = -1;
    unprivileged->connection_open--;
}

void connection_expire(struct unprivileged *unprivileged, sonde_ns now_ns)
{
    if (!ns_due(unprivileged->expiry_ns, now_ns))
        return;
    sonde_ns next = SONDE_NS_NEVER;
    for (uint32_t i = 0; i < unprivileged->connection_cap; i++) {
        struct connection *connection = &unprivileged->connections[i];
        if (connection->fd < 0)
            continue;
        sonde_ns expiry = ns_add(connection->sent_ns, SILENCE_MAX_NS);
        /* it may have been answered, and is looked at before: now, or when there is room */
        if (!ns_due(expiry, now_ns) || arrivals_spare(&unprivileged->arrivals) == NULL) {
            next = ns_min(next, expiry);
            continue;
        }
        connection_read(unprivileged, connection);
        if (connection->fd >= 0)
            connection_close(unprivileged, connection);
    }
    unprivileged->expiry_ns = next;
}

/* A place for one more; NULL if there is none. */
static struct connection *find_free(struct unprivileged *unprivileged)
{
    connection_expire(unprivileged, clock_monotonic_ns());
    for (uint32_t i = 0; i < unprivileged->connection_cap; i++) {
        if (unprivileged->connections[i].fd < 0)
            return &unprivileged->connections[i];
    }
    return NULL;
}

static int set_header4(int fd, const struct sonde_tx *tx)
{
    int r = socket_set(fd, IPPROTO_IP, IP_TTL, tx->ttl);
    if (r == 0)
        r = socket_set(fd, IPPROTO_IP, IP_TOS, tx->tos);
    if (r == 0)
        r = socket_set(fd, IPPROTO_IP, IP_RECVERR, 1);
    (void)socket_set(fd, IPPROTO_IP, IP_RECVERR_RFC4884, 1);
    (void)socket_set(fd, IPPROTO_IP, IP_RECVTTL, 1);
    return r;
}

static int set_header6(int fd, const struct sonde_tx *tx)
{
    int r = socket_set(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, tx->ttl);
    if (r == 0)
        r = socket_set(fd, IPPROTO_IPV6, IPV6_TCLASS, tx->tos);
    if (r == 0)
        r = socket_set(fd, IPPROTO_IPV6, IPV6_RECVERR, 1);
    (void)socket_set(fd, IPPROTO_IPV6, IPV6_RECVERR_RFC4884, 1);
    (void)socket_set(fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1);
    (void)socket_set(fd, IPPROTO_IPV6, IPV6_FLOWINFO_SEND, 1);
    return r;
}

static int bind_source(int fd, const struct sonde_flow *flow)
{
    struct sockaddr_storage storage;
    socklen_t len = to_sockaddr(&flow->src, 0, &storage);
    (void)socket_set(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
    return bind(fd, (struct sockaddr *)&storage, len) < 0 ? -errno : 0;
}

/* Let no router divide the SYN. IP_PMTUDISC_PROBE would do that for datagrams alone:
 * include/net/ip.h, ip_dont_fragment(). No path takes less than a SYN has. */
static int set_undivided(int fd)
{
    return socket_set(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO);
}

/* Make a socket ready to connect. */
static int prepare(const struct unprivileged *unprivileged, int fd, const struct sonde_tx *tx)
{
    const struct linger reset = {.l_onoff = 1, .l_linger = 0};
    bool ipv6 = tx->flow->dst.family == SONDE_FAMILY_IPV6;
    int r = unprivileged_prepare(unprivileged, fd, tx->flow->dst.family);
    if (r == 0 && tx->dont_fragment && !ipv6)
        r = set_undivided(fd);
    if (r == 0)
        r = ipv6 ? set_header6(fd, tx) : set_header4(fd, tx);
    if (r == 0 && setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset) < 0)
        r = -errno;
    if (r == 0)
        r = socket_set(fd, IPPROTO_TCP, TCP_QUICKACK, 0);
    (void)socket_set(fd, SOL_SOCKET, SO_TIMESTAMPING,
                     SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE);
    if (r == 0 && unprivileged->source_chosen[family_index(tx->flow->dst.family)])
        r = bind_source(fd, tx->flow);
    return r;
}

/* What connect() does not tell of a SYN. @return 0; -ENOBUFS: a queue of this machine has dropped
 * it, so that TCP slows down (net/ipv4/tcp_output.c, __tcp_transmit_skb()); -EAGAIN: it went to the
 * very port that it came from, and met itself. */
static int check_left(int fd, const struct sonde_flow *flow)
{
    struct tcp_info info = {0};
    socklen_t len = sizeof info;
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0 && info.tcpi_ca_state == TCP_CA_CWR)
        return -ENOBUFS;
    struct sockaddr_storage storage = {0};
    struct sonde_addr local;
    uint16_t port;
    len = sizeof storage;
    if (getsockname(fd, (struct sockaddr *)&storage, &len) < 0)
        return -errno;
    from_sockaddr(&storage, &local, &port);
    return port == flow->dst_port && sonde_addr_equal(&local, &flow->dst) ? -EAGAIN : 0;
}

/* Open a socket and let it connect. @param ret_fd  Also set on failure, -1 = none. */
static int start(const struct unprivileged *unprivileged, const struct sonde_tx *tx, int *ret_fd,
                 sonde_ns *ret_from_ns)
{
    struct sockaddr_storage to;
    socklen_t len = to_sockaddr_flow(&tx->flow->dst, tx->flow->dst_port, tx->flow_label, &to);
    int domain = tx->flow->dst.family == SONDE_FAMILY_IPV6 ? AF_INET6 : AF_INET;
    *ret_from_ns = clock_monotonic_ns();
    *ret_fd = socket(domain, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP);
    if (*ret_fd < 0)
        return -errno;
    int r = prepare(unprivileged, *ret_fd, tx);
    if (r < 0)
        return r;
    *ret_from_ns = clock_monotonic_ns();
    if (connect(*ret_fd, (struct sockaddr *)&to, len) < 0 && errno != EINPROGRESS &&
        errno != ECONNREFUSED)
        return -errno;
    return check_left(*ret_fd, tx->flow);
}

/* A SYN that cannot be tried. */
static struct sonde_sent not_sent(int error)
{
    return (struct sonde_sent){.stamp = {clock_monotonic_ns(), SONDE_CLOCK_USER}, .error = error};
}

struct sonde_sent connection_send(struct unprivileged *unprivileged, const struct sonde_tx *tx)
{
    if ((tx->tos & IP_ECN_MASK) != 0)
        return not_sent(-EOPNOTSUPP);
    struct connection *connection = find_free(unprivileged);
    if (connection == NULL || tx->segment.len > sizeof connection->syn)
        return not_sent(connection == NULL ? -EAGAIN : -EMSGSIZE);
    const struct connection_counts before = connection_count(unprivileged, tx->flow);
    int fd;
    struct sonde_sent sent = {.stamp = {.clock = SONDE_CLOCK_USER}};
    sent.error = start(unprivileged, tx, &fd, &sent.stamp.time_ns);
    if (sent.error == 0)
        sent.error = unprivileged_watch(unprivileged, fd, EPOLLIN | EPOLLOUT, WATCH_CONNECTION,
                                        (uint32_t)(connection - unprivileged->connections));
    if (sent.error < 0) {
        socket_close(fd);
        bool too_many =
            sent.error == -EMFILE || sent.error == -ENFILE || sent.error == -EADDRNOTAVAIL;
        if (too_many && unprivileged->connection_open > 0)
            sent.error = -EAGAIN; /* when one of ours is closed, its port is free, too */
        return sent;
    }
    connection->fd = fd;
    connection->flow = *tx->flow;
    connection->token = tx->token;
    connection->sent_ns = sent.stamp.time_ns;
    connection->syn_len = tx->segment.len;
    memcpy(connection->syn, tx->segment.data, tx->segment.len);
    unprivileged->connection_open++;
    unprivileged->expiry_ns =
        ns_min(unprivileged->expiry_ns, ns_add(connection->sent_ns, SILENCE_MAX_NS));
    sent.error = connection_read_at_once(unprivileged, connection, &before);
    return sent;
}
