"""What results there are, by reading; sentences and tables on them are in `report/shared/`."""

from collections.abc import Sequence

from resnet_sizes.reporting.text.context import ReportContext
from resnet_sizes.reporting.text.escaping import Safe
from resnet_sizes.reporting.text.printed import named
from resnet_sizes.schemas.evidence.values import seed_keys


class Results:
    """Which results of one protocol there are, and what kind of times."""

    def __init__(self, report: ReportContext, protocol: str) -> None:
        self._report = report
        self._values = report.values
        self.protocol = protocol

    @property
    def name(self) -> Safe:
        """The protocol's name, as the prose prints it."""
        return named(self.protocol, "reading")

    @property
    def description(self) -> Safe:
        """What the configuration says of the protocol."""
        key = f"study.protocol.{self.protocol}.description.{self._report.language}"
        return self._values.value(key)

    @property
    def planned(self) -> str:
        """The key of how many runs of each model are planned."""
        return seed_keys(self._report.study, self.protocol)[0]

    @property
    def finished(self) -> list[str]:
        """The models that have results, from shallow to deep."""
        return [m for m in self._report.models if self._values.has(self._key(m, "accuracy.mean"))]

    def are_computed(self, *models: str) -> bool:
        """Whether the times of any of these models are computed."""
        return any(self._values.is_computed_time(self._key(m, "minutes.mean")) for m in models)

    @property
    def has_computed(self) -> bool:
        """Whether the times of any model are computed."""
        return self.are_computed(*self._report.models)

    @property
    def shared_runs(self) -> float:
        """How many runs shared their device."""
        keys = (self._key(model, "shared_runs") for model in self._report.models)
        return sum(self._values.number(key) for key in keys if self._values.has(key))

    def _key(self, model: str, quantity: str) -> str:
        return f"{self.protocol}.{model}.{quantity}"


def times_tables(report: ReportContext, results: Sequence[Results]) -> Safe:
    """`a @tbl-tempos traz`, of each reading that has computed times; empty without any."""
    tables = []
    for position, own in enumerate(results, start=1):
        if own.has_computed:
            table = Safe("@tbl-tempos" if position == 1 else f"@tbl-tempos-{position}")
            tables.append(report.words("times-tables.item", table=table))
    return report.words.about("times-tables", tables, "tables")
