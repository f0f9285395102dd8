/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes the filter of system calls that sandbox.c puts in force, as C. It runs while sonde is
 * built: to put the rules together takes libseccomp longer than a whole run may take to start, and
 * the result is the same each time. seccomp(2).
 *
 *     make-filter MACHINE OUTPUT       MACHINE: x86_64 or aarch64, which sonde is built for
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <sched.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

/* A system call that may be made with any arguments. */
static const int plain_calls[] = {
    /* probing, and the sockets of resolvers */
    SCMP_SYS(bind), SCMP_SYS(connect), SCMP_SYS(getpeername), SCMP_SYS(getsockname),
    SCMP_SYS(getsockopt), SCMP_SYS(setsockopt), SCMP_SYS(recvfrom), SCMP_SYS(recvmsg),
    SCMP_SYS(recvmmsg), SCMP_SYS(sendto), SCMP_SYS(sendmsg), SCMP_SYS(sendmmsg),
    /* waiting */
    SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(epoll_create1), SCMP_SYS(epoll_ctl),
    SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait), SCMP_SYS(eventfd2), SCMP_SYS(clock_nanosleep),
    SCMP_SYS(nanosleep), SCMP_SYS(restart_syscall), SCMP_SYS(sched_yield),
    /* clocks where the vDSO has none, and random numbers */
    SCMP_SYS(clock_gettime), SCMP_SYS(gettimeofday), SCMP_SYS(time), SCMP_SYS(getrandom),
    /* reading, and writing to what is open already: the report */
    SCMP_SYS(read), SCMP_SYS(readv), SCMP_SYS(pread64), SCMP_SYS(write), SCMP_SYS(writev),
    SCMP_SYS(lseek), SCMP_SYS(close), SCMP_SYS(fstat), SCMP_SYS(newfstatat), SCMP_SYS(stat),
    SCMP_SYS(lstat), SCMP_SYS(statx), SCMP_SYS(access), SCMP_SYS(faccessat), SCMP_SYS(faccessat2),
    SCMP_SYS(readlink), SCMP_SYS(readlinkat),
    /* memory; modules of the C library are loaded when a name is looked up */
    SCMP_SYS(brk), SCMP_SYS(madvise), SCMP_SYS(mmap), SCMP_SYS(mprotect), SCMP_SYS(mremap),
    SCMP_SYS(munmap),
    /* threads and signals */
    SCMP_SYS(futex), SCMP_SYS(set_robust_list), SCMP_SYS(rseq), SCMP_SYS(set_tid_address),
    SCMP_SYS(sched_getaffinity), SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigreturn), SCMP_SYS(sigaltstack),
    /* who am I; where am I */
    SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(getuid), SCMP_SYS(geteuid), SCMP_SYS(getgid),
    SCMP_SYS(getegid), SCMP_SYS(uname), SCMP_SYS(sysinfo), SCMP_SYS(exit), SCMP_SYS(exit_group)};

/* The sockets that may be opened: probes without privilege, resolvers, local resolver services,
 * and the kernel's list of addresses, by which getaddrinfo() sorts its answers. */
static const struct {
    unsigned domain;
    unsigned type;
    unsigned protocol;
} socket_kinds[] = {
    {AF_INET, SOCK_DGRAM, 0},
    {AF_INET, SOCK_DGRAM, IPPROTO_UDP},
    {AF_INET, SOCK_DGRAM, IPPROTO_ICMP},
    {AF_INET, SOCK_STREAM, 0},
    {AF_INET, SOCK_STREAM, IPPROTO_TCP},
    {AF_INET6, SOCK_DGRAM, 0},
    {AF_INET6, SOCK_DGRAM, IPPROTO_UDP},
    {AF_INET6, SOCK_DGRAM, IPPROTO_ICMPV6},
    {AF_INET6, SOCK_STREAM, 0},
    {AF_INET6, SOCK_STREAM, IPPROTO_TCP},
    {AF_UNIX, SOCK_DGRAM, 0},
    {AF_UNIX, SOCK_STREAM, 0},
    {AF_NETLINK, SOCK_RAW, NETLINK_ROUTE},
};

/* What may be asked about a descriptor: is it a terminal, and how wide; how much can be read; what
 * is the name of an interface. Not TIOCSTI, by which one types into another program's terminal. */
static const unsigned requests[] = {TCGETS, TIOCGWINSZ, FIONREAD, SIOCGIFNAME, SIOCGIFINDEX};

/* What may be done with a descriptor. Not F_SETOWN and F_SETSIG, by which the kernel sends any
 * signal to any process of this user's. */
static const unsigned commands[] = {F_DUPFD_CLOEXEC, F_GETFD, F_SETFD, F_GETFL, F_SETFL};

/* All of an argument that is an int: the kernel does not look at the upper half of its register. */
static const scmp_datum_t whole_int = UINT32_MAX;

/* The condition that those bits of an argument that are in @p mask are @p value. */
static struct scmp_arg_cmp bits_are(unsigned argument, scmp_datum_t mask, scmp_datum_t value)
{
    return (struct scmp_arg_cmp){argument, SCMP_CMP_MASKED_EQ, mask, value};
}

static int allow_plain(scmp_filter_ctx filter)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < sizeof plain_calls / sizeof *plain_calls; i++)
        r = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, plain_calls[i], 0, NULL);
    return r;
}

static int allow_sockets(scmp_filter_ctx filter)
{
    const scmp_datum_t type_mask = 0xf; /* SOCK_TYPE_MASK of the kernel's include/linux/net.h */
    int r = 0;
    for (size_t i = 0; r == 0 && i < sizeof socket_kinds / sizeof *socket_kinds; i++) {
        const struct scmp_arg_cmp conditions[] = {
            bits_are(0, whole_int, socket_kinds[i].domain),
            bits_are(1, type_mask, socket_kinds[i].type),
            bits_are(2, whole_int, socket_kinds[i].protocol),
        };
        r = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 3, conditions);
    }
    return r;
}

/* A call whose second argument is one of these. */
static int allow_second(scmp_filter_ctx filter, int call, const unsigned *values, size_t count)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < count; i++) {
        const struct scmp_arg_cmp condition = bits_are(1, whole_int, values[i]);
        r = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, call, 1, &condition);
    }
    return r;
}

/* Files are opened only to be read: Landlock says which, this holds also where it is missing. */
static int allow_reading(scmp_filter_ctx filter)
{
    const scmp_datum_t changing = O_ACCMODE | O_CREAT | O_TRUNC;
    const struct scmp_arg_cmp of_openat = bits_are(2, changing, O_RDONLY);
    const struct scmp_arg_cmp of_open = bits_are(1, changing, O_RDONLY);
    int r = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(openat), 1, &of_openat);
    if (r == 0)
        r = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(open), 1, &of_open);
    return r;
}

/* A thread of this process may be started, no process and nothing with namespaces of its own.
 * What clone3() is asked for lies in memory, where no filter looks: the C library is told that
 * there is no such call, and takes clone(). Its flags are its first argument on the machines that
 * meson.build has a filter for. */
static int allow_threads(scmp_filter_ctx filter)
{
    const scmp_datum_t thread = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD;
    const scmp_datum_t deciding = thread | CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS |
                                  CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET |
                                  CLONE_PTRACE;
    const struct scmp_arg_cmp is_thread = bits_are(0, deciding, thread);
    int r = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1, &is_thread);
    if (r == 0)
        r = seccomp_rule_add_array(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0, NULL);
    return r;
}

/* Whatever is not on the list fails with EPERM: a C library that tries something unforeseen gets
 * on without it, rather than ending the run. */
static int add_rules(scmp_filter_ctx filter)
{
    int r = allow_plain(filter);
    if (r == 0)
        r = allow_sockets(filter);
    if (r == 0)
        r = allow_second(filter, SCMP_SYS(ioctl), requests, sizeof requests / sizeof *requests);
    if (r == 0)
        r = allow_second(filter, SCMP_SYS(fcntl), commands, sizeof commands / sizeof *commands);
    if (r == 0)
        r = allow_reading(filter);
    if (r == 0)
        r = allow_threads(filter);
    return r;
}

/* Make the filter one for the machine that sonde is built for, which may be another than this. */
static int set_machine(scmp_filter_ctx filter, const char *machine)
{
    uint32_t wanted = seccomp_arch_resolve_name(machine);
    if (wanted == 0)
        return -EINVAL;
    if (wanted == seccomp_arch_native())
        return 0;
    int r = seccomp_arch_add(filter, wanted);
    return r < 0 ? r : seccomp_arch_remove(filter, SCMP_ARCH_NATIVE);
}

/* Write the instructions that are in a file, from its beginning. */
static int print(FILE *program, FILE *output)
{
    struct sock_filter code;
    rewind(program);
    (void)fputs("/* Made by make_filter.c. */\n"
                "#include \"sys/filter.h\"\n\n"
                "static struct sock_filter code[] = {\n",
                output);
    while (fread(&code, sizeof code, 1, program) == 1)
        (void)fprintf(output, "    {0x%x, %u, %u, 0x%x},\n", (unsigned)code.code, code.jt, code.jf,
                      code.k);
    (void)fputs("};\n\n"
                "const struct sock_fprog filter_program = {sizeof code / sizeof *code, code};\n",
                output);
    return ferror(program) != 0 || ferror(output) != 0 ? -EIO : 0;
}

static int make(const char *machine, FILE *program, FILE *output)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    if (filter == NULL)
        return -ENOMEM;
    int r = set_machine(filter, machine);
    if (r == 0)
        r = add_rules(filter);
    if (r == 0)
        r = seccomp_export_bpf(filter, fileno(program));
    seccomp_release(filter);
    return r == 0 ? print(program, output) : r;
}

int main(int argc, char **argv)
{
    FILE *program = tmpfile();
    FILE *output = argc == 3 ? fopen(argv[2], "we") : NULL;
    int r = program == NULL || output == NULL ? -EINVAL : make(argv[1], program, output);
    if (output != NULL && fclose(output) != 0)
        r = -EIO;
    if (program != NULL)
        (void)fclose(program);
    if (r < 0)
        (void)fprintf(stderr, "make-filter: %s\n", strerrordesc_np(-r));
    return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
