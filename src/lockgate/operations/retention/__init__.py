# SPDX-License-Identifier: Apache-2.0
"""What is old comes in; it is dropped, and a receipt that says so goes out."""
