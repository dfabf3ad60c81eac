"""The settings of the service, from `JIESU_*` variables; an unsafe start is refused."""

from __future__ import annotations

import ipaddress
import re
from datetime import datetime
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from nlp.errors import InputError

ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:[0-9]{1,5})?", re.ASCII)


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
    workers: int = Field(1, ge=1, le=64, description="几个进程一起答；两个核用 2")
    store: SecretStr = Field(
        SecretStr(""), description="存储：sqlite:///路径 或 postgresql://用户:口令@主机/库；不设则是主目录里的 store.db"
    )
    secret: SecretStr | None = Field(
        None, description="服务器的秘密，至少 32 字节：审计链、密钥都靠它；不设则在主目录里生成一个（多台须设成一样）"
    )
    insecure: bool = Field(False, description="不要密钥，只许在本机回环地址上")
    request_seconds: float = Field(30, gt=0, description="一次请求（收完并答复）最多几秒")
    max_requests: int = Field(256, ge=1, description="一个进程里同时在办的请求数；超过的请稍后再来（503）")
    hosts: list[str] = Field(
        [],
        description="只答发给这些主机名的请求（JSON 列表，不写端口），防 DNS 重绑定；"
        "不设则都答，--insecure 时只答 IP 地址和没有点的名字",
    )
    cors_origins: list[str] = Field([], description="允许网页跨域访问的来源（JSON 列表）；默认都不允许")
    webhooks: Path | None = Field(None, description="往外通知谁的 TOML 文件，见 docs/events.md")
    signed_apps: Path | None = Field(None, description="签名表单接口的应用清单（TOML），见 docs/adapters/signed.md")
    signalen_base: str = Field("", description="Signalen 接口里类别网址的前缀")
    oidc_issuer: str = Field("", description="OIDC 签发者的网址；设了就也认它签的令牌")
    oidc_audience: str = Field("jiesu", description="令牌的 aud 必须是它")
    oidc_jwks: str = Field("", description="签发者的公钥：JWKS 文件或网址")
    oidc_scope_claim: str = Field("scope", description="令牌里哪一项写着权限（jiesu:operator 等）")
    oidc_rate: str = Field("", description="每个令牌主体的速率上限，如 600/minute；不设则不限")
    oidc_client: str = Field("", description="网页单点登录用的 client_id；不设则网页只能用密钥登录")
    oidc_client_secret: SecretStr | None = Field(None, description="网页单点登录用的 client_secret；公开客户端不设")
    session_hours: float = Field(12, gt=0, le=168, description="网页登录几小时后须重新登录")
    panel_origins: list[str] = Field(
        [], description='允许嵌入坐席面板的来源（JSON 列表），如 ["https://12345.example"]'
    )
    otel_endpoint: str = Field("", description="OpenTelemetry 收集器的网址（OTLP/HTTP）；不设则不送")
    keep_days: int = Field(400, ge=1, description="决定、反馈、办理结果保留几天")
    keep_audit_days: int = Field(400, ge=184, description="审计保留几天；网络安全法要求不少于六个月")
    drift_limit: float = Field(0.25, gt=0, description="一周的类别分布或把握与训练时相差（PSI）超过它就发出事件")
    max_body: int = Field(16 * 1024 * 1024, ge=1024, description="一次请求体的最大字节数")
    max_upload: int = Field(
        1024 * 1024 * 1024, ge=1024, description="经 /v1/batches 上传的一个文件（含表单）最大字节数"
    )
    batches: Path | None = Field(
        None, description="上传的批次放在哪个文件夹；不设则是主目录里的 batches；多台一起办时须是共享的文件夹"
    )
    batch_workers: int = Field(1, ge=0, le=64, description="jiesu serve 旁边开几个进程办上传的批次；0 为不开")
    keep_batch_days: int = Field(7, ge=1, description="批次办完后，它的文件保留几天")
    keep_upload_days: int = Field(
        30, ge=1, description="数据台上传的工单（原文）保留几天；报告、要标的和标好的从最后一次改动算起"
    )
    tables: Path | None = Field(None, description="存量台可以改的数据库表（TOML），见 docs/databases.md")
    spark: str = Field(
        "",
        description="Spark 集群：local[2]、yarn、k8s://…、spark://… 或 sc://…（Spark Connect）；不设则随 spark-submit",
    )
    spark_slots: int = Field(0, ge=0, description="集群同时判几块；0 为问集群")
    spark_code: Literal["send", "installed"] = Field("send", description="代码随模型送去，还是集群上已装同一份")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="日志级别")

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (KeyError, ValueError, OSError) as error:
            raise ValueError(f"没有名为 {name} 的时区") from error
        return name

    @field_validator("panel_origins")
    @classmethod
    def _plain_origins(cls, origins: list[str]) -> list[str]:
        """They stand in a policy that browsers keep to: nothing but origins may."""
        wrong = next((origin for origin in origins if not ORIGIN.fullmatch(origin)), None)
        if wrong is not None:
            raise ValueError(f"{wrong} 不是来源：要写成 https://主机 或 https://主机:端口，后面什么也没有")
        plain = next((one for one in origins if one.startswith("http:") and not is_loopback(_host(one))), None)
        if plain is not None:  # whoever is on the network could be that desktop
            raise ValueError(f"{plain} 不加密，只许用于本机；请写 https://")
        return origins

    @property
    def store_url(self) -> str:
        """Where the store is."""
        return self.store.get_secret_value() or f"sqlite:///{self.home / 'store.db'}"

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


def _host(origin: str) -> str:
    return origin.partition("://")[2].partition(":")[0]


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a listening address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
