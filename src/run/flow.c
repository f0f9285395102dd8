/* SPDX-License-Identifier: BSD-2-Clause */
/* Flows: what the probes of a service have in common, and the source ports that they take. */
#include "run/internal.h"
#include "wire/udp.h"

#include <errno.h>

/* The secrets of a trace, as they come from the random source. */
struct secrets {
    uint64_t cookie;
    uint32_t isn;
    uint32_t ts_base;
    uint32_t flow_label;
    uint16_t id_base;
};

/* Do its answers come from another port? The user's own question is in the protocol of its port. */
static bool answers_from_elsewhere(const struct run_service *service)
{
    const struct payload_ops *protocol = service->payload;
    if (protocol == &payload_own)
        protocol = payload_by_port(service->port);
    return protocol != NULL && protocol->other_port;
}

/* Is there a probe that nothing in it tells from others? The identification of IPv4 does, if it is
 * told of; without raw sockets neither it nor a checksum is. */
static bool is_nameless(const struct sonde_run *run, const struct sonde_spec *spec)
{
    bool unprivileged = run->vantage->kind == SONDE_TRANSPORT_UNPRIVILEGED;
    size_t needed = unprivileged ? PROBE_PAYLOAD_BYTES : PROBE_COMPENSATION_BYTES;
    if (spec->flow.protocol != IP_PROTO_UDP ||
        (spec->flow.dst.family == SONDE_FAMILY_IPV4 && !unprivileged))
        return false;
    bool nameless = spec->question_count == 0 &&
                    probe_payload_len(spec, &spec->format, UDP_HEADER_BYTES) < needed;
    for (unsigned i = 0; i < spec->question_count; i++)
        nameless |= spec->questions[i]->nameless;
    return nameless;
}

/* What answers say of the probe that drew them: what all of its questions let them say, or what
 * they say in its protocol. Without raw sockets the kernel knows more: each attempt has a socket.
 */
static enum probe_naming naming_of(const struct sonde_run *run, const struct sonde_probe_ops *ops,
                                   const struct sonde_spec *spec)
{
    bool known =
        run->vantage->kind == SONDE_TRANSPORT_UNPRIVILEGED && ops->naming == PROBE_NAMING_ATTEMPT;
    bool names = spec->question_count > 0;
    for (unsigned i = 0; i < spec->question_count; i++)
        names &= !spec->questions[i]->unnamed;
    return known || names ? PROBE_NAMING_PROBE : ops->naming;
}

size_t run_questions(const struct run_target *target, const struct run_service *service,
                     const struct payload_ops *ret_questions[SONDE_QUESTIONS_MAX])
{
    return payload_questions(service->payload, target->question_host, ret_questions);
}

/* What the questions of a service have in common. */
static void fill_questions(const struct sonde_run *run, const struct run_target *target,
                           const struct run_service *service, struct sonde_spec *spec)
{
    spec->host = target->question_host;
    spec->bytes = service->question;
    spec->expects = service->expects;
    spec->question_count = (uint8_t)run_questions(target, service, spec->questions);
    for (unsigned i = 0; i < spec->question_count; i++)
        spec->repeats |= spec->questions[i]->repeats;
    spec->nameless = is_nameless(run, spec);
    spec->naming = naming_of(run, service->ops, spec);
    spec->other_port = answers_from_elsewhere(service);
}

static int fill_spec(struct sonde_run *run, const struct run_target *target,
                     const struct run_service *service, struct sonde_spec *spec)
{
    struct secrets secrets = {0};
    int r = vantage_random(run->vantage, &secrets, sizeof secrets);
    if (r < 0)
        return r;
    *spec = (struct sonde_spec){
        .flow =
            {
                .src = {0},
                .dst = target->addr,
                .protocol = service->ops->protocol,
                .dst_port = service->port,
            },
        .cookie = secrets.cookie,
        .isn = secrets.isn,
        .ts_base = secrets.ts_base,
        .flow_label = secrets.flow_label & 0xfffff,
        .id_base = secrets.id_base,
        .dscp = run->format.tos >> IP_DSCP_SHIFT,
        .format = {.size_bytes = run->format.size_bytes, .ecn = run->format.tos & IP_ECN_MASK},
        .fill = run->format.fill,
    };
    fill_questions(run, target, service, spec);
    if (run->vantage->source.family == target->addr.family)
        spec->flow.src = run->vantage->source;
    spec->flow.src_port = run->vantage->options.source_port;
    return 0;
}

/* How many UDP services a target has before one. */
static uint32_t count_udp_before(const struct run_target *target, const struct run_service *service)
{
    uint32_t count = 0;
    for (const struct run_service *other = target->services; other < service; other++)
        count += other->ops->protocol == IP_PROTO_UDP;
    return count;
}

/* The first UDP services of a target have source ports of their own, the others share those: a
 * program that plays a network (libslirp, udp.c) has one socket for each source port, and an error
 * quotes what was sent last from that, to whichever port. */
enum { OWN_PORTS = 16 };

/* Prepare one flow of a service. @param least  It is numbered behind those before it. @return 0; a
 * negative errno: it cannot be had. */
static int bind_flow(struct sonde_run *run, const struct run_target *target,
                     const struct run_service *service, uint32_t least, struct sonde_spec *spec)
{
    int r = fill_spec(run, target, service, spec);
    if (r < 0)
        return r;
    const struct sonde_transport_ops *ops = run->vantage->transport->ops;
    uint32_t nth = engine_free_flow(run->vantage->engine, &spec->flow, least);
    spec->nth = nth;
    if (!service->ops->has_ports)
        spec->flow.src_port = (uint16_t)(run->vantage->echo_id + nth);
    if (service->ops->protocol != IP_PROTO_UDP)
        return ops->bind(run->vantage->transport, &spec->flow, nth);
    if (nth > 0)
        return ops->bind(run->vantage->transport, &spec->flow, OWN_PORTS - 1 + nth);
    const struct sonde_flow asked = spec->flow;
    r = ops->bind(run->vantage->transport, &spec->flow,
                  count_udp_before(target, service) % OWN_PORTS);
    if (r != -EADDRINUSE)
        return r;
    spec->flow = asked; /* what was chosen of it before that failed is no wish */
    return ops->bind(run->vantage->transport, &spec->flow, 0);
}

int run_bind_service(struct sonde_run *run, const struct run_target *target,
                     const struct run_service *service, struct sonde_spec *specs)
{
    uint32_t least = 0;
    for (uint32_t i = 0; i < service->flows; i++) {
        int r = bind_flow(run, target, service, least, &specs[i]);
        if (r < 0)
            return r;
        if (service->flows > 1 && specs[i].flow.src_port == 0)
            return -EMLINK; /* each probe has a source port of its own: there are no flows */
        least = specs[i].nth + 1;
    }
    return 0;
}
