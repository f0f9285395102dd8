/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where a trace stands: what is known of its service, as far as that changes the probing.
 *
 * A control that stands by is begun when it is needed, and stands by again when it is not any more.
 *
 *                    needed                answered
 *     STANDING_BY ----------> ASKED ------------------------> ANSWERED <---------+
 *                               |                              |  ^  |  explained |
 *                     overdue   |        answered              |  |  +--> ODD ---+
 *                               v                     overdue  |  |  odd   |
 *                             SILENT <-------------------------+  |        | overdue
 *                               |  ^---------------------------------------+
 *                               +----------------------------------+
 *
 * Who is SILENT is looked at closer: between which hops is it lost? Who is ODD is, too: is it the
 * target that answers? What is needed for that is asked before anything else (engine/look.h).
 *
 * A trace may be PAUSED wherever it stands. Then it sends nothing, needs nothing and is nobody's
 * control. What happens to it meanwhile happens to where it stands but for the pause, which is kept
 * beside it; there it goes on. Only who is SILENT when it is resumed is ASKED again: when that is
 * found overdue, what it needs is begun.
 */
#ifndef ENGINE_STANDING_H
#define ENGINE_STANDING_H

enum standing {
    STANDING_BY,       /* a control that nobody has needed yet; nothing is sent */
    STANDING_ASKED,    /* it was not answered yet, nor is that overdue */
    STANDING_ANSWERED, /* by the target, or by who refuses in its place */
    STANDING_SILENT,   /* for longer than any answer takes */
    STANDING_ODD,      /* answered, but perhaps by somebody else in the target's name */
    STANDING_PAUSED,   /* nothing is sent until it is resumed */
    STANDING_COUNT
};

/** What happens to a trace. */
enum standing_event {
    STANDING_EVENT_NEEDED,     /* somebody silent has nothing to be compared with */
    STANDING_EVENT_NOT_NEEDED, /* a control: nobody is silent any more */
    STANDING_EVENT_ANSWERED,   /* the target answered, or somebody who refuses */
    STANDING_EVENT_OVERDUE,    /* an answer that should be there by now is not */
    STANDING_EVENT_ODD,        /* something of its answers is unlike those of the target's others */
    STANDING_EVENT_EXPLAINED,  /* and that was looked into */
    STANDING_EVENT_RESUMED,    /* a pause is over; this is where it stands but for that */
    STANDING_EVENT_COUNT
};

/** @return Where a trace stands after an event; what an event does not change stays. */
enum standing standing_after(enum standing standing, enum standing_event event);

#endif
