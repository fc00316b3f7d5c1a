"""The table of methods: what the article says, leaves open, and what was done here."""

from dataclasses import dataclass

from resnet_sizes.io.errors import UserError
from resnet_sizes.reporting.sections.readings import (
    Answer,
    ReadingWords,
    grouped_answer,
    of_reading,
)
from resnet_sizes.reporting.sections.run_words import RunWords
from resnet_sizes.reporting.text.escaping import Safe
from resnet_sizes.reporting.text.printed import PrintedValues, from_article
from resnet_sizes.reporting.text.words import Words, model_name
from resnet_sizes.schemas.article.article import Article, Stated
from resnet_sizes.schemas.study.protocol import TrainingRecipe
from resnet_sizes.schemas.study.study import Study


@dataclass(frozen=True)
class MethodRow:
    """One row: an aspect, what the article has on it, what was done."""

    aspect: Safe
    article: Safe | str
    ours: Safe


def method_rows(
    study: Study,
    article: Article,
    values: PrintedValues,
    readings: ReadingWords,
    words: Words,
    language: str,
) -> list[MethodRow]:
    """What the article states, then what it leaves open, each with what was done here."""
    return [
        *_stated(study, article, values, words),
        *_stated_of_models(study, article, readings, words, language),
        *_left_open(study, article, values, readings, words, language),
    ]


def _stated(study: Study, article: Article, values: PrintedValues, words: Words) -> list[MethodRow]:
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
    article_data = words(f"content-names.{article.setup.data}")
    our_data = words(f"content-names.{values.text('data.content')}")
    rows = [
        MethodRow(
            words("aspects.data"),
            Safe(f"{article_data}: {article_images}"),
            Safe(f"{our_data}: {images('data')}"),
        ),
        MethodRow(
            words("aspects.models"),
            words.listed([model_name(row.model) for row in article.table]),
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


def _stated_of_models(
    study: Study, article: Article, readings: ReadingWords, words: Words, language: str
) -> list[MethodRow]:
    """What the article says of one model's training; each says whether a reading departs."""
    weights = readings.answers()["initial-weights"]
    rows = []
    for item in article.stated:

        def answer(reading: TrainingRecipe, item: Stated = item) -> Safe:
            departs = "departs" if len(study.protocols) == 1 else "one-departs"
            key = "as-stated" if item.holds_in(reading) else departs
            return words(f"methods.{key}", ours=weights(reading))

        ours = words("methods.not-studied")
        if item.model in study.models:
            ours = grouped_answer(study, words, of_reading(study, answer), [item.model])
        rows.append(
            MethodRow(
                words("aspects.stated", model=model_name(item.model)),
                words("methods.says", text=from_article(item.id, getattr(item.text, language))),
                ours,
            )
        )
    return rows


def _left_open(
    study: Study,
    article: Article,
    values: PrintedValues,
    readings: ReadingWords,
    words: Words,
    language: str,
) -> list[MethodRow]:
    of_runs = RunWords(study, values, words)
    answers: dict[str, Answer] = of_runs.answers()
    answers |= {key: of_reading(study, answer) for key, answer in readings.answers().items()}
    device = values.value("hardware.device") if values.has("hardware.device") else words("missing")
    constant = {"gpu": device} | {key: words(f"choices.{key}") for key in ("epoch", "loss")}
    rows = []
    for choice in article.open_choices:
        if choice.id in answers:
            ours = grouped_answer(study, words, answers[choice.id])
        elif choice.id in constant:
            ours = constant[choice.id]
        else:
            raise UserError(
                f"{study.article}: open_choices: the report has no answer to {choice.id!r}; it "
                f"knows {', '.join(sorted({*answers, *constant}))}. Use one of these ids, or add "
                "an answer in src/resnet_sizes/reporting/"
            )
        stated = words("methods.open", text=from_article(choice.id, getattr(choice.text, language)))
        rows.append(MethodRow(words(f"aspects.{choice.id}"), stated, ours))
    silent = words("methods.silent")
    files = of_runs.weights_files()
    if files is not None:
        rows.append(MethodRow(words("aspects.weights-files"), silent, files))
    covered = {choice.id for choice in article.open_choices}
    rows += [
        MethodRow(words(f"aspects.{key}"), silent, grouped_answer(study, words, answers[key]))
        for key in of_runs.aspects()
        if key not in covered
    ]
    return rows
