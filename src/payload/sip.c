/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SIP, RFC 3261: OPTIONS (§11), which whoever gets it must answer itself, since it may be forwarded
 * no further (Max-Forwards: 0, §16.3). The host names are ones that nobody has (RFC 2606 §2): a
 * server then answers to the address that the packet came from (§18.2.1), and to the port if it
 * knows rport (RFC 3581 §4). Branch, tag and Call-ID are the name of the probe in hexadecimal
 * digits; the Call-ID comes back as it is (§8.2.6.2), also in a provisional response before the
 * final one (§8.2.6.1). The host names are short, so that a router which quotes 128 bytes (RFC 4884
 * §4.1) quotes the branch.
 */
#include "payload/payload.h"

enum {
    CODE_DIGITS = 3,
};

/* The question, with the name between its parts. */
#define UP_TO_BRANCH "OPTIONS sip:s.invalid SIP/2.0\r\nVia: SIP/2.0/UDP s.invalid;branch=z9hG4bK"
#define UP_TO_TAG ";rport\r\nMax-Forwards: 0\r\nFrom: <sip:sonde@s.invalid>;tag="
#define UP_TO_CALL_ID "\r\nTo: <sip:s.invalid>\r\nCall-ID: "
#define UP_TO_END "\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"

static void write_text(struct wr *wr, const char *text)
{
    wr_bytes(wr, text, strlen(text));
}

static void sip_ask(const struct payload_trace *trace, const struct payload_name *name, size_t len,
                    struct wr *wr)
{
    size_t start = wr->len;
    write_text(wr, UP_TO_BRANCH);
    payload_write_hex(wr, trace, name, PAYLOAD_NAME12_BYTES);
    write_text(wr, UP_TO_TAG);
    payload_write_hex(wr, trace, name, PAYLOAD_NAME12_BYTES);
    write_text(wr, UP_TO_CALL_ID);
    payload_write_hex(wr, trace, name, PAYLOAD_NAME12_BYTES);
    write_text(wr, UP_TO_END);
    payload_pad(wr, start, len); /* behind the message, where it is passed over; §18.3 */
}

static int sip_recognize(const struct payload_trace *trace, struct sonde_span question,
                         struct payload_match *ret_match)
{
    struct rd rd = rd_init(question);
    struct sonde_span before = rd_span(&rd, strlen(UP_TO_BRANCH));
    if (!rd_ok(&rd))
        return SONDE_DISCARD_TRUNCATED;
    if (memcmp(before.data, UP_TO_BRANCH, before.len) != 0)
        return SONDE_DISCARD_BAD_TOKEN;
    return payload_read_hex(&rd, trace, PAYLOAD_NAME12_BYTES, ret_match);
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
    .asks = "for its options",
    .repeats = true,
    .ask = sip_ask,
    .recognize = sip_recognize,
    .fits = sip_fits,
};
