(** * LossPath: T23, one sample and any differentiable loss: the path of the squared loss on another clock.

   notation: see Definitions.v; res q = minus the derivative of the loss at the prediction q,
   g = sqrt(kappa / gamma), u0 = g v0.

   T23_path            feature and head are the hyperbolic rotation of (z0, u0) by a rapidity rho with
                       rho' = sqrt(kappa gamma) res(q): only this clock knows the loss
   T23_prediction      and the prediction is the same function of rho for every loss
   T23_same_end        stopped at the prediction q > 0, feature and head are those that the squared loss
                       with target q has at t = infinity
   T23_norm, T23_norm_beyond, T23_distance, T23_cosine, T23_dot
                       so T9 to T13 hold for every loss, at a given prediction
   T23_logistic_energy   the logistic energy e strictly falls with the prediction of the head and is 1/2 at 0
   T23_logistic_peak   logistic loss: at a given prediction the norm peaks exactly at e = 1/2
   T23_logistic_laws   and the other laws, in e
   *)

Require Import Reals Lra Lia Psatz.
From Coquelicot Require Import Coquelicot.
From TaskHead Require Import Definitions Sums Calculus Boost LimitEquation NormLaw DistanceLaw CosineLaw
  DotLaw Scaling EnergyLaws.
Open Scope R_scope.

Section Path.
Variables (kappa gamma : R) (h : nat) (res : R -> R).
Hypothesis Hk : 0 < kappa.
Hypothesis Hg : 0 < gamma.
Hypothesis Hres : forall q : R, continuous res q.
Let g := sqrt (kappa / gamma).
Let c := sqrt (kappa * gamma).

Lemma ratio_pos : 0 < g.
Proof. apply sqrt_lt_R0. now apply Rdiv_lt_0_compat. Qed.

Lemma ratio_sq : g * g = kappa / gamma.
Proof. apply sqrt_sqrt. left. now apply Rdiv_lt_0_compat. Qed.

Lemma rate_head : c = gamma * g.
Proof.
  pose proof ratio_pos. unfold c. replace (kappa * gamma) with ((gamma * g) * (gamma * g)).
  - apply sqrt_square. apply Rmult_le_pos; lra.
  - replace (gamma * g * (gamma * g)) with (gamma * gamma * (g * g)) by ring. rewrite ratio_sq. field. lra.
Qed.

Lemma rate_feature : c * g = kappa.
Proof.
  rewrite rate_head. replace (gamma * g * g) with (gamma * (g * g)) by ring. rewrite ratio_sq. field. lra.
Qed.

Theorem T23_path z v z0 v0 :
  is_one_loss_flow kappa gamma h res z v -> starts h z z0 -> starts h v v0 ->
  exists rho, rho 0 = 0 /\
    (forall t, 0 <= t -> is_derive rho t (c * res (dot h (z t) (v t)))) /\
    (forall t i, 0 <= t -> (i < h)%nat ->
       z t i = boost_z z0 (vscale g v0) (rho t) i /\ g * v t i = boost_v z0 (vscale g v0) (rho t) i).
Proof.
  intros Hf Hz Hv. set (r := fun t => c * res (dot h (z t) (v t))).
  assert (Hr : forall t, 0 <= t -> continuous r t).
  { intros t Ht. apply (continuous_scal_r c (fun s => res (dot h (z s) (v s)))).
    apply (continuous_comp (fun s => dot h (z s) (v s)) res); [|apply Hres].
    eapply is_derive_continuous. apply is_derive_dot; intros i Hi; apply (Hf t Ht i Hi). }
  destruct (primitive_exists r Hr) as [rho [Hr0 Hrho]].
  assert (Hp : forall t i, 0 <= t -> (i < h)%nat -> z t i + g * v t i = (z0 i + g * v0 i) * exp (rho t)).
  { intros t i Ht Hi. rewrite <- (Hz i Hi), <- (Hv i Hi).
    apply (linear_solution (fun s => z s i + g * v s i) r rho Hr0 Hrho); [|exact Ht].
    intros s Hs. destruct (Hf s Hs i Hi) as [Dz Dv].
    refine (is_derive_val _ _ _ _ (is_derive_Rplus _ _ _ _ _ Dz (is_derive_Rscal _ g _ _ Dv)) _).
    unfold r. rewrite <- rate_feature, rate_head. ring. }
  assert (Hm : forall t i, 0 <= t -> (i < h)%nat -> z t i - g * v t i = (z0 i - g * v0 i) * exp (- rho t)).
  { intros t i Ht Hi. rewrite <- (Hz i Hi), <- (Hv i Hi).
    apply (linear_solution (fun s => z s i - g * v s i) (fun s => - r s) (fun s => - rho s)); [lra| | |exact Ht].
    - intros s Hs. apply (is_derive_opp rho). auto.
    - intros s Hs. destruct (Hf s Hs i Hi) as [Dz Dv].
      refine (is_derive_val _ _ _ _ (is_derive_Rminus _ _ _ _ _ Dz (is_derive_Rscal _ g _ _ Dv)) _).
      unfold r. rewrite <- rate_feature, rate_head. ring. }
  exists rho. split; [exact Hr0|split; [exact Hrho|]]. intros t i Ht Hi.
  pose proof (Hp t i Ht Hi). pose proof (Hm t i Ht Hi).
  unfold boost_z, boost_v, comb, vscale, cosh, sinh. split; lra.
Qed.

Lemma prediction_at z1 v1 z0 v0 s :
  (forall i, (i < h)%nat -> z1 i = boost_z z0 (vscale g v0) s i /\ g * v1 i = boost_v z0 (vscale g v0) s i) ->
  g * dot h z1 v1 =
  (alpha_of h z0 (vscale g v0) * exp (2 * s) - beta_of h z0 (vscale g v0) * exp (- (2 * s))) / 4.
Proof.
  intros H. rewrite <- dot_boost. unfold dot. rewrite <- sumn_scal. apply sumn_ext. intros i Hi.
  destruct (H i Hi) as [E1 E2]. rewrite <- E1, <- E2. ring.
Qed.

Theorem T23_prediction (z v : R -> vec) z0 v0 (rho : R -> R) t :
  (forall i, (i < h)%nat -> z t i = boost_z z0 (vscale g v0) (rho t) i /\ g * v t i = boost_v z0 (vscale g v0) (rho t) i) ->
  dot h (z t) (v t) =
  (alpha_of h z0 (vscale g v0) * exp (2 * rho t) - beta_of h z0 (vscale g v0) * exp (- (2 * rho t))) / (4 * g).
Proof.
  intros H. pose proof ratio_pos. apply prediction_at in H. apply (Rmult_eq_reg_l g); [|lra].
  rewrite H. field. lra.
Qed.

Lemma not_opposite_sum z0 v0 : not_opposite kappa gamma h z0 v0 -> 0 < alpha_of h z0 (vscale g v0).
Proof.
  unfold not_opposite, alpha_of. intros H. fold c in H.
  assert (E1 : dot h z0 (vscale g v0) = g * dot h z0 v0).
  { unfold dot, vscale. rewrite <- sumn_scal. apply sumn_ext; intros; ring. }
  rewrite E1, sq_vscale. rewrite rate_head in H.
  replace kappa with (gamma * (g * g)) in H by (rewrite ratio_sq; field; lra).
  apply (Rmult_lt_reg_l gamma); [exact Hg|]. lra.
Qed.

(** Rapidities with the same prediction are equal. *)
Lemma rapidity_unique al be s1 s2 : 0 < al -> 0 <= be ->
  al * exp (2 * s1) - be * exp (- (2 * s1)) = al * exp (2 * s2) - be * exp (- (2 * s2)) -> s1 = s2.
Proof.
  intros Ha Hb H.
  assert (M : forall p q, p < q -> al * exp (2 * p) - be * exp (- (2 * p)) < al * exp (2 * q) - be * exp (- (2 * q))).
  { intros p q Hpq. assert (exp (2 * p) < exp (2 * q)) by (apply exp_increasing; lra).
    assert (exp (- (2 * q)) < exp (- (2 * p))) by (apply exp_increasing; lra). nra. }
  destruct (Rtotal_order s1 s2) as [L|[L|L]]; [|exact L|]; apply M in L; lra.
Qed.

Theorem T23_same_end q z0 v0 z1 v1 :
  0 < q -> not_opposite kappa gamma h z0 v0 ->
  stops_at kappa gamma h res q z0 v0 z1 v1 -> trains kappa gamma h q z0 v0 z1 v1.
Proof.
  intros Hq Ho [z [v [t [Hf [Hz [Hv [Ht [E1 Eq]]]]]]]].
  pose proof ratio_pos as Hgp. pose proof (not_opposite_sum z0 v0 Ho) as Ha.
  destruct (T23_path z v z0 v0 Hf Hz Hv) as [rho [_ [_ Hpath]]].
  assert (Hend : forall i, (i < h)%nat ->
    z1 i = boost_z z0 (vscale g v0) (rho t) i /\ g * v1 i = boost_v z0 (vscale g v0) (rho t) i).
  { intros i Hi. destruct (E1 i Hi) as [-> ->]. now apply Hpath. }
  pose proof (prediction_at _ _ _ _ _ Hend) as Hp. rewrite Eq in Hp.
  assert (Hgq : 0 < g * q) by (apply Rmult_lt_0_compat; assumption).
  pose proof (beta_nonneg h z0 (vscale g v0)) as Hb.
  pose proof (final_clock_fits (g * q) _ _ (alpha_nonneg h z0 (vscale g v0)) Hb Ha (or_introl Hgq)) as Hfin.
  assert (Es : rho t = final_clock (g * q) (alpha_of h z0 (vscale g v0)) (beta_of h z0 (vscale g v0))).
  { apply (rapidity_unique _ _ _ _ Ha Hb). lra. }
  pose proof (T7_convergence h (g * q) z0 (vscale g v0) Ha (or_introl Hgq)) as Htr. cbv zeta in Htr.
  rewrite <- Es in Htr.
  apply (trains_scale _ _ _ _ _ _ _ _ 1 (/ g) (/ gamma)) in Htr;
    [|lra|pose proof (Rinv_0_lt_compat _ Hgp); lra|now apply Rinv_0_lt_compat].
  replace (1 / (/ gamma * (/ g)^2)) with kappa in Htr.
  2:{ transitivity (gamma * (g * g)); [rewrite ratio_sq|]; field; lra. }
  replace (1 / (/ gamma * 1^2)) with gamma in Htr by (field; lra).
  replace (1 * / g * (g * q)) with q in Htr by (field; lra).
  destruct Htr as [zz [vv [F [Sz [Sv [Lz Lv]]]]]]. exists zz, vv.
  split; [exact F|split; [|split; [|split]]]; intros i Hi.
  - rewrite (Sz i Hi). unfold vscale. ring.
  - rewrite (Sv i Hi). unfold vscale. field. lra.
  - destruct (Hend i Hi) as [-> _]. specialize (Lz i Hi). unfold vscale at 1 in Lz. now rewrite Rmult_1_l in Lz.
  - destruct (Hend i Hi) as [_ E]. specialize (Lv i Hi). unfold vscale at 1 in Lv. rewrite <- E in Lv.
    now replace (/ g * (g * v1 i)) with (v1 i) in Lv by (field; lra).
Qed.

End Path.

(** ** The laws at a given prediction *)

Section Laws.
Variables (kappa gamma q : R) (h : nat) (res : R -> R) (z0 : vec).
Hypothesis Hk : 0 < kappa.
Hypothesis Hg : 0 < gamma.
Hypothesis Hq : 0 < q.
Hypothesis Hz : 0 < sq h z0.
Hypothesis Hres : forall p : R, continuous res p.

Section Two.
Variables v1 v2 x1 u1 x2 u2 : vec.
Hypothesis Hl : same_probing_line h z0 v1 v2.
Hypothesis S1 : stops_at kappa gamma h res q z0 v1 x1 u1.
Hypothesis S2 : stops_at kappa gamma h res q z0 v2 x2 u2.
Hypothesis B1 : dot h z0 v1 <= q.
Hypothesis H12 : dot h z0 v2 < dot h z0 v1.

Lemma squared_twin v x u : not_opposite kappa gamma h z0 v ->
  stops_at kappa gamma h res q z0 v x u -> trains kappa gamma h q z0 v x u.
Proof. intros Ho S. now apply (T23_same_end kappa gamma h res Hk Hg Hres q z0 v x u). Qed.

Lemma gap_ordered : energy h q z0 v1 < energy h q z0 v2.
Proof. rewrite !energy_below by lra. lra. Qed.

Theorem T23_norm : 0 <= dot h z0 v2 -> vnorm h x1 < vnorm h x2.
Proof.
  intros H0. apply (T9_energy kappa gamma q h z0 Hk Hg Hq Hz v1 v2 x1 u1 x2 u2 Hl);
    try (apply squared_twin; [apply not_opposite_aligned|assumption]); try lra; try apply gap_ordered.
  rewrite energy_below by lra. lra.
Qed.

Theorem T23_distance : 0 <= dot h z0 v2 -> dist h x1 z0 < dist h x2 z0.
Proof.
  intros H0. apply (T10_energy kappa gamma q h z0 Hk Hg Hq Hz v1 v2 x1 u1 x2 u2 Hl);
    try (apply squared_twin; [apply not_opposite_aligned|assumption]); try lra; try apply gap_ordered.
  rewrite energy_below by lra. lra.
Qed.

Theorem T23_norm_beyond : dot h z0 v1 <= 0 -> has_orthogonal_part h z0 v1 -> vnorm h x2 < vnorm h x1.
Proof.
  intros H0 Ho. pose proof (orthogonal_line kappa gamma h z0 Hk Hg Hz v1 v2 Hl Ho) as Ho2.
  apply (T13_energy kappa gamma q h z0 Hk Hg Hq Hz v1 v2 x1 u1 x2 u2 Hl);
    try (apply squared_twin; [now apply not_opposite_orthogonal|assumption]); try lra; try apply gap_ordered.
  - rewrite energy_below by lra. lra.
  - exact Ho.
Qed.

Theorem T23_cosine : has_orthogonal_part h z0 v1 -> cosine h x2 z0 < cosine h x1 z0.
Proof.
  intros Ho. pose proof (orthogonal_line kappa gamma h z0 Hk Hg Hz v1 v2 Hl Ho) as Ho2.
  apply (T11_energy kappa gamma q h z0 Hk Hg Hq Hz v1 v2 x1 u1 x2 u2 Hl);
    try (apply squared_twin; [now apply not_opposite_orthogonal|assumption]); try lra; try apply gap_ordered.
  exact Ho.
Qed.

End Two.

Theorem T23_dot v0 : has_orthogonal_part h z0 v0 ->
  exists p, 0 < p < q /\
  forall v1 v2 x1 u1 x2 u2,
    same_probing_line h z0 v0 v1 -> same_probing_line h z0 v0 v2 ->
    stops_at kappa gamma h res q z0 v1 x1 u1 -> stops_at kappa gamma h res q z0 v2 x2 u2 ->
    dot h z0 v1 <= q -> dot h z0 v2 < dot h z0 v1 ->
    (p <= dot h z0 v2 -> dot h x1 z0 < dot h x2 z0) /\
    (dot h z0 v1 <= p -> 0 <= dot h z0 v2 -> dot h x2 z0 < dot h x1 z0).
Proof.
  intros Ho. destruct (T12_energy kappa gamma q h z0 Hk Hg Hq Hz v0 Ho) as [Ep [HEp H]].
  exists (q - Ep). split; [lra|]. intros v1 v2 x1 u1 x2 u2 L1 L2 S1 S2 B1 H12.
  assert (O1 : not_opposite kappa gamma h z0 v1)
    by (apply not_opposite_orthogonal; [assumption..|now apply (orthogonal_line kappa gamma h z0 Hk Hg Hz v0 v1)]).
  assert (O2 : not_opposite kappa gamma h z0 v2)
    by (apply not_opposite_orthogonal; [assumption..|now apply (orthogonal_line kappa gamma h z0 Hk Hg Hz v0 v2)]).
  destruct (H v1 v2 x1 u1 x2 u2 L1 L2 (squared_twin v1 x1 u1 O1 S1) (squared_twin v2 x2 u2 O2 S2) B1 ltac:(lra)) as [H1 H2].
  { rewrite !energy_below by lra. lra. }
  pose proof (energy_below h q z0 v1 B1) as E1. pose proof (energy_below h q z0 v2 ltac:(lra)) as E2. split.
  - intros Hp. apply H1. lra.
  - intros Hp H0. apply H2; lra.
Qed.

End Laws.

(** ** The logistic loss *)

Lemma sigmoid_denominator q : 0 < 1 + exp (- q).
Proof. pose proof (exp_pos (- q)). lra. Qed.

Lemma logistic_energy_falls a1 a2 : a1 < a2 -> logistic_energy a2 < logistic_energy a1.
Proof.
  intros H. unfold logistic_energy. pose proof (exp_increasing (- a2) (- a1) ltac:(lra)).
  pose proof (sigmoid_denominator a1). pose proof (sigmoid_denominator a2).
  assert (/ (1 + exp (- a1)) < / (1 + exp (- a2))); [|lra].
  apply Rinv_lt_contravar; [now apply Rmult_lt_0_compat|lra].
Qed.

Lemma logistic_energy_order a1 a2 : logistic_energy a2 < logistic_energy a1 <-> a1 < a2.
Proof.
  split; [|apply logistic_energy_falls]. intros H.
  destruct (Rtotal_order a1 a2) as [L|[->|L]]; [exact L|lra|apply logistic_energy_falls in L; lra].
Qed.

Lemma logistic_energy_0 : logistic_energy 0 = 1 / 2.
Proof. unfold logistic_energy. rewrite Ropp_0, exp_0. field. Qed.

(** It is minus the derivative of the logistic loss. *)
Theorem T23_logistic_energy :
  (forall q, is_derive (fun x => ln (1 + exp (- x))) q (- logistic_energy q)) /\
  (forall a1 a2, logistic_energy a2 < logistic_energy a1 <-> a1 < a2) /\
  logistic_energy 0 = 1 / 2 /\ (forall a, 0 < logistic_energy a < 1).
Proof.
  split; [|split; [exact logistic_energy_order|split; [exact logistic_energy_0|]]].
  - intros q. pose proof (sigmoid_denominator q). unfold logistic_energy. auto_derive; [lra|]. field. lra.
  - intros a. pose proof (sigmoid_denominator a). pose proof (exp_pos (- a)). unfold logistic_energy.
    pose proof (Rinv_0_lt_compat _ H). assert (/ (1 + exp (- a)) < / 1) by (apply Rinv_lt_contravar; lra). lra.
Qed.

Lemma logistic_continuous (p : R) : continuous logistic_energy p.
Proof.
  apply (ex_derive_continuous logistic_energy). pose proof (sigmoid_denominator p).
  unfold logistic_energy. auto_derive. lra.
Qed.

Section Logistic.
Variables (kappa gamma q : R) (h : nat) (z0 v1 v2 x1 u1 x2 u2 : vec).
Hypothesis Hk : 0 < kappa.
Hypothesis Hg : 0 < gamma.
Hypothesis Hq : 0 < q.
Hypothesis Hz : 0 < sq h z0.
Hypothesis Hl : same_probing_line h z0 v1 v2.
Hypothesis S1 : stops_at kappa gamma h logistic_energy q z0 v1 x1 u1.
Hypothesis S2 : stops_at kappa gamma h logistic_energy q z0 v2 x2 u2.
Let e1 := logistic_energy (dot h z0 v1).
Let e2 := logistic_energy (dot h z0 v2).

Theorem T23_logistic_laws : logistic_energy q <= e1 -> e1 < e2 ->
  (e2 <= 1 / 2 -> vnorm h x1 < vnorm h x2 /\ dist h x1 z0 < dist h x2 z0) /\
  (has_orthogonal_part h z0 v1 -> cosine h x2 z0 < cosine h x1 z0) /\
  (has_orthogonal_part h z0 v1 -> 1 / 2 <= e1 -> vnorm h x2 < vnorm h x1).
Proof.
  intros Hb He. apply (proj1 (logistic_energy_order _ _)) in He.
  assert (B1 : dot h z0 v1 <= q).
  { apply Rnot_lt_le. intros H. apply logistic_energy_falls in H. unfold e1 in Hb. lra. }
  pose proof (T23_norm kappa gamma q h _ z0 Hk Hg Hq Hz logistic_continuous v1 v2 x1 u1 x2 u2 Hl S1 S2 B1 He) as Ln.
  pose proof (T23_distance kappa gamma q h _ z0 Hk Hg Hq Hz logistic_continuous v1 v2 x1 u1 x2 u2 Hl S1 S2 B1 He) as Ld.
  pose proof (T23_cosine kappa gamma q h _ z0 Hk Hg Hq Hz logistic_continuous v1 v2 x1 u1 x2 u2 Hl S1 S2 B1 He) as Lc.
  pose proof (T23_norm_beyond kappa gamma q h _ z0 Hk Hg Hq Hz logistic_continuous v1 v2 x1 u1 x2 u2 Hl S1 S2 B1 He) as Lb.
  rewrite <- logistic_energy_0. split; [|split; [exact Lc|]].
  - intros H2. assert (0 <= dot h z0 v2); [|auto].
    apply Rnot_lt_le. intros H. apply logistic_energy_falls in H. unfold e2 in H2. lra.
  - intros Ho H1. apply Lb; [|exact Ho].
    apply Rnot_lt_le. intros H. apply logistic_energy_falls in H. unfold e1 in H1. lra.
Qed.

(** The head that knows nothing of the feature makes the largest one, whatever q is. *)
Theorem T23_logistic_peak : has_orthogonal_part h z0 v1 -> e1 = 1 / 2 -> e2 <> 1 / 2 -> vnorm h x2 < vnorm h x1.
Proof.
  intros Ho E1 E2. pose proof (orthogonal_line kappa gamma h z0 Hk Hg Hz v1 v2 Hl Ho) as Ho2.
  assert (A1 : dot h z0 v1 = 0).
  { rewrite <- logistic_energy_0 in E1. unfold e1 in E1.
    destruct (Rtotal_order (dot h z0 v1) 0) as [L|[L|L]]; [|exact L|]; apply logistic_energy_falls in L; lra. }
  assert (A2 : dot h z0 v2 <> 0) by (intros E; apply E2; unfold e2; rewrite E; exact logistic_energy_0).
  pose proof (not_opposite_orthogonal kappa gamma h z0 Hk Hg Hz v1 Ho) as O1.
  pose proof (not_opposite_orthogonal kappa gamma h z0 Hk Hg Hz v2 Ho2) as O2.
  pose proof (T23_same_end kappa gamma h _ Hk Hg logistic_continuous q z0 v1 x1 u1 Hq O1 S1) as T1.
  pose proof (T23_same_end kappa gamma h _ Hk Hg logistic_continuous q z0 v2 x2 u2 Hq O2 S2) as T2.
  destruct (limit_quantities kappa gamma q h z0 Hk Hg Hz v1 x1 u1 Hq O1 T1) as [N1 _].
  destruct (limit_quantities kappa gamma q h z0 Hk Hg Hz v2 x2 u2 Hq O2 T2) as [N2 _].
  rewrite (w_of_line h z0 v1 v2 Hl) in N2.
  set (c := unit_of kappa gamma h z0) in *. pose proof (c_pos kappa gamma h z0 Hk Hg Hz) as Hc. fold c in Hc.
  pose proof (w_of_positive kappa gamma h z0 Hk Hg Hz v1 Ho) as Hw. fold c in Hw.
  unfold vnorm. apply sqrt_lt_1; [apply sq_nonneg..|]. rewrite N1, N2.
  apply Rmult_lt_compat_l; [exact Hz|]. rewrite A1, Rmult_0_r.
  apply T9_norm_law; [now apply Rmult_lt_0_compat|now apply orthogonal_alpha..|].
  replace (0^2) with 0 by ring. apply pow2_gt_0. apply Rmult_integral_contrapositive_currified; lra.
Qed.

End Logistic.
