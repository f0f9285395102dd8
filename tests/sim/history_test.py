#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Can the tests of what happens in time find fault? history_test.py

Of each case of times.py, and of random networks of episodes.py, a report is made up that tells the
truth. It has to pass; and each of many small lies in it has to be found. No sonde is run.
"""
import copy
import datetime
import unittest

import episodes
import history
import times
from history import Stretch

START = datetime.datetime(2026, 11, 22, 17, 41, 15)
HOST = 5


def stamp(second):
    return (START + datetime.timedelta(seconds=second)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def place(ttl):
    return {"ttl": ttl, "address": f"10.{ttl}.0.1", "hostname": None}


def blame_of(stretch):
    """Those of hops that are all before the culprit and all behind it."""
    if stretch.by is not None:
        return {"last_seen": None, "first_lost": None, "reporter": place(stretch.by),
                "way": "there"}
    if stretch.behind is None:
        return None
    return {"last_seen": place(stretch.behind), "first_lost": place(stretch.behind + 1),
            "reporter": None, "way": "there_or_back"}


def level_of(code):
    if code in history.FAILED:
        return "failed"
    if code in ("no_route", "local_blocked"):
        return "unknown"
    return "ok" if code == "ok" else "degraded"


def episode(stretch, begin, end):
    code = stretch.code.split("|")[0]
    lost = level_of(code) == "failed" and code != "port_closed"
    received = 0 if lost else 10
    return {"from": stamp(begin), "to": None if end is None else stamp(end),
            "state": stretch.state.split("|")[0], "code": code, "level": level_of(code),
            "text": "so it is", "blame": blame_of(stretch),
            "sent": 10, "received": received, "loss_ratio": 1 - received / 10,
            "rtt_ms": None if lost else {"samples": 10, "avg": 20}}


def service(name, truth, codes=None):
    """A service that lives so, right in the middle of what is allowed."""
    begins = [sum(stretch.begin) / 2 if stretch.begin else 0.0 for stretch in truth]
    ends = [*begins[1:], None]
    episodes = [episode(*each) for each in zip(truth, begins, ends)]
    code = (codes or history.end_codes(truth))[0]
    last = episodes[-1]
    counts = {member: last[member] for member in ("sent", "received", "loss_ratio", "rtt_ms")}
    omitted = max(0, len(episodes) - 64)
    return {"service": name, "state": last["state"], "episodes": episodes[omitted:],
            "episodes_omitted": omitted,
            "since": None if len(episodes) == 1 else last["from"],
            "present": {"cycles": 10, **counts},
            "sent": sum(each["sent"] for each in episodes),
            "received": sum(each["received"] for each in episodes), "loss_ratio": 0,
            "verdict": {"code": code, "level": level_of(code)}, "paths": [{"changes": []}]}


def document(case):
    """A report that tells the truth about a case."""
    services = []
    for name, truth in case.truth.items():
        made = service(name, first_of(truth), case.end.get(name))
        if case.path_change:
            ttl, before, after, time = case.path_change
            made["paths"][0]["changes"] = [{"time": stamp(time + 0.5), "ttl": ttl, "from": before,
                                            "to": after}]
        services.append(made)
    return {"started": stamp(0), "targets": [{"services": services}]}


def first_of(truth):
    if callable(truth):
        return truth.example
    return truth if isinstance(truth[0], Stretch) else truth[0]


def services_of(report):
    return report["targets"][0]["services"]


def lies(case):
    """(what is not true, a report in which it is said)"""
    truthful = document(case)
    for number, name in enumerate(case.truth):
        if any(case.truth[name] is case.truth[other] for other in list(case.truth)[:number]):
            continue  # all of these live alike
        told = services_of(truthful)[number]["episodes"]
        stretches = first_of(case.truth[name])[-len(told):]
        for at in range(max(0, len(told) - 5), len(told)):
            for what, change in episode_lies(case, stretches[at]):
                report = copy.deepcopy(truthful)
                change(services_of(report)[number]["episodes"], at)
                yield f"{name}, episode {at + 1}: {what}", report
        for what, change in SERVICE_LIES:
            report = copy.deepcopy(truthful)
            change(services_of(report)[number])
            yield f"{name}: {what}", report


def moved(seconds):
    """Move the beginning of an episode, and of what depends on it."""
    def change(episodes, at):
        time = history.seconds(episodes[at]["from"], {"started": stamp(0)}) + seconds
        episodes[at]["from"] = stamp(time)
        if at > 0:
            episodes[at - 1]["to"] = stamp(time)
    return change


def put(member, value):
    def change(episodes, at):
        episodes[at][member] = value
    return change


def split(episodes, at):
    """As if something had changed in the middle."""
    first = copy.deepcopy(episodes[at])
    begin = history.seconds(first["from"], {"started": stamp(0)}) + 0.001
    first["to"] = episodes[at]["from"] = stamp(begin)
    episodes.insert(at, first)


def episode_lies(case, stretch):
    if case.name.startswith("bursts"):
        return
    yield "split", split
    yield "another state", put("state", "open_or_filtered" if "filtered" not in stretch.state
                               else "closed")
    yield "another code", put("code", "mtu_black_hole")
    yield "no text", put("text", "")
    yield "more received than sent", put("received", 11)
    yield "another loss ratio", put("loss_ratio", 0.5)
    if stretch.begin:
        width = stretch.begin[1] - stretch.begin[0]
        yield "too early", moved(-width)
        yield "too late", moved(width)
    else:
        yield "too late", moved(3 * case.way.interval)
    if stretch.behind is not None:
        yield "before the culprit", put("blame", {"last_seen": None, "first_lost":
                                                  place(stretch.behind), "reporter": None})
        yield "behind the culprit", put("blame", {"last_seen": place(stretch.behind + 1),
                                                  "first_lost": None, "reporter": None})
        yield "nowhere", put("blame", {"last_seen": None, "first_lost": None, "reporter": None})
    if stretch.by is not None:
        yield "another reporter", put("blame", {"last_seen": None, "first_lost": None,
                                                "reporter": place(stretch.by + 1)})
    if (stretch.behind or stretch.by) and stretch.named:
        yield "nobody", put("blame", None)


def other_since(made):
    made["since"] = stamp(7) if made["since"] is None else None


def without_first(made):
    made["episodes"].pop(0)


def closed(made):
    made["episodes"][-1]["to"] = stamp(100000)


def other_verdict(made):
    made["verdict"]["code"] = "mtu_black_hole"


def more_lately(made):
    made["present"]["sent"] += 1


def lost_lately(made):
    made["present"]["loss_ratio"] = 0.123


SERVICE_LIES = (("since", other_since), ("the first episode is missing", without_first),
                ("the last episode is closed", closed), ("another verdict", other_verdict),
                ("more at present than in the open episode", more_lately),
                ("another loss at present", lost_lately),
                ("the state is another", lambda made: made.update(state="mute")),
                ("more in all than in the episodes", lambda made: made.update(sent=99)),
                ("one is omitted", lambda made: made.update(episodes_omitted=1)))


class Table(unittest.TestCase):
    def test_there_are_many_cases_and_no_two_of_a_name(self):
        self.assertGreaterEqual(len(times.CASES), 40)
        self.assertEqual(len({case.name for case in times.CASES}), len(times.CASES))

    def test_the_truth_passes(self):
        for case in times.CASES:
            with self.subTest(case=case.name):
                self.assertEqual(times.judge(document(case), case.exit, case), [])

    def test_each_lie_is_found(self):
        found = 0
        for case in times.CASES:
            for what, report in lies(case):
                found += 1
                if not times.judge(report, case.exit, case):
                    self.fail(f"{case.name}, {what}: nobody notices")
        self.assertGreater(found, 1000)

    def test_another_exit_code_is_found(self):
        for case in times.CASES:
            self.assertNotEqual(times.judge(document(case), case.exit ^ 1, case), [])

    def test_a_path_that_changes_elsewhere_or_at_another_time_is_found(self):
        for case in (case for case in times.CASES if case.path_change):
            for member, value in (("ttl", 2), ("from", []), ("to", ["10.9.9.9"]),
                                  ("time", stamp(1)), ("time", stamp(9999))):
                report = document(case)
                services_of(report)[0]["paths"][0]["changes"][0][member] = value
                self.assertNotEqual(times.judge(report, case.exit, case), [], member)

    def test_a_row_of_outages_is_no_loss_in_bursts(self):
        case = next(case for case in times.CASES if case.name.startswith("bursts"))
        fine, out = Stretch("open", "ok"), Stretch("open", "host_unreachable")
        for row in ([fine, out, fine], [fine], [fine, Stretch("open", "loss_at_destination"), fine],
                    [Stretch("open", "unstable"), out]):
            report = document(case)
            services_of(report)[0]["episodes"] = service("icmp", row)["episodes"]
            self.assertNotEqual(times.judge(report, 0, case), [])

    def test_what_could_not_be_sent_is_no_loss(self):
        for case in (case for case in times.CASES if case.lossless):
            report = document(case)
            services_of(report)[0]["loss_ratio"] = 0.3
            self.assertEqual(len(times.judge(report, case.exit, case)), 1)

    def test_loss_that_is_over_is_not_of_now(self):
        for name, change in (("out-in-the-middle", {"loss_ratio": 0.5, "received": 5}),
                             ("out-until-the-end", {"loss_ratio": 0.9, "received": 1})):
            case = next(case for case in times.CASES if case.name == name)
            report = document(case)
            services_of(report)[0]["present"].update(change)
            self.assertEqual(len(times.judge(report, case.exit, case)), 1)

    def test_a_line_of_text_that_is_missing_is_found(self):
        for case in (case for case in times.CASES if case.text):
            self.assertEqual(len(list(times.of_text("nothing of it", case.text))), len(case.text))


class RandomNetworks(unittest.TestCase):
    NETWORKS = [episodes.make(seed) for seed in range(1, 57)]

    def tell(self, network, change=None):
        """What is counted if the truth is told, or with a change of it for the last service."""
        services = [service(name, truth) for name, truth in network.truth.items()]
        if change:
            change(services[-1]["episodes"], len(services[-1]["episodes"]) - 1)
        report = {"started": stamp(0), "targets": [{"services": services}]}
        tally = episodes.Tally()
        faults = episodes.count(tally, network, report)
        self.assertEqual(bool(faults), tally.wrong == 1)
        return tally

    def last_changes(self):
        """The networks whose last service is hit."""
        hit = [each for each in self.NETWORKS if len(list(each.truth.values())[-1]) > 1]
        self.assertGreater(len(hit), 28)
        return hit

    def test_each_kind_has_its_turn_and_something_happens(self):
        self.assertEqual({network.kind for network in self.NETWORKS}, set(episodes.KINDS))
        for network in self.NETWORKS:
            self.assertGreater(max(map(len, network.truth.values())), 1)

    def test_the_truth_is_found_and_not_missed(self):
        for network in self.NETWORKS:
            tally = self.tell(network)
            self.assertEqual((tally.wrong, tally.false), (0, 0))
            self.assertEqual(tally.found, tally.changes)
            self.assertEqual(max(tally.errors), 0)

    def test_a_change_that_is_not_told_is_missed(self):
        def forget(told, at):
            told.pop(at)
            told[-1]["to"] = None

        for network in self.last_changes():
            tally = self.tell(network, forget)
            self.assertEqual((tally.wrong, tally.false), (1, 0))
            self.assertEqual(tally.found, tally.changes - 1)

    def test_a_change_that_was_none_is_false(self):
        for network in self.NETWORKS:
            tally = self.tell(network, split)
            self.assertEqual((tally.wrong, tally.false), (1, 1))

    def test_a_wrong_time_is_an_error_and_a_very_wrong_one_a_miss(self):
        for network in self.last_changes():
            begin = list(network.truth.values())[-1][-1].begin
            interval = network.way.interval
            late = (begin[1] - begin[0]) / 2 + 3 * interval
            tally = self.tell(network, moved(late))
            self.assertEqual((tally.wrong, tally.found), (1, tally.changes))
            self.assertAlmostEqual(max(tally.errors), 3, 3)
            tally = self.tell(network, moved(late + 8 * interval))
            self.assertEqual((tally.wrong, tally.false), (1, 1))
            self.assertEqual(tally.found, tally.changes - 1)

    def test_another_blame_is_wrong(self):
        for network in self.NETWORKS:
            for truth in list(network.truth.values())[-1:]:
                if truth[-1].behind is None:
                    continue
                tally = self.tell(network, put("blame", {
                    "last_seen": place(truth[-1].behind + 1), "first_lost": None,
                    "reporter": None}))
                self.assertEqual((tally.wrong, tally.found), (1, tally.changes))


if __name__ == "__main__":
    unittest.main()
