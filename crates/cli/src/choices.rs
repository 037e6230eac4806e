//! The values of flags that choose one of a few, with their help.

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use taskhead::loss::Loss;
use taskhead::metric::Metric;
use taskhead::simulation::Method;

/// A type whose values are chosen by name.
pub trait Choice: Copy + Send + Sync + 'static {
    /// Every value with its name and its help.
    const ALL: &'static [(Self, &'static str, &'static str)];
}

/// Parses the name of a choice; help and errors list all names.
pub fn choice<T: Choice>() -> impl TypedValueParser<Value = T> {
    let names = T::ALL.iter().map(|(_, name, help)| {
        let value = PossibleValue::new(*name);
        if help.is_empty() { value } else { value.help(*help) }
    });
    PossibleValuesParser::new(names).map(|name| {
        let found = T::ALL.iter().find(|(_, other, _)| *other == name);
        found.expect("the parser accepts these names only").0
    })
}

impl Choice for Method {
    const ALL: &'static [(Self, &'static str, &'static str)] = &[
        (Self::Auto, "auto", "A closed form if its hypotheses hold to rounding, else the solver"),
        (Self::ClosedForm, "closed-form", "A closed form, or an error with what its hypotheses miss"),
        (Self::Flow, "flow", "The numerical solver"),
        (
            Self::Descent,
            "descent",
            "Gradient descent with a tenth of the largest step that is stable all along the way",
        ),
    ];
}

impl Choice for Loss {
    const ALL: &'static [(Self, &'static str, &'static str)] = &[
        (Self::Squared, "squared", "½‖y − f‖²; the residual is y − f"),
        (
            Self::CrossEntropy,
            "cross-entropy",
            "−log softmax(f)_y, or the logistic loss of one output; the residual is e_y − p",
        ),
    ];
}

impl Choice for Metric {
    const ALL: &'static [(Self, &'static str, &'static str)] = &[
        (Self::Euclidean, "euclidean", "Euclidean distance"),
        (Self::Cosine, "cosine", "Cosine distance"),
        (Self::Dot, "dot", "Dot product"),
        (Self::Norm, "norm", "Norm"),
        (Self::Frobenius, "frobenius_distance", "Frobenius distance of all features, which is no mean"),
    ];
}

#[cfg(feature = "replay")]
mod replay {
    use super::Choice;
    use taskhead_replay::config::{Architecture, Dynamics, Experiment, Kernel, Precision, Source};

    impl Choice for Kernel {
        const ALL: &'static [(Self, &'static str, &'static str)] = &[
            (Self::Mean, "mean", "One for all feature directions, as in the two-layer linear theory"),
            (Self::Directions, "directions", "One for each feature direction"),
            (Self::Full, "full", "All of it, between features too"),
        ];
    }

    impl Choice for Dynamics {
        const ALL: &'static [(Self, &'static str, &'static str)] = &[
            (Self::Flow, "flow", "Gradient flow"),
            (Self::Descent, "descent", "The network's own steps, with its batches and momentum"),
        ];
    }

    impl Choice for Precision {
        const ALL: &'static [(Self, &'static str, &'static str)] =
            &[(Self::F32, "f32", "Single"), (Self::F64, "f64", "Double")];
    }

    impl Choice for Source {
        const ALL: &'static [(Self, &'static str, &'static str)] = &[
            (Self::Labels, "labels", "The source task"),
            (Self::Shuffled, "shuffled", "The source task with its labels shuffled"),
            (Self::None, "none", "Nothing: a random backbone"),
        ];
    }

    impl Choice for Architecture {
        const ALL: &'static [(Self, &'static str, &'static str)] = &[
            (Self::Mlp, "mlp", "Dense layers of 128 and 128"),
            (Self::Cnn, "cnn", "Two convolutions of 16 and 32 channels, then a dense layer of 128"),
            (
                Self::EncoderDecoder,
                "encoder-decoder",
                "For segmentation: 8, 16 and 32 channels down, which halve the image twice, and 16 and 16 back",
            ),
            (Self::Resnet8, "resnet8", "A small ResNet: 16, 32 and 64 channels, one block each"),
            (
                Self::Resnet18,
                "resnet18",
                "ResNet-18 with a 3×3 convolution first: 64, 128, 256 and 512 channels, two blocks each. For a GPU",
            ),
            (
                Self::Resnet18Imagenet,
                "resnet18-imagenet",
                "ResNet-18 as it is trained on ImageNet, with a 7×7 convolution and pooling first",
            ),
        ];
    }

    impl Choice for Experiment {
        const ALL: &'static [(Self, &'static str, &'static str)] = &[
            (Self::Smoothing, "smoothing", "Label smoothing while probing: 0, 0.1, 0.3"),
            (Self::Head, "head", "A linear head and one with a hidden layer of 64"),
            (
                Self::Partial,
                "partial",
                "The whole backbone, and one whose last layer is initialised anew and belongs to the head",
            ),
            (Self::Scale, "scale", "Scales of the initial head: 1/4, 1, 4"),
            (Self::Rate, "rate", "Learning rates of the head over the backbone's: 1/10, 1, 10"),
            (
                Self::Table,
                "table",
                "The paper's table: smoothing of 0.1, head and partial one at a time beside no probing, tuned probing \
                 and the longest probing; ten seeds unless --seeds says otherwise",
            ),
        ];
    }
}
