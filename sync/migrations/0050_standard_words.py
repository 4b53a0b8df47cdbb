"""Fields and a model by the words that an engineer searches for: recipients, notes, notified."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("sync", "0049_undo_of_a_line"),
    ]

    operations = [
        migrations.RenameField("schedule", "told", "recipients"),
        migrations.RenameField("source", "told", "notes"),
        migrations.RenameField("healthrecord", "told_at", "notified_at"),
        migrations.RemoveConstraint("toldfailure", "one_told_failure_per_part"),
        migrations.RenameModel("ToldFailure", "NotifiedFailure"),
        migrations.AlterField(
            model_name="notifiedfailure",
            name="schedule",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="notified_failures", to="sync.schedule"
            ),
        ),
        migrations.AddConstraint(
            model_name="notifiedfailure",
            constraint=models.UniqueConstraint(fields=("schedule", "processor"), name="one_notified_failure_per_part"),
        ),
    ]
