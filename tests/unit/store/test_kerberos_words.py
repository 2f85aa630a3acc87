"""What Kerberos' library and a kerberised NameNode say (as measured), and what a person is told."""

from __future__ import annotations

import pytest
from hdfs.util import HdfsError

from pivo import kerberos
from pivo.errors import ArchiveError, Unavailable, UsageError
from pivo.hdfsaddress import Address, said
from pivo.masking import masked

WHO = "pivo@EXAMPLE.ORG"


@pytest.mark.parametrize(
    ("words", "meaning", "do"),
    [
        ("No Kerberos credentials available (default cache: FILE:/tmp/krb5cc_0)", f"no ticket of {WHO}", "kinit"),
        ("Can't find client principal pivo@EXAMPLE.ORG in cache collection", "ticket cache has none", "keytab="),
        ("Principal in credential cache does not match desired name", "ticket cache has none", "KRB5CCNAME=DIR"),
        ("Ticket expired", "has expired", "kinit"),
        ("Major (720896): The referenced credential has expired", "has expired", "kinit"),
        ("Clock skew too great", "clocks", "NTP"),
        ("Keytab contains no suitable keys for x@EXAMPLE.ORG", "keytab has no key", "klist -k"),
        ("Pre-authentication failed: Key table file '/nope' not found", "keytab cannot be read", "path"),
        ("Preauthentication failed", "was renewed there", "anew"),
        ("Client 'pivo@EXAMPLE.ORG' not found in Kerberos database", f"no principal {WHO}", "principal"),
        ("Server HTTP/10.0.0.1@EXAMPLE.ORG not found in Kerberos database", "no HTTP/10.0.0.1@EXAMPLE.ORG", "host"),
    ],
)
def test_words_of_the_library_are_told_as_what_they_mean(words: str, meaning: str, do: str) -> None:
    told = kerberos.told(words, WHO, "nn:9871", "pivo")
    assert isinstance(told, ArchiveError) and meaning in told.what and do in told.do


def test_a_kdc_that_is_away_may_come_back_and_other_words_are_nobodys() -> None:
    assert isinstance(kerberos.told("Cannot contact any KDC for realm 'EXAMPLE.ORG'", WHO, "nn", "pivo"), Unavailable)
    assert kerberos.told("Something else", WHO, "nn", "pivo") is None


def test_what_the_namenode_says_on_a_page_is_read() -> None:
    page = "<html>\n<head>\n<title>Error 403 GSSException: Failure (Mechanism level: Checksum failed)</title>\n</head>"
    text = said(HdfsError(page.encode()))
    assert text == "GSSException: Failure (Mechanism level: Checksum failed)"
    address = Address.parse("swebhdfs://nn/backups?auth=kerberos")
    refusal = address.refusal(text, "pivo")
    assert refusal and "its own SPNEGO keytab" in refusal.what
    assert address.refusal("Permission denied: user=pivo-reader, access=WRITE", "pivo") is None
    assert Address.parse("swebhdfs://nn/backups").refusal(text, "pivo") is None


@pytest.mark.parametrize("option", ["keytab=/x", "principal=pivo@X", "proxy=yes"])
def test_options_that_mean_nothing_without_kerberos_are_refused(option: str) -> None:
    with pytest.raises(UsageError, match="means nothing without Kerberos"):
        Address.parse(f"swebhdfs://nn/backups?{option}")
    assert Address.parse("swebhdfs://nn/b?auth=kerberos&keytab=/x").keytab == "/x"
    with pytest.raises(UsageError, match="who stands for"):
        Address.parse("swebhdfs://nn/b?auth=kerberos&keytab=/x&proxy=yes")


def test_a_datanodes_token_is_masked() -> None:
    assert masked("https://dn:9865/webhdfs/v1/x?op=OPEN&delegation=HAAEcGl2bw&offset=0").count("HAAE") == 0
