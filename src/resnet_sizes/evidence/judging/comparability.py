"""What keeps the runs of a study from being a test of a claim."""

from typing import Any

from resnet_sizes.evidence.judging.claim_test import ClaimTest
from resnet_sizes.evidence.runs.read import from_one_code
from resnet_sizes.schemas.evidence.verdicts import Reason, VerdictName


def obstacles(test: ClaimTest[Any]) -> list[tuple[VerdictName, Reason]]:
    """What keeps the runs from being a test, the weightiest first, which gives the verdict: what no
    data could remedy, then what no further run could, then missing models, runs and seeds."""
    needs, setup = test.claim.needs, test.article.setup
    if needs is None:
        return []
    runs, protocol = test.sampling.runs, test.sampling.protocol
    study, info, training = runs.study, runs.info, runs.study.training
    own_setup, on_device = needs.article_setup, needs.article_device
    right_data = info.content in needs.data
    # Images that somebody left out before they made the archive are missing all the same.
    other_size = (info.train_images, info.test_images) != (setup.train_images, setup.test_images)
    elsewhere = any(run.metrics.device.name != setup.device for run in test.finished)
    without_any = any(not test.sampling.of(model) for model in test.models)
    found: dict[Reason, bool] = {
        "device-not-stated": on_device and setup.device is None,
        "demo": study.demo,
        "other-data": not right_data,
        "other-protocol": needs.protocols != "any" and protocol not in needs.protocols,
        "subset": own_setup and (info.is_subset or (right_data and other_size)),
        "other-epochs": own_setup and setup.epochs not in (None, training.epochs),
        "other-iterations": own_setup and setup.iterations not in (None, training.iterations),
        "other-batch-size": own_setup and setup.batch_size not in (None, training.batch_size),
        "other-learning-rate": own_setup
        and setup.learning_rate not in (None, training.learning_rate),
        "other-device": on_device and setup.device is not None and elsewhere,
        "computed-minutes": test.prints_computed_minutes,
        "mixed-devices": test.mixes_devices,
        "mixed-code": not from_one_code(test.finished),
        "models-missing": not set(test.models) <= set(study.models),
        "runs-missing": bool(runs.unfinished(protocol, test.models)),
        "few-seeds": max(len(study.seeds_of(protocol)), test.sampling.seeds(test.models))
        < test.fewest_seeds,
    }
    verdicts: dict[Reason, VerdictName] = {
        "device-not-stated": "not-testable",
        "models-missing": "not-run",
        "runs-missing": "not-run" if without_any else "not-enough-runs",
        "few-seeds": "not-enough-runs",
    }
    return [(verdicts.get(why, "not-comparable"), why) for why, applies in found.items() if applies]
