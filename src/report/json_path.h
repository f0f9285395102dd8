/* SPDX-License-Identifier: BSD-2-Clause */
/* What was measured of a service and of the hops on its way, as members of JSON. */
#ifndef REPORT_JSON_PATH_H
#define REPORT_JSON_PATH_H

#include "report/members.h"

#include <sonde/snapshot.h>

/** Put how many probes were sent and answered, and the loss; null if none was sent. */
void json_loss(struct json_writer *writer, cJSON *object, uint64_t sent, uint64_t received);

/** Put round trips; null without any. */
void json_rtt(struct json_writer *writer, cJSON *object, const struct sonde_rtt *rtt);

/** Put a path with its hops. @param path  NULL becomes null. */
void json_path(struct json_writer *writer, cJSON *service, const struct sonde_path *path);

#endif
