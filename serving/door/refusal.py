"""Refusals: answers that need no thought, made once as problem details and sent as they are."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus

import orjson
from starlette.types import Message, Send

from serving.schema import Problem

DETAILS = {
    400: "读不懂这个请求：不是合格的 HTTP",
    408: "请求没有在限定的时间里发完",
    414: "请求的地址太长",
    421: "这里不是请求所要的那个主机",
    431: "请求头太大或太多",
    500: "服务内部出错，详情见日志",
    503: "服务正忙，请稍后再试",
    504: "没有在限定的时间里办完",
}
CLOSING = frozenset({400, 408, 414, 431})  # after these nothing that follows on the connection could be read
AGAIN = frozenset({503})
# What every answer says to a browser; see serving/door/headers.py for the rest.
SAFE = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
)


@dataclass(frozen=True)
class Refusal:
    """One answer, for a connection (`wire`: the bytes of a whole response that ends it) and for ASGI."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes

    @property
    def wire(self) -> bytes:
        """The response as it goes over the connection, which is closed after it."""
        first = f"HTTP/1.1 {self.status} {HTTPStatus(self.status).phrase}\r\n".encode()
        closing = () if self.status in CLOSING else ((b"connection", b"close"),)
        lines = b"".join(name + b": " + value + b"\r\n" for name, value in (*self.headers, *SAFE, *closing))
        return first + lines + b"\r\n" + self.body

    async def answer(self, send: Send) -> None:
        """Send it as the response to a request."""
        start: Message = {"type": "http.response.start", "status": self.status, "headers": list(self.headers)}
        await send(start)
        await send({"type": "http.response.body", "body": self.body})


def refusal(status: int) -> Refusal:
    """The refusal of a status of `DETAILS`."""
    body = orjson.dumps(Problem(title=HTTPStatus(status).phrase, status=status, detail=DETAILS[status]).model_dump())
    headers = [(b"content-type", b"application/problem+json"), (b"content-length", str(len(body)).encode())]
    if status in AGAIN:
        headers.append((b"retry-after", b"1"))
    if status in CLOSING:
        headers.append((b"connection", b"close"))
    return Refusal(status, tuple(headers), body)


REFUSALS = {status: refusal(status) for status in DETAILS}
