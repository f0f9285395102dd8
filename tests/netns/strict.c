/* SPDX-License-Identifier: BSD-2-Clause */
/* Preloaded into sonde, this makes its filter kill where it would refuse: so a system call that is
 * needed and not on the list cannot pass unnoticed. That clone3() is refused is meant, and stays.
 */
#include <dlfcn.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/prctl.h>

enum { ARGUMENTS = 4 };

static void make_strict(struct sock_filter *code, unsigned short len)
{
    for (unsigned short i = 0; i < len; i++) {
        if (code[i].code == (BPF_RET | BPF_K) && code[i].k == (SECCOMP_RET_ERRNO | EPERM))
            code[i].k = SECCOMP_RET_KILL_PROCESS;
    }
}

int prctl(int option, ...)
{
    int (*real)(int, ...);
    unsigned long values[ARGUMENTS];
    va_list arguments;
    *(void **)&real = dlsym(RTLD_NEXT, "prctl");
    va_start(arguments, option);
    for (int i = 0; i < ARGUMENTS; i++)
        values[i] = va_arg(arguments, unsigned long);
    va_end(arguments);
    if (option != PR_SET_SECCOMP)
        return real(option, values[0], values[1], values[2], values[3]);
    struct sock_fprog program;
    struct sock_filter code[BPF_MAXINSNS];
    memcpy(&program, (const void *)values[1], sizeof program);
    memcpy(code, program.filter, program.len * sizeof *code);
    make_strict(code, program.len);
    program.filter = code;
    return real(option, values[0], &program, 0UL, 0UL);
}
