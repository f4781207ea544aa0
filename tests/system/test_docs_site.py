"""`make docs`: the documents as a site. Every page of docs/ is in its navigation, and no link in it is dead."""

import html.parser
import json
import os
import posixpath
import re
import shutil
import subprocess
import urllib.parse

import pytest
import yaml

from stack import ROOT

needs_mkdocs = pytest.mark.skipif(not shutil.which("mkdocs"), reason="mkdocs is not installed: scripts/deps docs")
ELSEWHERE = ("http:", "https:", "mailto:", "data:")


def navigation():
    """The files that the navigation names, in its order."""
    # its hooks and the theme are named by words: nothing in it needs mkdocs to be read
    nav = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))["nav"]

    def files(part):
        if isinstance(part, str):
            return [part]
        return [f for one in (part.values() if isinstance(part, dict) else part) for f in files(one)]
    return files(nav)


def test_each_page_is_in_the_navigation():
    named = navigation()
    pages = {p.relative_to(ROOT).as_posix() for p in (ROOT / "docs").rglob("*.md")}
    readmes = {p.relative_to(ROOT).as_posix() for p in (ROOT / "deploy").rglob("README.md")}
    assert len(named) == len(set(named)), "each once"
    assert {"README.md", "CONTRIBUTING.md", *pages, *readmes} <= set(named)
    assert all((ROOT / page).is_file() for page in named)


class Page(html.parser.HTMLParser):
    """What a page links to, fetches and can be linked at."""

    def __init__(self, text):
        super().__init__()
        self.links, self.fetched, self.ids = [], [], set()
        self.tables, self.code, self.words = 0, [], []
        self.in_code = False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.ids.update(attrs[n] for n in ("id", "name") if attrs.get(n))
        self.tables += tag == "table"
        self.in_code = tag == "code" or self.in_code
        if tag == "a" and attrs.get("href"):
            self.links.append(attrs["href"])
        elif tag in ("img", "script") and attrs.get("src"):
            self.fetched.append(attrs["src"])
        elif tag == "link" and "stylesheet" in attrs.get("rel", ""):
            self.fetched.append(attrs["href"])

    def handle_endtag(self, tag):
        self.in_code = self.in_code and tag != "code"

    def handle_data(self, data):
        if self.in_code:
            self.code.append(data)


@pytest.fixture(name="built", scope="module")
def fixture_built(tmp_path_factory):
    """Where the site is, and what was said."""
    site = tmp_path_factory.mktemp("docs") / "site"
    done = subprocess.run(["make", "--no-print-directory", "-C", ROOT, "docs", f"DOCS={site}"], capture_output=True, text=True, timeout=120,
                          check=False, env={k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MAKELEVEL")})
    return site, done


@pytest.fixture(name="site", scope="module")
def fixture_site(built):
    """Its pages by their paths."""
    folder, done = built
    assert done.returncode == 0, done.stdout + done.stderr
    return {p.relative_to(folder).as_posix(): Page(p.read_text(encoding="utf-8")) for p in folder.rglob("*.html")}


def path_of(source):
    """Of a page in the site."""
    folder, name = posixpath.split(source)
    return posixpath.join(folder, "index.html" if name == "README.md" else name.replace(".md", ".html"))


@needs_mkdocs
def test_it_is_built_without_warnings(built):
    folder, done = built
    assert done.returncode == 0 and done.stderr == "", done.stdout + done.stderr
    assert done.stdout.splitlines()[-1].startswith(f"{folder}/index.html; ") and len(done.stdout.splitlines()) == 1
    assert all((folder / path_of(page)).is_file() for page in navigation())


@needs_mkdocs
def test_no_link_is_dead(built, site):
    folder, _ = built
    dead = []
    for path, page in site.items():
        if path == "404.html":  # whose links begin at the root of a server
            continue
        for link in [*page.links, *page.fetched]:
            if link.startswith(ELSEWHERE):
                continue
            to, _, anchor = urllib.parse.unquote(link).partition("#")
            target = posixpath.normpath(posixpath.join(posixpath.dirname(path), to.partition("?")[0])) if to else path
            if (folder / target).is_dir():
                target = posixpath.normpath(posixpath.join(target, "index.html"))
            if not (folder / target).is_file() or (anchor and target in site and anchor not in site[target].ids):
                dead.append(f"{path}: {link}")
    assert not dead, "\n".join(dead)


@needs_mkdocs
def test_nothing_is_fetched_from_elsewhere(site):
    assert not [(path, one) for path, page in site.items() for one in page.fetched if one.startswith(ELSEWHERE)]


@needs_mkdocs
def test_tables_are_tables(site):
    """As in a Git browser: each of them, and | in their code."""
    for source in navigation():
        text = re.sub(r"^```.*?^```", "", (ROOT / source).read_text(encoding="utf-8"), flags=re.M | re.S)
        page = site[path_of(source)]
        assert page.tables - site["404.html"].tables == len(re.findall(r"^\|[-:| ]+\|$", text, re.M)), source
        assert not [code for code in page.code if "\\|" in code and "\\\\|" not in code], source


FIND = """
const index = JSON.parse(require("fs").readFileSync("search_index.json")), lunr = require("./lunr.js");
const made = lunr(function () { this.field("title"); this.field("text"); this.ref("location"); index.docs.forEach(d => this.add(d)); });
console.log(JSON.stringify(process.argv.slice(1).map(words => made.search(words).map(found => found.ref.split("#")[0]))));
"""


@needs_mkdocs
@pytest.mark.skipif(not shutil.which("node"), reason="nodejs is not installed")
def test_what_the_search_finds(built, site):
    """As its script in the browser does, which reads the same two files."""
    looked_for = {"ctibus.cti.drain_seconds": "docs/keys.html", "drain_seconds": "docs/keys.html", "drain": "docs/cti-gw.html",
                  "webhooks": "docs/http-api.html", "CtibusDatabase": "docs/operations.html", "queue_log": "docs/postgresql.html",
                  "hints": "docs/asterisk.html", "MPL": "index.html"}
    said = subprocess.run(["node", "-e", FIND, *looked_for], cwd=built[0] / "search", capture_output=True, text=True, check=True,
                          timeout=60).stdout
    for (words, page), found in zip(looked_for.items(), json.loads(said)):
        assert page in found and all(path in site for path in found), (words, found)
