# Names and helpers that the rules share. The study is checked here, so a wrong
# configuration stops before any job is planned.
from pathlib import Path

from snakemake.exceptions import WorkflowError

from resnet_sizes.io.hashes import canonical_json, content_hash
from resnet_sizes.io.code_hash import code_hash, training_code_hash
from resnet_sizes.io.errors import UserError
from resnet_sizes.training.supervision.launch import announce
from resnet_sizes.schemas.paths import StudyFolder
from resnet_sizes.schemas.article.load import load_article
from resnet_sizes.schemas.run.run import all_run_settings, run_settings
from resnet_sizes.schemas.run.weights import wanted_weights
from resnet_sizes.schemas.run.weights import weights_key
from resnet_sizes.reporting.render.engines import choose_engine
from resnet_sizes.study.fingerprint import fingerprint
from resnet_sizes.study.loading import (
    check_files,
    check_study,
    merge,
    read_yaml_mapping,
    values_from_text,
)
from resnet_sizes.study.plan import write_study

# A run stops itself, with a checkpoint, when the Snakemake that started it is gone. On the
# machine of a scheduler that is the Snakemake there, which reads this file too.
announce(scheduled=workflow.remote_exec)


def configuration_files():
    """The files the configuration came from, the last to speak last, to name them in errors.

    Snakemake lists the overlays of the command line first and the Snakefile's own after them.
    """
    overlays = workflow.overwrite_configfiles
    own = [path for path in workflow.configfiles if path not in overlays]
    files = [Path(path).absolute() for path in [*own, *overlays]]
    here = Path.cwd()
    return [
        path.relative_to(here) if path.is_relative_to(here) else path for path in files
    ]


def checked_study():
    """The study, with everything checked that can be known before any job."""
    try:
        for path in configuration_files():
            read_yaml_mapping(path)  # with bounds, and each key once, unlike Snakemake
        typed = values_from_text(workflow.config_settings.config)
        study = check_study(merge(config, typed), configuration_files())
        check_files(study)
        load_article(Path(study.article))
        if study.report.engine == "quarto":
            choose_engine("quarto")
    except UserError as error:
        raise WorkflowError(str(error)) from None
    return study


# `study.json` is written when the work starts (onstart, in the Snakefile) and is no rule's
# output: as one it would be upstream of everything, and each new seed would train all runs
# again. (With ancient() inputs Snakemake 9.27 plans too little instead: downstream of a job
# that has to run it no longer looks at changed parameters.) What a rule reads of the study
# stands in its `params`, so that it runs again when that changes.
STUDY = checked_study()
FOLDER = StudyFolder.of(STUDY.name)
RUNS = all_run_settings(STUDY)
LOGS = f"{FOLDER.folder}/logs"

# Only what has to be fetched is fetched; the marker says that it was there and verified.
IMAGES = [str(FOLDER.fetched)] if STUDY.dataset.source == "cifar10" else []
WEIGHTS = wanted_weights(STUDY)
FETCHED = [*IMAGES, *(str(FOLDER.weights(key)) for key in WEIGHTS)]
# A folder or archive of the user's own: what is in it decides, not its time.
OWN_DATA = [STUDY.dataset.path] if STUDY.dataset.path else []
OWN_DATA_FINGERPRINT = [fingerprint(Path(path)) for path in OWN_DATA]

# What `auto` means depends on the device, so the run files are then written where the GPU is.
# Otherwise they are written here: a scheduler would take longer than the job.
ASKS_DEVICE = any("auto" in (run.reading.precision, run.compile) for run in RUNS)

RUN = f"{FOLDER.folder}/runs/{{protocol}}/{{model}}/seed-{{seed}}"
RUN_FILES = [str(FOLDER.run(run).run) for run in RUNS]
METRICS = [str(FOLDER.run(run).metrics) for run in RUNS]
PREDICTIONS = [str(FOLDER.run(run).predictions) for run in RUNS]
REPORTS = [
    f"{FOLDER.report(language)}/{file}"
    for language in STUDY.report.languages
    for file in ["article.qmd"]
    + [f"report.{format}" for format in STUDY.report.formats]
]
# The records hold the words of reasons and the form of numbers, which texts are made of.
RECORDS_CODE = [code_hash("resnet_sizes.schemas"), code_hash("resnet_sizes.i18n")]
TEMPLATES = sorted(str(path) for path in Path("report").rglob("*") if path.is_file())


wildcard_constraints:
    protocol="|".join(STUDY.protocols),
    model="|".join(STUDY.models),
    seed=r"\d+",
    language="|".join(STUDY.report.languages),
    # Without any weights this matches no name of a file.
    key="|".join(WEIGHTS) or "/",


def settings_hash(wildcards):
    """All that the configuration decides of one run: it is trained anew when this changes."""
    return content_hash(
        run_settings(STUDY, wildcards.protocol, wildcards.model, int(wildcards.seed))
    )


def reading_of_weights(wildcards):
    """What decides whether a file of weights is the right one, where it lies, and its content.

    Addresses and time-outs are left out: they decide whether it can be had, never what it is.
    """
    weights = WEIGHTS[wildcards.key]
    if not weights.own_file:
        return STUDY.downloads.folder
    return [weights.weights, *weights.stems, fingerprint(Path(weights.weights))]


def initial_weights(wildcards):
    """The description of the run's initial weights; nothing where they are random."""
    reading = STUDY.protocol_definitions[wildcards.protocol].recipe_for(
        wildcards.model
    )
    key = weights_key(wildcards.model, reading)
    return [] if key is None else [str(FOLDER.weights(key))]


def weights_option(wildcards, input):
    return f"--weights {input.weights}" if input.weights else ""


def figure(name):
    """A figure in every language, with its caption for `snakemake --report`."""
    return [figure_in(language, name) for language in STUDY.report.languages]


def figure_in(language, name):
    return report(
        f"{FOLDER.evidence}/figure-{name}.{language}.svg",
        caption=f"../captions/figure-{name}.rst",
        category="Figures",
        labels={"figure": name, "language": language},
    )


def finished_report(format):
    """The report in one format and any language, with its caption for `snakemake --report`."""
    return report(
        f"{FOLDER.folder}/report/{{language}}/report.{format}",
        caption="../captions/report.rst",
        category="Report",
        labels={"report": format.upper(), "language": "{language}"},
    )


CLUSTER_THREADS = 4
"""What a training asks a scheduler for, beside its GPU, where the study does not say: this
machine's number of cores is not that of the machine that will train."""


def train_threads(wildcards):
    """The CPU cores of one run: on this machine a fair share for each GPU slot.

    A function, since how jobs are executed is known only after the rules were read.
    """
    if STUDY.training.threads != "auto":
        return STUDY.training.threads
    if workflow.remote_exec or workflow.non_local_exec:
        return CLUSTER_THREADS
    try:
        cores = workflow.cores
    except WorkflowError:  # a dry run with a cluster's profile, which has none
        return CLUSTER_THREADS
    slots = workflow.global_resources.get("gpu")
    # A profile that counts GPUs in each job gives them no number.
    return max(1, cores // (slots and slots.value or 1))


def tell_where_the_reports_are():
    for path in REPORTS:
        if Path(path).is_file():
            print(f"Report: {path}")


def tell_how_to_report_what_is_there():
    missing = [path for path in METRICS if not Path(path).is_file()]
    if not missing:
        print(
            "Every run has results. If one of them is said above not to be valid, delete the "
            "file that is named; the plain command then makes it again."
        )
    if len(missing) < len(METRICS):
        print(
            f"{len(METRICS) - len(missing)} of {len(METRICS)} runs have results. The plain "
            "command goes on with the others; a report on what is there: "
            f"resnet-sizes report --partial {FOLDER.study}"
        )
