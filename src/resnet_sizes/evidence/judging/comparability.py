"""What keeps the runs of a study from being a test of a claim."""

from collections.abc import Hashable
from dataclasses import dataclass

from resnet_sizes.evidence.runs.measurements import (
    from_one_code,
    has_computed_time,
    on_one_device,
)
from resnet_sizes.evidence.runs.validate import FinishedRun
from resnet_sizes.evidence.statistics.sampling import Sampling
from resnet_sizes.schemas.article.article import Article
from resnet_sizes.schemas.article.claims import Claim, Needs
from resnet_sizes.schemas.evidence.verdicts import Reason, VerdictName


@dataclass(frozen=True)
class Case:
    """A claim of an article before the runs of one protocol."""

    claim: Claim
    sampling: Sampling
    article: Article

    @property
    def models(self) -> list[str]:
        return self.claim.models_compared(self.article.base_model)

    @property
    def numbers(self) -> Hashable:
        """What decides the claim, in this reading: equal for claims that are one test."""
        return self.sampling.protocol, self.claim.deciding_numbers(self.article.base_model)

    @property
    def finished(self) -> list[FinishedRun]:
        """The finished runs of the claim's models."""
        return [run for model in self.models for run in self.sampling.of(model)]

    @property
    def fewest_seeds(self) -> int:
        """So many runs per model give a verdict."""
        needs = self.claim.needs
        return 1 if needs is None else needs.seeds

    @property
    def mixes_devices(self) -> bool:
        """Whether minutes of several devices would be compared."""
        return self.claim.compares_minutes and not on_one_device(self.finished)

    @property
    def prints_computed_minutes(self) -> bool:
        """Whether printed minutes would be held against minutes that no device needed."""
        return self.claim.prints_minutes and any(has_computed_time(run) for run in self.finished)


def obstacles(case: Case, needs: Needs) -> list[tuple[VerdictName, Reason]]:
    """What keeps the runs from being a test, the weightiest first; the first gives the verdict.

    What no data could remedy stands first; what no further run could, before missing models, runs
    and seeds.
    """
    runs, protocol, setup = case.sampling.runs, case.sampling.protocol, case.article.setup
    study, info, training = runs.study, runs.info, runs.study.training
    right_data = info.content in needs.data
    # Images that somebody left out before they made the archive are missing all the same.
    other_size = (info.train_images, info.test_images) != (setup.train_images, setup.test_images)
    right_protocol = needs.protocols == "any" or protocol in needs.protocols
    candidates: list[tuple[bool, VerdictName, Reason]] = [
        (needs.article_device and setup.device is None, "not-testable", "device-not-stated"),
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
    candidates += _about_devices(case, needs)
    missing_models = not set(case.models) <= set(study.models)
    unfinished = runs.unfinished(protocol, case.models)
    without_any = any(not case.sampling.of(model) for model in case.models)
    candidates += [
        (not from_one_code(case.finished), "not-comparable", "mixed-code"),
        (missing_models, "not-run", "models-missing"),
        (bool(unfinished), "not-run" if without_any else "not-enough-runs", "runs-missing"),
        (len(study.seeds_of(protocol)) < case.fewest_seeds, "not-enough-runs", "few-seeds"),
    ]
    return [(verdict, reason) for applies, verdict, reason in candidates if applies]


def _about_devices(case: Case, needs: Needs) -> list[tuple[bool, VerdictName, Reason]]:
    stated = case.article.setup.device
    elsewhere = any(run.metrics.device.name != stated for run in case.finished)
    asked = needs.article_device and stated is not None
    return [
        (asked and elsewhere, "not-comparable", "other-device"),
        (case.prints_computed_minutes, "not-comparable", "computed-minutes"),
        (case.mixes_devices, "not-comparable", "mixed-devices"),
    ]
