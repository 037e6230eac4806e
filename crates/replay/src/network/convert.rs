//! Between matrices and tensors.

use candle_core::{DType, Device, Result, Tensor};
use nalgebra::DMatrix;

/// A tensor with the entries of a matrix.
pub fn tensor(matrix: &DMatrix<f64>, dtype: DType, device: &Device) -> Result<Tensor> {
    let rows = matrix.transpose().as_slice().to_vec();
    Tensor::from_vec(rows, matrix.shape(), &Device::Cpu)?.to_dtype(dtype)?.to_device(device)
}

/// A matrix with the entries of a tensor of two dimensions.
pub fn matrix(tensor: &Tensor) -> Result<DMatrix<f64>> {
    let (rows, columns) = tensor.dims2()?;
    let values =
        tensor.to_dtype(DType::F64)?.to_device(&Device::Cpu)?.flatten_all()?.to_vec1::<f64>()?;
    Ok(DMatrix::from_row_slice(rows, columns, &values))
}
