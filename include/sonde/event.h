/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What happened to one probe. Every figure that sonde reports is a fold over these records.
 */
#ifndef SONDE_EVENT_H
#define SONDE_EVENT_H

#include <sonde/extension.h>
#include <sonde/vocabulary.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Questions that a UDP service is asked, at most. */
enum { SONDE_QUESTIONS_MAX = 3 };

enum sonde_event_type {
    SONDE_EVENT_PROBE,     /**< a probe ended: each does exactly once, so or unawaited */
    SONDE_EVENT_UNAWAITED, /**< a probe of which nobody knows whether it would have been answered:
                              it was in flight when the run was over, or while this machine could
                              not hear (it slept, the program was held up, its interface was down);
                              neither answered nor lost, it has no outcome */
    SONDE_EVENT_LATE,      /**< an answer to a probe that had been given up */
    SONDE_EVENT_DUPLICATE, /**< another answer to a probe that had its answer */
};

/** One record. Members that a type does not speak of are zero. */
struct sonde_event {
    enum sonde_event_type type;
    uint32_t target;  /**< the index of its struct sonde_target_result; of several that share what
                           is measured, the one it is measured for, while it is there */
    uint32_t service; /**< index within the target, in the order added */
    uint32_t flow;    /**< which of the flows of its service: 0 is the first */
    uint32_t cycle;   /**< 0, 1, 2, …: the cycle that the probe was sent in */
    uint8_t ttl;      /**< TTL or hop limit that the probe was sent with */
    uint8_t question; /**< which of its service's questions it carried: 0 is the first */
    bool to_target;   /**< sent to reach the target, not to expire on the way */
    bool spaced;      /**< it was, and for about a second no other of its service had been */
    bool rationed;    /**< as far as is known now, its service is answered only so often */
    bool uncertain;   /**< the answer named no probe: this is the likeliest, its time unknown */
    enum sonde_outcome outcome;      /**< SONDE_OUTCOME_NO_REPLY for an unawaited one */
    sonde_ns sent_ns;                /**< when it was sent */
    sonde_ns rtt_ns;                 /**< round-trip time; -1 = none or unknown */
    enum sonde_clock sent_clock;     /**< which clock says when it was sent */
    enum sonde_clock received_clock; /**< likewise, when the answer came */
    struct sonde_addr from;          /**< who answered; no address if nobody did */
    int16_t reply_ttl;               /**< TTL of the answer as it arrived; -1 = unknown */
    int16_t icmp_type;               /**< of an ICMP error; -1 = the answer was none */
    int16_t icmp_code;               /**< likewise */
    int error;                       /**< positive errno if it could not be sent, otherwise 0 */
    uint16_t size_bytes;             /**< of the probe, with all headers */
    uint8_t ecn;                     /**< of the probe's IP header, 0 to 3; RFC 3168 §5 */
    bool dont_fragment;              /**< no router was allowed to divide it: so always over IPv6 */
    bool has_quoted;    /**< an ICMP error quotes the probe's IP header as it arrived there, where
                             routers may have rewritten it; without raw sockets it is unknown */
    uint8_t quoted_ecn; /**< of that header */
    bool quoted_dont_fragment; /**< likewise */
    uint32_t mtu_bytes; /**< of a packet too big: what fits, as its reporter says, or this machine's
                           interface if error is EMSGSIZE; 0 = not said */
    struct sonde_extensions ext; /**< what an ICMP error brought along */
};

/** @return true if an answer that ended in @p outcome came from the target itself, and not, as a
 *  time exceeded or a refusal may, from a device on the way. */
SONDE_API bool sonde_event_is_target(const struct sonde_event *event,
                                     const struct sonde_addr *target);

#ifdef __cplusplus
}
#endif
#endif
