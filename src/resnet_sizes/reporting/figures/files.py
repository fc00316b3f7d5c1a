"""A figure as a file: matplotlib writes the SVG, typst makes the other formats of it.

typst brings Libertinus along, so that PDF and PNG have the typeface of the report as well, and
is several times faster than matplotlib at both.
"""

import tempfile
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Literal

import typst
from matplotlib.figure import Figure

from resnet_sizes.io.files import write_atomically
from resnet_sizes.reporting.figures.style import DRAWN_WITH

Format = Literal["svg", "png", "pdf"]
FORMATS: tuple[Format, ...] = ("svg", "png", "pdf")

SVG_FONTS = (
    "'Libertinus Serif', 'Source Serif 4', Charter, 'Bitstream Charter', Georgia, "
    "'DejaVu Serif', serif"
)
"""The stack of report.css: typst takes its own Libertinus, a browser the page's typeface."""

_DOTS_PER_INCH = 200
_PAGE = """#set page(width: auto, height: auto, margin: 0pt, fill: white)
#set document(date: none)
#image("figure.svg")
"""


def write_figure(figure: Figure, stem: Path, formats: Sequence[Format]) -> list[Path]:
    """Write `<stem>.<format>` for each format (svg, png or pdf), each atomically.

    Equal figures give equal bytes with the same versions of matplotlib and typst. Returns the
    paths of what was written.
    """
    svg, written = _svg(figure), []
    for suffix in formats:
        content = svg if suffix == "svg" else _converted(svg, suffix)
        written.append(stem.with_name(f"{stem.name}.{suffix}"))
        _write(written[-1], content)
    return written


def _write(path: Path, content: bytes) -> None:
    write_atomically(path, lambda target: target.write_bytes(content))


def _svg(figure: Figure) -> bytes:
    written = BytesIO()
    figure.savefig(written, format="svg", metadata={"Date": None})
    return written.getvalue().replace(f"'{DRAWN_WITH}', serif".encode(), SVG_FONTS.encode())


def _converted(svg: bytes, suffix: Literal["png", "pdf"]) -> bytes:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "figure.svg").write_bytes(svg)
        (folder / "page.typ").write_text(_PAGE, encoding="utf-8")
        made: bytes = typst.compile(
            str(folder / "page.typ"),
            root=str(folder),
            format=suffix,
            ppi=_DOTS_PER_INCH,
            # The machine's own fonts would make files differ from one machine to the next.
            ignore_system_fonts=True,
        )
    return made
