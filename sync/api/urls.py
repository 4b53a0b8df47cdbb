"""The addresses of the API, by noun. All are below /api/."""

from __future__ import annotations

from typing import Any

from django.urls import URLPattern, path, re_path
from rest_framework.views import APIView

from sync.api import (
    bundles,
    exports,
    file_types,
    files,
    freeze_windows,
    limits,
    mappings,
    mending,
    outcomes,
    records,
    rows,
    runs,
    schedules,
    schema,
    scope_limits,
    sites,
    uploads,
    webhook,
)
from sync.api.base import NoSuchAddress

app_name = "api"


def of_site(address: str, view: type[APIView], name: str) -> URLPattern:
    """Return an address below that of a site; "" = its own."""
    below = f"/{address}" if address else ""
    view_of: Any = view.as_view()
    return path(f"v1/sites/<slug:site>{below}", view_of, name=name)


site_urls = [
    path("v1/token", sites.Token.as_view(), name="token"),
    path("v1/sites", sites.Sites.as_view(), name="sites"),
    of_site("", sites.Site, "site"),
    of_site("health", sites.Health, "health"),
]
file_type_urls = [
    of_site("file-types", file_types.FileTypes, "file_types"),
    of_site("file-types/<slug:file_type>", file_types.FileType, "file_type"),
    of_site("file-types/<slug:file_type>/settings", file_types.FileTypeSettings, "settings"),
    of_site("file-types/<slug:file_type>/limits", limits.Limits, "limits"),
    of_site("file-types/<slug:file_type>/scope-limits", scope_limits.ScopeLimitsList, "scope_limits"),
    of_site("file-types/<slug:file_type>/scope-limits/<int:scope_id>", scope_limits.OneScope, "scope_limit"),
    of_site("file-types/<slug:file_type>/sticky-fields", limits.StickyFields, "sticky_fields"),
    of_site("file-types/<slug:file_type>/notifications", limits.Notifications, "notifications"),
    of_site("mappings", mappings.Mappings, "mappings"),
    of_site("mappings/<int:mapping_id>", mappings.OneMapping, "mapping"),
    of_site("mappings/<int:mapping_id>/switch", mappings.SwitchMapping, "mapping_switch"),
]
file_urls = [
    of_site("files", files.Files, "files"),
    of_site("files/<int:file_id>", files.File, "file"),
    of_site("files/<int:file_id>/content", files.FileContent, "file_content"),
    of_site("uploads", uploads.Uploads, "uploads"),
    of_site("uploads/<int:upload_id>", uploads.Upload, "upload"),
]
run_urls = [
    of_site("plans", runs.Plans, "plans"),
    of_site("plans/<int:run_id>/apply", runs.Apply, "plan_apply"),
    of_site("runs", runs.Runs, "runs"),
    of_site("runs/<int:run_id>", runs.Run, "run"),
    of_site("runs/<int:run_id>/cancel", runs.Cancel, "run_cancel"),
    of_site("runs/<int:run_id>/pause", runs.Pause, "run_pause"),
    of_site("runs/<int:run_id>/resume", runs.Resume, "run_resume"),
    of_site("runs/<int:run_id>/decide", runs.Decide, "run_decide"),
    of_site("runs/<int:run_id>/undo", runs.Undo, "run_undo"),
    of_site("runs/<int:run_id>/rejected", mending.Rejected, "rejected"),
    of_site("runs/<int:run_id>/mend", mending.Mend, "run_mend"),
    of_site("runs/<int:run_id>/outcomes", outcomes.Outcomes, "outcomes"),
    of_site("runs/<int:run_id>/reasons", outcomes.Reasons, "reasons"),
    of_site("runs/<int:run_id>/files/<slug:kind>", outcomes.RunFileContent, "run_file"),
    *(of_site(noun, view, noun) for noun, view in outcomes.run_file_views().items()),
]
bundle_urls = [
    of_site("bundles", bundles.Bundles, "bundles"),
    of_site("bundles/<int:bundle_id>", bundles.OneBundle, "bundle"),
    of_site("bundles/<int:bundle_id>/cancel", bundles.CancelBundle, "bundle_cancel"),
    of_site("bundles/<int:bundle_id>/decide", bundles.DecideBundle, "bundle_decide"),
    of_site("bundles/<int:bundle_id>/plan-again", bundles.PlanBundleAgain, "bundle_plan_again"),
    of_site("bundles/<int:bundle_id>/undo", bundles.UndoBundle, "bundle_undo"),
]
schedule_urls = [
    of_site("schedules", schedules.Schedules, "schedules"),
    of_site("schedules/<int:schedule_id>", schedules.OneSchedule, "schedule"),
    of_site("schedules/<int:schedule_id>/switch", schedules.SwitchSchedule, "schedule_switch"),
    of_site("schedules/<int:schedule_id>/start", schedules.StartSchedule, "schedule_start"),
    of_site("freeze-windows", freeze_windows.FreezeWindows, "freeze_windows"),
    of_site("freeze-windows/<int:window_id>", freeze_windows.OneFreezeWindow, "freeze_window"),
    of_site("sequences/<int:sequence_id>", schedules.Sequence, "sequence"),
    of_site("sources", schedules.Sources, "sources"),
    of_site("sources/<slug:file_type>", schedules.OneSource, "source"),
]
notification_urls = [
    of_site("webhook", webhook.OneWebhook, "webhook"),
    of_site("webhook/test", webhook.TestWebhook, "webhook_test"),
    of_site("notifications", webhook.SentNotifications, "sent_notifications"),
]
record_urls = [
    of_site("audit", records.Audit, "audit"),
    of_site("deletions", records.Deletions, "deletions"),
    of_site("deletions/take-off", records.TakeOff, "take_off"),
]
export_urls = [
    of_site("exports", exports.Exports, "exports"),
    of_site("exports/<slug:file_type>", exports.Export, "export"),
]
# Rows of each file type: users, courses, enrolments …
row_urls = [of_site(key, view, f"rows_{key}") for key, view in rows.row_views().items()]
document_urls = [
    path("v1/openapi.json", schema.OpenApi.as_view(), name="openapi"),
    path("v1/docs", schema.docs_page, name="docs"),
]
urlpatterns = [
    *site_urls,
    *file_type_urls,
    *file_urls,
    *run_urls,
    *bundle_urls,
    *export_urls,
    *schedule_urls,
    *notification_urls,
    *record_urls,
    *row_urls,
    *document_urls,
    re_path(r"", NoSuchAddress.as_view(), name="nothing"),
]
