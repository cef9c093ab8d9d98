// Passkeys: makes one on one's own page, and signs in with one; what the server asks is in WebAuthn's JSON form.

import { t } from "./dom.js";

const HEADERS = { "content-type": "application/json", "x-primeur-console": "1" };

export function bytesOf(text) {
  const plain = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
  return Uint8Array.from(plain, (letter) => letter.charCodeAt(0));
}

export function textOf(buffer) {
  const plain = String.fromCharCode(...new Uint8Array(buffer));
  return btoa(plain).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

function asked(options) {
  const found = { ...options, challenge: bytesOf(options.challenge) };
  if (options.user) found.user = { ...options.user, id: bytesOf(options.user.id) };
  for (const name of ["excludeCredentials", "allowCredentials"]) {
    if (options[name]) found[name] = options[name].map((one) => ({ ...one, id: bytesOf(one.id) }));
  }
  return found;
}

function answered(credential) {
  const response = {};
  for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (credential.response[name]) response[name] = textOf(credential.response[name]);
  }
  return { id: credential.id, rawId: textOf(credential.rawId), type: credential.type, clientExtensionResults: {}, response };
}

async function ask(method, path, body) {
  const reply = await fetch(path, { method, headers: HEADERS, body: body && JSON.stringify(body) });
  const said = await reply.json();
  if (!reply.ok) throw new Error(said.message ?? said.error?.message ?? reply.statusText);
  return said;
}

async function signIn() {
  const { public_key: options } = await ask("POST", "/sign-in/passkey/begin", {});
  const credential = await navigator.credentials.get({ publicKey: asked(options) });
  const { onward } = await ask("POST", "/sign-in/passkey", { credential: answered(credential) });
  location.assign(onward);
}

async function add(form) {
  const { public_key: options } = await ask("GET", "/api/v1/me/passkeys/options");
  const credential = await navigator.credentials.create({ publicKey: asked(options) });
  await ask("POST", "/api/v1/me/passkeys", { name: form.elements.name.value, credential: answered(credential) });
  location.reload();
}

async function attempt(form, work) {
  const notice = form.querySelector("[data-notice]");
  notice.hidden = true;
  try {
    await work(form);
  } catch (error) {
    // What browsers say when somebody closes their window is not for people.
    notice.textContent = error.name === "NotAllowedError" || error.name === "AbortError" ? t("live.passkey_stopped")
      : error.name === "InvalidStateError" ? t("live.passkey_known") : error.message;
    notice.hidden = false;
  }
}

for (const form of document.querySelectorAll("[data-passkey]")) {
  form.hidden = !window.PublicKeyCredential;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    attempt(form, form.dataset.passkey === "add" ? add : signIn);
  });
}
