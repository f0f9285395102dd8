/* SPDX-License-Identifier: BSD-2-Clause */
/* What a snapshot comes to, in one number; see include/sonde/snapshot.h. */
#include <sonde/snapshot.h>

static enum sonde_exit service_exit(const struct sonde_service_result *service)
{
    if (service->control)
        return SONDE_EXIT_MET;
    if (service->verdict.level == SONDE_LEVEL_UNKNOWN)
        return SONDE_EXIT_UNMEASURED;
    bool failed = service->verdict.level == SONDE_LEVEL_FAILED || !service->met;
    return failed ? SONDE_EXIT_UNMET : SONDE_EXIT_MET;
}

enum sonde_exit sonde_snapshot_exit(const struct sonde_snapshot *snapshot)
{
    bool is_all = snapshot->target_count > 0 && snapshot->problem_count == 0;
    enum sonde_exit code = is_all ? SONDE_EXIT_MET : SONDE_EXIT_UNMEASURED;
    if (snapshot->failure < 0)
        return SONDE_EXIT_INTERNAL;
    for (size_t i = 0; i < snapshot->target_count; i++) {
        const struct sonde_target_result *target = &snapshot->targets[i];
        for (size_t k = 0; k < target->service_count; k++) {
            enum sonde_exit own = service_exit(&target->services[k]);
            if (own == SONDE_EXIT_UNMET)
                return own;
            if (own != SONDE_EXIT_MET)
                code = own;
        }
    }
    return code;
}
