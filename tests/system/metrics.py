"""The table of metrics, as docs/metrics.md has it (a unit test keeps it equal to the code), and what a process shows."""

import collections
import re
import urllib.request

from stack import ROOT

SERVICES = ("state", "ami-gw", "fagi-gw", "cti-gw", "http-gw", "federation")
EVERY = "Every service"

Metric = collections.namedtuple("Metric", "name labels kind level meaning advice")


def table():
    """Section (a service, or EVERY) -> name -> Metric."""
    text = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
    text = re.search(r"<!-- metrics begin -->\n(.*)<!-- metrics end -->", text, re.S)[1]
    sections = {}
    for line in text.splitlines():
        if line.startswith("## "):
            section = sections.setdefault(line[3:], {})
        elif line.startswith("| `"):
            name, kind, level, meaning, advice = (cell.strip() for cell in line.strip("|").split("|"))
            name, _, labels = name.strip("`").rstrip("}").partition("{")
            section[name] = Metric(name, tuple(labels.split(",")) if labels else (), kind, level, meaning, advice)
    return sections


def of_service(service):
    """What the table says that a service has."""
    sections = table()
    return {**sections[EVERY], **sections[service]}


def series_of(metric):
    """The names under which Prometheus keeps it."""
    return [metric.name + s for s in ("_bucket", "_sum", "_count")] if metric.kind == "histogram" else [metric.name]


def shown(program):
    """What a process shows: name -> (kind, help, [(labels as a dict, value)]); those of a histogram under its name."""
    text = urllib.request.urlopen(f"http://127.0.0.1:{program.http}/metrics", timeout=5).read().decode()
    found, helps, kinds = {}, {}, {}
    for line in text.splitlines():
        if line.startswith("# HELP "):
            _, _, name, helps[name] = line.split(" ", 3)
        elif line.startswith("# TYPE "):
            _, _, name, kinds[name] = line.split(" ", 3)
            found[name] = (kinds[name], helps[name], [])
        else:
            series, labels, value = re.fullmatch(r"([a-z_]+)(?:\{(.*)\})? (\S+)", line).groups()
            name = re.sub("_(bucket|sum|count)$", "", series) if series not in found else series
            labels = dict(re.findall(r'([a-z_]+)="((?:[^"\\]|\\.)*)"', labels or ""))
            found[name][2].append((labels, float(value)))
    return found
