"""Plausible minutes: how fast each device is, and what every protocol would take and need on it."""

import math
from collections.abc import Sequence

from resnet_sizes.evidence.audit.table import printed_minutes
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
from resnet_sizes.schemas.hardware import (
    Anchor,
    Assumptions,
    Device,
    Devices,
    Mode,
    NetworkCost,
    NetworkCosts,
)
from resnet_sizes.schemas.study.protocol import Protocol, TrainingRecipe

ANCHOR_SIZE = 224
FLOAT_BYTES = 4

Case = tuple[TableRow, TrainingRecipe, NetworkCost]


def device_rates(devices: Devices, costs: NetworkCosts) -> list[DeviceRate]:
    """The rates of every device, from its anchors or from the share of its peak.

    Raises ValueError where `costs` lacks the network of an anchor at 224 pixels.
    """
    factor = devices.assumptions.backward_factor
    by_id = {device.id: device for device in devices.devices}

    def rate(device: Device, mode: Mode) -> float:
        if device.basis == "measured":
            return _measured(device, mode, costs, factor)
        model = by_id[device.efficiency_of or ""]
        share_of_peak = (device.peak_tflops or 0) / (model.peak_tflops or 1)
        return _measured(model, mode, costs, factor) * share_of_peak

    return [
        DeviceRate(
            device=device.id,
            name=device.name,
            training=rate(device, "training"),
            inference=rate(device, "inference"),
            basis=device.basis,
            measured_modes=sorted({anchor.mode for anchor in device.anchors}),
            memory_bytes=int(device.memory_gib * 2**30),
        )
        for device in devices.devices
    ]


def _measured(device: Device, mode: Mode, costs: NetworkCosts, factor: float) -> float:
    """Geometric mean over the anchors of a mode, or over all where it has none."""
    anchors = [anchor for anchor in device.anchors if anchor.mode == mode] or device.anchors
    logs = [math.log(_rate(anchor, costs, factor)) for anchor in anchors]
    return math.exp(sum(logs) / len(logs))


def _rate(anchor: Anchor, costs: NetworkCosts, factor: float) -> float:
    entry = costs.of(anchor.network, "imagenet", ANCHOR_SIZE)
    if entry is None:
        raise ValueError(f"the table of costs lacks {anchor.network} at {ANCHOR_SIZE} pixels")
    passes = factor if anchor.mode == "training" else 1
    return anchor.images_per_second * entry.macs_per_image * passes


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
        recipe = protocol.recipe_for(row.model)
        entry = costs.of(row.model, recipe.stem, recipe.input_size)
        memory = None
        if entry is None:
            missing.append(f"{row.model}, {recipe.stem} stem, {recipe.input_size} pixels")
        else:
            cases.append((row, recipe, entry))
            memory = memory_bytes(entry, recipe, article.setup.batch_size, assumptions)
        needs.append(
            ModelNeed(
                model=row.model,
                input_size=recipe.input_size,
                stem=recipe.stem,
                trainable=recipe.trainable,
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
    entry: NetworkCost, recipe: TrainingRecipe, batch_size: int, assumptions: Assumptions
) -> int:
    """Bytes for one whole batch in float32: activations, parameters, gradients, optimiser.

    A lower bound but for the allowance: gradients of activations and workspaces of the
    convolutions come on top.
    """
    whole = recipe.trainable == "all"
    trained = entry.parameters if whole else entry.head_parameters
    per_image = entry.training_bytes_per_image if whole else entry.inference_bytes_per_image
    states = 1 + _optimizer_states(recipe)
    return (
        batch_size * per_image
        + FLOAT_BYTES * (entry.parameters + trained * states)
        + int(assumptions.memory_allowance_gib * 2**30)
    )


def _optimizer_states(recipe: TrainingRecipe) -> int:
    """Numbers that the optimiser keeps for each trained parameter."""
    if recipe.optimizer == "sgd":
        return 1 if recipe.momentum > 0 else 0
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
    recipe: TrainingRecipe,
    entry: NetworkCost,
    setup: Setup,
    assumptions: Assumptions,
) -> Prediction:
    forward = entry.macs_per_image / rate.inference
    # A frozen backbone needs no backward pass, and its last layer costs next to nothing.
    step = forward
    if recipe.trainable == "all":
        step = entry.macs_per_image * assumptions.backward_factor / rate.training
    training = setup.epochs * setup.train_images * step / 60
    minutes = training + setup.epochs * setup.test_images * forward / 60
    printed = printed_minutes(row)
    needed = memory_bytes(entry, recipe, setup.batch_size, assumptions)
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
