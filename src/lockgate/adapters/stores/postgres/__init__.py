# SPDX-License-Identifier: Apache-2.0
"""What is to be kept comes in; it rests in a PostgreSQL database, and comes out again."""
