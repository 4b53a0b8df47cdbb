"""Undo: a run knows the run that it takes back, and files that go out of use are kept in Moodle's pool as long as that can be."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("sync", "0020_chunks_count_no_mails")]

    operations = [
        migrations.AddField(
            "retention",
            "trashes_at_once",
            models.BooleanField(default=False, verbose_name="Trash unused files at once"),
        ),
        migrations.AddField(
            "syncrun",
            "undoes",
            models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.RESTRICT,
                related_name="undone_by",
                to="sync.syncrun",
                verbose_name="undoes",
            ),
        ),
        migrations.CreateModel(
            "KeptBlob",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("contenthash", models.CharField(db_index=True, max_length=40)),
                ("size", models.BigIntegerField(verbose_name="size in bytes")),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="kept_blobs",
                        to="sync.syncrun",
                        verbose_name="run",
                    ),
                ),
            ],
            options={
                "verbose_name": "kept file of Moodle",
                "verbose_name_plural": "kept files of Moodle",
                "constraints": [models.UniqueConstraint(fields=("run", "contenthash"), name="one_kept_blob_per_run")],
            },
        ),
    ]
