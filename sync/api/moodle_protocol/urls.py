"""Where callers of Moodle's web services look for them."""

from __future__ import annotations

from django.urls import path

from sync.api.moodle_protocol.views import rest_server, upload

app_name = "moodle_protocol"

urlpatterns = [
    path("rest/server.php", rest_server, name="rest_server"),
    path("upload.php", upload, name="upload"),
]
