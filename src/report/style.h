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
    sonde_ns started_ns;      /* when the run began, since 1970 */
    sonde_ns now_ns;          /* likewise, of what is reported, when the run ended */
    sonde_ns interval_ns;     /* from cycle to cycle */
    sonde_ns timeout_ns;      /* until a probe is lost */
};

/** Add a moment of the run, with its day unless the report is all of one. @param wall_ns  Since
 *  1970. */
void style_add_moment(const struct text_report *report, struct text *text, sonde_ns wall_ns);

/** @return true if a service was added for comparison, and nobody needs it any more: it is not
 *  asked now. */
bool style_stands_by(const struct text_report *report, const struct sonde_service_result *service);

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

/** @return true if what a service showed before is listed: not of a port that was only added for
 *  comparison. */
bool style_is_listed(const struct sonde_service_result *service);

/** @return The word for a state of a service: "up" for an icmp service that answers. */
const char *style_state_name(const struct sonde_service_result *service, enum sonde_state state);

/** @return The word for the state that a service shows now. */
const char *style_state(const struct sonde_service_result *service);

/* table.c */

/** Write the hops of a target, services side by side. */
void table_write(struct text_report *report, const struct sonde_target_result *target);

#endif
