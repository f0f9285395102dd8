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

static void set_default(sonde_ns *value, sonde_ns standard)
{
    if (*value == 0)
        *value = standard;
}

static void set_default8(uint8_t *value, uint8_t standard)
{
    if (*value == 0)
        *value = standard;
}

static void fill_in(struct sonde_options *options)
{
    if (options->cycles == 0)
        options->cycles = 3;
    set_default(&options->interval_ns, SONDE_NS_PER_S);
    set_default(&options->timeout_ns, 2 * SONDE_NS_PER_S);
    set_default8(&options->first_ttl, 1);
    set_default8(&options->max_ttl, 30);
    set_default8(&options->gap_limit, 12);
    if (options->size_bytes == 0)
        options->size_bytes = PROBE_SIZE_USUAL;
}

static int check(const struct sonde_options *options, struct sonde_error *error)
{
    if (options->interval_ns < 0 || options->timeout_ns < 0 || options->deadline_ns < 0)
        return fail(error, -EINVAL, "a negative duration", "");
    if (options->first_ttl > options->max_ttl)
        return fail(error, -EINVAL, "the first TTL is above the largest", "");
    static_assert(PROBE_SIZE_MIN == 28 && PROBE_SIZE_MAX == 9000, "the message names them");
    if (options->size_bytes < PROBE_SIZE_MIN || options->size_bytes > PROBE_SIZE_MAX)
        return fail(error, -EINVAL, "the packet size is not within 28 to 9000", "");
    return 0;
}

/* Copy the options; what they point at goes into the arena. */
static int take_options(struct sonde_session *session, const struct sonde_options *options,
                        struct sonde_error *error)
{
    struct sonde_options *own = &session->options;
    *own = *options;
    own->interface = arena_string(&session->arena, options->interface);
    own->source = NULL;
    own->scenario = NULL;
    fill_in(own);
    if (options->source != NULL && sonde_addr_parse(options->source, &session->source) < 0)
        return fail(error, -EINVAL, "not a numeric source address: ", options->source);
    if (own->family == SONDE_FAMILY_NONE)
        own->family = session->source.family; /* names have to have an address that it can reach */
    else if (options->source != NULL && own->family != (enum sonde_family)session->source.family)
        return fail(error, -EINVAL,
                    "the other family is asked for than that of the source address ",
                    options->source);
    return arena_ok(&session->arena) ? check(own, error) : -ENOMEM;
}

static int open_simulation(struct sonde_session *session, const struct sonde_options *options,
                           struct sonde_error *error)
{
    struct sonde_span text = {(const uint8_t *)options->scenario, options->scenario_bytes};
    struct sim_scenario *scenario;
    struct sim_error reason;
    int r = scenario_parse(options->simulate_demo ? scenario_demo : text, &scenario, &reason);
    if (r < 0) {
        if (r == -EINVAL && error != NULL)
            (void)snprintf(error->text, sizeof error->text, "line %u: %.200s", reason.line,
                           reason.text);
        return r;
    }
    const struct sim_config config = {.virtual_time = options->virtual_time,
                                      .watch = &session->watch};
    session->kind = SONDE_TRANSPORT_SIMULATED;
    session->prng.state = scenario->seed;
    session->hostname = arena_string(&session->arena, scenario->hostname);
    (void)snprintf(session->interface, sizeof session->interface, "%s", scenario->interface);
    session->scenario_start_ns = scenario->wall_start_ns;
    r = sim_new(scenario, &config, &session->transport);
    return r < 0 ? r : sim_names_new(sim_scenario_of(session->transport), &session->names);
}

/* What there is to be received: the protocols that the modules speak. SCTP is asked for by few, and
 * what is not used is not opened. */
static void choose_protocols(const struct sonde_options *options, struct linux_config *config)
{
    uint8_t protocols[PROBE_PROTOCOLS_MAX];
    size_t count = probe_protocols(protocols);
    static_assert((int)PROBE_PROTOCOLS_MAX <= (int)LINUX_PROTOCOLS_MAX, "there is room for all");
    for (size_t i = 0; i < count; i++) {
        if (protocols[i] != IP_PROTO_SCTP || options->sctp)
            config->protocols[config->protocol_count++] = protocols[i];
    }
}

static int open_network(struct sonde_session *session, struct sonde_error *error)
{
    const struct sonde_options *options = &session->options;
    struct linux_config config = {
        .interface = options->interface,
        .mark = options->mark,
        .source_port = options->source_port,
        .family = options->family,
        .watch = &session->watch,
    };
    choose_protocols(options, &config);
    bool icmp = true;
    int r = options->unprivileged ? -EPERM : linux_new(&config, &session->transport);
    session->kind = r == 0 ? SONDE_TRANSPORT_RAW : SONDE_TRANSPORT_UNPRIVILEGED;
    if (r == -EPERM)
        r = unprivileged_new(&config, &session->transport, &icmp);
    session->lacks_icmp = !icmp;
    if (r == -ENODEV)
        return fail(error, r, "no such interface: ", options->interface);
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
    r = names_system_new(!options->no_names, &session->names);
    return r < 0 ? fail_with(error, r, "cannot look names up: ") : 0;
}

static int open_session(struct sonde_session *session, const struct sonde_options *options,
                        struct sonde_error *error)
{
    bool simulate = options->simulate_demo || options->scenario != NULL;
    session->end_ns = session->until_ns = SONDE_NS_NEVER;
    session->vantage = NO_TARGET;
    int r = take_options(session, options, error);
    if (r == 0 && options->wake_fd > 0)
        session->watch.fds[session->watch.count++] =
            (struct pollfd){.fd = options->wake_fd, .events = POLLIN};
    session->own_watches = session->watch.count;
    if (r == 0)
        r = simulate ? open_simulation(session, options, error) : open_network(session, error);
    session->segments = calloc(IO_BATCH, sizeof *session->segments);
    if (session->segments == NULL)
        return -ENOMEM;
    if (r == 0 && options->want_events) {
        session->events = calloc(SONDE_EVENTS_KEPT, sizeof *session->events);
        r = session->events == NULL ? -ENOMEM : 0;
    }
    if (r == 0 && !arena_ok(&session->arena))
        r = -ENOMEM;
    /* a transport's wait() would tell the time, too, but may read packets: that is for later */
    if (options->deadline_ns > 0)
        session->until_ns = ns_add(simulate ? 0 : clock_monotonic_ns(), options->deadline_ns);
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
    engine_start(session->engine, session->now_ns);
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
