"""What a check of somebody's results found, and the certificate that goes with an archive."""

from typing import Literal

from pydantic import Field

from resnet_sizes.schemas.base import Record, Sha256, Versioned

Group = Literal["files", "study", "runs", "evidence", "report", "replay"]

Outcome = Literal["agrees", "differs", "not-compared"]


class Finding(Record):
    """One thing that was claimed, and what came of making it again."""

    group: Group
    subject: str
    """A file, a run, or `digest`; as the archive or the study's folder names it."""
    outcome: Outcome
    detail: str
    """What was compared; where it differs, what is claimed and what was found."""


class Verification(Versioned):
    """What `resnet-sizes verify` says, also as JSON."""

    study: str
    study_hash: Sha256
    digest: Sha256 | None = None
    """SHA-256 of an archive's `ro-crate-metadata.json`, which lists every file with its own; null
    of a folder in `results/`."""
    checked_by: str = Field(description="Version of this program.")
    findings: list[Finding] = Field(min_length=1)

    @property
    def holds(self) -> bool:
        """Whether nothing that could be compared differs."""
        return all(finding.outcome != "differs" for finding in self.findings)

    def counts(self, group: Group | None = None) -> dict[Outcome, int]:
        """How often each outcome was found, zeros included; of one group or of all."""
        outcomes = [each.outcome for each in self.findings if group in (None, each.group)]
        return {name: outcomes.count(name) for name in ("agrees", "differs", "not-compared")}


class MadeWith(Record):
    """In `report.json`: what rendered a report and drew its figures."""

    engine: Literal["quarto", "pandoc"]
    engine_versions: dict[str, str] = Field(description="As the report names them.")
    drawn_with: dict[str, str] = Field(description="Versions of what draws the figures.")
    code: Sha256 = Field(description="Of the reporting's code, and of all templates.")


class Person(Record):
    """Who answers for a result."""

    name: str = Field(min_length=1)
    orcid: str | None = Field(None, pattern=r"^\d{4}-\d{4}-\d{4}-\d{3}[\dX]$")


class CertifiedDevice(Record):
    """A device on which runs of the study were made."""

    name: str
    kind: str
    runs: int = Field(ge=1)


class Certificate(Versioned):
    """`certificate.json`: who ran what on which device, and what `verify` said of it.

    The page that opens in a browser shows it together with the archive's digest, which no listed
    file can hold.
    """

    title: str
    study: str
    study_hash: Sha256
    authors: list[Person]
    license: str = Field(description="SPDX identifier of the results' licence.")
    devices: list[CertifiedDevice]
    versions: dict[str, list[str]]
    """Of what took part in the runs, each once."""
    training_code: list[str] = Field(description="Hashes of the training code of the runs.")
    code_is_current: bool
    """Whether the code in the archive is the one that all runs were made by."""
    runs: int = Field(ge=1)
    started: str = Field(description="UTC, ISO 8601: of the first run.")
    finished: str = Field(description="UTC, ISO 8601: of the last run.")
    verified_by: str = Field(description="Version of this program.")
    checked: dict[Group, int]
    """What `verify` compared when the archive was made, and found to agree."""
    not_compared: list[str] = Field(description="What it could not compare, and why.")
    preview_sha256: Sha256
    """Of that page, with zeros in place of the digest."""


WhyLeftOut = Literal[
    "other-settings",  # or images, or initial weights; a network or reading that we do not have
    "other-code",  # another version of the training code
    "seed-is-ours",
    "seed-is-anothers",  # of an archive that stands before it
    "incomplete",  # a network lacks this seed there, or has no run of ours
    "same-predictions",  # as another run, bit for bit
]


class Origin(Versioned):
    """`pool/<digest>/origin.json`: where the runs beside it come from."""

    path: str = Field(description="Of the archive, as the key `pool` names it.")
    sha256: Sha256 = Field(description="Of the whole file.")
    digest: Sha256 = Field(description="Of its list of files.")
    certificate: Certificate = Field(description="The archive's: who, on which device, when.")
    left_out: list[str] = Field(description="Runs that have other settings, by name.")


class Pool(Versioned):
    """`pool/pool.json`: all of them, in the order of the key `pool`."""

    origins: list[Origin]


class PooledOrigin(Record):
    """What became of the runs of one archive."""

    origin: Origin
    used: list[str] = Field(description="Runs that count, by name.")
    left_out: dict[str, WhyLeftOut] = Field(description="All others, by name.")
