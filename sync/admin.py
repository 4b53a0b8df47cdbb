"""Django's admin: for looking; runs are made and stopped on their own pages."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db import transaction
from django.http import HttpRequest

from sync.audit.services import fields_of, record_saved
from sync.models import AuditKind, CommandFile, MoodleSite, ProcessorSettings, RunFile, SyncRun
from sync.runs.rights import Responsible

_AUDITED_FIELDS = ("slug", "name")


class ReadOnlyAdmin(admin.ModelAdmin):
    """Shows records that only services may change."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(MoodleSite)
class MoodleSiteAdmin(admin.ModelAdmin):
    list_display = ("name", "slug", "lease_run")
    # Addresses and storages name the site by its short name; it is made, and its connection changed, on the pages of sites.
    readonly_fields = ("slug", "lease_run", "created_at")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: MoodleSite, form: Any, change: bool) -> None:
        with transaction.atomic():
            before = fields_of(MoodleSite.objects.filter(pk=obj.pk).first(), _AUDITED_FIELDS)
            super().save_model(request, obj, form, change)
            record_saved(
                obj,
                AuditKind.SITE,
                Responsible.of(request.user),
                obj.slug,
                before=before,
                after=fields_of(obj, _AUDITED_FIELDS),
            )

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(SyncRun)
class SyncRunAdmin(ReadOnlyAdmin):
    list_display = (
        "id",
        "site",
        "processor",
        "file_path",
        "simulate",
        "state",
        "rows_done",
        "created_at",
        "finished_at",
    )
    list_filter = ("state", "processor", "simulate", "site")
    list_select_related = ("site",)
    search_fields = ("file_path",)
    date_hierarchy = "created_at"


@admin.register(CommandFile)
class CommandFileAdmin(ReadOnlyAdmin):
    list_display = ("path", "site", "processor", "size", "uploaded_by", "uploaded_at")
    list_filter = ("processor", "site")
    list_select_related = ("site", "uploaded_by")
    search_fields = ("name", "folder")


@admin.register(ProcessorSettings)
class ProcessorSettingsAdmin(ReadOnlyAdmin):
    list_display = ("processor", "site")
    list_filter = ("site",)
    list_select_related = ("site",)


@admin.register(RunFile)
class RunFileAdmin(ReadOnlyAdmin):
    list_display = ("name", "kind", "run", "path", "size", "created_at")
    list_filter = ("kind",)
    list_select_related = ("run",)
