# SPDX-License-Identifier: Apache-2.0
"""Notifications of a real PostgreSQL come in; whoever waits hears of them, also after the database was away."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest

from lockgate.adapters.stores.postgres.news import CHANNEL, PostgresNews
from tests.postgresql import Cluster, cluster

pytestmark = pytest.mark.postgres
LONG_S = 60.0


def _notify(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as link:
        link.execute("SELECT pg_notify(%s, 'default')", (CHANNEL,))


@contextmanager
def _listening(url: str) -> Iterator[PostgresNews]:
    news = PostgresNews(url)
    # A new connection may have missed something, and says so.
    assert news.wait(LONG_S)
    yield news
    news.close()


@pytest.mark.clause("SV-130")
def test_what_another_commits_is_heard_long_before_the_wait_is_over(postgresql: Cluster) -> None:
    """Whoever waits goes on as soon as the notification is there."""
    url = postgresql.new_database()
    with _listening(url) as news:
        teller = threading.Timer(0.2, _notify, (url,))
        teller.start()
        began = time.monotonic()

        has_come = news.wait(LONG_S)

        teller.join()
    assert has_come
    assert time.monotonic() - began < LONG_S / 2


@pytest.mark.clause("SV-130")
def test_silence_is_no_news(postgresql: Cluster) -> None:
    """Whoever waits in vain is told so when the time is over."""
    with _listening(postgresql.new_database()) as news:
        assert not news.wait(0.1)
        assert not news.wait(0.1)


@pytest.mark.clause("SV-130")
def test_a_database_that_crashed_is_listened_to_again() -> None:
    """While it is away nothing raises; then what may have been missed is taken for news, and notifications come."""
    with cluster(has_fsync=False) as own:
        url = own.new_database()
        with _listening(url) as news:
            own.stop()
            assert not news.wait(0.1)
            assert not news.wait(0.1)
            own.start()

            assert news.wait(LONG_S)
            _notify(url)
            assert news.wait(LONG_S)


@pytest.mark.clause("SV-130")
def test_a_connection_that_was_cut_is_made_again(postgresql: Cluster) -> None:
    """One that the database ended by itself, too."""
    url = postgresql.new_database()
    with _listening(url) as news:
        postgresql.run("SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'")

        assert not news.wait(0.1)
        assert news.wait(LONG_S)
