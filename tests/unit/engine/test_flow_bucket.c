/* SPDX-License-Identifier: BSD-2-Clause */
/* How flows spread over the buckets that arrivals are looked up in. */
#include "engine/internal.h"
#include "wire/ip.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

enum { FLOWS = 10000 };

static struct engine *engine_of_flows(void)
{
    const struct engine_config config = {
        .targets = FLOWS,
        .traces = FLOWS,
        .cycles = 1,
        .interval_ns = SONDE_NS_PER_S,
        .timeout_ns = SONDE_NS_PER_S,
        .first_ttl = 1,
        .max_ttl = 1,
        .gap_limit = 1,
    };
    struct engine *engine = NULL;
    cr_assert_eq(engine_new(&config, &engine), 0);
    return engine;
}

static size_t bucket_of(const struct engine *engine, const char *text, uint16_t port)
{
    struct sonde_addr addr;
    cr_assert_eq(sonde_addr_parse(text, &addr), 0, "%s", text);
    return (size_t)(flow_bucket(engine, IP_PROTO_TCP, &addr, port) - engine->flow_buckets);
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

/* 10,000 flows and 65,536 buckets. Spread at random, a bucket holds k of them with a probability of
 * 0.153^k / k! * e^-0.153: more than 6 in any bucket once in 40,000 tables. Runs of 256 addresses
 * in 40 random places overlap as seldom. */
Test(flow_bucket, address_plans_spread)
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
    struct engine *engine = engine_of_flows();
    cr_assert_eq(engine->flow_bucket_count, 65536);
    for (size_t i = 0; i < sizeof plans / sizeof *plans; i++) {
        uint8_t *chains = calloc(engine->flow_bucket_count, 1);
        unsigned longest = 0;
        cr_assert_not_null(chains);
        for (unsigned n = 0; n < FLOWS; n++) {
            char text[64];
            plans[i].plan(n, text);
            uint8_t *chain = &chains[bucket_of(engine, text, 443)];
            *chain = (uint8_t)(*chain + (*chain < UINT8_MAX));
            longest = *chain > longest ? *chain : longest;
        }
        cr_expect_leq(longest, 6, "%s: a chain of %u", plans[i].what, longest);
        free(chains);
    }
    engine_free(engine);
}

Test(flow_bucket, ports_of_one_host_spread)
{
    struct engine *engine = engine_of_flows();
    uint8_t *chains = calloc(engine->flow_bucket_count, 1);
    unsigned longest = 0;
    cr_assert_not_null(chains);
    for (unsigned n = 0; n < FLOWS; n++) {
        uint8_t *chain = &chains[bucket_of(engine, "192.0.2.1", (uint16_t)(n + 1))];
        *chain = (uint8_t)(*chain + (*chain < UINT8_MAX));
        longest = *chain > longest ? *chain : longest;
    }
    cr_expect_leq(longest, 6, "a chain of %u", longest);
    free(chains);
    engine_free(engine);
}

Test(flow_bucket, neighbours_lie_side_by_side)
{
    static const char *const networks[] = {"10.1.2.", "198.51.100.", "2001:db8::4:"};
    struct engine *engine = engine_of_flows();
    for (size_t i = 0; i < sizeof networks / sizeof *networks; i++) {
        char text[64];
        size_t first = 0;
        for (unsigned n = 0; n < 256; n++) {
            if (i < 2)
                (void)snprintf(text, sizeof text, "%s%u", networks[i], n);
            else
                (void)snprintf(text, sizeof text, "%s%x", networks[i], n);
            size_t bucket = bucket_of(engine, text, 53);
            first = n == 0 ? bucket : first;
            cr_expect_eq(bucket, (first + n) % 65536, "%s", text);
        }
    }
    engine_free(engine);
}
