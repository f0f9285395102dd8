/* SPDX-License-Identifier: BSD-2-Clause */
/* What the parts of the text report share: marks, colours, names. */
#ifndef REPORT_STYLE_H
#define REPORT_STYLE_H

#include "report/report.h"

/** A report being written. */
struct text_report {
    const struct report_style *style;
    struct text *text;
    struct sonde_zones zones; /* names of the zones of addresses */
    uint8_t max_ttl;          /* the highest TTL that hops are asked with */
};

/** Add @p string and blanks up to @p width columns; blanks first if @p width is negative. */
void style_pad(struct text_report *report, const char *string, long width);

/**
 * Add a sentence. On a screen it breaks between words where a line would take more columns, and
 * goes on below its beginning.
 * @param column  Where it begins, from 0.
 */
void style_sentence(struct text_report *report, const char *sentence, size_t column);

/** Add the mark of a level, coloured if that is wanted. */
void style_mark(struct text_report *report, enum sonde_level level);

/** Add a text from outside as text_add_untrusted() does; if the style is ASCII, bytes beyond it are
 *  escaped, too. */
void style_add_untrusted(const struct text_report *report, struct text *text, const char *string);

/**
 * Add a responder as the style wants it: its name, its address, or both.
 * @param columns  Cut the name where it would take more than this; 0 = leave it whole. An address
 *                 is never cut.
 */
void style_responder(const struct text_report *report, struct text *text,
                     const struct sonde_responder *responder, size_t columns);

/** @return The word for a state: "up" for an icmp service that answers. */
const char *style_state(const struct sonde_service_result *service);

/* table.c */

/** Write the hops of a target, services side by side. */
void table_write(struct text_report *report, const struct sonde_target_result *target);

#endif
