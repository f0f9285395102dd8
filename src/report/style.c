/* SPDX-License-Identifier: BSD-2-Clause */
/* Marks, colours and names of the text report; see report/style.h. */
#include "report/style.h"

#include "base/time.h"
#include "base/wall.h"

#include <string.h>

enum { NAME_MIN = 10 /* columns that a name is never cut below */ };

void style_pad(struct text_report *report, const char *string, long width)
{
    long columns = (long)text_columns(string);
    text_add_repeated(report->text, ' ', -width - columns);
    text_add(report->text, string);
    text_add_repeated(report->text, ' ', width - columns);
}

void style_sentence(struct text_report *report, const char *sentence, size_t column)
{
    const struct report_style *style = report->style;
    size_t used = column;
    for (const char *word = sentence; *word != '\0';) {
        size_t len = strcspn(word, " ");
        bool first = word == sentence;
        if (!first && style->folds && style->columns > 0 && used + 1 + len > style->columns) {
            text_add(report->text, "\n");
            text_add_repeated(report->text, ' ', (long)column);
            used = column;
        } else if (!first) {
            text_add(report->text, " ");
            used++;
        }
        text_add_bytes(report->text, word, len);
        used += len;
        word += len + (word[len] == ' ' ? 1 : 0);
    }
}

void style_mark(struct text_report *report, enum sonde_level level)
{
    /* The mark says it, the colour only repeats it; blue, yellow and magenta can be told apart by
     * everybody (Okabe and Ito, Color Universal Design). */
    static const struct {
        const char *glyph;
        const char *ascii;
        const char *color;
    } marks[SONDE_LEVEL_COUNT] = {
        [SONDE_LEVEL_OK] = {"✓", "+", "\033[36m"},
        [SONDE_LEVEL_DEGRADED] = {"!", "!", "\033[33m"},
        [SONDE_LEVEL_FAILED] = {"✗", "x", "\033[35m"},
        [SONDE_LEVEL_UNKNOWN] = {"?", "?", "\033[33m"},
    };
    if (report->style->color)
        text_add(report->text, marks[level].color);
    text_add(report->text, report->style->ascii ? marks[level].ascii : marks[level].glyph);
    if (report->style->color)
        text_add(report->text, "\033[0m");
}

void style_add_untrusted(const struct text_report *report, struct text *text, const char *string)
{
    if (!report->style->ascii) {
        text_add_untrusted(text, string, strlen(string));
        return;
    }
    for (const char *at = string; *at != '\0'; at++) /* no byte beyond ASCII is UTF-8 by itself */
        text_add_untrusted(text, at, 1);
}

void style_responder(const struct text_report *report, struct text *text,
                     const struct sonde_responder *responder, size_t columns)
{
    const struct report_style *style = report->style;
    char addr[SONDE_ADDR_TEXT_BYTES];
    struct text name = {0};
    sonde_addr_text_zoned(&responder->address, &report->zones, addr);
    if (responder->hostname == NULL) {
        text_add(text, addr);
        return;
    }
    size_t beside = style->addresses ? strlen(addr) + strlen(" ()") : 0;
    style_add_untrusted(report, &name, responder->hostname);
    if (columns > 0)
        text_cut(&name, columns > beside + NAME_MIN ? columns - beside : NAME_MIN,
                 style->ascii ? ".." : "…");
    text_add(text, name.data != NULL ? name.data : "");
    text->failed |= name.failed;
    text_deinit(&name);
    if (style->addresses)
        text_addf(text, " (%s)", addr);
}

void style_add_moment(const struct text_report *report, struct text *text, sonde_ns wall_ns)
{
    wall_add_moment(text, wall_ns, report->started_ns, report->now_ns);
}

bool style_stands_by(const struct text_report *report, const struct sonde_service_result *service)
{
    enum { CYCLES = 3 }; /* that pass between two probes, at most, to who is asked */
    sonde_ns since_ns = ns_sub(report->now_ns, service->present.asked_wall_ns);
    sonde_ns longest_ns = ns_add(report->timeout_ns, CYCLES * report->interval_ns);
    bool is_added = service->control && service->port != 0 && !service->paused;
    return is_added && service->present.asked_wall_ns != 0 && since_ns > longest_ns;
}

bool style_is_listed(const struct sonde_service_result *service)
{
    return !service->control || service->port == 0;
}

const char *style_state_name(const struct sonde_service_result *service, enum sonde_state state)
{
    return service->port == 0 && state == SONDE_STATE_OPEN ? "up" : sonde_state_name(state);
}

const char *style_state(const struct sonde_service_result *service)
{
    return style_state_name(service, service->state);
}
