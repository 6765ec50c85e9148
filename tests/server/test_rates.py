# SPDX-License-Identifier: Apache-2.0
"""More calls come in than a key, an organisation or a stranger may make; who may go on, and when, is told."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockgate.server.limits import Limits, Rates
from lockgate.server.rates import Rate, Usage
from tests.server.served import API, NDJSON, Served, problem, served
from tests.spec.line import APP, created, world

ROLLOUTS = f"{API}/rollouts"
TEN = Rate(10.0, 1.0)


class Seconds:
    """A clock that stands still until it is moved."""

    now = 1_000.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


@pytest.fixture
def seconds() -> Seconds:
    """Return the clock of the rates."""
    return Seconds()


@pytest.fixture
def tight(seconds: Seconds) -> Iterator[Served]:
    """Return a server that lets each key make ten calls a second."""
    limits = Limits(Rates(calls=TEN, run_bytes=Rate(100_000.0, 1.0), failures=Rate(1.0, 5.0)), seconds)
    with served(world(), limits=limits) as opened:
        yield opened


@pytest.mark.clause("SV-60")
def test_a_key_that_calls_too_often_is_told_when_to_come_again(tight: Served, seconds: Seconds) -> None:
    """429 with the time, which is true: then it is let through, and another key was all the while."""
    one, other = tight.caller("viewer"), tight.caller("viewer")
    first = [one.get(ROLLOUTS) for _ in range(10)]
    over, beside = one.get(ROLLOUTS), other.get(ROLLOUTS)
    seconds.now += int(over.headers["retry-after"])
    again = one.get(ROLLOUTS)

    assert [each.headers["ratelimit"] for each in first[::9]] == ['"calls";r=9;t=1', '"calls";r=0;t=1']
    assert {each.headers["ratelimit-policy"] for each in (*first, over)} == {'"calls";q=10;w=1'}
    assert problem(over) == (429, "rate-limited")
    assert (first[-1].status_code, beside.status_code, again.status_code) == (200, 200, 200)


@pytest.mark.clause("SV-60")
def test_the_keys_of_an_organisation_share_what_it_may(tight: Served) -> None:
    """Many keys of one do not take what another may."""
    keys = [tight.caller("viewer") for _ in range(6)]
    codes = [each.get(ROLLOUTS) for each in keys for _ in range(10)]
    stranger = tight.caller("viewer", org="acme").get(ROLLOUTS)

    assert [each.status_code for each in codes].count(200) == 40
    assert "organisation" in codes[-1].json()["detail"]
    assert stranger.status_code == 200


@pytest.mark.clause("SV-60")
def test_runs_are_counted_by_their_bytes_and_not_as_calls(tight: Served, seconds: Seconds) -> None:
    """After more than there is, the next batch waits until it has been paid for; what is small costs its least."""
    sdk = tight.caller("sdk")
    line = b'{"app_id": "web", "release": "v1", "status": "ok"}\n'
    small = [sdk.call("POST", f"{API}/runs", NDJSON, content=line).status_code for _ in range(8)]
    seconds.now += 10
    large = sdk.call("POST", f"{API}/runs", NDJSON, content=line * 8_000)
    late = sdk.call("POST", f"{API}/runs", NDJSON, content=line)

    assert small == [200] * 6 + [429] * 2
    assert large.status_code == 200
    assert problem(late) == (429, "rate-limited")
    assert 3 <= int(late.headers["retry-after"]) <= 5
    assert 'qu="content-bytes"' in late.headers["ratelimit-policy"]


@pytest.mark.clause("SV-61")
def test_what_ends_a_bad_release_is_let_through_once_a_second(tight: Served, seconds: Seconds) -> None:
    """Whatever else a key did: a turn, a kill and a rollback of what is there, each by itself; of nothing, never."""
    name = created(tight.world).rollout.id
    admin = tight.caller("admin")
    for _ in range(10):
        admin.get(ROLLOUTS)
    paths = (f"{ROLLOUTS}/{name}/evaluate", f"{ROLLOUTS}/evaluate", f"{ROLLOUTS}/{name}/rollback", f"{API}/kill")
    codes = [admin.post(path, {"reason": "harm"} if "evaluate" not in path else {}).status_code for path in paths]
    again = admin.post(paths[1]).status_code
    nothing = [admin.post(f"{ROLLOUTS}/rol_{n}/rollback", {"reason": "x"}).status_code for n in range(3)]
    seconds.now += 0.05
    app = admin.post(f"{API}/apps/{APP}/kill", {"reason": "harm"}).status_code
    ended = admin.post(paths[2], {"reason": "harm"}).status_code

    assert (codes, again, nothing, app, ended) == ([200] * 4, 429, [429] * 3, 200, 429)


@pytest.mark.clause("SV-61")
def test_who_fails_is_slowed_down_and_nobody_else(tight: Served) -> None:
    """Behind one address: wrong tokens are 429 after a while, also those of a real key's id, and right ones go on."""
    good = tight.caller("viewer")
    other = tight.key("viewer").token
    wrong = good.token[:19] + other[19:]
    codes = [tight.http.get(ROLLOUTS, headers={"authorization": f"Bearer {wrong}"}) for _ in range(12)]
    right = [good.get(ROLLOUTS).status_code for _ in range(5)]

    assert [each.status_code for each in codes] == [401] * 5 + [429] * 7
    assert problem(codes[-1]) == (429, "rate-limited")
    assert right == [200] * 5


@pytest.mark.clause("SV-60")
@given(
    calls=st.lists(st.tuples(st.floats(0, 3), st.floats(0.1, 4)), max_size=60),
    rate=st.builds(Rate, st.floats(0.5, 20), st.floats(0.5, 5)),
)
def test_no_more_is_let_through_than_a_rate_allows(calls: list[tuple[float, float]], rate: Rate) -> None:
    """Over any time: the quota, and what the rate brings meanwhile; and one call that is larger than all of it."""
    usage, now, taken = Usage(rate), 0.0, list[tuple[float, float]]()
    for pause, cost in calls:
        now += pause
        if usage.take("key", now, cost).is_within:
            taken.append((now, cost))

    for first in range(len(taken)):
        for last in range(first, len(taken)):
            span, total = taken[last][0] - taken[first][0], sum(cost for _, cost in taken[first : last + 1])
            assert total <= rate.quota + span * rate.per_second + max(cost for _, cost in taken) + 1e-6


@pytest.mark.clause("SV-60")
def test_a_refusal_says_when_the_same_call_would_be_let_through() -> None:
    """Not before, and then indeed."""
    usage = Usage(Rate(2.0, 3.0))
    for _ in range(6):
        assert usage.take("key", 0.0).is_within
    wait = usage.take("key", 0.0).wait_s

    assert not usage.take("key", wait - 0.01).is_within
    assert usage.take("key", wait).is_within


@pytest.mark.clause("SV-60")
def test_however_many_call_so_many_are_remembered() -> None:
    """The one who called longest ago is forgotten, and whoever has all again takes no room."""
    usage = Usage(Rate(1.0, 10.0), most=100)
    for number in range(1_000):
        usage.take(number, number / 1_000)
    crowded = len(usage)
    for number in range(3):
        usage.take(f"late {number}", 1_000.0)

    assert (crowded, len(usage)) == (100, 3)
