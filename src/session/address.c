/* SPDX-License-Identifier: BSD-2-Clause */
/* Which address does a target have? */
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

/* Give a target an address, if it can have that one. */
static void set_address(struct sonde_session *session, struct session_target *target,
                        const struct sonde_addr *addr)
{
    if (wrong_family(session, addr))
        session_problem(session, target, SONDE_CODE_NAME_UNRESOLVED,
                        addr->family == SONDE_FAMILY_IPV6
                            ? "an IPv6 address, but IPv4 is asked for"
                            : "an IPv4 address, but IPv6 is asked for");
    else if (!is_host_address(addr))
        session_problem(session, target, SONDE_CODE_NO_ROUTE, "not the address of a single host");
    else
        target->addr = *addr;
}

/* Add a target for a further address of a name, behind all others. */
static int add_sibling(struct sonde_session *session, uint32_t of, const struct sonde_addr *addr)
{
    struct session_target *targets =
        realloc(session->targets, (session->target_count + 1) * sizeof *targets);
    if (targets == NULL)
        return -ENOMEM;
    session->targets = targets;
    struct session_target *sibling = &targets[session->target_count++];
    *sibling = targets[of];
    sibling->addr = (struct sonde_addr){0};
    sibling->problem = SONDE_CODE_OK;
    set_address(session, sibling, addr);
    return 0;
}

static int take_answer(struct sonde_session *session, uint32_t index,
                       const struct names_query *answer)
{
    struct session_target *target = &session->targets[index];
    if (answer->error != 0) {
        session_problem(session, target, SONDE_CODE_NAME_UNRESOLVED,
                        answer->error == -EAGAIN ? "no answer from the name servers"
                        : answer->error == -EMFILE || answer->error == -ENFILE
                            ? "too many open files (ulimit -n) to look the name up"
                        : answer->error == -EINTR ? "interrupted while looking the name up"
                                                  : "the name has no address");
        return 0;
    }
    set_address(session, target, &answer->addresses[0]);
    int r = 0;
    for (uint32_t i = 1; r == 0 && session->options.all_addresses && i < answer->count; i++)
        r = add_sibling(session, index, &answer->addresses[i]);
    return r;
}

/* Look up the names of all targets that are not addresses. */
static int look_up(struct sonde_session *session, struct names_query *queries, uint32_t *owners,
                   uint32_t count)
{
    struct io_watch own = {.count = session->own_watches};
    memcpy(own.fds, session->watch.fds, session->own_watches * sizeof *own.fds);
    int r = session->names->ops->forward(session->names, queries, count, &own);
    if (r < 0 && r != -EINTR)
        return r;
    for (uint32_t i = 0; i < count; i++) {
        int taken = take_answer(session, owners[i], &queries[i]);
        if (taken < 0)
            return taken;
    }
    return r;
}

int session_resolve(struct sonde_session *session)
{
    uint32_t count = 0;
    size_t room = session->target_count > 0 ? session->target_count : 1;
    struct names_query *queries = calloc(room, sizeof *queries);
    uint32_t *owners = calloc(room, sizeof *owners);
    int r = queries == NULL || owners == NULL ? -ENOMEM : 0;
    for (uint32_t i = 0; r == 0 && i < session->target_count; i++) {
        struct session_target *target = &session->targets[i];
        struct sonde_addr addr;
        if (sonde_addr_parse(target->host, &addr) == 0) {
            set_address(session, target, &addr);
            continue;
        }
        queries[count].name = target->host;
        queries[count].family = session->options.family;
        owners[count++] = i;
    }
    if (r == 0)
        r = look_up(session, queries, owners, count);
    free(queries);
    free(owners);
    return r;
}
