from __future__ import annotations

from pathlib import Path

import pytest

from kiosk.contracts.errors import SettingsInvalid
from kiosk.contracts.value import Language
from kiosk.machine.settings import MachineSettings

GOOD = """
[machine]
data = "data"
site = "中山路便利店"
language = "zh-CN"
[screen]
width_px = 1080
height_px = 1920
[fleet]
server = "https://fleet.example"
ca = "ca.pem"
[sign_in]
accept_at = 0.4
retry_at = 0.5
[time_outs]
idle_seconds = 90
[devices.card_reader]
driver = "id_card_reader/sdt"
port = "/dev/ttyUSB0"
baud = 115200
[devices.camera]
driver = "face_matcher/dlib"
source = "/dev/video0"
[devices.printer]
driver = "document_printer/ipp"
address = "ipp://localhost:631/printers/a4"
"""


def load(tmp_path: Path, text: str) -> MachineSettings:
    path = tmp_path / "machine.toml"
    path.write_text(text, encoding="utf-8")
    return MachineSettings.load(path)


def refusal(tmp_path: Path, text: str) -> str:
    with pytest.raises(SettingsInvalid) as error:
        load(tmp_path, text)
    return str(error.value)


def test_a_machine_in_a_shop(tmp_path: Path) -> None:
    settings = load(tmp_path, GOOD)
    assert settings.machine.data == tmp_path / "data"
    assert settings.fleet.ca == tmp_path / "ca.pem"
    assert (settings.machine.language, settings.machine.development) == (Language.ZH_CN, False)
    assert (settings.time_outs.idle_seconds, settings.time_outs.warn_seconds) == (90, 25)
    assert (settings.fleet.heartbeat_seconds, settings.fleet.poll_seconds) == (15, 30)
    reader = settings.devices["card_reader"]
    assert (reader.driver, reader.device_class) == ("id_card_reader/sdt", "id_card_reader")
    assert settings.device_options("card_reader") == {"port": "/dev/ttyUSB0", "baud": 115200}
    assert settings.device_options("camera") == {"source": "/dev/video0", "accept_at": 0.4, "retry_at": 0.5}


def _chip(reader: str) -> str:
    return f'[devices.chip]\ndriver = "smart_card_reader/pcsc"\nreader = "{reader}"\n[devices.card_reader]'


def _power(address: str) -> str:
    return f'[devices.power]\ndriver = "cabinet/nut"\naddress = "{address}"\n[devices.card_reader]'


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (GOOD.replace("idle_seconds", "idle_secondes"), ["time_outs.idle_secondes", "did you mean idle_seconds?"]),
        (GOOD + "\n[fleets]\na = 1\n", ["fleets: unknown key", "did you mean fleet?"]),
        (GOOD + "\nzzz = 1\n[unheard]\n", ["unheard: unknown key", "known are:"]),
        (GOOD.replace('data = "data"', ""), ["machine.data: missing"]),
        (GOOD.replace("90", '"long"'), ["time_outs.idle_seconds"]),
        (GOOD.replace("90", "20"), ["time_outs", "warn_seconds must be smaller"]),
        (GOOD.replace("zh-CN", "fr"), ["machine.language"]),
        (GOOD.replace("id_card_reader/sdt", "sdt"), ["devices.card_reader.driver"]),
        (GOOD.replace("accept_at = 0.4", "allow_code = false"), ["sign_in", "allow_code = true"]),
        (GOOD.replace("retry_at = 0.5", "retry_at = 0.3"), ["retry_at must not be smaller"]),
        (GOOD.replace("width_px = 1080", "width_px = 2560"), ["screen", "not portrait"]),
        ("= nonsense", ["not TOML"]),
    ],
)
def test_each_mistake_names_file_key_and_cure(tmp_path: Path, text: str, words: list[str]) -> None:
    said = refusal(tmp_path, text)
    assert "machine.toml" in said
    for word in words:
        assert word in said


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid, match="--config"):
        MachineSettings.load(tmp_path / "nowhere.toml")


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ('port = "/dev/ttyUSB0"', 'port = "/dev/pts/7"', "devices.card_reader.port"),
        ('port = "/dev/ttyUSB0"', 'port = "socket://127.0.0.1:4001"', "devices.card_reader.port"),
        ('port = "/dev/ttyUSB0"', 'port = "socket://[::1]:4001"', "devices.card_reader.port"),
        ("baud = 115200", 'photo_decoder = "sample"', "devices.card_reader.photo_decoder"),
        ("baud = 115200", "simulated = true", "devices.card_reader.simulated"),
        ('source = "/dev/video0"', 'source = "face.mp4"', "devices.camera.source"),
        ('source = "/dev/video0"', 'source = "http://camera.example/mjpeg"', "devices.camera.source"),
        ('source = "/dev/video0"', 'source = "clip:/tmp/face.avi"', "devices.camera.source"),
        ("localhost:631", "localhost:8631", "devices.printer.address"),
        ('source = "/dev/video0"', 'source = "/dev/video0"\nir_camera = "dark.mp4"', "devices.camera.ir_camera"),
        ("[devices.card_reader]", _chip("apdu://127.0.0.1:631"), "devices.chip.reader"),
        ("[devices.card_reader]", _chip("Virtual PCD 00 00"), "devices.chip.reader"),
        ("[devices.card_reader]", _power("nut://localhost:4000/ups"), "devices.power.address"),
        ("https://fleet.example", "http://fleet.example", "fleet.server"),
        ("https://fleet.example", "ftp://127.0.0.1", "fleet.server"),
        ("[devices.card_reader]", "[development]\ndock = true\n[devices.card_reader]", "development.dock"),
        ("[devices.card_reader]", '[development]\nhand = "127.0.0.1:9000"\n[devices.card_reader]', "development.hand"),
    ],
)
def test_what_belongs_to_a_bench_is_refused_in_a_shop(tmp_path: Path, old: str, new: str, key: str) -> None:
    text = GOOD.replace(old, new)
    assert text != GOOD
    assert f"{key}: " in refusal(tmp_path, text)
    settings = load(tmp_path, text.replace("[machine]", "[machine]\ndevelopment = true"))
    assert settings.machine.development


def test_a_link_to_a_pseudo_terminal_is_one_too(tmp_path: Path) -> None:
    link = tmp_path / "rewriter"
    link.symlink_to("/dev/pts/0")
    assert "devices.card_reader.port" in refusal(tmp_path, GOOD.replace("/dev/ttyUSB0", str(link)))


def test_the_power_of_this_very_machine_is_no_simulator(tmp_path: Path) -> None:
    for address in ("nut://localhost/ups", "nut://127.0.0.1:3493/ups"):
        text = GOOD.replace("[devices.card_reader]", _power(address))
        assert load(tmp_path, text).devices["power"].options["address"] == address


def test_a_list_may_be_an_option(tmp_path: Path) -> None:
    text = GOOD.replace("baud = 115200", 'companions = ["/opt/a.so#sha256=0", "/opt/b.so#sha256=1"]')
    assert len(load(tmp_path, text).device_options("card_reader")["companions"]) == 2


def test_a_serial_server_in_the_cabinet_and_a_proxy_on_this_machine_are_fine(tmp_path: Path) -> None:
    text = GOOD.replace("/dev/ttyUSB0", "socket://192.168.7.20:4001").replace(
        "https://fleet.example", "http://127.0.0.1:8000"
    )
    assert load(tmp_path, text).fleet.server == "http://127.0.0.1:8000"
