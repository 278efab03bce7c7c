"""What the programs expose is what docs/metrics.md lists, in the form Prometheus wants."""

import json
import pathlib
import re
import subprocess
import typing

import pytest
import yaml

from exposition import Exposition
from stack import TREE
from test_documents import anchors, quoted, rows_of, text_of

TOOLS = pathlib.Path.home() / ".cache" / "smsq" / "tools"


@pytest.fixture(scope="session")
def promtool():
    """From Debian's package, which ./dev setup unpacks and does not install."""
    path = TOOLS / "prometheus" / "usr" / "bin" / "promtool"
    assert path.exists(), f"{path} is missing: run ./dev setup"

    def run(*arguments, given=None):
        done = subprocess.run([path, *map(str, arguments)], input=given, text=True, timeout=60,
                              capture_output=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr
    return run


@pytest.fixture(scope="module")
def exposed(system):
    """After one message, one refusal and one stranger."""
    system.restore()
    system.sim.reset()
    api = system.new_api()
    api.wait_for(api.accepted())
    assert api.send(to="nonsense").status == 422
    return Exposition(system.stack)


def described():
    """The rows of docs/metrics.md: name, kind, labels, programs."""
    for row in rows_of(text_of(TREE / "docs" / "metrics.md")):
        if "`" in row[0]:
            programs = set(row[3].split(", ")) if len(row) == 5 else None
            yield quoted(row[0])[0], row[1], set(quoted(row[2])), programs


def test_the_metrics_are_those_of_the_document(exposed):
    rows = list(described())
    assert len(rows) == len({row[0] for row in rows})
    assert {row[0] for row in rows} == set(exposed.kinds)
    everyone = set().union(*exposed.programs.values())
    for name, kind, labels, programs in rows:
        assert (name, exposed.kinds[name]) == (name, kind)
        assert (name, exposed.labels[name]) == (name, labels)
        assert (name, exposed.programs[name]) == (name, programs or everyone)


def test_promtool_finds_nothing_to_say(exposed, promtool):
    for page in exposed.pages.values():
        assert promtool("check", "metrics", given=page) == ""


def test_labels_are_bounded_and_name_nobody(exposed):
    for (metric, label), values in exposed.values.items():
        assert len(values) < 100, (metric, label)
        for value in values:
            assert not re.search(r"\+?\d{6,}|smsq_[0-9a-f]{8}|[0-9a-f]{8}-[0-9a-f]{4}", value), (
                metric, label, value)


# --- what is asked of them: deploy/prometheus and deploy/grafana ---

PROMETHEUS = TREE / "deploy" / "prometheus"
DASHBOARDS = sorted((TREE / "deploy" / "grafana").glob("*.json"))
FUNCTIONS = {"and", "bool", "by", "changes", "count", "deriv", "group_left", "histogram_quantile",
             "ignoring", "increase", "max", "max_over_time", "min", "offset", "on", "or", "rate", "sum",
             "time", "unless", "vector", "without"}
GROUPING = re.compile(r"\b(?:by|without|on|ignoring) *\(([^)]*)\)")
MATCHER = re.compile(r'(\w+) *(=~|!~|!=|=) *"((?:[^"\\]|\\.)*)"')
NAME = re.compile(r"[a-zA-Z_:][\w:]*")
SCRAPED = {"job", "instance"}  # labels that Prometheus adds


class Query(typing.NamedTuple):
    names: set
    matchers: list  # of (name, label, operator, value)
    grouped: set  # labels in by (…)


def parsed(expression):
    """The metrics and labels of a PromQL expression; promtool checks the rest of it."""
    matchers = []
    for name, inside in re.findall(r"([\w:]+)\{([^}]*)\}", expression):
        matchers += [(name, *found) for found in MATCHER.findall(inside)]
    grouped = {label for found in GROUPING.findall(expression)
               for label in re.findall(r"\w+", found)}
    rest = re.sub(r"\{[^}]*\}|\[[^]]*\]", "", GROUPING.sub("", expression))
    return Query(set(NAME.findall(re.sub(r"\b\d[\w.]*", "", rest))) - FUNCTIONS, matchers,
                 grouped)


def rules_of(path):
    return [rule for group in yaml.safe_load(text_of(path))["groups"] for rule in group["rules"]]


def rules():
    return [rule for path in sorted(PROMETHEUS.glob("rules/*.yml")) for rule in rules_of(path)]


def alerts():
    return [rule for rule in rules() if "alert" in rule]


def panels():
    for path in DASHBOARDS:
        for panel in json.loads(text_of(path))["panels"]:
            for target in panel.get("targets", ()):
                yield f"{path.name}: {panel['title']}", target["expr"]


def queries():
    yield from ((rule.get("alert") or rule["record"], rule["expr"]) for rule in rules())
    yield from panels()


def labels_of(exposed, name, records):
    """The labels that a series of this name has; of a recorded one those it groups by."""
    if name in records:
        return parsed(records[name]).grouped - {"le"}
    if name == "up":
        return SCRAPED
    labels = exposed.labels[exposed.metric_of(name)] | SCRAPED
    return labels | ({"le"} if name.endswith("_bucket") else set())


def test_every_query_asks_for_what_a_program_exposes(exposed):
    records = {rule["record"]: rule["expr"] for rule in rules() if "record" in rule}
    known = exposed.samples() | set(records) | {"up"}
    for where, expression in queries():
        query = parsed(expression)
        assert query.names and query.names <= known, (where, query.names - known)
        has = set().union(*(labels_of(exposed, name, records) for name in query.names))
        assert query.grouped <= has, (where, query.grouped - has)
        for name, label, _, _ in query.matchers:
            assert label in labels_of(exposed, name, records), (where, name, label)


def test_every_word_in_a_query_is_one_that_is_exposed(exposed):
    """A misspelt outcome would be an alarm that never rings."""
    for where, expression in queries():
        for name, label, operator, value in parsed(expression).matchers:
            if label in SCRAPED or name not in exposed.samples():
                continue
            words = exposed.values[exposed.metric_of(name), label]
            for word in value.split("|") if operator == "=~" else [value]:
                assert word in words, (where, name, label, word)


def test_a_wrong_query_would_be_found():
    query = parsed('sum by (outcome, le) (rate(smsq_no{result=~"a|b"}[5m])) > 1e3 * other_total')
    assert query == Query({"smsq_no", "other_total"}, [("smsq_no", "result", "=~", "a|b")],
                          {"outcome", "le"})


def test_promtool_takes_configuration_rules_and_queries(promtool, tmp_path):
    promtool("check", "config", PROMETHEUS / "prometheus.yml")
    promtool("check", "rules", *sorted(PROMETHEUS.glob("rules/*.yml")))
    asked = {f"panel{n}": expression.replace("$__rate_interval", "1m")
             for n, (_, expression) in enumerate(panels())}
    rows = [{"record": name, "expr": expression} for name, expression in asked.items()]
    written = tmp_path / "panels.yml"
    written.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rows}]}))
    assert "SUCCESS" in promtool("check", "rules", written)


def test_each_alert_rings_when_it_should(promtool):
    assert "SUCCESS" in promtool("test", "rules", PROMETHEUS / "smsq_tests.yml")
    tried = set(re.findall(r'alertname="(\w+)"', text_of(PROMETHEUS / "smsq_tests.yml")))
    assert tried == {alert["alert"] for alert in alerts()}


def test_each_alert_leads_to_what_to_do():
    known = anchors(TREE / "docs" / "operations.md")
    for alert in alerts():
        assert alert["labels"]["severity"] in ("warning", "critical"), alert
        notes = alert["annotations"]
        assert notes["summary"] and notes["description"], alert
        page, _, anchor = notes["runbook_url"].partition("#")
        assert page.endswith("docs/operations.md") and anchor in known, alert
        assert f"`{alert['alert']}`" in text_of(TREE / "docs" / "operations.md"), alert


def test_every_program_is_scraped_at_its_port():
    jobs = yaml.safe_load(text_of(PROMETHEUS / "prometheus.yml"))["scrape_configs"]
    told = {job["job_name"]: job["static_configs"][0]["targets"][0].rpartition(":")[2]
            for job in jobs}
    rows = rows_of(text_of(TREE / "docs" / "operations.md").partition("## Settings")[0])
    wanted = {quoted(row[0])[0]: row[3] for row in rows if "`" in row[0] and row[3].isdigit()}
    assert told == wanted


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.name)
def test_a_dashboard_can_be_imported(path):
    board = json.loads(text_of(path))
    assert board["uid"] and board["title"] and board["schemaVersion"] >= 36
    (source,) = board["templating"]["list"]
    assert (source["type"], source["query"]) == ("datasource", "prometheus")
    ids = [panel["id"] for panel in board["panels"]]
    assert len(ids) == len(set(ids))
    taken = set()
    for panel in board["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"])
                 for y in range(at["y"], at["y"] + at["h"])}
        assert at["x"] + at["w"] <= 24 and not cells & taken, panel["title"]
        taken |= cells
        for part in [panel, *panel.get("targets", ())] if panel["type"] != "row" else ():
            assert part["datasource"] == {"type": "prometheus",
                                          "uid": f"${{{source['name']}}}"}
