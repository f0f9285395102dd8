#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Several flows of a service: flows.py SONDE

A router spreads flows over eight links, and each stays on its own. Which flow takes which link
follows from a hash, so the seeds are such that eight flows of a port take six links at least; all
else that is expected is true of any.
"""
import json
import subprocess
import sys
import tempfile
import unittest

LINKS = [f"10.2.{number}.1" for number in range(1, 9)]
SONDE = sys.argv[1]
CYCLES = 20
SEED = 9
FLOWS = 8


def network(seed, rtt_ms, ration=""):
    yield f"seed {seed}"
    yield "vantage me 198.18.0.2"
    yield f"router r1 10.1.0.1 delay={rtt_ms / 8}ms {ration}"
    for address in LINKS:
        yield f"router l{address} {address} delay={rtt_ms / 8}ms {ration}"
    yield f"router r9 10.9.0.1 delay={rtt_ms / 8}ms {ration}"
    yield f"host h 203.0.113.1 delay={rtt_ms / 8}ms tcp:443=open udp:53=dns"
    yield "path h r1 { " + " | ".join(f"l{address}" for address in LINKS) + " } r9"


def measure(lines, *words):
    """{service: its member of the report}"""
    with tempfile.NamedTemporaryFile("w", suffix=".scenario") as scenario:
        scenario.write("\n".join(lines) + "\n")
        scenario.flush()
        done = subprocess.run([SONDE, "-j", "-n", "--virtual-time", "--simulate", scenario.name,
                               "203.0.113.1", *words], capture_output=True, text=True,
                              timeout=120, check=False)
    target, = json.loads(done.stdout)["targets"]
    return {service["service"]: service for service in target["services"]}


def routers(path):
    """{TTL: the addresses that answered there}"""
    return {hop["ttl"]: [responder["address"] for responder in hop["responders"]]
            for hop in path["hops"]}


class Flows(unittest.TestCase):
    def check_figures(self, service, flows):
        """What the flows of a service show adds up to what the service does."""
        paths = service["paths"]
        self.assertEqual([path["flow"] for path in paths], list(range(flows)))
        for member in ("sent", "received"):
            self.assertEqual(service[member], sum(path[member] for path in paths))
        for member, fold in (("samples", sum), ("min", min), ("max", max)):
            self.assertEqual(service["rtt_ms"][member],
                             fold(path["rtt_ms"][member] for path in paths))
        mean = sum(path["rtt_ms"]["avg"] * path["rtt_ms"]["samples"] for path in paths)
        self.assertAlmostEqual(service["rtt_ms"]["avg"] * service["rtt_ms"]["samples"], mean, 3)

    def check_paths(self, service):
        """Each flow stays on its way, and sees all of it."""
        for path in service["paths"]:
            self.assertEqual(path["changes"], [])
            self.assertEqual(path["dest_ttl"], 4)
            self.assertEqual((path["sent"], path["received"]), (CYCLES, CYCLES))
            seen = routers(path)
            self.assertEqual((seen[1], seen[3], seen[4]),
                             (["10.1.0.1"], ["10.9.0.1"], ["203.0.113.1"]))
            self.assertEqual(len(seen[2]), 1)
            self.assertIn(seen[2][0], LINKS)
            for hop in path["hops"]:
                self.assertEqual(hop["loss_ratio"], 0)

    def test_each_flow_has_a_path_of_its_own(self):
        for rtt_ms in (8, 600):
            for ration in ("", "limit=1 burst=6"):  # as Linux rations
                with self.subTest(rtt_ms=rtt_ms, ration=ration):
                    services = measure(network(SEED, rtt_ms, ration), ":443", "53/udp", "--flows",
                                       str(FLOWS), "-c", str(CYCLES), "-i", "1")
                    for name in ("443/tcp", "53/udp"):
                        service = services[name]
                        self.assertEqual(service["state"], "open")
                        self.check_figures(service, FLOWS)
                        self.check_paths(service)
                        ways = {path["path_id"] for path in service["paths"]}
                        self.assertNotIn(None, ways)
                        self.assertGreaterEqual(len(ways), 6)
                        links = {routers(path)[2][0] for path in service["paths"]}
                        self.assertEqual(len(ways), len(links))
                        ports = {path["source_port"] for path in service["paths"]}
                        self.assertEqual(len(ports), FLOWS)
                    # a control has one flow
                    self.check_figures(services["icmp"], 1)

    def test_pings_have_flows(self):
        service = measure(network(SEED, 80), "--flows", "8", "-c", str(CYCLES), "-i", "1")["icmp"]
        self.check_figures(service, FLOWS)
        self.check_paths(service)
        self.assertEqual({path["source_port"] for path in service["paths"]}, {None})
        self.assertGreater(len({path["path_id"] for path in service["paths"]}), 1)

    def test_a_link_that_loses_some_is_seen_on_its_flows_alone(self):
        # Of 100 probes of each flow there the link loses 30, give or take 4.6 (binomial).
        whole = measure(network(SEED, 80), ":443", "--flows", "8", "-c", str(CYCLES), "-i", "1")
        link = routers(whole["443/tcp"]["paths"][0])[2][0]
        lines = [*network(SEED, 80), f"rule l{link} drop tcp chance=30%"]
        service = measure(lines, ":443", "--flows", "8", "-c", "100", "-i", "1")["443/tcp"]
        self.assertEqual(service["verdict"]["code"], "loss_on_some_paths")
        self.assertEqual(service["verdict"]["blame"]["last_seen"], {"ttl": 2, "address": link})
        self.assertEqual(service["verdict"]["blame"]["first_lost"],
                         {"ttl": 3, "address": "10.9.0.1"})
        for path in service["paths"]:
            lost = path["sent"] - path["received"]
            self.assertIn(lost, range(12, 49) if routers(path)[2][0] == link else (0,))

    def test_loss_of_all_flows_alike_is_not_that_of_some(self):
        # Of a thousand services that lose alike, one at most may seem to lose on some flows only;
        # there are 60, and all are asked 8 x 40 times.
        for seed in range(1, 21):
            for loss in (2, 10, 30):
                lines = [*network(seed, 8), f"rule r1 drop tcp chance={loss}%"]
                service = measure(lines, ":443", "--flows", "8", "-c", "40", "-i", "1")["443/tcp"]
                self.assertNotIn("loss_on_some_paths",
                                 [finding["code"] for finding in service["findings"]])

    def test_a_link_that_drops_everything_is_seen_on_its_flows_alone(self):
        whole = measure(network(SEED, 80), ":443", "--flows", "8", "-c", str(CYCLES), "-i", "1")
        link = routers(whole["443/tcp"]["paths"][0])[2][0]
        hit = [path["flow"] for path in whole["443/tcp"]["paths"]
               if routers(path)[2][0] == link]
        lines = [*network(SEED, 80), f"rule l{link} drop tcp"]
        service = measure(lines, ":443", "--flows", "8", "-c", str(CYCLES), "-i", "1")["443/tcp"]
        self.assertEqual(service["state"], "open")
        self.assertEqual(service["sent"], FLOWS * CYCLES)
        self.assertEqual(service["received"], (FLOWS - len(hit)) * CYCLES)
        # the router before the link is answered for, and nothing behind it is seen
        verdict = service["verdict"]
        self.assertEqual((verdict["level"], verdict["code"]), ("degraded", "loss_on_some_paths"))
        self.assertEqual(verdict["blame"]["last_seen"], {"ttl": 2, "address": link})
        self.assertIsNone(verdict["blame"]["first_lost"])
        for path in service["paths"]:
            self.assertEqual(path["received"], 0 if path["flow"] in hit else CYCLES)
            self.assertEqual(path["reached"], path["flow"] not in hit)

    def test_a_link_that_drops_every_question_is_seen_on_its_flows_alone(self):
        # Its flows ask all questions of the protocol in vain, the others have the first answered.
        whole = measure(network(SEED, 80), ":53/udp", "--flows", "8", "-c", str(CYCLES), "-i", "1")
        link = routers(whole["53/udp"]["paths"][0])[2][0]
        hit = [path["flow"] for path in whole["53/udp"]["paths"]
               if routers(path)[2][0] == link]
        lines = [*network(SEED, 80), f"rule l{link} drop udp"]
        service = measure(lines, ":53/udp", "--flows", "8", "-c", str(CYCLES), "-i", "1")["53/udp"]
        for path in service["paths"]:
            self.assertEqual(path["received"], 0 if path["flow"] in hit else CYCLES)
        for member in ("sent", "received"):
            self.assertEqual(service[member], sum(path[member] for path in service["paths"]))
        self.assertEqual(service["outcomes"]["no_reply"], service["sent"] - service["received"])
        self.assertEqual(service["verdict"]["code"], "loss_on_some_paths")
        self.assertEqual(service["verdict"]["blame"]["last_seen"], {"ttl": 2, "address": link})

    def test_a_question_that_one_flow_is_answered_is_kept_to_by_all(self):
        # A link drops what its flows ask. The server hears the question of the others, so it is not
        # deaf to it, and what is lost is lost: of 20 probes of each flow all on that link.
        whole = measure(network(SEED, 80), "53/udp", "--flows", "8", "-c", str(CYCLES), "-i", "1")
        link = routers(whole["53/udp"]["paths"][0])[2][0]
        hit = [path["flow"] for path in whole["53/udp"]["paths"]
               if routers(path)[2][0] == link]
        lines = [*network(SEED, 80), f"rule l{link} drop udp"]
        service = measure(lines, "53/udp", "--flows", "8", "-c", str(CYCLES), "-i", "1")["53/udp"]
        self.assertEqual(service["sent"], FLOWS * CYCLES)
        self.assertEqual(service["received"], (FLOWS - len(hit)) * CYCLES)
        self.assertEqual([question["sent"] for question in service["questions"]],
                         [FLOWS * CYCLES, 0, 0])
        self.assertEqual(service["verdict"]["code"], "loss_on_some_paths")
        for path in service["paths"]:
            self.assertEqual(path["sent"], CYCLES)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
