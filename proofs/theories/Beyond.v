(** * Beyond: T13, where the trends end.

   notation: see Definitions.v; E = y - a, so a < 0 is an energy beyond y.
   (What continues there: T13_norm_falls in NormLaw.v, T11_cosine_law in CosineLaw.v.)

   T13_distance_breaks   for y = 11/8, w = 1 there are two energies beyond y = E such that the larger
                         one moves the feature less far
   T13_dot_turns_up      for y = 23/9, w = 1/2 there are two energies beyond E = y such that the larger
                         one gives the larger dot product, against the fall before E = y
   *)

Require Import Reals Lra Lia Psatz.
From Coquelicot Require Import Coquelicot.
From TaskHead Require Import Definitions Sums Calculus LimitEquation NormLaw DistanceLaw DotLaw.
Open Scope R_scope.

(** Next to a point with positive derivative there is a larger value on the right. *)
Lemma larger_on_right (f : R -> R) x d b :
  is_derive f x d -> 0 < d -> x < b -> exists x', x < x' < b /\ f x < f x'.
Proof.
  intros Hd Hp Hb. apply is_derive_Reals in Hd.
  destruct (Hd (d / 2) ltac:(lra)) as [del Hdel].
  set (e := Rmin (del / 2) ((b - x) / 2)).
  assert (He : 0 < e) by (apply Rmin_glb_lt; [pose proof (cond_pos del); lra|lra]).
  assert (He1 : e < del).
  { apply Rle_lt_trans with (del / 2); [apply Rmin_l|pose proof (cond_pos del); lra]. }
  assert (He2 : e <= (b - x) / 2) by apply Rmin_r.
  specialize (Hdel e ltac:(lra) ltac:(rewrite Rabs_pos_eq; lra)).
  exists (x + e). split; [lra|].
  apply Rabs_def2 in Hdel.
  assert (K : d / 2 < (f (x + e) - f x) / e) by lra.
  apply (Rmult_lt_compat_r e) in K; [|exact He].
  replace ((f (x + e) - f x) / e * e) with (f (x + e) - f x) in K by (field; lra). nra.
Qed.

(** If the limit equation has the root ln t, then sigma = ln t. *)
Lemma sigma_is_ln y w a t : 0 < t -> 0 < y -> 0 < m_of w a + 2 * a ->
  (m_of w a + 2 * a) * (t * t) - (m_of w a - 2 * a) / (t * t) = 4 * y -> sigma y w a = ln t.
Proof.
  intros Ht Hy Ha H. apply (T8_unique y w a); [exact Ha|now apply T8_root; [|left]|].
  apply limit_equation_exp.
  replace (exp (2 * ln t)) with (t * t); [exact H|].
  replace (2 * ln t) with (ln t + ln t) by ring. rewrite exp_plus, exp_ln by exact Ht. reflexivity.
Qed.

Lemma cosh_ln t : 0 < t -> cosh (ln t) = (t + / t) / 2.
Proof. intros Ht. unfold cosh. rewrite exp_Ropp, exp_ln by exact Ht. reflexivity. Qed.

Lemma sinh_ln t : 0 < t -> sinh (ln t) = (t - / t) / 2.
Proof. intros Ht. unfold sinh. rewrite exp_Ropp, exp_ln by exact Ht. reflexivity. Qed.

Theorem T13_distance_breaks :
  exists a1 a2, a1 < a2 < 0 /\ dist2T (11 / 8) 1 a1 < dist2T (11 / 8) 1 a2.
Proof.
  set (y := 11 / 8). assert (Hy : 0 < y) by (unfold y; lra).
  assert (Hm : 0 < m_of 1 (-2) + 2 * (-2)) by (unfold m_of; lra).
  assert (Es : sigma y 1 (-2) = ln 2) by (apply sigma_is_ln; unfold m_of, y; lra).
  pose proof (T10_derivative y 1 (-2) Hm Hy) as D. cbv zeta in D.
  destruct (sigma_facts y 1 (-2) Hm Hy) as [_ [_ [E1 [_ [_ HP]]]]]. rewrite E1 in D.
  rewrite Es, cosh_ln, sinh_ln in D by lra.
  assert (Hpos : 0 < dist2T_slope y 1 (-2)).
  { apply Rnot_le_lt. intros Hn.
    assert (0 <= P_of y 1 (-2) * - dist2T_slope y 1 (-2)) by (apply Rmult_le_pos; lra).
    replace (/ 2) with (1 / 2) in D by field. lra. }
  destruct (larger_on_right (fun x => dist2T y 1 x) (-2) _ 0 (T10_is_derivative y 1 (-2) Hm Hy) Hpos ltac:(lra))
    as [a2 [Ha2 Hlt]].
  exists (-2), a2. split; [lra|exact Hlt].
Qed.

Theorem T13_dot_turns_up :
  exists a1 a2, a1 < a2 < 0 /\ dotT (23 / 9) (1 / 2) a2 < dotT (23 / 9) (1 / 2) a1.
Proof.
  set (y := 23 / 9). set (w := 1 / 2). assert (Hy : 0 < y) by (unfold y; lra).
  assert (Hm : 0 < m_of w (-2) + 2 * (-2)) by (unfold m_of, w; lra).
  assert (Es : sigma y w (-2) = ln 3) by (apply sigma_is_ln; unfold m_of, y, w; lra).
  pose proof (dotT_slope_sign y w (-2) Hm Hy) as D. unfold g, tanh in D.
  destruct (sigma_facts y w (-2) Hm Hy) as [_ [_ [E1 [_ [_ HP]]]]]. rewrite E1 in D.
  rewrite Es, cosh_ln, sinh_ln in D by lra.
  assert (Hneg : 0 < - dotT_slope y w (-2)).
  { apply Rnot_le_lt. intros Hn.
    assert (0 <= P_of y w (-2) * dotT_slope y w (-2)) by (apply Rmult_le_pos; lra).
    unfold w in *. lra. }
  destruct (larger_on_right (fun x => - dotT y w x) (-2) _ 0
    (is_derive_opp _ _ _ (dotT_derive y w (-2) Hm Hy)) Hneg ltac:(lra)) as [a2 [Ha2 Hlt]].
  exists (-2), a2. split; [lra|lra].
Qed.
