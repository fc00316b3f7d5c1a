rule report:
    input:
        article=shipped(STUDY.article),
        evidence=rules.evidence.output,
        prose=ArticleFolder(Path(STUDY.article)).files(),
        templates=sorted(
            path for path in shipped("report").rglob("*") if path.is_file()
        ),
    output:
        qmd=FOLDER.report("{language}") / "article.qmd",
        data=FOLDER.report("{language}") / "report.json",
        own=figure(FIGURES[0]),
        accuracy=figure("accuracy"),
        pareto=figure("pareto"),
        forest=figure("forest"),
        confusion=figure("confusion"),
        other_formats=[
            FOLDER.figure(name, "{language}", format)
            for name in FIGURES
            for format in ["png", "pdf"]
        ],
        formats=[finished_report(format) for format in STUDY.report.formats],
    log:
        FOLDER.log("report.{language}"),
    localrule: True
    resources:
        mem_mb=2000,
    params:
        study=FOLDER.study,
        study_hash=content_hash(STUDY),
        # Another shape of files makes the evidence again, and thereby the report.
        code=[
            code_hash("resnet_sizes.reporting"),
            code_hash("resnet_sizes.i18n"),
            *filter(None, [OWN_FIGURES.get(FIGURES[0])]),
        ],
    message:
        "Rendering the report ({wildcards.language})"
    shell:
        "resnet-sizes --log {log} report {params.study} --language {wildcards.language}"
