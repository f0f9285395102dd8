/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which address does a target have? A numeric one has it at once; a name is looked up while the run
 * goes on, and its target joins the run as soon as it has an address.
 */
#include "base/addr.h"
#include "base/text.h"
#include "session/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Can a single host have this address? RFC 1112, RFC 919, RFC 4291 §2.5.2 and §2.7. */
static bool is_host_address(const struct sonde_addr *addr)
{
    static const uint8_t zero[16];
    const uint8_t *bytes = addr->bytes;
    if (addr->family == SONDE_FAMILY_IPV6)
        return bytes[0] != 0xff && memcmp(bytes, zero, sizeof zero) != 0;
    return bytes[0] != 0 && bytes[0] < 224; /* 240.0.0.0/4 and broadcast are beyond that */
}

static bool wrong_family(const struct sonde_session *session, const struct sonde_addr *addr)
{
    enum sonde_family wanted = session->options.vantage.family;
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

void session_note_scope(struct sonde_session *session, uint32_t scope)
{
    if (scope == 0)
        return;
    for (uint32_t i = 0; i < session->zone_count; i++) {
        if (session->zones[i].scope == scope)
            return;
    }
    if (session->zone_count == ZONES_MAX)
        return;
    struct sonde_zone *zone = &session->zones[session->zone_count++];
    zone->scope = scope;
    session->names->ops->zone(session->names, scope, zone->name);
}

/* The scope of the interface that the whole run is bound to; 0 = it is bound to none. */
static uint32_t scope_of_run(const struct sonde_session *session)
{
    return session->options.vantage.interface == NULL
               ? 0
               : session->names->ops->scope(session->names, session->options.vantage.interface);
}

/* Why a target cannot have an address; NULL: it can. A link-local one gets its scope from the
 * interface of the run, if it has none of its own. */
static const char *complete(const struct sonde_session *session, struct sonde_addr *addr)
{
    uint32_t scope = scope_of_run(session);
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
static int set_address(struct sonde_session *session, uint32_t index, const struct sonde_addr *addr)
{
    struct session_target *target = &session->targets[index];
    struct sonde_addr own = *addr;
    const char *why = complete(session, &own);
    if (why != NULL) {
        session_problem(session, target, SONDE_CODE_NO_ROUTE, why);
        return 0;
    }
    target->addr = own;
    session_note_scope(session, own.scope);
    return session_trace(session, index);
}

/* Make a target for another address of a name. @param last  The target of the one before. */
static int add_sibling(struct sonde_session *session, uint32_t last, const struct sonde_addr *addr)
{
    struct session_target *targets =
        realloc(session->targets, (session->target_count + 1) * sizeof *targets);
    if (targets == NULL)
        return -ENOMEM;
    session->targets = targets;
    uint32_t index = session->target_count++;
    targets[index] = (struct session_target){
        .input = targets[last].input,
        .host = targets[last].host,
        .services = targets[last].services,
        .service_count = targets[last].service_count,
        .sibling = NO_TARGET,
        .eldest = targets[last].eldest,
        .problem = SONDE_CODE_OK,
    };
    targets[last].sibling = index;
    return set_address(session, index, addr);
}

/* The name of a target has its last answer. */
static void settle(struct sonde_session *session, struct session_target *target)
{
    session->pending_count -= target->pending;
    target->pending = false;
}

static void fail(struct sonde_session *session, struct session_target *target, const char *why)
{
    settle(session, target);
    session_problem(session, target, SONDE_CODE_NAME_UNRESOLVED, why);
}

/* Add what an answer brought to the addresses that the name of a target has. */
static int keep_addresses(struct sonde_session *session, struct session_target *target,
                          const struct names_answer *answer)
{
    uint32_t count = target->known_count;
    struct sonde_addr *known =
        arena_alloc(&session->arena, count + answer->count + 1U, sizeof *known);
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
    return 0;
}

/* Let the addresses of a name be probed that were not yet: one, or all. */
static int use_addresses(struct sonde_session *session, uint32_t eldest)
{
    uint32_t last = eldest;
    int r = 0;
    while (session->targets[last].sibling != NO_TARGET)
        last = session->targets[last].sibling;
    for (uint32_t i = 0; r == 0 && i < session->targets[eldest].known_count; i++) {
        struct session_target *target = &session->targets[eldest];
        const struct sonde_addr *addr = &target->known[i];
        bool first = target->pending;
        if (wrong_family(session, addr) || (target->asked >> i & 1) != 0 ||
            !(first || session->options.plan.all_addresses))
            continue;
        target->asked |= UINT64_C(1) << i;
        settle(session, target);
        r = first ? set_address(session, eldest, addr) : add_sibling(session, last, addr);
        if (!first)
            last = session->target_count - 1;
    }
    return r;
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
static const char *family_text(const struct sonde_session *session,
                               const struct session_target *target, int error)
{
    bool ipv6 = session->options.vantage.family == SONDE_FAMILY_IPV6;
    if (target->known_count > 0 && session->source.family != SONDE_FAMILY_NONE)
        return ipv6 ? "the name has only IPv4 addresses, and the source address is an IPv6 one"
                    : "the name has only IPv6 addresses, and the source address is an IPv4 one";
    if (target->known_count > 0)
        return ipv6 ? "the name has only IPv4 addresses, but -6 asks for IPv6"
                    : "the name has only IPv6 addresses, but -4 asks for IPv4";
    if (error == -ENOENT)
        return error_text(error);
    return ipv6 ? "the name has no IPv6 address" : "the name has no IPv4 address";
}

/* Begin to look up the name of a target. */
static int begin_name(struct sonde_session *session, uint32_t index, enum sonde_family family)
{
    const struct names_question question = {
        .id = index, .family = family, .name = session->targets[index].host};
    return session->names->ops->begin(session->names, &question, session->now_ns);
}

/*
 * Where a family was chosen, it is asked for alone: somebody may have chosen it because a resolver
 * does not answer for the other. The other is asked for next, and not waited for: so it can be said
 * what else there is.
 */
static int take_answer(struct sonde_session *session, const struct names_answer *answer)
{
    struct session_target *target = &session->targets[answer->id];
    enum sonde_family wanted = session->options.vantage.family;
    bool is_other = answer->family != wanted;
    int r = keep_addresses(session, target, answer);
    if (r == 0)
        r = use_addresses(session, answer->id);
    if (r < 0)
        return r;
    target = &session->targets[answer->id];
    if (is_other && target->pending)
        fail(session, target, family_text(session, target, answer->error));
    if (is_other)
        return 0;
    if (wanted != SONDE_FAMILY_NONE && (answer->error == 0 || answer->error == -ENOENT))
        return begin_name(session, answer->id,
                          wanted == SONDE_FAMILY_IPV4 ? SONDE_FAMILY_IPV6 : SONDE_FAMILY_IPV4);
    if (target->pending)
        fail(session, target, error_text(answer->error));
    return 0;
}

int session_take_names(struct sonde_session *session)
{
    struct names_answer answer;
    int r = 0;
    while (r == 0 && session->names->ops->take(session->names, session->now_ns, &answer) == 0)
        r = take_answer(session, &answer);
    return r;
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
static int take_number(struct sonde_session *session, uint32_t index, struct sonde_addr *addr,
                       const char *zone)
{
    struct session_target *target = &session->targets[index];
    if (wrong_family(session, addr)) {
        fail(session, target,
             addr->family == SONDE_FAMILY_IPV6 ? "an IPv6 address, but -4 asks for IPv4"
                                               : "an IPv4 address, but -6 asks for IPv6");
        return 0;
    }
    if (zone != NULL)
        addr->scope = session->names->ops->scope(session->names, zone);
    if (zone == NULL || addr->scope != 0)
        return set_address(session, index, addr);
    struct text why = {0};
    text_add(&why, "no such interface: ");
    text_add_untrusted(&why, zone, strlen(zone));
    session_problem(session, target, SONDE_CODE_NO_ROUTE, why.data);
    text_deinit(&why);
    return 0;
}

/* Give a target its traces, or begin to look its name up. */
static int begin_target(struct sonde_session *session, uint32_t index)
{
    struct session_target *target = &session->targets[index];
    struct sonde_addr addr;
    const char *zone;
    target->eldest = index;
    if (read_address(target->host, &addr, &zone))
        return take_number(session, index, &addr, zone);
    target->pending = true;
    session->pending_count++;
    return begin_name(session, index, session->options.vantage.family);
}

int session_begin_names(struct sonde_session *session)
{
    int r = 0;
    session->added_count = session->target_count;
    for (uint32_t i = 0; r == 0 && i < session->added_count; i++) {
        r = begin_target(session, i);
        if (r == 0)
            r = session_take_names(session);
    }
    return r;
}

void session_give_up_names(struct sonde_session *session, const char *why)
{
    for (uint32_t i = 0; session->pending_count > 0 && i < session->added_count; i++) {
        struct session_target *target = &session->targets[i];
        if (target->pending)
            fail(session, target, why);
    }
}
