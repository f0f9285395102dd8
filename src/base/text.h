/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A growing text, and the one place where text from outside is made safe to show.
 *
 * A text remembers that it ran out of memory; whoever uses the result asks text_ok() once.
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <sonde/types.h>

struct text {
    char *data; /* NUL-terminated once anything was added; NULL before */
    size_t len; /* bytes, without the NUL */
    size_t cap;
    bool failed; /* memory ran out; what was added after that is missing */
};

/** Free what @p text holds and make it empty; a zeroed text is fine. */
void text_deinit(struct text *text);

/** @return true if everything added is there. */
bool text_ok(const struct text *text);

/** Add @p len bytes as they are. */
void text_add_bytes(struct text *text, const char *bytes, size_t len);

/** Add a string as it is. */
void text_add(struct text *text, const char *string);

/** Add a formatted string; @p format as for printf. */
void text_addf(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** Add @p count copies of @p byte; none if @p count is 0 or less. */
void text_add_repeated(struct text *text, char byte, long count);

/**
 * Add text that came from outside (a name from DNS, an argument) so that no terminal and no log
 * takes harm: printable ASCII stays, well-formed UTF-8 stays unless it is a control or a
 * direction mark, and every other byte, the backslash too, becomes "\ddd" (decimal, as in DNS
 * master files).
 * @param bytes  @p len bytes; need not be NUL-terminated.
 * Source: RFC 1035 §5.1 for the form of the escape, RFC 3629 §4 for UTF-8.
 */
void text_add_untrusted(struct text *text, const char *bytes, size_t len);

/** @return true if two strings differ in the case of ASCII letters at most, whatever the locale. */
bool text_is_same(const char *a, const char *b);

/**
 * Copy a word, its ASCII letters made small, whatever the locale.
 * @param folded  Receives it, NUL-terminated.
 * @return false if it does not fit into @p cap bytes.
 */
bool text_fold(const char *word, size_t len, char *folded, size_t cap);

/** Add a time of at least 0 in milliseconds with three significant digits: 0.063, 1.24, 50.3, 237.
 */
void text_add_ms(struct text *text, sonde_ns ns);

/** Add a span of time of at least 0: "0.5 s", "30 s", "100 s", "5 min", "2.5 h", "3 days". */
void text_add_span(struct text *text, sonde_ns ns);

/** Add how many of @p whole are @p part: "1 of 3" below TEXT_COUNTED_BELOW, of which a share would
 *  say more than is known; otherwise percent without the sign, "5.0", with as many decimals as tell
 *  it from none and from all. @p whole is not 0. */
void text_add_share(struct text *text, uint64_t part, uint64_t whole);

enum { TEXT_COUNTED_BELOW = 20 };

/** Add loss in words: "no loss", "1 of 3 lost", "5.0% loss". */
void text_add_loss(struct text *text, uint64_t lost, uint64_t sent);

/** Add what changed at a hop: "hop 3: 10.0.0.3 -> 10.0.0.33". @param from  No address: nobody, or
 * it is not known who. @param to  No address: nobody answers any more. */
void text_add_way(struct text *text, uint8_t ttl, const struct sonde_addr *from,
                  const struct sonde_addr *to, const struct sonde_zones *zones);

/** @return Columns that @p string, in UTF-8, takes: one a code point, none for combining marks. */
size_t text_columns(const char *string);

/** Shorten a text that takes more than @p columns, so that with @p mark at its end it takes at most
 *  that many; @p mark takes fewer. No code point and no escape of text_add_untrusted() is cut. */
void text_cut(struct text *text, size_t columns, const char *mark);

/** @return How many of the first @p bytes of a string can be shown without what follows: no code
 *  point and no escape of text_add_untrusted() is cut. */
size_t text_whole(const char *string, size_t bytes);

#endif
