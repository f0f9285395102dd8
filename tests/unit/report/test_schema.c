/* SPDX-License-Identifier: BSD-2-Clause */
/* The JSON Schemas list the words of the vocabulary, each of them and no others. */
#include "record/record.h"
#include "report/report.h"

#include <cjson/cJSON.h>
#include <criterion/criterion.h>
#include <sonde/vocabulary.h>
#include <stdio.h>
#include <string.h>

#define WORD(NAME, ENUM)                                                                           \
    static const char *NAME##_word(unsigned value)                                                 \
    {                                                                                              \
        return sonde_##NAME##_name((enum ENUM)value);                                              \
    }
WORD(state, sonde_state)
WORD(outcome, sonde_outcome)
WORD(level, sonde_level)
WORD(code, sonde_code)
WORD(confidence, sonde_confidence)
WORD(way, sonde_way)
WORD(stop_reason, sonde_stop_reason)
WORD(loss_kind, sonde_loss_kind)
WORD(status, sonde_status)
WORD(transport_kind, sonde_transport_kind)
WORD(discard, sonde_discard)
WORD(clock, sonde_clock)

/* Where a schema lists which vocabulary. */
struct list {
    const char *path;
    const char *(*word)(unsigned value);
    unsigned first;
    unsigned count;
};

static const struct list report_lists[] = {
    {"properties/status", status_word, 0, SONDE_STATUS_COUNT},
    {"properties/vantage/properties/transport", transport_kind_word, 0, SONDE_TRANSPORT_KIND_COUNT},
    {"properties/discarded/propertyNames", discard_word, 1, SONDE_DISCARD_COUNT},
    {"$defs/level", level_word, 0, SONDE_LEVEL_COUNT},
    {"$defs/code", code_word, 0, SONDE_CODE_COUNT},
    {"$defs/outcome", outcome_word, 0, SONDE_OUTCOME_COUNT},
    {"$defs/service/properties/outcomes/propertyNames", outcome_word, 0, SONDE_OUTCOME_COUNT},
    {"$defs/blame/properties/way", way_word, 0, SONDE_WAY_COUNT},
    {"$defs/hop/properties/loss_kind", loss_kind_word, 0, SONDE_LOSS_KIND_COUNT},
    {"$defs/path/properties/stop_reason", stop_reason_word, 0, SONDE_STOP_COUNT},
    {"$defs/service/properties/state", state_word, 0, SONDE_STATE_COUNT},
    {"$defs/service/properties/findings/items/properties/confidence", confidence_word, 0,
     SONDE_CONFIDENCE_COUNT},
};

static const struct list record_lists[] = {
    {"$defs/run_end/properties/status", status_word, 0, SONDE_STATUS_COUNT},
    {"$defs/run_start/properties/vantage/properties/transport", transport_kind_word, 0,
     SONDE_TRANSPORT_KIND_COUNT},
    {"$defs/counters/properties/discarded/propertyNames", discard_word, 1, SONDE_DISCARD_COUNT},
    {"$defs/level", level_word, 0, SONDE_LEVEL_COUNT},
    {"$defs/code", code_word, 0, SONDE_CODE_COUNT},
    {"$defs/outcome", outcome_word, 0, SONDE_OUTCOME_COUNT},
    {"$defs/state", state_word, 0, SONDE_STATE_COUNT},
    {"$defs/clock", clock_word, 0, SONDE_CLOCK_COUNT},
    {"$defs/verdict/properties/confidence", confidence_word, 0, SONDE_CONFIDENCE_COUNT},
};

/* @return What stands under a key at a path; NULL if there is nothing. */
static const cJSON *find(const cJSON *schema, const char *path, const char *key)
{
    const cJSON *at = schema;
    char words[128];
    char *rest = NULL;
    (void)snprintf(words, sizeof words, "%s", path);
    for (char *word = strtok_r(words, "/", &rest); word != NULL; word = strtok_r(NULL, "/", &rest))
        at = cJSON_GetObjectItemCaseSensitive(at, word);
    return cJSON_GetObjectItemCaseSensitive(at, key);
}

static bool lists_word(const cJSON *list, const char *word)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, list)
    {
        if (cJSON_IsString(item) && strcmp(item->valuestring, word) == 0)
            return true;
    }
    return false;
}

static int words_in(const cJSON *list)
{
    int count = 0;
    const cJSON *item;
    cJSON_ArrayForEach(item, list) count += cJSON_IsString(item) != 0;
    return count;
}

static void check_lists(const struct sonde_span *text, const struct list *lists, size_t count)
{
    cJSON *schema = cJSON_ParseWithLength((const char *)text->data, text->len);
    cr_assert_not_null(schema);
    for (size_t i = 0; i < count; i++) {
        const cJSON *list = find(schema, lists[i].path, "enum");
        cr_expect_eq(words_in(list), (int)(lists[i].count - lists[i].first), "%s", lists[i].path);
        for (unsigned value = lists[i].first; value < lists[i].count; value++) {
            const char *word = lists[i].word(value);
            cr_expect(lists_word(list, word), "%s lacks %s", lists[i].path, word);
        }
    }
    cJSON_Delete(schema);
}

Test(schema, has_the_words_of_the_vocabulary_and_no_others)
{
    check_lists(&report_schema, report_lists, sizeof report_lists / sizeof *report_lists);
    check_lists(&record_schema, record_lists, sizeof record_lists / sizeof *record_lists);
}

Test(schema, has_the_states_that_may_be_expected)
{
    cJSON *schema = cJSON_ParseWithLength((const char *)report_schema.data, report_schema.len);
    const cJSON *pattern = find(schema, "$defs/service/properties/expect", "pattern");
    char states[256] = "";
    char wanted[640];
    for (unsigned value = 0; value < SONDE_STATE_COUNT; value++) {
        const char *word = state_word(value);
        if (value == SONDE_STATE_UNKNOWN)
            continue; /* nobody can want that */
        size_t len = strlen(states);
        (void)snprintf(states + len, sizeof states - len, "%s%s", len > 0 ? "|" : "", word);
    }
    (void)snprintf(wanted, sizeof wanted, "^!?(%s)([|](%s))*$", states, states);
    cr_assert(cJSON_IsString(pattern));
    cr_expect_str_eq(pattern->valuestring, wanted);
    cJSON_Delete(schema);
}
