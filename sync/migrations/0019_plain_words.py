from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("sync", "0018_notifications"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="notification",
            options={"ordering": ("-id",), "verbose_name": "notification", "verbose_name_plural": "notifications"},
        ),
        migrations.AlterModelOptions(
            name="notificationrule",
            options={
                "permissions": (("manage_telling", "Can set who is told about runs"),),
                "verbose_name": "notification rule",
                "verbose_name_plural": "notification rules",
            },
        ),
        migrations.AlterField(
            model_name="schedule",
            name="processors",
            field=models.JSONField(default=list, verbose_name="file types"),
        ),
        migrations.AlterField(
            model_name="sequencerun",
            name="processors",
            field=models.JSONField(default=list, verbose_name="file types"),
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
                    ("failed", "File can't be used"),
                    ("errored", "Error"),
                    ("cancelled", "Cancelled"),
                ],
                default="queued",
                max_length=30,
                verbose_name="state",
            ),
        ),
    ]
