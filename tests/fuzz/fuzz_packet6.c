/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * packet_decode_payload(): what a raw IPv6 socket gives, the header apart. The first three bytes
 * are protocol, hop limit and whether it is a later fragment; the rest is the payload.
 */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rd in = rd_init((struct sonde_span){data, size});
    struct ip_header ip = {
        .src = {.family = SONDE_FAMILY_IPV6, .bytes = {0x20, 0x01, 0x0d, 0xb8, [15] = 1}},
        .dst = {.family = SONDE_FAMILY_IPV6, .bytes = {0x20, 0x01, 0x0d, 0xb8, [15] = 2}},
    };
    ip.protocol = rd_u8(&in);
    ip.ttl = rd_u8(&in);
    ip.fragment = (rd_u8(&in) & 1) != 0;
    ip.payload = rd_rest(&in);
    struct sonde_rx rx;
    int r = packet_decode_payload(&ip, &rx);
    fuzz_check_rx(r, ip.payload, &rx);
    FUZZ_CHECK(r != 0 || rx.reply_ttl == ip.ttl);
    FUZZ_CHECK(r != 0 || !ip.fragment);
    return 0;
}
