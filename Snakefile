# A study file goes in, an article comes out.
#
#   snakemake --cores all --resources gpu=1                                     the article's study
#   snakemake --cores all --resources gpu=1 --configfile config/demo.yaml       the demo
#
# Rules name files and call the command `resnet-sizes`; what a rule does can also be typed.
from snakemake.utils import min_version

min_version("9.20")


configfile: "config/config.yaml"


report: "workflow/captions/study.rst"


include: "workflow/rules/common.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/forecast.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/evidence.smk"
include: "workflow/rules/report.smk"


localrules:
    all,
    prefetch,
    fetch,
    weights,


rule all:
    default_target: True
    # The metrics stand here too, so that a result that was deleted is made again.
    input:
        METRICS,
        PLAN.reports,


rule prefetch:
    # Everything that needs the network, for a login node: snakemake --cores 1 prefetch
    input:
        PLAN.fetched,


onstart:
    write_study(STUDY)


onsuccess:
    print(*PLAN.closing_words(failed=False), sep="\n")


onerror:
    print(*PLAN.closing_words(failed=True), sep="\n")
