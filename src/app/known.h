/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What names stand for: services, presets, and the protocols that UDP ports are asked in. They are
 * written small here; whoever looks one up has made it so (text_fold()).
 */
#ifndef APP_KNOWN_H
#define APP_KNOWN_H

#include "app/nearest.h"
#include "base/text.h"

enum {
    KNOWN_TCP = 1,
    KNOWN_UDP = 2,
    KNOWN_SCTP = 4,
};

/** A service that has a name. */
struct known_service {
    const char *name;
    uint16_t port;
    unsigned protocols;  /* KNOWN_*: what the name means where no protocol is written with it */
    const char *payload; /* the protocol that it is asked in, if not as its port says; NULL = so */
};

/** Find a service by its name, or by that of the protocol that it is asked in. @return false if
 *  there is none. */
bool known_find(const char *name, struct known_service *ret_service);

/** @return The name that a port is known by; "" if it has none. */
const char *known_name(uint16_t port, unsigned protocol);

/** @return The services of a preset, for services_read(); NULL if there is none of that name. */
const char *known_preset(const char *name);

/** @return The name of the protocol that UDP ports are asked in if this name stands behind them:
 *  its own, or a service's that is asked in it; NULL if there is none. */
const char *known_payload(const char *name);

/** @return The name of the protocol that a UDP port is asked in by itself; NULL if there is none.
 */
const char *known_payload_of(uint16_t port);

/** Look for the service, or the preset, or the protocol, that was meant. */
void known_consider_services(struct nearest *nearest);
void known_consider_presets(struct nearest *nearest);
void known_consider_payloads(struct nearest *nearest);

/** Write all of them, for --services. */
void known_print(struct text *text);

#endif
