"""Who may ask the live page, and what it answers."""

import http.client
import json
import threading

import pytest

from tokforge import Tokenizer
from tokforge.errors import ConfigError, InputError, TokenIdError
from tokforge.metrics.vocabulary import Vocabulary
from tokforge.report.live import encoded, merge_tree
from tokforge.report.server import MAX_BODY_BYTES, Server
from tokforge.tokenizer import Pipeline, initial_bytes


def make(**more):
    tokens = [*initial_bytes(), b"he", b"hel", b"hell"]
    ids = {token: at for at, token in enumerate(tokens)}
    merges = [(ids[b"h"], ids[b"e"], 256), (256, ids[b"l"], 257), (257, ids[b"l"], 258)]
    return Tokenizer.from_parts(tokens, merges, pipeline=more.get("pipeline", Pipeline("text", ("gpt2",))))


@pytest.fixture(scope="module")
def server():
    made = Server({"a": make()})
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield made
    made.shutdown()
    thread.join()
    made.server_close()


def ask(server, method, path, body=b"", **headers):
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)
    connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer, content


def test_it_listens_on_the_loopback_alone(server):
    assert server.server_address[0] == "127.0.0.1"


def test_the_page_needs_the_secret(server):
    path = server.url.split(str(server.server_port))[1]
    answer, content = ask(server, "GET", path)
    assert (answer.status, server.secret.encode() in content) == (200, True)
    for wrong in ("/", "/?token=", "/?token=x", "/?token=%C3%A9"):
        answer, content = ask(server, "GET", wrong)
        assert (answer.status, content) == (403, b"refused\n")


def test_an_answer_is_not_for_other_origins(server):
    answer, _ = ask(server, "POST", "/encode?tokenizer=0", b"hello", X_Tokforge_Token=server.secret)
    assert answer.status == 200
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 403),
        ({"X_Tokforge_Token": "wrong"}, 403),
        ({"X_Tokforge_Token": "SECRET", "Origin": "http://evil.example"}, 403),
        ({"X_Tokforge_Token": "SECRET", "Host": "evil.example"}, 403),
        ({"X_Tokforge_Token": "SECRET", "Content_Length": str(MAX_BODY_BYTES + 1)}, 413),
        ({"X_Tokforge_Token": "SECRET", "Content_Length": "-1"}, 413),
        ({"X_Tokforge_Token": "SECRET", "Content_Length": "9" * 5000}, 413),
    ],
)
def test_others_are_refused(server, headers, status):
    headers = {name: value.replace("SECRET", server.secret) for name, value in headers.items()}
    answer, content = ask(server, "POST", "/encode?tokenizer=0", b"hello", **headers)
    assert (answer.status, content) == (status, b"refused\n")


@pytest.mark.parametrize(
    "path", ["/encode?tokenizer=1", "/encode", "/tree?tokenizer=0&id=x", "/tree?tokenizer=0&id=999999"]
)
def test_a_wrong_question_is_a_typed_error(server, path):
    answer, content = ask(server, "POST", path, X_Tokforge_Token=server.secret)
    assert answer.status == 400
    assert set(json.loads(content)["error"]) == {"code", "message", "where", "hint"}


def test_it_answers_what_the_library_gives(server):
    answer, content = ask(
        server, "POST", "/encode?tokenizer=0", "hellé\x00".encode(), X_Tokforge_Token=server.secret
    )
    found = json.loads(content)
    assert answer.status == 200
    assert found["ids"] == make().encode("hellé\x00").tolist()
    assert found["starts"] == [0, 4, 5, 6]


def test_changed_text_comes_with_its_bytes():
    many = encoded(make(), b"x" * 5000)
    assert (many["tokens"], len(many["ids"]), len(many["starts"]), many["end"]) == (5000, 4000, 4000, 4000)
    found = encoded(make(pipeline=Pipeline("text", (), ("NFC",))), "e\u0301".encode())
    assert (found["starts"], found["bytes"]) == ([0, 1], "w6k=")


def test_a_merge_tree():
    tree = merge_tree(Vocabulary("a", make()), 258)
    assert (tree["text"], tree["rank"]) == ("hell", 2)
    assert [part["text"] for part in tree["parts"]] == ["hel", "l"]
    assert tree["parts"][0]["parts"][0]["rank"] == 0
    with pytest.raises(TokenIdError):
        merge_tree(Vocabulary("a", make()), 259)


def test_ports_are_checked(server):
    with pytest.raises(ConfigError, match="65535"):
        Server({"a": make()}, 70000)
    with pytest.raises(InputError, match="cannot be used"):
        Server({"a": make()}, server.server_port)
    with pytest.raises(ConfigError, match="no tokenizer"):
        Server({})
