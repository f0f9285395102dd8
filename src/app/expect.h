/* SPDX-License-Identifier: BSD-2-Clause */
/* What a user wants services to be: --expect, --warn and --crit. */
#ifndef APP_EXPECT_H
#define APP_EXPECT_H

#include "app/targets.h"

#include <sonde/run.h>

/**
 * Read a list such as "22=closed|filtered,web1:25=!open" and note it at every target that has the
 * service, or at the one that is named. What is wanted of one target's outweighs what is wanted of
 * all; among equals the later entry holds. An expectation makes a control a service like any other.
 * @param rules   What ports without a protocol mean.
 * @param reterr  On -EINVAL, one line; safe to print.
 * @return 0; -EINVAL: it is no such list, or there is no such target, or none that has the service;
 *         -ENOMEM.
 */
SONDE_MUST_CHECK int expect_read(const char *words, const struct service_rules *rules,
                                 struct target_list *targets, struct text *reterr);

/**
 * Read limits such as "100,5%": milliseconds, and percent of loss. Either may be missing: "100",
 * ",5%".
 * @param ret_limits  On 0, the limits.
 * @return 0; -EINVAL.
 */
SONDE_MUST_CHECK int expect_read_limits(const char *words, struct sonde_limits *ret_limits);

#endif
