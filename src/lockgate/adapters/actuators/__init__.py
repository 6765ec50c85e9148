# SPDX-License-Identifier: Apache-2.0
"""A message comes in; something outside that carries it out is reached."""
