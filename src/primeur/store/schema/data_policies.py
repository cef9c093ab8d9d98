"""What becomes of a project's data; a project without a row has the default of `primeur.governance.data_rules`."""

from sqlalchemy import Boolean, Column, ForeignKey, Integer, Table, Text

from primeur.store.schema.base import metadata

data_policies = Table(
    "data_policies",
    metadata,
    Column("project_id", ForeignKey("projects.id"), primary_key=True),
    Column("keep_days", Integer),
    Column("masks", Text, nullable=False),
    Column("zones", Text),
    Column("trains", Boolean, nullable=False),
)
