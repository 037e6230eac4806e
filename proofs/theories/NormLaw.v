(** * NormLaw: T9, and its part of T13 beyond E = y.

   notation: see Definitions.v; E = y - a is the energy for a <= y.

   sigma_facts          cosh, sinh of the rapidity and P, collected once
   T9_closed_form       |z_T|^2 = (P + 1 - a^2 - w^2) / 2
   T9_norm_law          |z_T|^2 strictly decreases as |a| grows
   T9_rises             so it strictly rises with E while E <= y (0 <= a)
   T13_norm_falls       and strictly falls with E once E >= y (a <= 0)
   *)

Require Import Reals Lra Lia Psatz.
From Coquelicot Require Import Coquelicot.
From TaskHead Require Import Definitions Sums Calculus LimitEquation.
Open Scope R_scope.

Lemma sigma_facts y w a :
  0 < m_of w a + 2 * a -> 0 < y ->
  let ch := cosh (sigma y w a) in let sh := sinh (sigma y w a) in
  ch * ch = 1 + sh * sh /\
  P_of y w a = m_of w a * (1 + 2 * sh * sh) + 2 * a * (2 * sh * ch) /\
  cosh (2 * sigma y w a) = 1 + 2 * sh * sh /\ sinh (2 * sigma y w a) = 2 * sh * ch /\
  1 <= ch /\ 0 < P_of y w a.
Proof.
  intros Ha Hy ch sh. pose proof (T8_algebraic y w a Ha Hy) as HP.
  pose proof (cosh_sq (sigma y w a)) as H1. pose proof (cosh_2 (sigma y w a)) as H2.
  pose proof (sinh_2 (sigma y w a)) as H3. pose proof (cosh_ge_1 (sigma y w a)) as H4.
  destruct (root_numerator y w a Ha (or_introl Hy)) as [_ Hp].
  fold ch in H1, H2, H3, H4. fold sh in H1, H2, H3.
  repeat split; [lra| |lra|exact H3|exact H4|exact Hp].
  rewrite HP, H2, H3. ring.
Qed.

Theorem T9_closed_form y w a :
  0 < m_of w a + 2 * a -> 0 < y ->
  norm2T y w a = (P_of y w a + 1 - a^2 - w^2) / 2.
Proof.
  intros Ha Hy. destruct (sigma_facts y w a Ha Hy) as [H1 [H2 _]].
  unfold norm2T, dotT. rewrite H2. unfold m_of. field_simplify.
  set (c := cosh (sigma y w a)) in *. set (s := sinh (sigma y w a)) in *.
  replace (c ^ 2) with (1 + s * s) by (rewrite <- H1; ring). field.
Qed.

Theorem T9_norm_law y w a1 a2 :
  0 < y -> 0 < m_of w a1 + 2 * a1 -> 0 < m_of w a2 + 2 * a2 ->
  a1^2 < a2^2 -> norm2T y w a2 < norm2T y w a1.
Proof.
  intros Hy H1 H2 Hlt. rewrite !T9_closed_form by assumption.
  pose proof (P_sq y w a1) as S1. pose proof (P_sq y w a2) as S2.
  pose proof (P_nonneg y w a1) as P1. pose proof (P_nonneg y w a2) as P2.
  unfold m_of in S1, S2.
  set (p1 := P_of y w a1) in *. set (p2 := P_of y w a2) in *.
  set (s1 := a1^2) in *. set (s2 := a2^2) in *.
  pose proof (pow2_gt_0 y ltac:(lra)) as Hy2. pose proof (pow2_ge_0 w) as Hw2.
  set (q := w^2) in *. set (yy := y^2) in *.
  assert (K : q - 1 + s1 < p1).
  { apply Rnot_le_lt. intros Hc. assert (p1^2 <= (q - 1 + s1)^2) by (apply pow_incr; lra). nra. }
  assert (p2 < p1 + (s2 - s1)); [|lra].
  apply Rnot_le_lt. intros Hc.
  assert ((p1 + (s2 - s1))^2 <= p2^2) by (apply pow_incr; lra). nra.
Qed.

Theorem T9_rises y w a1 a2 :
  0 < y -> 0 <= a1 -> a1 < a2 -> norm2T y w a2 < norm2T y w a1.
Proof.
  intros Hy Ha Hlt. pose proof (pow2_ge_0 w). pose proof (pow2_ge_0 a1). pose proof (pow2_ge_0 a2).
  apply T9_norm_law; [exact Hy|unfold m_of; lra|unfold m_of; lra|nra].
Qed.

Theorem T13_norm_falls y w a1 a2 :
  0 < y -> w <> 0 \/ -1 < a1 -> a1 < a2 -> a2 <= 0 -> norm2T y w a1 < norm2T y w a2.
Proof.
  intros Hy Hg Hlt Ha.
  assert (Hm : forall a, a1 <= a -> 0 < m_of w a + 2 * a).
  { intros a Hla. rewrite alpha_form. pose proof (pow2_ge_0 (1 + a)). pose proof (pow2_ge_0 w).
    destruct Hg as [Hw|H1].
    - pose proof (pow2_gt_0 w Hw). lra.
    - pose proof (pow2_gt_0 (1 + a) ltac:(lra)). lra. }
  apply T9_norm_law; [exact Hy|apply Hm; lra|apply Hm; lra|nra].
Qed.
