/* SPDX-License-Identifier: BSD-2-Clause */
/* See case.h. */
#include "tests/unit/session/case.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

struct sonde_session *case_session(const char *scenario, struct sonde_options options)
{
    struct sonde_session *session = NULL;
    struct sonde_error error;
    options.simulation.scenario = scenario;
    options.simulation.scenario_bytes = strlen(scenario);
    options.simulation.virtual_time = true;
    cr_assert_eq(sonde_session_new(&options, &session, &error), 0, "%s", error.text);
    return session;
}

void case_run(struct sonde_session *session)
{
    int r = sonde_session_start(session);
    cr_assert(r == 0 || r == -EBUSY);
    for (r = 0; r == 0;)
        r = sonde_session_step(session, SONDE_NS_NEVER);
    cr_assert_eq(r, 1);
}

struct sonde_snapshot *case_snapshot(struct sonde_session *session)
{
    struct sonde_snapshot *snapshot = NULL;
    cr_assert_eq(sonde_session_snapshot(session, &snapshot), 0);
    return snapshot;
}
