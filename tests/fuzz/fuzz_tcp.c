/* SPDX-License-Identifier: BSD-2-Clause */
/* tcp_decode(): headers, options, and what is left of them in a quote. */
#include "fuzz.h"
#include "wire/tcp.h"

#include <errno.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tcp_header tcp;
    int r = tcp_decode((struct sonde_span){data, size}, &tcp);
    FUZZ_CHECK(r == 0 || r == -EBADMSG);
    if (r < 0)
        return 0;
    FUZZ_CHECK(tcp.options.window_scale >= -1 && tcp.options.window_scale <= 14);
    FUZZ_CHECK(tcp.payload.len <= size);
    FUZZ_CHECK(!tcp.cut || tcp.payload.len == 0);
    FUZZ_CHECK(tcp.options.has_timestamps ||
               (tcp.options.ts_value == 0 && tcp.options.ts_echo == 0));

    uint8_t bytes[TCP_HEADER_BYTES + TCP_OPTIONS_MAX];
    struct wr wr = wr_init(bytes, sizeof bytes);
    tcp_encode(&wr, &tcp);
    FUZZ_CHECK(wr_ok(&wr));
    struct tcp_header again;
    FUZZ_CHECK(tcp_decode((struct sonde_span){bytes, wr.len}, &again) == 0);
    FUZZ_CHECK(!again.cut && again.payload.len == 0);
    FUZZ_CHECK(again.src_port == tcp.src_port && again.dst_port == tcp.dst_port);
    FUZZ_CHECK(again.seq == tcp.seq && again.ack == tcp.ack && again.flags == tcp.flags);
    FUZZ_CHECK(again.window == tcp.window);
    FUZZ_CHECK(again.options.mss == tcp.options.mss);
    FUZZ_CHECK(again.options.window_scale == tcp.options.window_scale);
    FUZZ_CHECK(again.options.sack_permitted == tcp.options.sack_permitted);
    FUZZ_CHECK(again.options.has_timestamps == tcp.options.has_timestamps);
    FUZZ_CHECK(again.options.ts_value == tcp.options.ts_value &&
               again.options.ts_echo == tcp.options.ts_echo);
    return 0;
}
