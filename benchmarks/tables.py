"""The measured samples → tables, in Markdown and on a terminal."""

from dataclasses import dataclass, field
from statistics import median
from typing import Any

from figures import Spread, best_notebook, frozen_seconds, ratio, settings_of, together
from rich import box
from rich.console import Console
from rich.table import Table as RichTable

COMPUTED_IMAGES = 5000
FULL_IMAGES, FULL_EPOCHS = 50_000, 50


@dataclass(frozen=True)
class Table:
    """A title, what stands above the columns, the rows, and notes beneath."""

    title: str
    header: list[str]
    rows: list[list[str]]
    notes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        assert {len(row) for row in self.rows} <= {len(self.header)}, self.title

    def markdown(self) -> str:
        """A heading and a table as GitHub shows it; first columns left, numbers right."""
        columns = zip(*self.rows, strict=True)
        rule = ["---:" if column[0][:1].isdigit() else "---" for column in columns]
        lines = ["| " + " | ".join(row) + " |" for row in (self.header, rule, *self.rows)]
        notes = [f"\n{note}" for note in self.notes]
        return "\n".join([f"## {self.title}\n", *lines, *notes]) + "\n"

    def show(self, console: Console) -> None:
        """Print it."""
        table = RichTable(*self.header, title=self.title, box=box.SIMPLE, title_justify="left")
        for row in self.rows:
            table.add_row(*row)
        console.print(table)
        for note in self.notes:
            console.print(f"  {note}", highlight=False)


def all_tables(result: dict[str, Any]) -> list[Table]:
    """Every table of a finished measurement."""
    tables = [speed_table(result), other_ways_table(result)]
    tables += [frozen_run_table(result), share_table(result)]
    return [*tables, growth_table(result)] if result["growth"] else tables


def document(result: dict[str, Any]) -> str:
    """The Markdown file."""
    machine = result["machine"]
    versions = ", ".join(f"{name} {number}" for name, number in machine["versions"].items())
    commit = machine["git_commit"] or "unknown"
    changed = " with changes" if machine["git_dirty"] else ""
    choices = ", ".join(f"{key} {value}" for key, value in result["choices"].items())
    memory = machine["memory_bytes"]
    lines = [
        f"# Measured on {machine['name']}, {machine['date']}\n",
        f"- Device: {machine['device']}, {machine['name']}"
        + (f", {memory / 2**30:.0f} GiB" if memory else ""),
        f"- CPU: {machine['cores']} cores, {machine['threads']} threads used, "
        f"{machine['instructions']}",
        f"- System: {machine['system']}",
        f"- Versions: {versions}",
        f"- Code: git {commit}{changed}",
        f"- Engine: {choices}",
        f"- Started {machine['started']}, took {result['seconds'] / 60:.1f} minutes",
    ]
    if result["quick"]:
        lines.append("\n**A trial of the benchmark's code: its numbers mean nothing.**")
    lines.append("\nNumbers are medians, with the smallest and the largest of the rounds.\n")
    return "\n".join(lines) + "\n" + "\n".join(table.markdown() for table in all_tables(result))


def speed_table(result: dict[str, Any]) -> Table:
    """Images per second of training."""
    rows = []
    for case in dict.fromkeys(setting["case"] for setting in result["settings"]):
        settings = settings_of(result, case)
        for precision in result["precisions"]:
            compared = [_compared(setting["rates"], precision) for setting in settings]
            for setting, rates in zip(settings, compared, strict=True):
                best = best_notebook(setting["rates"])
                workers = f"{best.removeprefix('notebook/')} workers"
                rows.append(
                    [case, setting["model"], _precision(result, precision), workers, *_cells(rates)]
                )
            if len(compared) > 1:
                totals = [together([each[place] for each in compared]) for place in (0, 1, 2)]
                rows.append([case, "together", _precision(result, precision), "", *_cells(totals)])
    notes = [
        "The notebook loop works in fp32 in every row. *Together*: each network trains on as many "
        "images, one after the other. frozen-224 is measured without the feature cache here.",
        *_full_study_notes(result),
    ]
    notes += _compile_notes(result)
    if result["precisions"] == ["fp32"]:
        notes.append(
            "*fp32 = fastest*: this device has no faster precision in hardware, so there is no "
            "other row."
        )
    header = ["case", "network", "precision", "best notebook", "notebook, images/s"]
    header += ["plain loop, images/s", "ours, images/s", "ours ÷ notebook", "ours ÷ plain"]
    return Table("Speed of training", header, rows, notes)


def other_ways_table(result: dict[str, Any]) -> Table:
    """The engine against a compiler, and against ONNX Runtime where it is installed."""
    rows = []
    for setting in result["settings"]:
        rates = setting["rates"]
        for label in rates:
            way, precision = label.split("/")
            if way in {"notebook", "plain", "ours", "product"}:
                continue
            ours = rates[f"ours/{precision}"]
            speeds = (spread_text(Spread.of(each)) for each in (rates[label], ours))
            where = (setting["case"], setting["model"], _precision(result, precision))
            rows.append([*where, way, *speeds, spread_text(ratio(ours, rates[label]))])
    notes = [
        "*compiled*: the plain loop with `torch.compile`, whose compiling is not in the time. "
        "*ONNX Runtime*: the pass through the frozen layers, batch normalisation folded, where it "
        "is installed; the head is trained by torch. "
        "In the same rounds as the table above."
    ]
    header = ["case", "network", "precision", "way", "images/s", "ours, images/s", "ours ÷ way"]
    return Table("Other ways", header, rows, notes)


def frozen_run_table(result: dict[str, Any]) -> Table:
    """The cost of 50 epochs on a frozen backbone."""
    rows = []
    for setting in settings_of(result, "frozen-224"):
        for precision in result["precisions"]:
            seconds = frozen_seconds(result, setting, precision, COMPUTED_IMAGES, FULL_EPOCHS)
            rows.append(
                [
                    *(setting["model"], _precision(result, precision)),
                    *("computed", f"{COMPUTED_IMAGES}"),
                    *(_duration(seconds[name]) for name in ("notebook", "plain", "ours")),
                    f"{seconds['notebook'] / seconds['ours']:.1f}",
                ]
            )
    for run in result["frozen_runs"]:
        notebook = run["epochs"] * run["notebook_epoch_seconds"]
        rows.append(
            [
                *(run["model"], _precision(result, run["precision"])),
                *("measured whole", f"{run['train_images']}"),
                *(f"{_duration(notebook)} (one epoch × {run['epochs']})", "–"),
                f"{_duration(run['training_seconds'])} "
                f"(all of the command: {_duration(run['wall_seconds'])})",
                f"{notebook / run['training_seconds']:.1f}",
            ]
        )
    notes = [
        "Training alone, without evaluation: one after each epoch would cost the notebook and the "
        "plain loop the same share once more, ours one pass over the test images. *Computed*: from "
        "the median speeds above and of the head on features; *measured whole*: ours is a run of "
        "`resnet-sizes train`, the notebook's is one epoch, multiplied.",
    ]
    header = ["network", "precision", "how", "images", "notebook", "plain loop", "ours"]
    return Table(
        f"A run of {FULL_EPOCHS} epochs on a frozen backbone at 224 pixels",
        [*header, "notebook ÷ ours"],
        rows,
        notes,
    )


def share_table(result: dict[str, Any]) -> Table:
    """Multiply-accumulates per second over those of a large matrix product."""
    rows = []
    for setting in result["settings"]:
        for precision in result["precisions"]:
            rates = setting["rates"]
            product = rates[f"product/{precision}"]
            macs = setting["passes"] * setting["macs_per_image"]
            shares = [
                ratio([macs * rate for rate in rates[f"{loop}/{precision}"]], product)
                for loop in ("plain", "ours")
            ]
            done = setting["executed_macs_per_image"]
            of_executed = ratio([done * rate for rate in rates[f"ours/{precision}"]], product)
            rows.append(
                [
                    *(setting["case"], setting["model"], _precision(result, precision)),
                    f"{setting['macs_per_image'] / 1e6:,.0f}",
                    spread_text(Spread.of([each / 1e9 for each in product])),
                    *(spread_text(share, 100, " %") for share in shares),
                    f"{done / macs:.0%}",
                    spread_text(of_executed, 100, " %"),
                ]
            )
    notes = [
        f"The peak is a product of two {result['product_size']}×{result['product_size']} matrices "
        "in the row's precision, measured in the same rounds. Multiply-accumulates are nominal: "
        "three forward passes' worth where the whole network is trained, one where it is frozen. "
        "On a CPU the engine leaves out products with the zeros of the padding on maps of 2×2 and "
        "1×1 pixels; *executed* are the products that it does, counted in its own step.",
    ]
    header = ["case", "network", "precision", "10⁶ MACs per image", "matrix product, 10⁹ MACs/s"]
    header += ["plain loop", "ours", "executed by ours", "ours, of the executed"]
    return Table("Share of the device's peak", header, rows, notes)


def growth_table(result: dict[str, Any]) -> Table:
    """Time and memory against what a run is given."""
    rows = []
    start: dict[str, Any] = {}
    for point in result["growth"]:
        if point["varied"] == "start":
            start = point
        what = (
            f"{point['model']}, {point['train_images']} images, epochs: {point['epochs']}, "
            f"{point['input_size']} pixels"
            if point["varied"] == "start"
            else f"{point['varied']}: {point['value']}"
        )
        times = point["training_seconds"] / start["training_seconds"]
        rows.append(
            [
                *(
                    point["case"],
                    what,
                    spread_text(Spread.of(point["training_samples"])),
                    f"{times:.2f}",
                ),
                f"{point['last_epoch_seconds']:.3f}",
                f"{point['peak_memory_bytes'] / 2**20:,.0f}",
                f"{point['idle_memory_bytes'] / 2**20:,.0f}",
            ]
        )
    notes = [
        "Each row is whole runs of the engine in processes of their own, with their first, slower "
        "steps; the first row of a case is changed in one thing in each of the others. Memory is "
        "the process's largest resident set on a CPU, the allocator's peak on a GPU. "
        "All but the training times are those of the run with the median one. "
        f"Precision {result['growth_precision']}, batches of {result['growth_batch_size']}.",
    ]
    header = [
        "case",
        "run",
        "training, s",
        "÷ first row",
        "last epoch, s",
        "peak memory, MiB",
        "before the run, MiB",
    ]
    return Table("How cost grows", header, rows, notes)


def _compared(rates: dict[str, list[float]], precision: str) -> list[list[float]]:
    """Of the best notebook, the plain loop and ours."""
    labels = best_notebook(rates), f"plain/{precision}", f"ours/{precision}"
    return [rates[label] for label in labels]


def _cells(rates: list[list[float]]) -> list[str]:
    notebook, plain, ours = rates
    return [
        *(spread_text(Spread.of(each)) for each in (notebook, plain, ours)),
        *(spread_text(ratio(ours, below)) for below in (notebook, plain)),
    ]


def _full_study_notes(result: dict[str, Any]) -> list[str]:
    settings = settings_of(result, "scratch-32")
    notes = []
    for precision in result["precisions"] if settings else []:
        columns = [_compared(setting["rates"], precision) for setting in settings]
        notebook, ours = (
            sum(FULL_EPOCHS * FULL_IMAGES / median(each[place]) for each in columns)
            for place in (0, 2)
        )
        notes.append(
            f"Computed from the medians: {', '.join(each['model'] for each in settings)} under "
            f"scratch-32 for {FULL_EPOCHS} epochs of {FULL_IMAGES:,} images take the notebook loop "
            f"{_duration(notebook)} of training, ours in {precision} {_duration(ours)}."
        )
    return notes


def _compile_notes(result: dict[str, Any]) -> list[str]:
    compiled: dict[str, list[str]] = {}
    for setting in result["settings"]:
        for precision in result["precisions"]:
            mode = setting["compiled"][precision]
            where = f"{setting['case']} {setting['model']} {precision}"
            compiled.setdefault(mode, []).append(where)
    compiled.pop("none", None)
    return [f"Compiled ({mode}): {', '.join(where)}." for mode, where in compiled.items()]


def _precision(result: dict[str, Any], precision: str) -> str:
    return "fp32 = fastest" if result["precisions"] == ["fp32"] else precision


def spread_text(spread: Spread, times: float = 1, unit: str = "") -> str:
    """The median, and in brackets the smallest and the largest, `times` as large."""
    low, middle, high = (times * each for each in (spread.low, spread.median, spread.high))
    places = 0 if middle >= 100 else 1 if middle >= 10 else 2
    return f"{middle:.{places}f}{unit} ({low:.{places}f}–{high:.{places}f})"


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.1f} s"
    if seconds < 7200:
        return f"{seconds / 60:.1f} min"
    return f"{seconds / 3600:.1f} h"
