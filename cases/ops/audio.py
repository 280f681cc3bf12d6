"""tf.audio: decoding and encoding WAV files with 16-bit samples; the function `wav` below writes the files.

The page of tf.audio.decode_wav scales -32768..32767 to -1..1: a factor of 32768. A file holds integers, so decoding is
exact and encoding rounds.
"""

import struct

import numpy as np

from tfparity import S, T, Undefined, each, error, kind, sample

parsing = kind("parsing and io")


def wav(samples, rate):
    """The bytes of a WAV file that holds integer samples of shape (length, channels)."""
    data, channels = samples.astype("<i2").tobytes(), samples.shape[1]
    form = struct.pack("<IHHIIHH", 16, 1, channels, rate, 2 * rate * channels, 2 * channels, 16)
    return (b"RIFF" + struct.pack("<I", 36 + len(data)) + b"WAVEfmt " + form
            + b"data" + struct.pack("<I", len(data)) + data)


def decode_wav(contents, desired_channels=-1, desired_samples=-1):
    """Extra channels are dropped, and the last one is copied for missing ones; extra samples are dropped, and missing
    ones are zero."""
    found, rate = SOUND_OF[contents.item()]
    channels = found.shape[1] if desired_channels < 0 else desired_channels
    found = found[:, np.minimum(np.arange(channels), found.shape[1] - 1)]
    length = len(found) if desired_samples < 0 else desired_samples
    found = np.pad(found[:length], [(0, max(0, length - len(found))), (0, 0)])
    return (found / 32768).astype(np.float32), np.int32(rate)


def encode_wav(audio, sample_rate):
    if np.isnan(audio).any():
        raise Undefined("the documentation gives no encoding for NaN")
    if not audio.shape[1]:
        raise ValueError("no channel")
    level = audio * 32768
    nearest = np.trunc(level + np.copysign(0.5, level))       # how halves round is undocumented: here as C's round()
    return wav(np.clip(nearest, -32768, 32767), int(sample_rate))


MONO = np.array([[0], [1], [-1], [32767], [-32768], [12345]])
STEREO = np.random.default_rng(7).integers(-32768, 32768, (7, 2))
SOUND_OF = {wav(samples, rate): (samples, rate) for samples, rate in ((MONO, 8000), (STEREO, 44100))}
FILE = np.array(wav(STEREO, 44100), object)

parsing("tf.audio.decode_wav", decode_wav, S("", values=SOUND_OF), desired_channels=each(-1, 1, 2),
        desired_samples=each(-1, 4, 9), errors=[
            error("no-wav", np.array(b"hello", object)), error("truncated", np.array(FILE.item()[:50], object)),
            error("8-bits", np.array(FILE.item().replace(b"\x04\x00\x10\x00", b"\x04\x00\x08\x00", 1), object))])


@parsing("tf.audio.encode_wav", encode_wav, errors=[error("rank", np.zeros(3, np.float32), np.int32(8000))])
def encode():
    for rate in (44100, 8000):
        yield sample(T("n c", dtype="float32", domain=(-1.5, 1.5)), np.int32(rate), name=f"rate={rate}")
