"""A forecast of the tiny study, as if `resnet-sizes forecast` had measured it."""

from collections.abc import Mapping

from workflow_project import Project

from resnet_sizes.schemas.operations import Forecast, RunForecast, kind_hash
from resnet_sizes.schemas.run.metrics import Device
from resnet_sizes.schemas.run.run import run_settings
from resnet_sizes.study.loading import load_study


def write_forecast(
    project: Project,
    seconds: float | Mapping[str, float],
    kind: str,
    peak_gb: float | Mapping[str, float],
) -> None:
    """With the same seconds and peak for each model, or those of some models alone."""
    config = project.folder / "config"
    study = load_study([config / "tiny.yaml"], config / "config.yaml")
    if not isinstance(seconds, Mapping):
        seconds = dict.fromkeys(study.models, seconds)
    if not isinstance(peak_gb, Mapping):
        peak_gb = dict.fromkeys(study.models, peak_gb)
    runs = [
        RunForecast(
            protocol="scratch-32",
            model=model,
            settings_hash=kind_hash(run_settings(study, "scratch-32", model, 0)),
            precision="fp32",
            seconds=seconds[model],
            feature_seconds=0.0,
            peak_memory_bytes=round(peak_gb[model] * 1e9),
        )
        for model in seconds
    ]
    device = Device(kind=kind, name="a device", threads=1)
    found = Forecast(
        dataset=study.dataset,
        device=device,
        measured="2026-01-01T00:00:00Z",
        runs=runs,
    )
    folder = project.folder / "results/tiny"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "forecast.json").write_text(found.model_dump_json(), encoding="utf-8")
