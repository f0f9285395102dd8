# SPDX-License-Identifier: BSD-2-Clause
"""Networks whose links take time, and programs that are timed in them."""
import collections
import contextlib
import fcntl
import json
import os
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "netns"))
import lab

LIFETIME_S = 3600  # after this the links end by themselves
TUNSETIFF = 0x400454CA  # linux/if_tun.h
SENT_COLUMN = 9  # behind a name in /proc/net/dev, packets: the kernel's net/core/net-procfs.c
WATCH_S = 0.001
IFF_TUN = 0x0001
IFF_NO_PI = 0x1000


class Timed(collections.namedtuple("Timed", "seconds cpu_seconds rss_bytes code out began_ns")):
    """What a program took, and what it printed."""


class Network(lab.Network):
    """Veth pairs, or, with a delay, links that bench-wire carries packets over."""

    def __init__(self, programs):
        super().__init__()
        self.programs = programs
        self.delay_us = 0  # one way, of every link made from now on
        self.ends = []

    def link(self, near, far, subnet4, subnet6, interface=None):
        if self.delay_us == 0 or near == "vantage":  # some tools know Ethernet only
            super().link(near, far, subnet4, subnet6, interface)
            return
        self.ends.append(str(self.delay_us))
        for node, other, host in ((near, far, 2), (far, near, 1)):
            name = f"to-{other}"
            self.ends.append(str(self.open_tun(node, name)))
            self.ip(node, f"link set {name} up txqueuelen 1000",
                    f"addr add {subnet4}.{host}/24 dev {name}",
                    f"addr add {subnet6}::{host}/64 dev {name} nodad")

    def open_tun(self, node, name):
        with self.inside(node):
            tun = os.open("/dev/net/tun", os.O_RDWR)
        self.stack.callback(os.close, tun)
        fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI))
        return tun

    def start_wires(self):
        """Begin to carry packets; once all links are made."""
        if self.ends:
            fds = [int(end) for i, end in enumerate(self.ends) if i % 3 != 0]
            command = [self.programs.wire, str(LIFETIME_S), *self.ends]
            process = subprocess.Popen(command, pass_fds=fds, start_new_session=True)
            self.stack.callback(self.stop, process)

    def packets_sent(self, node, interface):
        """What left through an interface so far."""
        out = self.run(node, "ip", "-s", "-j", "link", "show", "dev", interface)
        return json.loads(out)[0]["stats64"]["tx"]["packets"]

    @contextlib.contextmanager
    def watched(self, node, interface):
        """Yield a list of (when, packets sent) that grows meanwhile, every millisecond or so."""
        with self.inside(node):
            file = os.open("/proc/thread-self/net/dev", os.O_RDONLY)
        samples = []
        over = threading.Event()

        def count():
            lines = os.pread(file, 1 << 16, 0).decode().splitlines()
            words = next(line.split() for line in lines if f" {interface}:" in f" {line}")
            return int(words[1 + SENT_COLUMN])

        def watch():
            while not over.wait(WATCH_S):
                samples.append((time.monotonic(), count()))

        thread = threading.Thread(target=watch)
        thread.start()
        try:
            yield samples
        finally:
            over.set()
            thread.join()
            os.close(file)

    def timed(self, node, *words, timeout=120):
        """Run a program; what it took, and what it printed."""
        with tempfile.TemporaryFile() as out, tempfile.NamedTemporaryFile("r") as figures:
            with self.inside(node):
                process = subprocess.Popen([self.programs.run, figures.name, *words],
                                           stdin=subprocess.DEVNULL, stdout=out,
                                           stderr=subprocess.STDOUT, start_new_session=True)
            self.stack.callback(self.stop, process)
            process.wait(timeout)
            ns, cpu_us, rss_kb, code, began_ns = map(int, figures.read().split())
            out.seek(0)
            return Timed(ns / 1e9, cpu_us / 1e6, rss_kb * 1024, code,
                         out.read().decode(errors="replace"), began_ns)


def found(tools):
    """Of {name: command line}, what this machine has."""
    return {name: words for name, words in tools.items()
            if shutil.which(words.split()[0]) or words.startswith("{sonde}")}


def path(programs, length, rtt_ms):
    """A network with one chain of so many hops, of which the last is so far away."""
    net = Network(programs)
    net.delay_us = round(rtt_ms * 1000 / 2 / (length - 1)) if rtt_ms > 0 else 0
    chain = lab.Chain(net, length=length)
    net.start_wires()
    return net, chain
