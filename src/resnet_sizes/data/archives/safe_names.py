"""Names inside archives and folders, which somebody else chose."""

from resnet_sizes.io.errors import UserError

_LONGEST = 300
_SYSTEM_FILES = {"__MACOSX", "Thumbs.db", "desktop.ini"}


def safe_parts(name: str, container: str) -> tuple[str, ...]:
    """The parts of a member's name below the top of its archive; `.` parts are dropped.

    Raises UserError for a name that points out of the archive, although nothing is ever
    extracted: an archive that tries is not one to take results from.
    """
    parts = tuple(part for part in name.split("/") if part not in ("", "."))
    problem = (
        "is an absolute path"
        if name.startswith("/")
        else "leads out of the archive (..)"
        if ".." in parts
        else "holds a backslash; folders are separated by /"
        if "\\" in name
        else None
    )
    if problem:
        raise UserError(
            f"{container}: {shown(name)} {problem}. Make the archive anew, with names like "
            "train/<class>/<image>.png."
        )
    return parts


def is_ignored(part: str) -> bool:
    """Whether an operating system put this there: hidden files, previews, folder settings."""
    return part.startswith(".") or part in _SYSTEM_FILES


def visible_parts(parts: tuple[str, ...]) -> tuple[str, ...]:
    """The parts above the first ignored one: a hidden file still shows that its folder is there."""
    for position, part in enumerate(parts):
        if is_ignored(part):
            return parts[:position]
    return parts


def shown(name: str) -> str:
    """A name for a message: control characters, which could steer a terminal, are escaped, and
    a long one is cut."""
    visible = name if name.isprintable() else ascii(name)
    return visible if len(visible) <= _LONGEST else f"{visible[: _LONGEST - 1]}…"
