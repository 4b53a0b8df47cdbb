import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import sync.models.run


class Migration(migrations.Migration):
    """All from 0001 to 0004; only a new database comes here, which has no data."""

    replaces = [("sync", "0001_initial"), ("sync", "0002_inserted_row"), ("sync", "0004_sources")]

    initial = True

    dependencies = [
        ("auth", "__first__"),
    ]

    operations = [
        migrations.CreateModel(
            name="MoodleSite",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("slug", models.SlugField(unique=True, verbose_name="short name")),
                ("name", models.CharField(max_length=200, verbose_name="name")),
                (
                    "connection",
                    models.BinaryField(
                        blank=True,
                        default=b"",
                        help_text="Encrypted connection settings; empty for the site that the environment describes.",
                        verbose_name="connection",
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="made on")),
            ],
            options={
                "verbose_name": "Moodle site",
                "verbose_name_plural": "Moodle sites",
                "ordering": ("name",),
            },
        ),
        migrations.CreateModel(
            name="CommandFile",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("folder", models.CharField(default="/", max_length=255, verbose_name="folder")),
                ("name", models.CharField(max_length=255, verbose_name="name")),
                ("size", models.BigIntegerField(verbose_name="size in bytes")),
                ("sha256", models.CharField(max_length=64, verbose_name="SHA-256")),
                ("processor", models.CharField(blank=True, default="", max_length=40, verbose_name="file type")),
                ("uploaded_at", models.DateTimeField(verbose_name="uploaded on")),
                (
                    "uploaded_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="uploaded by",
                    ),
                ),
                (
                    "site",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="files",
                        to="sync.moodlesite",
                        verbose_name="site",
                    ),
                ),
            ],
            options={
                "verbose_name": "command file",
                "verbose_name_plural": "command files",
                "ordering": ("folder", "name"),
                "permissions": [("manage_files", "Can upload and delete command files")],
            },
        ),
        migrations.CreateModel(
            name="ProcessorSettings",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("processor", models.CharField(max_length=40, verbose_name="file type")),
                ("values", models.JSONField(blank=True, default=dict, verbose_name="options")),
                (
                    "site",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="settings",
                        to="sync.moodlesite",
                        verbose_name="site",
                    ),
                ),
            ],
            options={
                "verbose_name": "settings of a file type",
                "verbose_name_plural": "settings of file types",
            },
        ),
        migrations.CreateModel(
            name="SyncRun",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("processor", models.CharField(max_length=40, verbose_name="file type")),
                ("simulate", models.BooleanField(default=False, verbose_name="simulation")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("queued", "Queued"),
                            ("planning", "Planning"),
                            ("held", "Held for approval"),
                            ("running", "Running"),
                            ("completed", "Completed"),
                            ("completed_with_rejections", "Completed with rejections"),
                            ("failed", "File refused"),
                            ("errored", "Error"),
                            ("cancelled", "Cancelled"),
                            ("undone", "Undone"),
                        ],
                        default="queued",
                        max_length=30,
                        verbose_name="state",
                    ),
                ),
                ("options", models.JSONField(default=dict, verbose_name="options")),
                ("file_path", models.CharField(max_length=520, verbose_name="file")),
                ("file_sha256", models.CharField(blank=True, default="", max_length=64, verbose_name="SHA-256")),
                ("file_size", models.BigIntegerField(default=0, verbose_name="size in bytes")),
                ("input_key", models.CharField(max_length=600)),
                ("dialect", models.JSONField(blank=True, default=dict)),
                ("skipped", models.JSONField(blank=True, default=dict)),
                ("notes", models.JSONField(blank=True, default=list)),
                ("language", models.CharField(blank=True, default="", max_length=20)),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="asked for on")),
                ("started_at", models.DateTimeField(blank=True, null=True, verbose_name="started on")),
                ("finished_at", models.DateTimeField(blank=True, null=True, verbose_name="ended on")),
                ("worker", models.CharField(blank=True, default="", max_length=64)),
                ("heartbeat_at", models.DateTimeField(blank=True, null=True)),
                ("attempts", models.PositiveIntegerField(default=0)),
                ("fence_key", models.CharField(default=sync.models.run.new_fence_key, editable=False, max_length=32)),
                ("cancel_requested", models.BooleanField(default=False)),
                ("waiting_since", models.DateTimeField(blank=True, null=True)),
                ("carried_out", models.BooleanField(default=False)),
                ("last_line", models.BigIntegerField(default=0)),
                ("bytes_read", models.BigIntegerField(default=0)),
                ("rows_done", models.BigIntegerField(default=0)),
                ("counts", models.JSONField(blank=True, default=dict)),
                ("error_code", models.CharField(blank=True, default="", max_length=80)),
                ("error_params", models.JSONField(blank=True, default=dict)),
                (
                    "command_file",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="runs",
                        to="sync.commandfile",
                        verbose_name="command file",
                    ),
                ),
                (
                    "requested_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="asked for by",
                    ),
                ),
                (
                    "site",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="runs",
                        to="sync.moodlesite",
                        verbose_name="site",
                    ),
                ),
            ],
            options={
                "verbose_name": "run",
                "verbose_name_plural": "runs",
                "ordering": ("-id",),
            },
        ),
        migrations.CreateModel(
            name="RunFile",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("report", "Report"),
                            ("tryback", "Tryback"),
                            ("archive", "Archive"),
                            ("journal", "Journal"),
                        ],
                        max_length=10,
                    ),
                ),
                ("name", models.CharField(max_length=255, verbose_name="name")),
                ("path", models.CharField(blank=True, default="", max_length=600, verbose_name="path")),
                ("storage_key", models.CharField(max_length=600)),
                ("size", models.BigIntegerField(default=0, verbose_name="size in bytes")),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="made on")),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="files", to="sync.syncrun"
                    ),
                ),
            ],
            options={
                "verbose_name": "file of a run",
                "verbose_name_plural": "files of runs",
                "ordering": ("kind",),
            },
        ),
        migrations.CreateModel(
            name="RunChunk",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("first_line", models.BigIntegerField()),
                ("last_line", models.BigIntegerField()),
                ("counts", models.JSONField(default=dict)),
                ("codes", models.JSONField(default=dict)),
                ("outcomes_key", models.CharField(max_length=600)),
                ("journal_key", models.CharField(blank=True, default="", max_length=600)),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="chunks", to="sync.syncrun"
                    ),
                ),
            ],
            options={
                "ordering": ("first_line",),
            },
        ),
        migrations.AddField(
            model_name="moodlesite",
            name="lease_run",
            field=models.OneToOneField(
                blank=True,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="sync.syncrun",
                verbose_name="run that writes now",
            ),
        ),
        migrations.AddConstraint(
            model_name="commandfile",
            constraint=models.UniqueConstraint(fields=("site", "folder", "name"), name="one_file_per_path"),
        ),
        migrations.AddConstraint(
            model_name="processorsettings",
            constraint=models.UniqueConstraint(fields=("site", "processor"), name="one_settings_per_processor"),
        ),
        migrations.AddIndex(
            model_name="syncrun",
            index=models.Index(fields=["site", "state"], name="run_by_site_and_state"),
        ),
        migrations.AddConstraint(
            model_name="runfile",
            constraint=models.UniqueConstraint(fields=("run", "kind"), name="one_file_per_kind"),
        ),
        migrations.AddConstraint(
            model_name="runchunk",
            constraint=models.UniqueConstraint(fields=("run", "last_line"), name="one_chunk_per_last_line"),
        ),
        migrations.CreateModel(
            name="InsertedRow",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("table", models.CharField(max_length=64, verbose_name="table")),
                ("rowid", models.BigIntegerField(verbose_name="row")),
                (
                    "site",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="sync.moodlesite",
                        verbose_name="site",
                    ),
                ),
            ],
            options={
                "verbose_name": "inserted row",
                "verbose_name_plural": "inserted rows",
                "constraints": [
                    models.UniqueConstraint(fields=("site", "table", "rowid"), name="one_note_per_inserted_row")
                ],
            },
        ),
        migrations.CreateModel(
            name="Source",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("processor", models.CharField(max_length=40, verbose_name="file type")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("area", "The file area"),
                            ("address", "An address on another server"),
                            ("inbox", "An inbox"),
                        ],
                        default="area",
                        max_length=10,
                        verbose_name="kind",
                    ),
                ),
                ("location", models.CharField(blank=True, default="", max_length=1000, verbose_name="files")),
                ("inbox", models.CharField(blank=True, default="", max_length=100, verbose_name="inbox")),
                ("username", models.CharField(blank=True, default="", max_length=200, verbose_name="user name")),
                ("secret", models.BinaryField(blank=True, default=b"")),
                (
                    "host_key",
                    models.CharField(blank=True, default="", max_length=100, verbose_name="fingerprint of the server"),
                ),
                ("take_all", models.BooleanField(default=False, verbose_name="take all at once")),
                ("leave_same", models.BooleanField(default=False, verbose_name="leave out the same file")),
                ("remove_taken", models.BooleanField(default=False, verbose_name="delete what was taken")),
                ("looked_at", models.DateTimeField(blank=True, editable=False, null=True, verbose_name="looked on")),
                ("told", models.JSONField(blank=True, default=list, editable=False)),
                (
                    "site",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="sources",
                        to="sync.moodlesite",
                        verbose_name="site",
                    ),
                ),
            ],
            options={
                "verbose_name": "source",
                "verbose_name_plural": "sources",
                "permissions": (("manage_sources", "Can set where files come from"),),
                "constraints": [models.UniqueConstraint(fields=("site", "processor"), name="one_source_per_processor")],
            },
        ),
    ]
