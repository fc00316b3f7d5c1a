"""The numbers in the head of a page: of its title, and of what search engines read."""

from collections.abc import Iterator
from typing import Any

from resnet_sizes.i18n.numbers import moment
from resnet_sizes.reporting.checks.sources import Sources

_VIEWPORT = "width=device-width, initial-scale=1"


def texts_of_head(head: Any, sources: Sources) -> Iterator[str]:
    """Its texts, but for the date of the results, what tells a browser how wide the page is, and
    the title of the article, which may stand in any of them."""
    expected = {_VIEWPORT, *_dates(sources)}
    texts = [element.text_content() for element in head.iter("title")]
    texts += [element.get("content") or "" for element in head.iter("meta")]
    for text in texts:
        if text not in expected:
            yield text.replace(sources.article.article.title, " ")


def _dates(sources: Sources) -> Iterator[str]:
    finished = sources.values.values.get("made.finished")
    if finished is not None:
        when = moment(str(finished.value))
        yield when.strftime("%Y-%m-%dT%H:%M:%SZ")
        yield when.strftime("%Y/%m/%d")
