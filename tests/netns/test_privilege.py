# SPDX-License-Identifier: BSD-2-Clause
"""Privilege: what sonde needs, and that it has none of it left once a packet leaves."""
import os
import pathlib
import pwd
import re
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import unittest

import lab
import packets
from lab import AS_NOBODY, NOBODY

NONE = "0" * 16
ALL = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")
ALL_BUT_BOUNDING = ("CapInh", "CapPrm", "CapEff", "CapAmb")
SETCAP = pathlib.Path(__file__).parents[2] / "src" / "app" / "setcap.sh"

# What tests/netns/intruder.c tries, what comes of it without a sandbox, and inside.
ATTEMPTS = {
    "read a private file": ("done", "EACCES"),
    "read a resolver's file": ("done", "done"),
    "write": ("done", "EPERM"),
    "read and write": ("done", "EPERM"),
    "truncate": ("done", "EPERM"),
    "create": ("done", "EPERM"),
    "remove": ("done", "EPERM"),
    "memory file": ("done", "EPERM"),
    "type into a terminal": ("ENOTTY", "EPERM"),
    "raw socket": ("done", "EPERM"),
    "raw IPv6 socket": ("done", "EPERM"),
    "packet socket": ("done", "EPERM"),
    "packet socket without headers": ("done", "EPERM"),
    "firewall socket": ("done", "EPERM"),
    "UDP-Lite socket": ("done", "EPERM"),
    "TCP socket": ("done", "done"),
    "UDP socket": ("done", "done"),
    "abstract socket": ("done", "EPERM"),
    "execute": ("ENOENT", "EPERM"),
    "fork": ("done", "EPERM"),
    "signal": ("done", "EPERM"),
    "signal by a descriptor": ("done", "EPERM"),
    "namespace": ("done", "EPERM"),
    "change user": ("done", "EPERM"),
}
# LeakSanitizer looks into its own process, and may not while that has rights of somebody else's.
NO_LEAK_CHECK = {**os.environ, "LC_ALL": "C.UTF-8",
                 "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"}
ABSTRACT_BYTES = 108  # unix(7): all of sun_path is the name
PPOLL = "import ctypes; ctypes.CDLL(None).ppoll(None, 0, (ctypes.c_long * 2)(), None)"

# Starts a program in a container's filter that allows everything but further ones; seccomp(2).
UNFILTERED = """
import ctypes, os, sys
class Condition(ctypes.Structure):
    _fields_ = [("argument", ctypes.c_uint), ("equal", ctypes.c_int), ("value", ctypes.c_uint64),
                ("unused", ctypes.c_uint64)]
seccomp = ctypes.CDLL("libseccomp.so.2")
seccomp.seccomp_init.restype = ctypes.c_void_p
ALLOW, EPERM, EQUAL, PR_SET_SECCOMP = 0x7fff0000, 0x50001, 4, 22
context = ctypes.c_void_p(seccomp.seccomp_init(ALLOW))
condition = Condition(0, EQUAL, PR_SET_SECCOMP, 0)
for name, count in ((b"seccomp", 0), (b"prctl", 1)):
    seccomp.seccomp_rule_add_array(context, EPERM, seccomp.seccomp_syscall_resolve_name(name),
                                   count, ctypes.byref(condition))
seccomp.seccomp_load(context)
os.execvp(sys.argv[1], sys.argv[1:])
"""


def status_of(process):
    """The members of /proc/PID/status, one dictionary for each thread."""
    for task in pathlib.Path(f"/proc/{process.pid}/task").iterdir():
        lines = (task / "status").read_text(encoding="utf-8").splitlines()
        yield {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


class Privilege(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.net = lab.Network()
        cls.addClassCleanup(cls.net.close)
        cls.chain = lab.Chain(cls.net)
        cls.net.listen(cls.chain.server, 443)
        directory = tempfile.TemporaryDirectory()
        cls.addClassCleanup(directory.cleanup)
        os.chmod(directory.name, 0o755)
        cls.plain = os.path.join(directory.name, "sonde-plain")
        cls.capable = os.path.join(directory.name, "sonde-capable")
        for copy in (cls.plain, cls.capable):
            shutil.copy(lab.sonde_path, copy)
            os.chmod(copy, 0o755)
        cls.net.run("vantage", "setcap", "cap_net_raw+p", cls.capable)

    def started(self, **how):
        """Start sonde and wait for its first packet."""
        watch = packets.Capture(self.net, "vantage", "to-r1")
        process = self.net.start_sonde("-j", self.chain.target(4), ":443", "-c", "30",
                                       "-i", "0.1", **how)
        until = time.monotonic() + 10
        while not any(packet.outgoing and packet.dst == self.chain.target(4)
                      for packet in watch.read()):
            self.assertIsNone(process.poll(), "sonde ended before it sent anything")
            self.assertLess(time.monotonic(), until, "sonde sends nothing")
        return process

    def private_file(self):
        """A list of targets that is root's alone."""
        path = os.path.join(os.path.dirname(self.plain), "private")
        pathlib.Path(path).write_text("127.0.0.1\n", encoding="utf-8")
        os.chmod(path, 0o600)
        return path

    def check(self, process, names):
        # root's own files in /proc are those of a process that its user may not look into: proc(5)
        self.assertEqual(os.stat(f"/proc/{process.pid}/fd").st_uid, 0)
        for status in status_of(process):
            self.assertEqual({name: status[name] for name in names},
                             {name: NONE for name in names})
            self.assertEqual((status["NoNewPrivs"], status["Seccomp"]),
                             ("1", "0" if lab.preloaded("strict") is None else "2"))
        report = lab.Report(self.net.finish(process))
        self.assertEqual(report.states(), {"icmp": "open", "443/tcp": "open"})

    def test_root_has_no_capability_left_when_the_first_packet_leaves(self):
        self.check(self.started(), ALL)

    def test_a_user_with_a_file_capability_has_none_left_either(self):
        # To empty the bounding set takes CAP_SETPCAP, which such a user never had: with
        # no_new_privs set, nothing can be gained from it.
        process = self.started(wrap=AS_NOBODY, program=self.capable)
        self.assertEqual({status["Uid"].split()[0] for status in status_of(process)},
                         {str(NOBODY)})
        self.check(process, ALL_BUT_BOUNDING)

    def test_a_file_capability_is_enough_to_probe(self):
        for family in lab.FAMILIES:
            for words in ((), ("-I", "to-r1")):
                with self.subTest(family=family, words=words):
                    report = self.net.report(self.chain.target(family), ":443", "-c", "2",
                                             "-i", "0.1", *words, wrap=AS_NOBODY,
                                             program=self.capable)
                    self.assertEqual((report.code, report.states()),
                                     (0, {"icmp": "open", "443/tcp": "open"}))

    def test_a_source_port_below_1024_takes_privilege_and_is_refused_without(self):
        run = self.net.sonde("-r", "-n", "-L", "443", self.chain.target(4), ":443",
                             wrap=AS_NOBODY, program=self.capable)
        self.assertEqual((run.code, run.out), (2, ""))
        self.assertRegex(run.err, r"\Asonde: [^\n]*source port[^\n]*\n\Z")

    def test_without_the_capability_it_works_and_says_so(self):
        for family in lab.FAMILIES:
            with self.subTest(family=family):
                run = self.net.sonde("-r", "-n", self.chain.target(family), ":443",
                                     wrap=AS_NOBODY, program=self.plain)
                self.assertEqual((run.code, run.err), (0, ""))
                self.assertIn("\nmeasured without raw sockets, and without icmp", run.out)

    def test_a_setuid_or_setgid_bit_is_refused(self):
        private = self.private_file()
        # setgid alone, it may not read its own environment in /proc, as sanitizers do
        for mode in (0o4755,) if lab.preloaded("strict") is None else (0o4755, 0o2755):
            program = shutil.copy(self.plain, os.path.join(os.path.dirname(self.plain), "lent"))
            os.chmod(program, mode)
            for words in (("-q", "-F", private), ("-q", self.chain.target(4)), ("--doctor",)):
                with self.subTest(mode=oct(mode), words=words):
                    run = self.net.sonde(*words, wrap=AS_NOBODY, program=program,
                                         env=NO_LEAK_CHECK)
                    self.assertEqual((run.code, run.out), (2, ""))
                    self.assertRegex(run.err, rf"\Asonde: [^\n]*chmod ug-s {program}[^\n]*\n\Z")

    # --- through sudo

    def test_through_sudo_the_caller_is_all_that_is_left(self):
        process = self.started(wrap=("env", f"SUDO_UID={NOBODY}", f"SUDO_GID={NOBODY}"))
        for status in status_of(process):
            self.assertEqual((status["Uid"].split(), status["Gid"].split(), status["Groups"]),
                             (4 * [str(NOBODY)], 4 * [str(NOBODY)], str(NOBODY)))
        self.check(process, ALL)

    def test_through_sudo_the_groups_are_the_callers(self):
        # of Debian's users without a person, irc has a group of its own; see passwd(5)
        user = pwd.getpwnam("irc")
        process = self.started(wrap=("setpriv", "--groups=0,4,6", "env", f"SUDO_UID={user.pw_uid}",
                                     f"SUDO_GID={user.pw_gid}"))
        groups = set(os.getgrouplist(user.pw_name, user.pw_gid))
        for status in status_of(process):
            self.assertEqual(set(map(int, status["Groups"].split())), groups)
        self.check(process, ALL)

    def test_through_sudo_files_are_read_with_the_callers_rights(self):
        # else who may call nothing but sonde through sudo could read any file in error lines
        private = self.private_file()
        for option in ("-F", "--simulate"):
            for caller, permitted in ((NOBODY, False), (0, True)):
                with self.subTest(option=option, caller=caller):
                    run = self.net.sonde("-q", "-c", "1", "127.0.0.1", option, private,
                                         wrap=("env", f"SUDO_UID={caller}", f"SUDO_GID={caller}"),
                                         env=NO_LEAK_CHECK)
                    self.assertEqual("Permission denied" in run.err, not permitted)

    def test_through_sudo_the_doctor_says_what_the_caller_may(self):
        self.addCleanup(self.net.sysctl, "vantage", {"net/ipv4/ping_group_range": "1 0"})
        self.net.sysctl("vantage", {"net/ipv4/ping_group_range": f"{NOBODY} {NOBODY}"})
        for caller, permitted in ((NOBODY, "yes"), (0, "no")):
            code, facts = self.doctor(wrap=("env", f"SUDO_UID={caller}", f"SUDO_GID={caller}"))
            self.assertEqual((code, facts["raw sockets"][0], facts["ICMP datagram sockets"][0]),
                             (0, "yes", permitted))

    def test_what_is_no_user_of_sudos_changes_nothing(self):
        for uid, gid in (("0", "0"), ("", ""), (f"{NOBODY}x", f"{NOBODY}"), ("-1", "-1"),
                         ("4294967295", "4294967295"), (f"{NOBODY}", "")):
            with self.subTest(uid=uid, gid=gid):
                process = self.started(wrap=("env", f"SUDO_UID={uid}", f"SUDO_GID={gid}"))
                self.assertEqual({status["Uid"].split()[0] for status in status_of(process)}, {"0"})
                self.check(process, ALL)

    def test_only_root_believes_what_the_environment_says_of_sudo(self):
        process = self.started(wrap=(*AS_NOBODY, "env", "SUDO_UID=1", "SUDO_GID=1"),
                               program=self.capable)
        self.assertEqual({status["Uid"].split()[0] for status in status_of(process)},
                         {str(NOBODY)})
        self.check(process, ALL_BUT_BOUNDING)

    def test_no_raw_socket_is_opened_of_a_family_that_no_target_has(self):
        process = self.started()
        # the first line of each has the names of the columns; /proc/net/raw, proc(5)
        sockets = {name: len(self.net.run("vantage", "cat", "/proc/net/" + name).splitlines()) - 1
                   for name in ("raw", "raw6")}
        self.net.stop(process)
        self.assertEqual(sockets, {"raw": 4, "raw6": 0})  # to send through; ICMP, UDP, TCP

    # --- the sandbox

    def test_from_inside_nothing_can_be_executed_written_or_captured(self):
        environment = lab.preloaded("intruder")
        if environment is None:
            self.net.check_no_sandbox(self)
            return

        def outcomes(err):
            return dict(line.split(": ") for line in err.splitlines())

        with self.net.inside("vantage"):
            outsider = socket.socket(socket.AF_UNIX)
        self.addCleanup(outsider.close)
        outsider.bind("\0sonde-outside".ljust(ABSTRACT_BYTES, "\0"))
        outsider.listen()
        inside = {name: inside for name, (_, inside) in ATTEMPTS.items()}
        version = int(self.doctor()[1]["Landlock"][1].rpartition(" ")[2])
        if version < 6:  # landlock(7): scopes came with it
            inside["abstract socket"] = "done"
        outside = self.net.finish(self.net.start_sonde("-c", PPOLL, program=sys.executable,
                                                       env=environment))
        self.assertEqual(outcomes(outside.err), {name: out for name, (out, _) in ATTEMPTS.items()})
        watch = packets.Capture(self.net, "vantage", "to-r1")
        for words in ((self.chain.target(4), ":443"), ("--simulate", "demo", "web.example:443")):
            with self.subTest(words=words):
                run = self.net.sonde("-q", "-c", "2", "-i", "0.1", *words, env=environment)
                self.assertEqual(outcomes(run.err), inside)
                self.assertEqual(run.code, 0)
        self.assertTrue(any(packet.dst == self.chain.target(4) for packet in watch.read()))

    def test_a_run_needs_no_system_call_that_the_filter_refuses(self):
        environment = lab.preloaded("strict")  # the filter kills
        if environment is None:
            self.net.check_no_sandbox(self)
            return
        for family in lab.FAMILIES:
            for words in (("-r",), ("-j", "-I", "to-r1", "-e"), ("-r", "-n", "--rate", "100"),
                          ("-r", "--unprivileged"), ("-j", "--unprivileged", "-I", "to-r1")):
                with self.subTest(family=family, words=words):
                    run = self.net.sonde(*words, self.chain.target(family), ":443", ":22",
                                         ":53/udp", "-c", "2", "-i", "0.1", env=environment)
                    self.assertEqual(run.code, 1)
                    self.assertIn("443/tcp", run.out)

    # --- what is missing, and how it is had

    def doctor(self, **how):
        """What --doctor prints: {fact: (yes or no, the rest of the line, [remedies])}."""
        run = self.net.sonde("--doctor", **how)
        self.assertEqual(run.err, "")
        facts = {}
        for line in run.out.splitlines():
            if line.startswith("       "):
                facts[name][2].append(line.strip())
                continue
            match = re.fullmatch(r"(yes|no ) {2}([\w ']+)(.*)", line)
            self.assertIsNotNone(match, line)
            name = match[2].strip()
            facts[name] = (match[1].strip(), match[3], [])
        return run.code, facts

    def test_root_has_everything(self):
        code, facts = self.doctor()
        self.assertEqual(code, 0)
        self.assertEqual({name: fact[0] for name, fact in facts.items()}, {
            "raw sockets": "yes", "ICMP datagram sockets": "no", "IPv6": "yes",
            "time stamps of the kernel's": "yes", "open files": "yes",
            "seccomp filter": "no" if lab.preloaded("strict") is None else "yes",
            "Landlock": "no" if lab.preloaded("strict") is None else "yes"})
        _, rest, remedies = facts["ICMP datagram sockets"]
        self.assertTrue(rest.endswith("; not needed here, raw sockets serve"), rest)
        self.assertEqual(remedies, [])

    def test_the_doctor_says_why_there_is_no_filter(self):
        if lab.preloaded("strict") is None:
            self.net.check_no_sandbox(self)
            return
        wrap = (sys.executable, "-c", UNFILTERED)
        code, facts = self.doctor(wrap=wrap)
        self.assertEqual((code, facts["seccomp filter"][:2]),
                         (0, ("no", ": Operation not permitted")))
        self.assertEqual(self.net.sonde("-q", "-c", "1", "127.0.0.1", wrap=wrap), (0, "", ""))

    def test_the_commands_that_the_doctor_names_are_those_that_help(self):
        program = shutil.copy(self.plain, os.path.join(os.path.dirname(self.plain), "a sonde"))
        code, facts = self.doctor(wrap=AS_NOBODY, program=program)
        self.assertEqual((code, facts["raw sockets"][0], facts["ICMP datagram sockets"][0]),
                         (1, "no", "no"))
        for name in ("raw sockets", "ICMP datagram sockets"):
            where, command = facts[name][2][0].split(": sudo ")
            self.assertEqual(where, "for every user")
            self.net.run("vantage", *shlex.split(command))
        self.addCleanup(self.net.sysctl, "vantage", {"net/ipv4/ping_group_range": "1 0"})
        code, facts = self.doctor(wrap=AS_NOBODY, program=program)
        self.assertEqual((code, facts["raw sockets"][0], facts["ICMP datagram sockets"][0]),
                         (0, "yes", "yes"))

    def test_an_ambient_capability_as_systemd_gives_it_is_enough(self):
        wrap = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups",
                "--inh-caps=-all,+net_raw", "--ambient-caps=+net_raw", "--no-new-privs")
        code, facts = self.doctor(wrap=wrap, program=self.plain)
        self.assertEqual((code, facts["raw sockets"][0]), (0, "yes"))
        self.check(self.started(wrap=wrap, program=self.plain), ALL_BUT_BOUNDING)

    def test_the_doctor_names_no_remedy_that_would_not_help(self):
        namespace = ("unshare", "--user")
        for wrap, reason in (
                (("setpriv", "--bounding-set=-net_raw", *AS_NOBODY[1:]), "bounding set"),
                ((*AS_NOBODY, "setpriv", "--no-new-privs"), "no_new_privs"),
                ((*AS_NOBODY, *namespace), "user namespace"),
                ((*AS_NOBODY, *namespace, "--map-root-user"), "another user namespace")):
            with self.subTest(reason=reason):
                code, facts = self.doctor(wrap=wrap, program=self.capable)
                answer, rest, remedies = facts["raw sockets"]
                self.assertEqual((code, answer), (1, "no"))
                self.assertIn(reason, rest)
                self.assertNotIn("setcap", "".join(remedies))
                self.assertGreater(len(remedies), 0)

    def test_on_a_file_system_without_file_capabilities_another_one_helps(self):
        # mount(8), nosuid
        folder = os.path.join(os.path.dirname(self.plain), "nosuid")
        os.mkdir(folder)
        mounted = ("unshare", "--mount", "sh", "-c",
                   f"mount -t tmpfs -o nosuid,mode=755 none {folder} && cp {self.plain} {folder}"
                   f' && setcap cap_net_raw+p {folder}/sonde-plain && exec "$@"', "sh", *AS_NOBODY)
        code, facts = self.doctor(wrap=mounted, program=f"{folder}/sonde-plain")
        answer, rest, remedies = facts["raw sockets"]
        self.assertEqual((code, answer), (1, "no"))
        self.assertIn("nosuid", rest)
        self.assertEqual(remedies[0], f"for every user: sudo install {folder}/sonde-plain "
                         "/usr/local/bin/sonde && sudo setcap cap_net_raw+p /usr/local/bin/sonde")

    def test_in_a_container_it_works_or_says_what_is_missing(self):
        # process 1 of user and process namespaces of its own, in the network of somebody else
        inside = (*AS_NOBODY, "unshare", "--user", "--map-root-user", "--pid", "--fork")
        run = self.net.sonde("-r", self.chain.target(4), ":443", wrap=inside, program=self.plain)
        self.assertEqual((run.code, run.err), (0, ""))
        self.assertIn("\nmeasured without raw sockets", run.out)
        # and in a network of its own
        run = self.net.sonde("-c", 'ip link set lo up; exec "$0" -q 127.0.0.1 -c 2 -i 0.1',
                             self.plain, wrap=(*inside, "--net"), program="sh")
        self.assertEqual((run.code, run.err), (0, ""))

    def test_too_few_descriptors_are_told_of(self):
        target = self.chain.target(4)
        for limit in range(8, 64):
            run = self.net.sonde("-q", target, "localhost", "-c", "1", "-m", "4",
                                 wrap=("prlimit", f"--nofile={limit}"))
            if run.code == 0:
                break
            self.assertEqual(run.code, 3)
            if run.err:
                self.assertRegex(run.err, r"\Asonde: [^\n]*ulimit -n 64\n\Z")
        self.assertEqual(run.code, 0, "64 are not enough")
        # the limit that a user may raise himself, and the one that he may not; getrlimit(2)
        for limits, command in ((f"{limit}:64", "ulimit -n 64"),
                                (f"{limit}", "sudo prlimit --nofile=64 --pid $$")):
            code, facts = self.doctor(wrap=("prlimit", f"--nofile={limits}"))
            self.assertEqual((code, facts["open files"][0]), (1, "no"))
            self.assertEqual(facts["open files"][2][0], f"in a shell: {command}")

    # --- at installation

    def test_installation_gives_a_file_capability_and_no_setuid_bit(self):
        folder = os.path.dirname(self.plain)
        program = shutil.copy(self.plain, os.path.join(folder, "installed"))
        script = shutil.copy(SETCAP, folder)  # everybody can read it there
        environment = {"PATH": os.environ["PATH"], "DESTDIR": "/staged"}
        for wrap, env, granted in (((), environment, False), (AS_NOBODY, os.environ, False),
                                   ((), os.environ, True)):
            run = subprocess.run([*wrap, script, program], env=env, check=True, text=True,
                                 capture_output=True)
            capability = self.net.run("vantage", "getcap", program)
            self.assertEqual("cap_net_raw=p" in capability, granted)
            self.assertEqual(f"setcap cap_net_raw+p {program}" in run.stdout, not granted)
        self.assertEqual(os.stat(program).st_mode & 0o6000, 0)


if __name__ == "__main__":
    lab.main()
