"""Plausible minutes: how fast each device is, and what every protocol would take and need on it."""

import math
from collections.abc import Sequence

from resnet_sizes.evidence.audit.table import printed_minutes
from resnet_sizes.schemas.article.article import Article, Setup
from resnet_sizes.schemas.article.claims.base import TableRow
from resnet_sizes.schemas.evidence.audit import (
    Compatibility,
    DeviceRate,
    ModelNeed,
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
    setup = article.setup
    needs = [
        _need(row, protocol.recipe_for(row.model), setup, costs, assumptions)
        for row in article.table
    ]
    return ProtocolCosts(
        protocol=name,
        needs=needs,
        missing=[
            f"{need.model}, {need.stem} stem, {need.input_size} pixels"
            for need in needs
            if need.macs_per_image is None
        ],
        devices=[_on_device(rate, needs, setup, assumptions) for rate in rates],
    )


def _need(
    row: TableRow,
    recipe: TrainingRecipe,
    setup: Setup,
    costs: NetworkCosts,
    assumptions: Assumptions,
) -> ModelNeed:
    entry = costs.of(row.model, recipe.stem, recipe.input_size)
    memory = None
    if entry is not None:
        memory = memory_bytes(entry, recipe, setup.batch_size, assumptions)
    return ModelNeed(
        model=row.model,
        input_size=recipe.input_size,
        stem=recipe.stem,
        trainable=recipe.trainable,
        macs_per_image=None if entry is None else entry.macs_per_image,
        memory_bytes=memory,
        printed_minutes=printed_minutes(row),
    )


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
    # A gradient, and what the optimiser keeps.
    states = 1 + (2 if recipe.optimizer != "sgd" else int(recipe.momentum > 0))
    return (
        batch_size * per_image
        + FLOAT_BYTES * (entry.parameters + trained * states)
        + int(assumptions.memory_allowance_gib * 2**30)
    )


def _on_device(
    rate: DeviceRate, needs: Sequence[ModelNeed], setup: Setup, assumptions: Assumptions
) -> ProtocolOnDevice:
    predictions = [
        _predict(rate, need, need.macs_per_image, setup, assumptions)
        for need in needs
        if need.macs_per_image is not None
    ]
    complete = len(predictions) == len(needs)
    outcome = _outcome(predictions, assumptions.time_factor) if complete else "not-in-table"
    return ProtocolOnDevice(device=rate.device, outcome=outcome, predictions=predictions)


def _predict(
    rate: DeviceRate, need: ModelNeed, macs: int, setup: Setup, assumptions: Assumptions
) -> Prediction:
    forward = macs / rate.inference
    # A frozen backbone needs no backward pass, and its last layer costs next to nothing.
    step = forward
    if need.trainable == "all":
        step = macs * assumptions.backward_factor / rate.training
    training = setup.epochs * setup.train_images * step / 60
    minutes = training + setup.epochs * setup.test_images * forward / 60
    printed = need.printed_minutes
    return Prediction(
        model=need.model,
        minutes=minutes,
        minutes_without_evaluation=training,
        ratio=None if printed is None else minutes / printed,
        memory_fits=(need.memory_bytes or 0) <= rate.memory_bytes,
    )


def _outcome(predictions: Sequence[Prediction], factor: float) -> Compatibility:
    ratios = [prediction.ratio for prediction in predictions if prediction.ratio is not None]
    memory = all(prediction.memory_fits for prediction in predictions)
    if not ratios:
        return "no-minutes" if memory else "memory"
    time = all(1 / factor <= ratio <= factor for ratio in ratios)
    if time:
        return "survives" if memory else "memory"
    return "time" if memory else "time-and-memory"
