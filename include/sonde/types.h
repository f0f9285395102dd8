/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The scalar types that every part of sonde shares: time and addresses.
 *
 * Nothing here touches a socket, a clock or the heap.
 */
#ifndef SONDE_TYPES_H
#define SONDE_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define SONDE_API __attribute__((visibility("default")))
#define SONDE_MUST_CHECK __attribute__((warn_unused_result))
#else
#define SONDE_API
#define SONDE_MUST_CHECK
#endif

#ifdef __cplusplus
extern "C" {
#endif

/**
 * A time or a duration in nanoseconds. Times count from an arbitrary start and never step
 * (CLOCK_MONOTONIC on a real network, the scenario's own clock in a simulated one).
 */
typedef int64_t sonde_ns;

#define SONDE_NS_PER_US ((sonde_ns)1000)
#define SONDE_NS_PER_MS ((sonde_ns)1000000)
#define SONDE_NS_PER_S ((sonde_ns)1000000000)

/** The only sentinel among times: later than every time, "no deadline". */
#define SONDE_NS_NEVER INT64_MAX

/** The address family of a struct sonde_addr. */
enum sonde_family {
    SONDE_FAMILY_NONE = 0, /**< no address */
    SONDE_FAMILY_IPV4 = 4, /**< the first 4 bytes hold it */
    SONDE_FAMILY_IPV6 = 6, /**< all 16 bytes hold it */
};

/** An IPv4 or IPv6 address. {0} is "no address". */
struct sonde_addr {
    uint8_t family;    /**< an enum sonde_family */
    uint8_t bytes[16]; /**< network order; bytes beyond the family's length are zero */
    uint32_t scope;    /**< interface index of a link-local IPv6 address, otherwise 0 */
};

enum {
    SONDE_ADDR_TEXT_BYTES = 64, /**< of the longest text of an address, with zone and final NUL */
    SONDE_ZONE_BYTES = 16,      /**< of the longest name of an interface, with NUL; netdevice(7) */
};

/** The name of a zone: of the interface that an address with this scope belongs to. */
struct sonde_zone {
    uint32_t scope;
    char name[SONDE_ZONE_BYTES];
};

/** Names of zones; {0} has none. */
struct sonde_zones {
    const struct sonde_zone *items;
    size_t count;
};

/**
 * Compare two addresses.
 * @param a,b  Addresses of any family.
 * @return true if family and bytes agree, and the scopes agree or one of them is 0 (unknown).
 */
SONDE_API bool sonde_addr_equal(const struct sonde_addr *a, const struct sonde_addr *b);

/**
 * Write an address as text: dotted quad, or RFC 5952 for IPv6 with "%INDEX" when it has a scope.
 * @param addr  The address; no address is written as "-".
 * @param buf   Receives the text, always NUL-terminated.
 * @return @p buf.
 * Source: RFC 5952 §4, RFC 4007 §11.
 */
SONDE_API const char *sonde_addr_text(const struct sonde_addr *addr,
                                      char buf[SONDE_ADDR_TEXT_BYTES]);

/**
 * Write an address as text, with the name of its zone: "fe80::1%eth0".
 * @param zones  Where the name is looked for. If it is not there, or holds anything but printable
 *               ASCII, the number is written.
 * @return @p buf.
 */
SONDE_API const char *sonde_addr_text_zoned(const struct sonde_addr *addr,
                                            const struct sonde_zones *zones,
                                            char buf[SONDE_ADDR_TEXT_BYTES]);

/**
 * Read a numeric address without a zone. Legacy IPv4 forms (octal, hexadecimal, fewer than four
 * parts) are refused. An IPv4-mapped IPv6 address ("::ffff:192.0.2.1") is read as the IPv4 address
 * in it.
 * @param text      "192.0.2.1", "2001:db8::1".
 * @param ret_addr  On 0, the address with scope 0; otherwise untouched.
 * @return 0; -EINVAL if @p text is not a numeric address (try it as a name).
 */
SONDE_API SONDE_MUST_CHECK int sonde_addr_parse(const char *text, struct sonde_addr *ret_addr);

#ifdef __cplusplus
}
#endif
#endif
