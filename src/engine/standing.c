/* SPDX-License-Identifier: BSD-2-Clause */
/* Where a trace stands; see engine/standing.h. */
#include "engine/standing.h"

enum standing standing_after(enum standing standing, enum standing_event event)
{
    if (event == STANDING_EVENT_NOT_NEEDED && standing != STANDING_PAUSED)
        return STANDING_BY;
    switch (standing) {
    case STANDING_BY:
        return event == STANDING_EVENT_NEEDED ? STANDING_ASKED : standing;
    case STANDING_ASKED:
    case STANDING_SILENT:
        if (event == STANDING_EVENT_RESUMED)
            return STANDING_ASKED;
        if (event == STANDING_EVENT_ANSWERED)
            return STANDING_ANSWERED;
        return event == STANDING_EVENT_OVERDUE ? STANDING_SILENT : standing;
    case STANDING_ANSWERED:
        if (event == STANDING_EVENT_ODD)
            return STANDING_ODD;
        return event == STANDING_EVENT_OVERDUE ? STANDING_SILENT : standing;
    case STANDING_ODD:
        if (event == STANDING_EVENT_EXPLAINED)
            return STANDING_ANSWERED;
        return event == STANDING_EVENT_OVERDUE ? STANDING_SILENT : standing;
    case STANDING_PAUSED:
    case STANDING_COUNT:
        break;
    }
    return standing;
}
