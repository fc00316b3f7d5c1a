"""What keeps the runs of a study from being a test of a claim."""

from typing import Any

from resnet_sizes.evidence.judging.claim_test import ClaimTest
from resnet_sizes.evidence.runs.read import from_one_code
from resnet_sizes.schemas.evidence.verdicts import Reason, VerdictName


def obstacles(test: ClaimTest[Any]) -> list[tuple[VerdictName, Reason]]:
    """What keeps the runs from being a test, the weightiest first; the first gives the verdict.

    What no data could remedy stands first; what no further run could, before missing models, runs
    and seeds.
    """
    needs, setup = test.claim.needs, test.article.setup
    if needs is None:
        return []
    runs, protocol = test.sampling.runs, test.sampling.protocol
    study, info, training = runs.study, runs.info, runs.study.training
    as_printed, on_device = needs.article_setup, needs.article_device
    right_data = info.content in needs.data
    # Images that somebody left out before they made the archive are missing all the same.
    other_size = (info.train_images, info.test_images) != (setup.train_images, setup.test_images)
    right_protocol = needs.protocols == "any" or protocol in needs.protocols
    elsewhere = any(run.metrics.device.name != setup.device for run in test.finished)
    missing_models = not set(test.models) <= set(study.models)
    unfinished = bool(runs.unfinished(protocol, test.models))
    without_any = any(not test.sampling.of(model) for model in test.models)
    other_rate = training.learning_rate != setup.learning_rate
    candidates: list[tuple[bool, VerdictName, Reason]] = [
        (on_device and setup.device is None, "not-testable", "device-not-stated"),
        (study.demo, "not-comparable", "demo"),
        (not right_data, "not-comparable", "other-data"),
        (not right_protocol, "not-comparable", "other-protocol"),
        (
            as_printed and (info.is_subset or (right_data and other_size)),
            "not-comparable",
            "subset",
        ),
        (as_printed and training.epochs != setup.epochs, "not-comparable", "other-epochs"),
        (
            as_printed and training.batch_size != setup.batch_size,
            "not-comparable",
            "other-batch-size",
        ),
        (as_printed and other_rate, "not-comparable", "other-learning-rate"),
        (on_device and setup.device is not None and elsewhere, "not-comparable", "other-device"),
        (test.prints_computed_minutes, "not-comparable", "computed-minutes"),
        (test.mixes_devices, "not-comparable", "mixed-devices"),
        (not from_one_code(test.finished), "not-comparable", "mixed-code"),
        (missing_models, "not-run", "models-missing"),
        (unfinished, "not-run" if without_any else "not-enough-runs", "runs-missing"),
        (len(study.seeds_of(protocol)) < test.fewest_seeds, "not-enough-runs", "few-seeds"),
    ]
    return [(verdict, reason) for applies, verdict, reason in candidates if applies]
