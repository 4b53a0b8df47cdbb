"""Chunks count no mails any more: what could not be sent is known from the mails themselves."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("sync", "0019_plain_words")]

    operations = [migrations.RemoveField("runchunk", "mails_lost")]
