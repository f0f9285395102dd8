/* SPDX-License-Identifier: BSD-2-Clause */
/* Changes of the path in the text report; see report/ways.h. */
#include "report/ways.h"

#include "base/time.h"

/* A hop is asked every few seconds, by each service in its turn: so much later one of several hops,
 * or services, may show the same change. */
static const sonde_ns NEAR_NS = 30 * SONDE_NS_PER_S;

/* The last change on the way of a service, and how many there were at least. */
struct ways {
    const struct sonde_path_change *last; /* at the first of the hops that show it; NULL: none */
    size_t count;
    bool omitted; /* older ones are not kept, so that the count says little */
};

/* Fold the changes of one flow in. A change of the path shows once at each hop that it changes; all
 * flows show it. */
static void add_path(const struct sonde_path *path, struct ways *ways)
{
    size_t at_hop[256] = {0};
    ways->omitted |= path->changes_omitted > 0;
    for (size_t i = path->change_count; i > 0; i--) {
        const struct sonde_path_change *change = &path->changes[i - 1];
        const struct sonde_path_change *newest = &path->changes[path->change_count - 1];
        size_t count = ++at_hop[change->ttl];
        ways->count = count > ways->count ? count : ways->count;
        if (ns_sub(newest->wall_ns, change->wall_ns) > NEAR_NS || count > 1)
            continue;
        if (ways->last == NULL || change->ttl < ways->last->ttl ||
            ns_sub(change->wall_ns, ways->last->wall_ns) > NEAR_NS)
            ways->last = change;
    }
}

static struct ways ways_of(const struct sonde_service_result *service)
{
    struct ways ways = {NULL, 0, false};
    for (size_t i = 0; i < service->path_count && style_is_listed(service); i++)
        add_path(&service->paths[i], &ways);
    return ways;
}

static bool is_same(const struct ways *a, const struct ways *b)
{
    return a->last != NULL && b->last != NULL && a->last->ttl == b->last->ttl &&
           sonde_addr_equal(&a->last->from, &b->last->from) &&
           sonde_addr_equal(&a->last->to, &b->last->to) &&
           ns_sub(ns_max(a->last->wall_ns, b->last->wall_ns),
                  ns_min(a->last->wall_ns, b->last->wall_ns)) <= NEAR_NS;
}

/* Is a change of a service told with that of one before in the list? */
static bool is_told(const struct sonde_target_result *target, size_t service,
                    const struct ways *ways)
{
    bool told = false;
    for (size_t i = 0; i < service && !told; i++) {
        const struct ways other = ways_of(&target->services[i]);
        told = is_same(&other, ways);
    }
    return told;
}

/* Write the line of a change: of all services that show it, when the first of them did, and how
 * many there were in all. */
static void write_change(struct text_report *report, const struct sonde_target_result *target,
                         const struct ways *ways)
{
    struct text line = {0};
    struct text names = {0};
    sonde_ns first_ns = ways->last->wall_ns;
    size_t most = ways->count;
    bool omitted = ways->omitted;
    size_t listed = 0;
    size_t same = 0;
    for (size_t i = 0; i < target->service_count; i++) {
        const struct ways other = ways_of(&target->services[i]);
        listed += style_is_listed(&target->services[i]);
        if (!is_same(&other, ways))
            continue;
        same++;
        first_ns = ns_min(first_ns, other.last->wall_ns);
        omitted |= other.omitted;
        most = other.count > most ? other.count : most;
        text_addf(&names, "%s%s", names.len > 0 ? ", " : "", target->services[i].service);
    }
    style_add_moment(report, &line, first_ns);
    bool all = same == listed && listed > 1;
    text_addf(&line, "  %s: path changed at ", all || names.len == 0 ? "all services" : names.data);
    text_add_way(&line, ways->last->ttl, &ways->last->from, &ways->last->to, &report->zones);
    if (omitted)
        text_add(&line, "; there were others before");
    else if (most > 1)
        text_addf(&line, "; at least %zu times in all", most);
    text_add(report->text, "  ");
    style_sentence(report, line.data != NULL ? line.data : "", 4);
    text_add(report->text, "\n");
    report->text->failed |= line.failed || names.failed;
    text_deinit(&line);
    text_deinit(&names);
}

bool ways_has_changes(const struct sonde_target_result *target)
{
    bool any = false;
    for (size_t i = 0; i < target->service_count; i++)
        any |= ways_of(&target->services[i]).last != NULL;
    return any;
}

void ways_write(struct text_report *report, const struct sonde_target_result *target)
{
    for (size_t i = 0; i < target->service_count; i++) {
        const struct ways ways = ways_of(&target->services[i]);
        if (ways.last != NULL && !is_told(target, i, &ways))
            write_change(report, target, &ways);
    }
}
