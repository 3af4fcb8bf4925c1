"""Ways into the server that no page uses are closed, and what a browser sends is bounded."""

import asyncio
import http.client
from urllib.parse import urlsplit

import pytest
from appserver import Server
from benchmarks.client import Session
from streamlit.proto.BackMsg_pb2 import BackMsg

from vae.web.gate import LONGEST_MESSAGE

PAGES = ["", "derivation", "bias", "your_loss", "train", "teach"]


# A server that refuses by the headers alone may hang up before it has read the body.
HUNG_UP = 0


def ask(app: Server, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection(urlsplit(app.url).netloc, timeout=20)
    try:
        connection.request(method, path, body or None, headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    except (BrokenPipeError, ConnectionResetError):
        return HUNG_UP, ""
    finally:
        connection.close()


def upload_form(size: int) -> tuple[bytes, dict[str, str]]:
    head = b'--b\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n'
    return head + bytes(size) + b"\r\n--b--\r\n", {
        "Content-Type": "multipart/form-data; boundary=b"
    }


def test_no_file_is_taken_even_from_a_visitor_with_every_right(app: Server):
    # What the page's own script would send: a living session and the cross-site token.
    async def upload() -> tuple[list[int], int]:
        session = await Session(app.url).open()
        held = app.process.memory_info().rss
        body, headers = upload_form(900_000)
        token = "2|00000000|00000000000000000000000000000000|1"
        headers |= {"X-Xsrftoken": token, "Cookie": f"_streamlit_xsrf={token}"}
        statuses = [
            ask(app, "PUT", f"/_stcore/upload_file/{session.session_id}/{n}", body, **headers)[0]
            for n in range(20)
        ]
        await session.close()
        return statuses, app.process.memory_info().rss - held

    statuses, grown = asyncio.run(upload())
    assert set(statuses) <= {404, HUNG_UP}
    # Of 18 MB.
    assert grown < 10 * 2**20


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "/_stcore/upload_file/a/b"),
        ("DELETE", "/_stcore/upload_file/a/b"),
        ("GET", "/_stcore/upload_file/a/b"),
        ("PUT", "/_stcore//upload_file/a/b"),
        ("POST", "/"),
        ("POST", "/train"),
        ("GET", "/_stcore/metrics"),
        ("GET", "/_stcore/agent/openapi.json"),
        ("POST", "/_stcore/agent/mcp"),
        ("GET", "/component/a/index.html"),
        ("GET", "/auth/login"),
        ("GET", "/oauth2callback"),
    ],
)
def test_what_no_page_asks_for_is_not_there(app: Server, method: str, path: str):
    assert ask(app, method, path)[0] == 404


@pytest.mark.parametrize("path", PAGES)
def test_every_page_is_there_with_its_policy(app: Server, path: str):
    connection = http.client.HTTPConnection(urlsplit(app.url).netloc, timeout=20)
    browser = {"Accept": "text/html,*/*;q=0.8", "Accept-Encoding": "gzip, deflate"}
    connection.request("GET", f"/{path}", headers=browser)
    answer = connection.getresponse()
    assert answer.status == 200
    page = answer.read()
    assert b"<title>" in page
    # The page in the browser is told where its server is, and asks nowhere else.
    assert page.count(b"BACKEND_BASE_URL") == 1
    assert int(answer.headers["Content-Length"]) == len(page)
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    # No source of another host, whatever text gets onto a page.
    assert "http" not in policy
    assert "*" not in policy


def many_states(count: int) -> bytes:
    message = BackMsg()
    for number in range(count):
        state = message.rerun_script.widget_states.widgets.add()
        state.id, state.bool_value = f"{number}", True
    return message.SerializeToString()


@pytest.mark.parametrize("kind", ["one long text", "many states", "no message"])
def test_a_long_message_ends_its_own_connection_and_no_other(app: Server, kind: str):
    if kind == "one long text":
        message = BackMsg()
        message.rerun_script.query_string = "a" * 900_000
        data = message.SerializeToString()
    else:
        data = many_states(50_000) if kind == "many states" else bytes(900_000)

    async def send() -> tuple[int, str]:
        flooder = await Session(app.url).open()
        other = await Session(app.url).open()
        await flooder.send(data)
        code = await flooder.closed()
        await other.rerun()
        await other.close()
        return code, other.texts()

    code, texts = asyncio.run(send())
    assert code == 1009
    assert texts


@pytest.mark.parametrize("path", PAGES)
def test_what_a_page_sends_is_far_below_the_bound(app: Server, path: str):
    async def longest() -> int:
        session = await Session(app.url, path).open()
        await session.rerun()
        await session.close()
        return session.counts.longest_sent

    assert asyncio.run(longest()) < LONGEST_MESSAGE / 4
