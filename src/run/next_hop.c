/* SPDX-License-Identifier: BSD-2-Clause */
/* What the kernel knows of who packets to a target are given to. */
#include "base/time.h"
#include "io/linux/way.h"
#include "run/internal.h"

#include <string.h>

/* The kernel gives up a neighbour that has not answered for so long: arp(7); RFC 4861 §10. */
static const sonde_ns RESOLUTION_NS = 3 * SONDE_NS_PER_S;

/* Is a neighbour silent to the kernel's questions? One that failed is asked again for later probes.
 */
static bool is_silent(const struct sonde_run *run, enum way_neighbour_state state)
{
    return state == WAY_NEIGHBOUR_FAILED ||
           (state == WAY_NEIGHBOUR_ASKED &&
            ns_sub(ns_min(run->end_ns, run->vantage->now_ns), run->start_ns) >= RESOLUTION_NS);
}

/* The name of a program that stands for a network, known by the link address that it makes up;
 * NULL if it is none. libslirp, which slirp4netns and QEMU use, writes the address into it. */
static const char *find_user_mode(const struct sonde_addr *addr,
                                  const struct way_neighbour *neighbour)
{
    static const uint8_t passt[WAY_LINK_BYTES] = {0x9a, 0x55, 0x9a, 0x55, 0x9a, 0x55};
    bool ipv6 = addr->family == SONDE_FAMILY_IPV6;
    const uint8_t slirp[WAY_LINK_BYTES] = {
        0x52,
        ipv6 ? 0x56 : 0x55,
        addr->bytes[ipv6 ? 12 : 0],
        addr->bytes[ipv6 ? 13 : 1],
        addr->bytes[ipv6 ? 14 : 2],
        addr->bytes[ipv6 ? 15 : 3],
    };
    if (!neighbour->has_link_addr)
        return NULL;
    if (memcmp(neighbour->link_addr, slirp, sizeof slirp) == 0)
        return "slirp";
    return memcmp(neighbour->link_addr, passt, sizeof passt) == 0 ? "passt" : NULL;
}

struct run_next_hop run_ask_next_hop(const struct sonde_run *run, const struct run_target *target)
{
    const struct run_next_hop unknown = {.silent = false};
    struct run_next_hop found = unknown;
    const struct sonde_flow flow = {.src = target->source, .dst = target->addr};
    struct way_neighbour neighbour;
    struct way way;
    if (run->vantage->kind == SONDE_TRANSPORT_SIMULATED || way_find(&flow, 0, &way) < 0 ||
        way.is_here || if_indextoname(way.interface, found.interface) == NULL)
        return unknown;
    bool is_neighbour = way.gateway.family == SONDE_FAMILY_NONE;
    const struct sonde_addr *addr = is_neighbour ? &target->addr : &way.gateway;
    if (way_find_neighbour(addr, way.interface, &neighbour) < 0)
        return unknown;
    found.addr = *addr;
    found.silent = is_silent(run, neighbour.state);
    found.user_mode = is_neighbour ? NULL : find_user_mode(addr, &neighbour);
    return found;
}
