//! A layer of a graph isomorphism network: every atom sums the features of itself and of its neighbours and vectors of
//! its bonds, on which a network of two layers acts (Xu et al. 2019; with bonds as Hu et al. 2020).
//!
//! Samples are atoms × 1 × channels. The first channels are the graph: whether there is an atom, how many bonds of each
//! kind it has, and the places of its neighbours, counted from 1; a layer hands them on. Where there is no atom all
//! channels are 0, and nothing is read or computed.

use std::sync::Arc;

use candle_core::{DType, Result, Tensor, Var};

use super::affine::{affine, push};
use super::cost::Cost;
use super::layer::{Kind, Layer, Shape};
use super::maker::{Copy, Maker};
use super::moving::{Motion, Moving};
use super::norm::Normalise;
use super::sparse::{Sparse, product};
use super::storage::misfit;

/// Kinds of bonds: single, double, triple, aromatic.
pub const BONDS: usize = 4;

/// The most neighbours of an atom.
pub const NEIGHBOURS: usize = 8;

/// Channels of the graph: an atom, its bonds, its neighbours.
pub const GRAPH: usize = 1 + BONDS + NEIGHBOURS;

/// Channels with a vector each: that of being an atom, and those of bonds.
const EDGES: usize = 1 + BONDS;

/// Outputs of the first layer of the network of two over those of the second.
const WIDER: usize = 2;

/// Features that an atom sums, about: its own and those of two neighbours. First weights are as much smaller.
const SUMMED: f64 = 3.0;

/// A layer, then the mean over the atoms if `mean`.
pub(super) struct Gin {
    pub width: usize,
    pub mean: bool,
}

/// Places for atoms and channels of a sample.
fn graph(shape: &[usize]) -> Result<[usize; 2]> {
    match *shape {
        [atoms, 1, channels] if channels > GRAPH => Ok([atoms, channels]),
        _ => Err(misfit("a layer of graphs", shape)),
    }
}

impl Kind for Gin {
    fn shape(&self, input: &[usize]) -> Result<Shape> {
        let [atoms, _] = graph(input)?;
        Ok(if self.mean { vec![self.width] } else { vec![atoms, 1, GRAPH + self.width] })
    }

    fn cost(&self, input: &[usize]) -> Result<Cost> {
        let [atoms, channels] = graph(input)?;
        let [atoms, inputs, width] = [atoms, channels - GRAPH, self.width].map(|n| n as f64);
        let wider = WIDER as f64 * width;
        Ok(Cost {
            weights: EDGES as f64 * inputs + (inputs + 1.0) * wider + (wider + 1.0) * width,
            outputs: atoms * (2.0 * inputs + wider + 2.0 * width + GRAPH as f64),
        })
    }

    fn make(&self, input: &[usize], maker: &mut Maker<'_>) -> Result<Arc<dyn Layer>> {
        let (inputs, wider) = (graph(input)?[1] - GRAPH, WIDER * self.width);
        Ok(Arc::new(GinLayer {
            edges: maker.weight(EDGES, inputs, 1.0)?,
            first: maker.weight(inputs, wider, 2.0 / (SUMMED * SUMMED))?,
            first_bias: maker.bias(wider)?,
            second: maker.weight(wider, self.width, 2.0)?,
            second_bias: maker.bias(self.width)?,
            mean: self.mean,
        }))
    }
}

#[derive(Debug)]
struct GinLayer {
    /// A vector for each kind of bond, and one for the atom itself.
    edges: Var,
    first: Var,
    first_bias: Var,
    second: Var,
    second_bias: Var,
    mean: bool,
}

/// The graphs of a batch. Rows are atoms; places are those for atoms, sample by sample.
struct Graphs {
    /// Atoms × places: the atom itself and its neighbours.
    sums: Arc<Sparse>,
    /// Places × atoms.
    spread: Arc<Sparse>,
    /// Samples × atoms.
    mean: Arc<Sparse>,
    /// Atoms × [`EDGES`].
    bonds: Tensor,
    /// Samples × atoms × 1 × [`GRAPH`].
    channels: Tensor,
}

impl Graphs {
    fn of(x: &Tensor) -> Result<Self> {
        let [atoms, _] = graph(x.dims().get(1..).unwrap_or(&[]))?;
        let samples = x.dim(0)?;
        let channels = x.narrow(3, 0, GRAPH)?.detach();
        let all = channels.flatten_all()?.to_dtype(DType::F32)?.to_vec1::<f32>()?;
        let there: Vec<usize> = (0..samples * atoms).filter(|place| all[place * GRAPH] > 0.0).collect();
        let places = samples * atoms;
        let mut sums = Sparse::new(there.len(), places);
        let (mut spread, mut mean) =
            (Sparse::new(places, there.len()), Sparse::new(samples, there.len()));
        let (mut bonds, mut of_sample) =
            (Vec::with_capacity(there.len() * EDGES), vec![0usize; samples]);
        there.iter().for_each(|place| of_sample[place / atoms] += 1);
        for (row, &place) in there.iter().enumerate() {
            let (sample, at) = (place / atoms, &all[place * GRAPH..(place + 1) * GRAPH]);
            sums.add(row, place, 1.0);
            for &neighbour in at[EDGES..].iter().filter(|neighbour| **neighbour > 0.0) {
                let neighbour = neighbour as usize - 1;
                if neighbour >= atoms {
                    return Err(misfit("an atom with a neighbour that is not there", x.dims()));
                }
                sums.add(row, sample * atoms + neighbour, 1.0);
            }
            spread.add(place, row, 1.0);
            mean.add(sample, row, 1.0 / of_sample[sample] as f64);
            bonds.extend_from_slice(&at[..EDGES]);
        }
        let bonds = Tensor::from_vec(bonds, (there.len(), EDGES), x.device())?.to_dtype(x.dtype())?;
        let [sums, spread, mean] = [sums, spread, mean].map(Arc::new);
        Ok(Self { sums, spread, mean, bonds, channels })
    }

    /// Sums of features over each atom and its neighbours.
    fn gather(&self, x: &Tensor) -> Result<Tensor> {
        let channels = x.dim(3)?;
        product(&self.sums, &x.narrow(3, GRAPH, channels - GRAPH)?.reshape(((), channels - GRAPH))?)
    }

    /// Features of atoms as samples again, behind the channels of the graph or zeros for them.
    fn put(&self, rows: &Tensor, channels: &Tensor) -> Result<Tensor> {
        let (samples, atoms, _, _) = channels.dims4()?;
        let rows = product(&self.spread, rows)?.reshape((samples, atoms, 1, rows.dim(1)?))?;
        Tensor::cat(&[channels, &rows], 3)
    }
}

impl Layer for GinLayer {
    fn forward(&self, x: &Tensor, _norm: &mut Normalise<'_>) -> Result<Tensor> {
        let graphs = Graphs::of(x)?;
        let sums = (graphs.gather(x)? + graphs.bonds.matmul(&self.edges)?)?;
        let y = affine(&sums, &self.first, &self.first_bias, true)?;
        let y = affine(&y, &self.second, &self.second_bias, true)?;
        if self.mean { product(&graphs.mean, &y) } else { graphs.put(&y, &graphs.channels) }
    }

    fn variables(&self) -> Vec<(&'static str, &Var)> {
        vec![
            ("edges", &self.edges),
            ("first.weight", &self.first),
            ("first.bias", &self.first_bias),
            ("second.weight", &self.second),
            ("second.bias", &self.second_bias),
        ]
    }

    fn fork(&self, copy: &Copy<'_>) -> Result<Arc<dyn Layer>> {
        Ok(Arc::new(Self {
            edges: copy(&self.edges)?,
            first: copy(&self.first)?,
            first_bias: copy(&self.first_bias)?,
            second: copy(&self.second)?,
            second_bias: copy(&self.second_bias)?,
            mean: self.mean,
        }))
    }

    fn push(&self, x: &Moving, motion: &Motion<'_>) -> Result<Moving> {
        let graphs = Graphs::of(&x.value)?;
        let bonds = Moving { value: graphs.bonds.clone(), motion: None };
        let zero = Tensor::zeros(self.edges.dim(1)?, graphs.bonds.dtype(), graphs.bonds.device())?;
        let edges = push(&bonds, motion.pair(&self.edges)?, [zero.clone(), zero], false)?;
        let sums = x.map(|x| graphs.gather(x))?.plus(&edges)?;
        let y = push(&sums, motion.pair(&self.first)?, motion.pair(&self.first_bias)?, true)?;
        let y = push(&y, motion.pair(&self.second)?, motion.pair(&self.second_bias)?, true)?;
        if self.mean {
            return y.map(|y| product(&graphs.mean, y));
        }
        // The graph stays.
        let still = graphs.channels.zeros_like()?;
        let motion = y.motion.map(|motion| graphs.put(&motion, &still)).transpose()?;
        Ok(Moving { value: graphs.put(&y.value, &graphs.channels)?, motion })
    }
}
