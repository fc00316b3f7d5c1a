"""All figures of a report, as files: matplotlib writes the SVG, typst makes the rest of it.

typst brings Libertinus along, so that PDF and PNG have the typeface of the report as well, and
is several times faster than matplotlib at both.
"""

from collections.abc import Callable, Iterable
from io import BytesIO
from pathlib import Path
from typing import Literal

import typst
from matplotlib.figure import Figure

from resnet_sizes.io.errors import UserError
from resnet_sizes.io.plugins import plugins
from resnet_sizes.reporting.figures.confusion import draw_confusion
from resnet_sizes.reporting.figures.curves import draw_accuracies, draw_errors, draw_losses
from resnet_sizes.reporting.figures.forest import draw_forest
from resnet_sizes.reporting.figures.pareto import draw_pareto
from resnet_sizes.reporting.figures.style import DRAWN_WITH, FigureContext, settings
from resnet_sizes.schemas.evidence.figures import FIGURE_NAMES

FigureFormat = Literal["svg", "png", "pdf"]
FORMATS: tuple[FigureFormat, ...] = ("svg", "png", "pdf")

FIGURES: dict[str, Callable[[FigureContext], Figure]] = {
    "loss": draw_losses,
    "error": draw_errors,
    "accuracy": draw_accuracies,
    "pareto": draw_pareto,
    "confusion": draw_confusion,
    "forest": draw_forest,
}
"""How each is drawn; one that an article may name is in `FigureName` as well."""
FIGURES |= plugins("figures", FIGURES, lambda _, it: callable(it))

SVG_FONTS = (
    "'Libertinus Serif', 'Source Serif 4', Charter, 'Bitstream Charter', Georgia, "
    "'DejaVu Serif', serif"
)
"""The stack of report.css: typst takes its own Libertinus, a browser the page's typeface."""

_DOTS_PER_INCH = 200
_PAGE = b"""#set page(width: auto, height: auto, margin: 0pt, fill: white)
#set document(date: none)
#image(bytes(sys.inputs.figure))
"""


def write_figures(
    context: FigureContext, folder: Path, formats: Iterable[FigureFormat] = FORMATS
) -> list[Path]:
    """Write each figure of a report to `folder`, as `figure-<name>.<format>`.

    Equal numbers give equal bytes with the same versions of matplotlib and typst. Returns the
    paths of what was written.
    """
    written = []
    if context.own not in FIGURES:
        raise UserError(f"figure: {context.own} cannot be drawn. Mend the package that offers it.")
    for name in (context.own, *FIGURE_NAMES[1:]):
        drawn = BytesIO()
        with settings():
            FIGURES[name](context).savefig(drawn, format="svg", metadata={"Date": None})
        svg = drawn.getvalue().decode().replace(f"'{DRAWN_WITH}', serif", SVG_FONTS)
        for suffix in formats:
            written.append(folder / f"figure-{name}.{suffix}")
            written[-1].write_bytes(svg.encode() if suffix == "svg" else _converted(svg, suffix))
    return written


def _converted(svg: str, suffix: Literal["png", "pdf"]) -> bytes:
    made: bytes = typst.compile(
        _PAGE,
        sys_inputs={"figure": svg},
        format=suffix,
        ppi=_DOTS_PER_INCH,
        # The machine's own fonts would make files differ from one machine to the next.
        ignore_system_fonts=True,
    )
    return made
