"""The configuration of HAProxy before several servers with one address.

Written against HAProxy 2.6, as Debian 12 has it, and its configuration manual: ``use-server`` rules
come before everything else that chooses a server, one whose server is down is passed over
(section 4.2, "use-server"), and a request that got no answer is tried elsewhere ("retry-on",
"option redispatch").

Who leads where, first to last: an address with ``run=`` or ``room=``, and what a room or a run's
networks are asked by, to the server whose name the id begins with; the cookie that each server
gives its visitors (``vae.web.gate``) to that server; everybody else to the one with the fewest
connections.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from vae.servers import COOKIE, FRAME_COOKIE, NAMES, is_name

BACKEND = "vae"
# How long a websocket may rest, and a script's slowest answer.
_REST, _ANSWER = "24h", "10m"
_NOBODY = (
    "No server is there to answer: they are being started, or were stopped. "
    "Reload this page in a moment."
)


@dataclass(frozen=True)
class Replica:
    """One server: its name, and where the proxy reaches it (host:port)."""

    name: str
    address: str

    def __post_init__(self) -> None:
        if not is_name(self.name):
            raise ValueError(f"name: {self.name!r} given; {NAMES}")
        host, colon, port = self.address.rpartition(":")
        if not (host and colon and port.isdigit() and 0 < int(port) < 65536) or any(
            letter.isspace() or letter in "\"'#\\" for letter in host
        ):
            raise ValueError(f"address: {self.address!r} given; allowed is host:port")


@dataclass(frozen=True)
class Front:
    """Where visitors come: ``bind`` as HAProxy writes it (":8501", "127.0.0.1:8501"), the file of a
    certificate with its key for https, and a path of the socket through which servers are drained;
    both empty for none. ``base``: the path below which the app lives, as ``server.baseUrlPath``."""

    bind: str
    certificate: str = ""
    admin: str = ""
    base: str = ""


def local_replicas(count: int, first_port: int) -> tuple[Replica, ...]:
    """``count`` servers of this machine: r1, r2, and so on, on ports that follow one another."""
    return tuple(
        Replica(f"r{number}", f"127.0.0.1:{first_port + number - 1}")
        for number in range(1, count + 1)
    )


def configuration(replicas: Sequence[Replica], front: Front) -> str:
    """What HAProxy is to do. Raises ``ValueError`` on two servers of one name, or none."""
    names = [replica.name for replica in replicas]
    if not names or len(set(names)) != len(names):
        raise ValueError(f"replicas: {names} given; allowed is one and more, each with its name")
    lines = [*_global(front), *_defaults(), *_frontend(front), *_backend(replicas, front.base)]
    return "\n".join(lines) + "\n"


def _global(front: Front) -> list[str]:
    # As many connections as the system grants files for: there is no line that says how many.
    if not front.admin:
        return []
    return ["global", f"    stats socket {_quoted(front.admin)} mode 600 level admin", ""]


def _defaults() -> list[str]:
    return [
        "defaults",
        "    mode http",
        "    timeout connect 5s",
        "    timeout http-request 30s",
        "    timeout http-keep-alive 60s",
        "    timeout queue 30s",
        "    # A server under load answers late and is there; one that ended refuses at once.",
        "    timeout check 20s",
        f"    timeout client {_ANSWER}",
        f"    timeout server {_ANSWER}",
        "    # A page's websocket rests while somebody reads.",
        f"    timeout tunnel {_REST}",
        "    timeout client-fin 30s",
        "",
    ]


def _frontend(front: Front) -> list[str]:
    secure = f" ssl crt {_quoted(front.certificate)} alpn h2,http/1.1" if front.certificate else ""
    lines = [
        "frontend visitors",
        f"    bind {front.bind}{secure}",
        "    # Turns to train go round among addresses: nobody may write down another one.",
        "    http-request del-header X-Forwarded-For",
        "    option forwardfor",
        "    http-request set-header X-Forwarded-Proto " + ("https" if secure else "http"),
        f"    default_backend {BACKEND}",
    ]
    if secure:
        lines.append("    http-response set-header Strict-Transport-Security max-age=31536000")
    return [*lines, ""]


def _backend(replicas: Sequence[Replica], base: str) -> list[str]:
    start = f"/{base.strip('/')}" if base.strip("/") else ""
    lines = [
        f"backend {BACKEND}",
        "    balance leastconn",
        f"    option httpchk GET {start}/_stcore/health",
        "    http-check expect status 200",
        "    default-server check inter 1s fastinter 250ms fall 2 rise 1"
        " on-marked-down shutdown-sessions",
        f'    http-error status 503 content-type "text/plain; charset=utf-8" string "{_NOBODY}"'
        " hdr Retry-After 5",
        "    # A file to take home lies in the server that made it: who keeps no cookie may ask",
        "    # another one first. Nothing that says something is said twice.",
        f"    retries {max(2, len(replicas))}",
        "    option redispatch 1",
        "    retry-on conn-failure empty-response 404",
        f"    http-request disable-l7-retry unless METH_GET {{ path_beg {start}/media/ }}",
        "    # What is asked for leads to where it is.",
    ]
    lines += [
        f"    use-server {name} if {{ url_param({parameter}) -i -m beg {name}- }}"
        for parameter in ("room", "run")
        for name in (replica.name for replica in replicas)
    ]
    lines += [
        f"    use-server {each.name} if {{ path_beg -i {start}/room/{each.name}-"
        f" {start}/drawing/weights/run-{each.name}- }}"
        for each in replicas
    ]
    lines += [
        "    # Everybody else stays where they are; who opens a page leaves one that is drained.",
        "    acl opens req.hdr(accept) -m sub text/html",
    ]
    lines += [
        f"    use-server {each.name} if {known} !opens or {known}"
        f" {{ srv_weight({BACKEND}/{each.name}) gt 0 }}"
        for cookie in (COOKIE, FRAME_COOKIE)
        for each in replicas
        for known in (f"{{ req.cook({cookie}) -m str {each.name} }}",)
    ]
    lines += [f"    server {each.name} {each.address}" for each in replicas]
    return lines


def _quoted(path: str) -> str:
    """A path as one word of HAProxy's. Raises ``ValueError`` on what would be two lines."""
    if any(not letter.isprintable() or letter in "\"'\\" for letter in path):
        raise ValueError(f"path: {path!r} given; allowed is one without quotes and line breaks")
    return f'"{path}"' if " " in path or "#" in path else path
