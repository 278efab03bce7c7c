"""The judge: compares what clients were promised with what Twilio's simulator saw, what it
billed and what our tables say. Pure functions over the evidence of a run; run as a program
it judges a folder again."""

import collections
import datetime
import pathlib
import sys

import plan

DEAD_S = 15  # a worker without a heartbeat for so long is dead to the others
CLOCK_S = 1.0  # times that clients ask for are whole seconds
RESENDING = "emergency"  # the class that may go out again; others only if the client asked
UNDER_WAY = ("claimed", "in_doubt")
PROVEN_ENDS = ("failed", "suppressed")  # by an answer of Twilio's, or by a rule of ours
DOUBT_ENDS = ("found", "adopted", "resend", "release", "expired", "unknown", "closed")
RECOVERY_S, WINDOW_S, RECOVERY_SHARE = 30, 5, 0.8
RECOVERY_JUDGED_MIN = 3
KILLS_MIN, BUSY_SHARE_MIN, KILLS_AT_PLACE_MIN = 2000, 0.8, 50  # aims of 20 minutes
ALONE = ("stop", "stop_long", "callbacks_lost", "callbacks_early")  # the rate stays
CRASHES = (-4, -6, -7, -8, -11)  # SIGILL, SIGABRT, SIGBUS, SIGFPE, SIGSEGV
IDS_SHOWN = 20


def judge(evidence):
    """Returns the report; "broken" in it is empty when every promise was kept."""
    case = Case(evidence)
    broken = collections.defaultdict(list)
    fates = {row["id"]: case.fate(row, broken) for row in case.accepted}
    case.judge_strangers(broken)
    costs = case.costs(broken)
    recovery = recoveries(evidence, broken)
    kills = kills_of(evidence, broken)
    given_up, bound = broken.pop("given up", []), may_lose(evidence)
    if len(given_up) > bound:
        broken["lost"] += given_up
    lost = given_up + [i for i in broken.get("lost", []) if i not in given_up]
    return {
        "run": evidence["run"], "classes": case.classes(fates), "lost": lost,
        "lost_bound": bound, "costs": costs, "kills": kills, "recovery": recovery,
        "changes": case.changes(), "aims": aims(kills),
        "broken": [{"promise": name, "count": len(ids), "ids": sorted(map(str, ids))[:IDS_SHOWN]}
                   for name, ids in sorted(broken.items())],
    }


class Case:
    """The evidence, by message."""

    def __init__(self, evidence):
        self.evidence = evidence
        self.end = evidence["run"]["marks"]["settled"]
        clients = evidence["clients"]
        self.accepted = [row for row in clients if row["id"]]
        self.by_text = {row["text"]: row for row in clients}
        self.rows = {row["message_id"]: row for row in evidence["messages"]}
        self.attempts = group(evidence["attempts"], "message_id")
        self.decisions = group(evidence["decisions"], "message_id")
        self.delayed = group(evidence["delayed"], "message_id")
        self.posted_ids = group(evidence["ledger"], "message_id")
        self.posted_texts = group(evidence["ledger"], "body")

    def posts(self, client):
        """What Twilio took of a message: by its text, and by its id in the callback URL."""
        found = {row["sid"]: row for row in self.posted_texts[client["text"]]}
        found.update((row["sid"], row) for row in self.posted_ids[client["id"]])
        return list(found.values())

    def resends(self, message_id):
        return sum(row["kind"] == "resend" for row in self.decisions[message_id])

    def fate(self, client, broken):
        """One word for what became of an accepted message; notes each broken promise."""
        message_id, posts = client["id"], self.posts(client)
        row = self.rows.get(message_id)
        if len(set(client["ids"])) > 1:
            broken["one key, two messages"].append(message_id)
        if len(posts) > 1:
            self._judge_double(client, len(posts), broken)
        if row and row["status"] in UNDER_WAY:
            broken[f"left {row['status']}"].append(message_id)
            return "left"
        if not posts:
            return self._fate_unsent(client, row, broken)
        if client.get("change") == "cancel" and client["changed"] // 100 == 2:
            broken["sent although canceled"].append(message_id)
        if min(map(created, posts)) < due_of(client) - CLOCK_S:
            broken["sent before its time"].append(message_id)
        if not row:
            broken["sent without a row"].append(message_id)
        elif row["status"] in ("unknown", "expired", "waiting", "canceled"):
            return f"sent, shown as {row['status']}"
        return "doubled" if len(posts) > 1 else "sent"

    def _judge_double(self, client, count, broken):
        may = client["class"] == RESENDING or client["resend"]
        if not may:
            broken["doubled"].append(client["id"])
        elif count - 1 > self.resends(client["id"]):
            broken["doubled without a mark"].append(client["id"])

    def _fate_unsent(self, client, row, broken):
        message_id, status = client["id"], row["status"] if row else None
        if status == "canceled" and client.get("change") == "cancel":
            return "canceled"
        if status == "waiting" and any(row["due"] > self.end
                                       for row in self.delayed[message_id]):
            return "waiting"
        if status in PROVEN_ENDS:
            if any(row["outcome"] == "rejected" for row in self.attempts[message_id]):
                return "refused"
        if status in ("expired", "unknown"):
            if self._was_begun(message_id):
                return f"{status}, never proven"
            if row["expires_at"] and row["expires_at"] <= self.end + 10:
                return "expired in time"
        is_given_up = any(row["kind"] == "in_doubt" for row in self.decisions[message_id])
        broken["given up" if is_given_up else "lost"].append(message_id)
        return "lost"

    def _was_begun(self, message_id):
        """A POST of it may have left us, as far as our tables know."""
        return bool(self.attempts[message_id])

    def judge_strangers(self, broken):
        """What Twilio has must be what a client asked for, once, accepted or not."""
        ids = {row["id"] for row in self.accepted}
        for text, posts in self.posted_texts.items():
            client = self.by_text.get(text)
            if not client:
                broken["sent, asked by nobody"].extend(row["sid"] for row in posts)
            elif not client["id"] and len(posts) > 1:
                self._judge_double({**client, "id": posts[0]["message_id"]}, len(posts), broken)
            for row in posts:
                if client and client["id"] and row["message_id"] not in ids:
                    broken["sent under another id"].append(row["message_id"])
                if client and row["to"] != client["to"]:
                    broken["sent to somebody else"].append(row["message_id"])

    def costs(self, broken):
        """Our ledger against the bill, message by message, in millionths."""
        billed, ours = collections.Counter(), collections.Counter()
        for row in self.evidence["ledger"]:
            billed[row["message_id"]] += row["price_micros"]
        for row in self.evidence["costs"]:
            ours[row["message_id"]] += row["micros"]
        ids = (billed.keys() | ours.keys()) - set(self.evidence["run"]["before"])
        differ = [i for i in ids if billed[i] != ours[i]]
        broken["costs differ"] += differ
        if not differ:
            del broken["costs differ"]
        return {"billed_micros": sum(billed[i] for i in ids),
                "ours_micros": sum(ours[i] for i in ids),
                "difference_micros": sum(ours[i] - billed[i] for i in ids),
                "messages_that_differ": len(differ)}

    def classes(self, fates):
        """Per class what became of its messages, and how doubts were resolved."""
        table = collections.defaultdict(lambda: {
            "accepted": 0, "sent": 0, "doubled": 0, "flagged": 0, "in_doubt": 0,
            "fates": collections.Counter(), "resolved": collections.Counter()})
        for client in self.accepted:
            name = client["class"] + (", resend" if client["resend"] else "")
            row, posts = table[name], len(self.posts(client))
            row["accepted"] += 1
            row["sent"] += posts > 0
            row["doubled"] += posts > 1
            row["flagged"] += self.resends(client["id"]) > 0
            row["fates"][fates[client["id"]]] += 1
            self._count_doubts(client["id"], row)
        return {name: {**row, "fates": dict(row["fates"]), "resolved": dict(row["resolved"])}
                for name, row in sorted(table.items())}

    def _count_doubts(self, message_id, row):
        """Each turn in doubt, and the decision, or else the callback, that ended it."""
        decisions, attempts = self.decisions[message_id], self.attempts[message_id]
        turns = {d["turn"] for d in decisions if d["kind"] == "in_doubt"}
        turns |= {a["turn"] for a in attempts if a["outcome"] == "in_doubt"}
        for turn in turns:
            ends = [d["kind"] for d in decisions
                    if d["turn"] == turn and d["kind"] in DOUBT_ENDS]
            shown = [a["status"] for a in attempts if a["turn"] == turn] or ["no attempt"]
            row["in_doubt"] += 1
            row["resolved"][ends[-1] if ends else f"callback: {shown[0]}"] += 1

    def changes(self):
        """What the API said to cancellations and reschedulings."""
        found = collections.Counter(
            (row["change"], row["changed"]) for row in self.accepted if row.get("change"))
        return {f"{change} {status}": count for (change, status), count in sorted(found.items())}


def may_lose(evidence):
    """How many messages may be given up that never began: those that workers held whose disk
    is gone, or who were still for so long that others had to take them for dead."""
    faults, kills = evidence["faults"], evidence["kills"]
    held = sum(row["in_hand"] for row in faults if row["target"].startswith("worker")
               and row["ended"] - row["began"] > DEAD_S)
    if evidence["run"]["lose_state"]:
        held += sum(kill["in_hand"] for kill in kills if kill["kind"] == "worker")
    return held


def when(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def created(post):
    return when(post["created_at"])


def due_of(client):
    """The time that the client asked for last and was granted; 0 = at once. When it does not
    know whether it was granted, the earlier one."""
    due = when(client["send_at"]) if client["send_at"] else 0
    if not client.get("moved_to"):
        return due
    answer = client["changed"] // 100
    return {2: when(client["moved_to"]), 4: due}.get(answer, min(due, when(client["moved_to"])))


def group(rows, key):
    found = collections.defaultdict(list)
    for row in rows:
        found[row[key]].append(row)
    return found


# --- kills ---

def kills_of(evidence, broken):
    """Kills by what they were and by place, with what the program had in hand."""
    faults, places = collections.Counter(), collections.defaultdict(list)
    void = collections.Counter()
    ended = collections.Counter()
    busy = 0
    for kill in evidence["kills"]:
        if kill["fault"] == "ended":
            ended[f"{kill['program']} with code {kill['code']}"] += 1
            if kill["code"] in CRASHES:
                broken["a program crashed"].append(f"{kill['program']} {kill['code']}")
            continue
        faults[kill["fault"]] += 1
        busy += kill["in_hand"] > 0
        if kill["fault"] == "place":
            places[kill["place"]].append(kill["in_hand"])
        elif kill["armed"]:
            void[kill["armed"]] += 1
    count = sum(faults.values())
    return {
        "count": count, "busy": busy, "busy_share": busy / count if count else 0,
        "faults": dict(faults), "ended": dict(ended), "void": dict(void),
        "places": {name: {"kills": len(hands), "in_hand": sum(hands), "most": max(hands)}
                   for name, hands in sorted(places.items())},
    }


def aims(kills):
    """What a run must have done to mean something: name, wanted, found, whether it is met."""
    names = [name for places in plan.POINTS.values() for name in places]
    counts = {name: kills["places"].get(name, {"kills": 0})["kills"] for name in names}
    least = min(names, key=counts.get)
    found = [("kills", KILLS_MIN, kills["count"]),
             ("kills with work in hand, %", round(100 * BUSY_SHARE_MIN),
              int(100 * kills["busy_share"])),
             (f"kills at each fail point (fewest: {least})", KILLS_AT_PLACE_MIN, counts[least])]
    return [{"aim": name, "wanted": wanted, "found": count, "met": count >= wanted}
            for name, wanted, count in found]


# --- recovery ---

def recoveries(evidence, broken):
    """Seconds from each fault's end until the rate is back at most of the calm one."""
    marks, samples = evidence["run"]["marks"], evidence["rate"]
    calm = rate_between(samples, marks["calm"] + 2, marks["wild"])
    wanted = RECOVERY_SHARE * calm
    table = collections.defaultdict(lambda: {"times": 0, "void": 0, "seconds": [], "late": 0,
                                             "unmeasured": 0})
    for fault in evidence["faults"]:
        others = [other for other in evidence["faults"]
                  if other is not fault and other["name"] not in ALONE]
        row = table[fault["name"]]
        row["times"] += 1
        row["void"] += not fault["bit"]
        seconds = recovery_s(samples, fault["ended"], wanted, marks["calm_again"])
        if seconds is not None:
            seconds -= shared_s(fault["ended"], fault["ended"] + seconds, others)
        if seconds is not None and seconds <= RECOVERY_S:
            row["seconds"].append(round(seconds, 1))
        elif time_left_s(fault["ended"], marks["calm_again"], others) < RECOVERY_S + WINDOW_S:
            row["unmeasured"] += 1  # the run ended before its time was over
        else:
            row["late"] += 1
            if evidence["run"]["minutes"] < RECOVERY_JUDGED_MIN:
                continue  # a short run is one on a busy machine
            broken["late recovery"].append(f"{fault['name']} at {fault['ended']:.0f}")
    return {"calm_rate": calm, "faults": {name: dict(row) for name, row in table.items()}}


def shared_s(begin, end, faults):
    """Seconds between two times in which another fault was under way: nobody recovers then."""
    return sum(max(0.0, min(end, fault["ended"]) - max(begin, fault["began"]))
               for fault in faults)


def time_left_s(begin, end, faults):
    return end - begin - shared_s(begin, end, faults)


def rate_between(samples, begin, end):
    """Creates a second that the simulator took in that time."""
    inside = [row for row in samples if begin <= row["at"] <= end]
    if len(inside) < 2 or inside[-1]["at"] == inside[0]["at"]:
        return 0.0
    return ((inside[-1]["creates"] - inside[0]["creates"])
            / (inside[-1]["at"] - inside[0]["at"]))


def recovery_s(samples, ended, wanted, until):
    """Seconds to the begin of the first window with the wanted rate, or None."""
    later = [row for row in samples if ended <= row["at"] <= until]
    for first in later:
        window = [row for row in later
                  if first["at"] <= row["at"] <= first["at"] + WINDOW_S + 0.7]
        if window[-1]["at"] - first["at"] < WINDOW_S - 1:
            return None
        if rate_between(window, first["at"], window[-1]["at"]) >= wanted:
            return first["at"] - ended
    return None


def main(folder):
    """Judges a folder again."""
    import evidence
    from report import as_markdown
    result = judge(evidence.read(pathlib.Path(folder)))
    print(as_markdown(result))
    return 1 if result["broken"] else 0


if __name__ == "__main__":
    sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "system"))
    sys.exit(main(sys.argv[1]))
