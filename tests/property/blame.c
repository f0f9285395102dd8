/* SPDX-License-Identifier: BSD-2-Clause */
/* Who is named by a finding, held against who it is; see tests/property/exam.h. */
#include "tests/property/exam.h"

static bool is_known(const struct sonde_place *place)
{
    return place->address.family != SONDE_FAMILY_NONE;
}

/* Where the ends of a blame are on a way: the vantage is -1, nothing is beyond all. */
struct ends {
    int64_t seen;
    int64_t lost;
};

/* Is a place at this TTL on some way of these? */
static bool is_at(const struct exam *exam, const struct truth *truth,
                  const struct sonde_place *place)
{
    for (uint32_t i = 0; i < truth->count; i++) {
        const struct way *way = &truth->ways[i];
        uint32_t at = truth_place(exam->run->scenario, way, &place->address, place->ttl);
        if (at == UINT32_MAX)
            continue;
        if (at == way->len - 1 && (way->fate == FATE_RESET || way->fate == FATE_FAKED))
            at = way->place + (place->ttl > way->place + 1); /* who answers in its name */
        if (at + 1 == place->ttl || at >= way->loop_at)
            return true;
    }
    return false;
}

bool exam_is_at(const struct exam *exam, const struct sonde_place *place)
{
    bool is = place->ttl == 0;
    for (size_t i = 0; i < exam->run->snapshot->targets[0].service_count; i++)
        is |= is_at(exam, &exam->run->truths[i], place);
    return is;
}

bool exam_is_own(const struct exam *exam, const struct sonde_place *place)
{
    if (!network_has(exam->network, KIND_FORWARDED))
        return exam_is_at(exam, place);
    return is_at(exam, exam->truth, place);
}

/* @return false if it names somebody who is not on the way, or never at that distance. */
static bool find_ends(const struct exam *exam, const struct truth *truth, const struct way *way,
                      const struct sonde_blame *blame, struct ends *ret_ends)
{
    struct ends ends = {-1, INT64_MAX};
    const struct sim_scenario *scenario = exam->run->scenario;
    const struct sonde_addr *target = &exam->run->snapshot->targets[0].address;
    if (is_known(&blame->last_seen)) {
        ends.seen = truth_place(scenario, way, &blame->last_seen.address, blame->last_seen.ttl);
        if (ends.seen == UINT32_MAX || (ends.seen == way->len - 1 && way->loop_at == way->len))
            return false;
        if (!is_at(exam, truth, &blame->last_seen))
            return false;
    }
    if (is_known(&blame->first_lost)) {
        ends.lost = truth_place(scenario, way, &blame->first_lost.address, blame->first_lost.ttl);
        if (ends.lost == UINT32_MAX && !sonde_addr_equal(&blame->first_lost.address, target))
            return false;
        if (ends.lost != UINT32_MAX && !exam_is_at(exam, &blame->first_lost))
            return false;
        if (ends.lost == way->host)
            ends.lost = way->len - 1; /* or who is behind it, in its name */
    }
    *ret_ends = ends;
    return true;
}

/* Does a bracket contain the cause of what becomes of the probes on this way? */
static bool contains_cause(const struct way *way, const struct ends *ends)
{
    if (way->fate == FATE_LOOP)
        return ends->lost >= way->loop_at;
    if (way->fate != FATE_SILENT && !way->rationed && !way->limited)
        return false;
    bool ends_there = ends->seen <= way->end && way->end <= ends->lost;
    return ends_there || (ends->seen <= way->place && way->place <= ends->lost);
}

enum { GROUPS_MAX = 8 /* within each other */ };

/* In which alternative of which groups a router stands. */
struct branch {
    uint32_t depth; /* 0: in none */
    uint32_t groups[GROUPS_MAX];
    uint32_t alternatives[GROUPS_MAX];
};

/* The branch of the first path on which a router stands. */
static struct branch find_branch(const struct exam *exam, const struct sonde_addr *addr)
{
    const struct sim_path *path = &exam->run->scenario->paths[0];
    struct branch branch = {0};
    for (uint32_t i = 0; i < path->step_count; i++) {
        const struct sim_step *step = &path->steps[i];
        const struct sim_node *node = &exam->run->scenario->nodes[step->node];
        switch (step->kind) {
        case SIM_STEP_NODE:
            if (sonde_addr_equal(addr, &node->addr4) || sonde_addr_equal(addr, &node->addr6))
                return branch;
            break;
        case SIM_STEP_OPEN:
            branch.groups[branch.depth] = step->group;
            branch.alternatives[branch.depth++] = 0;
            break;
        case SIM_STEP_OR:
            branch.alternatives[branch.depth - 1]++;
            break;
        case SIM_STEP_CLOSE:
            branch.depth--;
            break;
        }
    }
    return (struct branch){0};
}

/* The alternative of a group in which somebody stands; UINT32_MAX if in none. */
static uint32_t alternative_of(const struct branch *branch, uint32_t group)
{
    for (uint32_t i = 0; i < branch->depth; i++) {
        if (branch->groups[i] == group)
            return branch->alternatives[i];
    }
    return UINT32_MAX;
}

/* Do routers of a group, but of different alternatives, answer at this TTL? */
static bool is_parting(const struct exam *exam, uint32_t group, uint8_t ttl)
{
    const struct sonde_target_result *target = &exam->run->snapshot->targets[0];
    uint32_t seen = UINT32_MAX;
    for (size_t i = 0; i < target->service_count; i++) {
        const struct sonde_path *path = target->services[i].path;
        for (size_t k = 0; path != NULL && k < path->hop_count; k++) {
            const struct sonde_hop *hop = &path->hops[k];
            for (size_t j = 0; j < hop->responder_count && hop->ttl == ttl; j++) {
                struct branch branch = find_branch(exam, &hop->responders[j].address);
                uint32_t other = alternative_of(&branch, group);
                if (seen != UINT32_MAX && other != UINT32_MAX && seen != other)
                    return true;
                if (other != UINT32_MAX)
                    seen = other;
            }
        }
    }
    return false;
}

/* Does any TTL show that a branch is one of several? */
static bool is_shown(const struct exam *exam, const struct branch *branch)
{
    for (uint32_t i = 0; i < branch->depth; i++) {
        for (uint8_t ttl = 1; ttl < TRUTH_NODES_MAX; ttl++) {
            if (is_parting(exam, branch->groups[i], ttl))
                return true;
        }
    }
    return false;
}

/* Is the far end a router that nobody can know to be no end? It is on a parallel path, and at no
 * TTL routers of two alternatives answer. Or what it says about this service alone is dropped on
 * the way back. */
static bool is_hidden(const struct exam *exam, const struct sonde_blame *blame)
{
    struct branch branch = find_branch(exam, &blame->first_lost.address);
    for (uint32_t i = 0; i < exam->truth->count; i++) {
        const struct way *way = &exam->truth->ways[i];
        uint32_t lost = truth_place(exam->run->scenario, way, &blame->first_lost.address,
                                    blame->first_lost.ttl);
        if (lost == UINT32_MAX || lost >= way->len - 1)
            continue;
        if (!truth_is_heard(way, lost) ||
            truth_is_unclear(exam->run->scenario, &exam->run->scenario->nodes[way->nodes[lost]]))
            return true;
    }
    return branch.depth > 0 && !is_shown(exam, &branch);
}

/* A bracket must contain the cause, on a way that the service takes. */
static bool is_contained(const struct exam *exam, const struct truth *truth,
                         const struct sonde_blame *blame)
{
    bool contained = false;
    for (uint32_t i = 0; i < truth->count && !contained; i++) {
        const struct way *way = &truth->ways[i];
        struct ends ends;
        contained = find_ends(exam, truth, way, blame, &ends) && contains_cause(way, &ends);
        if (!contained || !is_known(&blame->first_lost))
            continue;
        int64_t lost = ends.lost < way->len ? ends.lost : way->len - 1;
        exam->totals->brackets++;
        exam->totals->links += (uint64_t)(lost - ends.seen);
        exam->totals->exact += lost - ends.seen == 1;
    }
    return contained;
}

/* Are the target's answers lost on their way back, and no probes on their way there? Those of a
 * device that answers instead of a router look as if the probes were lost before it. */
static bool is_back(const struct truth *truth)
{
    for (uint32_t i = 0; i < truth->count; i++) {
        const struct way *way = &truth->ways[i];
        if (way->fate != FATE_SILENT || !way->is_back || way->end != way->len - 1)
            return false;
    }
    return true;
}

static void check_bracket(const struct exam *exam, const struct sonde_finding *finding)
{
    bool contained = is_contained(exam, exam->truth, finding->blame);
    exam->totals->chancy += exam->is_chancy;
    bool there = finding->blame->way == SONDE_WAY_THERE;
    exam_expect(exam, !there || !is_back(exam->truth) || exam->is_chancy,
                "it is lost on the way back: %s", finding->text);
    if (!contained && is_hidden(exam, finding->blame))
        exam->totals->hidden++;
    else if (!contained && exam->is_chancy)
        exam->totals->missed++;
    else
        exam_expect(exam, contained, "%s without the cause in it: %s",
                    sonde_code_name(finding->code), finding->text);
}

/* Does loss begin between these ends? What is lost on the way back is lost behind the last router,
 * which answers by errors, as far as can be seen. */
static bool begins_between(const struct way *way, const struct ends *ends)
{
    for (uint32_t place = 0; place < way->len; place++) {
        if ((way->lossy >> place & 1) != 0 && ends->seen <= place && place <= ends->lost)
            return true;
    }
    return (way->is_back || way->rationed) && ends->lost >= way->len - 1;
}

/* Loss must have a cause, and begin where it is said to. */
static void check_loss(const struct exam *exam, const struct sonde_finding *finding)
{
    bool lossy = exam->network->loss != NETWORK_LOSSLESS || truth_is_spread(exam->truth) ||
                 exam_is_tokenless(exam);
    bool begins = false;
    for (uint32_t i = 0; i < exam->truth->count; i++) {
        const struct way *way = &exam->truth->ways[i];
        struct ends ends;
        lossy |= way->rationed || way->limited || way->fate == FATE_SILENT;
        begins |= finding->blame != NULL &&
                  find_ends(exam, exam->truth, way, finding->blame, &ends) &&
                  begins_between(way, &ends);
    }
    exam_expect(exam, lossy || exam->truth->count > 1, "loss where nothing is lost: %s",
                finding->text);
    if (finding->blame == NULL || exam->is_changing || truth_is_spread(exam->truth) ||
        exam_is_tokenless(exam))
        return;
    exam->totals->loss_blames++;
    exam->totals->loss_missed += !begins;
}

static void check_loop(const struct exam *exam, const struct sonde_finding *finding)
{
    bool in_loop = false;
    for (uint32_t i = 0; i < exam->truth->count; i++) {
        const struct way *way = &exam->truth->ways[i];
        struct ends ends;
        in_loop |= way->loop_at < way->len &&
                   find_ends(exam, exam->truth, way, finding->blame, &ends) &&
                   ends.seen >= way->loop_at && ends.lost >= way->loop_at;
    }
    if (!in_loop && exam->is_chancy)
        exam->totals->missed++;
    else
        exam_expect(exam, in_loop, "no such loop: %s", finding->text);
}

/* Who says that it refuses must be who refuses. */
static void check_reporter(const struct exam *exam, const struct sonde_finding *finding)
{
    bool fits = false;
    for (uint32_t i = 0; i < exam->truth->count; i++) {
        const struct way *way = &exam->truth->ways[i];
        const struct sonde_place *reporter = &finding->blame->reporter;
        uint32_t at = truth_place(exam->run->scenario, way, &reporter->address, reporter->ttl);
        bool is_host = reporter->ttl == 0 && at != UINT32_MAX && at >= way->host;
        fits |= way->fate == FATE_REJECTED && exam_is_at(exam, reporter) &&
                (at == way->place || (is_host && way->place >= way->host));
        fits |= way->dead && at == way->len - 2 &&
                (way->end == way->len - 1 || finding->code == SONDE_CODE_HOST_UNREACHABLE);
    }
    exam_expect(exam, fits, "%s, but not by him: %s", sonde_code_name(finding->code),
                finding->text);
}

/* Flows go different ways, and on one of these packets are lost at the router that is named, or
 * behind it. */
static void check_some_paths(const struct exam *exam, const struct sonde_finding *finding)
{
    bool fits = finding->blame == NULL || exam->is_chancy;
    for (uint32_t i = 0; i < exam->truth->count && !fits; i++) {
        const struct way *way = &exam->truth->ways[i];
        const struct sonde_place *seen = &finding->blame->last_seen;
        uint32_t at = truth_place(exam->run->scenario, way, &seen->address, seen->ttl);
        bool behind = way->fate != FATE_ANSWERED && way->fate != FATE_CLOSED && way->place >= at;
        fits = at != UINT32_MAX && (behind || (way->lossy >> at) != 0 || way->is_back);
    }
    exam_expect(exam, exam->truth->count > 1, "there is one way: %s", finding->text);
    exam_expect(exam, fits, "nothing is lost behind it: %s", finding->text);
}

/* The device is the hop that answers, or the one before: src/DECISIONS.md. */
static void check_device(const struct exam *exam, const struct sonde_finding *finding)
{
    bool fits = false;
    for (uint32_t i = 0; i < exam->truth->count; i++) {
        const struct way *way = &exam->truth->ways[i];
        const struct sonde_blame *blame = finding->blame;
        bool device = way->fate == FATE_RESET || way->fate == FATE_FAKED;
        fits |=
            device && (way->place + 1 == blame->reporter.ttl ||
                       (way->place + 2 == blame->reporter.ttl && !is_known(&blame->last_seen)) ||
                       (is_known(&blame->last_seen) &&
                        truth_place(exam->run->scenario, way, &blame->last_seen.address,
                                    blame->last_seen.ttl) == way->place));
    }
    exam_expect(exam, fits, "nobody answers there: %s", finding->text);
}

void exam_finding(const struct exam *exam, const struct sonde_finding *finding)
{
    bool many = exam->truth->count > 1;
    switch (finding->code) {
    case SONDE_CODE_ROUTING_LOOP:
        check_loop(exam, finding);
        break;
    case SONDE_CODE_HOST_UNREACHABLE:
        exam_expect(exam, !exam->is_reached || exam->is_chancy, "the host answers: %s",
                    finding->text);
        if (finding->blame != NULL && is_known(&finding->blame->reporter))
            check_reporter(exam, finding);
        else if (finding->blame != NULL)
            check_bracket(exam, finding);
        break;
    case SONDE_CODE_PORT_INTERCEPTED:
        if (!exam->is_changing && !truth_is_split(exam->truth))
            check_device(exam, finding);
        break;
    case SONDE_CODE_PORT_REJECTED:
        check_reporter(exam, finding);
        break;
    case SONDE_CODE_OUTAGE:
    case SONDE_CODE_UNSTABLE:
    case SONDE_CODE_LATENCY_CHANGED:
        exam_expect(exam, exam->is_changing || exam->is_chancy, "nothing changes: %s",
                    finding->text);
        break;
    case SONDE_CODE_PORT_FILTERED:
        if (finding->blame != NULL)
            check_bracket(exam, finding);
        break;
    case SONDE_CODE_LOSS_AT_DESTINATION:
        check_loss(exam, finding);
        break;
    case SONDE_CODE_LOSS_ON_SOME_PATHS:
        check_some_paths(exam, finding);
        break;
    case SONDE_CODE_PATH_CHANGED:
        exam_expect(exam, many, "the path never changes: %s", finding->text);
        break;
    case SONDE_CODE_PORT_CLOSED:
    case SONDE_CODE_UDP_UNCONFIRMED:
        break; /* the state says it */
    case SONDE_CODE_NAME_UNRESOLVED:
    case SONDE_CODE_NO_PERMISSION:
    case SONDE_CODE_LOCAL_BLOCKED:
    case SONDE_CODE_NO_ROUTE:
    case SONDE_CODE_PORT_UNEXPECTEDLY_OPEN:
    case SONDE_CODE_PACKET_TOO_BIG:
    case SONDE_CODE_MTU_BLACK_HOLE:
    case SONDE_CODE_LATENCY_OVER_LIMIT:
    case SONDE_CODE_INCONCLUSIVE:
    case SONDE_CODE_OK:
    case SONDE_CODE_COUNT:
        exam_expect(exam, false, "no network here can be so: %s", sonde_code_name(finding->code));
        break;
    }
}
