# SPDX-License-Identifier: Apache-2.0
"""Calls with conditions come in; they are done where the rollout stands as the caller saw it, and else refused."""

from __future__ import annotations

from itertools import pairwise

import pytest

from lockgate.operations.asking.queries import find_rollout, receipts_of
from tests.server.served import API, Caller, Served, problem
from tests.spec.line import APP, EQUAL, created

REASON = {"reason": "as seen"}
SIGHT = {"reason": "go", "step": 0, "revision": 2}
ACTIONS = {
    "pause": REASON,
    "rollback": REASON,
    "cancel": REASON,
    "promote": SIGHT,
    "approve": SIGHT,
    "evaluate": {},
    "weight": {"weight": 5, "revision": 2},
}


@pytest.fixture
def place(door: Served, admin: Caller) -> str:
    """Return where a rollout is found that has been moved to revision 2."""
    path = f"{API}/rollouts/{created(door.world).rollout.id}"
    assert admin.post(f"{path}/pause", REASON).headers["etag"] == '"2"'
    return path


@pytest.mark.clause("SV-27")
@pytest.mark.parametrize("action", ACTIONS)
def test_what_was_seen_before_a_change_is_refused(door: Served, admin: Caller, place: str, action: str) -> None:
    """412 with a type of its own, and nothing is done; with the tag of now it is not refused for that."""
    name = place.rpartition("/")[2]
    before = len(receipts_of(name, door.world.house))

    stale = admin.post(f"{place}/{action}", ACTIONS[action], if_match='"1"')
    left = find_rollout(name, door.world.house)
    fresh = admin.post(f"{place}/{action}", ACTIONS[action], if_match='"2"')

    assert problem(stale) == (412, "precondition-failed")
    assert '"2"' in stale.json()["detail"]
    assert (left.revision, left.status.value, left.acknowledged) == (2, "paused", None)
    assert fresh.status_code != 412
    assert before <= len(receipts_of(name, door.world.house)) <= before + 1


@pytest.mark.clause("SV-27")
@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ('"2"', True),
        ('"1", "2"', True),
        (',"1" ,\t"2", ,', True),
        ("*", True),
        ('W/"2"', False),
        ('W/"2", "2"', True),
        ('"2-x"', False),
        ('""', False),
    ],
)
def test_tags_are_compared_as_rfc_9110_says(admin: Caller, place: str, text: str, *, holds: bool) -> None:
    """Lists, empty members, any tag, and weak tags, which are never the very same."""
    answer = admin.call("GET", place, {"if-match": text})

    assert answer.status_code == (200 if holds else 412)


@pytest.mark.clause("SV-27")
@pytest.mark.parametrize("text", ["2", '"2', '"2" "3"', 'w/"2"', '"a b"', "", "*, *"])
def test_a_condition_that_is_no_list_of_tags_is_refused(admin: Caller, place: str, text: str) -> None:
    """400 rather than done as if nothing had been asked for."""
    assert problem(admin.call("GET", place, {"if-match": text})) == (400, "invalid-call")
    assert problem(admin.post(f"{place}/resume", REASON, if_match=text)) == (400, "invalid-call")


@pytest.mark.clause("SV-27")
def test_who_polls_is_told_that_nothing_was_decided(door: Served, admin: Caller, place: str) -> None:
    """304 without a body until the revision changes, also by a weak tag or any; no cache on the way may keep either."""
    unchanged = [admin.call("GET", place, {"if-none-match": text}) for text in ('"2"', 'W/"2"', '"9", "2"', "*")]
    assert {(each.status_code, each.content, each.headers["etag"]) for each in unchanged} == {(304, b"", '"2"')}
    changed = admin.call("GET", place, {"if-none-match": '"1"'})
    assert (changed.status_code, changed.headers["etag"]) == (200, '"2"')
    assert {each.headers["cache-control"] for each in (*unchanged, changed)} == {"no-store"}
    admin.post(f"{place}/resume", REASON)
    assert admin.call("GET", place, {"if-none-match": '"2"'}).headers["etag"] == '"3"'


@pytest.mark.clause("SV-1041")
@pytest.mark.parametrize("what", ["verdict", "explain"])
def test_what_changes_with_each_run_is_answered_whole(door: Served, admin: Caller, what: str) -> None:
    """By 200 with the evidence of now and no tag, whatever the caller has seen, where the revision stays."""
    name = created(door.world).rollout.id
    known = {"if-none-match": '"1", W/"1"'}
    path = f"{API}/rollouts/{name}/{what}"

    before = admin.call("GET", path, known)
    door.world.serve_both(APP, {"v36": 6_000, "abc123": 600}, EQUAL, minutes=10)
    door.world.clock.advance(60)
    after, of_any = admin.call("GET", path, known), admin.call("GET", path, {"if-none-match": "*"})

    assert [each.status_code for each in (before, after, of_any)] == [200, 200, 200]
    assert not any("etag" in each.headers for each in (before, after))
    assert {each.headers["cache-control"] for each in (before, after)} == {"no-store"}
    assert before.json() != after.json() == of_any.json()
    assert find_rollout(name, door.world.house).revision == 1


@pytest.mark.clause("SV-1042")
def test_what_says_nothing_of_caches_is_kept_by_none(door: Served, admin: Caller, place: str) -> None:
    """State, lists, changes and problems; what is the same for ever, or public, says so itself."""
    receipt = f"{place}/receipts/1/envelope"
    kept = ["/healthz", "/metrics", "/nowhere", place, f"{place}/receipts", f"{API}/rollouts/none", f"{API}/apps"]

    said = {path: admin.get(path).headers["cache-control"] for path in (*kept, receipt, "/openapi.json")}
    changed = admin.post(f"{place}/resume", REASON).headers["cache-control"]

    assert said == {
        **dict.fromkeys(kept, "no-store"),
        receipt: "private, max-age=31536000, immutable",
        "/openapi.json": "no-cache",
    }
    assert (changed, door.http.get(place).headers["cache-control"]) == ("no-store", "no-store")


@pytest.mark.clause("SV-1044")
def test_the_tag_of_an_app_is_its_version(door: Served, admin: Caller, place: str) -> None:
    """It grows with each act on the app and each change of its rollouts, a new champion too, and not with runs."""
    path = f"{API}/apps/{APP}"
    versions = [admin.get(path).json()["version"]]
    for call, document in (
        (f"{path}/freeze", REASON),
        (f"{path}/unfreeze", REASON),
        (f"{place}/resume", REASON),
        (f"{path}/kill", REASON),
    ):
        answer = admin.post(call, document)
        seen = admin.get(path)
        assert (answer.status_code, seen.headers["etag"]) == (200, f'"{seen.json()["version"]}"')
        assert call == f"{place}/resume" or answer.headers["etag"] == seen.headers["etag"]
        versions.append(seen.json()["version"])
    repeated = admin.post(f"{path}/kill", REASON)
    door.world.serve_both(APP, {"v36": 60, "abc123": 60}, EQUAL, minutes=1)

    assert [after - before for before, after in pairwise(versions)] == [1, 1, 1, 2]
    assert repeated.headers["etag"] == admin.get(path).headers["etag"] == f'"{versions[-1]}"'
    assert admin.call("GET", path, {"if-none-match": f'"{versions[-1]}"'}).status_code == 304
    assert admin.call("GET", path, {"if-none-match": f'"{versions[-2]}"'}).status_code == 200
    assert [each["version"] for each in admin.get(f"{API}/apps").json()["apps"]] == [versions[-1]]


@pytest.mark.clause("SV-1044")
@pytest.mark.parametrize("verb", ["freeze", "unfreeze", "kill"])
def test_an_app_is_acted_on_as_it_was_seen(door: Served, admin: Caller, place: str, verb: str) -> None:
    """412 where anything was done since, and nothing is done; with the version of now, or without one, it is."""
    path = f"{API}/apps/{APP}"
    seen = admin.get(path).headers["etag"]
    admin.post(f"{path}/freeze", {"reason": "somebody else"})
    before = admin.get(path)

    stale = admin.post(f"{path}/{verb}", REASON, if_match=seen)
    left = admin.get(path)
    fresh = admin.post(f"{path}/{verb}", REASON, if_match=left.headers["etag"])

    assert problem(stale) == (412, "precondition-failed")
    assert left.headers["etag"] in stale.json()["detail"].replace("\\", "")
    assert left.json() == before.json()
    assert find_rollout(place.rpartition("/")[2], door.world.house).status.value == (
        "rolled_back" if verb == "kill" else "paused"
    )
    assert (fresh.status_code, fresh.json()["killed"]) == (200, verb == "kill")
    assert admin.post(f"{path}/{verb}", REASON).status_code == 200
    assert problem(admin.post(f"{API}/apps/nobody/{verb}", REASON, if_match=seen))[0] == 404


@pytest.mark.clause("SV-27")
def test_what_has_no_tag_meets_no_condition(admin: Caller, place: str) -> None:
    """A list, all apps, or a verdict: a call that supposes a tag of it is not done."""
    frozen = admin.post(f"{API}/freeze", REASON, if_match='"1"')

    assert problem(frozen) == (412, "precondition-failed")
    for path in (f"{API}/rollouts", f"{place}/verdict"):
        assert problem(admin.call("GET", path, {"if-match": '"2"'})) == (412, "precondition-failed")
    question = {"app_id": "claims-agent", "baseline": "v36", "candidate": "abc123"}
    assert problem(admin.post(f"{API}/compare", question, if_match='"1"')) == (412, "precondition-failed")
    assert admin.get(f"{API}/apps").json()["apps"][0]["frozen"] is None
    assert problem(admin.post(f"{place}/resume", REASON, if_none_match="*")) == (412, "precondition-failed")


@pytest.mark.clause("SV-27", "SV-28")
def test_a_condition_and_a_key_go_together(door: Served, admin: Caller, place: str) -> None:
    """A call that was done under a condition is answered again by its key, though the condition holds no more."""
    first = admin.post(f"{place}/resume", REASON, if_match='"2"', idempotency_key="r")
    again = admin.post(f"{place}/resume", REASON, if_match='"2"', idempotency_key="r")

    assert (first.status_code, again.status_code, again.content) == (200, 200, first.content)
    assert find_rollout(place.rpartition("/")[2], door.world.house).revision == 3


@pytest.mark.clause("SV-24")
def test_a_live_weight_is_known_from_the_call_on(door: Served, admin: Caller, place: str) -> None:
    """Of an earlier weight, of a revision that is not there, or of a shadow, it is 409; what is no weight is 400."""
    admin.post(f"{place}/resume", REASON)
    caller = door.caller("weight.write")

    seen = caller.post(f"{place}/weight", {"weight": 5, "revision": 1})
    door.world.serve_both("claims-agent", {"v36": 6_000, "abc123": 6_000}, EQUAL, minutes=10)
    door.world.clock.advance(60)
    moved = admin.post(f"{place}/evaluate").json()
    stale = caller.post(f"{place}/weight", {"weight": 5, "revision": 1})
    shadow = created(door.world, app="dark", policy={"mode": "shadow"}).rollout.id

    assert (seen.status_code, seen.json()["acknowledged"], moved["step"]) == (200, 5.0, 1)
    assert problem(stale) == (409, "conflict")
    assert problem(caller.post(f"{place}/weight", {"weight": 25, "revision": 99})) == (409, "conflict")
    assert problem(caller.post(f"{API}/rollouts/{shadow}/weight", {"weight": 5, "revision": 1})) == (
        409,
        "refused",
    )
    for bad in ({}, {"weight": 5}, {"revision": 1}, {"weight": True, "revision": 1}, {"weight": 101, "revision": 1}):
        assert problem(caller.post(f"{place}/weight", bad)) == (400, "invalid-call")
    now = caller.post(f"{place}/weight", {"weight": moved["weight"], "revision": moved["revision"]})
    assert (now.status_code, now.json()["acknowledged"]) == (200, moved["weight"])
