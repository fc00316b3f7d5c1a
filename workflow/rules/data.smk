rule fetch:
    # The archive itself is nobody's output: Snakemake deletes the outputs of a job that it
    # repeats, and 170 MB are not to be fetched twice.
    input:
        own=ancient(OWN_DATA),
    output:
        touch(FOLDER.fetched),
    log:
        f"{LOGS}/fetch.log",
    params:
        study=FOLDER.study,
        # Not the addresses: they decide whether the archive can be had, never what it is, and
        # a new one is no reason to train again.
        downloads=canonical_json(
            [
                STUDY.downloads.folder,
                STUDY.downloads.cifar10.file,
                STUDY.downloads.cifar10.md5,
            ]
        ),
        own=OWN_DATA_FINGERPRINT,
    message:
        "Fetching and verifying the archive of CIFAR-10"
    shell:
        "resnet-sizes --log {log} fetch {params.study} --only images"


rule weights:
    # As with the archive, the file itself is nobody's output.
    output:
        f"{FOLDER.folder}/weights/{{key}}.json",
    log:
        f"{LOGS}/weights/{{key}}.log",
    params:
        study=FOLDER.study,
        weights=reading_of_weights,
    message:
        "Fetching and verifying the initial weights {wildcards.key}"
    shell:
        "resnet-sizes --log {log} fetch {params.study} --only {wildcards.key}"


rule dataset:
    input:
        fetched=IMAGES,
        own=ancient(OWN_DATA),
    output:
        tensors=FOLDER.dataset,
        info=FOLDER.dataset_info,
    log:
        f"{LOGS}/dataset.log",
    localrule: True
    resources:
        mem_mb=4000,
    params:
        study=FOLDER.study,
        dataset=canonical_json(STUDY.dataset),
        own=OWN_DATA_FINGERPRINT,
    message:
        "Making the tensor file of the dataset"
    shell:
        "resnet-sizes --log {log} data {params.study}"


rule run:
    input:
        info=FOLDER.dataset_info,
        weights=initial_weights,
    output:
        f"{RUN}/run.json",
    log:
        f"{LOGS}/run/{{protocol}}/{{model}}/seed-{{seed}}.log",
    localrule: not ASKS_DEVICE
    resources:
        gpu=int(ASKS_DEVICE),
        mem_mb=4000,
        runtime=10,
    params:
        study=FOLDER.study,
        settings=settings_hash,
        device=STUDY.training.device,
    message:
        "Writing the run file of {wildcards.protocol}/{wildcards.model}/seed-{wildcards.seed}"
    shell:
        "resnet-sizes --log {log} study runs {params.study}"
        " {wildcards.protocol}/{wildcards.model}/seed-{wildcards.seed}"
