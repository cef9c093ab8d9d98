// One streamed chat completion: sends it, reads server-sent events, measures, and tells what came.

const SPAN_LEAST_S = 0.05;
const HEADERS_TOLD = { deployment: "x-primeur-deployment", revision: "x-primeur-revision", provider: "x-primeur-provider", refusal: "x-primeur-refusal", request: "x-request-id" };

export class Refused extends Error {
  constructor({ status, code, message, retryMs, request }) {
    super(message);
    Object.assign(this, { status, code, retryMs, request });
  }
}

// Split a stream of bytes into the data of its events. Source: WHATWG HTML, 9.2.6.
export async function* eventsOf(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    rest += value ?? "";
    // A carriage return at the very end may be half of a line's end.
    const whole = rest.replace(/\r\n?(?!$)|\r\n$/g, "\n").split("\n\n");
    rest = whole.pop();
    for (const block of done && rest.trim() ? [...whole, rest] : whole) {
      const data = block.split("\n").filter((line) => line.startsWith("data:")).map((line) => line.slice(5).trimStart());
      if (data.length) yield data.join("\n");
    }
    if (done) return;
  }
}

export async function refusalOf(response) {
  const text = await response.text();
  let error = {};
  try { error = JSON.parse(text).error ?? {}; } catch { error = { message: text.slice(0, 300) }; }
  const told = Number(response.headers.get("retry-after-ms")) || 1000 * Number(response.headers.get("retry-after"));
  return new Refused({
    status: response.status, code: error.code ?? error.type ?? "", message: error.message ?? response.statusText,
    retryMs: told || null, request: response.headers.get("x-request-id"),
  });
}

// Ask for a completion; `onPiece(state)` is called whenever text, thinking or tool calls grew.
// Gives the state; throws Refused, AbortError or TypeError (no connection).
export async function complete(body, { signal, onPiece }) {
  const began = performance.now();
  const response = await fetch("/v1/chat/completions", {
    method: "POST", signal, credentials: "same-origin",
    headers: { "content-type": "application/json", "x-primeur-console": "1" },
    body: JSON.stringify({ ...body, stream: true, stream_options: { include_usage: true } }),
  });
  if (!response.ok) throw await refusalOf(response);
  const state = { text: "", thinking: "", calls: [], made: servedBy(response), pieces: 0, began, first: null, ended: null };
  try {
    for await (const data of eventsOf(response.body)) {
      if (data === "[DONE]") break;
      take(state, JSON.parse(data));
      onPiece(state);
    }
  } finally {
    measure(state);
  }
  return state;
}

function servedBy(response) {
  const made = {};
  for (const [name, header] of Object.entries(HEADERS_TOLD)) made[name] = response.headers.get(header);
  return made;
}

function take(state, chunk) {
  if (chunk.error) {
    throw new Refused({ status: 0, code: chunk.error.code ?? chunk.error.type ?? "", message: chunk.error.message ?? "", request: state.made.request });
  }
  if (chunk.usage) state.made.usage = { input: chunk.usage.prompt_tokens, output: chunk.usage.completion_tokens, cached: chunk.usage.prompt_tokens_details?.cached_tokens ?? 0 };
  if (chunk.primeur) Object.assign(state.made, { costNanos: chunk.primeur.cost_nanos ?? null, currency: chunk.primeur.currency ?? null });
  const choice = chunk.choices?.[0];
  if (!choice) return;
  const delta = choice.delta ?? {};
  const text = delta.content ?? delta.refusal ?? "";
  const thinking = delta.reasoning_content ?? delta.reasoning ?? "";
  if (text || thinking || delta.tool_calls) {
    state.first ??= performance.now();
    state.pieces += 1;
  }
  state.text += text;
  state.thinking += thinking;
  for (const call of delta.tool_calls ?? []) addCall(state.calls, call);
  if (choice.finish_reason) state.made.finish = choice.finish_reason;
}

function addCall(calls, piece) {
  const call = (calls[piece.index ?? calls.length] ??= { name: "", arguments: "" });
  call.name += piece.function?.name ?? "";
  call.arguments += piece.function?.arguments ?? "";
}

// Time to the first token from the click; tokens a second after the first one, as engines are compared.
// An answer that came in one go has no speed.
function measure(state) {
  state.ended = performance.now();
  const tokens = state.made.usage?.output ?? state.pieces;
  state.made.counted = Boolean(state.made.usage);
  state.made.outputTokens = tokens;
  state.made.firstMs = state.first === null ? null : state.first - state.began;
  const span = (state.ended - (state.first ?? state.ended)) / 1000;
  state.made.tokensPerSecond = tokens > 1 && span >= SPAN_LEAST_S ? (tokens - 1) / span : null;
}
