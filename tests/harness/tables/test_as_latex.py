"""LaTeX that compiles: by rules, and with pdflatex where there is one."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liftbench.tables import to_latex
from liftbench.tables.as_latex import escape
from liftbench.tables.page import Page, PagePart, Table, TableCell

HOSTILE = '\\end{table} 50% of $x_1^2$ & {a} #1 ~ [0] *\n\n‖S‖ ± \N{MINUS SIGN} † é ß 漢 \x00 "<|>'
# All that plain text may become: a named character, an escaped one, or one that means itself.
_CHARACTER = "|".join(
    (
        r"\\[a-zA-Z]+\{\}",
        r"\\[&%$#_{}]",
        r"\$(?:\\[a-z]+|\\\||-|\^\\circ)\$",
        r"\{[\[\]*]\}",
        r"[^\\&%$#_{}~^<>|\[\]*]",
    )
)
_SAFE = re.compile(f"(?:{_CHARACTER})*")


@settings(deadline=None)
@given(st.text())
def test_any_text_is_characters_that_latex_prints(text: str) -> None:
    shown = escape(text)
    assert shown.isascii()
    assert shown.isprintable()
    assert _SAFE.fullmatch(shown)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("deep_nrsfm", r"deep\_nrsfm"),
        ("0.5 ± 0.1†", r"0.5 $\pm$ 0.1\dag{}"),
        ("\N{MINUS SIGN}0.04", "$-$0.04"),
        ("a\\b", r"a\textbackslash{}b"),
        ("‖S‖", r"$\|$S$\|$"),
        ("é", "e"),
        ("[1] *", "{[}1{]} {*}"),
        ("漢", "{[}U+6F22{]}"),
        ("a\n\nb", "a b"),
    ],
)
def test_characters_that_latex_would_misread(text: str, shown: str) -> None:
    assert escape(text) == shown


def page(text: str, rows: int = 2) -> Page:
    ranked = (TableCell("1", text, 1), TableCell("2", "", 2))
    row = (TableCell(text), *ranked, TableCell("", text), TableCell())
    table = Table(text, ("method", text, "c", "d", "e"), (row,) * rows)
    part = PagePart("protocol", text, text, (table,))
    return Page("the_suite", text, (part,), (("Notes", (text, "[first")),))


def environments(document: str) -> list[str]:
    """Return the environments in the order in which they begin; they must be nested."""
    begun, open_ = [], []
    for kind, name in re.findall(r"\\(begin|end)\{(\w+)\}", document):
        if kind == "begin":
            begun.append(name)
            open_.append(name)
        else:
            assert open_.pop() == name
    assert open_ == []
    return begun


def test_environments_and_braces_are_balanced() -> None:
    document = to_latex(page(HOSTILE))
    stacks = ["tabular"] * 2 * 2  # in each row: a number above its remark, and several lines
    assert environments(document) == ["table", "tabular", *stacks, "itemize"]
    bare = re.sub(r"\\[{}]", "", document)
    depth = 0
    for brace in re.findall(r"[{}]", bare):
        depth += 1 if brace == "{" else -1
        assert depth >= 0
    assert depth == 0


def test_every_row_has_a_field_for_each_column() -> None:
    document = to_latex(page(HOSTILE))
    (columns,) = re.findall(r"\\begin\{tabular\}\{@\{\}(l+)@\{\}\}\n", document)
    inside = document.split(r"\toprule")[1].split(r"\bottomrule")[0]
    rows = [line for line in inside.splitlines() if line.endswith(r"\\")]
    assert [len(re.findall(r"(?<!\\)&", row)) + 1 for row in rows] == [len(columns)] * 3
    for rule in (r"\toprule", r"\midrule", r"\bottomrule"):
        assert document.count(rule) == 1


def test_name_of_a_column_has_a_line_for_each_part() -> None:
    document = to_latex(page("bus, random;clean"))
    stack = r"\begin{tabular}[b]{@{}l@{}}bus, \\ random; \\ clean\end{tabular}"
    assert f"    method & {stack} & c & d & e \\\\\n" in document


def test_ranks_caption_and_label() -> None:
    document = to_latex(page("x"))
    assert r"x & \begin{tabular}[t]{@{}l@{}}\textbf{1} \\ \footnotesize x\end{tabular}" in document
    assert r"& \textit{2} & \footnotesize x &" in document
    assert r"\caption{x: x. x}" in document
    assert r"\label{tab:the-suite-1}" in document
    assert document.startswith("% \\usepackage{booktabs,graphicx}\n")


def test_long_tables_are_cut_to_pages() -> None:
    document = to_latex(page("x", rows=80))
    assert re.findall(r"part \d of \d", document) == [f"part {i} of 3" for i in (1, 2, 3)]
    assert re.findall(r"\\label\{(.*?)\}", document) == [f"tab:the-suite-{i}" for i in (1, 2, 3)]
    assert document.count(r"\textbf{1}") == 80
    assert document.count("raggedright x") == 1, "the legend stands under the first"


def test_pdflatex_compiles_it(tmp_path: Path) -> None:
    program = shutil.which("pdflatex")
    if program is None:
        pytest.skip("no pdflatex")
    (tmp_path / "page.tex").write_text(
        "\\documentclass{article}\n\\usepackage{booktabs,graphicx}\n\\begin{document}\n"
        f"{to_latex(page(HOSTILE))}\\end{{document}}\n",
        encoding="utf-8",
    )
    done = subprocess.run(
        [program, "-interaction=nonstopmode", "-halt-on-error", "page.tex"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:]
    assert (tmp_path / "page.pdf").stat().st_size > 1000
