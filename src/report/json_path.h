/* SPDX-License-Identifier: BSD-2-Clause */
/* What was measured of a service and of the hops on its way, as members of JSON. */
#ifndef REPORT_JSON_PATH_H
#define REPORT_JSON_PATH_H

#include "report/members.h"

#include <sonde/snapshot.h>

/** Put a ratio, to a millionth; null if it is negative. */
void json_ratio(struct json_writer *writer, cJSON *object, const char *name, double ratio);

/** Put how many probes were sent and answered, and the loss; null if none was sent. */
void json_loss(struct json_writer *writer, cJSON *object, uint64_t sent, uint64_t received);

/** Put round trips; null without any. */
void json_rtt(struct json_writer *writer, cJSON *object, const struct sonde_rtt *rtt);

/** Put the path of each flow of a service, with its hops. */
void json_paths(struct json_writer *writer, cJSON *service,
                const struct sonde_service_result *result);

#endif
