/* SPDX-License-Identifier: BSD-2-Clause */
/* Routers and hosts in a scenario, and the ports of hosts. */
#include "io/sim/network.h"
#include "io/sim/parse.h"
#include "wire/icmpext.h"

#include <errno.h>
#include <string.h>

enum {
    ROUTER_TTL = 255, /* what most routers start their own packets with */
    HOST_TTL = 64,
};

static const char REPLY[] = "reply:";
static const char TO[] = "to:";
static const char DNS_REPLY[] = "[0+2]8180[4+2]000000000000[12+5]"; /* nothing is known of it */

static int keep_port(struct sim_node *node, const struct sim_port *port)
{
    struct sim_port *kept = parse_grow(&node->ports, &node->port_count, sizeof *kept);
    if (kept == NULL)
        return -ENOMEM;
    *kept = *port;
    return 0;
}

/* Keep the template of an answer, if it is one. */
static int read_reply(struct parse *parse, const char *reply, struct sim_port *port)
{
    uint8_t bytes[SIM_TEXT_BYTES];
    struct wr wr = wr_init(bytes, sizeof bytes);
    if (strlen(reply) >= sizeof port->reply ||
        reply_write(reply, (struct sonde_span){NULL, 0}, &wr) < 0)
        return parse_fail(parse, "not an answer in hexadecimal digits and [N+M]: %s", reply);
    port->state = SIM_PORT_REPLY;
    memcpy(port->reply, reply, strlen(reply) + 1);
    return 0;
}

/* What a port does: a state by its name, "reply:…", "to:HOST". */
static int read_state(struct parse *parse, const struct sim_node *node, const char *value,
                      struct sim_port *port)
{
    static const struct {
        const char *name;
        uint8_t protocol; /* 0 = any */
        enum sim_port_state state;
    } states[] = {
        {"silent", 0, SIM_PORT_SILENT},
        {"closed", 0, SIM_PORT_CLOSED},
        {"open", IP_PROTO_TCP, SIM_PORT_OPEN},
        {"open", IP_PROTO_SCTP, SIM_PORT_OPEN},
        {"absent", IP_PROTO_SCTP, SIM_PORT_ABSENT},
        {"echo", IP_PROTO_UDP, SIM_PORT_ECHO},
        {"answer", IP_PROTO_UDP, SIM_PORT_ANSWER},
        {"dns", IP_PROTO_UDP, SIM_PORT_REPLY},
    };
    const struct sim_node *nodes = parse->scenario->nodes;
    if (strncmp(value, REPLY, strlen(REPLY)) == 0 && port->protocol == IP_PROTO_UDP)
        return read_reply(parse, value + strlen(REPLY), port);
    if (strncmp(value, TO, strlen(TO)) == 0) {
        port->state = SIM_PORT_TO;
        port->to = parse_find_node(parse, value + strlen(TO));
        if (port->to == UINT32_MAX || !nodes[port->to].is_host || &nodes[port->to] == node)
            return parse_fail(parse, "no host above: %s", value + strlen(TO));
        return 0;
    }
    for (size_t i = 0; i < sizeof states / sizeof *states; i++) {
        if (strcmp(value, states[i].name) != 0 ||
            (states[i].protocol != 0 && states[i].protocol != port->protocol))
            continue;
        port->state = states[i].state;
        if (port->state == SIM_PORT_REPLY)
            memcpy(port->reply, DNS_REPLY, sizeof DNS_REPLY);
        return 0;
    }
    return parse_fail(parse, "unknown port state: %s", value);
}

/* STATE[/TTL][?N:BYTES]... of a port */
static int add_port(struct parse *parse, struct sim_node *node, char *key, char *value)
{
    struct sim_port port = {0};
    int r = parse_port(parse, key, &port.protocol, &port.port);
    char *only = strchr(value, '?');
    if (r == 0 && only != NULL) {
        if (port.protocol != IP_PROTO_UDP || strlen(only) >= sizeof port.only ||
            !question_is_pattern(only))
            return parse_fail(parse, "not a pattern of a question: %s", only);
        memcpy(port.only, only, strlen(only) + 1);
        *only = '\0';
    }
    char *slash = strchr(value, '/');
    uint64_t ttl = 0;
    if (r == 0 && slash != NULL) {
        *slash = '\0';
        r = parse_number(parse, slash + 1, 255, &ttl);
    }
    port.initial_ttl = (uint8_t)ttl;
    if (r == 0)
        r = read_state(parse, node, value, &port);
    return r < 0 ? r : keep_port(node, &port);
}

static int add_labels(struct parse *parse, struct sim_node *node, char *value)
{
    if (node->ext.count == SONDE_EXTENSIONS_MAX)
        return parse_fail(parse, "too many extensions", "");
    struct sonde_extension *item = &node->ext.items[node->ext.count];
    item->kind = SONDE_EXTENSION_MPLS;
    item->class_num = ICMPEXT_CLASS_MPLS;
    item->c_type = 1; /* RFC 4950 §3: incoming label stack */
    int r = parse_labels(parse, value, &item->u.mpls);
    if (r == 0)
        node->ext.count++;
    return r;
}

static int add_ifname(struct parse *parse, struct sim_node *node, const char *value)
{
    if (node->ext.count == SONDE_EXTENSIONS_MAX)
        return parse_fail(parse, "too many extensions", "");
    struct sonde_extension *item = &node->ext.items[node->ext.count];
    item->kind = SONDE_EXTENSION_INTERFACE;
    item->class_num = ICMPEXT_CLASS_INTERFACE;
    item->c_type = 0x02; /* RFC 5837 §4.1: incoming interface, name only */
    int r = parse_name(parse, value, item->u.interface.name, SONDE_INTERFACE_NAME_BYTES);
    if (r == 0)
        node->ext.count++;
    return r;
}

static int set_flag(struct parse *parse, struct sim_node *node, const char *word)
{
    if (strcmp(word, "silent") == 0)
        node->silent = true;
    else if (strcmp(word, "legacy") == 0)
        node->legacy = true;
    else if (strcmp(word, "no-timestamps") == 0)
        node->no_timestamps = true;
    else if (strcmp(word, "stateless") == 0)
        node->stateless = true;
    else if (strcmp(word, "dead") == 0 && node->is_host)
        node->dead = true;
    else
        return parse_fail(parse, "unknown word: %s", word);
    return 0;
}

static int set_from(struct parse *parse, struct sim_node *node, const char *value)
{
    struct sonde_addr addr;
    int r = parse_address(parse, value, &addr);
    if (r == 0)
        parse_set_address(&node->from4, &node->from6, &addr);
    return r;
}

/* A number as an option's value. */
static int set_number(struct parse *parse, struct sim_node *node, const char *key,
                      const char *value)
{
    uint64_t number = 0;
    if (strcmp(key, "ttl") == 0) {
        int r = parse_number(parse, value, 255, &number);
        node->initial_ttl = (uint8_t)number;
        return r;
    }
    if (strcmp(key, "mtu") == 0) {
        int r = parse_number(parse, value, UINT16_MAX, &number);
        node->mtu_bytes = (uint16_t)number;
        return r;
    }
    if (strcmp(key, "quote") == 0) {
        int r = parse_number(parse, value, 1200, &number);
        node->quote_bytes = (uint16_t)number;
        return r;
    }
    return parse_fail(parse, "unknown option: %s", key);
}

static int set_option(struct parse *parse, struct sim_node *node, char *word)
{
    char *value = parse_split(word);
    if (value == NULL)
        return set_flag(parse, node, word);
    if (strcmp(word, "delay") == 0)
        return parse_duration(parse, value, &node->delay_ns);
    if (strcmp(word, "jitter") == 0)
        return parse_duration(parse, value, &node->jitter_ns);
    if (strcmp(word, "limit") == 0)
        return parse_limit(parse, value, &node->limit);
    if (strcmp(word, "burst") == 0)
        return parse_burst(parse, value, &node->limit);
    if (strcmp(word, "mpls") == 0)
        return add_labels(parse, node, value);
    if (strcmp(word, "ifname") == 0)
        return add_ifname(parse, node, value);
    if (strcmp(word, "from") == 0)
        return set_from(parse, node, value);
    if (node->is_host && strchr(word, ':') != NULL)
        return add_port(parse, node, word, value);
    return set_number(parse, node, word, value);
}

int parse_node(struct parse *parse, bool is_host)
{
    if (parse->word_count < 2)
        return parse_fail(parse, "a node needs a name", "");
    if (parse_find_node(parse, parse->words[1]) != UINT32_MAX)
        return parse_fail(parse, "there is a node of this name already: %s", parse->words[1]);
    struct sim_scenario *scenario = parse->scenario;
    struct sim_node *node = parse_grow(&scenario->nodes, &scenario->node_count, sizeof *node);
    if (node == NULL)
        return -ENOMEM;
    node->is_host = is_host;
    node->initial_ttl = is_host ? HOST_TTL : ROUTER_TTL;
    node->limit.burst = SIM_DEFAULT_BURST;
    int r = parse_name(parse, parse->words[1], node->name, sizeof node->name);
    for (size_t i = 2; r == 0 && i < parse->word_count; i++) {
        struct sonde_addr addr;
        if (sonde_addr_parse(parse->words[i], &addr) == 0)
            parse_set_address(&node->addr4, &node->addr6, &addr);
        else
            r = set_option(parse, node, parse->words[i]);
    }
    return r;
}
