# SPDX-License-Identifier: Apache-2.0
"""Keys at points of small order come in; reading them as keys to trust must be refused."""

from __future__ import annotations

import base64

import pytest

from lockgate.core.note import NoteKey, read_note_key
from lockgate.core.public_key import SMALL_ORDER, PublicKey, is_weak, read_public_key
from lockgate.core.refusal import Reason, VerifyError

P = 2**255 - 19
D = -121665 * pow(121666, -1, P) % P
SIGN = 1 << 255
ENCODINGS = sorted({y + more + sign for y in SMALL_ORDER for more in (0, P) for sign in (0, SIGN) if y + more < 2**255})


def _doubled(y: int) -> int:
    """Return y of twice a point, by RFC 8032 section 5.1.4 in affine form."""
    squared = y * y % P
    x_squared = (squared - 1) * pow(D * squared + 1, -1, P) % P
    return (squared + x_squared) * pow(2 + x_squared - squared, -1, P) % P


@pytest.mark.clause("RE-02")
def test_the_points_are_those_whose_eighth_multiple_is_zero() -> None:
    """Doubled three times, each is the neutral element, whose y is 1; the base point is not."""
    ends = {_doubled(_doubled(_doubled(y))) for y in SMALL_ORDER}

    assert ends == {1}
    assert _doubled(_doubled(_doubled(4 * pow(5, -1, P) % P))) != 1
    assert len(SMALL_ORDER) == 5


@pytest.mark.clause("RE-02")
@pytest.mark.parametrize("value", ENCODINGS)
def test_a_key_that_anybody_can_sign_for_is_refused(value: int) -> None:
    """Whoever is talked into trusting such a key would take every forgery for genuine."""
    raw = value.to_bytes(32, "little")

    with pytest.raises(VerifyError) as caught:
        read_public_key(PublicKey(raw).pem)
    with pytest.raises(VerifyError) as of_log:
        read_note_key(NoteKey("log.example", raw).text)

    assert caught.value.reason is Reason.PUBLIC_KEY
    assert of_log.value.reason is Reason.LOG_KEY


def test_a_common_key_is_not_weak() -> None:
    """The first key of RFC 8032 section 7.1 is let pass."""
    raw = base64.b16decode("D75A980182B10AB7D54BFED3C964073A0EE172F3DAA62325AF021A68F707511A")

    assert not is_weak(raw)
