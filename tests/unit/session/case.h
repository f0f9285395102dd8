/* SPDX-License-Identifier: BSD-2-Clause */
/* What the tests of the session begin with. */
#ifndef TESTS_UNIT_SESSION_CASE_H
#define TESTS_UNIT_SESSION_CASE_H

#include <sonde/sonde.h>

/** @return A session over the network of a scenario, in virtual time. */
struct sonde_session *case_session(const char *scenario, struct sonde_options options);

/** Start a session unless it has started, and run it to its end. */
void case_run(struct sonde_session *session);

/** @return What is known now. */
struct sonde_snapshot *case_snapshot(struct sonde_session *session);

#endif
