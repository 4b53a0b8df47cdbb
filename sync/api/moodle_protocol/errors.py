"""Errors as Moodle's web services answer them."""

from __future__ import annotations

from sync.errors import CodedError
from sync.messages import text_of


class ServiceError(Exception):
    """What was asked can't be done. Shape: exception: its class in Moodle; errorcode: by which callers tell errors apart"""

    def __init__(self, message: str, errorcode: str, exception: str = "moodle_exception") -> None:
        super().__init__(message)
        self.message = message
        self.errorcode = errorcode
        self.exception = exception


def invalid_parameter(detail: str) -> ServiceError:
    """Return the error of a parameter. Mirrors: invalid_parameter_exception with its debuginfo"""
    text = text_of("service_invalid_parameter", {"detail": detail})
    return ServiceError(text, "invalidparameter", "invalid_parameter_exception")


def access_denied(detail: str) -> ServiceError:
    """Return the error of a right that is missing. Mirrors: webservice_access_exception"""
    text = text_of("service_access_denied", {"detail": detail})
    return ServiceError(text, "accessexception", "webservice_access_exception")


def of_coded(error: CodedError) -> ServiceError:
    """Return one of our own errors as Moodle would answer it."""
    return ServiceError(text_of(error.code, error.params), error.code)
