"""The report for machines: schema.org and citation tags in the page, and `report.json`."""

from collections.abc import Sequence
from html import escape
from importlib.metadata import version
from typing import Any

from resnet_sizes.reporting.inputs import Inputs
from resnet_sizes.reporting.sections.verdict_sentences import overall_sentence
from resnet_sizes.reporting.text.escaping import script_json
from resnet_sizes.schemas.article.article import Article

HEAD = "metadata.html"
"""Included by `article.qmd` in the head of the page."""

DATA = "report.json"

LOCALES = {"pt": "pt-BR", "en": "en-GB"}


def head_html(
    inputs: Inputs, title: str, language: str, created: str, formats: Sequence[str]
) -> str:
    """What search engines and reference managers read of a page. No author is named: those of
    the article did not write it, and nobody else did."""
    tags = [
        ("citation_title", title),
        ("citation_publication_date", created[:10].replace("-", "/")),
        ("citation_language", LOCALES[language]),
        ("DC.relation", inputs.article.article.title),
        ("description", f"{title}. {inputs.article.article.title}"),
    ]
    if "pdf" in formats:
        tags.append(("citation_pdf_url", "report.pdf"))
    lines = [f'<meta name="{name}" content="{escape(text)}">' for name, text in tags]
    data = script_json(_schema_org(inputs, title, language, created, formats), indent=1)
    return "\n".join([*lines, f'<script type="application/ld+json">\n{data}\n</script>']) + "\n"


def report_data(
    inputs: Inputs, title: str, language: str, created: str, keys: Sequence[str]
) -> dict[str, Any]:
    """`report.json`: the verdicts on the article, and every value that the report prints, with
    the file and field it came from and the runs behind it."""
    verdicts = inputs.verdicts
    claims = {claim.id: claim for claim in inputs.article.claims}
    return {
        "schema_version": 1,
        "title": title,
        "language": LOCALES[language],
        "created": created,
        "study": inputs.study.name,
        "study_hash": verdicts.study_hash,
        "article_hash": verdicts.article_hash,
        "demo": inputs.study.demo,
        "article": _article(inputs.article),
        "verdicts": [
            {
                "id": overall.id,
                "claim": getattr(claims[overall.id].text, language),
                "verdict": overall.verdict,
                "reasons": overall.reasons,
                "sentence": getattr(
                    overall_sentence(
                        claims[overall.id],
                        overall,
                        [verdict for verdict in verdicts.verdicts if verdict.id == overall.id],
                    ),
                    language,
                ),
                "readings": overall.readings,
            }
            for overall in verdicts.overall
        ],
        "recommendations": [item.model_dump() for item in verdicts.recommendations],
        "values": {key: inputs.values.values[key].model_dump() for key in keys},
        "runs": {file: run.model_dump() for file, run in inputs.values.runs.items()},
    }


def _article(article: Article) -> dict[str, Any]:
    return {
        "@type": "ScholarlyArticle",
        "name": article.article.title,
        "author": [{"@type": "Person", "name": name} for name in article.article.authors],
        **({"inLanguage": article.article.language} if article.article.language else {}),
    }


def _schema_org(
    inputs: Inputs, title: str, language: str, created: str, formats: Sequence[str]
) -> dict[str, Any]:
    files = [("report.pdf", "application/pdf")] if "pdf" in formats else []
    files.append((DATA, "application/json"))
    identity = inputs.values.values["data.identity"].value
    return {
        "@context": "https://schema.org",
        "@type": "Report",
        "name": title,
        "inLanguage": LOCALES[language],
        "dateCreated": created,
        "isBasedOn": _article(inputs.article),
        "about": {"@type": "Dataset", "identifier": f"sha256:{identity}"},
        "producer": {
            "@type": "SoftwareApplication",
            "name": "resnet-sizes",
            "softwareVersion": version("resnet-sizes"),
        },
        "encoding": [
            {"@type": "MediaObject", "contentUrl": name, "encodingFormat": kind}
            for name, kind in files
        ],
        "accessibilityFeature": ["alternativeText", "structuralNavigation", "tableOfContents"],
    }
