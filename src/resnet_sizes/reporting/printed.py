"""Values as text, by key: the one way by which a result reaches the page."""

from resnet_sizes.records.errors import UserError
from resnet_sizes.records.numbers import date_and_time, decimal, exact, show
from resnet_sizes.records.values import Value, Values
from resnet_sizes.reporting.escaping import Safe, escape_markdown


class PrintedValues:
    """The values of `values.json` in the report's language."""

    def __init__(self, values: Values, language: str) -> None:
        self._values = values.values
        self._study = values.study
        self._language = language

    def has(self, *keys: str) -> bool:
        """Whether all of these values exist."""
        return all(key in self._values for key in keys)

    def value(self, key: str, digits: int | None = None) -> Safe:
        """A value as its kind is printed. Raises UserError for an unknown key."""
        found = self._get(key)
        text = show(found.value, found.kind, self._language, digits)
        return escape_markdown(text) if found.kind == "text" else Safe(text)

    def size(self, key: str, digits: int) -> Safe:
        """A value without its sign, for a sentence that says the direction in words."""
        found = self._get(key)
        return Safe(show(abs(exact(found.value)), found.kind, self._language, digits))

    def points(self, key: str) -> Safe:
        """A fraction in percentage points, without a sign of unit: 0.0042 as `0,42`."""
        return Safe(decimal(exact(self._get(key).value) * 100, 2, self._language))

    def time(self, key: str) -> Safe:
        """A moment with its time of day."""
        return Safe(date_and_time(str(self._get(key).value), self._language))

    def text(self, key: str) -> str:
        """A text as it is in the file, not yet escaped."""
        return str(self._get(key).value)

    def is_computed_time(self, key: str) -> bool:
        """Whether a training time is what runs with a feature cache would have taken without."""
        fields = {source.field for source in self._get(key).sources}
        return "equivalent_training_seconds" in fields

    def number(self, key: str) -> float:
        """A number to compare with, not to print."""
        return float(self._get(key).value)

    def below(self, prefix: str) -> dict[str, str]:
        """The texts of all values whose key starts with `prefix`, by the rest of the key."""
        return {
            key.removeprefix(prefix): str(value.value)
            for key, value in self._values.items()
            if key.startswith(prefix)
        }

    def _get(self, key: str) -> Value:
        try:
            return self._values[key]
        except KeyError:
            raise UserError(
                f"values.json of study {self._study!r} has no value {key!r}, which the report "
                "prints. Make the evidence anew with: resnet-sizes evidence "
                f"results/{self._study}/study.json"
            ) from None
