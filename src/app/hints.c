/* SPDX-License-Identifier: BSD-2-Clause */
/* Other tools' fingers; see app/hints.h. */
#include "app/hints.h"

#include "app/known.h"
#include "base/number.h"

#include <errno.h>
#include <string.h>

static const char digits[] = "0123456789";

/* mtr(8), traceroute(1), ping(8) of iputils and of inetutils, nmap(1). What is spelled as here is
 * not listed, nor what is not here and has no likeness. */
static const struct option_hint {
    const char *option;
    const char *hint;
} option_hints[] = {
    {"-x", "mtr's; use -j (JSON)"},
    {"--xml", "mtr's; use -j (JSON)"},
    {"-C", "mtr's; use -j (JSON)"},
    {"--csv", "mtr's; use -j (JSON)"},
    {"-o", "mtr's; use -j (JSON), which has all figures"},
    {"--order", "mtr's; use -j (JSON), which has all figures"},
    {"-p", "mtr's; use -j (JSON), or for ports -P"},
    {"--split", "mtr's; use -j (JSON)"},
    {"-l", "mtr's; use -j (JSON)"},
    {"--raw", "mtr's; use -j (JSON)"},
    {"-g", "mtr's; use -r (text report)"},
    {"--gtk", "mtr's; use -r (text report)"},
    {"-t", "mtr's; use -r (text report)"},
    {"--curses", "mtr's; use -r (text report)"},
    {"-G", "mtr's; use -Z (seconds until a probe is lost)"},
    {"--gracetime", "mtr's; use -Z"},
    {"-S", "mtr's; use -P 3868/sctp, or name the port so"},
    {"--sctp", "mtr's; use -P 3868/sctp, or name the port so"},
    {"-D", "mtr's; use -T (TCP) or -u (UDP)"},
    {"-y", "mtr's; use -b (names and addresses): AS numbers are not there yet"},
    {"--ipinfo", "mtr's; use -b (names and addresses): AS numbers are not there yet"},
    {"-z", "mtr's; use -b (names and addresses): AS numbers are not there yet"},
    {"--aslookup", "mtr's; use -b (names and addresses): AS numbers are not there yet"},
    {"--displaymode", "mtr's; use -r (text report)"},
    {"--inet", "mtr's; use -4"},
    {"--inet6", "mtr's; use -6"},

    {"--count", "ping's; use -c"},
    {"--numeric", "ping's; use -n"},
    {"--ttl", "ping's; use -m"},
    {"--linger", "ping's; use -Z"},
    {"--pattern", "ping's; use -B"},
    {"--size", "ping's; use -s"},
    {"-W", "ping's; use -Z"},
    {"--flood", "ping's; use -i 0.001"},
    {"-A", "ping's and traceroute's; a report ends by itself as soon as it can"},

    {"--first", "traceroute's; use -f"},
    {"--max-hops", "traceroute's; use -m"},
    {"--max-hop", "traceroute's; use -m"},
    {"--queries", "traceroute's; use -c"},
    {"--tries", "traceroute's; use -c"},
    {"--sim-queries", "traceroute's; use --rate (packets a second)"},
    {"-N", "traceroute's; use --rate (packets a second)"},
    {"--wait", "traceroute's; use -Z"},
    {"--sendwait", "traceroute's; use -i"},
    {"--source", "traceroute's; use -a"},
    {"--sport", "traceroute's; use -L"},
    {"--fwmark", "traceroute's; use -M"},
    {"--extensions", "traceroute's; use -e"},
    {"--icmp", "traceroute's; icmp is asked anyway"},
    {"--as-path-lookups", "traceroute's; AS numbers are not there yet"},
    {"--method", "traceroute's; use -T (TCP) or -u (UDP)"},

    {"-Pn", "nmap's, and not needed: ports are asked whether or not the host answers pings"},
    {"-PE", "nmap's; icmp is asked anyway"},
    {"-sn", "nmap's; a target without a port is asked by icmp alone"},
    {"-sP", "nmap's; a target without a port is asked by icmp alone"},
    {"-sS", "nmap's; use -T"},
    {"-sT", "nmap's; use -T"},
    {"-sU", "nmap's; use -u"},
    {"-sY", "nmap's; use -P 3868/sctp, or name the port so"},
    {"-PY", "nmap's; use -P 3868/sctp, or name the port so"},
    {"-iL", "nmap's; use -F"},
    {"-oX", "nmap's; use -j (JSON)"},
    {"-oG", "nmap's; use -j (JSON)"},
    {"-oA", "nmap's; use -j (JSON)"},
    {"-oN", "nmap's; use -r (text report)"},
    {"--top-ports", "nmap's; use @common"},
    {"--source-port", "nmap's; use -L"},
    {"--data", "nmap's; use --payload"},
    {"--data-length", "nmap's; use -s"},
    {"--max-rate", "nmap's; use --rate"},
    {"--host-timeout", "nmap's; use --deadline"},
    {"--max-rtt-timeout", "nmap's; use -Z"},
    {"--max-retries", "nmap's; use -c"},
    {"--scan-delay", "nmap's; use -i"},
    {"--traceroute", "nmap's; the path is always traced"},
    {"--reason", "nmap's; the reason is always said"},
    {"--iflist", "nmap's; use --doctor"},
};

const char *hint_option(const char *option)
{
    for (size_t i = 0; i < sizeof option_hints / sizeof *option_hints; i++) {
        if (strcmp(option_hints[i].option, option) == 0)
            return option_hints[i].hint;
    }
    return NULL;
}

const char *hint_number(const char *option, const char *number)
{
    static const struct {
        const char *option;
        const char *letters; /* of its values there */
        const char *instead;
    } hints[] = {
        {"-p", "0123456789,-", "-P"}, /* ports, of traceroute and nmap */
        {"-w", "0123456789.", "-Z"},  /* seconds to wait, of traceroute and ping */
        {"-q", "0123456789", "-c"},   /* probes for each hop, of traceroute */
    };
    for (size_t i = 0; i < sizeof hints / sizeof *hints; i++) {
        if (strcmp(hints[i].option, option) == 0 && number[0] >= '0' && number[0] <= '9' &&
            strspn(number, hints[i].letters) == strlen(number))
            return hints[i].instead;
    }
    return NULL;
}

/* Where the last colon of a word is, if an IPv6 address stands before it; NULL if not. */
static const char *find_service_behind(const char *word)
{
    char left[SONDE_ADDR_TEXT_BYTES];
    struct sonde_addr addr;
    const char *colon = strrchr(word, ':');
    bool has_zone =
        strchr(word, '%') != NULL; /* which ends with the address, or is in no service */
    if (colon == NULL || (size_t)(colon - word) >= sizeof left || has_zone)
        return NULL;
    memcpy(left, word, (size_t)(colon - word));
    left[colon - word] = '\0';
    bool is_ipv6 = sonde_addr_parse(left, &addr) == 0 && addr.family == SONDE_FAMILY_IPV6;
    return is_ipv6 ? colon : NULL;
}

/* "[fd90::2]:443" */
static void add_bracketed(struct text *text, const char *word, const char *colon)
{
    text_add(text, "[");
    text_add_untrusted(text, word, (size_t)(colon - word));
    text_add(text, "]");
    text_add_untrusted(text, colon, strlen(colon));
}

/* "192.0.2.0/24", "2001:db8::/32", "fe80::1%eth0/64" */
static bool is_network(const char *word)
{
    const char *slash = strchr(word, '/');
    size_t address = strspn(word, "0123456789abcdefABCDEF.:");
    return (word[address] == '%' || word[address] == '/') && slash[1] != '\0' &&
           strspn(slash + 1, digits) == strlen(slash + 1);
}

/* "tcp/443" */
static bool is_turned_round(const char *word)
{
    char protocol[] = "sctp";
    size_t len = strcspn(word, "/");
    if (word[len] == '\0' || len >= sizeof protocol)
        return false;
    memcpy(protocol, word, len);
    protocol[len] = '\0';
    return text_is_same(protocol, "tcp") || text_is_same(protocol, "udp") ||
           text_is_same(protocol, "sctp");
}

/* Why a word with one of these letters in it is no host. */
static const char *reason_of(const char *word)
{
    if (is_turned_round(word))
        return "a protocol stands behind its port, as in 443/tcp";
    if (strchr(word, '/') != NULL)
        return is_network(word) ? "a network is no target, only a host is"
                                : "a path belongs to a URL, as in https://example.com/x";
    if (strchr(word, '=') != NULL)
        return "a state goes into --expect, as in --expect 22=closed";
    if (strchr(word, ',') != NULL)
        return strspn(word, "0123456789,-") == strlen(word)
                   ? "a list of ports takes a colon, as in :22,443"
                   : "several targets are several words";
    return "not a host name or address";
}

int hint_host(const char *word, struct text *reterr)
{
    const char *colon = find_service_behind(word);
    if (word[strspn(word, " \t")] == '\0') {
        text_add(reterr, "an empty word is no target");
        return -EINVAL;
    }
    if (strchr(word, '@') != NULL) { /* and perhaps a password: nothing of it is shown */
        text_add(reterr, "a target has no user: leave out the @ and what stands before it");
        return -EINVAL;
    }
    text_add(reterr,
             colon != NULL ? "a service behind an IPv6 address takes brackets" : reason_of(word));
    text_add(reterr, ": ");
    if (colon != NULL)
        add_bracketed(reterr, word, colon);
    else
        text_add_untrusted(reterr, word, strlen(word));
    return -EINVAL;
}

/* "8000-8003" */
static bool is_range(const char *word)
{
    size_t first = strspn(word, digits);
    size_t last = word[first] == '-' ? strspn(word + first + 1, digits) : 0;
    return first > 0 && last > 0 && word[first + 1 + last] == '\0';
}

/* "ssh", "icmp" or "8000-8003" behind a target */
static void doubt_name(const char *word, struct text *doubt)
{
    char folded[NEAREST_BYTES];
    struct known_service known;
    if (!text_fold(word, strlen(word), folded, sizeof folded) ||
        !(known_find(folded, &known) || strcmp(folded, "icmp") == 0 || is_range(folded)))
        return;
    text_addf(doubt, "a service takes a colon: :%s (a host of that name: %s:icmp)", folded, folded);
}

/* "fd90::2:443" is an address, too; but how often does one end in the number of a service? */
static void doubt_address(const char *word, struct text *doubt)
{
    uint64_t port = 0;
    struct sonde_addr addr;
    const char *colon = find_service_behind(word);
    if (colon == NULL || sonde_addr_parse(word, &addr) < 0 || colon[1] == '0' ||
        number_parse(colon + 1, UINT16_MAX, &port) < 0 ||
        known_name((uint16_t)port, KNOWN_TCP | KNOWN_UDP)[0] == '\0')
        return;
    text_add(doubt, "a port behind an IPv6 address takes brackets: ");
    add_bracketed(doubt, word, colon);
    text_addf(doubt, " (that address as a whole: [%s])", word);
}

int hint_doubt(const char *word, bool behind, char **ret_doubt)
{
    struct text doubt = {0};
    doubt_address(word, &doubt);
    if (behind)
        doubt_name(word, &doubt);
    if (!text_ok(&doubt)) {
        text_deinit(&doubt);
        return -ENOMEM;
    }
    *ret_doubt = doubt.data;
    return 0;
}
