"""What the dev dock offers at each simulated device: its own orders, and every fault its simulator knows, in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

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
    "cabinet": ("机柜", "Cabinet"), NETWORK: ("网络", "Network to the centre"),
}  # fmt: skip
ORDERS: dict[str, tuple[tuple[str, Words], ...]] = {
    "id_card_reader": (
        *((f"place {card}", (f"放 {name}", card)) for card, name in CARDS), ("remove", ("拿走", "take away")),
    ),
    "face_matcher/dlib": (
        *((f"person {card}", (name, card)) for card, name in CARDS[:6]),
        ("turn left", ("向左", "turn left")), ("turn straight", ("看正", "straight")),
        ("turn right", ("向右", "turn right")),
    ),
    "receipt_printer/escpos": (("refill", ("装纸", "refill")),),
    "document_printer/ipp": (("refill", ("加纸加粉", "refill")),),
    "document_scanner/document_camera": (
        ("place permit", ("放证件", "lay a permit")), ("remove", ("拿走", "take away")),
    ),
}  # fmt: skip
FAULTS: dict[str, Words] = {
    "paper_out": ("缺纸", "no paper"), "paper_low": ("纸少", "paper low"), "cover_open": ("开盖", "cover open"),
    "offline": ("脱机", "off line"), "hot": ("过热", "head hot"), "cutter_jammed": ("切刀卡住", "cutter stuck"),
    "paper_out_mid_job": ("打到一半缺纸", "paper out in mid job"), "no_backchannel": ("不应答", "never answers"),
    "backchannel_lost_mid_job": ("打完不应答", "silent after a job"),
    "disconnect_mid_job": ("打到一半拔线", "unplug in mid job"), "chatter": ("多话", "chatters"),
    "no_clear": ("不能清除", "cannot clear"), "small_buffer": ("缓存小", "small buffer"),
    "noise": ("杂音", "noise"), "split": ("断续", "split answers"), "silent": ("不应答", "silent"),
    "endless": ("说个不停", "endless"), "wrong_device": ("接错设备", "wrong device"), "slow": ("慢", "slow"),
    "corrupt_once": ("错一次", "one damaged answer"), "truncated_once": ("缺一次", "one cut answer"),
    "refused_once": ("拒一次", "refuses once"), "moved": ("拿得太快", "lifted early"),
    "select_refused": ("认不出卡", "not selected"), "read_failed": ("读不出", "unreadable"),
    "self_test_failed": ("自检失败", "self test failed"), "not_authorised": ("未授权", "not authorised"),
    "no_sam": ("无安全模块号", "no SAM id"), "nobody": ("无人", "nobody"), "two": ("两个人", "two people"),
    "dark": ("太暗", "dark"), "freeze": ("卡住", "frozen"), "gone": ("拔线", "unplugged"),
    "photo": ("举照片", "a photograph"), "blur": ("模糊", "blurred"),
    "glare": ("反光", "glare"), "nothing": ("没放纸", "no paper laid"),
    "media_empty": ("缺纸", "no paper"), "media_low": ("纸少", "paper low"),
    "media_empty_mid_job": ("打到一半缺纸", "paper out in mid job"), "jam": ("卡纸", "jam"),
    "toner_low": ("碳粉少", "toner low"), "toner_empty": ("碳粉尽", "toner out"),
    "waste_full": ("废粉满", "waste full"), "abort": ("中止", "aborts"), "cut": ("断网", "cut"),
}  # fmt: skip


def panel(device: str, driver: str, faults: Sequence[str], active: Sequence[str]) -> dict[str, Any]:
    """A device as the page shows it: its own orders first, then every fault its simulator names."""
    device_class = driver.partition("/")[0]
    orders = ORDERS.get(driver) or ORDERS.get(device_class, ())
    return {
        "device": device,
        "driver": driver,
        "title": CLASSES.get(device_class, (device, device)),
        "orders": [[order, *words] for order, words in orders],
        "faults": [[fault, *fault_words(fault)] for fault in faults],
        "active": list(active),
    }


def fault_words(fault: str) -> Words:
    """A fault nobody has written words for is shown by its own name."""
    plain = fault.replace("_", " ")
    return FAULTS.get(fault, (plain, plain))
