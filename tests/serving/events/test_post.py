"""One attempt goes to the address that was checked, waits no longer than it may, and reads no more than it must."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from serving.events.post import READ, Post, Reply, Resolve, seconds_of
from serving.events.reach import resolve as usual
from serving.events.signature import key_of, verify
from serving.events.targets import Target, Targets
from tests.serving.events.conftest import NOW, SECRET, Answer, Receiver, here, target

HOST = "hooks.example.cn"
AT = NOW.timestamp()


def sent(targets: Targets, resolve: Resolve = usual, patience: float = 5.0) -> Reply:
    async def send() -> Reply:
        post = Post(targets, resolve, patience)
        try:
            return await post.send(targets.target[0], "01J", b'{"a":1}', AT)
        finally:
            await post.close()

    return asyncio.run(send())


def test_a_receiver_can_verify_what_it_gets(receiver: Receiver) -> None:
    reply = sent(here(target(receiver.url + "?x=%E7%83%AD")))
    [got] = receiver.got
    assert (reply.status, reply.accepted, reply.error) == (204, True, "")
    verify(key_of(SECRET), got.headers, got.body, AT)
    assert got.path == "/hook?x=%E7%83%AD"
    assert got.body == b'{"a":1}'
    assert got.headers["webhook-id"] == "01J"
    assert got.headers["content-type"] == "application/cloudevents+json; charset=utf-8"
    assert got.headers["host"] == f"127.0.0.1:{receiver.port}"


def test_a_name_is_looked_up_once_and_the_checked_address_is_used(receiver: Receiver) -> None:
    answers = [["127.0.0.1"], ["127.0.0.2"]]
    asked: list[tuple[str, int]] = []

    def resolve(host: str, port: int) -> list[str]:
        asked.append((host, port))
        return answers.pop(0)

    there = Targets(allow=("127.0.0.1",), target=(target(f"http://{HOST}:{receiver.port}/hook"),))
    assert sent(there, resolve).accepted
    assert asked == [(HOST, receiver.port)]
    assert receiver.got[0].headers["host"] == f"{HOST}:{receiver.port}"
    assert "127.0.0.2" in sent(there, resolve).error  # what the name stands for now, nobody has allowed
    assert len(receiver.got) == 1


def test_a_name_that_turns_inward_is_not_followed(receiver: Receiver) -> None:
    there = Targets(allow=(HOST,), target=(target(f"http://{HOST}:{receiver.port}/hook"),))
    reply = sent(there, lambda *_: ["127.0.0.1"])
    assert "不许连" in reply.error
    assert (reply.status, receiver.got) == (0, [])


@pytest.mark.parametrize("host", ["2130706433", "0x7f.0.0.1", "127.1", "[::ffff:127.0.0.1]", "localhost"])
def test_other_writings_of_this_machine_are_not_reached_either(receiver: Receiver, host: str) -> None:
    there = Targets(allow=("10.0.0.0/8", HOST), target=(target(f"http://{host}:{receiver.port}/hook"),))
    assert "不许连" in sent(there).error
    assert receiver.got == []


def test_the_next_address_is_tried_where_nobody_listens(receiver: Receiver) -> None:
    there = Targets(allow=("127.0.0.0/8",), target=(target(f"http://{HOST}:{receiver.port}/hook"),))
    assert sent(there, lambda *_: ["127.0.0.9", "127.0.0.1"]).accepted


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(receiver: Receiver, other: Receiver, status: int) -> None:
    receiver.answers.append(Answer(status, {"location": other.url}))
    reply = sent(here(target(receiver.url)))
    assert (reply.status, reply.accepted, reply.error) == (status, False, f"HTTP {status}")
    assert other.got == []


def test_of_an_endless_answer_little_is_read(receiver: Receiver) -> None:
    receiver.answers.append(Answer(200, body=b"x" * 500, endless=True))
    reply = sent(here(target(receiver.url)))
    assert reply.accepted
    assert reply.body == b"x" * READ


def test_an_answer_that_takes_for_ever_is_not_waited_for(receiver: Receiver) -> None:
    receiver.answers.append(Answer(hangs=True))
    begun = time.monotonic()
    reply = sent(here(target(receiver.url)), patience=0.3)
    assert (reply.status, reply.error) == (0, "超时（0.3 秒）")
    assert time.monotonic() - begun < 3


def test_a_status_is_an_answer_even_where_its_body_takes_for_ever(receiver: Receiver) -> None:
    receiver.answers.append(Answer(200, body=b"x", endless=True))
    begun = time.monotonic()
    assert sent(here(target(receiver.url))).accepted
    assert time.monotonic() - begun < 4


def test_a_name_that_takes_for_ever_to_look_up_is_not_waited_for(receiver: Receiver) -> None:
    def resolve(*_: object) -> list[str]:
        time.sleep(1)
        return ["127.0.0.1"]

    begun = time.monotonic()
    assert "超时" in sent(here(target(receiver.url)), resolve, patience=0.1).error
    assert time.monotonic() - begun < 3


def test_whatever_goes_wrong_is_told_and_nothing_raised(receiver: Receiver) -> None:
    def lost(*_: object) -> list[str]:
        raise socket.gaierror(-2, "Name or service\nnot known\0")

    url = receiver.url
    receiver.close()
    assert "Name or service not known" in sent(here(target(url)), lost).error
    assert sent(here(target(url))).error.startswith("连不上：ConnectError")
    assert sent(here(target(url)), lambda *_: ["no address"]).error.startswith("连不上：ValueError")
    assert sent(here(target(url)), lambda *_: []).error
    receiver.closed.set()


def test_a_url_is_not_logged_for_it_may_hold_a_key(receiver: Receiver, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    assert sent(here(target(receiver.url + "?key=geheim"))).accepted
    assert "geheim" not in caplog.text


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        ("", 0),
        ("7", 7),
        ("0", 0),
        ("9" * 400, 999999999),
        ("-5", 0),
        ("１", 0),
        ("soon", 0),
        ("Mon, 23 Nov 2026 01:13:03 GMT", 60),
        ("Mon, 23 Nov 2026 01:00:00 GMT", 0),
        ("Mon, 99 Nov 99999 01:00:00 GMT", 0),
    ],
)
def test_when_to_come_back_is_read_as_it_may_be_written(told: str, seconds: float) -> None:
    assert seconds_of(told, AT) == seconds


def certificate(folder: Path) -> Path:
    """A certificate for the host, and its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "office")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime.now(UTC) - timedelta(days=1))
        .not_valid_after(datetime.now(UTC) + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / "host.pem"
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + secret)
    return path


def test_a_certificate_is_checked_by_the_name_of_the_host(receiver: Receiver, tmp_path: Path) -> None:
    pem = certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    receiver.server.socket = context.wrap_socket(receiver.server.socket, server_side=True)

    def told(host: str, ca: Path | None) -> Reply:
        url = f"https://{host}:{receiver.port}/hook"
        there = Targets(allow=("127.0.0.1",), target=(Target(name="a", url=url, secret=SECRET, types=("*",), ca=ca),))
        return sent(there, lambda *_: ["127.0.0.1"])

    assert told(HOST, pem).accepted
    assert receiver.got[0].headers["host"] == f"{HOST}:{receiver.port}"
    assert "CERTIFICATE_VERIFY_FAILED" in told("other.example.cn", pem).error
    assert "CERTIFICATE_VERIFY_FAILED" in told(HOST, None).error
    assert len(receiver.got) == 1
