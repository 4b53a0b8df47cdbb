"""A chain knows from which record on its keys hold."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("sync", "0025_retries"),
    ]

    operations = [
        migrations.AddField(
            model_name="auditchain",
            name="first",
            field=models.BigIntegerField(default=1),
        ),
    ]
