"""Addresses for messages and logs, which others get to read."""

import re

_USER = re.compile(r"(?<=//)[^/\s]*@")
# urllib3 tells of the path alone: "Max retries exceeded with url: /file?token=x".
_QUERY = re.compile(r"((?://|url: /)[^\s?'\"]*)\?[^\s'\")\]>]*")


def without_secrets(text: str) -> str:
    """The text, with names, passwords and queries of the addresses in it left out.

    `https://user:password@host/file?token=x` becomes `https://…@host/file?…`. The text may hold
    several addresses and other words, as messages of libraries do.
    """
    return _QUERY.sub(r"\1?…", _USER.sub("…@", text))
