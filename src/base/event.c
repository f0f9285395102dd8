/* SPDX-License-Identifier: BSD-2-Clause */
/* Who an answer came from; see include/sonde/event.h. */
#include <sonde/event.h>

bool sonde_event_is_target(const struct sonde_event *event, const struct sonde_addr *target)
{
    switch (event->outcome) {
    case SONDE_OUTCOME_ECHO_REPLY:
    case SONDE_OUTCOME_OPEN:
    case SONDE_OUTCOME_CLOSED:
    case SONDE_OUTCOME_UDP_REPLY:
        return true;
    case SONDE_OUTCOME_PACKET_TOO_BIG:
    case SONDE_OUTCOME_PORT_UNREACHABLE:
    case SONDE_OUTCOME_ADMIN_PROHIBITED:
    case SONDE_OUTCOME_HOST_UNREACHABLE:
    case SONDE_OUTCOME_NET_UNREACHABLE:
    case SONDE_OUTCOME_OTHER_UNREACHABLE:
        return sonde_addr_equal(&event->from, target);
    case SONDE_OUTCOME_TTL_EXCEEDED: /* a hop may well bear the target's address */
    case SONDE_OUTCOME_NO_REPLY:
    case SONDE_OUTCOME_SEND_ERROR:
    case SONDE_OUTCOME_COUNT:
        break;
    }
    return false;
}
