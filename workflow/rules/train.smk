rule train:
    # The run file holds all that decides this run's result; with the dataset and the hash of
    # the training code it decides when to train again. A new seed, or an edit of a comment, a
    # plot or the formatting, changes none of them.
    input:
        run=f"{RUN}/run.json",
        dataset=FOLDER.dataset,
        weights=initial_weights,
    output:
        metrics=f"{RUN}/metrics.json",
        predictions=f"{RUN}/predictions.safetensors",
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
        code=training_code_hash(),
        device=STUDY.training.device,
        weights=weights_option,
    message:
        "Training {wildcards.model} under {wildcards.protocol}, seed {wildcards.seed}"
    shell:
        "resnet-sizes --log {log} train {input.run} --dataset {input.dataset}"
        " --device {params.device} {params.weights}"
