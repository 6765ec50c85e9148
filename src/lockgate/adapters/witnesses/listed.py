# SPDX-License-Identifier: Apache-2.0
"""A file of witnesses comes in; those that are to be asked go out, and each is asked over HTTP.

The file is a policy of C2SP (c2sp.org/tlog-policy), so that it can be handed to whoever verifies.
"""

from __future__ import annotations

from pathlib import Path

from lockgate.adapters.outgoing.posting import Posting, read_configured_url
from lockgate.adapters.owner import make_folder
from lockgate.adapters.whole_file import whole_file
from lockgate.core.refusal import VerifyError
from lockgate.core.witness_policy import MAX_POLICY_SIZE, Witness, WitnessPolicy, read_witness_policy
from lockgate.errors import DataError, NotPermittedError, UsageError
from lockgate.ports.witness import WitnessAnswer

# A note has at most so many lines of signatures, each shorter than this.
MAX_ANSWER = 16_384
KIND = "text/plain; charset=utf-8"
HEAD = "# Witnesses that are asked to cosign the logs of this machine; the form is that of c2sp.org/tlog-policy.\n"
# What the commands write; a file with anything else in it is its owner's to edit.
ALL = "all-of-them"


class ListedWitnesses:
    """The witnesses of a file; without the file there are none."""

    def __init__(self, path: Path, posting: Posting | None = None) -> None:
        self._path, self._posting = path, posting or Posting()

    def witnesses(self) -> tuple[Witness, ...]:
        """Return the witnesses that have an address."""
        return tuple(each for each in self._read().witnesses if each.url)

    def ask(self, witness: Witness, body: bytes, seconds: float) -> WitnessAnswer:
        """Post a checkpoint with its proof."""
        target = read_configured_url(f"{witness.url.rstrip('/')}/add-checkpoint")
        answered = self._posting.post(target, body, KIND, seconds, MAX_ANSWER)
        return WitnessAnswer(answered.code, answered.content_type, answered.kept)

    def add(self, witness: Witness) -> None:
        """Write a witness into the file."""
        read_configured_url(witness.url)
        known = self._editable()
        if any(each.name == witness.name for each in known):
            raise UsageError(
                f"there is a witness {witness.name} already", advice="Remove it first, or name it otherwise."
            )
        self._write((*known, witness))

    def remove(self, name: str) -> None:
        """Take a witness out of the file; what it cosigned stays."""
        known = self._editable()
        left = tuple(each for each in known if each.name != name)
        if left == known:
            raise UsageError(f"there is no witness {name}", advice="`lockgate witnesses list` shows them.")
        self._write(left)

    def _editable(self) -> tuple[Witness, ...]:
        """Return the witnesses of a file that has nothing in it that its owner wrote."""
        policy = self._read()
        if policy.logs or policy.groups.keys() - {ALL}:
            raise UsageError(f"{self._path} has logs or groups in it, which would be lost", advice="Edit it by hand.")
        return policy.witnesses

    def _read(self) -> WitnessPolicy:
        try:
            with self._path.open("rb") as file:
                return read_witness_policy(file.read(MAX_POLICY_SIZE + 1))
        except FileNotFoundError:
            return WitnessPolicy()
        except VerifyError as error:
            raise DataError(f"{self._path}: {error.message}", advice="Correct the file.") from error
        except OSError as error:
            raise NotPermittedError(f"{self._path} cannot be read: {error.strerror}") from error

    def _write(self, witnesses: tuple[Witness, ...]) -> None:
        names = [each.name for each in witnesses]
        rule = [f"group {ALL} all {' '.join(names)}", f"quorum {ALL}"] if names else ["quorum none"]
        text = HEAD + "".join(f"{line}\n" for line in (*(each.line() for each in witnesses), *rule))
        # What could not be read again is never written.
        read_witness_policy(text.encode("utf-8"))
        try:
            make_folder(self._path.parent)
            with whole_file(self._path, text.encode("utf-8"), 0o644) as whole:
                whole.replace(self._path)
        except OSError as error:
            raise NotPermittedError(f"{self._path} cannot be written: {error.strerror}") from error
