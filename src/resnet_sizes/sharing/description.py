"""What an archive says of itself, made of its runs and of whom it names."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic_core import from_json

import resnet_sizes
from resnet_sizes.io.files import read_bytes, read_record
from resnet_sizes.io.hashes import file_hash
from resnet_sizes.io.shipped import SHIPPED
from resnet_sizes.schemas.article.article import load_article
from resnet_sizes.schemas.paths import StudyFolder
from resnet_sizes.schemas.run.metrics import Metrics
from resnet_sizes.schemas.run.run import StudyFile, all_run_settings
from resnet_sizes.schemas.run.tensors import read_dataset_info
from resnet_sizes.schemas.study.study import REPORT_FILES, Study
from resnet_sizes.schemas.verification import Certificate, CertifiedDevice, Pool
from resnet_sizes.sharing.contents import files_of
from resnet_sizes.sharing.differences import differences
from resnet_sizes.sharing.open_archive import CERTIFICATE, METADATA, NO_DIGEST, PREVIEW, REMEDY
from resnet_sizes.sharing.pages import page, rendered

PAPERS = ("CITATION.cff", "zenodo.json", "codecheck.yml")
"""What repositories and reviewers read beside the crate; made of `report/archive/`."""


def facts(study_file: StudyFile, folder: StudyFolder) -> dict[str, Any]:
    """What study, article and runs say for the certificate. Raises UserError where one is not
    there."""
    study = study_file.study
    runs = [
        read_record(folder.run(settings).metrics, Metrics, "Run snakemake again.")
        for settings in all_run_settings(study)
    ]
    devices = Counter((run.device.name, run.device.kind) for run in runs)
    versions: dict[str, list[str]] = {}
    for name in sorted({name for run in runs for name in run.versions}):
        versions[name] = sorted({run.versions[name] for run in runs if name in run.versions})
    title = load_article(Path(study.article)).article.title
    return {
        "title": f"{title}: run again as the study {study.name}",
        "study": study.name,
        "study_hash": study_file.study_hash,
        "devices": [
            CertifiedDevice(name=name, kind=kind, runs=number)
            for (name, kind), number in sorted(devices.items())
        ],
        "versions": versions,
        "training_code": sorted({run.code.training_hash for run in runs}),
        "runs": len(runs),
        "started": min(run.started for run in runs),
        "finished": max(run.finished for run in runs),
    }


def described(
    certificate: Certificate, study: Study, folder: StudyFolder, files: Iterable[str], where: Path
) -> dict[str, str]:
    """The text of `PAPERS`, and of the page with `NO_DIGEST`, by name. `files` are the names of
    the archive's other files, sorted; the templates lie in `where`."""
    names, article = list(files), load_article(Path(study.article))
    data = read_dataset_info(folder.dataset_info, study.dataset)
    places = [f"results/{study.name}/report/{language}" for language in study.report.languages]
    pages = {f"{place}/{file}" for place in places for file in REPORT_FILES.values()}
    shown = page(
        "_certificate.html.j2",
        study.name,
        study.report.languages,
        where,
        certificate=certificate,
        study=study,
        data=data,
        origins=read_record(folder.pool, Pool, REMEDY).origins if study.pool else [],
        metadata=METADATA,
        digest=NO_DIGEST,
        pages=[name for name in names if name in pages],
    )
    given = {"certificate": certificate, "article": article.article, "files": names}
    given |= {"checker": None, "on_other_images": not article.setup.is_of(data.content)}
    papers = {name: rendered(f"archive/{name}.j2", where, **given) for name in PAPERS}
    return {PREVIEW: shown} | papers


def crate_metadata(certificate: Certificate, files: Mapping[str, tuple[int, str]]) -> str:
    """The text of `ro-crate-metadata.json`, a Workflow Run RO-Crate.

    `files` has the size in bytes and the SHA-256 of every file by its name. Equal arguments give
    equal text, whatever templates somebody has.
    """
    top = f"results/{certificate.study}/"
    ways_in = ("config/", "articles/")
    inputs = [name for name in files if name.startswith(ways_in) or name == f"{top}study.json"]
    outputs = [name for name in files if name.startswith(top) and name not in inputs]
    text = rendered(
        f"archive/{METADATA}.j2",
        SHIPPED / "report",
        certificate=certificate,
        files=sorted(files.items(), key=lambda file: file[0] != "Snakefile"),
        inputs=inputs,
        outputs=outputs,
        people=[
            f"https://orcid.org/{each.orcid}" if each.orcid else f"#author-{number}"
            for number, each in enumerate(certificate.authors, 1)
        ],
        devices=[f"#device-{number + 1}" for number in range(len(certificate.devices))],
    )
    document = json.loads(text)
    entities = {entity["@id"]: entity for entity in document["@graph"]}
    document["@graph"] = [dict(sorted(entities[name].items())) for name in sorted(entities)]
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def lists_this_code(listed: Mapping[str, str], templates: Path) -> bool:
    """Whether an archive, by the SHA-256 of its files, holds the code and the templates here."""
    package, inside = Path(resnet_sizes.__file__).parent, "src/resnet_sizes/project/"
    code = {"src/resnet_sizes": package, "report": templates}
    # One made with an installed package has templates inside of it.
    known = {name.removeprefix(inside): digest for name, digest in listed.items()} | {**listed}
    return templates.is_dir() and all(
        known.get(f"{top}/{path.relative_to(place).as_posix()}") == file_hash(path)
        for top, place in code.items()
        for path in files_of(place)
        if not path.is_relative_to(package / "project") or place == templates
    )


def remade(
    study_file: StudyFile, folder: StudyFolder, listed: Mapping[str, str], templates: Path
) -> Iterator[tuple[str, Iterable[object]]]:
    """The certificate, the page and `PAPERS` of the archive in the working directory, each with
    how it differs from what comes out here.

    `listed` has the SHA-256 of its files by name. Whom the certificate names, and what was found
    when it was made, is taken from it. Raises OtherCode where what was written with other code or
    templates would differ anyway, and UserError where something cannot be read.
    """
    claimed = read_record(Path(CERTIFICATE), Certificate, REMEDY)
    own = claimed.model_copy(update=facts(study_file, folder))
    yield CERTIFICATE, differences(claimed.model_dump(mode="json"), own.model_dump(mode="json"))
    there = {name: (Path(name), sha256) for name, sha256 in listed.items()}
    sizes = {n: (p.stat().st_size if p.is_file() else 0, h) for n, (p, h) in there.items()}
    graphs = (read_bytes(Path(METADATA), REMEDY), crate_metadata(own, sizes))
    yield METADATA, differences(*(from_json(graph)["@graph"] for graph in graphs))
    digest, names = file_hash(Path(METADATA)), sorted({*listed} - {CERTIFICATE, *PAPERS})
    for name, text in described(own, study_file.study, folder, names, templates).items():
        content = text.replace(NO_DIGEST, digest) if name == PREVIEW else text
        same = read_bytes(Path(name), REMEDY) == content.encode()
        yield name, [] if same else [f"is not what follows from the runs and {CERTIFICATE}"]
