/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of the scenario reader share: the reader's state, words and values. */
#ifndef IO_SIM_PARSE_H
#define IO_SIM_PARSE_H

#include "io/sim/scenario.h"

enum {
    PARSE_LINE_BYTES = 8192,
    PARSE_WORDS_MAX = 512,
};

/** The reader, at one line. */
struct parse {
    struct sim_scenario *scenario;
    struct sim_error *error;
    unsigned line;
    char *words[PARSE_WORDS_MAX]; /* of the line; option words lose their "=" */
    size_t word_count;
};

/**
 * Say what is wrong with the present line.
 * @param format  With at most one %s, which stands for @p word.
 * @param word    From the file: it is escaped.
 * @return -EINVAL, for the caller to pass on.
 */
int parse_fail(struct parse *parse, const char *format, const char *word);

/* Each reads one value from a word of the file. 0; or -EINVAL with the reason said. */
int parse_number(struct parse *parse, const char *word, uint64_t max, uint64_t *ret_value);
int parse_duration(struct parse *parse, const char *word, sonde_ns *ret_ns);
int parse_limit(struct parse *parse, char *word, struct sim_limit *limit); /* "N", "N/D" */
int parse_burst(struct parse *parse, const char *word, struct sim_limit *limit);
int parse_address(struct parse *parse, const char *word, struct sonde_addr *ret_addr);
int parse_wall_time(struct parse *parse, const char *word, sonde_ns *ret_ns);
int parse_name(struct parse *parse, const char *word, char *ret_name, size_t cap);
int parse_labels(struct parse *parse, char *word, struct sonde_mpls *ret_mpls);
int parse_mask(struct parse *parse, const char *word, uint64_t *ret_mask, uint32_t *ret_len);
int parse_port(struct parse *parse, char *word, uint8_t *ret_protocol, uint16_t *ret_port);

/** @return The index of the node of that name; UINT32_MAX if there is none. */
uint32_t parse_find_node(const struct parse *parse, const char *name);

/**
 * Divide "key=value" in place.
 * @return The value; NULL if the word has no "=".
 */
char *parse_split(char *word);

/**
 * Make an array longer by one zeroed element.
 * @param array  The address of the pointer to the array.
 * @param count  The address of its length, which grows by one.
 * @return The new element; NULL if memory ran out, with nothing changed.
 */
void *parse_grow(void *array, uint32_t *count, size_t element_bytes);

/** Keep an address as the one of its family. */
void parse_set_address(struct sonde_addr *addr4, struct sonde_addr *addr6,
                       const struct sonde_addr *addr);

/* node.c */

/** Read "NAME ADDRESS... [OPTION...]" of a router or a host. */
int parse_node(struct parse *parse, bool is_host);

/* path.c */

/** Read "path HOST NODE..." or "back HOST NODE..." from word @p at on; it holds from @p from_ns on.
 */
int parse_path(struct parse *parse, size_t at, sonde_ns from_ns);

/** @return true if a word begins a path. */
bool parse_is_path(const char *word);

/* rule.c */

/** Read "NODE ACTION WHAT [OPTION...]". */
int parse_rule(struct parse *parse);

#endif
