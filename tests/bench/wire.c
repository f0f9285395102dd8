/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Links that take time, which the kernels that tests run on cannot make by themselves: packets
 * read from one TUN device are written to the other after a delay, in both directions.
 *
 * bench-wire SECONDS (DELAY_US FD FD)...    ends by itself after so many seconds
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

enum {
    ENDS_MAX = 128,
    QUEUE = 512, /* packets under way in one direction; more are lost */
    PACKET_MAX = 1600,
};
static const int64_t NS_PER_S = 1000000000;

struct packet {
    int64_t due_ns;
    size_t len;
    uint8_t bytes[PACKET_MAX];
};

/* Where packets come in, and those that did. The delay is the same for all: first in, first out. */
struct end {
    int64_t delay_ns;
    int to; /* the descriptor that they go out by */
    uint32_t first;
    uint32_t count;
    struct packet *packets; /* [QUEUE], a ring */
};

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * NS_PER_S + now.tv_nsec;
}

static int64_t number(const char *text)
{
    return strtoll(text, NULL, 10);
}

/* Take in what has come. */
static void take(struct end *end, int fd)
{
    uint8_t lost[PACKET_MAX];
    bool full = end->count == QUEUE;
    struct packet *packet = &end->packets[(end->first + end->count) % QUEUE];
    ssize_t len = read(fd, full ? lost : packet->bytes, PACKET_MAX);
    if (len <= 0 || full)
        return;
    packet->len = (size_t)len;
    packet->due_ns = now_ns() + end->delay_ns;
    end->count++;
}

/* Put out what has been under way for long enough. @return when the next is due. */
static int64_t put(struct end *end, int64_t now)
{
    while (end->count > 0 && end->packets[end->first].due_ns <= now) {
        const struct packet *packet = &end->packets[end->first];
        if (write(end->to, packet->bytes, packet->len) < 0 && errno == EAGAIN)
            return now; /* try again */
        end->first = (end->first + 1) % QUEUE;
        end->count--;
    }
    return end->count > 0 ? end->packets[end->first].due_ns : INT64_MAX;
}

static void carry(struct end *ends, struct pollfd *fds, nfds_t count, int64_t until_ns)
{
    int64_t now = now_ns();
    while (now < until_ns) {
        int64_t next = until_ns;
        for (nfds_t i = 0; i < count; i++) {
            int64_t due = put(&ends[i], now);
            next = due < next ? due : next;
        }
        int64_t wait = next > now ? next - now : 0;
        struct timespec timeout = {wait / NS_PER_S, wait % NS_PER_S};
        if (ppoll(fds, count, &timeout, NULL) < 0 && errno != EINTR)
            return;
        for (nfds_t i = 0; i < count; i++) {
            if ((fds[i].revents & POLLIN) != 0)
                take(&ends[i], fds[i].fd);
        }
        now = now_ns();
    }
}

int main(int argc, char **argv)
{
    static struct end ends[ENDS_MAX];
    static struct pollfd fds[ENDS_MAX];
    nfds_t count = 0;
    if (argc < 5 || argc % 3 != 2 || argc / 3 * 2 > ENDS_MAX)
        return 2;
    for (int i = 2; i < argc; i += 3) {
        for (int k = 0; k < 2; k++) {
            int fd = (int)number(argv[i + 1 + k]);
            fds[count] = (struct pollfd){.fd = fd, .events = POLLIN};
            ends[count].to = (int)number(argv[i + 2 - k]);
            ends[count].delay_ns = number(argv[i]) * 1000;
            ends[count].packets = calloc(QUEUE, sizeof *ends[count].packets);
            if (ends[count].packets == NULL || fcntl(fd, F_SETFL, O_NONBLOCK) < 0) {
                perror("bench-wire");
                return 3;
            }
            count++;
        }
    }
    prctl(PR_SET_TIMERSLACK, 1UL); /* wake when it is time, not up to 50 us later */
    carry(ends, fds, count, now_ns() + number(argv[1]) * NS_PER_S);
    return 0;
}
