# SPDX-License-Identifier: BSD-2-Clause
"""Real servers from Debian, set up as they are in the field, of which many are deaf to the question
that their port is asked first.

Each stands in a node of its own behind a router. What the upstream of a resolver would be,
UPSTREAM, is behind the same router, which drops whatever goes there.
"""
import dataclasses

import servers
from servers import CLIENT

UPSTREAM = "192.0.2.1"
SERVER_NAME = "server.deaf.example"


@dataclasses.dataclass(frozen=True)
class Setup:
    """A server, and what has to come out of asking it."""
    kind: servers.Kind
    service: str  # as the user writes it, with its colon
    answered: int | None  # which question of its protocol it answers; None: none, by design
    name: str | None = None  # what the user types; None: its address
    rules: str = ""  # of the firewall in front of it; nft
    on_link: bool = False  # asked by its router, not through it
    families: tuple = (4, 6)  # over which it is asked
    logs: bool = True  # what it says of probes is known; kind.says


def unbound(*options):
    return servers.Kind(
        ("udp:53",), "exec unbound -d -p -c {folder}/conf",
        {"conf": "\n".join((
            "server:", 'username: ""', 'chroot: ""', 'directory: "{folder}"', "use-syslog: no",
            'logfile: ""', "interface: 0.0.0.0", "interface: ::0",
            "access-control: 0.0.0.0/0 allow",
            "access-control: ::/0 allow", "log-queries: yes", *options, "forward-zone:",
            'name: "."', f"forward-addr: {UPSTREAM}", ""))},
        says=(rf"\[\d+\] unbound\[\S+\] info: {CLIENT} (\. NS IN|version\.bind\. TXT CH)",))


def dnsmasq(*options):
    return servers.Kind(
        ("udp:53",), "exec dnsmasq -k -u root -C /dev/null --no-hosts --log-facility=- --pid-file= "
        + " ".join(("--no-resolv", *options)))


def bind(*options):
    return servers.Kind(
        ("udp:53",), "exec named -g -c {folder}/conf",
        {"conf": "\n".join((
            "options {{", 'directory "{folder}"; managed-keys-directory "{folder}";',
            'pid-file "{folder}/pid"; session-keyfile none; dnssec-validation no;',
            "listen-on {{ any; }}; listen-on-v6 {{ any; }}; allow-query {{ any; }};",
            "allow-recursion {{ any; }};", *options, "}};", "controls {{ }};", ""))},
        ready="running")


FORWARD_ONLY = f"forwarders {{{{ {UPSTREAM}; }}}}; forward only;"
ZONE = "$TTL 60\n@ SOA ns.example. host.example. 1 60 60 60 60\n@ NS ns\nns A 192.0.2.9\n"


def knot(*options):
    return servers.Kind(
        ("udp:53",), "exec knotd -c {folder}/conf",
        {"conf": "\n".join((
            "server:", "  rundir: {folder}", "  listen: [0.0.0.0@53, \"::@53\"]",
            *(f"  {option}" for option in options), "database:", "  storage: {folder}",
            "log:", "  - target: stderr", "    any: info", "zone:", "  - domain: example",
            "    storage: {folder}", "    file: zone", "")), "zone": ZONE},
        ready="server started")


def nsd(*options):
    return servers.Kind(
        ("udp:53",), "exec nsd -d -c {folder}/conf",
        {"conf": "\n".join((
            "server:", "ip-address: 0.0.0.0", "ip-address: ::0", 'username: ""', 'database: ""',
            'zonelistfile: "{folder}/list"', 'xfrdfile: "{folder}/xfrd"', 'xfrdir: "{folder}"',
            'pidfile: ""', 'zonesdir: "{folder}"', *options, "remote-control:",
            "control-enable: no", "zone:", "name: example", "zonefile: zone", "")), "zone": ZONE})


def powerdns(*options):
    return servers.Kind(
        ("udp:53",), "exec pdns_server --config-dir={folder} --daemon=no --guardian=no",
        {"pdns.conf": "\n".join((
            "launch=bind", "bind-config={folder}/named.conf", "local-address=0.0.0.0, ::",
            "socket-dir={folder}", "setuid=", "setgid=", *options, "")),
         "named.conf": 'options {{ directory "{folder}"; }};\n'
                       'zone "example" {{ type master; file "{folder}/zone"; }};\n',
         "zone": ZONE})


def recursor(*options):
    return servers.Kind(
        ("udp:53",), "exec pdns_recursor --config-dir={folder} --daemon=no",
        {"recursor.conf": "\n".join((
            "local-address=0.0.0.0, ::", "allow-from=0.0.0.0/0, ::/0",
            f"forward-zones-recurse=.={UPSTREAM}", "socket-dir={folder}", "dnssec=off",
            "threads=1", *options, ""))})


DNSDIST = servers.Kind(
    ("udp:53",), "exec dnsdist --supervised --disable-syslog -C {folder}/conf",
    {"conf": 'setLocal("0.0.0.0:53")\naddLocal("[::]:53")\nsetACL({{"0.0.0.0/0", "::/0"}})\n'
             f'newServer("{UPSTREAM}:53")\n'},
    says=(r"Marking downstream .* as 'down'", r"Error while retrieving the security update .*",
          r"Not validating response for security status update.*"))


def dns(kind, answered, logs=True):
    return Setup(kind, ":53/udp", answered, logs=logs)


DNS = {
    "unbound, upstream dead": dns(unbound(), 1),
    "unbound, upstream dead, hide-version, hide-identity":
        dns(unbound("hide-version: yes", "hide-identity: yes"), 1),
    "unbound, access-control deny_non_local":
        dns(unbound("access-control: 10.0.0.0/8 deny_non_local",
                    "access-control: fd00::/16 deny_non_local"), 1),
    "unbound, access-control refuse_non_local":
        dns(unbound("access-control: 10.0.0.0/8 refuse_non_local",
                    "access-control: fd00::/16 refuse_non_local"), 0),
    "unbound, access-control deny":
        dns(unbound("access-control: 10.0.0.0/8 deny", "access-control: fd00::/16 deny"), None),
    "dnsmasq, upstream dead": dns(dnsmasq(f"--server={UPSTREAM}"), 1),
    "dnsmasq, upstream dead, no-ident": dns(dnsmasq(f"--server={UPSTREAM}", "--no-ident"), 1),
    "dnsmasq without upstream": dns(dnsmasq(), 0),
    "BIND, forward only, upstream dead": dns(bind(FORWARD_ONLY), 1),
    "BIND, forward only, upstream dead, version none":
        dns(bind(FORWARD_ONLY, "version none; hostname none; server-id none;"), 1),
    "BIND, recursion no": dns(bind("recursion no;"), 0),
    "Knot DNS": dns(knot(), 0),
    "NSD, hide-version, hide-identity": dns(nsd("hide-version: yes", "hide-identity: yes"), 0),
    "PowerDNS, version-string anonymous": dns(powerdns("version-string=anonymous"), 0, logs=False),
    "PowerDNS Recursor, upstream dead": dns(recursor(), 0, logs=False),
    "dnsdist, backends dead": dns(DNSDIST, 2),
}


def snmp(conf, answered):
    return Setup(servers.Kind(
        ("udp:161",),
        "SNMP_PERSISTENT_DIR={folder} exec snmpd -f -LOw -I -smux -m '' -C -c {folder}/conf "
        "udp:161,udp6:161", {"conf": conf + "\n"}), ":161/udp", answered)


WITHOUT_V3 = "[snmp] disableSNMPv3 yes\n[snmpd]"
SNMP = {
    "snmpd, SNMPv3 only": snmp("createUser reader SHA secretsecret AES\nrouser reader priv", 0),
    "snmpd, communities of its own": snmp("rocommunity other\nrocommunity6 other", 0),
    "snmpd without SNMPv3, community public":
        snmp(f"{WITHOUT_V3}\nrocommunity public\nrocommunity6 public", 1),
    "snmpd, SNMPv1 only, community public":
        snmp(f"{WITHOUT_V3}\ncom2sec c default public\ncom2sec6 c default public\n"
             "group g v1 c\nview v included .1\naccess g \"\" any noauth exact v none none", 2),
    "snmpd without SNMPv3, communities of its own":
        snmp(f"{WITHOUT_V3}\nrocommunity other\nrocommunity6 other", None),
}


def radius(answered, secret="testing123", status="yes", client="", security=""):
    listen = "".join(f"listen {{{{\n type = auth\n {key} = {value}\n port = 1812\n}}}}\n"
                     for key, value in (("ipaddr", "*"), ("ipv6addr", "::")))
    clients = "".join(f"client {name} {{{{\n {key} = {net}\n secret = {secret}\n {client}\n}}}}\n"
                      for name, key, net in (("four", "ipaddr", "0.0.0.0/0"),
                                             ("six", "ipv6addr", "::/0")))
    return Setup(servers.Kind(
        ("udp:1812",), "exec freeradius -f -l stdout -d {folder}",
        {"radiusd.conf": f"""
            libdir = /usr/lib/freeradius
            raddbdir = {{folder}}
            run_dir = {{folder}}
            pidfile = {{folder}}/pid
            security {{{{
                status_server = {status}
                {security}
            }}}}
            modules {{{{
            }}}}
            {clients}
            server default {{{{
                {listen}
                authorize {{{{
                }}}}
                authenticate {{{{
                }}}}
            }}}}
        """, "dictionary": "$INCLUDE /usr/share/freeradius/dictionary\n"},
        says=(r".* Dropping packet without response because of error: Received packet from "
              rf"{CLIENT} with invalid Message-Authenticator!  \(Shared secret is incorrect\.\) "
              r"\(from client \w+\)",
              r".* Ignoring Status-Server request due to security configuration")),
        ":1812/udp", answered)


RADIUS = {
    "FreeRADIUS, testing123": radius(0),
    "FreeRADIUS, another secret": radius(1, secret="other"),
    "FreeRADIUS, status_server no": radius(1, status="no"),
    "FreeRADIUS, another secret, reject_delay 1":
        radius(1, secret="other", status="no", security="reject_delay = 1"),
    "FreeRADIUS, another secret, require_message_authenticator":
        radius(None, secret="other", client="require_message_authenticator = yes"),
}


def sip(answered, filtering, *parameters, name=None):
    route = ('if (is_method("OPTIONS") && uri==myself && $rU==$null) {{\n'
             '    sl_send_reply("200", "Keepalive");\n}}')
    return Setup(servers.Kind(
        ("udp:5060",), "exec kamailio -DD -E -f {folder}/conf -Y {folder} -m 16 -M 4",
        {"conf": "\n".join((
            "#!KAMAILIO", "debug=1", "children=1", "disable_tcp=yes", "listen=udp:ADDRESS4:5060",
            "listen=udp:[ADDRESS6]:5060", *parameters, 'loadmodule "sl.so"', 'loadmodule "pv.so"',
            'loadmodule "siputils.so"', 'loadmodule "textops.so"', "request_route {{", filtering,
            route, "}}", ""))}),
        ":5060/udp", answered, name)


FILTER = "if (uri!=myself) {{ drop; }}"
SIP = {
    "Kamailio, uri!=myself, by its name":
        sip(0, FILTER, f'alias="{SERVER_NAME}"', name=SERVER_NAME),
    "Kamailio, from_uri!=myself, by its name":
        sip(0, "if (from_uri!=myself) {{ drop; }}", f'alias="{SERVER_NAME}"', name=SERVER_NAME),
    "Kamailio, uri!=myself, by its address": sip(0, FILTER),
    "Kamailio, uri!=myself, by a name that it does not know":
        sip(1, FILTER, name=SERVER_NAME),
    "Kamailio, only its name, by its address":
        sip(None, f'if ($rd!="{SERVER_NAME}") {{{{ drop; }}}}', f'alias="{SERVER_NAME}"'),
}


def turn(answered, *options):
    return Setup(servers.Kind(
        ("udp:3478",),
        "exec turnserver -n --no-cli --no-tls --no-dtls --listening-ip 0.0.0.0 --listening-ip :: "
        "--log-file stdout --pidfile {folder}/pid --userdb {folder}/db --realm server.example "
        + " ".join(options)), ":3478/udp", answered)


STUN = {
    "coturn, lt-cred-mech": turn(0, "--lt-cred-mech"),
    "coturn, stun-only": turn(0, "--stun-only"),
    "coturn, secure-stun": turn(0, "--lt-cred-mech", "--secure-stun"),
    "coturn, no-stun": turn(1, "--lt-cred-mech", "--no-stun"),
    "coturn, no-stun, no-auth": turn(1, "--no-auth", "--no-stun"),
}


def kerberos(answered, *realms, name=None):
    known = "|".join((*realms, r"SONDE\.INVALID"))
    sonde = rf"CLIENT_NOT_FOUND: sonde@({known}) for sonde/[0-9a-f]{{16}}@"
    conf = (f"[libdefaults]\ndefault_realm = {realms[0]}\n[realms]\n"
            + "".join(f"{realm} = {{{{\n database_name = {{folder}}/{realm}\n"
                      f" key_stash_file = {{folder}}/{realm}.stash\n}}}}\n" for realm in realms)
            + "[logging]\nkdc = STDERR\n")
    return Setup(servers.Kind(
        ("udp:88",),
        "export KRB5_CONFIG={folder}/conf KRB5_KDC_PROFILE={folder}/conf; "
        + "".join(f"kdb5_util -r {realm} create -s -P secret; " for realm in realms)
        + "exec krb5kdc -n " + " ".join(f"-r {realm}" for realm in realms), {"conf": conf},
        says=(rf".* krb5kdc\[\d+\]\(info\): AS_REQ \(2 etypes {{.*}}\) {CLIENT}: {sonde}.*",
              r".* krb5kdc\[\d+\]\(Error\): Realm not local to KDC - while dispatching \(udp\)")),
        ":88/udp", answered, name)


KERBEROS = {
    "krb5kdc of one realm": kerberos(0, "EXAMPLE"),
    "krb5kdc of two realms, by a name in one":
        kerberos(1, "EXAMPLE", "DEAF.EXAMPLE", name=SERVER_NAME),
    "krb5kdc of two realms, by the name of one":
        kerberos(2, "EXAMPLE", "SERVER.DEAF.EXAMPLE", name=SERVER_NAME),
    "krb5kdc of two realms, by its address": kerberos(None, "EXAMPLE", "DEAF.EXAMPLE"),
}


def charon(answered, exchange="ikev2", daemon="", rules="", service=":500/udp"):
    return Setup(servers.Kind(
        ("udp:500", "udp:4500"),
        "STRONGSWAN_CONF={folder}/conf exec /usr/lib/ipsec/starter --nofork "
        "--conf {folder}/ipsec.conf",
        {"conf": f"""charon {{{{
            load = nonce random sha1 sha2 hmac kdf aes gmp socket-default kernel-netlink stroke
            {daemon}
            plugins {{{{
                stroke {{{{
                    secrets_file = {{folder}}/secrets
                }}}}
            }}}}
            filelog {{{{
                stderr {{{{
                    default = 1
                }}}}
            }}}}
            syslog {{{{
                daemon {{{{
                    default = -1
                }}}}
                auth {{{{
                    default = -1
                }}}}
            }}}}
        }}}}
        """, "secrets": ': PSK "secret"\n',
         "ipsec.conf": f"config setup\nconn any\n keyexchange={exchange}\n authby=psk\n"
                       " left=%any\n right=%any\n auto=add\n"},
        ready="worker threads",
        says=tuple(r"\d+\[[A-Z]+\] " + line for line in (
            rf"(received|sending) packet: from {CLIENT}\[\d+\] to {CLIENT}\[\d+\] \(\d+ bytes\)",
            r"parsed (IKE_SA_INIT|ID_PROT) request 0 \[ SA( KE No)? \]",
            rf"{CLIENT} is initiating an? (Main Mode )?IKE_SA",
            r"(received|configured) proposals: IKE:\S+( \S+)*",
            r"received proposals unacceptable", r"no proposal found",
            rf"no IKE config found for {CLIENT}\.\.\.{CLIENT}, sending NO_PROPOSAL_CHOSEN",
            rf"received unsupported IKE version 3\.0 from {CLIENT}, sending INVALID_MAJOR_VERSION",
            r"generating (IKE_SA_INIT response|INFORMATIONAL_V1 request) \d+ "
            r"\[ N\((NO_PROP|INVAL_MAJOR)\) \]"))),
        service, answered, rules=rules)


# The major version is the upper half of byte 17 of a message, behind 8 bytes of UDP.
WITHOUT_IKEV2 = "udp dport 500 @th,200,4 2 drop"
WITHOUT_IKEV2_NAT = "udp dport 4500 @th,232,4 2 drop"
IKE = {
    "strongSwan, ikev2": charon(0),
    "strongSwan, ikev1": charon(0, exchange="ikev1"),
    "strongSwan, initiator_only": charon(2, daemon="initiator_only = yes"),
    "strongSwan, initiator_only, 4500":
        charon(2, daemon="initiator_only = yes", service=":4500/udp"),
    "strongSwan, ikev1, behind a firewall that drops IKEv2":
        charon(1, exchange="ikev1", rules=WITHOUT_IKEV2),
    "strongSwan, ikev1, behind a firewall that drops IKEv2, 4500":
        charon(1, exchange="ikev1", rules=WITHOUT_IKEV2_NAT, service=":4500/udp"),
}


def avahi(answered, *publish, on_link=True):
    return Setup(servers.Kind(
        ("udp:5353",),
        "exec avahi-daemon -f {folder}/conf --no-drop-root --no-chroot --no-rlimits",
        {"conf": "\n".join(("[server]", "host-name=server", "enable-dbus=no", "deny-interfaces=lo",
                            "[publish]", *publish, ""))},
        empty="/etc/avahi/services", ready="Server startup complete"),
        ":5353/udp", answered, on_link=on_link)


MDNS = {
    "Avahi": avahi(0),
    "Avahi, publish-workstation": avahi(0, "publish-workstation=yes"),
    "Avahi, disable-publishing": avahi(None, "disable-publishing=yes"),
    "Avahi, through a router": avahi(None, on_link=False),
    "llmnrd, by its name": Setup(
        servers.Kind(("udp:5355",), "exec llmnrd -6 -H server"), ":5355/udp", 0, SERVER_NAME,
        on_link=True),
    "llmnrd, by its address": Setup(
        servers.Kind(("udp:5355",), "exec llmnrd -6 -H server"), ":5355/udp", None, on_link=True),
}

CERTIFICATE = ("openssl req -x509 -nodes -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 "
               "-keyout {folder}/key -out {folder}/certificate -subj /CN=server.example; ")


def s_server(*options, families=(4, 6)):
    return Setup(servers.Kind(
        ("udp:4433",), CERTIFICATE + "mkfifo {folder}/input; "
        "exec openssl s_server -dtls -accept 4433 -cert {folder}/certificate -key {folder}/key "
        + " ".join((*options, "<>{folder}/input"))), ":4433/udp", 0, families=families, logs=False)


def gnutls(*options):
    return Setup(servers.Kind(
        ("udp:4433",), CERTIFICATE + "exec gnutls-serv --udp -p 4433 --x509certfile "
        "{folder}/certificate --x509keyfile {folder}/key " + " ".join(options)),
        ":4433/udp", 0, logs=False)


def openvpn(answered, option=""):
    return Setup(servers.Kind(
        ("udp:1194",), "mkdir /dev/net; mknod /dev/net/tun c 10 200; " + CERTIFICATE +
        "openvpn --genkey secret {folder}/shared; "
        "exec openvpn --mode server --tls-server --proto udp6 --port 1194 --dev tun "
        "--topology subnet --keepalive 10 60 --dh none --ca {folder}/certificate "
        "--cert {folder}/certificate --key {folder}/key " + option),
        ":1194/udp", answered, logs=False)


def chrony(answered, *options):
    return Setup(servers.Kind(
        ("udp:123",), "exec chronyd -d -x -u root -f {folder}/conf",
        {"conf": "\n".join(("allow all", *options, "cmdport 0", "bindcmdaddress /",
                            "pidfile {folder}/pid", ""))}), ":123/udp", answered)


OTHERS = {
    "chrony that is not synchronized": chrony(0),
    "chrony, ratelimit": chrony(0, "ratelimit interval 1 burst 16"),
    "chrony, deny": chrony(None, "deny 10.0.0.0/8", "deny fd00::/16"),
    "OpenSSL s_server": s_server(families=(4,)),  # of one peer, until that is gone
    "OpenSSL s_server, listen": s_server("-listen"),
    "GnuTLS": gnutls(),
    "GnuTLS that wants a name": gnutls("--sni-hostname=server.example", "--sni-hostname-fatal"),
    "libcoap with GnuTLS": Setup(servers.Kind(
        ("udp:5683", "udp:5684"), "exec coap-server-gnutls -k secret -h server"),
        ":5684/udp", 0, logs=False),
    "dnsmasq, tftp": Setup(servers.Kind(
        ("udp:69",), "mkdir {folder}/root; exec dnsmasq -k -u root -C /dev/null -p 0 --enable-tftp "
        "--tftp-root={folder}/root --log-facility=- --pid-file="), ":69/udp", 0, logs=False),
    "ngtcp2": Setup(servers.Kind(
        ("udp:443",), CERTIFICATE +
        "exec gtlsserver '*' 443 {folder}/key {folder}/certificate"), ":443/udp", 0, logs=False),
    "OpenVPN": openvpn(0),
    "OpenVPN, tls-auth": openvpn(None, "--tls-auth {folder}/shared 0"),
    "OpenVPN, tls-crypt": openvpn(None, "--tls-crypt {folder}/shared"),
}
