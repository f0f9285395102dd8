/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an error queue gives: the control message, and the bytes that the kernel returns. The first
 * bytes of the input say how long the control message is, what the socket is, and what is stated of
 * the error; so that inputs get past the kernel's own part of it, every other error is made one.
 */
#include "fuzz.h"
#include "io/linux/errqueue.h"

#include <netinet/in.h>
#include <string.h>

enum { CONTROL_MAX = 256, RETURNED_MAX = 2048 };

/* Read control messages of any content; the kernel itself sees to their lengths. */
static void find(struct rd *in)
{
    _Alignas(struct cmsghdr) char bytes[CONTROL_MAX] = {0};
    size_t len = rd_u8(in) % (CONTROL_MAX - sizeof(struct cmsghdr));
    struct cmsghdr header = {
        .cmsg_len = CMSG_LEN(len),
        .cmsg_level = (rd_u8(in) & 1) != 0 ? IPPROTO_IPV6 : IPPROTO_IP,
        .cmsg_type = (rd_u8(in) & 1) != 0 ? IPV6_RECVERR : IP_RECVERR,
    };
    memcpy(bytes, &header, sizeof header);
    struct sonde_span content = rd_span(in, len < in->rest.len ? len : in->rest.len);
    if (content.len > 0)
        memcpy(bytes + CMSG_LEN(0), content.data, content.len);
    struct msghdr message = {.msg_control = bytes, .msg_controllen = CMSG_LEN(len)};
    struct errqueue_entry entry;
    if (errqueue_find(&message, &entry))
        FUZZ_CHECK(entry.offender.family == SONDE_FAMILY_NONE ||
                   entry.offender.family == SONDE_FAMILY_IPV4 ||
                   entry.offender.family == SONDE_FAMILY_IPV6);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t protocols[] = {IP_PROTO_ICMP, IP_PROTO_TCP, IP_PROTO_UDP};
    struct rd in = rd_init((struct sonde_span){data, size});
    uint8_t choice = rd_u8(&in);
    bool ipv6 = (choice & 1) != 0;
    uint8_t family = ipv6 ? SONDE_FAMILY_IPV6 : SONDE_FAMILY_IPV4;
    const struct errqueue_about about = {
        .protocol = protocols[choice / 4 % 3],
        .remote = {.family = family, .bytes = {192, 0, 2, 5}},
        .local_port = 40000,
        .remote_port = 53,
    };
    struct errqueue_entry entry = {
        .error = {.ee_origin = ipv6 ? SO_EE_ORIGIN_ICMP6 : SO_EE_ORIGIN_ICMP},
        .offender = {.family = family, .bytes = {10, 0, 0, 1}},
    };
    entry.error.ee_type = rd_u8(&in);
    entry.error.ee_code = rd_u8(&in);
    entry.error.ee_info = rd_u32(&in);
    entry.error.ee_rfc4884.len = rd_u16(&in);
    if ((choice & 2) != 0)
        find(&in);
    struct sonde_span rest = rd_rest(&in);
    uint8_t buffer[ERRQUEUE_HEADROOM + RETURNED_MAX];
    size_t len = rest.len < RETURNED_MAX ? rest.len : RETURNED_MAX;
    if (len > 0)
        memcpy(buffer + ERRQUEUE_HEADROOM, rest.data, len);
    struct sonde_rx rx;
    int r = errqueue_decode(&entry, &about, buffer + ERRQUEUE_HEADROOM, len, &rx);
    if (r != 0)
        return 0;
    FUZZ_CHECK(rx.kind == SONDE_RX_ERROR && !rx.attributed && !rx.quote.has_header &&
               !rx.quote.has_id);
    const uint8_t *quote = rx.quote.segment.data;
    FUZZ_CHECK(rx.quote.segment.len >= 8 && quote >= buffer &&
               quote + rx.quote.segment.len <= buffer + ERRQUEUE_HEADROOM + len);
    fuzz_check_extensions(&rx.ext);
    return 0;
}
