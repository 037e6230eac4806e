//! Two tasks on images of folders.

use std::path::Path;

use super::found::{Found, fault};
use super::layout;
use super::{ImageTasks, Images, Split};
use crate::config::{Class, Files};
use crate::error::ReplayError;

/// One of the two tasks, with the flags that change it and its keys in a configuration.
struct Role<'a> {
    folder: &'a Path,
    folder_flag: &'static str,
    classes: &'a [Class],
    classes_flag: &'static str,
    classes_key: &'static str,
    /// The most training images that are taken.
    most: Option<usize>,
}

/// Classes that a message lists.
const LISTED: usize = 20;

impl Files {
    /// Source and downstream task.
    pub(super) fn tasks(&self) -> Result<ImageTasks, ReplayError> {
        let source = Role {
            folder: self.source_folder.as_ref().unwrap_or(&self.folder),
            folder_flag: if self.source_folder.is_some() { "--source-data" } else { "--data" },
            classes: &self.source,
            classes_flag: "--source-classes",
            classes_key: "data.source",
            most: self.source_samples,
        };
        let downstream = Role {
            folder: &self.folder,
            folder_flag: "--data",
            classes: &self.classes,
            classes_flag: "--classes",
            classes_key: "data.classes",
            most: None,
        };
        let of_source = self.read(&source)?;
        let other = (source.folder != downstream.folder).then(|| self.read(&downstream)).transpose()?;
        let of_downstream = other.as_ref().unwrap_or(&of_source);
        let mut notes = of_source.notes.clone();
        notes.extend(other.iter().flat_map(|found| found.notes.clone()));
        let mut of_classes = self.split(&downstream, of_downstream)?;
        if let Some(folder) = &self.shifted_folder {
            let given = self.labels(&downstream, of_downstream)?;
            let class = |&label: &u16| match of_downstream.names.get(usize::from(label)) {
                Some(name) => Class::Name(name.clone()),
                None => Class::Number(label),
            };
            let classes: Vec<Class> = given.iter().map(class).collect();
            of_classes.test = self.shifted(folder, &classes, of_classes.train.shape())?;
        }
        let tasks = ImageTasks {
            source: self.split(&source, &of_source)?,
            downstream: of_classes,
            samples: self.samples,
            notes,
        };
        let shape = tasks.downstream.train.shape();
        let parts = |split: &Split| [split.train.shape(), split.validation.shape(), split.test.shape()];
        for (role, split) in [(&downstream, &tasks.downstream), (&source, &tasks.source)] {
            if let Some(other) = parts(split).into_iter().find(|&other| other != shape) {
                return fault(
                    role.folder,
                    format!(
                        "its images have the shape {other:?} (height, width, channels), the downstream training \
                         images of {} have {shape:?}; accepted: one shape, which for folders of PNG, JPEG and the \
                         like --side (`data.side`) gives",
                        downstream.folder.display()
                    ),
                );
            }
        }
        Ok(tasks)
    }

    /// Test images of the same classes from another folder, brought to a shape.
    pub(super) fn shifted(
        &self,
        folder: &Path,
        classes: &[Class],
        shape: [usize; 3],
    ) -> Result<Images, ReplayError> {
        let role = Role {
            folder,
            folder_flag: "--shifted-data",
            classes,
            classes_flag: "--classes",
            classes_key: "data.classes",
            most: None,
        };
        let found = layout::read(folder, None, role.folder_flag)?;
        let labels = self.labels(&role, &found)?;
        let images = pick(&role, &found, &labels, &found.held_out, "held-out", self.held_out)?;
        let images = images.resized(shape).and_then(|images| images.normalised(&self.mean, &self.std));
        images.or_else(|reason| fault(folder, reason))
    }

    /// All images of a folder.
    fn read(&self, role: &Role<'_>) -> Result<Found, ReplayError> {
        let mut found = layout::read(role.folder, self.side, role.folder_flag)?;
        let normalised = |images: Images| {
            images.normalised(&self.mean, &self.std).or_else(|reason| {
                fault(role.folder, format!("{reason} (--mean and --std, `data.mean` and `data.std`)"))
            })
        };
        found.train = normalised(found.train)?;
        found.held_out = normalised(found.held_out)?;
        found.validation = found.validation.map(normalised).transpose()?;
        Ok(found)
    }

    /// The labels of the classes of a role, or of all classes.
    fn labels(&self, role: &Role<'_>, found: &Found) -> Result<Vec<u16>, ReplayError> {
        let Role { folder, classes_flag: flag, classes_key: key, .. } = role;
        let there = found.train.classes_seen();
        let label = |class: &Class| match class.label(&found.names) {
            Some(label) => Ok(label),
            None => fault(
                folder,
                format!(
                    "there is no class {class}; {flag} (`{key}`) takes others of {}",
                    found.listed(&there)
                ),
            ),
        };
        let given = role.classes.iter().map(label).collect::<Result<Vec<u16>, _>>()?;
        if let Some(twice) = (1..given.len()).find(|&i| given[..i].contains(&given[i])) {
            let (class, label) = (&role.classes[twice], found.named(given[twice]));
            return fault(
                folder,
                format!("the class {class} is {label}, which is there already ({flag}, `{key}`)"),
            );
        }
        let classes = if given.is_empty() { there } else { given };
        if classes.len() < 2 {
            return fault(
                folder,
                format!(
                    "there is but one label, {}; accepted: at least two ({flag}, `{key}`)",
                    classes[0]
                ),
            );
        }
        Ok(classes)
    }

    /// The images of the classes of a role.
    fn split(&self, role: &Role<'_>, found: &Found) -> Result<Split, ReplayError> {
        let labels = self.labels(role, found)?;
        let pick = |images, what, most| pick(role, found, &labels, images, what, most);
        let train = pick(&found.train, "training", role.most)?;
        let held_out = pick(&found.held_out, "held-out", self.held_out)?;
        let validation =
            found.validation.as_ref().map(|v| pick(v, "validation", self.held_out)).transpose()?;
        Split::new(train, held_out, validation).or_else(|reason| fault(role.folder, reason))
    }
}

/// The first images of some labels.
fn pick(
    role: &Role<'_>,
    found: &Found,
    labels: &[u16],
    images: &Images,
    what: &str,
    most: Option<usize>,
) -> Result<Images, ReplayError> {
    let Role { folder, classes_flag: flag, classes_key: key, .. } = role;
    images.of_classes(labels, most).or_else(|missing| {
        fault(
            folder,
            format!(
                "no {what} image has the label {}; {flag} (`{key}`) takes others of {}",
                found.named(missing),
                found.listed(&images.classes_seen())
            ),
        )
    })
}

/// All images of a folder to pretrain on, brought to a shape.
pub(super) fn source_of(folder: &Path, shape: [usize; 3]) -> Result<Split, ReplayError> {
    let files = Files::of(folder);
    let role = Role {
        folder,
        folder_flag: "--source-data",
        classes: &[],
        classes_flag: "--source-classes",
        classes_key: "data.source",
        most: None,
    };
    let Split { train, validation, test } = files.split(&role, &files.read(&role)?)?;
    let resized = |images: Images| images.resized(shape).or_else(|reason| fault(folder, reason));
    Ok(Split { train: resized(train)?, validation: resized(validation)?, test: resized(test)? })
}

impl Found {
    /// A label, with its name if it has one.
    fn named(&self, label: u16) -> String {
        match self.names.get(usize::from(label)) {
            Some(name) => format!("{label} ({name})"),
            None => label.to_string(),
        }
    }

    fn listed(&self, labels: &[u16]) -> String {
        let list: Vec<String> = labels.iter().take(LISTED).map(|&label| self.named(label)).collect();
        let rest = labels.len().saturating_sub(LISTED);
        list.join(", ") + &if rest > 0 { format!(" and {rest} more") } else { String::new() }
    }
}
