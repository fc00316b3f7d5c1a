"""What repositories and reviewers read beside the crate: citation, deposit, CODECHECK."""

import json
from typing import Any

import yaml

from resnet_sizes.schemas.article.article import Article
from resnet_sizes.schemas.verification import Certificate, Person

UNNAMED = "Not named"
"""What stands for authors where a form must have one."""


def citation(certificate: Certificate, article: Article) -> str:
    """`CITATION.cff` of the result (Citation File Format 1.2.0)."""
    authors = [_cff_person(each) for each in certificate.authors] or [{"name": UNNAMED}]
    return _yaml({
        "cff-version": "1.2.0",
        "message": "If you use this result, please cite it, and the article that it repeats.",
        "title": certificate.title,
        "type": "dataset",
        "license": certificate.license,
        "date-released": certificate.finished[:10],
        "authors": authors,
        "references": [_cited(article)],
    })  # fmt: skip


def _cff_person(person: Person) -> dict[str, str]:
    given, _, family = person.name.rpartition(" ")
    named = {"given-names": given, "family-names": family} if given else {"name": person.name}
    return named | ({"orcid": f"https://orcid.org/{person.orcid}"} if person.orcid else {})


def _cited(article: Article) -> dict[str, Any]:
    return {
        "type": "article",
        "title": article.article.title,
        "authors": [{"name": name} for name in article.article.authors],
    }


def deposit(certificate: Certificate, article: Article) -> str:
    """`zenodo.json`: the metadata of a deposit, as Zenodo's and InvenioRDM's legacy API takes them
    (https://developers.zenodo.org/#representation)."""
    creators = [
        {"name": _family_first(each), **({"orcid": each.orcid} if each.orcid else {})}
        for each in certificate.authors
    ]
    metadata = {
        "title": certificate.title,
        "upload_type": "dataset",
        "publication_date": certificate.finished[:10],
        "description": f"Runs, evidence and reports of the study {certificate.study!r}, which "
        f"repeats the article {article.article.title!r}; with the code that made them. The digest "
        "is in certificate.json.",
        "creators": creators or [{"name": UNNAMED}],
        "license": certificate.license.lower(),
        "keywords": ["reproducibility", "deep learning", "RO-Crate"],
    }
    return json.dumps({"metadata": metadata}, indent=1, ensure_ascii=False) + "\n"


def _family_first(person: Person) -> str:
    given, _, family = person.name.rpartition(" ")
    return f"{family}, {given}" if given else person.name


def codecheck(certificate: Certificate, article: Article, outputs: list[str]) -> str:
    """`codecheck.yml` (https://codecheck.org.uk/spec/config/1.0/), without a code checker: it asks
    for one. `outputs` are the files to be reproduced."""
    return _yaml({
        "version": "https://codecheck.org.uk/spec/config/1.0/",
        "source": "The results of resnet-sizes in this archive",
        "manifest": [{"file": name, "comment": _COMMENTS[name.rpartition("/")[2]]}
                     for name in outputs],
        "paper": {
            "title": article.article.title,
            "authors": [{"name": name} for name in article.article.authors],
        },
        "summary": f"The article's comparison, run again as the study {certificate.study!r}.",
    })  # fmt: skip


_COMMENTS = {
    "table.csv": "Table 1, from the runs' predictions and times",
    "figures.json": "The numbers of all figures",
    "verdicts.json": "The verdicts on the article's claims",
    "report.html": "The article, printed again",
    "report.pdf": "The same on paper",
}


def checked_outputs(names: list[str]) -> list[str]:
    """Those of an archive's files that a code checker looks at."""
    return [name for name in names if name.rpartition("/")[2] in _COMMENTS]


def _yaml(content: dict[str, Any]) -> str:
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=100)
