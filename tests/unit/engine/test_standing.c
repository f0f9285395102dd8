/* SPDX-License-Identifier: BSD-2-Clause */
/* Where a trace stands: every arrow of the drawing in engine/standing.h, and no others. */
#include "engine/standing.h"

#include <assert.h>
#include <criterion/criterion.h>

enum {
    BY = STANDING_BY,
    ASKED = STANDING_ASKED,
    ANSWERED = STANDING_ANSWERED,
    SILENT = STANDING_SILENT,
    ODD = STANDING_ODD,
    PAUSED = STANDING_PAUSED,
};

/* For each standing, where it goes; in the order of enum standing_event. */
/* clang-format off */
static const int table[STANDING_COUNT][STANDING_EVENT_COUNT] = {
    /*            needed    not needed  answered  overdue  odd     explained  resumed */
    [BY] =       {ASKED,    BY,         BY,       BY,      BY,     BY,        BY},
    [ASKED] =    {ASKED,    BY,         ANSWERED, SILENT,  ASKED,  ASKED,     ASKED},
    [ANSWERED] = {ANSWERED, BY,         ANSWERED, SILENT,  ODD,    ANSWERED,  ANSWERED},
    [SILENT] =   {SILENT,   BY,         ANSWERED, SILENT,  SILENT, SILENT,    ASKED},
    [ODD] =      {ODD,      BY,         ODD,      SILENT,  ODD,    ANSWERED,  ODD},
    [PAUSED] =   {PAUSED,   PAUSED,     PAUSED,   PAUSED,  PAUSED, PAUSED,    PAUSED},
};
/* clang-format on */

Test(standing, follows_the_arrows_of_the_drawing_and_no_others)
{
    static_assert(STANDING_EVENT_NEEDED == 0 && STANDING_EVENT_NOT_NEEDED == 1 &&
                      STANDING_EVENT_ANSWERED == 2 && STANDING_EVENT_OVERDUE == 3 &&
                      STANDING_EVENT_ODD == 4 && STANDING_EVENT_EXPLAINED == 5 &&
                      STANDING_EVENT_RESUMED == 6,
                  "the table has this order");
    for (int standing = 0; standing < STANDING_COUNT; standing++) {
        for (int event = 0; event < STANDING_EVENT_COUNT; event++) {
            int after = (int)standing_after((enum standing)standing, (enum standing_event)event);
            cr_expect_eq(after, table[standing][event], "%d, event %d: %d", standing, event, after);
        }
    }
}
