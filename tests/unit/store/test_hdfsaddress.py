"""The archive's address on HDFS: what it says, and which are refused."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from pivo.errors import UsageError
from pivo.hdfsaddress import Address
from pivo.store import HdfsStore, open_store


def test_an_address_says_how_hdfs_is_reached(tmp_path: Path) -> None:
    assert Address.parse("webhdfs://nn/backups/") == Address("nn:9870", "/backups")
    told = Address.parse("swebhdfs://nn/backups?ca=/x/ca.pem&auth=kerberos&principal={user}@EXAMPLE.ORG&proxy=yes")
    assert told == Address("nn:9871", "/backups", True, "/x/ca.pem", True, "{user}@EXAMPLE.ORG", True)
    assert told.url == "swebhdfs://nn:9871/backups"
    assert Address.parse("swebhdfs://nn:1/x").context() is not None
    assert Address.parse("webhdfs://nn:1/x").context() is None
    store = open_store("webhdfs://nn:50070/backups?auth=simple", "pivo")
    assert isinstance(store, HdfsStore) and (store.url, store.root) == ("webhdfs://nn:50070/backups", "/backups")


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("webhdfs:///backups", "is not an address"),
        ("webhdfs://nn:port/backups", "cannot be read"),
        ("webhdfs://ann:hidden-word@nn/backups", "carries a login"),
        ("webhdfs://nn/backups?ca=/x.pem", "without TLS"),
        ("swebhdfs://nn/backups?cert=/x.pem", "option 'cert'"),
        ("swebhdfs://nn/backups?auth=password", "wrong option"),
        ("swebhdfs://nn/backups?ca=/nowhere/ca.pem", "cannot be used"),
    ],
)
def test_what_is_wrong_with_an_address_is_said(address: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as refused:
        open_store(address, "pivo")
    assert refused.value.do and "hidden" not in str(refused.value)


def test_kerberos_without_its_packages_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "hdfs.ext.kerberos", None)
    store = open_store("webhdfs://127.0.0.1:1/backups?auth=kerberos", "pivo")
    with pytest.raises(UsageError, match="packages are not installed") as refused:
        store.read("x")
    assert "requests-kerberos" in refused.value.do
