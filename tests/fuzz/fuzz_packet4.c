/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * packet_decode(): a packet as a raw IPv4 socket gives it. The bytes are decoded as they are, and
 * once more with the right ICMP checksum. (An IPv6 packet passes here too: simulated ones do.)
 */
#include "fuzz.h"

#include <string.h>

/* Decode into records that held different things before: the result must not depend on them. */
static void decode(struct sonde_span packet)
{
    struct sonde_rx rx;
    struct sonde_rx again;
    memset(&rx, 0x00, sizeof rx);
    memset(&again, 0xff, sizeof again);
    int r = packet_decode(packet, &rx);
    fuzz_check_rx(r, packet, &rx);
    FUZZ_CHECK(packet_decode(packet, &again) == r);
    fuzz_check_rx(r, packet, &again);
    if (r != 0)
        return;
    FUZZ_CHECK(rx.kind == again.kind && rx.protocol == again.protocol);
    FUZZ_CHECK(rx.local_port == again.local_port && rx.remote_port == again.remote_port);
    if (rx.kind == SONDE_RX_ANSWER)
        return;
    FUZZ_CHECK(rx.icmp_type == again.icmp_type && rx.icmp_code == again.icmp_code &&
               rx.icmp_info == again.icmp_info);
    FUZZ_CHECK(rx.quote.id == again.quote.id && rx.quote.ttl == again.quote.ttl &&
               rx.quote.tos == again.quote.tos &&
               rx.quote.dont_fragment == again.quote.dont_fragment);
    FUZZ_CHECK(rx.ext.count == again.ext.count && rx.ext.legacy == again.ext.legacy &&
               rx.ext.malformed == again.ext.malformed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t repaired[4096];
    decode((struct sonde_span){data, size});
    if (size > sizeof repaired)
        return 0;
    memcpy(repaired, data, size);
    if (fuzz_repair_icmp(repaired, size))
        decode((struct sonde_span){repaired, size});
    return 0;
}
