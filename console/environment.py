"""What the outside may set, read once from the environment and typed."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any, Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

ROOT = Path(__file__).resolve().parent.parent


class Environment(BaseSettings):
    """Every environment variable that the console knows; `docs/settings.md` explains each."""

    model_config = SettingsConfigDict(env_file=None, env_ignore_empty=True, extra="ignore")

    data_dir: Path = ROOT / "var"
    port: int = Field(default=8000, ge=1, le=65535)
    host: str = "127.0.0.1"
    public_url: str = ""
    database_url: str = ""
    broker_url: str = ""
    secret_key: str = ""
    sealing_keys: str = ""  # comma-separated Fernet keys, newest first
    allowed_hosts: str = "127.0.0.1,localhost,[::1]"
    trusted_origins: str = ""
    trusted_proxies: int = 0  # how many proxies of ours stand before the console
    debug: bool = False
    seed: Literal["scenario", "none"] = "scenario"
    allow_private_platforms: bool = True  # on-prem platforms live on private addresses
    allow_private_webhooks: bool = True
    platform_call_seconds: float = Field(default=20, gt=0, le=80)  # one call of a platform, however it dawdles
    platform_max_body_mb: float = Field(default=8, gt=0, le=64)  # of one answer
    email_url: str = ""  # smtp://, smtps://, file:, console:
    certificate_warning_days: str = Field(default="30,7,1", pattern=r"^\d{1,4}(,\d{1,4})*$")
    proposal_days: float = Field(default=14, gt=0, le=3650)
    proposal_reminder_hours: float = Field(default=48, ge=0, le=87600)  # before a proposal expires; 0: never
    quota_nodes: int = Field(default=20, ge=0)  # of a new resource space; 0: no limit
    quota_chains: int = Field(default=20, ge=0)
    log_level: str = "INFO"
    log_json: bool = False
    rate_registrations: str = "60/min"
    rate_tokens: str = "60/min"
    reconcile_minutes: int = Field(default=60, ge=0)  # 0: on demand only
    keep_log_days: int = Field(default=90, ge=0)  # 0 keeps all
    keep_idempotency_days: int = Field(default=30, ge=0)  # 0 keeps all
    evm_image_ethereum: str = "ethereum/client-go:v1.13.15"  # the last one that seals with several signers
    evm_image_quorum: str = "quorumengineering/quorum:22.7.4"
    evm_image_besu: str = "hyperledger/besu:24.10.0"
    evm_image_archives: str = ""  # a folder; none: archives of DATA_DIR/images
    evm_block_seconds: int = Field(default=2, ge=1, le=3600)
    evm_node_memory_mb: int = Field(default=1024, ge=0)
    evm_node_memory_mb_ethereum: int | None = Field(default=None, ge=0)  # none: as every kernel's
    evm_node_memory_mb_quorum: int | None = Field(default=None, ge=0)
    evm_node_memory_mb_besu: int | None = Field(default=None, ge=0)
    evm_node_cpus: float = Field(default=1.0, ge=0)
    evm_node_cpus_ethereum: float | None = Field(default=None, ge=0)
    evm_node_cpus_quorum: float | None = Field(default=None, ge=0)
    evm_node_cpus_besu: float | None = Field(default=None, ge=0)
    evm_p2p_port: int = Field(default=30303, ge=1024, le=50000)
    applications_dir: str = ""  # a folder with more applications for the warehouse
    applications_at_once: int = Field(default=2, ge=1, le=64)  # of this machine: scans and installations together
    applications_engine: str = ""  # unix:///path or tcp://host:port; none: no images as applications
    applications_engine_tls: str = ""  # a folder with ca.pem, cert.pem, key.pem; for tcp://
    applications_registry_auth: str = ""  # a file as `docker login` writes it
    evm_rpc_port: int = Field(default=8545, ge=1024, le=60000)

    def for_kernel(self, name: str, kernel: str) -> Any:
        """What is set for this kernel's nodes; else what is set for all."""
        own = getattr(self, f"{name}_{kernel}")
        return getattr(self, name) if own is None else own


def load_or_create(path: Path, make: object = None) -> str:
    """The secret in `path`; made and kept, readable by its owner only, when there is none yet."""
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        value = make() if callable(make) else secrets.token_urlsafe(48)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = path.with_suffix(f".{secrets.token_hex(4)}")
    temporary.touch(mode=0o600)
    temporary.write_text(value)
    try:
        path.hardlink_to(temporary)  # never over a file that another process made in the meantime
    except FileExistsError:
        value = path.read_text().strip()
    finally:
        temporary.unlink()
    return value
