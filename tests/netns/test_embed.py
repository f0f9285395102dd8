# SPDX-License-Identifier: BSD-2-Clause
"""A program that embeds libsonde in a loop of its own, over real sockets: the example on libuv."""
import os
import tempfile
import unittest

import lab

HOSTS = "127.0.0.1 localhost\n127.0.0.9 named.example\n"
ASKED = ("127.0.0.1", "::1", "named.example", "127.0.0.8")


class OwnLoop(unittest.TestCase):
    def test_hosts_that_are_added_while_others_are_probed_are_answered(self):
        # A name takes a thread's descriptor, names of addresses a resolver's; they come and go.
        net = lab.Network()
        self.addCleanup(net.close)
        net.add("vantage")
        net.listen("vantage", 443)
        with tempfile.NamedTemporaryFile("w") as hosts:
            hosts.write(HOSTS)
            hosts.flush()
            os.chmod(hosts.name, 0o644)
            named = ("unshare", "--mount", "sh", "-c",
                     f'mount --bind {hosts.name} /etc/hosts && exec "$@"', "sh")
            for user in ((), ("setpriv", "--inh-caps=-all", "--bounding-set=-all")):
                with self.subTest(user=user):
                    run = net.finish(net.start_sonde("real", *ASKED, wrap=(*named, *user),
                                                     program=os.environ["SONDE_EXAMPLE"]))
                    self.assertEqual(run.err, "")
                    self.assertEqual(run.code, 0)
                    self.assertEqual(sorted(run.out.splitlines()),
                                     sorted(f"{host}: 443/tcp open" for host in ASKED))


if __name__ == "__main__":
    lab.main()
