# SPDX-License-Identifier: Apache-2.0
"""What is to be kept comes in; it rests in two files of a folder, by SQLite, and comes out again."""
