/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One run; see app/run.h. Its order is what keeps it safe: arguments are read first, so that a
 * mistake sends nothing; sockets are opened, and then every privilege is given up and the sandbox
 * is closed, before a name is looked up or a byte from outside is read.
 */
#include "app/run.h"

#include "app/doctor.h"
#include "app/expect.h"
#include "app/files.h"
#include "app/progress.h"
#include "app/question.h"
#include "base/time.h"
#include "report/report.h"
#include "sys/host.h"
#include "sys/privilege.h"
#include "sys/sandbox.h"
#include "sys/signal.h"

#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum {
    COLUMNS_MIN = 60,
    COLUMNS_PIPE = 100, /* what a ticket or a mail shows without breaking lines */
};

/* From cycle to cycle of a report for which nobody chose how many: three of them, and what they
 * take to be told apart from chance, are there after little more than a second. */
static const sonde_ns REPORT_INTERVAL_NS = 500 * SONDE_NS_PER_MS;

/* A run and what it owns. Each step returns EXIT_MET to go on, or the exit code to end with. */
struct run {
    const struct command *command;
    struct target_list targets;
    char *scenario; /* the text of --simulate; NULL = none, or the built-in one */
    size_t scenario_bytes;
    struct question question;
    struct sonde_session *session;
};

/* Say why on standard error, in one line. @return code. */
static int complain(int code, const char *what)
{
    (void)fprintf(stderr, "sonde: %s\n", what != NULL ? what : "out of memory");
    return code;
}

/* The exit code for a failure before anything was measured. */
static int fail(int error, const char *what)
{
    return complain(error == -EINVAL  ? EXIT_USAGE
                    : error == -ETIME ? EXIT_UNMEASURED
                                      : EXIT_INTERNAL,
                    what);
}

int run_write(const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t written = write(STDOUT_FILENO, bytes, len);
        if (written >= 0) {
            bytes += written;
            len -= (size_t)written;
            continue;
        }
        int error = errno;
        if (error == EPIPE)
            return 0;
        if (error != EINTR) {
            const char *reason = strerrordesc_np(error);
            (void)fprintf(stderr, "sonde: cannot write the result: %s\n",
                          reason != NULL ? reason : "?");
            return -error;
        }
    }
    return 0;
}

static int read_target_file(struct run *run, const char *path, struct text *error)
{
    char *bytes = NULL;
    size_t len = 0;
    int r = file_read(path, run->command->until_ns, &bytes, &len, error);
    if (r == 0)
        r = targets_read_file(bytes, len, path, &run->command->rules, &run->targets, error);
    free(bytes);
    return r;
}

static int read_targets(struct run *run)
{
    const struct command *command = run->command;
    struct text error = {0};
    int r = 0;
    for (size_t i = 0; r == 0 && i < command->word_count; i++)
        r = targets_read(command->words[i], &command->rules, &run->targets, &error);
    for (size_t i = 0; r == 0 && i < command->file_count; i++)
        r = read_target_file(run, command->files[i], &error);
    if (r == 0)
        r = targets_finish(&run->targets, &command->rules, &error);
    if (r == 0 && command->expect != NULL)
        r = expect_read(command->expect, &command->rules.services, &run->targets, &error);
    if (r == 0)
        r = question_read(command, &run->targets, &run->question, &error);
    int status = r < 0 ? fail(r, error.data) : EXIT_MET;
    text_deinit(&error);
    return status;
}

static int read_scenario(struct run *run)
{
    const char *path = run->command->simulate;
    struct text error = {0};
    if (path == NULL || strcmp(path, "demo") == 0)
        return EXIT_MET;
    int r = file_read(path, run->command->until_ns, &run->scenario, &run->scenario_bytes, &error);
    int status = r < 0 ? fail(r, error.data) : EXIT_MET;
    text_deinit(&error);
    return status;
}

static int complain_of_privilege(void)
{
    struct text words = {0};
    text_add(&words, "raw sockets are not permitted; allow them with: ");
    doctor_add_setcap(&words);
    text_add(&words, " (or see sonde --doctor)");
    int status = complain(EXIT_UNMEASURED, words.data);
    text_deinit(&words);
    return status;
}

/* What helps against an error of this system's. */
static void add_remedy(struct text *words, int error)
{
    if (error == -EMFILE)
        text_addf(words, "; allow more with: ulimit -n %d", HOST_FILES_NEEDED);
}

static int complain_of_session(const struct run *run, int error, const char *reason)
{
    struct text words = {0};
    if (error == -EPERM)
        return complain_of_privilege();
    if (run->scenario != NULL && error == -EINVAL) {
        const char *path = run->command->simulate;
        text_add_untrusted(&words, path, strlen(path));
        text_add(&words, ": ");
    }
    text_add(&words, reason);
    add_remedy(&words, error);
    bool configuration =
        error == -EINVAL || error == -ENODEV || error == -EADDRINUSE || error == -EACCES;
    int status = complain(configuration      ? EXIT_USAGE
                          : error == -ENOMEM ? EXIT_INTERNAL
                                             : EXIT_UNMEASURED,
                          words.data);
    text_deinit(&words);
    return status;
}

/* Open the sockets, and be without any privilege, and in the sandbox, ever after. */
static int open_session(struct run *run)
{
    struct sonde_options options = run->command->options;
    struct sonde_error error;
    if (options.cycles == 0 && options.interval_ns == 0)
        options.interval_ns = REPORT_INTERVAL_NS;
    enum sonde_family family = targets_family(&run->targets);
    if (options.family == SONDE_FAMILY_NONE && options.source == NULL)
        options.family = family;       /* so that no socket of another is opened */
    if (family == SONDE_FAMILY_NONE)   /* getaddrinfo() reads names in the locale: RFC 3492 */
        (void)setlocale(LC_CTYPE, ""); /* NOLINT(concurrency-mt-unsafe): no other thread yet */
    int wake_fd = 0;
    if (signal_catch(&wake_fd) < 0)
        return complain(EXIT_INTERNAL, "cannot catch signals");
    options.wake_fd = wake_fd;
    if (run->command->until_ns != 0) /* reading has taken some of it */
        options.deadline_ns = ns_max(ns_sub(run->command->until_ns, sonde_clock_ns()), 1);
    options.simulate_demo = run->command->simulate != NULL && run->scenario == NULL;
    options.scenario = run->scenario;
    options.scenario_bytes = run->scenario_bytes;
    options.sctp = targets_speak(&run->targets, "sctp");
    privilege_raise();
    int r = sonde_session_new(&options, &run->session, &error);
    if (privilege_drop() < 0)
        return complain(EXIT_INTERNAL, "cannot give up privileges");
    if (r < 0)
        return complain_of_session(run, r, error.text);
    struct sandbox sandbox;
    sandbox_close(&sandbox);
    return EXIT_MET;
}

static int add_target(struct run *run, const struct target *target)
{
    struct sonde_service services[SERVICES_MANY + 1];
    const struct service_list *list = &target->services;
    for (size_t i = 0; i < list->count; i++) {
        const struct service *service = &list->items[i];
        services[i] = (struct sonde_service){
            .protocol = service->protocol,
            .port = service->port,
            .name = service->name[0] != '\0' ? service->name : NULL,
            .control = service->control,
            .expect = service->expect,
            .payload = service->payload,
        };
        if (strcmp(service->protocol, "udp") == 0 && run->question.asks.len > 0) {
            services[i].question = run->question.asks.bytes;
            services[i].question_bytes = run->question.asks.len;
            services[i].expects = run->question.expects.bytes;
            services[i].expects_bytes = run->question.expects.len;
        }
    }
    return sonde_session_add(run->session, target->input, target->host, services, list->count);
}

/* What the result comes to: a failure outweighs what could not be measured. */
static int exit_code(const struct sonde_snapshot *snapshot)
{
    int code = EXIT_MET;
    for (size_t i = 0; i < snapshot->target_count; i++) {
        for (size_t k = 0; k < snapshot->targets[i].service_count; k++) {
            const struct sonde_service_result *service = &snapshot->targets[i].services[k];
            enum sonde_level level = service->verdict.level;
            if (service->control)
                continue;
            if (level == SONDE_LEVEL_UNKNOWN)
                code = EXIT_UNMEASURED;
            else if (level == SONDE_LEVEL_FAILED || !service->met)
                return EXIT_UNMET;
        }
    }
    return code;
}

/* No thread, not even one that is still looking up a name, changes the environment. */
/* NOLINTBEGIN(concurrency-mt-unsafe) */
static bool wants_color(const struct command *command)
{
    const char *no_color = getenv("NO_COLOR");
    const char *term = getenv("TERM");
    if (command->color != COLOR_AUTO)
        return command->color == COLOR_ALWAYS;
    return isatty(STDOUT_FILENO) && (no_color == NULL || no_color[0] == '\0') && term != NULL &&
           term[0] != '\0' && strcmp(term, "dumb") != 0;
}

/* NOLINTEND(concurrency-mt-unsafe) */

/* Does the user's terminal take UTF-8, as the environment says? The locale of the process stays as
 * it is, so this may be asked while names are still being looked up. */
static bool locale_is_utf8(void)
{
    locale_t locale = newlocale(LC_CTYPE_MASK, "", (locale_t)0);
    if (locale == (locale_t)0)
        return false;
    bool utf8 = strcmp(nl_langinfo_l(CODESET, locale), "UTF-8") == 0;
    freelocale(locale);
    return utf8;
}

static bool wants_ascii(const struct command *command)
{
    return command->ascii || !locale_is_utf8();
}

static unsigned screen_columns(const struct command *command)
{
    struct winsize size;
    if (command->wide)
        return 0;
    if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
        return COLUMNS_PIPE;
    return size.ws_col < COLUMNS_MIN ? COLUMNS_MIN : size.ws_col;
}

static struct report_style style_of(const struct command *command)
{
    return (struct report_style){
        .columns = screen_columns(command),
        .folds = isatty(STDOUT_FILENO),
        .ascii = wants_ascii(command),
        .color = wants_color(command),
        .addresses = command->show_addresses,
        .extensions = command->show_extensions,
    };
}

static int print_report(const struct command *command, const struct sonde_snapshot *snapshot)
{
    struct text text = {0};
    const struct report_style style = style_of(command);
    if (command->json)
        report_json(snapshot, &text);
    else
        report_text(snapshot, &style, &text);
    int status = EXIT_MET;
    if (!text_ok(&text))
        status = complain(EXIT_INTERNAL, NULL);
    else if (run_write(text.data, text.len) < 0)
        status = EXIT_INTERNAL;
    text_deinit(&text);
    return status;
}

/* Print the report so far, as text. Beside a document for programs, which stays one, it goes to
 * standard error. @return false if it cannot be written. */
static bool print_so_far(struct run *run)
{
    struct sonde_snapshot *snapshot;
    struct text text = {0};
    const struct report_style style = style_of(run->command);
    if (run->command->quiet || sonde_session_snapshot(run->session, &snapshot) < 0)
        return true;
    report_text(snapshot, &style, &text);
    text_add(&text, "\n");
    bool written = !text_ok(&text)      ? true /* the next time there may be memory */
                   : run->command->json ? fputs(text.data, stderr) >= 0
                                        : run_write(text.data, text.len) == 0;
    text_deinit(&text);
    sonde_snapshot_free(snapshot);
    return written;
}

/* Measure until all is done, or a signal comes. */
static int measure(struct run *run)
{
    struct progress progress = progress_init(run->command);
    int r = 0;
    for (size_t i = 0; r == 0 && i < run->targets.count; i++)
        r = add_target(run, &run->targets.items[i]);
    if (r == 0)
        r = sonde_session_start(run->session);
    if (r == 0)
        r = signal_catch_quit();
    while (r == 0) {
        if (signal_caught() != 0)
            sonde_session_stop(run->session);
        if (signal_take_quit()) {
            progress_clear(&progress);
            if (!print_so_far(run))
                sonde_session_stop(run->session);
        }
        progress_show(&progress, run->session);
        r = sonde_session_step(run->session, progress_wait_ns(&progress));
    }
    progress_clear(&progress);
    if (r < 0) {
        const char *reason = strerrordesc_np(-r);
        (void)complain(EXIT_INTERNAL, reason != NULL ? reason : "the network cannot be used");
    }
    return r < 0 ? EXIT_INTERNAL : EXIT_MET;
}

/* Report what was measured, whole or not. */
static int conclude(struct run *run, int measured)
{
    struct sonde_snapshot *snapshot;
    if (sonde_session_snapshot(run->session, &snapshot) < 0)
        return measured == EXIT_MET ? complain(EXIT_INTERNAL, NULL) : measured;
    int status = run->command->quiet ? EXIT_MET : print_report(run->command, snapshot);
    if (status == EXIT_MET)
        status = measured == EXIT_MET ? exit_code(snapshot) : measured;
    sonde_snapshot_free(snapshot);
    return status;
}

int run(const struct command *command)
{
    struct run run = {.command = command};
    int status = read_targets(&run);
    if (status == EXIT_MET)
        status = read_scenario(&run);
    if (status == EXIT_MET)
        status = open_session(&run);
    if (status == EXIT_MET)
        status = conclude(&run, measure(&run));
    sonde_session_free(run.session);
    targets_deinit(&run.targets);
    free(run.scenario);
    return status;
}
