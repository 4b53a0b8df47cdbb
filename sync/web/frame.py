"""What stands around every page: the menu, what needs the person, and how they like to see the pages."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from sync import __version__
from sync.health.selectors import PartState, dead_parts
from sync.models import MoodleSite
from sync.overview.need_texts import NeedText, Reads, need_text
from sync.overview.needs import needs_of
from sync.people.rights import page_site
from sync.web.access import has_any_access, uses_any_file_type
from sync.web.page_site import SiteLink, links_to, open_sites
from sync.web.preferences import THEMES, theme_of, zone_of
from sync.web.sections import Section, open_sections


@dataclass(frozen=True)
class Frame:
    """Shape: themes: value, label; zone: name of the time zone; here: the section of the page; needs: what waits; dead: the
    parts that ToolSync needs and that are not at work; site: the one that the page is about; sites: those to change
    to, [] = there is no other
    """

    theme: str
    zone: str
    sections: list[Section]
    here: Section | None = None
    needs: list[NeedText] = field(default_factory=list)
    dead: list[PartState] = field(default_factory=list)
    may_import: bool = False
    site: MoodleSite | None = None
    sites: list[SiteLink] = field(default_factory=list)
    themes: tuple[tuple[str, Any], ...] = THEMES
    version: str = __version__


def frame_of(request: HttpRequest) -> Frame:
    """Return the frame of a page. Queries: ten, for somebody who is logged in"""
    theme, zone = theme_of(request), zone_of(request).key
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return Frame(theme, zone, [])
    if isinstance(user, SimpleLazyObject):
        # Rights are asked for hundreds of times: of the person, not of Django's stand-in for them.
        user = user._wrapped  # noqa: SLF001 (what it stands for is there: it was asked above)
    sections = open_sections(user)
    here = next((section for section in sections if section.holds(request.path_info)), None)
    sites = open_sites(user)
    site = next((site for site in sites if site.slug == page_site()), None)
    links = links_to(sites, request, here)
    if site is None or not has_any_access(user):
        return Frame(theme, zone, sections, here, site=site, sites=links)
    dead, reads = dead_parts(site.slug), Reads.of(user, site)
    needs = [need_text(need, reads) for need in needs_of(user, site, dead)]
    return Frame(theme, zone, sections, here, needs, dead, uses_any_file_type(user), site, links)
