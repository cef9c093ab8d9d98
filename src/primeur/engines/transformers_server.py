"""The child process of the transformers engine: its continuous batching behind our own OpenAI face.

Run as ``python -m primeur.engines.transformers_server PLAN`` by the engine host.
"""

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, ContinuousBatchingConfig, GenerationConfig

from primeur.engines.child import fatal, read_orders, watch_owner
from primeur.engines.token_maker import Draw, Made
from primeur.engines.token_server import run
from primeur.engines.transformers import TransformersPlan

_PAGE_TOKENS = 32
_WAIT_S = 0.01
_NO_END = -1


def byte_letters() -> dict[str, int]:
    """The printable letters that byte-level BPE writes bytes with.

    Source: Radford et al. (2019), GPT-2: printable bytes stand for themselves, the others from U+0100 on.
    """
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    spare = iter(range(256, 512))
    return {chr(byte if byte in plain else next(spare)): byte for byte in range(256)}


def token_bytes(token: str, letters: Mapping[str, int] | None) -> bytes:
    """The bytes of a token as the vocabulary writes it; *letters* for byte-level BPE, None for SentencePiece."""
    if letters is not None and all(letter in letters for letter in token):
        return bytes(letters[letter] for letter in token)
    if len(token) == len("<0x00>") and token.startswith("<0x") and token.endswith(">"):
        return bytes([int(token[3:5], 16)])
    return token.replace("\u2581", " ").encode()


class TransformersWords:
    """A tokenizer's vocabulary; fits `primeur.engines.token_maker.Words`."""

    def __init__(self, tokenizer: Any) -> None:
        """Read the vocabulary of *tokenizer* once."""
        self._tokenizer = tokenizer
        vocabulary: dict[str, int] = tokenizer.get_vocab()
        letters = byte_letters() if any(token.startswith("\u0120") for token in vocabulary) else None
        special = set(tokenizer.all_special_ids)
        self._bytes = {
            number: b"" if number in special else token_bytes(token, letters) for token, number in vocabulary.items()
        }

    def tokenize(self, text: str) -> list[int]:
        """See the protocol."""
        return list(self._tokenizer.encode(text, add_special_tokens=False))

    def bytes_of(self, token: int) -> bytes:
        """See the protocol."""
        found = self._bytes.get(token)
        if found is None:
            message = f"there is no token {token}; the vocabulary has {len(self._bytes)}"
            raise ValueError(message)
        return found

    def write_chat(self, messages: Sequence[Mapping[str, Any]], options: Mapping[str, Any]) -> str:
        """See the protocol."""
        try:
            written = self._tokenizer.apply_chat_template(
                list(messages), tokenize=False, add_generation_prompt=True, **options
            )
        except Exception as error:  # noqa: BLE001 (templates raise Jinja's errors and their own)
            message = f"the model's chat template cannot write these messages: {error}"
            raise ValueError(message) from None
        return str(written)


class TransformersStepper:
    """transformers' own batching thread; fits `primeur.engines.token_maker.Stepper`."""

    def __init__(self, plan: TransformersPlan) -> None:
        """Load the weights and warm up.

        Raises:
            OSError, ValueError: the folder cannot be read.
        """
        torch.set_num_threads(plan.threads)
        device = ("cuda" if torch.cuda.is_available() else "cpu") if plan.device == "auto" else plan.device
        tokenizer = AutoTokenizer.from_pretrained(plan.weights)
        model = AutoModelForCausalLM.from_pretrained(
            plan.weights, dtype=plan.dtype, use_safetensors=True, trust_remote_code=False
        ).to(device)
        self.words = TransformersWords(tokenizer)
        self._vocabulary = model.config.vocab_size
        ends = model.generation_config.eos_token_id
        self._ends = ends if ends is not None else tokenizer.eos_token_id
        # Each of these makes a processor whose figure every request then sets for itself.
        drawing = GenerationConfig(
            do_sample=True, temperature=0.5, top_k=50, top_p=0.5, eos_token_id=self._ends, max_new_tokens=1
        )
        batching = ContinuousBatchingConfig(
            page_size=_PAGE_TOKENS,
            num_blocks=plan.cache_tokens // _PAGE_TOKENS,
            max_batch_tokens=plan.batch_tokens,
            max_requests_per_batch=plan.slots,
            per_request_processors=True,
            return_logprobs=True,
        )
        self._manager = model.init_continuous_batching(generation_config=drawing, continuous_batching_config=batching)
        self._manager.start()
        self._told: dict[int, tuple[int, int]] = {}

    def add(self, number: int, prompt: Sequence[int], draw: Draw) -> None:
        """See the protocol."""
        greedy = draw.temperature == 0 or draw.top_p == 0
        self._told[number] = (0, draw.max_tokens)
        self._manager.add_request(
            list(prompt),
            request_id=str(number),
            max_new_tokens=draw.max_tokens,
            streaming=True,
            eos_token_id=_NO_END if draw.ignore_eos else self._ends,
            temperature=1.0 if greedy else draw.temperature,
            top_k=1 if greedy else min(draw.top_k or self._vocabulary, self._vocabulary),
            top_p=1.0 if greedy else draw.top_p,
        )

    def step(self) -> Iterable[tuple[int, list[Made]]]:
        """See the protocol."""
        output = self._manager.get_result(timeout=_WAIT_S)
        if output is None and not self._manager.is_running():
            message = "transformers' batching has ended; its log says why"
            raise RuntimeError(message)
        number = int(output.request_id) if output is not None else 0
        if number not in self._told:
            return
        if output.error:
            raise RuntimeError(output.error)
        told, limit = self._told[number]
        tokens, finished = output.generated_tokens, output.is_finished()
        made = [
            Made(int(token), logprob)
            for token, logprob in zip(tokens[told:], output.logprobs[told:] or [None] * len(tokens), strict=False)
        ]
        if finished:
            del self._told[number]
            finish = "length" if len(tokens) >= limit else "stop"
            made = [*made[:-1], (made[-1] if made else Made(self._first_end(), None))._replace(finish=finish)]
        else:
            self._told[number] = (told + len(made), limit)
        if made:
            yield number, made

    def drop(self, number: int) -> None:
        """See the protocol."""
        if self._told.pop(number, None) is not None:
            self._manager.cancel_request(str(number))

    def _first_end(self) -> int:
        return int(self._ends[0] if isinstance(self._ends, list) else self._ends)


def main() -> None:
    """Serve until told to end."""
    orders = read_orders()
    watch_owner(orders)
    try:
        plan = msgspec.json.decode(sys.argv[1].encode(), type=TransformersPlan)
        stepper = TransformersStepper(plan)
    except (IndexError, msgspec.DecodeError, OSError, ValueError, RuntimeError) as error:
        fatal(f"transformers did not start: {error}")
    run(orders, stepper, plan.model, plan.context_tokens)


if __name__ == "__main__":
    main()
