# SPDX-License-Identifier: Apache-2.0
"""The handlers of the server, one resource per file; the table names each with its permission."""
