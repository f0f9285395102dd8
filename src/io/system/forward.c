/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names to addresses with getaddrinfo(): it honours hosts files, resolver plug-ins and address
 * selection rules, so that sonde goes where the administrator's other programs go. RFC 6724.
 *
 * It blocks, for seconds if a resolver is silent. So it runs in threads, and whoever waits can be
 * interrupted: then the threads are left to themselves with the last reference to the job.
 */
#include "io/system/forward.h"

#include "io/clock.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { THREADS_MAX = 16 };

/* The names being looked up; shared by the threads and whoever waits for them. */
struct job {
    pthread_mutex_t lock;
    uint32_t references;
    uint32_t next; /* the first query that no thread has taken */
    uint32_t done;
    uint32_t count;
    int done_fd; /* an eventfd: all are done */
    char (*names)[NAMES_BYTES_MAX];
    struct names_query *queries; /* the job's own copies */
};

/* Count one reference more or less. @return how many there are now. */
static uint32_t job_count(struct job *job, int change)
{
    (void)pthread_mutex_lock(&job->lock);
    job->references = (uint32_t)((int)job->references + change);
    uint32_t references = job->references;
    (void)pthread_mutex_unlock(&job->lock);
    return references;
}

static struct job *job_unref(struct job *job)
{
    if (job_count(job, -1) > 0)
        return NULL;
    (void)pthread_mutex_destroy(&job->lock);
    if (job->done_fd >= 0)
        (void)close(job->done_fd);
    free(job->names);
    free(job->queries);
    free(job);
    return NULL;
}

static int job_new(const struct names_query *queries, uint32_t count, struct job **ret_job)
{
    struct job *job = calloc(1, sizeof *job);
    if (job == NULL)
        return -ENOMEM;
    job->references = 1;
    job->count = count;
    job->done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    int r = job->done_fd < 0 ? -errno : 0;
    job->names = calloc(count, sizeof *job->names);
    job->queries = calloc(count, sizeof *job->queries);
    if (pthread_mutex_init(&job->lock, NULL) != 0) {
        free(job->names);
        free(job->queries);
        if (job->done_fd >= 0)
            (void)close(job->done_fd);
        free(job);
        return -ENOMEM;
    }
    if (r == 0 && (job->names == NULL || job->queries == NULL))
        r = -ENOMEM;
    if (r < 0) {
        (void)job_unref(job);
        return r;
    }
    for (uint32_t i = 0; i < count; i++) {
        size_t len = strnlen(queries[i].name, NAMES_BYTES_MAX - 1);
        memcpy(job->names[i], queries[i].name, len);
        job->queries[i].name = job->names[i];
        job->queries[i].family = queries[i].family;
        job->queries[i].error = -EINTR;
    }
    *ret_job = job;
    return 0;
}

static bool already_there(const struct names_query *query, const struct sonde_addr *addr)
{
    for (uint32_t i = 0; i < query->count; i++) {
        if (sonde_addr_equal(&query->addresses[i], addr))
            return true;
    }
    return false;
}

static void take_address(struct names_query *query, const struct addrinfo *info)
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
    if (addr.family != SONDE_FAMILY_NONE && query->count < NAMES_ADDRESSES_MAX &&
        !already_there(query, &addr))
        query->addresses[query->count++] = addr;
}

static void look_up(struct names_query *query)
{
    struct addrinfo *found = NULL;
    const struct addrinfo hints = {
        .ai_family = query->family == SONDE_FAMILY_IPV4   ? AF_INET
                     : query->family == SONDE_FAMILY_IPV6 ? AF_INET6
                                                          : AF_UNSPEC,
        .ai_socktype = SOCK_DGRAM,
        .ai_flags = AI_IDN | AI_ADDRCONFIG,
    };
    errno = 0;
    int r = getaddrinfo(query->name, NULL, &hints, &found);
    /* whatever it calls that: a resolver that could open nothing knows nothing of the name */
    int error = errno;
    bool starved = error == EMFILE || error == ENFILE;
    for (const struct addrinfo *at = found; r == 0 && at != NULL; at = at->ai_next)
        take_address(query, at);
    if (found != NULL)
        freeaddrinfo(found);
    query->error = query->count > 0  ? 0
                   : starved         ? -error
                   : r == EAI_AGAIN  ? -EAGAIN
                   : r == EAI_MEMORY ? -ENOMEM
                                     : -ENOENT;
}

/* Take the next query; NULL if all are taken. */
static struct names_query *job_take(struct job *job)
{
    (void)pthread_mutex_lock(&job->lock);
    struct names_query *query = job->next < job->count ? &job->queries[job->next++] : NULL;
    (void)pthread_mutex_unlock(&job->lock);
    return query;
}

static void *work(void *arg)
{
    struct job *job = arg;
    struct names_query *query;
    while ((query = job_take(job)) != NULL) {
        struct names_query answer = {.name = query->name, .family = query->family};
        look_up(&answer);
        (void)pthread_mutex_lock(&job->lock);
        *query = answer;
        bool all = ++job->done == job->count;
        (void)pthread_mutex_unlock(&job->lock);
        if (all)
            (void)eventfd_write(job->done_fd, 1);
    }
    (void)job_unref(job);
    return NULL;
}

/* Start the threads. @return how many run. */
static uint32_t job_start(struct job *job)
{
    uint32_t started = 0;
    pthread_attr_t attributes;
    if (pthread_attr_init(&attributes) != 0)
        return 0;
    (void)pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    while (started < job->count && started < THREADS_MAX) {
        pthread_t thread;
        (void)job_count(job, 1);
        if (pthread_create(&thread, &attributes, work, job) != 0) {
            (void)job_count(job, -1);
            break;
        }
        started++;
    }
    (void)pthread_attr_destroy(&attributes);
    return started;
}

/* Wait until all are done, or somebody wants an end to it. */
static int job_wait(struct job *job, struct io_watch *watch)
{
    struct pollfd done = {.fd = job->done_fd, .events = POLLIN};
    while (done.revents == 0) {
        int r = clock_poll(&done, 1, watch, SONDE_NS_NEVER);
        if (r < 0)
            return r;
        for (nfds_t i = 0; watch != NULL && i < watch->count; i++) {
            if (watch->fds[i].revents != 0)
                return -EINTR;
        }
    }
    return 0;
}

int forward_resolve(struct names *names, struct names_query *queries, uint32_t count,
                    struct io_watch *watch)
{
    (void)names;
    if (count == 0)
        return 0;
    struct job *job;
    int r = job_new(queries, count, &job);
    if (r < 0)
        return r;
    r = job_start(job) > 0 ? job_wait(job, watch) : -ENOMEM;
    (void)pthread_mutex_lock(&job->lock);
    for (uint32_t i = 0; i < count; i++) {
        const char *name = queries[i].name;
        queries[i] = job->queries[i];
        queries[i].name = name;
    }
    (void)pthread_mutex_unlock(&job->lock);
    (void)job_unref(job);
    return r;
}
