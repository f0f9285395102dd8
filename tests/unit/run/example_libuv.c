/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A program that embeds libsonde in a loop of its own, libuv's: is 443/tcp of some hosts open?
 *
 *     example_libuv demo|real HOST...
 *
 * One host more is added every 100 ms while the others are probed. Nothing blocks but uv_run(). No
 * two hosts have one address: what several targets share is told of the first.
 */
#include <sonde/sonde.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

struct program {
    struct sonde_vantage *vantage;
    struct sonde_run *run;
    char **hosts;      /* up to a NULL */
    unsigned added;    /* of these; the first is target 0, and so on */
    unsigned answered; /* of these */
    uv_poll_t *polls[SONDE_FDS_MAX];
    size_t poll_count;
    uv_timer_t step; /* when the vantage has something to do without any descriptor */
    uv_timer_t more; /* when another host is added */
    int failure;
};

static void go_on(struct program *program);

static void on_ready(uv_poll_t *poll, int status, int events)
{
    (void)status; /* errors are answers, too: a step takes them */
    (void)events;
    go_on(poll->data);
}

static void on_step(uv_timer_t *timer)
{
    go_on(timer->data);
}

static void on_closed(uv_handle_t *handle)
{
    free(handle);
}

/* A step may close descriptors, which libuv does not allow while it polls them. */
static void stop_polling(struct program *program)
{
    while (program->poll_count > 0)
        uv_close((uv_handle_t *)program->polls[--program->poll_count], on_closed);
}

/* They may be others after a step, and others by the same numbers. */
static void start_polling(struct program *program)
{
    struct pollfd fds[SONDE_FDS_MAX];
    size_t count = sonde_vantage_fds(program->vantage, fds, SONDE_FDS_MAX);
    for (size_t i = 0; i < count; i++) {
        int events = ((fds[i].events & POLLIN) != 0 ? UV_READABLE : 0) |
                     ((fds[i].events & POLLOUT) != 0 ? UV_WRITABLE : 0);
        uv_poll_t *poll = malloc(sizeof *poll);
        if (poll == NULL || uv_poll_init(uv_default_loop(), poll, fds[i].fd) < 0)
            abort();
        poll->data = program;
        program->polls[program->poll_count++] = poll;
        uv_poll_start(poll, events, on_ready);
    }
    sonde_ns timeout_ns = sonde_vantage_timeout_ns(program->vantage);
    uv_timer_stop(&program->step);
    if (timeout_ns != SONDE_NS_NEVER)
        uv_timer_start(&program->step, on_step,
                       (uint64_t)(timeout_ns / SONDE_NS_PER_MS) + (timeout_ns > 0), 0);
}

static void print_answers(struct program *program)
{
    struct sonde_event event;
    while (sonde_run_pop_event(program->run, &event) == 0) {
        if (event.type != SONDE_EVENT_PROBE || !event.to_target || event.service != 0)
            continue;
        printf("%s: 443/tcp %s\n", program->hosts[event.target], sonde_outcome_name(event.outcome));
        program->answered++;
    }
    if (program->hosts[program->added] == NULL && program->answered == program->added)
        sonde_run_stop(program->run);
}

/* Once nothing is polled and no timer runs, uv_run() returns. */
static void go_on(struct program *program)
{
    stop_polling(program);
    if (program->failure == 0)
        program->failure = sonde_vantage_step(program->vantage);
    print_answers(program);
    if (program->failure == 0 && !sonde_run_is_over(program->run)) {
        start_polling(program);
        return;
    }
    uv_timer_stop(&program->step);
    uv_timer_stop(&program->more);
}

static void on_more(uv_timer_t *timer)
{
    static const struct sonde_service https = {.protocol = "tcp", .port = 443, .name = "https"};
    struct program *program = timer->data;
    const char *host = program->hosts[program->added];
    program->failure = sonde_run_add(program->run, host, host, &https, 1, NULL);
    if (program->failure == 0 && program->hosts[++program->added] != NULL)
        uv_timer_start(timer, on_more, 100, 0);
    go_on(program); /* the step that probes it */
}

static int open_run(struct program *program, const struct sonde_simulation *simulation)
{
    const struct sonde_plan plan = {.cycles = 1,
                                    .deadline_ns = 10 * SONDE_NS_PER_S, /* for who is silent */
                                    .stays_open = true,
                                    .want_events = true};
    struct sonde_error error;
    int r = sonde_vantage_new(&(struct sonde_vantage_options){0}, simulation, &program->vantage,
                              &error);
    if (r == 0)
        r = sonde_run_new(program->vantage, &plan, NULL, NULL, &program->run, &error);
    if (r < 0)
        (void)fprintf(stderr, "%s\n", error.text);
    return r < 0 ? r : sonde_run_start(program->run);
}

int main(int argc, char **argv)
{
    const struct sonde_simulation demo = {.demo = true};
    struct program program = {.hosts = argv + 2};
    if (argc < 3)
        return 2;
    program.failure = open_run(&program, strcmp(argv[1], "demo") == 0 ? &demo : NULL);
    if (program.failure == 0) {
        uv_timer_init(uv_default_loop(), &program.step);
        uv_timer_init(uv_default_loop(), &program.more);
        program.step.data = program.more.data = &program;
        on_more(&program.more);
        uv_run(uv_default_loop(), UV_RUN_DEFAULT);
    }
    sonde_vantage_free(program.vantage);
    return program.failure < 0 || program.answered < program.added;
}
