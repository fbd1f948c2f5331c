"""GET /metrics: the figures of the gateway, for Prometheus."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from ...state.errors import Forbidden
from ..deps import CascadeDep, KeyDep
from ..metrics import CONTENT_TYPE, Board, exposition, figures_of

router = APIRouter(tags=["health"])


@router.get("/metrics", response_class=Response, summary="Figures in Prometheus's text format")
async def metrics(request: Request, cascade: CascadeDep, key: KeyDep) -> Response:
    """Tell what all workers did since they started. Where keys are required, an admin's is: money is told, too."""
    if cascade.settings.require_key and (key is None or not key.is_admin):
        raise Forbidden(
            "the figures of a gateway are for admins: make a key with 'x25 keys create ORG --admin'"
        )
    state = request.app.state
    own = figures_of(cascade, state.admission, state.pulse, is_draining=state.is_draining)
    board: Board = state.board
    return Response(exposition(board.all(own)), headers={"content-type": CONTENT_TYPE})
