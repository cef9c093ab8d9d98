"""What a caller asks of Primeur itself is heard and passed on to nobody."""

import msgspec
import pytest

from primeur.core.errors import BadRequest
from primeur.core.reading import read_json
from primeur.core.wire import EmbeddingRequest
from primeur.core.wishes import read_sharing, take_wishes


def taken(header="", **more):
    body = msgspec.json.encode({"model": "m", "input": "x"} | more)
    return body, take_wishes(body, read_json(body, EmbeddingRequest), header)


def test_a_body_without_wishes_stays_as_it_came():
    """Byte for byte; the header alone says who may serve."""
    body, (left, fields, sharing) = taken("shared")
    assert (left is body, fields.primeur, sharing) == (True, None, "shared")


@pytest.mark.parametrize("word", ["dedicated", "spill", "shared"])
def test_a_wish_is_taken_out_of_the_body(word):
    """The target sees nothing of it; the header may repeat it."""
    _, (left, fields, sharing) = taken(word, primeur={"sharing": word})
    assert (msgspec.json.decode(left), fields.primeur, sharing) == ({"model": "m", "input": "x"}, None, word)


def test_two_words_for_one_thing_and_unknown_words_are_refused():
    """Each names its field."""
    with pytest.raises(BadRequest, match="say one"):
        taken("shared", primeur={"sharing": "dedicated"})
    for wrong in ({"sharing": "mine"}, {"share": "spill"}):
        with pytest.raises(BadRequest, match="primeur"):
            taken(primeur=wrong)


@pytest.mark.parametrize("wrong", ["mine", "dedicated,spill", "é" * 5000])
def test_an_unknown_word_in_the_header_is_refused_by_name(wrong):
    """Whether or not a right concerns the deployment; case and blanks do not matter, and silence is no word."""
    with pytest.raises(BadRequest, match=r"x-primeur-sharing is .*; choose dedicated, spill, shared") as refused:
        read_sharing(wrong)
    assert (refused.value.param, len(str(refused.value)) < 200) == ("sharing", True)
    assert (read_sharing(" Shared "), read_sharing("")) == ("shared", "")
