"""The settings of the service, from `JIESU_*` variables; an unsafe start is refused."""

from __future__ import annotations

import ipaddress
from datetime import datetime
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from nlp.errors import InputError

KEY_LENGTH = 32


class UnsafeStart(InputError):
    """拒绝启动：{reason}"""


class Settings(BaseSettings):
    """All that an office can set; each field is documented in docs/settings.md."""

    model_config = SettingsConfigDict(env_prefix="JIESU_", frozen=True, extra="ignore")

    home: Path = Field(Path("var"), description="主目录：默认模型与运行数据都在这里")
    model: Path | None = Field(None, description="模型文件夹；不设则用默认模型，没有就先训练一次")
    profile: str = Field("plain", description="请求没有指明时所用的治理体系（profile）")
    rules: Path | None = Field(None, description="本单位的规则文件夹：里面的文件先于自带的同名文件（nlp/rules）")
    rules_every: float = Field(5, ge=0, description="每隔几秒看规则文件有没有变，变了就整套换上；0 为不看")
    timezone: str = Field("Asia/Shanghai", description="没有时区的时间按此时区理解，答复也用它")
    host: str = Field("127.0.0.1", description="监听地址")
    port: int = Field(8000, ge=0, le=65535, description="监听端口")
    api_key: SecretStr | None = Field(None, description="访问密钥，至少 32 个字符；x-api-key 或 Bearer 头携带")
    insecure: bool = Field(False, description="不要密钥，只许在本机回环地址上")
    max_body: int = Field(16 * 1024 * 1024, ge=1024, description="一次请求体的最大字节数")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="日志级别")

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (KeyError, ValueError, OSError) as error:
            raise ValueError(f"没有名为 {name} 的时区") from error
        return name

    @property
    def zone(self) -> ZoneInfo:
        """The time zone of times without one."""
        return ZoneInfo(self.timezone)

    def now(self) -> datetime:
        """The present, in the office's time zone."""
        return datetime.now(self.zone)

    def check_start(self) -> None:
        """Raise `UnsafeStart` for a door that would stand open."""
        if self.insecure and not is_loopback(self.host):
            raise UnsafeStart(reason=f"--insecure 只许用在本机回环地址上，而监听地址是 {self.host}")
        if self.insecure:
            return
        if self.api_key is None:
            raise UnsafeStart(
                reason="没有访问密钥。请设置 JIESU_API_KEY（至少 32 个字符）；只在本机试用可加 --insecure"
            )
        if len(self.api_key.get_secret_value()) < KEY_LENGTH:
            raise UnsafeStart(reason=f"JIESU_API_KEY 太短，至少 {KEY_LENGTH} 个字符")


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a listening address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
