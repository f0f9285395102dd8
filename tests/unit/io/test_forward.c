/* SPDX-License-Identifier: BSD-2-Clause */
/* Names by the system's resolver, over a getaddrinfo() of this file's, which this program's is. */
#include "base/time.h"
#include "io/clock.h"
#include "io/system/forward.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DESCRIPTORS_LACK_FOREVER = 1000000 };

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER; /* "stuck" names wait for it */
static atomic_uint asked;                                /* calls so far */
static atomic_uint ended;                                /* of these, returned */
static atomic_uint starving; /* calls that find no descriptor, from now on */

/* An address of its own for each text that is one; what is not has none. This machine has nothing
 * but loopback addresses of IPv4: with AI_ADDRCONFIG there is none of that family for it. */
static int answer_with(const char *name, const struct addrinfo *hints, struct addrinfo **ret_found)
{
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
    struct sockaddr_in in4 = {.sin_family = AF_INET};
    bool ipv6 = inet_pton(AF_INET6, name, &in6.sin6_addr) == 1;
    if (strcmp(name, "silent") == 0)
        return EAI_AGAIN;
    if (!ipv6 &&
        ((hints->ai_flags & AI_ADDRCONFIG) != 0 || inet_pton(AF_INET, name, &in4.sin_addr) != 1))
        return EAI_NONAME;
    struct addrinfo *found = calloc(1, sizeof *found + sizeof in6);
    if (found == NULL)
        return EAI_MEMORY;
    found->ai_family = ipv6 ? AF_INET6 : AF_INET;
    found->ai_addr = (struct sockaddr *)(found + 1);
    found->ai_addrlen = ipv6 ? sizeof in6 : sizeof in4;
    memcpy(found->ai_addr, ipv6 ? (void *)&in6 : (void *)&in4, found->ai_addrlen);
    *ret_found = found;
    return 0;
}

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
                struct addrinfo **ret_found)
{
    (void)service;
    atomic_fetch_add(&asked, 1);
    int r;
    if (strcmp(name, "stuck") == 0) {
        (void)pthread_mutex_lock(&gate);
        (void)pthread_mutex_unlock(&gate);
        r = EAI_NONAME;
    } else if (atomic_load(&starving) > 0) {
        atomic_fetch_sub(&starving, 1);
        errno = EMFILE;
        r = EAI_SYSTEM;
    } else {
        r = answer_with(name, hints, ret_found);
    }
    atomic_fetch_add(&ended, 1);
    return r;
}

void freeaddrinfo(struct addrinfo *found)
{
    free(found);
}

static struct forward *new_forward(void)
{
    struct forward *forward = NULL;
    cr_assert_eq(forward_new(&forward), 0);
    return forward;
}

static void begin(struct forward *forward, uint32_t id, const char *name)
{
    const struct names_question question = {.id = id, .name = name};
    cr_assert_eq(forward_begin(forward, &question), 0);
}

/* Wait for the next answer, as the vantage's loop does. @return false if none comes in 20 s. */
static bool take(struct forward *forward, struct names_answer *ret_answer)
{
    sonde_ns end = clock_monotonic_ns() + 20 * SONDE_NS_PER_S;
    while (clock_monotonic_ns() < end) {
        forward_step(forward);
        if (forward_take(forward, ret_answer) == 0)
            return true;
        struct io_watch watch = {.count = 0};
        sonde_ns until = ns_min(forward_watch(forward, &watch), end);
        cr_assert_eq(watch.count, 1, "there is something to wait for");
        cr_assert_eq(clock_poll(NULL, 0, &watch, until), 0);
    }
    return false;
}

static void wait_for(atomic_uint *counter, unsigned count)
{
    sonde_ns end = clock_monotonic_ns() + 20 * SONDE_NS_PER_S;
    while (atomic_load(counter) < count) {
        cr_assert_lt(clock_monotonic_ns(), end);
        cr_assert_eq(clock_poll(NULL, 0, NULL, clock_monotonic_ns() + SONDE_NS_PER_MS), 0);
    }
}

Test(forward, every_name_has_one_answer_of_its_own)
{
    enum { COUNT = 1000 };
    struct forward *forward = new_forward();
    bool seen[COUNT] = {false};
    for (uint32_t i = 0; i < COUNT; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "198.18.%u.%u", i / 256, i % 256);
        begin(forward, i, name);
    }
    for (int i = 0; i < COUNT; i++) {
        struct names_answer answer;
        cr_assert(take(forward, &answer), "%d", i);
        cr_assert_lt(answer.id, COUNT);
        cr_assert_not(seen[answer.id]);
        seen[answer.id] = true;
        cr_expect_eq(answer.error, 0);
        cr_assert_eq(answer.count, 1);
        cr_expect_eq(answer.addresses[0].bytes[2], answer.id / 256);
        cr_expect_eq(answer.addresses[0].bytes[3], answer.id % 256);
    }
    struct names_answer answer;
    struct io_watch watch = {.count = 0};
    cr_expect_eq(forward_take(forward, &answer), -EAGAIN);
    cr_expect_eq(forward_watch(forward, &watch), SONDE_NS_NEVER);
    cr_expect_eq(watch.count, 0, "there is nothing to wait for");
    forward_free(forward);
}

Test(forward, what_a_resolver_says_becomes_an_error)
{
    char overlong[NAMES_BYTES_MAX + 1];
    memset(overlong, 'a', sizeof overlong - 1);
    overlong[sizeof overlong - 1] = '\0';
    const struct {
        const char *name;
        int error;
    } cases[] = {{"nobody", -ENOENT}, {"silent", -EAGAIN}, {overlong, -ENOENT}};
    struct forward *forward = new_forward();
    for (uint32_t i = 0; i < 3; i++) {
        struct names_answer answer;
        begin(forward, i, cases[i].name);
        cr_assert(take(forward, &answer));
        cr_expect_eq(answer.id, i);
        cr_expect_eq(answer.error, cases[i].error, "%u: %d", i, answer.error);
        cr_expect_eq(answer.count, 0);
    }
    cr_expect_eq(atomic_load(&asked), 3, "nobody twice, silent once, what is no name never");
    forward_free(forward);
}

/* "-4 localhost" where only lo has an address, and localhost without -4 where the other family has
 * addresses beyond that. */
Test(forward, an_address_is_found_also_of_a_family_that_only_loopback_has)
{
    static const enum sonde_family families[] = {SONDE_FAMILY_IPV4, SONDE_FAMILY_NONE};
    struct forward *forward = new_forward();
    for (uint32_t i = 0; i < 2; i++) {
        struct names_answer answer;
        const struct names_question question = {
            .id = i, .family = families[i], .name = "127.0.0.1"};
        cr_assert_eq(forward_begin(forward, &question), 0);
        cr_assert(take(forward, &answer));
        cr_expect_eq(answer.error, 0, "family %d", families[i]);
        cr_assert_eq(answer.count, 1);
        cr_expect_eq(answer.addresses[0].family, SONDE_FAMILY_IPV4);
    }
    forward_free(forward);
}

Test(forward, a_mapped_address_is_the_ipv4_address_in_it)
{
    struct forward *forward = new_forward();
    struct names_answer answer;
    begin(forward, 7, "::ffff:192.0.2.1");
    cr_assert(take(forward, &answer));
    cr_assert_eq(answer.count, 1);
    cr_expect_eq(answer.addresses[0].family, SONDE_FAMILY_IPV4);
    forward_free(forward);
}

/* More names are stuck than are ever looked up at the same time at first. */
Test(forward, a_name_does_not_wait_for_others_that_are_stuck)
{
    enum { STUCK = 100 };
    struct forward *forward = new_forward();
    struct names_answer answer;
    (void)pthread_mutex_lock(&gate);
    for (uint32_t i = 0; i < STUCK; i++)
        begin(forward, i, "stuck");
    begin(forward, STUCK, "192.0.2.1");
    sonde_ns start = clock_monotonic_ns();
    cr_assert(take(forward, &answer));
    cr_expect_eq(answer.id, STUCK);
    cr_expect_eq(answer.error, 0);
    cr_expect_lt(clock_monotonic_ns() - start, 10 * SONDE_NS_PER_S);
    (void)pthread_mutex_unlock(&gate);
    for (int i = 0; i < STUCK; i++) {
        cr_assert(take(forward, &answer));
        cr_expect_eq(answer.error, -ENOENT);
    }
    forward_free(forward);
}

/* Freed memory is not touched: the sanitizers look. */
Test(forward, to_free_does_not_wait_and_leaves_the_threads_to_themselves)
{
    struct forward *forward = new_forward();
    (void)pthread_mutex_lock(&gate);
    for (uint32_t i = 0; i < 40; i++)
        begin(forward, i, "stuck");
    wait_for(&asked, 16);
    sonde_ns start = clock_monotonic_ns();
    forward_free(forward);
    cr_expect_lt(clock_monotonic_ns() - start, SONDE_NS_PER_S);
    (void)pthread_mutex_unlock(&gate);
    wait_for(&ended, atomic_load(&asked));
    cr_expect_null(forward_free(NULL));
}

Test(forward, where_descriptors_are_few_names_take_turns)
{
    enum { COUNT = 10 };
    struct forward *forward = new_forward();
    atomic_store(&starving, COUNT);
    for (uint32_t i = 0; i < COUNT; i++)
        begin(forward, i, "192.0.2.1");
    for (uint32_t i = 0; i < COUNT; i++) {
        struct names_answer answer;
        cr_assert(take(forward, &answer));
        cr_expect_eq(answer.error, 0, "%u: %d", answer.id, answer.error);
    }
    forward_free(forward);
}

Test(forward, where_there_is_no_descriptor_at_all_a_name_says_so)
{
    struct forward *forward = new_forward();
    struct names_answer answer;
    atomic_store(&starving, DESCRIPTORS_LACK_FOREVER);
    begin(forward, 0, "192.0.2.1");
    cr_assert(take(forward, &answer));
    cr_expect_eq(answer.error, -EMFILE);
    forward_free(forward);
}
