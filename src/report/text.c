/* SPDX-License-Identifier: BSD-2-Clause */
/* The text report: what was found, and below it the evidence. */
#include "base/time.h"
#include "base/wall.h"
#include "report/episodes.h"
#include "report/report.h"
#include "report/style.h"

#include <sonde/run.h>

#include <inttypes.h>
#include <string.h>

/* "3 cycles in 2.1 s", "5 of 100 cycles in 4.7 s, interrupted" */
static void add_extent(struct text *text, const struct sonde_snapshot *snapshot)
{
    uint32_t done = snapshot->cycles_done;
    uint32_t wanted = snapshot->settings.cycles;
    bool cut_short = wanted != SONDE_CYCLES_ENDLESS && done < wanted;
    text_addf(text, "%" PRIu32, done);
    if (cut_short)
        text_addf(text, " of %" PRIu32, wanted);
    text_addf(text, " cycle%s in %.1f s", (cut_short ? wanted : done) == 1 ? "" : "s",
              (double)snapshot->duration_ns / (double)SONDE_NS_PER_S);
    if (snapshot->status == SONDE_STATUS_INTERRUPTED)
        text_add(text, ", interrupted");
}

static const sonde_ns DAY_NS = 24 * 3600 * SONDE_NS_PER_S;

/* "2026-11-22 17:41:15Z": RFC 3339 §5.6 allows the blank, and people prefer it */
static void add_moment(struct text *text, sonde_ns wall_ns)
{
    struct text moment = {0};
    wall_add(&moment, wall_ns, 0);
    if (moment.len > 10)
        moment.data[10] = ' ';
    text_add(text, moment.data != NULL ? moment.data : "");
    text->failed |= moment.failed;
    text_deinit(&moment);
}

static void write_heading(struct text_report *report, const struct sonde_snapshot *snapshot,
                          const struct sonde_target_result *target)
{
    struct text *text = report->text;
    char addr[SONDE_ADDR_TEXT_BYTES];
    text_addf(text, "sonde %s  ", snapshot->version);
    style_add_untrusted(report, text, target->name);
    sonde_addr_text_zoned(&target->address, &report->zones, addr);
    if (target->address.family != SONDE_FAMILY_NONE && strcmp(addr, target->name) != 0)
        text_addf(text, " (%s)", addr);
    if (target->source.family != SONDE_FAMILY_NONE)
        text_addf(text, "  from %s", sonde_addr_text_zoned(&target->source, &report->zones, addr));
    text_add(text, "  ");
    add_moment(text, report->started_ns);
    if (report->started_ns / DAY_NS != report->now_ns / DAY_NS) {
        text_add(text, " to ");
        add_moment(text, report->now_ns);
    }
    text_add(text, "  ");
    add_extent(text, snapshot);
    text_add(text, "\n\n");
}

/* The worst first; controls last among equals, and last of all who is not asked any more. */
static bool comes_before(const struct text_report *report, const struct sonde_service_result *a,
                         const struct sonde_service_result *b)
{
    const struct sonde_verdict *first = &a->verdict;
    const struct sonde_verdict *second = &b->verdict;
    if (style_stands_by(report, a) != style_stands_by(report, b))
        return style_stands_by(report, b);
    if (first->level == second->level && first->code == second->code)
        return !a->control && b->control;
    return sonde_is_worse(first->level, first->code, second->level, second->code);
}

/* Write a sentence that was made for it, and free it. */
static void write_made(struct text_report *report, struct text *sentence, long column)
{
    style_sentence(report, sentence->data != NULL ? sentence->data : "", (size_t)column);
    report->text->failed |= sentence->failed;
    text_deinit(sentence);
}

/* What else was found, each on a line of its own below the verdict. */
static void write_findings(struct text_report *report, const struct sonde_service_result *service,
                           long columns)
{
    for (size_t i = 1; i < service->finding_count; i++) { /* the first is the verdict */
        const struct sonde_finding *finding = &service->findings[i];
        if (finding->code == SONDE_CODE_LATENCY_CHANGED && episodes_tells_time(service))
            continue;
        style_mark(report, finding->level);
        style_pad(report, " ", columns - 1);
        style_sentence(report, finding->text, (size_t)columns);
        text_add(report->text, "\n");
    }
}

/* Is what a service does not answer what it was asked too often? */
static bool is_rationed(const struct sonde_service_result *service)
{
    const struct sonde_path *path = service->path;
    return path != NULL && path->hop_count > 0 && path->hops[path->hop_count - 1].is_target &&
           path->hops[path->hop_count - 1].loss_kind == SONDE_LOSS_RATE_LIMITED;
}

/* Does it lose probes that somebody who answers others would have answered? */
static bool is_lossy(const struct sonde_service_result *service)
{
    const struct sonde_present *present = &service->present;
    return present->received < present->sent && !is_rationed(service) &&
           (present->received > 0 || service->state == SONDE_STATE_OPEN);
}

static void write_service_mark(struct text_report *report,
                               const struct sonde_service_result *service)
{
    /* nothing is expected of a control: if it does not answer, that is neither good nor bad */
    bool fine = service->verdict.level == SONDE_LEVEL_OK;
    bool neutral = service->control && fine && service->state != SONDE_STATE_OPEN;
    if (neutral || style_stands_by(report, service))
        text_add(report->text, report->style->ascii ? "-" : "·");
    else if (fine && is_lossy(service)) /* too little for a finding, but not nothing */
        style_mark(report, SONDE_LEVEL_DEGRADED);
    else
        style_mark(report, service->verdict.level);
}

static void write_verdict(struct text_report *report, const struct sonde_service_result *service,
                          long service_columns, long state_columns)
{
    long begin = 2 + service_columns + 2 + state_columns + 2;
    struct text sentence = {0};
    episodes_add_since(report, &sentence, service);
    text_add(&sentence, service->verdict.text != NULL ? service->verdict.text : "");
    episodes_add_before(&sentence, service);
    if (service->control && service->port != 0)
        text_add(&sentence, " (control");
    if (style_stands_by(report, service)) {
        text_add(&sentence, ", last asked at ");
        style_add_moment(report, &sentence, service->present.asked_wall_ns);
    }
    if (service->control && service->port != 0)
        text_add(&sentence, ")");
    write_service_mark(report, service);
    text_add(report->text, " ");
    style_pad(report, service->service, service_columns + 2);
    style_pad(report, style_state(service), state_columns + 2);
    write_made(report, &sentence, begin);
    text_add(report->text, "\n");
    write_findings(report, service, begin);
}

/* Who is not asked any more has a line only where all is wanted. */
static bool has_line(const struct text_report *report, const struct sonde_service_result *service)
{
    return report->style->columns == 0 || !style_stands_by(report, service);
}

static void write_verdicts(struct text_report *report, const struct sonde_target_result *target)
{
    long service_columns = 8;
    long state_columns = 8;
    bool written[128] = {false};
    size_t count = target->service_count < 128 ? target->service_count : 128;
    for (size_t i = 0; i < count; i++) {
        long service = (long)strlen(target->services[i].service);
        long state = (long)strlen(style_state(&target->services[i]));
        if (!has_line(report, &target->services[i]))
            continue;
        service_columns = service > service_columns ? service : service_columns;
        state_columns = state > state_columns ? state : state_columns;
    }
    for (size_t done = 0; done < count; done++) {
        size_t next = count;
        for (size_t i = 0; i < count; i++) {
            if (!written[i] && (next == count || comes_before(report, &target->services[i],
                                                              &target->services[next])))
                next = i;
        }
        written[next] = true;
        if (has_line(report, &target->services[next]))
            write_verdict(report, &target->services[next], service_columns, state_columns);
    }
}

/* What several flows of a service come to one by one: where routers spread flows over several
 * links, one of which is dead, some are never answered, and the others always. */
static void write_flows(struct text_report *report, const struct sonde_service_result *service)
{
    enum { SHOWN = 8 };
    size_t dead = 0;
    for (size_t i = 0; i < service->path_count; i++)
        dead += service->paths[i].sent > 0 && service->paths[i].received == 0;
    if (service->path_count < 2)
        return;
    text_addf(report->text, " %s: %zu flows side by side", service->service, service->path_count);
    if (dead > 0 && service->received > 0) {
        text_addf(report->text, ", of which %zu %s never answered", dead,
                  dead == 1 ? "was" : "were");
        const char *before = ": source port ";
        size_t shown = 0; /* none, where there are no ports */
        for (size_t i = 0; i < service->path_count && shown < SHOWN; i++) {
            const struct sonde_path *path = &service->paths[i];
            if (path->sent == 0 || path->received > 0 || path->source_port == 0)
                continue;
            text_addf(report->text, "%s%u", before, path->source_port);
            before = ", ";
            shown++;
        }
        if (shown == SHOWN && dead > SHOWN)
            text_add(report->text, report->style->ascii ? ", .." : ", …");
    }
    text_add(report->text, "\n");
}

/* What was counted apart: it changed no figure above. */
static void write_remarks(struct text_report *report, const struct sonde_target_result *target)
{
    for (size_t i = 0; i < target->service_count; i++) {
        const struct sonde_service_result *service = &target->services[i];
        write_flows(report, service);
        if (service->late > 0)
            text_addf(report->text,
                      " %s: %" PRIu64 " answer%s, of the host or of hops, came too late to count\n",
                      service->service, service->late, service->late == 1 ? "" : "s");
        if (service->duplicates > 0)
            text_addf(report->text, " %s: %" PRIu64 " answer%s came more than once\n",
                      service->service, service->duplicates, service->duplicates == 1 ? "" : "s");
    }
}

/* Where the address that was asked does not do, another one of the name may. */
static void write_not_asked(struct text_report *report, const struct sonde_target_result *target)
{
    enum { SHOWN = 4 };
    size_t count = target->not_asked_count;
    enum sonde_level level = target->verdict.level;
    if (count == 0 || (level != SONDE_LEVEL_FAILED && level != SONDE_LEVEL_UNKNOWN))
        return;
    struct text sentence = {0};
    text_addf(&sentence, "%zu%s address%s not asked: ", count,
              target->address.family != SONDE_FAMILY_NONE ? " more" : "",
              count == 1 ? " was" : "es were");
    for (size_t i = 0; i < count && i < SHOWN; i++) {
        char addr[SONDE_ADDR_TEXT_BYTES];
        text_addf(&sentence, "%s%s (%s)", i > 0 ? ", " : "",
                  sonde_addr_text_zoned(&target->not_asked[i].address, &report->zones, addr),
                  target->not_asked[i].option);
    }
    if (count > SHOWN)
        text_addf(&sentence, ", and %zu other%s", count - SHOWN, count == SHOWN + 1 ? "" : "s");
    text_add(report->text, "  ");
    write_made(report, &sentence, 2);
    text_add(report->text, "\n");
}

static void write_target(struct text_report *report, const struct sonde_snapshot *snapshot,
                         const struct sonde_target_result *target)
{
    bool probed = false;
    for (size_t i = 0; i < target->service_count; i++) {
        const struct sonde_path *path = target->services[i].path;
        probed |= path != NULL && path->hop_count > 0;
    }
    write_heading(report, snapshot, target);
    if (target->address.family == SONDE_FAMILY_NONE) { /* one line says it for all services */
        style_mark(report, target->verdict.level);
        text_addf(report->text, " %s\n", target->verdict.text);
        write_not_asked(report, target);
        return;
    }
    write_verdicts(report, target);
    episodes_write(report, target);
    write_not_asked(report, target);
    if (probed)
        table_write(report, target);
    write_remarks(report, target);
}

/* What went wrong on this machine, so that nobody looks for it in the network. */
static void write_own_losses(struct text_report *report, const struct sonde_own_losses *own)
{
    if (own->receive_queue == 0 && own->send == 0)
        return;
    text_add(report->text, "\n");
    if (own->receive_queue > 0)
        text_addf(report->text,
                  "this machine had no room for %" PRIu64
                  " packet%s that came in: loss above may be "
                  "its own\n",
                  own->receive_queue, own->receive_queue == 1 ? "" : "s");
    if (own->send > 0)
        text_addf(report->text, "this machine could not send %" PRIu64 " probe%s\n", own->send,
                  own->send == 1 ? "" : "s");
}

/* What could not be had, and how it could be. */
static void write_vantage(struct text_report *report, const struct sonde_vantage_result *vantage)
{
    if (vantage->transport != SONDE_TRANSPORT_UNPRIVILEGED)
        return;
    text_add(report->text, "\nmeasured without raw sockets");
    if (vantage->lacks_icmp)
        text_add(report->text,
                 ", and without icmp, which is not permitted; allow it with: " SONDE_ALLOW_ICMP);
    text_add(report->text, "\n");
}

void report_text(const struct sonde_snapshot *snapshot, const struct report_style *style,
                 struct text *text)
{
    struct text_report report = {
        .style = style,
        .text = text,
        .zones = snapshot->zones,
        .max_ttl = snapshot->settings.max_ttl,
        .started_ns = snapshot->started_wall_ns,
        .now_ns = ns_add(snapshot->started_wall_ns, snapshot->duration_ns),
        .interval_ns = snapshot->settings.interval_ns,
        .timeout_ns = snapshot->settings.timeout_ns,
    };
    for (size_t i = 0; i < snapshot->target_count; i++) {
        if (i > 0)
            text_add(text, "\n");
        write_target(&report, snapshot, &snapshot->targets[i]);
    }
    write_vantage(&report, &snapshot->vantage);
    write_own_losses(&report, &snapshot->own_losses);
}
