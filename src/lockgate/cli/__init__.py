# SPDX-License-Identifier: Apache-2.0
"""A command line comes in; one command per module parses it, calls one operation, and prints."""
