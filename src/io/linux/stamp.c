/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel's time stamps, of what comes in and what goes out: socket(7), and the kernel's
 * Documentation/networking/timestamping.rst.
 */
#include "base/time.h"
#include "io/clock.h"
#include "io/linux/internal.h"

#include <errno.h>
#include <linux/errqueue.h>
#include <linux/net_tstamp.h>
#include <string.h>
#include <time.h>

static void read_error(const struct cmsghdr *control, struct side *side)
{
    struct sock_extended_err error;
    memcpy(&error, CMSG_DATA(control), sizeof error);
    side->is_sent =
        error.ee_origin == SO_EE_ORIGIN_TIMESTAMPING && error.ee_info == SCM_TSTAMP_SCHED;
    side->sent_id = error.ee_data;
    /* ip_local_error() in net/ipv4/ip_sockglue.c, ipv6_local_error() in net/ipv6/datagram.c */
    if (error.ee_origin == SO_EE_ORIGIN_LOCAL && error.ee_errno == EMSGSIZE)
        side->mtu_bytes = error.ee_info;
}

void side_read(struct msghdr *message, struct side *ret_side)
{
    struct side side = {.hop_limit = -1};
    struct cmsghdr *control = CMSG_FIRSTHDR(message);
    for (; control != NULL; control = CMSG_NXTHDR(message, control)) {
        int level = control->cmsg_level;
        int type = control->cmsg_type;
        if (level == SOL_SOCKET && type == SCM_TIMESTAMPING) {
            struct scm_timestamping stamps;
            memcpy(&stamps, CMSG_DATA(control), sizeof stamps);
            side.wall_ns = (sonde_ns)stamps.ts[0].tv_sec * SONDE_NS_PER_S + stamps.ts[0].tv_nsec;
        } else if ((level == IPPROTO_IPV6 && type == IPV6_HOPLIMIT) ||
                   (level == IPPROTO_IP && type == IP_TTL)) {
            int hop_limit;
            memcpy(&hop_limit, CMSG_DATA(control), sizeof hop_limit);
            side.hop_limit = (int16_t)hop_limit;
        } else if ((level == IPPROTO_IP && type == IP_RECVERR) ||
                   (level == IPPROTO_IPV6 && type == IPV6_RECVERR)) {
            read_error(control, &side);
        }
    }
    *ret_side = side;
}

void wall_follow(struct wall *wall)
{
    sonde_ns moved = clock_follow_wall(&wall->ahead_ns);
    if (moved > STAMP_SLACK_NS || moved < -STAMP_SLACK_NS)
        wall->since_ns = clock_monotonic_ns();
}

struct sonde_stamp stamp_of(const struct wall *wall, sonde_ns from_ns, sonde_ns until_ns,
                            sonde_ns wall_ns, sonde_ns user_ns)
{
    if (wall_ns != 0 && from_ns >= wall->since_ns) {
        sonde_ns time = wall_ns - wall->ahead_ns;
        if (time >= from_ns - STAMP_SLACK_NS && time <= until_ns + STAMP_SLACK_NS)
            return (struct sonde_stamp){time, SONDE_CLOCK_KERNEL};
    }
    return (struct sonde_stamp){user_ns, SONDE_CLOCK_USER};
}

struct sonde_stamp stamp_of_arrival(const struct wall *wall, sonde_ns drained_ns, sonde_ns now_ns,
                                    sonde_ns wall_ns)
{
    /* what was stamped since the clock was set is right, though it came into the socket later */
    sonde_ns from = drained_ns < wall->since_ns ? drained_ns : wall->since_ns;
    return stamp_of(wall, from, now_ns, wall_ns, now_ns);
}
