"""Rows of a database: what comes, that nothing can be written, and each thing that goes wrong as a sentence."""

from __future__ import annotations

import io
import sqlite3
from dataclasses import replace
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa

from sync.errors import CodedError
from sync.messages import text_of
from sync.sources import queries
from sync.sources.guard import FetchRules
from sync.sources.opening import open_query
from sync.sources.sql_statement import checked_statement
from tests.servers import PASSWORD

RULES = FetchRules(allowed_hosts=frozenset({"127.0.0.1"}), max_bytes=5_000_000, seconds=10, max_rows=5_000)
ROWS = [("ann", "2026-01-02", 1.5, b"x"), ("bob é", None, 2, None)]
ENDLESS = "WITH RECURSIVE r(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM r) SELECT {what} FROM r"

NUMBERS = count()


@pytest.fixture
def people(tmp_path: Path) -> str:
    """The address of an SQLite database."""
    path = tmp_path / "some people.sqlite3"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE people (login text, day text, n numeric, b blob)")
        connection.executemany("INSERT INTO people VALUES (?, ?, ?, ?)", ROWS)
    connection.close()
    return f"sqlite:///{path}"


def fetch(url: str, statement: str, rules: FetchRules = RULES, *, kind: str = queries.SQL, **more: str) -> str:
    address = queries.server_address(kind, url)
    if address.scheme == "sqlite":
        rules = replace(rules, allowed_hosts=frozenset({address.shown.lower()}))
    kept = queries.checked_query(kind, address, {"statement": statement, **more}, "cohorts", rules)
    out = io.BytesIO()
    with open_query(kind, address, kept, rules, default_name="userimport.csv") as place:
        for entry in place.entries():
            place.copy(entry.name, out)
    return out.getvalue().decode()


def refusal(url: str, statement: str, rules: FetchRules = RULES, **more: str) -> str:
    with pytest.raises(CodedError) as refused:
        fetch(url, statement, rules, **more)
    text = text_of(refused.value.code, refused.value.params)
    assert text.endswith(".")
    assert PASSWORD not in text
    return refused.value.code


def test_rows_become_a_csv(people: str) -> None:
    assert fetch(people, "SELECT login AS username, day, n, b FROM people ORDER BY 1;") == (
        "username,day,n,b\nann,2026-01-02,1.5,x\nbob é,,2,\n"
    )


def test_what_looks_like_more_within_quotes_is_text(people: str) -> None:
    assert fetch(people, "SELECT '; -- %s into' AS \"delete\", login FROM people WHERE login LIKE 'a%'") == (
        "delete,login\n; -- %s into,ann\n"
    )


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ("", "sql_not_select"), ("DELETE FROM people", "sql_not_select"), ("SELECT 1; SELECT 2", "sql_several"),
        ("SELECT 1 -- one", "sql_comment"), ("SELECT /*!50000 1 */ 2", "sql_comment"),
        ("SELECT 1 INTO OUTFILE '/tmp/x'", "sql_writes"), ("SELECT '\\'' INTO OUTFILE '/tmp/x", "sql_failed"),
        ("WITH gone AS (DELETE FROM people RETURNING 1) SELECT 1", "sql_writes"), ("SELECT 1 FOR UPDATE", "sql_writes"),
        ("WITH a AS (SELECT 1) DELETE FROM people", "sql_writes"),
        ("WITH a AS (SELECT 1)insert into people SELECT 1", "sql_writes"),
        ("WITH a AS ( UPDATE people SET n = 1 RETURNING 1) SELECT 1", "sql_writes"), ("SELECT 1 into x", "sql_writes"),
        ("WITH a AS (SELECT 1) MERGE INTO people", "sql_writes"), ("SELECT 1 FOR NO KEY UPDATE", "sql_writes"),
        ("SELECT '" + 20_000 * "x" + "'", "sql_too_long"), ("SELECT login, login FROM people", "sql_same_column"),
        ("SELECT login FROM people WHERE 0", "source_no_rows"), ("SELECT shoe FROM people", "sql_failed"),
        ("SELECT x'ff00' AS b", "source_binary_cell"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_said(people: str, statement: str, code: str) -> None:
    assert refusal(people, statement) == code


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT update_date, t.delete, t.update AS last FROM t", 'SELECT "delete", "insert into" FROM t',
        "SELECT call, copy, load, grant, t.into FROM t", "SELECT count(delete), max(update), (merge) FROM t",
        "WITH a AS (SELECT 1 AS n) SELECT created, replace(name, 'drop table', 'x') FROM a", "SELECT `create` FROM t",
    ],
)  # fmt: skip
def test_words_that_only_name_columns_are_no_statements(statement: str) -> None:
    assert checked_statement(f" {statement} ; ") == statement


@pytest.mark.parametrize("column", ["update_date", "call", "copy"])
def test_a_column_that_is_called_like_a_statement_is_read(tmp_path: Path, column: str) -> None:
    path = tmp_path / "words.sqlite3"
    with sqlite3.connect(path) as connection:
        connection.execute(f"CREATE TABLE t (login, {column})")
        connection.execute("INSERT INTO t VALUES ('ann', '2026-02-03')")
    assert fetch(f"sqlite:///{path}", f"SELECT login, {column} FROM t").split() == [f"login,{column}", "ann,2026-02-03"]


def test_too_many_rows_or_bytes_bring_no_file(people: str) -> None:
    assert refusal(people, ENDLESS.format(what="x")) == "source_too_many_rows"
    assert refusal(people, ENDLESS.format(what="x"), replace(RULES, max_bytes=10_000, max_rows=0)) == "remote_too_large"


def test_a_statement_that_never_ends_is_given_up(people: str) -> None:
    assert refusal(people, ENDLESS.format(what="COUNT(*) AS c"), replace(RULES, seconds=0.3)) == "remote_too_slow"


def test_a_file_that_isnt_there_is_not_made(tmp_path: Path) -> None:
    assert refusal(f"sqlite:///{tmp_path}/none.sqlite3", "SELECT 1 AS a") == "sql_failed"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("sqlite:///relative.sqlite3", "server_unreadable"), ("sqlite:////srv/../etc/x", "server_unreadable"),
        ("sqlite://host/x", "server_unreadable"), ("oracle://host/x", "address_scheme"), ("postgresql:///x", "server_unreadable"),
        ("postgresql://127.0.0.1/x?host=10.0.0.1", "sql_option_unknown"),
        ("postgresql://127.0.0.1/x?sslmode=disable", "sql_option_unknown"),
        ("mysql://127.0.0.1/x?init_command=DELETE", "sql_option_unknown"),
        ("mysql://127.0.0.1/x?local_infile=1", "sql_option_unknown"),
        ("postgresql://example.org/x", "source_server_not_named"), ("mysql://localhost/x", "source_server_not_named"),
    ],
)  # fmt: skip
def test_addresses_that_lead_elsewhere_are_refused(url: str, code: str) -> None:
    assert refusal(url, "SELECT 1 AS a") == code


def test_a_database_file_that_isnt_named_is_not_read(people: str) -> None:
    address = queries.server_address(queries.SQL, people)
    with pytest.raises(CodedError) as refused:
        queries.checked_query(queries.SQL, address, {"statement": "SELECT 1 AS a"}, "users", RULES)
    assert refused.value.code == "source_server_not_named"


@pytest.mark.parametrize(
    "server", [pytest.param(name, marks=getattr(pytest.mark, name)) for name in ("mariadb", "postgresql")]
)
class TestServers:
    @pytest.fixture
    def url(self, server: str, request: pytest.FixtureRequest) -> str:
        """The address of a database with a table of 3,000 rows."""
        url: str = request.getfixturevalue(f"{server}_server").create_database(f"sql_source_{next(NUMBERS)}")
        engine = sa.create_engine(url.replace("mysql:", "mysql+mysqldb:").replace("postgresql:", "postgresql+psycopg:"))
        with engine.begin() as connection:
            connection.exec_driver_sql("DROP TABLE IF EXISTS people")
            connection.exec_driver_sql("CREATE TABLE people (login varchar(20), day date, n decimal(6, 2))")
            rows = [{"login": f"ü{n}", "day": "2026-02-03", "n": n} for n in range(3_000)]
            connection.execute(sa.text("INSERT INTO people VALUES (:login, :day, :n)"), rows)
        engine.dispose()
        return url

    def test_reads_all_rows_and_writes_nothing(self, url: str, server: str) -> None:
        lines = fetch(url, "SELECT login AS username, day, n FROM people WHERE login LIKE 'ü%' ORDER BY n").splitlines()
        assert (len(lines), lines[:2]) == (3_001, ["username,day,n", "ü0,2026-02-03,0.00"])
        # What the check of the text lets through, the server doesn't.
        writing = {"postgresql": "SELECT setval('s', 5) AS a", "mariadb": "SELECT NEXTVAL(s) AS a"}[server]
        name = urlsplit(url).path.strip("/")
        assert name
        engine = sa.create_engine(url.replace("mysql:", "mysql+mysqldb:").replace("postgresql:", "postgresql+psycopg:"))
        with engine.begin() as connection:
            connection.exec_driver_sql("DROP SEQUENCE IF EXISTS s")
            connection.exec_driver_sql("CREATE SEQUENCE s")
        engine.dispose()
        assert refusal(url, writing) in ("sql_failed", "sql_refused")

    def test_faults_are_sentences(self, url: str, server: str) -> None:
        assert refusal(url, "SELECT shoe FROM people") in ("sql_refused", "sql_failed")
        assert refusal(url, "SELECT login FROM people", replace(RULES, max_rows=2_500)) == "source_too_many_rows"
        assert refusal(url, "SELECT login FROM people WHERE 1 = 0") == "source_no_rows"
        assert refusal(url.replace(PASSWORD, "wrong"), "SELECT 1 AS a") == "sql_failed"
        slow = {"postgresql": "SELECT pg_sleep(30) AS a", "mariadb": "SELECT SLEEP(30) AS a FROM people"}[server]
        assert refusal(url, slow, replace(RULES, seconds=1)) in ("remote_too_slow", "source_no_rows", "sql_failed")

    def test_limits_of_the_server_leave_nothing_out(
        self, url: str, server: str, request: pytest.FixtureRequest
    ) -> None:
        if server == "postgresql":
            pytest.skip("PostgreSQL has no limit at which it leaves rows or parts of values out")
        mariadb = request.getfixturevalue("mariadb_server")
        mariadb.sql("SET GLOBAL sql_select_limit = 2; SET GLOBAL group_concat_max_len = 64")
        try:
            assert len(fetch(url, "SELECT login FROM people").splitlines()) == 3_001
            listed = fetch(url, "SELECT GROUP_CONCAT(login ORDER BY n) AS logins FROM people")
        finally:
            mariadb.sql("SET GLOBAL sql_select_limit = DEFAULT; SET GLOBAL group_concat_max_len = DEFAULT")
        assert listed.count("ü") == 3_000
        limited = "SELECT login FROM people WHERE n >= 0 LIMIT ROWS EXAMINED 50"
        assert refusal(url, limited) == "sql_cut_off"


def test_cohorts_of_another_moodle_come_in_our_columns(tmp_path: Path) -> None:
    path = tmp_path / "moodle.sqlite3"
    with sqlite3.connect(path) as connection:
        connection.executescript("""
            CREATE TABLE mdl_cohort (id, idnumber, name, description, visible, component);
            CREATE TABLE mdl_cohort_members (cohortid, userid);
            CREATE TABLE mdl_user (id, username, deleted);
            INSERT INTO mdl_cohort VALUES (1, 'Y1', 'Year 1', 'First', 1, ''), (2, 'Y2', 'Year 2', '', 0, ''),
                (3, '', 'No number', '', 1, ''), (4, 'P', 'Of a plugin', '', 1, 'local_x');
            INSERT INTO mdl_user VALUES (1, 'ann', 0), (2, 'gone', 1);
            INSERT INTO mdl_cohort_members VALUES (1, 1), (1, 2), (2, 2), (3, 1), (4, 1);
        """)
    connection.close()
    assert fetch(f"sqlite:///{path}", "", kind=queries.MOODLE, table_prefix="mdl_").splitlines() == [
        "cmd,cidnumber,cname,cdescription,visible,userid",
        "add,Y1,Year 1,First,1,ann",
        "add,Y2,Year 2,,0,",
    ]
    assert refusal(f"sqlite:///{path}", "", kind=queries.MOODLE, table_prefix="x; --") == "other_moodle_prefix"
