rule evidence:
    input:
        info=FOLDER.dataset_info,
        article=STUDY.article,
        devices=STUDY.devices,
        runs=[folder.run for folder in PLAN.run_folders],
        metrics=METRICS,
        predictions=[folder.predictions for folder in PLAN.run_folders],
    output:
        table=report(
            FOLDER.evidence / "table.csv",
            caption="../captions/table.rst",
            category="Tables",
        ),
        audit=FOLDER.evidence / "audit.json",
        values=FOLDER.evidence / "values.json",
        verdicts=FOLDER.evidence / "verdicts.json",
        loss=figure("loss"),
        accuracy=figure("accuracy"),
        pareto=figure("pareto"),
        forest=figure("forest"),
        confusion=figure("confusion"),
        other_formats=expand(
            FOLDER.figure("{figure}", "{language}", "{format}"),
            figure=["loss", "accuracy", "pareto", "forest", "confusion"],
            language=STUDY.report.languages,
            format=["png", "pdf"],
        ),
    log:
        FOLDER.log("evidence"),
    localrule: True
    resources:
        mem_mb=2000,
    params:
        study=FOLDER.study,
        study_hash=content_hash(STUDY),
        code=[
            code_hash("resnet_sizes.evidence"),
            code_hash("resnet_sizes.reporting"),
            RECORDS_CODE,
        ],
    message:
        "Making the table, the figures and the verdicts"
    shell:
        "resnet-sizes --log {log} evidence {params.study}"
