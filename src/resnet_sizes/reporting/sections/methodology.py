"""The methods: what readings answer, and how claims are judged.

The words of the answers are in `report/shared/recipes.j2`.
"""

from collections.abc import Callable, Hashable, Sequence
from itertools import product, starmap

from resnet_sizes.reporting.text.context import ReportContext
from resnet_sizes.reporting.text.escaping import Safe, code
from resnet_sizes.reporting.text.printed import from_article, plain
from resnet_sizes.schemas.study.protocol import display_name


def grouped(
    report: ReportContext, answer: Callable[..., str], models: Sequence[str], *rest: object
) -> Safe:
    """One answer where it is the same for all readings and models, else each answer after those
    that give it. Answers are made from a reading, a model and the `rest`.

    Readings are named only where there are several, networks only where they differ within
    a reading.
    """
    # By answer: for each group of networks (None: all of them) the readings that give it.
    # Equal answers may print values of several readings; the first one's stands for all.
    firsts: dict[str, str] = {}
    found: dict[str, dict[Safe | None, list[Safe]]] = {}
    for protocol in report.protocols:
        by_text: dict[str, list[str]] = {}
        for model in models:
            text = answer(protocol, model, *rest)
            text = firsts.setdefault(plain(text), text)
            by_text.setdefault(text, []).append(display_name(model))
        for text, names in by_text.items():
            group = report.words.listed(names) if len(by_text) > 1 else None
            found.setdefault(text, {}).setdefault(group, []).append(code(protocol))

    def label(models: Safe | None, protocols: list[Safe]) -> str:
        if len(report.protocols) == 1:
            return str(models)
        return f"{report.words.listed(protocols)}{f' ({models})' if models else ''}"

    if len(found) == 1:
        return Safe(next(iter(found)))
    labels = {text: ", ".join(starmap(label, groups.items())) for text, groups in found.items()}
    return Safe("; ".join(f"{labels[text]}: {text}" for text in found))


def weights_files(report: ReportContext, answer: Callable[[str, str], str]) -> Safe:
    """The answers on files of initial weights, by network where each has one, else by reading too;
    empty where no finished run had any."""
    by_model: dict[str, dict[str, str]] = {}
    for protocol, model in product(report.protocols, report.study.models):
        if file := answer(protocol, model):
            by_model.setdefault(model, {}).setdefault(plain(file), file)
    if any(len(files) > 1 for files in by_model.values()):
        none = report.words("none")
        return grouped(report, lambda *run: answer(*run) or none, report.study.models)
    items = [f"{display_name(m)}: {file}" for m in by_model for file in by_model[m].values()]
    return Safe("; ".join(items))


def criteria(report: ReportContext) -> list[tuple[list[str], Safe]]:
    """The criteria of the article file, each once, to stand after a colon, with the claims that
    they judge."""
    by_text: dict[str, list[str]] = {}
    for claim in report.article.claims:
        if claim.criterion is not None:
            by_text.setdefault(report.in_language(claim.criterion), []).append(claim.id)
    return [(ids, from_article(ids[0], _uncapitalised(text))) for text, ids in by_text.items()]


def _uncapitalised(text: str) -> str:
    """The text with a small first letter, unless its first word is a name such as ResNet-50."""
    first = text.split(maxsplit=1)[0]
    ordinary = first[1:] == first[1:].lower() and not any(c.isdigit() for c in first)
    return text[0].lower() + text[1:] if ordinary else text


def same_tests(report: ReportContext) -> Safe:
    """The sentence that names claims with the same rule and parameters; empty without any."""
    groups: dict[Hashable, list[str]] = {}
    for claim in report.article.claims:
        groups.setdefault(claim.deciding_numbers(report.article.base_model), []).append(claim.id)
    shared = [report.words.listed(ids) for ids in groups.values() if len(ids) > 1]
    if not shared:
        return Safe()
    listed = report.words("same-test.separator").join(shared)
    return report.words("same-test.groups", groups=listed)
