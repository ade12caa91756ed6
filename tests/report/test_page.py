import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser

import numpy as np
import pytest

from latax._errors import ConfigError, FileError
from latax.evaluate import Diagnosis, rules
from latax.report.content import Figure, ReportContent, Section
from latax.report.figures import error_figure, samples_figure
from latax.report.page import render_page, write_report
from latax.report.tables import Table

NASTY = '<script>alert("1")</script> & "quotes" {{ 7 * 7 }}.csv'
PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)
DIAGNOSIS = Diagnosis((rules.unused_latents(1, 4), rules.metric_condition(float("nan"))))


class Reader(HTMLParser):
    def __init__(self, page):
        super().__init__()
        self.tags, self.attributes, self.text = [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data):
        self.text.append(data)


@pytest.fixture(scope="module")
def content():
    rng = np.random.default_rng(0)
    points = rng.normal(size=(600, 2))
    figures = (
        samples_figure(points, points + 0.1, names=(NASTY, "x $2")),
        error_figure({NASTY: np.abs(points[:, 0])}),
        error_figure({"held-out": np.abs(points[:, 1])}),
        Figure(NASTY, PNG, NASTY),
    )
    section = Section(NASTY, NASTY, DIAGNOSIS, (Table(NASTY, [NASTY, "b"], [[NASTY, 1.0]], NASTY),), figures)
    return ReportContent(
        title=NASTY,
        facts={"Data": NASTY},
        summary=f"{NASTY}\n\nSecond.",
        diagnosis=DIAGNOSIS,
        sections=(section,) * 4,
        config={"path": NASTY, "numbers": [1, 2.5], "other": object},
        commands=("# comment", f"latax fit {NASTY}"),
        bibtex="@article{a, title = {A <b>}}",
    )


@pytest.fixture(scope="module")
def page(content):
    return render_page(content)


def test_the_page_needs_no_network_and_runs_no_script(page):
    reader = Reader(page)
    assert "script" not in reader.tags
    assert "link" not in reader.tags
    for name, value in reader.attributes:
        if name in ("src", "href", "xlink:href"):
            assert value.startswith(("#", "data:image/png;base64,")), value
    assert not re.search(r"url\((?!#)|@import", page)


def test_text_of_users_is_shown_and_never_interpreted(page):
    assert "<script" not in page
    assert "{{ 7 * 7 }}" in page
    assert ">49<" not in page
    assert NASTY in " ".join(Reader(page).text)


def test_everything_is_on_the_page(page):
    text = " ".join(Reader(page).text)
    for expected in (
        "not good enough to rely on",
        "Second.",
        "unused latent directions",
        "✕ bad",
        "Use it again",
        '"numbers"',
        "@article{a, title = {A <b>}}",
        "Made by latax",
    ):
        assert expected in text
    # The verdict comes before tables, figures and the configuration.
    assert page.index("not good enough") < page.index("<svg") < page.index('id="configuration"')


def test_ids_are_unique_and_every_reference_finds_its_id(page):
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    used = re.findall(r'url\(#([^)]+)\)|href="#([^"]+)"', page)
    assert used
    assert {a or b for a, b in used} <= set(ids)


def test_figures_follow_the_theme(page):
    assert "var(--ink)" in page
    assert "#1b1e23" not in page.split("</style>")[1]


def test_tags_are_balanced(page):
    body = page[page.index("<main") : page.index("</main>") + 7]
    body = re.sub(r"(<img [^>]*[^/])>", r"\1/>", body)
    body = body.replace("<main>", '<main xmlns:xlink="http://www.w3.org/1999/xlink">')
    ET.fromstring(body)


def test_an_empty_report_is_a_page():
    page = render_page(ReportContent(title="Nothing yet"))
    assert "Nothing yet" in page
    assert "Verdict" not in page
    assert "Configuration" not in page


def test_writing_replaces_the_whole_page(tmp_path, content, page):
    path = write_report(tmp_path / "a <b>.html", ReportContent(title="first"))
    assert write_report(path, content) == path
    assert path.read_text("utf-8") == page
    assert [p.name for p in tmp_path.iterdir()] == ["a <b>.html"]


def test_a_page_that_cannot_be_written_leaves_the_old_one(tmp_path, monkeypatch):
    path = write_report(tmp_path / "report.html", ReportContent(title="first"))
    before = path.read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("latax.report.page.os.replace", full)
    with pytest.raises(FileError, match=r"cannot be written to .*report\.html: No space left on device\. Give a path"):
        write_report(path, ReportContent(title="second"))
    assert path.read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 1
    with pytest.raises(FileError, match="No such file or directory"):
        write_report(tmp_path / "missing" / "report.html", ReportContent(title="third"))


def test_pictures_of_another_kind_are_refused():
    with pytest.raises(ConfigError, match=r"figure 'A' is neither SVG nor PNG \(it begins with b'GIF89a'\)"):
        Figure("A", b"GIF89a", "")
