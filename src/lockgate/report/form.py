# SPDX-License-Identifier: Apache-2.0
"""Nothing comes in; the forms in which a comparison is told go out, `none` where its page or exit code is enough."""

from __future__ import annotations

from typing import Literal

Form = Literal["table", "json", "markdown", "none"]
