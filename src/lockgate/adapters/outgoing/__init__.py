# SPDX-License-Identifier: Apache-2.0
"""An address comes in; what is there is called within bounds, and its answer goes out: adapters call outside by it."""
