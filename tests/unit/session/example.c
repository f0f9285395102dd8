/* SPDX-License-Identifier: BSD-2-Clause */
/* A program that embeds libsonde: is 443/tcp of a simulated host open, and how far is it? */
#include <sonde/sonde.h>
#include <stdio.h>

static int measure(struct sonde_session *session, struct sonde_snapshot **ret_snapshot)
{
    const struct sonde_service services[] = {
        {.protocol = "icmp", .control = true},
        {.protocol = "tcp", .port = 443, .name = "https"},
    };
    int r = sonde_session_add(session, "web", "web.example", services, 2);
    if (r == 0)
        r = sonde_session_start(session);
    while (r == 0)
        r = sonde_session_step(session, SONDE_NS_NEVER);
    return r < 0 ? r : sonde_session_snapshot(session, ret_snapshot);
}

int main(void)
{
    const struct sonde_options options = {
        .simulation = {.demo = true, .virtual_time = true},
        .plan = {.cycles = 2, .interval_ns = SONDE_NS_PER_S / 2},
    };
    struct sonde_session *session;
    struct sonde_snapshot *snapshot = NULL;
    struct sonde_error error;
    if (sonde_session_new(&options, &session, &error) < 0) {
        (void)fprintf(stderr, "%s\n", error.text);
        return 1;
    }
    int r = measure(session, &snapshot);
    if (r == 0) {
        const struct sonde_service_result *service = &snapshot->targets[0].services[1];
        printf("%s is %s, %u hops away\n", service->service, sonde_state_name(service->state),
               service->path->dest_ttl);
    }
    sonde_snapshot_free(snapshot);
    sonde_session_free(session);
    return r < 0;
}
