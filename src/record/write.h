/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files share that write lines. Each function adds the members of some kinds of record. */
#ifndef RECORD_WRITE_H
#define RECORD_WRITE_H

#include "record/record.h"

/** Of a probe, however it ended. */
void record_write_probe(struct text *line, const struct sonde_record_probe *probe);

/** Of what follows from other records: cycles, changes of a path, verdicts, episodes. */
void record_write_derived(struct text *line, const struct sonde_record *record);

#endif
