/* SPDX-License-Identifier: BSD-2-Clause */
/* The session: its life; see include/sonde/session.h. */
#include <sonde/session.h>

#include "base/time.h"
#include "io/clock.h"
#include "io/linux/linux.h"
#include "io/linux/unprivileged.h"
#include "io/sim/sim.h"
#include "session/internal.h"
#include "sys/entropy.h"
#include "version.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *sonde_version(void)
{
    return SONDE_VERSION;
}

sonde_ns sonde_clock_ns(void)
{
    return clock_monotonic_ns();
}

/* Say why, in one line. @return code. */
static int fail(struct sonde_error *error, int code, const char *what, const char *which)
{
    if (error != NULL)
        (void)snprintf(error->text, sizeof error->text, "%s%.100s", what, which);
    return code;
}

/* Say why, as the system does. @return code. */
static int fail_with(struct sonde_error *error, int code, const char *what)
{
    const char *reason = strerrordesc_np(-code);
    return fail(error, code, what, reason != NULL ? reason : "?");
}

/* Read the source address. Names have to have an address that it can reach. */
static int take_source(struct sonde_session *session, const char *source, struct sonde_error *error)
{
    enum sonde_family *family = &session->options.vantage.family;
    if (source == NULL)
        return 0;
    if (sonde_addr_parse(source, &session->source) < 0)
        return fail(error, -EINVAL, "not a numeric source address: ", source);
    if (*family != SONDE_FAMILY_NONE && *family != (enum sonde_family)session->source.family)
        return fail(error, -EINVAL,
                    "the other family is asked for than that of the source address ", source);
    *family = session->source.family;
    return 0;
}

/* Copy the options; what they point at goes into the arena. */
static int take_options(struct sonde_session *session, const struct sonde_options *options,
                        struct sonde_error *error)
{
    struct sonde_options *own = &session->options;
    struct sonde_error reason;
    int r = session_check(options, &reason);
    if (r < 0)
        return fail(error, r, reason.text, "");
    *own = *options;
    own->vantage.interface = arena_string(&session->arena, options->vantage.interface);
    own->vantage.source = NULL;
    own->simulation.scenario = NULL;
    session_fill_in(own);
    r = take_source(session, options->vantage.source, error);
    return r == 0 && !arena_ok(&session->arena) ? -ENOMEM : r;
}

static int open_simulation(struct sonde_session *session, const struct sonde_simulation *simulation,
                           struct sonde_error *error)
{
    struct sonde_span text = {(const uint8_t *)simulation->scenario, simulation->scenario_bytes};
    struct sim_scenario *scenario;
    struct sim_error reason;
    int r = scenario_parse(simulation->demo ? scenario_demo : text, &scenario, &reason);
    if (r < 0) {
        if (r == -EINVAL && error != NULL)
            (void)snprintf(error->text, sizeof error->text, "line %u: %.200s", reason.line,
                           reason.text);
        return r;
    }
    const struct sim_config config = {.virtual_time = simulation->virtual_time,
                                      .watch = &session->watch};
    session->kind = SONDE_TRANSPORT_SIMULATED;
    session->prng.state = scenario->seed;
    session->hostname = arena_string(&session->arena, scenario->hostname);
    (void)snprintf(session->interface, sizeof session->interface, "%s", scenario->interface);
    session->scenario_start_ns = scenario->wall_start_ns;
    r = sim_new(scenario, &config, &session->transport);
    return r < 0 ? r : sim_names_new(sim_scenario_of(session->transport), &session->names);
}

static int open_network(struct sonde_session *session, struct sonde_error *error)
{
    const struct sonde_vantage_options *vantage = &session->options.vantage;
    struct linux_config config = {
        .interface = vantage->interface,
        .mark = vantage->mark,
        .source_port = vantage->source_port,
        .family = vantage->family,
        .watch = &session->watch,
    };
    for (size_t i = 0; probe_at(i) != NULL && i < LINUX_PROTOCOLS_MAX; i++)
        config.protocols[config.protocol_count++] = probe_at(i)->protocol;
    bool icmp = true;
    int r = vantage->unprivileged ? -EPERM : linux_new(&config, &session->transport);
    session->kind = r == 0 ? SONDE_TRANSPORT_RAW : SONDE_TRANSPORT_UNPRIVILEGED;
    if (r == -EPERM)
        r = unprivileged_new(&config, &session->transport, &icmp);
    session->lacks_icmp = !icmp;
    if (r == -ENODEV)
        return fail(error, r, "no such interface: ", vantage->interface);
    if (r == -EADDRINUSE || r == -EACCES)
        return fail(error, r, "the source port cannot be had", "");
    if (r == -EOPNOTSUPP)
        return fail(error, -EACCES,
                    "marking packets takes raw sockets, and before Linux 5.17 CAP_NET_ADMIN", "");
    if (r < 0)
        return fail_with(error, r, "cannot open sockets: ");
    char hostname[256] = "";
    if (gethostname(hostname, sizeof hostname - 1) != 0)
        hostname[0] = '\0';
    session->hostname = arena_string(&session->arena, hostname);
    r = names_system_new(!vantage->no_names, &session->names);
    return r < 0 ? fail_with(error, r, "cannot look names up: ") : 0;
}

/* When the run is to be over. A transport's wait() would tell the time, too, but may read packets:
 * that is for later. */
static sonde_ns deadline_of(const struct sonde_options *options, bool simulate)
{
    const struct sonde_plan *plan = &options->plan;
    if (plan->deadline_ns == 0)
        return SONDE_NS_NEVER;
    sonde_ns now = clock_monotonic_ns();
    bool has_begun = plan->began_ns != 0 && !options->simulation.virtual_time;
    sonde_ns left = ns_sub(plan->deadline_ns, has_begun ? ns_sub(now, plan->began_ns) : 0);
    return ns_add(simulate ? 0 : now, ns_max(left, 1)); /* a simulation begins at 0 */
}

static int open_session(struct sonde_session *session, const struct sonde_options *options,
                        struct sonde_error *error)
{
    bool simulate = options->simulation.demo || options->simulation.scenario != NULL;
    session->end_ns = SONDE_NS_NEVER;
    session->vantage = NO_TARGET;
    int r = take_options(session, options, error);
    if (r == 0 && options->vantage.wake_fd > 0)
        session->watch.fds[session->watch.count++] =
            (struct pollfd){.fd = options->vantage.wake_fd, .events = POLLIN};
    session->own_watches = session->watch.count;
    if (r == 0)
        r = simulate ? open_simulation(session, &options->simulation, error)
                     : open_network(session, error);
    session->segments = calloc(IO_BATCH, sizeof *session->segments);
    if (session->segments == NULL)
        return -ENOMEM;
    if (r == 0 && options->plan.want_events) {
        session->events = calloc(SONDE_EVENTS_KEPT, sizeof *session->events);
        r = session->events == NULL ? -ENOMEM : 0;
    }
    if (r == 0 && !arena_ok(&session->arena))
        r = -ENOMEM;
    session->until_ns = deadline_of(options, simulate);
    return r;
}

int sonde_session_new(const struct sonde_options *options, struct sonde_session **ret_session,
                      struct sonde_error *reterr_error)
{
    struct sonde_session *session = calloc(1, sizeof *session);
    if (reterr_error != NULL)
        (void)snprintf(reterr_error->text, sizeof reterr_error->text, "%s", "out of memory");
    if (session == NULL)
        return -ENOMEM;
    int r = open_session(session, options, reterr_error);
    if (r < 0) {
        sonde_session_free(session);
        return r;
    }
    *ret_session = session;
    return 0;
}

struct sonde_session *sonde_session_free(struct sonde_session *session)
{
    if (session == NULL)
        return NULL;
    engine_free(session->engine);
    tally_free(session->tally);
    if (session->names != NULL)
        session->names->ops->free(session->names);
    if (session->transport != NULL)
        session->transport->ops->free(session->transport);
    free(session->segments);
    free(session->events);
    free(session->traced);
    free(session->targets);
    arena_deinit(&session->arena);
    free(session);
    return NULL;
}

int session_random(struct sonde_session *session, void *bytes, size_t len)
{
    uint8_t *at = bytes;
    if (session->kind != SONDE_TRANSPORT_SIMULATED)
        return entropy_fill(bytes, len);
    for (size_t i = 0; i < len; i++)
        at[i] = (uint8_t)prng_next(&session->prng);
    return 0;
}

void session_problem(struct sonde_session *session, struct session_target *target,
                     enum sonde_code code, const char *text)
{
    target->problem = code;
    target->problem_text = arena_string(&session->arena, text);
}

/* A UUID of version 7: time, then random bits. RFC 9562 §5.7. */
static int make_run_id(struct sonde_session *session)
{
    uint8_t id[16];
    int r = session_random(session, id, sizeof id);
    if (r < 0)
        return r;
    uint64_t ms = (uint64_t)(session->wall_start_ns / SONDE_NS_PER_MS);
    for (int i = 0; i < 6; i++)
        id[i] = (uint8_t)(ms >> (40 - 8 * i));
    id[6] = (uint8_t)(0x70 | (id[6] & 0x0f));
    id[8] = (uint8_t)(0x80 | (id[8] & 0x3f));
    char *at = session->run_id;
    for (int i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *at++ = '-';
        at += snprintf(at, 3, "%02x", id[i]);
    }
    return 0;
}

void session_note_time(struct sonde_session *session)
{
    bool simulated = session->kind == SONDE_TRANSPORT_SIMULATED;
    session->start_ns = session->now_ns;
    session->wall_start_ns =
        simulated ? ns_add(session->scenario_start_ns, session->now_ns) : clock_wall_ns();
}

/* Bring the session's idea of the time up to date. */
static int look_at_clock(struct sonde_session *session)
{
    return session->transport->ops->wait(session->transport, INT64_MIN, &session->now_ns);
}

int sonde_session_start(struct sonde_session *session)
{
    if (session->started)
        return -EBUSY;
    session->started = true;
    int r = look_at_clock(session);
    session_note_time(session);
    if (r == 0)
        r = make_run_id(session);
    if (r == 0)
        r = session_make_engine(session);
    if (r < 0)
        return r;
    engine_start(session->run, session->now_ns);
    r = session_begin_names(session);
    if (r == 0)
        r = look_at_clock(session);
    if (r < 0)
        return r;
    session_begin(session);
    if (session->interrupted)
        sonde_session_stop(session);
    return 0;
}
