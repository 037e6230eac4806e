//! Where tensors live: `auto`, `cpu`, `cuda:N` or `metal`.

use candle_core::Device;

use super::error::ReplayError;

/// The device of a name, and a note for the user if `auto` had to do without what this build could use.
///
/// # Errors
///
/// An unknown name, a kind that this build lacks, or a device that does not answer.
pub fn open(name: &str) -> Result<(Device, Option<String>), ReplayError> {
    let refuse = |reason: String| {
        let accepted = accepted().join(", ");
        Err(ReplayError::Device { name: name.into(), reason, accepted })
    };
    match name {
        "cpu" => Ok((Device::Cpu, None)),
        "auto" if cfg!(feature = "cuda") => Ok(or_cpu(cuda(0), "CUDA")),
        "auto" if cfg!(feature = "metal") => Ok(or_cpu(metal(), "Metal")),
        "auto" => Ok((Device::Cpu, None)),
        "metal" if !cfg!(feature = "metal") => {
            refuse("this build is without the feature `metal`".into())
        }
        "metal" => metal().map(|d| (d, None)).or_else(refuse),
        _ => {
            let ordinal = match name.strip_prefix("cuda") {
                Some("") => Some(0),
                Some(rest) => rest.strip_prefix(':').and_then(|n| n.parse().ok()),
                None => None,
            };
            match ordinal {
                None => refuse("there is no such device".into()),
                Some(_) if !cfg!(feature = "cuda") => {
                    refuse("this build is without the feature `cuda`".into())
                }
                Some(n) => cuda(n).map(|d| (d, None)).or_else(refuse),
            }
        }
    }
}

fn accepted() -> Vec<&'static str> {
    let mut all = vec!["auto", "cpu"];
    if cfg!(feature = "cuda") {
        all.push("cuda:N");
    }
    if cfg!(feature = "metal") {
        all.push("metal");
    }
    all
}

fn or_cpu(device: Result<Device, String>, kind: &str) -> (Device, Option<String>) {
    match device {
        Ok(device) => (device, None),
        Err(reason) => {
            (Device::Cpu, Some(format!("no {kind} device was found ({reason}); going on on the CPU")))
        }
    }
}

fn cuda(ordinal: usize) -> Result<Device, String> {
    Device::new_cuda(ordinal).map_err(|e| first_line(&e))
}

fn metal() -> Result<Device, String> {
    Device::new_metal(0).map_err(|e| first_line(&e))
}

fn first_line(error: &candle_core::Error) -> String {
    error.to_string().lines().next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_devices_are_refused_with_what_is_accepted() {
        for name in ["tpu", "cuda:x", "cuda0", ""] {
            let text = open(name).unwrap_err().to_string();
            assert!(text.contains("there is no such device") && text.contains("auto, cpu"), "{text}");
        }
        assert!(open("cpu").unwrap().0.is_cpu());
    }

    #[cfg(not(any(feature = "cuda", feature = "metal")))]
    #[test]
    fn a_build_says_what_it_lacks() {
        assert!(open("auto").unwrap().0.is_cpu());
        assert!(open("cuda:1").unwrap_err().to_string().contains("without the feature `cuda`"));
        assert!(open("metal").unwrap_err().to_string().contains("without the feature `metal`"));
    }
}
