from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("sync", "0054_late_feeds"),
    ]

    operations = [
        migrations.AlterField(
            model_name="source",
            name="kind",
            field=models.CharField(
                choices=[
                    ("area", "The file area"),
                    ("address", "An address on another server"),
                    ("inbox", "An inbox"),
                    ("sql", "A database"),
                    ("ldap", "A directory (LDAP)"),
                    ("oneroster", "A OneRoster server"),
                    ("oauth", "An address behind a token (OAuth 2)"),
                    ("sheet", "A private Google Sheet"),
                    ("moodle", "Cohorts of another Moodle"),
                ],
                default="area",
                max_length=10,
                verbose_name="kind",
            ),
        ),
    ]
