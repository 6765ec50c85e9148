# SPDX-License-Identifier: Apache-2.0
"""Paths and a question come in; every file is read by the decoder of its format, and the intake goes out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from lockgate.adapters.decoders.batch import Decoder
from lockgate.adapters.decoders.file import STDIN, RunFile, files_of
from lockgate.adapters.decoders.first_runs import Marks, Texts
from lockgate.adapters.decoders.gathering import Gathering
from lockgate.adapters.decoders.reading import Reading
from lockgate.core.intake import Intake, Question
from lockgate.errors import DataError, UsageError
from lockgate.ports.reading import Progress


class LocalRunFiles:
    """Reads local files and standard input; `decoders` are made by suffix, `other` is for what has no name."""

    def __init__(self, decoders: Mapping[str, Callable[[], Decoder]], other: Callable[[], Decoder]) -> None:
        self._decoders = decoders
        self._other = other

    def read(self, paths: Sequence[str], question: Question, progress: Progress) -> Intake:
        """Tally the runs of all files."""
        files = files_of(paths)
        if not files:
            raise UsageError("no file is named", advice="Name files, globs, or - for standard input.")
        decoders = [(file, self._decoder(file)) for file in files]
        if all(file.can_repeat for file in files):
            intake = self._read_twice(decoders, question, progress)
        else:
            intake = self._read(decoders, question, progress, Texts())
        changed = [file.name for file in files if file.has_changed()]
        if changed:
            raise DataError(f"{changed[0]} changed while it was read", advice="Compare files that are complete.")
        return intake

    def _read_twice(
        self, decoders: Sequence[tuple[RunFile, Decoder]], question: Question, progress: Progress
    ) -> Intake:
        marks = Marks()
        intake = self._read(decoders, question, progress, marks)
        repeated = marks.repeated()
        return self._read(decoders, question, progress, Texts(repeated)) if repeated else intake

    def _decoder(self, file: RunFile) -> Decoder:
        if file.path == STDIN or (not file.suffix and not file.can_repeat):
            return self._other()
        make = self._decoders.get(file.suffix)
        if make is None:
            known = ", ".join(self._decoders)
            raise UsageError(
                f"{file.name} has no known format", advice=f"Known suffixes: {known}; all but .parquet also with .gz."
            )
        return make()

    def _read(
        self,
        decoders: Sequence[tuple[RunFile, Decoder]],
        question: Question,
        progress: Progress,
        ids: Marks | Texts,
    ) -> Intake:
        sizes = [file.size for file, _ in decoders if file.size is not None]
        total = sum(sizes) if len(sizes) == len(decoders) else None
        kinds = {decoder.mark_family for _, decoder in decoders}
        reading = Reading(question, progress, total, is_mixed=len(kinds) > 1)
        gathering = Gathering(question, ids)
        for file, decoder in decoders:
            gathering.add_all(decoder.decode(file, reading))
            reading.finish(file.size or 0)
        reading.faults.check()
        return gathering.intake(reading, tuple(file.name for file, _ in decoders))
