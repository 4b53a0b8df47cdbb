"""Rules and notifications are called what they are."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("sync", "0006_squashed_0017_beat_keeps_nothing")]

    operations = [
        migrations.RenameModel("TellingRule", "NotificationRule"),
        migrations.RenameModel("Notice", "Notification"),
    ]
