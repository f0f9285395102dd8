/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A run that is made of records, and measures nothing.
 *
 *     sonde_replay_new()
 *     sonde_replay_add()       for each record, in their order
 *     sonde_run_snapshot()     at any time: what the recorded run had shown by then
 *     sonde_replay_free()
 */
#ifndef SONDE_REPLAY_H
#define SONDE_REPLAY_H

#include <sonde/record.h>
#include <sonde/run.h>

#ifdef __cplusplus
extern "C" {
#endif

struct sonde_replay;

/** How a record is shown. {0} shows all of it, with names. */
struct sonde_replay_options {
    uint32_t cycles; /**< only so many of it; 0 = all */
    bool no_names;   /**< as if no names of addresses had been looked up */
};

/**
 * Begin a replay.
 * @param options     Copied.
 * @param ret_replay  On 0, the replay.
 * @return 0; -ENOMEM.
 * Ownership: the caller frees it with sonde_replay_free().
 */
SONDE_API SONDE_MUST_CHECK int sonde_replay_new(const struct sonde_replay_options *options,
                                                struct sonde_replay **ret_replay);

/** Free a replay with its run; NULL is fine. @return NULL. */
SONDE_API struct sonde_replay *sonde_replay_free(struct sonde_replay *replay);

/**
 * Add the next record.
 * @param record  Copied. Each of its members is within its bounds; that records contradict each
 *                other is found here.
 * @param reterr  On -EINVAL, why; may be NULL.
 * @return 0; 1: as many cycles as were asked for are over, and nothing more is taken; -EINVAL: it
 *         does not fit to those before; -ENOMEM. After an error
 *         nothing more may be added.
 */
SONDE_API SONDE_MUST_CHECK int sonde_replay_add(struct sonde_replay *replay,
                                                const struct sonde_record *record,
                                                struct sonde_error *reterr);

/** @return true if the record of the end was added. Before, a snapshot says that the run was
 *  interrupted; once no more is taken, as all cycles that were asked for are over, that it is
 *  partial. */
SONDE_API bool sonde_replay_has_ended(const struct sonde_replay *replay);

/** @return The run, for sonde_run_snapshot(), and nothing else; NULL before the first record.
 *  Ownership: the replay's. */
SONDE_API struct sonde_run *sonde_replay_run(const struct sonde_replay *replay);

#ifdef __cplusplus
}
#endif
#endif
