/* SPDX-License-Identifier: BSD-2-Clause */
/* A program that embeds libsonde: is 443/tcp of a simulated host open, and how far is it? */
#include <sonde/sonde.h>
#include <stdio.h>

static int measure(struct sonde_vantage *vantage, struct sonde_run *run,
                   struct sonde_snapshot **ret_snapshot)
{
    const struct sonde_service services[] = {
        {.protocol = "icmp", .control = true},
        {.protocol = "tcp", .port = 443, .name = "https"},
    };
    int r = sonde_run_add(run, "web", "web.example", services, 2, NULL);
    if (r == 0)
        r = sonde_run_start(run);
    while (r == 0) {
        r = sonde_vantage_step(vantage);
        if (r == 0 && sonde_run_is_over(run))
            return sonde_run_snapshot(run, ret_snapshot);
        if (r == 0)
            r = sonde_vantage_wait(vantage, SONDE_NS_NEVER);
    }
    return r;
}

int main(void)
{
    const struct sonde_simulation simulation = {.demo = true, .virtual_time = true};
    const struct sonde_plan plan = {.cycles = 2, .interval_ns = SONDE_NS_PER_S / 2};
    struct sonde_vantage *vantage = NULL;
    struct sonde_run *run;
    struct sonde_snapshot *snapshot = NULL;
    struct sonde_error error;
    int r = sonde_vantage_new(&(struct sonde_vantage_options){0}, &simulation, &vantage, &error);
    if (r == 0)
        r = sonde_run_new(vantage, &plan, NULL, NULL, &run, &error);
    if (r < 0)
        (void)fprintf(stderr, "%s\n", error.text);
    else
        r = measure(vantage, run, &snapshot);
    if (r == 0) {
        const struct sonde_service_result *service = &snapshot->targets[0].services[1];
        printf("%s is %s, %u hops away\n", service->service, sonde_state_name(service->state),
               service->path->dest_ttl);
    }
    sonde_snapshot_free(snapshot);
    sonde_vantage_free(vantage);
    return r < 0;
}
