"""The one tree of errors: an error's docstring is its message, its fields fill the braces."""

from __future__ import annotations

import inspect


class JiesuError(Exception):
    """出现错误：{reason}"""

    exit_code = 1

    def __init__(self, **fields: object) -> None:
        self.fields = fields
        super().__init__(inspect.cleandoc(type(self).__doc__ or "").format(**fields))


class InputError(JiesuError):
    """{place}：{reason}"""

    exit_code = 2
    path = ""  # the field of a request that is to blame, where there is one


class UnknownProfile(InputError):
    """没有名为“{name}”的治理体系（profile），可用：{known}"""

    path = "profile"


class RefusedData(JiesuError):
    """规则文件 {file} 不能使用：{reason}"""

    exit_code = 2


class RefusedModel(JiesuError):
    """模型 {folder} 不能使用：{reason}"""

    exit_code = 2
