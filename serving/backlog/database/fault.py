"""Faults of databases as people read them: what is wrong and where, without passwords and without what rows hold."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError

from nlp.errors import InputError

AWAY, LOGIN, RIGHT = "连不上", "用户名或口令不对，或者不许这个用户连", "没有权限"
LOCKED, FULL, READ_ONLY = "被别的程序锁着，等不到；稍后再试", "磁盘满了", "只能读，不能写"
MISSING, DATA, CONSTRAINT = "没有这个表或列", "数据放不进这一列（类型或长度不合）", "违反了表的约束"
SYNTAX, CLOSED, WIDE = "语句不对", "连接断了", "列太多或太宽，这种数据库放不下"
# PostgreSQL: the first characters of SQLSTATE (appendix A of its manual), the longest that fits counts.
# MySQL and MariaDB: # and the numbers of their error reference. SQLite: names of its result codes.
REASONS = {
    "08": AWAY, "28": LOGIN, "3D": "没有这个数据库", "42501": RIGHT, "42": SYNTAX, "42P01": MISSING, "42703": MISSING,
    "3F": "没有这个模式（schema）", "22": DATA, "23": CONSTRAINT, "25006": READ_ONLY, "53100": FULL,
    "53300": "连接太多", "54": WIDE, "55P03": LOCKED, "40": LOCKED, "57014": "被取消，或者超过了时限", "57": CLOSED,
    "#1044": LOGIN, "#1045": LOGIN, "#1698": LOGIN, "#1049": "没有这个数据库", "#1142": RIGHT, "#1143": RIGHT,
    "#1227": RIGHT,
    "#1370": RIGHT, "#1146": MISSING, "#1054": MISSING, "#1064": SYNTAX, "#2002": AWAY, "#2003": AWAY, "#2005": AWAY,
    "#2006": CLOSED, "#2013": CLOSED, "#1205": LOCKED, "#1213": LOCKED, "#1114": FULL, "#1021": FULL, "#1406": DATA,
    "#1264": DATA, "#1265": DATA, "#1292": DATA, "#1366": DATA, "#1048": CONSTRAINT, "#1062": CONSTRAINT,
    "#1451": CONSTRAINT, "#1452": CONSTRAINT, "#4025": CONSTRAINT, "#1290": READ_ONLY, "#1792": READ_ONLY,
    "#1836": READ_ONLY, "#1117": WIDE, "#1118": WIDE, "#1059": "名字太长",
    "SQLITE_BUSY": LOCKED, "SQLITE_LOCKED": LOCKED, "SQLITE_FULL": FULL, "SQLITE_READONLY": READ_ONLY,
    "SQLITE_CANTOPEN": "打不开这个文件", "SQLITE_NOTADB": "不是 SQLite 数据库", "SQLITE_CORRUPT": "文件已损坏",
    "SQLITE_CONSTRAINT": CONSTRAINT, "SQLITE_MISMATCH": DATA, "SQLITE_IOERR": "读写出错", "SQLITE_ERROR": SYNTAX,
    "SQLITE_TOOBIG": DATA,
}  # fmt: skip
QUOTED = frozenset({SYNTAX, MISSING, RIGHT})
"""Where the database's own message speaks of the statement alone, never of what a row holds."""


@contextmanager
def told(place: str) -> Iterator[None]:
    """Raise what a database says as an `InputError` that names the place."""
    try:
        yield
    except DBAPIError as error:
        raise InputError(place=place, reason=_reason(error)) from error
    except UnicodeDecodeError as error:
        raise InputError(place=place, reason=f"里面有不是 {error.encoding} 的文字") from error
    except SQLAlchemyError as error:
        raise InputError(place=place, reason=f"不能用（{type(error).__name__}）") from error


def code_of(error: DBAPIError) -> str:
    """The database's own code of an error: SQLSTATE, # and a number, or a result code's name; empty without one."""
    origin = error.orig
    state = getattr(origin, "sqlstate", None) or getattr(origin, "sqlite_errorname", None)
    number = origin.args[0] if origin is not None and origin.args else None
    return str(state) if state else f"#{number}" if isinstance(number, int) else ""


def _reason(error: DBAPIError) -> str:
    code = code_of(error)
    if not code and isinstance(error, OperationalError):  # PostgreSQL was never reached
        return f"{AWAY}（{_said(error)}）"
    ends = [len(code)] if code.startswith("#") else range(len(code), 1, -1)
    reason = next((REASONS[code[:end]] for end in ends if code[:end] in REASONS), "")
    if not reason:
        return f"数据库报错（{code or type(error.orig).__name__}）"
    return f"{reason}（{_said(error)}）" if reason in QUOTED else reason


def _said(error: DBAPIError) -> str:
    """The first line of the database's own message."""
    said = str(error.orig.args[-1]) if error.orig and error.orig.args else ""
    return said.strip().partition("\n")[0]
