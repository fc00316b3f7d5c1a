"""`resnet-sizes init`: a study of one's own, without a clone."""

import shutil
from pathlib import Path
from string import Template
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from resnet_sizes import __version__
from resnet_sizes.cli.console import result, say
from resnet_sizes.io.errors import UserError
from resnet_sizes.io.files import explained_write
from resnet_sizes.io.messages import shown
from resnet_sizes.io.shipped import SHIPPED

ARTICLES = {path.parent.name: path.parent for path in sorted(SHIPPED.glob("*/*/article.yaml"))}
"""Folders of articles, by name."""


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new folder.")],
    article: Annotated[str, typer.Option(help=f"One of {', '.join(ARTICLES)}.")] = "example",
) -> None:
    """Lay out a new study: configuration, article file, Snakefile, profiles, CI, README.

    The rules and the report's templates stay in the package. Nothing is overwritten.
    """
    if article not in ARTICLES:
        raise UserError(f"--article: found {shown(article)}; allowed: {', '.join(ARTICLES)}.")
    with explained_write(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=folder, prefix=".init.") as name:
            made = _laid_out(Path(name), ARTICLES[article])
            if there := [path.name for path in made if (folder / path.name).exists()]:
                problem = f"{folder}: has {', '.join(there)}, and nothing is overwritten"
                raise UserError(f"{problem}. Name another folder, or move what is there.")
            for path in made:
                result(str(path.rename(folder / path.name)))
    say(f"Its demonstration, with a report in two minutes: cd {folder} && snakemake")


def _laid_out(folder: Path, article: Path) -> list[Path]:
    """What a study of an article begins with, put into a folder of its own."""
    from resnet_sizes.schemas.article.article import load_article
    from resnet_sizes.schemas.study.networks import NETWORKS

    shutil.copytree(SHIPPED / "workflow" / "new-study", folder, dirs_exist_ok=True)
    models = [row.model for row in load_article(article / "article.yaml").table]
    general = all("imagenet" in NETWORKS[name].stems for name in models)
    fillings = {"article": article.name, "models": ", ".join(models), "version": __version__}
    fillings |= {"protocol": "scratch-32" if general else "scratch-cifar-stem"}
    for path in [each for each in folder.rglob("*") if each.is_file()]:
        path.write_text(Template(path.read_text("utf-8")).safe_substitute(fillings), "utf-8")
    shutil.copytree(article, folder / "articles" / article.name)
    shutil.copytree(SHIPPED / "profiles", folder / "profiles")
    for path in [SHIPPED / "config/README.md", *SHIPPED.glob(f"config/{article.name}*.yaml")]:
        shutil.copyfile(path, folder / "config" / path.name)
    return sorted(folder.iterdir())
