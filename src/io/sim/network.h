/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A scenario in motion: packets travel from node to node, event by event, in the scenario's time.
 *
 * Real bytes travel: probes are encoded as they would be for a socket, routers quote what they
 * got, and what comes back goes through the same decoders as a packet from a raw socket.
 */
#ifndef IO_SIM_NETWORK_H
#define IO_SIM_NETWORK_H

#include "base/heap.h"
#include "base/prng.h"
#include "io/sim/scenario.h"
#include "io/transport.h"
#include "wire/packet.h"
#include "wire/tcp.h"

enum {
    SIM_PACKETS_MAX = 1 << 16,              /* travelling at once */
    SIM_PACKET_BYTES = IO_PACKET_MAX + 100, /* a translator makes packets longer */
    SIM_HALF_OPEN_LISTS = 256, /* of the connection attempts that hosts remember, by hash */
    SIM_AT_VANTAGE = -1,       /* place of a packet that has come back */
    SIM_NATS_MAX = 8,          /* translators on a way */
};

/** The nodes that a packet passes, from the one next to the vantage on. */
struct sim_route {
    uint16_t len;
    uint16_t nodes[SIM_ROUTE_MAX];
};

/** What a translator did to a packet. */
struct sim_translation {
    uint16_t node;
    struct sonde_addr src; /* before */
};

/** What happens to a packet when its time has come. */
enum sim_errand {
    SIM_TRAVELS,  /* it reaches a node, or goes on there; or it is back at the vantage */
    SIM_UNOPENED, /* it is a SYN that a host has answered, whose connection is half-open still */
    SIM_UNFOUND,  /* whom it is for cannot be found from where it is */
};

/** A packet on its way. */
struct sim_packet {
    enum sim_errand errand;
    bool aside;             /* a kernel sends it by itself: no probe, and no answer to one */
    bool damaged;           /* its checksum was wrong when it was sent: hosts do not take it */
    bool back;              /* on the way to the vantage */
    int at;                 /* place on the route that it reaches next; SIM_AT_VANTAGE */
    uint16_t host;          /* that it is sent to, or that its probe was */
    struct sim_route route; /* the host last */
    bool routed;            /* has passed the TTL check of the node that it is at */
    uint32_t next_rule;     /* those before it have been applied to it, at this node */
    /* What was done to it, or to the packet that it answers: undone from the last to the first. */
    uint16_t nat_count;
    struct sim_translation nats[SIM_NATS_MAX];
    size_t len;
    uint8_t bytes[]; /* from the IP header on */
};

struct sim_network {
    struct sim_scenario *scenario; /* borrowed; rules and limits keep their state in it */
    struct prng prng;
    struct prng aside_prng; /* for packets that are aside, so that they leave others' luck alone */
    uint32_t refused_mtu_bytes; /* of the first link, if the packet sent last was too big for it */
    struct heap heap;
    struct sim_packet **packets; /* [SIM_PACKETS_MAX], by heap id */
    uint32_t *free_ids;          /* a stack of those that were used before */
    uint32_t free_count;
    uint32_t ids_used; /* so far; ids from here on are free, too */
    struct sim_half_open *half_open[SIM_HALF_OPEN_LISTS]; /* see tcp.c */
};

/**
 * Put a scenario in motion.
 * @param scenario  Borrowed for as long as the network lives.
 * @return 0; -ENOMEM with nothing allocated.
 */
SONDE_MUST_CHECK int network_init(struct sim_network *network, struct sim_scenario *scenario);

/** Free all packets. */
void network_deinit(struct sim_network *network);

/**
 * Send a probe from the vantage at @p now.
 * @return 0; -ENOBUFS if too many packets are travelling; -EHOSTUNREACH if there is no such host;
 *  -EMSGSIZE if the first link takes only refused_mtu_bytes; whatever a rule says.
 */
SONDE_MUST_CHECK int network_send(struct sim_network *network, const struct sonde_tx *tx,
                                  sonde_ns now);

/** @return When the next thing happens; SONDE_NS_NEVER if nothing travels. */
sonde_ns network_next_ns(const struct sim_network *network);

/**
 * Let time pass until a packet has come back, or nothing is left to happen by @p now.
 * @param ret_time  When it came back.
 * @return The packet, to be freed with free(); NULL if none came back.
 */
struct sim_packet *network_run(struct sim_network *network, sonde_ns now, sonde_ns *ret_time);

/** @return The index of the host with this address; UINT32_MAX if there is none. */
uint32_t network_find_host(const struct sim_scenario *scenario, const struct sonde_addr *addr);

/* Between the files of the simulator. */

/** @return What decides by chance about a packet. */
struct prng *network_prng(struct sim_network *network, const struct sim_packet *packet);

/** Let a packet wait until a time, for its errand. @return Its id; UINT32_MAX if there is no room:
 *  it is gone then. */
uint32_t network_wait(struct sim_network *network, struct sim_packet *packet, sonde_ns time);

/** Let a packet that waits do so until another time. */
void network_defer(struct sim_network *network, uint32_t id, sonde_ns time);

/** Take a packet that waits out of the network. @return The packet, owned by the caller. */
struct sim_packet *network_take(struct sim_network *network, uint32_t id);

/** @return A copy of a packet, to be freed or sent; NULL if memory ran out. */
struct sim_packet *network_dup(const struct sim_packet *packet);

/** Send a packet of the vantage's kernel, as network_send() does. */
SONDE_MUST_CHECK int network_send_aside(struct sim_network *network, const struct sonde_tx *tx,
                                        sonde_ns now);

/** What a rule made of a packet. */
enum sim_fate {
    SIM_PASS,
    SIM_GONE, /* dropped, or held and travelling again later */
};

/** Apply the rules of a node to a packet. */
enum sim_fate rules_apply(struct sim_network *network, uint32_t node, bool prerouting,
                          struct sim_packet *packet, sonde_ns now);

/** @return 0 if the vantage can send a packet; else the negative errno that a rule says. */
int rules_fail(struct sim_network *network, const struct sim_packet *packet, sonde_ns now);

/** A host got a packet: answer it as the scenario says. */
void host_receive(struct sim_network *network, uint32_t index, const struct sim_packet *packet,
                  sonde_ns now);

/**
 * Send a packet back to where @p packet came from.
 * @param node      Where it starts; a node on the packet's route.
 * @param ip        src and ttl, protocol; dst is set here.
 * @param segment   What it carries, checksum 0; the checksum is put in here.
 */
void network_reply(struct sim_network *network, uint32_t node, const struct sim_packet *packet,
                   struct ip_header *ip, struct sonde_span segment, sonde_ns now);

/** Let a copy of a packet go on at another time, from where the packet is: behind the rule that is
 * being applied to it. */
void network_copy(struct sim_network *network, const struct sim_packet *packet, sonde_ns time);

/* error.c */

/** Count one more. @return true if it is within the limit. */
bool limit_allows(struct sim_limit *limit, sonde_ns now);

/** Send an ICMP error about @p packet from the node at @p index (SIM_NODE_VANTAGE: from the vantage
 * to itself), if it sends any and its limit allows. */
void network_error(struct sim_network *network, uint32_t index, const struct sim_packet *packet,
                   uint8_t type, uint8_t code, sonde_ns now);

/** Does the link to the next node on a packet's way there take it? If not, the node at @p index
 * says so. */
bool network_fits(struct sim_network *network, uint32_t index, const struct sim_packet *packet,
                  sonde_ns now);

/** The host at @p index says that it does not have the protocol of a packet: RFC 1122 §3.2.2.1,
 *  RFC 8200 §4. */
void network_lacks_protocol(struct sim_network *network, uint32_t index,
                            const struct sim_packet *packet, sonde_ns now);

/** @return The default code of a reject: administratively prohibited. */
uint8_t network_reject_code(const struct sim_packet *packet, int code);

/* host.c */

/** @return The port of a node that answers a question; NULL if none does. */
const struct sim_port *host_find_port(const struct sim_node *node, uint8_t protocol, uint16_t port,
                                      struct sonde_span question);

/** @return The host that a host passes a packet on to; UINT32_MAX if it keeps it. */
uint32_t host_passes_on(const struct sim_node *node, const struct sim_packet *packet);

/** @return What the answers of a port begin with. @param port  NULL = the node has no such port. */
uint8_t host_initial_ttl(const struct sim_node *node, const struct sim_port *port);

/** @return The source address of what a host sends that was asked at an address. */
struct sonde_addr host_source(const struct sim_node *node, const struct sonde_addr *asked);

/* tcp.c */

/** A host got a TCP segment: answer it as its port does. */
void tcp_receive(struct sim_network *network, uint32_t index, const struct sim_packet *packet,
                 sonde_ns now);

/** A device answers a segment in the target's name, as its rule says: as an open port does, or as a
 * closed one. */
void tcp_answer(struct sim_network *network, const struct sim_rule *rule,
                const struct sim_packet *packet, sonde_ns now);

/** The time of a SYN has come whose connection is half-open. @param packet  Owned from here on. */
void tcp_timeout(struct sim_network *network, struct sim_packet *packet, sonde_ns now);

/** The vantage got a packet: if it is a TCP segment, its kernel resets it. */
void tcp_reset(struct sim_network *network, const struct sim_packet *packet, sonde_ns now);

/** Forget all connections. */
void tcp_forget(struct sim_network *network);

/* sctp.c */

/** A host got an SCTP packet: if it is an INIT, answer it as its port does. */
void sctp_receive(struct sim_network *network, uint32_t index, const struct sim_packet *packet,
                  sonde_ns now);

/** A device answers an INIT in the target's name, as tcp_answer() does a segment. */
void sctp_answer(struct sim_network *network, const struct sim_rule *rule,
                 const struct sim_packet *packet, sonde_ns now);

/* route.c */

/** Lay out the way of a probe to its host: its route is set. */
void route_there(struct sim_network *network, struct sim_packet *packet, sonde_ns now);

/** @return The place where a node first stands on a packet's route; that of the last node if it
 *  does not: replies take no detour through a loop. */
int route_place(const struct sim_packet *packet, uint32_t node);

/** @return true if a node is behind the host that a packet is sent to, which has passed it on. */
bool route_is_behind(const struct sim_packet *packet, uint32_t node);

/** Let a packet go on from the last node of its route to another. @return false: it is too long. */
bool route_extend(struct sim_packet *packet, uint32_t node);

/**
 * Lay out the way back of a reply from a node.
 * @param reply  With its bytes, and with the route of what it answers; its route and place are set.
 */
void route_back(struct sim_network *network, uint32_t node, struct sim_packet *reply, sonde_ns now);

/* reply.c */

/** Write the answer that a template makes of a question. @return 0; -EINVAL: it is no template. */
SONDE_MUST_CHECK int reply_write(const char *reply, struct sonde_span question, struct wr *wr);

/** @return true if a question has all that a pattern wants. @param only  One that is a pattern. */
bool question_fits(const char *only, struct sonde_span question);

/** @return true if a string is a pattern of questions; an empty one is, and fits all. */
bool question_is_pattern(const char *only);

/* bytes.c: changes to the bytes of a packet */

/** Decode a travelling packet. @return false if it is beyond recognition. */
bool bytes_decode(const struct sim_packet *packet, struct ip_header *ret_ip);
/** Count the TTL down by one. */
void bytes_decrement_ttl(struct sim_packet *packet);
/** Translate the source (or, on the way back, the destination) address and port. */
void bytes_translate(struct sim_packet *packet, const struct sonde_addr *addr, uint16_t port_shift);
/** Keep only the first @p keep bytes behind the IP header. */
void bytes_truncate(struct sim_packet *packet, size_t keep);
/** Change what carries the token. */
void bytes_forge(struct sim_packet *packet);
/** @return true if the checksum of a TCP segment or SCTP packet is right; of others it is not
 * looked at. */
bool bytes_is_intact(const struct sonde_tx *tx);

/** Put the checksum of @p protocol into a segment. */
void bytes_checksum(uint8_t *segment, size_t len, uint8_t protocol, const struct sonde_addr *src,
                    const struct sonde_addr *dst);

#endif
