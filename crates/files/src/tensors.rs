//! The tensors of a .safetensors file: its header first, then those that are wanted.

use std::borrow::Cow;
use std::io::{Read, Seek, SeekFrom};

use safetensors::tensor::Metadata;
use safetensors::{Dtype, SafeTensorError};

use super::arrays::{Array, Arrays, Scalar, bits};
use super::error::{Fault, printable};
use super::memory::check_memory;

/// The longest header that the safetensors format allows, in bytes.
const MAX_HEADER: u64 = 100_000_000;

/// Whether a file begins as the format does: the length of a header of JSON, then the JSON.
pub(super) fn is_safetensors(start: &[u8]) -> bool {
    start.len() > 8 && bits(&start[..8], false) <= MAX_HEADER && start[8] == b'{'
}

/// Reads the arrays of these names, and the names of all.
pub(super) fn read(
    mut file: impl Read + Seek,
    wanted: &[&str],
    available: f64,
) -> Result<Arrays<'static>, Fault> {
    let failed = |source| Fault::Io { action: "read", source };
    let (metadata, start) = metadata(&mut file)?;
    let mut arrays = Arrays::default();
    for (name, tensor) in metadata.tensors() {
        let name = printable(&name);
        arrays.add(&name)?;
        if !wanted.contains(&name.as_str()) {
            continue;
        }
        let (scalar, (from, to)) = (scalar_of(tensor.dtype), tensor.data_offsets);
        let mut array = Array {
            name,
            shape: tensor.shape.iter().map(|&n| n as u64).collect(),
            fortran: false,
            scalar,
            big: false,
            type_name: tensor.dtype.to_string(),
            bytes: Cow::default(),
        };
        if scalar.is_some() {
            let needed = to.saturating_sub(from);
            check_memory(format!("array `{}`", array.name), needed as f64, available)?;
            file.seek(SeekFrom::Start(start + from as u64)).map_err(failed)?;
            let mut bytes = Vec::with_capacity(needed);
            (&mut file).take(needed as u64).read_to_end(&mut bytes).map_err(failed)?;
            if bytes.len() != needed {
                return Err(SafeTensorError::MetadataIncompleteBuffer.into());
            }
            array.bytes = bytes.into();
        }
        arrays.arrays.push(array);
    }
    Ok(arrays)
}

/// The header, and where the values begin.
pub(super) fn metadata(file: &mut (impl Read + Seek)) -> Result<(Metadata, u64), Fault> {
    let failed = |source| Fault::Io { action: "read", source };
    let length = file.seek(SeekFrom::End(0)).map_err(failed)?;
    file.rewind().map_err(failed)?;
    let mut header = vec![0; 8];
    file.read_exact(&mut header).map_err(failed)?;
    let size = bits(&header, false);
    file.take(size.min(MAX_HEADER)).read_to_end(&mut header).map_err(failed)?;
    let damaged = || Fault::from(SafeTensorError::InvalidHeaderLength);
    if size > MAX_HEADER || header.len() as u64 != size + 8 {
        return Err(damaged());
    }
    let metadata: Metadata =
        serde_json::from_slice(&header[8..]).map_err(SafeTensorError::InvalidHeaderDeserialization)?;
    let start = header.len() as u64;
    drop(header);
    // What the format asks for: no byte more or less than the tensors need.
    if start.checked_add(metadata.data_len() as u64) != Some(length) {
        return Err(SafeTensorError::MetadataIncompleteBuffer.into());
    }
    Ok((metadata, start))
}

fn scalar_of(dtype: Dtype) -> Option<Scalar> {
    let integer = |bytes, signed| Some(Scalar::Integer { bytes, signed });
    match dtype {
        Dtype::BOOL => Some(Scalar::Bool),
        Dtype::F16 => Some(Scalar::F16),
        Dtype::BF16 => Some(Scalar::Bf16),
        Dtype::F32 => Some(Scalar::F32),
        Dtype::F64 => Some(Scalar::F64),
        Dtype::I8 => integer(1, true),
        Dtype::I16 => integer(2, true),
        Dtype::I32 => integer(4, true),
        Dtype::I64 => integer(8, true),
        Dtype::U8 => integer(1, false),
        Dtype::U16 => integer(2, false),
        Dtype::U32 => integer(4, false),
        Dtype::U64 => integer(8, false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_recognised() {
        assert!(is_safetensors(b"\x10\x00\x00\x00\x00\x00\x00\x00{"));
        assert!(!is_safetensors(b"\x10\x00\x00\x00\x00\x00\x00\x00"));
        assert!(!is_safetensors(b"{\"a\": 1, {"), "text makes a length beyond all limits");
        assert!(!is_safetensors(b"\x10\x00\x00\x00\x00\x00\x00\x00["));
    }
}
