# SPDX-License-Identifier: Apache-2.0
"""Simulated releases come in; how often the engine's promises are kept, and at what cost, goes out."""
