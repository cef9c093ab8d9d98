"""What can happen to webhooks."""

from primeur.core.events.base import Event


class WebhookAbandoned(Event, frozen=True):
    """A delivery was tried for the last time; the receiver did not take it."""

    delivery_id: str
    kind: str
    fault: str


class WebhookRetried(Event, frozen=True):
    """Somebody asked for a delivery to be tried again."""

    delivery_id: str


WebhookEvent = WebhookAbandoned | WebhookRetried
