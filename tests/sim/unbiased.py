#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What is said to be lost is what the network lost: unbiased.py SONDE RUNS CYCLES

A host behind a link that loses packets at random, on the way there, on the way back, or on both.
It has an open and a closed TCP port, of which no answer names its probe for sure, and which stays
half open where a reset is lost; a UDP port whose answers name their question, and a closed one.
Over all runs of a setting the loss of each is within three standard deviations of the truth (of the
binomial distribution), where an answer that may be another probe's counts either way. So many are
looked at that one may be beyond three by chance, but none beyond four. The median round trip must
be the true one, which here does not vary.
"""
import json
import math
import subprocess
import sys
import tempfile

LINKS = 4
SERVICES = {"443/tcp": "tcp:443=open", "22/tcp": "tcp:22=closed", "53/udp": "udp:53=dns",
            "9/udp": "udp:9=closed"}
WAYS = (("out",), ("back",), ("out", "back"))
LOSSES = (0.05, 0.2, 0.4)  # in each of the ways


def scenario(seed, loss, ways, delay_ms):
    lines = [f"seed {seed}", "vantage me 198.18.0.2"]
    lines += [f"router r{i} 10.{i}.0.1 delay={delay_ms}ms" for i in range(1, LINKS)]
    lines.append(f"host h 203.0.113.1 delay={delay_ms}ms {' '.join(SERVICES.values())}")
    lines.append("path h " + " ".join(f"r{i}" for i in range(1, LINKS)))
    lines += [f"rule r{LINKS - 1} drop any dir={way} chance={loss:.0%}" for way in ways]
    return "\n".join(lines) + "\n"


def services_of(sonde, text, options):
    with tempfile.NamedTemporaryFile("w", suffix=".scenario") as file:
        file.write(text)
        file.flush()
        run = subprocess.run([sonde, "-j", "-n", "--virtual-time", "--simulate", file.name,
                              *options, "203.0.113.1", *(f":{service}" for service in SERVICES)],
                             stdout=subprocess.PIPE, text=True, check=False)
    return json.loads(run.stdout)["targets"][0]["services"]


def figures(sonde, runs, cycles, setting):
    """By service: [sent, lost, uncertain] of all runs of a setting, and the medians."""
    loss, ways, delay_ms, interval = setting
    found = {name: [0, 0, 0] for name in SERVICES}
    medians = []
    for seed in range(1, runs + 1):
        options = ["-c", str(cycles), "-i", interval]
        for service in services_of(sonde, scenario(seed, loss, ways, delay_ms), options):
            figure = found.get(service["service"])
            if figure is None:
                continue
            lost = service["sent"] - service["received"]
            for i, count in enumerate((service["sent"], lost, service["uncertain"])):
                figure[i] += count
            medians.append(service["rtt_ms"]["p50"])
    return found, medians


def main():
    sonde, runs, cycles = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    beyond = {3: 0, 4: 0}  # standard deviations: how many figures
    wrong = 0
    for setting in [(loss, ways, delay_ms, interval) for delay_ms, interval in
                    ((4, "1"), (4, "0.1"), (25, "1"), (25, "0.1"))
                    for loss in LOSSES for ways in WAYS
                    if (loss, ways) != (LOSSES[-1], WAYS[-1])]:  # no more than 40 % in all
        found, medians = figures(sonde, runs, cycles, setting)
        true = 1 - (1 - setting[0]) ** len(setting[1])
        wrong += sum(abs(median - 2 * LINKS * setting[2]) > 0.01 for median in medians)
        for name, (sent, lost, uncertain) in found.items():
            wrong += sent < 0.7 * runs * cycles  # where much is lost, it is asked slowly at times
            deviation = math.sqrt(true * (1 - true) * sent)
            off = max(lost - true * sent, true * sent - lost - uncertain) / deviation
            if off > 3:
                print(f"{setting} {name}: {lost} of {sent} lost, {uncertain} uncertain: {off:.1f}")
            for limit in beyond:
                beyond[limit] += off > limit
    print(f"beyond 3 standard deviations: {beyond[3]}, beyond 4: {beyond[4]}; "
          f"medians that are wrong, services that were not asked: {wrong}")
    return 1 if wrong or beyond[3] > 1 or beyond[4] else 0


if __name__ == "__main__":
    sys.exit(main())
