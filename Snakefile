# A study file goes in, an article comes out.
#
#   snakemake --cores all --resources gpu=1                                     the article's study
#   snakemake --cores all --resources gpu=1 --configfile config/demo.yaml       the demo
#
# Rules name files and call the command `resnet-sizes`; what a rule does can also be typed.
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.utils import min_version

from resnet_sizes.io.shipped import shipped
from resnet_sizes.study.loading import default_files
from resnet_sizes.study.workflow import command_problem

min_version("9.20")

# Before the configuration is read: it is looked for in the working directory.
problem = command_problem(Path(workflow.basedir), sys.argv)
if problem:
    raise WorkflowError(problem)
if workflow.modifier.path_modifier.prefix:
    raise WorkflowError(
        "prefix: the commands of these rules write to results/NAME, NAME being the study's. Give "
        "the study a name of its own instead, and the rules: use rule * from MODULE as PREFIX_*"
    )


if "apptainer" in map(str, workflow.deployment_settings.deployment_method):
    if not Path("resnet-sizes.sif").exists():
        raise WorkflowError(
            "resnet-sizes.sif: no such file. With apptainer all jobs run in this image: make it, or "
            f"link it here ({shipped('docs/containers.md')}); without one, leave out --sdm apptainer."
        )


for path in default_files():

    configfile: str(path)


report: "workflow/captions/study.rst"


# With --sdm apptainer all jobs run in it (docs/containers.md); a link to another place will do.
container: "resnet-sizes.sif"


include: "workflow/rules/common.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/forecast.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/evidence.smk"
include: "workflow/rules/report.smk"


rule all:
    default_target: True
    # All that a report stands on stands here too: Snakemake looks at no file between those that it
    # is asked for and those that were never made, and one that is lost or old has to be noticed.
    input:
        rules.evidence.input,
        rules.evidence.output,
        [
            path
            for folder in PLAN.run_folders
            for path in folder.results(STUDY.training.keep_weights)
        ],
        expand(rules.report.output, language=STUDY.report.languages),
    localrule: True


rule prefetch:
    # Everything that needs the network, for a login node: snakemake --cores 1 prefetch
    input:
        PLAN.fetched,
    localrule: True


onstart:
    write_study(STUDY)
    # Who asks for a repetition wants no earlier result in its place.
    PLAN.keep_results(repeated_runs(workflow.dag))


onsuccess:
    PLAN.drop_kept_results()
    print(*PLAN.closing_words(asked_files(workflow.dag), failed=False), sep="\n")


onerror:
    PLAN.drop_kept_results()
    print(*PLAN.closing_words(asked_files(workflow.dag), failed=True), sep="\n")
