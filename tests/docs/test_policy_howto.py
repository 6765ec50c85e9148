# SPDX-License-Identifier: Apache-2.0
"""The policies that docs/howto/policy.md shows come in; each must be one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lockgate.core.declaration.policy_declaration import declare
from lockgate.wiring import read_policy_file

PAGE = Path(__file__).resolve().parents[2] / "docs" / "howto" / "policy.md"
EXAMPLES = re.findall(r"^## ([^\n]+)$|^```yaml\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


@pytest.mark.clause("PO-03")
@pytest.mark.parametrize("text", [text for _, text in EXAMPLES if text])
def test_an_example_is_a_policy(text: str, tmp_path: Path) -> None:
    """A reader who copies an example gets no fault."""
    file = tmp_path / "policy.yaml"
    file.write_text(text, encoding="utf-8")

    policy = declare(read_policy_file(str(file)))

    assert declare(policy.document()) == policy
