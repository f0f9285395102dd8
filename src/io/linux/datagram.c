/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Datagram sockets: UDP, and ICMP echo. udp(7), icmp(7), net/ipv4/ping.c.
 *
 * TTL, type of service and flow label go along with each packet. An ICMP error that waits in the
 * error queue makes the next send fail with the error's own number (net/core/sock.c, sock_error()),
 * so the queue is read before each probe, and the probe tried again if one came in meanwhile.
 */
#include "base/time.h"
#include "io/clock.h"
#include "io/linux/unprivileged_internal.h"
#include "wire/icmp.h"
#include "wire/udp.h"

#include <assert.h>
#include <errno.h>
#include <linux/net_tstamp.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum {
    TRIES = 4,        /* of a probe, while errors come in */
    READS_MAX = 1024, /* in one go, so that a flood cannot keep us here */
};

/* --- opening */

static bool is_icmp6(const struct datagram *datagram)
{
    return datagram->family == SONDE_FAMILY_IPV6 && datagram->protocol == IP_PROTO_ICMP;
}

static int ask_for_errors(const struct datagram *datagram)
{
    int fd = datagram->fd;
    int r = 0;
    if (datagram->family == SONDE_FAMILY_IPV6) {
        r = socket_set(fd, IPPROTO_IPV6, IPV6_RECVERR, 1);
        (void)socket_set(fd, IPPROTO_IPV6, IPV6_RECVERR_RFC4884, 1);
        (void)socket_set(fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1);
        (void)socket_set(fd, IPPROTO_IPV6, IPV6_FLOWINFO_SEND, 1);
    } else {
        r = socket_set(fd, IPPROTO_IP, IP_RECVERR, 1);
        (void)socket_set(fd, IPPROTO_IP, IP_RECVERR_RFC4884, 1);
        (void)socket_set(fd, IPPROTO_IP, IP_RECVTTL, 1);
    }
    /* cut to net.core.rmem_max */
    (void)socket_set(fd, SOL_SOCKET, SO_RCVBUF, RECEIVE_BUFFER_BYTES);
    /* without kernel stamps a packet is stamped by us, and says so */
    (void)socket_set(fd, SOL_SOCKET, SO_TIMESTAMPING,
                     SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_TX_SCHED |
                         SOF_TIMESTAMPING_SOFTWARE | SOF_TIMESTAMPING_OPT_ID |
                         SOF_TIMESTAMPING_OPT_TSONLY);
    return r;
}

/* bind(), to what nobody else has: ICMP sockets may share an identifier (net/ipv4/ping.c,
 * ping_get_port()), but then only one of them gets the answers. */
static int bind_alone(const struct datagram *datagram, struct sockaddr_storage *storage,
                      socklen_t len)
{
    (void)socket_set(datagram->fd, SOL_SOCKET, SO_REUSEADDR, 0);
    if (bind(datagram->fd, (struct sockaddr *)storage, len) == 0)
        return 0;
    if (errno != EADDRINUSE || datagram->protocol != IP_PROTO_ICMP)
        return -errno;
    struct sonde_addr local;
    uint16_t port;
    from_sockaddr(storage, &local, &port);
    len = to_sockaddr(&local, 0, storage); /* then any identifier that is free */
    return bind(datagram->fd, (struct sockaddr *)storage, len) < 0 ? -errno : 0;
}

/* Bind to a port of every address, or to an echo identifier. An ICMPv6 socket takes no source
 * address along with a packet (net/ipv6/ping.c), so one that was chosen is bound to here. */
static int bind_port(const struct unprivileged *unprivileged, const struct sonde_flow *flow,
                     struct datagram *datagram)
{
    struct sockaddr_storage storage;
    struct sonde_addr local = {.family = (uint8_t)datagram->family};
    if (is_icmp6(datagram) && unprivileged->source_chosen[family_index(datagram->family)])
        local = flow->src;
    socklen_t len = to_sockaddr(&local, datagram->wanted, &storage);
    if (datagram->family == SONDE_FAMILY_IPV6 && !is_icmp6(datagram)) {
        int r = socket_set(datagram->fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
        if (r < 0)
            return r;
    }
    int r = bind_alone(datagram, &storage, len);
    if (r < 0)
        return r;
    len = sizeof storage;
    if (getsockname(datagram->fd, (struct sockaddr *)&storage, &len) < 0)
        return -errno;
    from_sockaddr(&storage, &local, &datagram->port);
    return 0;
}

static int open_datagram(struct unprivileged *unprivileged, const struct sonde_flow *flow,
                         struct datagram *datagram)
{
    int domain = datagram->family == SONDE_FAMILY_IPV6 ? AF_INET6 : AF_INET;
    int protocol = is_icmp6(datagram) ? IP_PROTO_ICMPV6 : datagram->protocol;
    datagram->fd = socket(domain, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
    if (datagram->fd < 0)
        return errno == EACCES ? -EPERM : -errno; /* ping_group_range: icmp(7) */
    int r = unprivileged_prepare(unprivileged, datagram->fd, datagram->family);
    if (r == 0)
        r = ask_for_errors(datagram);
    if (r == 0)
        r = bind_port(unprivileged, flow, datagram);
    if (r == 0)
        r = unprivileged_watch(unprivileged, datagram->fd, EPOLLIN, WATCH_DATAGRAM,
                               unprivileged->datagram_count);
    if (r < 0)
        (void)close(datagram->fd);
    return r;
}

static bool is_of_kind(const struct datagram *datagram, const struct sonde_flow *flow)
{
    return datagram->family == (enum sonde_family)flow->dst.family &&
           datagram->protocol == flow->protocol;
}

/* The socket that was opened for a flow like this one; NULL if none was. */
static const struct datagram *find_like(const struct unprivileged *unprivileged,
                                        const struct sonde_flow *flow, uint32_t nth)
{
    for (uint32_t i = 0; i < unprivileged->datagram_count; i++) {
        const struct datagram *datagram = &unprivileged->datagrams[i];
        bool same = flow->protocol == IP_PROTO_ICMP ? datagram->wanted == flow->src_port
                                                    : datagram->nth == nth;
        if (same && is_of_kind(datagram, flow))
            return datagram;
    }
    return NULL;
}

/* The socket of a flow that was bound. */
static struct datagram *datagram_of(struct unprivileged *unprivileged,
                                    const struct sonde_flow *flow)
{
    uint32_t i = 0;
    while (i < unprivileged->datagram_count && (unprivileged->datagrams[i].port != flow->src_port ||
                                                !is_of_kind(&unprivileged->datagrams[i], flow)))
        i++;
    return i < unprivileged->datagram_count ? &unprivileged->datagrams[i] : NULL;
}

int datagram_bind(struct unprivileged *unprivileged, struct sonde_flow *flow, uint32_t nth)
{
    const struct datagram *found = find_like(unprivileged, flow, nth);
    if (found != NULL) {
        flow->src_port = found->port;
        return 0;
    }
    bool is_icmp = flow->protocol == IP_PROTO_ICMP;
    if (unprivileged->datagram_count == DATAGRAMS_MAX ||
        (!is_icmp && nth > 0 && flow->src_port != 0))
        return -EADDRINUSE;
    struct datagram *datagram = &unprivileged->datagrams[unprivileged->datagram_count];
    *datagram = (struct datagram){
        .family = flow->dst.family,
        .protocol = flow->protocol,
        .wanted = flow->src_port,
        .nth = nth,
        .data_drained_ns = clock_monotonic_ns(),
        .error_drained_ns = clock_monotonic_ns(),
    };
    int r = open_datagram(unprivileged, flow, datagram);
    if (r < 0)
        return r;
    flow->src_port = datagram->port;
    unprivileged->datagram_count++;
    return 0;
}

/* --- reading */

/* A message to be read, with room for what comes beside it. */
struct reading {
    struct sockaddr_storage name;
    struct iovec iov;
    _Alignas(struct cmsghdr) char control[2 * CONTROL_BYTES];
    struct msghdr message;
};

static ssize_t read_message(int fd, int flags, struct arrival *arrival, struct reading *reading)
{
    reading->iov = (struct iovec){arrival->buffer + ERRQUEUE_HEADROOM, PACKET_MAX};
    reading->message = (struct msghdr){
        .msg_name = &reading->name,
        .msg_namelen = sizeof reading->name,
        .msg_iov = &reading->iov,
        .msg_iovlen = 1,
        .msg_control = reading->control,
        .msg_controllen = sizeof reading->control,
    };
    memset(&reading->name, 0, sizeof reading->name);
    return recvmsg(fd, &reading->message, flags | MSG_DONTWAIT);
}

static int decode_data(const struct datagram *datagram, const struct reading *reading, size_t len,
                       struct arrival *arrival)
{
    uint8_t *data = arrival->buffer + ERRQUEUE_HEADROOM;
    struct ip_header ip = {
        .protocol = is_icmp6(datagram) ? IP_PROTO_ICMPV6 : datagram->protocol,
        .payload = {data, len},
    };
    uint16_t port;
    from_sockaddr(&reading->name, &ip.src, &port);
    if (datagram->protocol == IP_PROTO_UDP) {
        struct wr wr = wr_init(data - UDP_HEADER_BYTES, UDP_HEADER_BYTES);
        udp_encode(&wr, port, datagram->port, len);
        ip.payload = (struct sonde_span){data - UDP_HEADER_BYTES, len + UDP_HEADER_BYTES};
    }
    return packet_decode_payload(&ip, &arrival->rx);
}

/* Does this machine itself speak while a probe to another is sent? Then it is its firewall, of
 * which an ICMPv6 socket is not told otherwise: net/ipv6/ping.c, ping_v6_sendmsg(). */
static bool is_refusal(const struct sonde_flow *sending, const struct errqueue_entry *entry)
{
    return sending != NULL && sonde_addr_equal(&entry->offender, &sending->src) &&
           !sonde_addr_equal(&sending->src, &sending->dst);
}

static int decode_error(struct datagram *datagram, struct reading *reading, size_t len,
                        struct arrival *arrival)
{
    struct errqueue_entry entry;
    struct errqueue_about about = {.protocol = datagram->protocol, .local_port = datagram->port};
    if (!errqueue_find(&reading->message, &entry))
        return SONDE_DISCARD_MALFORMED;
    datagram->refused |= is_refusal(datagram->sending, &entry);
    from_sockaddr(&reading->name, &about.remote, &about.remote_port);
    if (datagram->protocol == IP_PROTO_ICMP)
        about.remote_port = 0;
    return errqueue_decode(&entry, &about, arrival->buffer + ERRQUEUE_HEADROOM, len, &arrival->rx);
}

static void note_stamp(struct datagram *datagram, const struct side *side)
{
    if (datagram->stamped && (int32_t)(side->sent_id - datagram->stamp_id) < 0)
        return;
    datagram->stamped = true;
    datagram->stamp_id = side->sent_id;
    datagram->stamp_wall_ns = side->wall_ns;
}

/* Read one message. @return 1; 0 if there is none, or no room; -1: an error was pending instead. */
static int read_one(struct unprivileged *unprivileged, struct datagram *datagram, bool errors)
{
    struct arrival *arrival = arrivals_spare(&unprivileged->arrivals);
    struct reading reading;
    struct side side;
    if (arrival == NULL)
        return 0;
    ssize_t len = read_message(datagram->fd, errors ? MSG_ERRQUEUE : 0, arrival, &reading);
    if (len < 0)
        return errno == EAGAIN ? 0 : -1;
    sonde_ns now = clock_monotonic_ns();
    side_read(&reading.message, &side);
    if (errors && side.mtu_bytes > 0)
        datagram->mtu_bytes = side.mtu_bytes;
    if (errors && side.is_sent) {
        note_stamp(datagram, &side);
        return 1;
    }
    arrival->result = errors ? decode_error(datagram, &reading, (size_t)len, arrival)
                             : decode_data(datagram, &reading, (size_t)len, arrival);
    if (errors && arrival->result == SONDE_DISCARD_NOT_A_RESULT)
        return 1; /* sending has failed, and has said so; or it is of a type that says nothing */
    wall_follow(&unprivileged->wall);
    arrival->rx.reply_ttl = side.hop_limit;
    sonde_ns drained = errors ? datagram->error_drained_ns : datagram->data_drained_ns;
    arrival->rx.stamp = stamp_of_arrival(&unprivileged->wall, drained, now, side.wall_ns);
    arrivals_add(&unprivileged->arrivals);
    return 1;
}

/* Read a queue until it is empty, or there is no room. */
static void read_queue(struct unprivileged *unprivileged, struct datagram *datagram, bool errors)
{
    sonde_ns looked = clock_monotonic_ns();
    int r = 1;
    for (int i = 0; i < READS_MAX && r != 0; i++) {
        looked = clock_monotonic_ns();
        r = read_one(unprivileged, datagram, errors);
    }
    bool empty = r == 0 && arrivals_spare(&unprivileged->arrivals) != NULL;
    if (empty && errors)
        datagram->error_drained_ns = looked;
    else if (empty)
        datagram->data_drained_ns = looked;
}

void datagram_read(struct unprivileged *unprivileged, struct datagram *datagram)
{
    losses_count(&datagram->losses, datagram->fd);
    read_queue(unprivileged, datagram, true);
    read_queue(unprivileged, datagram, false);
}

/* --- sending */

/* What the kernel is to write into the IP header of this packet. */
static void put_header(const struct sonde_tx *tx, bool source_chosen, struct msghdr *message)
{
    const int ttl = tx->ttl;
    const int tos = tx->tos;
    if (tx->flow->dst.family == SONDE_FAMILY_IPV6) {
        control_put(message, IPPROTO_IPV6, IPV6_HOPLIMIT, &ttl, sizeof ttl);
        control_put(message, IPPROTO_IPV6, IPV6_TCLASS, &tos, sizeof tos);
    } else {
        control_put(message, IPPROTO_IP, IP_TTL, &ttl, sizeof ttl);
        control_put(message, IPPROTO_IP, IP_TOS, &tos, sizeof tos);
    }
    if (source_chosen)
        control_put_source(message, &tx->flow->src);
}

/* May routers divide what is sent from now on? Over IPv6 they never may. ip(7), IP_MTU_DISCOVER: in
 * both modes the interface's MTU counts, and not the path's. */
static int let_divide(struct datagram *datagram, bool undivided)
{
    if (datagram->family == SONDE_FAMILY_IPV6 || datagram->undivided == undivided)
        return 0;
    int r = socket_set(datagram->fd, IPPROTO_IP, IP_MTU_DISCOVER,
                       undivided ? IP_PMTUDISC_PROBE : IP_PMTUDISC_INTERFACE);
    if (r == 0)
        datagram->undivided = undivided;
    return r;
}

/* Can an error of sending be one that came in about an earlier probe? */
static bool may_be_about_another(int error)
{
    return error != 0 && error != -EPERM && error != -ENOBUFS && error != -EAGAIN &&
           error != -ENOMEM && error != -EINVAL;
}

/* sendmsg(), with the errors out of its way. @param ret_from_ns  When it was tried. */
static int hand_over(struct unprivileged *unprivileged, struct datagram *datagram,
                     const struct msghdr *message, sonde_ns *ret_from_ns)
{
    int error = -EAGAIN;
    for (int i = 0; i < TRIES; i++) {
        read_queue(unprivileged, datagram, true);
        *ret_from_ns = clock_monotonic_ns();
        error = sendmsg(datagram->fd, message, MSG_DONTWAIT) < 0 ? -errno : 0;
        if (!may_be_about_another(error))
            break;
    }
    return error == -EINTR ? -EAGAIN : error;
}

struct sonde_sent datagram_send(struct unprivileged *unprivileged, const struct sonde_tx *tx)
{
    struct datagram *datagram = datagram_of(unprivileged, tx->flow);
    bool is_udp = tx->flow->protocol == IP_PROTO_UDP;
    struct sonde_span bytes = tx->segment;
    if (is_udp) /* its header is the kernel's */
        bytes = span_sub(bytes, tx->header_len, bytes.len);
    assert(datagram != NULL); /* it was bound */
    struct sockaddr_storage to;
    _Alignas(struct cmsghdr) char control[CONTROL_BYTES];
    struct iovec iov = {.iov_len = bytes.len};
    memcpy(&iov.iov_base, &bytes.data, sizeof iov.iov_base); /* an iovec knows no const */
    struct msghdr message = {
        .msg_name = &to,
        .msg_namelen = to_sockaddr_flow(&tx->flow->dst, tx->flow->dst_port, tx->flow_label, &to),
        .msg_iov = &iov,
        .msg_iovlen = 1,
        .msg_control = control,
    };
    put_header(tx, unprivileged->source_chosen[family_index(tx->flow->dst.family)], &message);
    struct sonde_sent sent = {.stamp = {.clock = SONDE_CLOCK_USER}};
    sent.error = let_divide(datagram, tx->dont_fragment);
    if (sent.error == 0)
        sent.error = hand_over(unprivileged, datagram, &message, &sent.stamp.time_ns);
    sonde_ns from = sent.stamp.time_ns;
    sonde_ns until = clock_monotonic_ns();
    bool had = datagram->stamped;
    uint32_t last = datagram->stamp_id;
    datagram->sending = tx->flow;
    datagram->refused = false;
    read_queue(unprivileged, datagram, true);
    datagram->sending = NULL;
    if (sent.error == 0 && datagram->refused)
        sent.error = -EPERM;
    if (sent.error == -EMSGSIZE)
        sent.mtu_bytes = datagram->mtu_bytes;
    if (sent.error == 0 && datagram->stamped && (!had || datagram->stamp_id != last)) {
        wall_follow(&unprivileged->wall);
        sent.stamp = stamp_of(&unprivileged->wall, from, until, datagram->stamp_wall_ns, from);
    }
    return sent;
}
