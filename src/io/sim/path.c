/* SPDX-License-Identifier: BSD-2-Clause */
/* Paths in a scenario: "web r1 { r2a | r2b r2c } r3", "web r1 loop r2 r3". */
#include "io/sim/parse.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Where the reader is within a path. */
struct path_reader {
    struct sim_path path;
    uint32_t group;  /* the one being read; 0 = none */
    uint32_t groups; /* that were begun */
    uint32_t alternative;
    uint32_t group_start; /* its first step */
    bool looping;         /* the next node begins the part that repeats */
    bool looped;
};

static int add_node(struct parse *parse, struct path_reader *reader, const char *word)
{
    uint32_t node = parse_find_node(parse, word);
    if (node == UINT32_MAX)
        return parse_fail(parse, "no such node: %s", word);
    if (reader->path.step_count == SIM_ROUTE_MAX - 1)
        return parse_fail(parse, "too many nodes on the path, from %s on", word);
    struct sim_step *step = parse_grow(&reader->path.steps, &reader->path.step_count, sizeof *step);
    if (step == NULL)
        return -ENOMEM;
    step->node = node;
    step->group = reader->group;
    step->alternative = reader->alternative;
    step->loop_start = reader->looping;
    reader->looping = false;
    return 0;
}

static int open_group(struct parse *parse, struct path_reader *reader)
{
    if (reader->group != 0 || reader->looped)
        return parse_fail(parse, "a group within a group, or within a loop", "");
    reader->group = ++reader->groups;
    reader->alternative = 0;
    reader->group_start = reader->path.step_count;
    return 0;
}

static int close_group(struct parse *parse, struct path_reader *reader, bool per_packet)
{
    if (reader->group == 0)
        return parse_fail(parse, "} without {", "");
    for (uint32_t i = reader->group_start; i < reader->path.step_count; i++)
        reader->path.steps[i].per_packet = per_packet;
    reader->group = 0;
    reader->alternative = 0;
    return 0;
}

static int read_word(struct parse *parse, struct path_reader *reader, const char *word)
{
    if (strcmp(word, "{") == 0)
        return open_group(parse, reader);
    if (strcmp(word, "}") == 0 || strcmp(word, "}!") == 0)
        return close_group(parse, reader, word[1] == '!');
    if (strcmp(word, "|") == 0) {
        if (reader->group == 0)
            return parse_fail(parse, "| outside of { }", "");
        reader->alternative++;
        return 0;
    }
    if (strcmp(word, "loop") == 0) {
        if (reader->group != 0 || reader->looped)
            return parse_fail(parse, "a loop within a group, or a second one", "");
        reader->looping = reader->looped = true;
        return 0;
    }
    return add_node(parse, reader, word);
}

int parse_path(struct parse *parse, size_t at, sonde_ns from_ns)
{
    if (at >= parse->word_count)
        return parse_fail(parse, "a path needs the host that it leads to", "");
    struct sim_scenario *scenario = parse->scenario;
    struct path_reader reader = {.path.from_ns = from_ns};
    reader.path.host = parse_find_node(parse, parse->words[at]);
    if (reader.path.host == UINT32_MAX || !scenario->nodes[reader.path.host].is_host)
        return parse_fail(parse, "no such host: %s", parse->words[at]);

    int r = 0;
    for (size_t i = at + 1; r == 0 && i < parse->word_count; i++)
        r = read_word(parse, &reader, parse->words[i]);
    if (r == 0 && (reader.group != 0 || reader.looping))
        r = parse_fail(parse, "a group that is not closed, or an empty loop", "");
    struct sim_path *path = NULL;
    if (r == 0)
        path = parse_grow(&scenario->paths, &scenario->path_count, sizeof *path);
    if (path == NULL) {
        free(reader.path.steps);
        return r < 0 ? r : -ENOMEM;
    }
    *path = reader.path;
    return 0;
}
