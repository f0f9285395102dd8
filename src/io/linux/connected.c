/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What comes of a SYN that connect() has sent; see io/linux/connect.c. It is told as a raw socket
 * would tell it.
 */
#include "base/time.h"
#include "io/clock.h"
#include "io/linux/unprivileged_internal.h"
#include "io/linux/way.h"
#include "wire/tcp.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>

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

/* Does this machine speak of a probe that went to another? */
static bool is_own_word(const struct connection *connection, const struct sonde_rx *rx)
{
    return rx->kind == SONDE_RX_ERROR && sonde_addr_equal(&rx->from, &connection->flow.src) &&
           !sonde_addr_equal(&connection->flow.src, &connection->flow.dst);
}

/* What has become of a connection. */
enum fate {
    FATE_NONE,   /* nothing yet */
    FATE_LOST,   /* it is over, and nobody knows why */
    FATE_ERROR,  /* an arrival tells of an ICMP error */
    FATE_RESET,  /* or of a RST */
    FATE_ANSWER, /* or of a SYN-ACK */
};

/* Look at a connection. @param arrival  Receives what tells of its fate. */
static enum fate find_fate(struct unprivileged *unprivileged, const struct connection *connection,
                           struct arrival *arrival)
{
    /* looked at before the error queue is: an error that closed it is in there by now */
    const struct standing standing = look_at(connection);
    if (standing.info.tcpi_total_retrans > 0)
        return FATE_LOST; /* this process was held up, and which SYN an answer is to is not known */
    if (read_error(unprivileged, connection, arrival))
        return FATE_ERROR;
    if (read_answer(connection, &standing, arrival))
        return standing.error == ECONNREFUSED ? FATE_RESET : FATE_ANSWER;
    return standing.info.tcpi_state == TCP_CLOSE ? FATE_LOST : FATE_NONE;
}

/* Hand on what tells of a connection's fate, and close it. */
static void end(struct unprivileged *unprivileged, struct connection *connection, enum fate fate,
                struct arrival *arrival)
{
    if (fate == FATE_NONE)
        return;
    if (fate != FATE_LOST) {
        arrival->rx.attributed = true;
        arrival->rx.token = connection->token;
        arrivals_add(&unprivileged->arrivals);
    }
    connection_close(unprivileged, connection);
}

void connection_read(struct unprivileged *unprivileged, struct connection *connection)
{
    struct arrival *arrival = arrivals_spare(&unprivileged->arrivals);
    if (arrival == NULL || connection->fd < 0)
        return;
    enum fate fate = find_fate(unprivileged, connection, arrival);
    end(unprivileged, connection, fate, arrival);
}

struct connection_counts connection_count(const struct unprivileged *unprivileged,
                                          const struct sonde_flow *flow)
{
    struct connection_counts counts = {.known = false};
    struct way way;
    struct way_counts link;
    struct way_counts loop;
    if (!unprivileged->counting || way_find(flow, unprivileged->interface, &way) < 0 ||
        way_count(way.interface, &link) < 0 || way_count(WAY_LOOPBACK, &loop) < 0)
        return counts;
    return (struct connection_counts){
        .known = true,
        .is_here = way.is_here,
        .interface = way.interface,
        .sent = link.sent,
        .looped = loop.received,
    };
}

/*
 * Who has reset a connection before connect() has returned: a host close by, a firewall on the way,
 * or this machine's own firewall? The RST of the last comes in by the loopback interface
 * (net/ipv4/netfilter/nf_reject_ipv4.c, nf_send_reset()), and the SYN has not left by the other. If
 * packets of others have gone through both meanwhile, it cannot be told.
 * @return 0: somebody else; -EPERM; -EAGAIN.
 */
static int judge_reset(struct unprivileged *unprivileged, const struct sonde_flow *flow,
                       const struct connection_counts *before)
{
    struct way_counts link;
    struct way_counts loop;
    if (sonde_addr_equal(&flow->src, &flow->dst))
        return 0; /* it is the target itself, here */
    if (!unprivileged->counting) {
        unprivileged->counting = true;
        return -EAGAIN;
    }
    if (!before->known || before->is_here || way_count(before->interface, &link) < 0 ||
        way_count(WAY_LOOPBACK, &loop) < 0 || loop.received == before->looped)
        return 0;
    return link.sent == before->sent ? -EPERM : -EAGAIN;
}

int connection_read_at_once(struct unprivileged *unprivileged, struct connection *connection,
                            const struct connection_counts *before)
{
    struct arrival *arrival = arrivals_spare(&unprivileged->arrivals);
    if (arrival == NULL)
        return 0;
    enum fate fate = find_fate(unprivileged, connection, arrival);
    int r = 0;
    if (fate == FATE_ERROR && is_own_word(connection, &arrival->rx))
        r = -EPERM;
    else if (fate == FATE_RESET)
        r = judge_reset(unprivileged, &connection->flow, before);
    if (r == 0)
        end(unprivileged, connection, fate, arrival);
    else
        connection_close(unprivileged, connection);
    return r;
}
