rule train:
    # `ancient`: the run file is written again whenever the study changes, but what decides
    # this run's result is in `settings`. Adding a seed, or editing a comment, a plot or the
    # formatting, trains nothing; a changed loop, setting or dataset does.
    input:
        run=ancient(
            f"{FOLDER.folder}/runs/{{protocol}}/{{model}}/seed-{{seed}}/run.json"
        ),
        dataset=FOLDER.dataset,
    output:
        metrics=f"{FOLDER.folder}/runs/{{protocol}}/{{model}}/seed-{{seed}}/metrics.json",
        predictions=f"{FOLDER.folder}/runs/{{protocol}}/{{model}}/seed-{{seed}}/predictions.safetensors",
    log:
        f"{LOGS}/train/{{protocol}}/{{model}}/seed-{{seed}}.log",
    benchmark:
        f"{FOLDER.folder}/benchmarks/train/{{protocol}}/{{model}}/seed-{{seed}}.tsv"
    threads: train_threads()
    resources:
        gpu=1,
        mem_mb=8000,
        runtime=720,
    params:
        settings=settings_hash,
        code=code_hash("resnet_sizes.training"),
        device=STUDY.training.device,
    message:
        "Training {wildcards.model} under {wildcards.protocol}, seed {wildcards.seed}"
    shell:
        "resnet-sizes --log {log} train {input.run} --dataset {input.dataset}"
        " --device {params.device}"
