"""The addresses, by noun."""

from __future__ import annotations

from django.urls import path

from sync.web.views import files, health, home, runs, tools

# /
home_urls = [
    path("", home.home, name="home"),
    path("moodle/", home.moodle_state, name="moodle_state"),
    path("healthz", health.healthz, name="healthz"),
]

# /files/
file_urls = [
    path("files/", files.file_list, name="files"),
    path("files/<int:file_id>/", files.download, name="file_download"),
    path("files/<int:file_id>/use/", files.use, name="file_use"),
    path("files/<int:file_id>/delete/", files.delete, name="file_delete"),
]

# /tools/<key>/
tool_urls = [
    path("tools/<slug:key>/", tools.tool, name="tool"),
    path("tools/<slug:key>/preview/", tools.preview, name="tool_preview"),
    path("tools/<slug:key>/template.csv", tools.template, name="tool_template"),
    path("tools/<slug:key>/sample.csv", tools.sample, name="tool_sample"),
]

# /runs/
run_urls = [
    path("runs/", runs.run_list, name="runs"),
    path("runs/<int:run_id>/", runs.run, name="run"),
    path("runs/<int:run_id>/progress/", runs.progress, name="run_progress"),
    path("runs/<int:run_id>/outcomes/", runs.outcomes, name="run_outcomes"),
    path("runs/<int:run_id>/report/", runs.report, name="run_report"),
    path("runs/<int:run_id>/files/<slug:kind>/", runs.download, name="run_file"),
    path("runs/<int:run_id>/cancel/", runs.cancel, name="run_cancel"),
    path("runs/<int:run_id>/resume/", runs.resume, name="run_resume"),
    path("runs/<int:run_id>/for-real/", runs.for_real, name="run_for_real"),
]

urlpatterns = [*home_urls, *file_urls, *tool_urls, *run_urls]
