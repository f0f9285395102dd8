/* SPDX-License-Identifier: BSD-2-Clause */
/* Error queues; see io/linux/errqueue.h. */
#include "io/linux/errqueue.h"

#include "io/linux/internal.h"
#include "wire/icmp.h"
#include "wire/icmpext.h"
#include "wire/udp.h"

#include <assert.h>
#include <string.h>

static_assert((int)ERRQUEUE_HEADROOM == (int)IP6_HEADER_BYTES + (int)UDP_HEADER_BYTES,
              "all that is put back has room");

/* The offender stands behind the error: SO_EE_OFFENDER() in linux/errqueue.h. */
static void read_entry(const struct cmsghdr *control, struct errqueue_entry *entry)
{
    size_t len = control->cmsg_len - CMSG_LEN(0);
    struct sockaddr_storage storage = {0};
    uint16_t port;
    memcpy(&entry->error, CMSG_DATA(control), sizeof entry->error);
    entry->offender = (struct sonde_addr){0};
    size_t rest = len - sizeof entry->error;
    memcpy(&storage, CMSG_DATA(control) + sizeof entry->error,
           rest < sizeof storage ? rest : sizeof storage);
    bool whole = (storage.ss_family == AF_INET && rest >= sizeof(struct sockaddr_in)) ||
                 (storage.ss_family == AF_INET6 && rest >= sizeof(struct sockaddr_in6));
    if (whole)
        from_sockaddr(&storage, &entry->offender, &port);
}

bool errqueue_find(struct msghdr *message, struct errqueue_entry *ret_entry)
{
    struct cmsghdr *control = CMSG_FIRSTHDR(message);
    for (; control != NULL; control = CMSG_NXTHDR(message, control)) {
        bool is_error = (control->cmsg_level == IPPROTO_IP && control->cmsg_type == IP_RECVERR) ||
                        (control->cmsg_level == IPPROTO_IPV6 && control->cmsg_type == IPV6_RECVERR);
        if (is_error && control->cmsg_len >= CMSG_LEN(sizeof ret_entry->error)) {
            read_entry(control, ret_entry);
            return true;
        }
    }
    return false;
}

/* An error that came in, and not one that this machine's stack has thought up while sending? */
static bool is_from_network(const struct errqueue_entry *entry, enum sonde_family family)
{
    uint8_t origin = family == SONDE_FAMILY_IPV6 ? SO_EE_ORIGIN_ICMP6 : SO_EE_ORIGIN_ICMP;
    return entry->error.ee_origin == origin && entry->offender.family == (uint8_t)family &&
           icmp_classify(family, entry->error.ee_type) == ICMP_ERROR;
}

/* The quoted headers that the kernel has stripped, as far as they are known. @return their bytes.
 */
static size_t put_back(const struct errqueue_about *about, uint8_t *returned, size_t len)
{
    size_t ip_len =
        about->remote.family == SONDE_FAMILY_IPV6 ? (size_t)IP6_HEADER_BYTES : IP4_HEADER_BYTES;
    memset(returned - ERRQUEUE_HEADROOM, 0, ERRQUEUE_HEADROOM);
    if (about->protocol != IP_PROTO_UDP)
        return ip_len;
    struct wr wr = wr_init(returned - UDP_HEADER_BYTES, UDP_HEADER_BYTES);
    udp_encode(&wr, about->local_port, about->remote_port, len);
    return ip_len + UDP_HEADER_BYTES;
}

/* The second word of the error's header, from what the kernel has made of it. */
static uint32_t info_of(const struct errqueue_entry *entry, enum sonde_family family)
{
    bool is_pointer =
        family == SONDE_FAMILY_IPV4 && entry->error.ee_type == ICMP4_PARAMETER_PROBLEM;
    return is_pointer ? entry->error.ee_info << 24 : entry->error.ee_info;
}

int errqueue_decode(const struct errqueue_entry *entry, const struct errqueue_about *about,
                    uint8_t *returned, size_t len, struct sonde_rx *ret_rx)
{
    enum sonde_family family = about->remote.family;
    if (!is_from_network(entry, family))
        return SONDE_DISCARD_NOT_A_RESULT;
    size_t put = put_back(about, returned, len);
    size_t ip_len = about->protocol == IP_PROTO_UDP ? put - UDP_HEADER_BYTES : put;
    /* the kernel gives the length of the field behind what it has stripped */
    size_t stated = entry->error.ee_rfc4884.len;
    const struct sonde_span body = {returned - put, put + len};
    const struct icmpext_parts parts = icmpext_divide(body, stated > 0 ? stated + put : 0);
    struct sonde_span segment = icmpext_quoted_segment(parts.quote, ip_len);
    if (segment.len < ICMPEXT_SEGMENT_MIN)
        return SONDE_DISCARD_SHORT_QUOTE;
    ret_rx->kind = SONDE_RX_ERROR;
    ret_rx->from = entry->offender;
    ret_rx->protocol = about->protocol;
    ret_rx->remote = about->remote;
    ret_rx->local_port = about->local_port;
    ret_rx->remote_port = about->remote_port;
    ret_rx->attributed = false;
    ret_rx->segment = (struct sonde_span){NULL, 0};
    ret_rx->icmp_type = entry->error.ee_type;
    ret_rx->icmp_code = entry->error.ee_code;
    ret_rx->icmp_info = info_of(entry, family);
    ret_rx->quote = (struct sonde_quote){.has_id = false, .segment = segment};
    icmpext_decode(&parts, &ret_rx->ext);
    return 0;
}
