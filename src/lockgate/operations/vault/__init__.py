# SPDX-License-Identifier: Apache-2.0
"""What was decided comes in; it goes out signed, at the end of the log, and proven."""
