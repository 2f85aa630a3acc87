"""Repository names: what is one, and what is refused before it can do harm."""

from __future__ import annotations

import pytest

from pivo.errors import UsageError
from pivo.models import RepoName


@pytest.mark.parametrize(
    "text", ["PIVO", "acme/web", "a.b-c_d", ".github", "acme/.github", "1", "x" * 255, "-".join("abc")]
)
def test_names(text: str) -> None:
    name = RepoName.parse(text)
    assert str(name) == text
    assert (name.owner, name.name) == (tuple(text.split("/")) if "/" in text else (None, text))


@pytest.mark.parametrize(
    "text",
    [
        "", "/", "a/", "/a", "a//b", "a/b/c", "..", ".", "a/..", "../a", "a/.", ".incoming", "a/.incoming",
        "-a", "a/-b", "--help", "a b", "a\tb", "a\nb", "a\x00", "a\x7f", "a\u202eb", "a\u200bb", "\udcff",
        "a\\b", "a:b", "a@b", "a*", "é", "a%2fb", "~", "x" * 256, "é" * 200, "a/" + "b" * 254,
        "000001-abcdef012345", "acme/000042-abcdef012345", "1234567-abcdef012345", ".next-000001", "acme/.next-000001",
    ],
)  # fmt: skip
def test_what_is_no_name(text: str) -> None:
    with pytest.raises(UsageError) as refused:
        RepoName.parse(text)
    assert refused.value.exit_code == 2
    assert refused.value.what.isprintable() and refused.value.do and len(refused.value.what) < 400
