"""The site that a page is about, by its address: `/sites/<short name>/runs/` is the page `/runs/` of another site than `main`.

The site stands in the address and not in the session: with two sites open in two windows nothing is sent to the wrong one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponseBase
from django.urls import get_script_prefix, reverse, set_script_prefix

from sync.models import MoodleSite
from sync.models.site import MAIN_SITE
from sync.people.rights import page_site, pages_about, permissions_given_directly, roles_of
from sync.web.access import View, has_any_access
from sync.web.sections import Section

_ADDRESS = re.compile(r"/sites/(?P<slug>[-\w]+)(?P<path>/.*)", re.ASCII | re.DOTALL)
# What is sent also from the pages of a site that is out of use: all of it is about the person, or about sites.
_ALWAYS_SENT = (
    "/login/",
    "/logout/",
    "/language/",
    "/preferences/",
    "/password/",
    "/second-factor/",
    "/settings/sites/",
)
# Of what an address may name beside numbers: there is one of these on every site.
_ON_EVERY_SITE = frozenset(("key", "kind", "name"))


@dataclass(frozen=True)
class SiteLink:
    """A site to change to. Shape: url: the page of the same kind there, the overview where somebody may not open that one"""

    name: str
    url: str
    is_here: bool


def site_of_address(get_response: View) -> View:
    """Middleware: addresses below /sites/<short name>/ are pages of that site, and what they lead to is so too."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        found = _ADDRESS.fullmatch(request.path_info)
        if found is None:
            return get_response(request)
        slug = found["slug"]
        site = MoodleSite.objects.defer("connection").filter(slug=slug).first()
        if slug == MAIN_SITE or site is None:
            raise Http404
        if not site.in_use and request.method not in ("GET", "HEAD") and not found["path"].startswith(_ALWAYS_SENT):
            raise PermissionDenied
        # Made once, before the prefix is another one: static files are the same for all sites.
        _ = getattr(staticfiles_storage, "base_url", None)
        before = get_script_prefix()
        request.path_info = found["path"]
        set_script_prefix(prefix_of(slug))
        try:
            with pages_about(slug):
                return get_response(request)
        finally:
            set_script_prefix(before)

    return answer


def prefix_of(slug: str) -> str:
    """Return with what the addresses of a site's pages begin."""
    here, base = page_site(), get_script_prefix()
    if here != MAIN_SITE:
        base = base.removesuffix(f"sites/{here}/")
    return base if slug == MAIN_SITE else f"{base}sites/{slug}/"


def open_sites(user: Any) -> list[MoodleSite]:
    """Return the sites on which there may be something for somebody, by name; those out of use only where one stands there.

    Queries: one, beside those of the rights
    """
    sites = list(MoodleSite.objects.defer("connection"))
    here = page_site()
    in_use = [site for site in sites if site.in_use or site.slug == here]
    if user.is_superuser or permissions_given_directly(user):
        return in_use
    own = {role.site for role in roles_of(user)}
    return [site for site in in_use if site.slug in own or site.slug == here]


def links_to(sites: list[MoodleSite], request: HttpRequest, here: Section | None) -> list[SiteLink]:
    """Return the links of the switcher, none where there is nothing to change to."""
    if len(sites) < 2:
        return []
    return [
        SiteLink(site.name, prefix_of(site.slug) + _path_on(site.slug, request, here), site.slug == page_site())
        for site in sites
    ]


def first_other_site(user: Any) -> str:
    """Return the overview of the first site on which there is something for somebody who finds nothing here, or ""."""
    for site in open_sites(user):
        with pages_about(site.slug):
            is_open = has_any_access(user)
        if is_open and site.slug != page_site():
            return prefix_of(site.slug)
    return ""


def _path_on(slug: str, request: HttpRequest, here: Section | None) -> str:
    """Return the page of the same kind on another site, without what all addresses there begin with."""
    match = request.resolver_match
    if match is None:
        return ""
    with pages_about(slug):
        is_open = has_any_access(request.user) if here is None else here.is_open_to(request.user)
        entry = next((entry for entry in here.entries if entry.name == match.url_name), None) if here else None
        is_page_open = is_open and (entry is None or entry.is_open_to(request.user))
    if is_page_open and request.method == "GET" and _ON_EVERY_SITE.issuperset(match.kwargs):
        return request.path_info.removeprefix("/")
    return reverse(here.name).removeprefix(get_script_prefix()) if here is not None and is_open else ""
