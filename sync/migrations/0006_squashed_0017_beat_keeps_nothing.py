from importlib import import_module

import django.core.validators
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


def data_of(migration, function, **options):
    """Return what one of the replaced migrations does with what a database holds: one at 0005 has something to take over."""
    module = import_module(f"sync.migrations.{migration}")
    return migrations.RunPython(getattr(module, function), migrations.RunPython.noop, **options)


class Migration(migrations.Migration):
    """All from 0006 to 0017. What 0008 mended is never wrong here."""

    replaces = [
        ("sync", "0006_telling"),
        ("sync", "0007_partial_counts"),
        ("sync", "0008_notice_fault_where_missing"),
        ("sync", "0009_rights"),
        ("sync", "0010_rights_of_what_is_there"),
        ("sync", "0011_after_commit"),
        ("sync", "0012_fetch_attempts"),
        ("sync", "0013_kept_by_default"),
        ("sync", "0014_states_that_occur"),
        ("sync", "0015_run_mails"),
        ("sync", "0016_mail_counts"),
        ("sync", "0017_beat_keeps_nothing"),
    ]

    dependencies = [
        ("admin", "0003_logentry_add_action_flag_choices"),
        ("auth", "0012_alter_user_first_name_max_length"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("contenttypes", "0002_remove_content_type_name"),
        ("sync", "0005_schedules_alone"),
    ]

    operations = [
        migrations.AddField(
            model_name="syncrun",
            name="changed_tables",
            field=models.JSONField(blank=True, default=list),
        ),
        migrations.CreateModel(
            name="Retention",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "reports",
                    models.PositiveIntegerField(
                        validators=[django.core.validators.MaxValueValidator(36500)], verbose_name="Reports"
                    ),
                ),
                (
                    "archives",
                    models.PositiveIntegerField(
                        validators=[django.core.validators.MaxValueValidator(36500)], verbose_name="Archives"
                    ),
                ),
                (
                    "trybacks",
                    models.PositiveIntegerField(
                        validators=[django.core.validators.MaxValueValidator(36500)], verbose_name="Trybacks"
                    ),
                ),
                (
                    "journals",
                    models.PositiveIntegerField(
                        validators=[django.core.validators.MaxValueValidator(36500)], verbose_name="Before-images"
                    ),
                ),
                (
                    "site",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="sync.moodlesite",
                        verbose_name="site",
                    ),
                ),
            ],
            options={
                "verbose_name": "retention",
                "verbose_name_plural": "retentions",
                "permissions": (("manage_retention", "Can set how long the files of runs are kept"),),
            },
        ),
        migrations.CreateModel(
            name="Webhook",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("host", models.CharField(max_length=300, verbose_name="server")),
                ("events", models.JSONField(blank=True, default=list, verbose_name="events")),
                ("secret", models.BinaryField()),
                (
                    "site",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="sync.moodlesite",
                        verbose_name="site",
                    ),
                ),
            ],
            options={
                "verbose_name": "webhook",
                "verbose_name_plural": "webhooks",
            },
        ),
        migrations.CreateModel(
            name="TellingRule",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("processor", models.CharField(blank=True, default="", max_length=40, verbose_name="file type")),
                ("recipients", models.JSONField(blank=True, default=dict, verbose_name="recipients")),
                ("attach_report", models.BooleanField(default=False, verbose_name="attach the report")),
                ("language", models.CharField(blank=True, default="", max_length=20, verbose_name="language")),
                ("expected_at", models.TimeField(blank=True, null=True, verbose_name="expected by")),
                ("weekdays_only", models.BooleanField(default=False, verbose_name="Monday to Friday only")),
                ("due_at", models.DateTimeField(blank=True, editable=False, null=True)),
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
                "verbose_name": "rule of who is told",
                "verbose_name_plural": "rules of who is told",
                "permissions": (("manage_telling", "Can set who is told about runs"),),
                "constraints": [
                    models.UniqueConstraint(fields=("site", "processor"), name="one_telling_rule_per_processor")
                ],
            },
        ),
        migrations.AddField(
            model_name="syncrun",
            name="partial_counts",
            field=models.JSONField(blank=True, default=dict),
        ),
        migrations.AlterModelOptions(
            name="schedule",
            options={
                "ordering": ("id",),
                "permissions": (
                    ("manage_schedules", "Can set when tools run by themselves"),
                    ("manage_all_schedules", "Can freeze the site, and change the schedules of others"),
                ),
                "verbose_name": "schedule",
                "verbose_name_plural": "schedules",
            },
        ),
        migrations.AddField(
            model_name="schedule",
            name="owner",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="owner",
            ),
        ),
        migrations.AddField(
            model_name="schedule",
            name="owner_name",
            field=models.CharField(blank=True, default="", max_length=150),
        ),
        migrations.AddField(
            model_name="sequencerun",
            name="owner",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="owner",
            ),
        ),
        migrations.AddField(
            model_name="sequencerun",
            name="owner_name",
            field=models.CharField(blank=True, default="", max_length=150),
        ),
        migrations.AddField(
            model_name="source",
            name="owner",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="owner",
            ),
        ),
        migrations.AddField(
            model_name="source",
            name="owner_name",
            field=models.CharField(blank=True, default="", max_length=150),
        ),
        migrations.AddField(
            model_name="syncrun",
            name="armed_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="file armed by",
            ),
        ),
        migrations.AddField(
            model_name="syncrun",
            name="armed_by_name",
            field=models.CharField(blank=True, default="", max_length=150),
        ),
        migrations.AddField(
            model_name="syncrun",
            name="owner",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="owner",
            ),
        ),
        migrations.AddField(
            model_name="syncrun",
            name="owner_name",
            field=models.CharField(blank=True, default="", max_length=150),
        ),
        migrations.CreateModel(
            name="ArmedFile",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("processor", models.CharField(max_length=40, verbose_name="file type")),
                ("sha256", models.CharField(max_length=64, verbose_name="SHA-256")),
                ("armed_by_name", models.CharField(blank=True, default="", max_length=150)),
                ("armed_at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="armed on")),
                (
                    "armed_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="armed by",
                    ),
                ),
                (
                    "file",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="armings",
                        to="sync.commandfile",
                        verbose_name="command file",
                    ),
                ),
            ],
            options={
                "verbose_name": "armed file",
                "verbose_name_plural": "armed files",
                "constraints": [
                    models.UniqueConstraint(fields=("file", "processor"), name="one_arming_per_file_and_type")
                ],
            },
        ),
        migrations.AddField(
            model_name="runchunk",
            name="after_commit",
            field=models.CharField(
                blank=True, choices=[("owed", "Owed"), ("settled", "Settled")], default="", max_length=10
            ),
        ),
        migrations.AddField(
            model_name="runchunk",
            name="mails_lost",
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="sequencerun",
            name="claimed_by",
            field=models.CharField(blank=True, default="", max_length=32),
        ),
        migrations.CreateModel(
            name="FetchAttempt",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("place", models.CharField(max_length=40)),
                ("name", models.CharField(max_length=255)),
                ("version", models.CharField(blank=True, default="", max_length=200)),
                ("attempts", models.PositiveIntegerField(default=0)),
                ("tried_at", models.DateTimeField(auto_now=True)),
                (
                    "site",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="sync.moodlesite"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("site", "place", "name"), name="one_fetch_attempt_per_file")
                ],
            },
        ),
        migrations.AddField(
            model_name="syncrun",
            name="rows_expected",
            field=models.BigIntegerField(default=0),
        ),
        migrations.CreateModel(
            name="Notice",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("processor", models.CharField(max_length=40, verbose_name="file type")),
                (
                    "event",
                    models.CharField(
                        choices=[
                            ("success", "Success"),
                            ("rejections", "Rejected rows"),
                            ("failure", "Failure"),
                            ("overdue", "File overdue"),
                        ],
                        max_length=10,
                        verbose_name="event",
                    ),
                ),
                ("due_at", models.DateTimeField(blank=True, null=True, verbose_name="expected by")),
                ("fault", models.JSONField(blank=True, default=list)),
                (
                    "channel",
                    models.CharField(
                        choices=[("mail", "Mail"), ("webhook", "Webhook")], max_length=10, verbose_name="way"
                    ),
                ),
                ("recipients", models.JSONField(blank=True, default=list, verbose_name="recipients")),
                ("attach_report", models.BooleanField(default=False)),
                ("language", models.CharField(blank=True, default="", max_length=20)),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="made on")),
                ("attempts", models.PositiveIntegerField(default=0)),
                ("next_try_at", models.DateTimeField(blank=True, db_index=True, null=True)),
                ("sent_at", models.DateTimeField(blank=True, null=True, verbose_name="sent on")),
                ("error_code", models.CharField(blank=True, default="", max_length=80)),
                ("error_params", models.JSONField(blank=True, default=dict)),
                (
                    "run",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="notices",
                        to="sync.syncrun",
                        verbose_name="run",
                    ),
                ),
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
                "verbose_name": "notice",
                "verbose_name_plural": "notices",
                "ordering": ("-id",),
            },
        ),
        migrations.AlterField(
            model_name="runfile",
            name="kind",
            field=models.CharField(
                choices=[
                    ("report", "Report"),
                    ("outcomes", "Table of outcomes"),
                    ("tryback", "Tryback"),
                    ("archive", "Archive"),
                ],
                max_length=10,
            ),
        ),
        migrations.AlterField(
            model_name="syncrun",
            name="state",
            field=models.CharField(
                choices=[
                    ("queued", "Queued"),
                    ("running", "Running"),
                    ("completed", "Completed"),
                    ("completed_with_rejections", "Completed with rejections"),
                    ("failed", "File refused"),
                    ("errored", "Error"),
                    ("cancelled", "Cancelled"),
                ],
                default="queued",
                max_length=30,
                verbose_name="state",
            ),
        ),
        migrations.CreateModel(
            name="RunMail",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("part_key", models.CharField(max_length=600)),
                ("address", models.CharField(max_length=254)),
                ("sealed", models.BinaryField(default=b"")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("begun", "In doubt"),
                            ("sent", "Sent"),
                            ("failed", "Not sent"),
                        ],
                        default="waiting",
                        max_length=10,
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="mails", to="sync.syncrun"
                    ),
                ),
            ],
            options={
                "ordering": ("pk",),
            },
        ),
        migrations.CreateModel(
            name="MailCount",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.CharField(max_length=64, unique=True)),
                ("since", models.DateTimeField()),
                ("count", models.PositiveIntegerField(default=1)),
            ],
        ),
        import_module("sync.migrations.0017_beat_keeps_nothing").RemovePeriodicTask(),
        data_of("0010_rights_of_what_is_there", "arm_what_is_taken_now"),
        data_of("0010_rights_of_what_is_there", "keep_managers"),
        data_of("0013_kept_by_default", "keep_what_applied"),
        data_of("0014_states_that_occur", "forget_event"),
        data_of("0017_beat_keeps_nothing", "forget_beat", atomic=False),
    ]
