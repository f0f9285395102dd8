/* SPDX-License-Identifier: BSD-2-Clause */
/* How far a long run is; see app/progress.h. No escape sequence is used: a dumb terminal can do
 * without. */
#include "app/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

enum { COLUMNS = 40 /* of the longest line */ };
static const sonde_ns FIRST_NS = 2 * SONDE_NS_PER_S;
static const sonde_ns EVERY_NS = SONDE_NS_PER_S;

struct progress progress_init(const struct command *command)
{
    return (struct progress){
        .wanted = !command->quiet && command->stream == STREAM_NONE &&
                  !command->options.simulation.virtual_time && isatty(STDERR_FILENO) != 0,
        .next_ns = FIRST_NS,
    };
}

sonde_ns progress_wait_ns(const struct progress *progress)
{
    return progress->wanted ? EVERY_NS / 4 : SONDE_NS_NEVER;
}

void progress_show(struct progress *progress, const struct sonde_run *run)
{
    struct sonde_progress now;
    char line[COLUMNS + 1];
    if (!progress->wanted)
        return;
    sonde_run_progress(run, &now);
    if (now.elapsed_ns < progress->next_ns)
        return;
    if (now.cycles == SONDE_CYCLES_ENDLESS)
        (void)snprintf(line, sizeof line, "%" PRIu32 " cycles, %" PRId64 " s", now.cycles_begun,
                       now.elapsed_ns / SONDE_NS_PER_S);
    else
        (void)snprintf(line, sizeof line, "%" PRIu32 " of %" PRIu32 " cycles, %" PRId64 " s",
                       now.cycles_begun, now.cycles, now.elapsed_ns / SONDE_NS_PER_S);
    (void)fprintf(stderr, "\r%-*s", COLUMNS, line);
    (void)fflush(stderr);
    progress->shown = true;
    progress->next_ns = now.elapsed_ns + EVERY_NS;
}

void progress_clear(struct progress *progress)
{
    if (!progress->shown)
        return;
    (void)fprintf(stderr, "\r%*s\r", COLUMNS, "");
    (void)fflush(stderr);
    progress->shown = false;
}
