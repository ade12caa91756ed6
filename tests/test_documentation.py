"""The documentation says nothing that is not so: its commands and options exist, its Python parses, its links lead."""

import ast
import re
from pathlib import Path

import jax
import pytest

import latax
from latax._by_name import by_name
from latax.cli import main
from latax.data.rendered import RenderedManifold
from latax.physics import AbstractPhysics

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


def user_files() -> dict[str, str]:
    """The files of a user's own that the documentation shows in full: those that begin with their name."""
    named = (re.match(r"# (\w+)\.py\n", body) for body in blocks("python"))
    return {found[1]: found.string for found in named if found}


@pytest.mark.parametrize("name", sorted(user_files()))
def test_a_file_that_is_shown_defines_what_it_is_named_for(name, tmp_path):
    (tmp_path / f"{name}.py").write_text(user_files()[name], "utf-8")
    kinds = (AbstractPhysics, RenderedManifold)
    with jax.numpy_rank_promotion("allow"), jax.numpy_dtype_promotion("standard"):  # JAX's own, as users have them.
        found = by_name(f"{tmp_path / name}.py:{name}", kinds, "object", "that of a guide")
    assert isinstance(found, kinds)


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
