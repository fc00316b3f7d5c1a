# What decides the pixels. A change makes the dataset again; where that gives the same, results stay.
PIXELS = [
    f"resnet_sizes.data.{name}"
    for name in ["prepare", "sources", "archives", "official"]
]


rule fetch:
    # The archive itself is nobody's output: Snakemake deletes the outputs of a job that it
    # repeats, and 170 MB are not to be fetched twice.
    input:
        own=ancient(PLAN.own_data),
    output:
        touch(FOLDER.fetched),
    log:
        FOLDER.log("fetch"),
    localrule: True
    params:
        study=FOLDER.study,
        downloads=PLAN.archive_identity,
        own=PLAN.own_data_fingerprint,
    message:
        "Fetching and verifying the archive of CIFAR-10"
    shell:
        "resnet-sizes --log {log} fetch {params.study} --only images"


rule weights:
    # As with the archive, the file itself is nobody's output.
    input:
        stale=unless_fresh(FOLDER.weights("{key}")),
    output:
        FOLDER.weights("{key}"),
    log:
        FOLDER.log("weights/{key}"),
    localrule: True
    params:
        study=FOLDER.study,
        weights=PLAN.weights_identity,
    message:
        "Fetching and verifying the initial weights {wildcards.key}"
    shell:
        "resnet-sizes --log {log} fetch {params.study} --only {wildcards.key}"


rule dataset:
    input:
        fetched=PLAN.archive_marker,
        own=ancient(PLAN.own_data),
        stale=unless_fresh(FOLDER.dataset_info),
    output:
        tensors=FOLDER.dataset,
        info=FOLDER.dataset_info,
    log:
        FOLDER.log("dataset"),
    localrule: True
    resources:
        mem_mb=4000,
    params:
        study=FOLDER.study,
        dataset=canonical_json(STUDY.dataset),
        own=PLAN.own_data_fingerprint,
        code=code_hash(*PIXELS),
        official=canonical_json(official_cifar10()),
    message:
        "Making the tensor file of the dataset"
    shell:
        "resnet-sizes --log {log} data {params.study}"


rule run:
    input:
        info=FOLDER.dataset_info,
        weights=PLAN.initial_weights,
        stale=unless_fresh(RUN.run),
    output:
        RUN.run,
    log:
        FOLDER.log(f"run/{RUN_NAME}"),
    localrule: not PLAN.asks_device
    resources:
        gpu=int(PLAN.asks_device),
        mem_mb=4000,
        runtime=10,
    params:
        study=FOLDER.study,
        settings=PLAN.settings_hash,
        device=STUDY.training.device,
    message:
        "Writing the run file of {wildcards.protocol}/{wildcards.model}/seed-{wildcards.seed}"
    shell:
        "resnet-sizes --log {log} study runs {params.study}"
        " {wildcards.protocol}/{wildcards.model}/seed-{wildcards.seed}"
