rule evidence:
    input:
        info=FOLDER.dataset_info,
        article=STUDY.article,
        devices=STUDY.devices,
        runs=RUN_FILES,
        metrics=METRICS,
        predictions=PREDICTIONS,
    output:
        table=f"{FOLDER.evidence}/table.csv",
        audit=f"{FOLDER.evidence}/audit.json",
        values=f"{FOLDER.evidence}/values.json",
        verdicts=f"{FOLDER.evidence}/verdicts.json",
        figures=expand(
            f"{FOLDER.evidence}/figure-loss.{{language}}.{{format}}",
            language=STUDY.report.languages,
            format=["svg", "png", "pdf"],
        ),
    log:
        f"{LOGS}/evidence.log",
    resources:
        mem_mb=2000,
        runtime=15,
    params:
        study=FOLDER.study,
        study_hash=content_hash(STUDY),
        code=[code_hash("resnet_sizes.evidence"), RECORDS_CODE],
    message:
        "Making the table, the figure and the verdicts"
    shell:
        "resnet-sizes --log {log} evidence {params.study}"
