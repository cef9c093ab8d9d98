"""Readers of foreign bytes that concern people and what passes: tokens of sign-in, SCIM, guards, pictures, weights."""

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec

from primeur.core.guards import Guard
from primeur.core.images import check_data_url, image_parts
from primeur.core.masking import RULES
from primeur.core.reading import NOT_JSON, read_json
from primeur.core.safetensors import read_safetensors_file
from primeur.governance.openid_rules import (
    Expected,
    check_claims,
    fitting_keys,
    read_keys,
    read_metadata,
    read_person,
    verified_claims,
)
from primeur.governance.scim_filters import matches
from primeur.governance.scim_forms import chosen, kept_of, member_ids, name_of, text_of
from primeur.governance.scim_patches import patched
from primeur.governance.sign_in_settings import OpenIdConnect
from primeur.trust.patterns import read_pattern
from primeur.trust.rules import GuardPolicy, GuardRule, compile_guard

Fuzzed = Callable[[bytes], None]

_ISSUER = "https://login.example.org"
_SETTINGS = OpenIdConnect(issuer=_ISSUER, client_id="primeur")
_CLAIMS = (
    b'{"iss":"https://login.example.org","aud":["primeur"],"azp":"primeur","exp":1e10,"iat":1,"nonce":"n","sub":"s"'
)
_CLAIMS += b',"email":"a@b.example","email_verified":true,"groups":["a","b"]}'
_METADATA = (
    b'{"issuer":"https://login.example.org","authorization_endpoint":"https://login.example.org/a",'
    b'"token_endpoint":"https://login.example.org/t","jwks_uri":"https://login.example.org/k"}'
)
_USER = (
    b'{"schemas":[],"userName":"ada@example.org","active":true,"name":{"givenName":"Ada"},"emails":[{"value":"a@b.c"'
)
_USER += b',"type":"work","primary":true}],"members":[{"value":"x"}]}'
_PATCH = (
    b'{"Operations":[{"op":"Replace","path":"emails[type eq \\"work\\"].value","value":"x@y.z"},'
    b'{"op":"add","value":{"name.givenName":"B","active":"False"}},{"op":"remove","path":"members[value eq \\"x\\"]"}]}'
)
_WEIGHTS = b'{"a":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]},"__metadata__":{"format":"pt"}}'
_CHUNK = (
    b'{"choices":[{"index":0,"delta":{"content":"ada@exa","tool_calls":[{"index":0,"function":{"arguments":"4111"}}]}'
)
_CHUNK += b',"finish_reason":"stop"}]}'
_CHAT = b'{"messages":[{"content":[{"type":"text","text":"a@b.example"},{"type":"image_url","image_url":{"url":"data:'
_CHAT += b'image/png;base64,iVBORw0KGgo="}}]}],"tools":[{"type":"function"}],"prompt":["x"]}'


def _object(data: bytes) -> dict[str, Any]:
    return read_json(data, dict[str, Any])


def _token(data: bytes) -> None:
    """As a provider sends it: head, claims and signature, joined by dots."""
    algorithm, keys = fitting_keys(data.decode("latin-1"), read_keys(b'{"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB"}]}'))
    verified_claims(data.decode("latin-1"), algorithm, keys)


def _claims(data: bytes) -> None:
    claims = _object(data)
    check_claims(claims, Expected(_ISSUER, "primeur", "n", 10.0))
    read_person(claims, _SETTINGS)


def _scim_user(data: bytes) -> None:
    said = _object(data)
    for name in ("userName", "externalId"):
        text_of(said, name)
    name_of(said, "ada")
    kept_of(said)
    member_ids(said)
    chosen(said, "userName,name", "emails")


def _scim_patch(data: bytes) -> None:
    patched(json.loads(_USER), _object(data).get("Operations"))


def _scim_filter(data: bytes) -> None:
    matches(data.decode("utf-8", "replace"), json.loads(_USER))


def _weights(folder: Path) -> Fuzzed:
    path = folder / "model.safetensors"

    def read(data: bytes) -> None:
        path.write_bytes(data)
        read_safetensors_file(path)

    return read


def _prompt(guard: Guard) -> Fuzzed:
    def read(data: bytes) -> None:
        try:
            if not isinstance(msgspec.json.decode(data), dict):
                return
        except NOT_JSON:
            return
        guard.prompt(data)

    return read


def _answer(guard: Guard) -> Fuzzed:
    def read(data: bytes) -> None:
        try:
            said = msgspec.json.decode(data)
        except NOT_JSON:
            return
        for streams in (True, False):
            look = guard.answer(streams=streams)
            if look is not None and isinstance(said, dict):
                look.piece(msgspec.json.decode(data))
                look.finish()

    return read


def _image(data: bytes) -> None:
    check_data_url("data:image/png;base64," + base64.b64encode(data).decode(), "url")
    check_data_url(data.decode("latin-1"), "url")


def _images(data: bytes) -> None:
    image_parts(_object(data))


def people_targets(stack: ExitStack) -> Iterator[tuple[str, Fuzzed, list[bytes]]]:
    """As `bench.fuzz_targets.targets`."""
    guard = compile_guard(
        GuardPolicy(rules=[GuardRule(name="all", action="mask", finds=list(RULES))], characters_most=1000)
    )
    assert guard is not None
    head = b'{"alg":"RS256","kid":"1"}'
    token = b".".join(base64.urlsafe_b64encode(part).rstrip(b"=") for part in (head, _CLAIMS, b"signed"))
    folder = Path(stack.enter_context(TemporaryDirectory(prefix="fuzz-")))
    yield "sign-in token", _token, [token]
    yield "sign-in claims", _claims, [_CLAIMS]
    yield "provider's keys", lambda data: void(read_keys(data)), [b'{"keys":[{"kty":"RSA","kid":"1"}]}']
    yield "provider's metadata", lambda data: void(read_metadata(data, _ISSUER)), [_METADATA]
    yield "scim user", _scim_user, [_USER]
    yield "scim patch", _scim_patch, [_PATCH]
    yield (
        "scim filter",
        _scim_filter,
        [b'userName eq "ada" and (emails[type eq "work"].value co "@" or not (active pr))'],
    )
    yield "safetensors", _weights(folder), [len(_WEIGHTS).to_bytes(8, "little") + _WEIGHTS + bytes(16)]
    yield "guarded prompt", _prompt(guard), [_CHAT]
    yield "guarded answer", _answer(guard), [_CHUNK]
    yield "guard's pattern", lambda data: void(read_pattern(data.decode("latin-1"))), [rb"(?:a|[b-d])\d{2,4}x?"]
    yield "image", _image, [b"data:image/png;base64,iVBORw0KGgo="]
    yield "images of a chat", _images, [_CHAT]


def void(_value: object) -> None:
    """Whatever it is, it was read."""
