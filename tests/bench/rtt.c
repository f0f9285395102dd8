/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The round trips of one run, a line for each full-TTL probe that was answered: service, cycle,
 * nanoseconds, and the clocks that stamped it. bench-rtt TARGET CYCLES INTERVAL_MS [unprivileged]
 */
#include <sonde/sonde.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    const struct sonde_service services[] = {
        {.protocol = "icmp", .control = true},
        {.protocol = "tcp", .port = 443},
        {.protocol = "udp", .port = 53},
    };
    if (argc != 4 && argc != 5)
        return 2;
    const struct sonde_vantage_options options = {.unprivileged = argc == 5, .no_names = true};
    const struct sonde_plan plan = {
        .cycles = (uint32_t)strtoul(argv[2], NULL, 10),
        .interval_ns = (sonde_ns)strtoul(argv[3], NULL, 10) * SONDE_NS_PER_MS,
        .want_events = true,
    };
    struct sonde_vantage *vantage = NULL;
    struct sonde_run *run;
    struct sonde_error error;
    if (sonde_vantage_new(&options, NULL, &vantage, &error) < 0 ||
        sonde_run_new(vantage, &plan, NULL, NULL, &run, &error) < 0) {
        (void)fprintf(stderr, "%s\n", error.text);
        sonde_vantage_free(vantage);
        return 3;
    }
    int r = sonde_run_add(run, argv[1], argv[1], services, 3, NULL);
    if (r == 0)
        r = sonde_run_start(run);
    while (r == 0 && !sonde_run_is_over(run)) {
        struct sonde_event event;
        r = sonde_vantage_step(vantage);
        while (sonde_run_pop_event(run, &event) == 0) {
            if (event.type == SONDE_EVENT_PROBE && event.to_target && event.rtt_ns >= 0)
                printf("%s %u %lld %s %s\n", services[event.service].protocol, event.cycle,
                       (long long)event.rtt_ns, sonde_clock_name(event.sent_clock),
                       sonde_clock_name(event.received_clock));
        }
        if (r == 0 && !sonde_run_is_over(run))
            r = sonde_vantage_wait(vantage, SONDE_NS_NEVER);
    }
    sonde_vantage_free(vantage);
    return r < 0 ? 3 : 0;
}
