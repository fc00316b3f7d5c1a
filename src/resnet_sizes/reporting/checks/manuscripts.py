"""What a reader sees of the formats that an author goes on with."""

import re
from collections.abc import Callable
from pathlib import Path
from zipfile import ZipFile

from lxml import etree

from resnet_sizes.reporting.render.pandoc import LATEX_SOURCE
from resnet_sizes.schemas.study.study import ReportFormat

_UNREAD = re.compile(
    r"\\endfirsthead.*?\\endhead"  # the header that a table has again on its next page
    r"|\\begin\{longtable\}\[\]\{.*?@\{\}\}"
    r"|\\includegraphics\[.*?\]\{figure-[\w-]+\.pdf\}"
    r"|\\hyperref\[.*?\]|\\begin\{CSLReferences\}\{\d\}\{\d\}"
    r"|(?<=\})\{[^{}]*\}(?=\}\\label)"  # a heading as it is in the PDF's outline
    r"|\\(?:begin|end|label|href|citeproc|bibitem(?:\[.*?\])?)\{.*?\}",
    re.DOTALL,
)
"""What LaTeX takes from the source and prints nothing, or another thing, of."""
_COMMAND = re.compile(r"\\[A-Za-z]+ ?|\\(?=[%_&#$])|[{}]")


def _docx(file: Path) -> str:
    with ZipFile(file) as parts:
        document = etree.fromstring(parts.read("word/document.xml"))
    paragraphs = document.iterfind(".//{*}p")
    return "\n".join("".join(each.itertext("{*}t")) for each in paragraphs)


def _jats(file: Path) -> str:
    article = etree.parse(file).getroot()
    etree.strip_elements(article, "alt-text", with_tail=False)
    return " ".join(article.xpath("(.//title-group|body|back)//text()"))


def _latex(file: Path) -> str:
    """With the numbers that LaTeX gives the floats, counted by the kind that begins their names."""
    with ZipFile(file) as project:
        source = project.read(LATEX_SOURCE).decode()
    names = re.findall(r"\\caption\{.*\}\\label\{(.*?)\}", source)
    kinds = [name.partition("-")[0] for name in names]
    numbers = {name: str(kinds[: n + 1].count(kinds[n])) for n, name in enumerate(names)}
    titles = "\n".join(re.findall(r"(?m)^ *\\(?:sub)?title\{.*\}$", source))
    body = source.partition("\\begin{document}")[2]
    body = re.sub(r"\\ref\{(.*?)\}", lambda found: numbers.get(found[1], ""), body)
    return _COMMAND.sub("", _UNREAD.sub(" ", "\n".join([*numbers.values(), titles, body])))


READERS: dict[ReportFormat, Callable[[Path], str]] = {"docx": _docx, "latex": _latex, "jats": _jats}
"""The text of each manuscript as a reader sees it, but for pictures."""
