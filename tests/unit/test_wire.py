"""OpenAI's request bodies: what decodes, and what is refused."""

import msgspec
import pytest

from primeur.core.wire import CompletionRequest, EmbeddingRequest


@pytest.mark.parametrize("given", ["one", ["one", "two"], [1, 2], [[1, 2], [3]]])
def test_prompts_and_inputs_decode_in_all_four_forms(given):
    """Text, texts, tokens and lists of tokens are all OpenAI's."""
    body = msgspec.json.encode({"model": "m", "prompt": given})
    assert msgspec.json.decode(body, type=CompletionRequest).prompt == given
    body = msgspec.json.encode({"model": "m", "input": given})
    assert msgspec.json.decode(body, type=EmbeddingRequest).input == given


@pytest.mark.parametrize("given", [[], ["one", 2], [1, [2]]])
def test_mixed_and_empty_lists_are_refused(given):
    """A list is of one kind and not empty."""
    with pytest.raises(msgspec.ValidationError, match="input must be a string"):
        msgspec.json.decode(msgspec.json.encode({"model": "m", "input": given}), type=EmbeddingRequest)
