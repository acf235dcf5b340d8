"""The table of public paths and their services. Any other path is 404 at the gateway."""

from dataclasses import dataclass

# Each path also stands for everything below it.
PUBLIC: dict[str, tuple[str, ...]] = {
    "members": (
        "/v1/sign-in",
        "/v1/sessions",
        "/v1/me",
        "/v1/areas",
        "/v1/organisations",
        "/v1/people",
        "/v1/accounts",
        "/v1/audit",
        "/v1/teams",
        "/v1/rosters",
        "/.well-known/jwks.json",
    ),
    "requests": ("/v1/calendar", "/v1/catalogue", "/v1/requests", "/v1/track"),
    "notify": ("/v1/inbox", "/v1/preferences"),
}
# A live stream: no time-out for the request, only for silence.
STREAMS: dict[str, tuple[str, ...]] = {"notify": ("/v1/inbox/stream",)}
# A POST to exactly this path has a limit of its own.
POSTS: dict[str, tuple[str, ...]] = {
    "members": ("/v1/sign-in/staff",),
    "requests": ("/v1/requests", "/v1/catalogue/suggest"),
}

# Identity headers of a client are removed: only the gateway sets them.
IDENTITY_PREFIXES = ("x-auth-", "x-linli-", "x-authenticated-", "x-forwarded-user", "x-remote-", "x-user-", "x-jwt-")
IDENTITY_HEADERS = (
    "x-auth",
    "x-user",
    "remote-user",
    "x-forwarded-email",
    "x-forwarded-groups",
    "x-forwarded-preferred-username",
    "x-forwarded-access-token",
    "x-original-url",
    "x-rewrite-url",
)


@dataclass(frozen=True)
class Route:
    """One row of Envoy's routes: a path and the service that answers it."""

    path: str
    service: str


def routes() -> list[Route]:
    """Every public path with its service."""
    return [Route(path, service) for service, paths in PUBLIC.items() for path in paths]


def posts() -> list[Route]:
    """Every path of which a POST has a row of its own, with its service."""
    return [Route(path, service) for service, paths in POSTS.items() for path in paths]


def streams() -> list[Route]:
    """Every path that is a stream, with its service."""
    return [Route(path, service) for service, paths in STREAMS.items() for path in paths]
