"""The checks of a device, in their order: first what fails earliest. No torch here."""

from typing import NamedTuple


class Check(NamedTuple):
    """One check: a function of this name in a module, which gets a `Bench`."""

    name: str
    shows: str
    """What holds if it passes."""
    module: str
    """Seen from this package."""
    only_cuda: bool = False


CHECKS = {
    check.name: check
    for check in (
        Check("facts", "the driver and torch name the same device", ".facts"),
        Check("fp32", "products and convolutions in fp32 are exact to 1e-5: no TF32", ".numbers"),
        Check("steps", "each network, reading and precision takes steps, twice alike", ".numbers"),
        Check("exactness", "images, logits and losses are those of the CPU in fp64", ".numbers"),
        Check("divergence", "a learning rate of 1e30 ends with advice", ".loop"),
        Check("shortage", "a full memory ends with advice", ".loop"),
        Check("waits", "20 steps of training never wait for the device", ".loop", True),
        Check("graphs", "steps are launched as CUDA graphs, and none is left out", ".loop", True),
        Check("runs", "killed or not, runs end with the same bits, and free the device", ".runs"),
        Check("speed", "the chosen layout and mode are the fastest, within 3 %", ".speed", True),
        Check("forecast", "times and memory are forecast within 15 %, passes within 5 %", ".runs"),
    )
}
"""By name."""
