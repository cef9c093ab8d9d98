"""Reading a declared house: what the documentation shows is understood."""

import re
import tomllib
from pathlib import Path

import pytest

from primeur.core.errors import BadRequest
from primeur.core.money import nanos_per_token, price_per_million
from primeur.walks.read_document import KINDS, read_document

PAGE = Path(__file__).parents[2] / "docs" / "walks" / "apply.md"


def test_the_documented_example_is_understood():
    """Every table that there is, in the order in which they are made so."""
    (text,) = re.findall(r"```toml\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    document = tomllib.loads(text)
    for model in document["models"].values():
        if "file" in model:
            model["sha256"] = "0" * 64
    found = read_document(document)
    assert list(dict.fromkeys(entry.noun for entry in found)) == list(KINDS)


def test_an_unknown_table_is_answered_with_those_there_are():
    """So that the mistake is seen."""
    with pytest.raises(BadRequest, match="known are projects, providers, models"):
        read_document({"model": {}})


@pytest.mark.parametrize("price", ["0", "0.001", "2.5", "10", "1234.567"])
def test_a_price_is_written_as_it_was_read(price):
    """There and back, exactly."""
    assert price_per_million(nanos_per_token(price)) == price
