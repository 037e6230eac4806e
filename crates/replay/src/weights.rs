//! Weights of backbones in safetensors files.
//!
//! Two kinds of names are read: those that this program writes (`backbone.0.weight`), and for ResNets those of
//! torchvision, timm and candle (`layer1.0.conv1.weight`), whose filters have the shape outputs × channels ×
//! height × width and whose classifier is left out.

use std::collections::HashMap;
use std::io::Write;
use std::path::Path;

use candle_core::{DType, Device, Tensor, Var};
use safetensors::SafeTensors;

use super::config::Backbone;
use super::error::ReplayError;
use super::network::Stack;
use taskhead::sweep::plan::Digest;
use taskhead_files::{Fault, digest, digest_of_parts, write_atomically};

/// What the names of variables begin with.
const PREFIX: &str = "backbone";

/// Key of the metadata that says what a stored backbone depends on.
const CONFIGURATION: &str = "configuration";

/// What stands behind it there, before the digest of what was stored. One entry of the metadata holds both, since
/// several have no order, and the same backbone is the same bytes.
const CONTENTS: &str = "\n# contents ";

/// Everything that is stored of a backbone.
fn all(stack: &Stack) -> impl Iterator<Item = (String, Var)> {
    stack.variables(PREFIX).into_iter().chain(stack.statistics(PREFIX))
}

/// Stores a backbone with what it depends on.
pub fn store(stack: &Stack, path: &Path, identity: &str) -> Result<(), ReplayError> {
    let fault = |fault: String| ReplayError::Weights { path: path.to_owned(), fault };
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|e| fault(format!("cannot make its folder: {e}")))?;
    }
    let tensors = all(stack).map(|(name, v)| (name, v.as_tensor().clone()));
    let tensors: Vec<(String, Tensor)> = tensors.collect();
    let written = |said: String| {
        let tensors = tensors.iter().map(|(name, tensor)| (name, tensor));
        let metadata = HashMap::from([(CONFIGURATION.to_owned(), said)]);
        safetensors::serialize(tensors, Some(metadata)).map_err(|e| fault(e.to_string()))
    };
    let plain = written(String::new())?;
    let whole = SafeTensors::deserialize(&plain).map_err(|e| fault(e.to_string()))?;
    let bytes = written(format!("{identity}{CONTENTS}{}", contents(&whole, identity)))?;
    write_atomically(path, |writer| {
        writer.write_all(&bytes).map_err(|source| Fault::Io { action: "write", source })
    })
    .map_err(|e| fault(e.fault.to_string()))
}

/// The digest of all that a file holds: what it depends on, and each tensor with its name, type and shape.
fn contents(file: &SafeTensors, identity: &str) -> Digest {
    let mut tensors = file.tensors();
    tensors.sort_by(|(a, _), (b, _)| a.cmp(b));
    let mut parts: Vec<Vec<u8>> = vec![identity.as_bytes().to_vec()];
    for (name, view) in &tensors {
        let (kind, shape) = (view.dtype(), view.shape());
        parts.push(format!("\n{name}\n{kind:?}\n{shape:?}\n{}\n", view.data().len()).into_bytes());
        parts.push(digest(view.data()).to_string().into_bytes());
    }
    digest_of_parts(parts)
}

/// What a stored backbone is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// It is what was stored, of this identity.
    Whole,
    /// It is what was stored, of another identity.
    Other,
    /// It is not what was stored: it says of which digest that was, if it says anything.
    Changed,
}

/// Whether a file is a backbone of an identity and holds what was stored.
///
/// # Errors
///
/// A file that cannot be read, as by a lack of rights. One that is no safetensors file is [`Kept::Changed`].
pub fn kept(path: &Path, identity: &str) -> Result<Kept, ReplayError> {
    let bytes = read(path)?;
    let Ok((_, metadata)) = SafeTensors::read_metadata(&bytes) else { return Ok(Kept::Changed) };
    let Ok(file) = SafeTensors::deserialize(&bytes) else { return Ok(Kept::Changed) };
    let said = metadata.metadata().as_ref().and_then(|m| m.get(CONFIGURATION));
    Ok(match said.and_then(|said| said.rsplit_once(CONTENTS)) {
        Some((stored, said)) if *said == contents(&file, stored).to_string() => {
            if stored == identity {
                Kept::Whole
            } else {
                Kept::Other
            }
        }
        _ => Kept::Changed,
    })
}

fn read(path: &Path) -> Result<Vec<u8>, ReplayError> {
    std::fs::read(path)
        .map_err(|e| ReplayError::Weights { path: path.to_owned(), fault: format!("cannot read: {e}") })
}

fn unreadable(path: &Path, error: &dyn std::fmt::Display) -> ReplayError {
    let fault = format!("this is not a whole safetensors file ({error})");
    ReplayError::Weights { path: path.to_owned(), fault }
}

/// Puts the weights of a file into a backbone made by its plan: all of them, each of its shape. Gives the digest of the
/// bytes of the file.
///
/// # Errors
///
/// A file that is not whole, weights of another backbone, values that are not finite.
pub fn load(stack: &Stack, backbone: &Backbone, path: &Path) -> Result<Digest, ReplayError> {
    let fault = |fault: String| Err(ReplayError::Weights { path: path.to_owned(), fault });
    let bytes = read(path)?;
    let mut stored =
        candle_core::safetensors::load_buffer(&bytes, &Device::Cpu).map_err(|e| unreadable(path, &e))?;
    let blocks = match backbone {
        Backbone::Resnet { blocks, .. } if stored.contains_key("conv1.weight") => Some(*blocks),
        _ => None,
    };
    if blocks.is_some() {
        stored.retain(|name, _| !is_left_out(name));
    }
    for (ours, variable) in all(stack) {
        let name = blocks.map_or_else(|| ours.clone(), |blocks| common_name(&ours, blocks));
        let Some(tensor) = stored.remove(&name) else {
            return fault(format!("these weights are of another backbone: there is no `{name}`"));
        };
        let tensor = if blocks.is_some() { filters_last(&tensor)? } else { tensor };
        if tensor.dims() != variable.dims() {
            return fault(format!(
                "these weights are of another backbone: `{name}` has shape {:?}, wanted is {:?}",
                tensor.dims(),
                variable.dims()
            ));
        }
        let tensor = tensor.to_dtype(variable.dtype())?;
        let sum = tensor.abs()?.sum_all()?.to_dtype(DType::F64)?.to_scalar::<f64>()?;
        if !sum.is_finite() {
            return fault(format!("`{name}` holds values that are not finite"));
        }
        variable.set(&tensor.to_device(variable.device())?)?;
    }
    if let Some(name) = stored.keys().min() {
        return fault(format!("these weights are of another backbone: `{name}` has no place"));
    }
    Ok(digest(&bytes))
}

/// Whether a common name is of the classifier, or counts batches.
fn is_left_out(name: &str) -> bool {
    name.starts_with("fc.") || name.ends_with(".num_batches_tracked")
}

/// The common name of a variable of a ResNet, by the number of blocks in each stage:
/// `backbone.3.second.norm.scale` is `layer2.0.bn2.weight` with two.
fn common_name(ours: &str, blocks: usize) -> String {
    let mut parts = ours.split('.').skip(1);
    let layer: usize = parts.next().and_then(|i| i.parse().ok()).expect("a number of a layer");
    let rest: Vec<&str> = parts.collect();
    let (place, part, rest) = match layer.checked_sub(1) {
        None => (String::new(), "first", &rest[..]),
        Some(block) => (format!("layer{}.{}.", block / blocks + 1, block % blocks), rest[0], &rest[1..]),
    };
    let (conv, norm) = match part {
        "first" => ("conv1", "bn1"),
        "second" => ("conv2", "bn2"),
        _ => ("downsample.0", "downsample.1"),
    };
    match rest {
        ["norm", "scale"] => format!("{place}{norm}.weight"),
        ["norm", "shift"] => format!("{place}{norm}.bias"),
        ["norm", "mean"] => format!("{place}{norm}.running_mean"),
        ["norm", "variance"] => format!("{place}{norm}.running_var"),
        _ => format!("{place}{conv}.weight"),
    }
}

/// Filters outputs × channels × height × width as height·width·channels × outputs; others as they are.
fn filters_last(tensor: &Tensor) -> candle_core::Result<Tensor> {
    match *tensor.dims() {
        [outputs, channels, height, width] => {
            let rows = tensor.permute((2, 3, 1, 0))?.contiguous()?;
            rows.reshape((height * width * channels, outputs))
        }
        _ => Ok(tensor.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Architecture;
    use crate::pretrain::plan;
    use taskhead::tasks::stream;

    fn stack(backbone: &Backbone, seed: u64) -> Stack {
        let place = (DType::F32, &Device::Cpu);
        Stack::new(&plan(backbone), &[8, 8, 1], &mut stream(seed, 1), place).unwrap().0
    }

    fn features(stack: &Stack) -> Vec<f32> {
        let x = taskhead::tasks::normal(&mut stream(9, 9), 5, 64, 1.0);
        let x = crate::network::tensor(&x, DType::F32, &Device::Cpu).unwrap();
        let y = stack.forward(&x.reshape((5, 8, 8, 1)).unwrap()).unwrap();
        y.flatten_all().unwrap().to_vec1().unwrap()
    }

    /// Settled on other samples, so that statistics are not those of a new network.
    fn settled(backbone: &Backbone, seed: u64) -> Stack {
        let made = stack(backbone, seed);
        let x = taskhead::tasks::normal(&mut stream(8, 8), 6, 64, 1.0);
        let x = crate::network::tensor(&x, DType::F32, &Device::Cpu).unwrap();
        made.settle(&x.reshape((6, 8, 8, 1)).unwrap(), 4).unwrap();
        made
    }

    #[test]
    fn a_stored_backbone_has_the_same_features() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("b.safetensors");
        for backbone in [
            Backbone::Resnet { channels: vec![3, 4], blocks: 2, large: false },
            Backbone::Cnn { channels: vec![3], width: 4 },
            Backbone::Mlp { widths: vec![5] },
        ] {
            let (a, b) = (settled(&backbone, 1), stack(&backbone, 2));
            assert_ne!(features(&a), features(&b));
            store(&a, &path, "this").unwrap();
            load(&b, &backbone, &path).unwrap();
            assert_eq!(features(&a), features(&b));
            assert_eq!(kept(&path, "this").unwrap(), Kept::Whole);
            assert_eq!(kept(&path, "that").unwrap(), Kept::Other);
        }
        let error =
            |backbone: &Backbone| load(&stack(backbone, 1), backbone, &path).unwrap_err().to_string();
        let resnet = |channels: &[usize], blocks| {
            let channels = channels.to_vec();
            Backbone::Resnet { channels, blocks, large: false }
        };
        store(&stack(&resnet(&[3, 4], 1), 1), &path, "").unwrap();
        assert!(error(&resnet(&[3, 4], 2)).contains("`backbone.2.first.weight` has shape"));
        assert!(error(&resnet(&[3], 1)).contains("`backbone.2.first.norm.mean` has no place"));
        assert!(error(&resnet(&[3, 5], 1)).contains("has shape [27, 4], wanted is [27, 5]"));
        assert!(error(&Backbone::Mlp { widths: vec![3] }).contains("another backbone"));
    }

    /// A changed byte is seen wherever it is: in a weight, in the text of its identity, in a name, in the digest.
    #[test]
    fn a_stored_backbone_that_has_changed_is_not_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("b.safetensors");
        store(&stack(&Backbone::Mlp { widths: vec![2] }, 1), &path, "this").unwrap();
        let bytes = std::fs::read(&path).unwrap();
        for place in 0..bytes.len() {
            for bit in [0x01, 0x40] {
                let mut changed = bytes.clone();
                changed[place] ^= bit;
                std::fs::write(&path, &changed).unwrap();
                assert_eq!(kept(&path, "this").unwrap(), Kept::Changed, "{place}, {bit}");
            }
            std::fs::write(&path, &bytes[..place]).unwrap();
            assert_eq!(kept(&path, "this").unwrap(), Kept::Changed, "{place} bytes");
        }
        std::fs::write(&path, &bytes).unwrap();
        assert_eq!(kept(&path, "this").unwrap(), Kept::Whole);
    }

    /// Finite weights under which features are not, or are nothing.
    #[test]
    fn weights_without_finite_features_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("b.safetensors");
        let mut config = crate::config::Config::preset("digits").unwrap();
        config.pretrain.weights = Some(path.display().to_string());
        for (factor, expected) in [(1e30, "are not finite"), (0.0, "are zero"), (1.0, "")] {
            let made = stack(&config.backbone, 1);
            for (_, variable) in all(&made) {
                variable.set(&(variable.as_tensor() * factor).unwrap()).unwrap();
            }
            store(&made, &path, "").unwrap();
            match crate::Replay::new(config.clone(), Device::Cpu, None) {
                Err(error) => assert!(factor != 1.0 && error.to_string().contains(expected), "{error}"),
                Ok(_) => assert!(factor == 1.0, "{factor} is accepted"),
            }
        }
    }

    /// A number from −1 to 1 for each place of a tensor that looks random, as in tests/reference/resnet18.py.
    fn scatter(tensor: usize, place: usize) -> f64 {
        let (tensor, place) = (tensor as u64, place as u64);
        let mixed = (place * (place + tensor + 1)).wrapping_mul(2_654_435_761) as u32;
        f64::from(mixed) / f64::from(1u32 << 31) - 1.0
    }

    /// torchvision's ResNet-18 with its names, its order of filters and its classifier: features as torchvision
    /// computes them.
    #[test]
    fn resnet_18_of_torchvision_has_its_features() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("resnet18.safetensors");
        let backbone = Architecture::Resnet18Imagenet.backbone();
        let place = (DType::F32, &Device::Cpu);
        let (stack, _) = Stack::new(&plan(&backbone), &[50, 41, 3], &mut stream(1, 1), place).unwrap();
        let mut tensors: Vec<(String, Tensor)> = Vec::new();
        let mut variables: Vec<_> = all(&stack).map(|(name, v)| (common_name(&name, 2), v)).collect();
        variables.sort_by(|(a, _), (b, _)| a.cmp(b));
        for (i, (name, variable)) in variables.iter().enumerate() {
            let shape = match *variable.dims() {
                [rows, outputs] => {
                    let size: usize = match name.as_str() {
                        "conv1.weight" => 7,
                        name if name.contains("downsample") => 1,
                        _ => 3,
                    };
                    vec![outputs, rows / (size * size), size, size]
                }
                _ => variable.dims().to_vec(),
            };
            let count = variable.elem_count();
            let (middle, range) = match name.rsplit('.').next().unwrap() {
                "weight" if shape.len() == 4 => (0.0, (6.0 / (count / shape[0]) as f64).sqrt()),
                "weight" | "running_var" => (1.0, 0.5),
                _ => (0.0, 0.1),
            };
            let values: Vec<f32> = (0..count).map(|j| (middle + range * scatter(i, j)) as f32).collect();
            tensors.push((name.clone(), Tensor::from_vec(values, shape, &Device::Cpu).unwrap()));
        }
        let left_out = [("fc.weight", vec![1000, 512]), ("fc.bias", vec![1000])];
        tensors.extend(left_out.map(|(name, shape)| {
            (name.to_owned(), Tensor::zeros(shape, DType::F32, &Device::Cpu).unwrap())
        }));
        let counter = Tensor::zeros((), DType::I64, &Device::Cpu).unwrap();
        tensors.push(("bn1.num_batches_tracked".into(), counter));
        std::fs::write(&path, safetensors::serialize(tensors, None).unwrap()).unwrap();
        load(&stack, &backbone, &path).unwrap();

        let pixels: Vec<f32> = (0..2 * 50 * 41 * 3).map(|i| scatter(0, i) as f32).collect();
        let x = Tensor::from_vec(pixels, (2, 3, 50, 41), &Device::Cpu).unwrap();
        let x = x.permute((0, 2, 3, 1)).unwrap().contiguous().unwrap();
        let features = stack.forward(&x).unwrap().to_vec2::<f32>().unwrap();
        for (found, expected) in features.iter().zip(EXPECTED) {
            for (found, expected) in found.iter().step_by(100).zip(expected) {
                assert!((found - expected).abs() < 1e-4 * expected.abs(), "{features:?}");
            }
        }
    }

    /// Features 0, 100, … of the two images, from tests/reference/resnet18.py.
    const EXPECTED: [[f32; 6]; 2] = [
        [14.45465, 4.365175, 4.844624, 1.609762, 18.17293, 11.21751],
        [17.5899, 4.956423, 4.922795, 1.814812, 18.77067, 6.78296],
    ];

    /// The names of torchvision and candle, with filters in their order.
    #[test]
    fn common_names_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("resnet.safetensors");
        let backbone = Backbone::Resnet { channels: vec![3, 4], blocks: 2, large: false };
        let (a, b) = (settled(&backbone, 1), stack(&backbone, 2));
        let mut tensors: Vec<(String, Tensor)> = Vec::new();
        for (name, variable) in all(&a) {
            let tensor = variable.as_tensor();
            let tensor = match *tensor.dims() {
                [rows, outputs] => {
                    let size = if name.contains("shortcut") { 1 } else { 3 };
                    let shape = (size, size, rows / (size * size), outputs);
                    tensor.reshape(shape).unwrap().permute((3, 2, 0, 1)).unwrap().contiguous().unwrap()
                }
                _ => tensor.clone(),
            };
            tensors.push((common_name(&name, 2), tensor));
        }
        let mut names: Vec<&str> = tensors.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        for name in [
            "bn1.running_var",
            "conv1.weight",
            "layer1.0.conv1.weight",
            "layer1.1.bn2.bias",
            "layer2.0.downsample.0.weight",
            "layer2.0.downsample.1.running_mean",
            "layer2.1.conv2.weight",
        ] {
            assert!(names.binary_search(&name).is_ok(), "{name} is not in {names:?}");
        }
        let one = Tensor::zeros(1, DType::F32, &Device::Cpu).unwrap();
        let extra = ["fc.weight", "fc.bias", "bn1.num_batches_tracked"];
        tensors.extend(extra.map(|name| (name.to_owned(), one.clone())));
        let write = |tensors: Vec<(String, Tensor)>| {
            std::fs::write(&path, safetensors::serialize(tensors, None).unwrap()).unwrap();
        };
        write(tensors.clone());
        load(&b, &backbone, &path).unwrap();
        assert_eq!(features(&a), features(&b));
        tensors.retain(|(name, _)| name != "layer2.1.bn1.weight");
        write(tensors);
        let error = load(&b, &backbone, &path).unwrap_err().to_string();
        assert!(error.ends_with("there is no `layer2.1.bn1.weight`"), "{error}");
    }
}
