"""The mark in every delivered file: an XMP packet after IPTC Photo Metadata 2025.1.

It says what the picture is (digital source type), what it shows, whom to credit and which system drew it. The same
packet is written to JPEG and PNG. Prompts are not written: they may hold what a client keeps to itself.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from xml.etree import ElementTree

from PIL import Image

import proofsheet

_SOURCE_TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
#: Elements of which at least one was made by a trained model.
TRAINED = _SOURCE_TYPES + "compositeWithTrainedAlgorithmicMedia"
#: Elements of which at least one was computed, without a trained model.
SYNTHETIC = _SOURCE_TYPES + "compositeSynthetic"

_SPACES = {
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "dc": "http://purl.org/dc/elements/1.1/",
    "xmp": "http://ns.adobe.com/xap/1.0/",
    "photoshop": "http://ns.adobe.com/photoshop/1.0/",
    "Iptc4xmpExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
}
_XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
_MOST_BYTES = 200_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """What a delivered file says about itself.

    ``ai_made`` is whether a trained model drew the scene with ``system`` and ``system_version``. An empty ``system``
    means that we did not make the picture (a person uploaded it): then no digital source type is claimed.
    """

    asset_id: str
    campaign: str
    title: str
    ai_made: bool
    system: str
    system_version: str
    credit: str

    @property
    def digital_source_type(self) -> str:
        """The full address of the IPTC term, or "" where we cannot know it."""
        if not self.system:
            return TRAINED if self.ai_made else ""
        return TRAINED if self.ai_made else SYNTHETIC


def xmp_packet(mark: Mark) -> bytes:
    """The XMP packet of a mark, UTF-8."""
    for prefix, space in _SPACES.items():
        ElementTree.register_namespace(prefix, space)
    ElementTree.register_namespace("x", "adobe:ns:meta/")
    root = ElementTree.Element("{adobe:ns:meta/}xmpmeta")
    rdf = ElementTree.SubElement(root, _name("rdf:RDF"))
    about = ElementTree.SubElement(rdf, _name("rdf:Description"), {_name("rdf:about"): ""})
    _listed(about, "dc:title", "Alt", mark.title)
    _listed(about, "dc:creator", "Seq", mark.credit)
    _plain(about, "dc:identifier", mark.asset_id)
    _plain(about, "photoshop:Credit", mark.credit)
    _plain(about, "photoshop:TransmissionReference", mark.campaign)
    _plain(about, "xmp:CreatorTool", f"Proofsheet {proofsheet.__version__}")
    _plain(about, "Iptc4xmpExt:DigitalSourceType", mark.digital_source_type)
    if mark.ai_made:
        _plain(about, "Iptc4xmpExt:AISystemUsed", mark.system)
        _plain(about, "Iptc4xmpExt:AISystemVersionUsed", mark.system_version)
    body = ElementTree.tostring(root, encoding="unicode")
    return f'<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>{body}<?xpacket end="r"?>'.encode()


def read_mark(data: bytes) -> dict[str, str]:
    """What a file's mark says, by ``asset_id``, ``campaign``, ``title``, ``credit``, ``tool``, ``digital_source_type``,
    ``system`` and ``system_version``; keys that it does not say are left out, and a file without a mark gives none.
    """
    packet = _packet_in(data)
    if packet is None or len(packet) > _MOST_BYTES or b"<!DOCTYPE" in packet or b"<!ENTITY" in packet:
        return {}
    try:
        root = ElementTree.fromstring(packet.strip(b"\x00 \r\n\t"))
    except ElementTree.ParseError:
        return {}
    found = {
        "asset_id": "dc:identifier",
        "campaign": "photoshop:TransmissionReference",
        "title": "dc:title",
        "credit": "photoshop:Credit",
        "tool": "xmp:CreatorTool",
        "digital_source_type": "Iptc4xmpExt:DigitalSourceType",
        "system": "Iptc4xmpExt:AISystemUsed",
        "system_version": "Iptc4xmpExt:AISystemVersionUsed",
    }
    read = {key: _text_of(root, name) for key, name in found.items()}
    return {key: text for key, text in read.items() if text}


def _packet_in(data: bytes) -> bytes | None:
    try:
        with Image.open(io.BytesIO(data), formats=("JPEG", "PNG", "WEBP")) as picture:
            packet = picture.info.get("xmp") or picture.info.get("XML:com.adobe.xmp")
    except (OSError, SyntaxError, ValueError):
        return None
    return packet.encode() if isinstance(packet, str) else packet if isinstance(packet, bytes) else None


def _name(short: str) -> str:
    prefix, _, local = short.partition(":")
    return f"{{{_SPACES[prefix]}}}{local}"


def _plain(parent: ElementTree.Element, name: str, text: str) -> None:
    if text:
        ElementTree.SubElement(parent, _name(name)).text = _allowed(text)


def _listed(parent: ElementTree.Element, name: str, kind: str, text: str) -> None:
    if text:
        holder = ElementTree.SubElement(ElementTree.SubElement(parent, _name(name)), _name(f"rdf:{kind}"))
        language = {_XML_LANG: "x-default"} if kind == "Alt" else {}
        ElementTree.SubElement(holder, _name("rdf:li"), language).text = _allowed(text)


def _allowed(text: str) -> str:
    """The text without control characters, which XML cannot hold."""
    return "".join(character for character in text if character >= " " or character in "\t\n")


def _text_of(root: ElementTree.Element, name: str) -> str:
    element = root.find(f".//{_name(name)}")
    if element is None:
        description = root.find(f".//{_name('rdf:Description')}")
        return "" if description is None else description.get(_name(name), "")
    listed = element.find(f".//{_name('rdf:li')}")
    return ((listed if listed is not None else element).text or "").strip()
