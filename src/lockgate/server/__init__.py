# SPDX-License-Identifier: Apache-2.0
"""The HTTP door: a request is parsed, one operation is called, and what it came to is rendered."""
