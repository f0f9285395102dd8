/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the kernel knows of the way to a target and of the neighbours on it: rtnetlink(7). Nothing
 * of it takes privilege.
 */
#ifndef IO_LINUX_WAY_H
#define IO_LINUX_WAY_H

#include "wire/packet.h"

/** The first step of a way. */
struct way {
    bool is_here;              /* the target is this machine itself */
    unsigned interface;        /* index of the interface that packets leave by */
    struct sonde_addr gateway; /* who they go to; no address: the target is a neighbour */
};

/**
 * Ask the routing table.
 * @param flow       src and dst count.
 * @param interface  Index of the only one to send through; 0 = any.
 * @return 0; a negative errno: there is no way, or it cannot be found out.
 */
SONDE_MUST_CHECK int way_find(const struct sonde_flow *flow, unsigned interface,
                              struct way *ret_way);

enum { WAY_LOOPBACK = 1 /* index of the loopback interface: the kernel's LOOPBACK_IFINDEX */ };

/** Packets that went through an interface so far. */
struct way_counts {
    uint64_t received;
    uint64_t sent; /* hardware may count late */
};

/** Count packets. @return 0; a negative errno. */
SONDE_MUST_CHECK int way_count(unsigned interface, struct way_counts *ret_counts);

enum way_neighbour_state {
    WAY_NEIGHBOUR_UNKNOWN,   /* nobody has asked for it */
    WAY_NEIGHBOUR_ASKED,     /* it has not answered yet */
    WAY_NEIGHBOUR_FAILED,    /* nor in the time that it had: arp(7) */
    WAY_NEIGHBOUR_ANSWERING, /* its link address is known */
};

enum { WAY_LINK_BYTES = 6 /* of an Ethernet address */ };

struct way_neighbour {
    enum way_neighbour_state state;
    bool has_link_addr;
    uint8_t link_addr[WAY_LINK_BYTES];
};

/**
 * Ask what is known of a neighbour.
 * @return 0; a negative errno: it cannot be found out.
 */
SONDE_MUST_CHECK int way_find_neighbour(const struct sonde_addr *addr, unsigned interface,
                                        struct way_neighbour *ret_neighbour);

#endif
