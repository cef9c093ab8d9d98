"""What parties may tell the book of papers; every command carries a key and is the same once or twice."""

from dataclasses import dataclass
from enum import StrEnum

from primeur.broker.rights import Right
from primeur.broker.terms import Terms


class Answer(StrEnum):
    """What a holder may say to an offer."""

    ACCEPT = "accept"
    DECLINE = "decline"
    COUNTER = "counter"
    WAIVE = "waive"


@dataclass(frozen=True, slots=True)
class GrantRight:
    """Write a right's first version; it binds nobody until it is activated."""

    key: str
    right: Right


@dataclass(frozen=True, slots=True)
class AmendRight:
    """Write a right's next version, which supersedes the one before from its date on."""

    key: str
    right: Right


@dataclass(frozen=True, slots=True)
class MoveRight:
    """Move a right by its table: ``activate``, ``suspend``, ``resume``, ``release`` or ``terminate``."""

    key: str
    move: str


@dataclass(frozen=True, slots=True)
class SealBid:
    """A third party binds itself to terms, before the holder is asked to match the best of them."""

    key: str
    bid: str
    request: str
    provider: str
    terms: Terms
    expires_ms: int


@dataclass(frozen=True, slots=True)
class OpenRequest:
    """Ask for capacity; *ceiling* is the most we would agree to."""

    key: str
    request: str
    ceiling: Terms


@dataclass(frozen=True, slots=True)
class CancelRequest:
    """Give up the residual: because it is not wanted any more, or *unmet* because nobody has it."""

    key: str
    request: str
    unmet: bool = False


@dataclass(frozen=True, slots=True)
class SendOffer:
    """Ask the holder; *bid* names the sealed bid that is mirrored, in match mode."""

    key: str
    offer: str
    request: str
    terms: Terms
    bid: str | None = None


@dataclass(frozen=True, slots=True)
class ReceiveNotice:
    """The notice has arrived, with this hash of its terms; the clock starts. A wrong hash makes it void."""

    key: str
    offer: str
    hash: str


@dataclass(frozen=True, slots=True)
class AmendOffer:
    """Change the terms while no answer was given; a new hash, a new notice, a new clock."""

    key: str
    offer: str
    terms: Terms


@dataclass(frozen=True, slots=True)
class WithdrawOffer:
    """Take an offer back; nothing is let go."""

    key: str
    offer: str


@dataclass(frozen=True, slots=True)
class AnswerOffer:
    """The holder's word, to the terms of this hash.

    Attributes:
        units: how many it takes; all when None.
        counter: the terms that would be a yes; binds nobody.
    """

    key: str
    offer: str
    hash: str
    answer: Answer
    units: int | None = None
    counter: Terms | None = None


@dataclass(frozen=True, slots=True)
class CloseOffer:
    """An acceptance was signed, or *failed* to be."""

    key: str
    offer: str
    commitment: str
    failed: bool = False


@dataclass(frozen=True, slots=True)
class CommitThird:
    """Agree with somebody else, on units that the holder let go, or that no right covers (*release* is None)."""

    key: str
    commitment: str
    request: str
    provider: str
    terms: Terms
    release: str | None = None


@dataclass(frozen=True, slots=True)
class AmendCommitment:
    """Agree on other terms with the same party: *replacement* supersedes the commitment at once.

    Attributes:
        terms: what holds from now on; a start that is over counts as now, and the end stays.
    """

    key: str
    commitment: str
    replacement: str
    terms: Terms


@dataclass(frozen=True, slots=True)
class CancelCommitment:
    """End a commitment before its term."""

    key: str
    commitment: str


@dataclass(frozen=True, slots=True)
class ExhaustCommitment:
    """All that a commitment stands for was used, so many tokens."""

    key: str
    commitment: str
    tokens: int


@dataclass(frozen=True, slots=True)
class GiveBack:
    """Give up what is left of a release before it expires, to offer it to the holder again at other terms."""

    key: str
    release: str


Command = (
    GrantRight
    | AmendRight
    | MoveRight
    | SealBid
    | OpenRequest
    | CancelRequest
    | SendOffer
    | ReceiveNotice
    | AmendOffer
    | WithdrawOffer
    | AnswerOffer
    | CloseOffer
    | CommitThird
    | AmendCommitment
    | CancelCommitment
    | ExhaustCommitment
    | GiveBack
)
