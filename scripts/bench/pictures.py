"""What scripts/bench/pictures.sh needs Pillow for: a picture to begin with, and Pillow's own way to its renditions.

    pictures.py photograph SOURCE FILE     12 megapixels of a smaller photograph, always the same
    pictures.py renditions FOLDER FILE...  four sizes of each, as WebP and as JPEG, as Pillow does it unless it is told otherwise
    pictures.py alike FOLDER FILE...       the same, with libwebp trying no harder than ours (platform/src/image/encode.rs)
    pictures.py likeness FOLDER FILE       how much they are like FILE made smaller and not encoded: mean PSNR, in dB
"""

import math
import random
import sys
from pathlib import Path

from PIL import Image, ImageChops, ImageFilter, ImageOps, ImageStat

SIZES = {"large": 1600, "medium": 800, "small": 320, "thumbnail": 160}
WIDTH, HEIGHT = 4000, 3000
USUAL = dict.fromkeys(SIZES, 4)
OURS = {**dict.fromkeys(SIZES, 3), "large": 2}


def photograph(source, file):
    """A real photograph at the size of a camera's, with the grain that a sensor of that size would have."""
    with Image.open(source) as opened:
        picture = ImageOps.fit(opened.convert("RGB"), (WIDTH, HEIGHT), Image.Resampling.LANCZOS)
    noise = random.Random(12).randbytes(WIDTH * HEIGHT)
    grain = Image.frombytes("L", (WIDTH, HEIGHT), noise).point([112 + value // 8 for value in range(256)])
    grain = grain.filter(ImageFilter.GaussianBlur(0.5)).convert("RGB")
    ImageChops.add(picture, grain, offset=-128).save(file, "JPEG", quality=92, subsampling="4:2:0")


def renditions(folder, file, methods):
    """Decoded once and no larger than needed, each size made from the one before: there is no quicker way with Pillow."""
    with Image.open(file) as opened:
        opened.draft("RGB", (SIZES["large"], SIZES["large"]))
        picture = opened.convert("RGB")
    for name, side in SIZES.items():
        picture.thumbnail((side, side), Image.Resampling.LANCZOS, reducing_gap=2.0)
        picture.save(folder / f"{file.stem}-{name}.webp", "WEBP", quality=80, method=methods[name])
        picture.save(folder / f"{file.stem}-{name}.jpg", "JPEG", quality=82)


def likeness(folder, file):
    found = []
    with Image.open(file) as opened:
        whole = opened.convert("RGB")
    for name, side in SIZES.items():
        smaller = ImageOps.contain(whole, (side, side), Image.Resampling.LANCZOS)
        for ending in ("webp", "jpg"):
            with Image.open(folder / f"{file.stem}-{name}.{ending}") as made:
                difference = ImageStat.Stat(ImageChops.difference(smaller, made.convert("RGB")))
            mean = sum(channel / pixels for channel, pixels in zip(difference.sum2, difference.count)) / 3
            found.append(10 * math.log10(255**2 / mean))
    print(f"{sum(found) / len(found):.1f}")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["photograph", source, file]:
            photograph(source, file)
        case ["renditions" | "alike" as how, folder, *files]:
            for file in files:
                renditions(Path(folder), Path(file), OURS if how == "alike" else USUAL)
        case ["likeness", folder, file]:
            likeness(Path(folder), Path(file))
        case _:
            sys.exit(__doc__)
