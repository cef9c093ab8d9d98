"""The child process of the openvino engine: openvino-genai's continuous batching behind our own OpenAI face.

Run as ``python -m primeur.engines.openvino_server PLAN`` by the engine host.
"""

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
import openvino
import openvino_genai

from primeur.engines.child import fatal, read_orders, watch_owner
from primeur.engines.openvino import OpenVinoPlan
from primeur.engines.token_maker import Draw, Made
from primeur.engines.token_server import run

_FINISHES = {
    openvino_genai.GenerationFinishReason.STOP: "stop",
    openvino_genai.GenerationFinishReason.LENGTH: "length",
}
_MOST_SEED = (1 << 63) - 1


class OpenVinoWords:
    """The vocabulary in the file; fits `primeur.engines.token_maker.Words`."""

    def __init__(self, tokenizer: Any) -> None:
        """Read the vocabulary of *tokenizer* once."""
        self._tokenizer = tokenizer
        self._bytes: dict[int, bytes] = {token: raw for raw, token in tokenizer.get_vocab().items()}
        # What decoding leaves out is no text: ends, roles and their like.
        for token, raw in self._bytes.items():
            if raw.startswith(b"<") and raw.endswith(b">") and not tokenizer.decode([token]):
                self._bytes[token] = b""

    def tokenize(self, text: str) -> list[int]:
        """See the protocol."""
        ids = self._tokenizer.encode(text, add_special_tokens=False).input_ids.data
        return [int(token) for token in ids[0]] if ids.size else []

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
            return str(
                self._tokenizer.apply_chat_template(
                    list(messages), add_generation_prompt=True, extra_context=dict(options)
                )
            )
        except RuntimeError as error:
            message = f"the model's chat template cannot write these messages: {str(error).splitlines()[-1]}"
            raise ValueError(message) from None


class OpenVinoStepper:
    """openvino-genai's pipeline; fits `primeur.engines.token_maker.Stepper`."""

    def __init__(self, plan: OpenVinoPlan) -> None:
        """Load the weights.

        Raises:
            RuntimeError: openvino cannot read them.
        """
        scheduler = openvino_genai.SchedulerConfig()
        # The cache grows with what is under way: no more than `slots` answers, each within its context.
        scheduler.max_num_seqs, scheduler.max_num_batched_tokens = plan.slots, plan.batch_tokens
        scheduler.enable_prefix_caching = True
        properties = {"INFERENCE_NUM_THREADS": plan.threads}
        self._pipeline = openvino_genai.ContinuousBatchingPipeline(plan.weights, scheduler, "CPU", properties)
        tokenizer = self._pipeline.get_tokenizer()
        self._end = tokenizer.get_eos_token_id()
        self.words = OpenVinoWords(tokenizer)
        self._handles: dict[int, Any] = {}

    def add(self, number: int, prompt: Sequence[int], draw: Draw) -> None:
        """See the protocol."""
        ids = openvino.Tensor(np.array([prompt], dtype=np.int64))
        try:
            self._handles[number] = self._pipeline.add_request(number, ids, self._config(draw))
        except RuntimeError as error:
            message = f"openvino refused the request: {str(error).splitlines()[-1]}"
            raise ValueError(message) from None

    def step(self) -> Iterable[tuple[int, list[Made]]]:
        """See the protocol."""
        if self._pipeline.has_non_finished_requests():
            self._pipeline.step()
        for number, handle in list(self._handles.items()):
            made: list[Made] = []
            while handle.can_read():
                for output in handle.read().values():
                    made += _read(output)
            if made and made[-1].finish is not None:
                del self._handles[number]
            if made:
                yield number, made

    def drop(self, number: int) -> None:
        """See the protocol."""
        handle = self._handles.pop(number, None)
        if handle is not None:
            handle.cancel()

    def _config(self, draw: Draw) -> Any:
        config = openvino_genai.GenerationConfig()
        config.max_new_tokens, config.ignore_eos, config.logprobs = draw.max_tokens, draw.ignore_eos, 1
        config.set_eos_token_id(self._end)
        config.frequency_penalty, config.presence_penalty = draw.frequency_penalty, draw.presence_penalty
        if draw.repeat_penalty:
            config.repetition_penalty = draw.repeat_penalty
        config.do_sample = draw.temperature > 0 and draw.top_p > 0
        if config.do_sample:
            config.temperature, config.top_p = draw.temperature, draw.top_p
            config.rng_seed = abs(hash(draw.seed)) & _MOST_SEED if draw.seed is not None else _dice()
            if draw.top_k:
                config.top_k = draw.top_k
            if draw.min_p:
                config.min_p = draw.min_p
        if draw.schema is not None:
            config.structured_output_config = openvino_genai.StructuredOutputConfig(json_schema=draw.schema)
        return config


def _dice() -> int:
    return int.from_bytes(np.random.default_rng().bytes(7), "big")


def _read(output: Any) -> list[Made]:
    finish = _FINISHES.get(output.finish_reason)
    logprobs = list(output.generated_log_probs) or [None] * len(output.generated_ids)
    made = [Made(int(token), logprob) for token, logprob in zip(output.generated_ids, logprobs, strict=False)]
    if made and finish is not None:
        made[-1] = made[-1]._replace(finish=finish)
    return made


def main() -> None:
    """Serve until told to end."""
    orders = read_orders()
    watch_owner(orders)
    try:
        plan = msgspec.json.decode(sys.argv[1].encode(), type=OpenVinoPlan)
        stepper = OpenVinoStepper(plan)
    except (IndexError, msgspec.DecodeError, RuntimeError) as error:
        fatal(f"openvino did not start: {error}")
    run(orders, stepper, plan.model, plan.context_tokens)


if __name__ == "__main__":
    main()
