# SPDX-License-Identifier: Apache-2.0
"""The words of a call of curl come in; the answer goes out: for machines without it, and no more than pages type."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener


def main() -> None:
    """Make the call."""
    given = _parser().parse_args()
    body = None if given.body is None else given.body.encode()
    if body is not None and body.startswith(b"@"):
        body = Path(body[1:].decode()).read_bytes()
    headers = dict(each.split(": ", 1) for each in given.headers)
    method = given.method or ("GET" if body is None else "POST")
    request = Request(given.url, body, headers, method=method)  # noqa: S310 -- it is a page of this project that names it
    try:
        answer = build_opener(ProxyHandler({})).open(request, timeout=30)
    except HTTPError as error:
        answer = error
    with answer:
        said = answer.read()
    if given.is_failing and answer.status >= 400:
        sys.stderr.write(f"curl: (22) The requested URL returned error: {answer.status}\n")
        sys.exit(22)
    if given.out is None:
        sys.stdout.buffer.write(said)
    else:
        if given.is_making:
            given.out.parent.mkdir(parents=True, exist_ok=True)
        given.out.write_bytes(said)
    sys.stdout.write(given.last.replace("%{http_code}", str(answer.status)).replace("\\n", "\n"))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("-H", action="append", default=[], dest="headers")
    parser.add_argument("-d", "--data-binary", dest="body")
    parser.add_argument("-X", dest="method")
    parser.add_argument("-sS", action="store_true")
    parser.add_argument("-w", default="", dest="last")
    parser.add_argument("-o", dest="out", type=Path)
    parser.add_argument("--fail", action="store_true", dest="is_failing")
    parser.add_argument("--create-dirs", action="store_true", dest="is_making")
    return parser


if __name__ == "__main__":
    main()
