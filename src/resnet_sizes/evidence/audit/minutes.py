"""Plausible minutes: how fast each device is, and what every protocol would take and need on it."""

import math
from collections.abc import Sequence

from resnet_sizes.evidence.audit.table import printed_minutes
from resnet_sizes.schemas import hardware
from resnet_sizes.schemas.article.article import Article, Setup
from resnet_sizes.schemas.evidence import audit as records
from resnet_sizes.schemas.hardware import Assumptions, NetworkCosts
from resnet_sizes.schemas.study.protocol import Protocol, TrainingRecipe

ANCHOR_SIZE = 224
FLOAT_BYTES = 4


def device_rates(devices: hardware.Devices, costs: NetworkCosts) -> list[records.DeviceRate]:
    """The rates of every device, from its anchors or from the share of its peak. Raises ValueError
    where `costs` lacks the network of an anchor at 224 pixels."""
    by_id, assumptions = {device.id: device for device in devices.devices}, devices.assumptions

    def rate(device: hardware.Device, mode: hardware.Mode) -> float:
        if device.basis == "measured":
            return _measured(device, mode, costs, assumptions)
        model = by_id[device.efficiency_of or ""]
        share_of_peak = (device.peak_tflops or 0) / (model.peak_tflops or 1)
        return _measured(model, mode, costs, assumptions) * share_of_peak

    return [
        records.DeviceRate(
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


def _measured(
    device: hardware.Device, mode: hardware.Mode, costs: NetworkCosts, assumptions: Assumptions
) -> float:
    """Geometric mean over the anchors of a mode, or over all where it has none."""
    logs = []
    for anchor in [each for each in device.anchors if each.mode == mode] or device.anchors:
        if (entry := costs.of(anchor.network, "imagenet", ANCHOR_SIZE)) is None:
            raise ValueError(f"the table of costs lacks {anchor.network} at {ANCHOR_SIZE} pixels")
        passes = assumptions.backward_factor if anchor.mode == "training" else 1
        logs.append(math.log(anchor.images_per_second * entry.macs_per_image * passes))
    return math.exp(sum(logs) / len(logs))


def protocol_costs(
    name: str,
    protocol: Protocol,
    article: Article,
    rates: Sequence[records.DeviceRate],
    costs: NetworkCosts,
    assumptions: Assumptions,
) -> records.ProtocolCosts:
    """Needs by network and outcomes by device, of an article that tells epochs and batch size."""
    needs, batch = [], article.setup.batch_size or 1
    for row in article.table:
        recipe = protocol.recipe_for(row.model)
        entry = costs.of(row.model, recipe.stem, recipe.input_size)
        needs.append(
            records.ModelNeed(
                model=row.model,
                **recipe.model_dump(include={"input_size", "stem", "trainable"}),
                macs_per_image=entry.macs_per_image if entry else None,
                memory_bytes=_memory_bytes(entry, recipe, batch, assumptions) if entry else None,
                printed_minutes=printed_minutes(row),
            )
        )
    lacking = [need for need in needs if need.macs_per_image is None]
    missing = [f"{each.model}, {each.stem} stem, {each.input_size} pixels" for each in lacking]
    devices = [_on_device(rate, needs, article.setup, assumptions) for rate in rates]
    return records.ProtocolCosts(protocol=name, needs=needs, missing=missing, devices=devices)


def _memory_bytes(
    entry: hardware.NetworkCost, recipe: TrainingRecipe, batch_size: int, assumptions: Assumptions
) -> int:
    """Bytes for one whole batch in float32: activations, parameters, gradients, optimiser. A lower
    bound but for the allowance: gradients of activations and workspaces of the convolutions come
    on top."""
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
    rate: records.DeviceRate, needs: list[records.ModelNeed], setup: Setup, assumptions: Assumptions
) -> records.ProtocolOnDevice:
    predictions, epochs = [], setup.epochs or 0
    for need in needs:
        if need.macs_per_image is None or need.memory_bytes is None:
            continue
        # A frozen backbone needs no backward pass, and its last layer costs next to nothing.
        step = forward = need.macs_per_image / rate.inference
        if need.trainable == "all":
            step = need.macs_per_image * assumptions.backward_factor / rate.training
        training = epochs * setup.train_images * step / 60
        minutes = training + epochs * setup.test_images * forward / 60
        predictions.append(
            records.Prediction(
                model=need.model,
                minutes=minutes,
                minutes_without_evaluation=training,
                ratio=need.printed_minutes and minutes / need.printed_minutes,
                memory_fits=need.memory_bytes <= rate.memory_bytes,
            )
        )
    outcome: records.Compatibility = "not-in-table"
    if len(predictions) == len(needs):
        outcome = _outcome(predictions, assumptions.time_factor)
    return records.ProtocolOnDevice(device=rate.device, outcome=outcome, predictions=predictions)


def _outcome(predictions: Sequence[records.Prediction], factor: float) -> records.Compatibility:
    ratios = [prediction.ratio for prediction in predictions if prediction.ratio is not None]
    memory_fits = all(prediction.memory_fits for prediction in predictions)
    if not ratios:
        return "no-minutes" if memory_fits else "memory"
    if all(1 / factor <= ratio <= factor for ratio in ratios):
        return "survives" if memory_fits else "memory"
    return "time" if memory_fits else "time-and-memory"
