"""The audit: the chain of each site, its records, and the names that they are found by."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("sync", "0022_plan_first"),
    ]

    operations = [
        migrations.CreateModel(
            name="AuditName",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "name", "record_id", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("name", models.BigIntegerField()),
                ("record_id", models.BigIntegerField()),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.AddField(
            model_name="runchunk",
            name="audit_sequence",
            field=models.BigIntegerField(blank=True, null=True),
        ),
        migrations.CreateModel(
            name="AuditChain",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("secret", models.BinaryField()),
                ("sequence", models.BigIntegerField(default=0)),
                ("hash", models.CharField(default="", editable=False, max_length=64)),
                ("seal", models.CharField(default="", editable=False, max_length=64)),
                (
                    "site",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="sync.moodlesite"
                    ),
                ),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="AuditRecord",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("sequence", models.BigIntegerField()),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("run", "Runs"),
                            ("settings", "Settings of file types"),
                            ("source", "Sources"),
                            ("schedule", "Schedules and freeze windows"),
                            ("arming", "Files that schedules may take"),
                            ("notification", "Notifications"),
                            ("retention", "Retention"),
                            ("site", "Sites"),
                            ("rights", "Rights"),
                            ("approval", "Approvals"),
                            ("erasure", "Erasures"),
                        ],
                        max_length=20,
                        verbose_name="kind",
                    ),
                ),
                ("at", models.DateTimeField(verbose_name="when")),
                ("run_number", models.BigIntegerField(blank=True, null=True)),
                ("processor", models.CharField(blank=True, default="", max_length=40, verbose_name="file type")),
                ("file", models.CharField(blank=True, default="", max_length=520, verbose_name="file")),
                ("origin", models.CharField(blank=True, default="", max_length=10, verbose_name="started by")),
                ("person", models.CharField(blank=True, default="", max_length=150, verbose_name="person")),
                ("schedule", models.CharField(blank=True, default="", max_length=100, verbose_name="schedule")),
                ("first_line", models.BigIntegerField(default=0)),
                ("last_line", models.BigIntegerField(default=0)),
                ("entries", models.PositiveIntegerField(default=0)),
                ("part_key", models.CharField(blank=True, default="", max_length=600)),
                ("body", models.BinaryField(default=b"")),
                ("digest", models.CharField(editable=False, max_length=64)),
                ("previous", models.CharField(default="", editable=False, max_length=64)),
                ("hash", models.CharField(editable=False, max_length=64)),
                ("keys", models.BinaryField(default=b"")),
                (
                    "run",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="sync.syncrun",
                        verbose_name="run",
                    ),
                ),
                (
                    "site",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="sync.moodlesite",
                        verbose_name="site",
                    ),
                ),
            ],
            options={
                "ordering": ("-sequence",),
                "permissions": (
                    ("view_audit", "Can see who changed what (audit)"),
                    ("erase_audit", "Can erase the values of a person in the audit"),
                ),
                "default_permissions": (),
                "indexes": [models.Index(fields=["site", "at"], name="audit_record_by_time")],
                "constraints": [
                    models.UniqueConstraint(fields=("site", "sequence"), name="one_audit_record_per_sequence")
                ],
            },
        ),
    ]
