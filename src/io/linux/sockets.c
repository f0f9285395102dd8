/* SPDX-License-Identifier: BSD-2-Clause */
/* The sockets of the raw transport: how each kind is opened. raw(7), ipv6(7), socket(7). */
#include "io/linux/internal.h"

#include <errno.h>
#include <linux/net_tstamp.h>
#include <string.h>
#include <unistd.h>

enum { DISCARD_PORT = 9 }; /* RFC 863; where connect() asks about protocols without ports */

socklen_t to_sockaddr(const struct sonde_addr *addr, uint16_t port,
                      struct sockaddr_storage *storage)
{
    memset(storage, 0, sizeof *storage);
    if (addr->family == SONDE_FAMILY_IPV6) {
        struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
        memcpy(&in6.sin6_addr, addr->bytes, sizeof in6.sin6_addr);
        in6.sin6_scope_id = addr->scope;
        memcpy(storage, &in6, sizeof in6);
        return sizeof in6;
    }
    struct sockaddr_in in4 = {.sin_family = AF_INET, .sin_port = htons(port)};
    memcpy(&in4.sin_addr, addr->bytes, sizeof in4.sin_addr);
    memcpy(storage, &in4, sizeof in4);
    return sizeof in4;
}

void from_sockaddr(const struct sockaddr_storage *storage, struct sonde_addr *ret_addr,
                   uint16_t *ret_port)
{
    struct sonde_addr addr = {0};
    if (storage->ss_family == AF_INET6) {
        struct sockaddr_in6 in6;
        memcpy(&in6, storage, sizeof in6);
        addr.family = SONDE_FAMILY_IPV6;
        addr.scope = in6.sin6_scope_id;
        memcpy(addr.bytes, &in6.sin6_addr, sizeof in6.sin6_addr);
        *ret_port = ntohs(in6.sin6_port);
    } else {
        struct sockaddr_in in4;
        memcpy(&in4, storage, sizeof in4);
        addr.family = SONDE_FAMILY_IPV4;
        memcpy(addr.bytes, &in4.sin_addr, sizeof in4.sin_addr);
        *ret_port = ntohs(in4.sin_port);
    }
    *ret_addr = addr;
}

bool protocol_has_ports(uint8_t protocol)
{
    return protocol != IP_PROTO_ICMP;
}

static int domain_of(enum sonde_family family)
{
    return family == SONDE_FAMILY_IPV6 ? AF_INET6 : AF_INET;
}

static int open_socket(enum sonde_family family, int type, int protocol, int *ret_fd)
{
    int fd = socket(domain_of(family), type | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
    if (fd < 0) /* a security module says EACCES where a missing capability is EPERM */
        return errno == EACCES ? -EPERM : -errno;
    *ret_fd = fd;
    return 0;
}

int socket_set(int fd, int level, int name, int value)
{
    return setsockopt(fd, level, name, &value, sizeof value) < 0 ? -errno : 0;
}

void control_put(struct msghdr *message, int level, int type, const void *data, size_t len)
{
    void *at = (char *)message->msg_control + message->msg_controllen;
    struct cmsghdr *control = at; /* lengths are multiples of its alignment: cmsg(3), CMSG_SPACE */
    *control = (struct cmsghdr){.cmsg_len = CMSG_LEN(len), .cmsg_level = level, .cmsg_type = type};
    memcpy(CMSG_DATA(control), data, len);
    message->msg_controllen += CMSG_SPACE(len);
}

void control_put_source(struct msghdr *message, const struct sonde_addr *src)
{
    if (src->family == SONDE_FAMILY_IPV6) {
        struct in6_pktinfo from = {.ipi6_ifindex = src->scope};
        memcpy(&from.ipi6_addr, src->bytes, sizeof from.ipi6_addr);
        control_put(message, IPPROTO_IPV6, IPV6_PKTINFO, &from, sizeof from);
    } else {
        struct in_pktinfo from = {.ipi_ifindex = 0};
        memcpy(&from.ipi_spec_dst, src->bytes, sizeof from.ipi_spec_dst);
        control_put(message, IPPROTO_IP, IP_PKTINFO, &from, sizeof from);
    }
}

void socket_close(int fd)
{
    if (fd >= 0)
        (void)close(fd);
}

/* What came in between opening and shutting the filter is not ours. */
static void drain(int fd)
{
    char byte;
    while (recv(fd, &byte, sizeof byte, MSG_DONTWAIT | MSG_TRUNC) >= 0)
        ;
}

static int prepare_receiver(int fd, enum sonde_family family)
{
    int r = filter_shut(fd);
    if (r < 0)
        return r;
    drain(fd);
    /* the forced one takes CAP_NET_ADMIN; the other is cut to net.core.rmem_max */
    if (socket_set(fd, SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER_BYTES) < 0)
        (void)socket_set(fd, SOL_SOCKET, SO_RCVBUF, RECEIVE_BUFFER_BYTES);
    /* without kernel stamps the arrival is stamped when it is read, and says so */
    (void)socket_set(fd, SOL_SOCKET, SO_TIMESTAMPING,
                     SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE);
    return family == SONDE_FAMILY_IPV6 ? socket_set(fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1) : 0;
}

int socket_receiver(enum sonde_family family, uint8_t protocol, int *ret_fd)
{
    bool icmp6 = family == SONDE_FAMILY_IPV6 && protocol == IP_PROTO_ICMP;
    int fd = -1;
    int r = open_socket(family, SOCK_RAW, icmp6 ? IP_PROTO_ICMPV6 : protocol, &fd);
    if (r < 0)
        return r;
    r = prepare_receiver(fd, family);
    if (r < 0)
        (void)close(fd);
    else
        *ret_fd = fd;
    return r;
}

/* What decides the way of outgoing packets. */
static int set_way(int fd, const struct linux_config *config)
{
    int r = 0;
    if (config->interface != NULL && setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, config->interface,
                                                (socklen_t)strlen(config->interface)) < 0)
        r = -errno;
    if (r == 0 && config->mark != 0 &&
        setsockopt(fd, SOL_SOCKET, SO_MARK, &config->mark, sizeof config->mark) < 0)
        r = errno == EPERM ? -EOPNOTSUPP : -errno;
    return r;
}

int socket_sender(enum sonde_family family, const struct linux_config *config,
                  struct sender *ret_sender)
{
    int fd = -1;
    int r = open_socket(family, SOCK_RAW, IPPROTO_RAW, &fd); /* header included, nothing received */
    if (r < 0)
        return r;
    r = filter_shut(fd);
    if (r == 0)
        r = set_way(fd, config);
    /* What a router has said of the path's MTU keeps no probe back: net/ipv4/ip_output.c,
     * ip_finish_output(); net/ipv6/ip6_output.c, ip6_finish_output(). Otherwise the kernel would
     * refuse it in the router's place, by a packet too big of its own. */
    if (r == 0)
        r = family == SONDE_FAMILY_IPV6
                ? socket_set(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_PROBE)
                : socket_set(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE);
    /* only with this does a raw socket tell of what a queue dropped: net/ipv4/raw.c,
     * raw_send_hdrinc(); net/ipv6/raw.c, rawv6_send_hdrinc() */
    if (r == 0)
        r = family == SONDE_FAMILY_IPV6 ? socket_set(fd, IPPROTO_IPV6, IPV6_RECVERR, 1)
                                        : socket_set(fd, IPPROTO_IP, IP_RECVERR, 1);
    if (r < 0) {
        (void)close(fd);
        return r;
    }
    /* without kernel stamps a probe leaves when it is handed over, and says so */
    *ret_sender = (struct sender){
        .fd = fd,
        .stamped = socket_set(fd, SOL_SOCKET, SO_TIMESTAMPING,
                              SOF_TIMESTAMPING_TX_SCHED | SOF_TIMESTAMPING_SOFTWARE |
                                  SOF_TIMESTAMPING_OPT_ID | SOF_TIMESTAMPING_OPT_TSONLY) == 0,
    };
    return 0;
}

int socket_router(enum sonde_family family, const struct linux_config *config, int *ret_fd)
{
    int fd = -1;
    int r = open_socket(family, SOCK_DGRAM, 0, &fd);
    if (r < 0)
        return r;
    r = set_way(fd, config);
    if (r < 0)
        (void)close(fd);
    else
        *ret_fd = fd;
    return r;
}

int socket_bind_interface(int fd, unsigned interface)
{
    return interface != 0 ? socket_set(fd, SOL_SOCKET, SO_BINDTOIFINDEX, (int)interface) : 0;
}

/* A link-local address without a zone, while any interface may be taken. */
static bool lacks_zone(const struct sonde_addr *addr, unsigned interface)
{
    return addr->family == SONDE_FAMILY_IPV6 && addr->bytes[0] == 0xfe &&
           (addr->bytes[1] & 0xc0) == 0x80 && addr->scope == 0 && interface == 0;
}

/* connect(), which the routing table answers. */
static int ask_route(int fd, const struct sonde_addr *dst)
{
    struct sockaddr_storage storage;
    socklen_t len = to_sockaddr(dst, DISCARD_PORT, &storage);
    if (connect(fd, (struct sockaddr *)&storage, len) == 0)
        return 0;
    if (errno != EACCES)
        return -errno;
    /* a prohibit route, or a broadcast address, which takes an option of its own: connect(2) */
    int r = socket_set(fd, SOL_SOCKET, SO_BROADCAST, 1);
    if (r == 0 && connect(fd, (struct sockaddr *)&storage, len) < 0)
        r = -errno;
    else if (r == 0)
        r = -ENOTUNIQ;
    (void)socket_set(fd, SOL_SOCKET, SO_BROADCAST, 0);
    return r;
}

int socket_find_source(int fd, unsigned interface, struct sonde_flow *flow)
{
    struct sockaddr_storage storage = {.ss_family = AF_UNSPEC};
    uint16_t port;
    socklen_t len;
    const struct sockaddr unspecified = {.sa_family = AF_UNSPEC};
    /* Forget the last answer; the interface is forgotten along with it. */
    (void)connect(fd, &unspecified, sizeof unspecified);
    int r = socket_bind_interface(fd, interface);
    if (r < 0)
        return r;
    if (flow->src.family != SONDE_FAMILY_NONE) {
        len = to_sockaddr(&flow->src, 0, &storage);
        if (bind(fd, (struct sockaddr *)&storage, len) < 0 && errno != EINVAL)
            return -errno; /* EINVAL: it is bound already; a run has one source a family */
    }
    if (lacks_zone(&flow->dst, interface))
        return -EDESTADDRREQ;
    r = ask_route(fd, &flow->dst);
    if (r < 0)
        return r;
    len = sizeof storage;
    if (getsockname(fd, (struct sockaddr *)&storage, &len) < 0)
        return -errno;
    from_sockaddr(&storage, &flow->src, &port);
    return 0;
}

/* Is an address one of this machine's? */
static bool is_own(const struct sonde_addr *addr)
{
    struct sockaddr_storage storage;
    int fd = -1;
    if (open_socket(addr->family, SOCK_DGRAM, 0, &fd) < 0)
        return true; /* who knows */
    socklen_t len = to_sockaddr(addr, 0, &storage);
    bool own = bind(fd, (struct sockaddr *)&storage, len) == 0;
    (void)close(fd);
    return own;
}

int socket_explain(int fd, unsigned interface, const struct sonde_flow *flow, int error)
{
    struct sonde_flow asked = *flow;
    if (error != -EINVAL && error != -EACCES)
        return error;
    if (!is_own(&flow->src))
        return -EADDRNOTAVAIL;
    asked.src.family = SONDE_FAMILY_NONE; /* it is bound to already if it was chosen */
    int r = socket_find_source(fd, interface, &asked);
    if (r < 0)
        return r;
    return error == -EACCES ? -EPERM : -EIO;
}

/* Bind to a port of every address; the socket only keeps others off it. */
static int hold_port(int fd, enum sonde_family family, uint16_t port, uint16_t *ret_port)
{
    struct sockaddr_storage storage;
    struct sonde_addr any = {.family = (uint8_t)family};
    socklen_t len = to_sockaddr(&any, port, &storage);
    if (family == SONDE_FAMILY_IPV6) {
        int r = socket_set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
        if (r < 0)
            return r;
    }
    if (bind(fd, (struct sockaddr *)&storage, len) < 0)
        return -errno;
    len = sizeof storage;
    if (getsockname(fd, (struct sockaddr *)&storage, &len) < 0)
        return -errno;
    from_sockaddr(&storage, &any, ret_port);
    return 0;
}

int socket_hold(enum sonde_family family, uint8_t protocol, uint16_t port, int *ret_fd,
                uint16_t *ret_port)
{
    int fd = -1;
    if (protocol == IP_PROTO_SCTP && port != 0) {
        *ret_fd = fd;
        *ret_port = port;
        return 0;
    }
    bool udp = protocol == IP_PROTO_UDP;
    int r =
        open_socket(family, udp ? SOCK_DGRAM : SOCK_STREAM, udp ? IP_PROTO_UDP : IP_PROTO_TCP, &fd);
    if (r < 0)
        return r;
    if (udp) /* its datagrams are read from the raw socket */
        r = filter_shut(fd);
    if (r == 0)
        r = hold_port(fd, family, port, ret_port);
    if (r < 0)
        (void)close(fd);
    else
        *ret_fd = fd;
    return r;
}
