/* SPDX-License-Identifier: BSD-2-Clause */
/* The in-flight table: who is found, who is remembered, who has to make room. */
#include "engine/flight.h"

#include "base/prng.h"

#include <criterion/criterion.h>

enum { MODULUS = 65535 /* tokens that far apart look alike in 16-bit fields */ };

static struct flight_queue queue = {FLIGHT_NONE, FLIGHT_NONE}; /* nothing leaves here */

static struct flight_table table_of(uint32_t cap)
{
    struct flight_table table;
    cr_assert_eq(flight_init(&table, cap, cap), 0);
    return table;
}

Test(flight, a_taken_flight_is_found_by_its_line_and_token)
{
    struct flight_table table = table_of(8);
    struct flight_line one = flight_line_of(1, &queue);
    struct flight_line two = flight_line_of(2, &queue);
    uint32_t a = flight_take(&table, &one);
    uint32_t b = flight_take(&table, &one);
    uint32_t c = flight_take(&table, &two);
    cr_assert(a < 8 && b < 8 && c < 8 && a != b && b != c && a != c);
    cr_expect_eq(flight_find(&table, &one, 0), a);
    cr_expect_eq(flight_find(&table, &one, 1), b);
    cr_expect_eq(flight_find(&table, &one, 2), FLIGHT_NONE);
    cr_expect_eq(flight_find(&table, &two, 0), c);
    cr_expect_eq(flight_find(&table, &two, 1), FLIGHT_NONE);
    cr_expect_eq(table.flights[a].state, FLIGHT_FLYING);
    cr_expect_eq(table.flights[b].trace, 1);
    cr_expect_eq(table.flights[b].token, 1);
    flight_deinit(&table);
}

Test(flight, a_line_that_sent_nothing_has_no_flight)
{
    struct flight_table table = table_of(2);
    struct flight_line line = flight_line_of(0, &queue);
    static const uint32_t tokens[] = {0, 1, MODULUS, UINT32_MAX - 1, UINT32_MAX};
    for (size_t i = 0; i < sizeof tokens / sizeof *tokens; i++)
        cr_expect_eq(flight_find(&table, &line, tokens[i]), FLIGHT_NONE);
    flight_deinit(&table);
}

Test(flight, the_flying_probes_of_a_line_stand_in_the_order_taken)
{
    struct flight_table table = table_of(8);
    struct flight_line one = flight_line_of(1, &queue);
    struct flight_line two = flight_line_of(2, &queue);
    uint32_t a = flight_take(&table, &one);
    uint32_t b = flight_take(&table, &two);
    uint32_t c = flight_take(&table, &one);
    uint32_t d = flight_take(&table, &one);
    cr_expect_eq(one.first, a);
    cr_expect_eq(table.flights[a].next, c);
    cr_expect_eq(table.flights[c].next, d);
    cr_expect_eq(one.last, d);
    cr_expect_eq(two.first, b);
    cr_expect_eq(two.last, b);
    flight_keep(&table, &one, c, SONDE_OUTCOME_OPEN);
    cr_expect_eq(table.flights[a].next, d);
    cr_expect_eq(table.flights[d].prev, a);
    flight_keep(&table, &one, a, SONDE_OUTCOME_OPEN);
    flight_drop(&table, &one, d);
    cr_expect_eq(one.first, FLIGHT_NONE);
    cr_expect_eq(one.last, FLIGHT_NONE);
    flight_deinit(&table);
}

Test(flight, a_kept_flight_is_still_found_with_its_outcome)
{
    struct flight_table table = table_of(4);
    struct flight_line line = flight_line_of(7, &queue);
    uint32_t a = flight_take(&table, &line);
    uint32_t b = flight_take(&table, &line);
    flight_keep(&table, &line, a, SONDE_OUTCOME_NO_REPLY);
    cr_expect_eq(flight_find(&table, &line, 0), a);
    cr_expect_eq(flight_find(&table, &line, 1), b);
    cr_expect_eq(table.flights[a].state, FLIGHT_KEPT);
    cr_expect_eq(table.flights[a].outcome, SONDE_OUTCOME_NO_REPLY);
    flight_deinit(&table);
}

Test(flight, a_dropped_flight_never_was_but_its_token_is_spent)
{
    struct flight_table table = table_of(3);
    struct flight_line line = flight_line_of(7, &queue);
    uint32_t a = flight_take(&table, &line);
    flight_keep(&table, &line, a, SONDE_OUTCOME_OPEN);
    uint32_t b = flight_take(&table, &line);
    flight_drop(&table, &line, b);
    cr_expect_eq(flight_find(&table, &line, 1), FLIGHT_NONE);
    uint32_t c = flight_take(&table, &line);
    cr_expect_eq(table.flights[c].token, 2);
    cr_expect_eq(flight_find(&table, &line, 0), a, "what came before is still known");
    flight_deinit(&table);
}

Test(flight, what_ended_longest_ago_makes_room_first)
{
    struct flight_table table = table_of(3);
    struct flight_line line = flight_line_of(1, &queue);
    uint32_t a = flight_take(&table, &line);
    uint32_t b = flight_take(&table, &line);
    uint32_t c = flight_take(&table, &line);
    flight_keep(&table, &line, b, SONDE_OUTCOME_OPEN); /* b ended first */
    flight_drop(&table, &line, a);
    flight_keep(&table, &line, c, SONDE_OUTCOME_OPEN);
    cr_expect_eq(flight_take(&table, &line), b);
    cr_expect_eq(flight_find(&table, &line, 1), FLIGHT_NONE);
    cr_expect_eq(flight_find(&table, &line, 2), c);
    cr_expect_eq(flight_find(&table, &line, 3), b);
    flight_keep(&table, &line, b, SONDE_OUTCOME_OPEN);
    cr_expect_eq(flight_take(&table, &line), a);
    cr_expect_eq(flight_take(&table, &line), c);
    cr_expect_eq(flight_take(&table, &line), b);
    cr_expect_eq(table.flying, 3);
    flight_deinit(&table);
}

Test(flight, a_place_that_was_never_used_is_taken_before_anything_is_forgotten)
{
    struct flight_table table = table_of(3);
    struct flight_line line = flight_line_of(1, &queue);
    uint32_t a = flight_take(&table, &line);
    flight_keep(&table, &line, a, SONDE_OUTCOME_OPEN);
    uint32_t b = flight_take(&table, &line);
    flight_keep(&table, &line, b, SONDE_OUTCOME_OPEN);
    uint32_t c = flight_take(&table, &line);
    cr_expect_eq(flight_find(&table, &line, 0), a);
    cr_expect_eq(flight_find(&table, &line, 1), b);
    cr_expect_eq(flight_find(&table, &line, 2), c);
    flight_deinit(&table);
}

Test(flight, a_line_takes_no_more_than_its_share)
{
    struct flight_table table;
    cr_assert_eq(flight_init(&table, 4, 2), 0);
    struct flight_line one = flight_line_of(1, &queue);
    struct flight_line two = flight_line_of(2, &queue);
    uint32_t a = flight_take(&table, &one);
    cr_expect(flight_may_take(&table, &one));
    uint32_t b = flight_take(&table, &one);
    cr_expect_not(flight_may_take(&table, &one), "two fly");
    cr_expect(flight_may_take(&table, &two), "what others have is theirs");
    flight_keep(&table, &one, a, SONDE_OUTCOME_NO_REPLY);
    cr_expect(flight_may_take(&table, &one));
    cr_expect_neq(flight_take(&table, &one), b);
    cr_expect_not(flight_may_take(&table, &one));
    flight_drop(&table, &one, b);
    cr_expect(flight_may_take(&table, &one));
    flight_deinit(&table);
}

Test(flight, flying_ones_never_make_room)
{
    struct flight_table table = table_of(2);
    struct flight_line line = flight_line_of(1, &queue);
    uint32_t a = flight_take(&table, &line);
    cr_expect(flight_available(&table));
    uint32_t b = flight_take(&table, &line);
    cr_expect_not(flight_available(&table));
    flight_keep(&table, &line, b, SONDE_OUTCOME_OPEN);
    for (uint32_t token = 2; token < 10; token++) {
        cr_expect_eq(flight_take(&table, &line), b);
        cr_expect_eq(flight_find(&table, &line, 0), a, "though everything since is forgotten");
        cr_expect_eq(flight_find(&table, &line, token), b);
        cr_expect_eq(flight_find(&table, &line, token - 1), FLIGHT_NONE);
        flight_keep(&table, &line, b, SONDE_OUTCOME_OPEN);
    }
    flight_deinit(&table);
}

/* Take and end so many probes. */
static void spend(struct flight_table *table, struct flight_line *line, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        uint32_t index = flight_take(table, line);
        cr_assert_neq(index, FLIGHT_NONE);
        flight_keep(table, line, index, SONDE_OUTCOME_OPEN);
    }
}

Test(flight, of_tokens_that_look_alike_the_newest_is_meant)
{
    struct flight_table table = table_of(1 << 17);
    struct flight_line line = flight_line_of(1, &queue);
    spend(&table, &line, 6);
    cr_expect_eq(table.flights[flight_find(&table, &line, 5 + MODULUS)].token, 5,
                 "the 16 bits are the same");
    spend(&table, &line, MODULUS);
    cr_expect_eq(table.flights[flight_find(&table, &line, 5)].token, 5 + MODULUS);
    cr_expect_eq(table.flights[flight_find(&table, &line, 5 + MODULUS)].token, 5 + MODULUS);
    cr_expect_eq(table.flights[flight_find(&table, &line, 6)].token, 6, "not used again yet");
    flight_deinit(&table);
}

Test(flight, a_probe_waits_while_one_that_looks_the_same_flies)
{
    struct flight_table table = table_of(8);
    struct flight_line line = flight_line_of(1, &queue);
    uint32_t old = flight_take(&table, &line);
    spend(&table, &line, MODULUS - 1);
    cr_expect_not(flight_may_take(&table, &line));
    cr_expect_eq(flight_find(&table, &line, 0), old);
    flight_keep(&table, &line, old, SONDE_OUTCOME_OPEN);
    cr_expect(flight_may_take(&table, &line));
    uint32_t new = flight_take(&table, &line);
    cr_assert_neq(new, FLIGHT_NONE);
    cr_expect_eq(flight_find(&table, &line, 0), new);
    flight_deinit(&table);
}

Test(flight, tokens_begin_anew_where_remainders_go_on)
{
    struct flight_table table = table_of(8);
    struct flight_line line = flight_line_of(1, &queue);
    line.next_token = FLIGHT_TOKENS - 3;
    uint32_t flights[6];
    for (uint32_t i = 0; i < 6; i++)
        flights[i] = flight_take(&table, &line);
    static const uint32_t tokens[6] = {
        FLIGHT_TOKENS - 3, FLIGHT_TOKENS - 2, FLIGHT_TOKENS - 1, 0, 1, 2};
    for (uint32_t i = 0; i < 6; i++) {
        cr_expect_eq(table.flights[flights[i]].token, tokens[i]);
        cr_expect_eq(flight_age(&line, tokens[i]), 6 - i);
        cr_expect_eq(flight_find(&table, &line, tokens[i]), flights[i]);
        cr_expect_eq(flight_find(&table, &line, tokens[i] % MODULUS), flights[i]);
        flight_keep(&table, &line, flights[i], SONDE_OUTCOME_OPEN);
        cr_expect_eq(flight_find(&table, &line, tokens[i]), flights[i]);
        cr_expect_eq(flight_find(&table, &line, tokens[i] % MODULUS), flights[i]);
    }
    cr_expect_eq(flight_find(&table, &line, FLIGHT_TOKENS - 4), FLIGHT_NONE);
    cr_expect_eq(flight_find(&table, &line, 3), FLIGHT_NONE);
    flight_deinit(&table);
}

Test(flight, a_zeroed_table_can_be_freed)
{
    struct flight_table table = {0};
    flight_deinit(&table);
    flight_deinit(&table);
}

/* What the table should hold, kept the slow way: in the order in which probes were taken. */
enum { MODEL_CAP = 32, MODEL_LINES = 3, MODEL_SHARE = 20 };

struct model_flight {
    uint32_t line;
    uint32_t token;
    uint32_t index;
    bool flying;
    bool dropped;
};

struct model {
    struct model_flight flights[MODEL_CAP];
    uint32_t count;
    uint32_t flying;
};

static void model_remove(struct model *model, uint32_t at)
{
    model->count--;
    for (uint32_t i = at; i < model->count; i++)
        model->flights[i] = model->flights[i + 1];
}

static void model_take(struct model *model, struct flight_table *table, struct flight_line *line)
{
    uint32_t token = line->next_token;
    uint32_t own = 0;
    for (uint32_t i = 0; i < model->count; i++)
        own += model->flights[i].flying && model->flights[i].line == line->trace;
    cr_assert_eq(flight_available(table), model->flying < MODEL_CAP);
    cr_assert_eq(flight_may_take(table, line), own < MODEL_SHARE);
    if (!flight_available(table) || !flight_may_take(table, line))
        return;
    uint32_t index = flight_take(table, line);
    for (uint32_t i = 0; i < model->count; i++) {
        if (model->flights[i].index == index) {
            cr_assert_not(model->flights[i].flying);
            model_remove(model, i);
        }
    }
    model->flights[model->count++] =
        (struct model_flight){.line = line->trace, .token = token, .index = index, .flying = true};
    model->flying++;
}

static void model_end(struct model *model, struct flight_table *table, struct flight_line *lines,
                      uint32_t nth, bool keep)
{
    uint32_t at = 0;
    while (!model->flights[at].flying || nth-- > 0)
        at++;
    struct model_flight *flight = &model->flights[at];
    if (keep)
        flight_keep(table, &lines[flight->line], flight->index, SONDE_OUTCOME_OPEN);
    else
        flight_drop(table, &lines[flight->line], flight->index);
    flight->flying = false;
    flight->dropped = !keep;
    model->flying--;
}

/* What has to be found: a flying one always; a kept one if everything since is still there. */
static uint32_t model_find(const struct model *model, const struct flight_line *line,
                           uint32_t token)
{
    uint32_t expected = line->next_token - 1;
    bool whole = true;
    for (uint32_t i = model->count; i-- > 0;) {
        const struct model_flight *flight = &model->flights[i];
        if (flight->line != line->trace)
            continue;
        whole = whole && flight->token == expected--;
        if (flight->token == token)
            return flight->flying || (whole && !flight->dropped) ? flight->index : FLIGHT_NONE;
    }
    return FLIGHT_NONE;
}

Test(flight, any_sequence_of_events_finds_what_a_plain_list_finds)
{
    struct flight_table table;
    cr_assert_eq(flight_init(&table, MODEL_CAP, MODEL_SHARE), 0);
    struct flight_line lines[MODEL_LINES];
    struct prng prng = {20260101};
    struct model model = {0};
    for (uint32_t i = 0; i < MODEL_LINES; i++)
        lines[i] = flight_line_of(i, &queue);
    for (int turn = 0; turn < 20000; turn++) {
        uint32_t what = prng_below(&prng, 100);
        if (what < 50 || model.flying == 0)
            model_take(&model, &table, &lines[prng_below(&prng, MODEL_LINES)]);
        else
            model_end(&model, &table, lines, prng_below(&prng, model.flying), what < 90);
        const struct flight_line *line = &lines[prng_below(&prng, MODEL_LINES)];
        for (uint32_t back = 1; back <= 2 * MODEL_CAP && back <= line->next_token; back++) {
            uint32_t token = line->next_token - back;
            cr_assert_eq(flight_find(&table, line, token), model_find(&model, line, token),
                         "turn %d, line %u, token %u", turn, line->trace, token);
        }
    }
    flight_deinit(&table);
}
