/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is true of a simulated network, worked out from its scenario alone: which ways a service's
 * probes take, what becomes of them on each, and who is the cause.
 *
 * Which of several alternatives a flow takes is a hash that nobody outside the simulator knows. So
 * one of the flow's own probes is sent at every TTL into a copy of the network in which every node
 * answers: the engine has no part in that.
 */
#ifndef TESTS_PROPERTY_TRUTH_H
#define TESTS_PROPERTY_TRUTH_H

#include "io/sim/network.h"

enum {
    TRUTH_NODES_MAX = 64, /* of a way, there or back */
    TRUTH_WAYS_MAX =
        96, /* of a service: flows, times epochs, times what is chosen packet by packet */
};

/** What becomes of probes that are meant to reach the target, and of the answers to them. */
enum fate_kind {
    FATE_ANSWERED, /* the host answers that the service is there */
    FATE_CLOSED,   /* the host answers that nothing is */
    FATE_SILENT,   /* there is no answer */
    FATE_REJECTED, /* a node says that it refuses */
    FATE_RESET,    /* a node resets in the target's name */
    FATE_FAKED,    /* a node answers in the target's name */
    FATE_LOOP,     /* they go round until their TTL runs out */
};

/** One way, and what becomes of probes on it. */
struct way {
    uint16_t nodes[TRUTH_NODES_MAX]; /* as the scenario numbers them; who answers last, but in a
                                        loop */
    uint32_t len;
    sonde_ns from_ns; /* since when it is taken */
    uint32_t loop_at; /* place from which on it repeats; equal to len: it does not */
    uint32_t host;    /* place of the host: the last, or the one before if it passes the port on */
    const struct sim_path *back; /* the way back from the host; NULL: as they came */
    enum fate_kind fate;
    uint32_t end;   /* place where the probes end; of a loop, loop_at */
    uint32_t place; /* of who is the cause: there, or where their answers end */
    uint64_t mute;  /* places of nodes whose ICMP errors do not get back; bit 0 is the first */
    bool is_back;   /* it takes answers of the target, not probes */
    bool rationed;  /* the cause says so by an ICMP error that may be missing, by its rate limit */
    bool limited;   /* only so many of the probes get on, by a limit */
    bool dead; /* the node before the end says, when it has looked for it, that nobody is there */
    uint8_t code;   /* of FATE_REJECTED */
    uint64_t lossy; /* places where packets are lost so; bit 0 is the first */
    double loss;    /* by chance or in patterns, there and back, where there is no other cause */
    bool bursty;    /* it comes in bursts */
};

/** All ways of one service during a run. */
struct truth {
    struct way ways[TRUTH_WAYS_MAX];
    uint32_t count;
};

/** What a service's probes are like; taken from the first that was sent. */
struct truth_flow {
    struct sonde_flow flow;
    uint8_t bytes[64]; /* the transport header, and some of the payload */
    size_t len;
};

/**
 * Find out about one flow of a service, and add it to what is true of the service.
 * @param scenario  As it was parsed, not in motion.
 * @param clean     The same in motion, made with truth_clean().
 * @param until_ns  When the last probe left: what happens to the path after that does not count.
 */
void truth_find(const struct sim_scenario *scenario, struct sim_network *clean,
                const struct truth_flow *flow, sonde_ns until_ns, struct truth *ret_truth);

/** Make every node of a scenario answer, and nothing be in the way: but balancing by flow stays. */
void truth_clean(struct sim_scenario *scenario);

/**
 * @param ttl  At which the node answers. A host that passes its port on answers in the target's
 * name as well as the machine behind it does.
 * @return The place of the node with this address on a way; UINT32_MAX if it is not on it.
 */
uint32_t truth_place(const struct sim_scenario *scenario, const struct way *way,
                     const struct sonde_addr *addr, uint8_t ttl);

/**
 * List the nodes that a packet passes on its way back from a place.
 * @param ret_nodes  [TRUTH_NODES_MAX] receives them, that of the place not among them.
 * @return How many.
 */
uint32_t truth_back(const struct way *way, uint32_t place, uint16_t *ret_nodes);

/** @return true if the ICMP errors of the node at a place get back. */
static inline bool truth_is_heard(const struct way *way, uint32_t place)
{
    return (way->mute >> place & 1) == 0;
}

/** @return true if a node quotes so little that nobody knows by it what a translation has changed.
 */
bool truth_is_unclear(const struct sim_scenario *scenario, const struct sim_node *node);

/** @return true if packets are spread over several ways. */
bool truth_is_split(const struct truth *truth);

/** @return true if they are, and it depends on the way what becomes of them. */
bool truth_is_spread(const struct truth *truth);

/** @return true if some way ends so. */
bool truth_has(const struct truth *truth, enum fate_kind fate);

#endif
