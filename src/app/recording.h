/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The records of a run, written as they come: to a file, to standard output, or to both. Each line
 * is one write, so that who follows it gets whole lines, and a power cut leaves all but the last.
 */
#ifndef APP_RECORDING_H
#define APP_RECORDING_H

#include "app/options.h"

/** {0} is none. */
struct recording {
    const struct command *command;
    int fd;         /* of the file; -1 = none, or it cannot be written any more */
    bool streams;   /* to standard output, which can be written */
    bool failed;    /* not all could be written: what was asked for is not there */
    bool is_unread; /* who read the stream has gone away */
};

/** @return true if records are wanted. */
static inline bool recording_is_wanted(const struct command *command)
{
    return command->record != NULL || command->stream != STREAM_NONE;
}

/**
 * Open the file, with the permissions that the user has.
 * @param reterr  On failure, one line.
 * @return 0; -EINVAL: it cannot be opened.
 */
SONDE_MUST_CHECK int recording_open(const struct command *command, struct recording *ret_recording,
                                    struct text *reterr);

/** Write all records that there are. What cannot be written is said once, and the run goes on. */
void recording_write(struct recording *recording, struct sonde_run *run);

/** Close the file. */
void recording_close(struct recording *recording);

#endif
