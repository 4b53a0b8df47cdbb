"""Tags that nothing bears any more."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from sync.moodle.db.writer import Writer


def delete_unborne_tags(writer: Writer, tagids: Sequence[int]) -> None:
    """Delete those of the tags that lost their last instance, unless they are standard.

    Mirrors: core_tag_tag::delete_unused()
    """
    if not tagids:
        return
    instance, tag = writer.session.table("tag_instance"), writer.session.table("tag")
    borne = sa.exists().where(instance.c.tagid == tag.c.id)
    unborne = writer.delete_where("tag", "id", tagids, tag.c.isstandard == 0, ~borne)
    writer.delete_where("tag_correlation", "tagid", [row["id"] for row in unborne])
