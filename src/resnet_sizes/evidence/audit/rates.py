"""How many multiply-accumulates a second a device does."""

import math

from resnet_sizes.schemas.evidence.audit import DeviceRate
from resnet_sizes.schemas.hardware import Anchor, Device, Devices, Mode, NetworkCosts

ANCHOR_SIZE = 224


def device_rates(devices: Devices, costs: NetworkCosts) -> list[DeviceRate]:
    """The rates of every device, from its anchors or from the share of its peak.

    Raises ValueError where `costs` lacks the network of an anchor at 224 pixels.
    """
    factor = devices.assumptions.backward_factor
    measured = {device.id: _measured_rates(device, costs, factor) for device in devices.devices}
    peaks = {device.id: device.peak_tflops for device in devices.devices}
    rates = []
    for device in devices.devices:
        found = measured[device.id]
        if device.basis == "peak":
            model = device.efficiency_of or ""
            scale = (device.peak_tflops or 0) / (peaks[model] or 1)
            found = {mode: rate * scale for mode, rate in measured[model].items()}
        rates.append(
            DeviceRate(
                device=device.id,
                name=device.name,
                training=found["training"],
                inference=found["inference"],
                basis=device.basis,
                measured_modes=sorted({anchor.mode for anchor in device.anchors}),
                memory_bytes=int(device.memory_gib * 2**30),
            )
        )
    return rates


_MODES: tuple[Mode, ...] = ("training", "inference")


def _measured_rates(device: Device, costs: NetworkCosts, factor: float) -> dict[Mode, float]:
    if not device.anchors:
        return {}
    return {mode: _measured(device, mode, costs, factor) for mode in _MODES}


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
