"""`resnet-sizes init`: a study of one's own, without a clone."""

import re
import shlex
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

PAGES = ("articles.md", "extending.md", "own-images.md", "verdicts.md")
"""Those of docs/ that are about a study of one's own."""

DEMO_FIRST = "\n# To be taken out when config/config.yaml is yours.\nconfigfile: config/demo.yaml\n"


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new folder.")],
    article: Annotated[str, typer.Option(help=f"One of {', '.join(ARTICLES)}.")] = "example",
) -> None:
    """Lay out a new study: configuration, article file, Snakefile, profiles, CI, README, docs.

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
    say(f"For its demonstration, in minutes: cd {shlex.quote(str(folder))} && snakemake")


def _laid_out(folder: Path, article: Path) -> list[Path]:
    """What a study of an article begins with, put into a folder of its own."""
    from resnet_sizes.schemas.article.article import load_article
    from resnet_sizes.schemas.study.networks import NETWORKS

    shutil.copytree(SHIPPED / "workflow" / "new-study", folder, dirs_exist_ok=True)
    models = [row.model for row in load_article(article / "article.yaml").table]
    general = all("imagenet" in NETWORKS[name].stems for name in models)
    file, own = f"articles/{article.name}/article.yaml", SHIPPED / f"config/{article.name}.yaml"
    study = f"name: article\narticle: {file}\nmodels: [{', '.join(models)}]"
    if own.is_file():
        study = own.read_text("utf-8").partition("\n\n")[2].strip()
    overlays = [path.name for path in sorted(SHIPPED.glob(f"config/{article.name}*.yaml"))]
    named = "".join(f", `config/{name}`" for name in overlays)
    fillings = {"article": article.name, "study": study, "version": __version__, "overlays": named}
    fillings |= {"protocol": "scratch-32" if general else "scratch-cifar-stem"}
    for path in [each for each in folder.rglob("*") if each.is_file()]:
        path.write_text(Template(path.read_text("utf-8")).safe_substitute(fillings), "utf-8")
    shutil.copytree(article, folder / "articles" / article.name)
    shutil.copytree(SHIPPED / "profiles", folder / "profiles")
    profile = folder / "profiles/default/config.yaml"
    profile.write_text(profile.read_text("utf-8") + DEMO_FIRST, "utf-8")
    for name in ["README.md", *overlays]:
        shutil.copyfile(SHIPPED / "config" / name, folder / "config" / name)
    (folder / "docs").mkdir()
    for page in PAGES:  # links to others, which are not there, become text
        text = (SHIPPED / "docs" / page).read_text("utf-8")
        elsewhere = rf"\[([^]]+)\]\((?!http|#|{'|'.join(PAGES)})[^)]+\)"
        (folder / "docs" / page).write_text(re.sub(elsewhere, r"\1", text), "utf-8")
    return sorted(folder.iterdir())
