/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Properties over random networks: whatever the topology, the jitter, silent hops and rate limits.
 *
 * A network is made up from a number (network.c), looked at with libsonde in virtual time (run.c),
 * and what that says is held against what is true, worked out from the scenario alone (truth.c).
 *
 * 1. A finding that names hops names a bracket with the cause in it: on the service's own way, the
 *    cause is an end of the bracket or between them. A rule in the forward chain is answered for by
 *    the router itself, so it may be the near end; one before the TTL check may be the far end.
 *    What drops the target's answers on their way back looks like what drops the probes at the
 *    target, for routers answer as if nothing was: the bracket has to reach up to the target. The
 *    hops of a loop are in the loop; who is said to refuse does refuse, and who is said to answer
 *    in the target's name does.
 * 2. A service that is fine (it answers, and nothing takes its packets) is never called failed, and
 *    nothing but open: or unknown, if one probe was all.
 * 3. No finding is there without a cause, and no state that the network cannot show.
 * 4. Figures fit each other; round trips and distances are those of the network. Distances are
 *    those of the service: a host may pass a port on to a machine behind it.
 * 5. What takes the target's answers is never said to be on the way there.
 * 6. What everything shows is found: who says that nobody has the address ("dead"), and a device
 *    that answers in the target's name ("caught").
 *
 * Some networks have things of certain kinds besides (kinds.c). The third argument or
 * SONDE_PROPERTY_KINDS says which, as "many,dead", "all" or "none"; they are all on by default.
 *
 * These hold without exception but where they cannot:
 *
 * - Where chance has a part in what is answered: packets are lost, or spread one by one over
 *   several ways; a router answers fewer than the six errors at once that a Linux router
 *   does, or refuses as well, so that it answers less than it is asked for; a server or a firewall
 *   lets only so much pass; the path changes, and a hop may have been silent, or nearer, before it
 *   did. The tests of the analysis leave one case
 *   in twenty to chance, and know no times. There brackets may miss the cause: at most one of
 *   twenty does. Packets that are spread, or a path that changes, may also let an answer seem to
 *   come from short of the target.
 * - A service of which some packets are lost may be called failed if all of its n full-TTL probes
 *   are, which happens in loss^n of all cases. The sum of these is the mean of a distribution with
 *   a variance below it; four standard deviations more are not reached by chance. Where losses come
 *   in bursts they are not independent: there loss^(n/2) is taken.
 * - Where loss begins is told by comparing up to twenty hops with the target, each by intervals of
 *   95 %, so that one side of each is wrong in 2.5 % of all cases, and some hop's in up to half.
 * - Where a path is parallel and nothing shows it: at no TTL routers of two alternatives answer, or
 *   errors about one service are dropped on their way back while those about others are not, or
 *   not understood, because they quote little behind a translation. Then the far end of a bracket
 *   may be on another way, or answer others only ("hidden").
 * - Distances, times and losses of services whose answers name no probe (TCP, and UDP without our
 *   bytes) are the engine's best guess. They are counted, not checked. So are hops that are listed
 *   beyond a target whose distance is said to be unknown.
 * - No round trip here takes as long as the timeout: what does is lost by definition. A router that
 *   quotes little adds no extension, and is no IPv6 router; translation leaves the ports of IPv6
 *   alone; so the RFCs have it.
 */
#include "tests/property/check.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const double CHANCE = 0.05;      /* that the tests of the analysis leave */
static const double CHANCE_LOSS = 0.50; /* likewise, of where loss begins */

/* Shares of what fewer networks show say nothing of chance. */
enum { NETWORKS_MANY = 500 };

static void show(const struct network *network, uint64_t seed)
{
    struct text command = {0};
    network_command(network, &command);
    printf("# network %" PRIu64 "\n#! %s\n%s", seed, command.data, network->scenario.data);
    text_deinit(&command);
}

static void count_kinds(const struct network *network, bool broken, struct totals *totals)
{
    for (uint32_t kind = 0; kind < KIND_COUNT; kind++) {
        bool has = network_has(network, kind);
        totals->kinds[kind] += has;
        totals->kinds_broken[kind] += has && broken;
    }
}

static void try_network(uint64_t seed, uint32_t kinds, bool verbose, struct totals *totals)
{
    struct network network;
    struct run run;
    struct text broken = {0};
    network_make(seed, kinds, &network);
    run_make(&network, &run);
    check_run(&network, &run, totals, &broken);
    count_kinds(&network, broken.len > 0, totals);
    if (verbose || broken.len > 0)
        show(&network, seed);
    if (broken.len > 0)
        printf("#! does not hold:\n%s\n", broken.data);
    text_deinit(&broken);
    run_free(&run);
    network_free(&network);
}

static double share(uint64_t part, uint64_t whole)
{
    return whole > 0 ? 100.0 * (double)part / (double)whole : 0;
}

static void print_totals(const struct totals *totals)
{
    printf("%" PRIu64 " networks, %" PRIu64 " services, of which %" PRIu64 " are fine\n",
           totals->networks, totals->services, totals->healthy);
    for (int code = 0; code < SONDE_CODE_COUNT; code++) {
        if (totals->codes[code] > 0)
            printf("  %-20s %8" PRIu64 "  %5.2f %%\n", sonde_code_name((enum sonde_code)code),
                   totals->codes[code], share(totals->codes[code], totals->services));
    }
    printf("brackets with two ends: %" PRIu64 ", of %.2f links on average, %.1f %% of one link\n",
           totals->brackets,
           totals->brackets > 0 ? (double)totals->links / (double)totals->brackets : 0,
           share(totals->exact, totals->brackets));
    printf("where chance has a part: %" PRIu64 " of %" PRIu64 " brackets missed the cause\n",
           totals->missed, totals->chancy);
    printf("with loss: %" PRIu64 " services called failed, expected up to %.1f on average; %" PRIu64
           " of %" PRIu64 " beginnings missed\n",
           totals->failed, totals->failed_bound, totals->loss_missed, totals->loss_blames);
    printf("hidden ends: %" PRIu64 "; without token: %" PRIu64 " false losses, %" PRIu64
           " false times, %" PRIu64 " false distances; %" PRIu64 " listed too far\n",
           totals->hidden, totals->false_loss, totals->false_time, totals->false_distance,
           totals->beyond);
    for (uint32_t kind = 0; kind < KIND_COUNT; kind++) {
        if (totals->kinds[kind] > 0)
            printf("  with %-10s %6" PRIu64 " networks, %" PRIu64
                   " of them not as they should be\n",
                   kind_name(kind), totals->kinds[kind], totals->kinds_broken[kind]);
    }
    printf("properties that do not hold: %" PRIu64 "\n", totals->broken);
}

/* Does chance explain what went wrong by chance? */
static bool is_within_chance(const struct totals *totals)
{
    double failed_max = totals->failed_bound + 4 * sqrt(totals->failed_bound);
    return (double)totals->missed <= CHANCE * (double)totals->chancy &&
           (double)totals->loss_missed <= CHANCE_LOSS * (double)totals->loss_blames &&
           (double)totals->failed <= failed_max;
}

int main(int argc, char **argv)
{
    struct totals totals = {0};
    uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
    uint64_t count = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    uint32_t kinds = KINDS_ALL;
    const char *list = argc > 3 ? argv[3] : getenv("SONDE_PROPERTY_KINDS");
    if (list != NULL && !kinds_parse(list, &kinds)) {
        (void)fprintf(stderr, "no such kind of network: %s\n", list);
        return 2;
    }
    for (uint64_t i = 0; i < count; i++)
        try_network(seed + i, kinds, count == 1, &totals);
    print_totals(&totals);
    return totals.broken > 0 || (count >= NETWORKS_MANY && !is_within_chance(&totals));
}
