# SPDX-License-Identifier: BSD-2-Clause
"""What a service went through: the episodes of a report, held against what is true of the network.

A truth is a list of stretches, oldest first, that is written down by hand or follows from how a
network was made. `complaints()` says where a service of a report differs from it, and
`faults_of_form()` what is wrong with its episodes, whatever the network. Both return sentences,
none if all is well. That they can find fault is tested by history_test.py.

All times are seconds from the start of the run.
"""
import dataclasses
import datetime

FAILED = ("port_intercepted", "port_rejected", "port_filtered", "port_closed",
          "port_unexpectedly_open", "host_unreachable", "routing_loop")


@dataclasses.dataclass
class Stretch:
    """A stretch of the life of a service. Several states or codes that are all true of it are
    divided by "|"."""
    state: str
    code: str
    begin: tuple = None  # between when and when it begins; None: with the run
    behind: int = None   # the hop behind which probes or answers are lost; a hop before it may be
    #                      blamed only together with this one: the bracket holds the link behind it
    by: int = None       # the hop that refuses them; with `behind`: it may say so, or be silent
    mute: bool = False   # the hop at `behind` may be seen or not
    named: bool = True   # somebody has to be blamed, if `behind` or `by` says who it is


def wall(time):
    """A time of a report, in seconds since 1970."""
    return datetime.datetime.fromisoformat(time).timestamp()


def seconds(time, document):
    """A time of a report, from the start of its run; None stays None."""
    if time is None:
        return None
    moment, start = map(datetime.datetime.fromisoformat, (time, document["started"]))
    return (moment - start).total_seconds()


def service_of(document, name, target=0):
    services = document["targets"][target]["services"]
    return next(service for service in services if service["service"] == name)


def blame_faults(stretch, blame):
    """Does the blame of an episode hold the culprit?"""
    if stretch.behind is None and stretch.by is None:
        return
    if blame is None:
        if stretch.named:
            yield "nobody is blamed"
        return
    ttl = {who: place and place["ttl"] for who, place in blame.items() if who != "way"}
    if stretch.by is not None:
        if ttl["reporter"] == stretch.by:
            return
        if stretch.behind is None:
            yield f"hop {stretch.by} refuses, blamed is {ttl}"
            return
    if ttl["last_seen"] is None and ttl["first_lost"] is None:
        yield f"it is lost behind hop {stretch.behind}, blamed is {ttl}"
    if ttl["last_seen"] is not None and ttl["last_seen"] > stretch.behind:
        yield f"it is lost behind hop {stretch.behind}, last seen is hop {ttl['last_seen']}"
    if ttl["first_lost"] is not None and ttl["first_lost"] <= stretch.behind - stretch.mute:
        yield f"it is lost behind hop {stretch.behind}, first lost is hop {ttl['first_lost']}"


def episode_faults(stretch, episode, document):
    """Is an episode as a stretch of the truth is?"""
    if episode["state"] not in stretch.state.split("|"):
        yield f"state {episode['state']}, true is {stretch.state}"
    if episode["code"] not in stretch.code.split("|"):
        yield f"code {episode['code']}, true is {stretch.code}"
    if stretch.begin is not None:
        begin = seconds(episode["from"], document)
        if not stretch.begin[0] <= begin <= stretch.begin[1]:
            yield "from {:.3f} s, true is {:.3f} to {:.3f} s".format(begin, *stretch.begin)
    yield from blame_faults(stretch, episode["blame"])


def shown(service, document):
    """The episodes of a service in one line."""
    return ", ".join("{:.2f} s {} {}".format(seconds(episode["from"], document), episode["state"],
                                             episode["code"])
                     for episode in service["episodes"])


def complaints(service, truth, document):
    """Where the episodes of a service differ from the truth."""
    episodes = service["episodes"]
    if service["episodes_omitted"] != 0:
        return [f"{service['episodes_omitted']} episodes are omitted"]
    if len(episodes) != len(truth):
        return [f"{len(episodes)} episodes, true are {len(truth)}: {shown(service, document)}"]
    return [f"episode {number}: {fault}"
            for number, (stretch, episode) in enumerate(zip(truth, episodes), 1)
            for fault in episode_faults(stretch, episode, document)]


def end_codes(truth):
    """The codes that the verdict of a service may have at the end, its life being this. What has
    failed and is over is an outage; changes to and fro are unstable, and that is worse to hear of
    than that all is well now."""
    last = truth[-1].code.split("|")
    if any(code in FAILED for code in last):
        return last
    if any("unstable" in stretch.code.split("|") for stretch in truth):
        return ["unstable"]
    if any(code in FAILED for stretch in truth for code in stretch.code.split("|")):
        return ["outage"]
    return last


# --- what holds of every report

def differs(one, next_one):
    """Is there a reason to tell two episodes apart? Two that have trouble may differ in many ways;
    two that have none differ in their state, or in what a round trip takes."""
    if one["code"] != "ok" or next_one["code"] != "ok" or one["state"] != next_one["state"]:
        return True
    if one["rtt_ms"] is None or next_one["rtt_ms"] is None:
        return False
    longer, shorter = sorted((one["rtt_ms"]["avg"], next_one["rtt_ms"]["avg"]), reverse=True)
    return longer > 1.1 * shorter


def faults_of_times(episodes, document, interval, whole):
    """The stretches follow each other without a gap, from the start on if they are the whole, and
    the last is open."""
    begins = [seconds(episode["from"], document) for episode in episodes]
    ends = [seconds(episode["to"], document) for episode in episodes]
    if whole and not -0.001 <= begins[0] <= interval:
        yield f"the first episode begins at {begins[0]:.3f} s"
    if ends[-1] is not None:
        yield "the last episode is not open"
    for number in range(1, len(episodes)):
        if ends[number - 1] != begins[number]:
            yield f"episode {number} ends at {ends[number - 1]}, the next is from {begins[number]}"
        if begins[number] <= begins[number - 1]:
            yield f"episode {number + 1} does not begin after the one before"
        if not differs(episodes[number - 1], episodes[number]):
            yield f"between episodes {number} and {number + 1} nothing changes"


def faults_of_counts(counts, of_what):
    sent, received, ratio = counts["sent"], counts["received"], counts["loss_ratio"]
    if not 0 <= received <= sent:
        yield f"{of_what}: {received} received of {sent} sent"
    elif (ratio is None) != (sent == 0):
        yield f"{of_what}: the loss ratio is {ratio}, sent are {sent}"
    elif sent and abs(ratio - (1 - received / sent)) > 1e-6:
        yield f"{of_what}: the loss ratio is {ratio}, received are {received} of {sent}"
    if received == 0 and counts["rtt_ms"] is not None and counts["rtt_ms"]["samples"] > 0:
        yield f"{of_what}: round trips without an answer"


def faults_of_present(service):
    """State, since and present are those of the open episode."""
    last = service["episodes"][-1]
    alone = len(service["episodes"]) == 1 and service["episodes_omitted"] == 0
    if service["since"] != (None if alone else last["from"]):
        yield f"since is {service['since']}, the open episode began {last['from']}"
    if service["state"] != last["state"]:
        yield f"the state is {service['state']}, that of the open episode is {last['state']}"
    if last["level"] == "failed" and service["verdict"]["code"] != last["code"]:
        yield f"the verdict is {service['verdict']['code']}, of now it is {last['code']}"
    # The present is the newest part of the open episode: it may be shorter, never longer.
    if service["present"]["sent"] > last["sent"]:
        yield f"{service['present']['sent']} sent at present, {last['sent']} in the open episode"
    yield from faults_of_counts(service["present"], "present")


def faults_of_form(service, document, interval, stands_by=False):
    """What is wrong with the episodes of a service, whatever the network is like. One that stands
    by is not asked from the start on."""
    episodes = service["episodes"]
    if not episodes:
        return ["there is no episode"] if service["sent"] > 0 else []
    whole = service["episodes_omitted"] == 0
    faults = [*faults_of_times(episodes, document, interval, whole and not stands_by),
              *faults_of_present(service)]
    for number, episode in enumerate(episodes, 1):
        faults += faults_of_counts(episode, f"episode {number}")
        if (episode["code"] == "ok") != (episode["level"] == "ok"):
            faults.append(f"episode {number} is {episode['code']} and {episode['level']}")
        if episode["code"] in FAILED and episode["level"] != "failed":
            faults.append(f"episode {number} is {episode['code']} and {episode['level']}")
        lost = episode["sent"] - episode["received"]
        if episode["code"] == "ok" and episode["state"] in ("open", "closed"):
            if lost > 2 and lost > 0.05 * episode["sent"]:
                faults.append(f"episode {number} is fine, and {lost} of {episode['sent']} are lost")
        if not episode["text"]:
            faults.append(f"episode {number} has no text")
    for member in ("sent", "received"):
        total = sum(episode[member] for episode in episodes)
        if total > service[member] or whole and total != service[member]:
            faults.append(f"{member} {service[member]}, in the episodes {total}")
    if len(episodes) > 64:
        faults.append(f"{len(episodes)} episodes are listed")
    return faults
