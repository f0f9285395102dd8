/* SPDX-License-Identifier: BSD-2-Clause */
/* Paths in a scenario: "web r1 { r2a | r2b { r2c | r2d } } r3", "web r1 loop r2 r3". */
#include "io/sim/parse.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = 8 /* groups within groups */ };

/* Where the reader is within a path. */
struct path_reader {
    struct sim_path path;
    uint32_t node_count;
    uint32_t groups;           /* that were begun */
    uint32_t depth;            /* of groups that are open */
    uint32_t opens[DEPTH_MAX]; /* their steps */
    uint32_t lasts[DEPTH_MAX]; /* and those of their newest { or | */
    bool looping;              /* the next node begins the part that repeats */
    bool looped;
};

static int add_step(struct path_reader *reader, const struct sim_step *step)
{
    struct sim_step *kept = parse_grow(&reader->path.steps, &reader->path.step_count, sizeof *kept);
    if (kept == NULL)
        return -ENOMEM;
    *kept = *step;
    return 0;
}

static int add_node(struct parse *parse, struct path_reader *reader, const char *word)
{
    uint32_t node = parse_find_node(parse, word);
    if (node == UINT32_MAX)
        return parse_fail(parse, "no such node: %s", word);
    if (reader->node_count++ == SIM_ROUTE_MAX - 1)
        return parse_fail(parse, "too many nodes on the path, from %s on", word);
    const struct sim_step step = {
        .kind = SIM_STEP_NODE, .node = node, .loop_start = reader->looping};
    reader->looping = false;
    return add_step(reader, &step);
}

static int open_group(struct parse *parse, struct path_reader *reader)
{
    if (reader->looped)
        return parse_fail(parse, "a group within a loop", "");
    if (reader->depth == DEPTH_MAX)
        return parse_fail(parse, "too many groups within groups", "");
    reader->opens[reader->depth] = reader->lasts[reader->depth] = reader->path.step_count;
    reader->depth++;
    const struct sim_step step = {
        .kind = SIM_STEP_OPEN, .group = ++reader->groups, .alternatives = 1};
    return add_step(reader, &step);
}

/* Link the newest { or | of the innermost group to the step that is added now. */
static void link_step(struct path_reader *reader)
{
    uint32_t *last = &reader->lasts[reader->depth - 1];
    reader->path.steps[*last].next = reader->path.step_count;
    *last = reader->path.step_count;
}

static int next_alternative(struct parse *parse, struct path_reader *reader)
{
    if (reader->depth == 0)
        return parse_fail(parse, "| outside of { }", "");
    link_step(reader);
    reader->path.steps[reader->opens[reader->depth - 1]].alternatives++;
    return add_step(reader, &(struct sim_step){.kind = SIM_STEP_OR});
}

static int close_group(struct parse *parse, struct path_reader *reader, bool per_packet)
{
    if (reader->depth == 0)
        return parse_fail(parse, "} without {", "");
    link_step(reader);
    reader->depth--;
    reader->path.steps[reader->opens[reader->depth]].per_packet = per_packet;
    return add_step(reader, &(struct sim_step){.kind = SIM_STEP_CLOSE});
}

static int read_word(struct parse *parse, struct path_reader *reader, const char *word)
{
    if (strcmp(word, "{") == 0)
        return open_group(parse, reader);
    if (strcmp(word, "}") == 0 || strcmp(word, "}!") == 0)
        return close_group(parse, reader, word[1] == '!');
    if (strcmp(word, "|") == 0)
        return next_alternative(parse, reader);
    if (strcmp(word, "loop") == 0) {
        if (reader->depth != 0 || reader->looped || reader->path.back)
            return parse_fail(parse, "a loop within a group or on a way back, or a second one", "");
        reader->looping = reader->looped = true;
        return 0;
    }
    return add_node(parse, reader, word);
}

bool parse_is_path(const char *word)
{
    return strcmp(word, "path") == 0 || strcmp(word, "back") == 0;
}

int parse_path(struct parse *parse, size_t at, sonde_ns from_ns)
{
    if (at + 1 >= parse->word_count)
        return parse_fail(parse, "a path needs its host", "");
    struct sim_scenario *scenario = parse->scenario;
    struct path_reader reader = {.path.from_ns = from_ns};
    reader.path.back = strcmp(parse->words[at], "back") == 0;
    reader.path.host = parse_find_node(parse, parse->words[at + 1]);
    if (reader.path.host == UINT32_MAX || !scenario->nodes[reader.path.host].is_host)
        return parse_fail(parse, "no such host: %s", parse->words[at + 1]);

    int r = 0;
    for (size_t i = at + 2; r == 0 && i < parse->word_count; i++)
        r = read_word(parse, &reader, parse->words[i]);
    if (r == 0 && (reader.depth != 0 || reader.looping))
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
