"""A Sphinx extension: latax's docstrings are plain Markdown, and autodoc reads reStructuredText."""

import re
from collections.abc import Iterator

CODE = re.compile(r"(``?[^`]+``?)")
BULLET = re.compile(r"( *)[-*] ")
# A bar, an underscore at a word's end, and a star that opens no *emphasis*.
MARKUP = re.compile(r"\||(?<=\w)_(?!\w)|(?<![*\w])\*(?=\w)(?![^*]*\w\*(?!\w))")


def escape(text: str) -> str:
    """Text outside code, with what reStructuredText would read as markup escaped."""
    return MARKUP.sub(lambda found: "\\" + found[0], text)


def inline(line: str) -> str:
    """A line with its code in double backticks and everything else escaped."""
    parts = CODE.split(line)
    return "".join(f"``{part.strip('`')}``" if i % 2 else escape(part) for i, part in enumerate(parts))


def blocks(lines: list[str]) -> Iterator[str]:
    """The lines with fenced code indented, lists set off by blank lines, and list items continued at their text."""
    fence = bullet = None
    before = ""
    for line in lines:
        mark = line.strip()
        indent = len(line) - len(line.lstrip())
        if mark.startswith("```"):
            if fence is None:
                fence, bullet = indent, None
                yield from ("", f"{' ' * indent}.. code-block:: {mark[3:] or 'text'}", "")
            else:
                fence = None
                yield ""
        elif fence is not None:
            yield f"    {line}" if mark else ""
        elif item := BULLET.match(line):
            if bullet is None and before.strip():
                yield ""
            bullet = len(item[1])
            yield inline(line)
        elif bullet is not None and mark and indent > bullet:
            yield " " * (bullet + 2) + inline(mark)
        else:
            if mark and bullet is not None:
                if before.strip():
                    yield ""
                bullet = None
            yield inline(line)
        before = line


def process(app, what, name, obj, options, lines: list[str]) -> None:
    """The handler of autodoc's event `autodoc-process-docstring`: changes `lines` in place."""
    lines[:] = list(blocks(lines))


def setup(app):
    """Register with Sphinx."""
    app.setup_extension("sphinx.ext.autodoc")
    app.connect("autodoc-process-docstring", process)
    return {"parallel_read_safe": True}
