"""What keeps the runs of a study from being a test of a claim."""

from typing import Any

from resnet_sizes.evidence.judging.claim_test import ClaimTest
from resnet_sizes.evidence.runs.measurements import from_one_code
from resnet_sizes.schemas.evidence.verdicts import Reason, VerdictName


def obstacles(test: ClaimTest[Any]) -> list[tuple[VerdictName, Reason]]:
    """What keeps the runs from being a test, the weightiest first; the first gives the verdict.

    What no data could remedy stands first; what no further run could, before missing models, runs
    and seeds.
    """
    needs, stated = test.claim.needs, test.article.setup.device
    if needs is None:
        return []
    runs, protocol, setup = test.sampling.runs, test.sampling.protocol, test.article.setup
    study, info, training = runs.study, runs.info, runs.study.training
    right_data = info.content in needs.data
    # Images that somebody left out before they made the archive are missing all the same.
    other_size = (info.train_images, info.test_images) != (setup.train_images, setup.test_images)
    right_protocol = needs.protocols == "any" or protocol in needs.protocols
    candidates: list[tuple[bool, VerdictName, Reason]] = [
        (needs.article_device and stated is None, "not-testable", "device-not-stated"),
        (study.demo, "not-comparable", "demo"),
        (not right_data, "not-comparable", "other-data"),
        (not right_protocol, "not-comparable", "other-protocol"),
    ]
    if needs.article_setup:
        epochs, batch_size, learning_rate = setup.epochs, setup.batch_size, setup.learning_rate
        candidates += [
            (info.is_subset or (right_data and other_size), "not-comparable", "subset"),
            (training.epochs != epochs, "not-comparable", "other-epochs"),
            (training.batch_size != batch_size, "not-comparable", "other-batch-size"),
            (training.learning_rate != learning_rate, "not-comparable", "other-learning-rate"),
        ]
    asked = needs.article_device and stated is not None
    elsewhere = any(run.metrics.device.name != stated for run in test.finished)
    missing_models = not set(test.models) <= set(study.models)
    unfinished = runs.unfinished(protocol, test.models)
    without_any = any(not test.sampling.of(model) for model in test.models)
    candidates += [
        (asked and elsewhere, "not-comparable", "other-device"),
        (test.prints_computed_minutes, "not-comparable", "computed-minutes"),
        (test.mixes_devices, "not-comparable", "mixed-devices"),
        (not from_one_code(test.finished), "not-comparable", "mixed-code"),
        (missing_models, "not-run", "models-missing"),
        (bool(unfinished), "not-run" if without_any else "not-enough-runs", "runs-missing"),
        (len(study.seeds_of(protocol)) < test.fewest_seeds, "not-enough-runs", "few-seeds"),
    ]
    return [(verdict, reason) for applies, verdict, reason in candidates if applies]
