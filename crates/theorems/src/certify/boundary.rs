//! Where the laws end beyond E = y: exact statements that the certificates led to.
//!
//! Notation as in `laws.rs`: b = −a = E − y > 0, m = 1 + b² + w², t = tanh σ, h = tanh(σ/2), r = sech σ, and w > 0.
//! In t the limit equation T8 is y(1 − t²) = mt − b(1 + t²).
//!
//! **The cosine law never ends (T11 for every E > 0).** In T11 the angle rises iff (P + 1)t² + 2at + 1 > 0. Its
//! discriminant in t is negative, as P + 1 − a² = 2|z_T|² + w² by T9. So no condition on a is needed.
//!
//! **The norm law never ends** (T9): |z_T|² decreases with a² everywhere.
//!
//! **The dot product turns exactly twice (T12 for every E > 0).** It rises on (0, E₁), falls on (E₁, E₂) and rises
//! for E > E₂, with E₁ < y < E₂, and it is negative at E₂. *Proof.* Beyond y it falls iff
//! g = w²(1 + t²)t/(1 − t²) + b(1 − bt) > 0. For bt ≤ 1, thus near b = 0, g > 0. Where g = 0, so bt > 1, put
//! w² = b(bt − 1)(1 − t²)/(t(1 + t²)) into the derivative with t_a = −(1 + 2at + t²)/P:
//!
//! $$\frac{dg}{db} = -\frac{(bt-1)\,(2b + 6bt^2 - t - t^3)}{(b-t)(1+t^2)} < 0,$$
//!
//! as b > 1/t > 1 > t. So g has at most one zero, and it has one: for b → ∞, t = 1/b + y/b² + O(b⁻³) and g → −y. At
//! the zero z_T·z₀ = (1 − bt) cosh σ < 0. With b and t as parameters, b > 1/t, all turning points E₂ = y + b are
//!
//! $$y = \frac{(bt-1)(2b-t-t^3)}{1-t^4},\qquad w^2 = \frac{b\,(bt-1)(1-t^2)}{t\,(1+t^2)}.$$
//!
//! **The dot law up to E = 2y.** At b = y, P = m and t = 2y/m, and with m = 1 + y² + w² the numerator of g is a cubic
//! in m: the dot product falls on all of y ≤ E ≤ 2y iff
//!
//! $$4y^2(m^2 - m + 2) \le m^2(3m - 2).$$
//!
//! It does so for every y ≤ 1; for y → ∞ the boundary is w = y/√3.
//!
//! **The distance law at E = 2y.** There w² = (y − h)(1 − yh)/h, a factor of the form of T10, which leaves
//! 2yh < 1 + t². As yh = (m − R)/2 for R = √(m² − 4y²), the distance rises with E at E = 2y iff
//!
//! $$m - 1 < \sqrt{m^2-4y^2} + \frac{4y^2}{m^2}.$$
//!
//! Here m − 1 = |v₀|². The boundary is the rational curve y = (1 + 6h² + h⁴)/(2h(1 + h²)²), w² = (y − h)(1 − yh)/h
//! for h in (0, 1); it starts at y = 1, w = 0 and approaches w = y.
//!
//! **The distance law up to E = 2y.** For y above 1.2531 the law fails first at E = 2y, and the formula is all of the
//! boundary (seen: every decided cell of the map with y > 1.3 agrees). For smaller y it fails first inside: with
//! w = κy and b = βy the form of T10 over y² tends to κ² − β(1 − β)/2 as y → 0, so the boundary approaches w = y/√8,
//! where the law fails at E = 3y/2. As y → ∞ the form over y² tends to a positive multiple of κ² − β: heads so large
//! learn lazily, and the distance rises with E iff w² > y(E − y). The law ends for every (y, w) at some energy: for b
//! → ∞ the form of T10 over b tends to −y.

/// Not negative where the dot product falls with energy on all of y ≤ E ≤ 2y; zero on the boundary, where its slope at
/// 2y is 0.
pub fn dot_up_to_twice(y: f64, w: f64) -> f64 {
    let m = 1.0 + y * y + w * w;
    m * m * (3.0 * m - 2.0) - 4.0 * y * y * (m * m - m + 2.0)
}

/// Positive where the distance rises with energy at E = 2y, zero on the boundary.
pub fn distance_at_twice(y: f64, w: f64) -> f64 {
    let m = 1.0 + y * y + w * w;
    // m − 2y without cancellation
    let root = (((y - 1.0).powi(2) + w * w) * (m + 2.0 * y)).sqrt();
    root + (2.0 * y / m).powi(2) - (m - 1.0)
}

/// The boundary of the dot law up to E = 2y: (y, w) for a parameter m > 2.
pub fn dot_curve(m: f64) -> (f64, f64) {
    let y2 = m * m * (3.0 * m - 2.0) / (4.0 * (m * m - m + 2.0));
    (y2.sqrt(), (m - 1.0 - y2).sqrt())
}

/// The boundary of the distance law at E = 2y: (y, w) for a parameter h in (0, 1).
pub fn distance_curve(h: f64) -> (f64, f64) {
    let h2 = h * h;
    let y = (1.0 + 6.0 * h2 + h2 * h2) / (2.0 * h * (1.0 + h2).powi(2));
    // 1 − yh = (1 − h²)²/(2(1 + h²)²)
    let rest = ((1.0 - h2) / (1.0 + h2)).powi(2) / 2.0;
    (y, ((y - h) * rest / h).sqrt())
}

/// A turning point of the dot product beyond E = y: (y, w, E₂) for b > 1/t, t in (0, 1).
pub fn second_turn(b: f64, t: f64) -> (f64, f64, f64) {
    let t2 = t * t;
    let y = (b * t - 1.0) * (2.0 * b - t - t * t2) / (1.0 - t2 * t2);
    let w2 = b * (b * t - 1.0) * (1.0 - t2) / (t * (1.0 + t2));
    (y, w2.sqrt(), y + b)
}

#[cfg(test)]
mod tests {
    use super::*;
    use taskhead::flow::rank_one::Limit;

    /// The slope of a metric along energy, by a central difference of the closed form.
    fn slope(metric: usize, y: f64, w: f64, energy: f64) -> f64 {
        let step = 1e-5 * y;
        let value = |e: f64| Limit::new(y, w, y - e).adaptation().means()[metric];
        (value(energy + step) - value(energy - step)) / (2.0 * step)
    }

    #[test]
    fn the_curves_are_where_the_slopes_vanish() {
        for m in [2.1, 3.0, 5.0, 10.0, 100.0] {
            let (y, w) = dot_curve(m);
            assert!(dot_up_to_twice(y, w).abs() < 1e-12 * m.powi(4));
            let (above, below) = (slope(2, y, 1.1 * w, 2.0 * y), slope(2, y, 0.9 * w, 2.0 * y));
            assert!(above < 0.0 && below > 0.0);
            assert!(slope(2, y, w, 2.0 * y).abs() < 1e-3 * below);
            assert!(dot_up_to_twice(y, 1.1 * w) > 0.0 && dot_up_to_twice(y, 0.9 * w) < 0.0);
        }
        for h in [0.05, 0.2, 0.5, 0.8] {
            let (y, w) = distance_curve(h);
            assert!(distance_at_twice(y, w).abs() < 1e-11 * y * y);
            let (above, below) = (slope(0, y, 1.1 * w, 2.0 * y), slope(0, y, 0.9 * w, 2.0 * y));
            assert!(above > 0.0 && below < 0.0);
            assert!(slope(0, y, w, 2.0 * y).abs() < 1e-3 * above);
            assert!(distance_at_twice(y, 1.1 * w) > 0.0 && distance_at_twice(y, 0.9 * w) < 0.0);
        }
        for (b, t) in [(2.0, 0.6), (5.0, 0.3), (1.2, 0.95), (40.0, 0.026)] {
            let (y, w, energy) = second_turn(b, t);
            let (before, after) = (slope(2, y, w, 0.98 * energy), slope(2, y, w, 1.02 * energy));
            assert!(before < 0.0 && after > 0.0);
            assert!(slope(2, y, w, energy).abs() < 1e-3 * after);
            assert!(Limit::new(y, w, -b).adaptation().dot < 0.0);
        }
    }

    #[test]
    fn the_curves_have_the_stated_ends() {
        let (y, w) = dot_curve(1e8);
        assert!((w / y * 3f64.sqrt() - 1.0).abs() < 1e-7);
        let (y, w) = distance_curve(1e-5);
        assert!((w / y - 1.0).abs() < 1e-4);
        for (y, w) in [dot_curve(2.0), distance_curve(1.0)] {
            assert!((y - 1.0).abs() < 1e-12 && w < 1e-6);
        }
    }
}
