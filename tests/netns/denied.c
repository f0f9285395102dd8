/* SPDX-License-Identifier: BSD-2-Clause */
/* Preloaded into sonde, this denies raw sockets as a security module does: with EACCES, where a
 * missing capability is EPERM. */
#include <dlfcn.h>
#include <errno.h>
#include <sys/socket.h>

int socket(int domain, int type, int protocol)
{
    int (*real)(int, int, int);
    *(void **)&real = dlsym(RTLD_NEXT, "socket");
    if ((type & ~(SOCK_CLOEXEC | SOCK_NONBLOCK)) != SOCK_RAW)
        return real(domain, type, protocol);
    errno = EACCES;
    return -1;
}
