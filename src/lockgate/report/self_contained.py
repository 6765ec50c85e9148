# SPDX-License-Identifier: Apache-2.0
"""Names of templates and stylesheets of this package come in; what a page that asks for nothing is made of goes out."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib import resources

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

_PACKAGE = "lockgate.report"


@cache
def template(name: str) -> Template:
    """Return a template that escapes every text, and knows nothing that it is not given."""
    environment = Environment(
        loader=PackageLoader(_PACKAGE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(name)


def styled(*names: str) -> dict[str, str]:
    """Return stylesheets as one that stands in its page, and the hash by which the page's policy allows it."""
    found = [resources.files(_PACKAGE).joinpath(f"templates/{name}").read_text("utf-8") for name in names]
    style = Markup("".join(found))  # noqa: S704 -- files of this package
    hashed = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return {"style": style, "style_hash": f"sha256-{hashed}"}
