"""tf.io: bytes to tensors and back.

The bytes to be parsed are encoded by the short functions below, not by TensorFlow, so that parsing is checked against
the format itself. Where a page does not promise the bytes, only that another op reads them, both ops are run one
after the other. The few ops that read and write files do so in a temporary folder.
"""

import base64
import csv
import fnmatch
import gzip
import json
import struct
import tempfile
import zlib
from functools import lru_cache, partial
from pathlib import Path

import numpy as np

from tfparity import DTYPE, I, RaggedValue, S, Sparse, SparseValue, T, each, error, kind, program, sample, tf

parsing = kind("parsing and io")


def texts(*words):
    return np.array([word if isinstance(word, bytes) else word.encode() for word in words], dtype=object)


def per_string(function):
    """A reference that applies a function to every string of its first argument."""

    def reference(strings, *args, **options):
        out = np.empty(np.shape(strings), object)
        for at in np.ndindex(out.shape):
            out[at] = function(strings[at], *args, **options)
        return out

    return reference


# --- raw bytes, base64, compression --------------------------------------------------------------------------------

PLAIN = tuple(texts("", "a", "ab", "abc", b"\x00\xff\xfe\xfd", "naïve €uro", "x" * 300, b"\xfb\xef\xbe"))
WORDS_OF_16 = tuple(
    texts("0123456789abcdef", bytes(range(16)), b"\xff" * 16, b"\x00" * 15 + b"\x80", "zyxwvutsrqponmlk")
)
WORDS = tuple(texts("", "0123456789abcdef", "four", "a long string of more than sixteen"))


def decode_raw(strings, out_type, little_endian=True, fixed_length=None):
    """The bytes of every string as numbers; with a fixed length, strings are first cut or padded with zeros to it."""
    if fixed_length is None and len({len(text) for text in strings.ravel()}) > 1:
        raise ValueError("strings differ in length")
    dtype = np.dtype(out_type)
    length = fixed_length or (len(strings.ravel()[0]) if strings.size else 0)
    if length % dtype.itemsize:
        raise ValueError("the length is no multiple of the size")
    flat = b"".join(text[:length].ljust(length, b"\0") for text in strings.ravel())
    found = np.frombuffer(flat, dtype.newbyteorder("<" if little_endian else ">")).astype(dtype)
    return found.reshape(*strings.shape, length // dtype.itemsize if strings.size else 0)


def encode_base64(text, pad):
    found = base64.urlsafe_b64encode(text)
    return found if pad else found.rstrip(b"=")


def decode_base64(text):
    if not set(text.rstrip(b"=")) <= set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"):
        raise ValueError("not web-safe base64")
    return base64.urlsafe_b64decode(text.rstrip(b"=") + b"=" * (-len(text.rstrip(b"=")) % 4))


COMPRESSED = {
    "": PLAIN,
    "ZLIB": tuple(map(zlib.compress, PLAIN)),
    "GZIP": tuple(gzip.compress(p, mtime=0) for p in PLAIN),
}
DECOMPRESS = {"": bytes, "ZLIB": zlib.decompress, "GZIP": gzip.decompress}


@parsing("tf.io.decode_raw", decode_raw, errors=[
    error("lengths", texts("12345678", "1234"), out_type=np.int16),
    error("size",    texts("12345"), out_type=np.int16),
    error("fixed",   texts("12345"), out_type=np.int16, fixed_length=3)],
    dtypes=("float16", "float32", "float64", "int32", "uint16", "uint8", "int16", "int8", "int64"))
def raw():
    for little_endian in (True, False):
        yield sample(S("n", values=WORDS_OF_16), out_type=DTYPE, little_endian=little_endian)
        yield sample(S("a b", values=WORDS), out_type=DTYPE, little_endian=little_endian, fixed_length=24)


@parsing("tf.io.decode_compressed", per_string(lambda text, compression_type: DECOMPRESS[compression_type](text)),
         errors=[error("plain", texts("not compressed"), compression_type="ZLIB")])
def compressed():
    for compression_type, values in COMPRESSED.items():
        yield sample(S(values=values), compression_type=compression_type, name=compression_type or "none")


parsing("tf.io.encode_base64", per_string(encode_base64), S(), pad=each(False, True))
parsing(
    "tf.io.decode_base64",
    per_string(decode_base64),
    S(values=[encode_base64(p, pad) for p in PLAIN for pad in (True, False)]),
    errors=[error("alphabet", texts("ab+/")), error("length", texts("abcde"))],
)

# --- CSV -----------------------------------------------------------------------------------------------------------

DEFAULTS = [[7], [0.5], ["none"]]
ROWS = tuple(texts("1,2.5,x", "-3,1e3,", ",,", ' 4 , 0.25 ,"a,b"', '5,-1,"say ""so"""', "2147483647,inf,é"))


def decode_csv(records, record_defaults, field_delim=",", use_quote_delim=True, na_value="", select_cols=None):
    """One array per column; a field that is empty or equal to `na_value` gets the default of its column."""
    columns = [[] for _ in record_defaults]
    for record in records.ravel():
        quoting = csv.QUOTE_MINIMAL if use_quote_delim else csv.QUOTE_NONE
        row = next(csv.reader([record.decode()], delimiter=field_delim, quoting=quoting))
        row = row if select_cols is None else [row[k] for k in select_cols]
        if len(row) != len(record_defaults):
            raise ValueError("as many fields as defaults")
        for column, field, (default,) in zip(columns, row, record_defaults, strict=True):
            missing = field in ("", na_value)
            column.append(default if missing else type(default)(field))
    kinds = {int: np.int32, float: np.float32, str: object}
    return [(texts(*column) if kinds[type(d)] is object else np.array(column, kinds[type(d)])).reshape(records.shape)
            for column, (d,) in zip(columns, record_defaults, strict=True)]


@parsing("tf.io.decode_csv", decode_csv, errors=[
    error("fields", texts("1,2.5")), error("number", texts("one,2.5,x")), error("overflow", texts("2147483648,1,x"))])
def tables():
    yield sample(S("n", values=ROWS), DEFAULTS)
    yield sample(S("a b", values=ROWS), DEFAULTS, name="matrix")
    yield sample(S("n", values=texts("1;2.5;x", "NA;NA;NA")), DEFAULTS, field_delim=";", na_value="NA", name="NA")
    yield sample(
        S("n", values=texts("1,2.5,x,9", "2,8,y,9")), [DEFAULTS[0], DEFAULTS[2]], select_cols=[0, 2], name="select"
    )
    yield sample(S("n", values=texts('1,2.5,"x"', '2,8,y"')), DEFAULTS, use_quote_delim=False, name="quotes")


# --- protocol buffers ----------------------------------------------------------------------------------------------


def varint(number):
    number &= 2**64 - 1
    out = b""
    while number > 127:
        out, number = out + bytes([number & 127 | 128]), number >> 7
    return out + bytes([number])


def nested(number, content):
    """A length-delimited field, which holds bytes or a message."""
    return varint(number << 3 | 2) + varint(len(content)) + content


def feature(values):
    """The bytes of a tf.train.Feature: strings are field 1, floats field 2 and integers field 3; numbers are packed."""
    if not values:
        return b""
    if isinstance(values[0], bytes):
        return nested(1, b"".join(nested(1, value) for value in values))
    if isinstance(values[0], float):
        return nested(2, nested(1, struct.pack(f"<{len(values)}f", *values)))
    return nested(3, nested(1, b"".join(map(varint, values))))


def entries(items, encode):
    return b"".join(nested(1, nested(1, key.encode()) + nested(2, encode(value))) for key, value in items.items())


def example(**features):
    return nested(1, entries(features, feature))


def sequence_example(context, lists):
    """The bytes of a SequenceExample: features of the whole sequence, then lists with one feature per frame."""
    frames = entries(lists, lambda steps: b"".join(nested(1, feature(step)) for step in steps))
    return nested(1, entries(context, feature)) + nested(2, frames)


EXAMPLES = [
    {
        "age": [3],
        "size": [1.5, -2.0],
        "words": [b"knit", b"big"],
        "at": [3, 5],
        "weight": [0.5, -1.0],
        "tags": [b"x", b"y"],
    },
    {"age": [-1], "size": [0.0, 1e10], "words": [], "at": [], "weight": []},
    {"age": [2**62], "size": [0.25, 8.0], "words": [b"\xff\x00emmy"], "at": [0], "weight": [2.0], "tags": [b"z"]},
    {"size": [7.0, 7.0], "words": [b"", b"a", b"b"]},
]
EXAMPLE_OF = {example(**e): e for e in EXAMPLES}


def features():
    return {
        "age": tf.io.FixedLenFeature([], tf.int64, default_value=-9),
        "size": tf.io.FixedLenFeature([2], tf.float32),
        "words": tf.io.VarLenFeature(tf.string),
        "list": tf.io.RaggedFeature(tf.string, value_key="tags", row_splits_dtype=tf.int64),
        "places": tf.io.SparseFeature("at", "weight", tf.float32, 10),
    }


def rows_of(lists, dtype):
    """Lists of different lengths as the rows of a sparse matrix."""
    indices = [(row, k) for row, found in enumerate(lists) for k in range(len(found))]
    values = np.empty(len(indices), dtype)
    values[:] = [item for found in lists for item in found]
    return SparseValue(
        np.array(indices, np.int64).reshape(-1, 2), values, np.array([len(lists), max(map(len, lists), default=0)])
    )


def parse_example(serialized):
    found = [EXAMPLE_OF[text] for text in serialized]
    words = [e.get("words", []) for e in found]
    places = [
        (row, at, w) for row, e in enumerate(found) for at, w in zip(e.get("at", []), e.get("weight", []), strict=True)
    ]
    return {
        "age": np.array([e.get("age", [-9])[0] for e in found], np.int64),
        "size": np.array([e["size"] for e in found], np.float32).reshape(-1, 2),
        "words": rows_of(words, object),
        "list": RaggedValue.of([np.array(e.get("tags", []), object) for e in found], object),
        "places": SparseValue(np.array([p[:2] for p in places], np.int64).reshape(-1, 2),
                              np.array([p[2] for p in places], np.float32), np.array([len(found), 10])),
    }


def parse_single_example(serialized):
    """The result for a batch of one example, without the batch dimension."""
    found = parse_example(serialized.reshape(1))
    return {
        "age": found["age"][0],
        "size": found["size"][0],
        **{
            key: SparseValue(found[key].indices[:, 1:], found[key].values, found[key].dense_shape[1:])
            for key in ("words", "places")
        },
    }


def single_features():
    return {key: value for key, value in features().items() if key != "list"}


SEQUENCES = [({"label": [1]}, {"frames": [[1.0, 2.0], [3.0, 4.0]], "tokens": [[b"a"], [b"b", b"c"], []]}),
             ({"label": [-5]}, {"frames": [[5.0, 6.0]], "tokens": []}),
             ({"label": [0]}, {"frames": [], "tokens": [[b"d"]]})]
SEQUENCE_OF = {sequence_example(*s): s for s in SEQUENCES}


def sequence_features():
    return ({"label": tf.io.FixedLenFeature([], tf.int64)},
            {"frames": tf.io.FixedLenSequenceFeature([2], tf.float32), "tokens": tf.io.VarLenFeature(tf.string)})


def parse_single_sequence_example(serialized):
    context, lists = SEQUENCE_OF[serialized.item()]
    return (
        {"label": np.int64(context["label"][0])},
        {"frames": np.array(lists["frames"], np.float32).reshape(-1, 2), "tokens": rows_of(lists["tokens"], object)},
    )


def parse_sequence_example(serialized):
    """Shorter sequences are padded with zeros; the third result holds the lengths."""
    found = [SEQUENCE_OF[text] for text in serialized]
    frames, tokens = ([lists[key] for _, lists in found] for key in ("frames", "tokens"))
    padded = np.zeros((len(found), max(map(len, frames), default=0), 2), np.float32)
    for row, steps in enumerate(frames):
        padded[row, : len(steps)] = np.reshape(steps, (-1, 2))
    at = [(row, t, k) for row, steps in enumerate(tokens) for t, step in enumerate(steps) for k in range(len(step))]
    shape = [len(found), max(map(len, tokens), default=0), max((len(s) for steps in tokens for s in steps), default=0)]
    values = np.empty(len(at), object)
    values[:] = [tokens[row][t][k] for row, t, k in at]
    return ({"label": np.array([c["label"][0] for c, _ in found], np.int64)},
            {"frames": padded, "tokens": SparseValue(np.array(at, np.int64).reshape(-1, 3), values, np.array(shape))},
            {"frames": np.array([len(f) for f in frames], np.int64)})


BROKEN = error("broken", texts(b"\x0a\xff"))

parsing(
    "tf.io.parse_example", parse_example, S("n", values=EXAMPLE_OF), call=lambda f, x: f(x, features()), errors=[BROKEN]
)
parsing(
    "tf.io.parse_single_example",
    parse_single_example,
    S("", values=EXAMPLE_OF),
    call=lambda f, x: f(x, single_features()),
    errors=[error("broken", texts(b"\x0a\xff")[0])],
)
parsing("tf.io.parse_sequence_example", parse_sequence_example, S("n", values=SEQUENCE_OF), errors=[BROKEN],
        call=lambda f, x: f(x, *sequence_features()))
parsing("tf.io.parse_single_sequence_example", parse_single_sequence_example, S("", values=SEQUENCE_OF),
        call=lambda f, x: f(x, *sequence_features()))

JSON = {json.dumps({"features": {"feature": {"k": {name: {"value": written}}}}}).encode(): values
        for name, written, values in (("int64List", ["1", "-1", 3], [1, -1, 3]), ("int64List", [], []),
                                      ("int64List", ["9223372036854775807"], [2**63 - 1]))}


def decode_json_example(texts):
    return {"k": rows_of([JSON[text] for text in texts], np.int64)}


DIMS = {nested(2, name) + varint(1 << 3) + varint(size): (name, size)
        for name, size in ((b"width", 3), (b"unknown", -1), (b"", 2**40))}


def decode_proto(messages, *_):
    """The counts of the values of each field, then one array per field, whose last dimension is for repeated values."""
    found = [DIMS[text] for text in messages]
    return (np.ones((len(found), 2), np.int32), [np.array([[size] for _, size in found], np.int64).reshape(-1, 1),
                                                 np.array([[name] for name, _ in found], object).reshape(-1, 1)])


def encode_proto(sizes, values, field_names, message_type):
    """One message per row, with its fields in the order of their numbers; `sizes` counts the values of each field."""
    if message_type == "tensorflow.Int64List":
        return texts(*(nested(1, b"".join(map(varint, row[:count]))) if count else b""
                       for (count,), row in zip(sizes.tolist(), values[0].tolist(), strict=True)))
    rows = zip(sizes.tolist(), *(v.tolist() for v in values), strict=True)
    return texts(*((varint(1 << 3) + varint(size)) * has_size + nested(2, name) * has_name
                   for (has_size, has_name), (size,), (name,) in rows))


ONE_DIM = [np.ones((1, 1), np.int64), np.array([[b"a"]], object)]


@parsing("tf.io.encode_proto", encode_proto, empty=False, errors=[
    error("no-field", np.ones((1, 2), np.int32), ONE_DIM, field_names=["no", "name"]),
    error("dtype", np.ones((1, 2), np.int32), ONE_DIM[::-1]),
    error("too-few", np.full((1, 2), 2, np.int32), ONE_DIM)])
def messages():
    yield sample(I("n 2", within=(0, 1)), [I("n 1", dtype="int64"), S("n 1", values=["", "a", "é width"])],
                 field_names=["size", "name"], message_type="tensorflow.TensorShapeProto.Dim", name="single")
    yield sample(I("n 1", within=(0, 3)), [I("n 3", dtype="int64")], field_names=["value"],
                 message_type="tensorflow.Int64List", name="repeated")


parsing("tf.io.decode_json_example", decode_json_example, S("n", values=JSON), errors=[error("no-json", texts("{"))],
        call=lambda f, x: tf.io.parse_example(f(x), {"k": tf.io.VarLenFeature(tf.int64)}))
parsing("tf.io.decode_proto", decode_proto, S("n", values=DIMS), "tensorflow.TensorShapeProto.Dim", ["size", "name"],
        call=lambda f, x, message, fields: f(x, message, fields, [tf.int64, tf.string]), empty=False,
        errors=[error("broken", texts(b"\x0a\xff"))])

# --- tensors as bytes ----------------------------------------------------------------------------------------------


def tensor_proto(values):
    """The bytes of a TensorProto of int32: its type (the number 3), its shape and its content."""
    shape = b"".join(nested(2, varint(1 << 3) + varint(n)) for n in values.shape)
    return varint(1 << 3) + varint(3) + nested(2, shape) + nested(4, values.astype("<i4").tobytes())


TENSORS = {
    tensor_proto(a): a for a in (np.arange(6, dtype=np.int32).reshape(2, 3), np.array([[7, -1, 2**31 - 1]], np.int32))
}


def deserialized(serialized, dtype):
    """The deserialized tensor; only the raw op reads a tensor that was serialized as a variant."""
    if serialized.dtype == tf.string:
        return tf.io.deserialize_many_sparse(serialized, dtype)
    return tf.SparseTensor(*tf.raw_ops.DeserializeSparse(serialized_sparse=serialized, dtype=dtype))


def serialize_sparse(x, **form):
    """The tensor as it is read back, a minibatch of one."""
    return SparseValue(np.insert(x.indices, 0, 0, axis=1), x.values, np.insert(x.dense_shape, 0, 1))


def deserialize_many_sparse(a, b, rank):
    indices = [np.insert(x.indices, 0, row, axis=1) for row, x in enumerate((a, b))]
    shape = np.array([2, *np.maximum(a.dense_shape, b.dense_shape)])
    return SparseValue(np.concatenate(indices), np.concatenate([a.values, b.values]), shape)


parsing("tf.io.parse_tensor", lambda text, out_type: TENSORS[text.item()], S("", values=TENSORS), out_type=np.int32,
        errors=[error("broken", texts(b"\x0a\xff")[0]), error("dtype", out_type=np.float32)])
parsing("tf.io.serialize_tensor", lambda x: x, T("m n"), call=lambda f, x: tf.io.parse_tensor(f(x), x.dtype))
parsing("tf.io.serialize_many_sparse", lambda x, **form: x,
        call=lambda f, x, **form: deserialized(f(x, **form), x.dtype))(
            lambda: (sample(Sparse("n k")), sample(Sparse("n k"), out_type="variant")))
parsing("tf.io.serialize_sparse", serialize_sparse,
        call=lambda f, x, **form: deserialized(f(x, **form)[None], x.dtype))(
            lambda: (sample(Sparse("m n")), sample(Sparse("m n"), out_type="variant")))
parsing("tf.io.deserialize_many_sparse", deserialize_many_sparse, Sparse("m n"), Sparse("p q"), rank=each(None, 2),
        call=lambda f, a, b, rank: f(tf.stack([tf.io.serialize_sparse(a), tf.io.serialize_sparse(b)]), a.dtype, rank))

# --- files ---------------------------------------------------------------------------------------------------------

NAMES = ("a.txt", "b.txt", "c.dat", "ab.txt")


@lru_cache(maxsize=1)
def scratch():
    """A folder with one file per name, whose content is its name. It exists as long as the process, because traces,
    which contain its path, exist as long."""
    folder = tempfile.TemporaryDirectory(prefix="tfparity-")
    for name in NAMES:
        (Path(folder.name) / name).write_bytes(name.encode())
    return folder


def here(path):
    return tf.strings.join([scratch().name, "/", path])


def write(f, name, contents):
    """The contents of a file after the op has written it, into a folder that the op must make."""
    done = f(here(tf.strings.join(["sub/", name])), contents)
    with tf.control_dependencies([] if done is None else [done]):
        return tf.io.read_file(here(tf.strings.join(["sub/", name])))


def without_folder(paths):
    return tf.strings.regex_replace(paths, ".*/", "")


def contents_of(name):
    if name.item().decode() not in NAMES:
        raise FileNotFoundError(name.item())
    return name


def matching(patterns):
    """The names that match a pattern, each once, in the order of their bytes."""
    globs = [pattern.decode() for pattern in np.ravel(patterns)]
    return texts(*sorted({name for glob in globs for name in fnmatch.filter(NAMES, glob)}))


file = partial(parsing, timed=False)

file("tf.io.read_file", contents_of, S("", values=[*NAMES, "none"]), call=lambda f, name: f(here(name)))
file("tf.io.write_file", lambda name, contents: contents, S("", values=NAMES), S(""), call=write)
file("tf.io.match_filenames_once", lambda: matching([b"*.txt"]),
     state=lambda: tf.io.match_filenames_once(f"{scratch().name}/*.txt"),
     call=lambda f, found: without_folder(found.read_value()))


@program("program.read_after_write", S(""), kind="parsing and io", reference=lambda contents: contents)
def read_after_write(contents):
    """A file at a constant path is written, then read: automatic control dependencies promise this order."""
    path = f"{scratch().name}/rewritten"
    tf.io.write_file(path, contents)
    return tf.io.read_file(path)


@file("tf.io.matching_files", matching, canonical=np.sort, call=lambda f, patterns: without_folder(f(here(patterns))))
def patterns():
    yield sample(texts("*.txt")[0], name="one")
    yield sample(texts("c*", "b.t?t"), name="two")
    yield sample(texts("none"), name="none")
    yield sample(texts("*.txt", "a*"), name="overlapping")
