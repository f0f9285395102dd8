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
#include "app/lines.h"
#include "app/print.h"
#include "app/progress.h"
#include "app/question.h"
#include "app/recording.h"
#include "report/report.h"
#include "sys/host.h"
#include "sys/privilege.h"
#include "sys/sandbox.h"
#include "sys/signal.h"

#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A run and what it owns. Each step returns SONDE_EXIT_MET to go on, or the exit code to end with.
 */
struct run {
    const struct command *command;
    struct target_list targets;
    char *scenario; /* the text of --simulate; NULL = none, or the built-in one */
    size_t scenario_bytes;
    struct question question;
    struct sonde_vantage *vantage;
    struct sonde_run *measured;
    struct recording recording;
    struct lines lines;
};

/* The exit code for a failure before anything was measured. */
static enum sonde_exit fail(int error, const char *what)
{
    return complain(error == -EINVAL  ? SONDE_EXIT_USAGE
                    : error == -ETIME ? SONDE_EXIT_UNMEASURED
                                      : SONDE_EXIT_INTERNAL,
                    what);
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

static enum sonde_exit read_targets(struct run *run)
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
    enum sonde_exit status = r < 0 ? fail(r, error.data) : SONDE_EXIT_MET;
    text_deinit(&error);
    return status;
}

static enum sonde_exit read_scenario(struct run *run)
{
    const char *path = run->command->simulate;
    struct text error = {0};
    if (path == NULL || strcmp(path, "demo") == 0)
        return SONDE_EXIT_MET;
    int r = file_read(path, run->command->until_ns, &run->scenario, &run->scenario_bytes, &error);
    enum sonde_exit status = r < 0 ? fail(r, error.data) : SONDE_EXIT_MET;
    text_deinit(&error);
    return status;
}

static enum sonde_exit complain_of_privilege(void)
{
    struct text words = {0};
    text_add(&words, "raw sockets are not permitted; allow them with: ");
    doctor_add_setcap(&words);
    text_add(&words, " (or see sonde --doctor)");
    enum sonde_exit status = complain(SONDE_EXIT_UNMEASURED, words.data);
    text_deinit(&words);
    return status;
}

/* What helps against an error of this system's. */
static void add_remedy(struct text *words, int error)
{
    if (error == -EMFILE)
        text_addf(words, "; allow more with: ulimit -n %d", HOST_FILES_NEEDED);
}

static enum sonde_exit complain_of_vantage(const struct run *run, int error, const char *reason)
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
    enum sonde_exit status = complain(configuration      ? SONDE_EXIT_USAGE
                                      : error == -ENOMEM ? SONDE_EXIT_INTERNAL
                                                         : SONDE_EXIT_UNMEASURED,
                                      words.data);
    text_deinit(&words);
    return status;
}

static enum sonde_exit open_record(struct run *run)
{
    struct text error = {0};
    int r = recording_is_wanted(run->command)
                ? recording_open(run->command, &run->recording, &error)
                : 0;
    enum sonde_exit status = r < 0 ? fail(r, error.data) : SONDE_EXIT_MET;
    text_deinit(&error);
    return status;
}

/* Open the sockets, and be without any privilege, and in the sandbox, ever after. */
static enum sonde_exit open_vantage(struct run *run)
{
    struct sonde_options options = run->command->options;
    struct sonde_error error;
    enum sonde_family family = targets_family(&run->targets);
    if (options.vantage.family == SONDE_FAMILY_NONE && options.vantage.source == NULL)
        options.vantage.family = family; /* so that no socket of another is opened */
    if (family == SONDE_FAMILY_NONE)     /* getaddrinfo() reads names in the locale: RFC 3492 */
        (void)setlocale(LC_CTYPE, "");   /* NOLINT(concurrency-mt-unsafe): no other thread yet */
    int wake_fd = 0;
    if (signal_catch(&wake_fd) < 0)
        return complain(SONDE_EXIT_INTERNAL, "cannot catch signals");
    options.vantage.wake_fd = wake_fd;
    options.simulation.demo = run->command->simulate != NULL && run->scenario == NULL;
    options.simulation.scenario = run->scenario;
    options.simulation.scenario_bytes = run->scenario_bytes;
    options.plan.want_records = recording_is_wanted(run->command);
    options.vantage.sctp = targets_speak(&run->targets, "sctp");
    privilege_raise();
    int r = sonde_vantage_new(&options.vantage, &options.simulation, &run->vantage, &error);
    if (privilege_drop() < 0)
        return complain(SONDE_EXIT_INTERNAL, "cannot give up privileges");
    if (r < 0)
        return complain_of_vantage(run, r, error.text);
    r = sonde_run_new(run->vantage, &options.plan, &options.format, &options.judgement,
                      &run->measured, &error);
    if (r < 0)
        return complain_of_vantage(run, r, error.text);
    struct sandbox sandbox;
    sandbox_close(&sandbox);
    return SONDE_EXIT_MET;
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
    return sonde_run_add(run->measured, target->input, target->host, services, list->count, NULL);
}

/* Print the report so far, as text. Beside a document for programs, which stays one, it goes to
 * standard error. @return false if it cannot be written. */
static bool print_so_far(struct run *run)
{
    struct sonde_snapshot *snapshot;
    struct text text = {0};
    const struct report_style style = print_style(run->command);
    if (run->command->quiet || sonde_run_snapshot(run->measured, &snapshot) < 0)
        return true;
    report_text(snapshot, &style, &text);
    text_add(&text, "\n");
    bool written = !text_ok(&text) ? true /* the next time there may be memory */
                   : run->command->json || run->command->stream != STREAM_NONE
                       ? fputs(text.data, stderr) >= 0
                       : print_bytes(text.data, text.len) == 0;
    text_deinit(&text);
    sonde_snapshot_free(snapshot);
    return written;
}

/* Add the targets, and begin. */
static enum sonde_exit begin(struct run *run)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < run->targets.count; i++)
        r = add_target(run, &run->targets.items[i]);
    if (r == 0)
        r = sonde_run_start(run->measured);
    if (r == 0)
        r = signal_catch_quit();
    return r < 0 ? complain(SONDE_EXIT_INTERNAL, strerrordesc_np(-r)) : SONDE_EXIT_MET;
}

/* Measure until all is done, or a signal comes. If the measuring breaks off, the snapshot says so.
 */
static void measure(struct run *run)
{
    struct progress progress = progress_init(run->command);
    int r = 0;
    while (r == 0) {
        if (signal_caught() != 0)
            sonde_run_stop(run->measured);
        if (signal_take_quit()) {
            progress_clear(&progress);
            if (!print_so_far(run))
                sonde_run_stop(run->measured);
        }
        progress_show(&progress, run->measured);
        r = sonde_vantage_step(run->vantage);
        recording_write(&run->recording, run->measured);
        if (run->recording.is_unread)
            sonde_run_stop(run->measured);
        if (r < 0 || sonde_run_is_over(run->measured))
            break;
        r = run->command->stream == STREAM_STDIN
                ? lines_wait(&run->lines, run->vantage, run->measured)
                : sonde_vantage_wait(run->vantage, progress_wait_ns(&progress));
    }
    recording_write(&run->recording, run->measured); /* if the wait has failed */
    progress_clear(&progress);
    if (r < 0) {
        const char *reason = strerrordesc_np(-r);
        (void)complain(SONDE_EXIT_INTERNAL, reason != NULL ? reason : "the network cannot be used");
    }
}

/* Report what was measured, whole or not, and judge it. */
static enum sonde_exit conclude(struct run *run)
{
    struct sonde_snapshot *snapshot;
    if (sonde_run_snapshot(run->measured, &snapshot) < 0)
        return complain(SONDE_EXIT_INTERNAL, NULL);
    enum sonde_exit status = run->command->quiet || run->command->stream != STREAM_NONE
                                 ? SONDE_EXIT_MET
                                 : print_report(run->command, snapshot);
    if (status == SONDE_EXIT_MET && run->recording.failed)
        status = SONDE_EXIT_INTERNAL;
    if (status == SONDE_EXIT_MET)
        status = sonde_snapshot_exit(snapshot);
    sonde_snapshot_free(snapshot);
    return status;
}

enum sonde_exit run(const struct command *command)
{
    struct run run = {.command = command};
    enum sonde_exit status = read_targets(&run);
    if (status == SONDE_EXIT_MET)
        status = read_scenario(&run);
    if (status == SONDE_EXIT_MET)
        status = open_record(&run);
    if (status == SONDE_EXIT_MET)
        status = open_vantage(&run);
    if (status == SONDE_EXIT_MET)
        status = begin(&run);
    if (status == SONDE_EXIT_MET) {
        measure(&run);
        status = conclude(&run);
    }
    sonde_vantage_free(run.vantage);
    recording_close(&run.recording);
    targets_deinit(&run.targets);
    free(run.scenario);
    return status;
}
