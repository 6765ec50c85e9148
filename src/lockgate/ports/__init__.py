# SPDX-License-Identifier: Apache-2.0
"""What operations need from the outside comes in as protocols; adapters fulfil them and wiring chooses the adapter."""
