"""Where a reading does otherwise than the article says, in words."""

from dataclasses import dataclass

from resnet_sizes.records.ledger import Ledger
from resnet_sizes.records.study import Study
from resnet_sizes.reporting.escaping import Safe, code
from resnet_sizes.reporting.printed import from_ledger
from resnet_sizes.reporting.readings import ReadingWords
from resnet_sizes.reporting.words import Words, model_name


@dataclass(frozen=True)
class Departure:
    """One thing that the article says and the study does otherwise: two whole sentences."""

    summary: Safe
    conclusion: Safe


def departures(
    study: Study, ledger: Ledger, readings_in_words: ReadingWords, words: Words, language: str
) -> list[Departure]:
    """What the article says of a model of the study and a protocol does otherwise."""
    weights = readings_in_words.answers()["initial-weights"]
    found = []
    for item in ledger.stated:
        readings = {
            name: study.protocol_definitions[name].reading_for(item.model)
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
                    text=from_ledger(item.id, getattr(item.text, language)),
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
