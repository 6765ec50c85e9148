# SPDX-License-Identifier: Apache-2.0
"""A scene comes in; a sender that delivers its messages to the scene's receiver goes out."""

from __future__ import annotations

from lockgate.core.endpoint import Kind
from lockgate.operations.webhooks.deliver import Bounds, deliver
from lockgate.testing.actors import Scene


class Courier:
    """Delivers what is due, in one bounded pass at each step."""

    def __init__(self, name: str, scene: Scene) -> None:
        self.name, self._scene = name, scene

    def step(self) -> str:
        """Deliver what is due."""
        scene = self._scene
        tried = deliver(scene.house, {Kind.COMMAND: scene.receiver}, Bounds())
        said = (f"{each.message.id[-14:]} {each.delivery.state.value} {each.delivery.error}".strip() for each in tried)
        return f"delivers {'; '.join(said) or 'nothing'}"
