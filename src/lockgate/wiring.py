# SPDX-License-Identifier: Apache-2.0
"""What a door needs comes in by name; the adapter that does it goes out. The only importer of adapters.

An adapter is imported when it is first asked for, because each brings a library of its own.
"""

from __future__ import annotations

from collections.abc import Mapping

from lockgate.ports import RunFiles


def read_policy_file(path: str) -> Mapping[str, object]:
    """Return the mapping that a policy file holds, YAML or JSON; `-` is standard input."""
    from lockgate.adapters.decoders import policy_file

    return policy_file.read_policy_file(path)


def encode_policy(document: Mapping[str, object]) -> str:
    """Return a policy document as YAML."""
    from lockgate.adapters.decoders import policy_file

    return policy_file.encode_policy(document)


def run_files() -> RunFiles:
    """Return the reader of run files; a format's library is loaded when a file of it is read."""
    from lockgate.adapters.decoders.batch import Decoder
    from lockgate.adapters.decoders.local_files import LocalRunFiles

    def ndjson() -> Decoder:
        from lockgate.adapters.decoders.ndjson import Ndjson

        return Ndjson()

    def json() -> Decoder:
        from lockgate.adapters.decoders.json_runs import JsonRuns

        return JsonRuns()

    def csv() -> Decoder:
        from lockgate.adapters.decoders.csv_runs import CsvRuns

        return CsvRuns()

    def parquet() -> Decoder:
        from lockgate.adapters.decoders.parquet import Parquet

        return Parquet()

    by_suffix = {".ndjson": ndjson, ".jsonl": ndjson, ".json": json, ".csv": csv, ".tsv": csv, ".parquet": parquet}
    return LocalRunFiles(by_suffix, other=ndjson)
