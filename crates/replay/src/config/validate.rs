//! What a configuration must satisfy before anything is read or run.

use super::{Backbone, Class, Config, Data, Head};
use taskhead::Setting;
use taskhead::sweep::config::{ConfigError, Points};

/// The most blocks of a stage; nobody means more.
const MAX_BLOCKS: usize = 1000;

/// The largest height and width that images of a folder are brought to.
pub const MAX_SIDE: u32 = 1024;

/// The most atoms of a molecule: places of neighbours are bytes, and 0 is none.
pub const MAX_ATOMS: usize = 254;

/// The longest training, in epochs or units of time: nobody waits for more.
const MAX_TIME: f64 = 1e6;

impl Config {
    /// Checks all values.
    ///
    /// # Errors
    ///
    /// The first value that is not accepted.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let wrong = |name, value, accepted| Err(Setting { name, value, accepted }.into());
        self.sweep().validate()?;
        if let Some(&time) = self.times.iter().find(|t| !t.is_finite() || **t > MAX_TIME) {
            return wrong("times", time, "finite numbers of at most 1e6");
        }
        for (name, training) in [
            ("pretrain.rate", self.pretrain.training),
            ("probing.rate", self.probing.training),
            ("finetune.rate", self.finetune),
        ] {
            if !(training.rate > 0.0 && training.rate.is_finite()) {
                return wrong(name, training.rate, "a finite number above 0");
            }
            if !(0.0..1.0).contains(&training.momentum) {
                return wrong("momentum", training.momentum, "at least 0 and below 1");
            }
        }
        for (name, time) in
            [("pretrain.epochs", self.pretrain.epochs), ("probing.longest", self.probing.longest)]
        {
            if !(0.0..=MAX_TIME).contains(&time) {
                return wrong(name, time, "a number from 0 to 1e6");
            }
        }
        let layers = match &self.backbone {
            Backbone::Linear => 0,
            Backbone::Mlp { widths } => {
                if widths.is_empty() {
                    return Err(ConfigError::Empty { name: "backbone.widths" });
                }
                if widths.contains(&0) {
                    return wrong("backbone.widths", 0.0, "at least 1");
                }
                widths.len()
            }
            Backbone::Cnn { channels, width } => {
                if channels.is_empty() {
                    return Err(ConfigError::Empty { name: "backbone.channels" });
                }
                if channels.contains(&0) || *width == 0 {
                    return wrong("backbone.channels or .width", 0.0, "at least 1");
                }
                channels.len() + 1
            }
            Backbone::EncoderDecoder { channels, width } => {
                if channels.len() < 2 {
                    let accepted =
                        "at least two numbers of channels: one stage, and one that halves the image";
                    return wrong("backbone.channels", channels.len() as f64, accepted);
                }
                if channels.contains(&0) || *width == 0 {
                    return wrong("backbone.channels or .width", 0.0, "at least 1");
                }
                3 * channels.len() - 2
            }
            Backbone::Gin { widths } => {
                if widths.is_empty() {
                    return Err(ConfigError::Empty { name: "backbone.widths" });
                }
                if widths.contains(&0) {
                    return wrong("backbone.widths", 0.0, "at least 1");
                }
                // Before the mean every atom has features, and there is no feature of a molecule.
                if let Some(head) = self.head.iter().find(|head| head.blocks > 0) {
                    let accepted = "0 for molecules, whose features are those of all layers";
                    return wrong("head.blocks", head.blocks as f64, accepted);
                }
                widths.len()
            }
            Backbone::Resnet { channels, blocks, .. } => {
                if channels.is_empty() {
                    return Err(ConfigError::Empty { name: "backbone.channels" });
                }
                if channels.contains(&0) || !(1..=MAX_BLOCKS).contains(blocks) {
                    let accepted = "at least 1, and at most 1000 blocks";
                    return wrong("backbone.channels or .blocks", *blocks as f64, accepted);
                }
                1 + channels.len() * blocks
            }
        };
        if let Data::Files(files) | Data::Masks(files) = &self.data {
            if let Some(side) = files.side.filter(|side| !(1..=MAX_SIDE).contains(side)) {
                return wrong("data.side", side.into(), "1 to 1024");
            }
            if let Some(&mean) = files.mean.iter().find(|v| !v.is_finite()) {
                return wrong("data.mean", mean, "finite numbers, one for each channel or one for all");
            }
            if let Some(&std) = files.std.iter().find(|v| !(v.is_finite() && **v > 0.0)) {
                let accepted = "finite numbers above 0, one for each channel or one for all";
                return wrong("data.std", std, accepted);
            }
            if files.folder.as_os_str().is_empty() {
                return Err(ConfigError::Empty { name: "data.folder" });
            }
            if let (Data::Files(_), Some(ignore)) = (&self.data, files.ignore) {
                return wrong(
                    "data.ignore",
                    ignore.into(),
                    "nothing for images with labels: only masks have pixels",
                );
            }
            if let (Data::Masks(_), Some(folder)) = (&self.data, &files.shifted_folder) {
                let (name, value) = ("data.shifted-folder", folder.display().to_string());
                return Err(ConfigError::Text { name, value, accepted: "nothing for segmentation" });
            }
            for (name, classes) in [("data.source", &files.source), ("data.classes", &files.classes)] {
                let refused = |class: &Class, accepted| {
                    Err(ConfigError::Text { name, value: class.to_string(), accepted })
                };
                // Beside one class of masks there is the background.
                if classes.len() == 1 && !self.is_segmentation() {
                    return refused(&classes[0], "at least two classes, or none for all");
                }
                if let Some(twice) = (1..classes.len()).find(|&i| classes[..i].contains(&classes[i])) {
                    return refused(&classes[twice], "each class once");
                }
            }
            for (name, count) in [
                ("data.source-samples", files.source_samples),
                ("data.samples", files.samples),
                ("data.held-out", files.held_out),
            ] {
                if count == Some(0) {
                    return wrong(name, 0.0, "at least 1");
                }
            }
        }
        if let Data::Table(table) = &self.data {
            for (name, empty) in [
                ("data.file", table.file.as_os_str().is_empty()),
                ("data.label", table.label.is_empty()),
            ] {
                if empty {
                    return Err(ConfigError::Empty { name });
                }
            }
            if !(2..=MAX_ATOMS).contains(&table.atoms) {
                return wrong("data.atoms", table.atoms as f64, "2 to 254");
            }
            for (name, count) in
                [("data.source-samples", table.source_samples), ("data.samples", table.samples)]
            {
                if count == Some(0) {
                    return wrong(name, 0.0, "at least 1");
                }
            }
        }
        if self.is_molecular() != matches!(self.backbone, Backbone::Gin { .. }) {
            return Err(ConfigError::Apart {
                first: "data.kind = molecules or table",
                second: "backbone.kind = gin",
            });
        }
        let of_images = !self.is_flow() && !self.is_segmentation();
        if !(0.0..=1.0).contains(&self.label_noise) || (!of_images && self.label_noise != 0.0) {
            let accepted =
                "a share from 0 to 1; 0 for linear data, which have no labels, and for segmentation";
            return wrong("label-noise", self.label_noise, accepted);
        }
        let of_pixels = matches!(self.backbone, Backbone::EncoderDecoder { .. });
        if self.is_segmentation() != of_pixels {
            return Err(ConfigError::Apart {
                first: "data.kind = scenes or masks",
                second: "backbone.kind = encoder-decoder",
            });
        }
        let linear = matches!(self.backbone, Backbone::Linear);
        if self.is_flow() != linear {
            return Err(ConfigError::Apart {
                first: "data.kind = linear",
                second: "backbone.kind = linear",
            });
        }
        if let Data::Linear(task) = &self.data {
            for (name, value) in [
                ("data.samples", task.samples),
                ("data.inputs", task.inputs),
                ("data.width", task.width),
                ("data.outputs", task.outputs),
                ("data.held-out", task.held_out),
            ] {
                if value == 0 {
                    return wrong(name, 0.0, "at least 1");
                }
            }
            for training in [self.probing.training, self.finetune] {
                let whole = 1.0 / training.rate;
                if (whole - whole.round()).abs() > 1e-9 * whole || whole < 1.0 {
                    return wrong("rate", training.rate, "one over a whole number, for linear data");
                }
                if training.batch != 0 {
                    return wrong(
                        "batch",
                        training.batch as f64,
                        "0 (all samples at once), for linear data",
                    );
                }
            }
        }
        if self.one_at_a_time {
            let refused = |name, value: &str, accepted| {
                Err(ConfigError::Text { name, value: value.into(), accepted })
            };
            if self.is_flow() {
                let accepted = "false for linear data, which have no validation samples to choose by";
                return refused("one-at-a-time", "true", accepted);
            }
            let accepted = "`points` for a table, which needs the longest probing and none";
            match self.points() {
                Points::Times(_) => return refused("probe", "`times`", accepted),
                Points::Energies(_) => return refused("probe", "`energies`", accepted),
                Points::Even(_) | Points::Above(_) => {}
            }
        }
        if self.head.is_empty() {
            return Err(ConfigError::Empty { name: "head" });
        }
        if let Some(twice) = (1..self.head.len()).find(|&i| self.head[..i].contains(&self.head[i])) {
            let (name, accepted) = ("head", "each kind of head once");
            let value = format!("the same twice (number {})", twice + 1);
            return Err(ConfigError::Text { name, value, accepted });
        }
        for head in &self.head {
            if head.hidden == Some(0) {
                return wrong("head.hidden", 0.0, "at least 1");
            }
            if head.blocks > 0 && head.blocks >= layers {
                let accepted = "fewer than the layers of the backbone: one has to stay";
                return wrong("head.blocks", head.blocks as f64, accepted);
            }
        }
        Ok(())
    }
}

impl Config {
    /// Whether the theory can be laid over networks of this kind, whatever their sizes.
    ///
    /// # Errors
    ///
    /// What it needs, in words.
    pub fn admits_theory(&self) -> Result<(), &'static str> {
        if self.head.iter().any(|head| *head != Head::default()) {
            return Err("the theory needs a linear head on the whole backbone");
        }
        if self.times.last().is_none_or(|&time| time == 0.0) {
            return Err("the theory needs a finetuning time above 0, and `times` ends with 0");
        }
        if self.is_segmentation() {
            return Err(
                "the theory needs one row of features for each sample; segmentation has one for each pixel",
            );
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::Experiment;
    use super::*;
    use taskhead::sweep::config::Probes;

    #[test]
    fn bad_values_are_named() {
        let message = |change: &dyn Fn(&mut Config)| {
            let mut c = Config::preset("digits").unwrap();
            change(&mut c);
            c.validate().unwrap_err().to_string()
        };
        assert!(message(&|c| c.times = vec![f64::INFINITY]).contains("`times` holds inf"));
        assert!(message(&|c| c.times = vec![1e15]).contains("`times` holds 1000000000000000"));
        assert!(message(&|c| c.probing.longest = 1e30).contains("`probing.longest` holds 1"));
        assert!(message(&|c| c.pretrain.epochs = f64::NAN).starts_with("`pretrain.epochs` holds NaN"));
        assert!(message(&|c| c.finetune.rate = 0.0).starts_with("`finetune.rate` holds 0"));
        assert!(message(&|c| c.probing.training.momentum = 1.0).starts_with("`momentum` holds 1"));
        assert!(message(&|c| c.head[0].blocks = 2).starts_with("`head.blocks` holds 2"));
        assert!(message(&|c| c.backbone = Backbone::Mlp { widths: vec![] }).contains("is empty"));
        assert!(message(&|c| c.head.push(c.head[0].clone())).starts_with("`head` holds the same twice"));
        assert!(message(&|c| c.label_noise = 1.5).starts_with("`label-noise` holds 1.5"));
        assert!(message(&|c| c.heads.seeds = 0).starts_with("`seeds` holds 0"));
        let table = |change: &dyn Fn(&mut Config)| {
            message(&|c| {
                c.vary(Experiment::Table);
                change(c);
            })
        };
        let [times, energies] = [Some(vec![0.0, 1.0]), Some(vec![0.5])];
        let probe = |probe: Probes| table(&|c| c.probe = probe.clone());
        let accepted = "; accepted: `points` for a table";
        for (given, expected) in [
            (Probes { times, ..Probes::default() }, "`probe` holds `times`"),
            (Probes { energies, ..Probes::default() }, "`probe` holds `energies`"),
        ] {
            let message = probe(given);
            assert!(message.starts_with(expected) && message.contains(accepted), "{message}");
        }
        let mut linear = Config::preset("linear").unwrap();
        linear.one_at_a_time = true;
        let message = linear.validate().unwrap_err().to_string();
        assert!(message.starts_with("`one-at-a-time` holds true; accepted: false"), "{message}");
    }
}
