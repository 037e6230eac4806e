//! Speed of the replay: `cargo bench --features replay --bench replay`. Counts are samples or cells.

use candle_core::{DType, Device, Tensor, Var};
use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use taskhead::tasks::{normal, stream};
use taskhead_replay::config::Config;
use taskhead_replay::network::{Plan, Stack};
use taskhead_replay::{Replay, device};

fn main() {
    divan::main();
}

const BATCH: usize = 128;
const CHANNELS: [usize; 2] = [32, 64];

fn images() -> Tensor {
    let all = normal(&mut stream(0, 1), BATCH, 28 * 28, 1.0);
    let values: Vec<f32> = all.iter().map(|&v| v as f32).collect();
    Tensor::from_vec(values, (BATCH, 28, 28, 1), &Device::Cpu).unwrap()
}

/// Two convolutions with pooling and a head on a batch, forward and back.
#[divan::bench]
fn convolutions(bencher: Bencher) {
    let plans = [
        Plan::Conv { channels: CHANNELS[0], pool: true },
        Plan::Conv { channels: CHANNELS[1], pool: true },
        Plan::Linear { width: 10 },
    ];
    let place = (DType::F32, &Device::Cpu);
    let (stack, _) = Stack::new(&plans, &[28, 28, 1], &mut stream(0, 2), place).unwrap();
    let x = images();
    bencher
        .counter(ItemsCount::new(BATCH))
        .bench(|| black_box(stack.forward(&x).unwrap().sum_all().unwrap().backward().unwrap()));
}

/// The same with the convolution of the tensor library.
#[divan::bench(sample_count = 10)]
fn convolutions_of_candle(bencher: Bencher) {
    let variable = |rows: usize, columns: usize, shape: &[usize]| {
        let all = normal(&mut stream(0, 3), rows, columns, 0.1);
        let values: Vec<f32> = all.iter().map(|&v| v as f32).collect();
        Var::from_tensor(&Tensor::from_vec(values, shape, &Device::Cpu).unwrap()).unwrap()
    };
    let first = variable(CHANNELS[0], 9, &[CHANNELS[0], 1, 3, 3]);
    let second = variable(CHANNELS[1], CHANNELS[0] * 9, &[CHANNELS[1], CHANNELS[0], 3, 3]);
    let head = variable(49 * CHANNELS[1], 10, &[49 * CHANNELS[1], 10]);
    let x = images().permute((0, 3, 1, 2)).unwrap().contiguous().unwrap();
    let forward = || {
        let y = x.conv2d(&first, 1, 1, 1, 1)?.relu()?.max_pool2d(2)?;
        let y = y.conv2d(&second, 1, 1, 1, 1)?.relu()?.max_pool2d(2)?;
        y.flatten_from(1)?.matmul(&head)?.sum_all()?.backward()
    };
    bencher.counter(ItemsCount::new(BATCH)).bench(|| black_box(forward().unwrap()));
}

/// The whole sweep of a setting with pretraining.
#[divan::bench(args = ["digits", "digits-cnn"], sample_count = 1, sample_size = 1)]
fn sweep(bencher: Bencher, setting: &str) {
    let config = Config::preset(setting).unwrap();
    let cells = config.cells() / config.times.len();
    bencher.counter(ItemsCount::new(cells)).bench(|| {
        let replay = Replay::new(config.clone(), device::open("cpu").unwrap().0, None).unwrap();
        replay.run(&())
    });
}
