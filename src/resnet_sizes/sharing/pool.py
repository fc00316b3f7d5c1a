"""Archives of others → the runs of theirs that may count as further seeds of a study."""

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from resnet_sizes.io.errors import UserError
from resnet_sizes.io.files import read_record, write_json
from resnet_sizes.io.hashes import file_hash
from resnet_sizes.schemas.article.article import load_article
from resnet_sizes.schemas.base import where_now
from resnet_sizes.schemas.paths import StudyFolder
from resnet_sizes.schemas.run.metrics import Metrics
from resnet_sizes.schemas.run.run import RunFile, all_run_settings, read_study
from resnet_sizes.schemas.study.study import Study
from resnet_sizes.schemas.verification import Certificate, Origin, Pool
from resnet_sizes.sharing.open_archive import CERTIFICATE, METADATA, REMEDY, opened
from resnet_sizes.sharing.verify import verify


def import_pool(study_path: Path) -> list[Origin]:
    """Verify the archives that a study names, and copy their runs that fit its run files to
    `pool/<digest>/`, each with the list of files by which they can be checked again. Raises
    UserError where an archive does not hold or has nothing for the study, and changes nothing then.
    """
    study, folder = read_study(study_path).study, StudyFolder.of_file(study_path)
    origins: list[Origin] = []
    with TemporaryDirectory(dir=folder.folder, prefix=".pool.") as name:
        made = StudyFolder(Path(name))
        for path in study.pool:
            try:
                found = verify(Path(path))
            except UserError as error:
                raise UserError(f"pool: {path}: {str(error).removeprefix(f'{path}: ')}") from None
            if wrong := [each for each in found.findings if each.outcome == "differs"]:
                first = f"{wrong[0].subject}: {wrong[0].detail.rstrip('.')}"
                everything = f"All that differs ({len(wrong)}): resnet-sizes verify {path}"
                raise UserError(f"pool: {path} does not hold; {first}. {everything}")
            for other in (each.path for each in origins if each.digest == found.digest):
                raise UserError(f"pool: {path} is the same archive as {other}. Name it once.")
            origins.append(_imported(path, study, folder, made.pooled(found.digest or "")))
        write_json(made.pool, Pool(origins=origins))
        shutil.rmtree(folder.pool.parent, ignore_errors=True)
        made.pool.parent.rename(folder.pool.parent)
    return origins


def _imported(path: str, study: Study, folder: StudyFolder, place: StudyFolder) -> Origin:
    """Copy the runs of one archive that fit to a folder of the pool."""
    run_files = (folder.run(settings).run for settings in all_run_settings(study))
    remedy = f"Make it and the pool: snakemake {folder.pool} --cores all --configfile CONFIG.yaml"
    ours = [read_record(file, RunFile, remedy) for file in run_files]
    free = {"seed", "compile_mode"}  # in what a run may differ from ours
    wanted = {(run.protocol, run.model): run.model_dump(exclude=free) for run in ours}
    unfit, is_ours = dict[str, list[str]](), True
    with opened(Path(path)) as archive:
        source = StudyFolder(archive.root / archive.study_file.parent)
        theirs = read_study(source.study).study
        title = load_article(where_now(Path(theirs.article), archive.root)).article.title
        if title != load_article(Path(study.article)).article.title:
            raise UserError(f"pool: {path} is of another article ({title}). Take it out of pool.")
        for settings in all_run_settings(theirs):
            files, same = source.run(settings), folder.run(settings).metrics
            run = read_record(files.metrics, Metrics, REMEDY).run.model_dump()
            asked = wanted.get((settings.protocol, settings.model), {"reading": None})
            if others := [key for key in asked if asked[key] != run[key]]:
                unfit[settings.name] = others
                continue
            is_ours &= same.is_file() and file_hash(same) == file_hash(files.metrics)
            target = place.run(settings).folder
            target.mkdir(parents=True)
            for file in filter(Path.is_file, (files.run, files.log, *files.results(False))):
                shutil.copyfile(file, target / file.name)
        if not place.folder.is_dir():
            what = ", ".join(sorted({key for others in unfit.values() for key in others}))
            raise UserError(
                f"pool: {path} has no run that fits this study; they differ in: {what}. Set "
                f"them as in its {archive.study_file}, or take it out of pool."
            )
        if is_ours:
            raise UserError(f"pool: {path} holds this study's own runs. Take it out of pool.")
        for name in (METADATA, CERTIFICATE):
            shutil.copyfile(archive.root / name, place.folder / name)
    origin = Origin(
        path=path,
        sha256=file_hash(Path(path)),
        digest=place.folder.name,
        certificate=read_record(place.folder / CERTIFICATE, Certificate, REMEDY),
        left_out=[*unfit],
    )
    write_json(place.folder / "origin.json", origin)
    return origin
