# SPDX-License-Identifier: Apache-2.0
"""A finished comparison comes in; text, Markdown, HTML or JSON goes out."""
