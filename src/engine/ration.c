/* SPDX-License-Identifier: BSD-2-Clause */
/* Whether a service is answered only so often; see engine/ration.h. */
#include "engine/ration.h"

enum {
    KEPT = 32,           /* probes that are looked at */
    LOST_MIN = 16,       /* of these: then it is worth asking slowly */
    LOST_AGAIN_MIN = 5,  /* and these have to be lost when it is asked so again */
    LOST_SLOWLY_MAX = 4, /* of who rations his answers, asked slowly: that many are the network's */
    PAUSE_MIN = 256,     /* probes after which it is tried again, doubled each time */
    PAUSE_MAX = 4096,
    BELIEVED_FOR = 256, /* probes after which it is looked whether that is so still */
};
static const double CHANCE_MAX = 0.01; /* of a wrong belief that answers are rationed */

static unsigned count_lost(const struct ration *ration)
{
    unsigned count = 0;
    for (uint32_t bits = ration->lost; bits != 0; bits &= bits - 1)
        count++;
    return count;
}

static void become(struct ration *ration, enum ration_state state)
{
    ration->state = state;
    ration->lost = 0;
    ration->known = 0;
    ration->in_a_row = 0;
}

/* It was not that: answers are lost as before. */
static void give_up(struct ration *ration)
{
    become(ration, RATION_USUAL);
    ration->believed = false;
    ration->pause = ration->pause == 0 ? PAUSE_MIN : ration->pause * 2;
    if (ration->pause > PAUSE_MAX)
        ration->pause = PAUSE_MAX;
    ration->next_try = ration->pause;
}

static void believe(struct ration *ration)
{
    become(ration, RATION_RATIONED);
    ration->believed = true;
    ration->next_try = BELIEVED_FOR;
}

/* How likely is it that a share of loss spares so many in a row? */
static bool is_chance(const struct ration *ration)
{
    double chance = 1;
    for (unsigned i = 0; i < ration->in_a_row; i++)
        chance *= 1 - (double)ration->share / KEPT;
    return chance > CHANCE_MAX;
}

/* Asked slowly, one was lost, or so many were answered that it is no chance. */
static void note_slowly(struct ration *ration, bool lost)
{
    ration->in_a_row++;
    if (lost)
        give_up(ration);
    else if (!is_chance(ration))
        become(ration, RATION_CHECK);
}

void ration_note(struct ration *ration, bool lost, bool spaced)
{
    bool is_slow = ration_is_slow(ration);
    if ((is_slow || ration->state == RATION_CHECK) && spaced != is_slow)
        return; /* it left before */
    if (ration->state == RATION_SLOW) {
        note_slowly(ration, lost);
        return;
    }
    ration->lost = ration->lost << 1 | lost;
    ration->known = (uint8_t)(ration->known + (ration->known < KEPT));
    ration->next_try -= ration->next_try > 0;
    unsigned count = count_lost(ration);
    if (ration->state == RATION_RATIONED) {
        if (count >= LOST_SLOWLY_MAX)
            give_up(ration);
        else if (ration->next_try == 0)
            become(ration, RATION_CHECK);
    } else if (ration->state == RATION_CHECK) {
        if (count >= LOST_AGAIN_MIN)
            believe(ration);
        else if (ration->known == KEPT)
            give_up(ration);
    } else if (ration->known == KEPT && count == 0) {
        ration->pause = 0; /* what was lost before is over: the next time is another matter */
    } else if (ration->known == KEPT && count >= LOST_MIN && count < KEPT && !spaced &&
               ration->next_try == 0) {
        ration->share = (uint8_t)count;
        become(ration, RATION_SLOW);
    }
}
