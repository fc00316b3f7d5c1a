# Names and helpers that the rules share. The study is checked here, so a wrong
# configuration stops before any job is planned.
from functools import cache
from pathlib import Path

from snakemake.exceptions import WorkflowError

from resnet_sizes.data.fingerprint import fingerprint
from resnet_sizes.data.official import official_cifar10
from resnet_sizes.io.code_hash import code_hash, evidence_code_hash, training_code_hash
from resnet_sizes.io.errors import UserError
from resnet_sizes.io.hashes import canonical_json, content_hash
from resnet_sizes.io.shipped import shipped
from resnet_sizes.reporting.render.engines import choose_engine
from resnet_sizes.reporting.text.prose import check_article
from resnet_sizes.schemas.article.article import OWN_FIGURES, load_article
from resnet_sizes.schemas.article.folder import ArticleFolder
from resnet_sizes.schemas.evidence.figures import FIGURE_NAMES
from resnet_sizes.schemas.run.run import RUN_NAME
from resnet_sizes.schemas.study.study import REPORT_FILES
from resnet_sizes.study.run_files import write_study
from resnet_sizes.study.staleness import write_stale_files
from resnet_sizes.study.workflow import WorkflowPlan, checked_study, configuration_files
from resnet_sizes.training.supervision.launch import announce

# A run stops itself, with a checkpoint, when the Snakemake that started it is gone. On the
# machine of a scheduler that is the Snakemake there, which reads this file too.
announce(scheduled=workflow.remote_exec)


def explained(step, *arguments):
    """The result of a step; what is wrong with somebody's input ends Snakemake without a traceback."""
    try:
        return step(*arguments)
    except UserError as error:
        raise WorkflowError(str(error)) from None


def read_configuration():
    files = configuration_files(workflow.configfiles, workflow.overwrite_configfiles)
    # Where another workflow gives these rules their configuration, --config is about its own.
    is_given = workflow.modifier.skip_configfile or "study" in config
    given, command_line = (
        (config, {}) if is_given else ({}, workflow.config_settings.config)
    )
    study = checked_study(given, command_line, files)
    if workflow.is_main_process:
        check_article(Path(study.article))
    if study.report.engine == "quarto":
        choose_engine("quarto")
    return study


# `study.json` is written when the work starts (onstart, in the Snakefile) and is no rule's
# output: as one it would be upstream of everything, and each new seed would train all runs
# again. (With ancient() inputs Snakemake 9.27 plans too little instead: downstream of a job
# that has to run it no longer looks at changed parameters.) What a rule reads of the study
# stands in its `params`, so that it runs again when that changes.
STUDY = explained(read_configuration)
fingerprint = cache(fingerprint)  # one plan looks at each folder once
PLAN = explained(WorkflowPlan, STUDY, fingerprint)
FOLDER = PLAN.folder
FIGURES = explained(load_article, Path(STUDY.article)).figure, *FIGURE_NAMES[1:]
RUN = PLAN.run_pattern
METRICS = [folder.metrics for folder in PLAN.run_folders]


wildcard_constraints:
    protocol="|".join(STUDY.protocols),
    model="|".join(STUDY.models),
    seed=r"\d+",
    language="|".join(STUDY.report.languages),
    # Without any weights this matches no name of a file.
    key="|".join(PLAN.weights) or "/",


# A job on a scheduler's machine is one of a plan that was made elsewhere.
STALE = (
    explained(write_stale_files, STUDY, fingerprint)
    if workflow.is_main_process
    else set()
)


def unless_fresh(path):
    """An input that is newer than the file where that is not of the study as it is now.

    Snakemake has the file made again then, also where it has no record of how it was made.
    """

    def input_file(wildcards):
        is_stale = str(path).format(**wildcards) in STALE
        return FOLDER.stale if is_stale else ancient(FOLDER.stale)

    return input_file


def repeated_runs(dag):
    """Names of the runs whose training somebody forces, as --forcerun, -F and -f with a file do."""
    forced = (job for job in dag.needrun_jobs() if dag.reason(job).forced)
    # A workflow that takes the rules may have renamed them.
    train = rules.train.rule.name
    return {
        RUN_NAME.format(**job.wildcards) for job in forced if job.rule.name == train
    }


def asked_files(dag):
    """Files that were to be there and up to date in the end: with --until or a target not all."""
    return {str(path) for job in dag.jobs for path in job.output}


def weights_option(wildcards, input):
    return f"--weights {input.weights}" if input.weights else ""


def seeds_run_files(wildcards):
    return [FOLDER.run(run).run for run in PLAN.runs_together(wildcards)]


def figure(name):
    """A figure in any language, with its caption for `snakemake --report`."""
    caption = "own" if name in OWN_FIGURES else name
    return report(
        FOLDER.figure(name, "{language}", "svg"),
        caption=f"../captions/figure-{caption}.rst",
        category="Figures",
        labels={"figure": name, "language": "{language}"},
    )


def finished_report(format):
    """The report in one format and any language, with its caption for `snakemake --report`."""
    return report(
        FOLDER.report("{language}") / REPORT_FILES[format],
        caption="../captions/report.rst",
        category="Report",
        labels={"report": format.upper(), "language": "{language}"},
    )


def train_threads(wildcards):
    # A function, since how jobs are executed is known only after the rules were read.
    try:
        scheduled = workflow.remote_exec or workflow.non_local_exec
        cores = None if scheduled else workflow.cores
    except WorkflowError:  # a dry run with a cluster's profile, which has none
        cores = None
    slots = workflow.global_resources.get("gpu")
    # A profile that counts GPUs in each job gives them no number.
    return PLAN.train_threads(cores, slots and slots.value or 1)
