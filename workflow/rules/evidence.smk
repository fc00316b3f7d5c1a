rule pool:
    # Runs of others count only where their archive holds.
    input:
        archives=ancient(STUDY.pool),
        runs=[folder.run for folder in PLAN.run_folders],
        stale=unless_fresh(FOLDER.pool),
    output:
        FOLDER.pool,
    log:
        FOLDER.log("pool"),
    localrule: True
    resources:
        mem_mb=2000,
    params:
        study=FOLDER.study,
        archives=PLAN.pool_fingerprints,
    message:
        "Verifying the archives of others, and taking over their runs"
    shell:
        "resnet-sizes --log {log} study pool {params.study}"


rule evidence:
    input:
        info=FOLDER.dataset_info,
        pool=PLAN.pool,
        article=shipped(STUDY.article),
        devices=shipped(STUDY.devices),
        runs=[folder.run for folder in PLAN.run_folders],
        metrics=METRICS,
        predictions=[folder.predictions for folder in PLAN.run_folders],
        stale=unless_fresh(FOLDER.evidence / "verdicts.json"),
    output:
        table=report(
            FOLDER.evidence / "table.csv",
            caption="../captions/table.rst",
            category="Tables",
        ),
        audit=FOLDER.evidence / "audit.json",
        values=FOLDER.evidence / "values.json",
        figures=FOLDER.evidence / "figures.json",
        verdicts=FOLDER.evidence / "verdicts.json",
    log:
        FOLDER.log("evidence"),
    localrule: True
    resources:
        mem_mb=2000,
    params:
        study=FOLDER.study,
        study_hash=content_hash(STUDY),
        code=evidence_code_hash(),
    message:
        "Making the table, the values and the verdicts"
    shell:
        "resnet-sizes --log {log} evidence {params.study}"
