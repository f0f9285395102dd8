/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What people write whose fingers know other tools, or another form, and what it is here. Each hint
 * is a part of the one line that the command ends with; nothing is sent.
 */
#ifndef APP_HINTS_H
#define APP_HINTS_H

#include "base/text.h"

/**
 * Say what an option of mtr, traceroute, ping or nmap is here.
 * @param option  As it is written, with dashes: "-y", "-Pn", "--count".
 * @return "ping's; use -c"; NULL if nothing is known of it.
 */
const char *hint_option(const char *option);

/** @return What to write for an option that takes no value here, but did there, with the number
 *  that follows it: "-Z" for "-w"; NULL if the number can be no value of it. */
const char *hint_number(const char *option, const char *number);

/** Say why a word is no host, and what it was probably meant to be. @param word  Of the command
 *  line, or a part of it. @return -EINVAL, with one line in @p reterr; safe to print. */
int hint_host(const char *word, struct text *reterr);

/**
 * Is a word a host that was perhaps meant to be a service, or to have one? It is, only if no
 * service of it follows.
 * @param behind     Another target stands before it.
 * @param ret_doubt  On 0, what to say then, as one line; NULL if there is no doubt. Free it.
 * @return 0; -ENOMEM.
 */
SONDE_MUST_CHECK int hint_doubt(const char *word, bool behind, char **ret_doubt);

#endif
