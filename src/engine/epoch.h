/* SPDX-License-Identifier: BSD-2-Clause */
/* What became of one probe that was to reach the target, as far as figures and changes go by it. */
#ifndef ENGINE_EPOCH_H
#define ENGINE_EPOCH_H

#include <sonde/vocabulary.h>

/** The newest of these are kept one by one, in the order in which the probes left; the older ones
 *  are only counted together. */
struct epoch {
    sonde_ns sent_ns;
    sonde_ns rtt_ns; /* -1 = none, or unknown */
    uint32_t cycle;
    int32_t error;       /* positive errno if it did not leave */
    uint32_t mtu_bytes;  /* as in struct sonde_event */
    uint16_t size_bytes; /* of the probe */
    uint8_t outcome;     /* enum sonde_outcome */
    uint8_t question;
    bool is_target : 1; /* answered by the target itself */
    bool uncertain : 1; /* as in struct sonde_event, like the next two */
    bool spaced : 1;
    bool rationed : 1;
    bool late : 1;    /* answered after it was given up, by the target itself */
    bool limited : 1; /* it was to expire on the way, but got an answer that tells of the service:
                         no figure counts it */
};

#endif
