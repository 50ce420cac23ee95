"""The providers' daily files, each in its own form, as rows that can be compared. Raises `Unreachable` `garbled`.

Read are only numbers and amounts; the payer's columns are passed over.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterator

from fleet_server.payments.providers.protocol import BillRow, Unreachable, fen_of

MAXIMUM_UNPACKED = 64 * 1024 * 1024


def read_alipay(content: bytes) -> tuple[BillRow, ...]:
    """A zip with CSV in GB 18030: `#` lines around a table; the file of details, not the sums."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            inside = [entry for entry in packed.infolist() if "汇总" not in entry.filename]
            if len(inside) != 1 or inside[0].file_size > MAXIMUM_UNPACKED:
                raise Unreachable("garbled", "Alipay's daily file is not one file of details")
            text = packed.read(inside[0]).decode("gb18030")
        rows = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
        return tuple(_alipay_row(row) for row in _table("\n".join(rows)))
    except (zipfile.BadZipFile, ValueError, KeyError, csv.Error, NotImplementedError) as error:
        raise Unreachable("garbled", "Alipay's daily file cannot be read") from error


def _alipay_row(row: dict[str, str]) -> BillRow:
    is_refund = row["业务类型"] == "退款"
    amount = abs(fen_of(row["订单金额（元）"]))
    return BillRow(row["商户订单号"], row["支付宝交易号"], amount, row["退款批次号/请求号"] if is_refund else "")


def read_wechat(content: bytes) -> tuple[BillRow, ...]:
    """CSV in UTF-8, every value behind a backquote; two lines of sums at the end."""
    try:
        lines = content.decode("utf-8-sig").splitlines()
        end = next(index for index, line in enumerate(lines) if line.startswith("总交易单数"))
        table = [line if index == 0 else line.replace("`", "") for index, line in enumerate(lines[:end])]
        rows = tuple(_wechat_row(row) for row in _table("\n".join(table)))
        stated = int(lines[end + 1].replace("`", "").split(",")[0])
    except (ValueError, KeyError, StopIteration, IndexError, csv.Error) as error:
        raise Unreachable("garbled", "WeChat Pay's daily file cannot be read") from error
    if stated != len(rows):
        raise Unreachable("garbled", "WeChat Pay's daily file is not whole")
    return rows


def _wechat_row(row: dict[str, str]) -> BillRow:
    if row["交易状态"] == "REFUND":
        return BillRow(row["商户订单号"], row["微信订单号"], fen_of(row["退款金额"]), row["商户退款单号"])
    return BillRow(row["商户订单号"], row["微信订单号"], fen_of(row["订单金额"]))


def read_non_tax(content: bytes) -> tuple[BillRow, ...]:
    """`H|agency|day|rows`, then `P|` payments and `R|` refunds."""
    try:
        head, *lines = content.decode().splitlines()
        rows = tuple(_non_tax_row(line.split("|")) for line in lines if line)
        kind, _, _, stated = head.split("|")
        if kind != "H" or int(stated) != len(rows):
            raise ValueError("not whole")  # noqa: TRY301
    except (ValueError, IndexError) as error:
        raise Unreachable("garbled", "the non-tax platform's daily file cannot be read") from error
    return rows


def _non_tax_row(fields: list[str]) -> BillRow:
    kind, number, reference, refund_number, amount = fields[:5]
    if kind not in ("P", "R"):
        raise ValueError(kind)
    return BillRow(number, reference, fen_of(amount), refund_number if kind == "R" else "")


def _table(text: str) -> Iterator[dict[str, str]]:
    reader = csv.DictReader(io.StringIO(text), strict=True)
    for row in reader:
        yield {key.strip(): (value or "").strip() for key, value in row.items() if key}
