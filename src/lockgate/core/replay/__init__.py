# SPDX-License-Identifier: Apache-2.0
"""What a decision is recomputed from comes in; the bytes that its receipt must hold go out."""
