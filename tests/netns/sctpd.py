#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A real SCTP server where the kernel has none: FreeBSD's stack in user space, Debian's
libusrsctp2. It takes associations at the ports that it is given over both families, and prints
"ready"; every other port is closed. It ends when its standard input does.

    sctpd.py PORT...
"""
import ctypes
import socket
import struct
import sys

SCTP = 132


def main():
    stack = ctypes.CDLL("libusrsctp.so.2", use_errno=True)
    stack.usrsctp_socket.restype = ctypes.c_void_p
    stack.usrsctp_init(ctypes.c_uint16(0), None, None)  # over IP, not in UDP
    for port in map(int, sys.argv[1:]):
        server = ctypes.c_void_p(stack.usrsctp_socket(
            socket.AF_INET6, socket.SOCK_STREAM, SCTP, None, None, ctypes.c_uint32(0), None))
        # struct sockaddr_in6 of any address; such a socket is one of IPv4, too
        address = struct.pack("=H", socket.AF_INET6) + struct.pack("!H24x", port)
        if (server.value is None or stack.usrsctp_bind(server, address, len(address)) != 0
                or stack.usrsctp_listen(server, 1) != 0):
            sys.exit(f"cannot listen at {port}: {ctypes.get_errno()}")
    print("ready", flush=True)
    sys.stdin.read()


main()
