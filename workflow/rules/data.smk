rule fetch:
    # The archive itself is nobody's output: Snakemake deletes the outputs of a job that it
    # repeats, and 170 MB are not to be fetched twice.
    input:
        own=ancient(OWN_DATA),
    output:
        touch(f"{FOLDER.folder}/data/fetched"),
    log:
        f"{LOGS}/fetch.log",
    params:
        study=FOLDER.study,
        downloads=canonical_json(STUDY.downloads),
        own=OWN_DATA_FINGERPRINT,
    message:
        "Fetching and verifying the archive of CIFAR-10"
    shell:
        "resnet-sizes --log {log} fetch {params.study}"


rule dataset:
    input:
        fetched=FETCHED,
        own=ancient(OWN_DATA),
    output:
        tensors=FOLDER.dataset,
        info=FOLDER.dataset_info,
    log:
        f"{LOGS}/dataset.log",
    resources:
        mem_mb=4000,
        runtime=30,
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
    output:
        f"{RUN}/run.json",
    log:
        f"{LOGS}/run/{{protocol}}/{{model}}/seed-{{seed}}.log",
    params:
        study=FOLDER.study,
        settings=settings_hash,
    message:
        "Writing the run file of {wildcards.protocol}/{wildcards.model}/seed-{wildcards.seed}"
    shell:
        "resnet-sizes --log {log} study runs {params.study}"
        " {wildcards.protocol}/{wildcards.model}/seed-{wildcards.seed}"
