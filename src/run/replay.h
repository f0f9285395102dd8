/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a run has in place of an engine and a transport, if it is made of records.
 *
 * Its vantage is one without sockets, and belongs to it. Its targets, its tally and the places of
 * its services are as those of the recorded run, in the same order: what the engine would add to
 * them is added by records. All its times are times of day.
 */
#ifndef RUN_REPLAY_H
#define RUN_REPLAY_H

#include "run/internal.h"
#include "run/name_table.h"

#include <sonde/replay.h>

/** Names of addresses, as records have told them. */
struct replay_names {
    struct names names;
    struct name_table known;
};

struct sonde_replay {
    struct sonde_replay_options options;
    struct sonde_vantage *vantage;       /* NULL before the first record */
    struct sonde_run *run;               /* likewise */
    struct replay_names names;           /* the vantage's */
    struct arena arena;                  /* texts of the run */
    const char *version;                 /* of the sonde that measured */
    uint16_t (*ports)[TARGET_FLOWS_MAX]; /* [port_cap], by number in the tally and trace */
    uint32_t port_cap;
    struct run_facts facts;
    uint64_t next_n;
    sonde_ns last_ns; /* the latest time of a record */
    bool has_ended;   /* the record of the end was there */
    bool is_enough;   /* so were all cycles that were asked for */
};

/** @return The facts of its run, as records have told them. */
struct run_facts replay_facts(const struct sonde_replay *replay);

/* replay_target.c */

/** Take a target, which may be there already, into the run of a replay.
 *  @return 0; -EINVAL, and why; -ENOMEM. */
SONDE_MUST_CHECK int replay_target(struct sonde_replay *replay,
                                   const struct sonde_record_target *record, const char **ret_why);

#endif
