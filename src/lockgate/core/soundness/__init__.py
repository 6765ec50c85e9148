# SPDX-License-Identifier: Apache-2.0
"""What a store holds comes in; where it contradicts itself goes out."""
