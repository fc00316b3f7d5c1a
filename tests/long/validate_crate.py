"""roc-validator without a network: the one address that it asks for is answered from a file.

    python validate_crate.py CONTEXT.jsonld CRATE    in an environment that has roc-validator

Prints a line for each thing that the crate must have and lacks; exit status 1 if there is one.
"""

import io
import sys
import urllib.request
from email.message import Message
from pathlib import Path
from urllib.response import addinfourl

import requests

ADDRESS = "https://w3id.org/ro/crate/1.1/context"
KIND = "application/ld+json"


def main(context: bytes, crate: str) -> int:
    """Validate a crate; `context` is what lies at the address."""

    def opened(self: object, request: object, *_: object, **__: object) -> addinfourl:
        url = request if isinstance(request, str) else request.full_url
        if not url.startswith(ADDRESS):
            raise OSError(f"{url}: no network")
        headers = Message()
        headers["Content-Type"] = KIND
        return addinfourl(io.BytesIO(context), headers, url, 200)

    def requested(self: object, method: str, url: str, **_: object) -> requests.Response:
        answer = requests.Response()
        answer.status_code, answer.url = (200 if url.startswith(ADDRESS) else 404), url
        answer.headers["Content-Type"] = KIND
        answer._content = context
        return answer

    urllib.request.OpenerDirector.open = opened
    requests.Session.request = requested

    from rocrate_validator import models, services

    result = services.validate(
        services.ValidationSettings(
            rocrate_uri=crate,
            profile_identifier="workflow-run-crate",
            requirement_severity=models.Severity.REQUIRED,
        )
    )
    for issue in result.get_issues():
        print(issue.severity.name, issue.message, issue.violatingEntity)
    return int(result.has_issues())


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).read_bytes(), sys.argv[2]))
