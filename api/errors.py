"""Turn our errors into HTTP: the second and last place where failures are caught."""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from math import ceil
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from ..graph.run import Cascade
from ..state.errors import (
    AllBusy,
    BudgetExceeded,
    CallFailed,
    ChainBroken,
    Forbidden,
    InvalidRequest,
    NoEligibleModel,
    NotFound,
    PromptTooLong,
    ProviderTimeout,
    RequestRefused,
    StageNotReached,
    StoreError,
    TooManyRequests,
    Unauthorized,
    Undecidable,
    X25Error,
)
from .vendor_words import classes_of
from .wrong_paths import not_that_way, nowhere

_log = logging.getLogger(__name__)

ERROR_TO_STATUS: Mapping[type[X25Error], int] = {
    BudgetExceeded: 402,
    Undecidable: 400,
    PromptTooLong: 400,
    InvalidRequest: 422,
    Unauthorized: 401,
    Forbidden: 403,
    NotFound: 404,
    TooManyRequests: 429,
    RequestRefused: 400,
    AllBusy: 503,
    CallFailed: 502,
    StoreError: 503,
    ChainBroken: 503,
}


_KINDS = {402: "insufficient_quota", 429: "requests"}
"""OpenAI's types of two errors; clients tell them apart by these."""
MOST_SAID, MOST_NAMED = 8_000, 300
"""Longest message and field of an error, characters."""
_INSIDE: Mapping[type[X25Error], str] = {
    StoreError: "the store cannot be used",
    ChainBroken: "the audit chain could not be extended",
}


def error_body(
    code: str, message: str, *, kind: str, field: str | None = None, **more: object
) -> dict[str, Any]:
    """Return the one error shape: the OpenAI one (`message`, `type`, `param`, `code`) plus `field`.

    Both are cut: they name parts of the request, and a name may be as long as the whole body.
    """
    message = message if len(message) <= MOST_SAID else f"{message[:MOST_SAID]}…"
    field = None if field is None else field[:MOST_NAMED]
    # At the doors that OpenAI's clients use, chat parameters stand at the top of the body.
    param = None if field is None else field.removeprefix("options.")
    return {"error": {"type": kind, "code": code, "message": message, "field": field, "param": param, **more}}


def status_of(error: X25Error) -> int:
    """Return the HTTP status of an error; 500 for one that has no business reaching the door."""
    if isinstance(error, CallFailed) and _all_attempts(error, ProviderTimeout.code):
        return 504
    return next((status for kind, status in ERROR_TO_STATUS.items() if isinstance(error, kind)), 500)


def install(app: FastAPI) -> None:
    """Register the handlers."""
    app.add_exception_handler(X25Error, _on_ours)
    app.add_exception_handler(RequestValidationError, _on_validation)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(Exception, _on_bug)


async def _on_ours(request: Request, error: Exception) -> JSONResponse:
    return answer_to(error, getattr(request.app.state, "cascade", None))


def answer_to(error: Exception, cascade: Cascade | None) -> JSONResponse:
    """Return the reply that an error of ours becomes; `cascade` is None before the application is open."""
    keeps_text = cascade is not None and bool(cascade.settings.keeps_text)
    status, body = body_of(error, keeps_text=keeps_text)
    if status >= 500:
        _log.warning("%s: %s", body["error"]["code"], logged(error))
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
    if isinstance(error, AllBusy | TooManyRequests):
        headers["Retry-After"] = str(max(1, ceil(error.retry_after_s)))
    return JSONResponse(body, status_code=status, headers=headers)


def logged(error: BaseException) -> str:
    """Return what the log says of an error: of a failed call the classes, since vendors may quote the prompt."""
    return classes_of(error) if isinstance(error, CallFailed) else str(error)


def body_of(error: BaseException, *, keeps_text: bool = False) -> tuple[int, dict[str, Any]]:
    """Return the status and the body of an error; one that is not ours is told by its class alone.

    `keeps_text` says that prompts may be written down, and so may what a vendor says of them.
    """
    if not isinstance(error, X25Error):
        message = f"the gateway met an error of its own ({type(error).__name__}); its log has the details"
        return 500, error_body("internal_error", message, kind="server_error")
    status = status_of(error)
    kind = _KINDS.get(status) or (
        "invalid_request_error"
        if status < 500
        else "upstream_error"
        if isinstance(error, CallFailed)
        else "server_error"
    )
    more: dict[str, object] = {}
    if isinstance(error, NoEligibleModel):
        more["removed"] = error.removed
    if isinstance(error, StageNotReached):
        more |= {
            "calls_needed": error.calls_needed, "stage": error.stage, "required_stage": error.required_stage,
        }  # fmt: skip
    if isinstance(error, CallFailed):
        more |= {"attempts": error.attempts, "call_id": error.call_id}
    if isinstance(error, AllBusy):
        more["retry_after_s"] = error.retry_after_s
    sentence = _sentence(error, keeps_text=keeps_text)
    return status, error_body(error.code, sentence, kind=kind, field=getattr(error, "field", None), **more)


async def _on_validation(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    if first["type"] == "json_invalid":
        return _unreadable(f"not JSON: {first['ctx']['error']} at character {first['loc'][-1]}")
    field = ".".join(str(part) for part in first["loc"] if part != "body") or "body"
    return _refused(f"{field}: {first['msg']}", field)


async def _on_http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    path, said = request.scope["path"], str(error.detail)
    if error.status_code == 404 and said == HTTPStatus.NOT_FOUND.phrase:
        said = await nowhere(request.app, path)
    if error.status_code == 405:
        said = not_that_way(request.method, path, (error.headers or {}).get("Allow", ""))
    if error.status_code == 400:  # FastAPI's word for a body its parser gave up on: too deep, too many digits
        return _unreadable(str(error.detail))
    kind = "invalid_request_error" if error.status_code < 500 else "server_error"
    return JSONResponse(
        error_body("not_found" if error.status_code == 404 else "http_error", said, kind=kind),
        status_code=error.status_code,
        headers=error.headers,
    )


async def _on_bug(_: Request, error: Exception) -> JSONResponse:
    """Keep the one error shape; the server logs the traceback and the body tells nothing about the inside."""
    status, body = body_of(error)
    return JSONResponse(body, status_code=status)


def _sentence(error: X25Error, *, keeps_text: bool) -> str:
    """Return what a caller is told.

    Of a failure inside its name, since the sentence may hold paths of the server; of vendors' failures their classes,
    unless prompts may be kept. Why a request is refused, its sender has to know.
    """
    if isinstance(error, CallFailed) and not isinstance(error, RequestRefused) and not keeps_text:
        return classes_of(error)
    if isinstance(error, InvalidRequest | Unauthorized | Forbidden | NotFound | TooManyRequests | CallFailed):
        return str(error)
    return f"{_INSIDE.get(type(error), 'the gateway met an error of its own')}; its log has the details"


def _unreadable(message: str) -> JSONResponse:
    return _refused(f"body: {message}", "body")


def _refused(message: str, field: str) -> JSONResponse:
    body = error_body("invalid_request", message, kind="invalid_request_error", field=field)
    return JSONResponse(body, status_code=422)


def _all_attempts(error: CallFailed, code: str) -> bool:
    codes = {attempt.get("error") for attempt in error.attempts}
    return codes == {code}
