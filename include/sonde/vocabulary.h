/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The words of sonde: what a port showed, how a probe ended, what that means.
 *
 * Every enumeration has a function that gives the stable word used in JSON and in scripts. Within
 * report schema 1, words are only added. A value outside its enumeration is written as "unknown".
 */
#ifndef SONDE_VOCABULARY_H
#define SONDE_VOCABULARY_H

#include <sonde/types.h>
#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What a service showed, folded from the outcomes of all its probes. */
enum sonde_state {
    SONDE_STATE_UNKNOWN,          /**< too little evidence, or nothing could be sent */
    SONDE_STATE_OPEN,             /**< SYN-ACK, an answer over UDP, an echo reply */
    SONDE_STATE_CLOSED,           /**< RST, or ICMP port unreachable from the target itself */
    SONDE_STATE_FILTERED,         /**< no answer at all, while the host or its path answers */
    SONDE_STATE_REJECTED,         /**< an ICMP unreachable that quotes our probe */
    SONDE_STATE_OPEN_OR_FILTERED, /**< UDP: silence means either */
    SONDE_STATE_UNREACHABLE,      /**< nothing of the target answers, the control included */
    SONDE_STATE_COUNT
};

/** What stands for a state in a set of states. */
#define SONDE_STATE_BIT(STATE) (UINT32_C(1) << (STATE))

/** How one probe ended. */
enum sonde_outcome {
    SONDE_OUTCOME_NO_REPLY,          /**< nothing within the timeout: lost or dropped */
    SONDE_OUTCOME_ECHO_REPLY,        /**< ICMP echo reply from the target */
    SONDE_OUTCOME_OPEN,              /**< TCP SYN-ACK, SCTP INIT ACK from the target */
    SONDE_OUTCOME_CLOSED,            /**< TCP RST, SCTP ABORT in the target's name */
    SONDE_OUTCOME_UDP_REPLY,         /**< a datagram from the probed port */
    SONDE_OUTCOME_PORT_UNREACHABLE,  /**< ICMP 3/3, ICMPv6 1/4 */
    SONDE_OUTCOME_TTL_EXCEEDED,      /**< ICMP 11/0, ICMPv6 3/0: a router on the path */
    SONDE_OUTCOME_PACKET_TOO_BIG,    /**< ICMP 3/4, ICMPv6 2: a link on the way takes less */
    SONDE_OUTCOME_ADMIN_PROHIBITED,  /**< ICMP 3/9 3/10 3/13, ICMPv6 1/1 1/5 1/6: policy */
    SONDE_OUTCOME_HOST_UNREACHABLE,  /**< ICMP 3/1 3/5 3/7 3/8 3/12, ICMPv6 1/3 */
    SONDE_OUTCOME_NET_UNREACHABLE,   /**< ICMP 3/0 3/6 3/11, ICMPv6 1/0 */
    SONDE_OUTCOME_OTHER_UNREACHABLE, /**< any other ICMP error: bad header, new codes */
    SONDE_OUTCOME_SEND_ERROR,        /**< this machine refused to send it; never counted as loss */
    SONDE_OUTCOME_COUNT
};

/** How good a verdict is. */
enum sonde_level {
    SONDE_LEVEL_OK,       /**< as expected */
    SONDE_LEVEL_DEGRADED, /**< it works, but not as it should, or it cannot be confirmed */
    SONDE_LEVEL_FAILED,   /**< it does not work */
    SONDE_LEVEL_UNKNOWN,  /**< it could not be measured */
    SONDE_LEVEL_COUNT
};

/** Verdict codes, worst first. */
enum sonde_code {
    SONDE_CODE_NAME_UNRESOLVED,        /**< the name has no address here */
    SONDE_CODE_NO_PERMISSION,          /**< this process may not send such probes */
    SONDE_CODE_LOCAL_BLOCKED,          /**< a firewall on this machine refuses the probes */
    SONDE_CODE_NO_ROUTE,               /**< this machine has no route to the target */
    SONDE_CODE_ROUTING_LOOP,           /**< the path repeats itself */
    SONDE_CODE_HOST_UNREACHABLE,       /**< nothing of the target answers */
    SONDE_CODE_PORT_INTERCEPTED,       /**< a device short of the target answers in its name */
    SONDE_CODE_PORT_REJECTED,          /**< a device says that it refuses this port */
    SONDE_CODE_PORT_FILTERED,          /**< probes to this port vanish, others do not */
    SONDE_CODE_PORT_CLOSED,            /**< the target answers that nothing listens */
    SONDE_CODE_PORT_UNEXPECTEDLY_OPEN, /**< open, though it was expected not to be */
    SONDE_CODE_PACKET_TOO_BIG,         /**< the probes are larger than a link says that it takes */
    SONDE_CODE_MTU_BLACK_HOLE,         /**< large packets vanish */
    SONDE_CODE_LOSS_ON_SOME_PATHS,     /**< loss on some of several parallel paths */
    SONDE_CODE_LOSS_AT_DESTINATION,    /**< loss that goes on to the target */
    SONDE_CODE_LATENCY_OVER_LIMIT,     /**< slower than asked for */
    SONDE_CODE_OUTAGE,                 /**< it had failed, and is over */
    SONDE_CODE_UNSTABLE,               /**< it changes to and fro */
    SONDE_CODE_PATH_CHANGED,           /**< the path changed during the run */
    SONDE_CODE_LATENCY_CHANGED,        /**< round trips take longer than before */
    SONDE_CODE_UDP_UNCONFIRMED,        /**< a UDP port that neither answers nor refuses */
    SONDE_CODE_INCONCLUSIVE,           /**< measured, but too little to say anything */
    SONDE_CODE_OK,                     /**< nothing wrong */
    SONDE_CODE_COUNT
};

/** How far a verdict can be trusted. */
enum sonde_confidence {
    SONDE_CONFIDENCE_LOW,    /**< little evidence */
    SONDE_CONFIDENCE_MEDIUM, /**< one control, two cycles */
    SONDE_CONFIDENCE_HIGH,   /**< three cycles and two controls, or the culprit's own word */
    SONDE_CONFIDENCE_COUNT
};

/** Of what a blame speaks. */
enum sonde_way {
    SONDE_WAY_THERE,         /**< of the probes on their way to the target */
    SONDE_WAY_THERE_OR_BACK, /**< of probes or of their answers: these come back on a way of their
                                  own, of which nothing is seen */
    SONDE_WAY_COUNT
};

/** Why the path of a trace ends where it does. */
enum sonde_stop_reason {
    SONDE_STOP_REACHED,     /**< the target answered */
    SONDE_STOP_MAX_TTL,     /**< the largest allowed TTL was probed */
    SONDE_STOP_GAP_LIMIT,   /**< too many silent hops in a row */
    SONDE_STOP_REJECTED,    /**< a device refused to pass the probes on */
    SONDE_STOP_INTERRUPTED, /**< the run ended before the path was known */
    SONDE_STOP_COUNT
};

/** What the loss seen at one hop means. */
enum sonde_loss_kind {
    SONDE_LOSS_NONE,         /**< no loss */
    SONDE_LOSS_SILENT,       /**< never answers, though later hops do */
    SONDE_LOSS_RATE_LIMITED, /**< the hop limits its own replies; traffic passes */
    SONDE_LOSS_FORWARDING,   /**< loss that goes on to the target */
    SONDE_LOSS_UNKNOWN,      /**< too few samples to tell */
    SONDE_LOSS_KIND_COUNT
};

/** How a run ended. */
enum sonde_status {
    SONDE_STATUS_COMPLETE,    /**< everything that was asked for was measured */
    SONDE_STATUS_INTERRUPTED, /**< stopped from outside, by a signal say */
    SONDE_STATUS_PARTIAL,     /**< a target could not be measured, the deadline came first, or a
                                   replay shows only the first cycles */
    SONDE_STATUS_ERROR,       /**< nothing could be measured */
    SONDE_STATUS_COUNT
};

/** How the packets travel. */
enum sonde_transport_kind {
    SONDE_TRANSPORT_RAW,          /**< raw sockets */
    SONDE_TRANSPORT_UNPRIVILEGED, /**< ordinary sockets and their error queues */
    SONDE_TRANSPORT_SIMULATED,    /**< a simulated network */
    SONDE_TRANSPORT_REPLAYED,     /**< a recorded session */
    SONDE_TRANSPORT_KIND_COUNT
};

/** Which clock stamped a packet. */
enum sonde_clock {
    SONDE_CLOCK_USER,      /**< read by this process around the call */
    SONDE_CLOCK_KERNEL,    /**< stamped by the kernel as the packet went out or came in */
    SONDE_CLOCK_SIMULATED, /**< exact, because it is made up */
    SONDE_CLOCK_COUNT
};

/** Why a packet that came in was not taken as the answer to a probe. Each only counts itself. */
enum sonde_discard {
    SONDE_DISCARD_FOREIGN = 1,  /**< belongs to no flow of ours */
    SONDE_DISCARD_NOT_A_RESULT, /**< a kind of message that ends no probe (redirect, request) */
    SONDE_DISCARD_MALFORMED,    /**< lengths or versions contradict each other */
    SONDE_DISCARD_SHORT_QUOTE,  /**< an ICMP error that quotes too little to be attributed */
    SONDE_DISCARD_BAD_CHECKSUM, /**< the checksum is wrong */
    SONDE_DISCARD_BAD_TOKEN,    /**< right flow, wrong token, cookie or acknowledgment */
    SONDE_DISCARD_DIFFERENT_ADDRESS, /**< our token, but another sender than the one probed */
    SONDE_DISCARD_TRUNCATED,         /**< an answer cut short of its token */
    SONDE_DISCARD_UNKNOWN_PROBE,     /**< right flow, but no such probe is or was in flight */
    SONDE_DISCARD_AMBIGUOUS, /**< carries no token, and several probes could have drawn it */
    SONDE_DISCARD_TOO_LATE,  /**< to a probe that was given up longer ago than any answer takes, or
                                whose answer would have shown nothing any more */
    SONDE_DISCARD_COUNT
};

/** @return The stable word for @p value ("open_or_filtered"); never NULL. */
SONDE_API const char *sonde_state_name(enum sonde_state value);
/** @return The stable word for @p value ("ttl_exceeded"); never NULL. */
SONDE_API const char *sonde_outcome_name(enum sonde_outcome value);
/** @return The stable word for @p value ("degraded"); never NULL. */
SONDE_API const char *sonde_level_name(enum sonde_level value);
/** @return The stable word for @p value ("port_filtered"); never NULL. */
SONDE_API const char *sonde_code_name(enum sonde_code value);
/** @return The stable word for @p value ("high"); never NULL. */
SONDE_API const char *sonde_confidence_name(enum sonde_confidence value);
SONDE_API const char *sonde_way_name(enum sonde_way value);
/** @return The stable word for @p value ("gap_limit"); never NULL. */
SONDE_API const char *sonde_stop_reason_name(enum sonde_stop_reason value);
/** @return The stable word for @p value ("rate_limited"); never NULL. */
SONDE_API const char *sonde_loss_kind_name(enum sonde_loss_kind value);
/** @return The stable word for @p value ("interrupted"); never NULL. */
SONDE_API const char *sonde_status_name(enum sonde_status value);
/** @return The stable word for @p value ("raw"); never NULL. */
SONDE_API const char *sonde_transport_kind_name(enum sonde_transport_kind value);
/** @return The stable word for @p value ("kernel"); never NULL. */
SONDE_API const char *sonde_clock_name(enum sonde_clock value);
/** @return The stable word for @p value ("bad_token"); never NULL. */
SONDE_API const char *sonde_discard_name(enum sonde_discard value);

/**
 * Compare two verdicts or findings by what has to be read first: what failed outweighs what is not
 * known, and that what only limps; among equals the code that stands first in its enum.
 * @return true if the first is worse than the second.
 */
SONDE_API bool sonde_is_worse(enum sonde_level level, enum sonde_code code,
                              enum sonde_level than_level, enum sonde_code than_code);

/**
 * Put the code of an ICMP destination unreachable into words.
 * @param family  SONDE_FAMILY_IPV4 or SONDE_FAMILY_IPV6: which ICMP the code is from.
 * @param code    0 to 255.
 * @return Words such as "administratively prohibited"; "unknown code" for an unassigned one.
 * Source: RFC 792, RFC 1122 §3.2.2.1, RFC 1812 §5.2.7.1, RFC 4443 §3.1, RFC 6550 §20.16.
 */
SONDE_API const char *sonde_unreachable_text(enum sonde_family family, uint8_t code);

#ifdef __cplusplus
}
#endif
#endif
