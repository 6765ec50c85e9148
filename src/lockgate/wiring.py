# SPDX-License-Identifier: Apache-2.0
"""What a door needs comes in by name; the adapter that does it goes out. The only importer of adapters.

An adapter is imported when it is first asked for, because each brings a library of its own.
"""

from __future__ import annotations

from collections.abc import Mapping


def read_policy_file(path: str) -> Mapping[str, object]:
    """Return the mapping that a policy file holds, YAML or JSON; `-` is standard input."""
    from lockgate.adapters.decoders import policy_file

    return policy_file.read_policy_file(path)


def encode_policy(document: Mapping[str, object]) -> str:
    """Return a policy document as YAML."""
    from lockgate.adapters.decoders import policy_file

    return policy_file.encode_policy(document)
