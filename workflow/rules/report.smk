rule report:
    input:
        study=FOLDER.study,
        article=STUDY.article,
        evidence=rules.evidence.output,
        templates=TEMPLATES,
    output:
        qmd=f"{FOLDER.folder}/report/{{language}}/article.qmd",
        formats=expand(
            f"{FOLDER.folder}/report/{{{{language}}}}/report.{{format}}",
            format=STUDY.report.formats,
        ),
    log:
        f"{LOGS}/report.{{language}}.log",
    resources:
        mem_mb=2000,
        runtime=15,
    params:
        code=code_hash("resnet_sizes.reporting"),
        report=canonical_json(STUDY.report),
    message:
        "Rendering the report ({wildcards.language})"
    shell:
        "resnet-sizes --log {log} report {input.study} --language {wildcards.language}"
