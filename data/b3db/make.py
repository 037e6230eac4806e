"""Makes `molecules.csv.gz` of this folder from B3DB's `B3DB_classification.tsv` and `B3DB_regression.tsv`.

    pip install rdkit==2026.9.1 && python3 data/b3db/make.py FOLDER
"""

import collections
import csv
import gzip
import pathlib
import sys

from rdkit import Chem, RDLogger

MOST_ATOMS = 48
RDLogger.DisableLog("rdApp.*")


def rows(path):
    with open(path, encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def molecules(path, label):
    """Labels by canonical SMILES without stereochemistry; a molecule with both labels is left out."""
    found = collections.defaultdict(set)
    for row in rows(path):
        molecule = Chem.MolFromSmiles(row["SMILES"])
        if molecule is not None and 2 <= molecule.GetNumHeavyAtoms() <= MOST_ATOMS:
            found[Chem.MolToSmiles(molecule, isomericSmiles=False)].add(label(row))
    return {smiles: labels.pop() for smiles, labels in found.items() if len(labels) == 1}


folder = pathlib.Path(sys.argv[1])
more = molecules(folder / "B3DB_regression.tsv", lambda row: int(float(row["logBB"]) > 0))
crosses = molecules(folder / "B3DB_classification.tsv", lambda row: int(row["BBB+/BBB-"] == "BBB+"))
lines = [(smiles, "", label) for smiles, label in more.items()]
lines += [(smiles, label, "") for smiles, label in crosses.items() if smiles not in more]
# So that the file does not depend on the order of the tables.
lines.sort()
text = "smiles,crosses,more_in_brain\n" + "".join(",".join(map(str, line)) + "\n" for line in lines)
here = pathlib.Path(__file__).parent / "molecules.csv.gz"
here.write_bytes(gzip.compress(text.encode(), 9, mtime=0))
for name, place in (("crosses", 1), ("more_in_brain", 2)):
    print(name, collections.Counter(line[place] for line in lines if line[place] != ""))
print(here.stat().st_size, "bytes of", len(text))
