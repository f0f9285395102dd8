/* SPDX-License-Identifier: BSD-2-Clause */
/* Services as they are added, where a protocol is not permitted. */
#include "run/internal.h"
#include "tests/unit/run/case.h"

#include <criterion/criterion.h>

/* A network, as this process sees it where it may not have ICMP. */
static struct sonde_run *make_run(void)
{
    static const char network[] = "vantage here 198.18.0.2\n"
                                  "host h 203.0.113.10 delay=1ms tcp:443=open\n";
    struct sonde_run *run =
        case_run_of(network, (struct sonde_options){.plan.cycles = 1, .vantage.no_names = true});
    run->vantage->lacks_icmp = true;
    return run;
}

static struct sonde_snapshot *measure(struct sonde_run *run)
{
    case_finish(run);
    return case_snapshot(run);
}

Test(service, a_control_that_is_not_permitted_is_left_out)
{
    static const struct sonde_service services[] = {{.protocol = "icmp", .control = true},
                                                    {.protocol = "tcp", .port = 443}};
    struct sonde_run *run = make_run();
    cr_assert_eq(sonde_run_add(run, "h", "203.0.113.10", services, 2, NULL), 0);
    struct sonde_snapshot *snapshot = measure(run);
    cr_assert_eq(snapshot->targets[0].service_count, 1);
    cr_expect_str_eq(snapshot->targets[0].services[0].service, "443/tcp");
    sonde_snapshot_free(snapshot);
    case_free(run);
}

/* A target of no service at all has nothing to be told by, not even where it is sent from. */
Test(service, a_control_that_is_all_there_is_stays)
{
    static const struct sonde_service only = {.protocol = "icmp", .control = true};
    struct sonde_run *run = make_run();
    cr_assert_eq(sonde_run_add(run, "h", "203.0.113.10", &only, 1, NULL), 0);
    struct sonde_snapshot *snapshot = measure(run);
    char source[SONDE_ADDR_TEXT_BYTES];
    cr_assert_eq(snapshot->targets[0].service_count, 1);
    cr_expect_str_eq(snapshot->targets[0].services[0].service, "icmp");
    cr_expect_str_eq(sonde_addr_text(&snapshot->targets[0].source, source), "198.18.0.2");
    sonde_snapshot_free(snapshot);
    case_free(run);
}
