"""What the benchmarks share."""

from tests.bench.fixtures import figures, mariadb_server, postgresql_server, pytest_terminal_summary, toolsync_on

__all__ = ["figures", "mariadb_server", "postgresql_server", "pytest_terminal_summary", "toolsync_on"]
