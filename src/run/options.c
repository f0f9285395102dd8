/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of numbers among the options, and what is made from it; see include/sonde/options.h. */
#include "base/number.h"
#include "engine/engine.h"
#include "probe/probe.h"
#include "run/internal.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>

/* An option, and where struct sonde_options has it. */
struct number {
    struct sonde_bounds bounds;
    size_t at;
    size_t bytes;
};

/* A line of the table: an option, its default, least and most, what they count, what it is called,
 * and where it is. */
#define NUMBER(OPTION, STANDARD, LEAST, MOST, UNIT, NAME, MEMBER)                                  \
    [SONDE_OPTION_##OPTION] = {                                                                    \
        .bounds = {(NAME), SONDE_UNIT_##UNIT, (STANDARD), (LEAST), (MOST)},                        \
        .at = offsetof(struct sonde_options, MEMBER),                                              \
        .bytes = sizeof((const struct sonde_options *)NULL)->MEMBER,                               \
    }

#define MS SONDE_NS_PER_MS
#define S SONDE_NS_PER_S
#define RTT_MOST_NS (3600 * S)

/* Only where 0 is the default itself, it is within the bounds. */
static const struct number numbers[] = {
    NUMBER(MARK, 0, 1, UINT32_MAX, NONE, "mark", vantage.mark),
    NUMBER(RATE, ENGINE_POLITE_PPS, 1, 1000000, PPS, "rate", vantage.rate_pps),
    NUMBER(SOURCE_PORT, 0, 1, UINT16_MAX, NONE, "source port", vantage.source_port),
    NUMBER(TARGETS, SONDE_TARGETS_MAX, 1, SONDE_TARGETS_MAX, NONE, "number of targets",
           vantage.targets_max),
    NUMBER(CYCLES, 3, 1, SONDE_CYCLES_ENDLESS - 1, NONE, "number of cycles", plan.cycles),
    NUMBER(INTERVAL, S, MS, 86400 * S, NS, "interval", plan.interval_ns),
    NUMBER(TIMEOUT, 2 * S, 10 * MS, 3600 * S, NS, "timeout", plan.timeout_ns),
    NUMBER(DEADLINE, 0, 10 * MS, 366 * 86400 * S, NS, "deadline", plan.deadline_ns),
    NUMBER(FLOWS, 1, 1, SONDE_FLOWS_MAX, NONE, "number of flows", plan.flows),
    NUMBER(FIRST_TTL, 1, 1, UINT8_MAX, NONE, "first TTL", plan.first_ttl),
    NUMBER(MAX_TTL, 30, 1, UINT8_MAX, NONE, "largest TTL", plan.max_ttl),
    NUMBER(GAP_LIMIT, 12, 1, UINT8_MAX, NONE, "limit of silent hops", plan.gap_limit),
    NUMBER(SIZE, PROBE_SIZE_USUAL, PROBE_SIZE_MIN, PROBE_SIZE_MAX, BYTES, "packet size",
           format.size_bytes),
    NUMBER(FILL, 0, 0, UINT8_MAX, NONE, "fill", format.fill),
    NUMBER(TOS, 0, 0, UINT8_MAX, NONE, "type of service", format.tos),
    NUMBER(WARN_RTT, 0, 1, RTT_MOST_NS, NS, "round trip to warn of", judgement.warn.rtt_ns),
    NUMBER(CRIT_RTT, 0, 1, RTT_MOST_NS, NS, "round trip to fail at", judgement.crit.rtt_ns),
};
static_assert(sizeof numbers / sizeof *numbers == SONDE_OPTION_COUNT, "a line for each");

static int64_t read_member(const void *at, size_t bytes)
{
    switch (bytes) {
    case sizeof(uint8_t):
        return *(const uint8_t *)at;
    case sizeof(uint16_t):
        return *(const uint16_t *)at;
    case sizeof(uint32_t):
        return *(const uint32_t *)at;
    default:
        return *(const int64_t *)at;
    }
}

static void write_member(void *at, size_t bytes, int64_t value)
{
    switch (bytes) {
    case sizeof(uint8_t):
        *(uint8_t *)at = (uint8_t)value;
        break;
    case sizeof(uint16_t):
        *(uint16_t *)at = (uint16_t)value;
        break;
    case sizeof(uint32_t):
        *(uint32_t *)at = (uint32_t)value;
        break;
    default:
        *(int64_t *)at = value;
        break;
    }
}

static int64_t value_of(const struct sonde_options *options, const struct number *number)
{
    return read_member((const char *)options + number->at, number->bytes);
}

static void set(struct sonde_options *options, const struct number *number, int64_t value)
{
    write_member((char *)options + number->at, number->bytes, value);
}

static bool is_within(const struct sonde_bounds *bounds, int64_t value)
{
    return value >= bounds->least && value <= bounds->most;
}

const struct sonde_bounds *sonde_option_bounds(enum sonde_option option)
{
    bool known = option > SONDE_OPTION_NONE && option < SONDE_OPTION_COUNT;
    return known ? &numbers[option].bounds : NULL;
}

int64_t sonde_option_get(const struct sonde_options *options, enum sonde_option option)
{
    int64_t value = value_of(options, &numbers[option]);
    return value != 0 ? value : numbers[option].bounds.standard;
}

int sonde_option_set(struct sonde_options *options, enum sonde_option option, int64_t value)
{
    const struct sonde_bounds *bounds = sonde_option_bounds(option);
    if (bounds == NULL)
        return -EINVAL;
    if (!is_within(bounds, value))
        return -ERANGE;
    set(options, &numbers[option], value);
    return 0;
}

const char *sonde_unit_name(enum sonde_unit unit)
{
    static const char *const names[] = {
        [SONDE_UNIT_NONE] = "",
        [SONDE_UNIT_NS] = "seconds",
        [SONDE_UNIT_BYTES] = "bytes",
        [SONDE_UNIT_PPS] = "packets a second",
    };
    static_assert(sizeof names / sizeof *names == SONDE_UNIT_COUNT, "a name for each");
    return (unsigned)unit < SONDE_UNIT_COUNT ? names[unit] : "";
}

void options_fill_in(struct sonde_options *options)
{
    uint32_t rate_pps = options->vantage.rate_pps;
    for (int i = SONDE_OPTION_NONE + 1; i < SONDE_OPTION_COUNT; i++)
        set(options, &numbers[i], sonde_option_get(options, (enum sonde_option)i));
    options->vantage.rate_pps = rate_pps; /* 0 also means the burst before it */
}

/* Say that a number is out of its bounds. @return -EINVAL. */
static int refuse(const struct sonde_bounds *bounds, struct sonde_error *reterr)
{
    int64_t unit = bounds->unit == SONDE_UNIT_NS ? SONDE_NS_PER_S : 1;
    const char *name = sonde_unit_name(bounds->unit);
    char least[NUMBER_TEXT_BYTES];
    char most[NUMBER_TEXT_BYTES];
    number_write(bounds->least, unit, least);
    number_write(bounds->most, unit, most);
    (void)snprintf(reterr->text, sizeof reterr->text, "the %s is not within %s to %s%s%s",
                   bounds->name, least, most, name[0] != '\0' ? " " : "", name);
    return -EINVAL;
}

/* 0 is the default, or a value. */
static int check_numbers(const struct sonde_options *options, struct sonde_error *reterr)
{
    for (int i = SONDE_OPTION_NONE + 1; i < SONDE_OPTION_COUNT; i++) {
        int64_t value = value_of(options, &numbers[i]);
        bool endless = i == SONDE_OPTION_CYCLES && value == SONDE_CYCLES_ENDLESS;
        if (value != 0 && !endless && !is_within(&numbers[i].bounds, value))
            return refuse(&numbers[i].bounds, reterr);
    }
    return 0;
}

/* No number at all is no share, either. */
static bool is_share(double ratio)
{
    return ratio >= 0 && ratio <= 1;
}

int options_check(const struct sonde_options *options, struct sonde_error *reterr)
{
    const struct sonde_judgement *judgement = &options->judgement;
    const char *what = NULL;
    int r = check_numbers(options, reterr);
    if (r < 0)
        return r;
    if (sonde_option_get(options, SONDE_OPTION_FIRST_TTL) >
        sonde_option_get(options, SONDE_OPTION_MAX_TTL))
        what = "the first TTL is above the largest";
    else if (!is_share(judgement->warn.loss_ratio) || !is_share(judgement->crit.loss_ratio))
        what = "a limit of loss is not within 0 to 1";
    else if (options->plan.began_ns < 0)
        what = "the deadline is counted from before the clock began";
    if (what != NULL)
        (void)snprintf(reterr->text, sizeof reterr->text, "%s", what);
    return what != NULL ? -EINVAL : 0;
}
