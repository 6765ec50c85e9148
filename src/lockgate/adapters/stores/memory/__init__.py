# SPDX-License-Identifier: Apache-2.0
"""What is to be kept comes in; it rests in memory, and comes out again until the process ends."""
