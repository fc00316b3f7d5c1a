"""Plausible minutes: what every protocol would take and need on every device."""

from collections.abc import Sequence

from resnet_sizes.evidence.audit.returns import printed_minutes
from resnet_sizes.schemas.article.article import Article, Setup
from resnet_sizes.schemas.article.claims.base import TableRow
from resnet_sizes.schemas.evidence.audit import (
    DeviceRate,
    ModelNeed,
    Outcome,
    Prediction,
    ProtocolCosts,
    ProtocolOnDevice,
)
from resnet_sizes.schemas.hardware import Assumptions, NetworkCost, NetworkCosts
from resnet_sizes.schemas.study.protocol import Protocol, TrainingRecipe

FLOAT_BYTES = 4

Case = tuple[TableRow, TrainingRecipe, NetworkCost]


def protocol_costs(
    name: str,
    protocol: Protocol,
    article: Article,
    rates: Sequence[DeviceRate],
    costs: NetworkCosts,
    assumptions: Assumptions,
) -> ProtocolCosts:
    """The needs of each network of the table under a protocol, and the outcome by device."""
    needs, missing = [], []
    cases: list[Case] = []
    for row in article.table:
        reading = protocol.recipe_for(row.model)
        entry = costs.of(row.model, reading.stem, reading.input_size)
        memory = None
        if entry is None:
            missing.append(f"{row.model}, {reading.stem} stem, {reading.input_size} pixels")
        else:
            cases.append((row, reading, entry))
            memory = memory_bytes(entry, reading, article.setup.batch_size, assumptions)
        needs.append(
            ModelNeed(
                model=row.model,
                input_size=reading.input_size,
                stem=reading.stem,
                trainable=reading.trainable,
                macs_per_image=None if entry is None else entry.macs_per_image,
                memory_bytes=memory,
                printed_minutes=printed_minutes(row),
            )
        )
    on_devices = [
        _on_device(rate, cases, article.setup, assumptions, complete=not missing) for rate in rates
    ]
    return ProtocolCosts(protocol=name, needs=needs, missing=missing, devices=on_devices)


def memory_bytes(
    entry: NetworkCost, reading: TrainingRecipe, batch_size: int, assumptions: Assumptions
) -> int:
    """Bytes for one whole batch in float32: activations, parameters, gradients, optimiser.

    A lower bound but for the allowance: gradients of activations and workspaces of the
    convolutions come on top.
    """
    whole = reading.trainable == "all"
    trained = entry.parameters if whole else entry.head_parameters
    per_image = entry.training_bytes_per_image if whole else entry.inference_bytes_per_image
    states = 1 + _moments(reading)
    return (
        batch_size * per_image
        + FLOAT_BYTES * (entry.parameters + trained * states)
        + int(assumptions.memory_allowance_gib * 2**30)
    )


def _moments(reading: TrainingRecipe) -> int:
    """Numbers that the optimiser keeps for each trained parameter."""
    if reading.optimizer == "sgd":
        return 1 if reading.momentum > 0 else 0
    return 2


def _on_device(
    rate: DeviceRate,
    cases: Sequence[Case],
    setup: Setup,
    assumptions: Assumptions,
    *,
    complete: bool,
) -> ProtocolOnDevice:
    predictions = [_predict(rate, *case, setup, assumptions) for case in cases]
    outcome = "not-in-table" if not complete else _outcome(predictions, assumptions.time_factor)
    return ProtocolOnDevice.model_validate(
        {"device": rate.device, "outcome": outcome, "predictions": predictions}
    )


def _predict(
    rate: DeviceRate,
    row: TableRow,
    reading: TrainingRecipe,
    entry: NetworkCost,
    setup: Setup,
    assumptions: Assumptions,
) -> Prediction:
    forward = entry.macs_per_image / rate.inference
    # A frozen backbone needs no backward pass, and its last layer costs next to nothing.
    step = forward
    if reading.trainable == "all":
        step = entry.macs_per_image * assumptions.backward_factor / rate.training
    training = setup.epochs * setup.train_images * step / 60
    minutes = training + setup.epochs * setup.test_images * forward / 60
    printed = printed_minutes(row)
    needed = memory_bytes(entry, reading, setup.batch_size, assumptions)
    return Prediction(
        model=row.model,
        minutes=minutes,
        minutes_without_evaluation=training,
        ratio=None if printed is None else minutes / printed,
        memory_fits=needed <= rate.memory_bytes,
    )


def _outcome(predictions: Sequence[Prediction], factor: float) -> Outcome:
    ratios = [prediction.ratio for prediction in predictions if prediction.ratio is not None]
    memory = all(prediction.memory_fits for prediction in predictions)
    if not ratios:
        return "no-minutes" if memory else "memory"
    time = all(1 / factor <= ratio <= factor for ratio in ratios)
    if time:
        return "survives" if memory else "memory"
    return "time" if memory else "time-and-memory"
