"""How somebody likes to see the pages: language, theme and time zone, kept as cookies of the browser; and how their mails."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, wraps
from typing import Any, cast
from zoneinfo import ZoneInfo, available_timezones

from django import forms
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone
from django.utils.translation import get_language, gettext_lazy as _
from django.utils.translation.trans_real import get_languages

from sync.notifications.readers import preferences_of, save_preferences
from sync.runs.options import site_zone

THEME, ZONE = "toolsync_theme", "toolsync_zone"
THEMES = (("auto", _("As the system")), ("light", _("Light")), ("dark", _("Dark")))
_YEAR = 365 * 24 * 3600


@cache
def known_zones() -> tuple[str, ...]:
    """Return the names of the zones of the world, those of places only."""
    return tuple(sorted(name for name in available_timezones() if "/" in name and not name.startswith("Etc/")))


def theme_of(request: HttpRequest) -> str:
    """Return the theme that the browser asks for, "auto" if it asks for none."""
    theme = request.COOKIES.get(THEME, "")
    return theme if theme in dict(THEMES) else "auto"


def zone_of(request: HttpRequest) -> ZoneInfo:
    """Return the time zone in which somebody reads times: their own, or that of the site."""
    name = request.COOKIES.get(ZONE, "")
    return ZoneInfo(name) if name in known_zones() else site_zone()


def own_time_zone(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    """Middleware: show times in the zone of who asks."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        with timezone.override(zone_of(request)):
            return get_response(request)

    return answer


def by_site_clock(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Read and show times by the clock of the site, whoever asks: for pages that say when something starts by itself."""

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        with timezone.override(site_zone()):
            return view(request, *args, **kwargs)

    return answer


class PreferencesForm(forms.Form):
    """Choose theme and time zone."""

    theme = forms.ChoiceField(label=_("Theme"), choices=THEMES, required=False, widget=forms.RadioSelect)
    zone = forms.ChoiceField(label=_("Time zone"), required=False)

    def __init__(self, data: Any = None, *, request: HttpRequest) -> None:
        super().__init__(data, initial={"theme": theme_of(request), "zone": request.COOKIES.get(ZONE, "")})
        site = _("As the site (%(zone)s)") % {"zone": site_zone().key}
        self.fields["zone"] = forms.ChoiceField(
            label=_("Time zone"), required=False, choices=[("", site), *((name, name) for name in known_zones())]
        )

    def keep(self, response: HttpResponseBase) -> None:
        """Keep what was chosen in the browser; what the form didn't name stays."""
        for cookie, field in ((THEME, "theme"), (ZONE, "zone")):
            if field in self.data:
                response.set_cookie(cookie, self.cleaned_data[field], max_age=_YEAR, samesite="Lax", httponly=True)


class MailsForm(forms.Form):
    """Choose how one's own mails come: when, in which language, by which clock."""

    language = forms.ChoiceField(label=_("Language of the mails"))
    mail_zone = forms.ChoiceField(label=_("Time zone of the mails"), required=False)
    digest_at = forms.TimeField(
        label=_("Time of the digest"), widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        help_text=_("Of the feeds that are told of in the morning."),
    )  # fmt: skip

    def __init__(self, data: Any = None, *, request: HttpRequest) -> None:
        chosen = preferences_of(cast(User, request.user))
        is_new = chosen.pk is None
        initial = {
            "language": chosen.language or get_language(),
            # Those of the browser are a good guess.
            "mail_zone": request.COOKIES.get(ZONE, "") if is_new else chosen.zone,
            "digest_at": chosen.digest_at,
        }
        super().__init__(data, initial=initial)
        site = _("As the site (%(zone)s)") % {"zone": site_zone().key}
        zones = [("", site), *((name, name) for name in known_zones())]
        cast(forms.ChoiceField, self.fields["mail_zone"]).choices = zones
        cast(forms.ChoiceField, self.fields["language"]).choices = list(get_languages().items())

    def keep(self, person: User) -> None:
        """Keep what was chosen."""
        cleaned = self.cleaned_data
        save_preferences(
            person, language=cleaned["language"], zone=cleaned["mail_zone"], digest_at=cleaned["digest_at"]
        )
