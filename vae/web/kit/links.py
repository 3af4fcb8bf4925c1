"""Links for others: what a teacher copies must open on a student's machine."""

import ipaddress
import socket
from collections.abc import Mapping
from urllib.parse import urlencode, urlsplit

import streamlit as st

# An address of documentation (RFC 5737): a route to it is looked up, and nothing is sent.
_ELSEWHERE = ("192.0.2.1", 9)


def link_for_others(query: Mapping[str, str]) -> tuple[str, str]:
    """This page's address with ``query``, and a sentence on its host where one is needed.

    Who opened the app as localhost gets the machine's address in its network instead.
    """
    here = urlsplit((st.context.url or "").split("?")[0])
    host = host_for_others()
    note = ""
    if host:
        note = (
            "You opened the app as localhost, which is every reader's own machine. So the link "
            "has this machine's address in its network: it opens for who is in that network."
        )
    elif is_own_machine(here.hostname or ""):
        note = (
            "The link names localhost, which is every reader's own machine, and this server "
            "answers its own machine alone. Start it where others reach it, and open it there."
        )
    address = here._replace(netloc=host or here.netloc, fragment="").geturl()
    return address + (f"?{urlencode(query)}" if query else ""), note


def host_for_others() -> str:
    """The host (and port) to name to others where the app was opened as localhost; else empty."""
    here = urlsplit(st.context.url or "")
    if not is_own_machine(here.hostname or "") or is_own_machine(
        st.get_option("server.address") or ""
    ):
        return ""
    found = network_address()
    return found if not found or here.port is None else f"{found}:{here.port}"


def is_own_machine(host: str) -> bool:
    """Whether ``host`` is, on every machine, that machine itself."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def network_address() -> str:
    """This machine's address in its network; empty where it is in none."""
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect(_ELSEWHERE)
            found = str(probe.getsockname()[0])
    except OSError:
        return ""
    return "" if is_own_machine(found) else found
