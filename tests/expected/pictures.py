"""Pictures as Pillow decodes them, and what torchvision's transforms make of tensors.

    python3 pictures.py

needs torch, torchvision, pillow and numpy. Writes pictures/ (small files of every form that is read, and archives of arrays) and
pictures.json: "decoded", the samples of each file as RGB, channels first; "transforms", of the picture that picture() draws.
"""
import io
import json
import pathlib
import zipfile

import numpy
import torch
import torch.nn.functional as F
from PIL import Image
from torchvision import transforms as T
from torchvision.transforms import functional as TF

here = pathlib.Path(__file__).resolve().parent
folder = here / "pictures"


def picture(channels, height, width):
    """As the test draws it: whole 255ths, so that it is the same in f32."""
    i = torch.arange(channels * height * width)
    return ((i * i * 7 + i * 31) % 256).reshape(channels, height, width).float() / 255


def drawn(mode, height, width, smooth):
    rows, columns = numpy.mgrid[0:height, 0:width]
    planes = [(columns * 9 + rows * 5 + 40 * c) if smooth else (columns * columns * 3 + rows * 17 + 90 * c) for c in range(len(mode))]
    return Image.fromarray((numpy.stack(planes, -1) % 256).astype(numpy.uint8).squeeze(), mode)


def files():
    def save(name, image, **options):
        image.save(folder / name, **options)

    rgb = drawn("RGB", 5, 7, False)
    save("rgb.png", rgb)
    save("gray.png", drawn("L", 4, 6, False))
    save("alpha.png", drawn("RGBA", 4, 5, False))
    save("gray_alpha.png", drawn("LA", 3, 4, False))
    save("palette.png", rgb.quantize(8))
    save("bits.png", drawn("L", 5, 11, False).convert("1"))
    save("deep.png", Image.fromarray((numpy.arange(20, dtype=numpy.uint16) * 3277).reshape(4, 5)))
    (folder / "interlaced.png").write_bytes(interlaced(drawn("RGB", 9, 10, False)))
    smooth = drawn("RGB", 19, 22, True)
    save("photo.jpg", smooth, quality=90)
    save("progressive.jpg", smooth, quality=80, progressive=True, subsampling=0)
    save("gray.jpg", drawn("L", 9, 10, True), quality=90)
    save("inks.jpg", drawn("CMYK", 8, 9, True), quality=95)


def interlaced(image):
    """Pillow writes no Adam7, so this does."""
    import struct
    import zlib

    pixels = numpy.asarray(image)
    raw = b""
    for y0, x0, dy, dx in ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)):
        for row in pixels[y0::dy, x0::dx]:
            if row.size:
                raw += b"\0" + row.tobytes()

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", image.width, image.height, 8, 2, 0, 0, 1)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b"")


def decoded():
    for path in sorted(folder.glob("*.*g")):
        image = Image.open(path)
        if image.mode == "I;16":  # the upper 8 bits, which Pillow would clip
            image = Image.fromarray((numpy.asarray(image) >> 8).astype(numpy.uint8))
        array = numpy.asarray(image.convert("RGB")).transpose(2, 0, 1)
        yield {"file": path.name, "shape": list(array.shape), "samples": array.flatten().tolist()}


def case(name, shape, arguments, result):
    return {"name": name, "shape": list(shape), "arguments": arguments, "result_shape": list(result.shape),
            "result": [float(x) for x in result.flatten()]}


def transformed():
    for shape, size in (((2, 5, 7), (3, 3)), ((1, 4, 4), (7, 9)), ((3, 12, 10), (4, 10)), ((1, 1, 5), (2, 2)), ((1, 9, 8), (9, 5))):
        x = picture(*shape)
        yield case("resize", shape, size, F.interpolate(x[None], size, mode="bilinear", antialias=True)[0])
        assert torch.equal(T.Resize(size)(x), F.interpolate(x[None], size, mode="bilinear", antialias=True)[0])
    for shape, size in (((1, 5, 8), 3), ((1, 8, 5), 3), ((1, 6, 6), 4), ((2, 3, 4), 6)):
        yield case("resize_shorter", shape, [size], T.Resize(size)(picture(*shape)))
    for shape, size in (((2, 6, 7), (3, 4)), ((1, 5, 5), (2, 2)), ((1, 3, 9), (6, 5)), ((1, 4, 3), (7, 8)), ((1, 7, 7), (4, 4))):
        yield case("center_crop", shape, size, T.CenterCrop(size)(picture(*shape)))
    for shape in ((3, 4, 5), (1, 4, 5)):
        x = picture(*shape)
        yield case("brightness", shape, [1.4], TF.adjust_brightness(x, 1.4))
        yield case("contrast", shape, [0.6], TF.adjust_contrast(x, 0.6))
        yield case("contrast", shape, [1.7], TF.adjust_contrast(x, 1.7))
        yield case("saturation", shape, [0.3], TF.adjust_saturation(x, 0.3))
        yield case("saturation", shape, [1.8], TF.adjust_saturation(x, 1.8))
        yield case("hue", shape, [0.2], TF.adjust_hue(x, 0.2))
        yield case("hue", shape, [-0.45], TF.adjust_hue(x, -0.45))
    for angle in (33, -75, 90, 180):  # 30 has ties, which rounding decides
        for shape in ((1, 5, 7), (2, 4, 4)):
            x = picture(*shape)
            yield case("rotate", shape, [angle, 0], TF.rotate(x, angle))
            yield case("rotate_bilinear", shape, [angle, 0.25],
                       TF.rotate(x, angle, TF.InterpolationMode.BILINEAR, fill=[0.25] * shape[0]))
    for shape, scale, ratio, size in (((3, 6, 6), (1, 1), (1, 1), (4, 4)), ((1, 4, 12), (1, 1), (0.75, 4 / 3), (4, 4)),
                                      ((1, 12, 4), (1, 1), (0.75, 4 / 3), (4, 3))):
        crop = T.RandomResizedCrop(size, scale, ratio)
        yield case("random_resized_crop", shape, [*size, *scale, *ratio], crop(picture(*shape)))


def archives():
    arrays = {"a": numpy.arange(6, dtype=numpy.float32).reshape(2, 3), "b": numpy.arange(4, dtype=numpy.int16) - 2,
              "c": numpy.float64(2.5), "wide": numpy.zeros(40000, numpy.uint8)}
    numpy.savez(folder / "stored.npz", a=arrays["a"], b=arrays["b"], c=arrays["c"])
    numpy.savez_compressed(folder / "deflated.npz", **arrays)
    with zipfile.ZipFile(folder / "bzip2.npz", "w", zipfile.ZIP_BZIP2) as archive:
        buffer = io.BytesIO()
        numpy.save(buffer, arrays["a"])
        archive.writestr("a.npy", buffer.getvalue())


if __name__ == "__main__":
    folder.mkdir(exist_ok=True)
    files()
    archives()
    text = json.dumps({"decoded": list(decoded()), "transforms": list(transformed())})
    (here / "pictures.json").write_text(text.replace('{"', '\n{"') + "\n")
