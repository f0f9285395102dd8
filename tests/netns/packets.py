# SPDX-License-Identifier: BSD-2-Clause
"""Packets to fields and back, for tests that look at the wire or forge what comes over it.

Written for these tests alone, from the RFCs, so that sonde is not judged by its own code.
"""
import dataclasses
import ipaddress
import socket
import struct

ICMP, TCP, UDP, ICMPV6, SCTP = 1, 6, 17, 58, 132

FIN, SYN, RST, PSH, ACK = 0x01, 0x02, 0x04, 0x08, 0x10

ECHO_REQUEST = {4: 8, 6: 128}
ECHO_REPLY = {4: 0, 6: 129}
UNREACHABLE = {4: 3, 6: 1}
TIME_EXCEEDED = {4: 11, 6: 3}
PORT_UNREACHABLE = {4: (3, 3), 6: (1, 4)}


@dataclasses.dataclass
class Packet:
    """An IP packet; members of the transport that it does not have are None."""
    family: int
    src: str
    dst: str
    protocol: int  # ICMPv6 is told apart from ICMP
    ttl: int
    tos: int
    length: int  # of the whole packet
    segment: bytes  # all behind the IP header
    raw: bytes
    outgoing: bool = False
    time_ns: int = None  # when the kernel saw it, since 1970
    sport: int = None
    dport: int = None
    seq: int = None
    ack: int = None
    flags: int = None
    ts: int = None  # TCP timestamp value
    ts_echo: int = None
    type: int = None
    code: int = None
    ident: int = None  # of an echo
    sequence: int = None
    payload: bytes = b""

    @property
    def is_echo_request(self):
        return self.type == ECHO_REQUEST[self.family]

    @property
    def is_echo_reply(self):
        return self.type == ECHO_REPLY[self.family]

    @property
    def is_icmp(self):
        return self.protocol in (ICMP, ICMPV6)


def parse(raw, outgoing=False):
    """Read a packet that begins with its IP header; None if it is neither IPv4 nor IPv6."""
    if raw[0] >> 4 == 4:
        tos, length = struct.unpack_from("!xBH", raw)
        ttl, protocol = raw[8], raw[9]
        src, dst = socket.inet_ntop(socket.AF_INET, raw[12:16]), \
            socket.inet_ntop(socket.AF_INET, raw[16:20])
        start, family = 4 * (raw[0] & 15), 4
    elif raw[0] >> 4 == 6:
        first, payload_length, protocol, ttl = struct.unpack_from("!IHBB", raw)
        tos, length = first >> 20 & 0xff, 40 + payload_length
        src, dst = socket.inet_ntop(socket.AF_INET6, raw[8:24]), \
            socket.inet_ntop(socket.AF_INET6, raw[24:40])
        start, family = 40, 6
    else:
        return None
    packet = Packet(family, src, dst, protocol, ttl, tos, length, raw[start:length], raw, outgoing)
    _parse_segment(packet)
    return packet


def _parse_segment(packet):
    segment = packet.segment
    if packet.protocol == TCP and len(segment) >= 20:
        packet.sport, packet.dport, packet.seq, packet.ack, offset, packet.flags = \
            struct.unpack_from("!HHIIBB", segment)
        packet.payload = segment[offset >> 4 << 2:]
        packet.ts, packet.ts_echo = _timestamps(segment[20:offset >> 4 << 2])
    elif packet.protocol == UDP and len(segment) >= 8:
        packet.sport, packet.dport = struct.unpack_from("!HH", segment)
        packet.payload = segment[8:]
    elif packet.protocol == SCTP and len(segment) >= 8:
        packet.sport, packet.dport = struct.unpack_from("!HH", segment)
    elif packet.is_icmp and len(segment) >= 8:
        packet.type, packet.code = segment[0], segment[1]
        packet.ident, packet.sequence = struct.unpack_from("!HH", segment, 4)
        packet.payload = segment[8:]


def _timestamps(options):
    """Value and echo of a TCP timestamp option (kind 8), if there is one. RFC 7323 §3.2."""
    at = 0
    while at < len(options) and options[at] != 0:
        if options[at] == 8:
            return struct.unpack_from("!II", options, at + 2)
        at += 1 if options[at] == 1 else options[at + 1]
    return None, None


def checksum(data):
    """RFC 1071."""
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def ip(src, dst, protocol, segment, ttl=64, ident=0, options=b""):
    """An IP packet around a segment."""
    packed = ipaddress.ip_address(src).packed + ipaddress.ip_address(dst).packed
    if len(packed) == 32:
        return struct.pack("!IHBB", 6 << 28, len(segment), protocol, ttl) + packed + segment
    words = 5 + len(options) // 4
    header = bytearray(struct.pack("!BBHHHBBH", 4 << 4 | words, 0, 4 * words + len(segment), ident,
                                   0, ttl, protocol, 0) + packed + options)
    struct.pack_into("!H", header, 10, checksum(bytes(header)))
    return bytes(header) + segment


def pseudo(src, dst, protocol, length):
    """RFC 9293 §3.1, RFC 8200 §8.1."""
    packed = ipaddress.ip_address(src).packed + ipaddress.ip_address(dst).packed
    if len(packed) == 8:
        return packed + struct.pack("!BBH", 0, protocol, length)
    return packed + struct.pack("!IxxxB", length, protocol)


def icmp(src, dst, kind, code, rest, body, **how):
    """An ICMP or ICMPv6 message; rest is the second word of its header."""
    message = bytearray(struct.pack("!BBHI", kind, code, 0, rest) + body)
    protocol = ICMPV6 if ":" in dst else ICMP
    prefix = pseudo(src, dst, protocol, len(message)) if protocol == ICMPV6 else b""
    struct.pack_into("!H", message, 2, checksum(prefix + bytes(message)))
    return ip(src, dst, protocol, bytes(message), **how)


def tcp(src, dst, sport, dport, seq, ack, flags, options=b"", **how):
    offset = (20 + len(options)) // 4 << 4
    segment = bytearray(struct.pack("!HHIIBBHHH", sport, dport, seq & 0xffffffff,
                                    ack & 0xffffffff, offset, flags, 65535, 0, 0) + options)
    struct.pack_into("!H", segment, 16, checksum(pseudo(src, dst, TCP, len(segment)) + segment))
    return ip(src, dst, TCP, bytes(segment), **how)


def udp(src, dst, sport, dport, payload, **how):
    segment = bytearray(struct.pack("!HHHH", sport, dport, 8 + len(payload), 0) + payload)
    value = checksum(pseudo(src, dst, UDP, len(segment)) + segment) or 0xffff
    struct.pack_into("!H", segment, 6, value)
    return ip(src, dst, UDP, bytes(segment), **how)


class Capture:
    """Everything that passes one interface, as of now. Read it once the traffic is over."""

    ETH_P_ALL = 0x0003
    SO_RCVBUFFORCE = 33
    SO_TIMESTAMPNS = 35
    BUFFER_BYTES = 64 << 20

    def __init__(self, network, node, interface):
        with network.inside(node):
            self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM,
                                        socket.htons(self.ETH_P_ALL))
            self.socket.setsockopt(socket.SOL_SOCKET, self.SO_RCVBUFFORCE, self.BUFFER_BYTES)
            self.socket.setsockopt(socket.SOL_SOCKET, self.SO_TIMESTAMPNS, 1)
            self.socket.bind((interface, self.ETH_P_ALL))
        self.socket.setblocking(False)
        network.stack.callback(self.socket.close)

    def fileno(self):
        return self.socket.fileno()

    def read(self):
        """The packets since the last time."""
        packets = []
        while True:
            try:
                raw, ancillary, _, address = self.socket.recvmsg(65536, socket.CMSG_SPACE(16))
            except BlockingIOError:
                return packets
            packet = parse(raw, address[2] == socket.PACKET_OUTGOING)
            if packet is not None:
                for level, kind, data in ancillary:
                    if (level, kind) == (socket.SOL_SOCKET, self.SO_TIMESTAMPNS):
                        seconds, nanoseconds = struct.unpack("@ll", data)
                        packet.time_ns = seconds * 10**9 + nanoseconds
                packets.append(packet)


class Forger:
    """Sends whole packets from a node, in anybody's name."""

    def __init__(self, network, node):
        self.sockets = {}
        for family, domain in ((4, socket.AF_INET), (6, socket.AF_INET6)):
            with network.inside(node):
                self.sockets[family] = socket.socket(domain, socket.SOCK_RAW, socket.IPPROTO_RAW)
            network.stack.callback(self.sockets[family].close)

    def send(self, raw):
        family = raw[0] >> 4
        packet = parse(raw)
        address = (packet.dst, 0) if family == 4 else (packet.dst, 0, 0, 0)
        self.sockets[family].sendto(raw, address)
