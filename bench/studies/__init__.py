# SPDX-License-Identifier: Apache-2.0
"""Seeds come in; how whole rollouts end through the real operations goes out."""
