"""Configuration files → the checked study, with errors that name the file and the key."""

import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from resnet_sizes.io.errors import UserError
from resnet_sizes.io.messages import Location, explain, looked_in, shown_text
from resnet_sizes.io.own_code import missing_in
from resnet_sizes.io.shipped import SHIPPED, exists, shipped
from resnet_sizes.io.yaml import read_yaml
from resnet_sizes.schemas.article.article import load_article
from resnet_sizes.schemas.article.folder import ArticleFolder, report_languages
from resnet_sizes.schemas.base import MOVED
from resnet_sizes.schemas.paths import StudyFolder
from resnet_sizes.schemas.run.weights import wanted_weights
from resnet_sizes.schemas.study.study import DEFAULT, Study

DEFAULT_CONFIG = Path("config/config.yaml")

Contents = Mapping[Path, dict[str, Any]]
"""What configuration files hold, the one with the last word last."""


def default_files() -> list[Path]:
    """What each overlay is merged over: the shipped `config/config.yaml`, and over this the one in
    the working directory, where that is another."""
    there = [path for path in (SHIPPED / DEFAULT_CONFIG, DEFAULT_CONFIG) if path.is_file()]
    return list({path.resolve(): path for path in there}.values())


def load_study(overlays: Sequence[Path], base: Path | None = None) -> Study:
    """Read `base` or the `default_files`, merge `overlays` over it in order, and check the result.

    Raises UserError with every problem at once: key, value, what is allowed, file.
    """
    # Here, so that commands which read no overlay do without Snakemake, and start sooner.
    from snakemake.utils import update_config

    files = [base] if base else default_files()
    known = {path.resolve() for path in files}
    files += [path for path in overlays if path.resolve() not in known]
    contents = {path: read_yaml_mapping(path) for path in files}
    merged: dict[str, Any] = {}
    for content in contents.values():
        update_config(merged, content)
    return check_study(merged, contents)


def study_part(content: Mapping[str, Any]) -> dict[str, Any]:
    """A study's keys, which in a larger workflow's configuration stand below `study`. A length in
    one unit is none in the other, whatever is below, and a network's hash is that of its file."""
    inner = content.get("study", content)
    part = dict((inner or {}) if isinstance(inner, Mapping | None) else content)
    length, own, units = part.get("training"), part.get("networks"), ("epochs", "iterations")
    if isinstance(length, dict) and [*map(length.get, units)].count(None) == 1:
        part["training"] = dict.fromkeys(units) | length
    for network in own.values() if isinstance(own, dict) else ():
        if isinstance(network, dict):
            network.pop("sha256", None)
    return part


def check_study(config: dict[str, Any], contents: Contents) -> Study:
    """Check a merged configuration; `contents` are the files it came from, to name them in
    errors."""
    config = _without_stale_seeds(config, contents)
    try:
        study = Study.model_validate(config)
    except ValidationError as error:
        lines = [
            f"  {_file_of(location, config, contents)}: {text}"
            for location, text in explain(error, Study).items()
        ]
        raise UserError(
            "The configuration does not make a study:\n" + "\n".join(lines) + "\n"
            f"Every key and its allowed values: {shipped('config/README.md')}."
        ) from None
    path, spec = Path(study.article), study.report
    if exists(shipped(file := path / "article.yaml")):
        raise UserError(f"article: {path} is a folder; allowed: a file. Write article: {file}")
    if not exists(shipped(path)) or not shipped(path).is_file():
        return study  # `check_files` says so
    article, folder = load_article(path), ArticleFolder(path)
    languages = report_languages(study, article, folder, spec.languages)
    return study.model_copy(update={"report": spec.model_copy(update={"languages": languages})})


def _without_stale_seeds(config: dict[str, Any], contents: Contents) -> dict[str, Any]:
    """Without the seeds of protocols that a file trains and a later one leaves out: who chooses
    other protocols did not ask for their seeds, and an overlay cannot delete a key."""
    from snakemake.utils import update_config

    seeds, trained = config.get("seeds"), config.get("protocols")
    if not isinstance(seeds, dict) or not isinstance(trained, list):
        return config
    merged: dict[str, Any] = {}
    earlier: dict[str, Any] = {}
    for content in contents.values():
        update_config(merged, content)
        given, chosen = merged.get("seeds"), merged.get("protocols")
        if isinstance(given, dict) and isinstance(chosen, list):
            earlier |= {name: given[name] for name in given if name in chosen}
    kept = {
        name: value
        for name, value in seeds.items()
        if name in (DEFAULT, *trained) or earlier.get(name, _ABSENT) != value
    }
    return config | {"seeds": kept}


def find_study_file(study: str) -> Path:
    """The `study.json` that a path of it, of its folder or of its overlay means, or a study's name.

    Raises UserError, with what to do next, if it is not there.
    """
    path = Path(study)
    if path.suffix == ".zip" and path.is_file():
        raise UserError(f"{study}: is an archive. Unpack it, and name the study in its folder.")
    is_overlay = path.suffix in (".yaml", ".yml")
    if is_overlay:
        found = StudyFolder.of(load_study([path]).name).study
    elif path.suffix == ".json":
        found = path
    elif len(path.parts) != 1 or (path / "study.json").is_file():
        found = path / "study.json"
    else:
        found = StudyFolder.of(study).study
    if found.is_file():
        return found
    others = sorted(each.parent.name for each in Path("results").glob("*/study.json"))
    there = f" Studies that have begun here: {', '.join(others)}." if others else ""
    raise UserError(
        f"{found}: no such file ({looked_in()}); the study has not begun.{there} "
        "Snakemake writes it when it begins, or: resnet-sizes study write "
        f"{path if is_overlay else 'CONFIG.yaml'}"
    )


def check_files(study: Study) -> None:
    """Raise UserError if a local file that the study names is not there, or has a name that
    Snakemake would take for a pattern."""
    named = [("article", study.article), ("devices", study.devices)]
    named += (("pool", path) for path in study.pool)
    images = study.dataset.path
    for path in study.dataset.own_files:
        is_path = images is not None and path == Path(images)
        named.append(("dataset.path" if is_path else "dataset.source", str(path)))
    own = study.dataset.own_code
    if own and own[0].is_file() and (problem := missing_in(*own)):
        raise UserError(f"dataset.source: {problem} Correct the file, or change dataset.source.")
    own_weights = (each for each in wanted_weights(study).values() if each.own_file)
    named += ((each.asked_by[0], each.weights) for each in own_weights)
    if _not_expanded(study.downloads.folder):  # another one is made
        named.append(("downloads.folder", study.downloads.folder))
    for key, value in named:
        if not exists(value) and value in MOVED:
            raise UserError(
                f"{key}: {value} has been moved. Write {key}: {MOVED[value]} in the configuration; "
                "no run is repeated."
            )
        if not exists(shipped(value) if key in ("article", "devices") else value):
            raise UserError(
                f"{key}: {shown_text(repr(value))} does not exist ({looked_in()}). "
                f"{_not_expanded(value) or _misread(value)}Put the file there, or change {key} in "
                "the configuration."
            )
        if key == "pool" and Path(value).is_dir():
            raise UserError(
                f"pool: {value!r} is a folder; allowed: archives (resnet-sizes archive)."
            )
        if re.search(r"[{}]", value):
            raise UserError(
                f"{key}: found {shown_text(repr(value))}; allowed: paths without braces, which "
                f"Snakemake reads as wildcards. Rename the file, and change {key}."
            )


def _not_expanded(path: str) -> str:
    """What a path does not do that one expects of it, as a sentence with a blank; or nothing."""
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]+:/", path):
        return "Addresses are not fetched: download it, and name the file. "
    if path.startswith("~") or re.search(r"\$[\w{]|%\w+%", path):
        return "~ and variables such as $HOME are not expanded: write the whole path. "
    return ""


def _misread(path: str) -> str:
    """The remedy for a locale in which a name has other bytes than UTF-8 gives it, or nothing."""
    encoding = sys.getfilesystemencoding()
    if encoding == "utf-8" or path.isascii():
        return ""
    return f"Names are read as {encoding} here; if it is there, run: export PYTHONUTF8=1. If not: "


def read_yaml_mapping(path: Path) -> dict[str, Any]:
    """What a file of configuration says of a study. Raises UserError naming the file and line."""
    there = sorted({each.name for each in Path("config").glob("*.yaml")} - {"devices.yaml"})
    data = read_yaml(
        path,
        f"Correct the name or the file; config/ holds {', '.join(there) or 'no overlay'}.",
    )
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise UserError(f"{path}: holds a {type(data).__name__}; allowed: keys with values.")
    return study_part(data)


_ABSENT = object()


def _file_of(location: Location, config: Any, contents: Contents) -> str:
    """The last file that gives the key the value that was found, or else all candidates."""
    found = _value_at(config, location)
    for path, content in reversed(list(contents.items())):
        given = _value_at(content, location)
        if _ABSENT not in (found, given) and (
            given == found or (isinstance(given, dict) and isinstance(found, dict))
        ):
            return str(path)
    return "--config, or " + " + ".join(str(path) for path in contents)


def _value_at(data: Any, location: Location) -> Any:
    if not location:
        return _ABSENT
    for part in location:
        try:
            data = _ABSENT if isinstance(data, str) else data[part]
        except (LookupError, TypeError):
            return _ABSENT
    return data
