rule train:
    # The run file holds all that decides this run's result; with the dataset and the hash of
    # the training code it decides when to train again. A new seed, or an edit of a comment, a
    # message, a plot or the formatting, changes none of them.
    input:
        run=RUN.run,
        # Where the seeds have been trained together, this job only puts results in their place.
        together=PLAN.together,
        dataset=FOLDER.dataset,
        weights=PLAN.initial_weights,
    output:
        metrics=RUN.metrics,
        predictions=RUN.predictions,
        weights=[RUN.weights, RUN.card] if STUDY.training.keep_weights else [],
    log:
        FOLDER.log(f"train/{RUN_NAME}"),
    benchmark:
        FOLDER.training_benchmark(RUN_NAME)
    threads: train_threads
    resources:
        gpu=1,
        mem_mb=train_memory_mb,
        runtime=train_minutes,
        # They decide no result, and what stands here is no reason to train again.
        checkpoint_minutes=str(STUDY.training.checkpoint_minutes),
        watchdog_minutes=str(STUDY.training.watchdog_minutes),
        keep_weights=(
            "--keep-weights" if STUDY.training.keep_weights else "--no-keep-weights"
        ),
    params:
        code=training_code_hash(),
        device=STUDY.training.device,
        weights=weights_option,
    message:
        "Training {wildcards.model} under {wildcards.protocol}, seed {wildcards.seed}"
    shell:
        # exec, so that a scheduler's signal has no shell between: an older bash would end by it
        # at once, the job with it, and the run in the middle of its checkpoint.
        "exec resnet-sizes --log {log} train {input.run} --dataset {input.dataset}"
        " --device {params.device} {params.weights}"
        " --checkpoint-minutes {resources.checkpoint_minutes}"
        " --watchdog-minutes {resources.watchdog_minutes} {resources.keep_weights}"
        # On a scheduler's machine a run stops itself before it is stopped.
        " ${{RESNET_SIZES_SCHEDULED:+--time-limit {resources.runtime}}}"


# All seeds of a reading whose frozen layers' features are kept, by the first one's name: they
# would mostly start processes, load torch and wait for each other's features, with a GPU each.
use rule train as train_seeds with:
    input:
        run=seeds_run_files,
        dataset=FOLDER.dataset,
        weights=PLAN.initial_weights,
    output:
        touch(FOLDER.together(RUN_NAME)),
    log:
        FOLDER.log(f"train_seeds/{RUN_NAME}"),
    benchmark:
        FOLDER.training_benchmark(f"together/{RUN_NAME}")
    resources:
        gpu=1,
        mem_mb=train_memory_mb,
        runtime=seeds_minutes,
        checkpoint_minutes=str(STUDY.training.checkpoint_minutes),
        watchdog_minutes=str(STUDY.training.watchdog_minutes),
        keep_weights=(
            "--keep-weights" if STUDY.training.keep_weights else "--no-keep-weights"
        ),
    message:
        "Training all seeds of {wildcards.model} under {wildcards.protocol}"
