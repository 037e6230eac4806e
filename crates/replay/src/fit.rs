//! Whether a network and its data fit each other, before anything is trained.

use candle_core::{DType, Device};

use super::config::Config;
use super::data::{Dataset, Images};
use super::error::ReplayError;
use super::measure;
use super::network::{Cost, Row, Stack};
use super::pretrain::plan;

/// Refuses features that are of other pixels than the labels are.
pub(super) fn rows_fit(config: &Config, dataset: &Dataset) -> Result<(), ReplayError> {
    let Dataset::Images(tasks) = dataset else { return Ok(()) };
    let (images, plans) = (&tasks.downstream.train, plan(&config.backbone));
    if images.row() == Row::Sample {
        return Ok(());
    }
    let shape = images.shape();
    for blocks in [0].into_iter().chain(config.head.iter().map(|head| head.blocks)) {
        let (_, features) = Cost::of(&plans[..plans.len() - blocks], &shape)?;
        if features[..2] == shape[..2] {
            continue;
        }
        let (of_images, of_features) =
            (format!("{}×{}", shape[1], shape[0]), format!("{}×{}", features[1], features[0]));
        return Err(ReplayError::Unfit(if blocks == 0 {
            let halvings = (plans.len() - 1) / 3;
            let whole = 1u64 << halvings.min(63);
            format!(
                "images of {of_images} pixels have features of {of_features}; accepted: height and width that are \
                 multiples of {whole}, as the backbone halves and doubles them {halvings} times (--side brings images \
                 of a folder to another size)"
            )
        } else {
            format!(
                "`head.blocks` holds {blocks}, which leaves features of {of_features} pixels for masks of \
                 {of_images}; accepted: numbers of layers that leave one feature for each label (--head-blocks 1)"
            )
        }));
    }
    Ok(())
}

/// Images on which weights that were given are tried.
const TRIED: usize = 64;

/// Refuses weights under which images have features that are not finite, or none.
pub(super) fn weights_fit(
    stack: &Stack,
    images: &Images,
    (dtype, device): (DType, &Device),
    path: &str,
) -> Result<(), ReplayError> {
    let rows: Vec<usize> = (0..images.count().min(TRIED)).collect();
    let inputs = images.select(&rows).samples(dtype, device)?.inputs;
    let stack = stack.fork()?;
    measure::settle(&stack, &inputs)?;
    let features = measure::outputs(&stack, &inputs)?;
    let fault = if features.iter().any(|z| !z.is_finite()) {
        "with these weights the features of training images are not finite"
    } else if features.iter().all(|&z| z == 0.0) {
        "with these weights all features of training images are zero"
    } else {
        return Ok(());
    };
    Err(ReplayError::Weights { path: path.into(), fault: fault.into() })
}
