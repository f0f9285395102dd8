#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Write the seeds of one fuzz target: make-seeds.py TARGET FOLDER.

Packets are put together here from the fields that the RFCs name, so that none of sonde's own code
has a part in them; texts are such as users write. A seed says what a fuzzer would find last: a
checksum that fits, a length that fits, a keyword.
"""
import hashlib
import ipaddress
import pathlib
import random
import struct
import sys

HERE = pathlib.Path(__file__).resolve().parent

ICMP, TCP, UDP, ICMP6, SCTP = 1, 6, 17, 58, 132
US4, HOST4, ROUTER4 = "192.0.2.1", "203.0.113.5", "198.51.100.9"
US6, HOST6, ROUTER6 = "2001:db8::1", "2001:db8::5", "2001:db8:9::1"

# The trace of fuzz_match.c.
PORT = 40000
COOKIE = b"cookie!!"
ISN = 0x10203040
TS_BASE = 0x50607080
ID_BASE = 0x1234
TOKEN = 7


def checksum(data):
    """RFC 1071."""
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def address(text):
    return ipaddress.ip_address(text).packed


def ip(source, target, protocol, payload, ttl=60, ident=0x1234, options=b"", first=None):
    """RFC 791, RFC 8200. IPv6 options are extension headers; first is the number of the first."""
    if ":" in source:
        return struct.pack(">IHBB", 6 << 28, len(options) + len(payload), first or protocol,
                           ttl) + address(source) + address(target) + options + payload
    words = 5 + len(options) // 4
    header = struct.pack(">BBHHHBBH", 4 << 4 | words, 0, 4 * words + len(payload), ident, 0, ttl,
                         protocol, 0) + address(source) + address(target) + options
    return header[:10] + struct.pack(">H", checksum(header)) + header[12:] + payload


def icmp(kind, code, info, body=b""):
    """RFC 792; as ICMPv6 the checksum is wrong, which nobody looks at."""
    message = struct.pack(">BBHI", kind, code, 0, info) + body
    return message[:2] + struct.pack(">H", checksum(message)) + message[4:]


def udp(source, target, payload):
    return struct.pack(">HHHH", source, target, 8 + len(payload), 0xbeef) + payload


def tcp(source, target, seq, ack, flags, options=b""):
    """RFC 9293."""
    options += b"\1" * (-len(options) % 4)
    return struct.pack(">HHIIBBHHH", source, target, seq, ack, 5 + len(options) // 4 << 4, flags,
                       64240, 0xbeef, 0) + options


def crc32c(data):
    """RFC 3720 appendix B.4, by dividing polynomials."""
    crc = 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return ~crc & 0xffffffff


def sctp(source, target, tag, kind, flags, body=b""):
    """A packet of one chunk; RFC 9260 §3."""
    head = struct.pack(">HHI", source, target, tag)
    chunk = struct.pack(">BBH", kind, flags, 4 + len(body)) + body + bytes(-len(body) % 4)
    return head + struct.pack("<I", crc32c(head + bytes(4) + chunk)) + chunk


def sctp_init(tag, tsn, parameters=b""):
    return struct.pack(">IIHHI", tag, 65536, 10, 10, tsn) + parameters


def tcp_options(value, echo):
    """MSS, SACK permitted, timestamps, window scale: RFC 9293, RFC 2018, RFC 7323."""
    return (b"\2\4\5\xb4" b"\4\2" + struct.pack(">BBII", 8, 10, value, echo) + b"\1" b"\3\3\7")


def extension(*objects, good=True):
    """RFC 4884: version, checksum, objects of length, class, type and payload."""
    body = b"".join(struct.pack(">HBB", 4 + len(payload), number, kind) + payload
                    for number, kind, payload in objects)
    structure = struct.pack(">BBH", 2 << 4, 0, 0) + body
    value = checksum(structure) if good else 0xdead
    return structure[:2] + struct.pack(">H", value) + structure[4:]


def labels(*entries):
    """RFC 4950: label, traffic class, bottom of stack, TTL."""
    return 1, 1, b"".join(struct.pack(">I", label << 12 | tc << 9 | (at == len(entries) - 1) << 8
                                      | ttl) for at, (label, tc, ttl) in enumerate(entries))


def interface(name=b"eth0", role=0):
    """RFC 5837: index, address, name and MTU of the incoming interface."""
    size = (1 + len(name) + 3) // 4 * 4
    return 2, role << 6 | 0x0f, (struct.pack(">IHH4s", 3, 1, 0, address(ROUTER4)) + bytes([size])
                                 + name + bytes(size - 1 - len(name)) + struct.pack(">I", 1500))


EXTENSIONS = {
    "mpls": extension(labels((24001, 0, 1), (16, 3, 254))),
    "mpls_many": extension(labels(*[(label, 0, 1) for label in range(20)])),
    "interface": extension(interface()),
    "interface_long": extension(interface(b"x" * 63, role=2)),
    "interface_too_long": extension(interface(b"x" * 67)),
    "interface_cut": extension((2, 0x0f, b"\0\0\0\3\0\1\0\0")),
    "unknown": extension((200, 9, bytes(range(40)))),
    "two": extension(labels((1, 1, 1)), interface(b"\x1b[31m\0")),
    "seven": extension(*[(9, 9, b"four")] * 7),
    "bad_checksum": extension(labels((1, 0, 1)), good=False),
    "odd_length": b"\x20\0\0\0" + b"\0\5\1\1x",
    "no_length": b"\x20\0\0\0" + b"\0\0\1\1",
}

PROOF = COOKIE + struct.pack(">I", TOKEN)
SYN = tcp(PORT, 443, ISN, 0, 0x02, tcp_options(TS_BASE + TOKEN, 0))

INIT = sctp(PORT, 443, 0, 1, 0, sctp_init(ISN, TS_BASE + TOKEN))

# Our probes as a router has them: protocol and segment.
PROBES = {
    "echo": (ICMP, icmp(8, 0, PORT << 16 | 0x123c, PROOF + bytes(24))),
    "udp": (UDP, udp(PORT, 53, PROOF + bytes(24))),
    "syn": (TCP, SYN),
    "init": (SCTP, INIT),
}

# What targets answer.
ANSWERS = {
    "echo_reply": (ICMP, icmp(0, 0, PORT << 16 | (ID_BASE + TOKEN + 1), PROOF)),
    "udp_reply": (UDP, udp(53, PORT, PROOF)),
    "udp_other": (UDP, udp(53, PORT, b"hello\n")),
    "syn_ack": (TCP, tcp(443, PORT, 99, ISN + 1, 0x12, tcp_options(1, TS_BASE + TOKEN))),
    "syn_ack_plain": (TCP, tcp(443, PORT, 99, ISN + 1, 0x12)),
    "rst": (TCP, tcp(443, PORT, 0, ISN + 1, 0x14)),
    "challenge": (TCP, tcp(443, PORT, 5, 6, 0x10)),
    "init_ack": (SCTP, sctp(443, PORT, ISN, 2, 0, sctp_init(9, 9, b"\0\7\0\x0acookie"))),
    "abort": (SCTP, sctp(443, PORT, ISN, 6, 0)),
    "abort_reflected": (SCTP, sctp(443, PORT, 0, 6, 1)),
}

# IPv6 extension headers: what they are, the number of the first, and the chain up to "next".
CHAINS = {
    "hop_by_hop": (0, lambda following: bytes([following, 0]) + b"\1\4\0\0\0\0"),
    "fragment": (44, lambda following: bytes([following, 0]) + b"\0\0\0\0\0\7"),
    "later_fragment": (44, lambda following: bytes([following, 0]) + b"\1\0\0\0\0\7"),
    "authentication": (51, lambda following: bytes([following, 4]) + bytes(22)),
    "two": (60, lambda following: bytes([43, 0]) + bytes(6) + bytes([following, 0]) + bytes(6)),
}


def padded(quote, size=128):
    return quote[:size] + bytes(size - min(len(quote), size))


def errors4():
    """ICMP errors about every probe: plain, short, refused, extended, in the old style."""
    for name, (protocol, segment) in PROBES.items():
        quote = ip(US4, HOST4, protocol, segment, ttl=1, ident=ID_BASE + TOKEN + 1)
        optioned = ip(US4, HOST4, protocol, segment, ttl=1, options=b"\x94\4\0\0")
        bodies = {
            "exceeded": icmp(11, 0, 0, quote),
            "eight": icmp(11, 0, 0, quote[:28]),
            "short": icmp(11, 0, 0, quote[:27]),
            "options": icmp(11, 0, 0, optioned),
            "port": icmp(3, 3, 0, quote),
            "admin": icmp(3, 13, 0, quote),
            "too_big": icmp(3, 4, 1400, quote),
            "parameter": icmp(12, 0, 0, quote),
            "extended": icmp(11, 0, 32 << 16, padded(quote) + EXTENSIONS["two"]),
            "legacy": icmp(11, 0, 0, padded(quote) + EXTENSIONS["mpls"]),
            "long": icmp(11, 0, 255 << 16, padded(quote) + EXTENSIONS["mpls"]),
        }
        for kind, message in bodies.items():
            yield f"{name}_{kind}", ip(ROUTER4, US4, ICMP, message)


def messages6():
    """The same of ICMPv6, each with its protocol number and payload."""
    for name, (protocol, segment) in PROBES.items():
        if protocol == ICMP:
            protocol, segment = ICMP6, icmp(128, 0, PORT << 16 | 0x123c, segment[8:])
        quote = ip(US6, HOST6, protocol, segment, ttl=1)
        yield f"{name}_exceeded", icmp(3, 0, 0, quote)
        yield f"{name}_port", icmp(1, 4, 0, quote)
        yield f"{name}_too_big", icmp(2, 0, 1280, quote)
        yield f"{name}_eight", icmp(3, 0, 0, quote[:48])
        yield f"{name}_extended", icmp(3, 0, 16 << 24, padded(quote) + EXTENSIONS["two"])
        for kind, (first, chain) in CHAINS.items():
            quote = ip(US6, HOST6, protocol, segment, options=chain(protocol), first=first)
            yield f"{name}_{kind}", icmp(3, 0, 0, quote)
    yield "echo_reply", icmp(129, 0, PORT << 16 | (ID_BASE + TOKEN + 1), PROOF)
    yield "advertisement", icmp(136, 0, 0, address(HOST6))


def errqueue():
    """What the kernel returns of the same errors: choice of the socket, type, code, info, length,
    and the quote without IP's header, and without UDP's."""
    for protocol, segment in PROBES.values():
        if protocol == SCTP:
            continue  # takes raw sockets
        stripped = 8 if protocol == UDP else 0
        for family, kind, header in ((0, 11, 20), (1, 3, 40)):
            choice = {ICMP: 0, TCP: 4, UDP: 8}[protocol] | family
            field = padded(segment, 128 - header)[stripped:]
            for length in (0, len(field)):
                head = struct.pack(">BBBIH", choice, kind, 0, 0, length)
                yield f"{protocol}_{family}_{length}_extended", head + field + EXTENSIONS["two"]
                yield f"{protocol}_{family}_{length}_legacy", head + field + EXTENSIONS["mpls"]
            yield f"{protocol}_{family}_plain", head + segment[stripped:]
            # the control message: length, level, type, then the error and the offender
            error = struct.pack("=IBBBBII", 113, 2 + family, kind, 0, 0, 0, 0)
            offender = struct.pack("=HHI24x", 10 if family else 2, 0, 0x0a000001)
            control = error + offender
            yield f"{protocol}_{family}_control", (struct.pack(">BBBIH", choice | 2, kind, 0, 0, 0)
                                                   + bytes([len(control), family, family])
                                                   + control + segment[stripped:])


def packet4():
    yield from errors4()
    for name, (protocol, segment) in ANSWERS.items():
        yield name, ip(HOST4, US4, protocol, segment)
        yield f"{name}_options", ip(HOST4, US4, protocol, segment, options=b"\7\x27\4" + bytes(37))
    yield "redirect", ip(ROUTER4, US4, ICMP, icmp(5, 1, 0, ip(US4, HOST4, *PROBES["udp"])))
    for name, message in messages6():
        yield f"six_{name}", ip(ROUTER6, US6, ICMP6, message)
    for name, (first, chain) in CHAINS.items():
        yield f"six_{name}", ip(HOST6, US6, UDP, ANSWERS["udp_reply"][1], options=chain(UDP),
                                first=first)


def packet6():
    for name, message in messages6():
        yield name, bytes([ICMP6, 60, 0]) + message
    for name, (protocol, segment) in ANSWERS.items():
        yield f"answer_{name}", bytes([protocol, 60, 0]) + segment
    yield "later_fragment", bytes([UDP, 60, 1]) + ANSWERS["udp_reply"][1]


def icmpext():
    quote = padded(ip(US4, HOST4, *PROBES["udp"]))
    for name, structure in EXTENSIONS.items():
        yield name, bytes([32, 0]) + quote + structure
        yield f"{name}_legacy", bytes([0, 1]) + quote + structure
    yield "short", bytes([8, 0]) + quote + EXTENSIONS["mpls"]


def tcp_seeds():
    for name, (protocol, segment) in {**PROBES, **ANSWERS}.items():
        if protocol == TCP:
            yield name, segment
            yield f"{name}_eight", segment[:8]
    yield "cut", SYN[:30]
    yield "unknown_option", tcp(1, 2, 3, 4, 2, b"\xfe\4xx" b"\5\x0a" + bytes(8))
    yield "option_length_0", tcp(1, 2, 3, 4, 2, b"\2\0\5\xb4")
    yield "option_beyond_end", tcp(1, 2, 3, 4, 2, b"\1\1\2\x28")


def sctp_seeds():
    for name, (protocol, segment) in {**PROBES, **ANSWERS}.items():
        if protocol == SCTP:
            yield name, segment
            yield f"{name}_eight", segment[:8]
    yield "cut", INIT[:20]
    yield "short_init", sctp(1, 2, 3, 1, 0, b"only")
    yield "too_long", sctp(1, 2, 3, 6, 0)[:14] + b"\xff\xff"


def match():
    yield from packet4()
    for module in range(4):
        for family in (0, 0x80):
            yield f"genuine_{module}_{family}", struct.pack(">IBHB", 65534, family | module, 9, 40)


def engine():
    """Random choices of several lengths: the target makes something of any byte."""
    choice = random.Random(1)
    for number in range(40):
        yield str(number), choice.randbytes(40 + 20 * number)


def report():
    choice = random.Random(2)
    for number in range(20):
        yield str(number), choice.randbytes(100 * (number + 1))
    yield "names", b"\x18" + b"\x04name" * 300


def text():
    yield "plain", b"gw1.example (10.0.0.1)"
    yield "escape", b"\x1b]0;title\x07\x9b31m\\ \x7f\0"
    yield "utf8", "größe 日本 🚀 a\u0301".encode()
    yield "harmful", "\u202e\u200b\ufeff\u2066\u061c\U000e0041\x85".encode()
    yield "malformed", b"\xc0\xaf \xed\xa0\x80 \xf4\x90\x80\x80 \xe2\x82 \xff \xf0\x9f"


def targets():
    words = ["example.com", "example.com:443", "192.0.2.1:ssh", "[2001:db8::1]:443,53/udp",
             "fe80::1%eth0", "https://example.com:8443/path?x#y", "xn--bcher-kva.example:@web",
             "1.2.3", "0x7f000001", "a" * 63 + ".example.", ":http", "443", "[::1", "http://u@h/",
             "postgres://user:a-long-password@db1:5432/x", "git+ssh://git@h/x", "fd90::2:443",
             "postgres://user:a-long/password@db1", "mongodb+srv://u:p@h", "h/24", "u@h"]
    lists = ["443", "dns,8000-8003/udp,@common", "1-65535", "icmp", "ssh/udp", "@db,@mail", "0",
             "70000", "9-1", "domain,,", "5353/dns,443/openvpn,IKEv2", "@ad,@k8s"]
    expected = ["22=closed|filtered,443=open", "web1:22=!open,:443=up", "dns=open,@dns=open",
                "[2001:db8::1]:22=!open|open_or_filtered", "22=", "22=!", "99=open"]
    for rules in (0, 1, 2, 13, 24, 40):
        yield f"words_{rules}", bytes([rules]) + "\n".join(words[:8]).encode()
    for number, word in enumerate(words + lists + expected):
        yield f"word_{number}", b"\0" + word.encode()
    yield "file", b"\0# list\nexample.com :443 :@web # both\n\r\n192.0.2.1\t:dns\nhost 443\n"
    yield "states", b"\0web1 443=open 25=!open :ssh=closed|filtered\nweb2:22=open @web=closed\n"
    yield "nul", b"\0host\0name\n"


def options():
    lines = ["-r -c 10 -i 0.5 example.com :443", "-rwc10 --json host", "--max-ttl=64 -f 2 -- -x",
             "-P 22,443 -F list.txt --no-icmp -n", "--simulate demo --virtual-time web.example",
             "-s 1400 -B 255 -Q 46 -a 192.0.2.1 -I eth0 -L 33434 -M 1 h", "--color=always -b -e h",
             "--report-cylces 3 h", "-x", "--deadline 1.5 --rate 100 --timeout .25 h",
             "-4 -6 -T -u h", "--count=3 h", "-p 443 h", "-w 1 h", "-Pn h", "-Q 0xb8 h",
             "-Q af11 h", "--expect 22=!open h :22", "--print-schema=report", "-s 28 -i .001 h",
             "--help", "-V", "--services", "--print-schema", "-c", "--json=1"]
    for number, line in enumerate(lines):
        yield str(number), line.replace(" ", "\0").encode()
    yield "escape", b"--\x1b[2J\0\xff"


def scenario():
    """The built-in scenario, those of the simulation tests, and one with every kind of rule."""
    root = HERE.parent.parent
    yield "demo", (root / "src/io/sim/demo.scenario").read_bytes()
    for path in sorted((root / "tests/sim").rglob("*.scenario")):
        yield path.stem, path.read_bytes()
    base = ("seed 7\nstart 2026-11-22T17:41:15Z\nvantage v 192.0.2.1 2001:db8::1 interface=e0\n"
            "router a 10.0.0.1 2001:db8:1::1 delay=1ms jitter=1us limit=2 burst=3 mpls=7/1/2,9\n"
            "router b 10.0.0.2 legacy ifname=ge-0/0/0 quote=8 ttl=64 from=10.9.9.9\n"
            "router c 10.0.0.3 silent\n"
            "host h 203.0.113.5 2001:db8::5 delay=2ms tcp:443=open udp:53=echo udp:*=closed\n"
            "host i 203.0.113.6 tcp:*=closed udp:53=answer no-timestamps\n"
            "path h a { b | c } b\npath i a loop b c\nat 1s path h c\nnat a 198.51.100.1 port=+9\n"
            "resolve name.example 203.0.113.5 2001:db8::5\nname 10.0.0.1 gw.example\n")
    yield "base", base.encode()
    for number, rule in enumerate([
            "b drop tcp:443 mask=0110", "a reject udp:53 code=13", "a reset tcp chance=50%",
            "a answer tcp:443 hook=prerouting", "b duplicate any", "b truncate=4 error dir=back",
            "a forge any dir=back", "b hold=3ms icmp from=1ms until=2s", "h drop any",
            "a drop syn:443 limit=2/3s burst=2", "b drop any bursts=5ms/20ms chance=50%",
            "a reset tcp ttl=61"]):
        yield f"rule_{number}", f"{base}rule {rule}\n".encode()
    yield "per_packet", base.replace("c } b", "c }! b").encode()
    yield "groups", base.replace("c } b", "{ a | c }! } b").encode()
    yield "back", f"{base}back h c {{ b | a }}\nat 1s back i b\n".encode()
    hosts = ("host j 203.0.113.7 dead\n"
             "host k 203.0.113.8 tcp:443=to:i udp:53=dns?2:01?*:00 udp:53=echo stateless\n")
    yield "hosts", base.replace("path h", hosts + "path j a\npath k b\npath h", 1).encode()


NAME8 = "01020305a1a2a3a4"  # as the payload target's trace names a probe: cookie and token

# What servers answer, to be shown to every module: only their own take it.
PAYLOADS = {
    "dns": "1234818000010000000000000000020001",
    "dns_version": "123484000001000000000000" + "0776657273696f6e" "0462696e6400" "00100003",
    "dns_cookie": "123480000000000000000001" "00002904d000000000000c" "000a0008" + NAME8,
    "ntp": "240106e9000000000000001047505300e800000000000000" + NAME8 + "e800000100000000" * 2,
    "snmp": "305d0201033011020445061234020300ffe3040100020103041930170408" "80001f8804616263"
            "0201030202010004000400" "0400302a040880001f88046162630400a81c020100020100020100"
            "3011300f060a2b060106030f01010400410107",
    "snmp2c": "302b02010104067075626c6963a21e0204450612340201000201003010"
              "300e06082b0601020101030043020100",
    "snmp_v1": "302b02010004067075626c6963a21e0204450612340201000201003010"
               "300e06082b0601020101030043020100",
    "stun_refresh": "011400082112a442" "0102030405060708a1a2a3a4" "0009000400000425",
    "radius_access": "03340022" + "de" * 16 + "210e" "0102030405060708" "00000009",
    "ikev1": NAME8 + "1122334455667788" "0b10050012345678" "00000028" "0000000c00000001" "0100000e",
    "mdns_address": "123484000001000000000000" "023737013201300331393207" + b"in-addr".hex()
                    + "046172706100000c0001",
    "stun": "0101000c2112a442" "0102030405060708a1a2a3a4" "002000080001e112e112a643",
    "tftp": "0005000146696c65206e6f7420666f756e6400",
    "netbios": "12348400000000010000000020434b" + "41" * 30 + "00002100010000000000410148"
               "4f53542020202020202020202020000400" + "00" * 46,
    "mdns": "12348400000100010000000009" + b"_services".hex() + "07" + b"_dns-sd".hex()
            + "045f756470056c6f63616c00000c0001" "c00c000c00010000000a000c045f737368045f746370c023",
    "llmnr": "12348000000100000000000005736f6e64650000010001",
    "memcached": "1234000000010000" + b"VERSION 1.6.18\r\n".hex(),
    "kerberos": "7e60305ea003020105a10302011ea411180f" + b"20261125160000Z".hex()
                + "a503020101a603020106" "a90f1b0d" + b"SONDE.INVALID".hex()
                + "aa243022a003020102a11b30191b05" + b"sonde".hex() + "1b10" + NAME8.encode().hex(),
    "quic": "c000000000080102030500000009080102030405060708",
    "ikev2": "01020305000000090000000000000000292022200000000000000024000000080000000e",
    "dtls": "16feff000001030000000900130300000700000000000000000007feff04c0c1c2c3",
    "coap": "688212340102030500000009e0fcdcff42616420",
    "sip": b"SIP/2.0 200 OK\r\nCall-ID: 010203040506070800000009\r\n\r\n".hex(),
    "radius": "02340014" + hashlib.md5(bytes.fromhex("02340014" "0102030405060708" "000000000000"
                                                     "1234") + b"testing123").hexdigest(),
    "rdpeudp": "0102123404000005" "0000004204d004d0",
    "l2tp": "c802001412340000000000018008000000000004",
    "openvpn": "4051525354555657580100000000010203050000000900000000",
    "wireguard": "0200000001020304",
}


def payload():
    for name, answer in PAYLOADS.items():
        for question in range(48):
            yield f"{name}_{question}", bytes([question]) + bytes.fromhex(answer)


def record():
    """Records by the schema, of one target with three services and a route of two hops."""
    head = ('{"schema":"sonde.event/1","type":"%s","time":"2026-11-22T17:41:1%d.000000000Z",'
            '"run_id":"01a20459-0e78-7896-a1fe-c08aa83b63f1","n":0')

    def line(kind, members, second=5):
        return head % (kind, second) + ("," + members if members else "") + "}\n"

    def service(index, protocol, port, rest=""):
        text = f"{port}/{protocol}" if port else protocol
        return (f'{{"service":"{text}","protocol":"{protocol}","port":{port or "null"},'
                f'"flows":1,"source_ports":[4000{index}],{rest}'
                f'"measured":{{"target":0,"service_index":{index}}}}}')

    def probe(kind, index, ttl, outcome, rest="", cycle=0):
        return line(kind, f'"target":0,"address":"203.0.113.10","service":"x",'
                    f'"service_index":{index},"flow":0,"cycle":{cycle},"ttl":{ttl},'
                    f'"outcome":"{outcome}","size_bytes":64,"sent":"2026-11-22T17:41:15.1Z",'
                    f'"sent_clock":"kernel","received_clock":"kernel"{rest}', 5 + cycle)

    answer = ',"from":"203.0.113.10","rtt_ms":12.345678,"reply_ttl":61'
    router = ',"from":"10.0.0.1","rtt_ms":1.5,"reply_ttl":254,"icmp_type":11,"icmp_code":0'
    labels = (',"extensions":[{"class":1,"c_type":1,"mpls":[{"label":16,"tc":0,"bos":1,"ttl":1}]},'
              '{"class":2,"c_type":1,"interface":{"role":"incoming","name":"eth0"}},'
              '{"class":9,"c_type":1,"length_bytes":4,"bytes":"00010203"}]')
    full = ',"to_target":true'
    start = line("run_start", '"tool":{"name":"sonde","version":"1"},"command":["sonde"],'
                 '"vantage":{"missing":[],"hostname":"here","transport":"raw","source":null,'
                 '"names":true},"settings":{"first_ttl":1,"max_ttl":30,"cycles":3,'
                 '"interval_ms":1000,"timeout_ms":2000,"size_bytes":64,"tos":0,'
                 '"warn":{"loss_ratio":0.1,"rtt_ms":10.0}}')
    services = ",".join([service(0, "icmp", 0, '"control":true,'), service(1, "tcp", 443),
                         service(2, "udp", 53, '"payload":"dns",'),
                         service(3, "tcp", 80, '"control":true,"standby":true,')])
    target = line("target", '"target":0,"first":0,"input":"web","name":"web.example",'
                  '"address":"203.0.113.10","source":"192.0.2.1","addresses":[{"asked":true,'
                  f'"address":"203.0.113.10"}}],"services":[{services}]')
    again = line("target", '"target":1,"first":1,"input":"web","name":"203.0.113.10",'
                 '"address":"203.0.113.10","source":"192.0.2.1","services":[{"service":"443/tcp",'
                 '"protocol":"tcp","port":443,"flows":1,"measured":{"target":0,'
                 '"service_index":1}}]')
    lost = line("target", '"target":1,"first":1,"input":"x","name":"x","problem":{"code":'
                '"name_unresolved","text":"no address"},"services":[{"service":"icmp",'
                '"protocol":"icmp"}]')
    begin = line("begin", "")
    walk = "".join([
        probe("probe", 0, 64, "echo_reply", answer + full), probe("probe", 1, 64, "open", answer
                                                                  + full),
        probe("probe", 0, 1, "ttl_exceeded", router + labels), probe("probe", 1, 2, "open", answer),
        probe("probe", 2, 64, "no_reply", full), probe("probe", 0, 2, "echo_reply", answer),
        probe("late", 2, 64, "udp_reply", answer + full), probe("duplicate", 0, 1, "ttl_exceeded",
                                                                router),
        probe("probe", 1, 64, "send_error", full + ',"error":"EPERM"', 1),
        probe("probe", 2, 64, "admin_prohibited", router + full, 1),
        probe("unawaited", 1, 3, "no_reply", "", 1)])
    names = (line("name", '"address":"10.0.0.1","name":"router\\\\027.example"')
             + line("zone", '"scope":2,"name":"eth0"') + line("interface", '"interface":"eth0"')
             + line("next_hop", '"target":0,"next_hop":"10.0.0.1","interface":"eth0",'
                    '"silent":true')
             + line("counters", '"discarded":{"foreign":3},"own_losses":{"receive_queue":1}'))
    end = line("run_end", '"status":"complete","exit_code":1,"complete":true,'
               '"ended":"2026-11-22T17:41:19Z"', 9)
    since = ",".join(['"2026-11-22T17:41:15.2Z"'] * 4)
    acts = (line("paused", '"target":0,"service_index":1')
            + line("resumed", '"target":0,"service_index":null')
            + line("reset", f'"target":0,"service_index":null,"since":[{since}]')
            + line("reset", '"target":null,"service_index":null,"since":["2026-11-22T17:41:16Z"]')
            + line("removed", '"target":0,"service_index":1')
            + line("removed", '"target":0,"service_index":null') + target + walk)
    for name, text in {"acts": start + target + begin + walk + acts,
                       "whole": start + target + begin + walk + names + end,
                       "shared": start + target + again + begin + walk,
                       "lost": start + target + lost + end, "names": start + target + names,
                       "start": start}.items():
        for choice in (0, 15):
            yield f"{name}_{choice}", bytes([choice]) + text.encode()


SEEDS = {"record": record,
         "packet4": packet4, "packet6": packet6, "icmpext": icmpext, "tcp": tcp_seeds,
         "sctp": sctp_seeds,
         "match": match, "engine": engine,  "report": report, "text": text, "targets": targets,
         "errqueue": errqueue,
         "payload": payload, "options": options, "scenario": scenario}


def main():
    target, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in SEEDS[target]():
        (folder / name).write_bytes(data)


main()
