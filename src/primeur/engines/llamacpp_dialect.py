"""How llama.cpp's OpenAI face differs from OpenAI's own."""

from primeur.core.chat import OPENAI_PATHS, Dialect

SAMPLERS = frozenset(
    {
        "top_k", "min_p", "typical_p", "repeat_penalty", "repeat_last_n", "mirostat", "mirostat_tau", "mirostat_eta",
        "grammar", "ignore_eos", "cache_prompt", "lora", "chat_template_kwargs",
    }
)  # fmt: skip

DIALECT = Dialect(name="llamacpp", paths=OPENAI_PATHS, accepts=SAMPLERS, reads_model=False)
