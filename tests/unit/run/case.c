/* SPDX-License-Identifier: BSD-2-Clause */
/* See case.h. */
#include "tests/unit/run/case.h"

#include "base/time.h"
#include "run/internal.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

int case_new(const struct sonde_options *options, struct sonde_run **ret_run,
             struct sonde_error *reterr_error)
{
    struct sonde_vantage *vantage;
    int r = sonde_vantage_new(&options->vantage, &options->simulation, &vantage, reterr_error);
    if (r < 0)
        return r;
    r = sonde_run_new(vantage, &options->plan, &options->format, &options->judgement, ret_run,
                      reterr_error);
    if (r < 0)
        sonde_vantage_free(vantage);
    return r;
}

void case_free(struct sonde_run *run)
{
    if (run != NULL)
        sonde_vantage_free(run->vantage);
}

struct sonde_run *case_run_of(const char *scenario, struct sonde_options options)
{
    struct sonde_run *run = NULL;
    struct sonde_error error;
    options.simulation.scenario = scenario;
    options.simulation.scenario_bytes = strlen(scenario);
    options.simulation.virtual_time = true;
    cr_assert_eq(case_new(&options, &run, &error), 0, "%s", error.text);
    return run;
}

int case_step(struct sonde_run *run, sonde_ns max_wait_ns)
{
    int r = sonde_vantage_step(run->vantage);
    if (r < 0)
        return r;
    return sonde_run_is_over(run) ? 1 : sonde_vantage_wait(run->vantage, max_wait_ns);
}

void case_pass_until(struct sonde_vantage *vantage, sonde_ns end)
{
    while (vantage->now_ns < end) {
        cr_assert_eq(sonde_vantage_step(vantage), 0);
        cr_assert_eq(sonde_vantage_wait(vantage, ns_sub(end, vantage->now_ns)), 0);
    }
}

void case_finish(struct sonde_run *run)
{
    int r = sonde_run_start(run);
    cr_assert(r == 0 || r == -EBUSY);
    for (r = 0; r == 0;)
        r = case_step(run, SONDE_NS_NEVER);
    cr_assert_eq(r, 1);
}

struct sonde_snapshot *case_snapshot(struct sonde_run *run)
{
    struct sonde_snapshot *snapshot = NULL;
    cr_assert_eq(sonde_run_snapshot(run, &snapshot), 0);
    return snapshot;
}
