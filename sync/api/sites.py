"""The token itself, the site that it is for, and how everything is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from sync.api.base import ApiView
from sync.health.records import Level
from sync.health.selectors import states_of, worst_level
from sync.models import ApiToken, MoodleSite, Scope
from sync.runs.selectors import visible_processors


class SiteSerializer(serializers.ModelSerializer):
    """A Moodle that ToolSync feeds."""

    class Meta:
        model = MoodleSite
        fields = ("slug", "name")
        read_only_fields = fields


class TokenSerializer(serializers.ModelSerializer):
    """The token with which was asked.

    Shape: site: where it was made; sites: those that it is for; file_types: those whose runs it may see on `site` at the moment
    """

    site = serializers.SlugRelatedField(slug_field="slug", read_only=True)
    person = serializers.CharField(source="person.get_username", read_only=True)
    sites = serializers.SerializerMethodField()
    scopes = serializers.ListField(child=serializers.ChoiceField(Scope.choices), read_only=True)
    file_types = serializers.SerializerMethodField()

    class Meta:
        model = ApiToken
        fields = ("name", "site", "sites", "person", "scopes", "file_types", "created_at", "expires_at")
        read_only_fields = fields

    def get_sites(self, token: ApiToken) -> list[str]:
        return [site.slug for site in token.sites]

    def get_file_types(self, token: ApiToken) -> list[str]:
        return [processor.key for processor in visible_processors(token.person, token.site)]


class PartSerializer(serializers.Serializer):
    """How one part is that ToolSync needs."""

    part = serializers.CharField()
    label = serializers.CharField()
    level = serializers.ChoiceField([(level.value, level.value) for level in Level])
    code = serializers.CharField()
    text = serializers.CharField(source="said_to_all")
    since = serializers.DateTimeField(allow_null=True)
    seen_at = serializers.DateTimeField(allow_null=True)


class HealthSerializer(serializers.Serializer):
    """How everything is. Shape: level: the worst"""

    level = serializers.ChoiceField([(level.value, level.value) for level in Level])
    parts = PartSerializer(many=True)


class Token(ApiView):
    """The token with which is asked."""

    scopes: ClassVar[Mapping[str, tuple[Scope, ...]]] = {}

    @extend_schema(operation_id="token_get", responses=TokenSerializer)
    def get(self, _request: Request) -> Response:
        """Return the token: whose it is, for which sites, what it is good for and until when."""
        return Response(TokenSerializer(self.token).data)


class Sites(ApiView):
    """The sites of the token."""

    @extend_schema(operation_id="sites_list", responses=SiteSerializer(many=True))
    def get(self, _request: Request) -> Response:
        """Return the sites that the token is for."""
        return Response(SiteSerializer(self.token.sites, many=True).data)


class Site(ApiView):
    """One site."""

    @extend_schema(operation_id="site_get", responses=SiteSerializer)
    def get(self, _request: Request, site: str) -> Response:
        """Return a site."""
        return Response(SiteSerializer(self.site).data)


class Health(ApiView):
    """How everything is that the site needs."""

    @extend_schema(operation_id="health_get", responses=HealthSerializer)
    def get(self, _request: Request, site: str) -> Response:
        """Return how workers, databases, storage, mail and Moodle are, and what to do."""
        parts = states_of(site)
        return Response(HealthSerializer({"level": worst_level(parts), "parts": parts}).data)
