"""A request's head, as servers hand it on: names in lower case, in bytes. Each middleware looks for one or two."""

from starlette.types import Scope


def header(scope: Scope, name: bytes) -> bytes | None:
    """Return the first header of a name in lower case; None when there is none."""
    for key, value in scope["headers"]:
        if key == name:
            found: bytes = value
            return found
    return None


def path_of(scope: Scope) -> str:
    """Return the path of a request within this application, which may be mounted below a prefix of another."""
    path: str = scope["path"]
    root: str = scope.get("root_path", "")
    return path[len(root) :] if root and path.startswith(root + "/") else path
