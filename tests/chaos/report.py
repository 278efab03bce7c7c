"""The judge's report as Markdown, for the terminal and for docs/reliability.md."""


def as_markdown(result):
    return "\n\n".join([
        _head(result), _classes(result["classes"]), _places(result["kills"]),
        _faults(result), _aims(result["aims"]), _verdict(result["broken"])]) + "\n"


MARK_BEGIN, MARK_END = "<!-- crash bench: begin -->\n", "<!-- crash bench: end -->\n"


def write_docs(page, result):
    """Puts the report between the two marks of a page."""
    head, rest = page.read_text().split(MARK_BEGIN)
    tail = rest.split(MARK_END)[1]
    page.write_text(f"{head}{MARK_BEGIN}\n{as_markdown(result)}\n{MARK_END}{tail}")


def summary(result):
    """The last lines on the terminal."""
    broken = sum(row["count"] for row in result["broken"])
    return "\n".join([
        *(f"{'met' if aim['met'] else 'MISSED'}: {aim['aim']} {aim['found']},"
          f" wanted {aim['wanted']}" for aim in result["aims"]),
        f"promises broken: {broken}" if broken else "every promise was kept"])


def _table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(map(str, row)) + " |" for row in rows])


def _counts(found):
    return ", ".join(f"{name} {count}" for name, count in sorted(found.items())) or "none"


def _head(result):
    run, kills, costs = result["run"], result["kills"], result["costs"]
    marks = run["marks"]
    lost = f"lost {len(result['lost'])}"
    if result["lost_bound"]:
        lost += (f" (up to {result['lost_bound']} would be excused: workers held them whose disk"
                 " was deleted, or who stood still until they counted as dead)")
    return "\n".join([
        f"`{run['command']}` (seed {run['seed']}; {run['where']}):"
        f" {marks['calm_again'] - marks['wild']:.0f} s of"
        f" faults at {run['rate']} messages/s, then {marks['settled'] - marks['calm_again']:.0f} s"
        " until nothing was under way.", "",
        f"- kills {kills['count']}, {100 * kills['busy_share']:.0f} % with work in hand"
        f" ({_counts(kills['faults'])}); programs that ended by themselves:"
        f" {_counts(kills['ended'])}",
        f"- {lost}",
        f"- bill {costs['billed_micros']}, our ledger {costs['ours_micros']}: difference"
        f" {costs['difference_micros']} millionths, in {costs['messages_that_differ']} messages",
        f"- canceled and rescheduled, by the API's answer: {_counts(result['changes'])}",
        f"- settings shortened: {' '.join(run['settings'])}"])


def _classes(classes):
    rows = [(name, row["accepted"], row["sent"], row["doubled"], row["flagged"],
             row["in_doubt"], _counts(row["resolved"]), _counts(row["fates"]))
            for name, row in classes.items()]
    return _table(("class", "accepted", "sent", "doubled", "flagged", "in doubt",
                   "doubts resolved by", "in the end"), rows)


def _places(kills):
    names = sorted(set(kills["places"]) | set(kills["void"]))
    nothing = {"kills": 0, "in_hand": 0, "most": 0}
    rows = [(name, row["kills"], row["in_hand"], row["most"], kills["void"].get(name, 0))
            for name in names for row in [kills["places"].get(name, nothing)]]
    return _table(("killed at", "kills", "messages in hand", "most at once",
                   "void: died before"), rows)


def _faults(result):
    rows = []
    for name, row in sorted(result["recovery"]["faults"].items()):
        seconds = row["seconds"]
        rows.append((name, row["times"], row["void"], max(seconds, default="-"), row["late"],
                     row["unmeasured"]))
    head = ("fault", "times", "void: did not bite", "recovered within, s", "later than 30 s",
            "run ended before")
    return (f"Rate without faults: {result['recovery']['calm_rate']:.1f}/s.\n\n"
            + _table(head, rows))


def _aims(aims):
    rows = [(row["aim"], row["wanted"], row["found"], "yes" if row["met"] else "no")
            for row in aims]
    return _table(("aim of a run of 20 minutes", "at least", "found", "met"), rows)


def _verdict(broken):
    if not broken:
        return "Every promise was kept."
    return "\n".join(["**Broken:**"] + [
        f"- {row['promise']}: {row['count']} ({', '.join(row['ids'])})" for row in broken])
