"""How deliveries are signed and tried again."""

import base64

import pytest

from primeur.governance.webhook_rules import (
    DELIVERY,
    PAUSES_MS,
    SECRET_PREFIX,
    is_accepted,
    next_try_ms,
    sign,
    webhook_secret,
)


def test_the_signature_is_the_one_of_standard_webhooks():
    """The example of its specification."""
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    signed = sign(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_every_url_has_its_own_secret():
    """Made from the house's, the same every time."""
    one, other = webhook_secret(b"p" * 32, "https://a.example/1"), webhook_secret(b"p" * 32, "https://a.example/2")
    assert one == webhook_secret(b"p" * 32, "https://a.example/1")
    assert one != other
    assert len(base64.b64decode(one.removeprefix(SECRET_PREFIX))) == 32


def test_pauses_grow_and_end():
    """And are spread by a fifth at most."""
    for attempts, pause in enumerate(PAUSES_MS, 1):
        assert next_try_ms(attempts, 500, 1000, 0) == 1000 + pause
        assert next_try_ms(attempts, None, 1000, 255) == 1000 + pause + pause // 5
    assert next_try_ms(len(PAUSES_MS) + 1, 500, 1000, 0) is None
    assert next_try_ms(1, 410, 1000, 0) is None


@pytest.mark.parametrize(("status", "taken"), [(200, True), (204, True), (302, False), (404, False), (500, False)])
def test_only_success_is_success(status, taken):
    """A redirect is not followed."""
    assert is_accepted(status) is taken


def test_an_abandoned_delivery_can_be_tried_again():
    """A delivered one cannot."""
    assert DELIVERY.after("abandoned", "retry") == "pending"
    assert "delivered" in DELIVERY.ends
