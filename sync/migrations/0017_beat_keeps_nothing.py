"""Schedules are in our own table alone: what django-celery-beat kept of them goes, with its tables.

Its records were made from ours, which say all that they said, and when a schedule starts next. So nothing has to be copied.
"""

from django.db import migrations, models
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ModelState

BEAT = "django_celery_beat"
# In the order in which they can go: those that refer to others first.
BEAT_TABLES = (
    "periodictask",
    "periodictasks",
    "crontabschedule",
    "intervalschedule",
    "solarschedule",
    "clockedschedule",
)


class RemovePeriodicTask(Operation):
    """Remove Schedule.periodic_task where a database has it: those made since 0005_schedules_alone never had."""

    reversible = True

    def state_forwards(self, app_label, state):
        pass

    def database_backwards(self, app_label, schema_editor, from_state, to_state):
        pass

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        connection = schema_editor.connection
        with connection.cursor() as cursor:
            table = from_state.apps.get_model("sync", "Schedule")._meta.db_table
            columns = {column.name for column in connection.introspection.get_table_description(cursor, table)}
        if "periodic_task_id" in columns:
            state = from_state.clone()
            state.add_model(ModelState(BEAT, "PeriodicTask", [("id", models.AutoField(primary_key=True))]))
            field = models.OneToOneField(f"{BEAT}.PeriodicTask", null=True, on_delete=models.SET_NULL, related_name="+")
            state.add_field("sync", "schedule", "periodic_task", field, preserve_default=True)
            schedule = state.apps.get_model("sync", "Schedule")
            schema_editor.remove_field(schedule, schedule._meta.get_field("periodic_task"))


def forget_beat(apps, schema_editor):
    """Drop the tables of django-celery-beat, and its content types with their permissions."""
    connection = schema_editor.connection
    found = set(connection.introspection.table_names())
    for table in (f"{BEAT}_{name}" for name in BEAT_TABLES):
        if table in found:
            schema_editor.execute(schema_editor.sql_delete_table % {"table": schema_editor.quote_name(table)})
    apps.get_model("contenttypes", "ContentType").objects.using(connection.alias).filter(app_label=BEAT).delete()


class Migration(migrations.Migration):
    dependencies = [
        # The content types that go take permissions and entries of the admin's log with them.
        ("admin", "0003_logentry_add_action_flag_choices"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("sync", "0016_mail_counts"),
    ]

    # Not atomic by itself: MariaDB drops no table within a transaction.
    operations = [RemovePeriodicTask(), migrations.RunPython(forget_beat, migrations.RunPython.noop, atomic=False)]
