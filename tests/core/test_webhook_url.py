# SPDX-License-Identifier: Apache-2.0
"""URLs and addresses of every tricky form come in; only what is a place of the internet, by https, may be called."""

from __future__ import annotations

import json
from collections.abc import Sequence
from ipaddress import ip_address
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lockgate.core.address import Address, is_public, read_address, read_networks
from lockgate.core.webhook_url import Reach, Target, reach_of, read_url
from lockgate.errors import RefusedUrlError, UsageError

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "trust_ssrf.json").read_text(encoding="utf-8"))
SOMEWHERE = (ip_address("8.8.8.8"),)


def may_call(url: str, addresses: Sequence[Address] = SOMEWHERE, reach: Reach = Reach()) -> bool:  # noqa: B008 -- a value
    """Say whether a URL may be called as its host resolves."""
    try:
        target = read_url(url)
    except RefusedUrlError:
        return False
    literal = read_address(target.host)
    return reach.refusal(target, addresses if literal is None else (literal,)) is None


@pytest.mark.clause("WH-20")
@pytest.mark.parametrize("row", VECTORS["addresses"], ids=lambda row: row["addr"])
def test_an_address_is_of_the_internet_or_it_is_not(row: dict[str, object]) -> None:
    """Private, special and translated ones are not, in whichever form they are written."""
    address = ip_address(str(row["addr"]))

    assert is_public(address) is row["allow"]
    written = f"[{address}]" if address.version == 6 else str(address)
    assert may_call(f"https://{written}/") is row["allow"]
    assert may_call("https://hooks.example.com/", (*SOMEWHERE, address)) is row["allow"]


@pytest.mark.clause("WH-20")
@pytest.mark.parametrize("row", VECTORS["tricky_hosts"], ids=lambda row: row["host"])
def test_a_host_that_the_resolver_reads_as_an_address_is_judged_as_that(row: dict[str, str]) -> None:
    """What other programs would read as another host is refused by its text alone."""
    resolved = read_address(row["getaddrinfo"])

    assert not may_call(f"https://{row['host']}/", () if resolved is None else (resolved,))


@pytest.mark.clause("WH-21")
@pytest.mark.parametrize("text", [each.partition(" ")[0] for each in VECTORS["url_must_reject"]])
def test_a_url_that_could_be_read_in_two_ways_is_refused(text: str) -> None:
    """Users, fragments, other schemes and ports, and addresses of one's own network."""
    assert not may_call(text)


@pytest.mark.clause("WH-21")
@pytest.mark.parametrize(
    "text",
    [
        "",
        "https://",
        "https:///x",
        "HTTPS://example.com/",
        "https://example.com:0/",
        "https://example.com:70000/",
        "https://example.com:/",
        "https://exa mple.com/",
        "https://example.com/a b",
        "https://example.com/\r\nX-Evil: 1",
        "https://example.com\\@127.0.0.1/",
        "https://127.0.0.1\u3002example.com/",
        "https://b\u00fccher.example/",
        "https://-example.com/",
        "https://[fe80::1%25eth0]/",
        "https://[8.8.8.8]/",
        "https://example.com/?q=\x00",
        "https://example.com/" + "a" * 2_000,
    ],
)
def test_a_url_is_read_strictly(text: str) -> None:
    """Nothing that another program might read otherwise is kept."""
    with pytest.raises(RefusedUrlError) as refusal:
        read_url(text)

    assert "https://host/path" in refusal.value.advice
    assert "LOCKGATE_WEBHOOK_ALLOW" not in refusal.value.advice


@pytest.mark.clause("WH-75")
@pytest.mark.parametrize("text", ["https://", "https:///x", "https://?q=1"])
def test_a_url_without_a_host_is_said_to_have_none(text: str) -> None:
    """And no setting is named that would not help."""
    with pytest.raises(RefusedUrlError, match="the URL has no host") as refusal:
        read_url(text)

    assert "LOCKGATE_WEBHOOK_ALLOW" not in refusal.value.advice


@pytest.mark.clause("WH-21")
@given(
    st.text(max_size=60) | st.from_regex(r"\A[a-z]{1,3}:[0-9]{1,6}\Z"),
    st.sampled_from(["https://", "http://", "https://example.com/", ""]),
)
@example("a:0", "https://")
@example("a:65536", "https://")
def test_whatever_is_read_holds_nothing_but_ascii(text: str, before: str) -> None:
    """Neither host nor path can end a line of a request."""
    try:
        target = read_url(before + text)
    except RefusedUrlError:
        return

    assert all(0x20 < ord(letter) < 0x7F for letter in f"{target.name}{target.path}")
    assert 1 <= target.port <= 65_535


@pytest.mark.clause("WH-21")
def test_a_url_is_taken_as_it_is_meant() -> None:
    """Name, port, path and query; a name is the same in capital letters."""
    assert read_url("https://Hooks.Example.com:8443/a/%20b?c=d&e") == Target(
        is_secure=True, host="hooks.example.com", port=8443, path="/a/%20b?c=d&e"
    )
    assert read_url("https://[2606:4700:4700::1111]").name == "[2606:4700:4700::1111]"


@pytest.mark.clause("WH-22")
def test_settings_let_private_receivers_and_other_ports_be_called() -> None:
    """A network on any port and without TLS; a port of the internet with it; nothing that was not named."""
    reach = reach_of("10.1.0.0/16, fd00::7", "9443")
    inside, outside = (ip_address("10.1.2.3"),), (ip_address("10.2.0.1"),)

    assert may_call("http://router.internal:8080/", inside, reach)
    assert may_call("http://[fd00::7]:1/", reach=reach)
    assert may_call("https://hooks.example.com:9443/", reach=reach)
    assert not may_call("http://router.internal:8080/", outside, reach)
    assert not may_call("http://router.internal:8080/", (*inside, *outside), reach)
    assert not may_call("http://hooks.example.com/", reach=reach)
    assert not may_call("https://hooks.example.com:9444/", reach=reach)
    assert not may_call("https://[::ffff:10.1.2.3]/", reach=reach)


@pytest.mark.clause("WH-22")
def test_an_open_server_reaches_its_own_machine_and_no_other() -> None:
    """For whoever tries things out."""
    dev = Reach(is_dev=True)

    assert may_call("http://127.0.0.1:9000/", reach=dev)
    assert may_call("http://[::1]:9000/", reach=dev)
    assert not may_call("http://10.0.0.1:9000/", reach=dev)
    assert not may_call("http://169.254.169.254/", reach=dev)


@pytest.mark.clause("WH-22")
@pytest.mark.parametrize(
    ("allow", "ports"), [("10.0.0.1/8", ""), ("example.com", ""), ("", "x"), ("", "0"), ("", "70000")]
)
def test_a_setting_that_cannot_be_meant_is_refused(allow: str, ports: str) -> None:
    """Nothing is let through by a misprint."""
    with pytest.raises(UsageError):
        reach_of(allow, ports)


@pytest.mark.clause("WH-22")
def test_networks_are_lists() -> None:
    """With commas or blanks."""
    assert [str(each) for each in read_networks("10.0.0.0/8,fd00::/8 192.168.1.7")] == [
        "10.0.0.0/8",
        "fd00::/8",
        "192.168.1.7/32",
    ]
