/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a router adds to an ICMP error beyond the quote: MPLS label stacks (RFC 4950), interface
 * information (RFC 5837) and objects of other classes, kept as bytes.
 */
#ifndef SONDE_EXTENSION_H
#define SONDE_EXTENSION_H

#include <sonde/types.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    SONDE_MPLS_LABELS_MAX = 16,      /**< labels kept of one stack */
    SONDE_INTERFACE_NAME_BYTES = 64, /**< RFC 5837 §4.3: at most 63 octets of name */
    SONDE_EXTENSION_RAW_MAX = 32,    /**< bytes kept of an object of unknown class */
    SONDE_EXTENSIONS_MAX = 6,        /**< objects kept of one error */
};

/** One MPLS label stack entry. Source: RFC 3032 §2.1, RFC 5462 (the EXP bits are the TC). */
struct sonde_mpls_label {
    uint32_t label; /**< 0 to 2^20 - 1 */
    uint8_t tc;     /**< traffic class, 0 to 7 */
    uint8_t bos;    /**< 1 at the bottom of the stack */
    uint8_t ttl;    /**< as the packet arrived */
};

/** A whole label stack, top first. */
struct sonde_mpls {
    uint8_t count; /**< labels that follow */
    struct sonde_mpls_label labels[SONDE_MPLS_LABELS_MAX];
};

/** Which interface an object speaks of. Source: RFC 5837 §4.1. */
enum sonde_interface_role {
    SONDE_INTERFACE_INCOMING = 0, /**< the IP interface that the packet came in by */
    SONDE_INTERFACE_SUB_IP = 1,   /**< the part below IP of that interface */
    SONDE_INTERFACE_OUTGOING = 2, /**< the interface that it would have left by */
    SONDE_INTERFACE_NEXT_HOP = 3, /**< the IP next hop that it would have gone to */
};

/** Interface information; what the router left out is 0, no address, or "". */
struct sonde_interface {
    uint8_t role;                          /**< an enum sonde_interface_role */
    uint32_t index;                        /**< ifIndex; 0 = not given */
    uint32_t mtu;                          /**< bytes; 0 = not given */
    struct sonde_addr addr;                /**< family SONDE_FAMILY_NONE = not given */
    char name[SONDE_INTERFACE_NAME_BYTES]; /**< as sent: not escaped, not checked; "" = not given */
};

/** An object of a class that sonde does not interpret. */
struct sonde_extension_raw {
    uint16_t len; /**< bytes of payload that the object had */
    uint8_t kept; /**< of these, the first that follow */
    uint8_t bytes[SONDE_EXTENSION_RAW_MAX];
};

/** Which member of an extension is valid. */
enum sonde_extension_kind {
    SONDE_EXTENSION_MPLS,
    SONDE_EXTENSION_INTERFACE,
    SONDE_EXTENSION_RAW,
};

/** One extension object. */
struct sonde_extension {
    enum sonde_extension_kind kind;
    uint8_t class_num; /**< 1 MPLS, 2 interface information, others see IANA */
    uint8_t c_type;
    union {
        struct sonde_mpls mpls;
        struct sonde_interface interface;
        struct sonde_extension_raw raw;
    } u;
};

/** All extension objects of one ICMP error. {0} is "none". */
struct sonde_extensions {
    uint8_t count;     /**< objects that follow */
    bool legacy;       /**< found at byte 128 without a length attribute (RFC 4884 §5.5) */
    bool bad_checksum; /**< the structure's checksum is wrong, so nothing of it is believed */
    bool malformed;    /**< an object's length or content is impossible; what came before stays */
    bool truncated;    /**< more labels or objects than are kept */
    struct sonde_extension items[SONDE_EXTENSIONS_MAX];
};

#ifdef __cplusplus
}
#endif
#endif
