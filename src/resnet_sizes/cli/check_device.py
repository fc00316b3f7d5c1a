"""`resnet-sizes check-device`: whether a device does what training asks of it."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from resnet_sizes.cli.console import print_records, say
from resnet_sizes.device_check.session import CHECKS
from resnet_sizes.io.errors import UserError
from resnet_sizes.io.files import write_json

LIST = "Checks, in their order:\n\n" + "\n\n".join(
    f"{check.name}: {check.shows}" for check in CHECKS.values()
)


def check_device(
    device: Annotated[str, typer.Option(help="auto, cpu, mps, cuda or cuda:N")] = "auto",
    quick: Annotated[bool, typer.Option("--quick", help="ResNet-18 alone, fewer runs")] = False,
    out: Annotated[Path, typer.Option(help="The record to send on.")] = Path("device-check.json"),
    only: Annotated[
        list[str] | None, typer.Option(help="This check alone; may be given several times.")
    ] = None,
) -> None:
    """Check a device in at most 8 minutes: random images and weights, no network, no Snakemake.

    The record is written after each check. Exit status: 0 if none failed, 1 otherwise.
    """
    unknown = [name for name in only or () if name not in CHECKS]
    if unknown:
        raise UserError(f"--only: found {unknown[0]!r}; allowed: {', '.join(CHECKS)}.")
    checks = [check for name, check in CHECKS.items() if not only or name in only]

    from resnet_sizes.device_check.session import make
    from resnet_sizes.training.devices.gpu_slots import device_slot

    with (
        TemporaryDirectory(prefix="check-device-", ignore_cleanup_errors=True) as folder,
        device_slot("check-device", device) as slot,
    ):
        for found in make(checks, slot.torch_name, slot.gpu, quick, Path(folder)):
            write_json(out, found)
            for each in found["checks"][-1:]:
                say(f"{each['name']}: {each['state']}")
    print_records("", found["checks"], "name", "state", "seconds", "reasons", "shows")
    say(f"{out}: written, with all numbers, for {found['device']['name']}.")
    if any(each["state"] == "failed" for each in found["checks"]):
        raise typer.Exit(1)
