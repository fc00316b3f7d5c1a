"""The table of methods: what the article says, leaves open, and what was done here."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from resnet_sizes.records.errors import UserError
from resnet_sizes.records.ledger import Ledger, Stated
from resnet_sizes.records.protocol import Reading
from resnet_sizes.records.study import Study
from resnet_sizes.reporting.escaping import Safe, code
from resnet_sizes.reporting.numbers import decimal, plain
from resnet_sizes.reporting.printed import PrintedValues
from resnet_sizes.reporting.words import Words, model_name

NAMED_WEIGHTS = ("none", "V1", "V2", "default")


@dataclass(frozen=True)
class MethodRow:
    """One row: an aspect, what the article has on it, what was done."""

    aspect: Safe
    article: Safe | str
    ours: Safe


class ReadingWords:
    """The answers of a reading to what the article leaves open, in words."""

    def __init__(self, words: Words, language: str) -> None:
        self._t = words
        self._language = language

    def answers(self) -> dict[str, Callable[[Reading], Safe]]:
        """By the id of the open choice in the ledger."""
        return {
            "optimiser": self._optimiser,
            "initial-weights": self._initial_weights,
            "input-size": self._input_size,
            "stem": lambda reading: self._t(f"readings.stem.{reading.stem}"),
            "normalisation": lambda r: self._t(f"readings.normalisation.{r.normalisation}"),
            "augmentation": lambda r: self._t(f"readings.augmentation.{r.augmentation}"),
            "frozen-batch-norm": self._frozen_batch_norm,
            "weights-version": self._weights_version,
            "precision": lambda reading: self._t(f"readings.precision.{reading.precision}"),
        }

    def _initial_weights(self, reading: Reading) -> Safe:
        key = _weights_key(reading)
        weights = self._t(f"readings.weights.{key}", file=code(reading.weights))
        return Safe(f"{weights}; {self._t(f'readings.trainable.{reading.trainable}')}")

    def _weights_version(self, reading: Reading) -> Safe:
        return self._t(f"readings.weights_version.{_weights_key(reading)}")

    def _frozen_batch_norm(self, reading: Reading) -> Safe:
        key = "none" if reading.trainable == "all" else reading.frozen_batch_norm
        return self._t(f"readings.frozen_batch_norm.{key}")

    def _input_size(self, reading: Reading) -> Safe:
        size = Safe(decimal(reading.input_size, 0, self._language))
        return self._t("readings.input_size", size=size)

    def _optimiser(self, reading: Reading) -> Safe:
        momentum = Safe(plain(reading.momentum, self._language))
        parts = [self._t(f"readings.optimizer.{reading.optimizer}", momentum=momentum)]
        if reading.weight_decay:
            decay = Safe(plain(reading.weight_decay, self._language))
            parts.append(self._t("readings.weight_decay", decay=decay))
        parts.append(self._t(f"readings.schedule.{reading.schedule}"))
        return Safe(", ".join(parts))


def _weights_key(reading: Reading) -> str:
    return reading.weights if reading.weights in NAMED_WEIGHTS else "file"


def grouped_answer(
    study: Study,
    words: Words,
    answer: Callable[[Reading], Safe],
    models: Sequence[str] | None = None,
) -> Safe:
    """One answer where all runs have the same, else the answers by protocol and model.

    `models` are those of the study, unless others are given.
    """
    by_protocol = {
        name: _by_model(study, words, name, answer, models or study.models)
        for name in study.protocols
    }
    different = list(dict.fromkeys(by_protocol.values()))
    if len(different) == 1:
        return different[0]
    return Safe("; ".join(f"{code(name)}: {text}" for name, text in by_protocol.items()))


def _by_model(
    study: Study,
    words: Words,
    protocol: str,
    answer: Callable[[Reading], Safe],
    models: Sequence[str],
) -> Safe:
    named: dict[Safe, list[Safe]] = {}
    for model in models:
        text = answer(study.protocol_definitions[protocol].reading_for(model))
        named.setdefault(text, []).append(model_name(model))
    if len(named) == 1:
        return next(iter(named))
    return Safe("; ".join(f"{words.listed(names)}: {text}" for text, names in named.items()))


def method_rows(
    study: Study, ledger: Ledger, values: PrintedValues, words: Words, language: str
) -> list[MethodRow]:
    """What the article states, then what it leaves open, each with what was done here."""
    return [
        *_stated(study, ledger, values, words),
        *_stated_of_models(study, ledger, words, language),
        *_left_open(study, ledger, values, words, language),
    ]


def _stated(study: Study, ledger: Ledger, values: PrintedValues, words: Words) -> list[MethodRow]:
    def images(prefix: str) -> Safe:
        return words(
            "methods.images",
            train=values.value(f"{prefix}.train_images"),
            test=values.value(f"{prefix}.test_images"),
        )

    article_images = images("article")
    if values.has("article.images"):
        article_images = words(
            "methods.images-in-all",
            images=values.value("article.images"),
            train=values.value("article.train_images"),
            test=values.value("article.test_images"),
        )
    article_data = words(f"content-names.{ledger.setup.data}")
    our_data = words(f"content-names.{values.text('data.content')}")
    rows = [
        MethodRow(
            words("aspects.data"),
            Safe(f"{article_data}: {article_images}"),
            Safe(f"{our_data}: {images('data')}"),
        ),
        MethodRow(
            words("aspects.models"),
            words.listed([model_name(row.model) for row in ledger.table]),
            words.listed([model_name(model) for model in study.models]),
        ),
    ]
    rows += [
        MethodRow(
            words(f"aspects.{key}"), values.value(f"article.{key}"), values.value(f"study.{key}")
        )
        for key in ("batch_size", "learning_rate", "epochs")
    ]
    return rows


def _stated_of_models(study: Study, ledger: Ledger, words: Words, language: str) -> list[MethodRow]:
    """What the article says of one model's training; each says whether a reading departs."""
    weights = ReadingWords(words, language).answers()["initial-weights"]
    rows = []
    for item in ledger.stated:

        def answer(reading: Reading, item: Stated = item) -> Safe:
            key = "as-stated" if item.holds_in(reading) else "departs"
            return words(f"methods.{key}", ours=weights(reading))

        ours = words("methods.not-studied")
        if item.model in study.models:
            ours = grouped_answer(study, words, answer, [item.model])
        rows.append(
            MethodRow(
                words("aspects.stated", model=model_name(item.model)),
                words("methods.says", text=getattr(item.text, language)),
                ours,
            )
        )
    return rows


def _left_open(
    study: Study, ledger: Ledger, values: PrintedValues, words: Words, language: str
) -> list[MethodRow]:
    answers = ReadingWords(words, language).answers()
    device = values.value("hardware.device") if values.has("hardware.device") else words("missing")
    constant = {"gpu": device} | {
        key: words(f"choices.{key}") for key in ("epoch", "loss", "minutes")
    }
    rows = []
    for choice in ledger.open_choices:
        if choice.id in answers:
            ours = grouped_answer(study, words, answers[choice.id])
        elif choice.id in constant:
            ours = constant[choice.id]
        else:
            raise UserError(
                f"{study.article}: open_choices: the report has no answer to {choice.id!r}; it "
                f"knows {', '.join(sorted({*answers, *constant}))}. Use one of these ids, or add "
                "an answer in src/resnet_sizes/reporting/methods.py"
            )
        article = words("methods.open", text=getattr(choice.text, language))
        rows.append(MethodRow(words(f"aspects.{choice.id}"), article, ours))
    covered = {choice.id for choice in ledger.open_choices}
    rows += [
        MethodRow(
            words(f"aspects.{key}"),
            words("methods.silent"),
            grouped_answer(study, words, answers[key]),
        )
        for key in ("precision",)
        if key not in covered
    ]
    return rows
