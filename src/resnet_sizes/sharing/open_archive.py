"""A result that somebody sent, as a folder on this disk, and its files against its own list of
them: nothing in it is trusted."""

import errno
import hashlib
import re
import shutil
import stat
import zipfile
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from unicodedata import normalize
from urllib.parse import unquote

from resnet_sizes.io.errors import UserError
from resnet_sizes.io.files import read_bytes, read_json, read_record
from resnet_sizes.io.hashes import file_hash
from resnet_sizes.io.messages import shown_text
from resnet_sizes.io.shipped import SHIPPED, shipped
from resnet_sizes.schemas.paths import StudyFolder
from resnet_sizes.schemas.verification import Certificate, Finding, Group, Origin, Outcome

METADATA = "ro-crate-metadata.json"
"""The archive's own description, which lists every other file with its SHA-256."""

CERTIFICATE = "certificate.json"
PREVIEW = "ro-crate-preview.html"

UNLISTED = frozenset({METADATA, PREVIEW})
"""The list itself, and the page that shows its digest."""

NO_DIGEST = "0" * 64
"""What stands for the digest where the page itself is hashed."""

REMEDY = "Ask whoever made it for the whole result."

OTHER_VERSION = "was made by another version of the code"
"""How the detail of each finding begins for which that is the reason; no fault."""
_OF_ONE_SYSTEM = re.compile(r'[<>"|?*]|[ .]$|^(con|prn|aux|nul|com\d|lpt\d)(\.|$)', re.IGNORECASE)

MOST_FILES = 100_000
MOST_BYTES = 16 * 1024**3
MOST_LISTED = 64 * 1024**2  # bytes of the list of files: some 360 for each
_MOST_RATIO = 100
_RATIO_FROM = 256 * 1024**2


@dataclass(frozen=True)
class Opened:
    """Where a result lies."""

    root: Path
    """The folder to which paths in the study's configuration are relative."""
    study_file: Path
    """Its `study.json`, relative to `root` or absolute."""
    is_archive: bool
    """Whether it has a list of its files."""


def in_archive() -> bool:
    """Whether the working directory is, or lies in, an unpacked archive."""
    here = Path.cwd()
    return any((top / METADATA).exists() for top in (here, *here.parents))


def templates_here() -> Path:
    """`report/`, but never an archive's: templates, and pandoc's filters beside them, can do
    anything."""
    return SHIPPED / "report" if in_archive() else shipped("report")


@contextmanager
def opened(path: Path) -> Iterator[Opened]:
    """A results folder, an archive, or the folder that an archive was unpacked to.

    An archive is unpacked into a private folder for the time of the block. Raises UserError for
    what is none of these, is damaged, or tries to leave its folder.
    """
    own = StudyFolder.of(str(path)).folder
    path = own if own.is_dir() and not path.exists() else path  # by the study's name
    if path.is_dir() and (path / METADATA).is_file():
        with _speaking_of(path):
            yield Opened(path, _study_in(path, path), True)
    elif path.is_dir() or path.name == "study.json":
        study_file = path / "study.json" if path.is_dir() else path
        if not study_file.is_file():
            raise UserError(
                f"{path}: holds no study.json and no {METADATA}. Name an archive that "
                "resnet-sizes archive made, the folder it was unpacked to, or a folder in results/."
            )
        yield Opened(Path(), study_file, False)
    else:
        with TemporaryDirectory(prefix="resnet-sizes-verify-") as name, _speaking_of(path):
            root = Path(name)
            _unpack(path, root)
            yield Opened(root, _study_in(root, path), True)


@contextmanager
def opened_as_listed(path: Path) -> Iterator[Opened]:
    """As `opened`, in its folder, for what reads a result without verifying it. Raises UserError,
    which names the result, also where a file of an archive is not the one that its list has."""
    everything = f"All of it: resnet-sizes verify {path}"
    with opened(path) as result, chdir(result.root):
        for each in check_files(result, None):
            if each.outcome == "differs":
                raise UserError(f"{path}: {each.subject} {each.detail}. {everything}")
        try:
            yield result
        except UserError as error:
            named = str(error).replace(f"{result.root}/", "")
            raise UserError(named if str(path) in named else f"{path}: {named}") from None


@contextmanager
def _speaking_of(archive: Path) -> Iterator[None]:
    """Errors in the block name the archive."""
    try:
        yield
    except UserError as error:
        text = for_readers(str(error))
        raise UserError(text if str(archive) in text else f"{archive}: {text}") from None


def for_readers(text: str, are_others: bool = True) -> str:
    """What was found, without our private folders, and without remedies that only the owner of a
    study has where its readers `are_others`."""
    text = re.sub(r"\S*/resnet-sizes-verify-\w+/", "", text)
    if not are_others:
        return text
    sentences = re.split(r"(?<=[.:])\s+(?=[A-Z])", re.sub(r" \(looked in [^)]*\)", "", text))
    kept = [x for x in sentences if not re.search("snakemake|resnet-sizes (evid|study|report)", x)]
    return " ".join(kept + [REMEDY] * (len(kept) < len(sentences)))


def _study_in(root: Path, shown: Path) -> Path:
    found = sorted(root.glob("results/*/study.json"))
    if len(found) != 1:
        raise UserError(
            f"{shown}: holds {len(found) or 'no'} files results/<name>/study.json; an archive of a "
            "result holds one. Ask whoever sent it for what resnet-sizes archive made."
        )
    return found[0].relative_to(root)


def _unpack(path: Path, folder: Path) -> None:
    remedy = "Download it again, or ask whoever sent it for what resnet-sizes archive made."
    if not path.is_file():
        raise UserError(f"{path}: no such file or folder. Name an archive, or results/<name>.")
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            check_members(path, members, remedy)
            unpacked, packed = sum(each.file_size for each in members), path.stat().st_size
            flood = unpacked > _RATIO_FROM and unpacked > _MOST_RATIO * packed
            if flood or unpacked > MOST_BYTES:
                raise UserError(f"{path}: {packed} bytes would unpack to {unpacked}. {remedy}")
            if METADATA not in archive.namelist():
                raise UserError(
                    f"{path}: is a zip, but no archive of a result: it has no {METADATA} at its "
                    f"top. {remedy}"
                )
            for member in members:
                if not member.is_dir():
                    _extract(archive, member, folder)
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        reason = shown_text(str(error)) or type(error).__name__
        raise UserError(f"{path}: is no complete zip archive ({reason}). {remedy}") from None
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise  # no room to unpack it
        raise UserError(f"{path}: cannot be read ({error.strerror or error}). {remedy}") from None


def check_members(path: Path, members: list[zipfile.ZipInfo], remedy: str) -> None:
    """Raise UserError for names that lead out of the folder or that not every system has, links,
    and doubles."""

    def refuse(name: str, problem: str) -> UserError:
        return UserError(f"{path}: {shown_text(name)} {problem}. {remedy}")

    if len(members) > MOST_FILES:
        raise UserError(f"{path}: holds {len(members)} files; allowed: {MOST_FILES}. {remedy}")
    seen: set[str] = set()
    for member in members:
        name = member.filename
        parts = PurePosixPath(name).parts
        if name.startswith("/") or "\\" in name or ".." in parts or ":" in name or "\0" in name:
            raise refuse(name, "leads out of the archive, or would elsewhere")
        if not parts or not name.isprintable():
            raise refuse(name, "is no name of a file, or has letters that cannot be printed")
        if stat.S_IFMT(member.external_attr >> 16) not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise refuse(name, "is a link or a device; allowed: files and folders")
        if member.flag_bits & 0x1:
            raise refuse(name, "is encrypted")
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise refuse(name, "is compressed in a way that is not allowed (stored, deflated)")
        if any(map(_OF_ONE_SYSTEM.search, parts)):
            raise refuse(name, "is no name on Windows")
        folded = normalize("NFC", "/".join(parts).casefold())  # as some file systems keep names
        if folded in seen:
            raise refuse(name, "appears in it twice")
        seen.add(folded)


def _extract(archive: zipfile.ZipFile, member: zipfile.ZipInfo, folder: Path) -> None:
    target = folder.joinpath(*PurePosixPath(member.filename).parts)
    target.parent.mkdir(parents=True, exist_ok=True)
    with archive.open(member) as source, target.open("xb") as copy:
        # Reading checks its CRC, and gives no more bytes than the member declares.
        shutil.copyfileobj(source, copy)
        if copy.tell() != member.file_size:
            raise EOFError(f"{member.filename} is shorter than declared")


def check_files(result: Opened, digest: str | None) -> Iterator[Finding]:
    """Every file of an archive against its list, and the list against its digest."""
    if not result.is_archive:
        if digest:
            raise UserError(
                "--digest: is of an archive's list of files, and this is a folder in results/. "
                "Leave it out, or name the archive."
            )
        return
    listed = listed_files(Path(METADATA))
    files = (each for each in Path().rglob("*") if each.is_symlink() or not each.is_dir())
    there = {each.as_posix() for each in files} - UNLISTED
    for name in sorted(there | set(listed)):
        if name not in listed:
            problem = "is not in the archive's list of files"
        elif name not in there:
            problem = "is in the archive's list of files, and not there"
        elif Path(name).is_symlink() or not Path(name).is_file():
            problem = "is a link or a device; allowed: files"
        elif file_hash(Path(name)) != listed[name]:
            problem = f"has another SHA-256 than the list says ({listed[name][:12]}…)"
        else:
            yield finding("files", shown_text(name), "agrees", f"has the SHA-256 of {METADATA}")
            continue
        yield finding("files", shown_text(name), "differs", problem)
    found = file_hash(Path(METADATA))
    if digest is None:
        detail = (
            f"{found}. Compare it with the one that was published, or give that as --digest: "
            "without it nobody can say that the files are the ones that were sent"
        )
        yield finding("files", "digest", "not-compared", detail)
    elif digest.lower().removeprefix("sha256:") == found:
        yield finding("files", "digest", "agrees", f"is the one that was given: {found}")
    else:
        detail = f"{found}; the one that was given is {digest}"
        yield finding("files", "digest", "differs", detail)
    yield _check_preview(found)


def _check_preview(digest: str) -> Finding:
    """The page cannot be listed, since it shows the digest; without it, it has a known hash."""
    try:
        certificate = read_record(Path(CERTIFICATE), Certificate, REMEDY)
        shown = read_bytes(Path(PREVIEW), REMEDY)
    except UserError as error:
        return finding("files", PREVIEW, "differs", str(error))
    blank = shown.replace(digest.encode(), NO_DIGEST.encode())
    if hashlib.sha256(blank).hexdigest() != certificate.preview_sha256:
        return finding("files", PREVIEW, "differs", f"is not what {CERTIFICATE} tells of")
    return finding("files", PREVIEW, "agrees", "shows this digest, as it was written")


def finding(group: Group, subject: str, outcome: Outcome, detail: str) -> Finding:
    """A finding, in one line."""
    return Finding(group=group, subject=subject, outcome=outcome, detail=detail)


def listed_files(metadata: Path) -> dict[str, str]:
    """The SHA-256 of each file that a crate lists, by its path in the archive. Raises UserError."""
    try:
        graph = read_json(metadata, REMEDY, MOST_LISTED)["@graph"]
        kinds = [(each.get("@type"), each) for each in graph]
        files = [each for kind, each in kinds if kind == "File" or "File" in list(kind or ())]
        # Identifiers are addresses, in which a blank is %20.
        return {unquote(str(each["@id"])): str(each["sha256"]) for each in files}
    except (ValueError, KeyError, TypeError, AttributeError):
        raise UserError(
            f"{metadata.name}: is no list of files with their SHA-256. {REMEDY}"
        ) from None


def pool_problems(folder: StudyFolder, origin: Origin) -> Iterator[str]:
    """Where a folder of the pool is not what the archive of its digest has."""
    place, top = folder.pooled(origin.digest).folder, f"results/{origin.certificate.study}/"
    if file_hash(place / METADATA) != origin.digest:
        yield f"{METADATA} is not the list of files with this digest"
    listed = listed_files(place / METADATA)
    files = {top + path.relative_to(place).as_posix(): path for path in place.rglob("runs/**/*.*")}
    for name, path in {**files, CERTIFICATE: place / CERTIFICATE}.items():
        if listed.get(name) != file_hash(path):
            yield f"{path.relative_to(place)} is not the file that the archive lists"
    told = {f"{top}runs/{name}/metrics.json" for name in origin.left_out} | files.keys()
    # What was pooled there is not taken over.
    own = (name for name in listed if name.startswith(f"{top}runs/"))
    if not told.issuperset(name for name in own if name.endswith("/metrics.json")):
        yield "origin.json leaves out runs without a word"
    if origin.certificate != read_record(place / CERTIFICATE, Certificate, REMEDY):
        yield f"origin.json has another certificate than {CERTIFICATE}"
