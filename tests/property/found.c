/* SPDX-License-Identifier: BSD-2-Clause */
/* What has to be found where everything shows it; see tests/property/exam.h. */
#include "tests/property/exam.h"

#include <string.h>

/* Do two services take the same, only way? */
static bool is_same_way(const struct truth *a, const struct truth *b)
{
    return a->count == 1 && b->count == 1 && a->ways[0].len == b->ways[0].len &&
           memcmp(a->ways[0].nodes, b->ways[0].nodes, a->ways[0].len * sizeof *a->ways[0].nodes) ==
               0;
}

/* Is the router at a place heard as often as it is asked? */
static bool is_open(const struct exam *exam, const struct way *way, uint32_t place)
{
    const struct sim_node *node = &exam->run->scenario->nodes[way->nodes[place]];
    return !node->silent && node->limit.interval_ns == 0 && truth_is_heard(way, place) &&
           !truth_is_unclear(exam->run->scenario, node);
}

/* Where does the machine stand that the target's address belongs to, if the last passes on to
 * another what is sent there? */
static uint32_t target_place(const struct exam *exam, const struct way *way)
{
    uint32_t last = way->len - 1;
    bool passes_on = last > 0 && exam->run->scenario->nodes[way->nodes[last - 1]].is_host;
    return passes_on ? last - 1 : last;
}

/* Does everything show that a device answers in the target's name? It does so for probes that
 * expire at one of two routers, which answer others, at hops that another service goes beyond. */
static bool is_betrayed(const struct exam *exam)
{
    const struct way *way = &exam->truth->ways[0];
    const struct network *network = exam->network;
    bool intercepts = way->fate == FATE_RESET || way->fate == FATE_FAKED;
    bool few = network->options.plan.cycles != 0 && network->options.plan.cycles < 3;
    bool far = network->options.plan.max_ttl != 0 && network->options.plan.max_ttl < way->len;
    if (!intercepts || few || far || exam->is_chancy || exam->truth->count > 1 ||
        way->place + 1 >= target_place(exam, way) || !is_open(exam, way, way->place) ||
        !is_open(exam, way, way->place + 1))
        return false;
    for (size_t i = 0; i < exam->run->snapshot->targets[0].service_count; i++) {
        const struct truth *other = &exam->run->truths[i];
        enum fate_kind fate = other->ways[0].fate;
        if ((fate == FATE_ANSWERED || fate == FATE_CLOSED) && !other->ways[0].rationed &&
            is_same_way(exam->truth, other))
            return true;
    }
    return false;
}

/* A device that answers in the target's name is found, however many services there are. */
static void check_caught(const struct exam *exam)
{
    if (!network_has(exam->network, KIND_CAUGHT) || !is_betrayed(exam))
        return;
    bool found = false;
    for (size_t i = 0; i < exam->service->finding_count; i++)
        found |= exam->service->findings[i].code == SONDE_CODE_PORT_INTERCEPTED;
    found |= exam->service->confidence != SONDE_CONFIDENCE_HIGH; /* too little was asked */
    if (exam->service->control)
        found |= exam->service->state != SONDE_STATE_CLOSED; /* it has no findings */
    exam_expect(exam, found, "a device answers, and is not found: %s %s",
                sonde_state_name(exam->service->state), exam->service->verdict.text);
}

/* The node before an address that nobody has. */
static const struct sim_node *last_router(const struct exam *exam)
{
    const struct way *way = &exam->truth->ways[0];
    return &exam->run->scenario->nodes[way->nodes[way->len - 2]];
}

/* Does the router before it say for sure that nobody has the address? */
static bool is_told(const struct exam *exam)
{
    const struct way *way = &exam->truth->ways[0];
    if (!way->dead || way->fate != FATE_SILENT || way->end != way->len - 1 || way->len < 2 ||
        exam->is_chancy || exam->is_faked)
        return false;
    const struct sim_node *router = last_router(exam);
    return !router->silent && router->limit.interval_ns == 0 && truth_is_heard(way, way->len - 2) &&
           !truth_is_unclear(exam->run->scenario, router);
}

static bool is_address_of(const struct sim_node *node, const struct sonde_addr *address)
{
    return address->family != SONDE_FAMILY_NONE &&
           (sonde_addr_equal(address, &node->addr4) || sonde_addr_equal(address, &node->addr6));
}

/* Is a router named as who says that a service is not there? */
static bool is_named(const struct sonde_service_result *service, const struct sim_node *router)
{
    bool named = service->blame != NULL && is_address_of(router, &service->blame->reporter.address);
    for (size_t i = 0; i < service->finding_count; i++) {
        const struct sonde_blame *blame = service->findings[i].blame;
        named |= blame != NULL && is_address_of(router, &blame->reporter.address);
    }
    /* what is there for comparison only has no findings */
    return named || (service->state == SONDE_STATE_REJECTED && service->evidence != NULL &&
                     is_address_of(router, &service->evidence->from));
}

/* Where nobody has the address, the router before it is waited for, and named. */
static void check_dead(const struct exam *exam)
{
    if (!is_told(exam))
        return;
    const struct sim_node *router = last_router(exam);
    bool named = is_named(exam->service, router);
    exam_expect(exam, named, "%s says that nobody is there, and is not named: %s", router->name,
                exam->service->verdict.text);
}

void exam_found(const struct exam *exam)
{
    check_dead(exam);
    check_caught(exam);
}
