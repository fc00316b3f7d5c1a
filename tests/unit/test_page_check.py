"""The check of a page, on pages of a sentence or two: what is excused stands in its place."""

from typing import Any

import pytest
from synthetic import ARTICLE

from resnet_sizes.reporting.checks.page_check import strays
from resnet_sizes.reporting.checks.sources import Sources
from resnet_sizes.schemas.article.article import load_article
from resnet_sizes.schemas.evidence.values import Source, Value, Values

VALUES = {
    "study.epochs": (50, "count"),
    "made.finished": ("2025-02-01T20:00:00Z", "datetime"),
    "a.resnet50.accuracy_increment": (-32.1, "percent"),
    "verdict.a.S1.sentence.en": ("In 3 seeds 0.5 points.", "text"),
}
ARTICLE_READ = load_article(ARTICLE)


def sources(**changes: Any) -> Sources:
    origin = [Source(file="metrics.json", field="x")]
    values = {
        key: Value.model_validate({"value": number, "kind": kind, "sources": origin})
        for key, (number, kind) in VALUES.items()
    }
    given: dict[str, Any] = {
        "values": Values(study="19", values=values),
        "article": ARTICLE_READ,
        "language": "en",
        "settings": lambda key: "stem 7×7" if key == "readings.stem.imagenet" else "",
        "names": {
            "study": frozenset({"19"}),
            "reading": frozenset({"19", "probe-224"}),
            "device": frozenset({"A100 (40 GB)"}),
            "engine": frozenset({"3.9"}),
            "code": frozenset({"19", "probe-224", "w-2.pt"}),
            "command": frozenset({"snakemake --cores 2"}),
        },
        "references": {"he2016": "title = {Nets},\n  pages = {770--778},\n  year = {2016}\n}"},
        "alternatives": {},
    }
    return Sources(**given | changes)


def found(body: str, head: str = "", **changes: Any) -> list[str]:
    page = f"<html><head>{head}</head><body><main>{body}</main></body></html>"
    return [stray.numeral for stray in strays(page, sources(**changes))]


def in_span(attributes: str, text: str) -> str:
    return f"<p>It is <span {attributes}>{text}</span> here.</p>"


@pytest.mark.parametrize(("text", "expected"), [("50", []), ("49", ["49"]), ("150", ["150"])])
def test_a_value_is_what_its_key_holds(text: str, expected: list[str]) -> None:
    assert found(in_span('data-k="study.epochs"', text)) == expected
    assert found(in_span('data-k="no.such.key"', "50")) == ["50"]


def test_a_number_has_its_sign_but_where_a_size_is_printed() -> None:
    key = 'data-k="a.resnet50.accuracy_increment"'
    assert found(in_span(key, "−32.1%")) == []
    assert found(in_span(key, "32.1%")) == ["32.1"]
    assert found(in_span(f'class="v size" {key}', "32.1%")) == []
    assert found(in_span(f'class="v size" {key}', "−32.1%")) == ["32.1"]


def test_a_sentence_among_the_values_is_there_as_a_whole() -> None:
    key = 'data-k="verdict.a.S1.sentence.en"'
    assert found(in_span(key, "In 3 seeds 0.5 points.")) == []
    assert found(in_span(key, "3")) == ["3"]
    assert found(in_span(key, "0.5 points")) == ["0.5"]


def claim(name: str) -> Any:
    return next(one for one in ARTICLE_READ.claims if one.id == name)


def test_a_claim_of_the_article_is_there_as_a_whole() -> None:
    text, criterion = claim("S3").text.en, claim("S3").criterion.en
    for whole in (text, criterion, text[0].lower() + text[1:], text.replace(" ", "\n")):
        assert found(in_span('data-l="S3"', whole)) == []
    for part in ("7", "37", "3", "3%", text.replace("178", "187"), text + " In 3.", text.upper()):
        assert found(in_span('data-l="S3"', part)), part
    assert found(in_span('data-l="S3"', claim("S3").text.pt))
    assert found(in_span('data-l="S4"', text))


def test_what_the_article_says_elsewhere_is_there_as_a_whole() -> None:
    assert ARTICLE_READ.judging.seed_deviation is not None
    source = ARTICLE_READ.judging.seed_deviation.source.en
    assert found(in_span('data-l="judging"', source)) == []
    assert found(in_span('data-l="judging"', "0.05"))
    assert found(in_span('data-l="judging"', source[:-1]))


def test_a_setting_is_there_as_a_whole() -> None:
    assert found(in_span('data-t="readings.stem.imagenet"', "stem 7×7")) == []
    assert found(in_span('data-t="readings.stem.imagenet"', "7×7")) == ["7", "7"]


@pytest.mark.parametrize("number", ["3.9", "19", "19.5", "2", "probe-224", "A100 (40 GB)"])
def test_a_name_is_not_excused_in_a_sentence(number: str) -> None:
    assert found(f"<p>In {number} cases.</p>")
    assert found(f"<figure><figcaption>In {number} cases</figcaption></figure>")
    assert found(f"<h1>In {number} cases</h1>")


@pytest.mark.parametrize(
    ("kind", "name"), [("reading", "19"), ("device", "A100 (40 GB)"), ("engine", "3.9")]
)
def test_a_name_is_what_its_kind_has(kind: str, name: str) -> None:
    assert found(in_span(f'data-n="{kind}"', name)) == []
    assert found(in_span(f'data-n="{kind}"', f"{name} 7"))
    assert found(in_span(f'data-n="{kind}"', "18"))
    assert found(in_span('data-n="command"', name))
    assert found(in_span('data-n="other"', name))


def test_code_is_a_whole_name_and_no_version() -> None:
    assert found("<p>The reading <code>19</code> of <code>w-2.pt</code>.</p>") == []
    assert found("<p>In <code>3.9</code> cases.</p>") == ["3.9"]
    assert found("<p>In <code>probe-224 7</code> cases.</p>")
    assert found("<p>In <code>7 w-2.pt</code> cases.</p>")
    assert found("<pre><code>snakemake --cores 2</code></pre>") == []
    assert found("<pre><code>snakemake --cores 3</code></pre>") == ["3"]
    assert found("<p>With <code>snakemake --cores 2</code>.</p>") == ["2"]
    assert found("<pre><code>19</code></pre>") == ["19"]


def test_the_subtitle_has_the_name_of_the_study_once() -> None:
    assert found('<p class="subtitle">Report on the study ‘19’</p>') == []
    assert found('<p class="subtitle">Report 19 on the study ‘19’</p>') == ["19"]
    assert found('<p class="subtitle">Report on the study ‘19.5’</p>') == ["19.5"]
    assert found('<p class="subtitle">Report on the study ‘probe-224’</p>') == ["224"]


def test_what_the_article_calls_its_figure_is_a_setting_not_a_word() -> None:
    assert found("<p>See Figure 1 of the article.</p>") == ["1"]


@pytest.mark.parametrize(
    "attributes",
    [
        'title="in 7 cases"',
        'aria-label="in 7 cases"',
        'aria-description="in 7 cases"',
        'aria-valuetext="7"',
        'placeholder="7"',
        'value="7"',
        'data-tip="7"',
        'data-pad="7"',
        'data-pad="07"',
        'alt="in 7 cases"',
        'title="in 3.9 cases, 7"',
    ],
)
@pytest.mark.parametrize("text", ["words", "50"])
def test_a_number_in_an_attribute_that_is_read_is_found(attributes: str, text: str) -> None:
    assert "7" in "".join(found(in_span(f'data-k="study.epochs" {attributes}', text)))


def test_attributes_that_nobody_reads_may_hold_numbers() -> None:
    attributes = 'id="x-7" class="a7" style="width: 7%" href="#x-7" tabindex="7" data-pad=",00%"'
    assert found(in_span(f'data-k="study.epochs" {attributes}', "50")) == []


@pytest.mark.parametrize("start", ["", ' start="1"'])
def test_the_items_of_a_list_are_counted_from_one(start: str) -> None:
    assert found(f"<ol{start}><li>a</li><li>b</li></ol>") == []


@pytest.mark.parametrize(
    "items", ['<ol start="7"><li>a</li></ol>', '<ol><li value="7">a</li></ol>']
)
def test_a_list_that_begins_elsewhere_is_found(items: str) -> None:
    assert found(items) == ["7"]


@pytest.mark.parametrize(
    "head",
    [
        "<title>Sizes in 7 cases</title>",
        "<title>Sizes in 3.9 cases, 7</title>",
        '<meta name="description" content="In 7 cases.">',
        '<meta property="og:title" content="In 7 cases.">',
        '<meta name="citation_publication_date" content="2025/02/07">',
        '<meta name="dcterms.date" content="2025-02-01T20:00:07Z">',
        '<meta name="viewport" content="width=7">',
        '<meta name="generator" content="7">',
    ],
)
def test_a_number_in_the_head_is_found(head: str) -> None:
    assert found("<p>Words.</p>", head)


def test_the_head_has_the_date_of_the_results_and_the_title_of_the_article() -> None:
    head = (
        '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="dcterms.date" content="2025-02-01T20:00:00Z"><title>CIFAR-10</title>'
        '<meta name="citation_publication_date" content="2025/02/01">'
        f'<meta name="description" content="CIFAR-10. {ARTICLE_READ.article.title}">'
    )
    assert found("<p>Words.</p>", head) == []


def test_a_reference_has_the_numbers_of_its_entry() -> None:
    def entry(text: str, key: str = "he2016") -> list[str]:
        return found(f'<div id="refs"><div id="ref-{key}">{text}</div></div>')

    assert entry("HE. Nets. 2016. p. 770–778.") == []
    assert entry("HE. Nets. 2016. p. 7–778.") == ["7"]
    assert entry("HE. Nets. 2016.", "he2015") == ["2016"]
    assert found('<div id="refs"><p>In 2016.</p></div>') == ["2016"]


def test_a_citation_has_the_year_of_what_it_cites() -> None:
    def cited(text: str, keys: str = "he2016") -> list[str]:
        refs = '<div id="refs"><div id="ref-he2016">HE. Nets. 2016. p. 770–778.</div></div>'
        span = f'<span class="citation" data-cites="{keys}">(<a href="#x">{text}</a>)</span>'
        return found(f"<p>Nets {span}.</p>{refs}")

    assert cited("He, 2016") == []
    assert cited("He, 2016, p. 7") == ["7"]
    assert cited("He, 2016, p. 770") == ["770"]
    assert cited("He, 2016", "he2015") == ["2016"]


def test_a_caption_begins_with_the_kind_of_its_float() -> None:
    def caption(text: str) -> list[str]:
        return found(f'<div id="tbl-x"><figure><figcaption>{text}</figcaption></figure></div>')

    assert caption("Table\N{NO-BREAK SPACE}1 – Sizes") == []
    assert caption("Cases\N{NO-BREAK SPACE}1 – Sizes") == ["1"]


def test_the_title_of_the_article_may_hold_numbers_where_it_is_told() -> None:
    article = ARTICLE_READ.article.model_copy(update={"title": "Nets of 2023"})
    article = ARTICLE_READ.model_copy(update={"article": article})
    assert found('<div class="autoria"><p><em>Nets of 2023</em></p></div>', article=article) == []
    assert found("<p>Nets of 2023</p>", article=article) == ["2023"]
    assert found("<p><em>In 2023</em></p>", article=article) == ["2023"]


@pytest.mark.parametrize("numeral", ["7", "²", "½", "Ⅶ", "⑦", "７", "❼"])
def test_numerals_of_any_script_are_found(numeral: str) -> None:
    assert found(f"<p>In {numeral} cases.</p>") == [numeral]


@pytest.mark.parametrize("unseen", ["<!-- a comment -->", "<script>x</script>", "<br>"])
def test_a_number_behind_what_nobody_sees_is_found(unseen: str) -> None:
    assert found(f"<p>In {unseen} 7 cases.</p>") == ["7"]
