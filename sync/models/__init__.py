"""What ToolSync itself keeps: sites, command files, runs, their files and the administrators' settings."""

from sync.models.armed_file import ArmedFile
from sync.models.command_file import CommandFile
from sync.models.inserted_row import InsertedRow
from sync.models.mail_count import MailCount
from sync.models.notification import Event, Notification, NotificationRule, Webhook
from sync.models.processor_settings import ProcessorSettings
from sync.models.retention import Retention
from sync.models.run import RunChunk, RunFile, RunMail, RunState, SyncRun
from sync.models.schedule import FreezeWindow, Schedule, SequenceRun, SequenceState
from sync.models.site import MoodleSite
from sync.models.source import FetchAttempt, Source

__all__ = [
    "ArmedFile",
    "CommandFile",
    "Event",
    "FetchAttempt",
    "FreezeWindow",
    "InsertedRow",
    "MailCount",
    "MoodleSite",
    "Notification",
    "NotificationRule",
    "ProcessorSettings",
    "Retention",
    "RunChunk",
    "RunFile",
    "RunMail",
    "RunState",
    "Schedule",
    "SequenceRun",
    "SequenceState",
    "Source",
    "SyncRun",
    "Webhook",
]
