/* SPDX-License-Identifier: BSD-2-Clause */
/* What the tests of records begin with, and end with. */
#ifndef TESTS_UNIT_RUN_RECORDED_H
#define TESTS_UNIT_RUN_RECORDED_H

#include <sonde/sonde.h>

/** www.example is known after 100 ms, and shares then what is measured for the address beside it.
 */
extern const char recorded_network[];

enum { RECORDED_MAX = 20 /* targets */ };

/** What is seen of the records of a run. */
struct recorded_seen {
    uint64_t count;
    uint32_t of[SONDE_RECORD_TYPE_COUNT];
    enum sonde_record_type last;
    bool is_told[RECORDED_MAX]; /* by target: a record said where its services are measured */
};

/** Add a target with icmp and 443/tcp. @return As sonde_run_add(). */
int recorded_add(struct sonde_run *run, const char *host);

/** @return A replay that is shown whole. */
struct sonde_replay *recorded_replay(void);

/** Take all records that there are. @param replay  Gets them, too; NULL = none does.
 *  @return 0; -ENOMEM. */
int recorded_take(struct sonde_run *run, struct sonde_replay *replay, struct recorded_seen *seen);

/** Likewise, at most so many. @return How many there were. */
unsigned recorded_take_at_most(struct sonde_run *run, struct sonde_replay *replay, unsigned max,
                               struct recorded_seen *seen);

/** Let a run that has started come to its end. @return 1; a negative errno. */
int recorded_go_on(struct sonde_run *run, struct sonde_replay *replay, struct recorded_seen *seen);

/** Compare what two snapshots say of each service. */
void recorded_compare(const struct sonde_snapshot *now, const struct sonde_snapshot *again);

/** Compare a run with its replay, and free both. */
void recorded_end(struct sonde_run *run, struct sonde_replay *replay);

#endif
