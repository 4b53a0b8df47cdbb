"""Decide for the files and schedules that are there already. See docs/decisions/0019-who-lets-a-schedule-take-a-file.md."""

import re

from django.db import migrations
from django.db.models import Q
from django.utils import timezone

# As they were when this was written: a migration must not change with the code.
_DEFAULT_NAMES = {
    "users": "userimport.csv",
    "users_delete": "userdelete.csv",
    "users_suspend": "usersuspend.csv",
    "users_restore": "userrestore.csv",
    "userpictures": "userpictures_all.zip",
    "courses_reset": "resetcourses.csv",
    "courses_check": "courses.csv",
    "courses_delete": "deletecourses.csv",
    "courses": "uploadcourses.csv",
    "categories_delete": "emptycategories.csv",
    "courses_meta": "metacourses.csv",
    "enrolments": "enrols.csv",
    "groups": "groups.csv",
    "groupmembers": "groupmembers.csv",
    "cohorts": "cohorts.csv",
    "cohort_courses": "cohortscourses.csv",
}
_PICTURES, _PICTURE_PREFIX = "userpictures", "userpictures_"


def _may(users, codename):
    """Return those of these accounts that are active and have a permission, by themselves, a group or as superusers."""
    of = {"content_type__app_label": "sync", "codename": codename}
    by_themselves = Q(**{f"user_permissions__{name}": value for name, value in of.items()})
    by_group = Q(**{f"groups__permissions__{name}": value for name, value in of.items()})
    return users.filter(Q(is_superuser=True) | by_themselves | by_group).distinct()


def _is_meant(file, location):
    for item in filter(None, (part.strip() for part in location.split(","))):
        folder, _slash, name = item.rpartition("/")
        folder = "".join(f"/{part}" for part in folder.split("/") if part) + "/"
        pattern = ".*".join(map(re.escape, name.split("*")))
        if file.folder == folder and re.fullmatch(pattern, file.name, re.DOTALL):
            return True
    return False


def arm_what_is_taken_now(apps, schema_editor):
    """Arm what schedules take today, where somebody who may run the file type handed it in, or nobody with a name did."""
    alias = schema_editor.connection.alias
    files, armed_files, stored_sources, settings, users = (
        apps.get_model(app, name).objects.using(alias)
        for app, name in (
            ("sync", "CommandFile"), ("sync", "ArmedFile"), ("sync", "Source"), ("sync", "ProcessorSettings"),
            ("auth", "User"),
        )
    )  # fmt: skip
    sources = {(source.site_id, source.processor): source for source in stored_sources.all()}
    prefixes = {
        stored.site_id: stored.values.get("fileprefix", _PICTURE_PREFIX)
        for stored in settings.filter(processor=_PICTURES)
    }
    may = {
        key: set(_may(users.filter(is_active=True), f"run_{key}").values_list("pk", flat=True))
        for key in _DEFAULT_NAMES
    }

    def is_taken(file, key):
        source = sources.get((file.site_id, key))
        if source is not None and source.kind != "area":
            return file.uploaded_by_id is None and file.folder == f"/fetched/{key}/"
        if key == _PICTURES and not (source and source.location):
            prefix = prefixes.get(file.site_id, _PICTURE_PREFIX)
            return file.name.lower().endswith(".zip") and file.name.startswith(prefix)
        return _is_meant(file, (source and source.location) or _DEFAULT_NAMES[key])

    armed_files.bulk_create(
        [
            apps.get_model("sync", "ArmedFile")(
                file=file, processor=key, sha256=file.sha256, armed_by=file.uploaded_by, armed_at=timezone.now(),
                armed_by_name=file.uploaded_by.username if file.uploaded_by else "",
            )
            for file in files.select_related("uploaded_by")
            for key in _DEFAULT_NAMES
            if is_taken(file, key) and (file.uploaded_by_id is None or file.uploaded_by_id in may[key])
        ],
        batch_size=500,
    )  # fmt: skip


def keep_managers(apps, schema_editor):
    """Let those go on freezing the site who may set schedules and run every file type."""
    alias = schema_editor.connection.alias
    users, groups, permissions, content_types = (
        apps.get_model(*name.split(".")).objects.using(alias)
        for name in ("auth.User", "auth.Group", "auth.Permission", "contenttypes.ContentType")
    )
    needed = ["manage_schedules", *(f"run_{key}" for key in _DEFAULT_NAMES)]
    known = permissions.filter(content_type__app_label="sync", codename__in=needed)
    if known.count() < len(needed):
        # A fresh database: the permissions are made after the migrations, and nobody has any.
        return
    content_type = content_types.get_or_create(app_label="sync", model="schedule")[0]
    manages, _made = permissions.get_or_create(
        content_type=content_type, codename="manage_all_schedules",
        defaults={"name": "Can freeze the site, and change the schedules of others"},
    )  # fmt: skip
    for group in groups.all():
        if group.permissions.filter(pk__in=known).count() == len(needed):
            group.permissions.add(manages)
    ids = set(users.filter(is_active=True, is_superuser=False).values_list("pk", flat=True))
    for codename in needed:
        ids.intersection_update(_may(users, codename).values_list("pk", flat=True))
    for user in users.filter(pk__in=ids).exclude(groups__permissions=manages):
        user.user_permissions.add(manages)


class Migration(migrations.Migration):
    dependencies = [
        ("sync", "0009_rights"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [
        migrations.RunPython(arm_what_is_taken_now, migrations.RunPython.noop),
        migrations.RunPython(keep_managers, migrations.RunPython.noop),
    ]
