rule study:
    output:
        FOLDER.study,
    log:
        f"{LOGS}/study.log",
    params:
        resolved=canonical_json(STUDY),
    message:
        "Writing the resolved study to {output}"
    shell:
        "resnet-sizes --log {log} study write --resolved {params.resolved:q}"


rule fetch:
    # The archive itself is nobody's output: Snakemake deletes the outputs of a job that it
    # repeats, and 170 MB are not to be fetched twice.
    input:
        study=ancient(FOLDER.study),
        own=OWN_DATA,
    output:
        touch(f"{FOLDER.folder}/data/fetched"),
    log:
        f"{LOGS}/fetch.log",
    params:
        downloads=canonical_json(STUDY.downloads),
        path=STUDY.dataset.path,
    message:
        "Fetching and verifying the archive of CIFAR-10"
    shell:
        "resnet-sizes --log {log} fetch {input.study}"


rule dataset:
    input:
        study=ancient(FOLDER.study),
        fetched=FETCHED,
        own=OWN_DATA,
    output:
        tensors=FOLDER.dataset,
        info=FOLDER.dataset_info,
    log:
        f"{LOGS}/dataset.log",
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        dataset=canonical_json(STUDY.dataset),
    message:
        "Making the tensor file of the dataset"
    shell:
        "resnet-sizes --log {log} data {input.study}"


rule runs:
    input:
        study=ancient(FOLDER.study),
        info=FOLDER.dataset_info,
    output:
        RUN_FILES,
    log:
        f"{LOGS}/runs.log",
    params:
        runs=content_hash([run.model_dump(mode="json") for run in RUNS]),
    message:
        "Writing the run files"
    shell:
        "resnet-sizes --log {log} study runs {input.study}"
