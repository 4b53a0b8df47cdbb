"""The addresses, by noun."""

from __future__ import annotations

from django.urls import path

from sync.web.views import (
    arming,
    audit,
    bundles,
    categories,
    courses,
    deletions,
    exports,
    feeds,
    file_types,
    files,
    frame,
    health,
    home,
    imports,
    invitations,
    limits,
    mend,
    moodle,
    notifications,
    people,
    run_files,
    runs,
    schedules,
    scope_limits,
    sessions,
    settings,
    site_runs,
    sites,
    sources,
    sticky,
    tokens,
)

# /
home_urls = [
    path("", home.home, name="home"),
    path("healthz", health.healthz, name="healthz"),
    path("help/", frame.help_page, name="help"),
    path("preferences/", frame.preferences, name="preferences"),
]

# /feeds/
feed_urls = [
    path("feeds/", feeds.feed_list, name="feeds"),
]

# /moodle/
moodle_urls = [
    path("moodle/", frame.landing, {"name": "moodle"}, name="moodle"),
    path("moodle/state/", health.moodle_state, name="moodle_state"),
    path("moodle/search/", moodle.search, name="moodle_search"),
    path("moodle/users/<int:user_id>/", moodle.user, name="moodle_user"),
    path("moodle/courses/<int:course_id>/", moodle.course, name="moodle_course"),
    path("moodle/lists/<slug:kind>/", moodle.moodle_list, name="moodle_list"),
    path("moodle/export/", exports.export_list, name="exports"),
    path("moodle/export/<slug:key>/", exports.export_page, name="export"),
    path("moodle/export/<slug:key>/file.csv", exports.export_file, name="export_file"),
    path("moodle/export/<slug:key>/sample.csv", exports.moodle_sample, name="moodle_sample"),
]

# /files/
file_urls = [
    path("files/", files.file_list, name="files"),
    path("files/<int:file_id>/", files.download, name="file_download"),
    path("files/<int:file_id>/use/", files.use, name="file_use"),
    path("files/<int:file_id>/schedule/", arming.arm, name="file_arm"),
    path("files/<int:file_id>/delete/", files.delete, name="file_delete"),
]

# /tools/<key>/
file_type_urls = [
    path("tools/<slug:key>/", file_types.file_type, name="tool"),
    path("tools/<slug:key>/preview/", file_types.preview, name="tool_preview"),
    path("tools/<slug:key>/template.csv", file_types.template, name="tool_template"),
    path("tools/<slug:key>/sample.csv", file_types.sample, name="tool_sample"),
]

# /imports/
import_urls = [
    path("imports/new/", imports.new_import, name="new_import"),
    path("imports/<int:file_id>/", imports.import_file, name="import_file"),
    path("imports/mappings/", imports.mapping_list, name="mappings"),
    path("imports/mappings/<int:mapping_id>/switch/", imports.mapping_switch, name="mapping_switch"),
]

# /courses/
course_urls = [
    path("courses/", courses.course_list, name="courses"),
    path("courses/choose/", courses.choose, name="courses_choose"),
    path("courses/file/<slug:key>/", courses.course_file, name="course_file"),
]

# /categories/
category_urls = [
    path("categories/empty/", categories.empty_categories, name="empty_categories"),
]

# /deletions/
deletion_urls = [
    path("deletions/", deletions.deletion_list, name="deletions"),
    path("deletions/take-off/", deletions.deletions_take_off, name="deletions_take_off"),
]

# /sources/
source_urls = [
    path("sources/", sources.source_list, name="sources"),
    path("sources/<slug:key>/", sources.source, name="source"),
    path("sources/<slug:key>/look/", sources.look, name="source_look"),
]

# /schedules/
schedule_urls = [
    path("schedules/new/", schedules.schedule_new, name="schedule_new"),
    path("schedules/<int:schedule_id>/", schedules.schedule, name="schedule"),
    path("schedules/<int:schedule_id>/switch/", schedules.switch, name="schedule_switch"),
    path("schedules/<int:schedule_id>/on/", schedules.recipients, {"is_switch": True}, name="schedule_on"),
    path(
        "schedules/<int:schedule_id>/recipients/",
        schedules.recipients,
        {"is_switch": False},
        name="schedule_recipients",
    ),
    path("schedules/<int:schedule_id>/start/", schedules.start, name="schedule_start"),
    path("schedules/<int:schedule_id>/test/", schedules.try_notifications, name="schedule_test"),
    path("schedules/<int:schedule_id>/delete/", schedules.delete, name="schedule_delete"),
    path("schedules/freeze/", feeds.freeze, name="freeze"),
    path("schedules/freeze/<int:window_id>/delete/", feeds.unfreeze, name="unfreeze"),
]

# /notices/
notification_urls = [
    path("notices/", notifications.rule_list, name="notification_rules"),
    path("notices/webhook/", notifications.webhook, name="webhook"),
    path("notices/webhook/delete/", notifications.webhook_delete, name="webhook_delete"),
    path("notices/<slug:key>/", notifications.rule_detail, name="notification_rule"),
    path("notices/<slug:key>/delete/", notifications.rule_delete, name="notification_rule_delete"),
]

# /settings/
settings_urls = [
    path("settings/", frame.landing, {"name": "settings"}, name="settings"),
    path("settings/health/", settings.health, name="health"),
    path("settings/sites/", sites.site_list, name="sites"),
    path("settings/sites/new/", sites.site_new, name="site_new"),
    path("settings/sites/<slug:slug>/", sites.site, name="site"),
    path("settings/sites/<slug:slug>/check/", sites.check, name="site_check"),
    path("settings/sites/<slug:slug>/switch/", sites.switch, name="site_switch"),
    path("settings/retention/", settings.retention, name="retention"),
    path("settings/limits/<slug:key>/", limits.limits, name="limits"),
    path("settings/limits/<slug:key>/delete/", limits.delete_limits, name="limits_delete"),
    path("settings/limits/<slug:key>/new/<slug:kind>/", scope_limits.new_scope, name="limits_scope_new"),
    path("settings/limits/<slug:key>/<int:pk>/", scope_limits.scope, name="limits_scope"),
    path("settings/limits/<slug:key>/<int:pk>/delete/", scope_limits.delete_scope, name="limits_scope_delete"),
    path("settings/tokens/", tokens.token_list, name="tokens"),
    path("settings/tokens/new/", tokens.token_new, name="token_new"),
    path("settings/tokens/machine/", tokens.machine_new, name="machine_new"),
    path("settings/tokens/<int:token_id>/revoke/", tokens.token_revoke, name="token_revoke"),
    path("settings/sticky/", sticky.sticky_fields, name="sticky_fields"),
    path("settings/sticky/<slug:key>/", sticky.sticky, name="sticky"),
]

# /people/
people_urls = [
    path("people/", people.people_list, name="people"),
    path("people/invite/", invitations.invite, name="invite"),
    path("people/invitations/<int:invitation_id>/send/", invitations.invitation_send, name="invitation_send"),
    path(
        "people/invitations/<int:invitation_id>/withdraw/", invitations.invitation_withdraw, name="invitation_withdraw"
    ),
    path("people/<int:person_id>/", people.person, name="person"),
    path("people/<int:person_id>/switch/", people.person_switch, name="person_switch"),
    path("people/<int:person_id>/mail/", people.person_mail, name="person_mail"),
    path("people/<int:person_id>/sessions/end/", people.person_sessions_end, name="person_sessions_end"),
    path("people/<int:person_id>/second-factor/take/", people.second_factor_take, name="second_factor_take"),
    path("people/<int:person_id>/roles/", people.role_give, name="role_give"),
    path("people/<int:person_id>/roles/<int:assignment_id>/take/", people.role_take, name="role_take"),
    path("people/<int:person_id>/permissions/take/", people.permissions_take, name="permissions_take"),
    path("sessions/", sessions.session_list, name="sessions"),
    path("sessions/end/", sessions.session_end, name="session_end"),
    path("invitation/<str:secret>/", invitations.accept, name="invitation"),
]

# /audit/
audit_urls = [
    path("audit/", audit.audit, name="audit"),
    path("audit/erase/", audit.audit_erase, name="audit_erase"),
]

# /sequences/
sequence_urls = [
    path("sequences/<int:sequence_id>/", schedules.sequence_run, name="sequence_run"),
    path("sequences/<int:sequence_id>/cancel/", schedules.sequence_cancel, name="sequence_cancel"),
]

# /bundles/
bundle_urls = [
    path("bundles/new/", bundles.bundle_new, name="bundle_new"),
    path("bundles/<int:bundle_id>/", bundles.bundle, name="bundle"),
    path("bundles/<int:bundle_id>/decide/", bundles.decide, name="bundle_decide"),
    path("bundles/<int:bundle_id>/options/", bundles.options, name="bundle_options"),
    path("bundles/<int:bundle_id>/undo/", bundles.undo, name="bundle_undo"),
    path("bundles/<int:bundle_id>/cancel/", bundles.cancel, name="bundle_cancel"),
    path("bundles/<int:bundle_id>/read-again/", bundles.read_again, name="bundle_read_again"),
    path("bundles/<int:bundle_id>/report/", bundles.report, name="bundle_report"),
    path("bundles/<int:bundle_id>/trybacks/", bundles.trybacks, name="bundle_trybacks"),
]

# /runs/
run_urls = [
    path("runs/", runs.run_list, name="runs"),
    path("runs/<int:run_id>/", runs.run, name="run"),
    path("runs/<int:run_id>/progress/", runs.progress, name="run_progress"),
    path("runs/<int:run_id>/outcomes/", runs.outcomes, name="run_outcomes"),
    path("runs/<int:run_id>/outcomes.xlsx", run_files.workbook, name="run_workbook"),
    path("runs/<int:run_id>/report/", run_files.report, name="run_report"),
    path("runs/<int:run_id>/report.pdf", run_files.report_pdf, name="run_report_pdf"),
    path("runs/<int:run_id>/files/<slug:kind>/", run_files.download, name="run_file"),
    path("runs/<int:run_id>/cancel/", runs.cancel, name="run_cancel"),
    path("runs/<int:run_id>/mails/", runs.mails, name="run_mails"),
    path("runs/<int:run_id>/pause/", runs.pause, name="run_pause"),
    path("runs/<int:run_id>/resume/", runs.resume, name="run_resume"),
    path("runs/<int:run_id>/apply/", runs.apply, name="run_apply"),
    path("runs/<int:run_id>/decide/", runs.decide, name="run_decide"),
    path("runs/<int:run_id>/undo/", runs.undo, name="run_undo"),
    path("runs/<int:run_id>/sites/", site_runs.run_sites, name="run_sites"),
    path("runs/<int:run_id>/choices/", mend.choices, name="run_choices"),
    path("runs/<int:run_id>/mend/", mend.mend, name="run_mend"),
]

urlpatterns = [
    *home_urls,
    *feed_urls,
    *file_urls,
    *file_type_urls,
    *import_urls,
    *course_urls,
    *moodle_urls,
    *category_urls,
    *deletion_urls,
    *source_urls,
    *schedule_urls,
    *notification_urls,
    *settings_urls,
    *people_urls,
    *audit_urls,
    *sequence_urls,
    *bundle_urls,
    *run_urls,
]
