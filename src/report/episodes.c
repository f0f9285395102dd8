/* SPDX-License-Identifier: BSD-2-Clause */
/* Episodes in the text report; see report/episodes.h. */
#include "report/episodes.h"

#include "base/time.h"

#include <inttypes.h>

enum { EPISODES_SHOWN = 8 };

void episodes_add_since(struct text *sentence, const struct sonde_service_result *service,
                        sonde_ns now_ns)
{
    if (service->since_wall_ns == 0)
        return;
    text_add(sentence, "since ");
    text_add_clock(sentence, service->since_wall_ns, now_ns);
    text_add(sentence, " (");
    text_add_span(sentence, ns_max(ns_sub(now_ns, service->since_wall_ns), 0));
    text_add(sentence, "): ");
}

void episodes_add_before(struct text *sentence, const struct sonde_service_result *service)
{
    if (service->verdict.level != SONDE_LEVEL_FAILED || service->episode_count < 2)
        return;
    const struct sonde_episode *before = &service->episodes[service->episode_count - 2];
    text_addf(sentence, "; before that %s", sonde_state_name(before->state));
    if (before->rtt.samples > 0) {
        text_add(sentence, ", ");
        text_add_ms(sentence, before->rtt.avg_ns);
        text_add(sentence, " ms");
    }
}

/* An episode of a service. */
struct past {
    const struct sonde_service_result *service;
    const struct sonde_episode *episode;
};

/* Was something wrong, that is over? */
static bool is_told(const struct sonde_episode *episode)
{
    return episode->to_wall_ns != SONDE_NS_NEVER &&
           (episode->verdict.level == SONDE_LEVEL_FAILED ||
            episode->verdict.level == SONDE_LEVEL_DEGRADED);
}

static bool is_near(sonde_ns a, sonde_ns b, sonde_ns interval_ns)
{
    return ns_sub(ns_max(a, b), ns_min(a, b)) <= interval_ns;
}

static bool is_same_hop(const struct sonde_blame *a, const struct sonde_blame *b)
{
    return a == NULL || b == NULL || a->last_seen.ttl == b->last_seen.ttl;
}

/* Did two services suffer the same? */
static bool is_same(const struct sonde_episode *a, const struct sonde_episode *b,
                    sonde_ns interval_ns)
{
    return a->state == b->state && a->verdict.code == b->verdict.code &&
           is_near(a->from_wall_ns, b->from_wall_ns, interval_ns) &&
           is_near(a->to_wall_ns, b->to_wall_ns, interval_ns) && is_same_hop(a->blame, b->blame);
}

/* Find the episode of a service that is the same as another's; NULL: there is none. */
static const struct sonde_episode *find_same(const struct sonde_service_result *service,
                                             const struct sonde_episode *episode,
                                             sonde_ns interval_ns)
{
    for (size_t i = 0; i < service->episode_count; i++) {
        if (is_told(&service->episodes[i]) && is_same(&service->episodes[i], episode, interval_ns))
            return &service->episodes[i];
    }
    return NULL;
}

/* Is there a service before in the list that suffered the same, so that this is told with it? */
static bool is_told_before(const struct sonde_target_result *target, size_t service,
                           const struct sonde_episode *episode, sonde_ns interval_ns)
{
    bool told = false;
    for (size_t i = 0; i < service && !told; i++)
        told = !target->services[i].control &&
               find_same(&target->services[i], episode, interval_ns) != NULL;
    return told;
}

/* The newest episode that is older than @p older, of services that are asked for; a service of
 * NULL: there is none. */
static struct past find_newest(const struct sonde_target_result *target, const struct past *older,
                               sonde_ns interval_ns)
{
    struct past newest = {NULL, NULL};
    for (size_t i = 0; i < target->service_count; i++) {
        const struct sonde_service_result *service = &target->services[i];
        for (size_t k = 0; k < service->episode_count && !service->control; k++) {
            const struct sonde_episode *episode = &service->episodes[k];
            bool is_older =
                older->episode == NULL || episode->from_wall_ns < older->episode->from_wall_ns ||
                (episode->from_wall_ns == older->episode->from_wall_ns && service > older->service);
            if (!is_told(episode) || !is_older || is_told_before(target, i, episode, interval_ns))
                continue;
            if (newest.episode == NULL || episode->from_wall_ns > newest.episode->from_wall_ns)
                newest = (struct past){service, episode};
        }
    }
    return newest;
}

/* Who suffered it. */
static void add_names(struct text *line, const struct sonde_target_result *target,
                      const struct sonde_episode *episode, sonde_ns interval_ns)
{
    size_t asked = 0;
    size_t same = 0;
    for (size_t i = 0; i < target->service_count; i++) {
        asked += !target->services[i].control;
        same += !target->services[i].control &&
                find_same(&target->services[i], episode, interval_ns) != NULL;
    }
    if (same == asked && asked > 1) {
        text_add(line, "all services");
        return;
    }
    const char *before = "";
    for (size_t i = 0; i < target->service_count; i++) {
        const struct sonde_service_result *service = &target->services[i];
        if (service->control || find_same(service, episode, interval_ns) == NULL)
            continue;
        text_addf(line, "%s%s", before, service->service);
        before = ", ";
    }
}

static void write_past(struct text_report *report, const struct sonde_target_result *target,
                       const struct sonde_episode *episode, sonde_ns interval_ns, sonde_ns now_ns)
{
    struct text line = {0};
    text_add_clock(&line, episode->from_wall_ns, now_ns);
    text_add(&line, " to ");
    text_add_clock(&line, episode->to_wall_ns, now_ns);
    text_add(&line, " (");
    text_add_span(&line, ns_sub(episode->to_wall_ns, episode->from_wall_ns));
    text_add(&line, ")  ");
    add_names(&line, target, episode, interval_ns);
    text_addf(&line, " %s",
              episode->verdict.code == SONDE_CODE_UNSTABLE ? "unstable"
                                                           : sonde_state_name(episode->state));
    if (episode->verdict.text[0] != '\0')
        text_addf(&line, ": %s", episode->verdict.text);
    text_add(report->text, "  ");
    style_sentence(report, line.data != NULL ? line.data : "", 4);
    text_add(report->text, "\n");
    report->text->failed |= line.failed;
    text_deinit(&line);
}

void episodes_write(struct text_report *report, const struct sonde_target_result *target,
                    sonde_ns interval_ns, sonde_ns now_ns)
{
    struct past past = {NULL, NULL};
    for (int shown = 0; shown <= EPISODES_SHOWN; shown++) {
        past = find_newest(target, &past, interval_ns);
        if (past.episode == NULL)
            return;
        if (shown == 0)
            text_add(report->text, "\nBefore:\n");
        if (shown < EPISODES_SHOWN)
            write_past(report, target, past.episode, interval_ns, now_ns);
        else
            text_add(report->text, "  and more\n");
    }
}
