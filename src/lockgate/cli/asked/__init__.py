# SPDX-License-Identifier: Apache-2.0
"""The words of a command and a store come in; what it answers goes out, the same for both doors."""
