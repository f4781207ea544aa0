"""What mkdocs.yml needs so that the site shows the pages as a Git browser does: at the paths of the repository, with the
links, headings and tables of GitHub's Markdown. Hooks of mkdocs, which calls them by their names."""

import json
import pathlib
import re

from mkdocs.structure.files import File

ROOT = pathlib.Path(__file__).resolve().parent.parent
ROW = re.compile(r"^\|.*\|$")


class Slugs:
    """Names of headings to link to, as GitHub makes them; those of one page."""

    def __init__(self):
        self.seen = {}

    def reset(self):
        self.seen.clear()

    def __call__(self, text, separator):
        slug = re.sub(r"[^\w\- ]", "", text.strip().lower()).replace(" ", separator)
        n = self.seen[slug] = self.seen.get(slug, -1) + 1
        return f"{slug}{separator}{n}" if n else slug


slugs = Slugs()


def pages(nav):
    """The files that the navigation names."""
    if isinstance(nav, str):
        return [nav]
    return [page for part in (nav.values() if isinstance(nav, dict) else nav) for page in pages(part)]


def on_config(config):
    config["mdx_configs"].setdefault("toc", {})["slugify"] = slugs
    return config


def on_files(files, config):
    """All of docs/ and the pages beside it, whose relative links then lead to each other as they are."""
    for file in [f for f in files if pathlib.Path(config["docs_dir"]) in pathlib.Path(f.abs_src_path).parents]:
        files.remove(file)
    docs = [path.relative_to(ROOT).as_posix() for path in sorted((ROOT / "docs").rglob("*"))
            if path.is_file() and "__pycache__" not in path.parts]
    for path in dict.fromkeys([*docs, *pages(config["nav"])]):
        files.append(File(path, str(ROOT), config["site_dir"], config["use_directory_urls"]))
    return files


def on_page_markdown(markdown, **_):
    """What GitHub reads and Python-Markdown does not: a table directly below other lines, and \\| for | in code of a table."""
    slugs.reset()
    lines = []
    in_code = False
    for line in markdown.splitlines():
        in_code ^= line.startswith("```")
        if ROW.match(line) and not in_code:
            if lines and lines[-1].strip() and not ROW.match(lines[-1]):
                lines.append("")
            line = re.sub(r"`[^`]+`", lambda code: code[0].replace("\\|", "|"), line)
        lines.append(line)
    return "\n".join(lines)


def on_post_build(config):
    """The search knows whole words only: parts of a key, a topic or the name of a file are added behind the text of a page, of
    which results show the beginning."""
    path = pathlib.Path(config["site_dir"]) / "search" / "search_index.json"
    index = json.loads(path.read_text(encoding="utf-8"))
    for entry in index["docs"]:
        names = set(re.findall(r"\w+(?:[./:]\w+)+|\w+_\w+", entry["text"]))
        parts = {part for name in names for word in re.split("[./:]", name) for part in (word, *word.split("_"))}
        entry["text"] = " ".join([entry["text"], *sorted(parts - names)])
    path.write_text(json.dumps(index, ensure_ascii=False), encoding="utf-8")
