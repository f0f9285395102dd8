/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reports: what a snapshot looks like to people and to programs.
 *
 * Each format is a pure function from a snapshot to text. Texts from outside are made safe on the
 * way (text_add_untrusted()), in every format alike.
 */
#ifndef REPORT_REPORT_H
#define REPORT_REPORT_H

#include "base/span.h"
#include "base/text.h"

#include <sonde/snapshot.h>

/** How the text report looks. {0} is valid. */
struct report_style {
    unsigned columns; /* of the screen; 0 = as wide as need be */
    bool folds;       /* sentences go on in another line there; a file keeps them whole */
    bool ascii;       /* no glyphs beyond ASCII */
    bool color;       /* with escape sequences */
    bool addresses;   /* addresses beside names */
    bool extensions;  /* MPLS labels and the like below the hops */
};

/** Write the text report: verdict first, evidence below. Fails through text_ok(). */
void report_text(const struct sonde_snapshot *snapshot, const struct report_style *style,
                 struct text *text);

/** Write one JSON document, schema sonde.report/1, ending in a newline. Fails through text_ok(). */
void report_json(const struct sonde_snapshot *snapshot, struct text *text);

/** The JSON Schema (2020-12) of that document. */
extern const struct sonde_span report_schema;

#endif
