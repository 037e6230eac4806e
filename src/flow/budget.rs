//! What became of the loss.

/// The loss spent so far (T6): by moving the backbone, ∫ tr(RᵀK R VᵀV) dt, and by moving the head,
/// γ∫‖ZᵀR‖² dt. The two sum to the loss that is gone.
#[derive(Debug, Clone, Copy, PartialEq, Default, serde::Serialize, serde::Deserialize)]
pub struct Budget {
    /// Spent by the backbone.
    pub backbone: f64,
    /// Spent by the head.
    pub head: f64,
}
