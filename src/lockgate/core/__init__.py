# SPDX-License-Identifier: Apache-2.0
"""Values come in and values go out: no clock, file, network or randomness; the same input gives the same bytes."""
