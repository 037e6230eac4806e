(** * FrozenHead: T15 (rank one), finetuning with a head that does not move (gamma = 0).

   notation: see Definitions.v; a = z0 . v0, lambda = kappa |v0|^2, phi as in Probing.v.

   T15_path            z(t) = z0 + kappa (y - a) phi(lambda, t) v0, v = v0, solves the flow
   T15_unique          and nothing else does
   T15_limit           the limit is z0 + (y - a) / |v0|^2 v0   (v0 <> 0)
   T15_distance        so |z_T - z_0| = E / |v0|
   T15_dot             and z_T . z_0 = |z0|^2 + (y - a) a / |v0|^2
   T15_distance_law    on a probing line the distance strictly grows with E on [0, y]
   T15_dot_law         on a probing line the dot product strictly grows with E up to a peak inside
                       (0, y) and strictly falls from there to E = y (head not parallel to z0)
   *)

Require Import Reals Lra Lia Psatz.
From Coquelicot Require Import Coquelicot.
From TaskHead Require Import Definitions Sums Calculus Boost Probing EnergyLaws.
Open Scope R_scope.

Lemma frozen_residual kappa h y z0 v0 t :
  y - dot h (frozen_z kappa h y z0 v0 t) v0 = (y - dot h z0 v0) * exp (- (kappa * sq h v0 * t)).
Proof.
  unfold frozen_z. rewrite dot_comb_l. fold (sq h v0). rewrite <- phi_exp. ring.
Qed.

Theorem T15_path kappa h y z0 v0 :
  is_flow kappa 0 h y (frozen_z kappa h y z0 v0) (fun _ => v0) /\
  starts h (frozen_z kappa h y z0 v0) z0.
Proof.
  split.
  - intros t Ht i Hi. rewrite frozen_residual. split.
    + unfold frozen_z, comb.
      refine (is_derive_val _ _ _ _ (is_derive_extR
        (fun x => z0 i + (kappa * (y - dot h z0 v0) * v0 i) * phi (kappa * sq h v0) x) _ t _ _
        (is_derive_Rplus (fun _ => z0 i) _ t _ _ (is_derive_Rconst _ _)
          (is_derive_Rscal _ (kappa * (y - dot h z0 v0) * v0 i) _ _ (phi_derive (kappa * sq h v0) t)))) _);
        [intros; ring|ring].
    + rewrite !Rmult_0_l. apply is_derive_Rconst.
  - intros i Hi. unfold frozen_z, comb. rewrite phi_0. ring.
Qed.

Theorem T15_unique kappa h y z v z0 v0 :
  is_flow kappa 0 h y z v -> starts h z z0 -> starts h v v0 ->
  forall t i, 0 <= t -> (i < h)%nat -> v t i = v0 i /\ z t i = frozen_z kappa h y z0 v0 t i.
Proof.
  intros Hf Hz Hv.
  assert (Ev : forall t i, 0 <= t -> (i < h)%nat -> v t i = v0 i).
  { intros t i Ht Hi. rewrite <- (Hv i Hi). apply (constant_from (fun s => v s i)); [|exact Ht].
    intros s Hs. destruct (Hf s Hs i Hi) as [_ D].
    refine (is_derive_val _ _ _ _ D _). ring. }
  assert (Er : forall t, 0 <= t -> y - dot h (z t) (v t) = (y - dot h z0 v0) * exp (- (kappa * sq h v0 * t))).
  { intros t Ht.
    assert (E0 : y - dot h z0 v0 = y - dot h (z 0) v0).
    { f_equal. apply dot_ext; [intros; symmetry; now apply Hz|reflexivity]. }
    rewrite E0. rewrite (dot_ext h (z t) (z t) (v t) v0) by (intros; auto).
    apply (linear_solution (fun s => y - dot h (z s) v0) (fun _ => - (kappa * sq h v0))
      (fun s => - (kappa * sq h v0 * s))); [ring| | |exact Ht].
    - intros s _. auto_derive; [exact I|]. ring.
    - intros s Hs. refine (is_derive_val _ _ _ _ (is_derive_Rminus (fun _ => y) (fun x => dot h (z x) v0) s _ _
        (is_derive_Rconst _ _) (is_derive_dot h z (fun _ => v0)
          (fun i => kappa * (y - dot h (z s) (v s)) * v s i) (fun _ => 0) s _ _)) _).
      + intros i Hi. destruct (Hf s Hs i Hi) as [D _]. exact D.
      + intros i Hi. apply is_derive_Rconst.
      + rewrite (dot_ext h (z s) (z s) (fun _ => 0) (vscale 0 v0)) by (intros; unfold vscale; ring || reflexivity).
        rewrite (dot_ext h (fun i => kappa * (y - dot h (z s) (v s)) * v s i)
          (comb (kappa * (y - dot h (z s) v0)) v0 0 v0) v0 v0).
        * rewrite dot_comb_l. fold (sq h v0).
          replace (dot h (z s) (vscale 0 v0)) with 0; [ring|].
          unfold dot, vscale. rewrite (sumn_ext h _ (fun _ => 0)); [now rewrite sumn_zero|intros; ring].
        * intros i Hi. unfold comb. rewrite (Ev s i Hs Hi).
          rewrite (dot_ext h (z s) (z s) (v s) v0) by (intros; auto). ring.
        * reflexivity. }
  intros t i Ht Hi. split; [now apply Ev|].
  assert (K : z t i - frozen_z kappa h y z0 v0 t i = z 0 i - frozen_z kappa h y z0 v0 0 i).
  { apply (constant_from (fun s => z s i - frozen_z kappa h y z0 v0 s i)); [|exact Ht].
    intros s Hs. destruct (Hf s Hs i Hi) as [D _].
    destruct (T15_path kappa h y z0 v0) as [Hp _]. destruct (Hp s Hs i Hi) as [D' _].
    refine (is_derive_val _ _ _ _ (is_derive_Rminus _ _ _ _ _ D D') _).
    rewrite (Er s Hs), (Ev s i Hs Hi), frozen_residual. ring. }
  destruct (T15_path kappa h y z0 v0) as [_ Hs]. rewrite (Hs i Hi), (Hz i Hi) in K. lra.
Qed.

Lemma frozen_tends kappa h y z0 v0 : 0 < kappa -> 0 < sq h v0 ->
  tends h (frozen_z kappa h y z0 v0) (frozen_limit h y z0 v0).
Proof.
  intros Hk Hv i Hi. set (lam := kappa * sq h v0). set (e := y - dot h z0 v0).
  assert (Hl : 0 < lam) by (apply Rmult_lt_0_compat; assumption).
  apply (is_lim_ext (fun t => frozen_limit h y z0 v0 i + exp (- (lam * t)) * (- (e / sq h v0 * v0 i)))).
  - intros t. unfold frozen_z, frozen_limit, comb. fold lam e.
    pose proof (phi_exp lam t) as E.
    assert (Ep : kappa * phi lam t = (1 - exp (- (lam * t))) / sq h v0).
    { rewrite <- E. unfold lam. field. lra. }
    replace (kappa * e * phi lam t) with (kappa * phi lam t * e) by ring. rewrite Ep. field. lra.
  - replace (Finite (frozen_limit h y z0 v0 i)) with
      (Rbar_plus (frozen_limit h y z0 v0 i) (Rbar_mult 0 (- (e / sq h v0 * v0 i))))
      by (simpl; f_equal; ring).
    apply (is_lim_plus _ _ _ (frozen_limit h y z0 v0 i) (Rbar_mult 0 (- (e / sq h v0 * v0 i)))).
    + apply is_lim_const.
    + apply is_lim_scal_r. now apply lim_exp_minus.
    + reflexivity.
Qed.

Theorem T15_limit kappa h y z0 v0 : 0 < kappa -> 0 < sq h v0 ->
  (exists zT vT, trains kappa 0 h y z0 v0 zT vT) /\
  forall zT vT, trains kappa 0 h y z0 v0 zT vT ->
    forall i, (i < h)%nat -> zT i = z0 i + (y - dot h z0 v0) / sq h v0 * v0 i.
Proof.
  intros Hk Hv. pose proof (frozen_tends kappa h y z0 v0 Hk Hv) as Ht.
  destruct (T15_path kappa h y z0 v0) as [Hf Hs]. split.
  - exists (frozen_limit h y z0 v0), v0, (frozen_z kappa h y z0 v0), (fun _ => v0).
    split; [exact Hf|split; [exact Hs|split; [intros i _; reflexivity|split; [exact Ht|]]]].
    intros i _. apply is_lim_const.
  - intros zT vT [z [v [Hf' [Sz [Sv [Lz _]]]]]] i Hi.
    assert (L : is_lim (fun t => z t i) p_infty (frozen_limit h y z0 v0 i)).
    { apply (is_lim_ext_loc (fun t => frozen_z kappa h y z0 v0 t i)); [|now apply Ht].
      exists 0. intros t Htt. symmetry. apply (T15_unique kappa h y z v z0 v0 Hf' Sz Sv t i); [lra|exact Hi]. }
    specialize (Lz i Hi). apply is_lim_unique in L, Lz. rewrite Lz in L. injection L as ->.
    unfold frozen_limit, comb. ring.
Qed.

Section Metrics.
Variables (kappa y : R) (h : nat) (z0 : vec).
Hypothesis Hk : 0 < kappa.

Theorem T15_distance v zT vT : 0 < sq h v -> trains kappa 0 h y z0 v zT vT ->
  dist h zT z0 = energy h y z0 v / vnorm h v.
Proof.
  intros Hv Ht. destruct (T15_limit kappa h y z0 v Hk Hv) as [_ H]. specialize (H zT vT Ht).
  unfold dist, vnorm at 1.
  assert (E : sq h (vsub zT z0) = ((y - dot h z0 v) / sq h v)^2 * sq h v).
  { rewrite (sq_ext h (vsub zT z0) (comb ((y - dot h z0 v) / sq h v) v 0 v)).
    - rewrite sq_comb. ring.
    - intros i Hi. unfold vsub, comb. rewrite (H i Hi). ring. }
  pose proof (sqrt_lt_R0 _ Hv) as Hn. fold (vnorm h v) in Hn.
  assert (Hn2 : vnorm h v * vnorm h v = sq h v) by (apply sqrt_sqrt; lra).
  replace (sq h (vsub zT z0)) with ((energy h y z0 v / vnorm h v)^2).
  - apply sqrt_pow2. unfold energy. apply Rmult_le_pos; [apply Rabs_pos|]. left. now apply Rinv_0_lt_compat.
  - rewrite E, <- Hn2. unfold energy.
    replace ((Rabs (y - dot h z0 v) / vnorm h v)^2) with ((Rabs (y - dot h z0 v))^2 / (vnorm h v)^2) by (field; lra).
    rewrite <- Rsqr_pow2, <- Rsqr_abs, Rsqr_pow2. field. lra.
Qed.

Theorem T15_dot v zT vT : 0 < sq h v -> trains kappa 0 h y z0 v zT vT ->
  dot h zT z0 = sq h z0 + (y - dot h z0 v) * dot h z0 v / sq h v.
Proof.
  intros Hv Ht. destruct (T15_limit kappa h y z0 v Hk Hv) as [_ H]. specialize (H zT vT Ht).
  rewrite (dot_ext h zT (comb 1 z0 ((y - dot h z0 v) / sq h v) v) z0 z0).
  - rewrite dot_comb_l, (dot_comm h v z0). fold (sq h z0). field. lra.
  - intros i Hi. unfold comb. rewrite (H i Hi). ring.
  - reflexivity.
Qed.

Hypothesis Hy : 0 < y.
Hypothesis Hz : 0 < sq h z0.

Lemma head_norm_on_line v : sq h v = ((dot h z0 v)^2 + (w_of h z0 v)^2) / sq h z0.
Proof.
  unfold w_of. rewrite pow2_sqrt by (pose proof (cauchy_schwarz h z0 v); lra). field. lra.
Qed.

Theorem T15_distance_law v1 v2 x1 u1 x2 u2 :
  same_probing_line h z0 v1 v2 -> 0 < sq h v1 -> 0 < sq h v2 ->
  trains kappa 0 h y z0 v1 x1 u1 -> trains kappa 0 h y z0 v2 x2 u2 ->
  dot h z0 v1 <= y -> dot h z0 v2 <= y ->
  energy h y z0 v1 < energy h y z0 v2 -> energy h y z0 v2 <= y ->
  dist h x1 z0 < dist h x2 z0.
Proof.
  intros Hl P1 P2 T1 T2 B1 B2 HE Hb.
  rewrite (T15_distance v1 x1 u1 P1 T1), (T15_distance v2 x2 u2 P2 T2).
  rewrite !energy_below in * by assumption.
  pose proof (sqrt_lt_R0 _ P1) as N1. pose proof (sqrt_lt_R0 _ P2) as N2.
  fold (vnorm h v1) in N1. fold (vnorm h v2) in N2.
  assert (Hn : vnorm h v2 <= vnorm h v1).
  { apply sqrt_le_1_alt. rewrite (head_norm_on_line v1), (head_norm_on_line v2), (w_of_line h z0 v1 v2 Hl).
    apply Rmult_le_compat_r; [left; now apply Rinv_0_lt_compat|].
    assert ((dot h z0 v2)^2 <= (dot h z0 v1)^2) by (apply pow_incr; lra). lra. }
  apply Rlt_le_trans with ((y - dot h z0 v2) / vnorm h v1).
  - apply Rmult_lt_compat_r; [now apply Rinv_0_lt_compat|lra].
  - apply Rmult_le_compat_l; [lra|]. apply Rinv_le_contravar; assumption.
Qed.

(** a (y - a) / (a^2 + w^2) rises up to the peak and falls behind it. *)
Lemma frozen_curve w p a b :
  0 < w -> y * p^2 + 2 * w^2 * p = y * w^2 -> 0 <= a -> a < b ->
  (b <= p -> (y - a) * a / (a^2 + w^2) < (y - b) * b / (b^2 + w^2)) /\
  (p <= a -> 0 <= p -> (y - b) * b / (b^2 + w^2) < (y - a) * a / (a^2 + w^2)).
Proof.
  intros Hw Hp Ha Hab. pose proof (pow2_gt_0 w ltac:(lra)) as Hw2.
  pose proof (pow2_ge_0 a). pose proof (pow2_ge_0 b).
  assert (E : (y - b) * b / (b^2 + w^2) - (y - a) * a / (a^2 + w^2) =
    (b - a) * (y * w^2 - y * (a * b) - w^2 * (a + b)) / ((a^2 + w^2) * (b^2 + w^2))).
  { field. lra. }
  assert (Hd : 0 < / ((a^2 + w^2) * (b^2 + w^2))).
  { apply Rinv_0_lt_compat. apply Rmult_lt_0_compat; lra. }
  unfold Rdiv at 3 in E. split.
  - intros Hbp. assert (a * b <= p^2) by nra.
    assert (y * (a * b) <= y * p^2) by (apply Rmult_le_compat_l; lra).
    assert (w^2 * (a + b) < w^2 * (2 * p)) by (apply Rmult_lt_compat_l; lra).
    assert (0 < (b - a) * (y * w^2 - y * (a * b) - w^2 * (a + b))) by (apply Rmult_lt_0_compat; lra).
    assert (0 < (b - a) * (y * w ^ 2 - y * (a * b) - w ^ 2 * (a + b)) * / ((a ^ 2 + w ^ 2) * (b ^ 2 + w ^ 2)))
      by (apply Rmult_lt_0_compat; assumption). lra.
  - intros Hpa Hp0. assert (p^2 <= a * b) by nra.
    assert (y * p^2 <= y * (a * b)) by (apply Rmult_le_compat_l; lra).
    assert (w^2 * (2 * p) < w^2 * (a + b)) by (apply Rmult_lt_compat_l; lra).
    assert (0 < (b - a) * (y * (a * b) + w^2 * (a + b) - y * w^2)) by (apply Rmult_lt_0_compat; lra).
    assert (0 < (b - a) * (y * (a * b) + w^2 * (a + b) - y * w^2) * / ((a ^ 2 + w ^ 2) * (b ^ 2 + w ^ 2)))
      by (apply Rmult_lt_0_compat; assumption). lra.
Qed.

Theorem T15_dot_law v0 : has_orthogonal_part h z0 v0 ->
  exists Ep, 0 < Ep < y /\
  forall v1 v2 x1 u1 x2 u2,
    same_probing_line h z0 v0 v1 -> same_probing_line h z0 v0 v2 ->
    trains kappa 0 h y z0 v1 x1 u1 -> trains kappa 0 h y z0 v2 x2 u2 ->
    dot h z0 v1 <= y -> dot h z0 v2 <= y -> energy h y z0 v1 < energy h y z0 v2 ->
    (energy h y z0 v2 <= Ep -> dot h x1 z0 < dot h x2 z0) /\
    (Ep <= energy h y z0 v1 -> energy h y z0 v2 <= y -> dot h x2 z0 < dot h x1 z0).
Proof.
  intros Ho. set (w := w_of h z0 v0).
  assert (Hw : 0 < w) by (apply sqrt_lt_R0; unfold has_orthogonal_part in Ho; lra).
  set (q := sqrt (w^2 + y^2)).
  assert (Hq2 : q * q = w^2 + y^2) by (apply sqrt_sqrt; nra).
  assert (Hq : 0 <= q) by apply sqrt_pos.
  assert (Hwq : w < q) by nra.
  set (p := w * (q - w) / y).
  assert (Hp : y * p^2 + 2 * w^2 * p = y * w^2).
  { unfold p. apply (Rmult_eq_reg_r y); [|lra].
    transitivity (w^2 * (q * q) - w^2 * w^2); [field; lra|]. rewrite Hq2. ring. }
  assert (Hp0 : 0 < p) by (apply Rdiv_lt_0_compat; [apply Rmult_lt_0_compat; lra|exact Hy]).
  assert (Hpy : p < y).
  { apply Rnot_le_lt. intros Hn. assert (y * y^2 <= y * p^2) by (apply Rmult_le_compat_l; nra).
    assert (w^2 * y <= w^2 * p) by (apply Rmult_le_compat_l; nra). 
    assert (0 < w^2 * y) by (apply Rmult_lt_0_compat; nra). assert (0 < y * y^2) by (apply Rmult_lt_0_compat; nra). lra. }
  exists (y - p). split; [lra|].
  intros v1 v2 x1 u1 x2 u2 L1 L2 T1 T2 B1 B2 HE. rewrite !energy_below in * by assumption.
  assert (K : forall v x u, same_probing_line h z0 v0 v -> trains kappa 0 h y z0 v x u ->
    dot h x z0 = sq h z0 + sq h z0 * ((y - dot h z0 v) * dot h z0 v / ((dot h z0 v)^2 + w^2))).
  { intros v x u L T. pose proof (head_norm_on_line v) as E. rewrite (w_of_line h z0 v0 v L) in E. fold w in E.
    pose proof (pow2_ge_0 (dot h z0 v)). pose proof (pow2_gt_0 w ltac:(lra)).
    assert (Hv : 0 < sq h v) by (rewrite E; apply Rdiv_lt_0_compat; lra).
    rewrite (T15_dot v x u Hv T), E. field. lra. }
  rewrite (K v1 x1 u1 L1 T1), (K v2 x2 u2 L2 T2). split.
  - intros H2. apply Rplus_lt_compat_l, Rmult_lt_compat_l; [exact Hz|].
    apply (frozen_curve w p (dot h z0 v2) (dot h z0 v1)); lra.
  - intros H1 H2. apply Rplus_lt_compat_l, Rmult_lt_compat_l; [exact Hz|].
    apply (frozen_curve w p (dot h z0 v2) (dot h z0 v1)); lra.
Qed.

End Metrics.
