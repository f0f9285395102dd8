# SPDX-License-Identifier: BSD-2-Clause
"""Real Linux hosts, routers and firewalls: network namespaces joined by veth pairs.

    vantage ---- r1 ---- r2 ---- r3 ---- server          a Chain; more of them may share a vantage

Hop K of chain N answers from 10.N.K.1 and fd00:N:K::1; the server is hop 4. The vantage is
10.N.1.2 and fd00:N:1::2. Names carry a random prefix, so that several runs can go on at once, and
everything is removed at the end, also after a failure or a signal.

Sockets of servers, captures and forgers are opened inside a namespace by this process and stay
there, so that there are no helpers to be found and stopped.
"""
import atexit
import collections
import contextlib
import ctypes
import json
import os
import pathlib
import secrets
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import unittest

import jsonschema

SKIPPED = 77  # what meson takes for "skipped"

FAMILIES = (4, 6)

# Answers of routers and hosts are not rationed, unless a test asks for it; addresses are used at
# once instead of after a second of duplicate detection; no host takes routes from the wire.
SYSCTLS = {
    "net/ipv4/icmp_ratelimit": 0,
    "net/ipv4/icmp_msgs_per_sec": 1000000,
    "net/ipv4/icmp_msgs_burst": 1000000,
    "net/ipv4/conf/all/rp_filter": 0,
    "net/ipv4/conf/default/rp_filter": 0,
    "net/ipv6/icmp/ratelimit": 0,
    "net/ipv6/conf/all/accept_dad": 0,
    "net/ipv6/conf/default/accept_dad": 0,
    "net/ipv6/conf/all/accept_ra": 0,
    "net/ipv6/conf/default/accept_ra": 0,
}
PINGS_ALLOWED = {"net/ipv4/ping_group_range": "0 2147483647"}
FORWARDING = {"net/ipv4/ip_forward": 1, "net/ipv6/conf/all/forwarding": 1}

NOBODY = 65534
AS_NOBODY = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups",
             "--inh-caps=-all")
# Without any capability, now or ever.
WITHOUT_CAPABILITIES = (*AS_NOBODY, "--bounding-set=-all", "--no-new-privs")

sonde_path = os.environ.get("SONDE", "")

# Run every sonde as such a user: it has to do without raw sockets. ICMP is allowed to everybody.
unprivileged = bool(os.environ.get("SONDE_UNPRIVILEGED"))


class Run(collections.namedtuple("Run", "code out err")):
    """What a program left behind."""


class Report:
    """A JSON report that fits the schema, and its exit code."""

    def __init__(self, run):
        if not run.out:
            raise AssertionError(f"no report, exit code {run.code}: {run.err}")
        self.code = run.code
        self.document = json.loads(run.out)
        self.discarded = self.document["discarded"]
        validate(self.document)

    def service(self, name, target=0):
        services = self.document["targets"][target]["services"]
        return next(service for service in services if service["service"] == name)

    def states(self, target=0):
        """{service: state} of what was asked for: ports that stand by for comparison are not."""
        services = self.document["targets"][target]["services"]
        return {service["service"]: service["state"] for service in services
                if service["service"] == "icmp" or not service["control"]}

    def controls(self, target=0):
        """{service: state} of the ports that nobody asked for, as far as they were needed."""
        services = self.document["targets"][target]["services"]
        return {service["service"]: service["state"] for service in services
                if service["service"] != "icmp" and service["control"]}

    def hops(self, name, target=0):
        """{TTL: [address, ...]} of one service's path."""
        path = self.service(name, target)["paths"][0]
        return {hop["ttl"]: [responder["address"] for responder in hop["responders"]]
                for hop in path["hops"]}


def preloaded(name):
    """The environment that puts a module of this folder into sonde; None for a build under
    sanitizers, which has no sandbox to look at from inside."""
    if b"__asan_init" in pathlib.Path(sonde_path).read_bytes():
        return None
    module = pathlib.Path(sonde_path).parent / "tests" / "netns" / f"{name}.so"
    if not module.exists():
        raise AssertionError(f"{module} is not there")
    return {**os.environ, "LC_ALL": "C.UTF-8", "LD_PRELOAD": str(module)}


def schema():
    """The schema that this very sonde prints; read once."""
    if not hasattr(schema, "validator"):
        printed = subprocess.run([sonde_path, "--print-schema"], check=True, capture_output=True)
        document = json.loads(printed.stdout)
        jsonschema.Draft202012Validator.check_schema(document)
        schema.validator = jsonschema.Draft202012Validator(document)
    return schema.validator


def validate(document):
    errors = [f"{error.json_path}: {error.message}" for error in schema().iter_errors(document)]
    if errors:
        raise AssertionError("the report does not fit the schema:\n" + "\n".join(errors))


def setns(fd):
    clone_newnet = 0x40000000
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(fd, clone_newnet) != 0:
        raise OSError(ctypes.get_errno(), "setns")


class Network:
    """Namespaces, and everything that was opened or started in them."""

    def __init__(self):
        self.prefix = f"sonde-{secrets.token_hex(3)}-"
        self.nodes = []
        self.stack = contextlib.ExitStack()
        atexit.register(self.close)

    def close(self):
        try:
            self.stack.close()
        finally:
            while self.nodes:
                subprocess.run(["ip", "netns", "del", self.prefix + self.nodes.pop()], check=False)
            atexit.unregister(self.close)

    # --- what it is made of

    def add(self, name, router=False):
        """Add a namespace with its loopback up."""
        subprocess.run(["ip", "netns", "add", self.prefix + name], check=True)
        self.nodes.append(name)
        self.sysctl(name, SYSCTLS | (FORWARDING if router else {})
                    | (PINGS_ALLOWED if unprivileged else {}))
        self.ip(name, "link set lo up")

    def link(self, near, far, subnet4, subnet6, interface=None):
        """Join two nodes: near gets host 2 of each subnet, far host 1. The interface of each is
        named for the node at the other end, or as asked."""
        names = [interface or f"to-{far}", interface or f"to-{near}"]
        command = ["ip", "link", "add", names[0], "netns", self.prefix + near,
                   "type", "veth", "peer", "name", names[1], "netns", self.prefix + far]
        subprocess.run(command, check=True)
        for node, name, host in ((near, names[0], 2), (far, names[1], 1)):
            self.ip(node, f"link set {name} up", f"addr add {subnet4}.{host}/24 dev {name}",
                    f"addr add {subnet6}::{host}/64 dev {name} nodad")

    def ip(self, node, *lines):
        """Run lines of ip(8) in a node."""
        self.run(node, "ip", "-batch", "-", stdin="\n".join(lines))

    def nft(self, node, ruleset):
        """Replace a node's ruleset."""
        self.run(node, "nft", "-f", "-", stdin="flush ruleset\n" + ruleset)

    def starve(self, node, interface, port):
        """Let a queue of a node's interface drop for good what goes to a TCP port, and no more."""
        self.run(node, "tc", "-batch", "-", stdin=f"""
            qdisc replace dev {interface} root handle 1: htb default 1
            class add dev {interface} parent 1: classid 1:1 htb rate 1gbit
            class add dev {interface} parent 1: classid 1:2 htb rate 1gbit
            qdisc add dev {interface} parent 1:2 pfifo limit 0""")
        self.nft(node, f"""table inet filter {{
            chain c {{
                type filter hook output priority 0
                tcp dport {port} meta priority set 1:2
            }}
        }}""")

    def sysctl(self, node, values):
        """Set values in a node, by path below /proc/sys; those that this kernel lacks are left."""
        with self.inside(node):
            for path, value in values.items():
                file = pathlib.Path("/proc/sys", path)
                if file.exists():
                    file.write_text(str(value), encoding="ascii")

    # --- what goes on in it

    @contextlib.contextmanager
    def inside(self, node):
        """Let this thread open sockets in a node."""
        with contextlib.ExitStack() as stack:
            home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
            stack.callback(os.close, home)
            there = os.open(f"/run/netns/{self.prefix}{node}", os.O_RDONLY)
            stack.callback(os.close, there)
            setns(there)
            stack.callback(setns, home)
            yield

    def command(self, node, *words):
        return ["nsenter", f"--net=/run/netns/{self.prefix}{node}", "--", *words]

    def run(self, node, *words, stdin=None, timeout=60):
        """Run a program that must succeed; what it prints."""
        run = subprocess.run(self.command(node, *words), input=stdin, timeout=timeout, text=True,
                             capture_output=True, check=False)
        if run.returncode != 0:
            raise AssertionError(f"{words} in {node}: {run.returncode}\n{run.stdout}{run.stderr}")
        return run.stdout

    def start(self, node, *words, **how):
        """Start a program; killed at the end, with its children, if it still runs."""
        process = subprocess.Popen(self.command(node, *words), start_new_session=True, **how)
        self.stack.callback(self.stop, process)
        return process

    @staticmethod
    def stop(process):
        """Kill a program and its children unless it has ended."""
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream is not None:
                stream.close()
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def start_sonde(self, *words, node="vantage", wrap=(), program=None, **how):
        how = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE,
               "text": True, "env": {**os.environ, "LC_ALL": "C.UTF-8"}} | how
        user = WITHOUT_CAPABILITIES if unprivileged else ()
        return self.start(node, *wrap, *user, program or sonde_path, *words, **how)

    def sonde(self, *words, timeout=60, **how):
        """Run sonde to its end."""
        return self.finish(self.start_sonde(*words, **how), timeout)

    @staticmethod
    def finish(process, timeout=60):
        """Wait for a program to end by itself."""
        out, err = process.communicate(timeout=timeout)
        # A sanitizer's own exit code, 1, is one of sonde's, too.
        if "runtime error: " in (err or "") or "Sanitizer" in (err or ""):
            raise AssertionError(err)
        return Run(process.returncode, out, err)

    def report(self, *words, **how):
        """Run sonde -j -n to its end."""
        return Report(self.sonde("-j", "-n", *words, **how))

    def reports(self, target, *words, timeout=60):
        """Run sonde -j -n to target(family), for both families at once; {family: its report}."""
        processes = {family: self.start_sonde("-j", "-n", target(family), *words)
                     for family in FAMILIES}
        return {family: Report(self.finish(process, timeout))
                for family, process in processes.items()}

    # --- servers

    def check_no_sandbox(self, test):
        """A build with sanitizers goes without a sandbox, and says so."""
        test.assertRegex(self.sonde("--doctor").out, r"(?m)^no +seccomp filter")

    def listen(self, node, *ports):
        """Take TCP connections, as far as the kernel does so by itself."""
        for port in ports:
            with self.inside(node):
                server = socket.create_server(("::", port), family=socket.AF_INET6,
                                              dualstack_ipv6=True)
            self.stack.callback(server.close)

    def ignore(self, node, port):
        """Take datagrams, and answer none."""
        with self.inside(node):
            server = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
            server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            server.bind(("::", port))
        self.stack.callback(server.close)

    def echo(self, node, *ports):
        """Give every datagram back; on port 53 with the bit set that makes a DNS query its own
        answer (RFC 1035 §4.1.1)."""
        def answer(server, port):
            datagram, asker = server.recvfrom(65536)
            if port == 53 and len(datagram) > 2:
                datagram = datagram[:2] + bytes([datagram[2] | 0x80]) + datagram[3:]
            server.sendto(datagram, asker)

        for port in ports:
            with self.inside(node):
                server = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
                server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
                server.bind(("::", port))
            self.stack.callback(server.close)
            self.stack.enter_context(self.serving(
                server, lambda server=server, port=port: answer(server, port)))

    @staticmethod
    @contextlib.contextmanager
    def serving(server, answer):
        """Call answer, in a thread, whenever there is something to read."""
        done, end = os.pipe()

        def loop():
            while True:
                ready, _, _ = select.select([server, done], [], [])
                if done in ready:
                    return
                answer()

        thread = threading.Thread(target=loop, daemon=True)
        thread.start()
        try:
            yield
        finally:
            os.close(end)
            thread.join()
            os.close(done)


class Chain:
    """vantage - r1 - r2 - r3 - server, or with more or fewer routers in between."""

    def __init__(self, network, number=1, suffix="", length=4):
        self.network = network
        self.number = number
        self.length = length  # hops: the routers and the server
        self.routers = [f"r{k}{suffix}" for k in range(1, length)]
        self.server = f"server{suffix}"
        if "vantage" not in network.nodes:
            network.add("vantage")
        for router in self.routers:
            network.add(router, router=True)
        network.add(self.server)
        nodes = ["vantage", *self.routers, self.server]
        self.first = nodes[1]
        for k in range(1, length + 1):
            network.link(nodes[k - 1], nodes[k], f"10.{number}.{k}", f"fd00:{number}:{k}")
        for k, node in enumerate(nodes):
            back = [f"route add {net} via {via}" for net, via in (
                (f"10.{number}.1.0/24", f"10.{number}.{k}.2"),
                (f"fd00:{number}:1::/64", f"fd00:{number}:{k}::2"))]
            forth = [f"route add {net} via {via}" for net, via in (
                (f"10.{number}.0.0/16", f"10.{number}.{k + 1}.1"),
                (f"fd00:{number}::/32", f"fd00:{number}:{k + 1}::1"))]
            network.ip(node, *(back if k > 1 else []), *(forth if k < length - 1 else []))

    def hop(self, family, ttl):
        """The address that hop TTL answers from."""
        return f"10.{self.number}.{ttl}.1" if family == 4 else f"fd00:{self.number}:{ttl}::1"

    def target(self, family):
        return self.hop(family, self.length)

    def path(self, family):
        """{TTL: [address]} as Report.hops() gives it when everything answers."""
        return {ttl: [self.hop(family, ttl)] for ttl in range(1, self.length + 1)}


def obstacle():
    """Why no network can be built here; None if one can."""
    if os.geteuid() != 0:
        return "only root can make network namespaces"
    name = f"sonde-{secrets.token_hex(3)}-try"
    made = subprocess.run(["ip", "netns", "add", name], capture_output=True, text=True, check=False)
    if made.returncode != 0:
        return f"network namespaces cannot be made: {made.stderr.strip()}"
    subprocess.run(["ip", "netns", "del", name], check=True)
    return None


def public_copy(program):
    """A copy of a program that everybody can run; removed at the end."""
    directory = tempfile.TemporaryDirectory()
    atexit.register(directory.cleanup)
    os.chmod(directory.name, 0o755)
    copy = os.path.join(directory.name, os.path.basename(program))
    shutil.copy(program, copy)
    os.chmod(copy, 0o755)
    return copy


def main():
    """test_THEME.py [SONDE] [TEST...]; the path of sonde may also stand in the environment."""
    global sonde_path
    if len(sys.argv) > 1 and "/" in sys.argv[1]:
        sonde_path = sys.argv.pop(1)
    if not sonde_path:
        sys.exit("which sonde? Give its path, or set SONDE.")
    sonde_path = os.path.abspath(sonde_path)
    if unprivileged:
        sonde_path = public_copy(sonde_path)
    reason = obstacle()
    if reason is not None:
        print(f"skipped: {reason}")
        sys.exit(SKIPPED)

    def interrupt(number, frame):
        raise KeyboardInterrupt  # the one exception that unittest lets through to the end

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)
    unittest.main(verbosity=2)
