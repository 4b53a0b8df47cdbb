"""Settings enter here, once, and go down frozen; so do the options that administrators have stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.translation import gettext

from sync.columns.general_options import GeneralOptions
from sync.columns.options import Choice, Flag, Option
from sync.errors import OptionError
from sync.models import MoodleSite, ProcessorSettings, SyncRun
from sync.models.site import MAIN_SITE
from sync.processors.registry import REGISTRY
from sync.sources.guard import MEGABYTE, FetchRules

if TYPE_CHECKING:
    # Nothing else here needs the gate, whose library takes a third of the start of a command.
    from sync.moodle.db.database import MoodleConnection
    from sync.moodle.site.command_line import MoodleCommand
    from sync.processors.base.processor import Processor


class OperatorPermits(TypedDict):
    """Fields of a MoodleConnection that are the same for every Moodle."""

    changes_protected_accounts: bool
    assigns_configuring_roles: bool
    writes_unknown_versions: bool
    tables_left_alone: tuple[str, ...]


@dataclass(frozen=True)
class RunLimits:
    """How runs behave on this installation.

    Shape: lease: a run without a sign of life for so long is dead; retry_seconds: how long to wait for Moodle;
    max_upload_megabytes: 0 = unlimited
    """

    chunk_rows: int
    heartbeat_seconds: float
    lease: timedelta
    retry_seconds: float
    max_upload_megabytes: int


def run_limits() -> RunLimits:
    """Return the limits that the settings say."""
    return RunLimits(
        chunk_rows=settings.TOOLSYNC_CHUNK_ROWS,
        heartbeat_seconds=settings.TOOLSYNC_HEARTBEAT_SECONDS,
        lease=timedelta(seconds=settings.TOOLSYNC_LEASE_SECONDS),
        retry_seconds=settings.TOOLSYNC_RETRY_SECONDS,
        max_upload_megabytes=settings.TOOLSYNC_MAX_UPLOAD_MB,
    )


def runs_per_site() -> int:
    """Return how many workers a site may have at a time while there are others: one run writes, the others only plan."""
    return max(1, settings.TOOLSYNC_RUNS_PER_SITE)


def turn_seconds() -> float:
    """Return how long a run may wait for its Moodle in a worker that runs of other sites wait for."""
    return settings.TOOLSYNC_TURN_SECONDS


def upload_folder() -> Path:
    """Return the folder that uploads lie in while they arrive."""
    return Path(settings.FILE_UPLOAD_TEMP_DIR)


def fetch_rules() -> FetchRules:
    """Return what the operator allows when files are fetched from other servers."""
    return FetchRules(
        allowed_hosts=frozenset(host.strip().lower() for host in settings.TOOLSYNC_FETCH_HOSTS),
        max_bytes=settings.TOOLSYNC_MAX_UPLOAD_MB * MEGABYTE,
        seconds=settings.TOOLSYNC_FETCH_SECONDS,
        max_rows=settings.TOOLSYNC_FETCH_ROWS,
    )


def settle_seconds() -> float:
    """Return how long the size of a file must stay the same before it is taken."""
    return settings.TOOLSYNC_SETTLE_SECONDS


def guard_is_on() -> bool:
    """Return whether runs are held against limits where nobody has set any."""
    return settings.TOOLSYNC_GUARD


def plan_hours() -> int:
    """Return for how many hours a plan may be applied after it was made."""
    return settings.TOOLSYNC_PLAN_HOURS


def answer_seconds() -> float:
    """Return how long an answer waits for the run of a small file."""
    return settings.TOOLSYNC_ANSWER_SECONDS


def api_requests_per_minute() -> int:
    """Return how many requests a token may make in a minute."""
    return settings.TOOLSYNC_API_REQUESTS_PER_MINUTE


def is_demo() -> bool:
    """Return whether this is the demo, whose overview has a tour."""
    return settings.TOOLSYNC_DEMO


def tick_seconds() -> int:
    """Return how often beat sends what is due."""
    return settings.TOOLSYNC_TICK_SECONDS


def notification_retry_delays() -> list[timedelta]:
    """Return how long to wait after each try to tell something that failed; then it is given up."""
    return [timedelta(seconds=seconds) for seconds in settings.TOOLSYNC_NOTIFICATION_RETRY_DELAYS]


def site_zone() -> ZoneInfo:
    """Return the time zone in which people of the site read a clock."""
    return ZoneInfo(settings.TIME_ZONE)


def settings_language() -> str:
    """Return the language of the site."""
    return settings.LANGUAGE_CODE


def drop_folder() -> Path:
    """Return the folder that other programs put files of the site `main` into."""
    return Path(settings.TOOLSYNC_DROP_FOLDER)


def main_connection() -> MoodleConnection:
    """Return the connection of the site `main`, which the environment describes."""
    from sync.moodle.db.database import MoodleConnection, data_place

    return MoodleConnection(
        url=settings.TOOLSYNC_MOODLE_URL,
        prefix=settings.TOOLSYNC_MOODLE_PREFIX,
        **data_place(settings.TOOLSYNC_MOODLE_DATAROOT),
        operator=settings.TOOLSYNC_MOODLE_OPERATOR,
        peppers=tuple(settings.TOOLSYNC_MOODLE_PEPPERS),
        command_line=tuple(settings.TOOLSYNC_MOODLE_CLI),
        time_zone=settings.TOOLSYNC_MOODLE_TIME_ZONE,
        **operator_permits(),
    )


def operator_permits() -> OperatorPermits:
    """Return what the operator lets files do in every Moodle; from the environment only, so that no page can set it."""
    return {
        "changes_protected_accounts": settings.TOOLSYNC_MOODLE_CHANGE_PROTECTED_ACCOUNTS,
        "assigns_configuring_roles": settings.TOOLSYNC_MOODLE_ASSIGN_CONFIGURING_ROLES,
        "writes_unknown_versions": settings.TOOLSYNC_MOODLE_WRITE_UNKNOWN_VERSIONS,
        "tables_left_alone": tuple(settings.TOOLSYNC_MOODLE_LEAVE_TABLES),
    }


@dataclass(frozen=True)
class SiteRules:
    """What the operator lets pages choose from where a site is set up.

    Shape: hosts: "host" or "host:port", lower case; folders: that hold data folders and databases that are files; commands: name
    -> command line, as of sync/moodle/site/command_line.py
    """

    hosts: frozenset[str]
    folders: tuple[Path, ...]
    commands: Mapping[str, tuple[str, ...]]


def site_rules() -> SiteRules:
    """Return what the operator lets pages choose from; from the environment only."""
    return SiteRules(
        hosts=frozenset(host.strip().lower() for host in settings.TOOLSYNC_SITE_HOSTS if host.strip()),
        folders=tuple(Path(folder.strip()) for folder in settings.TOOLSYNC_SITE_FOLDERS if folder.strip()),
        commands={name: tuple(command) for name, command in settings.TOOLSYNC_SITE_COMMANDS.items()},
    )


def moodle_command(connection: MoodleConnection, *, is_long: bool = False) -> MoodleCommand | None:
    """Return the way to start the scripts of a Moodle; None where the operator has set none.

    Shape: is_long: for scripts that may take long, a restore
    """
    from sync.moodle.site.command_line import MoodleCommand

    if not connection.command_line:
        return None
    seconds = settings.TOOLSYNC_MOODLE_RESTORE_SECONDS if is_long else settings.TOOLSYNC_MOODLE_CLI_SECONDS
    return MoodleCommand(connection.command_line, seconds)


def page_address(path: str, site: str = MAIN_SITE) -> str:
    """Return the whole address of a page, as mails need it; "" when the operator hasn't said where ToolSync is.

    Shape: site: short name of the Moodle site that the page is about
    """
    address = settings.TOOLSYNC_ADDRESS.rstrip("/")
    prefix = "" if site == MAIN_SITE else f"/sites/{site}"
    return address + prefix + path.removeprefix(prefix) if address else ""


def named_hosts() -> list[str]:
    """Return the hosts that the site answers to, those that are patterns included."""
    return settings.ALLOWED_HOSTS


def second_factor_rule() -> str:
    """Return of whom the operator wants a second factor: "administrators", "everybody", or "" of nobody."""
    return settings.TOOLSYNC_SECOND_FACTOR


def openid_name() -> str:
    """Return what the provider of OpenID Connect is called; "" = there is none."""
    return settings.TOOLSYNC_OIDC_NAME if settings.TOOLSYNC_OIDC_ISSUER else ""


def openid_trusts_addresses() -> bool:
    """Return whether a mail address counts as verified of which the provider of OpenID Connect doesn't say whether it is."""
    return settings.TOOLSYNC_OIDC_TRUST_ADDRESSES


def trusted_proxies() -> int:
    """Return how many proxies in front of the site say truly whom they were asked by."""
    return max(0, settings.TOOLSYNC_TRUSTED_PROXIES)


def usual_days() -> int:
    """Return how many days the files of runs are kept where nobody has said otherwise."""
    return settings.TOOLSYNC_KEEP_DAYS


def usual_journal_days() -> int:
    """Return how many days the before-images of runs are kept where nobody has said otherwise."""
    return settings.TOOLSYNC_KEEP_JOURNAL_DAYS


def find_processor(key: str) -> type[Processor]:
    """Return a processor by its key. Raises: OptionError."""
    try:
        return REGISTRY[key]
    except KeyError:
        raise OptionError("processor_unknown", processor=key, processors=", ".join(REGISTRY)) from None


def processor_of(run: SyncRun) -> type[Processor]:
    """Return what carries a run out. Raises: OptionError."""
    if run.undoes_id is None:
        return find_processor(run.processor)
    return _undo()


def options_of_undo() -> GeneralOptions:
    """Return the options of a run that takes another back, which nobody chooses."""
    return _undo().options.resolve()


def _undo() -> type[Processor]:
    # Few runs are one, and it loads what it brings back: courses with all that is in them.
    from sync.processors.undo.processor import Undo

    return Undo


def resolve_options(site: MoodleSite, processor: str, overrides: Mapping[str, Any] | None = None) -> GeneralOptions:
    """Lay what the administrator stored, then what this run asks for, over the defaults. Raises: OptionError."""
    stored = ProcessorSettings.objects.filter(site=site, processor=processor).first()
    return find_processor(processor).options.resolve(stored.values if stored else {}, overrides or {})


def changed_options(processor: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that differ from their defaults, in declared order."""
    return _changed(find_processor(processor).options, values)


def options_of(run: SyncRun) -> dict[str, Any]:
    """Return all options of a run that its file type still has, for another that is to go by the same, whatever is set now."""
    return {
        option.name: run.options[option.name]
        for option in processor_of(run).options.declared
        if option.name in run.options
    }


def changed_options_of(run: SyncRun) -> dict[str, Any]:
    """Return the options of a run that differ from their defaults, in declared order."""
    return _changed(processor_of(run).options, run.options)


def value_text(option: Option[Any], value: Any) -> str:
    """Return the value of an option as people read it."""
    if isinstance(option, Flag):
        return gettext("on") if value else gettext("off")
    return str(option.choices.get(value, value)) if isinstance(option, Choice) else str(value)


def _changed(options: type[GeneralOptions], values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        option.name: values[option.name]
        for option in options.declared
        if option.name in values and values[option.name] != option.default
    }
