/* SPDX-License-Identifier: BSD-2-Clause */
/* What the tests of runs begin with. */
#ifndef TESTS_UNIT_RUN_CASE_H
#define TESTS_UNIT_RUN_CASE_H

#include <sonde/sonde.h>

/** Make a vantage and a run on it. @return As sonde_vantage_new(), or else sonde_run_new(). */
int case_new(const struct sonde_options *options, struct sonde_run **ret_run,
             struct sonde_error *reterr_error);

/** Free a run and its vantage; NULL is fine. */
void case_free(struct sonde_run *run);

/** @return A run over the network of a scenario, in virtual time. */
struct sonde_run *case_run_of(const char *scenario, struct sonde_options options);

/** Do what is due, and then wait, at most so long. @return 0; 1: the run is over; a negative errno.
 */
int case_step(struct sonde_run *run, sonde_ns max_wait_ns);

/** Step, and wait, until a time on the vantage's clock. */
void case_pass_until(struct sonde_vantage *vantage, sonde_ns end);

/** Start a run unless it has started, and let it come to its end. */
void case_finish(struct sonde_run *run);

/** @return What is known now. */
struct sonde_snapshot *case_snapshot(struct sonde_run *run);

#endif
