# SPDX-License-Identifier: Apache-2.0
"""The second verifier comes in without one of its rules after the other; each time a vector must find that out."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.interop.routers import part
from tests.interop.vault.bundles import ROOT
from tests.interop.vault.tools import HERE, SECONDS

pytestmark = [pytest.mark.interop, pytest.mark.clause("RF-80")]
VERIFIER = ROOT / "examples" / "verifier"
VECTORS = ROOT / "tests" / "vectors" / "receipts_v1.json"
# Which reason a rule is of; its file, its text and what stands there without it.
RULES: tuple[tuple[str, str, str, str], ...] = (
    ("consistency", "log.mjs", " || !found.equals(newer.root)", ""),
    ("consistency", "log.mjs", "!old.equals(older.root) || ", ""),
    ("consistency", "log.mjs", "shown.origin !== newer.origin || ", ""),
    ("consistency", "log.mjs", " || shown.size !== newer.size", ""),
    ("consistency", "log.mjs", " || !shown.root.equals(newer.root)", ""),
    ("consistency", "log.mjs", "number !== older.size || ", ""),
    ("inclusion", "log.mjs", "refuse('inclusion', !root.equals(now.root))", ""),
    ("fork", "verify.mjs", "before.origin !== now.origin || ", ""),
    ("fork", "verify.mjs", " || (before.size === now.size && !before.root.equals(now.root))", ""),
    ("checkpoints", "verify.mjs", " && each.root.equals(logged[0].root)", ""),
    ("checkpoints", "verify.mjs", " && each.size === logged[0].size", ""),
    ("checkpoints", "verify.mjs", "each.origin === logged[0].origin && ", ""),
    ("chain_ended", "series.mjs", "from.status === 'promoted' && decision", "decision"),
    ("chain_ended", "series.mjs", " && decision.action === 'rollback'", ""),
    ("chain_ended", "series.mjs", " && to.status === 'rolled_back'", ""),
    ("chain_ended", "series.mjs", "kind === KINDS.rol && ENDED.includes(from.status)", "false"),
    ("chain_ended", "series.mjs", " && !isReturn", ""),
    ("statement_shape", "series.mjs", "check(predicate, EVERY)", ""),
    ("statement_shape", "series.mjs", "check(predicate, kind.has)", ""),
    ("statement_shape", "series.mjs", "check(to, kind.standing)", ""),
    ("statement_shape", "series.mjs", "check(to, kind.standing)", "if (kind !== KINDS.app) check(to, kind.standing)"),
    ("statement_shape", "series.mjs", "check(to, kind.standing)", "if (kind !== KINDS.org) check(to, kind.standing)"),
    ("statement_shape", "series.mjs", "check(from, kind.standing)", "void 0"),
    ("statement_shape", "series.mjs", "Object.keys(from).length) check", "false) check"),
    ("statement_shape", "series.mjs", "kind !== KINDS.org || Object.keys(from).length", "kind === KINDS.rol"),
    ("statement_shape", "series.mjs", "truth, 'advisory', ", "truth, "),
    ("statement_shape", "series.mjs", ", 'decision.terminal'", ""),
    ("statement_shape", "series.mjs", "each(name, 'baseline.release', ", "each(name, "),
    ("statement_shape", "series.mjs", "'baseline.release', 'candidate.release'),", "'baseline.release'),"),
    ("statement_shape", "series.mjs", "'candidate.attempt': ordinal,", ""),
    ("statement_shape", "series.mjs", "'candidate.attempt': ordinal", "'candidate.attempt': count"),
    ("statement_shape", "series.mjs", "'candidate.digests': orNull(digests),", ""),
    ("statement_shape", "series.mjs", " && Object.keys(value).length <= 16", ""),
    ("statement_shape", "series.mjs", "'decision.step': count,", ""),
    ("statement_shape", "series.mjs", "'decision.weight': weight,", ""),
    ("statement_shape", "series.mjs", "'decision.target': orNull(isObject),", ""),
    ("statement_shape", "series.mjs", "'policy.sha256': sha256", ""),
    ("statement_shape", "series.mjs", "each(digest, 'evidence.stateBefore', ", "each(digest, "),
    ("statement_shape", "series.mjs", ", 'evidence.stateAfter')", ")"),
    ("statement_shape", "series.mjs", ", 'engine.name'", ""),
    ("statement_shape", "series.mjs", ", 'engine.version'", ""),
    ("statement_shape", "series.mjs", ", 'actor.type'", ""),
    ("statement_shape", "series.mjs", "'actor.name', 'actor.reason'", "'actor.name'"),
    ("statement_shape", "series.mjs", "'actor.name', ", ""),
    ("statement_shape", "series.mjs", "\\p{White_Space}", ""),
    ("statement_shape", "series.mjs", "\\p{Cc}", ""),
    ("statement_shape", "series.mjs", "{1,256}", "{0,256}"),
    ("statement_shape", "series.mjs", "{1,256}", "{1,}"),
    # White space is not what JavaScript takes for it, and a character not half of one.
    ("", "series.mjs", "\\p{White_Space}", "\\s"),
    ("", "series.mjs", "{1,256}$/u.test", "{1,256}$/.test"),
    ("statement_shape", "series.mjs", "'champion', 'formerChampion')", "'champion')"),
    ("statement_shape", "series.mjs", "each(orNull(name), 'champion', ", "each(orNull(name), "),
    ("statement_shape", "series.mjs", "frozen: orNull(text),", ""),
    ("statement_shape", "series.mjs", "killed: truth,", ""),
    ("statement_shape", "series.mjs", "actuator: orNull(isObject),", ""),
    ("statement_shape", "series.mjs", "keptFrom: count", ""),
    ("statement_shape", "series.mjs", "each(sha256, 'receiptKey', ", "each(sha256, "),
    ("statement_shape", "series.mjs", "each(sha256, 'receiptKey', 'logKey')", "each(sha256, 'receiptKey')"),
    ("statement_shape", "series.mjs", "each(sha256, 'receiptKey'", "each(text, 'receiptKey'"),
    ("statement_shape", "series.mjs", "each(count, 'rawUntil', ", "each(count, "),
    ("statement_shape", "series.mjs", ", 'deliveriesUntil')", ")"),
    ("statement_shape", "series.mjs", "each(orNull(isObject), 'webhooks', ", "each(orNull(isObject), "),
    ("statement_shape", "series.mjs", "'trust', 'manifest', 'overlap')", "'manifest', 'overlap')"),
    ("statement_shape", "series.mjs", "'manifest', 'overlap')", "'overlap')"),
    ("statement_shape", "series.mjs", "'manifest', 'overlap')", "'manifest')"),
    ("statement_shape", "series.mjs", "Number.isSafeInteger(value)", "Number.isInteger(value)"),
    ("subject", "verify.mjs", "has(each, 'name', 'digest')", "isObject(each)"),
    ("subject", "verify.mjs", " && typeof each.name === 'string'", ""),
    ("subject", "verify.mjs", " && isDigest(each.digest)", ""),
    ("subject", "verify.mjs", "!subject.length || ", ""),
    ("chain_contradiction", "series.mjs", " || !isLeft", ""),
    ("chain_contradiction", "series.mjs", "!isSame || ", ""),
    ("chain_contradiction", "series.mjs", " || !same(before.subject, subject)", ""),
    ("chain_duplicate", "verify.mjs", "refuse('chain', at > 0 && link", "refuse('chain', false && link"),
    ("chain_order", "verify.mjs", " && link.index <= before.index", " && false"),
    ("receipt_id", "verify.mjs", "refuse('receipt_id', ", "refuse('receipt_id', false && "),
    ("previous_receipt", "verify.mjs", "prevReceipt !== null", "prevReceipt != null"),
    ("previous_receipt", "verify.mjs", "seq === 1 ? prevReceipt !== null : ", ""),
    ("verdict_digest", "verify.mjs", " || hex(text) !== full.sha256", ""),
    ("verdict_digest", "verify.mjs", "text.length !== full.size || ", ""),
    ("public_key", "bytes.mjs", "begin !== '-----BEGIN PUBLIC KEY-----' || lines.pop() !==", "!lines.pop() || '' ==="),
    ("manifest_keys", "manifest.mjs", "count(root.threshold) && root.threshold >= 1 && ", ""),
)


def without(text: str, rule: str, instead: str) -> str:
    """Return a file of the verifier in which a rule that stands there once is another."""
    assert text.count(rule) == 1, rule
    return text.replace(rule, instead)


def test_no_rule_can_be_left_out_unseen(tmp_path: Path) -> None:
    """Some vector is then taken that must be refused, or refused that must be taken."""
    asked = []
    for number, (reason, file, rule, instead) in enumerate(RULES):
        folder = tmp_path / f"{number}"
        shutil.copytree(VERIFIER, folder)
        (folder / file).write_text(without((VERIFIER / file).read_text(encoding="utf-8"), rule, instead))
        asked.append(f"{folder / 'verify.mjs'} {reason}")

    command = [part("node"), str(HERE / "mutants.mjs"), str(VECTORS)]
    given = "\n".join(asked)
    ran = subprocess.run(command, input=given, capture_output=True, text=True, timeout=SECONDS, check=True)

    found = json.loads(ran.stdout)
    assert [rule for rule, is_found in zip(RULES, found, strict=True) if not is_found] == []


def test_the_whole_verifier_answers_each_vector_as_it_must() -> None:
    """Else everything above would be found for another reason."""
    command = [part("node"), str(HERE / "mutants.mjs"), str(VECTORS)]
    whole = f"{VERIFIER / 'verify.mjs'} -"
    ran = subprocess.run(command, input=whole, capture_output=True, text=True, timeout=SECONDS, check=True)

    assert json.loads(ran.stdout) == [False]
