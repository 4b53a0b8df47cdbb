from django.db import migrations, models
from django.utils import timezone

# So many records are made at a time.
_BATCH = 2000


def keep_ranges(apps, _schema_editor):
    """Keep what was kept row by row as ranges of ids."""
    rows = apps.get_model("sync", "InsertedRow").objects.order_by("site_id", "table", "rowid")
    ranges = apps.get_model("sync", "InsertedRows").objects
    new = []
    for site, table, rowid in rows.values_list("site_id", "table", "rowid").iterator():
        last = new[-1] if new else None
        if last is not None and (last.site_id, last.table, last.last + 1) == (site, table, rowid):
            last.last = rowid
            continue
        if len(new) >= _BATCH:
            ranges.bulk_create(new)
            new = []
        new.append(ranges.model(site_id=site, table=table, first=rowid, last=rowid, noted_at=None))
    ranges.bulk_create(new)


class Migration(migrations.Migration):
    dependencies = [
        ("sync", "0031_roles_and_invitations"),
    ]

    operations = [
        migrations.CreateModel(
            name="InsertedRows",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("table", models.CharField(max_length=64, verbose_name="table")),
                ("first", models.BigIntegerField(verbose_name="first row")),
                ("last", models.BigIntegerField(verbose_name="last row")),
                ("step", models.PositiveIntegerField(default=1)),
                ("noted_at", models.DateTimeField(default=timezone.now, null=True, verbose_name="noted on")),
                (
                    "site",
                    models.ForeignKey(
                        on_delete=models.deletion.CASCADE, related_name="+", to="sync.moodlesite", verbose_name="site"
                    ),
                ),
            ],
            options={"verbose_name": "inserted rows", "verbose_name_plural": "inserted rows"},
        ),
        migrations.AddConstraint(
            model_name="insertedrows",
            constraint=models.UniqueConstraint(fields=("site", "table", "first"), name="one_note_of_inserted_rows"),
        ),
        migrations.RunPython(keep_ranges, migrations.RunPython.noop),
        migrations.DeleteModel(name="InsertedRow"),
    ]
