# SPDX-License-Identifier: Apache-2.0
"""The token of a job comes in; what its issuer has signed goes out."""
