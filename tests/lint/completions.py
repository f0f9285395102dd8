#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Do the completions of bash, zsh and fish know what sonde knows? completions.py SONDE ROOT.

The shells themselves are asked, bash and zsh on a terminal of their own: what they offer behind a
beginning of a command line has to be what --help and --services list, in the places where it goes,
and nothing else. Where a shell is missing, the test is skipped (77) once the others have passed.
"""
import os
import pathlib
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time

SKIP = 77
DEADLINE_S = 20
STATES = {"open", "closed", "filtered", "rejected", "open_or_filtered", "unreachable", "up"}
HOSTS = {"zulu.example", "zebra.example"}  # all that the shells know of


def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


class Tables:
    """What sonde itself lists."""

    def __init__(self, sonde):
        text = output(sonde, "--help")
        found = re.findall(r"(?m)^ {2}(?:-(\w)(?:, )?| {4})(?:--([a-z0-9-]+))?", text)
        self.letters = {f"-{letter}" for letter, _ in found if letter}
        self.options = {f"--{name}" for _, name in found if name}
        names, _, payloads = output(sonde, "--services").partition("UDP ports are asked:")
        self.presets = set(re.findall(r"(?m)^ {2}(@\S+)", names))
        self.payloads = set(re.findall(r"(?m)^ {2}([a-z]\S+)", payloads))
        known = set(re.findall(r"(?m)^ {2}([a-z]\S*)", names))
        self.services = known | self.presets | self.payloads | {"icmp"}
        counts = (self.letters, self.options, self.presets, self.payloads, known)
        if min(map(len, counts)) < 5:
            sys.exit("completions: --help or --services lists too little to be compared with")


class Terminal:
    """A shell on a terminal, which tells in a file what it would offer."""

    def __init__(self, command, environment, setup, folder):
        self.offers = folder / "offers"
        self.done = folder / "done"
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(folder)
            os.execvpe(command[0], command, environment)
        self.type(setup + f"\n: >{self.done}\n")
        self.wait_for(self.done)

    def type(self, text):
        os.write(self.fd, text.encode())

    def wait_for(self, file):
        """Read what the shell prints, so that it is not held up, until a file is there."""
        until = time.monotonic() + DEADLINE_S
        while not file.exists():
            if time.monotonic() > until:
                sys.exit(f"completions: the shell does not answer: {file.name}")
            if select.select([self.fd], [], [], 0.02)[0]:
                os.read(self.fd, 65536)
        file.unlink()

    def offered(self, line):
        """What is offered behind a line, as lines of the file. Ctrl-U takes the line away again."""
        self.offers.unlink(missing_ok=True)
        self.type(line + "\t")
        time.sleep(0.05)
        self.type("\x15")
        self.type(f": >{self.done}\n")
        self.wait_for(self.done)
        return self.offers.read_text().splitlines() if self.offers.exists() else []

    def close(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.fd)


class Bash:
    def __init__(self, folder, completions, environment):
        setup = f"""PS1=; bind 'set bell-style none' 'set enable-bracketed-paste off'
            bind 'set completion-query-items 0' 'set page-completions off'
            source {completions}/sonde.bash
            told() {{ _sonde "$@"; printf '%s\\n' "$2" "${{COMPREPLY[@]}}" >{folder}/offers; }}
            complete -F told sonde"""
        hosts = folder / "hostfile"
        hosts.write_text("".join(f"192.0.2.1 {host}\n" for host in HOSTS))
        self.terminal = Terminal(["bash", "--norc", "--noprofile", "-i"],
                                 {**environment, "HOSTFILE": str(hosts)}, setup, folder)

    def offered(self, line):
        # readline replaces its own last word alone: the first line
        lines = self.terminal.offered(line) or [""]
        kept = line.split(" ")[-1].lstrip("'").removesuffix(lines[0])
        return {kept + offer for offer in lines[1:] if offer}

    def close(self):
        self.terminal.close()


class Zsh:
    def __init__(self, folder, completions, environment):
        setup = f"""PS1=; fpath=({completions} $fpath); autoload -Uz compinit; compinit -u -D
            zstyle ':completion:*' hosts {" ".join(HOSTS)}; LISTMAX=0; unsetopt list_beep beep
            compadd() {{
                if (( ${{@[(I)-[OAD]]}} )) {{ builtin compadd "$@"; return }}
                local -a hits; builtin compadd -A hits "$@"
                local at=${{@[(I)-S]}} behind=; (( at )) && behind=${{@[at + 1]}}
                print -rl -- "$IPREFIX"${{^hits}}$behind >>{folder}/offers
                builtin compadd "$@"
            }}"""
        self.terminal = Terminal(["zsh", "-f", "-i"], environment, setup, folder)

    def offered(self, line):
        # options are offered with their descriptions, and those that take a value with a "="
        return {offer.replace("\\", "").lstrip("'") for offer in self.terminal.offered(line)
                if offer}

    def close(self):
        self.terminal.close()


class Fish:
    def __init__(self, folder, completions, environment):
        known = folder / ".ssh"
        known.mkdir()
        (known / "known_hosts").write_text("".join(f"{host} ssh-ed25519 AAAA\n"
                                                   for host in HOSTS))
        self.folder, self.environment = folder, environment
        self.script = f"source {completions}/sonde.fish; complete -C $argv[1]"

    def offered(self, line):
        run = subprocess.run(["fish", "--no-config", "-c", self.script, line], check=True,
                             cwd=self.folder, env=self.environment, capture_output=True, text=True)
        if run.stderr:
            sys.exit(f"completions: fish: {run.stderr}")
        return {offer.partition("\t")[0] for offer in run.stdout.splitlines()}

    def close(self):
        pass


def behind(prefix, words, suffix=""):
    return {f"{prefix}{word}{suffix}" for word in words}


def cases(tables):
    """Beginnings of command lines, and what may follow: exactly that, or a part that has to be
    there and one that must not."""
    services, payloads = tables.services, tables.payloads
    yield "sonde -", tables.letters | tables.options
    yield "sonde --", tables.options
    yield "sonde :", behind(":", services)
    yield "sonde web1:", behind("web1:", services)
    yield "sonde [2001:db8::1]:", behind("[2001:db8::1]:", services)
    yield "sonde web1:ssh,", behind("web1:ssh,", services)
    yield "sonde web1 @", tables.presets
    yield "sonde web1 :@", behind(":", tables.presets)
    yield "sonde web1 443/", behind("443/", payloads | {"tcp", "udp", "sctp"})
    yield "sonde web1 :53/", behind(":53/", payloads | {"tcp", "udp", "sctp"})
    yield "sonde -P ", services
    yield "sonde --port 22,", behind("22,", services)
    yield "sonde --expect ", behind("", services, "=")
    yield "sonde --expect 22=open,web1:", behind("22=open,web1:", services, "=")
    yield "sonde --expect 22=", behind("22=", STATES)
    yield "sonde --expect 22=open,web1:ssh=", behind("22=open,web1:ssh=", STATES)
    yield "sonde --expect '22=!", behind("22=!", STATES)
    yield "sonde --expect '22=closed|", behind("22=closed|", STATES)
    yield "sonde --color ", {"auto", "always", "never"}
    yield "sonde -Q af4", {"af41", "af42", "af43"}
    yield "sonde ", HOSTS
    yield "sonde web1 -n z", HOSTS
    yield "sonde -F hosts.", {"hosts.txt"}
    yield "sonde --payload @ques", {"@question.bin"}
    yield "sonde --simulate net", {"net.scenario"}
    for option in ("-c", "-i", "-L", "-a", "--deadline", "--warn", "--payload", "--tos 0x"):
        yield f"sonde {option} ".replace("0x ", "0x"), set()


def differences(shell, tables):
    for line, wanted in cases(tables):
        offered = shell.offered(line)
        if isinstance(shell, Zsh):  # what does not fit is passed to compadd, too
            word = line.split(" ")[-1].lstrip("'")
            offered = {offer for offer in offered if offer.startswith(word)}
        for word in sorted(wanted - offered):
            yield f"{line}: {word} is missing"
        for word in sorted(offered - wanted):
            yield f"{line}: {word} does not belong there"


def main():
    sonde, root = (pathlib.Path(argument).resolve() for argument in sys.argv[1:3])
    tables = Tables(sonde)
    failed = False
    missing = []
    for kind in (Bash, Zsh, Fish):
        name = kind.__name__.lower()
        if shutil.which(name) is None:
            missing.append(name)
            continue
        with tempfile.TemporaryDirectory() as made:
            folder = pathlib.Path(made)
            for file in ("hosts.txt", "question.bin", "net.scenario"):
                (folder / file).touch()
            environment = {**os.environ, "HOME": made, "TERM": "dumb", "LC_ALL": "C.UTF-8",
                           "PATH": f"{sonde.parent}:{os.environ['PATH']}"}
            shell = kind(folder, root / "completions", environment)
            try:
                for difference in differences(shell, tables):
                    print(f"completions: {name}: {difference}")
                    failed = True
            finally:
                shell.close()
    if missing:
        print(f"completions: skipped, there is no {' or '.join(missing)}")
    return 1 if failed else SKIP if missing else 0


if __name__ == "__main__":
    sys.exit(main())
