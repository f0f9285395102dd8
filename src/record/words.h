/* SPDX-License-Identifier: BSD-2-Clause */
/* Words of lines that are no part of the public vocabulary. */
#ifndef RECORD_WORDS_H
#define RECORD_WORDS_H

#include <sonde/extension.h>

enum { WORDS_ROLE_COUNT = 4 };

/** By enum sonde_interface_role. */
static const char *const words_role[WORDS_ROLE_COUNT] = {
    [SONDE_INTERFACE_INCOMING] = "incoming",
    [SONDE_INTERFACE_SUB_IP] = "sub_ip",
    [SONDE_INTERFACE_OUTGOING] = "outgoing",
    [SONDE_INTERFACE_NEXT_HOP] = "next_hop",
};

#endif
