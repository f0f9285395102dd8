/* SPDX-License-Identifier: BSD-2-Clause */
/* Episodes in the text report; see report/episodes.h. */
#include "report/episodes.h"

#include "base/time.h"
#include "report/ways.h"

enum { EPISODES_SHOWN = 8 };

void episodes_add_since(const struct text_report *report, struct text *sentence,
                        const struct sonde_service_result *service)
{
    if (service->since_wall_ns == 0)
        return;
    /* that it is as it is now began with the last change; that it changes, long before */
    const struct sonde_episode *open = &service->episodes[service->episode_count - 1];
    text_add(sentence, open->verdict.code == SONDE_CODE_UNSTABLE ? "unstable since " : "since ");
    style_add_moment(report, sentence, service->since_wall_ns);
    text_add(sentence, " (");
    text_add_span(sentence, ns_max(ns_sub(report->now_ns, service->since_wall_ns), 0));
    text_add(sentence, "): ");
}

/* Was it this machine that let no probe leave, or not all? */
static bool is_local(const struct sonde_episode *episode)
{
    return episode->verdict.code == SONDE_CODE_NO_ROUTE ||
           episode->verdict.code == SONDE_CODE_LOCAL_BLOCKED ||
           (episode->verdict.level == SONDE_LEVEL_UNKNOWN && episode->sent == 0);
}

/* What was before the episode that goes on, if the line has to say it: NULL where nothing was, or
 * where the verdict tells of it. */
static const struct sonde_episode *find_before(const struct sonde_service_result *service)
{
    enum sonde_code code = service->verdict.code;
    if (service->since_wall_ns == 0 || service->episode_count < 2)
        return NULL;
    const struct sonde_episode *before = &service->episodes[service->episode_count - 2];
    enum sonde_code now = service->episodes[service->episode_count - 1].verdict.code;
    bool is_unstable = now == SONDE_CODE_UNSTABLE || before->verdict.code == SONDE_CODE_UNSTABLE;
    bool is_outage = before->verdict.level == SONDE_LEVEL_FAILED && !is_unstable;
    if (code == SONDE_CODE_LATENCY_CHANGED || (code == SONDE_CODE_UNSTABLE && is_unstable) ||
        (code == SONDE_CODE_OUTAGE && is_outage))
        return NULL;
    return before;
}

/* Was something wrong, that is over? Of a control nothing is expected, but the ping of the host is
 * looked at even so. */
static bool is_told(const struct sonde_service_result *service, const struct sonde_episode *episode)
{
    enum sonde_level level = episode->verdict.level;
    bool is_silent = service->control && episode->state != SONDE_STATE_OPEN &&
                     episode->state != SONDE_STATE_UNKNOWN;
    return style_is_listed(service) && episode->to_wall_ns != SONDE_NS_NEVER &&
           (level == SONDE_LEVEL_FAILED || level == SONDE_LEVEL_DEGRADED || is_local(episode) ||
            is_silent);
}

/* How many probes of an episode were not answered, where that is not told in the list of what was
 * before, or that all were, where that tells it from what is now. */
static void add_answered(struct text *sentence, const struct sonde_service_result *service,
                         const struct sonde_episode *episode, bool is_same)
{
    uint64_t lost = episode->sent > episode->received ? episode->sent - episode->received : 0;
    bool is_loss = episode->verdict.code == SONDE_CODE_LOSS_AT_DESTINATION ||
                   episode->verdict.code == SONDE_CODE_LOSS_ON_SOME_PATHS;
    if (lost == 0) {
        text_add(sentence, is_same ? ", no loss" : "");
    } else if (is_told(service, episode)) {
        text_add(sentence, is_loss ? ", with loss" : "");
    } else if (episode->received > 0) {
        text_add(sentence, ", ");
        text_add_share(sentence, lost, episode->sent);
        text_add(sentence, episode->sent < TEXT_COUNTED_BELOW ? " not answered" : "% not answered");
    }
}

void episodes_add_before(struct text *sentence, const struct sonde_service_result *service)
{
    const struct sonde_episode *before = find_before(service);
    if (before == NULL)
        return;
    bool has_time = before->rtt.samples > 0;
    bool is_same = before->state == service->state && has_time;
    text_add(sentence, "; before that ");
    if (is_local(before)) {
        text_add(sentence, before->sent == 0 ? "no probe left this machine"
                                             : "not every probe left this machine");
        return;
    }
    if (!is_same)
        text_add(sentence, before->verdict.code == SONDE_CODE_UNSTABLE
                               ? "unstable"
                               : style_state_name(service, before->state));
    if (has_time) {
        text_add(sentence, is_same ? "" : ", ");
        text_add_ms(sentence, before->rtt.avg_ns);
        text_add(sentence, " ms");
        add_answered(sentence, service, before, is_same);
    }
}

bool episodes_tells_time(const struct sonde_service_result *service)
{
    const struct sonde_episode *before = find_before(service);
    return before != NULL && before->rtt.samples > 0 && !is_local(before);
}

/* An episode of a service. */
struct past {
    const struct sonde_service_result *service;
    const struct sonde_episode *episode;
};

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
        if (is_told(service, &service->episodes[i]) &&
            is_same(&service->episodes[i], episode, interval_ns))
            return &service->episodes[i];
    }
    return NULL;
}

/* Is there a service before in the list that suffered the same, and leads a line, so that this is
 * told with it? Who is told with another himself leads none. */
static bool is_told_before(const struct sonde_target_result *target, size_t service,
                           const struct sonde_episode *episode, sonde_ns interval_ns)
{
    for (size_t i = 0; i < service; i++) {
        const struct sonde_episode *same = find_same(&target->services[i], episode, interval_ns);
        if (same != NULL && !is_told_before(target, i, same, interval_ns))
            return true;
    }
    return false;
}

/* The newest episode that is older than @p older, of services that are listed; a service of NULL:
 * there is none. */
static struct past find_newest(const struct sonde_target_result *target, const struct past *older,
                               sonde_ns interval_ns)
{
    struct past newest = {NULL, NULL};
    for (size_t i = 0; i < target->service_count; i++) {
        const struct sonde_service_result *service = &target->services[i];
        for (size_t k = 0; k < service->episode_count; k++) {
            const struct sonde_episode *episode = &service->episodes[k];
            bool is_older =
                older->episode == NULL || episode->from_wall_ns < older->episode->from_wall_ns ||
                (episode->from_wall_ns == older->episode->from_wall_ns && service > older->service);
            if (!is_told(service, episode) || !is_older ||
                is_told_before(target, i, episode, interval_ns))
                continue;
            if (newest.episode == NULL || episode->from_wall_ns > newest.episode->from_wall_ns)
                newest = (struct past){service, episode};
        }
    }
    return newest;
}

/* Who suffered it. @param ret_sole  Receives the one who did; NULL: more did. */
static void add_names(struct text *line, const struct sonde_target_result *target,
                      const struct past *past, sonde_ns interval_ns,
                      const struct sonde_service_result **ret_sole)
{
    size_t listed = 0;
    size_t same = 0;
    for (size_t i = 0; i < target->service_count; i++) {
        listed += style_is_listed(&target->services[i]);
        same += find_same(&target->services[i], past->episode, interval_ns) != NULL;
    }
    *ret_sole = same == 1 ? past->service : NULL;
    if (same == listed && listed > 1) {
        text_add(line, "all services");
        return;
    }
    const char *before = "";
    for (size_t i = 0; i < target->service_count; i++) {
        const struct sonde_service_result *service = &target->services[i];
        if (find_same(service, past->episode, interval_ns) == NULL)
            continue;
        text_addf(line, "%s%s", before, service->service);
        before = ", ";
    }
}

/* What they showed, in a word or two. */
static const char *word_of(const struct sonde_episode *episode,
                           const struct sonde_service_result *sole)
{
    if (episode->verdict.code == SONDE_CODE_UNSTABLE)
        return "unstable";
    if (is_local(episode) && episode->sent == 0)
        return "not asked";
    return sole != NULL ? style_state_name(sole, episode->state) : sonde_state_name(episode->state);
}

/* Write a line of the list, and free it. */
static void write_line(struct text_report *report, struct text *line)
{
    text_add(report->text, "  ");
    style_sentence(report, line->data != NULL ? line->data : "", 4);
    text_add(report->text, "\n");
    report->text->failed |= line->failed;
    text_deinit(line);
}

static void write_past(struct text_report *report, const struct sonde_target_result *target,
                       const struct past *past)
{
    const struct sonde_episode *episode = past->episode;
    const struct sonde_service_result *sole;
    struct text line = {0};
    style_add_moment(report, &line, episode->from_wall_ns);
    text_add(&line, " to ");
    style_add_moment(report, &line, episode->to_wall_ns);
    text_add(&line, " (");
    text_add_span(&line, ns_sub(episode->to_wall_ns, episode->from_wall_ns));
    text_add(&line, ")  ");
    add_names(&line, target, past, report->interval_ns, &sole);
    text_addf(&line, " %s", word_of(episode, sole));
    if (episode->verdict.text[0] != '\0')
        text_addf(&line, ": %s", episode->verdict.text);
    write_line(report, &line);
}

/* How many there were beside those that are shown. */
static void write_rest(struct text_report *report, const struct sonde_target_result *target,
                       size_t more)
{
    struct text line = {0};
    bool omitted = false;
    for (size_t i = 0; i < target->service_count; i++)
        omitted |=
            style_is_listed(&target->services[i]) && target->services[i].episodes_omitted > 0;
    if (more > 0)
        text_addf(&line, "and %zu more", more);
    if (omitted)
        text_addf(&line, "%swhat was before these is not kept", more > 0 ? "; " : "");
    if (line.len > 0)
        write_line(report, &line);
    else
        text_deinit(&line);
}

void episodes_write(struct text_report *report, const struct sonde_target_result *target)
{
    struct past past = find_newest(target, &(struct past){NULL, NULL}, report->interval_ns);
    size_t count = 0;
    if (past.episode != NULL || ways_has_changes(target))
        text_add(report->text, "\nBefore:\n");
    while (past.episode != NULL) {
        if (count++ < EPISODES_SHOWN)
            write_past(report, target, &past);
        past = find_newest(target, &past, report->interval_ns);
    }
    if (count > 0)
        write_rest(report, target, count > EPISODES_SHOWN ? count - EPISODES_SHOWN : 0);
    ways_write(report, target);
}
