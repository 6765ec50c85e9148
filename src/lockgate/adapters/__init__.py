# SPDX-License-Identifier: Apache-2.0
"""What a port asks for comes in; one technology per module does it."""
