(** * EnergyLaws: T9 to T13 for real training runs, stated in the energy.

   Setting: any width h, kernel value kappa > 0, rate ratio gamma > 0, target y > 0, feature z0 <> 0.
   Two heads v1 and v2 on the same probing line (they differ by a multiple of z0), neither past the
   target (z0 . v <= y); training from (z0, v1) ends at x1, from (z0, v2) at x2, and v2 leaves more
   energy than v1.  E1 < E2 are the two energies.

   T9_energy     E2 <= y                                 =>  |x1| < |x2|
   T13_energy    y <= E1, a head not parallel to z0      =>  |x2| < |x1|
   T10_energy    E2 <= y                                 =>  |x1 - z0| < |x2 - z0|
   T11_energy    a head not parallel to z0, any energies
                                                         =>  cosine(x2, z0) < cosine(x1, z0)
   T12_energy    a head not parallel to z0: there is a peak Ep in (0, y) such that x . z0 strictly
                 grows with E on [0, Ep] and strictly falls with E on [Ep, y]
   T12_energy_parallel   heads parallel to z0, E2 <= y    =>  x1 . z0 < x2 . z0
   laws_not_vacuous      for every energy in [0, y] such a run exists
   *)

Require Import Reals Lra Lia Psatz.
From Coquelicot Require Import Coquelicot.
From TaskHead Require Import Definitions Sums Calculus Boost LimitEquation
  NormLaw DistanceLaw CosineLaw DotLaw Scaling.
Open Scope R_scope.

Lemma energy_below h y z0 v : dot h z0 v <= y -> energy h y z0 v = y - dot h z0 v.
Proof. intros H. unfold energy. apply Rabs_pos_eq. lra. Qed.

Lemma w_of_line h z0 v1 v2 : same_probing_line h z0 v1 v2 -> w_of h z0 v2 = w_of h z0 v1.
Proof.
  intros [mu H]. unfold w_of. f_equal.
  assert (E : forall i, (i < h)%nat -> v2 i = comb 1 v1 mu z0 i) by (intros; unfold comb; rewrite H by assumption; ring).
  rewrite (sq_ext h v2 _ E), (dot_ext h z0 z0 v2 _ (fun _ _ => eq_refl) E), dot_comb_r, sq_comb.
  rewrite (dot_comm h v1 z0). fold (sq h z0). ring.
Qed.

Section Laws.
Variables (kappa gamma y : R) (h : nat) (z0 : vec).
Hypothesis Hk : 0 < kappa.
Hypothesis Hg : 0 < gamma.
Hypothesis Hy : 0 < y.
Hypothesis Hz : 0 < sq h z0.
Let c := unit_of kappa gamma h z0.

Lemma c_positive : 0 < c.
Proof. now apply c_pos. Qed.

Lemma not_opposite_aligned v : 0 <= dot h z0 v -> not_opposite kappa gamma h z0 v.
Proof.
  intros H. unfold not_opposite. pose proof (sqrt_pos (kappa * gamma)). pose proof (sq_nonneg h v).
  assert (0 <= sqrt (kappa * gamma) * dot h z0 v) by (apply Rmult_le_pos; lra). nra.
Qed.

Lemma not_opposite_orthogonal v : has_orthogonal_part h z0 v -> not_opposite kappa gamma h z0 v.
Proof.
  unfold has_orthogonal_part, not_opposite. intros H.
  set (s := sqrt (kappa * gamma)).
  assert (Hs : s * s = kappa * gamma) by (apply sqrt_sqrt; nra).
  set (a := dot h z0 v) in *. set (V := sq h v) in *. set (Z := sq h z0) in *.
  assert (K : 0 < gamma * Z * (gamma * Z + 2 * s * a + kappa * V)).
  { assert (K2 : 0 < kappa * gamma * (Z * V - a^2)) by (apply Rmult_lt_0_compat; nra).
    pose proof (pow2_ge_0 (gamma * Z + s * a)) as K3.
    replace (gamma * Z * (gamma * Z + 2 * s * a + kappa * V)) with
      ((gamma * Z + s * a)^2 + (kappa * gamma * (Z * V) - (s * s) * a^2)) by ring.
    rewrite Hs. lra. }
  apply (Rmult_lt_reg_l (gamma * Z)); [nra|lra].
Qed.

Lemma w_of_positive v : has_orthogonal_part h z0 v -> c * w_of h z0 v <> 0.
Proof.
  intros H. pose proof c_positive. assert (0 < w_of h z0 v); [|nra].
  apply sqrt_lt_R0. unfold has_orthogonal_part in H. lra.
Qed.

Lemma orthogonal_line v1 v2 :
  same_probing_line h z0 v1 v2 -> has_orthogonal_part h z0 v1 -> has_orthogonal_part h z0 v2.
Proof.
  intros Hl Ho. pose proof (w_of_line h z0 v1 v2 Hl) as E. pose proof (w_of_positive v1 Ho) as E1.
  unfold has_orthogonal_part in *. apply Rnot_le_lt. intros Hn.
  assert (Hw : w_of h z0 v2 = 0) by (unfold w_of; apply sqrt_neg_0; lra).
  rewrite <- E, Hw in E1. lra.
Qed.

Section Two.
Variables v1 v2 x1 u1 x2 u2 : vec.
Hypothesis Hl : same_probing_line h z0 v1 v2.
Hypothesis T1 : trains kappa gamma h y z0 v1 x1 u1.
Hypothesis T2 : trains kappa gamma h y z0 v2 x2 u2.
Hypothesis B1 : dot h z0 v1 <= y.
Hypothesis B2 : dot h z0 v2 <= y.
Hypothesis HE : energy h y z0 v1 < energy h y z0 v2.

Lemma heads_ordered : dot h z0 v2 < dot h z0 v1.
Proof. rewrite !energy_below in HE by assumption. lra. Qed.

Lemma scaled_order : c * dot h z0 v2 < c * dot h z0 v1 /\ c * dot h z0 v1 <= c * y.
Proof. pose proof c_positive. pose proof heads_ordered. split; nra. Qed.

Theorem T9_energy : energy h y z0 v2 <= y -> vnorm h x1 < vnorm h x2.
Proof.
  intros H. rewrite energy_below in H by assumption. pose proof heads_ordered. pose proof c_positive.
  destruct (limit_quantities kappa gamma y h z0 Hk Hg Hz v1 x1 u1 Hy (not_opposite_aligned v1 ltac:(lra)) T1) as [N1 _].
  destruct (limit_quantities kappa gamma y h z0 Hk Hg Hz v2 x2 u2 Hy (not_opposite_aligned v2 ltac:(lra)) T2) as [N2 _].
  fold c in N1, N2. rewrite (w_of_line h z0 v1 v2 Hl) in N2.
  unfold vnorm. apply sqrt_lt_1; [apply sq_nonneg..|]. rewrite N1, N2.
  apply Rmult_lt_compat_l; [exact Hz|]. apply T9_rises; nra.
Qed.

Theorem T13_energy : y <= energy h y z0 v1 -> has_orthogonal_part h z0 v1 -> vnorm h x2 < vnorm h x1.
Proof.
  intros H Ho. rewrite energy_below in H by assumption. pose proof heads_ordered. pose proof c_positive.
  pose proof (orthogonal_line v1 v2 Hl Ho) as Ho2.
  destruct (limit_quantities kappa gamma y h z0 Hk Hg Hz v1 x1 u1 Hy (not_opposite_orthogonal v1 Ho) T1) as [N1 _].
  destruct (limit_quantities kappa gamma y h z0 Hk Hg Hz v2 x2 u2 Hy (not_opposite_orthogonal v2 Ho2) T2) as [N2 _].
  fold c in N1, N2. rewrite (w_of_line h z0 v1 v2 Hl) in N2.
  unfold vnorm. apply sqrt_lt_1; [apply sq_nonneg..|]. rewrite N1, N2.
  apply Rmult_lt_compat_l; [exact Hz|].
  apply T13_norm_falls; [nra|left; now apply w_of_positive|nra|nra].
Qed.

Theorem T10_energy : energy h y z0 v2 <= y -> dist h x1 z0 < dist h x2 z0.
Proof.
  intros H. rewrite energy_below in H by assumption. pose proof heads_ordered. pose proof c_positive.
  destruct (limit_quantities kappa gamma y h z0 Hk Hg Hz v1 x1 u1 Hy (not_opposite_aligned v1 ltac:(lra)) T1) as [_ [_ [N1 _]]].
  destruct (limit_quantities kappa gamma y h z0 Hk Hg Hz v2 x2 u2 Hy (not_opposite_aligned v2 ltac:(lra)) T2) as [_ [_ [N2 _]]].
  fold c in N1, N2. rewrite (w_of_line h z0 v1 v2 Hl) in N2.
  unfold dist, vnorm. apply sqrt_lt_1; [apply sq_nonneg..|]. rewrite N1, N2.
  apply Rmult_lt_compat_l; [exact Hz|]. apply T10_distance_law; nra.
Qed.

Theorem T11_energy :
  has_orthogonal_part h z0 v1 ->
  cosine h x2 z0 < cosine h x1 z0.
Proof.
  intros Ho. pose proof heads_ordered. pose proof c_positive.
  pose proof (orthogonal_line v1 v2 Hl Ho) as Ho2.
  destruct (limit_quantities kappa gamma y h z0 Hk Hg Hz v1 x1 u1 Hy (not_opposite_orthogonal v1 Ho) T1) as [_ [_ [_ N1]]].
  destruct (limit_quantities kappa gamma y h z0 Hk Hg Hz v2 x2 u2 Hy (not_opposite_orthogonal v2 Ho2) T2) as [_ [_ [_ N2]]].
  fold c in N1, N2. rewrite (w_of_line h z0 v1 v2 Hl) in N2. rewrite N1, N2.
  apply T11_cosine_law; [nra|now apply w_of_positive|nra|nra].
Qed.

Theorem T12_energy_parallel :
  energy h y z0 v2 <= y -> ~ has_orthogonal_part h z0 v1 -> dot h x1 z0 < dot h x2 z0.
Proof.
  intros H Ho. rewrite energy_below in H by assumption. pose proof heads_ordered. pose proof c_positive.
  assert (Hw : w_of h z0 v1 = 0).
  { unfold has_orthogonal_part in Ho. unfold w_of. apply sqrt_neg_0. lra. }
  destruct (limit_quantities kappa gamma y h z0 Hk Hg Hz v1 x1 u1 Hy (not_opposite_aligned v1 ltac:(lra)) T1) as [_ [N1 _]].
  destruct (limit_quantities kappa gamma y h z0 Hk Hg Hz v2 x2 u2 Hy (not_opposite_aligned v2 ltac:(lra)) T2) as [_ [N2 _]].
  fold c in N1, N2. rewrite (w_of_line h z0 v1 v2 Hl), Hw, Rmult_0_r in N2. rewrite Hw, Rmult_0_r in N1.
  rewrite N1, N2. apply Rmult_lt_compat_l; [exact Hz|]. apply T12_no_orthogonal_part; nra.
Qed.

End Two.

Theorem T12_energy v0 : has_orthogonal_part h z0 v0 ->
  exists Ep, 0 < Ep < y /\
  forall v1 v2 x1 u1 x2 u2,
    same_probing_line h z0 v0 v1 -> same_probing_line h z0 v0 v2 ->
    trains kappa gamma h y z0 v1 x1 u1 -> trains kappa gamma h y z0 v2 x2 u2 ->
    dot h z0 v1 <= y -> dot h z0 v2 <= y -> energy h y z0 v1 < energy h y z0 v2 ->
    (energy h y z0 v2 <= Ep -> dot h x1 z0 < dot h x2 z0) /\
    (Ep <= energy h y z0 v1 -> energy h y z0 v2 <= y -> dot h x2 z0 < dot h x1 z0).
Proof.
  intros Ho. pose proof c_positive as Hc.
  destruct (T12_dot_law (c * y) (c * w_of h z0 v0) ltac:(nra) (w_of_positive v0 Ho)) as [p [Hp [Hdown Hup]]].
  assert (Ep : c * (p / c) = p) by (field; lra).
  assert (0 < p / c < y) by (split; nra).
  exists (y - p / c). split; [lra|].
  intros v1 v2 x1 u1 x2 u2 L1 L2 T1 T2 B1 B2 HE. rewrite !energy_below in * by assumption.
  assert (K : forall v x u, same_probing_line h z0 v0 v -> 0 <= dot h z0 v -> trains kappa gamma h y z0 v x u ->
    dot h x z0 = sq h z0 * dotT (c * y) (c * w_of h z0 v0) (c * dot h z0 v)).
  { intros v x u L Ha T.
    destruct (limit_quantities kappa gamma y h z0 Hk Hg Hz v x u Hy (not_opposite_aligned v Ha) T) as [_ [N _]].
    fold c in N. now rewrite (w_of_line h z0 v0 v L) in N. }
  split.
  - intros H2. rewrite (K v1 x1 u1), (K v2 x2 u2) by (assumption || lra).
    apply Rmult_lt_compat_l; [exact Hz|]. apply Hdown; nra.
  - intros H1 H2. rewrite (K v1 x1 u1), (K v2 x2 u2) by (assumption || lra).
    apply Rmult_lt_compat_l; [exact Hz|]. apply Hup; nra.
Qed.

(** Every energy in [0, y] occurs on the probing line of any head, and training from there converges. *)
Theorem laws_not_vacuous v0 E : 0 <= E <= y ->
  exists v x u, same_probing_line h z0 v0 v /\ dot h z0 v <= y /\ energy h y z0 v = E /\
    trains kappa gamma h y z0 v x u.
Proof.
  intros HEr. set (mu := (y - E - dot h z0 v0) / sq h z0).
  assert (Hd : dot h z0 (comb 1 v0 mu z0) = y - E).
  { rewrite dot_comb_r. fold (sq h z0). unfold mu. field. lra. }
  destruct (T7_general_converges kappa gamma y h z0 Hk Hg Hz (comb 1 v0 mu z0) Hy
    (not_opposite_aligned (comb 1 v0 mu z0) ltac:(lra))) as [x [u T]].
  exists (comb 1 v0 mu z0), x, u. split; [|split; [lra|split; [|exact T]]].
  - exists mu. intros i _. unfold comb. ring.
  - rewrite energy_below by lra. lra.
Qed.

End Laws.
