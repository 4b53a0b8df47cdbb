"""What ToolSync itself keeps: sites, command files, runs, their files and the administrators' settings."""

from sync.models.command_file import CommandFile
from sync.models.inserted_row import InsertedRow
from sync.models.processor_settings import ProcessorSettings
from sync.models.run import RunChunk, RunFile, RunState, SyncRun
from sync.models.site import MoodleSite

__all__ = [
    "CommandFile",
    "InsertedRow",
    "MoodleSite",
    "ProcessorSettings",
    "RunChunk",
    "RunFile",
    "RunState",
    "SyncRun",
]
