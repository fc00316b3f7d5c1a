# What a training asks a scheduler for, from `resnet-sizes forecast` where that was run. On one
# machine it means nothing. The forecast is no input of a rule: it decides no result, and a new
# one is no reason to train again. A profile's set-resources goes before all of this.
from resnet_sizes.io.files import read_record
from resnet_sizes.schemas.operations import Forecast

# ---- How much more is asked for than was forecast -----------------------------------------
TIME_FACTOR = 2.0  # other nodes are slower, and file systems busy
START_MINUTES = 15  # to import torch and to read data and weights
MEMORY_FACTOR = 1.5

# Without a forecast, and never more: a run that is not done by then goes on in its next job,
# and few partitions allow more than half a day by default.
MOST_MINUTES = 720
LEAST_MINUTES = 30

# What the libraries of a GPU take of the machine's memory has no forecast: it is measured on
# the device. So this is asked for at least, and more only where a CPU was measured.
LEAST_MEMORY_MB = 8000
MOST_MEMORY_MB = 64000
# -------------------------------------------------------------------------------------------


def read_forecast():
    if not FOLDER.forecast.exists():
        return None
    remedy = "Make it again with resnet-sizes forecast, or delete it."
    try:
        return read_record(FOLDER.forecast, Forecast, remedy)
    except UserError as error:
        raise WorkflowError(str(error)) from None


FORECAST = read_forecast()


def run_forecast(wildcards):
    """What was measured for a run, or nothing."""
    return FORECAST and FORECAST.of(STUDY, PLAN.settings(wildcards))


def train_minutes(wildcards, other_seeds=0):
    """Other seeds have the features of the first."""
    expected = run_forecast(wildcards)
    if not expected:
        return MOST_MINUTES
    further = expected.seconds - expected.feature_seconds
    seconds = expected.seconds + other_seeds * further
    minutes = START_MINUTES + round(TIME_FACTOR * seconds / 60)
    return min(MOST_MINUTES, max(LEAST_MINUTES, minutes))


def seeds_minutes(wildcards):
    return train_minutes(wildcards, len(PLAN.runs_together(wildcards)) - 1)


def train_memory_mb(wildcards):
    expected = run_forecast(wildcards)
    if not expected or FORECAST.device.kind != "cpu":
        return LEAST_MEMORY_MB
    megabytes = round(MEMORY_FACTOR * expected.peak_memory_bytes / 1e6)
    return min(MOST_MEMORY_MB, max(LEAST_MEMORY_MB, megabytes))
