/* SPDX-License-Identifier: BSD-2-Clause */
/* The names of a scenario; see io/sim/sim.h. */
#include "base/time.h"
#include "io/sim/sim.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A look-up whose answer was not taken. */
struct look_up {
    struct look_up *next; /* begun after it */
    sonde_ns ready_ns;
    struct names_answer answer;
};

struct sim_names {
    struct names names;
    const struct sim_scenario *scenario;
    struct look_up *first;
};

static struct sim_names *sim_of(struct names *names)
{
    return (struct sim_names *)names; /* it is the first member */
}

/* Find the addresses of a name. @return how long that takes. */
static sonde_ns look_up(const struct sim_scenario *scenario, const char *name,
                        struct names_answer *answer)
{
    sonde_ns delay = 0;
    for (uint32_t i = 0; i < scenario->name_count; i++) {
        const struct sim_name *entry = &scenario->names[i];
        uint8_t family = entry->addr.family;
        bool fits = answer->family == SONDE_FAMILY_NONE || (uint8_t)answer->family == family;
        if (entry->reverse || strcmp(entry->name, name) != 0)
            continue;
        delay = ns_max(delay, entry->delay_ns);
        if (fits && family != SONDE_FAMILY_NONE && answer->count < NAMES_ADDRESSES_MAX)
            answer->addresses[answer->count++] = entry->addr;
    }
    answer->error = answer->count > 0 ? 0 : -ENOENT;
    return delay;
}

static int names_begin(struct names *names, const struct names_question *question, sonde_ns now_ns)
{
    struct sim_names *sim = sim_of(names);
    struct look_up *begun = calloc(1, sizeof *begun);
    if (begun == NULL)
        return -ENOMEM;
    begun->answer.id = question->id;
    begun->answer.family = question->family;
    begun->ready_ns = ns_add(now_ns, look_up(sim->scenario, question->name, &begun->answer));
    struct look_up **end = &sim->first;
    while (*end != NULL && (*end)->ready_ns <= begun->ready_ns)
        end = &(*end)->next;
    begun->next = *end;
    *end = begun;
    return 0;
}

static int names_take(struct names *names, sonde_ns now_ns, struct names_answer *ret_answer)
{
    struct sim_names *sim = sim_of(names);
    struct look_up *first = sim->first;
    if (first == NULL || first->ready_ns > now_ns)
        return -EAGAIN;
    *ret_answer = first->answer;
    sim->first = first->next;
    free(first);
    return 0;
}

/* The vantage has one interface, number 1. */
static uint32_t names_scope(struct names *names, const char *zone)
{
    return strcmp(zone, sim_of(names)->scenario->interface) == 0 || strcmp(zone, "1") == 0 ? 1 : 0;
}

static void names_zone(struct names *names, uint32_t scope, char name[SONDE_ZONE_BYTES])
{
    (void)snprintf(name, SONDE_ZONE_BYTES, "%.*s", SONDE_ZONE_BYTES - 1,
                   scope == 1 ? sim_of(names)->scenario->interface : "");
}

static void names_want(struct names *names, const struct sonde_addr *addr)
{
    (void)names;
    (void)addr;
}

static const char *names_get(struct names *names, const struct sonde_addr *addr)
{
    const struct sim_scenario *scenario = sim_of(names)->scenario;
    for (uint32_t i = 0; i < scenario->name_count; i++) {
        if (scenario->names[i].reverse && sonde_addr_equal(&scenario->names[i].addr, addr))
            return scenario->names[i].name;
    }
    return NULL;
}

static uint32_t names_step(struct names *names)
{
    (void)names;
    return 0;
}

static sonde_ns names_watch(struct names *names, struct io_watch *watch)
{
    (void)watch;
    return sim_of(names)->first != NULL ? sim_of(names)->first->ready_ns : SONDE_NS_NEVER;
}

static struct names *names_free(struct names *names)
{
    struct sim_names *sim = sim_of(names);
    while (sim->first != NULL) {
        struct look_up *next = sim->first->next;
        free(sim->first);
        sim->first = next;
    }
    free(sim);
    return NULL;
}

static const struct names_ops sim_names_ops = {
    .begin = names_begin,
    .take = names_take,
    .scope = names_scope,
    .zone = names_zone,
    .want = names_want,
    .get = names_get,
    .step = names_step,
    .watch = names_watch,
    .free = names_free,
};

int sim_names_new(const struct sim_scenario *scenario, struct names **ret_names)
{
    struct sim_names *sim = calloc(1, sizeof *sim);
    if (sim == NULL)
        return -ENOMEM;
    sim->names.ops = &sim_names_ops;
    sim->scenario = scenario;
    *ret_names = &sim->names;
    return 0;
}
