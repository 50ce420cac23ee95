"""What the dev dock offers at each simulated device: its own orders, and every fault its simulator knows, in words."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

NETWORK = "network"
Words = tuple[str, str]
"""What a person reads, Chinese and English."""

CARDS = (
    ("lin", "林"),
    ("ouyang", "欧阳"),
    ("chen", "陳"),
    ("huang", "黄"),
    ("aydin", "阿依"),
    ("guo", "郭"),
    ("xu", "许 (13 岁)"),
)
CLASSES: dict[str, Words] = {
    "id_card_reader": ("身份证阅读器", "ID card reader"), "face_matcher": ("摄像头", "Face camera"),
    "face_camera": ("摄像头", "Camera"), "receipt_printer": ("凭条打印机", "Receipt printer"),
    "document_printer": ("证明打印机", "Document printer"), "document_scanner": ("高拍与扫描", "Document scanner"),
    "smart_card_reader": ("社保卡读写器", "Chip card reader"), "card_rewriter": ("签注机", "Endorsement machine"),
    "code_scanner": ("扫码器", "Code scanner"), "signature_pad": ("签名板", "Signature pad"),
    "fingerprint_reader": ("指纹仪", "Fingerprint reader"), "payment_terminal": ("支付终端", "Payment terminal"),
    "cabinet": ("机柜", "Cabinet"), "phone": ("市民手机付款", "Paying by phone"),
    NETWORK: ("网络", "Network to the centre"),
}  # fmt: skip
TAKE_AWAY = ("remove", ("拿走", "take away"))
CODES = (
    ("app_code lin", ("林 闽政通亮码", "Lin shows the app's code")),
    ("app_code ouyang", ("欧阳 闽政通亮码", "Ouyang shows the app's code")),
    ("place 350200-2026-0001", ("亮别的码", "show another code")), TAKE_AWAY,
)  # fmt: skip
PAPERS: tuple[tuple[str, Words], ...] = (
    ("place permit", ("放证件", "lay a permit")),
    ("place travel_leung", ("放回乡证", "lay a travel permit")),
    ("place travel_chen", ("放台胞证", "lay a Taiwan permit")),
    ("place travel_sample", ("放护照", "lay a passport")),
)
ORDERS: dict[str, tuple[tuple[str, Words], ...]] = {
    "id_card_reader/sdt": (*((f"place {card}", (f"放 {name}", card)) for card, name in CARDS), TAKE_AWAY),
    "face_matcher/dlib": (
        *((f"person {card}", (name, card)) for card, name in CARDS[:6]),
        ("turn left", ("向左", "turn left")), ("turn straight", ("看正", "straight")),
        ("turn right", ("向右", "turn right")),
    ),
    "receipt_printer/escpos": (("refill", ("装纸", "refill")), ("take", ("取走凭条", "take the slip"))),
    "document_printer/ipp": (("refill", ("加纸加粉", "refill")),),
    "document_scanner/document_camera": (*PAPERS, TAKE_AWAY),
    "document_scanner/sane": (
        *PAPERS, ("load 3", ("进纸器放 3 页", "3 pages in the feeder")), TAKE_AWAY,
    ),
    "code_scanner/serial_line": CODES,
    "code_scanner/camera_qr": CODES,
    "smart_card_reader/pcsc": (
        ("place lin", ("插社保卡", "a social-security card")), ("place bank_lin", ("插银行卡", "a bank card")),
        TAKE_AWAY,
    ),
    "card_rewriter/serial_rewriter": (TAKE_AWAY,),
    "fingerprint_reader/r503": (("place lin", ("放手指", "lay a finger")), TAKE_AWAY),
    "payment_terminal/gateway_qr": (("pay", ("付款", "pay now")),),
    "cabinet/modbus_rtu": (
        ("open front", ("开门", "open the door")), ("shut front", ("关门", "shut the door")),
        ("approach", ("有人走近", "somebody comes")), ("leave", ("走开", "leaves")),
        ("plug", ("插耳机", "plug headset")), ("unplug", ("拔耳机", "unplug headset")),
        ("press", ("按求助键", "press for help")), ("release", ("松开", "release")),
        ("temperature 48", ("48 °C", "48 °C")), ("temperature 24", ("24 °C", "24 °C")),
    ),
    "cabinet/nut": (
        ("mains_cut 12", ("停电，剩 12 分", "mains cut, 12 min left")), ("mains_back", ("来电", "mains back")),
    ),
}  # fmt: skip
FAULTS: dict[str, Words] = {
    fault: (words[0], words[1])
    for fault, words in yaml.load(
        Path(__file__).with_name("levers.yaml").read_text(encoding="utf-8"), Loader=yaml.CSafeLoader
    ).items()
}


def panel(
    device: str, driver: str, faults: Sequence[str], active: Sequence[str], orders: Sequence[tuple[str, Words]] = ()
) -> dict[str, Any]:
    """A device as the page shows it: its own orders first, then every fault its simulator names."""
    device_class = driver.partition("/")[0]
    return {
        "device": device,
        "driver": driver,
        "title": CLASSES.get(device_class, (device, device)),
        "orders": [[order, *words] for order, words in ORDERS.get(driver, orders)],
        "faults": [[fault, *fault_words(fault)] for fault in faults],
        "active": list(active),
    }


def fault_words(fault: str) -> Words:
    """A fault nobody has written words for is shown by its own name."""
    plain = fault.replace("_", " ")
    return FAULTS.get(fault, (plain, plain))
