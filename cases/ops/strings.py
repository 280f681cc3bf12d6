"""tf.strings: what TensorFlow does with bytes, with Unicode text and with numbers written as text.

A TensorFlow string is bytes. Pages that promise something only for valid UTF-8 draw from TEXTS; the others also get
the engine's words with NUL and invalid UTF-8. Results of one more dimension than the input are ragged, except that
those of a scalar are dense. There are no kernels under XLA.
"""

import re

import numpy as np

from tfparity import COMPLEX, FLOATS, INTEGERS, I, Ragged, RaggedValue, S, T, Undefined, each, error, kind, sample

strings = kind("strings")

TEXTS = tuple(text.encode() for text in (
    "", "a", "hello", "Hello World", " padded \t", "a,b,,c", "3.25", "-17", "naïve €uro", "日本語", "🙂 ok", "x" * 70,
    "STRASSE straße", "ΣΑΣ ΟΔΟΣ", "ŒUVRE", "tag <b>bold</b> <br />", "2024-01-31", "\x00nul\x00"))


def texts(*words):
    """A tensor of these strings."""
    return np.array([word if isinstance(word, bytes) else word.encode() for word in words], dtype=object)


def per_string(function, dtype=object):
    """The reference that applies a function to every string of its first argument."""

    def reference(strings, *args, **options):
        out = np.empty(np.shape(strings), dtype)
        for at in np.ndindex(out.shape):
            out[at] = function(strings[at], *args, **options)
        return out

    return reference


def per_string_ragged(function, dtype=object):
    """The reference that makes a list of every string: dense for a scalar, else ragged in the new last dimension."""

    def reference(strings, *args, **options):
        lists = [function(text, *args, **options) for text in np.asarray(strings, object).ravel()]
        values = np.empty(sum(map(len, lists)), dtype)
        values[:] = [item for found in lists for item in found]
        shape = np.shape(strings)
        inner = np.cumsum([0, *map(len, lists)])
        outer = [np.arange(np.prod(shape[:k], dtype=int) + 1) * shape[k] for k in range(1, len(shape))]
        return RaggedValue(values, (*outer, inner)) if shape else values

    return reference


# --- bytes ---------------------------------------------------------------------------------------------------------


def cased(method):
    """A method of bytes when the encoding is empty, of text when it is utf-8."""
    return per_string(
        lambda text, encoding: getattr(text.decode(), method)().encode() if encoding else getattr(text, method)()
    )


def length(text, unit):
    return len(text) if unit == "BYTE" else len(text.decode())


def substr(strings, pos, len, unit):
    """From `pos`, counted from the end when negative, as many of `len` characters as there are."""
    out = np.empty(np.broadcast_shapes(np.shape(strings), np.shape(pos)), object)
    arrays = np.broadcast_arrays(strings, pos, len)
    for at in np.ndindex(out.shape):
        text, start, count = (array[at] for array in arrays)
        text = text if unit == "BYTE" else text.decode()
        if not -text.__len__() <= start <= text.__len__():
            raise ValueError("pos is out of range")
        if start == text.__len__():
            raise Undefined("the page does not say whether the end of a string is in its range")
        start %= text.__len__()
        part = text[start:] if count < 0 else text[start : start + int(count)]
        out[at] = part if unit == "BYTE" else part.encode()
    return out


strings("tf.strings.lower",       cased("lower"), S(values=TEXTS), encoding=each("", "utf-8"))
strings("tf.strings.upper",       cased("upper"), S(values=TEXTS), encoding=each("", "utf-8"))
strings("tf.strings.strip",       per_string(bytes.strip), S())
strings(
    "tf.strings.bytes_split", per_string_ragged(lambda text: [bytes([b]) for b in text]), each(S("n"), S(""), S("a b"))
)


@strings("tf.strings.length", per_string(length, np.int32))
def lengths():
    yield sample(S(), unit="BYTE")
    yield sample(S(values=TEXTS), unit="UTF8_CHAR", name="UTF8_CHAR")


@strings("tf.strings.substr", substr, dtypes=("int32", "int64"), errors=[
    error("beyond",          texts("ten", "eleven"), np.array([1, 7], np.int32), np.array([1, 1], np.int32)),
    error("before",          texts("ten", "eleven"), np.array([-4, 0], np.int32), np.array([1, 1], np.int32)),
    error("different-shape", texts("ten", "eleven"), np.array([1, 1], np.int32), np.array(1, np.int32))])
def substrings():
    words = tuple(text for text in TEXTS if len(text.decode()) > 6)
    for unit in ("BYTE", "UTF8_CHAR"):
        yield sample(S("n", values=words), T("n", within=(-7, 6)), T("n", within=(0, 9)), unit=unit, name=unit)
        yield sample(
            S("m n", values=words), T("n", within=(-7, 6)), T("n", within=(0, 9)), unit=unit, name=f"{unit},wide"
        )
        yield sample(
            S("", values=words), T("n", within=(-7, 6)), T("n", within=(0, 9)), unit=unit, name=f"{unit},one-string"
        )
    yield sample(S("n", values=words), T("n", within=(-7, 6)), T("n", values=[-1]), unit="BYTE", name="negative-len")


# --- joining and splitting -----------------------------------------------------------------------------------------


def join(inputs, separator):
    first, second = inputs
    if () in (first.shape, second.shape) and first.shape != second.shape:
        raise Undefined("the page speaks of tensors of the same shape")
    if first.shape != second.shape:
        raise ValueError("shapes differ")
    return first + separator.encode() + second


def joined(array, separator, axis):
    """The strings of an array joined along one axis."""
    moved = np.moveaxis(array, axis, -1)
    out = np.empty(moved.shape[:-1], object)
    for at in np.ndindex(out.shape):
        out[at] = separator.encode().join(moved[at])
    return out


def reduce_join(inputs, axis, keepdims, separator):
    """Over all axes in row-major order."""
    out = joined(inputs.reshape(-1), separator, 0) if axis is None else joined(inputs, separator, axis)
    every = range(inputs.ndim) if axis is None else axis
    return np.expand_dims(out, tuple(every) if axis is None else every) if keepdims else out


def unsorted_segment_join(inputs, segment_ids, num_segments, separator):
    if len(segment_ids) and not (segment_ids.min() >= 0 and segment_ids.max() < num_segments):
        raise ValueError("a segment id is out of range")
    parts = [joined(inputs[segment_ids == k], separator, 0) for k in range(num_segments)]
    return np.stack(parts) if parts else np.empty((0, *inputs.shape[1:]), object)


def split(text, sep, maxsplit):
    return text.split(sep.encode() if sep else None, maxsplit)


def ngrams(row, ngram_width, separator, pad_values, padding_width, preserve_short_sequences):
    """The n-grams of one row, for every width in turn; a 1-gram is never padded."""
    widths = ngram_width if isinstance(ngram_width, list) else [ngram_width]
    found = []
    for width in widths:
        pads = 0 if pad_values is None or width == 1 else width - 1 if padding_width is None else padding_width
        left, right = pad_values if isinstance(pad_values, tuple) else (pad_values, pad_values)
        words = [left.encode()] * pads + list(row) + [right.encode()] * pads if pads else list(row)
        found += [separator.encode().join(words[k : k + width]) for k in range(len(words) - width + 1)]
    if preserve_short_sequences and not found and len(row):
        found = [separator.encode().join(words)]
    return found


def ngrams_of_rows(data, *args):
    """The result is ragged for ragged rows and dense for dense ones."""
    if isinstance(data, RaggedValue):
        return RaggedValue.of([np.array(ngrams(row, *args), object) for row in data.rows()], object)
    return texts(*ngrams(data, *args))


strings("tf.strings.join", join, [S(), S()], separator=each("", ", "), constants=())
strings("tf.strings.reduce_join", reduce_join, S("a b c"), axis=each(None, 0, -1), keepdims=each(False, True),
        separator=each("", "-"))
strings("tf.strings.unsorted_segment_join", unsorted_segment_join, each(S("n"), S("n k")), I("n", below=4),
        num_segments=4, separator=each("", "-"))

@strings("tf.strings.split", per_string_ragged(split))
def splits():
    for sep in (None, "lo"):
        for maxsplit in (-1, 1, 2):
            yield sample(S("n", values=TEXTS), sep, maxsplit=maxsplit, name=f"{sep},{maxsplit}")
    yield sample(S("", values=TEXTS), ",", maxsplit=-1, name="scalar")
    yield sample(S("a b", values=TEXTS), ",", maxsplit=-1, name="matrix")


@strings("tf.strings.ngrams", ngrams_of_rows, errors=[
    error("width",         texts("a", "b"), 0, " ", None, None, False),
    error("padding-width", texts("a", "b"), 2, " ", ("<", ">"), 0, False),
    error("no-pad-values", texts("a", "b"), 2, " ", None, 1, False)])
def all_ngrams():
    for data, of in ((S("n"), "dense"), (Ragged("n m", dtype="string"), "ragged")):
        yield sample(data, 2, " ", None, None, False, name=of)
        yield sample(data, [1, 3], "", None, None, False, name=f"{of},two-widths")
        yield sample(data, 3, "|", ("<", ">"), None, False, name=f"{of},padded")
        yield sample(data, 3, "|", "_", 1, False, name=f"{of},padded-by-one")
        yield sample(data, 5, " ", None, None, True, name=f"{of},short-kept")


# --- regular expressions -------------------------------------------------------------------------------------------


def pattern_of(pattern):
    """RE2 and Python's re agree on the patterns below; RE2's classes are ASCII."""
    pattern = pattern if isinstance(pattern, str) else pattern.item().decode()
    return re.compile(pattern, re.ASCII)


def regex_full_match(text, pattern):
    return pattern_of(pattern).fullmatch(text.decode()) is not None


def regex_replace(text, pattern, rewrite, replace_global):
    rewrite = rewrite if isinstance(rewrite, str) else rewrite.item().decode()
    return pattern_of(pattern).sub(rewrite, text.decode(), count=0 if replace_global else 1).encode()


strings("tf.strings.regex_full_match", per_string(regex_full_match, bool), S(values=TEXTS),
        each(r"hel+o.*", r"[a-z]*", r"-?\d+(\.\d+)?", r"(?i)HELLO|.{3}", S("", values=[rb"[a-z]*"])),
        errors=[error("no-pattern", texts("a"), "a(b")])


@strings(
    "tf.strings.regex_replace", per_string(regex_replace), errors=[error("no-pattern", texts("a"), "a(b", "", True)]
)
def replacements():
    for replace_global in (True, False):
        yield sample(S(values=TEXTS), r"<[^>]+>|l", "", replace_global, name=f"removed,{replace_global}")
        yield sample(S(values=TEXTS), r"(\w)(\w)", r"<\2\1>", replace_global, name=f"groups,{replace_global}")
    yield sample(S(values=TEXTS), S("", values=[rb"[aeiou]"]), S("", values=["é".encode()]), True, name="tensors")


# --- Unicode -------------------------------------------------------------------------------------------------------

REPLACEMENT = 0xFFFD
UTF16 = tuple(text.decode().encode("utf-16-be") for text in TEXTS)


def characters(text, encoding, errors, replacement):
    """Pairs of a character and the byte where it starts. Every illegal piece is one replacement, or nothing."""
    found, at = [], 0
    while at < len(text):
        try:
            good, bad, end = text[at:].decode(encoding), None, len(text)
        except UnicodeDecodeError as problem:
            if errors == "strict":
                raise
            good, bad, end = text[at : at + problem.start].decode(encoding), at + problem.start, at + problem.end
        for character in good:
            found.append((character, at))
            at += len(character.encode(encoding))
        if bad is not None and errors == "replace":
            found.append((chr(replacement), bad))
        at = end
    return found


def without_control(found, replacement, replaced):
    return [(chr(replacement) if replaced and c < " " else c, at) for c, at in found]


def code_points(text, encoding, errors="replace", replacement_char=REPLACEMENT, replace_control_characters=False):
    found = without_control(
        characters(text, encoding, errors, replacement_char), replacement_char, replace_control_characters
    )
    return [ord(c) for c, _ in found]


def pieces(text, encoding, errors="replace", replacement_char=REPLACEMENT):
    return [c.encode(encoding) for c, _ in characters(text, encoding, errors, replacement_char)]


def offsets(text, encoding, errors="replace", replacement_char=REPLACEMENT, replace_control_characters=False):
    return [at for _, at in characters(text, encoding, errors, replacement_char)]


def with_offsets(function, dtype):
    first, second = per_string_ragged(function, dtype), per_string_ragged(offsets, np.int64)
    return lambda *args, **options: (first(*args, **options), second(*args, **options))


def transcode(text, source, target, errors="replace", replacement_char=REPLACEMENT, replace_control_characters=False):
    points = code_points(text, source, errors, replacement_char, replace_control_characters)
    return "".join(map(chr, points)).encode(target)


def encode(points, output_encoding, errors="replace", replacement_char=REPLACEMENT):
    """One row of code points as text; what is no Unicode scalar value is replaced, dropped or refused."""
    kept = []
    for point in map(int, points):
        if 0 <= point <= 0x10FFFF and not 0xD800 <= point < 0xE000:
            kept.append(point)
        elif errors == "strict":
            raise ValueError(f"{point} is no scalar value")
        elif errors == "replace":
            kept.append(replacement_char)
    return "".join(map(chr, kept)).encode(output_encoding)


def encode_rows(rows, *args, **options):
    rows = rows.rows() if isinstance(rows, RaggedValue) else rows
    return texts(*(encode(row, *args, **options) for row in rows))


# Script codes by ICU's uscript.h.
SCRIPTS = {0x20: 0, 0x31: 0, 0x627: 2, 0x416: 8, 0x3B1: 14, 0x4E00: 17, 0x5D0: 19, 0x3042: 20, 0x30A2: 22, 0x41: 25,
           0x7A: 25, 0xE9: 25, 0x301: 1, -1: -1, 0x110000: -1, -(2**31): -1, 2**31 - 1: -1}


def encodings(control=False):
    """Every rank, invalid UTF-8 by every policy, and UTF-16."""
    yield sample(S("n"), "UTF-8")
    yield sample(S(""), "UTF-8", name="scalar")
    yield sample(S("a b"), "UTF-8", name="matrix")
    yield sample(S("n"), "UTF-8", errors="ignore", name="ignore")
    yield sample(S("n"), "UTF-8", errors="replace", replacement_char=0x20AC, name="replace")
    yield sample(S("n", values=TEXTS), "UTF-8", errors="strict", name="strict")
    yield sample(S("n", values=UTF16), "UTF-16-BE", name="UTF-16")
    if control:
        yield sample(S("n"), "UTF-8", replace_control_characters=True, name="control")


INVALID = [error("invalid", texts(b"\xff\xfe"), "UTF-8", errors="strict")]

strings("tf.strings.unicode_decode_with_offsets", with_offsets(code_points, np.int32), errors=INVALID)(
    lambda: encodings(control=True))
strings("tf.strings.unicode_split", per_string_ragged(pieces), errors=INVALID)(encodings)
strings("tf.strings.unicode_split_with_offsets", with_offsets(pieces, object), errors=INVALID)(encodings)


@strings("tf.strings.unicode_decode", per_string_ragged(code_points, np.int32), errors=INVALID)
def decoding():
    yield from encodings()
    yield sample(S("n"), "UTF-8", replace_control_characters=True, name="control")


@strings("tf.strings.unicode_encode", encode_rows,
         errors=[error("invalid", np.array([[65, 0xD800]], np.int32), "UTF-8", "strict")])
def encoding():
    for target in ("UTF-8", "UTF-16-BE", "UTF-32-BE"):
        yield sample(T("n m", dtype="int32", domain=(1, 0x2FFFF)), target, name=target)
        yield sample(Ragged("n m", dtype="int32", domain=(1, 0x2FFFF)), target, name=f"ragged,{target}")
    yield sample(T("n m", dtype="int32", domain=(1, 0x2FFFF)), "UTF-8", "ignore", name="ignore")
    yield sample(T("n m", dtype="int32", domain=(1, 0x2FFFF)), "UTF-8", "replace", 63, name="replace")


@strings("tf.strings.unicode_transcode", per_string(transcode),
         errors=[error("invalid", texts(b"\xff\xfe"), "UTF-8", "UTF-8", errors="strict")])
def transcoding():
    for target in ("UTF-8", "UTF-16-BE", "UTF-32-BE"):
        yield sample(S(), "UTF-8", target, name=target)
    yield sample(S(values=UTF16), "UTF-16-BE", "UTF-8", name="from-UTF-16")
    yield sample(S(), "UTF-8", "UTF-8", errors="ignore", name="ignore")
    yield sample(S(), "UTF-8", "UTF-8", replacement_char=32, replace_control_characters=True, name="control")


strings("tf.strings.unicode_script", np.vectorize(SCRIPTS.get, otypes=[np.int32]), T(dtype="int32", values=SCRIPTS))

# --- numbers and text ----------------------------------------------------------------------------------------------


def as_string(numbers, precision, scientific, shortest, width, fill):
    """The conversions of C's printf; `width` is that of the digits before the point."""
    family = numbers.dtype.kind
    if (
        family == "c"
        or (family != "f" and (precision > -1 or scientific or shortest))
        or (family == "b" and width > -1)
    ):
        raise Undefined("the page gives these numbers no form, or speaks of these options for others")
    conversion = "d" if family in "iu" else "g" if shortest else "e" if scientific else "f"

    def text(value):
        if family == "b":
            return b"true" if value else b"false"
        digits = f"%.{precision}{conversion}" % value if precision > -1 else f"%{conversion}" % value
        before, point, after = digits.partition(".")
        return ((before.zfill(width) if fill == "0" else before.rjust(width)) + point + after).encode()

    return per_string(text)(numbers)


def to_number(strings, out_type):
    """Floats are rounded; a whole number that the type cannot hold is an error."""
    read = float if np.dtype(out_type).kind == "f" else int
    return np.array([read(text) for text in strings.ravel()], out_type).reshape(strings.shape)


def formatted(template, inputs, placeholder, summarize):
    """The placeholders replaced in turn; of a long vector only the first and last entries."""
    if template.count(placeholder) != len(inputs):
        raise ValueError("as many placeholders as inputs")
    for vector in inputs:
        words = [str(item) for item in vector]
        if 0 < 2 * summarize < len(words):
            words = [*words[:summarize], "...", *words[-summarize:]]
        template = template.replace(placeholder, f"[{' '.join(words)}]", 1)
    return texts(template)[0]


@strings("tf.strings.as_string", as_string, dtypes=(*FLOATS, *COMPLEX, *INTEGERS, "bool"))
def as_strings():
    yield sample(T(), -1, False, False, -1, "")
    yield sample(T(), 3, False, False, -1, "", name="precision=3")
    yield sample(T(), -1, True, False, -1, "", name="scientific")
    yield sample(T(), -1, False, True, -1, "", name="shortest")
    yield sample(T(), -1, False, False, 6, "", name="width=6")
    yield sample(T(), -1, False, False, 12, "0", name="width=12,fill=0")


NUMBERS = {
    np.float32: ("0", "1.55", "-17", "-0.0", "+3", ".5", "0012", "1e-3", "3.4028236e38", "1e39", "1e-46", "inf", "nan"),
    np.float64: ("0", "1.55", "-17", "-0.0", "+3", ".5", "0012", "1e-3", "0.1", "1e309", "1e-400", "inf", "nan"),
    np.int32:   ("0", "1", "-17", "+3", "0012", "2147483647", "-2147483648"),
    np.int64:   ("0", "1", "-17", "+3", "0012", "9223372036854775807", "-9223372036854775808"),
    np.uint32:  ("0", "1", "17", "+3", "0012", "4294967295"),
    np.uint64:  ("0", "1", "17", "+3", "0012", "18446744073709551615"),
}


@strings("tf.strings.to_number", to_number, errors=[
    error("word",     texts("three"), out_type=np.float32),
    error("overflow", texts(str(2**31)), out_type=np.int32),
    error("fraction", texts("1.5"), out_type=np.int32)])
def numbers():
    for out_type, words in NUMBERS.items():
        yield sample(S(values=texts(*words)), out_type=out_type, name=out_type.__name__)


@strings("tf.strings.format", formatted, dtypes=INTEGERS,
         errors=[error("too-few", "only {}", [np.arange(3), np.arange(4)])])
def formats():
    vectors = [T("5"), T("9")]
    for summarize in (3, 1, -1):
        yield sample("first {}, then {}", vectors, placeholder="{}", summarize=summarize)
    yield sample("{} first %s, then %s", vectors, placeholder="%s", summarize=3)


# --- hashing -------------------------------------------------------------------------------------------------------


def bucketed(found, strings, num_buckets, *key):
    """Buckets exist, and equal strings share one."""
    where = dict(zip(strings.ravel(), found.ravel(), strict=True))
    return [(np.array([where[text] for text in strings.ravel()], np.int64), found.ravel()),
            (np.clip(found, 0, num_buckets - 1), found)]


def documented(**buckets):
    """The page's own example; it does not define the function otherwise."""

    def bucket(text, *args):
        if text.decode(errors="replace") not in buckets or args[0] != 3:
            raise Undefined("the page does not define the function")
        return buckets[text.decode()]

    return per_string(bucket, np.int64)


FAST   = documented(**{"Hello": 0, "TensorFlow": 2, "2.x": 2})
ANY    = documented(**{"Hello": 2, "TensorFlow": 0, "2.x": 1})
STRONG = documented(**{"Hello": 2, "TF": 0})
NO_BUCKETS = error("no-buckets", texts("a"), 0)

strings(
    "tf.strings.to_hash_bucket_fast",
    FAST,
    each(S(values=texts("Hello", "TensorFlow", "2.x")), S("n")),
    each(3, 1000),
    invariant=bucketed,
    errors=[NO_BUCKETS],
)
strings("tf.strings.to_hash_bucket", ANY, each(S(values=texts("Hello", "TensorFlow", "2.x")), S("n")), each(3, 1000),
        invariant=bucketed, errors=[NO_BUCKETS])
strings("tf.strings.to_hash_bucket_strong", STRONG, each(S(values=texts("Hello", "TF")), S("n")), each(3, 1000), [1, 2],
        invariant=bucketed, errors=[error("no-buckets", texts("a"), 0, [1, 2])])
