"""What deploy/ has for Prometheus and Grafana fits what the services show, and works with a real Prometheus."""

import json
import os
import re
import shutil
import subprocess
import urllib.error
import urllib.parse
import urllib.request

import pytest
import yaml

from metrics import SERVICES, series_of, shown, table
from stack import ROOT, Program, Stack, free_port, until

ALERTS = ROOT / "deploy" / "prometheus" / "alerts.yml"
CONFIG = ROOT / "deploy" / "prometheus" / "prometheus.yml"
DASHBOARD = ROOT / "deploy" / "grafana" / "dashboards" / "ctibus.json"
TESTS = ROOT / "tests" / "deploy" / "alerts_test.yml"
RUNBOOK = ROOT / "docs" / "operations.md"
OF_PROMETHEUS = {"up", "ALERTS"}
TARGET_LABELS = {"job", "instance", "le", "alertstate", "alertname"}

needs_promtool = pytest.mark.skipif(not shutil.which("promtool"), reason="promtool is not installed (prometheus)")
needs_prometheus = pytest.mark.skipif(not shutil.which("prometheus"), reason="prometheus is not installed")
needs_compose = pytest.mark.skipif(not shutil.which("docker-compose"), reason="docker-compose is not installed")


def alerts():
    return [rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]]


def panels():
    return [p for p in json.loads(DASHBOARD.read_text())["panels"] if p["type"] != "row"]


def expressions():
    """(where it stands, PromQL) of all alerts and panels."""
    return ([(rule["alert"], rule["expr"]) for rule in alerts()]
            + [(p["title"], t["expr"]) for p in panels() for t in p["targets"]])


def promtool(*arguments, **options):
    return subprocess.run(["promtool", *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=60, check=False, **options)


def labels_of_series():
    """The name of each series that there is -> the labels it has."""
    return {series: set(m.labels) for section in table().values() for m in section.values() for series in series_of(m)}


def test_alerts_and_dashboard_use_only_what_there_is():
    there = labels_of_series()
    for where, expr in expressions():
        bare = re.sub(r'"[^"]*"', '""', expr)
        used = set(re.findall(r"\b(?:ctibus|process)_[a-z_]+|\bup\b|\bALERTS\b", bare))
        assert used, where
        assert used <= set(there) | OF_PROMETHEUS, where
        allowed = TARGET_LABELS.union(*(there.get(name, set()) for name in used))
        matchers = re.findall(r"([a-z_]+)\s*(?:=~|!=|!~|=)\s*\"", bare)
        grouped = [g for by in re.findall(r"\b(?:by|on) \(([^)]*)\)", bare) for g in by.split(", ")]
        assert set(matchers) | set(grouped) <= allowed, where


def test_texts_name_only_labels_that_there_are():
    there = labels_of_series()
    for where, expr, text in ([(r["alert"], r["expr"], r["annotations"]["summary"]) for r in alerts()]
                              + [(p["title"], t["expr"], t["legendFormat"]) for p in panels() for t in p["targets"]]):
        named = set(re.findall(r"\$labels\.([a-z_]+)|\{\{([a-z_]+)\}\}", text))
        by = re.search(r"\b(?:sum|count|group) by \(([^)]*)\)", expr)
        names = re.findall(r"\b(?:ctibus|process)_[a-z_]+|\bup\b", expr)
        have = (set(by[1].split(", ")) if by else TARGET_LABELS.union(*(there.get(n, set()) for n in names)))
        assert {a or b for a, b in named} <= have, where


def test_each_panel_says_what_it_shows():
    ids = [p["id"] for p in json.loads(DASHBOARD.read_text())["panels"]]
    assert len(set(ids)) == len(ids)
    for panel in panels():
        assert panel["title"] and panel["description"] and panel["fieldConfig"]["defaults"]["unit"]


def test_each_alert_has_a_severity_a_sentence_a_test_and_a_page():
    headings = re.findall(r"^### (Ctibus\w+)$", RUNBOOK.read_text(), re.M)
    tried = {t["alertname"]: [] for block in yaml.safe_load(TESTS.read_text())["tests"] for t in block["alert_rule_test"]}
    for block in yaml.safe_load(TESTS.read_text())["tests"]:
        for t in block["alert_rule_test"]:
            tried[t["alertname"]].append(bool(t["exp_alerts"]))
    for rule in alerts():
        assert rule["labels"]["severity"] in ("critical", "warning")
        assert rule["annotations"]["summary"].endswith(".")
        assert rule["annotations"]["runbook"] == f"docs/operations.md#{rule['alert'].lower()}"
        assert set(tried[rule["alert"]]) == {True, False}, rule["alert"]
    names = [rule["alert"] for rule in alerts()]
    assert headings == names, "docs/operations.md has them in the order of alerts.yml"
    assert set(tried) == set(names)


@needs_promtool
def test_the_rules_are_good():
    assert "SUCCESS" in promtool("check", "rules", ALERTS).stdout
    assert promtool("check", "config", CONFIG).returncode == 0
    tested = promtool("test", "rules", TESTS)
    assert tested.returncode == 0, tested.stdout


def mount_of(volume):
    """What is mounted, and whether only to be read: 1.29 prints a text, v2 a map."""
    if isinstance(volume, dict):
        return volume["source"], bool(volume.get("read_only"))
    return volume.split(":")[0], volume.endswith(":ro")


@needs_compose
def test_compose_has_both_as_a_profile():
    r = subprocess.run(["docker-compose", "config"], cwd=ROOT,
                       env={**os.environ, "COMPOSE_PROFILES": "monitoring,federation,demo"}, capture_output=True, text=True,
                       timeout=60, check=False)
    assert r.returncode == 0, r.stderr
    services = yaml.safe_load(r.stdout)["services"]
    for name in ("prometheus", "grafana"):
        service = services[name]
        assert re.fullmatch(r"\w+/\w+:v?\d+\.\d+\.\d+", service["image"]), "a pinned version"
        assert "no-new-privileges:true" in service["security_opt"] and service["cap_drop"] == ["ALL"]
        assert service["read_only"] and service["profiles"] == ["monitoring"]
        for source, read_only in map(mount_of, service["volumes"]):
            ours = source.startswith(("/", "."))
            assert read_only == ours and (not ours or (ROOT / source).exists()), source
    targets = {name for job in yaml.safe_load(CONFIG.read_text())["scrape_configs"]
               for sd in job.get("dns_sd_configs", []) for name in sd["names"]}
    assert targets == {*SERVICES, "haproxy"} and targets <= set(services)


# --- a real Prometheus ---

class Prometheus:
    """One of its own, with our rules, that asks the services of a stack each second."""

    def __init__(self, stack):
        self.port = free_port()
        config = yaml.safe_load(CONFIG.read_text())
        config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
        config["rule_files"] = [str(ALERTS)]
        config["scrape_configs"] = [job for job in config["scrape_configs"] if job["job_name"] == "ctibus"]
        config["scrape_configs"][0]["file_sd_configs"][0]["files"] = [str(stack.path("hosts.yml"))]
        stack.path("prometheus.yml").write_text(yaml.safe_dump(config))
        stack.path("hosts.yml").write_text(yaml.safe_dump(
            [{"targets": [f"127.0.0.1:{stack.programs[s].http}"], "labels": {"job": f"ctibus-{s}"}} for s in SERVICES]))
        self.program = Program(["prometheus", f"--config.file={stack.path('prometheus.yml')}",
                                f"--storage.tsdb.path={stack.path('tsdb')}",
                                f"--web.listen-address=127.0.0.1:{self.port}"])

    def get(self, what, **query):
        url = f"http://127.0.0.1:{self.port}/api/v1/{what}?{urllib.parse.urlencode(query)}"
        try:
            return json.loads(urllib.request.urlopen(url, timeout=10).read())["data"]
        except urllib.error.HTTPError as e:
            if e.code == 503:  # it is starting
                return None
            raise AssertionError(f"{query}: {e.read().decode()}") from None
        except OSError:
            return None

    def query(self, expr):
        data = self.get("query", query=expr)
        return data["result"] if data else []

    def active(self):
        return {a["labels"]["alertname"] for a in self.get("alerts")["alerts"]}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.program.kill()


@needs_prometheus
def test_a_real_prometheus_reads_all_and_tells_what_is_down():
    with Stack("20/02-call-answered.ami", parts=("sim", *SERVICES)) as s:
        s.wait_ready(*SERVICES)
        with Prometheus(s) as p:
            until(lambda: len(p.query("up == 1")) == len(SERVICES), "all are read")
            until(lambda: len(p.query("ctibus_ready == 1")) == len(SERVICES), "all are ready")
            wanted = {name for service in SERVICES for name in shown(s.programs[service])}
            families = p.get("metadata")
            assert wanted <= set(families)
            for where, expr in expressions():
                data = p.get("query", query=expr.replace("$__rate_interval", "1m"))
                assert data["resultType"] == "vector", where
            until(lambda: p.query("rate(ctibus_state_events_total[10s]) > 0"), "calls are seen")
            assert not p.active() & {"CtibusDown", "CtibusNotReady", "CtibusAsteriskDown", "CtibusDatabase"}
            s.kill("sim")
            s.kill("fagi-gw")
            until(lambda: {"CtibusAsteriskDown", "CtibusDown"} <= p.active(), "the alerts are pending")
            assert "CtibusNotReady" not in p.active(), "one that is told as a link that is down"


@needs_promtool
def test_promtool_has_nothing_against_the_metrics():
    with Stack(parts=("sim", *SERVICES)) as s:
        s.wait_ready(*SERVICES)
        for service in SERVICES:
            url = f"http://127.0.0.1:{s.programs[service].http}/metrics"
            r = promtool("check", "metrics", input=urllib.request.urlopen(url, timeout=5).read().decode())
            assert r.returncode == 0, r.stdout


# --- the log, as docs/operations.md explains it ---

LITERALS = r'(?:"(?:[^"\\]|\\.)*"\s*)+'


def lines_of_the_log():
    """(where, text) of each error and warning of the sources; * stands for what is put in."""
    for path in sorted([*ROOT.glob("common/**/*.c"), *ROOT.glob("services/**/*.c")]):
        source = path.read_text(encoding="utf-8")
        for call in re.finditer(r"\blog_(?:error|warning)\(", source):
            literals = re.search(LITERALS, source[call.end():])[0]
            text = "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', literals)).replace('\\"', '"')
            where = f"{path.relative_to(ROOT)}:{source.count(chr(10), 0, call.start()) + 1}"
            yield where, re.sub(r"%[-0-9.*]*(?:ll|z|l)?[a-z]", "*", text)


def test_each_error_and_warning_is_explained():
    section = RUNBOOK.read_text(encoding="utf-8").split("\n## Lines of the log\n")[1]
    explained = re.findall(r"^\| `([^`]+)` \|", section, re.M)
    matched, missing = set(), []
    for where, text in lines_of_the_log():
        if "no memory" in text or "out of memory" in text or not re.search("[a-z]", text):
            continue  # told of together; nothing but what is put in
        fits = [e for e in explained if text.startswith(e) or (e.endswith("*") and text.startswith(e[:-1]))]
        matched.update(fits)
        missing += [] if fits else [f"{where}: {text}"]
    assert not missing
    assert set(explained) == matched, "each row is a line that there is"


def test_links_of_the_page_lead_somewhere():
    def anchors(path):
        for heading in re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.M):
            yield re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
    for target, anchor in re.findall(r"\]\(([^)#\s]*)(?:#([^)]*))?\)", RUNBOOK.read_text(encoding="utf-8")):
        path = (RUNBOOK.parent / target).resolve() if target else RUNBOOK
        assert path.exists(), target
        assert not anchor or anchor in anchors(path), f"{target}#{anchor}"
