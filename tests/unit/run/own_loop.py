#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A program in another language, with a loop of its own: libsonde through ctypes.

own_loop.py LIBRARY: is 443/tcp of the built-in network open?
"""
import ctypes as c
import select
import sys

NEVER = (1 << 63) - 1
NS_PER_MS = 1000000


class Simulation(c.Structure):
    _fields_ = [("demo", c.c_bool), ("scenario", c.c_char_p), ("scenario_bytes", c.c_size_t),
                ("virtual_time", c.c_bool)]


class Service(c.Structure):
    _fields_ = [("protocol", c.c_char_p), ("port", c.c_uint16), ("name", c.c_char_p),
                ("control", c.c_bool), ("flows", c.c_uint32), ("expect", c.c_uint32),
                ("payload", c.c_char_p),
                ("question", c.c_void_p), ("question_bytes", c.c_size_t),
                ("expects", c.c_void_p), ("expects_bytes", c.c_size_t)]


class PollFd(c.Structure):
    _fields_ = [("fd", c.c_int), ("events", c.c_short), ("revents", c.c_short)]


def main():
    sonde = c.CDLL(sys.argv[1])
    sonde.sonde_vantage_timeout_ns.restype = c.c_int64
    sonde.sonde_vantage_fds.restype = c.c_size_t
    sonde.sonde_run_is_over.restype = c.c_bool
    vantage, run, snapshot = c.c_void_p(), c.c_void_p(), c.c_void_p()
    options = c.create_string_buffer(256)  # every option is the default if it is 0
    assert sonde.sonde_vantage_new(options, c.byref(Simulation(demo=True)), c.byref(vantage),
                                   None) == 0
    assert sonde.sonde_run_new(vantage, None, None, None, c.byref(run), None) == 0
    services = (Service * 2)(Service(protocol=b"icmp", control=True),
                             Service(protocol=b"tcp", port=443))
    assert sonde.sonde_run_add(run, b"web", b"web.example", services, c.c_size_t(2), None) == 0
    assert sonde.sonde_run_start(run) == 0
    fds = (PollFd * 64)()
    while True:
        assert sonde.sonde_vantage_step(vantage) == 0
        if sonde.sonde_run_is_over(run):
            break
        poll = select.poll()
        for i in range(sonde.sonde_vantage_fds(vantage, fds, c.c_size_t(len(fds)))):
            poll.register(fds[i].fd, fds[i].events)
        timeout = sonde.sonde_vantage_timeout_ns(vantage)
        poll.poll(None if timeout == NEVER else -(-timeout // NS_PER_MS))
    assert sonde.sonde_run_snapshot(run, c.byref(snapshot)) == 0
    assert sonde.sonde_snapshot_exit(snapshot) == 0, "443/tcp is not open"
    sonde.sonde_snapshot_free(snapshot)
    sonde.sonde_vantage_free(vantage)


if __name__ == "__main__":
    main()
