/* SPDX-License-Identifier: BSD-2-Clause */
/* The in-flight table: who is found, who is remembered, who has to make room. */
#include "engine/flight.h"

#include "base/prng.h"

#include <criterion/criterion.h>

enum { MODULUS = 65535 /* tokens that far apart look alike in 16-bit fields */ };

static struct flight_table table_of(uint32_t cap)
{
    struct flight_table table;
    cr_assert_eq(flight_init(&table, cap), 0);
    return table;
}

Test(flight, a_taken_flight_is_found_by_trace_and_token)
{
    struct flight_table table = table_of(8);
    struct flight_list list = flight_list_empty;
    uint32_t a = flight_take(&table, &list, 1, 10);
    uint32_t b = flight_take(&table, &list, 1, 11);
    uint32_t c = flight_take(&table, &list, 2, 10);
    cr_assert(a < 8 && b < 8 && c < 8 && a != b && b != c && a != c);
    cr_expect_eq(flight_find(&table, 1, 10), a);
    cr_expect_eq(flight_find(&table, 1, 11), b);
    cr_expect_eq(flight_find(&table, 2, 10), c);
    cr_expect_eq(flight_find(&table, 2, 11), FLIGHT_NONE);
    cr_expect_eq(flight_find(&table, 0, 10), FLIGHT_NONE);
    cr_expect_eq(table.flights[a].state, FLIGHT_FLYING);
    cr_expect_eq(table.flights[b].trace, 1);
    cr_expect_eq(table.flights[b].token, 11);
    flight_deinit(&table);
}

Test(flight, a_targets_flying_probes_stand_in_the_order_taken)
{
    struct flight_table table = table_of(8);
    struct flight_list one = flight_list_empty;
    struct flight_list two = flight_list_empty;
    uint32_t a = flight_take(&table, &one, 1, 1);
    uint32_t b = flight_take(&table, &two, 2, 1);
    uint32_t c = flight_take(&table, &one, 1, 2);
    uint32_t d = flight_take(&table, &one, 1, 3);
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
    struct flight_list list = flight_list_empty;
    uint32_t a = flight_take(&table, &list, 7, 70000);
    flight_keep(&table, &list, a, SONDE_OUTCOME_NO_REPLY);
    cr_expect_eq(flight_find(&table, 7, 70000), a);
    cr_expect_eq(table.flights[a].state, FLIGHT_KEPT);
    cr_expect_eq(table.flights[a].outcome, SONDE_OUTCOME_NO_REPLY);
    flight_deinit(&table);
}

Test(flight, a_dropped_flight_never_was)
{
    struct flight_table table = table_of(1);
    struct flight_list list = flight_list_empty;
    uint32_t a = flight_take(&table, &list, 7, 5);
    flight_drop(&table, &list, a);
    cr_expect_eq(flight_find(&table, 7, 5), FLIGHT_NONE);
    cr_expect(flight_available(&table));
    cr_expect_eq(flight_take(&table, &list, 7, 5), a);
    flight_deinit(&table);
}

Test(flight, kept_flights_make_room_oldest_first_and_only_when_none_is_free)
{
    struct flight_table table = table_of(3);
    struct flight_list list = flight_list_empty;
    uint32_t a = flight_take(&table, &list, 1, 1);
    uint32_t b = flight_take(&table, &list, 1, 2);
    flight_keep(&table, &list, b, SONDE_OUTCOME_OPEN); /* b ended first */
    flight_keep(&table, &list, a, SONDE_OUTCOME_OPEN);
    flight_take(&table, &list, 1, 3); /* the third was free */
    cr_expect_eq(flight_find(&table, 1, 1), a);
    cr_expect_eq(flight_find(&table, 1, 2), b);
    cr_expect_eq(flight_take(&table, &list, 1, 4), b);
    cr_expect_eq(flight_find(&table, 1, 2), FLIGHT_NONE);
    cr_expect_eq(flight_find(&table, 1, 1), a);
    cr_expect_eq(flight_take(&table, &list, 1, 5), a);
    cr_expect_eq(flight_find(&table, 1, 1), FLIGHT_NONE);
    flight_deinit(&table);
}

Test(flight, flying_ones_never_make_room)
{
    struct flight_table table = table_of(2);
    struct flight_list list = flight_list_empty;
    uint32_t a = flight_take(&table, &list, 1, 1);
    cr_expect(flight_available(&table));
    uint32_t b = flight_take(&table, &list, 1, 2);
    cr_expect_not(flight_available(&table));
    cr_expect_eq(flight_take(&table, &list, 1, 3), FLIGHT_NONE);
    cr_expect_eq(flight_find(&table, 1, 1), a);
    cr_expect_eq(flight_find(&table, 1, 2), b);
    cr_expect_eq(flight_find(&table, 1, 3), FLIGHT_NONE);
    flight_keep(&table, &list, a, SONDE_OUTCOME_OPEN);
    cr_expect(flight_available(&table));
    cr_expect_eq(flight_take(&table, &list, 1, 3), a);
    flight_deinit(&table);
}

Test(flight, a_kept_flight_is_forgotten_when_its_sixteen_bit_token_comes_round)
{
    struct flight_table table = table_of(8);
    struct flight_list list = flight_list_empty;
    uint32_t old = flight_take(&table, &list, 1, 5);
    uint32_t other = flight_take(&table, &list, 2, 5);
    cr_expect_eq(flight_find(&table, 1, 5 + MODULUS), old, "the 16 bits are the same");
    flight_keep(&table, &list, old, SONDE_OUTCOME_NO_REPLY);
    uint32_t new = flight_take(&table, &list, 1, 5 + MODULUS);
    cr_assert_neq(new, FLIGHT_NONE);
    cr_expect_eq(flight_find(&table, 1, 5), new);
    cr_expect_eq(flight_find(&table, 1, 5 + MODULUS), new);
    cr_expect_eq(table.flights[new].token, 5 + MODULUS);
    cr_expect_eq(flight_find(&table, 2, 5), other, "another trace's is not touched");
    flight_deinit(&table);
}

Test(flight, a_probe_waits_while_one_with_the_same_sixteen_bit_token_flies)
{
    struct flight_table table = table_of(8);
    struct flight_list list = flight_list_empty;
    uint32_t old = flight_take(&table, &list, 1, 5);
    cr_expect_eq(flight_take(&table, &list, 1, 5 + MODULUS), FLIGHT_NONE);
    cr_expect_eq(flight_find(&table, 1, 5), old);
    flight_keep(&table, &list, old, SONDE_OUTCOME_OPEN);
    cr_expect_neq(flight_take(&table, &list, 1, 5 + MODULUS), FLIGHT_NONE);
    flight_deinit(&table);
}

Test(flight, the_largest_tokens_are_like_all_others)
{
    static const uint32_t tokens[] = {0, 65534, 0x7fffffff, 0x80000000, 0xfffffffe};
    struct flight_table table = table_of(8);
    struct flight_list list = flight_list_empty;
    for (uint32_t i = 0; i < sizeof tokens / sizeof *tokens; i++) {
        uint32_t index = flight_take(&table, &list, i, tokens[i]);
        cr_expect_eq(flight_find(&table, i, tokens[i]), index);
        cr_expect_eq(flight_find(&table, i, tokens[i] % MODULUS), index);
        cr_expect_eq(flight_find(&table, i, (tokens[i] + 1) % MODULUS), FLIGHT_NONE);
    }
    flight_deinit(&table);
}

Test(flight, a_zeroed_table_can_be_freed)
{
    struct flight_table table = {0};
    flight_deinit(&table);
    flight_deinit(&table);
}

/* What the table should hold, kept the slow way: in the order in which things happened. */
enum { MODEL_CAP = 32, MODEL_TRACES = 3, MODEL_TOKENS = 40 };

struct model {
    struct {
        uint32_t trace;
        uint32_t token;
        uint32_t index;
    } flying[MODEL_CAP], kept[MODEL_CAP];
    uint32_t flying_count;
    uint32_t kept_count;
};

static void forget_kept(struct model *model, uint32_t at)
{
    model->kept_count--;
    for (uint32_t i = at; i < model->kept_count; i++)
        model->kept[i] = model->kept[i + 1];
}

static void model_take(struct model *model, struct flight_table *table, struct flight_list *list,
                       uint32_t trace, uint32_t token)
{
    for (uint32_t i = 0; i < model->flying_count; i++) {
        if (model->flying[i].trace == trace && model->flying[i].token == token)
            return; /* a case of its own, above */
    }
    for (uint32_t i = 0; i < model->kept_count; i++) {
        if (model->kept[i].trace == trace && model->kept[i].token == token)
            forget_kept(model, i);
    }
    uint32_t index = flight_take(table, list, trace, token);
    cr_assert_eq(index == FLIGHT_NONE, model->flying_count == MODEL_CAP);
    if (index == FLIGHT_NONE)
        return;
    if (model->flying_count + model->kept_count == MODEL_CAP)
        forget_kept(model, 0);
    uint32_t at = model->flying_count++;
    model->flying[at].trace = trace;
    model->flying[at].token = token;
    model->flying[at].index = index;
}

static void model_end(struct model *model, struct flight_table *table, struct flight_list *list,
                      uint32_t at, bool keep)
{
    if (keep) {
        flight_keep(table, list, model->flying[at].index, SONDE_OUTCOME_OPEN);
        model->kept[model->kept_count++] = model->flying[at];
    } else {
        flight_drop(table, list, model->flying[at].index);
    }
    model->flying_count--;
    for (uint32_t i = at; i < model->flying_count; i++)
        model->flying[i] = model->flying[i + 1];
}

/* @return The flight that the model holds for a token; FLIGHT_NONE if it holds none. */
static uint32_t model_find(const struct model *model, uint32_t trace, uint32_t token)
{
    for (uint32_t i = 0; i < model->flying_count; i++) {
        if (model->flying[i].trace == trace && model->flying[i].token == token)
            return model->flying[i].index;
    }
    for (uint32_t i = 0; i < model->kept_count; i++) {
        if (model->kept[i].trace == trace && model->kept[i].token == token)
            return model->kept[i].index;
    }
    return FLIGHT_NONE;
}

Test(flight, any_sequence_of_events_finds_what_a_plain_list_finds)
{
    struct flight_table table = table_of(MODEL_CAP);
    struct flight_list list = flight_list_empty;
    struct prng prng = {20260101};
    struct model model = {0};
    for (int turn = 0; turn < 20000; turn++) {
        uint32_t what = prng_below(&prng, 100);
        if (what < 55 || model.flying_count == 0)
            model_take(&model, &table, &list, prng_below(&prng, MODEL_TRACES),
                       prng_below(&prng, MODEL_TOKENS));
        else
            model_end(&model, &table, &list, prng_below(&prng, model.flying_count), what < 90);
        uint32_t trace = prng_below(&prng, MODEL_TRACES);
        for (uint32_t token = 0; token < MODEL_TOKENS; token++)
            cr_assert_eq(flight_find(&table, trace, token), model_find(&model, trace, token),
                         "turn %d, trace %u, token %u", turn, trace, token);
    }
    flight_deinit(&table);
}
