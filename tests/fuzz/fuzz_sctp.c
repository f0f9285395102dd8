/* SPDX-License-Identifier: BSD-2-Clause */
/* sctp_decode(): common headers, first chunks, and what is left of them in a quote. */
#include "fuzz.h"
#include "wire/sctp.h"

#include <errno.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sctp_packet packet;
    int r = sctp_decode((struct sonde_span){data, size}, &packet);
    FUZZ_CHECK(r == 0 || r == -EBADMSG);
    if (r < 0)
        return 0;
    bool is_init = packet.chunk == SCTP_INIT || packet.chunk == SCTP_INIT_ACK;
    FUZZ_CHECK(!packet.has_init || packet.has_initiate_tag);
    FUZZ_CHECK(!packet.has_initiate_tag || (packet.has_chunk && is_init));
    FUZZ_CHECK(packet.cut || packet.has_chunk);
    FUZZ_CHECK(packet.cut || packet.has_init || !is_init);
    FUZZ_CHECK(packet.has_initiate_tag || packet.initiate_tag == 0);

    uint8_t bytes[SCTP_HEADER_BYTES + SCTP_INIT_BYTES];
    struct wr wr = wr_init(bytes, sizeof bytes);
    sctp_encode(&wr, &packet, (struct sonde_span){NULL, 0});
    sctp_patch_checksum(&wr, sctp_checksum((struct sonde_span){wr.data, wr.len}));
    FUZZ_CHECK(wr_ok(&wr));
    struct sctp_packet again;
    FUZZ_CHECK(sctp_decode((struct sonde_span){bytes, wr.len}, &again) == 0);
    FUZZ_CHECK(!again.cut && again.has_chunk);
    FUZZ_CHECK(again.src_port == packet.src_port && again.dst_port == packet.dst_port);
    FUZZ_CHECK(again.tag == packet.tag && again.chunk == packet.chunk);
    FUZZ_CHECK(again.flags == packet.flags && again.initiate_tag == packet.initiate_tag);
    FUZZ_CHECK(again.window_bytes == packet.window_bytes && again.tsn == packet.tsn);
    FUZZ_CHECK(again.out_streams == packet.out_streams && again.in_streams == packet.in_streams);
    return 0;
}
