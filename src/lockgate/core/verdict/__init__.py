# SPDX-License-Identifier: Apache-2.0
"""Evidence and a policy come in; all findings and the worst of them go out."""
