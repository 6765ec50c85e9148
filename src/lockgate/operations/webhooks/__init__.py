# SPDX-License-Identifier: Apache-2.0
"""Who wants to hear comes in; what they were told goes out."""
