/* SPDX-License-Identifier: BSD-2-Clause */
/* What services showed from when to when, in words. */
#ifndef REPORT_EPISODES_H
#define REPORT_EPISODES_H

#include "report/style.h"

/** Add since when a service shows what it shows now: "since 14:05:00 (100 s): ", or nothing if it
 *  has been so all along. @param now_ns  Since 1970. */
void episodes_add_since(struct text *sentence, const struct sonde_service_result *service,
                        sonde_ns now_ns);

/** Add what a service that has failed showed before: "; before that open, 36.8 ms", or nothing. */
void episodes_add_before(struct text *sentence, const struct sonde_service_result *service);

/**
 * Write what was wrong before, the newest first. What several services suffered at the same time in
 * the same way is one line.
 * @param interval_ns  From cycle to cycle: times that differ by no more are the same.
 * @param now_ns       Since 1970.
 */
void episodes_write(struct text_report *report, const struct sonde_target_result *target,
                    sonde_ns interval_ns, sonde_ns now_ns);

#endif
