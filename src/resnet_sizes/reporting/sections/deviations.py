"""Where a reading does otherwise than the article says, in words."""

from dataclasses import dataclass

from resnet_sizes.reporting.sections.readings import ReadingWords
from resnet_sizes.reporting.text.escaping import Safe, code
from resnet_sizes.reporting.text.printed import from_article
from resnet_sizes.reporting.text.words import Words, model_name
from resnet_sizes.schemas.article.article import Article
from resnet_sizes.schemas.study.study import Study


@dataclass(frozen=True)
class Departure:
    """One thing that the article says and the study does otherwise: two whole sentences."""

    summary: Safe
    conclusion: Safe


def departures(
    study: Study, article: Article, readings_in_words: ReadingWords, words: Words, language: str
) -> list[Departure]:
    """What the article says of a model of the study and a protocol does otherwise."""
    weights = readings_in_words.answers()["initial-weights"]
    found = []
    for item in article.stated:
        readings = {
            name: study.protocol_definitions[name].recipe_for(item.model)
            for name in study.protocols
        }
        ours = {
            code(name): weights(reading)
            for name, reading in readings.items()
            if item.model in study.models and not item.holds_in(reading)
        }
        if not ours:
            continue
        form = "sole" if len(readings) == 1 else "one" if len(ours) == 1 else "other"
        items = [words("departures.item", name=name, ours=text) for name, text in ours.items()]
        found.append(
            Departure(
                summary=words(
                    f"departures.summary.{form}",
                    text=from_article(item.id, getattr(item.text, language)),
                    ours=next(iter(ours.values())),
                    items=words.listed(items),
                ),
                conclusion=words(
                    f"departures.conclusion.{form}",
                    model=model_name(item.model),
                    names=words.listed(ours),
                ),
            )
        )
    return found
