"""The documentation says nothing that is not so: its commands and options exist, its Python parses, its links lead."""

import ast
import re
from pathlib import Path

import pytest

import latax
from latax.cli import main

PROJECT = Path(__file__).parent.parent
PAGES = [PROJECT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")] + [
    page for page in sorted(PROJECT.glob("docs/**/*.md")) if "_build" not in page.parts
]
FENCE = re.compile(r"```(\w+)\n(.*?)```", re.DOTALL)
NESTED = ("fit", "data")


def blocks(language: str) -> list[str]:
    """All fenced blocks in this language."""
    return [body for page in PAGES for found, body in FENCE.findall(page.read_text("utf-8")) if found == language]


def documented_options() -> dict[tuple[str, ...], set[str]]:
    """The options that the documentation gives to each command."""
    options: dict[tuple[str, ...], set[str]] = {}
    for line in "\n".join(blocks("bash")).splitlines():
        words = line.partition("#")[0].split()
        if words[:1] == ["latax"]:
            command = tuple(words[1:3] if words[1] in NESTED else words[1:2])
            options.setdefault(command, set()).update(word for word in words if word.startswith("--"))
    return options


def missing_options(command: tuple[str, ...], options: set[str], capsys: pytest.CaptureFixture[str]) -> set[str]:
    """Those options that the command's help does not list; all of them if there is no such command."""
    status, shown = main([*command, "--help"]), capsys.readouterr().out
    if status != 0 or not shown.startswith(f"usage: latax {' '.join(command)} "):
        return {"the command itself"} | options
    return options - set(re.findall(r"--[a-z-]+", shown))


@pytest.mark.parametrize("command", sorted(documented_options()), ids=" ".join)
def test_commands_and_their_options_exist(command, capsys):
    assert missing_options(command, documented_options()[command], capsys) == set()


def test_a_wrong_option_or_command_would_be_found(capsys):
    assert missing_options(("encode",), {"--out", "--output"}, capsys) == {"--output"}
    assert missing_options(("encrypt",), set(), capsys) == {"the command itself"}


def test_python_examples_parse_and_use_public_names():
    for body in blocks("python"):
        used = {
            node.attr
            for node in ast.walk(ast.parse(body))
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "latax"
        }
        assert used <= set(latax.__all__), body


def test_links_lead_to_files():
    links = [
        (page, link)
        for page in PAGES
        for link in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text("utf-8"))
        if not link.startswith("http")
    ]
    assert len(links) > 5
    assert [(page.name, link) for page, link in links if not (page.parent / link).exists()] == []


def test_changelog_and_citation_are_of_this_version():
    assert f"\nversion: {latax.__version__}\n" in (PROJECT / "CITATION.cff").read_text("utf-8")
    assert f'\nversion = "{latax.__version__}"\n' in (PROJECT / "pyproject.toml").read_text("utf-8")
    assert "## [Unreleased]" in (PROJECT / "CHANGELOG.md").read_text("utf-8")


def test_the_citation_names_the_papers_of_the_methods():
    table = (PROJECT / "README.md").read_text("utf-8").split("## Methods")[1].split("\n## ")[0]
    here = [line for line in table.splitlines() if line.rstrip().endswith("| here |")]
    papers = set(re.findall(r"https://arxiv\.org/abs/[\d.]+", "\n".join(here)))
    assert len(papers) == 7
    references = re.findall(r'^    url: "(.*)"$', (PROJECT / "CITATION.cff").read_text("utf-8"), re.MULTILINE)
    assert sorted(references) == sorted(papers)
