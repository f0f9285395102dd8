/* SPDX-License-Identifier: BSD-2-Clause */
/* See case.h. */
#include "tests/unit/analyze/case.h"

#include "wire/ip.h"

#include <criterion/criterion.h>
#include <stdio.h>

enum { MAX_TTL = 30 };

void case_open(struct case_file *file, const char *addr)
{
    *file = (struct case_file){
        .services =
            {
                [ICMP] = {.protocol = IP_PROTO_ICMP, .control = true, .name = "icmp"},
                [WEB] = {.protocol = IP_PROTO_TCP, .name = "443/tcp"},
                [SSH] = {.protocol = IP_PROTO_TCP, .name = "22/tcp"},
                [DNS] = {.protocol = IP_PROTO_UDP, .name = "53/udp"},
            },
    };
    struct sonde_addr target = record_addr(addr);
    cr_assert_eq(tally_new(MAX_TTL, &file->tally), 0);
    cr_assert_eq(tally_add_target(file->tally, &target, SERVICES), 0);
    file->target = (struct analyze_target){
        .tally = file->tally->targets[0],
        .services = file->services,
        .warn.loss = -1,
        .crit.loss = -1,
        .max_ttl = MAX_TTL,
        .timeout_ns = 2 * SONDE_NS_PER_S,
    };
}

void case_close(struct case_file *file)
{
    file->tally = tally_free(file->tally);
}

void case_add(struct case_file *file, struct sonde_event event)
{
    tally_on_event(file->tally, &event);
}

void case_add_full(struct case_file *file, uint32_t service, uint32_t count,
                   enum sonde_outcome outcome, const char *from)
{
    for (uint32_t cycle = 1; cycle <= count; cycle++)
        case_add(file, record_full(service, cycle, outcome, from));
}

void case_add_router(struct case_file *file, uint32_t service, uint8_t ttl)
{
    case_add_routers(file, service, ttl, ttl, 1);
}

void case_add_routers(struct case_file *file, uint32_t service, uint8_t first, uint8_t last,
                      uint32_t times)
{
    char addr[SONDE_ADDR_TEXT_BYTES];
    for (uint32_t cycle = 1; cycle <= times; cycle++) {
        for (uint8_t ttl = first; ttl <= last; ttl++) {
            (void)snprintf(addr, sizeof addr, "192.0.2.%u", ttl);
            case_add(file, record_hop(service, cycle, ttl, SONDE_OUTCOME_TTL_EXCEEDED, addr));
        }
    }
}

void case_add_hop(struct case_file *file, uint32_t service, uint8_t ttl, uint32_t times,
                  enum sonde_outcome outcome, const char *from)
{
    for (uint32_t cycle = 1; cycle <= times; cycle++) {
        struct sonde_event event = record_hop(service, cycle, ttl, outcome, from);
        if (outcome == SONDE_OUTCOME_NO_REPLY)
            event.sent_ns -= 5 * SONDE_NS_PER_MS;
        case_add(file, event);
    }
}

enum sonde_state case_state(const struct case_file *file, uint32_t service)
{
    enum sonde_outcome deciding;
    return analyze_state(&file->target, service, &deciding);
}

struct analysis case_judge(const struct case_file *file, uint32_t service)
{
    struct analysis analysis;
    analyze_service(&file->target, service, &analysis);
    return analysis;
}
