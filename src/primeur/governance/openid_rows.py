"""Who a member is at an OpenID Connect provider."""

from sqlalchemy import delete, insert, select

from primeur.store.database import Tx
from primeur.store.schema import openid_identities


def member_of(tx: Tx, organisation_id: str, issuer: str, subject: str) -> str | None:
    """Give the member that a provider's *subject* is; None: nobody yet."""
    table = openid_identities.c
    this = (table.organisation_id == organisation_id) & (table.issuer == issuer) & (table.subject == subject)
    return tx.execute(select(table.member_id).where(this)).scalar_one_or_none()


def put_identity(tx: Tx, organisation_id: str, issuer: str, subject: str, member_id: str) -> None:
    """Keep who a member is at a provider; whoever that was before is it no more."""
    table = openid_identities.c
    this = (table.organisation_id == organisation_id) & (table.issuer == issuer) & (table.subject == subject)
    tx.execute(delete(openid_identities).where(this))
    tx.execute(
        insert(openid_identities).values(
            organisation_id=organisation_id, issuer=issuer, subject=subject, member_id=member_id
        )
    )


def is_linked(tx: Tx, member_id: str, issuer: str) -> bool:
    """Whether a member is somebody at a provider already."""
    table = openid_identities.c
    this = (table.member_id == member_id) & (table.issuer == issuer)
    return tx.execute(select(table.subject).where(this).limit(1)).first() is not None
