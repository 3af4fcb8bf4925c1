"""``python -m vae serve``: several servers behind a proxy, with one address."""

import argparse
import sys
from pathlib import Path

from vae.serve.proxy import Front, Replica, configuration, local_replicas
from vae.serve.supervisor import DRAIN_SECONDS

DONE, FAILED, BAD_USE = 0, 1, 2
ABOUT = """\
Start several servers and HAProxy before them, with one address. A visitor stays on one server; a
link to a run or a room leads to the server that has it. All share one folder of runs and one line
to train. SIGTERM or Ctrl-C end all in order: runs are saved. --update starts one server after
another anew: its visitors may stay until they leave, or until --drain-seconds are over."""
MOST = 64


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument(
        "--replicas", type=_count, default=2, metavar="N", help=f"servers, 1 to {MOST}; default: 2"
    )
    parser.add_argument("--address", default="", metavar="HOST", help="default: every address")
    parser.add_argument("--port", type=_port, default=8501, help="default: 8501")
    parser.add_argument(
        "--first-port",
        type=_port,
        default=8601,
        metavar="PORT",
        help="of the servers' own ports on the loopback address; default: 8601",
    )
    parser.add_argument(
        "--certificate", default="", metavar="FILE", help="certificate and key, PEM: answer https"
    )
    parser.add_argument(
        "--base", default="", metavar="PATH", help="the path below which the app lives"
    )
    parser.add_argument(
        "--drain-seconds",
        type=float,
        default=DRAIN_SECONDS,
        metavar="S",
        help=f"patience for visitors at an update; default: {DRAIN_SECONDS:g}",
    )
    parser.add_argument(
        "--server",
        action="append",
        default=[],
        metavar="NAME=HOST:PORT",
        help="with --print-config: a server that you run yourself, with VAE_SERVER_NAME=NAME",
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "--print-config", action="store_true", help="print HAProxy's configuration, and end"
    )
    what.add_argument(
        "--update", action="store_true", help="have the servers on this port started anew"
    )


def run(options: argparse.Namespace) -> int:
    """Serve, print or update; returns the exit status."""
    try:
        replicas = tuple(map(_server, options.server)) or local_replicas(
            options.replicas, options.first_port
        )
        front = Front(f"{options.address}:{options.port}", options.certificate, "", options.base)
        if options.print_config:
            print(configuration(replicas, front), end="")
            return DONE
        if options.server:
            raise ValueError("--server: given without --print-config; started are --replicas")
        if not 0 <= options.drain_seconds <= 24 * 3600:
            raise ValueError(
                f"--drain-seconds: {options.drain_seconds:g} given; allowed is 0 to 86400"
            )
        if front.certificate and not Path(front.certificate).is_file():
            raise ValueError(f"--certificate: {front.certificate} given; there is no such file")
    except ValueError as error:
        return _complain(error, BAD_USE)
    return _serve(options, replicas, front)


def _serve(options: argparse.Namespace, replicas: tuple[Replica, ...], front: Front) -> int:
    # What starts processes is for systems that have signals.
    from vae.serve.shell import Plan, ServeError, serve, update

    try:
        if options.update:
            update(str(options.port))
            return DONE
        return serve(Plan(replicas, front, options.drain_seconds), str(options.port))
    except ServeError as error:
        return _complain(error, FAILED)


def _complain(error: object, code: int) -> int:
    print(f"python -m vae serve: {error}", file=sys.stderr)
    return code


def _server(text: str) -> Replica:
    name, equals, address = text.partition("=")
    if not equals:
        raise ValueError(f"--server: {text!r} given; allowed is NAME=HOST:PORT")
    return Replica(name, address)


def _count(text: str) -> int:
    return _whole(text, MOST)


def _port(text: str) -> int:
    return _whole(text, 65_535)


def _whole(text: str, most: int) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= most:
        raise argparse.ArgumentTypeError(f"{text!r} given; allowed is 1 to {most}")
    return int(text)
