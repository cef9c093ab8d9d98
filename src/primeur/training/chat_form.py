"""The chat form: its marks, its template, and turns written in it; pure."""

import dataclasses
from collections.abc import Sequence

START, END, PAD = "<|start|>", "<|end|>", "<|pad|>"
ROLES = ("system", "user", "assistant", "tool")
SPECIAL = (PAD, START, END, *(f"<|{role}|>" for role in ROLES))

# Earlier tool calls are written as plain JSON: a form of their own would make llama.cpp demand it of
# every answer given while tools are present, and this model was not taught to call them.
CHAT_TEMPLATE = """\
{%- macro say(content) -%}
{%- if content is string -%}{{- content -}}
{%- elif content -%}{%- for part in content -%}{{- part.text or '' -}}{%- endfor -%}
{%- endif -%}
{%- endmacro -%}
{{- bos_token -}}
{%- if tools -%}
{{- '<|system|>' -}}
{%- if messages and messages[0].role in ['system', 'developer'] -%}
{{- say(messages[0].content) + '\\n\\n' -}}{%- endif -%}
{{- 'Tools:' -}}
{%- for tool in tools -%}
{%- set function = tool.function if tool.function else tool -%}
{{- '\\n' + function.name + ': ' + (function.description or '') + ' ' + (function.parameters or {})|tojson -}}
{%- endfor -%}
{{- '<|end|>' -}}
{%- endif -%}
{%- for message in messages -%}
{%- if not (tools and loop.first and message.role in ['system', 'developer']) -%}
{%- set role = 'system' if message.role == 'developer' else message.role -%}
{{- '<|' + role + '|>' + say(message.content) -}}
{%- if message.tool_calls -%}{{- message.tool_calls|tojson -}}{%- endif -%}
{{- '<|end|>' -}}
{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- '<|assistant|>' -}}{%- endif -%}
"""


@dataclasses.dataclass(frozen=True)
class Turn:
    """One message of a dialogue; *role* is one of ROLES."""

    role: str
    text: str


def render(turns: Sequence[Turn]) -> str:
    """The chat form as text, ending where the assistant is to speak."""
    return START + "".join(f"<|{turn.role}|>{turn.text}{END}" for turn in turns) + "<|assistant|>"
