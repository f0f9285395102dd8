/* SPDX-License-Identifier: BSD-2-Clause */
/* Rules in a scenario: what a node does to the packets that pass it. */
#include "io/sim/parse.h"
#include "wire/ip.h"

#include <errno.h>
#include <string.h>

/* An error that sending may end with. */
static int read_error(struct parse *parse, const char *word, struct sim_rule *rule)
{
    static const int errors[] = {EPERM, EACCES, ENETUNREACH, EHOSTUNREACH, ENOBUFS};
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        if (strcmp(word, strerrorname_np(errors[i])) == 0) {
            rule->error = errors[i];
            return 0;
        }
    }
    return parse_fail(parse, "unknown error: %s", word);
}

static int read_action(struct parse *parse, char *word, struct sim_rule *rule)
{
    static const struct {
        const char *name;
        enum sim_action action;
        bool has_value;
    } actions[] = {
        {"drop", SIM_DROP, false},
        {"reject", SIM_REJECT, false},
        {"reset", SIM_RESET, false},
        {"answer", SIM_ANSWER, false},
        {"duplicate", SIM_DUPLICATE, false},
        {"truncate", SIM_TRUNCATE, true},
        {"forge", SIM_FORGE, false},
        {"hold", SIM_HOLD, true},
        {"fail", SIM_FAIL, true},
    };
    char *value = parse_split(word);
    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++) {
        if (strcmp(word, actions[i].name) != 0 || actions[i].has_value != (value != NULL))
            continue;
        rule->action = actions[i].action;
        if (rule->action == SIM_HOLD)
            return parse_duration(parse, value, &rule->hold_ns);
        if (rule->action == SIM_FAIL)
            return read_error(parse, value, rule);
        uint64_t amount = 0;
        int r = 0;
        if (rule->action == SIM_TRUNCATE)
            r = parse_number(parse, value, 65535, &amount);
        rule->amount = (uint32_t)amount;
        return r;
    }
    return parse_fail(parse, "unknown action: %s", word);
}

static int read_what(struct parse *parse, char *word, struct sim_rule *rule)
{
    static const struct {
        const char *name;
        enum sim_what what;
    } whats[] = {{"any", SIM_ANY}, {"icmp", SIM_ECHO}, {"error", SIM_ERROR}};
    for (size_t i = 0; i < sizeof whats / sizeof *whats; i++) {
        if (strcmp(word, whats[i].name) == 0) {
            rule->what = whats[i].what;
            return 0;
        }
    }
    uint8_t protocol;
    bool is_syn = strncmp(word, "syn", 3) == 0 && (word[3] == ':' || word[3] == '\0');
    if (is_syn)
        memcpy(word, "tcp", 3);
    int r = parse_port(parse, word, &protocol, &rule->port);
    if (r == 0)
        rule->what = protocol == IP_PROTO_UDP    ? SIM_UDP
                     : protocol == IP_PROTO_SCTP ? SIM_SCTP
                     : is_syn                    ? SIM_SYN
                                                 : SIM_TCP;
    return r;
}

static int read_choice(struct parse *parse, const char *value, const char *no, const char *yes,
                       bool *ret_yes)
{
    *ret_yes = strcmp(value, yes) == 0;
    if (!*ret_yes && strcmp(value, no) != 0)
        return parse_fail(parse, "unknown word: %s", value);
    return 0;
}

static int read_chance(struct parse *parse, char *value, struct sim_rule *rule)
{
    size_t len = strlen(value);
    uint64_t percent = 0;
    if (len < 2 || value[len - 1] != '%')
        return parse_fail(parse, "a chance is written as 5%: %s", value);
    value[len - 1] = '\0';
    int r = parse_number(parse, value, 100, &percent);
    rule->chance_ppm = (uint32_t)percent * 10000;
    return r;
}

/* D/D */
static int read_bursts(struct parse *parse, char *value, struct sim_rule *rule)
{
    char *slash = strchr(value, '/');
    if (slash == NULL)
        return parse_fail(parse, "bursts are written as 200ms/5s: %s", value);
    *slash = '\0';
    int r = parse_duration(parse, value, &rule->burst_ns);
    if (r == 0)
        r = parse_duration(parse, slash + 1, &rule->pause_ns);
    if (r == 0 && (rule->burst_ns < SONDE_NS_PER_MS || rule->pause_ns < SONDE_NS_PER_MS))
        r = parse_fail(parse, "bursts and pauses last a millisecond at least: %s", value);
    return r;
}

/* A number up to 255 */
static int read_byte(struct parse *parse, const char *value, int *ret_value)
{
    uint64_t number = 0;
    int r = parse_number(parse, value, 255, &number);
    if (r == 0)
        *ret_value = (int)number;
    return r;
}

/* Which of the packets that it speaks of the rule is for. */
static int read_share(struct parse *parse, const char *word, char *value, struct sim_rule *rule)
{
    if (strcmp(word, "mask") == 0)
        return parse_mask(parse, value, &rule->mask, &rule->mask_len);
    if (strcmp(word, "chance") == 0)
        return read_chance(parse, value, rule);
    if (strcmp(word, "bursts") == 0)
        return read_bursts(parse, value, rule);
    if (strcmp(word, "limit") == 0)
        return parse_limit(parse, value, &rule->limit);
    if (strcmp(word, "burst") == 0)
        return parse_burst(parse, value, &rule->limit);
    return parse_fail(parse, "unknown option: %s", word);
}

static int read_option(struct parse *parse, char *word, struct sim_rule *rule)
{
    char *value = parse_split(word);
    if (value == NULL)
        return parse_fail(parse, "unknown word: %s", word);
    if (strcmp(word, "hook") == 0)
        return read_choice(parse, value, "forward", "prerouting", &rule->prerouting);
    if (strcmp(word, "dir") == 0)
        return read_choice(parse, value, "out", "back", &rule->back);
    if (strcmp(word, "from") == 0)
        return parse_duration(parse, value, &rule->from_ns);
    if (strcmp(word, "until") == 0)
        return parse_duration(parse, value, &rule->until_ns);
    if (strcmp(word, "code") == 0)
        return read_byte(parse, value, &rule->code);
    if (strcmp(word, "ttl") == 0) {
        int ttl = 0;
        int r = read_byte(parse, value, &ttl);
        rule->ttl = (uint8_t)ttl;
        return r;
    }
    return read_share(parse, word, value, rule);
}

/* Nothing comes back through a host, and only from the vantage sending can fail. */
static int check_place(struct parse *parse, const struct sim_rule *rule)
{
    bool is_vantage = rule->node == SIM_NODE_VANTAGE;
    if (is_vantage != (rule->action == SIM_FAIL) || (is_vantage && rule->back))
        return parse_fail(parse, "sending out fails at the vantage, and nothing else does: %s",
                          parse->words[1]);
    if (is_vantage)
        return 0;
    const struct sim_node *node = &parse->scenario->nodes[rule->node];
    if (node->is_host && rule->back)
        return parse_fail(parse, "this rule needs a router, not the host %s", node->name);
    return 0;
}

int parse_rule(struct parse *parse)
{
    if (parse->word_count < 4)
        return parse_fail(parse, "a rule needs NODE ACTION WHAT", "");
    struct sim_rule rule = {
        .node = parse_find_node(parse, parse->words[1]),
        .code = -1,
        .chance_ppm = 1000000,
        .limit.burst = SIM_DEFAULT_BURST,
        .until_ns = SONDE_NS_NEVER,
    };
    if (rule.node == UINT32_MAX && strcmp(parse->words[1], parse->scenario->hostname) != 0)
        return parse_fail(parse, "no such node: %s", parse->words[1]);
    int r = read_action(parse, parse->words[2], &rule);
    if (r == 0)
        r = read_what(parse, parse->words[3], &rule);
    for (size_t i = 4; r == 0 && i < parse->word_count; i++)
        r = read_option(parse, parse->words[i], &rule);
    if (r == 0)
        r = check_place(parse, &rule);
    if (r < 0)
        return r;
    struct sim_rule *kept =
        parse_grow(&parse->scenario->rules, &parse->scenario->rule_count, sizeof *kept);
    if (kept == NULL)
        return -ENOMEM;
    *kept = rule;
    return 0;
}
