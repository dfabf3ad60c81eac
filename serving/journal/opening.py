"""Opening the journal of an office for a command: its store, brought up to date, and its secret."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from serving.audit.chain import Chain
from serving.journal.journal import Journal
from serving.secret import open_secret
from serving.settings import Settings
from serving.store.engine import open_engine
from serving.store.schema import migrate


@contextmanager
def opened_journal(settings: Settings) -> Iterator[Journal]:
    """A journal while a command runs, closed afterwards with all of its writes on disk.

    Raises `InputError` for a store or a secret that cannot be used, `StoreDown` for a store that is away.
    """
    chain = Chain(open_secret(settings))
    engine = open_engine(settings.store_url)
    try:
        migrate(engine)
    except BaseException:
        engine.dispose()
        raise
    journal = Journal(engine, chain)
    try:
        yield journal
    finally:
        journal.close()
