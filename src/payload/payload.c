/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of payload modules, and what they share; see payload/payload.h. */
#include "payload/payload.h"

#include "base/number.h"

#include <sonde/run.h>

/* The first question of each protocol, in the order of its port, and the ports that it is for. */
static const struct entry {
    const struct payload_ops *ops;
    uint16_t ports[SONDE_PAYLOAD_PORTS]; /* 0 = none */
} table[] = {
    {.ops = &payload_dns, .ports = {53}},
    {.ops = &payload_tftp, .ports = {69}},
    {.ops = &payload_kerberos, .ports = {88}},
    {.ops = &payload_ntp, .ports = {123}},
    {.ops = &payload_netbios, .ports = {137}},
    {.ops = &payload_snmp, .ports = {161}},
    {.ops = &payload_quic, .ports = {443}},
    {.ops = &payload_ikev2, .ports = {500}},
    {.ops = &payload_syslog, .ports = {514}},
    {.ops = &payload_openvpn, .ports = {1194}},
    {.ops = &payload_l2tp, .ports = {1701}},
    {.ops = &payload_radius, .ports = {1812}},
    {.ops = &payload_radius_acct, .ports = {1813}},
    {.ops = &payload_rdpeudp, .ports = {3389}},
    {.ops = &payload_stun, .ports = {3478}},
    {.ops = &payload_dtls, .ports = {4433, 5684, 3391}},
    {.ops = &payload_ikev2_nat, .ports = {4500}},
    {.ops = &payload_sip, .ports = {5060}},
    {.ops = &payload_mdns, .ports = {5353}},
    {.ops = &payload_llmnr, .ports = {5355}},
    {.ops = &payload_coap, .ports = {5683}},
    {.ops = &payload_memcached, .ports = {11211}},
    {.ops = &payload_wireguard, .ports = {51820}},
    {.ops = &payload_anyconnect},
    {.ops = &payload_snmp2c},
    {.ops = &payload_own},
};
enum { ENTRIES = sizeof table / sizeof *table };

const struct payload_ops *payload_at(size_t index)
{
    return index < ENTRIES ? table[index].ops : NULL;
}

uint16_t payload_port(size_t index, size_t nth)
{
    return index < ENTRIES && nth < SONDE_PAYLOAD_PORTS ? table[index].ports[nth] : 0;
}

const struct payload_ops *payload_by_name(const char *name)
{
    size_t i = 0;
    while (payload_at(i) != NULL && strcmp(payload_at(i)->name, name) != 0)
        i++;
    return payload_at(i);
}

const struct payload_ops *payload_by_port(uint16_t port)
{
    for (size_t i = 0; i < ENTRIES && port != 0; i++) {
        for (size_t k = 0; k < SONDE_PAYLOAD_PORTS; k++) {
            if (table[i].ports[k] == port)
                return table[i].ops;
        }
    }
    return NULL;
}

size_t payload_questions(const struct payload_ops *first, const char *host,
                         const struct payload_ops *ret_questions[SONDE_QUESTIONS_MAX])
{
    size_t count = 0;
    unsigned labels = payload_host_labels(host);
    for (const struct payload_ops *ops = first; ops != NULL && count < SONDE_QUESTIONS_MAX;
         ops = ops->next) {
        if (ops->host_labels <= labels)
            ret_questions[count++] = ops;
    }
    return count;
}

bool payload_says_host(const struct payload_ops *first)
{
    const struct payload_ops *ops = first;
    while (ops != NULL && !ops->says_host)
        ops = ops->next;
    return ops != NULL;
}

/* Half of the cookie. Its lowest bit is set, so that no name is all zero. */
static uint32_t half_cookie(const struct payload_trace *trace)
{
    return (uint32_t)(trace->cookie >> 32) | 1;
}

void payload_write_name8(struct wr *wr, const struct payload_trace *trace,
                         const struct payload_name *name)
{
    wr_u32(wr, half_cookie(trace));
    wr_u32(wr, name->token);
}

/* Something was read that names a probe, if its secret is the right one. */
static int take_token(const struct rd *rd, bool is_ours, uint32_t token,
                      struct payload_match *ret_match)
{
    if (!rd_ok(rd))
        return SONDE_DISCARD_TRUNCATED;
    if (!is_ours)
        return SONDE_DISCARD_BAD_TOKEN;
    *ret_match = (struct payload_match){PAYLOAD_NAMES_TOKEN, token};
    return 0;
}

int payload_read_name8(struct rd *rd, const struct payload_trace *trace,
                       struct payload_match *ret_match)
{
    bool is_ours = rd_u32(rd) == half_cookie(trace);
    uint32_t token = rd_u32(rd);
    return take_token(rd, is_ours, token, ret_match);
}

void payload_write_name12(struct wr *wr, const struct payload_trace *trace,
                          const struct payload_name *name)
{
    wr_u64(wr, trace->cookie);
    wr_u32(wr, name->token);
}

int payload_read_name12(struct rd *rd, const struct payload_trace *trace,
                        struct payload_match *ret_match)
{
    bool is_ours = rd_u64(rd) == trace->cookie;
    uint32_t token = rd_u32(rd);
    return take_token(rd, is_ours, token, ret_match);
}

void payload_write_hex(struct wr *wr, const struct payload_trace *trace,
                       const struct payload_name *name, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    uint8_t bytes[PAYLOAD_NAME12_BYTES];
    struct wr binary = wr_init(bytes, sizeof bytes);
    if (len == PAYLOAD_NAME8_BYTES)
        payload_write_name8(&binary, trace, name);
    else
        payload_write_name12(&binary, trace, name);
    for (size_t i = 0; i < binary.len; i++) {
        wr_u8(wr, (uint8_t)digits[bytes[i] >> 4]);
        wr_u8(wr, (uint8_t)digits[bytes[i] & 15]);
    }
}

int payload_read_hex(struct rd *rd, const struct payload_trace *trace, size_t len,
                     struct payload_match *ret_match)
{
    uint8_t bytes[PAYLOAD_NAME12_BYTES];
    for (size_t i = 0; i < len; i++) {
        int high = number_hex_digit((char)rd_u8(rd));
        int low = number_hex_digit((char)rd_u8(rd));
        if (!rd_ok(rd))
            return SONDE_DISCARD_TRUNCATED;
        if (high < 0 || low < 0)
            return SONDE_DISCARD_BAD_TOKEN;
        bytes[i] = (uint8_t)(high << 4 | low);
    }
    struct rd binary = rd_init((struct sonde_span){bytes, len});
    return len == PAYLOAD_NAME8_BYTES ? payload_read_name8(&binary, trace, ret_match)
                                      : payload_read_name12(&binary, trace, ret_match);
}

int payload_read_name2(struct rd *rd, struct payload_match *ret_match)
{
    uint16_t field = rd_u16(rd);
    if (!rd_ok(rd))
        return SONDE_DISCARD_TRUNCATED;
    if (field == 0)
        return SONDE_DISCARD_BAD_TOKEN;
    *ret_match = (struct payload_match){PAYLOAD_NAMES_FIELD16, field};
    return 0;
}

void payload_pad(struct wr *wr, size_t start, size_t len)
{
    size_t written = wr->len - start;
    wr_fill(wr, 0, len > written ? len - written : 0);
}

bool payload_take(struct rd *rd, const void *bytes, size_t len)
{
    struct sonde_span taken = rd_span(rd, len);
    return rd_ok(rd) && memcmp(taken.data, bytes, len) == 0;
}

int payload_verdict(const struct rd *rd, bool fits)
{
    if (!rd_ok(rd))
        return SONDE_DISCARD_TRUNCATED;
    return fits ? 0 : SONDE_DISCARD_NOT_A_RESULT;
}
