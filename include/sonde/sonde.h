/* SPDX-License-Identifier: BSD-2-Clause */
/* Everything of libsonde in one include. */
#ifndef SONDE_SONDE_H
#define SONDE_SONDE_H

#include <sonde/event.h>
#include <sonde/extension.h>
#include <sonde/options.h>
#include <sonde/record.h>
#include <sonde/replay.h>
#include <sonde/run.h>
#include <sonde/snapshot.h>
#include <sonde/types.h>
#include <sonde/vantage.h>
#include <sonde/vocabulary.h>

#endif
