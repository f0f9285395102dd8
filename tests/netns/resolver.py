# SPDX-License-Identifier: BSD-2-Clause
"""A name server of the tests' own: it takes its time with some names, and has any address.

Messages are read and written by hand from RFC 1035 §4.1.
"""
import ipaddress
import threading

A, AAAA = 1, 28
NO_SUCH_NAME = 3


def _question(message):
    """The name, the type, and the bytes of the only question of a query."""
    labels, at = [], 12
    while message[at]:
        labels.append(message[at + 1:at + 1 + message[at]].decode("ascii"))
        at += 1 + message[at]
    kind = int.from_bytes(message[at + 1:at + 3], "big")
    return ".".join(labels).lower(), kind, message[12:at + 5]


def _answer(message, names, missing):
    """What is said to a query; names is {name: [address, ...]}, missing the code for others."""
    name, kind, question = _question(message)
    addresses = [ipaddress.ip_address(address) for address in names.get(name, ())]
    packed = [address.packed for address in addresses
              if kind == (A if address.version == 4 else AAAA)]
    code = 0 if name in names else missing
    # each answer is about the name in the question (a pointer to it), class IN, for a minute
    records = [b"\xc0\x0c" + kind.to_bytes(2, "big") + b"\0\1\0\0\0\x3c" +
               len(data).to_bytes(2, "big") + data for data in packed]
    return (message[:2] + bytes([0x81, 0x80 | code]) + b"\0\1" +
            len(records).to_bytes(2, "big") + b"\0\0\0\0" + question + b"".join(records))


def serve(network, server, names, delays=None, code=NO_SUCH_NAME):
    """Answer from a socket until the network is closed: {name: [address, ...]}, and
    {(name, type): seconds} for those that take a while. Other names have an error code."""
    timers = []

    def answer():
        message, client = server.recvfrom(512)
        timer = threading.Timer((delays or {}).get(_question(message)[:2], 0),
                                lambda: server.sendto(_answer(message, names, code), client))
        timers.append(timer)
        timer.start()

    def stop():
        for timer in timers:
            timer.cancel()
            timer.join()

    network.stack.callback(stop)
    network.stack.enter_context(network.serving(server, answer))
