/* SPDX-License-Identifier: BSD-2-Clause */
/* The scenario reader: lines and statements. The grammar is in io/sim/scenario.h. */
#include "io/sim/parse.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void parse_set_address(struct sonde_addr *addr4, struct sonde_addr *addr6,
                       const struct sonde_addr *addr)
{
    if (addr->family == SONDE_FAMILY_IPV4)
        *addr4 = *addr;
    else
        *addr6 = *addr;
}

static int parse_vantage(struct parse *parse)
{
    struct sim_scenario *scenario = parse->scenario;
    if (parse->word_count < 3)
        return parse_fail(parse, "the vantage needs a name and an address", "");
    int r = parse_name(parse, parse->words[1], scenario->hostname, sizeof scenario->hostname);
    for (size_t i = 2; r == 0 && i < parse->word_count; i++) {
        char *word = parse->words[i];
        char *value = parse_split(word);
        struct sonde_addr addr;
        if (value != NULL && strcmp(word, "interface") == 0) {
            r = parse_name(parse, value, scenario->interface, sizeof scenario->interface);
            continue;
        }
        r = parse_address(parse, word, &addr);
        if (r == 0)
            parse_set_address(&scenario->vantage4, &scenario->vantage6, &addr);
    }
    return r;
}

static int parse_nat(struct parse *parse)
{
    if (parse->word_count < 3)
        return parse_fail(parse, "a nat needs a node and an address", "");
    uint32_t index = parse_find_node(parse, parse->words[1]);
    if (index == UINT32_MAX)
        return parse_fail(parse, "no such node: %s", parse->words[1]);
    struct sim_node *node = &parse->scenario->nodes[index];
    struct sonde_addr addr;
    int r = parse_address(parse, parse->words[2], &addr);
    if (r < 0)
        return r;
    parse_set_address(&node->nat4, &node->nat6, &addr);
    if (parse->word_count == 3)
        return 0;
    uint64_t shift = 0;
    if (strncmp(parse->words[3], "port=+", 6) != 0)
        return parse_fail(parse, "unknown option: %s", parse->words[3]);
    r = parse_number(parse, parse->words[3] + 6, 65535, &shift);
    node->nat_port_shift = (uint16_t)shift;
    return r;
}

static int add_name(struct parse *parse, const char *name, const struct sim_name *entry)
{
    struct sim_scenario *scenario = parse->scenario;
    struct sim_name *kept = parse_grow(&scenario->names, &scenario->name_count, sizeof *kept);
    if (kept == NULL)
        return -ENOMEM;
    *kept = *entry;
    return parse_name(parse, name, kept->name, sizeof kept->name);
}

/* "resolve NAME [ADDRESS...] [delay=D]" */
static int parse_resolve(struct parse *parse)
{
    struct sim_name entry = {.reverse = false};
    size_t end = parse->word_count;
    int r = 0;
    if (end > 2 && strncmp(parse->words[end - 1], "delay=", 6) == 0)
        r = parse_duration(parse, parse->words[--end] + 6, &entry.delay_ns);
    if (r == 0 && parse->word_count < 3)
        r = parse_fail(parse, "a name and an address are needed", "");
    if (r == 0 && end == 2) /* it has no address, and that takes a while to find out */
        r = add_name(parse, parse->words[1], &entry);
    for (size_t i = 2; r == 0 && i < end; i++) {
        r = parse_address(parse, parse->words[i], &entry.addr);
        if (r == 0)
            r = add_name(parse, parse->words[1], &entry);
    }
    return r;
}

/* "name ADDRESS NAME" */
static int parse_reverse(struct parse *parse)
{
    struct sim_name entry = {.reverse = true};
    if (parse->word_count != 3)
        return parse_fail(parse, "an address and a name are needed", "");
    int r = parse_address(parse, parse->words[1], &entry.addr);
    return r < 0 ? r : add_name(parse, parse->words[2], &entry);
}

static int parse_one_value(struct parse *parse)
{
    struct sim_scenario *scenario = parse->scenario;
    if (parse->word_count != 2)
        return parse_fail(parse, "%s needs one value", parse->words[0]);
    if (strcmp(parse->words[0], "seed") == 0)
        return parse_number(parse, parse->words[1], UINT64_MAX, &scenario->seed);
    return parse_wall_time(parse, parse->words[1], &scenario->wall_start_ns);
}

static int parse_at(struct parse *parse)
{
    sonde_ns from = 0;
    if (parse->word_count < 4 || !parse_is_path(parse->words[2]))
        return parse_fail(parse, "this is written: at TIME path HOST NODE...", "");
    int r = parse_duration(parse, parse->words[1], &from);
    return r < 0 ? r : parse_path(parse, 2, from);
}

static int parse_statement(struct parse *parse)
{
    const char *word = parse->words[0];
    if (strcmp(word, "seed") == 0 || strcmp(word, "start") == 0)
        return parse_one_value(parse);
    if (strcmp(word, "vantage") == 0)
        return parse_vantage(parse);
    if (strcmp(word, "router") == 0)
        return parse_node(parse, false);
    if (strcmp(word, "host") == 0)
        return parse_node(parse, true);
    if (parse_is_path(word))
        return parse_path(parse, 0, 0);
    if (strcmp(word, "at") == 0)
        return parse_at(parse);
    if (strcmp(word, "rule") == 0)
        return parse_rule(parse);
    if (strcmp(word, "nat") == 0)
        return parse_nat(parse);
    if (strcmp(word, "resolve") == 0)
        return parse_resolve(parse);
    if (strcmp(word, "name") == 0)
        return parse_reverse(parse);
    return parse_fail(parse, "unknown statement: %s", word);
}

static int parse_line(struct parse *parse, struct sonde_span bytes)
{
    char line[PARSE_LINE_BYTES];
    if (bytes.len >= sizeof line)
        return parse_fail(parse, "the line is too long", "");
    if (bytes.len > 0)
        memcpy(line, bytes.data, bytes.len);
    line[bytes.len] = '\0';
    if (strlen(line) != bytes.len)
        return parse_fail(parse, "there is a NUL byte in the line", "");
    line[strcspn(line, "#\r")] = '\0';
    parse->word_count = 0;
    char *save;
    char *word = strtok_r(line, " \t", &save);
    for (; word != NULL; word = strtok_r(NULL, " \t", &save)) {
        if (parse->word_count == PARSE_WORDS_MAX)
            return parse_fail(parse, "too many words", "");
        parse->words[parse->word_count++] = word;
    }
    return parse->word_count > 0 ? parse_statement(parse) : 0;
}

int scenario_parse(struct sonde_span text, struct sim_scenario **ret_scenario,
                   struct sim_error *reterr_error)
{
    struct parse *parse = calloc(1, sizeof *parse);
    struct sim_scenario *scenario = calloc(1, sizeof *scenario);
    int r = parse == NULL || scenario == NULL ? -ENOMEM : 0;
    if (r == 0)
        *parse = (struct parse){.scenario = scenario, .error = reterr_error};
    while (r == 0 && text.len > 0) {
        const uint8_t *newline = memchr(text.data, '\n', text.len);
        size_t len = newline != NULL ? (size_t)(newline - text.data) : text.len;
        parse->line++;
        r = parse_line(parse, span_sub(text, 0, len));
        text = span_sub(text, len + 1, text.len);
    }
    if (r == 0 && scenario->hostname[0] == '\0') {
        parse->line = 0;
        r = parse_fail(parse, "there is no vantage", "");
    }
    free(parse);
    if (r < 0) {
        scenario_free(scenario);
        return r;
    }
    *ret_scenario = scenario;
    return 0;
}

struct sim_scenario *scenario_free(struct sim_scenario *scenario)
{
    if (scenario == NULL)
        return NULL;
    for (uint32_t i = 0; i < scenario->node_count; i++)
        free(scenario->nodes[i].ports);
    for (uint32_t i = 0; i < scenario->path_count; i++)
        free(scenario->paths[i].steps);
    free(scenario->nodes);
    free(scenario->paths);
    free(scenario->rules);
    free(scenario->names);
    free(scenario);
    return NULL;
}
