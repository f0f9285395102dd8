/* SPDX-License-Identifier: BSD-2-Clause */
/* The vantage: its life; see include/sonde/vantage.h. */
#include <sonde/vantage.h>

#include "base/text.h"
#include "base/time.h"
#include "io/clock.h"
#include "io/linux/linux.h"
#include "io/linux/unprivileged.h"
#include "io/sim/sim.h"
#include "run/internal.h"
#include "sys/entropy.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Say why, in one line of @p words, which are freed. @return code. */
static int fail_in_words(struct sonde_error *error, int code, struct text *words)
{
    if (error != NULL && text_ok(words))
        (void)snprintf(error->text, sizeof error->text, "%.*s",
                       (int)text_whole(words->data, sizeof error->text - 1), words->data);
    text_deinit(words);
    return code;
}

/* Say why, in one line. @param which  It may come from outside. @return code. */
static int fail(struct sonde_error *error, int code, const char *what, const char *which)
{
    struct text words = {0};
    text_add(&words, what);
    text_add_untrusted(&words, which, strlen(which));
    return fail_in_words(error, code, &words);
}

/* Say why, as the system does. @return code. */
static int fail_with(struct sonde_error *error, int code, const char *what)
{
    const char *reason = strerrordesc_np(-code);
    return fail(error, code, what, reason != NULL ? reason : "?");
}

/* Read the source address. Names have to have an address that it can reach. */
static int take_source(struct sonde_vantage *vantage, const char *source, struct sonde_error *error)
{
    enum sonde_family *family = &vantage->options.family;
    if (source == NULL)
        return 0;
    if (sonde_addr_parse(source, &vantage->source) < 0)
        return fail(error, -EINVAL, "not a numeric source address: ", source);
    if (*family != SONDE_FAMILY_NONE && *family != (enum sonde_family)vantage->source.family)
        return fail(error, -EINVAL,
                    "the other family is asked for than that of the source address ", source);
    *family = vantage->source.family;
    return 0;
}

/* Copy the options; what they point at goes into the arena. */
static int take_options(struct sonde_vantage *vantage, const struct sonde_vantage_options *options,
                        struct sonde_error *error)
{
    struct sonde_options all = {.vantage = *options};
    struct sonde_error reason;
    int r = options_check(&all, &reason);
    if (r < 0)
        return fail(error, r, reason.text, "");
    options_fill_in(&all);
    vantage->options = all.vantage;
    vantage->options.interface = arena_string(&vantage->arena, options->interface);
    vantage->options.source = NULL;
    r = take_source(vantage, options->source, error);
    if (options->wake_fd > 0)
        vantage->watch.fds[vantage->watch.count++] =
            (struct pollfd){.fd = options->wake_fd, .events = POLLIN};
    vantage->own_watches = vantage->watch.count;
    return r == 0 && !arena_ok(&vantage->arena) ? -ENOMEM : r;
}

static int open_simulation(struct sonde_vantage *vantage, const struct sonde_simulation *simulation,
                           struct sonde_error *error)
{
    struct sonde_span text = {(const uint8_t *)simulation->scenario, simulation->scenario_bytes};
    struct sim_scenario *scenario;
    struct sim_error reason;
    int r = scenario_parse(simulation->demo ? scenario_demo : text, &scenario, &reason);
    if (r == -EINVAL) {
        struct text words = {0};
        text_addf(&words, "line %u: %s", reason.line, reason.text);
        return fail_in_words(error, r, &words);
    }
    if (r < 0)
        return r;
    const struct sim_config config = {.virtual_time = simulation->virtual_time,
                                      .watch = &vantage->watch};
    vantage->kind = SONDE_TRANSPORT_SIMULATED;
    vantage->virtual_time = simulation->virtual_time;
    vantage->prng.state = scenario->seed;
    vantage->hostname = arena_string(&vantage->arena, scenario->hostname);
    (void)snprintf(vantage->interface, sizeof vantage->interface, "%s", scenario->interface);
    vantage->scenario_start_ns = scenario->wall_start_ns;
    r = sim_new(scenario, &config, &vantage->transport);
    return r < 0 ? r : sim_names_new(sim_scenario_of(vantage->transport), &vantage->names);
}

/* What there is to be received: the protocols that the modules speak. SCTP is asked for by few, and
 * what is not used is not opened. */
static void choose_protocols(const struct sonde_vantage_options *options,
                             struct linux_config *config)
{
    uint8_t protocols[PROBE_PROTOCOLS_MAX];
    size_t count = probe_protocols(protocols);
    static_assert((int)PROBE_PROTOCOLS_MAX <= (int)LINUX_PROTOCOLS_MAX, "there is room for all");
    for (size_t i = 0; i < count; i++) {
        if (protocols[i] != IP_PROTO_SCTP || options->sctp)
            config->protocols[config->protocol_count++] = protocols[i];
    }
}

/* Open raw sockets, or others if these are not permitted. */
static int open_transport(struct sonde_vantage *vantage, struct sonde_error *error)
{
    const struct sonde_vantage_options *options = &vantage->options;
    struct linux_config config = {
        .interface = options->interface,
        .mark = options->mark,
        .source_port = options->source_port,
        .family = options->family,
        .watch = &vantage->watch,
    };
    choose_protocols(options, &config);
    bool icmp = true;
    int r = options->unprivileged ? -EPERM : linux_new(&config, &vantage->transport);
    vantage->kind = r == 0 ? SONDE_TRANSPORT_RAW : SONDE_TRANSPORT_UNPRIVILEGED;
    if (r == -EPERM)
        r = unprivileged_new(&config, &vantage->transport, &icmp);
    vantage->lacks_icmp = !icmp;
    if (r == -ENODEV)
        return fail(error, r, "no such interface: ", options->interface);
    if (r == -EADDRINUSE || r == -EACCES)
        return fail(error, r, "the source port cannot be had", "");
    if (r == -EOPNOTSUPP)
        return fail(error, -EACCES,
                    "marking packets takes raw sockets, and before Linux 5.17 CAP_NET_ADMIN", "");
    return r < 0 ? fail_with(error, r, "cannot open sockets: ") : 0;
}

static int open_network(struct sonde_vantage *vantage, struct sonde_error *error)
{
    char hostname[256] = "";
    int r = open_transport(vantage, error);
    if (r < 0)
        return r;
    if (gethostname(hostname, sizeof hostname - 1) != 0)
        hostname[0] = '\0';
    vantage->hostname = arena_string(&vantage->arena, hostname);
    r = names_system_new(!vantage->options.no_names, &vantage->names);
    return r < 0 ? fail_with(error, r, "cannot look names up: ") : 0;
}

static int open_vantage(struct sonde_vantage *vantage, const struct sonde_vantage_options *options,
                        const struct sonde_simulation *simulation, struct sonde_error *error)
{
    static const struct sonde_simulation none;
    if (simulation == NULL)
        simulation = &none;
    int r = take_options(vantage, options, error);
    if (r < 0)
        return r;
    r = simulation->demo || simulation->scenario != NULL
            ? open_simulation(vantage, simulation, error)
            : open_network(vantage, error);
    if (r < 0)
        return r;
    const struct engine_config config = {.rate_pps = vantage->options.rate_pps};
    /* The transport's wait() would tell the time, too, but may read packets: that is for later. */
    sonde_ns begin = vantage->kind == SONDE_TRANSPORT_SIMULATED ? 0 : clock_monotonic_ns();
    r = vantage_random(vantage, &vantage->echo_id, sizeof vantage->echo_id);
    if (r == 0)
        r = engine_new(&config, begin, &vantage->engine);
    vantage->segments = calloc(IO_BATCH, sizeof *vantage->segments);
    if (vantage->segments == NULL || !arena_ok(&vantage->arena))
        return -ENOMEM;
    return r;
}

int sonde_vantage_new(const struct sonde_vantage_options *options,
                      const struct sonde_simulation *simulation, struct sonde_vantage **ret_vantage,
                      struct sonde_error *reterr_error)
{
    struct sonde_vantage *vantage = calloc(1, sizeof *vantage);
    if (reterr_error != NULL)
        (void)snprintf(reterr_error->text, sizeof reterr_error->text, "%s", "out of memory");
    if (vantage == NULL)
        return -ENOMEM;
    int r = open_vantage(vantage, options, simulation, reterr_error);
    if (r < 0) {
        sonde_vantage_free(vantage);
        return r;
    }
    *ret_vantage = vantage;
    return 0;
}

struct sonde_vantage *sonde_vantage_free(struct sonde_vantage *vantage)
{
    if (vantage == NULL)
        return NULL;
    while (vantage->runs != NULL)
        sonde_run_free(vantage->runs);
    engine_free(vantage->engine);
    if (vantage->names != NULL)
        vantage->names->ops->free(vantage->names);
    if (vantage->transport != NULL)
        vantage->transport->ops->free(vantage->transport);
    ids_deinit(&vantage->lookup_ids);
    free(vantage->lookups);
    free(vantage->segments);
    arena_deinit(&vantage->arena);
    free(vantage);
    return NULL;
}

int vantage_random(struct sonde_vantage *vantage, void *bytes, size_t len)
{
    uint8_t *at = bytes;
    if (vantage->kind != SONDE_TRANSPORT_SIMULATED)
        return entropy_fill(bytes, len);
    for (size_t i = 0; i < len; i++)
        at[i] = (uint8_t)prng_next(&vantage->prng);
    return 0;
}

int vantage_look_at_clock(struct sonde_vantage *vantage)
{
    return vantage->transport->ops->wait(vantage->transport, INT64_MIN, &vantage->now_ns);
}

void vantage_note_scope(struct sonde_vantage *vantage, uint32_t scope)
{
    if (scope == 0)
        return;
    for (uint32_t i = 0; i < vantage->zone_count; i++) {
        if (vantage->zones[i].scope == scope)
            return;
    }
    if (vantage->zone_count == ZONES_MAX)
        return;
    struct sonde_zone *zone = &vantage->zones[vantage->zone_count++];
    zone->scope = scope;
    vantage->names->ops->zone(vantage->names, scope, zone->name);
}
