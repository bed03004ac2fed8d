"""UPX-packed copies, made on the spot: what a vocabulary is worth on packed executables."""

import argparse
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tokforge_corpora import fetch

from benches.binary_sections import chosen
from tokforge import Tokenizer


def binary_packed(arguments: Sequence[str]) -> str:
    """Packs held-out executables with UPX and measures the released 16K and 64K on both forms."""
    parser = argparse.ArgumentParser(
        prog="python -m benches binary-packed", description=binary_packed.__doc__
    )
    parser.add_argument(
        "--upx", default="upx", metavar="PROGRAM", help="Debian's upx-ucl; 12 has none, 13 has"
    )
    parser.add_argument("--megabytes", type=float, default=4.0, help="of each platform, before packing")
    parser.add_argument("--offline", action="store_true")
    options = parser.parse_args(arguments)
    tokenizers = [Tokenizer.load("binary-16k"), Tokenizer.load("binary-64k")]
    sums: dict[str, list[int]] = {}
    refused = 0
    with tempfile.TemporaryDirectory() as folder:
        corpus = fetch("binaries-heldout", offline=options.offline)
        for name, data in chosen(corpus, int(options.megabytes * 1e6)):
            packed = _packed(options.upx, Path(folder), data)
            if packed is None:
                refused += 1
                continue
            counts = [
                1,
                len(data),
                len(packed),
                *(len(t.encode(d)) for t in tokenizers for d in (data, packed)),
            ]
            row = sums.setdefault(name.split("/")[0], [0] * len(counts))
            row[:] = [a + b for a, b in zip(row, counts, strict=True)]
    lines = [
        "| platform | files | MB | packed MB | 16K | packed | 64K | packed |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, (files, size, small, a, b, c, d) in sums.items():
        ratios = " | ".join(f"{x:.2f}" for x in (size / a, small / b, size / c, small / d))
        lines.append(f"| {name} | {files} | {size / 1e6:.1f} | {small / 1e6:.1f} | {ratios} |")
    return "\n".join([f"UPX refused {refused} files\n", *lines])


def _packed(upx: str, folder: Path, data: bytes) -> bytes | None:
    """Returns what UPX makes of a file, None where it refuses; nothing is executed but UPX."""
    source, target = folder / "source", folder / "target"
    source.write_bytes(data)
    source.chmod(0o755)
    target.unlink(missing_ok=True)
    ran = subprocess.run([upx, "-q", "-5", "-o", str(target), str(source)], capture_output=True, check=False)
    return target.read_bytes() if ran.returncode == 0 and target.exists() else None
