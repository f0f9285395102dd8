/* SPDX-License-Identifier: BSD-2-Clause */
/* What holds for a tally, whatever was folded into it, and for what is made of it. */
#ifndef FUZZ_JUDGE_H
#define FUZZ_JUDGE_H

#include "engine/tally.h"

/** Check the sums of a tally, and judge all of its services. @param max_ttl  Of the run. */
void judge_tally(const struct tally *tally, uint8_t max_ttl);

#endif
