(** * Scaling: from any kappa, gamma > 0 and |z0| > 0 to the normalised model.

   notation: see Definitions.v; n = |z0|, g = sqrt(kappa / gamma), unit_of = g / n^2.

   scale_flow            (p z(t/tau), q v(t/tau)) solves the flow with rates kappa/(tau q^2),
                         gamma/(tau p^2) and target p q y
   flip_flow             in particular (v, y) -> (-v, -y) maps solutions to solutions
   trains_scale          the same for start and limit
   trains_normalise      with p = 1/n, q = g/n, tau = gamma n^2 the flow is the normalised one
   T7_general_converges    for y > 0 every start but the exactly opposite head has a limit
   T7_general_unique     and only one
   limit_quantities      |z_T|^2, |z_T - z_0|^2, z_T . z_0 and the cosine through
                         norm2T, dist2T, dotT, cosT of the normalised model
   *)

Require Import Reals Lra Lia Psatz.
From Coquelicot Require Import Coquelicot.
From TaskHead Require Import Definitions Sums Calculus Boost LimitEquation CosineLaw.
Open Scope R_scope.

Lemma dot_vscale h p q u v : dot h (vscale p u) (vscale q v) = p * q * dot h u v.
Proof.
  unfold dot, vscale. rewrite <- sumn_scal. apply sumn_ext; intros; ring.
Qed.

Lemma sq_vscale h p u : sq h (vscale p u) = p^2 * sq h u.
Proof. unfold sq. rewrite dot_vscale. ring. Qed.

Lemma div_pos_time t tau : 0 < tau -> 0 <= t -> 0 <= t / tau.
Proof. intros H Ht. apply Rmult_le_pos; [exact Ht|]. left. now apply Rinv_0_lt_compat. Qed.

Theorem scale_flow kappa gamma h y z v p q tau :
  p <> 0 -> q <> 0 -> 0 < tau -> is_flow kappa gamma h y z v ->
  is_flow (kappa / (tau * q^2)) (gamma / (tau * p^2)) h (p * q * y)
    (fun t => vscale p (z (t / tau))) (fun t => vscale q (v (t / tau))).
Proof.
  intros Hp Hq Ht Hf t H0 i Hi.
  destruct (Hf (t / tau) (div_pos_time t tau Ht H0) i Hi) as [Dz Dv].
  assert (Dt : is_derive (fun s => s / tau) t (/ tau)).
  { auto_derive; [exact I|]. field. lra. }
  rewrite dot_vscale. set (r := dot h (z (t / tau)) (v (t / tau))) in *. unfold vscale. split.
  - refine (is_derive_val _ _ _ _ (is_derive_Rscal _ p _ _
      (is_derive_comp_R (fun s => z s i) (fun s => s / tau) t _ _ Dt Dz)) _).
    field. repeat split; (assumption || lra).
  - refine (is_derive_val _ _ _ _ (is_derive_Rscal _ q _ _
      (is_derive_comp_R (fun s => v s i) (fun s => s / tau) t _ _ Dt Dv)) _).
    field. repeat split; (assumption || lra).
Qed.

Lemma lim_time (f : R -> R) (l tau : R) :
  0 < tau -> is_lim f p_infty l -> is_lim (fun t => f (t / tau)) p_infty l.
Proof.
  intros Ht Hf. apply (is_lim_comp f (fun t => t / tau) p_infty l p_infty); [exact Hf| |].
  - apply (is_lim_ext (fun t => / tau * t)); [intros; unfold Rdiv; ring|].
    assert (E : Rbar_mult (/ tau) p_infty = p_infty).
    { pose proof (Rinv_0_lt_compat _ Ht). simpl.
      destruct (Rle_dec 0 (/ tau)) as [H1|H1]; [|exfalso; lra].
      destruct (Rle_lt_or_eq_dec 0 (/ tau) H1) as [H2|H2]; [reflexivity|exfalso; lra]. }
    pose proof (is_lim_scal_l (fun t => t) (/ tau) p_infty p_infty (is_lim_id _)) as H.
    rewrite E in H. exact H.
  - exists 0. intros; discriminate.
Qed.

Lemma trains_scale kappa gamma h y z0 v0 zT vT p q tau :
  p <> 0 -> q <> 0 -> 0 < tau -> trains kappa gamma h y z0 v0 zT vT ->
  trains (kappa / (tau * q^2)) (gamma / (tau * p^2)) h (p * q * y)
    (vscale p z0) (vscale q v0) (vscale p zT) (vscale q vT).
Proof.
  intros Hp Hq Ht [z [v [Hf [Hz [Hv [Lz Lv]]]]]].
  exists (fun t => vscale p (z (t / tau))), (fun t => vscale q (v (t / tau))).
  assert (E0 : 0 / tau = 0) by (unfold Rdiv; ring).
  split; [now apply scale_flow|split; [|split; [|split]]].
  - intros i Hi. unfold vscale. rewrite E0. f_equal. now apply Hz.
  - intros i Hi. unfold vscale. rewrite E0. f_equal. now apply Hv.
  - intros i Hi. unfold vscale. change (Finite (p * zT i)) with (Rbar_mult p (zT i)).
    apply is_lim_scal_l. apply (lim_time (fun t => z t i)); [exact Ht|now apply Lz].
  - intros i Hi. unfold vscale. change (Finite (q * vT i)) with (Rbar_mult q (vT i)).
    apply is_lim_scal_l. apply (lim_time (fun t => v t i)); [exact Ht|now apply Lv].
Qed.

Theorem flip_flow kappa gamma h y z v :
  is_flow kappa gamma h y z v ->
  is_flow kappa gamma h (- y) (fun t => vscale 1 (z (t / 1))) (fun t => vscale (-1) (v (t / 1))).
Proof.
  intros Hf. pose proof (scale_flow kappa gamma h y z v 1 (-1) 1 ltac:(lra) ltac:(lra) ltac:(lra) Hf) as H.
  replace (kappa / (1 * (-1)^2)) with kappa in H by field.
  replace (gamma / (1 * 1^2)) with gamma in H by field.
  replace (1 * -1 * y) with (- y) in H by ring. exact H.
Qed.

Section Normalise.
Variables (kappa gamma y : R) (h : nat) (z0 : vec).
Hypothesis Hk : 0 < kappa.
Hypothesis Hg : 0 < gamma.
Hypothesis Hz : 0 < sq h z0.
Let n := vnorm h z0.
Let g := sqrt (kappa / gamma).
Let c := unit_of kappa gamma h z0.

Lemma n_pos : 0 < n.
Proof. now apply sqrt_lt_R0. Qed.

Lemma n_sq : n * n = sq h z0.
Proof. apply sqrt_sqrt. lra. Qed.

Lemma g_pos : 0 < g.
Proof. apply sqrt_lt_R0. now apply Rdiv_lt_0_compat. Qed.

Lemma g_sq : g * g = kappa / gamma.
Proof. apply sqrt_sqrt. left. now apply Rdiv_lt_0_compat. Qed.

Lemma c_pos : 0 < c.
Proof. apply Rdiv_lt_0_compat; [apply g_pos|exact Hz]. Qed.

Lemma gnn_pos : 0 < gamma * (n * n).
Proof. pose proof n_pos. repeat apply Rmult_lt_0_compat; assumption. Qed.

Lemma cy_pos : 0 < y -> 0 < c * y.
Proof. intros Hy. apply Rmult_lt_0_compat; [apply c_pos|exact Hy]. Qed.

Lemma c_form : c = g / (n * n).
Proof. now rewrite n_sq. Qed.

Lemma rate_kappa : kappa / (gamma * (n * n) * (g / n)^2) = 1.
Proof.
  pose proof n_pos. pose proof g_pos.
  replace (gamma * (n * n) * (g / n)^2) with (gamma * (g * g)) by (field; lra).
  rewrite g_sq. field. lra.
Qed.

Lemma rate_gamma : gamma / (gamma * (n * n) * (/ n)^2) = 1.
Proof. pose proof n_pos. field. lra. Qed.

Theorem trains_normalise v0 zT vT :
  trains kappa gamma h y z0 v0 zT vT ->
  trains 1 1 h (c * y) (vscale (/ n) z0) (vscale (g / n) v0) (vscale (/ n) zT) (vscale (g / n) vT).
Proof.
  intros H. pose proof n_pos. pose proof g_pos.
  assert (Hi : 0 < / n) by now apply Rinv_0_lt_compat.
  assert (Hq : 0 < g / n) by now apply Rdiv_lt_0_compat.
  apply (trains_scale _ _ _ _ _ _ _ _ (/ n) (g / n) (gamma * (n * n))) in H; [|lra|lra|now apply gnn_pos].
  rewrite rate_kappa, rate_gamma in H.
  replace (/ n * (g / n) * y) with (c * y) in H by (rewrite c_form; field; lra). exact H.
Qed.

(** The numbers of the normalised problem. *)
Lemma unit_feature : sq h (vscale (/ n) z0) = 1.
Proof. pose proof n_pos. rewrite sq_vscale, <- n_sq. field. lra. Qed.

Lemma unit_a v0 : dot h (vscale (/ n) z0) (vscale (g / n) v0) = c * dot h z0 v0.
Proof. pose proof n_pos. rewrite dot_vscale, c_form. field. lra. Qed.

Lemma w_of_sq v0 : (w_of h z0 v0)^2 = sq h z0 * sq h v0 - (dot h z0 v0)^2.
Proof. unfold w_of. apply pow2_sqrt. pose proof (cauchy_schwarz h z0 v0). lra. Qed.

Lemma unit_head v0 : sq h (vscale (g / n) v0) = (c * dot h z0 v0)^2 + (c * w_of h z0 v0)^2.
Proof.
  pose proof n_pos.
  replace ((c * dot h z0 v0)^2 + (c * w_of h z0 v0)^2)
    with (c^2 * ((dot h z0 v0)^2 + (w_of h z0 v0)^2)) by ring.
  rewrite w_of_sq, sq_vscale, c_form, <- n_sq. field. lra.
Qed.

Lemma unit_alpha v0 : alpha_of h (vscale (/ n) z0) (vscale (g / n) v0) =
  m_of (c * w_of h z0 v0) (c * dot h z0 v0) + 2 * (c * dot h z0 v0).
Proof. unfold alpha_of, m_of. rewrite unit_feature, unit_a, unit_head. ring. Qed.

Lemma unit_beta v0 : beta_of h (vscale (/ n) z0) (vscale (g / n) v0) =
  m_of (c * w_of h z0 v0) (c * dot h z0 v0) - 2 * (c * dot h z0 v0).
Proof. unfold beta_of, m_of. rewrite unit_feature, unit_a, unit_head. ring. Qed.

Lemma final_clock_sigma y' w a :
  final_clock y' (m_of w a + 2 * a) (m_of w a - 2 * a) = sigma y' w a.
Proof.
  unfold final_clock, sigma, omega, P_of. do 5 f_equal. ring.
Qed.

Lemma not_opposite_alpha v0 : not_opposite kappa gamma h z0 v0 ->
  0 < m_of (c * w_of h z0 v0) (c * dot h z0 v0) + 2 * (c * dot h z0 v0).
Proof.
  unfold not_opposite. intros H. rewrite <- unit_alpha. unfold alpha_of.
  pose proof n_pos. pose proof g_pos.
  rewrite unit_feature, unit_a, sq_vscale, c_form.
  assert (Ek : kappa = gamma * (g * g)) by (rewrite g_sq; field; lra).
  assert (Es : sqrt (kappa * gamma) = gamma * g).
  { rewrite Ek. replace (gamma * (g * g) * gamma) with ((gamma * g) * (gamma * g)) by ring.
    apply sqrt_square. apply Rmult_le_pos; lra. }
  rewrite Es, Ek, <- n_sq in H.
  replace (1 + 2 * (g / (n * n) * dot h z0 v0) + (g / n)^2 * sq h v0) with
    ((gamma * (n * n) + 2 * (gamma * g) * dot h z0 v0 + gamma * (g * g) * sq h v0) / (gamma * (n * n))).
  - apply Rdiv_lt_0_compat; [exact H|apply gnn_pos].
  - field. lra.
Qed.

Theorem limit_quantities v0 zT vT :
  0 < y -> not_opposite kappa gamma h z0 v0 -> trains kappa gamma h y z0 v0 zT vT ->
  let w := c * w_of h z0 v0 in let a := c * dot h z0 v0 in
  sq h zT = sq h z0 * norm2T (c * y) w a /\
  dot h zT z0 = sq h z0 * dotT (c * y) w a /\
  sq h (vsub zT z0) = sq h z0 * dist2T (c * y) w a /\
  cosine h zT z0 = cosT (c * y) w a.
Proof.
  intros Hy Ho Ht w a. pose proof n_pos. pose proof c_pos.
  assert (Ha : 0 < m_of w a + 2 * a) by now apply not_opposite_alpha.
  pose proof (cy_pos Hy) as Hcy.
  apply trains_normalise in Ht.
  pose proof (T7_limit_unique h (c * y) _ _ _ _ ltac:(rewrite unit_alpha; exact Ha) (or_introl Hcy) Ht) as Hu.
  cbv zeta in Hu. rewrite unit_alpha, unit_beta in Hu. fold w in Hu. fold a in Hu.
  rewrite final_clock_sigma in Hu. set (s := sigma (c * y) w a) in *.
  set (x0 := vscale (/ n) z0) in *. set (u0 := vscale (g / n) v0) in *.
  assert (Ez : forall i, (i < h)%nat -> zT i = vscale n (boost_z x0 u0 s) i).
  { intros i Hi. destruct (Hu i Hi) as [E _]. unfold vscale at 1. rewrite <- E.
    unfold vscale. field. lra. }
  assert (Ez0 : forall i, (i < h)%nat -> z0 i = vscale n x0 i).
  { intros i Hi. unfold x0, vscale. field. lra. }
  assert (N1 : sq h zT = sq h z0 * norm2T (c * y) w a).
  { rewrite (sq_ext h zT _ Ez), sq_vscale. unfold boost_z. rewrite sq_comb.
    unfold x0, u0. rewrite unit_feature, unit_a, unit_head. fold w a. rewrite <- n_sq.
    unfold norm2T, dotT. fold s. ring. }
  assert (N2 : dot h zT z0 = sq h z0 * dotT (c * y) w a).
  { rewrite (dot_ext h zT _ z0 _ Ez Ez0), dot_vscale. unfold boost_z. rewrite dot_comb_l.
    rewrite (dot_comm h u0 x0). fold (sq h x0).
    unfold x0, u0. rewrite unit_feature, unit_a. fold a. rewrite <- n_sq.
    unfold dotT. fold s. ring. }
  repeat split; [exact N1|exact N2| |].
  - assert (Ed : sq h (vsub zT z0) = sq h zT - 2 * dot h zT z0 + sq h z0).
    { replace (sq h (vsub zT z0)) with (sq h (comb 1 zT (-1) z0)).
      - rewrite sq_comb. ring.
      - apply sq_ext; intros. unfold comb, vsub. ring. }
    rewrite Ed, N1, N2. unfold norm2T, dist2T. ring.
  - unfold cosine, cosT, vnorm. rewrite N1, N2.
    rewrite sqrt_mult_alt by lra. fold (vnorm h z0). fold n. rewrite <- n_sq.
    destruct (Req_dec (norm2T (c * y) w a) 0) as [E|E].
    + rewrite E, sqrt_0. unfold Rdiv. rewrite Rmult_0_r, Rmult_0_l, Rinv_0. ring.
    + assert (0 < sqrt (norm2T (c * y) w a)).
      { apply sqrt_lt_R0. assert (0 <= norm2T (c * y) w a); [|lra].
        unfold norm2T. pose proof (pow2_ge_0 (dotT (c * y) w a)).
        pose proof (pow2_ge_0 (w * sinh (sigma (c * y) w a))). lra. }
      field. split; lra.
Qed.

Theorem T7_general_converges v0 :
  0 < y -> not_opposite kappa gamma h z0 v0 -> exists zT vT, trains kappa gamma h y z0 v0 zT vT.
Proof.
  intros Hy Ho. pose proof n_pos. pose proof g_pos. pose proof c_pos.
  pose proof (not_opposite_alpha v0 Ho) as Ha. rewrite <- unit_alpha in Ha.
  pose proof (T7_convergence h (c * y) _ _ Ha (or_introl (cy_pos Hy))) as Ht. cbv zeta in Ht.
  pose proof gnn_pos as Hgn.
  apply (trains_scale _ _ _ _ _ _ _ _ n (n / g) (/ (gamma * (n * n)))) in Ht.
  - replace (1 / (/ (gamma * (n * n)) * (n / g)^2)) with kappa in Ht.
    2:{ transitivity (gamma * (g * g)); [rewrite g_sq|]; field; lra. }
    replace (1 / (/ (gamma * (n * n)) * n^2)) with gamma in Ht by (field; lra).
    replace (n * (n / g) * (c * y)) with y in Ht by (rewrite c_form; field; lra).
    destruct Ht as [z [v [Hf [Sz [Sv [Lz Lv]]]]]].
    eexists _, _. exists z, v. split; [exact Hf|split; [|split; [|split; [exact Lz|exact Lv]]]].
    + intros i Hi. rewrite (Sz i Hi). unfold vscale. field. lra.
    + intros i Hi. rewrite (Sv i Hi). unfold vscale. field. lra.
  - lra.
  - assert (0 < n / g) by now apply Rdiv_lt_0_compat. lra.
  - now apply Rinv_0_lt_compat.
Qed.

Theorem T7_general_unique v0 zT vT zT' vT' :
  0 < y -> not_opposite kappa gamma h z0 v0 ->
  trains kappa gamma h y z0 v0 zT vT -> trains kappa gamma h y z0 v0 zT' vT' ->
  forall i, (i < h)%nat -> zT i = zT' i /\ vT i = vT' i.
Proof.
  intros Hy Ho H1 H2 i Hi. pose proof n_pos. pose proof g_pos. pose proof c_pos.
  pose proof (not_opposite_alpha v0 Ho) as Ha. rewrite <- unit_alpha in Ha.
  apply trains_normalise in H1, H2.
  destruct (T7_limit_unique h (c * y) _ _ _ _ Ha (or_introl (cy_pos Hy)) H1 i Hi) as [A1 B1].
  destruct (T7_limit_unique h (c * y) _ _ _ _ Ha (or_introl (cy_pos Hy)) H2 i Hi) as [A2 B2].
  cbv zeta in *. rewrite <- A2 in A1. rewrite <- B2 in B1. unfold vscale in A1, B1.
  assert (0 < / n) by now apply Rinv_0_lt_compat.
  assert (0 < g / n) by now apply Rdiv_lt_0_compat.
  split; [apply (Rmult_eq_reg_l (/ n)); [exact A1|lra]|apply (Rmult_eq_reg_l (g / n)); [exact B1|lra]].
Qed.

End Normalise.
