"""Notifications: who is told what, by mail and webhook."""
