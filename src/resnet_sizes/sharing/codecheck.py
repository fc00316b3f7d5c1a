"""A reader's check of an archive in CODECHECK's form (https://codecheck.org.uk)."""

from contextlib import chdir
from pathlib import Path
from typing import Any

from resnet_sizes.io.errors import UserError
from resnet_sizes.io.files import read_record, write_text
from resnet_sizes.io.messages import without_folders
from resnet_sizes.schemas.article.article import load_article
from resnet_sizes.schemas.base import utc_now
from resnet_sizes.schemas.run.run import read_study
from resnet_sizes.schemas.verification import Certificate, Person, Verification
from resnet_sizes.sharing.open_archive import CERTIFICATE, METADATA, REMEDY, listed_files, opened
from resnet_sizes.sharing.pages import rendered
from resnet_sizes.sharing.verify import summary, verify

PAPERS = ("codecheck.yml", "codecheck-certificate.md")


def write_certificate(
    path: Path, checker: Person, digest: str | None, folder: Path
) -> tuple[Verification, tuple[Path, ...]]:
    """Verify an archive, and write `codecheck.yml` and the certificate to `folder`, also of one
    that does not hold; what was found, and the files.

    Raises UserError where there is no archive, as a folder in results/ is none, and where `folder`
    is inside of it.
    """
    target = folder.resolve()
    with opened(path) as archive, chdir(archive.root):
        if not archive.is_archive:
            raise UserError(
                f"{path}: is no archive. Make one first: resnet-sizes archive "
                f"{archive.study_file.parent}, then: resnet-sizes certificate "
                f"{archive.study_file.parent}.zip --checker NAME"
            )
        if target.is_relative_to(Path.cwd()):
            raise UserError(f"--out: {folder} is the archive's own. Name another folder.")
        names: dict[str, Any] = {
            "certificate": read_record(Path(CERTIFICATE), Certificate, REMEDY),
            "article": load_article(Path(read_study(archive.study_file).study.article)).article,
            "files": sorted(listed_files(Path(METADATA))),
        }
    found = verify(path, digest)
    names |= {"checker": checker, "checked": utc_now(), "found": found, "summary": summary(found)}
    written = tuple(folder / name for name in PAPERS)
    for file in written:
        write_text(file, without_folders(rendered(f"archive/{file.name}.j2", None, **names)))
    return found, written
