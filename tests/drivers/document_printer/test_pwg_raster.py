"""Pages as PWG Raster: the same dots come back, by our reader and by a filter of others; the seal is on them."""

from __future__ import annotations

import io
import random
import subprocess
from pathlib import Path

import pypdfium2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageDraw, ImageStat

from drivers.document_printer import pwg_raster
from drivers.document_printer.ipp_codec import Attributes, Resolution, Tag, Value, keyword
from drivers.document_printer.pages import PDF, Form, Unprintable, form_for, in_form
from drivers.document_printer.pwg_raster import BACK_SIDES, document
from drivers.document_printer.simulator_raster import NotRaster, read_raster
from drivers.messages import PrintOutcome
from tests.drivers.document_printer.conftest import bench, document_of, run

RASTERTOPDF = Path("/usr/lib/cups/filter/rastertopdf")
COLOURS = {"L": 1, "RGB": 3}


def sealed_pdf() -> bytes:
    """A page with a line of text and, as a signature field's appearance, a red disc: what a stamp is made of."""
    disc = b"0.9 0.1 0.1 rg 10 60 m 10 87.6 32.4 110 60 110 c 87.6 110 110 87.6 110 60 c 110 32.4 87.6 10 60 10 c " \
        b"32.4 10 10 32.4 10 60 c f"  # fmt: skip
    text = b"BT /F1 24 Tf 72 720 Td (Yizhan sealed page) Tj ET"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [6 0 R] /SigFlags 3 >> >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Annots [6 0 R] "
        b"/Resources << /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(text), text),
        b"<< /Type /XObject /Subtype /Form /BBox [0 0 120 120] /Length %d >>\nstream\n%s\nendstream"
        % (len(disc), disc),
        b"<< /Type /Annot /Subtype /Widget /FT /Sig /T (Seal) /F 132 /Rect [400 100 520 220] /P 3 0 R "
        b"/AP << /N 5 0 R >> >>",
    ]
    pdf, places = b"%PDF-1.7\n", []
    for number, content in enumerate(objects, 1):
        places.append(len(pdf))
        pdf += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    size = len(objects) + 1
    trailer = b"xref\n0 %d\n0000000000 65535 f \n%strailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n"
    return pdf + trailer % (size, table, size, len(pdf))


def picture(mode: str, width: int, height: int, seed: int) -> Image.Image:
    """Runs, single pixels and equal rows of every length that matters."""
    chance = random.Random(seed)
    rows = bytearray()
    while len(rows) < width * height * COLOURS[mode]:
        row = bytearray()
        while len(row) < width * COLOURS[mode]:
            if chance.random() < 0.5:
                row += chance.randbytes(COLOURS[mode]) * chance.choice((1, 2, 127, 128, 129, 300))
            else:
                row += chance.randbytes(COLOURS[mode] * chance.choice((1, 2, 127, 128, 129)))
        rows += bytes(row[: width * COLOURS[mode]]) * chance.choice((1, 1, 2, 255, 256, 257))
    return Image.frombytes(mode, (width, height), bytes(rows[: width * height * COLOURS[mode]]))


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(["L", "RGB"]), st.integers(1, 400), st.integers(1, 600), st.integers(0, 2**32))
def test_every_page_comes_back_dot_for_dot(mode: str, width: int, height: int, seed: int) -> None:
    page = picture(mode, width, height, seed)
    (back,) = read_raster(document([page], dpi=300, total_pages=1))
    assert back.picture.mode == mode
    assert back.picture.tobytes() == page.tobytes()
    assert (back.dpi, back.total_pages, back.page_size_name) == ((300, 300), 1, "iso_a4_210x297mm")


@pytest.mark.parametrize(("name", "transforms"), [("rotated", (-1, -1)), ("flipped", (1, -1)), ("normal", (1, 1))])
def test_the_back_of_a_sheet_stands_as_the_duplexer_wants_it(name: str, transforms: tuple[int, int]) -> None:
    pages = [picture("L", 30, 40, seed) for seed in range(3)]
    back = BACK_SIDES.get(name)
    read = read_raster(document(pages, dpi=300, total_pages=3, two_sided=True, back=back))
    assert [page.transforms for page in read] == [(1, 1), transforms, (1, 1)]
    assert all(page.is_duplex for page in read)
    turned = read[1].picture
    if transforms[0] < 0:
        turned = turned.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    if transforms[1] < 0:
        turned = turned.transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    assert turned.tobytes() == pages[1].tobytes()


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 2**32), st.data())
def test_a_damaged_document_is_refused_or_read_and_never_more(seed: int, data: st.DataObject) -> None:
    whole = bytearray(document([picture("L", 60, 80, seed)], dpi=300, total_pages=1))
    for _ in range(data.draw(st.integers(0, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    try:
        read_raster(bytes(whole[: data.draw(st.integers(0, len(whole)))]))
    except NotRaster:
        return


@pytest.mark.campaign
def test_a_million_damaged_documents_are_refused_or_read() -> None:
    chance = random.Random(5102)
    whole = document([picture("L", 40, 30, 4)], dpi=300, total_pages=1)
    for _ in range(1_000_000):
        mutant = bytearray(whole)
        for _ in range(chance.randint(1, 4)):
            mutant[chance.choice((chance.randrange(4, 600), chance.randrange(len(mutant))))] = chance.randrange(256)
        try:
            read_raster(bytes(mutant[: chance.choice((len(mutant), chance.randrange(len(mutant))))]))
        except NotRaster:
            continue


# --- from a PDF ----------------------------------------------------------------------------------------------------


def test_the_seal_is_on_the_page_in_red() -> None:
    (page,) = read_raster(in_form(sealed_pdf(), Form(pwg_raster.MIME, 150, colour=True), two_sided=False))
    assert page.picture.size == (1240, 1754)
    inside = page.picture.crop([round(value * 150 / 72) for value in (440, 842 - 180, 480, 842 - 140)])
    red, green, _ = ImageStat.Stat(inside).mean
    assert red > 200
    assert green < 60
    (grey,) = read_raster(in_form(sealed_pdf(), Form(pwg_raster.MIME, 150), two_sided=False))
    assert grey.picture.mode == "L"
    assert grey.picture.getpixel((960, 1421)) < 200


def test_a_page_of_another_size_is_fitted_onto_a4() -> None:
    wide = Image.new("RGB", (2000, 1000), "black")
    buffer = io.BytesIO()
    wide.save(buffer, "PDF", resolution=72)
    (page,) = read_raster(in_form(buffer.getvalue(), Form(pwg_raster.MIME, 100), two_sided=False))
    assert page.picture.size == (827, 1169)
    assert page.picture.getpixel((413, 584)) == 0
    assert page.picture.getpixel((413, 100)) == 255


@pytest.mark.parametrize("data", [b"", b"%PDF-1.7\n%%EOF\n", b"not a document at all"])
def test_what_cannot_be_drawn_is_refused(data: bytes) -> None:
    with pytest.raises(Unprintable):
        in_form(data, Form(pwg_raster.MIME), two_sided=False)


@pytest.mark.skipif(not RASTERTOPDF.exists(), reason="cups-filters is not installed")
@pytest.mark.parametrize("colour", [True, False], ids=["colour", "grey"])
def test_a_filter_nobody_here_wrote_reads_the_same_page(tmp_path: Path, colour: bool) -> None:
    raster = in_form(sealed_pdf(), Form(pwg_raster.MIME, 150, colour=colour), two_sided=False)
    (tmp_path / "page.pwg").write_bytes(raster)
    made = subprocess.run(
        [str(RASTERTOPDF), "1", "tester", "page", "1", "", str(tmp_path / "page.pwg")],
        capture_output=True, timeout=60, check=True, env={"PATH": "/usr/bin", "TMPDIR": str(tmp_path)},
    )  # fmt: skip
    with pypdfium2.PdfDocument(made.stdout) as opened:
        assert len(opened) == 1
        theirs = opened[0].render(scale=150 / 72, rev_byteorder=True).to_pil().convert("L")
    (ours,) = read_raster(raster)
    grey = ours.picture.convert("L").resize(theirs.size)
    assert ImageStat.Stat(ImageChops.difference(grey, theirs)).mean[0] < 1.5
    assert ImageStat.Stat(ImageChops.invert(theirs)).mean[0] > 0.5  # not two white pages


# --- over IPP ------------------------------------------------------------------------------------------------------


def test_a_printer_without_pdf_gets_pictures_it_can_read(tmp_path: Path) -> None:
    async def work() -> None:
        async with bench(tmp_path, format=pwg_raster.MIME) as where:
            capabilities = await where.printer.capabilities()
            assert "pwg_raster" in capabilities.features
            assert "pdf" not in capabilities.features
            result = await where.printer.print_document(document_of(sealed_pdf(), "sealed"))
            assert (result.outcome, result.pages_printed) == (PrintOutcome.PRINTED, 1)
            (page,) = read_raster((tmp_path / "document.pwg").read_bytes())
            assert page.picture.mode == "RGB"
            assert page.dpi == (300, 300)
            red, green, _ = page.picture.getpixel((round(460 / 72 * 300), round((842 - 160) / 72 * 300)))
            assert red > 200
            assert green < 60
            refused = await where.printer.print_document(document_of(b"no document", "none"))
            assert (refused.outcome, refused.reason) == (PrintOutcome.FAILED, "document_refused")

    run(work())


def offers(formats: str, *, types: str = "", dpi: tuple[int, ...] = ()) -> Attributes:
    attributes: Attributes = {"document-format-supported": (Value(Tag.MIME, formats),)}
    if types:
        attributes["pwg-raster-document-type-supported"] = keyword(*types.split())
    if dpi:
        attributes["pwg-raster-document-resolution-supported"] = tuple(
            Value(Tag.RESOLUTION, Resolution(value, value, 3)) for value in dpi
        )
    return attributes


def test_the_best_form_a_printer_takes_is_chosen() -> None:
    assert form_for(offers("image/urf")) is None
    assert form_for(offers(PDF)) == Form(PDF)
    assert form_for(offers(pwg_raster.MIME, types="sgray_8", dpi=(150, 203))) == Form(pwg_raster.MIME, 203)
    assert form_for(offers(pwg_raster.MIME, types="sgray_8 srgb_8", dpi=(1200, 600, 360))) == Form(
        pwg_raster.MIME, 360, colour=True
    )
    both = offers(PDF) | {"document-format-supported": (Value(Tag.MIME, pwg_raster.MIME), Value(Tag.MIME, PDF))}
    assert form_for(both) == Form(PDF)


def test_a_page_of_text_packs_well() -> None:
    page = Image.new("RGB", (2480, 3508), "white")
    pen = ImageDraw.Draw(page)
    for top in range(100, 3400, 60):
        pen.text((200, top), "Yizhan " * 40, fill="black", font_size=40)
    packed = document([page], dpi=300, total_pages=1)
    assert len(packed) < 0.15 * 2480 * 3508 * 3
    assert read_raster(packed)[0].picture.tobytes() == page.tobytes()
