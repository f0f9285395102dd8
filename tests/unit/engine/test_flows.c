/* SPDX-License-Identifier: BSD-2-Clause */
/* How flows spread over the buckets that arrivals are looked up in, by the lower bits of hashes. */
#include "engine/flows.h"
#include "wire/ip.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

enum { FLOWS = 10000, BUCKETS = 65536 };

static size_t bucket_of(uint8_t protocol, const char *text, uint16_t port)
{
    struct sonde_addr addr;
    cr_assert_eq(sonde_addr_parse(text, &addr), 0, "%s", text);
    return (size_t)(flows_hash(protocol, &addr, port) & (BUCKETS - 1));
}

/* The text of address number i of a plan. */
typedef void plan_fn(unsigned i, char text[64]);

static void same_host_of_each_subnet(unsigned i, char text[64])
{
    (void)snprintf(text, 64, "10.%u.%u.1", i / 250, i % 250);
}

static void same_host_of_each_network(unsigned i, char text[64])
{
    (void)snprintf(text, 64, "%u.%u.0.1", 10 + i / 250, i % 250);
}

static void one_after_the_other(unsigned i, char text[64])
{
    (void)snprintf(text, 64, "10.0.%u.%u", i / 256, i % 256);
}

static void same_host_of_each_ipv6_subnet(unsigned i, char text[64])
{
    (void)snprintf(text, 64, "2001:db8:%x:%x::1", i / 250, i % 250);
}

static void numbered_in_the_middle(unsigned i, char text[64])
{
    (void)snprintf(text, 64, "2001:db8::%x:0:0:1", i);
}

static void one_ipv6_host_after_the_other(unsigned i, char text[64])
{
    (void)snprintf(text, 64, "2001:db8::%x", i);
}

static void one_host(unsigned i, char text[64])
{
    (void)i;
    (void)snprintf(text, 64, "192.0.2.1");
}

/* The longest chain of flows in one bucket. */
static unsigned longest_chain(plan_fn *plan, bool ports, bool protocols)
{
    uint8_t *chains = calloc(BUCKETS, 1);
    unsigned longest = 0;
    cr_assert_not_null(chains);
    for (unsigned n = 0; n < FLOWS; n++) {
        char text[64];
        plan(n, text);
        uint8_t protocol = protocols && n % 2 == 1 ? IP_PROTO_UDP : IP_PROTO_TCP;
        uint16_t port = 443;
        if (ports)
            port = (uint16_t)(n / (protocols ? 2 : 1) + 1);
        uint8_t *chain = &chains[bucket_of(protocol, text, port)];
        *chain = (uint8_t)(*chain + (*chain < UINT8_MAX));
        longest = *chain > longest ? *chain : longest;
    }
    free(chains);
    return longest;
}

/* 10,000 flows and 65,536 buckets. Spread at random, a bucket holds k of them with a probability of
 * 0.153^k / k! * e^-0.153: more than 6 in any bucket once in 40,000 tables. Runs of 256 addresses
 * in 40 random places overlap as seldom. */
Test(flows, address_plans_spread)
{
    static const struct {
        const char *what;
        plan_fn *plan;
    } plans[] = {
        {"10.X.Y.1", same_host_of_each_subnet},
        {"X.Y.0.1", same_host_of_each_network},
        {"consecutive", one_after_the_other},
        {"2001:db8:X:Y::1", same_host_of_each_ipv6_subnet},
        {"2001:db8::X:0:0:1", numbered_in_the_middle},
        {"consecutive, IPv6", one_ipv6_host_after_the_other},
    };
    for (size_t i = 0; i < sizeof plans / sizeof *plans; i++) {
        unsigned longest = longest_chain(plans[i].plan, false, false);
        cr_expect_leq(longest, 6, "%s: a chain of %u", plans[i].what, longest);
    }
}

Test(flows, ports_of_one_host_spread)
{
    unsigned longest = longest_chain(one_host, true, false);
    cr_expect_leq(longest, 6, "a chain of %u", longest);
}

Test(flows, the_same_port_of_two_protocols_is_not_in_the_same_place)
{
    unsigned longest = longest_chain(one_host, true, true);
    cr_expect_leq(longest, 6, "a chain of %u", longest);
    unsigned together = 0;
    for (uint16_t port = 1; port <= 1000; port++)
        together += bucket_of(IP_PROTO_TCP, "192.0.2.1", port) ==
                    bucket_of(IP_PROTO_UDP, "192.0.2.1", port);
    cr_expect_leq(together, 2, "1000 in 65,536: 0.015 on average");
}

Test(flows, neighbours_lie_side_by_side)
{
    static const char *const networks[] = {"10.1.2.", "198.51.100.", "2001:db8::4:"};
    for (size_t i = 0; i < sizeof networks / sizeof *networks; i++) {
        char text[64];
        size_t first = 0;
        for (unsigned n = 0; n < 256; n++) {
            if (i < 2)
                (void)snprintf(text, sizeof text, "%s%u", networks[i], n);
            else
                (void)snprintf(text, sizeof text, "%s%x", networks[i], n);
            size_t bucket = bucket_of(IP_PROTO_UDP, text, 53);
            first = n == 0 ? bucket : first;
            cr_expect_eq(bucket, (first + n) % BUCKETS, "%s", text);
        }
    }
}
