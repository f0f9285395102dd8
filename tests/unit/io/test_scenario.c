/* SPDX-License-Identifier: BSD-2-Clause */
/* Scenario files: what they say is what is read, and what is no scenario is refused by line. */
#include "base/text.h"
#include "io/sim/scenario.h"
#include "wire/ip.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static int parse(const char *text, struct sim_scenario **ret_scenario, struct sim_error *error)
{
    return scenario_parse((struct sonde_span){(const uint8_t *)text, strlen(text)}, ret_scenario,
                          error);
}

Test(scenario, every_statement_is_read)
{
    static const char text[] =
        "# a comment\n"
        "seed 42\n"
        "start 1985-04-12T23:20:50Z # RFC 3339 section 5.8\n"
        "vantage laptop 192.0.2.1 2001:db8::1 interface=eth7\r\n"
        "router r1 10.0.0.1 delay=1.5ms jitter=20us limit=2 burst=6 ttl=64 quote=8 silent\n"
        "router r2 2001:db8::2 mpls=16001/5/200,7 legacy ifname=ge-0 from=10.9.9.9\n"
        "host gone 203.0.113.9 dead\n"
        "host web 203.0.113.1 tcp:443=open udp:*=closed no-timestamps tcp:179=open/255 "
        "udp:53=dns/60?12:07..?*:00 tcp:8080=to:gone stateless\n"
        "path web { r1 | r2 } r1\n"
        "at 5s path web r1 loop r2\n"
        "back web r2 { r1 | r2 }\n"
        "rule r1 reject tcp:25 code=9 hook=prerouting from=1s until=2s\n"
        "rule r2 drop any dir=back mask=101 chance=30%\n"
        "rule laptop fail=EPERM udp:53\n"
        "rule r1 answer syn:443 ttl=61 limit=3/10s burst=4 bursts=200ms/5s\n"
        "nat r1 198.51.100.1 port=+1000\n"
        "resolve web.example 203.0.113.1 2001:db8::1 delay=3s\n"
        "resolve none.example delay=1ms\n"
        "name 10.0.0.1 r1.example";
    struct sim_scenario *scenario = NULL;
    struct sim_error error;
    cr_assert_eq(parse(text, &scenario, &error), 0, "%u: %s", error.line, error.text);
    cr_expect_eq(scenario->seed, 42);
    cr_expect_eq(scenario->wall_start_ns, 482196050 * SONDE_NS_PER_S); /* 5580 d + 84050 s */
    cr_expect_str_eq(scenario->hostname, "laptop");
    cr_expect_str_eq(scenario->interface, "eth7");
    cr_expect_eq(scenario->vantage6.family, SONDE_FAMILY_IPV6);

    cr_assert_eq(scenario->node_count, 4);
    cr_expect(scenario->nodes[2].dead);
    const struct sim_node *r1 = &scenario->nodes[0];
    cr_expect_eq(r1->delay_ns, 1500 * SONDE_NS_PER_US);
    cr_expect_eq(r1->jitter_ns, 20 * SONDE_NS_PER_US);
    cr_expect(r1->limit.interval_ns == SONDE_NS_PER_S / 2 && r1->limit.burst == 6 &&
              r1->initial_ttl == 64 && r1->quote_bytes == 8);
    cr_expect(r1->silent && !r1->is_host);
    cr_expect_eq(r1->nat4.bytes[0], 198);
    cr_expect_eq(r1->nat_port_shift, 1000);
    const struct sim_node *r2 = &scenario->nodes[1];
    cr_assert_eq(r2->ext.count, 2);
    cr_expect_eq(r2->ext.items[0].u.mpls.labels[0].label, 16001);
    cr_expect_eq(r2->ext.items[0].u.mpls.labels[0].tc, 5);
    cr_expect_eq(r2->ext.items[0].u.mpls.labels[0].ttl, 200);
    cr_expect_eq(r2->ext.items[0].u.mpls.labels[0].bos, 0);
    cr_expect_eq(r2->ext.items[0].u.mpls.labels[1].bos, 1);
    cr_expect_str_eq(r2->ext.items[1].u.interface.name, "ge-0");
    cr_expect(r2->legacy);
    cr_expect_eq(r2->from4.bytes[0], 10);
    const struct sim_node *web = &scenario->nodes[3];
    cr_expect(web->is_host && web->no_timestamps && web->stateless && !web->dead);
    cr_assert_eq(web->port_count, 5);
    cr_expect_str_eq(web->ports[3].only, "?12:07..?*:00");
    cr_expect(web->ports[3].initial_ttl == 60 && web->ports[3].state == SIM_PORT_REPLY);
    cr_expect(web->ports[4].state == SIM_PORT_TO && web->ports[4].to == 2);
    cr_expect_eq(web->ports[1].protocol, IP_PROTO_UDP);
    cr_expect_eq(web->ports[1].port, 0);
    cr_expect(web->ports[0].initial_ttl == 0 && web->ports[2].initial_ttl == 255);

    cr_assert_eq(scenario->path_count, 3);
    const struct sim_path *path = &scenario->paths[0]; /* { r1 | r2 } r1 */
    cr_assert_eq(path->step_count, 6);
    cr_expect(path->steps[0].kind == SIM_STEP_OPEN && path->steps[0].alternatives == 2);
    cr_expect(path->steps[0].next == 2 && path->steps[2].kind == SIM_STEP_OR);
    cr_expect(path->steps[2].next == 4 && path->steps[4].kind == SIM_STEP_CLOSE);
    cr_expect(path->steps[3].kind == SIM_STEP_NODE && path->steps[3].node == 1);
    cr_expect_eq(scenario->paths[1].from_ns, 5 * SONDE_NS_PER_S);
    cr_expect(scenario->paths[1].steps[1].loop_start);
    cr_expect(scenario->paths[2].back && !scenario->paths[1].back);

    cr_assert_eq(scenario->rule_count, 4);
    cr_expect(scenario->rules[0].prerouting && scenario->rules[0].code == 9);
    cr_expect_eq(scenario->rules[0].port, 25);
    cr_expect_eq(scenario->rules[0].until_ns, 2 * SONDE_NS_PER_S);
    cr_expect(scenario->rules[1].back && scenario->rules[1].mask_len == 3);
    cr_expect_eq(scenario->rules[1].mask, 5); /* bits 0 and 2 */
    cr_expect_eq(scenario->rules[1].chance_ppm, 300000);
    cr_expect(scenario->rules[2].node == SIM_NODE_VANTAGE && scenario->rules[2].error == EPERM);
    const struct sim_rule *rule = &scenario->rules[3];
    cr_expect(rule->what == SIM_SYN && rule->port == 443 && rule->ttl == 61);
    cr_expect(rule->limit.interval_ns == 10 * SONDE_NS_PER_S / 3 && rule->limit.burst == 4);
    cr_expect_eq(rule->burst_ns, 200 * SONDE_NS_PER_MS);
    cr_expect_eq(rule->pause_ns, 5 * SONDE_NS_PER_S);
    cr_assert_eq(scenario->name_count, 4);
    cr_expect_eq(scenario->names[0].delay_ns, 3 * SONDE_NS_PER_S);
    cr_expect_eq(scenario->names[1].delay_ns, 3 * SONDE_NS_PER_S);
    cr_expect_eq(scenario->names[2].addr.family, SONDE_FAMILY_NONE);
    cr_expect_eq(scenario->names[2].delay_ns, SONDE_NS_PER_MS);
    cr_expect_eq(scenario->names[3].delay_ns, 0);
    cr_expect(scenario->names[3].reverse);
    scenario_free(scenario);
}

Test(scenario, what_is_no_scenario_is_refused_with_its_line)
{
    static const char *const lines[] = {
        "nonsense",
        "seed",
        "seed x",
        "seed 1 2",
        "start yesterday",
        "start 2026-13-01T00:00:00Z",
        "router",
        "router r 10.0.0.1", /* r is there already */
        "router x 10.0.0.256",
        "router x delay=5",
        "router x delay=5m",
        "router x delay=-5ms",
        "router x delay=99999999999s",
        "router x ttl=256",
        "router x mpls=",
        "router x mpls=1048576",
        "router x mpls=1/8",
        "router x mpls=1/2/3/4",
        "router x frobnicate",
        "router x frobnicate=1",
        "router x tcp:1=open", /* routers have no ports */
        "host x tcp:1=ajar",
        "host x tcp:65536=open",
        "host x tcp:1=open?0:00", /* TCP asks nothing */
        "host x udp:1=echo?",
        "host x udp:1=echo?0",
        "host x udp:1=echo?0:",
        "host x udp:1=echo?0:0",
        "host x udp:1=echo?0:.0",
        "host x udp:1=echo?x:00",
        "host x udp:1=echo?0:00?",
        "host x udp:1=?0:00",
        "host x udp:1=to:",
        "host x udp:1=to:r", /* no host */
        "host x udp:1=to:x",
        "router x dead",
        "host x tcp:1=open/256",
        "host x tcp:1=open/",
        "host x udp:1=open",
        "host x dccp:1=open",
        "path",
        "path r",
        "path nobody r",
        "path h nobody",
        "path h { r",
        "path h r }",
        "path h | r",
        "path h { { r }",
        "path h { { r } } }",
        "path h { { { { { { { { { r } } } } } } } } }", /* nine deep */
        "path h loop r { r }",
        "path h loop",
        "back",
        "back r",
        "back h loop r",
        "path h loop r loop r",
        "path h { loop r }",
        "at 1s",
        "at x path h r",
        "at 1s rule r drop any",
        "rule r",
        "rule r drop",
        "rule nobody drop any",
        "rule r explode any",
        "rule r drop=1 any",
        "rule r hold any",
        "rule r hold=1 any",
        "rule r truncate=x any",
        "rule r drop everything",
        "rule r drop tcp:x",
        "rule r drop any hook=output",
        "rule r drop any dir=up",
        "rule r drop any mask=",
        "rule r drop any mask=2",
        "rule r drop any mask=00000000000000000000000000000000000000000000000000000000000000000",
        "rule r drop any chance=50",
        "rule r drop any chance=101%",
        "rule r reject any code=256",
        "rule r answer syn:x",
        "rule r answer synx",
        "rule r answer any ttl=256",
        "rule r drop any limit=0",
        "rule r drop any limit=5/",
        "rule r drop any limit=5/3",
        "rule r drop any limit=5/2ns",
        "rule r drop any burst=x",
        "rule r drop any burst=0",
        "router x burst=0",
        "rule r drop any bursts=5s",
        "rule r drop any bursts=5s/",
        "rule r drop any bursts=999us/1s",
        "rule r drop any bursts=1s/1us",
        "router x limit=0",
        "rule h drop any dir=back", /* nothing comes back through a host */
        "rule r fail=EPERM any",    /* only sending can fail */
        "rule v drop any",
        "rule v fail any",
        "rule v fail=1 any",
        "rule v fail=EPERM any dir=back",
        "nat r",
        "nat r x",
        "nat nobody 10.0.0.9",
        "nat r 10.0.0.9 port=1",
        "resolve a",
        "resolve a b",
        "resolve a 1.2.3.4 delay=",
        "resolve a delay=1s 1.2.3.4",
        "resolve a 1.2.3.4 delay=1s delay=1s",
        "name 1.2.3.4 a delay=1s",
        "name 10.0.0.1",
        "name r 10.0.0.1",
        "name 10.0.0.1 a b",
        "vantage x",
        "vantage x y",
        "router abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopq",
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        char text[512];
        struct sim_scenario *scenario = NULL;
        struct sim_error error = {0};
        (void)snprintf(text, sizeof text,
                       "vantage v 192.0.2.1\nrouter r 10.0.0.1\nhost h 10.0.0.2\n"
                       "%s\n",
                       lines[i]);
        cr_expect_eq(parse(text, &scenario, &error), -EINVAL, "taken: %s", lines[i]);
        cr_expect_eq(error.line, 4, "%s: line %u", lines[i], error.line);
        cr_expect_gt(strlen(error.text), 5, "%s", lines[i]);
        scenario_free(scenario);
    }
}

Test(scenario, a_network_without_a_vantage_is_refused)
{
    struct sim_scenario *scenario = NULL;
    struct sim_error error = {.line = 9};
    cr_expect_eq(parse("router r 10.0.0.1\n", &scenario, &error), -EINVAL);
    cr_expect_eq(error.line, 0);
    cr_expect_eq(parse("", &scenario, &error), -EINVAL);
}

Test(scenario, errors_carry_no_control_bytes)
{
    struct sim_scenario *scenario = NULL;
    struct sim_error error = {0};
    cr_expect_eq(parse("\033[2J\007 x\n", &scenario, &error), -EINVAL);
    for (const char *at = error.text; *at != '\0'; at++)
        cr_expect_geq(*at, 0x20);
}

/*
 * An error is 255 bytes at most, and a word in it is shown up to its 64th. "unknown statement: "
 * are 19, so there are 236 for the word, in which a byte that is no UTF-8 takes four.
 */
Test(scenario, of_what_is_too_long_for_an_error_no_escape_and_no_code_point_is_cut)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijk";
    char foreign[65] = "";
    memset(foreign, 0xff, 64);
    static const struct {
        const char *before; /* the bytes of the word that are none */
        const char *behind;
        unsigned bytes; /* that are */
        unsigned shown_bytes;
        const char *shown_behind;
    } cases[] = {
        {"", "", 64, 59, ""},                 /* 59 times 4 are 236 */
        {"ab", "", 62, 58, ""},               /* 58 times 4 of 234, and two are left */
        {"", "ab\342\202\254", 58, 58, "ab"}, /* two are left, and U+20AC takes three */
        {letters, "\303\274", 0, 0, ""},      /* these are 63, and U+00FC takes two */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sim_scenario *scenario = NULL;
        struct sim_error error = {0};
        struct text word = {0};
        struct text shown = {0};
        text_addf(&word, "%s%.*s%s", cases[i].before, (int)cases[i].bytes, foreign,
                  cases[i].behind);
        text_addf(&shown, "unknown statement: %s", cases[i].before);
        for (unsigned k = 0; k < cases[i].shown_bytes; k++)
            text_add(&shown, "\\255");
        text_add(&shown, cases[i].shown_behind);
        cr_assert_eq(parse(word.data, &scenario, &error), -EINVAL);
        cr_expect_str_eq(error.text, shown.data, "case %zu", i);
        text_deinit(&word);
        text_deinit(&shown);
    }
}

Test(scenario, overlong_lines_and_nul_bytes_are_refused)
{
    static char text[20000];
    struct sim_scenario *scenario = NULL;
    struct sim_error error = {0};
    memset(text, ' ', sizeof text - 1);
    cr_expect_eq(parse(text, &scenario, &error), -EINVAL);
    const struct sonde_span nul = {(const uint8_t *)"seed\0 1\n", 8};
    cr_expect_eq(scenario_parse(nul, &scenario, &error), -EINVAL);
}

Test(scenario, the_demonstration_is_one)
{
    struct sim_scenario *scenario = NULL;
    struct sim_error error;
    cr_assert_eq(scenario_parse(scenario_demo, &scenario, &error), 0, "%u: %s", error.line,
                 error.text);
    scenario_free(scenario);
}
