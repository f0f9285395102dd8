# SPDX-License-Identifier: BSD-2-Clause
"""(g) What 45 ports are, as nmap and sonde say it, beside the truth.

Real servers from Debian stand behind three routers; the second drops what goes to two of the ports,
and some answer nothing. nmap asks without its version detection, which sonde has nothing like. An
answer is right if it says what the port is; of a silent server, that it is open or filtered is all
that can be said.
"""
import json
import shutil
import time
import xml.etree.ElementTree

import network
import servers
import table

DROPPED = ("8080/tcp", "51820/udp")
SILENT = ("9999/udp",)
CLOSED = ("20/tcp", "23/tcp", "110/tcp", "143/tcp", "445/tcp", "3306/tcp", "5900/tcp", "8443/tcp",
          "1900/udp")
FILTER = """table inet filter {
    chain c {
        type filter hook forward priority 0
        tcp dport 8080 drop
        udp dport 51820 drop
    }
}"""


def truth(family):
    """{port: (what is there, its state)}, 45 of them."""
    found = {}
    for name, kind in servers.KINDS.items():
        there = (("nothing", "closed") if family not in kind.families
                 else (name, "open_or_filtered" if kind.silent else "open"))
        for port in kind.ports:
            protocol, number = port.split(":")
            found[f"{number}/{protocol}"] = there
    found |= {port: ("nothing", "closed") for port in CLOSED}
    found |= {port: ("dropped by r2", "filtered") for port in DROPPED}
    found |= {port: ("a silent server", "open_or_filtered") for port in SILENT}
    return dict(sorted(found.items(), key=lambda item: (item[0].split("/")[1],
                                                       int(item[0].split("/")[0]))))


def of_sonde(net, program, target, ports):
    run = net.finish(net.start_sonde("-j", "-n", "--many", target,
                                     *(f":{port}" for port in ports), program=program))
    services = json.loads(run.out)["targets"][0]["services"]
    return {service["service"]: service["state"] for service in services}


def of_nmap(net, _, target, ports):
    numbers = {protocol: ",".join(port.split("/")[0] for port in ports if port.endswith(protocol))
               for protocol in ("tcp", "udp")}
    family = ("-6",) if ":" in target else ()
    run = net.finish(net.start("vantage", "nmap", "-n", "-Pn", "-sS", "-sU", *family, "-oX", "-",
                               "-p", f"T:{numbers['tcp']},U:{numbers['udp']}", target,
                               stdout=-1, stderr=-1, text=True), timeout=300)
    found = xml.etree.ElementTree.fromstring(run.out).iter("port")
    return {f"{port.get('portid')}/{port.get('protocol')}": port.find("state").get("state")
            for port in found}


TOOLS = {"nmap": of_nmap, "sonde": of_sonde}


def measure(programs, quick):
    if shutil.which("nmap") is None or servers.missing():
        print("(g) takes nmap, and the servers of tests/netns/servers.py")
        return
    net = network.Network(programs)
    try:
        chain = network.lab.Chain(net)
        net.nft("r2", FILTER)
        servers.start(net, chain.server)
        net.ignore(chain.server, 9999)
        for family in network.lab.FAMILIES[:1 if quick else 2]:
            compare(net, programs.sonde, chain.target(family), family)
    finally:
        net.close()


def compare(net, program, target, family):
    ports = truth(family)
    states, seconds = {}, {}
    for tool, ask in TOOLS.items():
        begin = time.monotonic()
        states[tool] = ask(net, program, target, ports)
        seconds[tool] = time.monotonic() - begin
    out = table.Table(f"(g) What {len(ports)} ports are said to be, IPv{family}", {
        "port": 9, "there is": 15, "nmap": 16, "sonde": 16})
    right = dict.fromkeys(TOOLS, 0)
    for port, (name, state) in ports.items():
        said = {tool: states[tool].get(port, "-") for tool in TOOLS}
        for tool in TOOLS:
            right[tool] += said[tool].replace("|", "_or_") == state
        out.add(port, name, *said.values())
    out.add("right", "", *(f"{right[tool]} of {len(ports)}" for tool in TOOLS))
    out.add("seconds", "", *(f"{seconds[tool]:.1f}" for tool in TOOLS))
