"""When something is to happen again and again: the next moment, and the rule in words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError
from django.utils.dates import MONTHS, WEEKDAYS
from django.utils.translation import get_language, gettext as _

from sync.errors import ScheduleError

_FIELD_COUNT = 5
# 29 February may be eight years away (1896 to 1904, 2096 to 2104).
_DAYS_AHEAD = 8 * 366 + 1
_DAY_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTH_NAMES = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
_CRON_LOCALES = {"fr": "fr_FR"}


@dataclass(frozen=True)
class Every:
    """Again and again after the same time, whatever the clocks do. Shape: anchor: where the counting begins."""

    seconds: int
    anchor: datetime

    def next_after(self, moment: datetime) -> datetime:
        """Return the first moment after another."""
        # Between two times of one zone Python counts what the clocks show, not what passes.
        anchor = self.anchor.astimezone(UTC)
        steps = max(0, int((moment - anchor).total_seconds() // self.seconds)) + 1
        return anchor + timedelta(seconds=self.seconds * steps)

    def words(self) -> str:
        """Return the rule as one says it."""
        if self.seconds % 3600 == 0:
            count, one, many = self.seconds // 3600, _("Every hour"), _("Every %(n)s hours")
        elif self.seconds % 60 == 0:
            count, one, many = self.seconds // 60, _("Every minute"), _("Every %(n)s minutes")
        else:
            count, one, many = self.seconds, _("Every second"), _("Every %(n)s seconds")
        return one if count == 1 else many % {"n": count}


@dataclass(frozen=True)
class ByTheClock:
    """What a crontab says, by the clocks of a time zone. As in cron, a day of the month and a day of the week are alternatives.

    A time that the clocks leave out in spring happens that much later; one that they show twice in autumn happens the first
    time only, unless it is for every hour.
    """

    expression: str
    zone: ZoneInfo

    def next_after(self, moment: datetime) -> datetime:
        """Return the first moment after another. Raises: ScheduleError if the rule can't be read."""
        first = moment.astimezone(self.zone).date()
        for days in range(_DAYS_AHEAD):
            later = [at for at in self._moments_of(first + timedelta(days=days)) if at > moment]
            if later:
                return min(later)
        raise ScheduleError("crontab_unreadable", crontab=self.expression)

    def words(self) -> str:
        """Return the rule as one says it."""
        minute, hour, day, month, weekday = self.expression.split()
        if parse_crontab(self.expression).day_and:
            return self._described(self.expression)
        on_day = self._described(f"{minute} {hour} {day} {month} *")
        on_weekday = self._described(f"{minute} {hour} * {month} {weekday}")
        return _("%(one)s; also: %(other)s") % {"one": on_day, "other": on_weekday}

    def _described(self, expression: str) -> str:
        # Only pages say a rule in words, and most commands load this module.
        from cron_descriptor import ExpressionDescriptor, Options  # type: ignore[import-untyped]

        options = Options()
        options.locale_code = _CRON_LOCALES.get((get_language() or "en")[:2], "en_US")
        options.use_24hour_time_format = True
        text = str(ExpressionDescriptor(expression, options).get_description())
        # The library says days and months in the language of the process.
        for name, said in zip(_DAY_NAMES + _MONTH_NAMES, (*WEEKDAYS.values(), *MONTHS.values()), strict=True):
            text = text.replace(name, str(said))
        return text.replace("'", "\N{RIGHT SINGLE QUOTATION MARK}")

    def _moments_of(self, day: date) -> Iterator[datetime]:
        rule = parse_crontab(self.expression)
        if day.month not in rule.months or not rule.match_day(day):
            return
        folds = (0, 1) if len(rule.hours) == 24 else (0,)
        for hour in sorted(rule.hours):
            for minute in sorted(rule.minutes):
                for fold in folds:
                    yield datetime.combine(day, time(hour, minute, fold=fold), self.zone).astimezone(UTC)


@dataclass(frozen=True)
class AtTime(ByTheClock):
    """Every day, or Monday to Friday, at a time: a crontab with simpler words."""

    def words(self) -> str:
        minute, hour, _day, _month, weekdays = self.expression.split()
        at = {"time": f"{int(hour):02}:{int(minute):02}"}
        return (_("Every day at %(time)s") if weekdays == "*" else _("Monday to Friday at %(time)s")) % at


Timing = Every | ByTheClock


@lru_cache(maxsize=256)
def parse_crontab(expression: str) -> CronSim:
    """Read the five fields of a crontab. Raises: ScheduleError, also for a day that never comes (31 February)."""
    if len(expression.split()) != _FIELD_COUNT:
        raise ScheduleError("crontab_fields", crontab=expression)
    try:
        # The moment is of no meaning: the rule alone is asked.
        return CronSim(expression, datetime(2000, 1, 1, tzinfo=UTC))
    except (CronSimError, ValueError, AssertionError):
        raise ScheduleError("crontab_unreadable", crontab=expression) from None
