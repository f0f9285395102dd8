/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of hops: a line for each responder of each TTL, a group of columns for each service.
 *
 * A service's figures stand on the line of the responder that most of its answers came from. A
 * blank means that nothing was asked there, a dash that nothing was answered, or that it is not
 * known how fast. The target has a number where its distance is known, otherwise "?".
 */
#include "report/hops.h"
#include "report/style.h"

#include <stdio.h>
#include <string.h>

enum {
    ROWS_MAX = 256 + 64 * 4, /* TTLs, and further responders of some */
    SERVICES_MAX = 128,
    NUMBER_COLUMNS = 4, /* "12  " */
    GROUP_COLUMNS = 21, /* "     0.0  50.2  50.9 ", one service */
    GROUP_GAP = 3,
    HOST_MIN = 10,    /* "(no reply)" */
    HOST_ENOUGH = 34, /* of a name, where the screen is narrow: two services beside it fit 80 */
    UNKNOWN_TTL = 0,  /* of the target's line, if it is not known how far away it is */
};

/* One line: who answered at a TTL. */
struct row {
    uint8_t ttl;
    bool first; /* of its TTL */
    bool is_target;
    const struct sonde_responder *responder; /* NULL = nobody */
};

struct table {
    struct text_report *report;
    const struct sonde_target_result *target;
    const struct sonde_service_result *services[SERVICES_MAX]; /* that have a column */
    size_t service_count;
    struct row rows[ROWS_MAX];
    size_t row_count;
    uint8_t distance;  /* of the target; 0 = not known */
    size_t host_limit; /* names are cut to it; 0 = they are not */
    long host_columns;
    bool has_limited;  /* a "~" at a router needs explaining */
    bool has_rationed; /* or one at the target */
    bool has_unclear;  /* a "?" instead of loss does */
};

static void add_row(struct table *table, uint8_t ttl, const struct sonde_responder *responder,
                    bool is_target)
{
    bool first = true;
    for (size_t i = table->row_count; i > 0 && table->rows[i - 1].ttl == ttl; i--) {
        const struct row *row = &table->rows[i - 1];
        if (row->responder != NULL && responder != NULL &&
            sonde_addr_equal(&row->responder->address, &responder->address))
            return;
        first = false;
    }
    if (table->row_count < ROWS_MAX)
        table->rows[table->row_count++] = (struct row){ttl, first, is_target, responder};
}

/* All responders of a TTL, over all services; a line without any if nobody answered. */
static void add_rows(struct table *table, uint8_t ttl)
{
    size_t before = table->row_count;
    for (size_t i = 0; i < table->service_count; i++) {
        const struct sonde_hop *hop = hops_at(table->services[i], ttl);
        for (size_t k = 0; hop != NULL && k < hop->responder_count; k++) {
            if (hops_is_here(hop, &hop->responders[k]))
                add_row(table, ttl, &hop->responders[k], hop->is_target);
        }
    }
    if (table->row_count == before)
        add_row(table, ttl, NULL, false);
}

/* The distance that most can be said for: the first service's that knows it. */
static uint8_t find_distance(const struct sonde_target_result *target)
{
    for (size_t i = 0; i < target->service_count; i++) {
        const struct sonde_path *path = target->services[i].path;
        if (path != NULL && path->hop_count > 0 && path->hops[path->hop_count - 1].is_target)
            return path->hops[path->hop_count - 1].ttl;
    }
    return 0;
}

/* Has anything of the target answered? */
static bool is_reached(const struct sonde_target_result *target)
{
    for (size_t i = 0; i < target->service_count; i++) {
        if (target->services[i].path != NULL && target->services[i].path->reached)
            return true;
    }
    return false;
}

/* The last TTL at which somebody stands. */
static uint8_t find_last_ttl(const struct sonde_target_result *target)
{
    uint8_t last = 0;
    for (size_t i = 0; i < target->service_count; i++) {
        const struct sonde_path *path = target->services[i].path;
        for (size_t k = 0; path != NULL && k < path->hop_count; k++) {
            const struct sonde_hop *hop = &path->hops[k];
            if ((hop->is_target || hops_main(hop) != NULL) && hop->ttl > last)
                last = hop->ttl;
        }
    }
    return last;
}

static uint8_t find_first_ttl(const struct sonde_target_result *target)
{
    uint8_t first = 255;
    for (size_t i = 0; i < target->service_count; i++) {
        const struct sonde_path *path = target->services[i].path;
        if (path != NULL && path->hop_count > 0 && path->hops[0].ttl < first)
            first = path->hops[0].ttl;
    }
    return first;
}

static void host_text(const struct table *table, const struct row *row, struct text *text)
{
    if (row->responder == NULL)
        text_add(text, hops_is_asked(table->target, row->ttl) ? "(no reply)" : "(not asked)");
    else
        style_responder(table->report, text, row->responder, table->host_limit);
}

/* The width of the host column: what is longest, with names cut to what the services leave of the
 * screen. */
static void measure_hosts(struct table *table)
{
    long screen = table->report->style->columns;
    long left = screen - NUMBER_COLUMNS - (long)table->service_count * GROUP_COLUMNS;
    if (screen > 0)
        table->host_limit = left > HOST_ENOUGH ? (size_t)left : HOST_ENOUGH;
    table->host_columns = HOST_MIN;
    for (size_t i = 0; i < table->row_count; i++) {
        struct text text = {0};
        host_text(table, &table->rows[i], &text);
        long columns = text.data != NULL ? (long)text_columns(text.data) : 0;
        if (columns > table->host_columns)
            table->host_columns = columns;
        text_deinit(&text);
    }
}

/* The mean and the 95th percentile of round trips. */
static void write_times(struct table *table, const struct sonde_rtt *rtt)
{
    const sonde_ns values[] = {rtt->avg_ns, rtt->p95_ns};
    for (int i = 0; i < 2; i++) {
        struct text ms = {0};
        if (rtt->samples > 0 && values[i] >= 0)
            text_add_ms(&ms, values[i]);
        text_addf(table->report->text, "%6s", ms.data != NULL ? ms.data : "-");
        text_deinit(&ms);
    }
}

/* What routers at a hop answered, in percent. */
static void write_hop_figures(struct table *table, const struct sonde_hop *hop)
{
    struct text cell = {0};
    bool unclear = hop->received > 0 && hop->may_arrive;
    bool limited = !unclear && hop->loss_kind == SONDE_LOSS_RATE_LIMITED;
    if (hop->received == 0)
        text_add(&cell, "-");
    else if (unclear)
        text_add(&cell, "?");
    else
        text_addf(&cell, "%s%.1f", limited ? "~" : "",
                  100.0 * (double)(hop->sent - hop->received) / (double)hop->sent);
    text_addf(table->report->text, "%*s", GROUP_GAP + 6, cell.data != NULL ? cell.data : "");
    text_deinit(&cell);
    const struct sonde_rtt unknown = {0};
    write_times(table, hops_is_timed(hop) ? &hop->rtt : &unknown);
    table->has_limited |= limited;
    table->has_unclear |= unclear;
}

/* What the target answered: its loss is told as in the verdict. */
static void write_own_figures(struct table *table, uint64_t sent, uint64_t received,
                              const struct sonde_rtt *rtt, bool limited)
{
    struct text cell = {0};
    if (limited)
        text_add(&cell, "~");
    table->has_rationed |= limited;
    if (received == sent)
        text_add(&cell, "0.0");
    else
        text_add_share(&cell, sent - received, sent);
    text_addf(table->report->text, "%*s", GROUP_GAP + 6, cell.data != NULL ? cell.data : "");
    text_deinit(&cell);
    write_times(table, rtt);
}

/* A service on the target's line: its own figures, even where its distance is not known. */
static bool write_target_cell(struct table *table, const struct row *row,
                              const struct sonde_service_result *service)
{
    const struct sonde_path *path = service->path;
    bool has_own = path != NULL && path->hop_count > 0 && path->hops[path->hop_count - 1].is_target;
    if (!row->is_target || row->ttl != table->distance || has_own || service->sent == 0)
        return false;
    write_own_figures(table, service->sent, service->received, &service->rtt, false);
    return true;
}

static void write_cell(struct table *table, const struct row *row,
                       const struct sonde_service_result *service)
{
    const struct sonde_hop *hop = hops_at(service, row->ttl);
    const struct sonde_responder *best = hops_main(hop);
    bool here = best == NULL ? row->first
                             : row->responder != NULL &&
                                   sonde_addr_equal(&best->address, &row->responder->address);
    if (write_target_cell(table, row, service))
        return;
    bool elsewhere = best == NULL && hop != NULL && hop->received > 0;
    if (hop == NULL || hop->sent == 0 || !here || elsewhere)
        text_add_repeated(table->report->text, ' ', GROUP_COLUMNS);
    else if (hop->is_target)
        write_own_figures(table, hop->sent, hop->received, &hop->rtt,
                          hop->loss_kind == SONDE_LOSS_RATE_LIMITED);
    else
        write_hop_figures(table, hop);
}

static void write_extensions(struct table *table, const struct sonde_responder *responder)
{
    struct text *text = table->report->text;
    const struct sonde_extensions *ext = responder->extensions;
    for (unsigned i = 0; ext != NULL && i < ext->count; i++) {
        const struct sonde_extension *item = &ext->items[i];
        for (unsigned k = 0; item->kind == SONDE_EXTENSION_MPLS && k < item->u.mpls.count; k++) {
            const struct sonde_mpls_label *label = &item->u.mpls.labels[k];
            text_addf(text, "    [MPLS: label %u tc %u s %u ttl %u]\n", label->label, label->tc,
                      label->bos, label->ttl);
        }
        if (item->kind == SONDE_EXTENSION_INTERFACE) {
            const char *name = item->u.interface.name;
            text_addf(text, "    [interface");
            if (item->u.interface.index != 0)
                text_addf(text, " %u", item->u.interface.index);
            text_add(text, name[0] != '\0' ? " " : "");
            style_add_untrusted(table->report, text, name);
            text_add(text, "]\n");
        }
        if (item->kind == SONDE_EXTENSION_RAW)
            text_addf(text, "    [extension class %u type %u, %u bytes]\n", item->class_num,
                      item->c_type, item->u.raw.len);
    }
}

static void write_row(struct table *table, const struct row *row, size_t from, size_t to)
{
    struct text *text = table->report->text;
    struct text host = {0};
    size_t start = text->len;
    if (row->is_target && !hops_is_distance(table->target, row->ttl))
        text_add(text, " ?  ");
    else if (row->first)
        text_addf(text, "%2u  ", row->ttl);
    else
        text_add_repeated(text, ' ', NUMBER_COLUMNS);
    host_text(table, row, &host);
    style_pad(table->report, host.data != NULL ? host.data : "", table->host_columns);
    text_deinit(&host);
    for (size_t i = from; i < to; i++)
        write_cell(table, row, table->services[i]);
    while (text->len > start && text->data[text->len - 1] == ' ')
        text->data[--text->len] = '\0';
    text_add(text, "\n");
    if (table->report->style->extensions && row->responder != NULL)
        write_extensions(table, row->responder);
}

static void write_head(struct table *table, size_t from, size_t to)
{
    struct text *text = table->report->text;
    size_t start = text->len;
    text_add_repeated(text, ' ', NUMBER_COLUMNS + table->host_columns);
    for (size_t i = from; i < to; i++) {
        text_add_repeated(text, ' ', GROUP_GAP + 1);
        style_pad(table->report, table->services[i]->service, GROUP_COLUMNS - GROUP_GAP - 1);
    }
    while (text->len > start && text->data[text->len - 1] == ' ')
        text->data[--text->len] = '\0';
    text_add(text, "\n #  ");
    style_pad(table->report, "Host", table->host_columns);
    for (size_t i = from; i < to; i++)
        text_addf(text, "%*s%6s%6s%6s", GROUP_GAP, "", "Loss%", "Avg", "p95");
    text_add(text, "\n");
}

/* The line that says that nothing answers from here on, as far as probes were sent. */
static void write_end(struct table *table, unsigned from)
{
    if (from <= table->report->max_ttl && !is_reached(table->target))
        text_addf(table->report->text, "%2u+ (no reply)\n", from);
}

/* The lines above are of now, and the table is not. Where that may be another thing, say so. */
static void write_extent(const struct table *table)
{
    const struct text_report *report = table->report;
    bool has_changed = false;
    for (size_t i = 0; i < table->service_count; i++)
        has_changed |=
            table->services[i]->since_wall_ns != 0 || table->services[i]->episode_count > 1;
    if (!has_changed)
        return;
    text_add(report->text, "whole run (");
    style_add_moment(report, report->text, report->started_ns);
    text_add(report->text, " to ");
    style_add_moment(report, report->text, report->now_ns);
    text_add(report->text, "):\n");
}

void table_write(struct text_report *report, const struct sonde_target_result *target)
{
    struct table table = {
        .report = report,
        .target = target,
        .distance = find_distance(target),
    };
    for (size_t i = 0; i < target->service_count && table.service_count < SERVICES_MAX; i++) {
        if (!style_stands_by(report, &target->services[i]))
            table.services[table.service_count++] = &target->services[i];
    }
    unsigned first = find_first_ttl(target);
    unsigned last = find_last_ttl(target);
    for (unsigned ttl = first; ttl <= last; ttl++)
        add_rows(&table, (uint8_t)ttl);
    const struct sonde_responder arrived = {.address = target->address};
    if (table.distance == 0 && is_reached(target))
        add_row(&table, UNKNOWN_TTL, &arrived, true);
    measure_hosts(&table);

    size_t fit = table.service_count;
    long room = (long)report->style->columns - NUMBER_COLUMNS - table.host_columns;
    if (report->style->columns > 0 && room / GROUP_COLUMNS < (long)fit)
        fit = room < 2 * GROUP_COLUMNS ? 1 : (size_t)(room / GROUP_COLUMNS);
    for (size_t from = 0; from < table.service_count; from += fit) {
        size_t to = from + fit < table.service_count ? from + fit : table.service_count;
        text_add(report->text, "\n");
        if (from == 0)
            write_extent(&table);
        write_head(&table, from, to);
        for (size_t i = 0; i < table.row_count; i++)
            write_row(&table, &table.rows[i], from, to);
        write_end(&table, last < first ? first : last + 1);
    }
    if (table.has_limited)
        text_add(report->text, " ~ loss that later hops do not show: a router there does not "
                               "answer all probes, but passes them on\n");
    if (table.has_rationed)
        text_add(report->text, " ~ the target answers only so often, and all when it is asked "
                               "once a second, or nearly all\n");
    if (table.has_unclear)
        text_add(report->text, " ? probes of this TTL reach the target at times, which may be "
                               "silent to them: no loss is known\n");
}
