# SPDX-License-Identifier: Apache-2.0
"""Documents come in; the published schema and the reading must agree as far as a schema can say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from jsonschema import Draft202012Validator

from lockgate.core.declaration.fault import PolicyFaults
from lockgate.core.declaration.policy_declaration import declare
from lockgate.core.declaration.schema import policy_schema
from tests.core.declaration.documents import DOCUMENTS, Document, damaged

SCHEMA: dict[str, Any] = dict(policy_schema())
VALIDATOR = Draft202012Validator(SCHEMA)


@pytest.mark.clause("PO-09")
def test_the_schema_is_one() -> None:
    """It obeys the dialect that it names."""
    Draft202012Validator.check_schema(SCHEMA)

    assert SCHEMA["$schema"] == Draft202012Validator.META_SCHEMA["$id"]


@pytest.mark.clause("PO-09")
@settings(max_examples=60)
@given(DOCUMENTS)
def test_what_is_declared_passes_the_schema(document: Document) -> None:
    """An owner's document and its effective form both pass."""
    policy = declare(document)

    assert list(VALIDATOR.iter_errors(document)) == []
    assert list(VALIDATOR.iter_errors(policy.document())) == []


@pytest.mark.clause("PO-09")
@settings(max_examples=300)
@given(damaged())
def test_the_schema_refuses_exactly_the_structural_faults(document: Document) -> None:
    """An editor that knows the schema only marks what the door would refuse, and all of it but contradictions."""
    try:
        declare(document)
        structural: list[str] = []
    except PolicyFaults as error:
        structural = [str(fault) for fault in error.faults if fault.is_structural]

    assert VALIDATOR.is_valid(document) is (structural == []), structural


@pytest.mark.clause("PO-09")
def test_every_field_is_described() -> None:
    """The schema is the reference of a policy's fields."""

    def undescribed(schema: dict[str, Any], path: str) -> Iterator[str]:
        for name, field in schema.get("properties", {}).items():
            if "description" not in field:
                yield f"{path}.{name}"
            yield from undescribed(field, f"{path}.{name}")
        for part in (*schema.get("anyOf", ()), *([schema["items"]] if "items" in schema else ())):
            yield from undescribed(part, path)

    assert list(undescribed(SCHEMA, "policy")) == []
