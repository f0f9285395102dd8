/* SPDX-License-Identifier: BSD-2-Clause */
/* Questions to the kernel's tables; see io/linux/way.h. */
#include "io/linux/way.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MESSAGE_BYTES = 1024 };

/* A question, and then its answer. */
struct message {
    _Alignas(struct nlmsghdr) uint8_t bytes[MESSAGE_BYTES];
    size_t len;
};

static void put(struct message *message, const void *data, size_t len)
{
    memcpy(message->bytes + message->len, data, len);
    message->len += NLMSG_ALIGN(len);
}

static void put_attribute(struct message *message, uint16_t type, const void *data, size_t len)
{
    const struct rtattr attribute = {.rta_len = (uint16_t)RTA_LENGTH(len), .rta_type = type};
    put(message, &attribute, sizeof attribute);
    put(message, data, len);
}

static size_t addr_bytes(const struct sonde_addr *addr)
{
    return addr->family == SONDE_FAMILY_IPV6 ? 16 : 4;
}

static uint8_t domain_of(const struct sonde_addr *addr)
{
    return addr->family == SONDE_FAMILY_IPV6 ? AF_INET6 : AF_INET;
}

/* Begin a question; its header is completed when it is asked. */
static struct message message_begin(uint16_t type)
{
    struct message message = {.len = 0};
    const struct nlmsghdr header = {.nlmsg_type = type, .nlmsg_flags = NLM_F_REQUEST};
    put(&message, &header, sizeof header);
    return message;
}

static int exchange(int fd, struct message *message)
{
    const struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    uint32_t len = (uint32_t)message->len;
    memcpy(message->bytes, &len, sizeof len); /* nlmsg_len stands first */
    if (sendto(fd, message->bytes, message->len, 0, (const struct sockaddr *)&kernel,
               sizeof kernel) < 0)
        return -errno;
    /* the kernel answers within the call */
    ssize_t got = recv(fd, message->bytes, sizeof message->bytes, MSG_DONTWAIT);
    if (got < 0)
        return -errno;
    message->len = (size_t)got;
    return 0;
}

/* Ask the kernel. @return 0 with the answer in its place; a negative errno, the kernel's, too. */
static int ask(struct message *message)
{
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (fd < 0)
        return -errno;
    int r = exchange(fd, message);
    (void)close(fd);
    if (r < 0)
        return r;
    struct nlmsghdr header;
    if (message->len < sizeof header)
        return -EBADMSG;
    memcpy(&header, message->bytes, sizeof header);
    if (header.nlmsg_type != NLMSG_ERROR)
        return 0;
    int error = 0;
    if (message->len >= NLMSG_LENGTH(sizeof error))
        memcpy(&error, message->bytes + NLMSG_HDRLEN, sizeof error);
    return error < 0 ? error : -EBADMSG;
}

/* An attribute of an answer. @return false if there are no more. */
static bool next_attribute(struct sonde_span *rest, uint16_t *ret_type,
                           struct sonde_span *ret_value)
{
    struct rtattr attribute;
    if (rest->len < sizeof attribute)
        return false;
    memcpy(&attribute, rest->data, sizeof attribute);
    if (attribute.rta_len < sizeof attribute || attribute.rta_len > rest->len)
        return false;
    *ret_type = attribute.rta_type;
    *ret_value = span_sub(*rest, sizeof attribute, attribute.rta_len - sizeof attribute);
    *rest = span_sub(*rest, RTA_ALIGN(attribute.rta_len), rest->len);
    return true;
}

/* The attributes behind the fixed part of an answer. */
static struct sonde_span attributes_of(const struct message *message, size_t fixed)
{
    const struct sonde_span all = {message->bytes, message->len};
    return span_sub(all, NLMSG_HDRLEN + NLMSG_ALIGN(fixed), message->len);
}

/* Take an address of a family. @return false if it has another length. */
static bool take_addr(uint8_t domain, struct sonde_span value, struct sonde_addr *ret_addr)
{
    struct sonde_addr addr = {.family = domain == AF_INET6 ? SONDE_FAMILY_IPV6 : SONDE_FAMILY_IPV4};
    if (value.len != addr_bytes(&addr))
        return false;
    memcpy(addr.bytes, value.data, value.len);
    *ret_addr = addr;
    return true;
}

static void take_route_attribute(uint16_t type, struct sonde_span value, uint8_t domain,
                                 struct way *way)
{
    uint32_t index;
    uint16_t via;
    switch (type) {
    case RTA_OIF:
        if (value.len == sizeof index) {
            memcpy(&index, value.data, sizeof index);
            way->interface = index;
        }
        break;
    case RTA_GATEWAY:
        (void)take_addr(domain, value, &way->gateway);
        break;
    case RTA_VIA: /* a gateway of the other family, which it begins with */
        if (value.len > sizeof via) {
            memcpy(&via, value.data, sizeof via);
            (void)take_addr((uint8_t)via, span_sub(value, sizeof via, value.len), &way->gateway);
        }
        break;
    default:
        break;
    }
}

int way_find(const struct sonde_flow *flow, unsigned interface, struct way *ret_way)
{
    uint8_t bits = (uint8_t)(8 * addr_bytes(&flow->dst));
    uint32_t index = interface != 0 ? interface : flow->dst.scope;
    struct rtmsg route = {
        .rtm_family = domain_of(&flow->dst),
        .rtm_dst_len = bits,
        .rtm_src_len = bits,
    };
    struct message message = message_begin(RTM_GETROUTE);
    put(&message, &route, sizeof route);
    put_attribute(&message, RTA_DST, flow->dst.bytes, addr_bytes(&flow->dst));
    put_attribute(&message, RTA_SRC, flow->src.bytes, addr_bytes(&flow->src));
    if (index != 0)
        put_attribute(&message, RTA_OIF, &index, sizeof index);
    int r = ask(&message);
    if (r < 0)
        return r;
    if (message.len < NLMSG_LENGTH(sizeof route))
        return -EBADMSG;
    memcpy(&route, message.bytes + NLMSG_HDRLEN, sizeof route);
    struct way way = {.is_here = route.rtm_type == RTN_LOCAL};
    struct sonde_span rest = attributes_of(&message, sizeof route);
    struct sonde_span value;
    uint16_t type;
    while (next_attribute(&rest, &type, &value))
        take_route_attribute(type, value, route.rtm_family, &way);
    if (way.gateway.family == SONDE_FAMILY_IPV6 && way.gateway.bytes[0] == 0xfe)
        way.gateway.scope = way.interface;
    *ret_way = way;
    return 0;
}

int way_count(unsigned interface, struct way_counts *ret_counts)
{
    struct if_stats_msg stats = {
        .ifindex = interface,
        .filter_mask = IFLA_STATS_FILTER_BIT(IFLA_STATS_LINK_64),
    };
    struct message message = message_begin(RTM_GETSTATS);
    put(&message, &stats, sizeof stats);
    int r = ask(&message);
    struct sonde_span rest = attributes_of(&message, sizeof stats);
    struct sonde_span value;
    uint16_t type;
    struct rtnl_link_stats64 link;
    const size_t needed = offsetof(struct rtnl_link_stats64, rx_bytes); /* packets stand first */
    while (r == 0 && next_attribute(&rest, &type, &value)) {
        if (type != IFLA_STATS_LINK_64 || value.len < needed)
            continue;
        memcpy(&link, value.data, needed);
        *ret_counts = (struct way_counts){.received = link.rx_packets, .sent = link.tx_packets};
        return 0;
    }
    return r < 0 ? r : -EBADMSG;
}

static enum way_neighbour_state state_of(uint16_t state)
{
    if (state & NUD_INCOMPLETE)
        return WAY_NEIGHBOUR_ASKED;
    if (state & NUD_FAILED)
        return WAY_NEIGHBOUR_FAILED;
    return state & (NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE | NUD_PERMANENT)
               ? WAY_NEIGHBOUR_ANSWERING
               : WAY_NEIGHBOUR_UNKNOWN;
}

int way_find_neighbour(const struct sonde_addr *addr, unsigned interface,
                       struct way_neighbour *ret_neighbour)
{
    struct ndmsg entry = {.ndm_family = domain_of(addr), .ndm_ifindex = (int)interface};
    struct message message = message_begin(RTM_GETNEIGH);
    put(&message, &entry, sizeof entry);
    put_attribute(&message, NDA_DST, addr->bytes, addr_bytes(addr));
    struct way_neighbour neighbour = {.state = WAY_NEIGHBOUR_UNKNOWN};
    int r = ask(&message);
    if (r == -ENOENT) { /* it is in no table */
        *ret_neighbour = neighbour;
        return 0;
    }
    if (r < 0)
        return r;
    if (message.len < NLMSG_LENGTH(sizeof entry))
        return -EBADMSG;
    memcpy(&entry, message.bytes + NLMSG_HDRLEN, sizeof entry);
    neighbour.state = state_of(entry.ndm_state);
    struct sonde_span rest = attributes_of(&message, sizeof entry);
    struct sonde_span value;
    uint16_t type;
    while (next_attribute(&rest, &type, &value)) {
        if (type != NDA_LLADDR || value.len != WAY_LINK_BYTES)
            continue;
        memcpy(neighbour.link_addr, value.data, WAY_LINK_BYTES);
        neighbour.has_link_addr = true;
    }
    *ret_neighbour = neighbour;
    return 0;
}
