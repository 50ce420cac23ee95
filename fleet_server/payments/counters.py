"""Which provider an order goes to: by channel, by the first digits of a scanned code, by payee."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence

import httpx

from fleet_server.payments.providers.accounts import Accounts, Collector, account_for, read_accounts, understood
from fleet_server.payments.providers.alipay import Alipay
from fleet_server.payments.providers.card_devices import CardDevices
from fleet_server.payments.providers.non_tax import NonTax
from fleet_server.payments.providers.protocol import Provider
from fleet_server.payments.providers.wechat import WeChatPay
from fleet_server.problems import ProblemError
from fleet_server.settings import Settings
from kiosk.contracts.errors import SettingsInvalid
from kiosk.contracts.payments import CURRENCY, OrderRequest

CONSOLE_SECONDS = 5.0
LOOK_AGAIN_SECONDS = 5.0
SCANNED = {
    **dict.fromkeys(("10", "11", "12", "13", "14", "15"), "wechat"),
    **dict.fromkeys(("25", "26", "27", "28", "29", "30"), "alipay"),
}
"""First two digits of the citizen's code → whose it is."""

log = logging.getLogger(__name__)

Open = Alipay | WeChatPay | NonTax | CardDevices


class Counters:
    """The open accounts. With the sandbox city they are fetched there, again until it is up."""

    def __init__(self, fetch: Callable[[], Accounts | None]) -> None:
        self._fetch = fetch
        self._lock = threading.Lock()
        self._accounts: Accounts | None = None
        self._providers: dict[tuple[str, str], Open] = {}
        self._look_at = 0.0

    def open(self) -> None:
        """Blocking; does nothing once the accounts are known, and not more often than every few seconds."""
        with self._lock:
            if self._accounts is not None or time.monotonic() < self._look_at:
                return
            self._look_at = time.monotonic() + LOOK_AGAIN_SECONDS
            accounts = self._fetch()
            if accounts is None:
                return
            made: list[Open] = [Alipay(account) for account in accounts.alipay]
            made += [WeChatPay(account) for account in accounts.wechat]
            made += [NonTax(account) for account in accounts.non_tax]
            made += [CardDevices(account) for account in accounts.bank_card]
            self._providers = {(provider.channel, provider.account): provider for provider in made}
            self._accounts = accounts

    def of(self, channel: str, account: str) -> Provider:
        """Raises 503 `not_offered` when the account is no longer configured."""
        found = self._providers.get((channel, account))
        if found is None:
            raise ProblemError(503, "not_offered", "this way of paying is not set up")
        return found

    def for_order(self, asked: OrderRequest) -> Provider:
        """Raises 422 `not_offered`, `payer_code_wrong`, `currency`."""
        if asked.currency != CURRENCY:
            raise ProblemError(422, "currency", "only CNY is collected")
        channel = asked.channel or (SCANNED.get(asked.payer_code[:2]) if asked.payer_code else "alipay")
        if channel is None:
            raise ProblemError(422, "payer_code_wrong", "this is no payment code of Alipay or WeChat Pay")
        accounts: Sequence[Collector] = getattr(self._accounts, channel, ())
        account = account_for(accounts, asked.payee)
        if account is None:
            raise ProblemError(422, "not_offered", "this way of paying is not set up for this payee")
        return self.of(channel, account.id)

    def channels(self) -> tuple[str, ...]:
        """Those that can be paid by now: set up, and not just failed."""
        return tuple(dict.fromkeys(each.channel for each in self._providers.values() if each.line.is_up))

    def with_files(self) -> tuple[Provider, ...]:
        """Those whose days can be compared."""
        found = self._providers.values()
        return tuple(each for each in found if not isinstance(each, CardDevices) or each.has_files)


def counters_of(settings: Settings) -> Counters:
    """Raises `SettingsInvalid` at once when the configuration file is not in order."""
    if settings.payments is not None:
        accounts = read_accounts(settings.payments, is_development=settings.is_development)
        return Counters(lambda: accounts)
    if settings.is_development and settings.sandbox_url:
        address = settings.sandbox_url
        return Counters(lambda: _from_sandbox(address))
    return Counters(Accounts)


def _from_sandbox(address: str) -> Accounts | None:
    try:
        answer = httpx.get(f"{address.rstrip('/')}/payments/console", timeout=CONSOLE_SECONDS, trust_env=False)
        return understood(answer.raise_for_status().json(), is_development=True)
    except (httpx.HTTPError, ValueError, SettingsInvalid) as error:
        log.warning("the sandbox's payment providers cannot be reached: %s", type(error).__name__)
        return None
