// From what went wrong to words with a next step: the kinds that the catalogue knows as problem.<kind>. Pure.

const BY_CODE = {
  context_length_exceeded: "too_long", model_not_found: "no_model", unsupported_parameter: "parameter", unknown_parameter: "parameter",
  invalid_type: "parameter", request_too_large: "too_large", upstream_timeout: "silent", upstream_busy: "busy", not_ready: "not_ready",
};
const BY_STATUS = { 400: "request", 401: "signed_out", 403: "not_permitted", 404: "no_model", 413: "too_large", 429: "limit", 500: "server", 502: "target", 503: "not_ready", 504: "silent" };

// Give {kind, message, request, retryMs}, or null when the person stopped it.
export function explain(error) {
  if (error.name === "AbortError") return null;
  if (error.status !== undefined) {
    const kind = BY_CODE[error.code] ?? BY_STATUS[error.status] ?? (error.status ? "other" : "target");
    return { kind, message: error.message, request: error.request ?? null, retryMs: error.retryMs ?? null };
  }
  if (error instanceof TypeError) return { kind: "offline", message: "", request: null, retryMs: null };
  return { kind: "broken", message: String(error.message ?? error), request: null, retryMs: null };
}
