/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of this floor share. */
#ifndef RUN_INTERNAL_H
#define RUN_INTERNAL_H

#include "analyze/analyze.h"
#include "base/arena.h"
#include "base/ids.h"
#include "base/prng.h"
#include "engine/engine.h"
#include "engine/members.h"
#include "engine/tally.h"
#include "io/names.h"
#include "io/transport.h"
#include "payload/payload.h"

#include <assert.h>
#include <net/if.h>
#include <sonde/run.h>

enum {
    UUID_TEXT_BYTES = 37,
    INTERFACE_BYTES = 64, /* name of an interface, with NUL */
    ZONES_MAX = 16,       /* whose names are known; of more the number is shown */
};

/** The target of a place where nothing is measured. */
#define NOT_TRACED UINT32_MAX

/** The index of no target. */
#define NO_TARGET UINT32_MAX

/** A service as it was added. */
struct run_service {
    const struct sonde_probe_ops *ops;
    uint16_t port;
    const char *name; /* "https"; NULL = none */
    const char *text; /* "443/tcp" */
    bool control;
    bool standby;                      /* a control that is begun only if it is needed */
    bool removed;                      /* by sonde_run_remove_service(): nobody asks for it */
    uint32_t flows;                    /* 1 to SONDE_FLOWS_MAX */
    uint32_t expect;                   /* as in struct sonde_service */
    const struct payload_ops *payload; /* what a UDP port is asked first; NULL = bytes without
                                          meaning */
    struct sonde_span question;        /* if that is payload_own */
    struct sonde_span expects;
};

enum {
    STANDBYS_MAX = 2,
    TARGET_SERVICES_MAX = SONDE_SERVICES_MAX + 1 + STANDBYS_MAX,
    TARGET_FLOWS_MAX = SONDE_TARGET_FLOWS_MAX + STANDBYS_MAX,
};
static_assert((int)TARGET_SERVICES_MAX <= (int)TARGET_FLOWS_MAX, "a flow for each service");
static_assert((int)TARGET_FLOWS_MAX == (int)ENGINE_TRACES_PER_TARGET, "a trace for each flow");

/* Of one name: what one look-up in each family may bring. */
enum { KNOWN_MAX = 2 * NAMES_ADDRESSES_MAX };
static_assert((int)KNOWN_MAX <= 64, "struct run_target has a bit for each");

/** A target as it was added, and later what it became. */
struct run_target {
    struct arena arena; /* of the eldest: what all addresses of the name point at */
    const char *input;
    const char *host;             /* NULL: nobody has this number */
    struct run_service *services; /* shared by the addresses of one name */
    uint32_t service_count;
    bool pending;              /* its name is being looked up */
    const char *question_host; /* host, where questions may carry it; NULL: they may not */
    struct sonde_addr addr;    /* family SONDE_FAMILY_NONE: has none */
    struct sonde_addr source;
    struct engine_place *places; /* [service_count], where in engine and tally each is measured, its
                                    first flow first; NULL = none is. One that stands by may have no
                                    place, and so may one that cannot be probed here */
    int *errors; /* [service_count], why one that was asked for has none, a negative errno; 0: it
                    has; NULL as places is */
    struct members paused; /* its services that are, by sonde_run_pause() */
    bool removed; /* by sonde_run_remove(): it is in no snapshot. It is kept while others share what
                     is measured for it, and is known of that by its services */
    uint32_t sibling; /* target of the next address of the same name; NO_TARGET: none */
    uint32_t eldest;  /* target of its first address: itself, or whose sibling it is */
    const struct sonde_addr *known; /* of the eldest: all addresses that the name has */
    uint32_t known_count;           /* at most KNOWN_MAX */
    uint64_t asked;                 /* bit i: known[i] is a target's */
    enum sonde_code problem;        /* why it is not traced */
    const char *problem_text;       /* in the arena, or static */
};

/** @return Is a service of a target measured somewhere? */
static inline bool run_is_placed(const struct run_target *target, uint32_t index)
{
    return target->places != NULL && target->places[index].target != NOT_TRACED;
}

/** Who packets to a target are given to by this machine, as its kernel knows it. */
struct run_next_hop {
    struct sonde_addr addr; /* the gateway, or the target itself; no address: nothing is known */
    char interface[IF_NAMESIZE]; /* that they leave by */
    bool silent;           /* it has not said its link address though the kernel has asked for it */
    const char *user_mode; /* it is a program that stands for a network, of this name; static; NULL:
                              it is not */
};

/** What a snapshot says that is known neither from the tally nor from the targets. */
struct run_facts {
    sonde_ns end_ns; /* until when it was measured, so far */
    bool complete;   /* every target is done, and none was cut short */
    int failure;     /* negative errno of what broke; 0: nothing did */
    uint64_t discards[SONDE_DISCARD_COUNT];
    uint64_t receive_queue; /* arrivals that were lost here */
};

/** A name that is being looked up: the number of its question. */
struct run_lookup {
    struct sonde_run *run; /* NULL: nobody waits for the answer any more */
    uint32_t target;
};

struct sonde_vantage {
    struct sonde_vantage_options options; /* defaults filled in; strings in the arena */
    struct sonde_addr source;             /* options.source, read */
    struct arena arena;                   /* strings */
    struct sonde_transport *transport;
    enum sonde_transport_kind kind;
    bool lacks_icmp;   /* ICMP could not be had */
    bool virtual_time; /* a simulated network as fast as the machine can */
    struct names *names;
    uint32_t names_pending; /* names of addresses that are being looked up */
    struct ids lookup_ids;
    struct run_lookup *lookups; /* [lookup_ids.cap] */
    struct io_watch watch;
    nfds_t own_watches; /* at its start: wake_fd */
    struct prng prng;   /* of a simulated network, so that it is the same each time */
    uint16_t echo_id;   /* ICMP identifier of every host's first trace */
    struct engine *engine;
    sonde_ns now_ns;                 /* as of the last step, or wait */
    bool is_awake;                   /* it has waited, and not stepped since */
    sonde_ns stepped_ns;             /* when it stepped last */
    sonde_ns due_ns;                 /* and when the next step was due then; never: it was not */
    sonde_ns slept_ns;               /* how long the machine had slept then */
    uint64_t lost;                   /* arrivals that were lost here, as of the last step */
    sonde_ns lost_ns;                /* when the last of them was noticed */
    sonde_ns scenario_start_ns;      /* the time of day at 0 of a simulated network */
    int failure;                     /* negative errno of what broke: the transport */
    char interface[INTERFACE_BYTES]; /* that a simulated network names */
    struct sonde_zone zones[ZONES_MAX];
    uint32_t zone_count;
    const char *hostname;
    uint8_t (*segments)[PROBE_SIZE_MAX]; /* [IO_BATCH], of the probes being sent */
    struct sonde_run *runs;              /* the newest first */
    uint32_t target_count;               /* of all runs, those that were removed not counted */
};

/** The histories of what is measured of a target, by service. */
struct run_histories {
    struct history *items;  /* [count]; NULL: nothing has changed; owned */
    struct episode *before; /* [count], what each came to before the last change of any, if that was
                               not taken since; owned */
    bool has_before;
    sonde_ns before_ns;
    uint32_t count;
};

struct recorder;

struct sonde_run {
    struct sonde_vantage *vantage;
    struct sonde_run *next; /* of the vantage's runs */
    struct sonde_plan plan; /* defaults filled in, as in the others */
    struct sonde_packet_format format;
    struct sonde_judgement judgement;
    struct run_target *targets; /* [target_count], by their numbers */
    uint32_t target_count;
    struct ids target_ids;
    uint32_t pending_count;          /* targets whose names are being looked up */
    uint32_t *traced;                /* [tally->target_count], which target each is measured for */
    struct run_histories *histories; /* likewise, of each */
    struct members *wanted; /* likewise, of each: traces that somebody wants who is not paused; as
                               of the last pause */
    uint32_t seen_from; /* the target that tells where the run looks from; NO_TARGET: none does */
    struct engine_run *engine_run;
    struct tally *tally;
    sonde_ns until_ns;      /* of plan.deadline_ns; never: there is none */
    sonde_ns start_ns;      /* when the first probe could leave */
    sonde_ns end_ns;        /* of the measuring; never while it goes on */
    sonde_ns wall_start_ns; /* the time of day then */
    sonde_ns grace_ns;      /* when names of hops that are still missing are given up */
    bool interrupted;       /* by sonde_run_stop() */
    bool started;           /* by sonde_run_start() */
    bool running;           /* targets begin as soon as they have traces */
    bool begun;             /* a target has */
    bool is_over;
    uint32_t cycles_begun;
    char run_id[UUID_TEXT_BYTES];
    struct engine_discards discards_before; /* of the vantage, when the run started */
    uint64_t lost_before;                   /* likewise: arrivals that were lost here */
    struct sonde_event *events;             /* [SONDE_EVENTS_KEPT], a ring; NULL if not wanted */
    uint32_t event_first;
    uint32_t event_count;
    struct recorder *recorder;       /* NULL: no records are wanted */
    struct sonde_replay *replay;     /* that it is made of; NULL: it is measured */
    struct run_next_hop *next_hops;  /* [target_count], as records say; NULL: they do not yet */
    bool has_interface;              /* records say which one it is, or that it is not known */
    char interface[INTERFACE_BYTES]; /* likewise */
};

/** @return How many questions a service of a target is asked, which is prepared; they are in
 *  @p ret_questions. */
size_t run_questions(const struct run_target *target, const struct run_service *service,
                     const struct payload_ops *ret_questions[SONDE_QUESTIONS_MAX]);

/** Fill bytes that an outsider must not guess, or that a simulation must repeat. */
SONDE_MUST_CHECK int vantage_random(struct sonde_vantage *vantage, void *bytes, size_t len);

/** Bring a vantage's idea of the time up to date. @return 0; a negative errno. */
SONDE_MUST_CHECK int vantage_look_at_clock(struct sonde_vantage *vantage);

/**
 * @param timeout_ns  Of the probes.
 * @return true if answers to probes that left in a stretch of time may have been lost here, for
 * want of room in a receive queue, when that happened last. That is noticed when the queue is read:
 *         what leaves later is not touched, nor is what was given up a second before.
 */
bool vantage_has_lost(const struct sonde_vantage *vantage, sonde_ns from_ns, sonde_ns to_ns,
                      sonde_ns timeout_ns);

/** Find out the name of a scope, so that it can be shown; 0 has none. */
void vantage_note_scope(struct sonde_vantage *vantage, uint32_t scope);

/** @return The memory that a target's addresses share. Valid until the next target is added. */
static inline struct arena *run_arena(struct sonde_run *run, const struct run_target *target)
{
    return &run->targets[target->eldest].arena;
}

/** Say that a target cannot be traced. @param text  Static, or in the target's arena. */
void run_problem(struct sonde_run *run, struct run_target *target, enum sonde_code code,
                 const char *text);

/* service.c */

/** @return How many flows a service that is to be added will have. */
uint32_t run_count_flows(const struct sonde_run *run, const struct sonde_service *service);

/** Check a service, and copy it into an arena. @return 0; a negative errno, as of sonde_run_add().
 */
SONDE_MUST_CHECK int run_take_service(const struct sonde_run *run, struct arena *arena,
                                      const struct sonde_service *service,
                                      struct run_service *ret_service);

/* options.c */

/** Give every number that is 0 its default; but the rate, of which 0 says more. */
void options_fill_in(struct sonde_options *options);

/** Look whether options are valid. @param reterr  On failure, why. @return 0; -EINVAL. */
SONDE_MUST_CHECK int options_check(const struct sonde_options *options, struct sonde_error *reterr);

/* service.c */

/** @return Is there no place for another target on a vantage? */
static inline bool vantage_is_full(const struct sonde_vantage *vantage)
{
    return vantage->target_count >= vantage->options.targets_max;
}

/**
 * Put a target among the others; there has to be place on the vantage.
 * @param target  Copied, with its arena. Its eldest is a target, or NO_TARGET: itself.
 * @param ret_index  On 0, its number.
 * @return 0; -ENOMEM.
 */
SONDE_MUST_CHECK int run_append(struct sonde_run *run, const struct run_target *target,
                                uint32_t *ret_index);

/* address.c */

/** Give a target its traces, if it is a numeric address, or begin to look its name up. @return 0; a
 *  negative errno. */
SONDE_MUST_CHECK int run_begin_target(struct sonde_run *run, uint32_t index);

/** Give the targets of all runs whose names have been looked up their traces; further addresses of
 *  a name become further targets. For whom memory runs out, says so. */
void vantage_take_names(struct sonde_vantage *vantage);

/** No name of a run is waited for any more. @param why  What to say of targets whose names are
 *  missing. */
void run_give_up_names(struct sonde_run *run, const char *why);

/** Nobody waits for any name of a run any more, since it goes. */
void run_forget_names(struct sonde_run *run);

/** Nobody waits for the name of a target any more. */
void run_forget_name(struct sonde_run *run, uint32_t index);

/* flow.c */

/** Prepare all flows of a service. @param specs  Receives them: as many as the service has flows.
 *  @return 0; a negative errno: one of them cannot be had. */
SONDE_MUST_CHECK int run_bind_service(struct sonde_run *run, const struct run_target *target,
                                      const struct run_service *service, struct sonde_spec *specs);

/* trace.c */

/** Make the tally, and the run of the engine. @return 0; a negative errno. */
SONDE_MUST_CHECK int run_make_engine(struct sonde_run *run);

/** Prepare the traces of a target that has an address, and begin them if the run has begun.
 *  @return 0, also if it cannot be traced and says why; a negative errno. */
SONDE_MUST_CHECK int run_trace(struct sonde_run *run, uint32_t index);

/** Make room for the places of a target's services. @return false if memory ran out. */
SONDE_MUST_CHECK bool run_prepare(struct sonde_run *run, struct run_target *target);

/** Note for which target something is measured that gets a number in the tally next. @return 0;
 *  -ENOMEM. */
SONDE_MUST_CHECK int run_note_traced(struct sonde_run *run, uint32_t nth, uint32_t index);

/** Note that a target is traced. The run looks from where its first target is reached from,
 *  whichever was ready first: the one with the least number, which is the one that was added first
 *  unless numbers were given again. */
void run_note_vantage(struct sonde_run *run, uint32_t index);

/** Measure a service that a target got after it was traced; if it is not traced, that is done with
 *  it. @return 0, also if the service cannot be probed, as its error says; a negative errno. */
SONDE_MUST_CHECK int run_trace_service(struct sonde_run *run, uint32_t index, uint32_t service);

/** Begin the targets that have traces; those that get theirs later begin then. */
void run_begin(struct sonde_run *run);

/** @return What a negative errno, for which a flow cannot be had, comes to. */
enum sonde_code run_problem_code(int error);

/** @return The same in words. */
const char *run_problem_text(int error);

/* add_service.c */

/** Give an address places for one more service. @return 0; -ENOMEM. */
SONDE_MUST_CHECK int run_grow_places(struct sonde_run *run, struct run_target *target);

/* loop.c */

/** Find the target that an event is told of: the one that it was measured for, or if that was
 *  removed, another that shares it. @param ret_event  Its target, service and flow are filled in.
 *  @return false if there is none. */
bool run_find_reporter(const struct sonde_run *run, const struct engine_place *place,
                       struct sonde_event *ret_event);

/* remove.c */

/** A target is removed, or one service of it, or all: TARGET_SERVICES_MAX. Its events that were not
 *  taken are forgotten, but those that others report, too: they are told of one of these, or in
 *  records before the removal is. */
void run_forget_events(struct sonde_run *run, uint32_t index, uint32_t service);

/** Remove from the engine what is measured in one of its targets and reported by nobody any more;
 *  but what stands by. */
void run_remove_unreported(struct sonde_run *run, uint32_t measured);

/** Take a target and the further addresses of its name out of a run, and out of the engine what no
 *  others share. */
void run_remove_target(struct sonde_run *run, uint32_t index);

/* pause.c */

/** @return true if a target is paused with all its services; what stands by sends nothing then. */
bool run_is_paused(const struct run_target *target);

/** Pause what is measured for a target that has just got its places, or let it go on, as it wants.
 */
void run_pause_new(struct sonde_run *run, uint32_t index);

/** Pause what is measured for targets that have all paused it: somebody has, or one who had not was
 *  removed. */
void run_pause_unwanted(struct sonde_run *run);

/** A service of a target, or with SONDE_ALL each, is about to go: what only that had paused goes
 * on. Then run_pause_unwanted() pauses again what all others have paused who share it. */
void run_let_go(struct sonde_run *run, struct run_target *target, uint32_t service);

/* share.c */

/** Let a target share what is measured of another one at its address, if that has all its services.
 *  @return true if it does; then its places are filled in. */
bool run_share_all(struct sonde_run *run, struct run_target *target);

/** Let one service of a target, for which there is no flow left, share what is measured of it.
 *  @return true if it does; then its place is filled in. */
bool run_share_one(struct sonde_run *run, struct run_target *target, uint32_t index);

/** @return The service of which a flow is measured in a place, as its first target has it; and in
 *  @p ret_flow which of its flows that is. */
const struct run_service *run_service_at(const struct sonde_run *run,
                                         const struct engine_place *place, uint32_t *ret_flow);

/** @return true if a target reports what is measured in a place; and then of which service, and
 *  which of its flows. */
bool run_find_service(const struct run_target *target, const struct engine_place *place,
                      uint32_t *ret_service, uint32_t *ret_flow);

/* next_hop.c */

/** Ask the kernel who packets to a target are given to. @return What is known; without an address
 *  if nothing is. */
struct run_next_hop run_ask_next_hop(const struct sonde_run *run, const struct run_target *target);

/* facts.c: what a snapshot needs of engine, transport and kernel, and has from nowhere else */

/** @return The settings of a run. */
struct sonde_settings run_settings(const struct sonde_run *run);

/** @return The facts of a run as they are now. */
struct run_facts run_facts(const struct sonde_run *run);

/** Find the interface that a run looks through; "" = it is not known. The kernel may be asked for
 * all that it has, and some machines have hundreds: so this is for reports, and nothing that is
 * done often. */
void run_find_interface(const struct sonde_run *run, char name[INTERFACE_BYTES]);

/** @return Who packets to a target are given to. */
struct run_next_hop run_next_hop(const struct sonde_run *run, const struct run_target *target);

/** @return The source port of what is measured in a place; 0: it has none, or each probe another.
 */
uint16_t run_source_port(const struct sonde_run *run, const struct engine_place *place);

/** @return The version of the sonde that measures, or measured. */
const char *run_version(const struct sonde_run *run);

/* snapshot.c */

/** Copy all that is known of one target, as into a snapshot. @param arena  Receives what the result
 *  points at. @return 0; -ENOMEM. */
SONDE_MUST_CHECK int run_copy_target(struct sonde_run *run, uint32_t index, struct arena *arena,
                                     struct sonde_target_result *ret_target);

/* run.c */

/** Note that it is now when the run starts. */
void run_note_time(struct sonde_run *run);

#endif
