# SPDX-License-Identifier: Apache-2.0
"""Settings that every test shares."""

from hypothesis import settings

# How long an example takes says something about the machine's load, not about the code.
settings.register_profile("lockgate", deadline=None)
settings.load_profile("lockgate")
