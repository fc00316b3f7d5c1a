"""Configurations, article files and tables of devices."""

from pathlib import Path
from random import Random
from typing import Any

import yaml
from fuzz_mutations import changed_bytes, changed_data

from resnet_sizes.schemas.article.article import load_article
from resnet_sizes.schemas.hardware import load_devices
from resnet_sizes.study.loading import check_files, load_study

CONFIG = Path(__file__).parents[2] / "config"
ARTICLE = CONFIG.parent / "articles/santos-2024/article.yaml"

BASE = """\
name: base
protocols: [scratch-32]
protocol_definitions: {scratch-32: {description: {pt: leitura, en: reading}}}
"""

BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12)
)
MERGE_BOMB = "b0: &b0 {x: 1, y: 2}\n" + "".join(
    f"b{n}: &b{n} {{<<: [{', '.join([f'*b{n - 1}'] * 9)}]}}\n" for n in range(1, 12)
)

DOCUMENTS = [
    BOMB, MERGE_BOMB, BOMB + "name: *a11\n", MERGE_BOMB + "training: *b11\n",
    "name: &x [*x]\n", "training: &x {training: *x}\n", "&x [*x]", "? &x [*x]\n: 1\n",
    "name: !!python/object/apply:os.system [id]\n", "name: !!python/name:os.system\n",
    "[" * 100_000, "{a: " * 5000, "- " * 2000, "? " * 2000, "name: " + "[" * 300 + "]" * 300,
    "seeds: [" + "1, " * 50_000 + "1]\n", "training: {epochs: " + "9" * 6000 + "}\n",
    "training: {epochs: 0x" + "f" * 6000 + "}\n", "training: {epochs: 1" + ":59" * 60_000 + "}\n",
    "name: a\nname: b\n", "".join(f"key{n}: 1\n" for n in range(3000)), "a" * 300_000 + ": 1\n",
    "training: {epochs: !!int ''}\n", "demo: !!bool x\n", "name: !!timestamp x\n",
    "name: 2001-99-99\n", "name: !!binary x\n", "name: !!float x\n", "seeds: !!set {1, 2}\n",
    "seeds: !!omap [1]\n", "seeds: !!pairs [1]\n", "%YAML 9.9\n---\nname: x\n", "--- a\n--- b\n",
    "\ufeffname: x\n", '"\\ud800": 1\n', 'name: "\\ud800"\n', "{[1, 2]: 3}\n", "{{a: 1}: 2}\n",
    "null: 1\n", "1: 2\n", "true: {}\n", ".nan: {}\n", "claims: {}\n", "claims: [1, [2]]\n",
    "seeds: [" + ", ".join(str(n) for n in range(60_000)) + "]\n", "", "~", "[]", "a", "\0",
]  # fmt: skip
"""Whole files, each made to break a reader."""

_PIECES = [
    "&x ", "*x", "!!python/object:os.system ", "!!int ''", "!!timestamp x", "!!str ", "!!binary ",
    "<<: *x", "? ", "- ", "- " * 100, "[" * 400, "{a: ", "1:59:59", "0x_", "0b_", "---\n", "...\n",
    "\t", "#", "|\n", ">-\n", "'", '"', "%", "@", "`", "2001-13-45", "\u2028", "\x85", "\\ud800",
    "name: x\n", "training: {}\n", "9" * 5000, "._", "+.inf", "=", "!", "!<", "key: ",
]  # fmt: skip


class _Yaml:
    suffix = ".yaml"
    refusals = ()

    def __init__(self) -> None:
        self.texts: list[str] = []

    def make(self, random: Random) -> bytes:
        text = random.choice(self.texts)
        match random.randrange(20):
            case 0:
                return random.choice(DOCUMENTS).encode()
            case 1 | 2 | 3:
                return changed_bytes(random, text.encode(), random.choice(DOCUMENTS[4:10]).encode())
            case 4 | 5 | 6 | 7:
                return _with_pieces(random, text).encode()
            case 8 | 9:
                return text.encode()
            case _:
                return dumped(changed_data(random, yaml.load(text, yaml.CSafeLoader))).encode()


class ConfigurationYaml(_Yaml):
    """Overlays of the configuration, as `resnet-sizes study` reads them."""

    name = "YAML, configuration"

    def __init__(self, folder: Path) -> None:
        self.base = folder / "base.yaml"
        files = {"article": str(ARTICLE), "devices": str(CONFIG / "devices.yaml")}
        self.base.write_text(BASE + dumped(files), encoding="utf-8")
        shipped = [path for path in sorted(CONFIG.glob("*.yaml")) if "study" not in path.name]
        self.texts = [
            path.read_text(encoding="utf-8")
            for path in shipped
            if path.name not in ("devices.yaml", "config.yaml")
        ]
        whole = yaml.safe_load((CONFIG / "config.yaml").read_text(encoding="utf-8"))
        self.texts += [dumped({key: value}) for key, value in whole.items()]

    def read(self, path: Path) -> None:
        study = load_study([path], self.base)
        yaml.dump(study.model_dump(mode="json"), Dumper=yaml.CSafeDumper, allow_unicode=True)
        check_files(study)


class ArticleYaml(_Yaml):
    """Articles and tables of devices."""

    name = "YAML, article file and devices"

    def __init__(self, folder: Path) -> None:
        article = yaml.safe_load(ARTICLE.read_text(encoding="utf-8"))
        devices = yaml.safe_load((CONFIG / "devices.yaml").read_text(encoding="utf-8"))
        claims = article["claims"]
        # Few claims a file, so that many files can be read.
        for start in range(0, len(claims), 3):
            self_contained = {**article, "headline": [], "claims": claims[start : start + 3]}
            self.texts = [*getattr(self, "texts", []), dumped(self_contained)]
        few = {**devices, "devices": devices["devices"][:2]}
        self.texts.append("# devices\n" + dumped(few))

    def read(self, path: Path) -> None:
        load = load_devices if path.read_bytes().startswith(b"# devices") else load_article
        load(path)


def dumped(data: Any) -> str:
    """Data as YAML; the emitter's own bound on depth is met by leaving the depth out."""
    try:
        text: str = yaml.dump(data, Dumper=yaml.CSafeDumper, sort_keys=False, allow_unicode=True)
    except RecursionError:
        return "name: " + "[" * 300 + "]" * 300
    return text


def _with_pieces(random: Random, text: str) -> str:
    for _ in range(random.choice((1, 1, 2, 4))):
        place = random.randrange(len(text) + 1)
        if random.random() < 0.6:
            place = text.rfind("\n", 0, place) + 1
            place = (
                (text.find(": ", place) + 2) % (len(text) + 1) if random.random() < 0.6 else place
            )
        text = text[:place] + random.choice(_PIECES) + text[place:]
    return text
