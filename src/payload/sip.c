/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SIP, RFC 3261: OPTIONS (§11), which whoever gets it must answer itself, since it may be forwarded
 * no further (Max-Forwards: 0, §16.3). Many servers drop what is not for a domain of theirs: so it
 * is for the name that the user typed, and comes from there. Where there is none, or it is not
 * answered, it is for the server's address.
 *
 * Only the Via has a name that nobody has (RFC 2606 §2): a server then answers to the address that
 * the packet came from (§18.2.1), and to the port if it knows rport (RFC 3581 §4). Branch, tag and
 * Call-ID are the name of the probe in hexadecimal digits; the Call-ID comes back as it is
 * (§8.2.6.2), also in a provisional response before the final one (§8.2.6.1).
 */
#include "payload/payload.h"

enum {
    CODE_DIGITS = 3,
    PORT = 5060,     /* that need not be written; §19.1.2 */
    URI_BYTES = 300, /* the longest: "sip:sonde@", 253 bytes of a name, ":65535" */
    PORT_DIGITS = 5,
};

/* The question, with the name and what it is for between its parts. */
#define UP_TO_URI "OPTIONS sip:"
#define UP_TO_BRANCH " SIP/2.0\r\nVia: SIP/2.0/UDP s.invalid;branch=z9hG4bK"
#define UP_TO_FROM ";rport\r\nMax-Forwards: 0\r\nFrom: <sip:sonde@"
#define UP_TO_TAG ">;tag="
#define UP_TO_TO "\r\nTo: <sip:"
#define UP_TO_CALL_ID ">\r\nCall-ID: "
#define UP_TO_END "\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"

/* Whom it is for: hostport of §25.1. */
struct domain {
    uint8_t bytes[URI_BYTES];
    size_t len;
};

static void write_port(struct wr *wr, uint16_t port)
{
    uint8_t digits[PORT_DIGITS];
    size_t at = sizeof digits;
    for (unsigned rest = port; rest > 0; rest /= 10)
        digits[--at] = (uint8_t)('0' + rest % 10);
    wr_bytes(wr, digits + at, sizeof digits - at);
}

/* @param host  A name; NULL: the server's address. */
static struct domain domain_of(const struct payload_trace *trace, const char *host)
{
    struct domain domain = {.len = 0};
    struct wr wr = wr_init(domain.bytes, sizeof domain.bytes);
    char addr[SONDE_ADDR_TEXT_BYTES];
    bool in_brackets = host == NULL && trace->addr.family == SONDE_FAMILY_IPV6;
    payload_write_text(&wr, in_brackets ? "[" : "");
    payload_write_text(&wr, host != NULL ? host : sonde_addr_text(&trace->addr, addr));
    payload_write_text(&wr, in_brackets ? "]" : "");
    if (trace->port != PORT) {
        payload_write_text(&wr, ":");
        write_port(&wr, trace->port);
    }
    domain.len = wr.len;
    return domain;
}

static void ask(const struct payload_trace *trace, const char *host,
                const struct payload_name *name, size_t len, struct wr *wr)
{
    const struct domain domain = domain_of(trace, host);
    size_t start = wr->len;
    payload_write_text(wr, UP_TO_URI);
    wr_bytes(wr, domain.bytes, domain.len);
    payload_write_text(wr, UP_TO_BRANCH);
    payload_write_hex(wr, trace, name, PAYLOAD_NAME12_BYTES);
    payload_write_text(wr, UP_TO_FROM);
    wr_bytes(wr, domain.bytes, domain.len);
    payload_write_text(wr, UP_TO_TAG);
    payload_write_hex(wr, trace, name, PAYLOAD_NAME12_BYTES);
    payload_write_text(wr, UP_TO_TO);
    wr_bytes(wr, domain.bytes, domain.len);
    payload_write_text(wr, UP_TO_CALL_ID);
    payload_write_hex(wr, trace, name, PAYLOAD_NAME12_BYTES);
    payload_write_text(wr, UP_TO_END);
    payload_pad(wr, start, len); /* behind the message, where it is passed over; §18.3 */
}

static int recognize(const struct payload_trace *trace, const char *host,
                     struct sonde_span question, struct payload_match *ret_match)
{
    const struct domain domain = domain_of(trace, host);
    struct rd rd = rd_init(question);
    bool is_ours = payload_take(&rd, UP_TO_URI, strlen(UP_TO_URI)) &&
                   payload_take(&rd, domain.bytes, domain.len) &&
                   payload_take(&rd, UP_TO_BRANCH, strlen(UP_TO_BRANCH));
    if (rd_ok(&rd) && !is_ours)
        return SONDE_DISCARD_BAD_TOKEN;
    return payload_read_hex(&rd, trace, PAYLOAD_NAME12_BYTES, ret_match);
}

static void name_ask(const struct payload_trace *trace, const struct payload_name *name, size_t len,
                     struct wr *wr)
{
    ask(trace, trace->host, name, len, wr);
}

static int name_recognize(const struct payload_trace *trace, struct sonde_span question,
                          struct payload_match *ret_match)
{
    return recognize(trace, trace->host, question, ret_match);
}

static void address_ask(const struct payload_trace *trace, const struct payload_name *name,
                        size_t len, struct wr *wr)
{
    ask(trace, NULL, name, len, wr);
}

static int address_recognize(const struct payload_trace *trace, struct sonde_span question,
                             struct payload_match *ret_match)
{
    return recognize(trace, NULL, question, ret_match);
}

/* Read up to the end of a line. @return It without its end; §7. */
static struct sonde_span read_line(struct rd *rd)
{
    size_t len = 0;
    while (len < rd->rest.len && rd->rest.data[len] != '\n')
        len++;
    struct sonde_span line = rd_span(rd, len);
    rd_skip(rd, 1);
    if (line.len > 0 && line.data[line.len - 1] == '\r')
        line.len--;
    return line;
}

static bool is_blank(uint8_t byte)
{
    return byte == ' ' || byte == '\t';
}

static void skip_blanks(struct rd *rd)
{
    while (rd->rest.len > 0 && is_blank(rd->rest.data[0]))
        rd_skip(rd, 1);
}

/* Pass over a word, whose case does not matter (§7.3.1). @return true if it is there. */
static bool skip_word(struct rd *rd, const char *word)
{
    struct sonde_span text = rd_span(rd, strlen(word));
    for (size_t i = 0; i < text.len; i++) {
        uint8_t byte = text.data[i];
        if (byte >= 'A' && byte <= 'Z')
            byte = (uint8_t)(byte + 'a' - 'A');
        if (byte != (uint8_t)word[i])
            return false;
    }
    return rd_ok(rd);
}

/* Is the line the header field of that name? @return If so, its value is what is left in @p ret. */
static bool is_field(struct sonde_span line, const char *name, struct rd *ret)
{
    *ret = rd_init(line);
    if (!skip_word(ret, name))
        return false;
    skip_blanks(ret);
    bool is_it = rd_u8(ret) == ':';
    skip_blanks(ret);
    return is_it;
}

/* Find the Call-ID, also in its compact form (§7.3.3), and read it. */
static int read_call_id(struct rd *rd, const struct payload_trace *trace,
                        struct payload_match *ret_match)
{
    struct rd value;
    struct sonde_span line;
    do {
        line = read_line(rd);
        if (!rd_ok(rd))
            return SONDE_DISCARD_TRUNCATED;
        if (line.len == 0)
            return SONDE_DISCARD_NOT_A_RESULT; /* the header ends without one */
    } while (!is_field(line, "call-id", &value) && !is_field(line, "i", &value));
    int r = payload_read_hex(&value, trace, PAYLOAD_NAME12_BYTES, ret_match);
    skip_blanks(&value);
    return r == SONDE_DISCARD_TRUNCATED || value.rest.len > 0 ? SONDE_DISCARD_BAD_TOKEN : r;
}

static int sip_fits(const struct payload_trace *trace, struct sonde_span answer,
                    struct payload_match *ret_match)
{
    struct rd rd = rd_init(answer);
    bool fits = skip_word(&rd, "sip/2.0 "); /* the status line; §7.2 */
    for (size_t i = 0; i < CODE_DIGITS && fits; i++) {
        uint8_t digit = rd_u8(&rd);
        fits = digit >= (i == 0 ? '1' : '0') && digit <= (i == 0 ? '6' : '9');
    }
    fits = fits && is_blank(rd_u8(&rd));
    if (!rd_ok(&rd) || !fits)
        return payload_verdict(&rd, fits);
    (void)read_line(&rd); /* the reason */
    return read_call_id(&rd, trace, ret_match);
}

const struct payload_ops payload_sip = {
    .name = "sip",
    .topic = "OPTIONS for the name",
    .asks = "for its options, by the name that you typed",
    .silence = "a server may answer only for the names that it knows itself by",
    .repeats = true,
    .host_labels = 1,
    .says_host = true,
    .next = &payload_sip_address,
    .ask = name_ask,
    .recognize = name_recognize,
    .fits = sip_fits,
};

const struct payload_ops payload_sip_address = {
    .name = "sip",
    .topic = "OPTIONS for the address",
    .asks = "for its options, by its address",
    .silence = "a server may answer only for the names that it knows itself by; type one",
    .repeats = true,
    .ask = address_ask,
    .recognize = address_recognize,
    .fits = sip_fits,
};
