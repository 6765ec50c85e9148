# SPDX-License-Identifier: Apache-2.0
"""One request comes in; one verb per module carries it out through the ports, in the room of what it is about."""
