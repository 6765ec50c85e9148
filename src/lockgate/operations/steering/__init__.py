# SPDX-License-Identifier: Apache-2.0
"""What a person or a router says of a rollout or an app comes in; where it stands from then on goes out."""
