"""The prose of a `.qmd`, for tests that read it as a person would."""

import re
from collections import Counter
from functools import cache

import yaml
from synthetic import ARTICLE

# Frequent words of one language that are no words of the other (so no `a`, `as`, `do`, `no`).
ENGLISH = {
    "the", "and", "of", "with", "accuracy", "loss", "seed", "seeds", "epoch", "epochs", "table",
    "figure", "training", "layers", "layer", "study", "network", "batch", "rate", "results",
    "conclusions", "references", "introduction", "contents", "supported", "contradicted",
    "comparable", "enough", "runs", "missing", "invalid", "weights", "from", "available", "in",
    "is", "are", "was", "were", "be", "been", "has", "have", "that", "this", "these", "those",
    "which", "what", "where", "there", "here", "to", "not", "it", "its", "by", "on", "at", "an",
    "but", "or", "if", "each", "only", "all", "than", "between", "one", "other", "reading",
    "readings", "claim", "claims", "article", "images", "verdict", "verdicts", "accessed",
    "size", "learning", "optimiser", "device", "time", "times", "reason", "aspect", "quantity",
    "trained", "computed", "measured", "increment", "networks", "mode", "decay", "printed",
}  # fmt: skip
PORTUGUESE = {
    "o", "os", "um", "uma", "e", "é", "de", "da", "das", "dos", "em", "na", "nas", "nos", "ao",
    "aos", "à", "às", "que", "não", "com", "sem", "para", "por", "pela", "pelo", "se", "ou", "são",
    "foi", "foram", "mais", "menos", "entre", "cada", "só", "este", "esta", "estes", "estas",
    "artigo", "acurácia", "perda", "rede", "redes", "época", "épocas", "camada", "camadas",
    "semente", "sementes", "leitura", "leituras", "tabela", "quadro", "figura", "treinamento",
    "dados", "veredito", "vereditos", "afirmação", "afirmações", "resultado", "resultados",
    "execução", "execuções", "imagens", "tempo", "tempos", "pesos", "sustentada", "contradita",
    "nenhuma", "sumário", "acesso", "disponível", "referências", "tamanho", "lote", "taxa",
    "aprendizado", "otimizador", "normalização", "entrada", "modo", "decaimento",
    "grandeza", "motivo", "aspecto", "aqui", "treinada", "treinadas", "calculado", "medido",
}  # fmt: skip
_OTHERS = {"pt": ENGLISH, "en": PORTUGUESE}
_ACCENTED = re.compile(r"[ãõçáéíóúâêôà]")


@cache
def foreign_words(text: str, language: str) -> frozenset[str]:
    """Words of the other language; in English also whatever has an accent of Portuguese."""
    words = frozenset(re.findall(r"\b[a-zà-öø-ÿ]+\b", _without_names(text).lower()))
    found = words & _OTHERS[language]
    return found | {word for word in words if language == "en" and _ACCENTED.search(word)}


def _without_names(text: str) -> str:
    """The text without what is Portuguese in any language: the article's title, its authors."""
    for name in _names():
        text = text.replace(name, " ")
    text = re.sub(r"\bAppendix [A-E]\b", "Appendix", text)  # `e` is a word in Portuguese
    return text.replace("dataset CIFAR", "CIFAR")


@cache
def _names() -> tuple[str, ...]:
    article = yaml.safe_load(ARTICLE.read_text(encoding="utf-8"))["article"]
    return (article["title"], *article["authors"], "Conceição")


def body_of(qmd: str) -> str:
    return qmd.split("\n---\n", 1)[1]


def section_of(body: str, name: str) -> str:
    """A section by its id, with its heading and the sections below it."""
    (heading,) = re.finditer(rf"(?m)^(#+) .*\{{#{name}\}}$", body)
    after = re.search(rf"(?m)^#{{1,{len(heading[1])}}} ", body[heading.end() :])
    return body[heading.start() : heading.end() + after.start() if after else len(body)]


def first_page(body: str) -> str:
    """What stands above the first section."""
    return body[: body.index("\n## ")]


def prose_of(qmd: str) -> str:
    """The text, captions and alternative texts without code, ids, citations and file names."""
    alternatives = re.findall(r'fig-alt="([^"]*)"', qmd)
    qmd = re.sub(r"\*bootstrap\*", " ", qmd)
    text = re.sub(r"(?s)```.*?```|`[^`]*`|\{[^}]*\}|\]\([^)]*\)|\[-?@[^\]]*\]|@[a-z-]+", " ", qmd)
    return _without_names(" ".join([text, *alternatives]))


def labels_of(qmd: str) -> str:
    """The words of the front matter: titles, names of floats."""
    front = yaml.safe_load(qmd.split("---\n", 2)[1])
    floats = front["crossref"]
    labels = [front["title"], front["subtitle"], front["format"]["html"]["toc-title"]]
    labels += [floats[key] for key in floats if key != "custom"]
    labels += [custom["reference-prefix"] for custom in floats.get("custom", [])]
    return " ".join(labels)


def check_language(qmd: str, language: str) -> None:
    """All words of an article are of its language, its numbers written as the language does."""
    body = body_of(qmd)
    prose = prose_of(body)
    assert not foreign_words(prose, language)
    assert not foreign_words(labels_of(qmd), language)
    assert not re.search(r"<<|>>|<%|\bnan\b|Undefined|None(?! of)|True(?! by)|False", prose)
    mark = {"pt": r"\.", "en": ","}[language]
    text = re.sub(r"(?m)^#+ [\d.]+", "", prose)
    assert not re.search(rf"\d{mark}\d{{1,2}}\b(?!{mark})", text)
    if language == "en":
        assert "'" not in re.sub(r"(?<=[a-z])'(?=[a-z])", "", prose)  # pandoc curls only these


def skeleton(qmd: str) -> tuple[list[str], Counter[str], list[int]]:
    """What both languages share: ids in order, references, and how wide each row of a table is.

    What is a Quadro in Portuguese (`qdr-…`) is a table in English (`tbl-quadro-…`).
    """
    body = body_of(qmd).replace("qdr-", "tbl-quadro-")
    ids = re.findall(r"\{#([a-z0-9-]+)", body)
    references = Counter(re.findall(r"@([a-z]+[a-z0-9-]*[a-z0-9])", body))
    rows = [len(re.findall(r"(?<!\\)\|", row)) for row in body.splitlines() if row.startswith("|")]
    return ids, references, rows


def numerals(qmd: str, language: str) -> Counter[str]:
    """Every number of the prose, written as in English without grouping."""
    text = re.sub(r"(?m)^#+ [\d.]+", "", prose_of(body_of(qmd)))
    group, mark = {"pt": (".", ","), "en": (",", ".")}[language]
    number = rf"\d{{1,3}}(?:\{group}\d{{3}})+(?:\{mark}\d+)?|\d+(?:\{mark}\d+)?"
    found = re.findall(number, text)
    return Counter(each.replace(group, "").replace(mark, ".") for each in found)
