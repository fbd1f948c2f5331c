"""A request that this gateway sent to itself: each one would make another, until the caller's deadline."""

import logging

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from ..providers.openai_compatible import GATEWAY_HEADER, GATEWAY_ID
from .errors import error_body
from .headers import header

_NAME, _OURS = GATEWAY_HEADER.lower().encode(), GATEWAY_ID.encode()

logger = logging.getLogger(__name__)


class NoLoops:
    """Middleware that answers 508 to what this process sent as a client."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or header(scope, _NAME) != _OURS:
            await self._app(scope, receive, send)
            return
        sentence = "a model's base_url is this gateway's own address: it would ask itself without end"
        logger.error("%s", sentence)
        body = error_body("loop_detected", sentence, kind="invalid_request_error", field=None)
        await JSONResponse(body, status_code=508)(scope, receive, send)
