/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A tiny network in virtual time that an engine is driven over.
 *
 * A test gives the rule: what becomes of each probe. The rule schedules answers with the functions
 * below; they are whole packets and arrive through packet_decode(). All that was sent is kept with
 * what became of it, and what holds for every run is checked on the way: each record is of a probe
 * that was sent, each probe ends once, nothing is said after the end, the engine never stalls.
 *
 * The network is a straight path: router k is 10.k.0.1, one way to it takes k * hop_ns, and the
 * target stands at distance. Times are nanoseconds from 0.
 */
#ifndef TESTS_ENGINE_FAKE_NET_H
#define TESTS_ENGINE_FAKE_NET_H

#include "base/heap.h"
#include "engine/engine.h"
#include "engine/tally.h"
#include "wire/tcp.h"

enum {
    NET_PACKET_BYTES = 200,
    NET_PORT = 1000,     /* destination port of service 0; that of service n is n more, or the same
                          */
    NET_OWN_PORT = 4000, /* source port or identifier of service 0, likewise */
};

static const sonde_ns MS = SONDE_NS_PER_MS;
static const sonde_ns S = SONDE_NS_PER_S;

/** A probe and what became of it. */
struct net_probe {
    uint32_t target;
    uint32_t service;
    uint8_t ttl;
    sonde_ns sent_ns;
    uint16_t size_bytes; /* this and the next two as they left, which its record has to say */
    uint8_t ecn;
    bool dont_fragment;
    bool is_blind; /* a host drops it unread, so that only routers on the way answer it */
    bool ended;
    bool unawaited; /* nobody knows whether it would have been answered */
    uint32_t cycle; /* this and what follows is known of one that ended */
    bool to_target;
    uint8_t question;
    bool uncertain;
    enum sonde_outcome outcome;
    sonde_ns rtt_ns;
    struct sonde_addr from;
    int error;
    sonde_ns ended_ns; /* when the test learned of it */
    unsigned late;
    unsigned duplicates;
    size_t before; /* 1 + index of the probe to the same target before this; 0 = none */
};

struct net_arrival {
    size_t len;
    uint8_t bytes[NET_PACKET_BYTES];
};

struct net {
    struct engine *engine;
    struct engine_run *run; /* its only one */
    struct tally *tally;    /* of that */
    struct engine_plan plan;
    sonde_ns now;
    uint32_t target_count;
    uint32_t service_count; /* of the target added last */
    enum sonde_family family;

    /* the path, and what becomes of a probe */
    uint8_t distance;
    sonde_ns hop_ns;
    size_t quote_len; /* bytes of the segment that routers quote */
    uint32_t serial;  /* sequence number of the next SYN-ACK */
    void (*on_probe)(struct net *net, const struct sonde_tx *tx);
    int (*on_send)(struct net *net, const struct sonde_tx *tx); /* NULL: all can be sent */
    void (*on_event)(struct net *net, const struct sonde_event *event);
    int (*on_release)(struct net *net, const struct sonde_tx *tx); /* likewise, of what takes an
                                                                      attempt back */
    uint64_t seen;                                                 /* for the rules' own use */
    bool other_port; /* UDP services that are added answer from another port than is asked */
    bool repeats;    /* they answer several times */
    bool reads_late; /* arrivals are stamped when they are delivered, and by nobody else */
    bool nameless;   /* nothing names a probe of services that are added */
    enum probe_naming naming[2]; /* what answers of added services name: of modules whose answers
                                    name an attempt [1], of others [0] */
    const struct sonde_probe_ops *module; /* of the test's own, which services may name, too */
    bool one_port;                        /* services that are added have the same port */
    const struct payload_ops *payload;    /* what UDP services that are added are asked first */

    bool open; /* the engine may wait for targets that are to come */

    bool forgetful; /* keeps counts only, for long runs */
    struct net_probe *probes;
    size_t probe_count;
    size_t probe_cap;
    size_t *last_probe; /* [plan.targets], 1 + index of the last; 0 = none */
    uint32_t batch;     /* probes taken at once */
    uint64_t sent;      /* left, or were refused for good */
    uint64_t ended;
    uint64_t events;
    uint64_t releases; /* attempts taken back */

    struct net_arrival *arrivals; /* under way at once: 2048, and 64 more for each target */
    uint32_t *free_arrivals;
    uint32_t free_count;
    struct heap queue;
    unsigned stalls; /* turns in which nothing was done since time moved on */
};

/** @return One target, one cycle, 1 s interval, 2 s timeout, TTL 1 to 30, gap 8. */
struct engine_plan net_plan(void);

/** Make an engine with a run, and a network of distance 5, 2 ms a hop, in which everything is open.
 */
struct net *net_new(const struct engine_plan *plan);

/** Likewise. @param rate_pps  That is asked for. */
struct net *net_new_at(const struct engine_plan *plan, uint32_t rate_pps);

/** Free both, having checked that a complete run has left no probe without an outcome. */
void net_free(struct net *net);

/** Add a target with a service for each word of @p services, which are names of modules; one with a
 *  '+' in front stands by. */
void net_add(struct net *net, const char *services);

/** @return The address of a target, and of a router. */
struct sonde_addr net_target_addr(const struct net *net, uint32_t target);
struct sonde_addr net_router_addr(const struct net *net, unsigned ttl);

/** @return The target, or service, that a probe belongs to. */
uint32_t net_target_of(const struct sonde_tx *tx);
uint32_t net_service_of(const struct sonde_tx *tx);

/** Do all that is due now: deliver, expire, send, as the vantage's loop does. */
void net_turn(struct net *net);

/** Run on until @p until, or the end. */
void net_run_until(struct net *net, sonde_ns until);

/** Run to the end, which must come within an hour of virtual time. */
void net_run(struct net *net);

/** Schedule a packet that was written into an arrival's bytes. */
void net_arrive(struct net *net, const struct wr *wr, sonde_ns delay_ns);

/* Rules, and parts of them. Delays count from now. */

/** The straight path with everything open; the rule of net_new(). */
void net_open_path(struct net *net, const struct sonde_tx *tx);

/** Nobody answers. */
void net_silent(struct net *net, const struct sonde_tx *tx);

/** @return true if the probe expires on the way, having scheduled the router's answer, or if it is
 * one that a host drops unread, since its checksum is wrong. */
bool net_expires(struct net *net, const struct sonde_tx *tx);

/** @return true if a host drops this, since its checksum is wrong. */
bool net_is_blind(const struct sonde_tx *tx);

/** @return true if this is a full-TTL probe; max_ttl has to be less than what these leave with. */
bool net_is_full(const struct sonde_tx *tx);

/** @return The round-trip time to the target. */
sonde_ns net_rtt(const struct net *net);

/** The target answers: an echo reply, a SYN-ACK with timestamps, an INIT ACK, a UDP echo. */
void net_reply(struct net *net, const struct sonde_tx *tx, sonde_ns delay_ns);

/** The target sends a TCP segment. */
void net_tcp(struct net *net, const struct sonde_tx *tx, sonde_ns delay_ns,
             const struct tcp_header *tcp);

/** The target has nothing there: RST, ABORT or port unreachable. */
void net_refuse(struct net *net, const struct sonde_tx *tx, sonde_ns delay_ns);

/** Router @p ttl (0: the target) sends an ICMPv4 error, translated if the network is IPv6. */
void net_error(struct net *net, const struct sonde_tx *tx, sonde_ns delay_ns, unsigned ttl,
               uint8_t type, uint8_t code);

/** @return How many probes of a service (UINT32_MAX: any) and TTL (0: any) went to hops, or to the
 *  target. Only of those that ended with an outcome. */
size_t net_count(const struct net *net, uint32_t service, uint8_t ttl, bool to_target);

/** @return How many probes ended so. */
size_t net_outcomes(const struct net *net, enum sonde_outcome outcome);

/** @return How many arrivals answered nothing, for whatever reason. */
uint64_t net_discards(const struct net *net);

/** @return Packets that ended no probe, of the run and of nobody. */
struct engine_discards net_discard_counts(const struct net *net);

/** @return How many probes were in flight when the run was over, and not awaited. */
size_t net_unawaited(const struct net *net);

#endif
