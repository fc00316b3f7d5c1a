rule evidence:
    input:
        info=FOLDER.dataset_info,
        article=STUDY.article,
        devices=STUDY.devices,
        runs=RUN_FILES,
        metrics=METRICS,
        predictions=PREDICTIONS,
    output:
        table=report(
            f"{FOLDER.evidence}/table.csv",
            caption="../captions/table.rst",
            category="Tables",
        ),
        audit=f"{FOLDER.evidence}/audit.json",
        values=f"{FOLDER.evidence}/values.json",
        verdicts=f"{FOLDER.evidence}/verdicts.json",
        loss=figure("loss"),
        accuracy=figure("accuracy"),
        pareto=figure("pareto"),
        forest=figure("forest"),
        confusion=figure("confusion"),
        other_formats=expand(
            f"{FOLDER.evidence}/figure-{{figure}}.{{language}}.{{format}}",
            figure=["loss", "accuracy", "pareto", "forest", "confusion"],
            language=STUDY.report.languages,
            format=["png", "pdf"],
        ),
    log:
        f"{LOGS}/evidence.log",
    localrule: True
    resources:
        mem_mb=2000,
    params:
        study=FOLDER.study,
        study_hash=content_hash(STUDY),
        code=[code_hash("resnet_sizes.evidence"), code_hash("resnet_sizes.reporting"), RECORDS_CODE],
    message:
        "Making the table, the figures and the verdicts"
    shell:
        "resnet-sizes --log {log} evidence {params.study}"
