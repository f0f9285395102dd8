/* SPDX-License-Identifier: BSD-2-Clause */
/* Expectations and limits: what is noted where, and that nonsense is refused in one line. */
#include "app/expect.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

static const struct target_rules rules = {.services = {.protocol = "tcp", .max = SERVICES_USUAL}};

static struct target_list targets;

static void open_targets(void)
{
    static const char *const words[] = {"web", ":443", ":22", ":53/udp", "db", ":22"};
    struct text error = {0};
    targets = (struct target_list){0};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        cr_assert_eq(targets_read(words[i], &rules, &targets, &error), 0);
    cr_assert_eq(targets_finish(&targets, &rules, &error), 0);
    text_deinit(&error);
}

static void close_targets(void)
{
    targets_deinit(&targets);
}

TestSuite(expect, .init = open_targets, .fini = close_targets);

static const struct service *service(size_t target, const char *protocol, uint16_t port)
{
    const struct service_list *list = &targets.items[target].services;
    for (size_t i = 0; i < list->count; i++) {
        if (list->items[i].port == port && strcmp(list->items[i].protocol, protocol) == 0)
            return &list->items[i];
    }
    cr_assert_fail("no %u/%s", port, protocol);
    return NULL;
}

static int read_words(const char *words, struct text *error)
{
    return expect_read(words, &rules.services, &targets, error);
}

Test(expect, a_state_is_noted_at_every_target_that_has_the_service)
{
    struct text error = {0};
    cr_assert_eq(read_words("22=closed,443=open,53/udp=open_or_filtered", &error), 0);
    cr_expect_eq(service(0, "tcp", 22)->expect, SONDE_STATE_BIT(SONDE_STATE_CLOSED));
    cr_expect_eq(service(1, "tcp", 22)->expect, SONDE_STATE_BIT(SONDE_STATE_CLOSED));
    cr_expect_eq(service(0, "tcp", 443)->expect, SONDE_STATE_BIT(SONDE_STATE_OPEN));
    cr_expect_eq(service(0, "udp", 53)->expect, SONDE_STATE_BIT(SONDE_STATE_OPEN_OR_FILTERED));
    cr_expect_eq(service(0, "icmp", 0)->expect, 0);
    cr_expect(service(0, "icmp", 0)->control);
    text_deinit(&error);
}

Test(expect, names_are_understood_and_a_control_of_which_something_is_expected_is_none)
{
    struct text error = {0};
    cr_assert_eq(read_words("ssh=filtered,icmp=up", &error), 0);
    cr_expect_eq(service(1, "tcp", 22)->expect, SONDE_STATE_BIT(SONDE_STATE_FILTERED));
    cr_expect_eq(service(0, "icmp", 0)->expect, SONDE_STATE_BIT(SONDE_STATE_OPEN));
    cr_expect_not(service(0, "icmp", 0)->control);
    text_deinit(&error);
}

Test(expect, alternatives_and_the_opposite_are_understood)
{
    struct text error = {0};
    cr_assert_eq(read_words("22=closed|filtered,443=!open", &error), 0);
    cr_expect_eq(service(0, "tcp", 22)->expect,
                 SONDE_STATE_BIT(SONDE_STATE_CLOSED) | SONDE_STATE_BIT(SONDE_STATE_FILTERED));
    cr_expect_eq(service(0, "tcp", 443)->expect & SONDE_STATE_BIT(SONDE_STATE_OPEN), 0);
    cr_expect_eq(service(0, "tcp", 443)->expect & SONDE_STATE_BIT(SONDE_STATE_UNKNOWN), 0,
                 "what could not be measured is not what anybody expects");
    cr_expect_neq(service(0, "tcp", 443)->expect & SONDE_STATE_BIT(SONDE_STATE_UNREACHABLE), 0);
    text_deinit(&error);
}

/* In either order; among equals the later one holds. */
Test(expect, what_is_wanted_of_one_target_outweighs_what_is_wanted_of_all)
{
    static const char *const words[] = {"22=closed,DB:22=open", "db:22=open,:22=closed",
                                        "db:22=closed,22=closed,db:ssh=open,22=open,22=closed"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        struct text error = {0};
        cr_assert_eq(read_words(words[i], &error), 0, "%s: %s", words[i], error.data);
        cr_expect_eq(service(0, "tcp", 22)->expect, SONDE_STATE_BIT(SONDE_STATE_CLOSED));
        cr_expect_eq(service(1, "tcp", 22)->expect, SONDE_STATE_BIT(SONDE_STATE_OPEN));
        text_deinit(&error);
        close_targets();
        open_targets();
    }
}

Test(expect, an_address_is_the_same_however_it_is_written)
{
    struct text error = {0};
    cr_assert_eq(targets_read("[2001:db8::1]:25", &rules, &targets, &error), 0);
    cr_assert_eq(read_words("[2001:DB8:0:0::1]:25=closed", &error), 0, "%s", error.data);
    cr_expect_eq(service(2, "tcp", 25)->expect, SONDE_STATE_BIT(SONDE_STATE_CLOSED));
    text_deinit(&error);
}

/* dns is 53/udp and 53/tcp; who asks only one of them says what is wanted of that. */
Test(expect, of_a_name_for_two_protocols_one_is_enough)
{
    struct text error = {0};
    cr_assert_eq(read_words("dns=open", &error), 0, "%s", error.data);
    cr_expect_eq(service(0, "udp", 53)->expect, SONDE_STATE_BIT(SONDE_STATE_OPEN));
    text_deinit(&error);
    cr_expect_eq(read_words("443-444=open", &error), -EINVAL, "nobody looks at 444");
    text_deinit(&error);
}

Test(expect, what_is_no_expectation_is_refused_in_one_line_that_names_it)
{
    static const char *const wrong[] = {
        "",
        "22",
        "22=",
        "=open",
        "22=ajar",
        "22=unknown",
        "22=OPEN",
        "99=open",
        "22=closed,",
        ",22=open",
        "0=open",
        "70000=open",
        "22==open",
        "22=open=open",
        "nope=open",
        "22=\033[1m",
        "22=!",
        "22=open|",
        "22=open|ajar",
        "22=closed|!open",
        "web2:22=open",
        "db:443=open",
        "web:99=open",
        "web:22",
        "web:=open",
        "2001:db8::1:22=open",
        "[2001:db8::1]22=open",
        "[2001:db8::1]:22=open",
        "web:22:23=open",
        "db:22=open,22",
        "22=!open|closed|filtered|rejected|open_or_filtered|unreachable",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct text error = {0};
        cr_expect_eq(read_words(wrong[i], &error), -EINVAL, "%s", wrong[i]);
        cr_expect(error.len > 10 && strchr(error.data, '\n') == NULL, "%s", wrong[i]);
        cr_expect_eq(strncmp(error.data, "--expect: ", 10), 0, "%s", error.data);
        cr_expect_null(strchr(error.data, '\033'));
        text_deinit(&error);
    }
}

/* Which of several it is that nobody has, and where a mistake was made. */
Test(expect, a_mistake_is_said_to_be_in_expect_and_names_what_is_missing)
{
    static const struct {
        const char *words;
        const char *error;
    } cases[] = {
        {"22-23=closed", "--expect: no target has the service: 23/tcp (name it there too)"},
        {"web:@remote=closed",
         "--expect: that target has no such service: 3389/tcp (name it there too)"},
        {"99=open", "--expect: no target has the service: 99 (name it there too)"},
        {"@mail=open", "--expect: no target has the service: @mail (name it there too)"},
        {"nosuchservice=open", "--expect: unknown service: nosuchservice (a port number, or a name "
                               "that --services or /etc/services lists)"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct text error = {0};
        cr_expect_eq(read_words(cases[i].words, &error), -EINVAL);
        cr_expect_str_eq(error.data, cases[i].error);
        text_deinit(&error);
    }
}

Test(expect, limits_are_milliseconds_and_percent)
{
    static const struct {
        const char *words;
        sonde_ns rtt_ns;
        double loss;
    } right[] = {
        {"100,5%", 100 * SONDE_NS_PER_MS, 0.05}, {"0.5,0.25%", 500 * SONDE_NS_PER_US, 0.0025},
        {"20", 20 * SONDE_NS_PER_MS, 1},         {",5", 0, 0.05},
        {"7,0%", 7 * SONDE_NS_PER_MS, 0},        {",100%", 0, 1},
    };
    for (size_t i = 0; i < sizeof right / sizeof *right; i++) {
        struct sonde_limits limits = {0};
        cr_expect_eq(expect_read_limits(right[i].words, &limits), 0, "%s", right[i].words);
        cr_expect(limits.set);
        cr_expect_eq(limits.rtt_ns, right[i].rtt_ns, "%s", right[i].words);
        cr_expect_float_eq(limits.loss_ratio, right[i].loss, 1e-12, "%s", right[i].words);
    }
}

Test(expect, what_are_no_limits_is_refused)
{
    static const char *const wrong[] = {
        "",    ",",   "100,",   "100,%", "100,5%%", "100,101%", "-1,5%", "1e3",
        "nan", "inf", "100,-5", "0,5%",  "1 2",     "1,2,3",    "+5",    "99999999999"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct sonde_limits limits = {0};
        cr_expect_eq(expect_read_limits(wrong[i], &limits), -EINVAL, "%s", wrong[i]);
        cr_expect_not(limits.set);
    }
}
