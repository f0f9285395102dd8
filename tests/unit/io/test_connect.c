/* SPDX-License-Identifier: BSD-2-Clause */
/* SYNs by connect(), over loopback. */
#include "base/time.h"
#include "io/clock.h"
#include "io/linux/unprivileged_internal.h"

#include <criterion/criterion.h>
#include <string.h>
#include <sys/socket.h>

/* A connection that its listener has accepted, 2 s ago as it says. @return the listener. */
static int open_answered(struct unprivileged *unprivileged)
{
    struct connection *connection = &unprivileged->connections[0];
    struct sockaddr_storage storage = {.ss_family = AF_INET};
    socklen_t len = sizeof storage;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert_eq(listen(listener, 1), 0); /* at a port that the kernel chooses; listen(2), ip(7) */
    cr_assert_eq(getsockname(listener, (struct sockaddr *)&storage, &len), 0);
    connection->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert_eq(connect(connection->fd, (struct sockaddr *)&storage, len), 0);
    connection->sent_ns = ns_sub(clock_monotonic_ns(), 2000 * SONDE_NS_PER_MS);
    unprivileged->connection_cap = unprivileged->connection_open = 1;
    unprivileged->expiry_ns = connection->sent_ns;
    return listener;
}

/* A process that was held up finds more answers than it has room for. */
Test(connect, what_was_answered_in_time_is_not_closed_before_it_is_read)
{
    static struct unprivileged unprivileged;
    cr_assert_eq(arrivals_init(&unprivileged.arrivals), 0);
    int listener = open_answered(&unprivileged);
    for (struct arrival *spare; (spare = arrivals_spare(&unprivileged.arrivals)) != NULL;) {
        spare->rx.stamp.time_ns = 0;
        arrivals_add(&unprivileged.arrivals);
    }
    connection_expire(&unprivileged, clock_monotonic_ns());
    cr_assert_geq(unprivileged.connections[0].fd, 0, "closed, and nobody has looked");
    for (int i = 0; i < ARRIVALS_MAX; i++)
        cr_assert_not_null(arrivals_take(&unprivileged.arrivals));
    cr_assert_null(arrivals_take(&unprivileged.arrivals));
    connection_expire(&unprivileged, clock_monotonic_ns());
    cr_expect_not_null(arrivals_take(&unprivileged.arrivals));
    cr_expect_eq(unprivileged.connection_open, 0);
    socket_close(listener);
    arrivals_deinit(&unprivileged.arrivals);
}
