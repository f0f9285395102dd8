/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names to addresses with getaddrinfo(): it honours hosts files, resolver plug-ins and address
 * selection rules, so that sonde goes where the administrator's other programs go. RFC 6724.
 *
 * It blocks, for seconds if a resolver is silent, and nothing can end it. So it runs in threads,
 * which take names from a queue and put answers into another. Whoever frees a struct forward does
 * not wait for them: what threads work on belongs to the pool, and the last one frees it.
 *
 * So many names are looked up at the same time that a resolver is not flooded. If not a single name
 * leaves the queue for a while, those under way are stuck, and as many threads more are started: a
 * name is not to wait for others that are not answered. All of them are so few that descriptors are
 * left for the run, which opens sockets while names are looked up.
 */
#include "io/system/forward.h"

#include "base/addr.h"
#include "base/time.h"
#include "io/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
    THREADS_AT_FIRST = 16,
    THREADS_MAX = 256,
    DESCRIPTORS_EACH = 2,  /* of a thread: a resolver's socket and a file */
    DESCRIPTORS_LEFT = 12, /* for source ports that are held, and for names of addresses */
    STACK_BYTES = 1 << 20, /* of each; memory is taken only where it is touched */
    TRIES = 20,            /* to look a name up while there are no descriptors left */
};
static const sonde_ns STUCK_NS = 100 * SONDE_NS_PER_MS; /* no name has left the queue for this */

/* A name, and what came of it. */
struct look_up {
    struct look_up *next;
    struct names_answer answer;
    unsigned tries;
    char name[NAMES_BYTES_MAX];
};

struct queue {
    struct look_up *first;
    struct look_up *last;
    uint32_t count;
};

/* What the threads share with whoever waits for them. */
struct pool {
    pthread_mutex_t lock;
    uint32_t references; /* of the threads that run, and of the struct forward */
    uint32_t threads;    /* that run */
    uint32_t taken;      /* names that have left the queue, ever */
    bool starved;        /* a look-up found no descriptor since this was last looked at */
    struct queue waiting;
    struct queue done;
    int done_fd; /* an eventfd: an answer is there */
};

struct forward {
    struct pool *pool;
    uint32_t under_way;       /* look-ups whose answers were not taken */
    uint32_t threads_max;     /* as far as descriptors go */
    uint32_t threads_allowed; /* for now */
    uint32_t taken;           /* names that had left the queue when that was last looked at */
    sonde_ns stuck_ns;        /* when it counts as stuck, if none has left it until then */
    unsigned failures;        /* to start a thread while none ran */
};

static void queue_put(struct queue *queue, struct look_up *look_up)
{
    look_up->next = NULL;
    if (queue->first == NULL)
        queue->first = look_up;
    else
        queue->last->next = look_up;
    queue->last = look_up;
    queue->count++;
}

static struct look_up *queue_take(struct queue *queue)
{
    struct look_up *first = queue->first;
    if (first != NULL) {
        queue->first = first->next;
        queue->count--;
    }
    return first;
}

static void queue_empty(struct queue *queue)
{
    struct look_up *look_up;
    while ((look_up = queue_take(queue)) != NULL)
        free(look_up);
}

static void pool_lock(struct pool *pool)
{
    (void)pthread_mutex_lock(&pool->lock);
}

static void pool_unlock(struct pool *pool)
{
    (void)pthread_mutex_unlock(&pool->lock);
}

static void pool_free(struct pool *pool)
{
    queue_empty(&pool->waiting);
    queue_empty(&pool->done);
    if (pool->done_fd >= 0)
        (void)close(pool->done_fd);
    (void)pthread_mutex_destroy(&pool->lock);
    free(pool);
}

/* Let go of the pool; its lock is held, and is no more. */
static void pool_unref(struct pool *pool)
{
    bool last = --pool->references == 0;
    pool_unlock(pool);
    if (last)
        pool_free(pool);
}

static int pool_new(struct pool **ret_pool)
{
    struct pool *pool = calloc(1, sizeof *pool);
    if (pool == NULL)
        return -ENOMEM;
    if (pthread_mutex_init(&pool->lock, NULL) != 0) {
        free(pool);
        return -ENOMEM;
    }
    pool->references = 1;
    pool->done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    int r = pool->done_fd < 0 ? -errno : 0;
    if (r < 0)
        pool_free(pool);
    else
        *ret_pool = pool;
    return r;
}

static bool already_there(const struct names_answer *answer, const struct sonde_addr *addr)
{
    for (uint32_t i = 0; i < answer->count; i++) {
        if (sonde_addr_equal(&answer->addresses[i], addr))
            return true;
    }
    return false;
}

static void take_address(struct names_answer *answer, const struct addrinfo *info)
{
    struct sonde_addr addr = {0};
    if (info->ai_family == AF_INET6) {
        struct sockaddr_in6 in6;
        memcpy(&in6, info->ai_addr, sizeof in6);
        addr.family = SONDE_FAMILY_IPV6;
        addr.scope = in6.sin6_scope_id;
        memcpy(addr.bytes, &in6.sin6_addr, 16);
    } else if (info->ai_family == AF_INET) {
        struct sockaddr_in in4;
        memcpy(&in4, info->ai_addr, sizeof in4);
        addr.family = SONDE_FAMILY_IPV4;
        memcpy(addr.bytes, &in4.sin_addr, 4);
    }
    addr_unmap(&addr);
    if (addr.family != SONDE_FAMILY_NONE && answer->count < NAMES_ADDRESSES_MAX &&
        !already_there(answer, &addr))
        answer->addresses[answer->count++] = addr;
}

static void ask(struct look_up *look_up, int flags)
{
    struct names_answer *answer = &look_up->answer;
    struct addrinfo *found = NULL;
    const struct addrinfo hints = {
        .ai_family = answer->family == SONDE_FAMILY_IPV4   ? AF_INET
                     : answer->family == SONDE_FAMILY_IPV6 ? AF_INET6
                                                           : AF_UNSPEC,
        .ai_socktype = SOCK_DGRAM,
        .ai_flags = AI_IDN | flags,
    };
    errno = 0;
    int r = getaddrinfo(look_up->name, NULL, &hints, &found);
    /* whatever it calls that: a resolver that could open nothing knows nothing of the name */
    int error = errno;
    bool starved = error == EMFILE || error == ENFILE;
    for (const struct addrinfo *at = found; r == 0 && at != NULL; at = at->ai_next)
        take_address(answer, at);
    if (found != NULL)
        freeaddrinfo(found);
    answer->error = answer->count > 0 ? 0
                    : starved         ? -error
                    : r == EAI_AGAIN  ? -EAGAIN
                    : r == EAI_MEMORY ? -ENOMEM
                                      : -ENOENT;
}

/*
 * Look a name up. Where nobody chose a family, those that this machine has no address of are left
 * out (AI_ADDRCONFIG): they could not be reached. But loopback addresses do not count for that, so
 * that a name which has nothing else is asked for without it: RFC 3493 §6.1, getaddrinfo(3).
 */
static void look_up_name(struct look_up *look_up)
{
    if (look_up->answer.family == SONDE_FAMILY_NONE) {
        ask(look_up, AI_ADDRCONFIG);
        if (look_up->answer.error != -ENOENT)
            return;
    }
    ask(look_up, 0);
}

/* Put a look-up where it belongs now. @return false if this thread had better end: others that go
 * on have more use for descriptors. */
static bool put_back(struct pool *pool, struct look_up *look_up)
{
    int error = look_up->answer.error;
    bool starved = (error == -EMFILE || error == -ENFILE) && ++look_up->tries < TRIES;
    pool->starved |= starved;
    queue_put(starved ? &pool->waiting : &pool->done, look_up);
    if (!starved)
        (void)eventfd_write(pool->done_fd, 1);
    return !starved;
}

static void *work(void *arg)
{
    struct pool *pool = arg;
    bool go_on = true;
    pool_lock(pool);
    while (go_on) {
        struct look_up *look_up = queue_take(&pool->waiting);
        if (look_up == NULL)
            break;
        pool->taken++;
        pool_unlock(pool);
        look_up_name(look_up);
        pool_lock(pool);
        go_on = put_back(pool, look_up);
    }
    pool->threads--;
    pool_unref(pool);
    return NULL;
}

/* Start so many threads, as far as they are allowed and can be had; the pool's lock is held. */
static void start_threads(struct forward *forward, uint32_t count)
{
    struct pool *pool = forward->pool;
    pthread_t thread;
    pthread_attr_t attributes;
    if (pthread_attr_init(&attributes) != 0)
        return;
    (void)pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    (void)pthread_attr_setstacksize(&attributes, STACK_BYTES);
    for (; count > 0 && pool->threads < forward->threads_allowed; count--) {
        if (pthread_create(&thread, &attributes, work, pool) != 0)
            break;
        pool->references++;
        pool->threads++;
    }
    (void)pthread_attr_destroy(&attributes);
}

/* How many threads there may be for the descriptors that are free: those from the first free one
 * on, as they are given out in their order. @param fd  One that is open. */
static uint32_t find_threads_max(int fd)
{
    struct rlimit limit;
    int first = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (first >= 0)
        (void)close(first);
    if (first < 0 || getrlimit(RLIMIT_NOFILE, &limit) < 0 ||
        limit.rlim_cur < (rlim_t)first + DESCRIPTORS_LEFT + DESCRIPTORS_EACH)
        return 1;
    rlim_t most = (limit.rlim_cur - (rlim_t)first - DESCRIPTORS_LEFT) / DESCRIPTORS_EACH;
    return most < THREADS_MAX ? (uint32_t)most : THREADS_MAX;
}

int forward_new(struct forward **ret_forward)
{
    struct forward *forward = calloc(1, sizeof *forward);
    if (forward == NULL)
        return -ENOMEM;
    int r = pool_new(&forward->pool);
    if (r < 0) {
        free(forward);
        return r;
    }
    uint32_t most = find_threads_max(forward->pool->done_fd);
    forward->threads_max = most;
    forward->threads_allowed = most < THREADS_AT_FIRST ? most : THREADS_AT_FIRST;
    *ret_forward = forward;
    return 0;
}

struct forward *forward_free(struct forward *forward)
{
    if (forward == NULL)
        return NULL;
    pool_lock(forward->pool);
    queue_empty(&forward->pool->waiting); /* the threads find nothing more to do */
    pool_unref(forward->pool);
    free(forward);
    return NULL;
}

int forward_begin(struct forward *forward, const struct names_question *question)
{
    struct pool *pool = forward->pool;
    struct look_up *look_up = calloc(1, sizeof *look_up);
    size_t len = strlen(question->name);
    if (look_up == NULL)
        return -ENOMEM;
    look_up->answer.id = question->id;
    look_up->answer.family = question->family;
    look_up->answer.error = -ENOENT;
    memcpy(look_up->name, question->name, len < NAMES_BYTES_MAX ? len : NAMES_BYTES_MAX - 1);
    if (forward->under_way++ == 0)
        forward->stuck_ns = ns_add(clock_monotonic_ns(), STUCK_NS);
    pool_lock(pool);
    if (len >= NAMES_BYTES_MAX) {
        (void)put_back(pool, look_up); /* there is no such name */
    } else {
        queue_put(&pool->waiting, look_up);
        start_threads(forward, 1);
    }
    pool_unlock(pool);
    return 0;
}

/* Descriptors do not suffice for as many threads as there were. */
static void note_starving(struct forward *forward)
{
    struct pool *pool = forward->pool;
    if (!pool->starved)
        return;
    pool->starved = false;
    forward->threads_max = forward->threads_allowed = pool->threads > 0 ? pool->threads : 1;
}

/* No name has left the queue for a while. */
static void help_queue(struct forward *forward)
{
    struct pool *pool = forward->pool;
    if (pool->threads == forward->threads_allowed)
        forward->threads_allowed *= 2;
    if (forward->threads_allowed > forward->threads_max)
        forward->threads_allowed = forward->threads_max;
    start_threads(forward, pool->waiting.count);
    forward->failures = pool->threads > 0 ? 0 : forward->failures + 1;
    struct look_up *look_up;
    while (forward->failures >= TRIES && (look_up = queue_take(&pool->waiting)) != NULL) {
        look_up->answer.error = -ENOMEM;
        (void)put_back(pool, look_up);
    }
}

void forward_step(struct forward *forward)
{
    struct pool *pool = forward->pool;
    eventfd_t answers;
    if (forward->under_way == 0)
        return;
    (void)eventfd_read(pool->done_fd, &answers);
    sonde_ns now = clock_monotonic_ns();
    pool_lock(pool);
    note_starving(forward);
    bool stuck = pool->waiting.count > 0 && (pool->taken == forward->taken || pool->threads == 0);
    if (stuck && now >= forward->stuck_ns)
        help_queue(forward);
    if (!stuck || now >= forward->stuck_ns)
        forward->stuck_ns = ns_add(now, STUCK_NS);
    forward->taken = pool->taken;
    pool_unlock(pool);
}

int forward_take(struct forward *forward, struct names_answer *ret_answer)
{
    if (forward->under_way == 0)
        return -EAGAIN;
    pool_lock(forward->pool);
    struct look_up *look_up = queue_take(&forward->pool->done);
    pool_unlock(forward->pool);
    if (look_up == NULL)
        return -EAGAIN;
    forward->under_way--;
    *ret_answer = look_up->answer;
    free(look_up);
    return 0;
}

sonde_ns forward_watch(struct forward *forward, struct io_watch *watch)
{
    if (forward->under_way == 0)
        return SONDE_NS_NEVER;
    if (watch->count < IO_WATCH_MAX)
        watch->fds[watch->count++] =
            (struct pollfd){.fd = forward->pool->done_fd, .events = POLLIN};
    pool_lock(forward->pool);
    bool empty = forward->pool->waiting.count == 0;
    pool_unlock(forward->pool);
    return empty ? SONDE_NS_NEVER : forward->stuck_ns;
}
