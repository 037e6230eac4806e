//! Layers against the same layers in plain tensor operations.

use candle_core::{DType, Device, Tensor, Var};

use super::affine::{self, affine};
use super::conv::{self, Conv, conv};
use super::norm::Norm;
use super::pool::{self, Pool, pool};
use super::*;
use taskhead::tasks::{normal, stream};

const PLACE: (DType, &Device) = (DType::F64, &Device::Cpu);

fn random(shape: &[usize], purpose: u64) -> Tensor {
    let count: usize = shape.iter().product();
    let all = normal(&mut stream(4, purpose), 1, count, 1.0);
    tensor(&all, PLACE.0, PLACE.1).unwrap().reshape(shape).unwrap()
}

fn gap(a: &Tensor, b: &Tensor) -> f64 {
    assert_eq!(a.dims(), b.dims());
    (a - b).unwrap().abs().unwrap().max_all().unwrap().to_scalar().unwrap()
}

/// Output and gradients of two layers of the same variables, weighted by random numbers.
fn compare(
    variables: &[&Var],
    ours: impl Fn() -> candle_core::Result<Tensor>,
    plain: impl Fn() -> candle_core::Result<Tensor>,
) {
    let (a, b) = (ours().unwrap(), plain().unwrap());
    assert!(gap(&a, &b) < 1e-12);
    let weights = random(a.dims(), 9);
    let gradients = |y: &Tensor| (y * &weights).unwrap().sum_all().unwrap().backward().unwrap();
    let (a, b) = (gradients(&a), gradients(&b));
    for variable in variables {
        let [a, b] = [&a, &b].map(|g| g.get(variable).expect("a gradient"));
        assert!(gap(a, b) < 1e-12, "{:?}", variable.shape());
        assert!(a.abs().unwrap().sum_all().unwrap().to_scalar::<f64>().unwrap() > 0.0);
    }
}

fn variable(shape: &[usize], purpose: u64) -> Var {
    Var::from_tensor(&random(shape, purpose)).unwrap()
}

#[test]
fn dense_layers_are_those_of_the_tensor_library() {
    let (x, w, b) = (variable(&[5, 7], 1), variable(&[7, 3], 2), variable(&[3], 3));
    for relu in [false, true] {
        compare(&[&x, &w, &b], || affine(&x, &w, &b, relu), || affine::plain(&x, &w, &b, relu));
    }
}

#[test]
fn convolutions_are_those_of_the_tensor_library() {
    for (images, height, width, stride) in [(3, 8, 8, 1), (2, 5, 7, 2), (700, 2, 1, 1), (1, 30, 30, 2)] {
        let x = variable(&[images, height, width, 2], 1);
        let (w, b) = (variable(&[18, 3], 2), variable(&[3], 3));
        let kind = Conv { size: 3, stride, relu: true };
        compare(&[&x, &w, &b], || conv(&x, &w, &b, kind), || conv::plain(&x, &w, &b, kind));
    }
}

/// Where a layer gives exactly 0 before max(0, ·), as black parts of an image do without a bias, its slope is 0.
#[test]
fn the_slope_at_zero_is_zero() {
    let x = Var::from_tensor(&random(&[2, 6, 6, 1], 1).pad_with_zeros(2, 4, 0).unwrap()).unwrap();
    let (w, b) = (variable(&[9, 3], 2), Var::zeros(3, PLACE.0, PLACE.1).unwrap());
    let kind = Conv { size: 3, stride: 1, relu: true };
    compare(&[&x, &w, &b], || conv(&x, &w, &b, kind), || conv::plain(&x, &w, &b, kind));
    let x = Var::from_tensor(&random(&[5, 9], 1).pad_with_zeros(0, 0, 2).unwrap()).unwrap();
    compare(&[&x, &w, &b], || affine(&x, &w, &b, true), || affine::plain(&x, &w, &b, true));
}

/// Every kind of layer that ends in max(0, ·), all of whose sums are exactly 0: nothing that it learns and none of its
/// inputs has a slope. Layers of graphs are made of dense ones.
#[test]
fn the_slope_at_zero_is_zero_in_every_layer() {
    let residual = |channels, stride, mean| Plan::Residual { channels, stride, mean };
    for (plan, silent) in [
        (Plan::Dense { width: 3 }, true),
        (Plan::Conv { channels: 3, pool: false }, true),
        (Plan::Conv { channels: 3, pool: true }, true),
        (Plan::Stem { channels: 3, large: false }, true),
        (Plan::Stem { channels: 3, large: true }, true),
        (residual(2, 1, false), true),
        (residual(2, 1, true), true),
        (residual(3, 1, false), true),
        (residual(3, 2, true), true),
        (Plan::Pixels { width: 3, relu: true }, true),
        // There is no max(0, ·) in it.
        (Plan::Linear { width: 3 }, false),
        (Plan::Pixels { width: 3, relu: false }, false),
    ] {
        let (stack, _) =
            Stack::new(std::slice::from_ref(&plan), &[8, 6, 2], &mut stream(1, 1), PLACE).unwrap();
        for (_, variable) in stack.variables("") {
            variable.set(&variable.zeros_like().unwrap()).unwrap();
        }
        // The identity of a block carries its input to the sum.
        let x = Var::zeros((3, 8, 6, 2), PLACE.0, PLACE.1).unwrap();
        if !matches!(plan, Plan::Residual { .. }) {
            x.set(&random(&[3, 8, 6, 2], 3)).unwrap();
        }
        for batch in [true, false] {
            let y = if batch { stack.forward_batch(&x) } else { stack.forward(&x) }.unwrap();
            let gradients = (&y * random(y.dims(), 2)).unwrap().sum_all().unwrap().backward().unwrap();
            let mut steepest = 0.0f64;
            for (_, variable) in stack.variables("").into_iter().chain([(String::new(), x.clone())]) {
                let gradient = gradients.get(&variable).expect("a gradient").abs().unwrap();
                steepest = steepest.max(gradient.max_all().unwrap().to_scalar().unwrap());
            }
            assert_eq!(steepest == 0.0, silent, "{plan:?}, batch {batch}: {steepest}");
        }
    }
    let x = Var::from_tensor(&Tensor::new(&[-1.0, 0.0, 2.0], PLACE.1).unwrap()).unwrap();
    for y in [relu::relu(&x).unwrap(), relu::plain(&x).unwrap()] {
        let gradients = y.sum_all().unwrap().backward().unwrap();
        assert_eq!(gradients.get(&x).unwrap().to_vec1::<f64>().unwrap(), [0.0, 0.0, 1.0]);
        assert_eq!(y.to_vec1::<f64>().unwrap(), [0.0, 0.0, 2.0]);
    }
}

#[test]
fn pooling_is_the_largest_of_each_window() {
    for kind in [Pool::SQUARES, Pool::OVERLAPPING] {
        for shape in [[3, 6, 4, 2], [2, 5, 3, 3], [1, 7, 8, 1]] {
            let x = Var::from_tensor(&random(&shape, 1).abs().unwrap()).unwrap();
            compare(&[&x], || pool(&x, kind), || pool::plain(&x, kind));
        }
    }
    let odd = random(&[1, 3, 5, 1], 2);
    assert_eq!(pool(&odd, Pool::SQUARES).unwrap().dims(), [1, 1, 2, 1]);
    assert_eq!(pool(&odd, Pool::OVERLAPPING).unwrap().dims(), [1, 2, 3, 1]);
    // By hand; what lies outside an image is no zero.
    let rows = [[-1.0, -5.0, -3.0], [-2.0, -9.0, -7.0], [-6.0, -8.0, -4.0]];
    let image = Tensor::new(&rows, PLACE.1).unwrap().reshape((1, 3, 3, 1)).unwrap();
    let largest = pool(&image, Pool::OVERLAPPING).unwrap().flatten_all().unwrap();
    assert_eq!(largest.to_vec1::<f64>().unwrap(), [-1.0, -3.0, -2.0, -4.0]);
}

#[test]
fn upsampling_makes_squares_of_pixels() {
    let up = |x: &Tensor| {
        let (stack, _) = Stack::new(&[Plan::Up], &x.dims()[1..], &mut stream(1, 1), PLACE)?;
        stack.forward(x)
    };
    // By hand, two channels, and the gradient of a pixel is the sum over its square.
    let rows = Tensor::arange(0.0, 4.0, PLACE.1).unwrap().reshape((1, 1, 2, 2)).unwrap();
    let y = up(&rows).unwrap();
    assert_eq!(y.dims(), [1, 2, 4, 2]);
    let row = [0.0, 1.0, 0.0, 1.0, 2.0, 3.0, 2.0, 3.0];
    assert_eq!(y.flatten_all().unwrap().to_vec1::<f64>().unwrap(), [row, row].concat());
    for shape in [[2, 3, 5, 4], [1, 1, 1, 3]] {
        let x = variable(&shape, 1);
        let library = || {
            let y = x.permute((0, 3, 1, 2))?.upsample_nearest2d(2 * shape[1], 2 * shape[2])?;
            y.permute((0, 2, 3, 1))
        };
        assert_eq!(gap(&up(&x).unwrap(), &library().unwrap()), 0.0);
        let weights = random(&[shape[0], 2 * shape[1], 2 * shape[2], shape[3]], 9);
        let gradients = (up(&x).unwrap() * &weights).unwrap().sum_all().unwrap().backward().unwrap();
        let squares = weights.reshape((shape[0], shape[1], 2, shape[2], 2, shape[3])).unwrap();
        let sums = squares.sum(4).unwrap().sum(2).unwrap();
        assert!(gap(gradients.get(&x).unwrap(), &sums) < 1e-14);
    }
    let error = up(&random(&[1, 8], 1)).unwrap_err().to_string();
    assert!(error.contains("upsampling cannot take samples of shape [8]"), "{error}");
}

/// A layer on each pixel is a convolution with 1×1 filters, and no pixel sees another.
#[test]
fn layers_of_pixels_are_convolutions_of_one() {
    let x = variable(&[3, 4, 5, 2], 1);
    for relu in [true, false] {
        let plan = Plan::Pixels { width: 3, relu };
        let (stack, shape) = Stack::new(&[plan], &[4, 5, 2], &mut stream(1, 1), PLACE).unwrap();
        assert_eq!(shape, [4, 5, 3]);
        let variables = stack.variables("");
        let (weight, zero) = (variables[0].1.clone(), Tensor::zeros(3, PLACE.0, PLACE.1).unwrap());
        let bias = variables.get(1).map_or(&zero, |(_, bias)| bias.as_tensor());
        let kind = Conv { size: 1, stride: 1, relu };
        compare(&[&x, &weight], || stack.forward(&x), || conv(&x, &weight, bias, kind));
    }
    let error = Stack::new(&[Plan::Pixels { width: 3, relu: true }], &[8], &mut stream(1, 1), PLACE);
    let error = error.unwrap_err().to_string();
    assert!(error.contains("a layer of pixels cannot take samples of shape [8]"), "{error}");
}

/// For every variable of a stack its name, the slope of a loss in a direction by differences, and by the gradient.
fn slopes(stack: &Stack, loss: impl Fn() -> Tensor) -> Vec<(String, f64, f64)> {
    let gradients = loss().backward().unwrap();
    let of = |(name, variable): (String, Var)| {
        let gradient = gradients.get(&variable).expect(&name);
        let old = variable.as_tensor().copy().unwrap();
        let direction = random(variable.dims(), 7);
        let at = |step: f64| {
            variable.set(&(&old + (&direction * step).unwrap()).unwrap()).unwrap();
            let value: f64 = loss().to_scalar().unwrap();
            variable.set(&old).unwrap();
            value
        };
        let step = 1e-6;
        let slope = (at(step) - at(-step)) / (2.0 * step);
        let found: f64 = (gradient * &direction).unwrap().sum_all().unwrap().to_scalar().unwrap();
        (name, slope, found)
    };
    stack.variables("").into_iter().map(of).collect()
}

/// Gradients of all layers together against differences of the loss.
#[test]
fn gradients_are_slopes() {
    let plans = [
        Plan::Conv { channels: 3, pool: true },
        Plan::Conv { channels: 4, pool: false },
        Plan::Dense { width: 6 },
        Plan::Linear { width: 2 },
    ];
    let (stack, _) = Stack::new(&plans, &[4, 6, 1], &mut stream(1, 1), PLACE).unwrap();
    let (x, weights) = (random(&[5, 4, 6, 1], 1), random(&[5, 2], 2));
    let loss = || (stack.forward(&x).unwrap() * &weights).unwrap().sum_all().unwrap();
    for (name, slope, found) in slopes(&stack, loss) {
        assert!((slope / found - 1.0).abs() < 1e-6, "{name}: {slope} is not {found}");
    }
}

#[test]
fn stacks_split_join_and_fork() {
    let plans =
        [Plan::Conv { channels: 3, pool: true }, Plan::Dense { width: 6 }, Plan::Linear { width: 2 }];
    let (stack, shape) = Stack::new(&plans, &[4, 4, 1], &mut stream(1, 1), PLACE).unwrap();
    assert_eq!((shape, stack.depth()), (vec![2], 3));
    let x = random(&[5, 4, 4, 1], 1);
    let y = stack.forward(&x).unwrap();
    let (first, rest) = stack.fork().unwrap().split(1);
    assert_eq!(gap(&rest.forward(&first.forward(&x).unwrap()).unwrap(), &y), 0.0);
    // A fork has variables of its own.
    let (_, variable) = &stack.variables("")[0];
    variable.set(&variable.zeros_like().unwrap()).unwrap();
    assert!(gap(&first.then(rest).forward(&x).unwrap(), &y) == 0.0);
    assert!(gap(&stack.forward(&x).unwrap(), &y) > 0.0);
}

#[test]
fn shapes_that_do_not_fit_are_refused() {
    let pooled = [Plan::Conv { channels: 1, pool: true }];
    let error = Stack::new(&pooled, &[1, 8, 1], &mut stream(1, 1), PLACE).unwrap_err();
    assert!(error.to_string().contains("pooling cannot take samples of shape [1, 8, 1]"), "{error}");
    let error = Stack::new(&pooled, &[8], &mut stream(1, 1), PLACE).unwrap_err();
    assert!(error.to_string().contains("a convolution cannot take samples of shape [8]"), "{error}");
}

fn normed(channels: usize) -> Norm {
    let norm = Norm::new(channels, PLACE.0, PLACE.1).unwrap();
    norm.scale.set(&random(&[channels], 5)).unwrap();
    norm.shift.set(&random(&[channels], 6)).unwrap();
    norm
}

#[test]
fn batch_normalisation_is_that_of_tensor_operations() {
    for relu in [false, true] {
        let (x, norm) = (variable(&[4, 3, 5, 6], 1), normed(6));
        let variables = [&x, &norm.scale, &norm.shift];
        compare(&variables, || norm.of_batch(&x, relu), || norm.plain(&x, relu));
    }
    let (x, norm) = ((random(&[50, 4], 1) + 3.0).unwrap(), Norm::new(4, PLACE.0, PLACE.1).unwrap());
    let y = norm.of_batch(&x, false).unwrap();
    let largest = |t: Tensor| t.abs().unwrap().max_all().unwrap().to_scalar::<f64>().unwrap();
    assert!(largest(y.mean(0).unwrap()) < 1e-12);
    assert!(largest((y.sqr().unwrap().mean(0).unwrap() - 1.0).unwrap()) < 1e-4);
}

fn resnet(seed: u64) -> Stack {
    resnet_with(false, seed)
}

fn resnet_with(large: bool, seed: u64) -> Stack {
    let plans = [
        Plan::Stem { channels: 3, large },
        Plan::Residual { channels: 3, stride: 1, mean: false },
        Plan::Residual { channels: 4, stride: 2, mean: true },
    ];
    let (stack, shape) = Stack::new(&plans, &[5, 6, 2], &mut stream(seed, 1), PLACE).unwrap();
    assert_eq!(shape, [4]);
    stack
}

/// Settled on all samples at once, a network is the training one on them; in parts, nearly.
#[test]
fn settled_networks_are_the_training_ones_on_all_samples() {
    let (stack, x) = (resnet(3), random(&[40, 5, 6, 2], 1));
    let training = stack.forward_batch(&x).unwrap();
    assert!(gap(&stack.forward(&x).unwrap(), &training) > 0.1);
    stack.settle(&x, 40).unwrap();
    assert!(gap(&stack.forward(&x).unwrap(), &training) < 1e-12);
    // Mean and variance before the first normalisation.
    let first = || [0, 1].map(|i| stack.statistics("")[i].1.as_tensor().copy().unwrap());
    let whole = first();
    stack.settle(&x, 7).unwrap();
    // Before the first normalisation parts make no difference; after it they make a small one.
    for (parts, whole) in first().iter().zip(&whole) {
        assert!(gap(parts, whole) < 1e-13);
    }
    let apart = gap(&stack.forward(&x).unwrap(), &training);
    assert!(apart > 1e-9 && apart < 0.5, "{apart}");
    // A fork has statistics of its own.
    let fork = stack.fork().unwrap();
    fork.settle(&random(&[5, 5, 6, 2], 8), 5).unwrap();
    assert!(gap(&stack.forward(&x).unwrap(), &fork.forward(&x).unwrap()) > 1e-3);
}

#[test]
fn gradients_of_residual_blocks_are_slopes() {
    let stack = resnet(1);
    let names: Vec<String> = stack.variables("b").into_iter().map(|(name, _)| name).collect();
    assert_eq!(names.len(), 3 * (1 + 2 + 3));
    for name in ["b.0.weight", "b.1.second.norm.shift", "b.2.shortcut.weight", "b.2.first.norm.scale"] {
        assert!(names.iter().any(|n| n == name), "{name} is not in {names:?}");
    }
    for (stack, [height, width]) in [(stack, [5, 6]), (resnet_with(true, 1), [13, 17])] {
        let (x, weights) = (random(&[6, height, width, 2], 1), random(&[6, 4], 2));
        stack.settle(&random(&[9, height, width, 2], 4), 9).unwrap();
        for batch in [true, false] {
            let forward = || if batch { stack.forward_batch(&x) } else { stack.forward(&x) };
            let loss = || (forward().unwrap() * &weights).unwrap().sum_all().unwrap();
            for (name, slope, found) in slopes(&stack, loss) {
                assert!(
                    (slope - found).abs() < 1e-6 * (1.0 + found.abs()),
                    "{name}: {slope} is not {found}"
                );
                assert!(found != 0.0, "{name}");
            }
        }
    }
}

/// ResNet-18 of torchvision with a 3×3 convolution first and no classifier has 11,168,832 weights on three channels.
#[test]
fn resnet_18_has_its_size() {
    use crate::config::Architecture;
    let plans = crate::pretrain::plan(&Architecture::Resnet18.backbone());
    let place = (DType::F32, &Device::Cpu);
    let (stack, shape) = Stack::new(&plans, &[32, 32, 3], &mut stream(1, 1), place).unwrap();
    let count: usize = stack.variables("").iter().map(|(_, v)| v.elem_count()).sum();
    assert_eq!((shape, count, stack.normed("").len()), (vec![512], 11_168_832, 20));
    let x = Tensor::ones((1, 32, 32, 3), DType::F32, &Device::Cpu).unwrap();
    assert_eq!(stack.forward(&x).unwrap().dims(), [1, 512]);
}

/// Motions of all kinds of layers against differences, and against the way back: ⟨w, J d⟩ = ⟨Jᵀw, d⟩.
#[test]
fn motions_are_slopes_in_a_direction() {
    let conv = |pool| Plan::Conv { channels: 3, pool };
    let residual = |channels, stride, mean| Plan::Residual { channels, stride, mean };
    let of_images = [
        vec![conv(true), conv(false), Plan::Dense { width: 6 }, Plan::Linear { width: 2 }],
        vec![
            conv(true),
            residual(4, 2, false),
            Plan::Up,
            conv(false),
            Plan::Pixels { width: 5, relu: true },
            Plan::Pixels { width: 2, relu: false },
        ],
        vec![
            Plan::Stem { channels: 3, large: true },
            residual(3, 1, false),
            residual(4, 2, false),
            residual(4, 1, true),
        ],
    ];
    let images = of_images.map(|plans| (plans, random(&[6, 13, 10, 2], 1)));
    let gin = |mean| Plan::Gin { width: 4, mean };
    let graphs =
        (vec![gin(false), gin(false), gin(true), Plan::Linear { width: 2 }], graphs(6, &BONDED, 3));
    for (plans, x) in images.into_iter().chain([graphs]) {
        let (stack, _) = Stack::new(&plans, &x.dims()[1..], &mut stream(2, 1), PLACE).unwrap();
        let variables = stack.variables("");
        // Without a bias, patches of zeros behind max(0, ·) are where the slope jumps.
        for (_, bias) in variables.iter().filter(|(name, _)| name.ends_with(".bias")) {
            bias.set(&random(bias.dims(), 15)).unwrap();
        }
        let forward = || stack.forward_batch(&x).unwrap();
        let mut direction = forward().sum_all().unwrap().backward().unwrap();
        let old: Vec<Tensor> = variables.iter().map(|(_, v)| v.as_tensor().copy().unwrap()).collect();
        for (i, (_, variable)) in variables.iter().enumerate() {
            direction.insert(variable, random(variable.dims(), 20 + i as u64));
        }
        let motion = stack.push(&x, &direction).unwrap();
        let at = |step: f64| {
            for ((_, variable), old) in variables.iter().zip(&old) {
                let there = old + (direction.get(variable).unwrap() * step).unwrap();
                variable.set(&there.unwrap()).unwrap();
            }
            let y = forward().detach();
            variables.iter().zip(&old).for_each(|((_, v), old)| v.set(old).unwrap());
            y
        };
        let step = 1e-6;
        let slope = ((at(step) - at(-step)).unwrap() / (2.0 * step)).unwrap();
        let size = slope.abs().unwrap().max_all().unwrap().to_scalar::<f64>().unwrap();
        assert!(gap(&motion, &slope) < 1e-6 * size, "{plans:?}: {} of {size}", gap(&motion, &slope));
        let w = random(motion.dims(), 9);
        let sum = |t: Tensor| t.sum_all().unwrap().to_scalar::<f64>().unwrap();
        let back = (forward() * &w).unwrap().sum_all().unwrap().backward().unwrap();
        let along: f64 = variables
            .iter()
            .map(|(_, v)| sum((back.get(v).unwrap() * direction.get(v).unwrap()).unwrap()))
            .sum();
        let pushed = sum((&motion * &w).unwrap());
        assert!((along - pushed).abs() < 1e-10 * along.abs().max(1.0), "{along} and {pushed}");
        direction.remove(&variables[0].1);
        let error = stack.push(&x, &direction).unwrap_err().to_string();
        assert!(error.contains("does not say how a variable"), "{error}");
    }
}

const LOSS: f64 = 1.17214440333923;
const MEAN_IOU: f64 = 0.174663458910877;
const ENERGY: f64 = 0.834662884103719;
const LOGITS: [f64; 9] = [
    0.232573125415314,
    -1.34292828014678,
    -0.124162882752727,
    0.0,
    0.448691027435723,
    -0.0254622195757611,
    0.590888380563447,
    -0.505754150437229,
    -0.203930819791474,
];
const GRADIENTS: [[f64; 2]; 28] = [
    [0.0388313097767456, 0.226115894554728],
    [-0.119460450600065, 0.499782000017247],
    [0.00592329273106545, 0.0992194414855872],
    [-0.0225874588901974, 0.0979488948142981],
    [-0.0237946503180476, 0.29884856240192],
    [-0.00262293438252743, 0.0285639720742248],
    [-0.00962255541915305, 0.0425066615721899],
    [0.00999159922230051, 0.255016215938795],
    [0.0156052811202451, 0.0607756843780674],
    [0.0121816893671164, 0.0447063522486543],
    [-0.00689809956227283, 0.107078829319093],
    [0.00899811567228811, 0.0225985606335045],
    [0.0121816893671164, 0.0447063522486543],
    [-0.0250440031262377, 0.308618205475606],
    [-0.00198873788185368, 0.0225192570674021],
    [-0.00206084184710129, 0.0378983735957079],
    [-0.0142339200395066, 0.382326256524097],
    [-0.0298951622260058, 0.0522941452903062],
    [-0.00357656952304992, 0.0129592949394602],
    [-0.0184448123103903, 0.0560403692025729],
    [0.00394112182206629, 0.0157939729028856],
    [-0.00357656952304992, 0.0129592949394602],
    [-0.0182456146039619, 0.344729771501805],
    [-0.00806837068988459, 0.0682495700212505],
    [0.00542997858984142, 0.0199132094490314],
    [-0.0229119455553943, 0.318705754961665],
    [0.00550457223935475, 0.0890963785777485],
    [-0.00370766061849328, 0.0661749928280582],
];

/// Loss, energy, mean IoU and gradients of a whole encoder–decoder, from tests/reference/encoder_decoder.py in PyTorch.
/// Each variable has the last entry of its gradient and the norm of it.
#[test]
fn an_encoder_decoder_is_that_of_pytorch() {
    use crate::config::{Backbone, Loss};
    use crate::data::{Images, UNLABELLED};
    let backbone = Backbone::EncoderDecoder { channels: vec![3, 4, 5], width: 6 };
    let plans =
        [crate::pretrain::plan(&backbone), vec![Plan::Pixels { width: 3, relu: false }]].concat();
    let (stack, shape) = Stack::new(&plans, &[8, 12, 2], &mut stream(1, 1), PLACE).unwrap();
    assert_eq!(shape, [8, 12, 3]);
    let scatter = |tensor: u64, count: usize| -> Vec<f64> {
        let mixed = |i: u64| (i * (i + tensor + 1)).wrapping_mul(2_654_435_761) & 0xffff_ffff;
        (0..count as u64).map(|i| mixed(i) as f64 / f64::from(1u32 << 31) - 1.0).collect()
    };
    let variables = stack.variables("");
    for (i, (_, variable)) in variables.iter().enumerate() {
        let scale = match *variable.dims() {
            [inputs, _] => (3.0 / inputs as f64).sqrt(),
            _ => 0.2,
        };
        let middle = if variable.rank() == 1 && i % 3 == 2 { 1.0 } else { 0.0 };
        let values = scatter(i as u64, variable.elem_count()).into_iter().map(|v| middle + v * scale);
        let values = Tensor::from_vec(values.collect(), variable.shape(), PLACE.1).unwrap();
        variable.set(&values).unwrap();
    }
    let label = |v: f64| ((v + 1.0) * 2.0) as u16;
    let masks = scatter(60, 3 * 8 * 12).into_iter().map(label);
    let masks = masks.map(|label| if label == 3 { UNLABELLED } else { label }).collect();
    let images = Images::with_masks([8, 12, 1], vec![0; 3 * 8 * 12], masks, 3, 1.0).unwrap();
    let targets = images.samples(PLACE.0, PLACE.1).unwrap().targets;
    let x = Tensor::from_vec(scatter(50, 3 * 8 * 12 * 2), (3, 8, 12, 2), PLACE.1).unwrap();
    let logits = stack.forward_batch(&x).unwrap();
    let all = logits.flatten_all().unwrap().to_vec1::<f64>().unwrap();
    for (found, known) in all.iter().step_by(97).zip(LOGITS) {
        assert!((found - known).abs() < 1e-12, "{found} is not {known}");
    }
    let (rows, right) = (targets.rows(&logits).unwrap(), targets.matrix().unwrap());
    assert_eq!(rows.nrows(), 223);
    let loss = |n: usize| {
        let largest = rows.row(n).max();
        let sum: f64 = rows.row(n).iter().map(|v| (v - largest).exp()).sum();
        largest + sum.ln() - rows.row(n).dot(&right.row(n))
    };
    let loss = (0..223).map(loss).sum::<f64>() / 223.0;
    assert!((loss - LOSS).abs() < 1e-13, "{loss}");
    assert!((crate::score::mean_iou(&rows, &right) - MEAN_IOU).abs() < 1e-14);
    let residual = targets.residual(Loss::CrossEntropy, &logits).unwrap();
    let energy = taskhead::energy::Energy::of(&targets.rows(&residual).unwrap());
    assert!((energy.aie - ENERGY).abs() < 1e-13, "{energy:?}");
    let gradients = targets.driver(Loss::CrossEntropy, &logits).unwrap().backward().unwrap();
    assert_eq!(variables.len(), GRADIENTS.len());
    for ((name, variable), [last, norm]) in variables.iter().zip(GRADIENTS) {
        let all = gradients.get(variable).expect(name).flatten_all().unwrap().to_vec1::<f64>().unwrap();
        let found = all.iter().map(|g| g * g).sum::<f64>().sqrt();
        assert!(
            (all[all.len() - 1] - last).abs() < 1e-12,
            "{name}: {} is not {last}",
            all[all.len() - 1]
        );
        assert!((found - norm).abs() < 1e-12, "{name}: {found} is not {norm}");
    }
}

/// Atoms, and bonds by the places of their two atoms and their kind.
type Graph = (usize, &'static [(usize, usize, usize)]);

const BONDED: [Graph; 4] = [
    (3, &[(0, 1, 0), (1, 2, 1)]),
    (3, &[(0, 1, 3), (1, 2, 3), (2, 0, 3)]),
    (5, &[(0, 1, 0), (0, 2, 0), (0, 3, 2), (0, 4, 1)]),
    (1, &[]),
];

/// These as samples with so many places, and random features.
fn graphs(places: usize, all: &[Graph], features: usize) -> Tensor {
    let channels = GRAPH + features;
    let mut values = vec![0.0; all.len() * places * channels];
    for (i, (atoms, bonds)) in all.iter().enumerate() {
        let drawn = normal(&mut stream(5, i as u64), *atoms, features, 1.0);
        let sample = &mut values[i * places * channels..][..places * channels];
        let mut degrees = vec![0; *atoms];
        for atom in 0..*atoms {
            sample[atom * channels] = 1.0;
            for feature in 0..features {
                sample[atom * channels + GRAPH + feature] = drawn[(atom, feature)];
            }
        }
        for &(a, b, kind) in *bonds {
            for (a, b) in [(a, b), (b, a)] {
                sample[a * channels + 1 + kind] += 1.0;
                sample[a * channels + 1 + BONDS + degrees[a]] = (b + 1) as f64;
                degrees[a] += 1;
            }
        }
    }
    Tensor::from_vec(values, (all.len(), places, 1, channels), PLACE.1).unwrap()
}

/// Three layers and their mean as dense matrices: the adjacency with ones on the diagonal where there is an atom.
fn dense_graphs(stack: &Stack, x: &Tensor) -> candle_core::Result<Tensor> {
    let (samples, places, _, channels) = x.dims4()?;
    let x = x.reshape((samples, places, channels))?;
    let all = x.to_vec3::<f64>()?;
    let mut adjacency = vec![0.0; samples * places * places];
    for (i, sample) in all.iter().enumerate() {
        for (a, atom) in sample.iter().enumerate().filter(|(_, atom)| atom[0] > 0.0) {
            adjacency[(i * places + a) * places + a] = 1.0;
            for &b in atom[1 + BONDS..GRAPH].iter().filter(|b| **b > 0.0) {
                adjacency[(i * places + a) * places + b as usize - 1] = 1.0;
            }
        }
    }
    let adjacency = Tensor::from_vec(adjacency, (samples, places, places), PLACE.1)?;
    let (there, bonds) = (x.narrow(2, 0, 1)?, x.narrow(2, 0, 1 + BONDS)?.contiguous()?);
    let mut features = x.narrow(2, GRAPH, channels - GRAPH)?.contiguous()?;
    for layer in stack.variables("").chunks_exact(5) {
        let [edges, w1, b1, w2, b2] = [0, 1, 2, 3, 4].map(|i| layer[i].1.as_tensor());
        let sums = (adjacency.matmul(&features)? + bonds.broadcast_matmul(edges)?)?;
        let hidden = sums.broadcast_matmul(w1)?.broadcast_add(b1)?.relu()?;
        let all = hidden.broadcast_matmul(w2)?.broadcast_add(b2)?.relu()?;
        features = all.broadcast_mul(&there)?;
    }
    features.sum(1)?.broadcast_div(&there.sum(1)?)
}

#[test]
fn layers_of_graphs_are_those_of_dense_matrices() {
    let plans = [false, false, true].map(|mean| Plan::Gin { width: 4, mean });
    let x = graphs(6, &BONDED, 3);
    let (stack, shape) = Stack::new(&plans, &x.dims()[1..], &mut stream(1, 1), PLACE).unwrap();
    assert_eq!(shape, [4]);
    let variables = stack.variables("");
    assert_eq!(variables.len(), 15);
    for (_, bias) in variables.iter().filter(|(name, _)| name.ends_with(".bias")) {
        bias.set(&random(bias.dims(), 15)).unwrap();
    }
    let all: Vec<&Var> = variables.iter().map(|(_, variable)| variable).collect();
    compare(&all, || stack.forward(&x), || dense_graphs(&stack, &x));
    let weights = random(&[4, 4], 2);
    let loss = || (stack.forward(&x).unwrap() * &weights).unwrap().sum_all().unwrap();
    for (name, slope, found) in slopes(&stack, loss) {
        assert!((slope - found).abs() < 1e-6 * slope.abs().max(1e-3), "{name}: {slope} is not {found}");
    }
    // Places without an atom have no part, and neither has the order of the atoms.
    let y = stack.forward(&x).unwrap();
    assert!(gap(&stack.forward(&graphs(9, &BONDED, 3)).unwrap(), &y) < 1e-14);
    let turned = |values: &Tensor| {
        // The path 0 − 1 = 2 of the first sample, from its other end.
        let mut all = values.reshape((4, 6, GRAPH + 3)).unwrap().to_vec3::<f64>().unwrap();
        all[0].swap(0, 2);
        for atom in &mut all[0] {
            for place in atom[1 + BONDS..GRAPH].iter_mut().filter(|place| **place > 0.0) {
                *place = 4.0 - *place;
            }
        }
        let flat: Vec<f64> = all.into_iter().flatten().flatten().collect();
        Tensor::from_vec(flat, (4, 6, 1, GRAPH + 3), PLACE.1).unwrap()
    };
    assert!(gap(&stack.forward(&turned(&x)).unwrap(), &y) < 1e-14);
    let error = Stack::new(&plans, &[8], &mut stream(1, 1), PLACE).unwrap_err();
    assert!(error.to_string().contains("a layer of graphs cannot take samples of shape [8]"), "{error}");
}
