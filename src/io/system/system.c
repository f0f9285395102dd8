/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names as the system sees them; see io/names.h. Names to addresses in threads (forward.h);
 * addresses to names by c-ares, which works on descriptors of ours and never blocks: a probe is
 * never late because a resolver is.
 */
#include "base/number.h"
#include "base/prng.h"
#include "base/time.h"
#include "io/clock.h"
#include "io/system/forward.h"

#include <ares.h>
#include <assert.h>
#include <errno.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

enum {
    CACHE_MAX = 4096, /* addresses whose names are kept */
    CACHE_BUCKETS = 2 * CACHE_MAX,
    UNDER_WAY_MAX = 64, /* asked at the same time; the rest wait their turn */
    TIMEOUT_MS = 1000,
    TRIES = 2,
};

enum entry_state {
    ENTRY_FREE,
    ENTRY_WAITING, /* for its turn */
    ENTRY_ASKED,
    ENTRY_DONE, /* with a name, or known to have none */
};

struct entry {
    enum entry_state state;
    struct sonde_addr addr;
    struct system_names *owner;
    char *name; /* NULL = has none */
};

struct system_names {
    struct names names;
    struct forward *forward;
    ares_channel channel; /* NULL: no names of addresses are wanted */
    struct entry entries[CACHE_BUCKETS];
    uint32_t entry_count;
    uint32_t waiting;
    uint32_t under_way;
};

static struct system_names *system_of(struct names *names)
{
    return (struct system_names *)names;
}

/* The entry of an address, or the free place for it. Open addressing; never more than half full. */
static struct entry *entry_of(struct system_names *system, const struct sonde_addr *addr)
{
    uint64_t words[2];
    memcpy(words, addr->bytes, sizeof words);
    uint64_t at = mix64(words[0] ^ mix64(words[1] + addr->family));
    while (true) {
        struct entry *entry = &system->entries[at++ % CACHE_BUCKETS];
        if (entry->state == ENTRY_FREE || sonde_addr_equal(&entry->addr, addr))
            return entry;
    }
}

static void on_answer(void *arg, int status, int timeouts, struct hostent *host)
{
    struct entry *entry = arg;
    (void)timeouts;
    entry->state = ENTRY_DONE;
    entry->owner->under_way--;
    if (status != ARES_SUCCESS || host == NULL || host->h_name == NULL ||
        strnlen(host->h_name, NAMES_BYTES_MAX) == NAMES_BYTES_MAX)
        return;
    entry->name = strdup(host->h_name);
}

static void ask(struct system_names *system, struct entry *entry)
{
    bool ipv6 = entry->addr.family == SONDE_FAMILY_IPV6;
    entry->state = ENTRY_ASKED;
    system->under_way++;
    ares_gethostbyaddr(system->channel, entry->addr.bytes, ipv6 ? 16 : 4, ipv6 ? AF_INET6 : AF_INET,
                       on_answer, entry);
}

/* As getaddrinfo() reads it: a name goes before a number. RFC 4007 §11.2. */
static uint32_t system_scope(struct names *names, const char *zone)
{
    uint64_t number;
    char name[IF_NAMESIZE];
    (void)names;
    uint32_t scope = if_nametoindex(zone);
    if (scope == 0 && number_parse(zone, UINT32_MAX, &number) == 0 &&
        if_indextoname((unsigned)number, name) != NULL)
        scope = (uint32_t)number;
    return scope;
}

static void system_zone(struct names *names, uint32_t scope, char name[SONDE_ZONE_BYTES])
{
    static_assert(SONDE_ZONE_BYTES == IF_NAMESIZE, "the names of interfaces fit");
    (void)names;
    if (if_indextoname(scope, name) == NULL)
        name[0] = '\0';
}

static void system_want(struct names *names, const struct sonde_addr *addr)
{
    struct system_names *system = system_of(names);
    struct entry *entry = entry_of(system, addr);
    if (entry->state != ENTRY_FREE || system->entry_count == CACHE_MAX)
        return;
    system->entry_count++;
    *entry = (struct entry){.state = ENTRY_WAITING, .addr = *addr, .owner = system};
    if (system->under_way < UNDER_WAY_MAX)
        ask(system, entry);
    else
        system->waiting++;
}

static const char *system_get(struct names *names, const struct sonde_addr *addr)
{
    return entry_of(system_of(names), addr)->name;
}

/* What c-ares waits for on the i-th of its sockets; its own macros shift into the sign bit. */
static short events_of(int bits, int i)
{
    short events = ((unsigned)bits >> i & 1U) != 0 ? POLLIN : 0;
    if (((unsigned)bits >> (i + ARES_GETSOCK_MAXNUM) & 1U) != 0)
        events |= POLLOUT;
    return events;
}

static int system_begin(struct names *names, const struct names_question *question, sonde_ns now_ns)
{
    (void)now_ns;
    return forward_begin(system_of(names)->forward, question);
}

static int system_take(struct names *names, sonde_ns now_ns, struct names_answer *ret_answer)
{
    (void)now_ns;
    return forward_take(system_of(names)->forward, ret_answer);
}

static uint32_t system_step(struct names *names)
{
    struct system_names *system = system_of(names);
    forward_step(system->forward);
    if (system->under_way + system->waiting == 0)
        return 0;
    ares_socket_t sockets[ARES_GETSOCK_MAXNUM];
    int bits = ares_getsock(system->channel, sockets, ARES_GETSOCK_MAXNUM);
    for (int i = 0; i < ARES_GETSOCK_MAXNUM; i++) {
        short events = events_of(bits, i);
        if (events != 0)
            ares_process_fd(system->channel, (events & POLLIN) != 0 ? sockets[i] : ARES_SOCKET_BAD,
                            (events & POLLOUT) != 0 ? sockets[i] : ARES_SOCKET_BAD);
    }
    ares_process_fd(system->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD); /* timeouts */
    for (uint32_t i = 0; system->waiting > 0 && i < CACHE_BUCKETS; i++) {
        if (system->under_way >= UNDER_WAY_MAX)
            break;
        if (system->entries[i].state == ENTRY_WAITING) {
            system->waiting--;
            ask(system, &system->entries[i]);
        }
    }
    return system->waiting + system->under_way;
}

static sonde_ns system_watch(struct names *names, struct io_watch *watch)
{
    struct system_names *system = system_of(names);
    ares_socket_t sockets[ARES_GETSOCK_MAXNUM];
    struct timeval timeout;
    sonde_ns until = forward_watch(system->forward, watch);
    if (system->under_way == 0)
        return until;
    int bits = ares_getsock(system->channel, sockets, ARES_GETSOCK_MAXNUM);
    for (int i = 0; i < ARES_GETSOCK_MAXNUM && watch->count < IO_WATCH_MAX; i++) {
        short events = events_of(bits, i);
        if (events != 0)
            watch->fds[watch->count++] = (struct pollfd){.fd = sockets[i], .events = events};
    }
    if (ares_timeout(system->channel, NULL, &timeout) == NULL)
        return until;
    sonde_ns wait = timeout.tv_sec * SONDE_NS_PER_S + timeout.tv_usec * SONDE_NS_PER_US;
    return ns_min(until, ns_add(clock_monotonic_ns(), wait));
}

static void close_channel(struct system_names *system)
{
    ares_destroy(system->channel); /* calls on_answer() for what is under way */
    for (uint32_t i = 0; i < CACHE_BUCKETS; i++)
        free(system->entries[i].name);
    ares_library_cleanup();
}

static struct names *system_free(struct names *names)
{
    struct system_names *system = system_of(names);
    forward_free(system->forward);
    if (system->channel != NULL)
        close_channel(system);
    free(system);
    return NULL;
}

static const struct names_ops system_ops = {
    .begin = system_begin,
    .take = system_take,
    .scope = system_scope,
    .zone = system_zone,
    .want = system_want,
    .get = system_get,
    .step = system_step,
    .watch = system_watch,
    .free = system_free,
};

static int open_channel(struct system_names *system)
{
    struct ares_options options = {.timeout = TIMEOUT_MS, .tries = TRIES};
    if (ares_library_init(ARES_LIB_INIT_ALL) != ARES_SUCCESS)
        return -EIO;
    if (ares_init_options(&system->channel, &options, ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES) ==
        ARES_SUCCESS)
        return 0;
    ares_library_cleanup();
    return -EIO;
}

int names_system_new(bool of_addresses, struct names **ret_names)
{
    struct system_names *system = calloc(1, sizeof *system);
    if (system == NULL)
        return -ENOMEM;
    system->names.ops = &system_ops;
    int r = forward_new(&system->forward);
    if (r == 0 && of_addresses)
        r = open_channel(system);
    if (r < 0) {
        forward_free(system->forward);
        free(system);
        return r;
    }
    *ret_names = &system->names;
    return 0;
}
