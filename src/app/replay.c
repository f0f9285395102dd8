/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A record that was kept, shown in place of a run; see app/replay.h. Whoever wrote it may be an
 * enemy: it is opened, and then the sandbox is closed before a byte of it is read.
 */
#include "app/replay.h"

#include "app/print.h"
#include "record/record.h"
#include "sys/privilege.h"
#include "sys/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <sonde/replay.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A file, read line by line. */
struct record_file {
    const char *path;
    int fd;
    uint64_t number; /* of the line that was read last, from 1 on */
    bool has_ended;
    size_t first; /* of what is in the buffer and was not given yet */
    size_t len;   /* of all that is in it */
    char buffer[2 * RECORD_LINE_MAX];
};

/* Say what is wrong with the file, and where. @return SONDE_EXIT_USAGE. */
static enum sonde_exit refuse(const struct record_file *lines, const char *why)
{
    struct text words = {0};
    text_add_untrusted(&words, lines->path, strlen(lines->path));
    if (lines->number > 0)
        text_addf(&words, ":%llu", (unsigned long long)lines->number);
    text_addf(&words, ": %s", why);
    enum sonde_exit status = complain(SONDE_EXIT_USAGE, words.data);
    text_deinit(&words);
    return status;
}

static int read_more(struct record_file *lines)
{
    memmove(lines->buffer, lines->buffer + lines->first, lines->len - lines->first);
    lines->len -= lines->first;
    lines->first = 0;
    ssize_t got = read(lines->fd, lines->buffer + lines->len, sizeof lines->buffer - lines->len);
    if (got < 0 && errno != EINTR)
        return -errno;
    lines->has_ended = got == 0;
    lines->len += got > 0 ? (size_t)got : 0;
    return 0;
}

/* Read a line. @param ret_whole  It has its end. @return 0; 1: there is none; -EMSGSIZE: it is too
 * long; another negative errno. */
static int next_line(struct record_file *lines, struct sonde_span *ret_line, bool *ret_whole)
{
    while (true) {
        const char *start = lines->buffer + lines->first;
        size_t len = lines->len - lines->first;
        const char *end = len > 0 ? memchr(start, '\n', len) : NULL;
        *ret_whole = end != NULL;
        if (end == NULL && !lines->has_ended && len <= RECORD_LINE_MAX) {
            int r = read_more(lines);
            if (r < 0)
                return r;
            continue;
        }
        if (len == 0)
            return 1;
        lines->number++;
        if (end == NULL && len > RECORD_LINE_MAX)
            return -EMSGSIZE;
        if (end != NULL)
            len = (size_t)(end - start);
        *ret_line = (struct sonde_span){(const uint8_t *)start, len};
        lines->first += len + (end != NULL);
        return 0;
    }
}

/* Take a line. @param whole  It has its end: one that has none may have been cut off.
 * @return 0; 1: nothing more is wanted; -EINVAL, and why; -ENOMEM. */
static int take_line(struct sonde_replay *replay, struct record_reader *reader,
                     struct sonde_span line, bool whole, struct sonde_error *error)
{
    const struct sonde_record *record = NULL;
    const char *why = "";
    int r = record_read(reader, line, &record, &why);
    if (r == -EINVAL && !whole)
        return 1;
    if (r == -EINVAL) {
        struct text words = {0};
        text_add(&words, why);
        memset(error, 0, sizeof *error);
        if (text_ok(&words))
            memcpy(error->text, words.data, text_whole(words.data, sizeof error->text - 1));
        text_deinit(&words);
    }
    return r < 0 ? r : sonde_replay_add(replay, record, error);
}

static enum sonde_exit take_lines(struct record_file *lines, struct sonde_replay *replay,
                                  struct record_reader *reader)
{
    struct sonde_error error = {""};
    struct sonde_span line;
    bool whole;
    int r;
    while ((r = next_line(lines, &line, &whole)) == 0) {
        r = take_line(replay, reader, line, whole, &error);
        if (r == -EINVAL)
            return refuse(lines, error.text);
        if (r != 0)
            break;
    }
    if (r == -ENOMEM)
        return complain(SONDE_EXIT_INTERNAL, NULL);
    if (r == -EMSGSIZE)
        return refuse(lines, "it is longer than 64 KiB");
    if (r < 0)
        return refuse(lines, strerrordesc_np(-r));
    if (sonde_replay_run(replay) == NULL) {
        lines->number = 0;
        return refuse(lines, "it holds no record of a run");
    }
    return SONDE_EXIT_MET;
}

/* Say why there is nothing in a report of text. */
static void complain_of_nothing(const struct command *command)
{
    struct text words = {0};
    if (command->quiet || command->json)
        return;
    text_add_untrusted(&words, command->replay, strlen(command->replay));
    text_add(&words, ": it holds no result of any target");
    (void)complain(SONDE_EXIT_UNMEASURED, words.data);
    text_deinit(&words);
}

static enum sonde_exit show(const struct command *command, struct sonde_run *run)
{
    struct sonde_snapshot *snapshot;
    if (sonde_run_snapshot(run, &snapshot) < 0)
        return complain(SONDE_EXIT_INTERNAL, NULL);
    if (snapshot->target_count == 0)
        complain_of_nothing(command);
    enum sonde_exit status = command->quiet ? SONDE_EXIT_MET : print_report(command, snapshot);
    if (status == SONDE_EXIT_MET)
        status = sonde_snapshot_exit(snapshot);
    sonde_snapshot_free(snapshot);
    return status;
}

static enum sonde_exit open_file(const struct command *command, struct record_file *lines)
{
    bool is_stdin = strcmp(command->replay, "-") == 0;
    lines->path = command->replay;
    lines->fd = is_stdin ? STDIN_FILENO : open(command->replay, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (lines->fd < 0) {
        const char *reason = strerrordesc_np(errno);
        return refuse(lines, reason != NULL ? reason : "it cannot be read");
    }
    if (privilege_drop() < 0)
        return complain(SONDE_EXIT_INTERNAL, "cannot give up privileges");
    struct sandbox sandbox;
    sandbox_close(&sandbox);
    return SONDE_EXIT_MET;
}

enum sonde_exit replay(const struct command *command)
{
    const struct sonde_replay_options options = {
        .cycles = command->options.plan.cycles,
        .no_names = command->options.vantage.no_names,
    };
    struct record_file *lines = calloc(1, sizeof *lines);
    struct record_reader *reader = record_reader_new();
    struct sonde_replay *own = NULL;
    bool ready = lines != NULL && reader != NULL && sonde_replay_new(&options, &own) == 0;
    enum sonde_exit status = SONDE_EXIT_INTERNAL;
    if (ready)
        status = open_file(command, lines);
    else
        (void)complain(status, NULL);
    if (status == SONDE_EXIT_MET)
        status = take_lines(lines, own, reader);
    if (status == SONDE_EXIT_MET)
        status = show(command, sonde_replay_run(own));
    sonde_replay_free(own);
    record_reader_free(reader);
    free(lines);
    return status;
}
