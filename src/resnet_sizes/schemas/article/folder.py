"""What lies beside an article file, its prose and bibliography, and the languages of both."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, get_args

from resnet_sizes.io.errors import UserError
from resnet_sizes.io.shipped import shipped
from resnet_sizes.schemas.article.article import Article
from resnet_sizes.schemas.base import where_now
from resnet_sizes.schemas.study.protocol import Language
from resnet_sizes.schemas.study.study import Study


class ArticleFolder:
    """The folder of an article file; where it holds no more, the report says what holds of any."""

    def __init__(self, article: Path) -> None:
        """`article` is found as by `load_article`."""
        self.file = shipped(where_now(article))
        self.folder = self.file.parent
        self.references = self.folder / "references.bib"
        """Entries of the bibliography, besides those of `report/assets/references.bib`."""

    def prose(self, language: str) -> Path:
        """Where files lie that take the place of those of `report/<language>/`: templates by their
        names, texts of `texts.yaml` by their keys."""
        return self.folder / "prose" / language

    @property
    def languages(self) -> list[Language]:
        """Those that it has prose in."""
        return [name for name in get_args(Language) if self.prose(name).is_dir()]

    def files(self) -> list[Path]:
        """All that a report is made from."""
        prose = (path for name in self.languages for path in sorted(self.prose(name).iterdir()))
        return [path for path in (self.references, *prose) if path.is_file()]


def report_languages(
    study: Study, article: Article, folder: ArticleFolder, asked: Iterable[str]
) -> list[str]:
    """The languages `asked` for, or else all of the article in which its prose and the study's
    protocols are too. Raises UserError for one in which something is missing."""
    lists: dict[str, list[Any]] = {study.article: article.languages}
    lists[str(folder.folder / "prose")] = folder.languages or article.languages
    for name in study.protocols:
        text = study.protocol_definitions[name].description.model_dump(exclude_none=True)
        lists[f"protocol_definitions.{name}.description"] = [*text]
    found = [each for each in article.languages if all(each in own for own in lists.values())]
    for language in (wanted := list(asked) or found or article.languages):
        for place, own in lists.items():
            if language not in own:
                remedy = f", or set report.languages to [{', '.join(found)}]" if found else ""
                raise UserError(
                    f"{place}: is in {', '.join(own) or 'no language'}, and a report in {language} "
                    f"is asked for. Write what is missing{remedy}."
                )
    return list(wanted)
