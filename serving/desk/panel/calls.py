"""Calls of the demonstration: invented callers, invented places, no real person's data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Call:
    """One that rings at the mock desktop. spoken: piece by piece, as the form fills while the caller speaks."""

    id: str
    caller: str
    phone: str
    location: str
    spoken: tuple[str, ...]

    @property
    def begins(self) -> str:
        """With what it is shown in the list."""
        return self.spoken[0].rstrip("，。")


CALLS = (
    Call("D-2601", "陈女士", "13900000001", "梧桐里 3 栋 2 单元", (
        "我家卫生间的天花板一直在滴水，", "是楼上 502 漏下来的，", "找了物业三次都说协调不了，",
        "现在墙皮都泡掉了，电线也在那一面，我很担心。",
    )),
    Call("D-2602", "周先生", "13900000002", "青禾路与望江街路口", (
        "路口的红绿灯坏了，", "早高峰全堵在那里，", "刚才一辆电动车差点撞上学生，", "麻烦快点来人。",
    )),
    Call("D-2603", "匿名", "", "锦绣苑工地", (
        "工地昨天夜里两点还在打混凝土，", "孩子第二天要考试，", "打过一次电话，停了一晚又开始了。",
    )),
    Call("D-2604", "吴先生", "13900000004", "南岸工业园", (
        "我在园区一家厂做了四个月，", "老板欠我们十一个人的工资，", "说月底给，现在厂门都锁了，人也找不到。",
    )),
    Call("D-2605", "何女士", "13900000005", "杏花巷 17 号", (
        "我妈妈一个人住，", "今天打电话没有人接，敲门也不应，", "屋里有煤气味，邻居也闻到了。",
    )),
)  # fmt: skip
