"""Sealed papers: the seal holds, a changed byte breaks it, the words are exact, and the page shows a red seal."""

from __future__ import annotations

import datetime as dt
import io
import subprocess
from pathlib import Path

import pypdfium2
import pytest
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko.sign.validation.status import PdfSignatureStatus
from pyhanko_certvalidator import ValidationContext

from fleet_server.exchange.identifiers import is_certificate_identifier
from fleet_server.sandbox.city import City, found_city
from fleet_server.sandbox.documents import Issued
from kiosk.contracts.value import sha256_hex

HOLDER = {
    "name": "张䶮𠮷", "id_number": "350206190909090052", "id_kind": "居民身份证号码", "usage": "子女入学",
    "receiver": "厦门市龘㐀样例小学 #panic() $x$ *a* \\ <b>",
}  # fmt: skip


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> City:
    return found_city(tmp_path_factory.mktemp("town"), _now)


@pytest.fixture(scope="module")
def paper(town: City) -> tuple[Issued, bytes]:
    issued = town.documents.issue(
        "no_house_certificate", "natural_resources", HOLDER, now=_now(), verify_at="http://127.0.0.1/verify"
    )
    pdf = town.documents.pdf(issued.document_id)
    assert pdf is not None
    return issued, pdf


def seal_of(pdf: bytes, authority_pem: str) -> PdfSignatureStatus:
    from asn1crypto import pem, x509

    _, _, der = pem.unarmor(authority_pem.encode())
    trust = ValidationContext(trust_roots=[x509.Certificate.load(der)], allow_fetching=False)
    signatures = PdfFileReader(io.BytesIO(pdf)).embedded_signatures
    assert len(signatures) == 1
    return validate_pdf_signature(signatures[0], trust)


def words_of(pdf: bytes, tmp_path: Path) -> str:
    file = tmp_path / "paper.pdf"
    file.write_bytes(pdf)
    return subprocess.run(
        ["pdftotext", "-layout", str(file), "-"], capture_output=True, check=True, timeout=30, text=True
    ).stdout


def test_the_seal_holds_and_covers_everything(town: City, paper: tuple[Issued, bytes]) -> None:
    issued, pdf = paper
    status = seal_of(pdf, town.authority.pem)
    assert status.bottom_line
    assert status.trusted
    assert status.coverage.name == "ENTIRE_FILE"
    assert "自然资源和规划局" in status.signing_cert.subject.human_friendly
    assert issued.sha256 == sha256_hex(pdf)
    assert is_certificate_identifier(issued.identifier)


def test_a_flipped_byte_breaks_the_seal(town: City, paper: tuple[Issued, bytes]) -> None:
    _, pdf = paper
    place = pdf.index(b"stream") + 40
    changed = pdf[:place] + bytes([pdf[place] ^ 1]) + pdf[place + 1 :]
    assert not seal_of(changed, town.authority.pem).bottom_line


def test_another_citys_seal_is_not_trusted(paper: tuple[Issued, bytes], tmp_path: Path) -> None:
    other = found_city(tmp_path / "other", _now)
    status = seal_of(paper[1], other.authority.pem)
    assert status.intact
    assert not status.trusted


def test_the_words_are_exact_and_stay_words(paper: tuple[Issued, bytes], tmp_path: Path) -> None:
    issued, pdf = paper
    text = words_of(pdf, tmp_path)
    for words in (
        "不动产登记信息查询证明", "张䶮𠮷", "350206190909090052", "厦门市龘㐀样例小学", "#panic() $x$ *a* \\ <b>",
        issued.number, issued.verification_code, issued.identifier, "第1页", "不具法律效力",
    ):  # fmt: skip
        assert words in text.replace("第 1 页", "第1页"), words


def test_it_says_pdf_a_2b_and_embeds_its_fonts(paper: tuple[Issued, bytes], tmp_path: Path) -> None:
    _, pdf = paper
    assert b"<pdfaid:part>2</pdfaid:part>" in pdf
    assert b"<pdfaid:conformance>B</pdfaid:conformance>" in pdf
    file = tmp_path / "paper.pdf"
    file.write_bytes(pdf)
    listed = subprocess.run(["pdffonts", str(file)], capture_output=True, check=True, timeout=30, text=True).stdout
    fonts = [line.split() for line in listed.splitlines()[2:]]
    assert fonts
    assert all(columns[-5] == "yes" for columns in fonts), listed


def test_the_page_shows_a_round_red_seal(paper: tuple[Issued, bytes]) -> None:
    document = pypdfium2.PdfDocument(paper[1])
    document.init_forms()
    assert len(document) == 1
    picture = document[0].render(scale=100 / 72, may_draw_forms=True).to_pil().convert("RGB")
    document.close()
    width, height = picture.size
    lower = picture.crop((width // 2, int(height * 0.62), int(width * 0.86), int(height * 0.86)))
    red = [
        (x, y)
        for y in range(lower.height)
        for x in range(lower.width)
        if (pixel := lower.getpixel((x, y)))[0] > 170 and pixel[1] < 110 and pixel[2] < 120  # type: ignore[index]
    ]
    assert len(red) > 2000
    across = max(x for x, _ in red) - min(x for x, _ in red)
    down = max(y for _, y in red) - min(y for _, y in red)
    assert abs(across - 41.5 / 25.4 * 100) < 4
    assert abs(across - down) <= 3


def test_a_year_of_rows_stays_on_one_page(town: City) -> None:
    rows = tuple((f"2025年{month:02d}月", "8,600.00", "688.00", "43.00", "已到账") for month in range(1, 13))
    values = {**HOLDER, "covered_year": "2025", "employer": "样例公司", "count": "12", "total": "8,256.00"}
    issued = town.documents.issue(
        "rights_record", "human_resources", values, now=_now(), verify_at="http://127.0.0.1/verify", rows=rows
    )
    pdf = town.documents.pdf(issued.document_id)
    assert pdf is not None
    document = pypdfium2.PdfDocument(pdf)
    assert len(document) == 1
    document.close()
    assert seal_of(pdf, town.authority.pem).bottom_line


def test_keys_are_the_citys_own_and_outlive_a_restart(town: City, paper: tuple[Issued, bytes], tmp_path: Path) -> None:
    first = found_city(tmp_path, _now)
    again = found_city(tmp_path, _now)
    assert first.authority.pem == again.authority.pem == (tmp_path / "authorities.pem").read_text()
    assert "PRIVATE" not in first.authority.pem
    for key in (tmp_path / "seals").glob("*.key"):
        assert key.stat().st_mode & 0o077 == 0


def test_what_is_kept_of_a_paper_names_nobody(town: City, paper: tuple[Issued, bytes]) -> None:
    issued, _ = paper
    assert town.documents.verified(issued.verification_code) == issued
    assert town.documents.verified("0000-0000-0000-0000") is None
    assert issued.holder == "张**"
    assert town.documents.pdf("../seals/authority") is None
