/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SYNs by connect(): one socket for each probe. tcp(7); the kernel's net/ipv4/tcp_input.c,
 * tcp_ipv4.c.
 *
 * Two connections cannot have the same addresses and ports, so each SYN has a source port of its
 * own. What comes of it:
 *
 *   SYN-ACK     the connection is established; the kernel has timed the round trip
 *   RST         refused, with nothing in the error queue
 *   ICMP error  in the error queue
 *   silence     the kernel would send the SYN again after a second: the socket is closed before,
 *               and an answer that takes longer is missed
 *
 * The ACK that would complete the handshake is delayed (TCP_QUICKACK off), and then the connection
 * is reset, so that the program behind the port never sees it, as it never sees a raw SYN.
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

static void close_connection(struct unprivileged *unprivileged, struct connection *connection)
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
            close_connection(unprivileged, connection);
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

/* --- sending */

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

/* Make a socket ready to connect. */
static int prepare(const struct unprivileged *unprivileged, int fd, const struct sonde_tx *tx)
{
    const struct linger reset = {.l_onoff = 1, .l_linger = 0};
    bool ipv6 = tx->flow->dst.family == SONDE_FAMILY_IPV6;
    int r = unprivileged_prepare(unprivileged, fd, tx->flow->dst.family);
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

struct sonde_sent connection_send(struct unprivileged *unprivileged, const struct sonde_tx *tx)
{
    struct connection *connection = find_free(unprivileged);
    if (connection == NULL || tx->segment.len > sizeof connection->syn)
        return (struct sonde_sent){.stamp = {clock_monotonic_ns(), SONDE_CLOCK_USER},
                                   .error = connection == NULL ? -EAGAIN : -EMSGSIZE};
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
    return sent;
}

/* --- reading */

/* The quote is of the SYN that the kernel wrote; the engine knows its own. */
static void quote_own(const struct connection *connection, struct arrival *arrival)
{
    uint8_t *bytes = arrival->buffer + ERRQUEUE_HEADROOM;
    size_t quoted = arrival->rx.quote.segment.len;
    size_t len = quoted < connection->syn_len ? quoted : connection->syn_len;
    memcpy(bytes, connection->syn, len);
    arrival->rx.quote.segment = (struct sonde_span){bytes, len};
}

/* Read an ICMP error, if one is there. */
static bool read_error(struct unprivileged *unprivileged, const struct connection *connection,
                       struct arrival *arrival)
{
    struct errqueue_entry entry;
    struct side side;
    const struct errqueue_about about = {
        .protocol = IP_PROTO_TCP,
        .remote = connection->flow.dst,
        .local_port = connection->flow.src_port,
        .remote_port = connection->flow.dst_port,
    };
    uint8_t *bytes = arrival->buffer + ERRQUEUE_HEADROOM;
    _Alignas(struct cmsghdr) char control[2 * CONTROL_BYTES];
    struct iovec iov = {bytes, PACKET_MAX};
    struct msghdr message = {
        .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    ssize_t len = recvmsg(connection->fd, &message, MSG_ERRQUEUE | MSG_DONTWAIT);
    sonde_ns now = clock_monotonic_ns();
    if (len < 0 || !errqueue_find(&message, &entry) ||
        errqueue_decode(&entry, &about, bytes, (size_t)len, &arrival->rx) != 0)
        return false;
    side_read(&message, &side);
    wall_follow(&unprivileged->wall);
    arrival->rx.stamp = stamp_of(&unprivileged->wall, connection->sent_ns, now, side.wall_ns, now);
    arrival->rx.reply_ttl = side.hop_limit;
    quote_own(connection, arrival);
    return true;
}

/* Write the answer as the engine would see it from a raw socket. Its sequence number, by which
 * repeated SYN-ACKs are known, is the token's: each connection has a SYN-ACK of its own. */
static void write_answer(const struct connection *connection, uint8_t flags,
                         struct arrival *arrival)
{
    struct tcp_header syn = {0};
    const struct sonde_span sent = {connection->syn, connection->syn_len};
    struct wr wr = wr_init(arrival->buffer, sizeof arrival->buffer);
    arrival->result = tcp_decode(sent, &syn) < 0 ? SONDE_DISCARD_MALFORMED : 0;
    const struct tcp_header answer = {
        .src_port = connection->flow.dst_port,
        .dst_port = connection->flow.src_port,
        .seq = connection->token,
        .ack = syn.seq + 1,
        .flags = flags | TCP_ACK,
        .options = {.window_scale = -1},
    };
    tcp_encode(&wr, &answer);
    arrival->rx.kind = SONDE_RX_ANSWER;
    arrival->rx.from = arrival->rx.remote = connection->flow.dst;
    arrival->rx.reply_ttl = -1;
    arrival->rx.protocol = IP_PROTO_TCP;
    arrival->rx.local_port = connection->flow.src_port;
    arrival->rx.remote_port = connection->flow.dst_port;
    arrival->rx.segment = (struct sonde_span){wr.data, wr.len};
    arrival->rx.ext.count = 0;
}

/* How the kernel sees a connection. */
struct standing {
    struct tcp_info info;
    int error;
};

static struct standing look_at(const struct connection *connection)
{
    struct standing standing = {.info.tcpi_state = TCP_SYN_SENT};
    socklen_t len = sizeof standing.info;
    (void)getsockopt(connection->fd, IPPROTO_TCP, TCP_INFO, &standing.info, &len);
    len = sizeof standing.error;
    (void)getsockopt(connection->fd, SOL_SOCKET, SO_ERROR, &standing.error, &len);
    return standing;
}

/* Was the connection answered by the target itself? */
static bool read_answer(const struct connection *connection, const struct standing *standing,
                        struct arrival *arrival)
{
    sonde_ns now = clock_monotonic_ns();
    unsigned state = standing->info.tcpi_state;
    bool is_reset = state == TCP_CLOSE && standing->error == ECONNREFUSED;
    bool was_open =
        state == TCP_CLOSE && (standing->error == ECONNRESET || standing->error == EPIPE);
    bool is_open = state != TCP_SYN_SENT && state != TCP_SYN_RECV && state != TCP_CLOSE;
    if (!is_reset && !was_open && !is_open)
        return false;
    sonde_ns answered = ns_add(connection->sent_ns, standing->info.tcpi_rtt * SONDE_NS_PER_US);
    arrival->rx.stamp = (struct sonde_stamp){now, SONDE_CLOCK_USER};
    if (standing->info.tcpi_rtt > 0 && answered <= now) /* the kernel has timed a SYN-ACK */
        arrival->rx.stamp = (struct sonde_stamp){answered, SONDE_CLOCK_KERNEL};
    write_answer(connection, is_reset ? TCP_RST : TCP_SYN, arrival);
    return true;
}

void connection_read(struct unprivileged *unprivileged, struct connection *connection)
{
    struct arrival *arrival = arrivals_spare(&unprivileged->arrivals);
    if (arrival == NULL || connection->fd < 0)
        return;
    /* looked at before the error queue is: an error that closed it is in there by now */
    const struct standing standing = look_at(connection);
    /* this process was held up, and nobody knows any more which SYN an answer is to */
    bool was_repeated = standing.info.tcpi_total_retrans > 0;
    bool is_told = !was_repeated && (read_error(unprivileged, connection, arrival) ||
                                     read_answer(connection, &standing, arrival));
    if (is_told) {
        arrival->rx.attributed = true;
        arrival->rx.token = connection->token;
        arrivals_add(&unprivileged->arrivals);
    }
    if (is_told || was_repeated || standing.info.tcpi_state == TCP_CLOSE)
        close_connection(unprivileged, connection);
}
