/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What sockets alone can do: echo requests to COUNT addresses from FIRST on, so many times over,
 * sent and received in batches through the kinds of sockets that sonde uses, with the same time
 * stamps and a filter, and nothing else done. Prints how many were answered, and the milliseconds
 * from the first request to the last answer. bench-bare FIRST COUNT TIMES
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/net_tstamp.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 64, PACKET = 64, IDENT = 0x534f, CONTROL = 256, BUFFER = 4 << 20 };

static uint8_t packets[BATCH][PACKET];
static uint8_t arrivals[BATCH][2048];
static struct iovec iovs[BATCH];
static _Alignas(8) char controls[BATCH][CONTROL];
static struct mmsghdr messages[BATCH];
static struct sockaddr_in addresses[BATCH];

static uint16_t checksum(const uint8_t *data, size_t len)
{
    uint32_t sum = 0;
    for (size_t i = 0; i + 1 < len; i += 2)
        sum += (uint32_t)data[i] << 8 | data[i + 1];
    while (sum >> 16 != 0)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

static void write_echo(uint8_t *packet, uint32_t to, uint32_t number)
{
    struct iphdr ip = {.version = 4, .ihl = 5, .tot_len = htons(PACKET), .ttl = 30, .protocol = 1};
    struct icmphdr icmp = {.type = ICMP_ECHO,
                           .un.echo = {.id = htons(IDENT), .sequence = htons((uint16_t)number)}};
    ip.daddr = htonl(to);
    memset(packet, 0, PACKET);
    memcpy(packet, &ip, sizeof ip);
    memcpy(packet + sizeof ip, &icmp, sizeof icmp);
    icmp.checksum = htons(checksum(packet + sizeof ip, PACKET - sizeof ip));
    memcpy(packet + sizeof ip, &icmp, sizeof icmp);
}

static int set_int(int fd, int level, int name, int value)
{
    return setsockopt(fd, level, name, &value, sizeof value);
}

static int open_receiver(void)
{
    struct sock_filter code[] = {
        /* echo replies with our identifier: X = header length, type 0, identifier at 4 */
        {BPF_LDX | BPF_B | BPF_MSH, 0, 0, 0},
        {BPF_LD | BPF_B | BPF_IND, 0, 0, 0},
        {BPF_JMP | BPF_JEQ | BPF_K, 0, 3, 0},
        {BPF_LD | BPF_H | BPF_IND, 0, 0, 4},
        {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, IDENT},
        {BPF_RET | BPF_K, 0, 0, 0x40000},
        {BPF_RET | BPF_K, 0, 0, 0},
    };
    struct sock_fprog program = {sizeof code / sizeof *code, code};
    int fd = socket(AF_INET, SOCK_RAW | SOCK_NONBLOCK, IPPROTO_ICMP);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) < 0 ||
        set_int(fd, SOL_SOCKET, SO_RCVBUFFORCE, BUFFER) < 0 ||
        set_int(fd, SOL_SOCKET, SO_TIMESTAMPING,
                SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE) < 0)
        return -1;
    return fd;
}

static int open_sender(void)
{
    int fd = socket(AF_INET, SOCK_RAW | SOCK_NONBLOCK, IPPROTO_RAW);
    if (fd < 0 || set_int(fd, SOL_SOCKET, SO_TIMESTAMPING,
                          SOF_TIMESTAMPING_TX_SCHED | SOF_TIMESTAMPING_SOFTWARE |
                              SOF_TIMESTAMPING_OPT_ID | SOF_TIMESTAMPING_OPT_TSONLY) < 0)
        return -1;
    return fd;
}

/* Send up to a batch of what is left, number @p from and on. @return how many left. */
static uint32_t send_some(int fd, uint32_t first, uint32_t count, uint32_t from, uint32_t total)
{
    uint32_t n = total - from < BATCH ? total - from : BATCH;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t to = first + (from + i) % count;
        write_echo(packets[i], to, from + i);
        addresses[i] = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(to)};
        iovs[i] = (struct iovec){packets[i], PACKET};
        messages[i].msg_hdr = (struct msghdr){.msg_name = &addresses[i],
                                              .msg_namelen = sizeof addresses[i],
                                              .msg_iov = &iovs[i],
                                              .msg_iovlen = 1};
    }
    int sent = n > 0 ? sendmmsg(fd, messages, n, MSG_DONTWAIT) : 0;
    return sent > 0 ? (uint32_t)sent : 0;
}

static uint32_t receive_some(int fd, int flags)
{
    for (uint32_t i = 0; i < BATCH; i++) {
        iovs[i] = (struct iovec){arrivals[i], sizeof arrivals[i]};
        messages[i].msg_hdr = (struct msghdr){.msg_iov = &iovs[i],
                                              .msg_iovlen = 1,
                                              .msg_control = controls[i],
                                              .msg_controllen = CONTROL};
    }
    int count = recvmmsg(fd, messages, BATCH, MSG_DONTWAIT | flags, NULL);
    return count > 0 ? (uint32_t)count : 0;
}

static int64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int main(int argc, char **argv)
{
    struct in_addr first;
    if (argc != 4 || inet_pton(AF_INET, argv[1], &first) != 1)
        return 2;
    uint32_t count = (uint32_t)strtoul(argv[2], NULL, 10);
    uint32_t total = count * (uint32_t)strtoul(argv[3], NULL, 10);
    uint32_t sent = 0;
    uint32_t received = 0;
    int in = open_receiver();
    int out = open_sender();
    if (in < 0 || out < 0) {
        perror("bench-bare");
        return 3;
    }
    struct pollfd wait = {.fd = in, .events = POLLIN};
    int64_t began = now_us();
    int64_t last = began;
    while (received < total && (sent < total || poll(&wait, 1, 200) > 0)) {
        sent += send_some(out, ntohl(first.s_addr), count, sent, total);
        while (receive_some(out, MSG_ERRQUEUE) == BATCH)
            ;
        uint32_t some;
        do {
            some = receive_some(in, 0);
            received += some;
            if (some > 0)
                last = now_us();
        } while (some == BATCH);
    }
    printf("%u %.3f\n", received, (double)(last - began) / 1e3);
    return 0;
}
