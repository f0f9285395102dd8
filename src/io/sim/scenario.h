/* SPDX-License-Identifier: BSD-2-Clause */
/* clang-format off */
/*
 * A scenario: a network described in a text file. One statement a line, words separated by blanks,
 * "#" begins a comment. Durations take a unit (ns us ms s), times count from the start of the run.
 *
 *   seed N                              the same seed, the same run
 *   start 2026-11-22T17:41:15Z          what the wall clock says at the start
 *   vantage NAME ADDRESS... [interface=NAME]
 *   router NAME ADDRESS... [OPTION...]  at most one address of each family
 *   host NAME ADDRESS... [OPTION...] [PORT=STATE...]
 *       delay=D jitter=D    of the link that leads to the node, each way; jitter is added, uniform
 *       mtu=N               of that link, on the way there; who stands before it says what is too
 *                           big: IPv6, or IPv4 that may not be divided
 *       silent              sends no ICMP errors (a host: answers no echo either)
 *       limit=N[/D] burst=N ICMP errors a second (or in D), and at once
 *       ttl=N               initial TTL of what it sends (default 64, routers 255)
 *       quote=N             bytes of the transport header that its errors quote (default: all)
 *       mpls=L[/TC[/TTL]],… label stack in its errors; legacy: without a length attribute
 *       ifname=NAME         interface information in its errors
 *       from=ADDRESS        the source of what it sends
 *       tcp:443=open udp:53=dns …       tcp: open closed silent; udp: echo answer dns closed silent
 *       sctp:3868=open …                open closed silent; absent: it has no SCTP, and says so
 *       tcp:179=open/255                the initial TTL of this port's answers, if not the host's
 *       udp:53=reply:[0+2]8180…         answers with these bytes; [N+M]: M of the question, from N
 *       udp:53=dns?12:07…..00           only questions that have these bytes from 12 on, ".." being
 *                                       any; *:07… anywhere. Several ?, and the port several times:
 *                                       the first that fits answers; if none does, it is silent
 *       tcp:8080=to:HOST                passed on to that host, which answers in this one's name
 *       dead                nobody has the address: the router before it, or the vantage, looks for
 *                           it for 3 s, then says host unreachable to all who wait, and begins anew
 *       no-timestamps       its SYN-ACKs have no timestamp option
 *       stateless           it remembers no half-open connection: SYN cookies, a SYN proxy
 *   path HOST NODE... [loop NODE...]    the way there, without the host itself;
 *                                       { a | b c } splits by flow, { a | b c }! packet by packet;
 *                                       an alternative may be empty, or contain groups
 *   back HOST NODE...                   the way back from the host, if it is another: in the order
 *                                       of travel, with groups as on a path. A delay is that of the
 *                                       link from a node towards the vantage. What a router sends
 *                                       takes the part behind it; a router that is not on it sends
 *                                       it the way that the probe came
 *   at TIME path|back HOST NODE...      the way there or back from TIME on
 *   rule NODE ACTION WHAT [OPTION...]
 *       ACTION: drop reject reset answer duplicate truncate=N forge hold=D
 *       fail=ERRNO                      only at the vantage: sending fails there, as with EPERM,
 *                                       EACCES, ENETUNREACH, EHOSTUNREACH or ENOBUFS
 *       WHAT: any icmp error tcp[:PORT] syn[:PORT] udp[:PORT] sctp[:PORT]
 *       hook=prerouting|forward         before or behind the TTL check (default forward)
 *       dir=out|back                    towards the host (default) or back
 *       code=N                          of a reject (default: administratively prohibited)
 *       ttl=N                           initial TTL of a reset or an answer (default: the node's)
 *       mask=0110…                      only where the mask, taken round and round, has a 1; what
 *                                       kernels send by themselves (tcp.c) meets any of its bits
 *       chance=N%                       only so often
 *       bursts=D/D                      only in bursts: mean length of a burst and of a pause, both
 *                                       exponential (Gilbert's and Elliott's model, in time); with
 *                                       chance=N% only some packets of a burst
 *       limit=N[/D] burst=N             only what exceeds N a second (or in D), and so many at once
 *       from=TIME until=TIME            only then
 *   nat NODE ADDRESS [port=+N]          source translation; quotes are not translated back
 *   resolve NAME ADDRESS... [delay=D]   what the name means, and how long looking it up takes
 *   name ADDRESS NAME                   the name of an address
 */
/* clang-format on */
#ifndef IO_SIM_SCENARIO_H
#define IO_SIM_SCENARIO_H

#include "base/span.h"

#include <sonde/extension.h>
#include <sonde/types.h>

enum {
    SIM_NAME_BYTES = 64,
    SIM_TEXT_BYTES = 256,
    SIM_MASK_BITS = 64,
    SIM_ROUTE_MAX = 256, /* nodes on a path: more than any TTL */
    SIM_DEFAULT_BURST = 1,
};
static const uint32_t SIM_NODE_VANTAGE = UINT32_MAX;

/** So many in a time, and so many at once. */
struct sim_limit {
    sonde_ns interval_ns; /* from one to the next; 0 = no limit */
    uint32_t burst;
    sonde_ns earned_ns; /* GCRA, while running */
};

/** What a port does. */
enum sim_port_state {
    SIM_PORT_SILENT,
    SIM_PORT_CLOSED,
    SIM_PORT_OPEN,   /* TCP: SYN-ACK; SCTP: INIT ACK */
    SIM_PORT_ECHO,   /* UDP: gives the datagram back */
    SIM_PORT_ANSWER, /* UDP: answers with bytes of its own */
    SIM_PORT_REPLY,  /* UDP: answers with its template filled in */
    SIM_PORT_ABSENT, /* SCTP: the host does not have the protocol, and says so */
    SIM_PORT_TO,     /* another host answers */
};

struct sim_port {
    uint8_t protocol; /* IP_PROTO_TCP, IP_PROTO_UDP or IP_PROTO_SCTP */
    uint16_t port;    /* 0 = every other */
    enum sim_port_state state;
    uint8_t initial_ttl;        /* of its answers; 0 = as the host's */
    uint32_t to;                /* of a SIM_PORT_TO: the host */
    char reply[SIM_TEXT_BYTES]; /* the template of a SIM_PORT_REPLY */
    char only[SIM_TEXT_BYTES];  /* UDP: which questions it is for, "?12:07…"; empty = all */
};

struct sim_node {
    char name[SIM_NAME_BYTES];
    bool is_host;
    struct sonde_addr addr4; /* family SONDE_FAMILY_NONE = has none */
    struct sonde_addr addr6;
    sonde_ns delay_ns;
    sonde_ns jitter_ns;
    uint16_t mtu_bytes; /* 0 = as large as can be */
    bool silent;
    struct sim_limit limit; /* of ICMP errors */
    uint8_t initial_ttl;
    uint16_t quote_bytes; /* 0 = all that fits */
    bool legacy;
    bool no_timestamps;
    bool stateless;
    bool dead;               /* a host that is not there */
    sonde_ns given_up_ns;    /* when those who look for it stop doing so, while running */
    struct sonde_addr from4; /* source of what it sends, if not its address */
    struct sonde_addr from6;
    struct sonde_extensions ext;
    struct sonde_addr nat4; /* source of what it passes on */
    struct sonde_addr nat6;
    uint16_t nat_port_shift;
    struct sim_port *ports;
    uint32_t port_count;
};

enum sim_step_kind {
    SIM_STEP_NODE,
    SIM_STEP_OPEN,  /* {: a flow or a packet is spread over what follows */
    SIM_STEP_OR,    /* |: the next alternative */
    SIM_STEP_CLOSE, /* } */
};

/** One step of a path: a node, or a word of a group. */
struct sim_step {
    enum sim_step_kind kind;
    uint32_t node;         /* of SIM_STEP_NODE */
    uint32_t group;        /* of SIM_STEP_OPEN: its number on this path, from 1 on */
    uint32_t alternatives; /* of SIM_STEP_OPEN */
    uint32_t next;         /* of SIM_STEP_OPEN, SIM_STEP_OR: the next | or } of the same group */
    bool per_packet;       /* of SIM_STEP_OPEN */
    bool loop_start;       /* of SIM_STEP_NODE: from here on the path repeats for ever */
};

struct sim_path {
    sonde_ns from_ns;
    uint32_t host;
    bool back; /* the way back, steps in the order of travel */
    struct sim_step *steps;
    uint32_t step_count;
};

enum sim_action {
    SIM_DROP,
    SIM_REJECT,
    SIM_RESET,  /* a RST or ABORT in the target's name */
    SIM_ANSWER, /* a SYN-ACK or INIT ACK in the target's name */
    SIM_DUPLICATE,
    SIM_TRUNCATE, /* keep the first bytes of the transport segment */
    SIM_FORGE,    /* change the bytes that carry the token */
    SIM_HOLD,     /* pass it on later */
    SIM_FAIL,     /* the vantage cannot send it */
};

enum sim_what {
    SIM_ANY,
    SIM_ECHO,
    SIM_ERROR,
    SIM_TCP,
    SIM_SYN, /* TCP, but only what begins a connection */
    SIM_UDP,
    SIM_SCTP,
};

struct sim_rule {
    uint32_t node; /* SIM_NODE_VANTAGE: where the probes come from */
    enum sim_action action;
    enum sim_what what;
    uint16_t port; /* 0 = any */
    bool prerouting;
    bool back;
    int code;        /* of a reject; -1 = administratively prohibited */
    uint8_t ttl;     /* of a reset or an answer; 0 = the node's */
    int error;       /* of a fail; positive errno */
    uint32_t amount; /* of a truncate */
    sonde_ns hold_ns;
    uint64_t mask;       /* bit 0 is the first packet */
    uint32_t mask_len;   /* 0 = every packet */
    uint32_t mask_at;    /* while running */
    uint32_t chance_ppm; /* 1,000,000 = always */
    struct sim_limit limit;
    sonde_ns burst_ns;  /* mean length of a burst; 0 = no bursts */
    sonde_ns pause_ns;  /* and of what is between two */
    bool is_bursting;   /* while running */
    sonde_ns switch_ns; /* when that changes next, while running */
    uint64_t dice;      /* for these lengths, while running */
    sonde_ns from_ns;
    sonde_ns until_ns;
};

struct sim_name {
    char name[SIM_TEXT_BYTES];
    struct sonde_addr addr; /* family SONDE_FAMILY_NONE: it has none */
    sonde_ns delay_ns;      /* of looking it up */
    bool reverse;           /* the name of the address, not an address of the name */
};

struct sim_scenario {
    uint64_t seed;
    sonde_ns wall_start_ns; /* since 1970 */
    char hostname[SIM_NAME_BYTES];
    char interface[SIM_NAME_BYTES];
    struct sonde_addr vantage4;
    struct sonde_addr vantage6;
    struct sim_node *nodes;
    uint32_t node_count;
    struct sim_path *paths;
    uint32_t path_count;
    struct sim_rule *rules;
    uint32_t rule_count;
    struct sim_name *names;
    uint32_t name_count;
};

/** Where and why a scenario cannot be read. */
struct sim_error {
    unsigned line; /* from 1; 0 = the file as a whole */
    char text[SIM_TEXT_BYTES];
};

/**
 * Read a scenario.
 * @param text          The file's bytes.
 * @param ret_scenario  On 0, the scenario.
 * @param reterr_error  On -EINVAL, what is wrong.
 * @return 0; -EINVAL if it is not a scenario; -ENOMEM.
 * Ownership: the caller frees it with scenario_free().
 */
SONDE_MUST_CHECK int scenario_parse(struct sonde_span text, struct sim_scenario **ret_scenario,
                                    struct sim_error *reterr_error);

/** Free a scenario; NULL is fine. @return NULL. */
struct sim_scenario *scenario_free(struct sim_scenario *scenario);

/** The built-in demonstration network. */
extern const struct sonde_span scenario_demo;

#endif
