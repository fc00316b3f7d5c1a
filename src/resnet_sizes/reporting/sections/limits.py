"""What the results of a study cannot say, by rule."""

from resnet_sizes.reporting.text.escaping import Safe
from resnet_sizes.reporting.text.printed import PrintedValues
from resnet_sizes.reporting.text.words import Words
from resnet_sizes.schemas.evidence.verdicts import Verdicts
from resnet_sizes.schemas.study.study import Study

FEW_SEEDS = 3
"""With fewer, nothing is known of the spread between seeds that one would rely on."""


def limits(study: Study, verdicts: Verdicts, values: PrintedValues, words: Words) -> list[Safe]:
    """One sentence a limit that this study has, the weightiest first."""
    content = values.text("data.content")
    subset = any(
        values.number(f"data.{part}_images") < values.number(f"data.full_{part}_images")
        for part in ("train", "test")
    )
    differs = [
        words(f"limits.setup-items.{key}")
        for key in ("epochs", "batch_size", "learning_rate")
        if values.number(f"study.{key}") != values.number(f"article.{key}")
    ]
    setup = words.counted("limits.setup", len(differs), items=words.listed(differs))
    computed = any(
        values.is_computed_time(key)
        for name in study.protocols
        for model in study.models
        if values.has(key := f"{name}.{model}.minutes.mean")
    )
    shared = any(
        values.has(f"{name}.{model}.shared_runs")
        for name in study.protocols
        for model in study.models
    )
    each = "one-each" if len(study.protocols) > 1 else "one"
    seeds = each if len(study.seeds) == 1 else "few"
    found = [
        (study.demo, words("limits.demo")),
        (content != "cifar10" and not study.demo, words("limits.data")),
        (subset, words("limits.subset")),
        (bool(differs), setup),
        (len(study.seeds) < FEW_SEEDS, words(f"limits.seeds.{seeds}")),
        (any(run.state != "finished" for run in verdicts.runs), words("limits.unfinished")),
        (True, words.counted("limits.readings", len(study.protocols))),
        (True, words("limits.test-images")),
        (True, words("limits.minutes.computed" if computed else "limits.minutes.measured")),
        (shared, words("limits.shared-device")),
    ]
    return [sentence for applies, sentence in found if applies]
