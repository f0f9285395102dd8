/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which address does a target have? A numeric one has it at once; a name is looked up while the run
 * goes on, and its target joins the run as soon as it has an address.
 */
#include "base/addr.h"
#include "base/text.h"
#include "run/recorder.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { LOOKUPS_MIN = 16 };

/* Can a single host have this address? RFC 1112, RFC 919, RFC 4291 §2.5.2 and §2.7. */
static bool is_host_address(const struct sonde_addr *addr)
{
    static const uint8_t zero[16];
    const uint8_t *bytes = addr->bytes;
    if (addr->family == SONDE_FAMILY_IPV6)
        return bytes[0] != 0xff && memcmp(bytes, zero, sizeof zero) != 0;
    return bytes[0] != 0 && bytes[0] < 224; /* 240.0.0.0/4 and broadcast are beyond that */
}

static bool wrong_family(const struct sonde_run *run, const struct sonde_addr *addr)
{
    enum sonde_family wanted = run->vantage->options.family;
    return wanted != SONDE_FAMILY_NONE && addr->family != (uint8_t)wanted;
}

static bool is_among(const struct sonde_addr *addrs, uint32_t count, const struct sonde_addr *addr)
{
    for (uint32_t i = 0; i < count; i++) {
        if (sonde_addr_equal(&addrs[i], addr))
            return true;
    }
    return false;
}

/* The scope of the interface that the whole run is bound to; 0 = it is bound to none. */
static uint32_t scope_of_run(const struct sonde_run *run)
{
    return run->vantage->options.interface == NULL
               ? 0
               : run->vantage->names->ops->scope(run->vantage->names,
                                                 run->vantage->options.interface);
}

/* Why a target cannot have an address; NULL: it can. A link-local one gets its scope from the
 * interface of the run, if it has none of its own. */
static const char *complete(const struct sonde_run *run, struct sonde_addr *addr)
{
    uint32_t scope = scope_of_run(run);
    if (!is_host_address(addr))
        return "not the address of a single host";
    if (!addr_is_link_local(addr))
        return addr->scope == 0 ? NULL : "only a link-local address has a zone; -I eth0 takes any";
    if (addr->scope != 0 && scope != 0 && scope != addr->scope)
        return "its zone is another interface than that of -I";
    if (addr->scope == 0)
        addr->scope = scope;
    return addr->scope != 0
               ? NULL
               : "a link-local address needs its interface, as in fe80::1%eth0, or -I eth0";
}

/* Give a target an address, and its traces, if it can have that one. */
static int set_address(struct sonde_run *run, uint32_t index, const struct sonde_addr *addr)
{
    struct run_target *target = &run->targets[index];
    struct sonde_addr own = *addr;
    const char *why = complete(run, &own);
    if (why != NULL) {
        run_problem(run, target, SONDE_CODE_NO_ROUTE, why);
        return 0;
    }
    target->addr = own;
    vantage_note_scope(run->vantage, own.scope);
    return run_trace(run, index);
}

/* Make a target for another address of a name. @param last  The target of the one before, and then
 * it. @return false: there is no place for it. */
static bool add_sibling(struct sonde_run *run, uint32_t *last)
{
    const struct run_target *before = &run->targets[*last];
    const struct run_target target = {
        .input = before->input,
        .host = before->host,
        .services = before->services,
        .service_count = before->service_count,
        .sibling = NO_TARGET,
        .eldest = before->eldest,
        .paused = run->targets[before->eldest].paused,
        .problem = SONDE_CODE_OK,
    };
    uint32_t index;
    if (vantage_is_full(run->vantage) || run_append(run, &target, &index) < 0)
        return false;
    run->targets[*last].sibling = index;
    *last = index;
    return true;
}

/* The name of a target has its last answer. */
static void settle(struct sonde_run *run, struct run_target *target)
{
    run->pending_count -= target->pending;
    target->pending = false;
}

static void fail(struct sonde_run *run, struct run_target *target, const char *why)
{
    settle(run, target);
    run_problem(run, target, SONDE_CODE_NAME_UNRESOLVED, why);
}

/* Add what an answer brought to the addresses that the name of a target has. */
static int keep_addresses(struct sonde_run *run, struct run_target *target,
                          const struct names_answer *answer)
{
    uint32_t count = target->known_count;
    struct sonde_addr *known =
        arena_alloc(run_arena(run, target), count + answer->count + 1U, sizeof *known);
    if (known == NULL)
        return -ENOMEM;
    if (count > 0)
        memcpy(known, target->known, count * sizeof *known);
    for (uint32_t i = 0; i < answer->count; i++) {
        if (count < KNOWN_MAX && !is_among(known, count, &answer->addresses[i]))
            known[count++] = answer->addresses[i];
    }
    target->known = known;
    target->known_count = count;
    recorder_note_target(run, (uint32_t)(target - run->targets));
    return 0;
}

/* Let the addresses of a name be probed that were not yet: one, or all that there is place for. */
static void use_addresses(struct sonde_run *run, uint32_t eldest)
{
    uint32_t last = eldest;
    while (run->targets[last].sibling != NO_TARGET)
        last = run->targets[last].sibling;
    for (uint32_t i = 0; i < run->targets[eldest].known_count; i++) {
        const struct run_target *target = &run->targets[eldest];
        const struct sonde_addr *addr = &target->known[i];
        bool first = target->pending;
        if (wrong_family(run, addr) || (target->asked >> i & 1) != 0 ||
            !(first || (run->plan.all_addresses && add_sibling(run, &last))))
            continue;
        run->targets[eldest].asked |= UINT64_C(1) << i;
        settle(run, &run->targets[eldest]);
        recorder_note_target(run, eldest);
        int r = set_address(run, last, addr);
        if (r < 0)
            run_problem(run, &run->targets[last], run_problem_code(r), run_problem_text(r));
    }
}

/* Why a name has no address, in words. */
static const char *error_text(int error)
{
    switch (error) {
    case -EAGAIN:
        return "the name servers do not answer, or cannot"; /* the resolver does not say which */
    case -EMFILE:
    case -ENFILE:
        return "too many open files (ulimit -n) to look the name up";
    case -ENOMEM:
        return "too little memory to look the name up";
    default:
        return "the name has no address";
    }
}

/* Why a name has no address of the family that was chosen. @param error  What came of looking for
 * one of the other. */
static const char *family_text(const struct sonde_run *run, const struct run_target *target,
                               int error)
{
    bool ipv6 = run->vantage->options.family == SONDE_FAMILY_IPV6;
    if (target->known_count > 0 && run->vantage->source.family != SONDE_FAMILY_NONE)
        return ipv6 ? "the name has only IPv4 addresses, and the source address is an IPv6 one"
                    : "the name has only IPv6 addresses, and the source address is an IPv4 one";
    if (target->known_count > 0)
        return ipv6 ? "the name has only IPv4 addresses, but -6 asks for IPv6"
                    : "the name has only IPv6 addresses, but -4 asks for IPv4";
    if (error == -ENOENT)
        return error_text(error);
    return ipv6 ? "the name has no IPv6 address" : "the name has no IPv4 address";
}

/* A number for the question about a target's name. */
static int new_lookup(struct sonde_run *run, uint32_t index, uint32_t *ret_id)
{
    struct sonde_vantage *vantage = run->vantage;
    if (!ids_available(&vantage->lookup_ids)) {
        uint32_t cap = 2 * vantage->lookup_ids.cap + LOOKUPS_MIN;
        struct run_lookup *lookups = realloc(vantage->lookups, cap * sizeof *lookups);
        if (lookups == NULL)
            return -ENOMEM;
        vantage->lookups = lookups;
        if (ids_grow(&vantage->lookup_ids, cap) < 0)
            return -ENOMEM;
    }
    *ret_id = ids_take(&vantage->lookup_ids);
    vantage->lookups[*ret_id] = (struct run_lookup){run, index};
    return 0;
}

/* Begin to look up the name of a target. */
static int begin_name(struct sonde_run *run, uint32_t index, enum sonde_family family)
{
    struct names *names = run->vantage->names;
    struct names_question question = {.family = family, .name = run->targets[index].host};
    int r = new_lookup(run, index, &question.id);
    if (r < 0)
        return r;
    r = names->ops->begin(names, &question, run->vantage->now_ns);
    if (r < 0)
        ids_give_back(&run->vantage->lookup_ids, question.id);
    return r;
}

/*
 * Where a family was chosen, it is asked for alone: somebody may have chosen it because a resolver
 * does not answer for the other. The other is asked for next, and not waited for: so it can be said
 * what else there is.
 */
static int take_answer(struct sonde_run *run, uint32_t index, const struct names_answer *answer)
{
    struct run_target *target = &run->targets[index];
    enum sonde_family wanted = run->vantage->options.family;
    bool is_other = answer->family != wanted;
    int r = keep_addresses(run, target, answer);
    if (r < 0)
        return r;
    use_addresses(run, index);
    target = &run->targets[index];
    if (is_other && target->pending)
        fail(run, target, family_text(run, target, answer->error));
    if (is_other)
        return 0;
    if (wanted != SONDE_FAMILY_NONE && (answer->error == 0 || answer->error == -ENOENT))
        return begin_name(run, index,
                          wanted == SONDE_FAMILY_IPV4 ? SONDE_FAMILY_IPV6 : SONDE_FAMILY_IPV4);
    if (target->pending)
        fail(run, target, error_text(answer->error));
    return 0;
}

void vantage_take_names(struct sonde_vantage *vantage)
{
    struct names_answer answer;
    while (vantage->names->ops->take(vantage->names, vantage->now_ns, &answer) == 0) {
        const struct run_lookup lookup = vantage->lookups[answer.id];
        ids_give_back(&vantage->lookup_ids, answer.id);
        if (lookup.run == NULL || lookup.run->interrupted || lookup.run->end_ns != SONDE_NS_NEVER)
            continue;
        int r = take_answer(lookup.run, lookup.target, &answer);
        struct run_target *target = &lookup.run->targets[lookup.target];
        if (r < 0 && target->pending)
            fail(lookup.run, target, error_text(r));
    }
}

void run_forget_names(struct sonde_run *run)
{
    struct sonde_vantage *vantage = run->vantage;
    for (uint32_t i = 0; i < vantage->lookup_ids.next; i++) {
        if (vantage->lookups[i].run == run)
            vantage->lookups[i].run = NULL;
    }
}

void run_forget_name(struct sonde_run *run, uint32_t index)
{
    struct sonde_vantage *vantage = run->vantage;
    for (uint32_t i = 0; i < vantage->lookup_ids.next; i++) {
        if (vantage->lookups[i].run == run && vantage->lookups[i].target == index)
            vantage->lookups[i].run = NULL;
    }
    settle(run, &run->targets[index]);
}

/* Read a numeric address with its zone, if it has one. @return false: it is a name. */
static bool read_address(const char *host, struct sonde_addr *ret_addr, const char **ret_zone)
{
    char bare[SONDE_ADDR_TEXT_BYTES];
    size_t len = strcspn(host, "%");
    if (len >= sizeof bare)
        return false;
    memcpy(bare, host, len);
    bare[len] = '\0';
    *ret_zone = host[len] == '%' ? host + len + 1 : NULL;
    return sonde_addr_parse(bare, ret_addr) == 0;
}

/* Give a target that is a numeric address its traces. */
static int take_number(struct sonde_run *run, uint32_t index, struct sonde_addr *addr,
                       const char *zone)
{
    struct run_target *target = &run->targets[index];
    if (wrong_family(run, addr)) {
        fail(run, target,
             addr->family == SONDE_FAMILY_IPV6 ? "an IPv6 address, but -4 asks for IPv4"
                                               : "an IPv4 address, but -6 asks for IPv6");
        return 0;
    }
    if (zone != NULL)
        addr->scope = run->vantage->names->ops->scope(run->vantage->names, zone);
    if (zone == NULL || addr->scope != 0)
        return set_address(run, index, addr);
    struct text why = {0};
    text_add(&why, "no such interface: ");
    text_add_untrusted(&why, zone, strlen(zone));
    const char *copy = text_ok(&why) ? arena_string(run_arena(run, target), why.data) : NULL;
    text_deinit(&why);
    if (copy == NULL)
        return -ENOMEM;
    run_problem(run, target, SONDE_CODE_NO_ROUTE, copy);
    return 0;
}

int run_begin_target(struct sonde_run *run, uint32_t index)
{
    struct run_target *target = &run->targets[index];
    struct sonde_addr addr;
    const char *zone;
    target->eldest = index;
    if (read_address(target->host, &addr, &zone))
        return take_number(run, index, &addr, zone);
    int r = begin_name(run, index, run->vantage->options.family);
    target->pending = r == 0;
    run->pending_count += r == 0;
    if (r == 0) /* it is not over with the targets that there are, whatever the last step saw */
        engine_set_open(run->engine_run, true);
    return r;
}

void run_give_up_names(struct sonde_run *run, const char *why)
{
    for (uint32_t i = 0; run->pending_count > 0 && i < run->target_count; i++) {
        struct run_target *target = &run->targets[i];
        if (target->pending)
            fail(run, target, why);
    }
}
