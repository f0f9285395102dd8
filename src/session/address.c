/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which address does a target have? A numeric one has it at once; a name is looked up while the run
 * goes on, and its target joins the run as soon as it has an address.
 */
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
    enum sonde_family wanted = session->options.family;
    return wanted != SONDE_FAMILY_NONE && addr->family != (uint8_t)wanted;
}

/* Give a target an address, and its traces, if it can have that one. */
static int set_address(struct sonde_session *session, uint32_t index, const struct sonde_addr *addr)
{
    struct session_target *target = &session->targets[index];
    if (wrong_family(session, addr)) {
        session_problem(session, target, SONDE_CODE_NAME_UNRESOLVED,
                        addr->family == SONDE_FAMILY_IPV6
                            ? "an IPv6 address, but IPv4 is asked for"
                            : "an IPv4 address, but IPv6 is asked for");
        return 0;
    }
    if (!is_host_address(addr)) {
        session_problem(session, target, SONDE_CODE_NO_ROUTE, "not the address of a single host");
        return 0;
    }
    target->addr = *addr;
    return session_trace(session, index);
}

/* Make a target for another address of a name. @param at  The target of the address before, and
 * then of this one. */
static int add_sibling(struct sonde_session *session, uint32_t *at, const struct sonde_addr *addr)
{
    struct session_target *targets =
        realloc(session->targets, (session->target_count + 1) * sizeof *targets);
    if (targets == NULL)
        return -ENOMEM;
    session->targets = targets;
    uint32_t index = session->target_count++;
    targets[index] = (struct session_target){
        .input = targets[*at].input,
        .host = targets[*at].host,
        .services = targets[*at].services,
        .service_count = targets[*at].service_count,
        .sibling = NO_TARGET,
        .problem = SONDE_CODE_OK,
    };
    targets[*at].sibling = index;
    *at = index;
    return set_address(session, index, addr);
}

/* Why a name has no address, in words. */
static const char *error_text(int error)
{
    switch (error) {
    case -EAGAIN:
        return "no answer from the name servers";
    case -EMFILE:
    case -ENFILE:
        return "too many open files (ulimit -n) to look the name up";
    case -ENOMEM:
        return "too little memory to look the name up";
    default:
        return "the name has no address";
    }
}

static int take_answer(struct sonde_session *session, const struct names_answer *answer)
{
    struct session_target *target = &session->targets[answer->id];
    if (!target->pending)
        return 0; /* it was given up */
    target->pending = false;
    session->pending_count--;
    if (answer->error != 0) {
        session_problem(session, target, SONDE_CODE_NAME_UNRESOLVED, error_text(answer->error));
        return 0;
    }
    uint32_t at = answer->id;
    int r = set_address(session, at, &answer->addresses[0]);
    for (uint32_t i = 1; r == 0 && session->options.all_addresses && i < answer->count; i++)
        r = add_sibling(session, &at, &answer->addresses[i]);
    return r;
}

int session_take_names(struct sonde_session *session)
{
    struct names_answer answer;
    int r = 0;
    while (r == 0 && session->names->ops->take(session->names, session->now_ns, &answer) == 0)
        r = take_answer(session, &answer);
    return r;
}

/* Begin to look up the name of a target, or read its address. */
static int begin_name(struct sonde_session *session, uint32_t index)
{
    struct session_target *target = &session->targets[index];
    struct sonde_addr addr;
    if (sonde_addr_parse(target->host, &addr) == 0)
        return set_address(session, index, &addr);
    const struct names_question question = {
        .id = index,
        .family = session->options.family,
        .name = target->host,
    };
    target->pending = true;
    session->pending_count++;
    return session->names->ops->begin(session->names, &question, session->now_ns);
}

int session_begin_names(struct sonde_session *session)
{
    int r = 0;
    session->added_count = session->target_count;
    for (uint32_t i = 0; r == 0 && i < session->added_count; i++) {
        r = begin_name(session, i);
        if (r == 0)
            r = session_take_names(session);
    }
    return r;
}

void session_give_up_names(struct sonde_session *session, const char *why)
{
    for (uint32_t i = 0; session->pending_count > 0 && i < session->added_count; i++) {
        struct session_target *target = &session->targets[i];
        if (!target->pending)
            continue;
        target->pending = false;
        session->pending_count--;
        session_problem(session, target, SONDE_CODE_NAME_UNRESOLVED, why);
    }
}
