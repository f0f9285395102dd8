/* SPDX-License-Identifier: BSD-2-Clause */
/* What is printed, and how; see app/print.h. */
#include "app/print.h"

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

enum sonde_exit complain(enum sonde_exit code, const char *what)
{
    (void)fprintf(stderr, "sonde: %s\n", what != NULL ? what : "out of memory");
    return code;
}

int print_bytes(const char *bytes, size_t len)
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

struct report_style print_style(const struct command *command)
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

enum sonde_exit print_report(const struct command *command, const struct sonde_snapshot *snapshot)
{
    struct text text = {0};
    const struct report_style style = print_style(command);
    if (command->json)
        report_json(snapshot, &text);
    else
        report_text(snapshot, &style, &text);
    enum sonde_exit status = SONDE_EXIT_MET;
    if (!text_ok(&text))
        status = complain(SONDE_EXIT_INTERNAL, NULL);
    else if (print_bytes(text.data, text.len) < 0)
        status = SONDE_EXIT_INTERNAL;
    text_deinit(&text);
    return status;
}
