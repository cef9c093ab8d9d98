"""Compile what the terms of a deployment say to each request; buckets outlive the snapshot."""

from collections.abc import Iterable, Mapping

from primeur.core.ports import Reservation
from primeur.registry.deployment_rows import DeploymentRow, Revision
from primeur.registry.rows import Model, Version
from primeur.registry.terms import BATCH, PROVISIONED, Entry, Terms, ended_words
from primeur.registry.terms_rows import ORDINARY
from primeur.registry.upgrades import Edition, refuses
from primeur.walks.house import House


def edition_of(version: Version) -> Edition:
    """Give a version as far as upgrading needs it."""
    return Edition(version.id, version.number, version.retires_ms)


def default_of(model: Model, versions: Iterable[Version]) -> Version:
    """Give the version of *model* that is meant when none is named; its newest, where the default is gone."""
    own = [one for one in versions if one.model_id == model.id]
    return next((one for one in own if one.number == model.default_version), own[-1])


class TermsBook:
    """The terms of all deployments, and the versions that they run, at one moment."""

    def __init__(self, terms: Mapping[str, Terms], models: Iterable[Model], versions: Iterable[Version]) -> None:
        """Keep them."""
        self._terms = terms
        self._models = {one.id: one for one in models}
        self._versions = {one.id: one for one in versions}

    def of(self, deployment_id: str) -> Terms:
        """Give a deployment's terms."""
        return self._terms.get(deployment_id, ORDINARY)

    def ends_ms(self, revision: Revision) -> int | None:
        """When a revision's version ends; None: nobody said that it does."""
        version = self._versions.get(revision.version_id or "")
        return None if version is None else version.retires_ms

    def entry(self, house: House, row: DeploymentRow, revisions: Iterable[Revision]) -> Entry | None:
        """Give what the deployment says to each request; None where it says nothing."""
        terms = self.of(row.id)
        bucket = _bucket(house, row, terms)
        last = self._last(terms, revisions)
        if bucket is None and terms.kind != BATCH and last is None:
            return None
        ended = "" if last is None else ended_words(*self._named(last), last.retires_ms or 0, row.name)
        ends_ms = None if last is None else last.retires_ms
        return Entry(row.name, bucket=bucket, only_batches=terms.kind == BATCH, ends_ms=ends_ms, ended=ended)

    def _last(self, terms: Terms, revisions: Iterable[Revision]) -> Version | None:
        """The version with whose end the deployment answers no more; None: it goes on, or ends never."""
        found: list[Version] = []
        for revision in revisions:
            if revision.share == 0:
                continue
            version = self._versions.get(revision.version_id or "")
            if version is None or version.retires_ms is None:
                return None
            default = default_of(self._models[version.model_id], self._versions.values())
            # What holds at its end holds afterwards: a change of the default makes a new snapshot.
            if not refuses(terms.upgrade, edition_of(version), edition_of(default), version.retires_ms):
                return None
            found.append(version)
        return max(found, key=lambda one: one.retires_ms or 0, default=None)

    def _named(self, version: Version) -> tuple[str, int]:
        return self._models[version.model_id].name, version.number


def _bucket(house: House, row: DeploymentRow, terms: Terms) -> Reservation | None:
    if terms.kind != PROVISIONED or terms.reserved_tpm is None:
        house.board.buckets.pop(row.id, None)
        return None
    bucket = house.board.buckets.get(row.id)
    if bucket is None:
        bucket = house.board.buckets[row.id] = house.limiter.reservation(f"reserved:{row.id}", terms.reserved_tpm)
    bucket.resize(terms.reserved_tpm)
    return bucket
