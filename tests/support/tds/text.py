"""Text that PostgreSQL's text cannot hold, kept exactly.

U+0000, lone surrogates and bytes that a code page does not define are written as
characters of the last private plane; a real character of that range gets a prefix.
So every string of UTF-16 units, and every string of bytes in any code page, goes in
and comes out as it was.
"""
import codecs
import functools
import re

PREFIX = "\U0010F5FF"
BYTE, NUL, SURROGATE = 0x10F600, "\U0010F700", 0x10F800
SPECIAL = re.compile("[\0\ud800-\udfff\U0010F5FF-\U0010FFFF]")
ESCAPED = re.compile("[\U0010F5FF-\U0010FFFF]")

LCID_PAGES = {
    "cp874": (0x041E,), "cp932": (0x0411,), "gbk": (0x0804, 0x1004), "cp949": (0x0412, 0x0012),
    "cp950": (0x0404, 0x0C04, 0x1404),
    "cp1250": (0x0405, 0x040E, 0x0415, 0x0418, 0x041A, 0x041B, 0x041C, 0x0424, 0x0442, 0x081A, 0x101A, 0x141A, 0x181A),
    "cp1251": (0x0402, 0x0419, 0x0422, 0x0423, 0x0428, 0x042F, 0x043F, 0x0440, 0x0444, 0x0450, 0x046D, 0x0485, 0x082C,
               0x0843, 0x0850, 0x0C1A, 0x1C1A, 0x201A),
    "cp1253": (0x0408,), "cp1254": (0x041F, 0x042C, 0x0443), "cp1255": (0x040D,),
    "cp1256": (0x0401, 0x0420, 0x0429, 0x0480, 0x048C, 0x0801, 0x0C01, 0x1001, 0x1401, 0x1801, 0x2001, 0x3801),
    "cp1257": (0x0425, 0x0426, 0x0427, 0x0827), "cp1258": (0x042A,),
}
SORT_PAGES = (("cp437", 30, 35), ("cp850", 40, 49), ("cp1252", 50, 54), ("cp850", 55, 61), ("cp1252", 71, 75),
              ("cp1250", 80, 98), ("cp1251", 104, 108), ("cp1253", 112, 124), ("cp1254", 128, 130),
              ("cp1255", 136, 138), ("cp1256", 144, 146), ("cp1257", 152, 160), ("cp1252", 183, 186),
              ("cp932", 192, 193), ("cp949", 194, 195), ("cp950", 196, 197), ("gbk", 198, 199), ("cp932", 200, 200),
              ("cp949", 201, 201), ("cp950", 202, 202), ("gbk", 203, 203), ("cp874", 204, 206), ("cp1252", 210, 217))

# Collations the server knows by name. The last byte is the sort order.
COLLATIONS = {
    "SQL_Latin1_General_CP1_CI_AS": "0904d00034", "SQL_Latin1_General_CP1_CS_AS": "0904c00033",
    "SQL_Latin1_General_CP437_CI_AS": "0904d00020", "SQL_Latin1_General_CP850_CI_AS": "0904d0002a",
    "SQL_Latin1_General_CP1251_CI_AS": "1904d0006a", "SQL_Latin1_General_CP1250_CI_AS": "0504d00052",
    "Latin1_General_CI_AS": "0904d00000", "Latin1_General_CS_AS": "0904c00000", "Latin1_General_BIN": "0904000100",
    "Latin1_General_BIN2": "0904000200", "Latin1_General_100_CI_AS": "0904d02000",
    "Latin1_General_100_BIN2": "0904002200", "Latin1_General_100_CI_AS_SC": "0904d02000",
    "Latin1_General_100_CI_AS_SC_UTF8": "0904d02400", "Latin1_General_100_BIN2_UTF8": "0904002600",
    "Japanese_CI_AS": "1104d00000", "Japanese_90_CI_AS": "1104d01000", "Chinese_PRC_CI_AS": "0408d00000",
    "Korean_Wansung_CI_AS": "1204d00000", "Chinese_Taiwan_Stroke_CI_AS": "0404d00000", "Thai_CI_AS": "1e04d00000",
    "Cyrillic_General_CI_AS": "1904d00000", "Greek_CI_AS": "0804d00000", "Turkish_CI_AS": "1f04d00000",
    "Hebrew_CI_AS": "0d04d00000", "Arabic_CI_AS": "0104d00000", "Estonian_CI_AS": "2504d00000",
    "Vietnamese_CI_AS": "2a04d00000", "Polish_CI_AS": "1504d00000", "Czech_CI_AS": "0504d00000",
    "French_CI_AS": "0c04d00000", "Finnish_Swedish_CI_AS": "0b04d00000",
}
BY_NAME = {name.lower(): bytes.fromhex(value) for name, value in COLLATIONS.items()}
NAMES = {bytes.fromhex(value): name for name, value in reversed(COLLATIONS.items())}
DEFAULT_NAME = "SQL_Latin1_General_CP1_CI_AS"
DEFAULT = BY_NAME[DEFAULT_NAME.lower()]


@functools.lru_cache(None)
def code_page(collation):
    """The Python codec of a collation's char bytes."""
    flags = int.from_bytes(collation[:4], "little")
    if flags >> 26 & 1:
        return "utf-8"
    if collation[4]:
        return next((page for page, low, high in SORT_PAGES if low <= collation[4] <= high), "cp1252")
    lcid = flags & 0xFFFF
    return next((page for page, lcids in LCID_PAGES.items() if lcid in lcids), "cp1252")


def escape(text):
    """Text as it is kept: no NUL, no lone surrogate."""
    if not SPECIAL.search(text):
        return text

    def one(match):
        char = match.group()
        if char == "\0":
            return NUL
        if "\ud800" <= char <= "\udfff":
            return chr(SURROGATE + ord(char) - 0xD800)
        return PREFIX + char

    return SPECIAL.sub(one, text)


def unescape(text):
    if not ESCAPED.search(text):
        return text
    out, keep = [], False
    for char in text:
        if keep:
            out.append(char)
            keep = False
        elif char == PREFIX:
            keep = True
        elif char == NUL:
            out.append("\0")
        elif ord(char) >= SURROGATE:
            out.append(chr(0xD800 + ord(char) - SURROGATE))
        else:
            out.append(char)
    return "".join(out)


def from_wide(data):
    return escape(data.decode("utf-16-le", "surrogatepass"))


def to_wide(text):
    return unescape(text).encode("utf-16-le", "surrogatepass")


def from_narrow(data, collation):
    """Bytes of a code page as kept text; what does not come back the same is kept by byte."""
    page = code_page(collation)
    try:
        text = data.decode(page)
        if text.encode(page) == data:
            return escape(text)
    except UnicodeError:
        pass
    return bytewise(data, page)


def bytewise(data, page):
    out, pos = [], 0
    while pos < len(data):
        for size in (1, 2, 3, 4):
            piece = data[pos:pos + size]
            try:
                char = piece.decode(page)
                if char.encode(page) == piece and len(piece) == size:
                    out.append(escape(char))
                    break
            except UnicodeError:
                pass
        else:
            out.append(chr(BYTE + data[pos]))
            size = 1
        pos += size
    return "".join(out)


def to_narrow(text, collation):
    page = code_page(collation)
    if not ESCAPED.search(text):
        return text.encode(page, "replace")
    out, keep = bytearray(), False
    for char in text:
        if not keep and BYTE <= ord(char) < BYTE + 256:
            out.append(ord(char) - BYTE)
        elif not keep and char == PREFIX:
            keep = True
        else:
            plain = char if keep else unescape(char)
            out += plain.encode(page, "replace")
            keep = False
    return bytes(out)


assert all(codecs.lookup(page) for page in LCID_PAGES)
