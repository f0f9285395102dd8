# SPDX-License-Identifier: BSD-2-Clause
"""Real servers from Debian, each in a network of lab.py, with nothing of this system's behind it.

A server runs in the foreground, in namespaces of its own for mounts and processes: /run and what
else it writes to are empty file systems that vanish with it, its configuration stands in a
temporary folder, /dev/log is a socket of this program's, and when its first process is killed,
all of them are. So nothing below /etc or /var is touched, and no service of the system is asked.

What a server writes to standard output, standard error and the system log is one log.
"""
import contextlib
import dataclasses
import os
import pathlib
import re
import shutil
import socket
import subprocess
import tempfile
import time

PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
LISTENS_WITHIN_S = 20
CLIENT = "[0-9a-f.:]+"
SETTLES_S = 0.5  # what a server writes about the last packet is there after this

# $1: folder, $2: directories that are to be empty, then the command
SANDBOX = """
set -eu
folder=$1 empty=$2
shift 2
mount -t tmpfs -o mode=755 tmpfs "$folder/dev"
for name in null zero random urandom; do
    : >"$folder/dev/$name"
    mount --bind "/dev/$name" "$folder/dev/$name"
done
mkdir "$folder/dev/pts" "$folder/dev/shm"
: >"$folder/dev/log"
mount --bind "$folder/syslog" "$folder/dev/log"
mount --rbind "$folder/dev" /dev
for directory in /run $empty; do
    mount -t tmpfs -o mode=755 tmpfs "$directory"
done
cd "$folder"
exec "$@"
"""


@dataclasses.dataclass(frozen=True)
class Kind:
    """A server as Debian has it. In files and command, {folder} is the temporary folder."""
    ports: tuple  # ("tcp:22", ...): listened on over these families once it is ready
    command: str  # run by sh
    files: dict = dataclasses.field(default_factory=dict)
    empty: str = ""  # directories that it writes to, besides /run
    says: tuple = ()  # what its log may say of probes: whole lines, as regular expressions
    families: tuple = (4, 6)
    ready: str = ""  # what its log says when it is ready, if it listens before it is
    silent: bool = False  # it answers nothing that comes from beyond its own link


KINDS = {
    "unbound": Kind(
        ("tcp:53", "udp:53"), "exec unbound -d -p -c {folder}/conf",
        {"conf": """server:
            username: ""
            chroot: ""
            directory: "{folder}"
            use-syslog: no
            logfile: ""
            log-queries: yes
            interface: 0.0.0.0
            interface: ::0
            access-control: 0.0.0.0/0 allow
            access-control: ::/0 allow
            local-zone: "." static
            local-data: ". 3600 IN NS localhost."
            local-data: "localhost. 3600 IN A 127.0.0.1"
        """},
        says=(rf"\[\d+\] unbound\[\S+\] info: {CLIENT} \. NS IN",)),
    "chronyd": Kind(
        ("udp:123",), "exec chronyd -d -x -u root -f {folder}/conf",
        {"conf": """local stratum 10
            allow all
            cmdport 0
            bindcmdaddress /
            pidfile {folder}/pid
        """}),
    "charon": Kind(
        ("udp:500", "udp:4500"),
        "STRONGSWAN_CONF={folder}/conf exec /usr/lib/ipsec/starter --nofork "
        "--conf {folder}/ipsec.conf",
        # With more than three unprocessed requests of one address it answers with a cookie first,
        # which is an answer like another (RFC 7296 §2.6). Two ports are asked here, and each of
        # them twice within a round trip.
        {"conf": """charon {{
            cookie_threshold_ip = 8
            load = nonce random sha1 sha2 hmac kdf aes gmp socket-default kernel-netlink stroke
            plugins {{
                stroke {{
                    secrets_file = {folder}/secrets
                }}
            }}
            filelog {{
                stderr {{
                    default = 1
                    ike = 2
                }}
            }}
            syslog {{
                daemon {{
                    default = -1
                }}
            }}
        }}
        """, "secrets": ': PSK "secret"\n',
         "ipsec.conf": """config setup
conn any
    keyexchange=ikev2
    authby=psk
    left=%any
    right=%any
    auto=add
"""},
        says=tuple(r"\d+\[[A-Z]+\] " + line for line in (
            rf"(received|sending) packet: from {CLIENT}\[\d+\] to {CLIENT}\[\d+\] \(\d+ bytes\)",
            r"parsed IKE_SA_INIT request 0 \[ SA KE No( N\(\(61440\)\))? \]",
            rf"(local|remote) endpoint changed from \S+ to {CLIENT}\[\d+\]",
            rf"{CLIENT} is initiating an IKE_SA",
            r"(received|configured) proposals: IKE:\S+( \S+)*",
            r"received proposals unacceptable",
            r"generating IKE_SA_INIT response 0 \[ N\(NO_PROP\) \]",
            r"IKE_SA \(unnamed\)\[\d+\] state change: CREATED => CONNECTING",
            r"IKE_SA \(unnamed\)\[\d+\] state change: CONNECTING => DESTROYING"))),
    "caddy": Kind(
        ("tcp:80", "tcp:443", "udp:443"),
        "HOME={folder} XDG_DATA_HOME={folder} XDG_CONFIG_HOME={folder} "
        "exec caddy run --adapter caddyfile --config {folder}/conf",
        {"conf": """{{
                admin off
                local_certs
                skip_install_trust
            }}
            server.example {{
                respond "hello"
            }}
        """}),
    "sshd": Kind(
        ("tcp:22",),
        "mkdir /run/sshd; ssh-keygen -q -t ed25519 -N '' -f {folder}/key; "
        "exec /usr/sbin/sshd -D -e -f {folder}/conf",
        {"conf": """HostKey {folder}/key
            LogLevel VERBOSE
            PidFile none
        """}),
    "vsftpd": Kind(
        ("tcp:21",), "mkdir -p /run/vsftpd/empty; exec vsftpd {folder}/conf",
        {"conf": "\n".join((
            "background=NO", "listen=NO", "listen_ipv6=YES", "anonymous_enable=NO",
            "local_enable=YES", "syslog_enable=YES", "log_ftp_protocol=YES",
            "secure_chroot_dir=/run/vsftpd/empty", ""))}),
    "smtpd": Kind(
        ("tcp:25", "tcp:587"), "mkdir -m 711 /var/spool/smtpd; exec smtpd -d -f {folder}/conf",
        {"conf": """listen on 0.0.0.0 port 25
listen on :: port 25
listen on 0.0.0.0 port 587
listen on :: port 587
action "drop" mda "true"
match from any for any reject
        """}, empty="/var/spool"),
    "bird": Kind(
        ("tcp:179",), "exec bird -d -c {folder}/conf -s {folder}/control",
        {"conf": """router id 192.0.2.1;
            protocol device {{ }}
            protocol bgp four {{
                local as 65001;
                neighbor 192.0.2.2 as 65002;
                multihop;
                passive;
                ipv4 {{ import none; export none; }};
            }}
            protocol bgp six {{
                local as 65001;
                neighbor 2001:db8::2 as 65002;
                multihop;
                passive;
                ipv6 {{ import none; export none; }};
            }}
        """}),
    "xrdp": Kind(
        ("tcp:3389",), "exec xrdp --nodaemon --config {folder}/conf",
        {"conf": """[Globals]
ini_version=1
fork=true
port=tcp6://:3389
security_layer=rdp
[Logging]
LogFile={folder}/file
LogLevel=INFO
EnableSyslog=false
EnableConsole=true
ConsoleLevel=INFO
[Xorg]
name=Xorg
lib=libxup.so
username=ask
password=ask
"""}),
    "snmpd": Kind(
        ("udp:161",),
        "SNMP_PERSISTENT_DIR={folder} exec snmpd -f -Lo -a -I -smux -m '' -C -c {folder}/conf "
        "udp:161,udp6:161",
        {"conf": "rocommunity public\nrocommunity6 public\n"},
        says=(rf"Connection from UDP: \[{CLIENT}\]:\d+->\[{CLIENT}\]:161",
              rf"Connection from UDP/IPv6: \[{CLIENT}\]:\d+",
              r"Received SNMP packet\(s\) from .*")),
    "turnserver": Kind(
        ("udp:3478", "tcp:3478"),
        "exec turnserver -n --no-cli --no-tls --no-dtls --listening-ip 0.0.0.0 --listening-ip :: "
        "--log-file stdout --pidfile {folder}/pid "
        "--userdb {folder}/db --realm server.example --lt-cred-mech --verbose",
        # what it says of whoever asked it something, a minute later
        says=(r"\d+: : session \d+: (peer )?usage: realm=<server\.example>, username=<>, rp=.*",
              r"\d+: : session \d+: closed \(2nd stage\), user <> .*, reason: allocation watchdog "
              r"determined stale session state")),
    "kamailio": Kind(
        ("udp:5060",), "exec kamailio -DD -E -f {folder}/conf -Y {folder} -m 16 -M 4",
        {"conf": """#!KAMAILIO
            debug=1
            children=1
            disable_tcp=yes
            listen=udp:0.0.0.0:5060
            listen=udp:[::]:5060
            loadmodule "sl.so"
            loadmodule "pv.so"
            loadmodule "xlog.so"
            request_route {{
                xlog("L_NOTICE", "$rm from $si\\n");
                sl_send_reply("200", "OK");
            }}
        """},
        says=(rf" \d+\(\d+\) NOTICE: <script>: OPTIONS from {CLIENT}",)),
    "memcached": Kind(
        ("udp:11211", "tcp:11211"), "exec memcached -v -u root -U 11211 -l 0.0.0.0,::"),
    "freeradius": Kind(
        ("udp:1812",), "exec freeradius -f -l stdout -d {folder}",
        {"radiusd.conf": """
            libdir = /usr/lib/freeradius
            raddbdir = {folder}
            run_dir = {folder}
            pidfile = {folder}/pid
            security {{
                status_server = yes
            }}
            modules {{
            }}
            client four {{
                ipaddr = 0.0.0.0/0
                secret = testing123
            }}
            client six {{
                ipv6addr = ::/0
                secret = testing123
            }}
            server default {{
                listen {{
                    type = auth
                    ipaddr = *
                    port = 1812
                }}
                listen {{
                    type = auth
                    ipv6addr = ::
                    port = 1812
                }}
                authorize {{
                }}
                authenticate {{
                }}
            }}
        """, "dictionary": "$INCLUDE /usr/share/freeradius/dictionary\n"}),
    "tftpd": Kind(
        ("udp:69",), "mkdir {folder}/root; exec in.tftpd -L -v -v -s {folder}/root",
        says=(rf".* in\.tftpd\[\d+\]: RRQ from {CLIENT} filename sonde-[0-9a-f]{{16}}",
              rf".* in\.tftpd\[\d+\]: sending NAK \(1, File not found\) to {CLIENT}")),
    "coap": Kind(
        ("udp:5683", "udp:5684"), "exec coap-server-openssl -v 6 -k secret -h server",
        # of every handshake that is not gone on with, half a minute later
        says=(r".* WARN \*\*\*.*:5684 <-> .* DTLS: Incomplete session timed out",)),
    "krb5kdc": Kind(
        ("udp:88", "tcp:88"),
        "export KRB5_CONFIG={folder}/conf KRB5_KDC_PROFILE={folder}/conf; "
        "kdb5_util create -s -P secret; exec krb5kdc -n",
        {"conf": """[libdefaults]
default_realm = EXAMPLE
[realms]
EXAMPLE = {{
    database_name = {folder}/principal
    key_stash_file = {folder}/stash
}}
[logging]
kdc = STDERR
"""},
        says=(rf".* krb5kdc\[\d+\]\(info\): AS_REQ \(2 etypes \{{.*\}}\) {CLIENT}: "
              r"CLIENT_NOT_FOUND: sonde@SONDE\.INVALID for sonde/[0-9a-f]{16}@SONDE\.INVALID, "
              r"Client not found in Kerberos database",)),
    "nmbd": Kind(
        ("udp:137",), "mkdir /run/samba; exec nmbd -F --no-process-group --debug-stdout "
        "-s {folder}/conf",
        {"conf": "\n".join((
            "[global]", "log level = 1", "netbios name = server", "workgroup = example",
            "local master = no", "private dir = {folder}", "state directory = {folder}",
            "cache directory = {folder}", "lock directory = {folder}", "pid directory = {folder}",
            ""))},
        families=(4,)),
    "rsyslogd": Kind(
        ("udp:514",), "exec rsyslogd -n -f {folder}/conf -i {folder}/pid",
        {"conf": """module(load="imudp")
            input(type="imudp" port="514")
            *.* {folder}/log
        """},
        says=(r".* test: told",), ready="] start", silent=True),
    "openvpn": Kind(
        ("udp:1194",),
        "mkdir /dev/net; mknod /dev/net/tun c 10 200; "
        "openssl req -x509 -nodes -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 "
        "-keyout {folder}/key -out {folder}/certificate -subj /CN=server.example; "
        "exec openvpn --mode server --tls-server --proto udp6 --port 1194 --dev tun "
        "--topology subnet --keepalive 10 60 --dh none --ca {folder}/certificate "
        "--cert {folder}/certificate --key {folder}/key --verb 3"),
    "xl2tpd": Kind(
        ("udp:1701",),
        "exec xl2tpd -D -c {folder}/conf -s {folder}/secrets -p {folder}/pid -C {folder}/control",
        {"conf": "[lns default]\nip range = 192.0.2.2-192.0.2.9\nlocal ip = 192.0.2.1\n",
         "secrets": ""},
        says=tuple(r"xl2tpd\[\d+\]: " + line for line in (
            r"handle_avps:  don't know how to handle mandatory attribute 61440\.  Closing tunnel\.",
            rf"Connection \d+ closed to {CLIENT}, port \d+ "
            r"\(mandatory attribute 61440 cannot be handled\)",
            r"Unable to deliver closing message for tunnel \d+\. Destroying anyway\.")),
        families=(4,)),
    "s_server": Kind(  # reads its input, and ends with it
        ("udp:4433",),
        "mkfifo {folder}/input; "
        "exec openssl s_server -dtls1_2 -listen -accept 4433 -nocert -psk 00 <>{folder}/input"),
    "avahi-daemon": Kind(
        ("udp:5353",),
        "exec avahi-daemon -f {folder}/conf --no-drop-root --no-chroot --no-rlimits",
        {"conf": """[server]
host-name=server
enable-dbus=no
deny-interfaces=lo
[publish]
publish-workstation=yes
"""}, empty="/etc/avahi/services", ready="Server startup complete", silent=True),
    "llmnrd": Kind(("udp:5355",), "exec llmnrd -6 -H server", silent=True),
}


class Server:
    """A running server; its log so far."""

    def __init__(self, network, node, name, kind=None):
        self.name = name
        self.kind = kind or KINDS[name]
        self.network = network
        self.node = node
        folder = network.stack.enter_context(tempfile.TemporaryDirectory(prefix=f"sonde-{name}-"))
        self.folder = pathlib.Path(folder)
        self.folder.chmod(0o755)
        (self.folder / "dev").mkdir()
        for file, text in self.kind.files.items():
            (self.folder / file).write_text(text.format(folder=folder), encoding="utf-8")
        self.log = self.folder / "log"
        self.take_syslog()
        with self.log.open("ab") as log:
            self.process = network.start(
                node, "unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--",
                "sh", "-c", SANDBOX, "sh", folder, self.kind.empty,
                "sh", "-c", self.kind.command.format(folder=folder),
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={"PATH": PATH, "LC_ALL": "C.UTF-8"})
        self.mark = 0

    def take_syslog(self):
        """Write what arrives at its /dev/log to its log, too."""
        path = self.folder / "syslog"
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        sock.bind(str(path))
        path.chmod(0o666)
        self.network.stack.callback(sock.close)

        def take():
            line = sock.recv(65536).rstrip(b"\n\0")
            with self.log.open("ab") as log:
                log.write(line + b"\n")

        self.network.stack.enter_context(self.network.serving(sock, take))

    def is_ready(self):
        return self.kind.ready.encode() in self.log.read_bytes()

    def said(self):
        """The lines of its log since it was ready."""
        return self.log.read_bytes()[self.mark:].decode(errors="replace").splitlines()

    def improper(self):
        """Those of them that no probe should draw."""
        return [line for line in self.said()
                if not any(re.fullmatch(pattern, line) for pattern in self.kind.says)]


def missing(kinds=None):
    """Which of the servers are not on this machine."""
    return [name for name, kind in (kinds or KINDS).items()
            if not shutil.which(kind.command.partition("exec ")[2].split()[0], path=PATH)]


def listening(network, node):
    """What is listened on in a node: {("udp:53", family), ...}."""
    found = set()
    for line in network.run(node, "ss", "-Hlntu").splitlines():
        protocol, _, _, _, local, _ = line.split()[:6]
        address, _, port = local.rpartition(":")
        address = address.split("%")[0].strip("[]")
        families = (4, 6) if address == "*" else (6,) if ":" in address else (4,)
        if address.startswith(("127.", "::1", "fe80:")):
            continue
        found.update((f"{protocol}:{port}", family) for family in families)
    return found


def start(network, node, names=tuple(KINDS)):
    """Start servers, all at once, and wait until each listens. {name: Server}"""
    servers = {name: Server(network, node, name) for name in names}
    await_ready(network, servers.values())
    return servers


def await_ready(network, servers):
    """Wait until servers listen, each in its node; what they say from then on is their log."""
    awaited = {(server, port, family) for server in servers
               for port in server.kind.ports for family in server.kind.families}
    until = time.monotonic() + LISTENS_WITHIN_S
    while awaited:
        found = {node: listening(network, node) for node in {item[0].node for item in awaited}}
        awaited = {(server, port, family) for server, port, family in awaited
                   if (port, family) not in found[server.node] or not server.is_ready()}
        for server, port, family in awaited:
            if server.process.poll() is not None or time.monotonic() > until:
                raise AssertionError(f"{server.name} does not listen on {port} over IPv{family}:\n"
                                     + "\n".join(server.said()))
        time.sleep(0.1)
    time.sleep(SETTLES_S)
    for server in servers:
        server.mark = server.log.stat().st_size
