/* SPDX-License-Identifier: BSD-2-Clause */
/* What --help prints, from the table of options. */
#include "app/numbers.h"
#include "app/options.h"

#include <string.h>

/* " (30)": what an option is if it is not given. Where that is nothing, 0 is none of its values. */
static void add_default(struct text *text, enum sonde_option number)
{
    const struct sonde_bounds *bounds = sonde_option_bounds(number);
    if (bounds == NULL || bounds->standard < bounds->least)
        return;
    text_add(text, " (");
    numbers_add(text, number, bounds->standard);
    if (number == SONDE_OPTION_INTERVAL) {
        text_add(text, "; without -c ");
        numbers_add(text, number, COMMAND_INTERVAL_MS * SONDE_NS_PER_MS);
    }
    text_add(text, ")");
}

static void help_group(struct text *text, const char *group)
{
    text_addf(text, "\n%s:\n", group);
    for (size_t i = 0; options_at(i) != NULL; i++) {
        const struct option_line *line = options_at(i);
        struct text spelling = {0};
        if (strcmp(line->group, group) != 0)
            continue;
        if (line->letter != 0)
            text_addf(&spelling, "-%c", line->letter);
        else
            text_add(&spelling, "  ");
        if (line->name != NULL)
            text_addf(&spelling, "%s --%s", line->letter != 0 ? "," : " ", line->name);
        if (line->argument != NULL)
            text_addf(&spelling, line->is_optional ? "[=%s]" : " %s", line->argument);
        text_addf(text, "  %-26s %s", spelling.data != NULL ? spelling.data : "", line->help);
        add_default(text, line->number);
        text_add(text, "\n");
        text_deinit(&spelling);
    }
}

void command_help(struct text *text)
{
    text_add(text, "Usage: sonde [OPTION...] TARGET [:SERVICE | PORT]... [TARGET ...]\n"
                   "Ping and trace a host and its services: which port answers, and if not, where\n"
                   "on the way it stops.\n"
                   "\n"
                   "  sonde example.com                     the host (icmp)\n"
                   "  sonde example.com:443                 443/tcp, with icmp as control\n"
                   "  sonde example.com 443 :ssh 53/udp     several services of one host\n"
                   "  sonde -r -c 100 db1 :5432 web1 @web   two hosts, a report for a ticket\n"
                   "  sonde -j example.com:443 | jq .       for programs\n");
    const char *last = "";
    for (size_t i = 0; options_at(i) != NULL; i++) {
        const char *group = options_at(i)->group;
        if (strcmp(group, last) != 0)
            help_group(text, group);
        last = group;
    }
    text_add(text, "\n"
                   "Exit status: 0 every service answers; 1 at least one does not; 2 usage error,\n"
                   "nothing sent; 3 something could not be measured; 4 internal error.\n");
}
