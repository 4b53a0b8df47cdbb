"""Reports, archives and trybacks are kept by default; who has chosen options of a file type keeps what applied until now."""

from django.db import migrations, models

_ON_FROM_NOW = ("storereport", "filearchive", "filefailed")


def keep_what_applied(apps, _schema_editor):
    # Only what differs from a default is stored.
    for settings in apps.get_model("sync", "ProcessorSettings").objects.all():
        settings.values = {**dict.fromkeys(_ON_FROM_NOW, False), **settings.values}
        settings.save(update_fields=["values"])


class Migration(migrations.Migration):
    dependencies = [
        ("sync", "0012_fetch_attempts"),
    ]

    operations = [
        migrations.AlterField(
            model_name="runfile",
            name="kind",
            field=models.CharField(
                choices=[
                    ("report", "Report"),
                    ("outcomes", "Table of outcomes"),
                    ("tryback", "Tryback"),
                    ("archive", "Archive"),
                    ("journal", "Journal"),
                ],
                max_length=10,
            ),
        ),
        migrations.RunPython(keep_what_applied, migrations.RunPython.noop),
    ]
