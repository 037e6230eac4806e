//! A molecule as a graph of its atoms, from SMILES.

use std::collections::BTreeSet;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use chematic_core::{BondOrder, Element, implicit_hcount};
use chematic_perception::{apply_aromaticity, ring_membership};
use chematic_smiles::{SmilesParseLimits, parse_with_limits};

use crate::network::{BONDS, GRAPH, NEIGHBOURS};

/// Elements with a channel each; all others share one.
const ELEMENTS: [&str; 11] = ["C", "N", "O", "F", "P", "S", "Cl", "Br", "I", "B", "Si"];

/// Channels behind the elements: hydrogens, neighbours, positive and negative charge, aromatic, in a ring.
const NUMBERS: usize = 6;

/// Channels of an atom: the graph and its features.
pub(super) const CHANNELS: usize = GRAPH + ELEMENTS.len() + 1 + NUMBERS;

/// Longer texts and larger graphs are not read.
const LIMITS: SmilesParseLimits =
    SmilesParseLimits { max_input_bytes: 1 << 14, max_atoms: 1 << 12, max_bonds: 1 << 13 };

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Atom {
    features: [u8; CHANNELS - GRAPH],
    /// Neighbours with the kinds of their bonds.
    bonds: Vec<(usize, usize)>,
}

/// A graph of atoms. Hydrogen counts as a number of its neighbour, and is an atom only where it has no other.
#[derive(Debug, Clone)]
pub(super) struct Molecule(Vec<Atom>);

impl Molecule {
    /// That of a text; none if it has more than `most` atoms, or an atom with more neighbours than a graph has places.
    ///
    /// # Errors
    ///
    /// In words: what is wrong with the text.
    pub fn read(smiles: &str, most: usize) -> Result<Option<Self>, String> {
        if smiles.trim().is_empty() {
            return Err("there is no SMILES".into());
        }
        let read = parse_with_limits(smiles.trim(), &LIMITS);
        let read = read.map_err(|error| format!("{smiles} is no SMILES that is read: {error}"))?;
        if read.atoms().any(|(_, atom)| atom.wildcard) {
            return Err(format!("{smiles} holds *, which is no atom"));
        }
        let is_hydrogen = |place| {
            let is_one = |place| read.atom(place).element == Element::H;
            let mut neighbours = read.neighbors(place);
            is_one(place)
                && read.degree(place) == 1
                && neighbours.next().is_some_and(|(next, _)| !is_one(next))
        };
        let kept: Vec<_> = read.atoms().map(|(at, _)| at).filter(|&at| !is_hydrogen(at)).collect();
        if kept.len() > most {
            return Ok(None);
        }
        let place = |at| kept.binary_search(&at).ok();
        let whole = apply_aromaticity(&read);
        let rings = ring_membership(&whole);
        let atom = |&at| {
            let atom = whole.atom(at);
            let mut bonds: Vec<(usize, usize)> = whole
                .neighbors(at)
                .filter_map(|(next, bond)| {
                    let kind = match whole.bond(bond).order {
                        BondOrder::Double => 1,
                        BondOrder::Triple | BondOrder::Quadruple => 2,
                        BondOrder::Aromatic => 3,
                        _ => 0,
                    };
                    Some((place(next)?, kind))
                })
                .collect();
            bonds.sort_unstable();
            let mut features = [0; CHANNELS - GRAPH];
            let symbol = atom.element.symbol();
            let element = ELEMENTS.iter().position(|element| *element == symbol);
            features[element.unwrap_or(ELEMENTS.len())] = 1;
            let as_atoms = whole.degree(at) - bonds.len();
            let numbers = [
                implicit_hcount(&whole, at).saturating_add(as_atoms as u8),
                bonds.len().min(usize::from(u8::MAX)) as u8,
                atom.charge.max(0).unsigned_abs(),
                atom.charge.min(0).unsigned_abs(),
                u8::from(atom.aromatic),
                u8::from(rings.get(at.0 as usize).is_some_and(|rings| !rings.is_empty())),
            ];
            features[ELEMENTS.len() + 1..].copy_from_slice(&numbers);
            Atom { features, bonds }
        };
        let atoms: Vec<Atom> = kept.iter().map(atom).collect();
        let fits = atoms.iter().all(|atom| atom.bonds.len() <= NEIGHBOURS);
        Ok(fits.then_some(Self(atoms)))
    }

    /// Atoms.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// What a network on graphs can tell molecules apart by: the kinds of atoms that remain apart when each is told by
    /// its features and by its neighbours with their bonds, again and again (Weisfeiler and Leman).
    pub fn key(&self) -> Vec<u64> {
        let hash = |of: &dyn Fn(&mut DefaultHasher)| {
            let mut hasher = DefaultHasher::new();
            of(&mut hasher);
            hasher.finish()
        };
        let mut colours: Vec<u64> = self.0.iter().map(|a| hash(&|h| a.features.hash(h))).collect();
        let mut kinds = 0;
        loop {
            let now = colours.iter().collect::<BTreeSet<_>>().len();
            if now == kinds {
                break;
            }
            kinds = now;
            let next = |(i, atom): (usize, &Atom)| {
                let mut around: Vec<_> =
                    atom.bonds.iter().map(|&(at, kind)| (kind, colours[at])).collect();
                around.sort_unstable();
                hash(&|h| (colours[i], &around).hash(h))
            };
            colours = self.0.iter().enumerate().map(next).collect();
        }
        colours.sort_unstable();
        colours
    }

    /// Its channels, atom by atom, with zeros for as many atoms as are missing.
    pub fn channels(&self, atoms: usize) -> Vec<u8> {
        let mut all = vec![0; atoms * CHANNELS];
        for (atom, channels) in self.0.iter().zip(all.chunks_exact_mut(CHANNELS)) {
            channels[0] = 1;
            for (i, &(next, kind)) in atom.bonds.iter().enumerate() {
                channels[1 + kind] += 1;
                channels[1 + BONDS + i] = next as u8 + 1;
            }
            channels[GRAPH..].copy_from_slice(&atom.features);
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(smiles: &str) -> Molecule {
        Molecule::read(smiles, 254).unwrap().unwrap()
    }

    /// By hand: CH₃–CH=O and its padding.
    #[test]
    fn acetaldehyde_has_its_channels() {
        let found = read("CC=O").channels(4);
        let atom = |bonds: [u8; 4], next: [u8; 2], element: usize, numbers: [u8; 6]| {
            let mut all = vec![1];
            all.extend(bonds);
            all.extend(next);
            all.extend([0; 6]);
            all.extend((0..12).map(|i| u8::from(i == element)));
            all.extend(numbers);
            all
        };
        let expected = [
            atom([1, 0, 0, 0], [2, 0], 0, [3, 1, 0, 0, 0, 0]),
            atom([1, 1, 0, 0], [1, 3], 0, [1, 2, 0, 0, 0, 0]),
            atom([0, 1, 0, 0], [2, 0], 2, [0, 1, 0, 0, 0, 0]),
            vec![0; CHANNELS],
        ];
        assert_eq!(found, expected.concat());
    }

    /// Charges, elements without a channel, aromatic atoms, rings, hydrogen written as atoms.
    #[test]
    fn atoms_have_their_features() {
        let numbers = |smiles: &str| -> Vec<Vec<u8>> {
            read(smiles).0.iter().map(|a| a.features[12..].to_vec()).collect()
        };
        assert_eq!(numbers("[NH4+]"), [[4, 0, 1, 0, 0, 0]]);
        assert_eq!(numbers("[O-2]"), [[0, 0, 0, 2, 0, 0]]);
        assert_eq!(numbers("c1ccccc1")[0], [1, 2, 0, 0, 1, 1]);
        assert_eq!(numbers("C1CC1C")[2..], [[1, 3, 0, 0, 0, 1], [3, 1, 0, 0, 0, 0]]);
        assert_eq!(numbers("[H]C([H])([2H])O"), numbers("CO"));
        assert_eq!(numbers("[H][H]").len(), 2);
        assert_eq!(read("[Na+]").0[0].features[..12], [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
    }

    #[test]
    fn the_same_molecule_is_the_same_however_it_is_written() {
        for (a, b) in [
            ("OCC", "CCO"),
            ("c1ccccc1O", "OC1=CC=CC=C1"),
            ("C1=CC=C2C(=C1)C=CN2", "c1ccc2c(c1)cc[nH]2"),
            ("C[C@H](N)C(=O)O", "OC(=O)[C@H](C)N"),
            ("F/C=C/F", "F/C=C\\F"),
            ("N1C=CC=C1", "c1cc[nH]c1"),
            ("O=c1cc[nH]cc1", "O=C1C=CNC=C1"),
            ("CC(=O)Oc1ccccc1C(=O)O", "CC(=O)OC1=CC=CC=C1C(=O)O"),
        ] {
            assert_eq!(read(a).key(), read(b).key(), "{a} and {b}");
        }
        for (a, b) in [("CCO", "COC"), ("C=CC", "CCC"), ("CC", "C[CH2-]"), ("c1ccccc1", "C1CCCCC1")] {
            assert_ne!(read(a).key(), read(b).key(), "{a} and {b}");
        }
    }

    #[test]
    fn what_is_no_molecule_is_refused() {
        for (smiles, expected) in [
            ("", "there is no SMILES"),
            ("  ", "there is no SMILES"),
            ("[Xx]", "[Xx] is no SMILES that is read: invalid bracket atom"),
            ("C1CC", "C1CC is no SMILES that is read: unmatched ring closure 1"),
            ("C(C", "is no SMILES that is read"),
            ("CC)", "is no SMILES that is read"),
            ("[C", "is no SMILES that is read"),
            ("hello", "is no SMILES that is read"),
            ("C*", "C* holds *, which is no atom"),
            ("C%", "is no SMILES that is read"),
            ("ü", "is no SMILES that is read"),
        ] {
            let error = Molecule::read(smiles, 254).unwrap_err();
            assert!(error.contains(expected), "{smiles}: {error}");
        }
        assert!(Molecule::read(&"C".repeat(9), 8).unwrap().is_none());
        assert!(Molecule::read(&"C".repeat(20_000), 8).unwrap_err().contains("limit"));
        assert!(Molecule::read("[Fe](C)(C)(C)(C)(C)(C)(C)(C)C", 99).unwrap().is_none());
    }

    /// Whatever the text is: an answer, and no panic.
    #[test]
    fn mutations_are_read_or_refused() {
        use rand::RngExt;
        let mut rng = taskhead::tasks::stream(1, 1);
        let seeds = [
            "C[C@H](N)C(=O)O",
            "c1ccc2c(c1)cc[nH]2",
            "F/C=C\\F",
            "[13CH3-].[Na+]",
            "C%12CC%12=C",
            "CC(C)#N",
        ];
        let words = b"CNOScnos[]()=#:./\\@+-%0123456789HBrl*$~";
        let (mut read, mut refused) = (0, 0);
        for i in 0..30_000 {
            let mut text = seeds[i % seeds.len()].as_bytes().to_vec();
            for _ in 0..rng.random_range(1..5) {
                let (at, word) =
                    (rng.random_range(0..text.len()), words[rng.random_range(0..words.len())]);
                match rng.random_range(0..3) {
                    0 => text[at] = word,
                    1 => text.insert(at, word),
                    _ if text.len() > 1 => drop(text.remove(at)),
                    _ => {}
                }
            }
            let text = String::from_utf8(text).unwrap();
            match Molecule::read(&text, 254) {
                Ok(molecule) => {
                    read += usize::from(
                        molecule.is_some_and(|m| !m.channels(254).is_empty() && !m.key().is_empty()),
                    )
                }
                Err(_) => refused += 1,
            }
        }
        assert!(read > 3_000 && refused > 3_000, "{read} read, {refused} refused");
    }
}
