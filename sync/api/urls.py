"""The addresses of the API, by noun. All are below /api/."""

from __future__ import annotations

from django.urls import path, re_path

from sync.api import file_types, schema, sites
from sync.api.base import NoSuchAddress

app_name = "api"

site_urls = [
    path("v1/token", sites.Token.as_view(), name="token"),
    path("v1/sites", sites.Sites.as_view(), name="sites"),
    path("v1/sites/<slug:site>", sites.Site.as_view(), name="site"),
    path("v1/sites/<slug:site>/health", sites.Health.as_view(), name="health"),
]
file_type_urls = [
    path("v1/sites/<slug:site>/file-types", file_types.FileTypes.as_view(), name="file_types"),
    path("v1/sites/<slug:site>/file-types/<slug:file_type>", file_types.FileType.as_view(), name="file_type"),
    path(
        "v1/sites/<slug:site>/file-types/<slug:file_type>/settings",
        file_types.FileTypeSettings.as_view(),
        name="settings",
    ),
]
document_urls = [
    path("v1/openapi.json", schema.OpenApi.as_view(), name="openapi"),
    path("v1/docs", schema.docs_page, name="docs"),
]
urlpatterns = [
    *site_urls,
    *file_type_urls,
    *document_urls,
    re_path(r"", NoSuchAddress.as_view(), name="nothing"),
]
