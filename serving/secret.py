"""The server's secret: signs the audit, hashes keys and callers' numbers, seals what may quote a request."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from pathlib import Path

from nlp.errors import InputError
from serving.settings import Settings

FILE = "secret"
LEAST = 32  # bytes


def open_secret(settings: Settings) -> bytes:
    """The secret of the settings, or that of the home, made once; raises `InputError` for one that is too short."""
    if settings.secret is not None:
        secret = settings.secret.get_secret_value().encode()
        if len(secret) < LEAST:
            raise InputError(place="设置 JIESU_SECRET", reason=f"太短，至少 {LEAST} 个字节")
        return secret
    return _kept(settings.home / FILE)


def keyed(secret: bytes, purpose: str, text: str) -> str:
    """A hash that nobody can make without the secret, and that is another one for every purpose."""
    return hmac.digest(hmac.digest(secret, purpose.encode(), "sha256"), text.encode(), hashlib.sha256).hex()


def _kept(path: Path) -> bytes:
    """The secret in a file that only its owner may read; made whole, so that two first starts agree."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{FILE}-{secrets.token_hex(8)}")
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as out:
            out.write(secrets.token_hex(LEAST))
        try:
            os.link(draft, path)
        except FileExistsError:
            pass  # another process was first: its secret counts
        finally:
            draft.unlink()
    secret = path.read_text(encoding="ascii").strip().encode()
    if len(secret) < LEAST:
        raise InputError(place=path, reason=f"太短，至少 {LEAST} 个字节；换了它，旧密钥和审计链都验不了")
    return secret
