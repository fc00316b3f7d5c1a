"""The shipped article file, and what a wrong one is told."""

import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from synthetic import ARTICLE

from resnet_sizes.io.errors import UserError
from resnet_sizes.schemas.article.article import Article, load_article
from resnet_sizes.schemas.article.claims import CLAIM_KINDS, Claim
from resnet_sizes.schemas.article.claims.base import Quantity
from resnet_sizes.schemas.article.claims.printed_number import Cell, Increment
from resnet_sizes.schemas.article.columns import COLUMNS
from resnet_sizes.schemas.study.protocol import TrainingRecipe

ROOT = Path(__file__).parents[2]


@pytest.fixture
def content() -> dict[str, Any]:
    data: dict[str, Any] = yaml.safe_load(ARTICLE.read_text(encoding="utf-8"))
    return data


def write(folder: Path, content: Any) -> Path:
    path = folder / "other.yaml"
    path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    return path


def claim(content: dict[str, Any], name: str) -> dict[str, Any]:
    [found] = [item for item in content["claims"] if item["id"] == name]
    # YAML aliases share their values: a copy keeps a change to this one.
    copy = dict(found)
    content["claims"][content["claims"].index(found)] = copy
    return copy


def refusal(path: Path) -> str:
    with pytest.raises(UserError) as caught:
        load_article(path)
    message = str(caught.value)
    assert str(path) in message
    return message


def test_the_article_has_nineteen_claims_and_thirteen_cells() -> None:
    names = [item.id for item in load_article(ARTICLE).claims]
    assert names == [f"S{n}" for n in range(1, 20)] + [f"T{n}" for n in range(1, 14)]


def test_the_example_explains_each_key_rule_quantity_and_column() -> None:
    text = (ROOT / "workflow/example/article.yaml").read_text(encoding="utf-8")
    schema = Article.model_json_schema()
    records = [schema, *schema["$defs"].values()]
    keys = {key for record in records for key in record.get("properties", {})}
    quantities = set(get_args(Quantity))
    words = set(re.findall(r"[\w-]+", text))
    assert [*sorted({*keys, *quantities, *COLUMNS, *CLAIM_KINDS} - words - {"pt"})] == []


def test_each_key_of_the_schema_has_its_meaning() -> None:
    schema = json.loads((ROOT / "workflow/schemas/article.schema.json").read_text("utf-8"))
    for name, record in {"Article": schema, **schema["$defs"]}.items():
        for key, field in record.get("properties", {}).items():
            assert field.get("description"), f"{name}.{key}"


def test_networks_that_are_nowhere_are_told_once_with_what_to_type(
    tmp_path: Path, content: dict[str, Any]
) -> None:
    text = yaml.safe_dump(content, allow_unicode=True).replace("resnet152", "wrn_40_2")
    path = tmp_path / "own.yaml"
    path.write_text(text, encoding="utf-8")
    told = refusal(path)
    assert told.count("allowed: ") == 1
    assert "found 'wrn_40_2'; allowed: resnet18, resnet34" in told
    assert "resnet-sizes audit ARTICLE.yaml STUDY.yaml" in told


def test_the_first_page_names_claims_of_the_file_and_no_others(
    tmp_path: Path, content: dict[str, Any]
) -> None:
    article = load_article(ARTICLE)
    assert article.headline
    assert set(article.headline) <= {item.id for item in article.claims}
    content["headline"] = ["S14", "S99", "T1"]
    assert "headline: S99 is no id of a claim" in refusal(write(tmp_path, content))
    del content["headline"]
    assert load_article(write(tmp_path, content)).headline == []


def test_every_printed_number_of_the_table_is_one_cell() -> None:
    article = load_article(ARTICLE)
    printed = [
        (row.model, column, printed)
        for row in article.table
        for column, printed in row.cells.items()
        if printed is not None
    ]
    cells = [
        (item.model, item.column, item.printed) for item in article.claims if isinstance(item, Cell)
    ]
    assert sorted(cells) == sorted(printed)


def test_the_printed_numbers_are_the_articles() -> None:
    rows = {row.model: row for row in load_article(ARTICLE).table}
    assert [rows[m].cells.get("accuracy") for m in rows] == ["80.84", "83.55", "85.94"]
    assert [rows[m].cells.get("minutes") for m in rows] == ["41", "112", "262"]
    assert [rows[m].cells.get("layers_increment") for m in rows] == [None, "178", "744"]
    assert [rows[m].cells.get("accuracy_increment") for m in rows] == [None, "3", "6"]


def test_what_the_article_states_is_told_from_what_a_reading_does() -> None:
    article = load_article(ARTICLE)
    (stated,) = article.stated
    assert stated.model == "resnet152"
    assert stated.holds_in(TrainingRecipe(weights="V1", trainable="head"))
    assert stated.holds_in(TrainingRecipe(weights="own.pt", trainable="head"))
    assert not stated.holds_in(TrainingRecipe(weights="V1", trainable="all"))
    assert not stated.holds_in(TrainingRecipe(weights="none", trainable="all"))
    assert article.setup.images == article.setup.train_images + article.setup.test_images == 60_000


def test_texts_write_numbers_as_their_language_does() -> None:
    for item in load_article(ARTICLE).claims:
        if isinstance(item, Cell):
            assert item.printed in item.text.en
            assert item.printed.replace(".", ",") in item.text.pt


def _data(item: Claim) -> list[str]:
    return [] if item.needs is None else sorted(item.needs.data)


def test_values_need_the_official_pixels_and_orders_accept_a_re_encoding() -> None:
    for item in load_article(ARTICLE).claims:
        if item.true_by_construction:
            assert item.needs is None
        elif item.rule in ("cell", "increment"):
            assert _data(item) == ["cifar10"], item.id
        else:
            assert _data(item) == ["cifar10", "cifar10-reencoded"], item.id


def test_minutes_need_the_articles_device() -> None:
    for item in load_article(ARTICLE).claims:
        is_minutes = isinstance(item, Cell) and item.column == "minutes"
        assert (item.needs is not None and item.needs.article_device) == is_minutes


def test_claims_that_we_had_to_interpret_say_how_they_are_judged() -> None:
    by_id = {item.id: item for item in load_article(ARTICLE).claims}
    for name in (f"S{number}" for number in range(3, 20) if number != 11):
        assert by_id[name].criterion is not None, name


def test_the_threshold_in_the_text_is_the_rules() -> None:
    [item] = [item for item in load_article(ARTICLE).claims if item.rule == "decrease"]
    assert item.at_least == 0.25
    assert item.criterion is not None
    assert "um quarto" in item.criterion.pt
    assert "a quarter" in item.criterion.en


def test_the_articles_increments_are_relative_to_its_first_row() -> None:
    article = load_article(ARTICLE)
    first = article.table[0]
    for row in article.table[1:]:
        for column in ("accuracy", "layers"):
            number, base = (Decimal(each.cells.get(column) or 0) for each in (row, first))
            printed = Decimal(row.cells.get(f"{column}_increment") or 0)
            assert round((number / base - 1) * 100) == printed


def test_another_article_is_another_file(tmp_path: Path, content: dict[str, Any]) -> None:
    content["table"] = [
        {
            "model": "resnet34",
            "accuracy": "90.1",
            "layers": 34,
            "minutes": "12.5",
            "layers_increment": None,
            "accuracy_increment": None,
        }
    ]
    cell = claim(content, "T1") | {"model": "resnet34", "printed": "90.1"}
    content["claims"] = [cell]
    content["headline"] = ["T1"]
    article = load_article(write(tmp_path, content))
    assert isinstance(article, Article)
    assert article.claims[0].models_compared(article.base_model) == ["resnet34"]


def test_a_number_that_is_not_the_tables_is_refused(
    tmp_path: Path, content: dict[str, Any]
) -> None:
    claim(content, "T4")["printed"] = "83.56"
    message = refusal(write(tmp_path, content))
    assert "T4 prints 83.56" in message
    assert "the table has 83.55" in message


def test_a_number_with_another_precision_is_refused(
    tmp_path: Path, content: dict[str, Any]
) -> None:
    claim(content, "S3")["printed"] = "3.0"
    assert "S3 prints 3.0" in refusal(write(tmp_path, content))


def test_an_unknown_rule_is_refused_with_the_known_ones(
    tmp_path: Path, content: dict[str, Any]
) -> None:
    claim(content, "S2")["rule"] = "orderng"
    message = refusal(write(tmp_path, content))
    assert "claims[1]: (S2): rule: found 'orderng'" in message
    assert "pareto-knee" in message
    assert "Did you mean 'ordering'?" in message


def test_an_unknown_key_of_a_claim_is_refused_with_the_allowed_ones(
    tmp_path: Path, content: dict[str, Any]
) -> None:
    claim(content, "S6")["atleast"] = 0.5
    message = refusal(write(tmp_path, content))
    assert "claims[5]: (S6): atleast: unknown key" in message
    assert "Did you mean 'at_least'?" in message


def test_layer_counts_may_not_need_data(tmp_path: Path, content: dict[str, Any]) -> None:
    claim(content, "T2")["needs"] = {"data": ["cifar10"]}
    assert "(T2): needs: layer counts need no data" in refusal(write(tmp_path, content))


def test_a_claim_cannot_ask_for_more_seeds_than_are_planned(
    tmp_path: Path, content: dict[str, Any]
) -> None:
    claim(content, "S1")["needs"] = {"data": ["cifar10"], "seeds": 1001}
    assert "(S1): needs.seeds: found 1001" in refusal(write(tmp_path, content))


def test_a_claim_on_results_must_say_what_it_needs(tmp_path: Path, content: dict[str, Any]) -> None:
    del claim(content, "S1")["needs"]
    assert "(S1): needs: is missing" in refusal(write(tmp_path, content))


def test_a_printed_number_must_say_how_wide_an_interval_may_be(
    tmp_path: Path, content: dict[str, Any]
) -> None:
    del claim(content, "T1")["max_half_width"]
    del claim(content, "S3")["max_half_width"]
    message = refusal(write(tmp_path, content))
    assert "(T1): max_half_width: is missing" in message
    assert "(S3): max_half_width: is missing" in message


def test_layer_counts_have_no_width(tmp_path: Path, content: dict[str, Any]) -> None:
    claim(content, "T2")["max_half_width"] = 1
    assert "(T2): max_half_width: layer counts have no interval" in refusal(
        write(tmp_path, content)
    )


def test_the_width_in_the_criterion_is_the_rules() -> None:
    for item in load_article(ARTICLE).claims:
        if isinstance(item, Cell | Increment) and item.max_half_width is not None:
            assert item.criterion is not None
            if isinstance(item, Cell) and item.column == "minutes":
                assert item.max_half_width == pytest.approx(float(item.printed) / 10)
                assert "um décimo" in item.criterion.pt
                assert "a tenth" in item.criterion.en
            else:
                width = f"{item.max_half_width:g}"
                assert f"{width} pontos percentuais" in item.criterion.pt, item.id
                assert f"{width} percentage points" in item.criterion.en, item.id


def test_an_interval_that_supports_a_row_does_not_reach_the_next() -> None:
    article = load_article(ARTICLE)
    for item in article.claims:
        if isinstance(item, Cell) and item.max_half_width is not None:
            others = [getattr(row, item.column) for row in article.table if row.model != item.model]
            # The first row has no increments, which is none at all.
            distances = [abs(float(item.printed) - float(other or 0)) for other in others]
            assert item.max_half_width < min(distances), item.id


def test_the_model_of_an_extreme_must_be_among_the_compared(
    tmp_path: Path, content: dict[str, Any]
) -> None:
    claim(content, "S11")["among"] = ["resnet18", "resnet50"]
    assert "resnet152 is not in among" in refusal(write(tmp_path, content))


def test_diminishing_must_go_from_shallow_to_deep(tmp_path: Path, content: dict[str, Any]) -> None:
    claim(content, "S5")["models"] = ["resnet152", "resnet50", "resnet18"]
    assert "from shallow to deep" in refusal(write(tmp_path, content))


def test_an_id_that_stands_twice_is_refused(tmp_path: Path, content: dict[str, Any]) -> None:
    claim(content, "S2")["id"] = "S1"
    assert "S1 stands twice" in refusal(write(tmp_path, content))


def test_a_missing_article_names_the_key_that_chooses_it(tmp_path: Path) -> None:
    assert "under the key `article`" in refusal(tmp_path / "none.yaml")


def test_broken_yaml_names_the_line(tmp_path: Path) -> None:
    path = tmp_path / "broken.yaml"
    path.write_text("article: {title: x\n", encoding="utf-8")
    assert "line 2" in refusal(path)


@pytest.mark.parametrize("content", [None, [1, 2], {"claims": "none"}, {"claims": [3]}])
def test_a_file_of_another_shape_is_refused(tmp_path: Path, content: Any) -> None:
    assert "is not a valid article file" in refusal(write(tmp_path, content))
