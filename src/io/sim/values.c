/* SPDX-License-Identifier: BSD-2-Clause */
/* The values in a scenario: numbers, durations, addresses, times, labels, masks. */
#include "base/number.h"
#include "base/text.h"
#include "io/sim/parse.h"
#include "wire/ip.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

int parse_fail(struct parse *parse, const char *format, const char *word)
{
    struct text shown = {0};
    struct sim_error *error = parse->error;
    const char *rest = strstr(format, "%s");
    size_t head = rest != NULL ? (size_t)(rest - format) : strlen(format);
    text_add_bytes(&shown, format, head);
    if (rest != NULL) {
        text_add_untrusted(&shown, word, text_whole(word, SIM_NAME_BYTES));
        text_add(&shown, rest + 2);
    }
    const char *words = shown.data != NULL ? shown.data : "out of memory";
    error->line = parse->line;
    (void)snprintf(error->text, sizeof error->text, "%.*s",
                   (int)text_whole(words, sizeof error->text - 1), words);
    text_deinit(&shown);
    return -EINVAL;
}

char *parse_split(char *word)
{
    char *equals = strchr(word, '=');
    if (equals == NULL)
        return NULL;
    *equals = '\0';
    return equals + 1;
}

void *parse_grow(void *array, uint32_t *count, size_t element_bytes)
{
    void *old;
    memcpy(&old, array, sizeof old);
    char *grown = realloc(old, ((size_t)*count + 1) * element_bytes);
    if (grown == NULL)
        return NULL;
    memcpy(array, &grown, sizeof grown);
    char *element = grown + (size_t)*count * element_bytes;
    memset(element, 0, element_bytes);
    (*count)++;
    return element;
}

int parse_number(struct parse *parse, const char *word, uint64_t max, uint64_t *ret_value)
{
    if (number_parse(word, max, ret_value) < 0)
        return parse_fail(parse, "not a number that fits here: %s", word);
    return 0;
}

int parse_duration(struct parse *parse, const char *word, sonde_ns *ret_ns)
{
    static const struct {
        const char *suffix;
        sonde_ns unit;
    } units[] = {
        {"ns", 1},
        {"us", SONDE_NS_PER_US},
        {"ms", SONDE_NS_PER_MS},
        {"s", SONDE_NS_PER_S},
    };
    char digits[SIM_NAME_BYTES];
    size_t len = strspn(word, "0123456789.");
    if (len > 0 && len < sizeof digits) {
        memcpy(digits, word, len);
        digits[len] = '\0';
        for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
            if (strcmp(word + len, units[i].suffix) == 0 &&
                number_parse_ns(digits, units[i].unit, ret_ns) == 0 &&
                *ret_ns <= 1000000 * SONDE_NS_PER_S)
                return 0;
        }
    }
    return parse_fail(parse, "not a duration (such as 2ms, 1.5s): %s", word);
}

int parse_limit(struct parse *parse, char *word, struct sim_limit *limit)
{
    sonde_ns span = SONDE_NS_PER_S;
    uint64_t count = 0;
    char *slash = strchr(word, '/');
    int r = 0;
    if (slash != NULL) {
        *slash = '\0';
        r = parse_duration(parse, slash + 1, &span);
    }
    if (r == 0)
        r = parse_number(parse, word, 1000000, &count);
    if (r == 0 && (count == 0 || span < (sonde_ns)count))
        r = parse_fail(parse, "not a limit: %s", word);
    if (r == 0)
        limit->interval_ns = span / (sonde_ns)count;
    return r;
}

int parse_burst(struct parse *parse, const char *word, struct sim_limit *limit)
{
    uint64_t count = 0;
    int r = parse_number(parse, word, 1000000, &count);
    if (r == 0 && count == 0)
        r = parse_fail(parse, "not even one at once: %s", word);
    limit->burst = (uint32_t)count;
    return r;
}

int parse_address(struct parse *parse, const char *word, struct sonde_addr *ret_addr)
{
    if (sonde_addr_parse(word, ret_addr) < 0)
        return parse_fail(parse, "not an IPv4 or IPv6 address: %s", word);
    return 0;
}

int parse_wall_time(struct parse *parse, const char *word, sonde_ns *ret_ns)
{
    struct tm tm = {0};
    const char *end = strptime(word, "%Y-%m-%dT%H:%M:%SZ", &tm);
    if (end == NULL || *end != '\0' || tm.tm_year < 70 || tm.tm_year > 300)
        return parse_fail(parse, "not a UTC time (such as 2026-01-31T12:00:00Z): %s", word);
    *ret_ns = (sonde_ns)timegm(&tm) * SONDE_NS_PER_S;
    return 0;
}

int parse_name(struct parse *parse, const char *word, char *ret_name, size_t cap)
{
    size_t len = strlen(word);
    if (len == 0 || len >= cap)
        return parse_fail(parse, "a name that is empty or too long: %s", word);
    memcpy(ret_name, word, len + 1);
    return 0;
}

uint32_t parse_find_node(const struct parse *parse, const char *name)
{
    for (uint32_t i = 0; i < parse->scenario->node_count; i++) {
        if (strcmp(parse->scenario->nodes[i].name, name) == 0)
            return i;
    }
    return UINT32_MAX;
}

/* LABEL[/TC[/TTL]] */
static int parse_label(struct parse *parse, char *word, struct sonde_mpls_label *label)
{
    static const uint64_t max[] = {(1 << 20) - 1, 7, 255};
    uint64_t values[] = {0, 0, 1};
    char *save;
    char *part = strtok_r(word, "/", &save);
    for (size_t i = 0; part != NULL; i++, part = strtok_r(NULL, "/", &save)) {
        if (i == sizeof values / sizeof *values)
            return parse_fail(parse, "a label has no more parts than LABEL/TC/TTL: %s", part);
        int r = parse_number(parse, part, max[i], &values[i]);
        if (r < 0)
            return r;
    }
    *label = (struct sonde_mpls_label){
        .label = (uint32_t)values[0],
        .tc = (uint8_t)values[1],
        .ttl = (uint8_t)values[2],
    };
    return 0;
}

int parse_labels(struct parse *parse, char *word, struct sonde_mpls *ret_mpls)
{
    struct sonde_mpls mpls = {0};
    char *save;
    char *part = strtok_r(word, ",", &save);
    for (; part != NULL; part = strtok_r(NULL, ",", &save)) {
        if (mpls.count == SONDE_MPLS_LABELS_MAX)
            return parse_fail(parse, "too many labels: %s", part);
        int r = parse_label(parse, part, &mpls.labels[mpls.count]);
        if (r < 0)
            return r;
        mpls.count++;
    }
    if (mpls.count == 0)
        return parse_fail(parse, "no label in %s", word);
    mpls.labels[mpls.count - 1].bos = 1;
    *ret_mpls = mpls;
    return 0;
}

int parse_mask(struct parse *parse, const char *word, uint64_t *ret_mask, uint32_t *ret_len)
{
    size_t len = strlen(word);
    uint64_t mask = 0;
    if (len == 0 || len > SIM_MASK_BITS || strspn(word, "01") != len)
        return parse_fail(parse, "not a mask of 1 to 64 zeros and ones: %s", word);
    for (size_t i = 0; i < len; i++)
        mask |= (uint64_t)(word[i] == '1') << i;
    *ret_mask = mask;
    *ret_len = (uint32_t)len;
    return 0;
}

int parse_port(struct parse *parse, char *word, uint8_t *ret_protocol, uint16_t *ret_port)
{
    char *colon = strchr(word, ':');
    uint64_t port = 0;
    if (colon != NULL) {
        *colon = '\0';
        if (strcmp(colon + 1, "*") != 0) {
            int r = parse_number(parse, colon + 1, 65535, &port);
            if (r < 0)
                return r;
        }
    }
    if (strcmp(word, "tcp") == 0)
        *ret_protocol = IP_PROTO_TCP;
    else if (strcmp(word, "udp") == 0)
        *ret_protocol = IP_PROTO_UDP;
    else if (strcmp(word, "sctp") == 0)
        *ret_protocol = IP_PROTO_SCTP;
    else
        return parse_fail(parse, "unknown word: %s", word);
    *ret_port = (uint16_t)port;
    return 0;
}
