/* SPDX-License-Identifier: BSD-2-Clause */
/* Lists of services. Names and ports are those of the IANA registry and of INTERFACE's presets. */
#include "app/services.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct service_rules tcp_rules = {.protocol = "tcp", .max = SERVICES_USUAL};
static const struct service_rules udp_rules = {.protocol = "udp", .max = SERVICES_USUAL};

/* The list as "22/tcp 53/udp", or the error in brackets. */
static void read_as_text(const char *words, const struct service_rules *rules, char *shown,
                         size_t cap)
{
    struct service_list list = {.count = 0};
    struct text error = {0};
    shown[0] = '\0';
    int r = services_read(words, rules, &list, &error);
    if (r < 0)
        (void)snprintf(shown, cap, "[%s]", error.data != NULL ? error.data : "no reason");
    for (size_t i = 0; r == 0 && i < list.count; i++) {
        size_t len = strlen(shown);
        const char *gap = i > 0 ? " " : "";
        if (list.items[i].port == 0)
            (void)snprintf(shown + len, cap - len, "%sicmp", gap);
        else
            (void)snprintf(shown + len, cap - len, "%s%u/%s", gap, list.items[i].port,
                           list.items[i].protocol);
    }
    text_deinit(&error);
    services_deinit(&list);
}

Test(services, ports_names_ranges_and_presets_are_read)
{
    static const struct {
        const char *words;
        const char *list;
    } cases[] = {
        {"443", "443/tcp"},
        {"443/udp", "443/udp"},
        {"1", "1/tcp"},
        {"65535", "65535/tcp"},
        {"022", "22/tcp"},
        {"ssh,https", "22/tcp 443/tcp"},
        {"icmp", "icmp"},
        {"dns", "53/udp 53/tcp"},
        {"dns/tcp", "53/tcp"},
        {"3868/sctp", "3868/sctp"},
        {"3868-3869/SCTP,3868", "3868/sctp 3869/sctp 3868/tcp"},
        {"diameter", "3868/tcp"}, /* RFC 6733 §2.1: both; which one is meant has to be said */
        {"diameter/sctp", "3868/sctp"},
        {"m3ua,NGAP", "2905/sctp 38412/sctp"},
        {"ngap/tcp", "38412/tcp"},
        {"ntp", "123/udp"},
        {"quic", "443/udp"},
        {"isakmp", "500/udp"},
        {"ike", "500/udp"},
        {"8000-8003", "8000/tcp 8001/tcp 8002/tcp 8003/tcp"},
        {"8000-8001/udp", "8000/udp 8001/udp"},
        {"80-80", "80/tcp"},
        {"22,22,ssh", "22/tcp"},
        {"53/udp,53", "53/udp 53/tcp"},
        {"@web", "80/tcp 443/tcp 443/udp"},
        {"@mail", "25/tcp 465/tcp 587/tcp 993/tcp"},
        {"@db", "1433/tcp 3306/tcp 5432/tcp 6379/tcp 27017/tcp"},
        {"@remote", "22/tcp 3389/tcp 5900/tcp"},
        {"@dns", "53/udp 53/tcp 853/tcp"},
        {"@ad", "53/udp 88/tcp 389/tcp 445/tcp 636/tcp 3268/tcp"},
        {"@k8s", "6443/tcp 10250/tcp 2379/tcp"},
        {"SSH,Https", "22/tcp 443/tcp"},
        {"443/TCP,53/Udp", "443/tcp 53/udp"},
        {"ICMP", "icmp"},
        {"@WEB", "80/tcp 443/tcp 443/udp"},
        {"DNS/udp", "53/udp"},
        /* what --services says that UDP ports are asked */
        {"openvpn", "1194/udp"},
        {"ikev2", "500/udp"},
        {"ikev2-nat", "4500/udp"},
        {"netbios", "137/udp"},
        {"rdpeudp", "3389/udp"},
        {"IKEv2", "500/udp"},
        {"5353/dns", "5353/udp"},
        {"443/openvpn", "443/udp"},
        {"https/quic", "443/udp"},
        {"8000-8001/STUN", "8000/udp 8001/udp"},
        {"@common", "20/tcp 21/tcp 22/tcp 25/tcp 53/tcp 53/udp 80/tcp 123/udp 179/tcp 443/tcp "
                    "500/udp 587/tcp 3389/tcp"},
    };
    char shown[512];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        read_as_text(cases[i].words, &tcp_rules, shown, sizeof shown);
        cr_expect_str_eq(shown, cases[i].list, "%s: %s", cases[i].words, shown);
    }
}

Test(services, a_name_may_stand_for_another_question_than_its_port)
{
    struct service_list list = {.count = 0};
    struct text error = {0};
    cr_expect_eq(services_read("snmp,snmp2c", &tcp_rules, &list, &error), -EINVAL);
    cr_expect_str_eq(error.data,
                     "one port with two questions: snmp2c (ask one target after the other)");
    services_deinit(&list);
    text_deinit(&error);
    cr_expect_eq(services_read("snmp2c/tcp", &tcp_rules, &list, &error), -EINVAL);
    services_deinit(&list);
    text_deinit(&error);
    cr_assert_eq(services_read("snmp", &tcp_rules, &list, &error), 0);
    cr_expect_null(list.items[0].payload, "what its port says");
    services_deinit(&list);
    cr_assert_eq(services_read("snmp2c", &tcp_rules, &list, &error), 0);
    cr_expect_eq(list.items[0].port, 161);
    cr_expect_str_eq(list.items[0].protocol, "udp");
    cr_expect_str_eq(list.items[0].payload, "snmp2c");
    services_deinit(&list);
    text_deinit(&error);
}

/* The service at an index of a list. */
static void expect_asked(const char *words, const char *payload, const char *name)
{
    struct service_list list = {.count = 0};
    struct text error = {0};
    cr_assert_eq(services_read(words, &tcp_rules, &list, &error), 0, "%s", words);
    cr_expect_str_eq(list.items[0].protocol, "udp", "%s", words);
    if (payload == NULL)
        cr_expect_null(list.items[0].payload, "%s", words);
    else
        cr_expect_str_eq(list.items[0].payload, payload, "%s", words);
    cr_expect_str_eq(list.items[0].name, name, "%s", words);
    services_deinit(&list);
    text_deinit(&error);
}

Test(services, a_port_may_be_asked_in_another_protocol_than_its_usual_one)
{
    expect_asked("5353/dns", "dns", "dns");
    expect_asked("443/openvpn", "openvpn", "openvpn");
    expect_asked("12345/WireGuard", "wireguard", "wireguard");
    expect_asked("53/dns", NULL, "dns");
    expect_asked("500/ikev2", NULL, "isakmp");  /* as the port says anyway */
    expect_asked("9999/ike", "ikev2", "ikev2"); /* a name of a service says what it is asked */
    expect_asked("161/snmp2c", "snmp2c", "snmp2c");
    expect_asked("snmp/snmp2c", "snmp2c", "snmp2c");
    expect_asked("ikev2", NULL, "ikev2");
}

Test(services, an_unknown_name_is_answered_with_the_nearest)
{
    static const struct {
        const char *words;
        const char *error;
    } cases[] = {
        {"htps", "[unknown service: htps (did you mean https?)]"},
        {"Postgress", "[unknown service: Postgress (did you mean postgres?)]"},
        {"@comon", "[unknown preset: comon (did you mean common?)]"},
        {"443/tpc", "[unknown protocol: tpc (did you mean tcp?)]"},
        {"443/openvnp", "[unknown protocol: openvnp (did you mean openvpn?)]"},
        {"3868/sctpp", "[unknown protocol: sctpp (did you mean sctp?)]"},
        {"sctp", "[a protocol without a port: sctp (it stands behind one, as in 443/tcp)]"},
        {"UDP", "[a protocol without a port: UDP (it stands behind one, as in 443/tcp)]"},
        {"s:3868", "[the protocol stands behind the port: s:3868 (3868/sctp)]"},
        {"ss", "[unknown service: ss (did you mean ssh?)]"},
        {"completely-unknown", "[unknown service: completely-unknown (a port number, or a name "
                               "that --services or /etc/services lists)]"},
    };
    char shown[512];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        read_as_text(cases[i].words, &tcp_rules, shown, sizeof shown);
        cr_expect_str_eq(shown, cases[i].error, "%s", shown);
    }
}

Test(services, the_protocol_asked_for_holds_for_numbers_and_not_for_presets)
{
    char shown[512];
    read_as_text("443,8000-8001", &udp_rules, shown, sizeof shown);
    cr_expect_str_eq(shown, "443/udp 8000/udp 8001/udp");
    read_as_text("@remote", &udp_rules, shown, sizeof shown);
    cr_expect_str_eq(shown, "22/tcp 3389/tcp 5900/tcp");
}

Test(services, what_is_no_service_is_refused_by_name)
{
    static const char *const words[] = {
        "0",
        "65536",
        "99999999999999999999",
        "-1",
        "+80",
        "80x",
        "5x",
        "0x50",
        "80 ",
        " 80",
        "80,",
        ",80",
        "",
        "80,,443",
        "80-70",
        "80-",
        "-80",
        "80-x",
        "1-0",
        "0-5",
        "80--81",
        "80/dccp",
        "80/",
        "/tcp",
        "80/dsn",
        "80/own",
        "own",
        "icmp/dns",
        "22=closed",
        "@web=open",
        "@",
        "@nosuch",
        "no-such-name",
        "nan",
        "icmp/tcp",
        "80.5",
        "1e3",
        "443\n",
        "@web/tcp",
        "65530-65536",
    };
    char shown[512];
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        read_as_text(words[i], &tcp_rules, shown, sizeof shown);
        cr_expect_eq(shown[0], '[', "%s was taken: %s", words[i], shown);
        cr_expect_gt(strlen(shown), 10, "%s: no reason is given", words[i]);
    }
}

Test(services, errors_carry_no_control_bytes)
{
    char shown[512];
    read_as_text("\033[2J\007", &tcp_rules, shown, sizeof shown);
    for (const char *at = shown; *at != '\0'; at++)
        cr_expect_geq(*at, 0x20);
}

Test(services, no_more_than_allowed_are_taken)
{
    struct service_rules many = {.protocol = "tcp", .max = SERVICES_MANY};
    char shown[2048];
    read_as_text("1-16", &tcp_rules, shown, sizeof shown);
    cr_expect_neq(shown[0], '[');
    read_as_text("1-17", &tcp_rules, shown, sizeof shown);
    cr_expect_str_eq(shown, "[more than 16 services for one target (--many allows 64)]");
    read_as_text("1-64", &many, shown, sizeof shown);
    cr_expect_neq(shown[0], '[');
    read_as_text("1-65", &many, shown, sizeof shown);
    cr_expect_eq(shown[0], '[');
    read_as_text("1-65535", &many, shown, sizeof shown);
    cr_expect_eq(shown[0], '[');
}
