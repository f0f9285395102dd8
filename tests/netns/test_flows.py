# SPDX-License-Identifier: BSD-2-Clause
"""Several flows of a service over real Linux routes with several next hops.

                  /---- m1 ----\\
    vantage ---- r1 ---- ...   ---- r2 ---- server
                  \\---- m8 ----/

r1 chooses by addresses and ports (fib_multipath_hash_policy=1, ip-sysctl), with a key that the
kernel draws when it starts. So which way a flow goes is not known before; the eight routers tell:
each remembers the source ports that SYNs and datagrams came by with. (A reset of the vantage's
kernel carries a hash of its socket through veth, and r1 goes by that.)
"""
import json
import unittest

import lab

WAYS = 8
CYCLES = 20


class Flows(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.net = net = lab.Network()
        cls.addClassCleanup(net.close)
        for name in ("vantage", "server"):
            net.add(name)
        ways = [f"m{way}" for way in range(1, WAYS + 1)]
        for name in ("r1", "r2", *ways):
            net.add(name, router=True)
        net.link("vantage", "r1", "10.1.0", "fd01")
        net.link("server", "r2", "10.9.0", "fd09")
        for way, name in enumerate(ways, 1):
            net.link("r1", name, f"10.2.{way}", f"fd02:{way}")
            net.link("r2", name, f"10.3.{way}", f"fd03:{way}")
            net.ip(name, f"route add 10.1.0.0/24 via 10.2.{way}.2",
                   f"route add fd01::/64 via fd02:{way}::2",
                   f"route add 10.9.0.0/24 via 10.3.{way}.2",
                   f"route add fd09::/64 via fd03:{way}::2")
            net.nft(name, f"""table inet filter {{
                set ports {{ type nf_proto . inet_proto . inet_service; flags dynamic; size 4096; }}
                chain c {{
                    type filter hook prerouting priority 0
                    iifname "to-r1" tcp flags syn \
                        add @ports {{ meta nfproto . meta l4proto . th sport }}
                    iifname "to-r1" meta l4proto udp \
                        add @ports {{ meta nfproto . meta l4proto . th sport }}
                }}
            }}""")
        net.sysctl("r1", {"net/ipv4/fib_multipath_hash_policy": 1,
                          "net/ipv6/fib_multipath_hash_policy": 1})
        hops = range(1, WAYS + 1)
        net.ip("r1", "route add 10.9.0.0/24 "
               + " ".join(f"nexthop via 10.2.{way}.1" for way in hops),
               "route add fd09::/64 " + " ".join(f"nexthop via fd02:{way}::1" for way in hops))
        net.ip("r2", "route add 10.1.0.0/24 via 10.3.1.1", "route add fd01::/64 via fd03:1::1")
        net.ip("vantage", "route add default via 10.1.0.1", "route add default via fd01::1")
        net.ip("server", "route add default via 10.9.0.1", "route add default via fd09::1")
        net.listen("server", 443)
        net.echo("server", 53)

    def seen(self):
        """{(family, protocol, source port): the way that it was seen on}, and then forgotten"""
        seen = {}
        for way in range(1, WAYS + 1):
            listed = json.loads(self.net.run(f"m{way}", "nft", "-j", "list", "set", "inet",
                                             "filter", "ports"))
            self.net.run(f"m{way}", "nft", "flush", "set", "inet", "filter", "ports")
            for item in listed["nftables"][-1]["set"].get("elem", ()):
                nfproto, protocol, port = item["concat"]
                key = {"ipv4": 4, "ipv6": 6}[nfproto], protocol, port
                self.assertNotIn(key, seen, "a flow stays on its way")
                seen[key] = way
        return seen

    def reports(self, names, *words):
        """Run sonde for each service and family at once; {(service, family): its report}"""
        processes = {(name, family): self.net.start_sonde("-j", "-n", target, f":{name}", *words)
                     for name in names
                     for family, target in ((4, "10.9.0.2"), (6, "fd09::2"))}
        return {key: lab.Report(self.net.finish(process)) for key, process in processes.items()}

    @staticmethod
    def router(family, way):
        return f"10.2.{way}.1" if family == 4 else f"fd02:{way}::1"

    def check_service(self, service, family, seen, cycles):
        protocol = service["protocol"]
        for path in service["paths"]:
            way = seen[family, protocol, path["source_port"]]
            self.assertEqual((path["sent"], path["received"]), (cycles, cycles))
            self.assertEqual(path["changes"], [])
            hops = {hop["ttl"]: [responder["address"] for responder in hop["responders"]]
                    for hop in path["hops"]}
            self.assertEqual(hops.get(2, [self.router(family, way)]), [self.router(family, way)])
        for member in ("sent", "received"):
            self.assertEqual(service[member], sum(path[member] for path in service["paths"]))
        self.assertEqual(service["loss_ratio"], 0)
        self.assertEqual(service["state"], "open")

    def test_each_flow_is_seen_on_the_way_that_it_takes(self):
        reports = self.reports(("443/tcp", "53/udp"), "--flows", "8", "-c", str(CYCLES),
                               "-i", "0.3")
        seen = self.seen()
        for (name, family), report in reports.items():
            with self.subTest(name=name, family=family):
                service = report.service(name)
                self.check_service(service, family, seen, CYCLES)
                for path in service["paths"]:  # and every hop is known by then
                    self.assertEqual([hop["ttl"] for hop in path["hops"]], [1, 2, 3, 4])
                ways = {seen[family, service["protocol"], path["source_port"]]
                        for path in service["paths"]}
                self.assertEqual(len({path["path_id"] for path in service["paths"]}), len(ways))

    def test_many_flows_take_most_of_the_ways(self):
        # By chance 32 flows take fewer than six of eight ways in 17 of a million draws: they miss
        # three of them, of which there are 56, with (5/8)^32.
        reports = self.reports(("443/tcp",), "--flows", "32", "-c", "3", "-i", "0.2")
        seen = self.seen()
        for (name, family), report in reports.items():
            with self.subTest(family=family):
                service = report.service(name)
                self.check_service(service, family, seen, 3)
                self.assertGreaterEqual(
                    len({seen[family, "tcp", path["source_port"]] for path in service["paths"]}),
                    6)


if __name__ == "__main__":
    lab.main()
