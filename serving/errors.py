"""Errors that HTTP has a status of its own for; `serving.problems` says which."""

from __future__ import annotations

from nlp.errors import InputError


class Malformed(InputError):
    """请求缺少必需的部分，或写法不对：{reason}"""


class Missing(InputError):
    """没有所指的东西：{reason}"""


class Clash(InputError):
    """与正在办理的另一个请求相冲突：{reason}"""
