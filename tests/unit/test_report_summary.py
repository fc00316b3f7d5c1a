"""The first page, the order of the chapters, and the table of what the verdicts mean."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from report_prose import body_of, first_page, section_of
from report_studies import (
    CACHED,
    DEMO,
    LITERAL,
    PARTIAL,
    article_of,
    article_text,
    in_both_languages,
    rendered,
    study_with_evidence,
)
from synthetic import ARTICLE, own_readings

from resnet_sizes.reporting.inputs import Inputs, read_inputs
from resnet_sizes.reporting.text.words import Words
from resnet_sizes.schemas.article.article import load_article
from resnet_sizes.schemas.evidence.verdicts import VerdictName
from resnet_sizes.schemas.paths import StudyFolder

WITH_AUDIT = {
    "pt": [
        "1 Introdução", "2 Metodologia", "3 Resultados", "4 Discussão", "5 Conclusões",
        "6 Referências",
        "Apêndice A – Como se julga cada afirmação",
        "Apêndice B – O veredito de cada afirmação",
        "Apêndice C – O que o artigo diz de si mesmo",
        "Apêndice D – O que o artigo deixa em aberto, e outros resultados",
        "Apêndice E – Como este documento foi feito",
    ],
    "en": [
        "1 Introduction", "2 Methods", "3 Results", "4 Discussion", "5 Conclusions",
        "6 References",
        "Appendix A – How each statement is judged",
        "Appendix B – The verdict on each statement",
        "Appendix C – What the article says of itself",
        "Appendix D – What the article leaves open, and further results",
        "Appendix E – How this document was made",
    ],
}  # fmt: skip


def inputs_of(folder: Path, **settings: Any) -> Inputs:
    study = study_with_evidence(folder, **settings)
    return read_inputs(study, StudyFolder.of_file(study).evidence)


def without_audit(inputs: Inputs) -> Inputs:
    """The inputs on an article that prints nothing that could be checked."""
    nothing = {"increments": [], "accuracies": [], "pairs": [], "returns": [], "protocols": []}
    return replace(inputs, audit=inputs.audit.model_copy(update=nothing))


def chapters(body: str) -> list[str]:
    return re.findall(r"(?m)^## (.*) \{#", body)


def table_of(text: str) -> list[list[str]]:
    """The rows below the head of the first table."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line[1:-1].split("|")] for line in lines[2:]]


def headline_of(body: str) -> list[list[str]]:
    """The table of claims, which comes first, without what its ids and verdicts lead to."""
    table = first_page(body).split("\n| |")[0]
    return table_of(re.sub(r"\[([^][]+)\]\(#confira-[A-Z]+\d+\)", r"\1", table))


def numbers_of(body: str) -> list[list[str]]:
    """The table of numbers, behind that of claims."""
    return table_of("\n| |" + first_page(body).split("\n| |")[1])


def line_of(body: str, start: str) -> str:
    (line,) = [line for line in first_page(body).splitlines() if line.startswith(start)]
    return " ".join(line.split())  # without the spaces that do not break


@pytest.mark.parametrize("language", ["pt", "en"])
@pytest.mark.parametrize("settings", [{}, DEMO, CACHED], ids=["full", "demo", "cached"])
def test_the_article_comes_first_and_then_the_appendices(
    settings: dict[str, Any], language: str
) -> None:
    body = body_of(article_text(language, **settings))
    assert chapters(body) == WITH_AUDIT[language]
    assert f"### 5.1 {'Limites' if language == 'pt' else 'Limits'} {{#limites}}" in body


def test_without_an_audit_no_letter_is_skipped(tmp_path: Path) -> None:
    for name, qmd in in_both_languages(without_audit(inputs_of(tmp_path, **DEMO))).items():
        body = body_of(qmd)
        expected = WITH_AUDIT[name][:8] + WITH_AUDIT[name][9:]
        expected[8:] = [
            re.sub(r"(Apêndice|Appendix) \w", rf"\1 {letter}", title)
            for letter, title in zip("CD", expected[8:], strict=True)
        ]
        assert chapters(body) == expected


@pytest.mark.parametrize("audited", [True, False])
def test_an_appendix_is_referred_to_by_its_letter(tmp_path: Path, audited: bool) -> None:
    inputs = inputs_of(tmp_path, **CACHED)
    body = body_of(rendered(inputs if audited else without_audit(inputs)))
    letters = {
        name: letter for letter, name in re.findall(r"(?m)^## Apêndice (\w) .* \{#(.*)\}$", body)
    }
    method = section_of(body, "metodologia")
    assert f"o Apêndice {letters['criterios']} diz como" in method
    assert f"o Apêndice {letters['afirmacoes']} traz o veredito de cada uma" in method
    assert f"(@qdr-metodo, no Apêndice {letters['detalhes']})" in method
    assert "{#qdr-metodo}" in section_of(body, "detalhes")
    discussion = section_of(body, "discussao")
    assert f"O Apêndice {letters['afirmacoes']} traz o veredito de cada afirmação" in discussion
    comparison = section_of(body, "comparacao")
    assert f"estão no Apêndice {letters['detalhes']}" in comparison
    assert ("auditoria" in letters) == audited
    told = re.findall(r"Apêndice (\w)", body)
    assert set(told) == set(letters.values())


def test_the_first_page_has_the_claims_that_the_article_file_puts_first() -> None:
    article = load_article(ARTICLE)
    texts = {item.id: item.text for item in article.claims}
    for settings in ({}, CACHED, LITERAL):
        assert headline_of(article_of(**settings)) == [
            [f"**{name}.** {texts[name].pt}", "✓ sustentada"] for name in article.headline
        ]
    rows = headline_of(body_of(article_text("en")))
    assert rows[0] == [f"**S12.** {texts['S12'].en}", "✓ supported"]


def test_ids_and_verdicts_of_the_first_page_lead_to_the_commands_that_check_them() -> None:
    body = article_of()
    assert "**[S1](#confira-S1).** " in first_page(body)
    assert "| [✓ sustentada](#confira-S1) |" in first_page(body)
    checks = re.findall(r'\{#confira-(\w+) \.prova verdict="[^"]+" commands="([^"]+)"\}', body)
    assert [name for name, _ in checks] == [claim.id for claim in load_article(ARTICLE).claims]
    assert all(commands.split("; ")[0].endswith(f" {name}") for name, commands in checks)
    assert "(#confira-" not in first_page(article_of(**PARTIAL))


def test_our_numbers_stand_above_the_article_s() -> None:
    page = first_page(article_of(**DEMO))
    assert re.findall(r"(?m)^\| (?:O|\|) .*$", page) == [
        "| O que o artigo diz | Veredito |",
        "| | ResNet-18 | ResNet-50 | ResNet-152 |",
    ]
    assert headline_of(article_of(**DEMO))[0][1] == "○ não comparável"
    assert numbers_of(article_of(**DEMO)) == [
        ["aqui", "90,00% (0,42 min)", "85,00% (1,2 min)", "61,11% (2,3 min)"],
        ["no artigo", "80,84% (41 min)", "83,55% (112 min)", "85,94% (262 min)"],
    ]
    ours, _ = numbers_of(article_of(**CACHED))
    assert ours[0] == "aqui (`probe-224`)"
    assert ours[1] == r"80,84% (41\* min)"
    assert r"\* Tempo calculado, e não medido." in first_page(article_of(**CACHED))


def test_a_contradicted_claim_has_its_own_sign() -> None:
    falling = {
        "protocols": ("probe-224",),
        "readings": own_readings("probe-224"),
        "accuracies": {"resnet18": 0.86, "resnet50": 0.81, "resnet152": 0.8},
    }
    body = article_of(**falling)
    rows = {re.findall(r"S\d+", row[0])[0]: row for row in headline_of(body)}
    assert rows["S1"][1] == "✗ contradita"
    assert numbers_of(body)[0][1].startswith("86,00% (")


def test_a_network_without_results_has_no_numbers_on_the_first_page() -> None:
    body = article_of(**PARTIAL)
    ours, printed = numbers_of(body)
    assert ours[-1] == "sem resultado"
    assert printed[-1] == "85,94% (262 min)"
    assert {row[1] for row in headline_of(body)} == {"○ não executada"}


def test_what_nothing_decides_is_counted_in_a_few_words() -> None:
    line = line_of(article_of(**DEMO), "**Resultado.**")
    assert line == (
        "**Resultado.** Das 19 afirmações do artigo que dados podem pôr à prova, todas "
        "ficaram em aberto (não comparáveis com estes dados)."
    )


def article_with(folder: Path, **changes: Any) -> Path:
    """The shipped article file with other keys; None leaves a key out."""
    content = yaml.safe_load(ARTICLE.read_text(encoding="utf-8")) | changes
    content = {key: value for key, value in content.items() if value is not None}
    path = folder / "article.yaml"
    path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    return path


def ids_of_headline(inputs: Inputs) -> list[str]:
    body = body_of(rendered(inputs))
    return [re.findall(r"[ST]\d+", row[0])[0] for row in headline_of(body)]


def test_without_a_choice_in_the_article_file_its_conclusions_come_first(tmp_path: Path) -> None:
    inputs = inputs_of(tmp_path, **DEMO, article=article_with(tmp_path, headline=None))
    conclusions = [claim.id for claim in inputs.article.claims if claim.place == "conclusions"]
    assert ids_of_headline(inputs) == conclusions
    assert conclusions


def test_cells_of_the_table_and_claims_without_a_printed_number_may_come_first(
    tmp_path: Path,
) -> None:
    article = article_with(tmp_path, headline=["T4", "S6", "T10", "S2"])
    inputs = inputs_of(tmp_path, article=article)
    body = body_of(rendered(inputs))
    assert ids_of_headline(inputs) == ["T4", "S6", "T10", "S2"]
    assert headline_of(body)[2][1] == "≡ verdadeira por construção"


def test_the_study_is_told_at_a_glance() -> None:
    assert line_of(article_of(**DEMO), "**Ficha do estudo.**") == (
        "**Ficha do estudo.** ResNet-18, ResNet-50 e ResNet-152, leitura `scratch-32`; dígitos "
        "manuscritos (scikit-learn): 1.437 imagens de treinamento e 360 de teste; semente 0; "
        "Synthetic GPU; 3 min 58 s de treinamento ao todo. Resultados de 1º de janeiro de 2025."
    )
    line = line_of(article_of(**CACHED), "**Ficha do estudo.**")
    assert "leituras `probe-224` e `scratch-32`; CIFAR-10: 50.000 imagens" in line
    assert "; sementes 0, 1 e 2; " in line
    line = line_of(body_of(article_text("en", **CACHED)), "**At a glance.**")
    assert "readings `probe-224` and `scratch-32`; CIFAR-10: 50,000 images for training" in line
    assert "; seeds 0, 1 and 2; " in line
    assert " of training in all. Results of " in line


def test_at_a_glance_what_is_not_known_is_left_out(tmp_path: Path) -> None:
    inputs = inputs_of(tmp_path, **DEMO)
    unknown = ("hardware.device", "made.training_seconds")
    values = {key: item for key, item in inputs.record.values.items() if key not in unknown}
    changed = replace(inputs, record=inputs.record.model_copy(update={"values": values}))
    line = line_of(body_of(rendered(changed)), "**Ficha do estudo.**")
    assert "; semente 0. Resultados de " in line


def test_what_the_article_s_own_numbers_say_is_on_the_first_page(tmp_path: Path) -> None:
    for settings in ({}, DEMO):
        body = article_of(**settings)
        line = line_of(body, "**O artigo, por si só.**")
        audit = section_of(body, "auditoria")
        assert line.endswith("(Apêndice C)")
        said = line.removeprefix("**O artigo, por si só.** ").removesuffix(" (Apêndice C)")
        sentences = re.split(r"(?<=[a-z`]\.) ", said)
        assert len(sentences) == 3
        assert all(sentence in audit for sentence in sentences)
    body = body_of(rendered(without_audit(inputs_of(tmp_path, **DEMO))))
    assert "O artigo, por si só" not in body
    assert "exame dos números" not in body


def meanings_of(body: str) -> list[list[str]]:
    criteria = section_of(body, "criterios")
    return table_of(criteria[criteria.index("{#qdr-vereditos}") :].split("\n\nOs vereditos")[0])


@pytest.mark.parametrize(
    ("settings", "left_out"),
    [
        (CACHED, set()),
        ({}, {"depende da leitura", "decidida só em parte das leituras"}),
        (DEMO, {"depende da leitura", "decidida só em parte das leituras"}),
    ],
    ids=["cached", "full", "demo"],
)
def test_every_verdict_that_the_study_can_come_to_is_explained(
    words: Words, settings: dict[str, Any], left_out: set[str]
) -> None:
    rows = meanings_of(article_of(**settings))
    all_of_them = [str(words(f"verdicts.{name}")) for name in get_args(VerdictName)]
    assert left_out <= set(all_of_them)
    signs = {word: sign for sign, _, word in (row[0].partition(" ") for row in rows)}
    assert list(signs) == [each for each in all_of_them if each not in left_out]
    assert all(len(meaning) > 20 for _, meaning in rows)
    assert (signs["sustentada"], signs["contradita"]) == ("✓", "✗")


@pytest.mark.parametrize("language", ["pt", "en"])
def test_a_sign_tells_decided_verdicts_apart_without_colour(
    words_in: Callable[[str], Words], language: str
) -> None:
    words = words_in(language)
    signs = {name: str(words(f"signs.{name}")) for name in get_args(VerdictName)}
    assert set(words.find("signs")) == set(words.find("meanings")) == set(signs)
    decided = [signs[name] for name in ("supported", "direction-only", "contradicted")]
    assert len(set(decided)) == 3
    others = {sign for name, sign in signs.items() if sign not in decided}
    assert len(others) == 3
    assert all(len(sign) == 1 for sign in signs.values())
