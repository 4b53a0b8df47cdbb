from django.db import migrations


def add_fault_where_missing(apps, schema_editor):
    """Add the column that 0006 got only after it had landed: databases from before that day lack it."""
    notice = apps.get_model("sync", "Notice")
    with schema_editor.connection.cursor() as cursor:
        columns = schema_editor.connection.introspection.get_table_description(cursor, notice._meta.db_table)
    if "fault" not in {column.name for column in columns}:
        schema_editor.add_field(notice, notice._meta.get_field("fault"))


class Migration(migrations.Migration):
    dependencies = [
        ("sync", "0007_partial_counts"),
    ]

    operations = [migrations.RunPython(add_fault_where_missing, migrations.RunPython.noop)]
