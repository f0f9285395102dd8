/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * record_read(), record_write() and a replay. The first byte holds how the report looks; the rest
 * is read as lines. Numbers of records and the name of the run are put right, so that inputs get
 * past them. What can be read is written the same again, and what was added up can be reported.
 */
#include "fuzz.h"
#include "record/record.h"
#include "report/report.h"

#include <errno.h>
#include <sonde/replay.h>
#include <string.h>

enum { INPUT_MAX = 16384 };

/* Write a record, and whatever is read of that must be written so, too. */
static void check_written(const struct sonde_record *record)
{
    struct record_reader *reader = record_reader_new();
    const struct sonde_record *again = NULL;
    const char *why = NULL;
    struct text first = {0};
    struct text second = {0};
    int r = record_write(record, &first);
    FUZZ_CHECK(r == 0 || r == -EMSGSIZE);
    if (r == 0) {
        FUZZ_CHECK(first.len <= RECORD_LINE_MAX && first.data[first.len - 1] == '\n');
        fuzz_check_shown(first.data, first.len - 1, false);
        const struct sonde_span line = {(const uint8_t *)first.data, first.len - 1};
        FUZZ_CHECK(record_read(reader, line, &again, &why) == 0);
        FUZZ_CHECK(record_write(again, &second) == 0);
        FUZZ_CHECK(first.len == second.len && memcmp(first.data, second.data, first.len) == 0);
    }
    text_deinit(&first);
    text_deinit(&second);
    record_reader_free(reader);
}

/* @return false if the record does not fit to those before. */
static bool take_line(struct sonde_replay *replay, struct record_reader *reader,
                      struct sonde_span line, uint64_t *number)
{
    static const char run_id[] = "01a20459-0e78-7896-a1fe-c08aa83b63f1";
    const struct sonde_record *record = NULL;
    struct sonde_error error = {""};
    const char *why = NULL;
    int r = record_read(reader, line, &record, &why);
    FUZZ_CHECK(r == 0 || r == 1 || r == -EINVAL);
    FUZZ_CHECK(r != -EINVAL || (why != NULL && strchr(why, '\n') == NULL));
    if (r != 0)
        return true;
    struct sonde_record own = *record;
    check_written(&own);
    own.n = *number;
    memcpy(own.run_id, run_id, sizeof run_id);
    r = sonde_replay_add(replay, &own, &error);
    FUZZ_CHECK(r == 0 || r == 1 || (r == -EINVAL && error.text[0] != '\0'));
    (*number)++;
    return r >= 0; /* 1: all cycles that are wanted were there */
}

static void report(struct sonde_run *run, uint8_t choice)
{
    const struct report_style style = {
        .columns = (choice & 1) != 0 ? 80 : 0,
        .ascii = (choice & 2) != 0,
        .addresses = (choice & 4) != 0,
        .extensions = (choice & 8) != 0,
    };
    struct sonde_snapshot *snapshot;
    struct text text = {0};
    FUZZ_CHECK(sonde_run_snapshot(run, &snapshot) == 0);
    report_text(snapshot, &style, &text);
    FUZZ_CHECK(text_ok(&text));
    fuzz_check_shown(text.data, text.len, true);
    text_deinit(&text);
    report_json(snapshot, &text);
    FUZZ_CHECK(text_ok(&text));
    fuzz_check_shown(text.data, text.len - 1, false);
    text_deinit(&text);
    (void)sonde_snapshot_exit(snapshot);
    sonde_snapshot_free(snapshot);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || size > INPUT_MAX)
        return 0;
    const struct sonde_replay_options options = {.cycles = (data[0] & 16) != 0 ? 1 : 0,
                                                 .no_names = (data[0] & 32) != 0};
    struct record_reader *reader = record_reader_new();
    struct sonde_replay *replay;
    uint64_t number = 0;
    bool fits = sonde_replay_new(&options, &replay) == 0;
    for (size_t at = 1; fits && at < size;) {
        const uint8_t *end = memchr(data + at, '\n', size - at);
        size_t len = end != NULL ? (size_t)(end - data) - at : size - at;
        fits = take_line(replay, reader, (struct sonde_span){data + at, len}, &number);
        at += len + 1;
    }
    if (fits && sonde_replay_run(replay) != NULL)
        report(sonde_replay_run(replay), data[0]);
    sonde_replay_free(replay);
    record_reader_free(reader);
    return 0;
}
