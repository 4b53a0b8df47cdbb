"""Options: defaults, then what the administrator stored, then what the run asks for."""

from __future__ import annotations

import pytest

from sync.errors import OptionError
from sync.models import MoodleSite, ProcessorSettings
from sync.runs import services
from sync.runs.options import find_processor, resolve_options

pytestmark = pytest.mark.django_db


@pytest.fixture
def site() -> MoodleSite:
    return MoodleSite.objects.get(slug="main")


def test_a_run_overrides_the_stored_settings_which_override_the_defaults(site: MoodleSite) -> None:
    assert resolve_options(site, "users")["primaryidentity"] == "idnumber"
    services.save_settings(site=site, processor="users", values={"primaryidentity": "username", "allowrename": "1"})
    assert resolve_options(site, "users")["primaryidentity"] == "username"
    options = resolve_options(site, "users", {"primaryidentity": "email"})
    assert (options["primaryidentity"], options["allowrename"]) == ("email", True)


def test_only_what_differs_from_the_default_is_stored(site: MoodleSite) -> None:
    services.save_settings(site=site, processor="users", values={"primaryidentity": "idnumber", "allowrename": True})
    assert ProcessorSettings.objects.get().values == {"allowrename": True}


def test_a_wrong_value_is_not_stored(site: MoodleSite) -> None:
    with pytest.raises(OptionError):
        services.save_settings(site=site, processor="users", values={"primaryidentity": "shoe size"})
    assert not ProcessorSettings.objects.exists()


def test_settings_of_one_tool_are_not_those_of_another(site: MoodleSite) -> None:
    services.save_settings(site=site, processor="users", values={"storereport": 0})
    assert resolve_options(site, "users_delete")["storereport"] is True


def test_an_unknown_tool_is_told_with_those_that_are_there() -> None:
    with pytest.raises(OptionError) as refused:
        find_processor("shoes")
    assert "users" in refused.value.params["processors"]


@pytest.mark.parametrize(
    ("processor", "options", "fault"),
    [
        ("users", {"absentscope": "auth"}, None),
        ("users", {"absent": "suspend"}, ("absent_scope_missing", "absentscope")),
        ("users", {"absent": "suspend", "absentscope": "cohorts"}, ("absent_scope_missing", "absentname")),
        ("users", {"absent": "suspend", "absentscope": "created"}, None),
        ("cohorts", {"absent": "remove", "absentscope": "prefix"}, ("absent_cohorts_unchosen", "absentname")),
        ("cohorts", {"absent": "remove", "absentscope": "named"}, None),
        ("courses", {"absent": "hide"}, ("absent_courses_scope_unchosen", "absentscope")),
        ("courses", {"absent": "hide", "absentscope": "pattern"}, ("absent_courses_scope_unchosen", "absentname")),
        ("courses", {"absent": "delete", "absentscope": "created"}, None),
        ("enrolments", {"absent": "unenrol", "absentscope": "category"}, ("absent_courses_unchosen", "absentname")),
        (
            "enrolments", {"absent": "unenrol", "absentscope": "named", "absentmethod": "cohort"},
            ("absent_method_synced", "absentmethod"),
        ),
        ("enrolments", {"absent": "unenrol", "absentscope": "named"}, None),
    ],
)  # fmt: skip
def test_options_that_don_t_fit_together_are_known_before_a_run(
    processor: str, options: dict[str, str], fault: tuple[str, str] | None
) -> None:
    found = find_processor(processor).options.resolve(options).fault()
    assert (found and (found.code, found.params["option"])) == fault
