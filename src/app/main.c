/* SPDX-License-Identifier: BSD-2-Clause */
/* clang-format off */
/*
 * sonde: a ping and traceroute for services.
 *
 * This is the map of the house, from the roof down. A floor includes only floors below it;
 * ARCHITECTURE.md says which.
 *
 *   app        the program: this file, the command line (options, command, help), what is to be
 *              probed (targets, services), and one run from sockets to report (run)
 *   report     what a snapshot looks like: text, JSON
 *   record     a record of a run as JSON Lines, and back
 *   run        libsonde's public face: joins engine, transport, names and analysis
 *   analyze    what the tally means: states and verdicts
 *   engine     what to ask when, and which answer belongs to which question; the tally of records
 *   probe      how ICMP, UDP, TCP and SCTP ask, and what counts as their answer
 *   payload    what UDP services are asked, each in its own protocol
 *   io         what touches the world: linux (sockets), sim (a simulated network), system (names)
 *   wire       packets: bytes to fields and back
 *   sys        capabilities, sandbox, signals, randomness
 *   base       bytes, text, time, memory
 */
/* clang-format on */
#include "app/doctor.h"
#include "app/known.h"
#include "app/options.h"
#include "app/print.h"
#include "app/replay.h"
#include "app/run.h"
#include "base/time.h"
#include "record/record.h"
#include "report/report.h"
#include "sys/privilege.h"
#include "version.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* A descriptor that is closed at the start would be given to the first socket. What cannot be read
 * or written then stays so: a result that nobody gets is an error. */
static bool open_standard_streams(void)
{
    static const int flags[] = {O_WRONLY, O_RDONLY, O_RDWR};
    int fd = STDIN_FILENO;
    while (fd >= 0 && fd <= STDERR_FILENO) {
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
            fd = open("/dev/null", flags[fd]);
        fd += fd >= 0;
    }
    return fd >= 0;
}

static enum sonde_exit print_text(struct text *text)
{
    enum sonde_exit status =
        print_bytes(text->data, text->len) < 0 ? SONDE_EXIT_INTERNAL : SONDE_EXIT_MET;
    text_deinit(text);
    return status;
}

static void add_schema(struct text *text, const struct sonde_span *schema)
{
    text_add_bytes(text, (const char *)schema->data, schema->len);
}

static enum sonde_exit dispatch(const struct command *command)
{
    struct text text = {0};
    switch (command->kind) {
    case COMMAND_HELP:
        command_help(&text);
        return print_text(&text);
    case COMMAND_VERSION:
        text_addf(
            &text,
            "sonde %s\nreport schema sonde.report/1, event schema sonde.event/1\nBSD-2-Clause\n",
            SONDE_VERSION);
        return print_text(&text);
    case COMMAND_SERVICES:
        known_print(&text);
        return print_text(&text);
    case COMMAND_SCHEMA:
        add_schema(&text, command->is_event_schema ? &record_schema : &report_schema);
        return print_text(&text);
    case COMMAND_DOCTOR:
        return doctor();
    case COMMAND_RUN:
        break;
    }
    return command->replay != NULL ? replay(command) : run(command);
}

int main(int argc, char **argv)
{
    const sonde_ns began_ns = sonde_clock_ns();
    struct command command;
    struct text error = {0};
    if (!open_standard_streams())
        return SONDE_EXIT_INTERNAL;
    if (privilege_is_lent())
        return (int)doctor_refuse_lent();
    if (privilege_become_caller() < 0) {
        (void)fprintf(stderr, "sonde: cannot become the user who called sudo\n");
        return SONDE_EXIT_INTERNAL;
    }
    int r = command_parse(argc, argv, &command, &error);
    if (r < 0) {
        (void)fprintf(stderr, "sonde: %s\n", error.data != NULL ? error.data : "out of memory");
        text_deinit(&error);
        return r == -EINVAL ? SONDE_EXIT_USAGE : SONDE_EXIT_INTERNAL;
    }
    command.options.plan.began_ns = began_ns;
    if (command.options.plan.deadline_ns > 0 && !command.options.simulation.virtual_time)
        command.until_ns = ns_add(began_ns, command.options.plan.deadline_ns);
    enum sonde_exit status = dispatch(&command);
    command_deinit(&command);
    return (int)status;
}
