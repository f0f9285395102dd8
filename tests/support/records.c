/* SPDX-License-Identifier: BSD-2-Clause */
/* Probe records for tests; see records.h. */
#include "tests/support/records.h"

#include <criterion/criterion.h>

struct sonde_addr record_addr(const char *text)
{
    struct sonde_addr addr = {0};
    if (text != NULL)
        cr_assert_eq(sonde_addr_parse(text, &addr), 0, "%s", text);
    return addr;
}

/* The ICMP error that usually ends a probe so. RFC 792, RFC 1812 §5.2.7.1; RFC 4443 §3. */
static void set_icmp(struct sonde_event *event)
{
    static const struct {
        enum sonde_outcome outcome;
        int16_t type4;
        int16_t code4;
        int16_t type6;
        int16_t code6;
    } errors[] = {
        {SONDE_OUTCOME_TTL_EXCEEDED, 11, 0, 3, 0},     {SONDE_OUTCOME_PORT_UNREACHABLE, 3, 3, 1, 4},
        {SONDE_OUTCOME_ADMIN_PROHIBITED, 3, 13, 1, 1}, {SONDE_OUTCOME_HOST_UNREACHABLE, 3, 1, 1, 3},
        {SONDE_OUTCOME_NET_UNREACHABLE, 3, 0, 1, 0},   {SONDE_OUTCOME_PACKET_TOO_BIG, 3, 4, 2, 0},
        {SONDE_OUTCOME_OTHER_UNREACHABLE, 3, 2, 4, 1},
    };
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        if (errors[i].outcome != event->outcome)
            continue;
        bool ipv6 = event->from.family == SONDE_FAMILY_IPV6;
        event->icmp_type = ipv6 ? errors[i].type6 : errors[i].type4;
        event->icmp_code = ipv6 ? errors[i].code6 : errors[i].code4;
    }
}

struct sonde_event record_full(uint32_t service, uint32_t cycle, enum sonde_outcome outcome,
                               const char *from)
{
    bool answered = outcome != SONDE_OUTCOME_NO_REPLY && outcome != SONDE_OUTCOME_SEND_ERROR;
    struct sonde_event event = {
        .type = SONDE_EVENT_PROBE,
        .service = service,
        .cycle = cycle,
        .ttl = 30,
        .to_target = true,
        .outcome = outcome,
        .sent_ns = cycle * SONDE_NS_PER_S,
        .rtt_ns = answered ? 10 * SONDE_NS_PER_MS : -1,
        .from = record_addr(from),
        .reply_ttl = answered ? 60 : -1,
        .icmp_type = -1,
        .icmp_code = -1,
    };
    cr_assert_eq(answered, from != NULL, "an answer has a sender, and only an answer");
    set_icmp(&event);
    return event;
}

struct sonde_event record_hop(uint32_t service, uint32_t cycle, uint8_t ttl,
                              enum sonde_outcome outcome, const char *from)
{
    struct sonde_event event = record_full(service, cycle, outcome, from);
    event.ttl = ttl;
    event.to_target = false;
    return event;
}

struct sonde_event record_with_code(struct sonde_event event, int16_t type, int16_t code)
{
    event.icmp_type = type;
    event.icmp_code = code;
    return event;
}
