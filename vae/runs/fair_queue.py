"""Who is next: a class behind one address waits in order, and no address takes turn after turn.

A browser has one place (the registry sees to it). An address may have many browsers, made up ones
among them, so turns go round among addresses; within one, first come is first served.
"""

import heapq
import ipaddress
from collections import OrderedDict

# Of an address that had a turn longer ago than this many others, nothing is remembered.
_TURNS_KEPT = 1000
# Whoever has an IPv6 address has all that begin alike.
_PREFIX_BITS = 64


class FairQueue:
    """Runs that wait, each of an address (empty: unknown, which counts as one address)."""

    def __init__(self) -> None:
        self._waiting: dict[str, str] = {}
        self._turns: OrderedDict[str, int] = OrderedDict()
        self._served = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def __contains__(self, run_id: object) -> bool:
        return run_id in self._waiting

    def has_room(self, address: str, room: int, elsewhere: int = 0) -> bool:
        """Whether a run of ``address`` may wait, too, in a queue of ``room`` places, of which runs
        of other servers take ``elsewhere``.

        As many places again are for addresses of which none waits: nobody fills the queue alone.
        """
        taken, place = len(self._waiting) + elsewhere, _place(address)
        newcomer = place != "" and place not in self._waiting.values()
        return taken < (2 * room if newcomer else room)

    def add(self, run_id: str, address: str) -> None:
        self._waiting[run_id] = _place(address)

    def remove(self, run_id: str) -> None:
        del self._waiting[run_id]

    def take(self) -> str:
        """The run whose turn it is. Raises ``IndexError`` when none waits."""
        run_id = self.order()[0]
        address = self._waiting.pop(run_id)
        self._turns[address] = self._served
        self._turns.move_to_end(address)
        self._served += 1
        if len(self._turns) > _TURNS_KEPT:
            self._turns.popitem(last=False)
        return run_id

    def order(self) -> list[str]:
        """The runs in the order of their turns, if nobody comes or goes."""
        lines: dict[str, list[tuple[int, str]]] = {}
        for arrival, (run_id, address) in enumerate(self._waiting.items()):
            lines.setdefault(address, []).append((arrival, run_id))
        # The address served longest ago comes first, one never served before all; then the oldest.
        heads = [(self._turns.get(address, -1), *line[0]) for address, line in lines.items()]
        heapq.heapify(heads)
        order: list[str] = []
        while heads:
            _, _, run_id = heapq.heappop(heads)
            order.append(run_id)
            line = lines[self._waiting[run_id]]
            del line[0]
            if line:
                heapq.heappush(heads, (self._served + len(order), *line[0]))
        return order


def _place(address: str) -> str:
    """What counts as one address; what is none, as what it is."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(ip, ipaddress.IPv4Address):
        return str(ip)
    return str(ip.ipv4_mapped or ipaddress.ip_network((ip, _PREFIX_BITS), strict=False))
