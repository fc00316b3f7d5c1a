"""Verdicts in words: rows of tables, findings of the discussion, the tally, conclusions."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import get_args

from resnet_sizes.records.statements import (
    Cell,
    Conjunction,
    Extreme,
    Increment,
    Ordering,
    Statement,
)
from resnet_sizes.records.verdicts import Reason, Verdict, VerdictName
from resnet_sizes.reporting.escaping import Safe, code, escape_markdown
from resnet_sizes.reporting.printed import PrintedValues
from resnet_sizes.reporting.words import Words, model_name

UNDECIDED: tuple[VerdictName, ...] = ("not-comparable", "not-enough-runs")
"""Verdicts that say nothing of the article."""

NAMED_AT_MOST = 4
"""So many statements of one finding are described; of more only the ids are given."""


@dataclass(frozen=True)
class Judged:
    """A statement with the verdict on it from one protocol."""

    statement: Statement
    verdict: Verdict
    computed: tuple[str, ...] = ()
    """The models whose minutes led to the verdict and are computed, not measured."""
    all_computed: bool = False
    """Whether there are minutes, and none of them is measured."""


@dataclass(frozen=True)
class StatementRow:
    """One row of the table of verdicts."""

    id: str
    text: Safe
    verdict: Safe
    reason: Safe


@dataclass(frozen=True)
class Conclusion:
    """What the article concludes, and what the data say of it."""

    id: str
    text: Safe
    finding: Safe
    verdict: VerdictName


class Judgements:
    """The verdicts from one protocol, in one language."""

    def __init__(self, judged: Sequence[Judged], words: Words, language: str) -> None:
        self._judged = judged
        self._t = words
        self._language = language

    def rows(self) -> list[StatementRow]:
        """The statements of the text; the cells of the table have their own.

        Reasons that hold for all of them stand once, in `shared`, and not in each row.
        """
        left_out = self._shared_reasons()
        return [self.row(item, left_out) for item in self._of_the_text()]

    def shared(self) -> Safe | None:
        """The reasons that keep every statement of the text from being judged, if any do."""
        reasons = [self._t(f"reasons.{reason}") for reason in self._shared_reasons()]
        return self._t.listed(reasons) if reasons else None

    def _of_the_text(self) -> list[Judged]:
        return [item for item in self._judged if not isinstance(item.statement, Cell)]

    def _shared_reasons(self) -> list[Reason]:
        verdicts = [item.verdict for item in self._of_the_text()]
        if len(verdicts) < 2 or any(verdict.verdict not in UNDECIDED for verdict in verdicts):
            return []
        return [
            reason
            for reason in verdicts[0].reasons
            if all(reason in verdict.reasons for verdict in verdicts)
        ]

    def conclusions(self) -> list[Conclusion]:
        """What the article concludes; each finding is a clause without a full stop."""
        return [
            Conclusion(
                id=item.statement.id,
                text=self.row(item).text,
                finding=Safe(
                    f"{self._t(self._by_reason('conclusions', item.verdict))}: {self._reason(item)}"
                ),
                verdict=item.verdict.verdict,
            )
            for item in self._judged
            if item.statement.place == "conclusions"
        ]

    def row(self, item: Judged, left_out: Collection[Reason] = ()) -> StatementRow:
        """One statement; reasons that are `left_out` stand elsewhere."""
        verdict = item.verdict
        return StatementRow(
            id=item.statement.id,
            text=escape_markdown(getattr(item.statement.text, self._language)),
            verdict=self._t(f"verdicts.{verdict.verdict}"),
            reason=self._reason(item, left_out),
        )

    def _reason(self, item: Judged, left_out: Collection[Reason] = ()) -> Safe:
        verdict = item.verdict
        clauses = [
            self._t(f"reasons.{reason}") for reason in verdict.reasons if reason not in left_out
        ]
        if verdict.verdict in UNDECIDED and verdict.observed is not None:
            clauses.append(self._t(f"observed.{str(verdict.observed).lower()}"))
        if item.computed:
            key = "computed.all" if item.all_computed else "computed.some"
            models = self._t.listed([model_name(model) for model in item.computed])
            clauses.append(self._t(key, models=models))
        return Safe("; ".join(clauses)) if clauses else self._t("none")

    def _by_reason(self, table: str, verdict: Verdict) -> str:
        """The key of a text on a verdict: more runs are no remedy for every `not-enough-runs`."""
        own = f"undecided-{table}.{verdict.reasons[0]}"
        if verdict.verdict == "not-enough-runs" and self._t.has_any(own):
            return own
        return f"{table}.{verdict.verdict}"

    def subject(self, statement: Statement) -> Safe:
        """What a statement is about, in a few words, by its rule."""
        fillings: dict[str, Safe] = {}
        if isinstance(statement, Ordering | Extreme | Increment):
            fillings["quantity"] = self._t(f"quantities.{statement.quantity}")
        if isinstance(statement, Extreme):
            fillings["extreme"] = self._t(f"extremes.{statement.extreme}")
        if isinstance(statement, Increment):
            fillings |= {"model": model_name(statement.model), "base": model_name(statement.base)}
        if isinstance(statement, Cell):
            fillings["column"] = self._t(f"cells.{statement.column}")
            fillings["model"] = model_name(statement.model)
        if isinstance(statement, Conjunction):
            fillings["model"] = model_name(statement.parts[0].model)
        return self._t(f"subjects.{statement.rule}", **fillings)

    def findings(self, with_cells: bool = True) -> list[Safe]:
        """One sentence for all statements with the same verdict for the same first reason, then
        one that names those with computed minutes.

        `with_cells` is for the reading whose cells of the article's table are printed.
        """
        groups: dict[tuple[VerdictName, str], list[Judged]] = {}
        told = self._judged if with_cells else self._of_the_text()
        for item in told:
            groups.setdefault((item.verdict.verdict, item.verdict.reasons[0]), []).append(item)
        order = get_args(VerdictName)
        ranked = sorted(groups.items(), key=lambda group: order.index(group[0][0]))
        found = [self._finding(items) for _, items in ranked]
        ids = [item.statement.id for item in told if item.computed]
        if ids:
            found.append(self._t.counted("computed.finding", len(ids), items=self._t.listed(ids)))
        return found

    def _finding(self, items: list[Judged]) -> Safe:
        """Of items that share verdict and first reason."""
        verdict = items[0].verdict
        if len(items) > NAMED_AT_MOST:
            named = [Safe(item.statement.id) for item in items]
        else:
            named = [
                Safe(f"{item.statement.id} ({self.subject(item.statement)})") for item in items
            ]
        key = self._by_reason("findings", verdict)
        beginning = self._t.counted(key, len(items), items=self._t.listed(named))
        return Safe(f"{beginning}: {self._t(f'reasons.{verdict.reasons[0]}')}.")


def conclusions(by_protocol: dict[str, Judgements], words: Words) -> list[Conclusion]:
    """One finding where the readings say the same, else the finding of each."""
    found = []
    for rows in zip(*(item.conclusions() for item in by_protocol.values()), strict=True):
        finding = Safe(f"{rows[0].finding}.")
        verdicts = {row.verdict for row in rows}
        by_finding: dict[Safe, list[Safe]] = {}
        for name, row in zip(by_protocol, rows, strict=True):
            by_finding.setdefault(row.finding, []).append(code(name))
        if len(by_finding) > 1:
            parts = [
                words("depends.one", protocol=words.listed(names), finding=text)
                for text, names in by_finding.items()
            ]
            answered = {"supported", "contradicted"} <= verdicts
            form = "same" if len(verdicts) == 1 else "all" if answered else "partly"
            finding = words(f"depends.{form}", items=Safe(" ".join(parts)))
        elif len(rows) > 1:
            finding = words("depends.agreed", finding=rows[0].finding)
        found.append(Conclusion(rows[0].id, rows[0].text, finding, rows[0].verdict))
    return found


def tally(values: PrintedValues, words: Words) -> Safe:
    """How often each verdict was given, zeros only for the two that speak on the article."""
    parts = []
    for verdict in get_args(VerdictName):
        key = f"verdict.{verdict}.count"
        count = int(values.number(key))
        if verdict == "true-by-construction":
            continue
        if count or verdict in ("supported", "contradicted"):
            parts.append(words.counted(f"tally.{verdict}", count, number=values.value(key)))
    return words.listed(parts)


def construction_count(values: PrintedValues, words: Words) -> Safe | None:
    """The sentence on what is true by construction, if anything is."""
    key = "verdict.true-by-construction.count"
    count = int(values.number(key))
    if not count:
        return None
    return words.counted("tally.true-by-construction", count, number=values.value(key))


def nothing_tested(judged: Sequence[Judged]) -> bool:
    """Whether no statement that needs data could be tested."""
    return not any(
        item.verdict.verdict in ("supported", "contradicted")
        and item.verdict.reasons[0] != "construction"
        for item in judged
    )
