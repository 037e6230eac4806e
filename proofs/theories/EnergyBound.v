(** * EnergyBound: T18, the initial energy bounds how far features and head move.

   notation: see Definitions.v.  Feature flow with gamma = 1, a semidefinite kernel K and
     rho = |R_0|_F                      initial energy
     s > 0      |Z_0^T r| >= s |r|      smallest singular value of Z_0 (or less); this asks for h >= N:
                                        for h < N some r <> 0 has Z_0^T r = 0 and the theorems say nothing
     zeta       |Z_0^T r| <= zeta |r|   largest singular value of Z_0 (or more)
     kap        |K x| <= kap |x|        norm of K (or more)
     nu         |V_0 x| <= nu |x|       norm of V_0 (or more)
   and, for a share 0 < delta < 1 of s that the features may move,
     rate = (1 - delta)^2 s^2           decay rate of the residual
     beta = (zeta + delta s) rho / rate,   c = kap (nu + beta) / rate

   T18_sharper_bound  if c rho < delta s then for all t >= 0
                      |Z_t - Z_0|_F <= c rho  and  |V_t - V_0|_F <= beta
   T18_sharper_decay  and |R_t|_F^2 <= e^(-2 rate t) rho^2
   T18_energy_bound   the case delta = 1/2: beta = 4 (zeta + s/2) rho / s^2,
                      c = 4 kap (nu + beta) / s^2, if c rho < s / 2
   T18_energy_decay   and |R_t|_F^2 <= e^(-s^2 t / 2) rho^2

   On the way: Cauchy-Schwarz for matrices, a mean value inequality for matrix paths, and
   continuous induction (a bound that renews itself on every interval holds for ever).
   *)

Require Import Reals Lra Lia Psatz.
From Coquelicot Require Import Coquelicot.
From TaskHead Require Import Definitions Sums Calculus MatrixFlow.
Open Scope R_scope.

(** ** Norms *)

Lemma frob2_rows n m A : frob2 n m A = sumn n (fun i => sq m (A i)).
Proof. apply sumn_ext; intros i _. apply sumn_ext; intros; ring. Qed.

Lemma frob2_nonneg n m A : 0 <= frob2 n m A.
Proof. rewrite frob2_rows. apply sumn_nonneg; intros. apply sq_nonneg. Qed.

Lemma frob2_lin n m p q A B :
  frob2 n m (fun i j => p * A i j + q * B i j) =
  p^2 * frob2 n m A + 2 * p * q * fdot n m A B + q^2 * frob2 n m B.
Proof.
  rewrite !frob2_rows. unfold fdot. rewrite <- !sumn_scal, <- !sumn_plus.
  apply sumn_ext; intros i _. exact (sq_comb m p q (A i) (B i)).
Qed.

Lemma fdot_cs n m A B : (fdot n m A B)^2 <= frob2 n m A * frob2 n m B.
Proof.
  pose proof (frob2_nonneg n m A) as HA. pose proof (frob2_nonneg n m B) as HB.
  assert (H : forall p, 0 <= p^2 * frob2 n m A + 2 * p * 1 * fdot n m A B + 1^2 * frob2 n m B).
  { intros p. rewrite <- frob2_lin. apply frob2_nonneg. }
  set (a := frob2 n m A) in *. set (b := frob2 n m B) in *. set (d := fdot n m A B) in *.
  destruct (Req_dec a 0) as [Ea|Ea].
  - rewrite Ea in *. destruct (Req_dec d 0) as [->|Hd]; [lra|].
    specialize (H (- (b + 1) / (2 * d))).
    replace (2 * (- (b + 1) / (2 * d)) * 1 * d) with (- (b + 1)) in H by (field; exact Hd). lra.
  - specialize (H (- d / a)).
    replace ((- d / a)^2 * a + 2 * (- d / a) * 1 * d + 1^2 * b) with ((a * b - d^2) / a) in H by (field; exact Ea).
    assert (0 < a) by lra.
    assert (0 <= (a * b - d^2) / a * a) by (apply Rmult_le_pos; lra).
    replace ((a * b - d^2) / a * a) with (a * b - d^2) in * by (field; exact Ea). lra.
Qed.

Lemma fdot_le n m A B : fdot n m A B <= fnorm n m A * fnorm n m B.
Proof.
  unfold fnorm. rewrite <- sqrt_mult_alt by apply frob2_nonneg.
  apply Rle_trans with (Rabs (fdot n m A B)); [apply Rle_abs|].
  rewrite <- sqrt_Rsqr_abs. apply sqrt_le_1_alt. rewrite Rsqr_pow2. apply fdot_cs.
Qed.

Lemma vnorm_nonneg h u : 0 <= vnorm h u.
Proof. apply sqrt_pos. Qed.

Lemma fnorm_nonneg n m A : 0 <= fnorm n m A.
Proof. apply sqrt_pos. Qed.

Lemma vnorm_sq h u : vnorm h u * vnorm h u = sq h u.
Proof. apply sqrt_sqrt, sq_nonneg. Qed.

Lemma fnorm_sq n m A : fnorm n m A * fnorm n m A = frob2 n m A.
Proof. apply sqrt_sqrt, frob2_nonneg. Qed.

Lemma le_of_sq x y : 0 <= y -> x * x <= y * y -> x <= y.
Proof. intros Hy H. apply Rnot_lt_le. intros Hn. nra. Qed.

Lemma vnorm_triangle h u v : vnorm h (comb 1 u 1 v) <= vnorm h u + vnorm h v.
Proof.
  pose proof (vnorm_nonneg h u). pose proof (vnorm_nonneg h v).
  apply le_of_sq; [lra|]. rewrite vnorm_sq, sq_comb.
  assert (K : dot h u v <= vnorm h u * vnorm h v).
  { unfold vnorm. rewrite <- sqrt_mult_alt by apply sq_nonneg.
    apply Rle_trans with (Rabs (dot h u v)); [apply Rle_abs|].
    rewrite <- sqrt_Rsqr_abs. apply sqrt_le_1_alt. rewrite Rsqr_pow2. apply cauchy_schwarz. }
  pose proof (vnorm_sq h u). pose proof (vnorm_sq h v). nra.
Qed.

Lemma act_frob p q A x : vnorm p (act q A x) <= fnorm p q A * vnorm q x.
Proof.
  apply le_of_sq; [apply Rmult_le_pos; [apply fnorm_nonneg|apply vnorm_nonneg]|].
  replace (fnorm p q A * vnorm q x * (fnorm p q A * vnorm q x))
    with ((fnorm p q A * fnorm p q A) * (vnorm q x * vnorm q x)) by ring.
  rewrite vnorm_sq, fnorm_sq, vnorm_sq, frob2_rows. unfold sq at 1, dot. rewrite <- sumn_scal_r.
  apply sumn_le. intros i _. pose proof (cauchy_schwarz q (A i) x) as H.
  unfold act. fold (dot q (A i) x). lra.
Qed.

Lemma act_split p q A A0 x : vnorm p (act q A x) = vnorm p (comb 1 (act q A0 x) 1 (act q (msub A A0) x)).
Proof.
  unfold vnorm. f_equal. apply sq_ext. intros i _. unfold comb, act, msub.
  rewrite !Rmult_1_l, <- sumn_plus. apply sumn_ext; intros; ring.
Qed.

Lemma bounded_perturb p q A A0 c d :
  bounded_by p q A0 c -> fnorm p q (msub A A0) <= d -> bounded_by p q A (c + d).
Proof.
  intros H Hd x. rewrite (act_split p q A A0). eapply Rle_trans; [apply vnorm_triangle|].
  pose proof (H x). pose proof (act_frob p q (msub A A0) x). pose proof (vnorm_nonneg q x). nra.
Qed.

Lemma below_perturb p q A A0 s d :
  bounded_below p q A0 s -> fnorm p q (msub A A0) <= d -> bounded_below p q A (s - d).
Proof.
  intros H Hd x. specialize (H x). rewrite (act_split p q A0 A) in H.
  pose proof (vnorm_triangle p (act q A x) (act q (msub A0 A) x)) as Ht.
  pose proof (act_frob p q (msub A0 A) x) as Hf. pose proof (vnorm_nonneg q x).
  assert (E : fnorm p q (msub A0 A) = fnorm p q (msub A A0)).
  { unfold fnorm. f_equal. unfold frob2, msub. apply sumn_ext; intros; apply sumn_ext; intros; ring. }
  rewrite E in Hf. nra.
Qed.

(** Products: every column of M is stretched by at most c, at least s. *)
Lemma frob2_columns p q k A M :
  frob2 p k (fun i c => sumn q (fun j => A i j * M j c)) = sumn k (fun c => sq p (act q A (fun j => M j c))).
Proof.
  unfold frob2. rewrite sumn_swap. apply sumn_ext; intros c _. apply sumn_ext; intros i _. unfold act. ring.
Qed.

Lemma frob2_columns' q k M : frob2 q k M = sumn k (fun c => sq q (fun j => M j c)).
Proof. unfold frob2. rewrite sumn_swap. apply sumn_ext; intros c _. apply sumn_ext; intros; ring. Qed.

Lemma bounded_sq p q A c x : 0 <= c -> bounded_by p q A c -> sq p (act q A x) <= c^2 * sq q x.
Proof.
  intros Hc H. specialize (H x). rewrite <- !vnorm_sq.
  pose proof (vnorm_nonneg p (act q A x)). pose proof (vnorm_nonneg q x).
  assert (0 <= c * vnorm q x) by (apply Rmult_le_pos; assumption).
  replace (c^2 * (vnorm q x * vnorm q x)) with ((c * vnorm q x) * (c * vnorm q x)) by ring. nra.
Qed.

Lemma bounded_frob p q k A M c : 0 <= c -> bounded_by p q A c ->
  frob2 p k (fun i e => sumn q (fun j => A i j * M j e)) <= c^2 * frob2 q k M.
Proof.
  intros Hc H. rewrite frob2_columns, frob2_columns', <- sumn_scal. apply sumn_le. intros e _.
  now apply bounded_sq.
Qed.

Lemma below_frob p q k A M s : 0 <= s -> bounded_below p q A s ->
  s^2 * frob2 q k M <= frob2 p k (fun i e => sumn q (fun j => A i j * M j e)).
Proof.
  intros Hs H. rewrite frob2_columns, frob2_columns', <- sumn_scal. apply sumn_le. intros e _.
  specialize (H (fun j => M j e)). rewrite <- !vnorm_sq.
  pose proof (vnorm_nonneg q (fun j => M j e)).
  assert (0 <= s * vnorm q (fun j => M j e)) by (apply Rmult_le_pos; assumption).
  replace (s^2 * (vnorm q (fun j => M j e) * vnorm q (fun j => M j e)))
    with ((s * vnorm q (fun j => M j e)) * (s * vnorm q (fun j => M j e))) by ring. nra.
Qed.

Lemma fnorm_le n m A c : 0 <= c -> frob2 n m A <= c^2 -> fnorm n m A <= c.
Proof. intros Hc H. apply le_of_sq; [exact Hc|]. rewrite fnorm_sq. lra. Qed.

(** ** Analysis on [0, T] *)

Lemma nonincreasing_upto (f df : R -> R) T : 0 <= T ->
  (forall t, 0 <= t <= T -> is_derive f t (df t)) ->
  (forall t, 0 < t < T -> df t <= 0) -> f T <= f 0.
Proof.
  intros [HT|<-] Hd Hn; [|lra].
  destruct (MVT_cor2 f df 0 T HT) as [c [Hc Hin]].
  { intros c Hc. apply is_derive_Reals. now apply Hd. }
  specialize (Hn c Hin). nra.
Qed.

(** A matrix path with speed at most g' moves at most g(T) - g(0). *)
Lemma mean_value n m (W DW : R -> mat) (g dg : R -> R) T : 0 <= T ->
  (forall t, 0 <= t <= T -> forall i j, (i < n)%nat -> (j < m)%nat -> is_derive (fun x => W x i j) t (DW t i j)) ->
  (forall t, 0 <= t <= T -> is_derive g t (dg t)) ->
  (forall t, 0 < t < T -> fnorm n m (DW t) <= dg t) ->
  fnorm n m (msub (W T) (W 0)) <= g T - g 0.
Proof.
  intros HT HW Hg Hb. set (D := msub (W T) (W 0)).
  pose proof (fnorm_nonneg n m D) as HD.
  assert (K : fdot n m D (W T) - fnorm n m D * g T <= fdot n m D (W 0) - fnorm n m D * g 0).
  { apply (nonincreasing_upto (fun t => fdot n m D (W t) - fnorm n m D * g t)
      (fun t => fdot n m D (DW t) - fnorm n m D * dg t) T HT).
    - intros t Ht. apply is_derive_Rminus; [|apply is_derive_Rscal; now apply Hg].
      apply (is_derive_sumn n (fun t i => sumn m (fun j => D i j * W t i j))). intros i Hi.
      apply (is_derive_sumn m (fun t j => D i j * W t i j)). intros j Hj.
      apply is_derive_Rscal. now apply HW.
    - intros t Ht. pose proof (fdot_le n m D (DW t)). specialize (Hb t Ht). nra. }
  assert (E : fdot n m D (W T) - fdot n m D (W 0) = fnorm n m D * fnorm n m D).
  { rewrite fnorm_sq. unfold fdot, frob2. rewrite <- sumn_minus. apply sumn_ext; intros i _.
    rewrite <- sumn_minus. apply sumn_ext; intros j _. unfold D, msub. ring. }
  destruct (Req_dec (fnorm n m D) 0) as [E0|E0].
  - rewrite E0.
    assert (- g T <= - g 0); [|lra].
    apply (nonincreasing_upto (fun t => - g t) (fun t => - dg t) T HT).
    + intros t Ht. apply (is_derive_opp g). now apply Hg.
    + intros t Ht. specialize (Hb t Ht). pose proof (fnorm_nonneg n m (DW t)). lra.
  - apply (Rmult_le_reg_l (fnorm n m D)); lra.
Qed.

(** Continuous induction. *)
Lemma continuous_induction (f : R -> R) (L : R) :
  (forall t, 0 <= t -> continuous f t) ->
  (forall T, 0 <= T -> (forall t, 0 <= t < T -> f t < L) -> f T < L) ->
  forall t, 0 <= t -> f t < L.
Proof.
  intros Hc Hstep t1 Ht1. apply Rnot_le_lt. intros Hbad.
  set (E := fun x => 0 <= x <= t1 /\ forall t, 0 <= t <= x -> f t < L).
  assert (H0 : E 0).
  { split; [lra|]. intros t Ht. replace t with 0 by lra. apply Hstep; [lra|]. intros; lra. }
  destruct (completeness E) as [T [Hub Hlub]].
  - exists t1. intros x [Hx _]. lra.
  - now exists 0.
  - assert (HT0 : 0 <= T) by now apply Hub.
    assert (HT1 : T <= t1) by (apply Hlub; intros x [Hx _]; lra).
    assert (Hbefore : forall t, 0 <= t < T -> f t < L).
    { intros t Ht. apply Rnot_le_lt. intros Hn.
      assert (T <= t); [|lra]. apply Hlub. intros x [Hx Hxx].
      apply Rnot_lt_le. intros Hlt. specialize (Hxx t ltac:(lra)). lra. }
    pose proof (Hstep T HT0 Hbefore) as HfT.
    destruct (Req_dec T t1) as [Et|Et]; [subst; lra|].
    pose proof (Hc T HT0) as Hcont. apply continuity_pt_filterlim in Hcont.
    destruct (Hcont (L - f T) ltac:(lra)) as [del [Hdel Hnear]].
    set (x := Rmin (T + del / 2) t1).
    assert (Hx1 : T < x) by (apply Rmin_glb_lt; lra).
    assert (Hx2 : x <= T + del / 2) by apply Rmin_l.
    assert (Hx3 : x <= t1) by apply Rmin_r.
    assert (Ex : E x).
    { split; [lra|]. intros t Ht. destruct (Rlt_dec t T) as [Hlt|Hge]; [apply Hbefore; lra|].
      destruct (Req_dec t T) as [->|Hne]; [exact HfT|].
      assert (Hd : R_dist (f t) (f T) < L - f T).
      { apply Hnear. split; [split; [exact I|lra]|]. simpl. unfold R_dist. rewrite Rabs_pos_eq; lra. }
      unfold R_dist in Hd. apply Rabs_def2 in Hd. lra. }
    specialize (Hub x Ex). lra.
Qed.

(** ** The bound *)

Section Bound.
Variables (N h k : nat) (K Y : mat) (Z V : R -> mat).
Variables (s zeta kap nu : R).
Hypothesis Hf : is_feature_flow 1 N h k K Y Z V.
Hypothesis HK : semidefinite N K.
Hypothesis Hs : 0 < s.
Hypothesis Hzeta : 0 <= zeta.
Hypothesis Hkap : 0 <= kap.
Hypothesis Hnu : 0 <= nu.
Hypothesis Zlow : bounded_below h N (transpose (Z 0)) s.
Hypothesis Zup : bounded_by h N (transpose (Z 0)) zeta.
Hypothesis Kup : bounded_by N N K kap.
Hypothesis Vup : bounded_by h k (V 0) nu.

Let Rt t := residual h Y (Z t) (V t).
Let rho := fnorm N k (Rt 0).
Let f t := frob2 N k (Rt t).
Let dZ t := fnorm N h (msub (Z t) (Z 0)).
Let dV t := fnorm h k (msub (V t) (V 0)).

Lemma rho_nonneg : 0 <= rho.
Proof. apply fnorm_nonneg. Qed.

Lemma fnorm_transpose n m A : fnorm n m (transpose A) = fnorm m n A.
Proof. unfold fnorm, frob2, transpose. f_equal. apply sumn_swap. Qed.

Lemma transpose_diff t : fnorm h N (msub (transpose (Z t)) (transpose (Z 0))) = dZ t.
Proof. change (msub (transpose (Z t)) (transpose (Z 0))) with (transpose (msub (Z t) (Z 0))). apply fnorm_transpose. Qed.

Lemma f_derive t : 0 <= t ->
  is_derive f t (- 2 * backbone_spending N h k K (Rt t) (V t) - 2 * head_spending N h k (Z t) (Rt t)).
Proof.
  intros Ht. apply (is_derive_extR (fun x => 2 * loss N h k Y (Z x) (V x))).
  - intros x. unfold loss, f, Rt. field.
  - refine (is_derive_val _ _ _ _ (is_derive_Rscal _ 2 _ _ (T6_loss_budget 1 N h k K Y Z V Hf t Ht)) _).
    unfold Rt. ring.
Qed.

Section Share.
Variable delta : R.
Let rate := (1 - delta)^2 * s^2.
Let beta := (zeta + delta * s) * rho / rate.
Let c := kap * (nu + beta) / rate.
Hypothesis Hdelta : 0 < delta < 1.
Hypothesis Hsmall : c * rho < delta * s.

Lemma rate_pos : 0 < rate.
Proof. apply Rmult_lt_0_compat; apply pow2_gt_0; lra. Qed.

Lemma reach_pos : 0 < delta * s.
Proof. apply Rmult_lt_0_compat; lra. Qed.

Lemma beta_nonneg' : 0 <= beta.
Proof.
  pose proof rho_nonneg. pose proof reach_pos.
  apply Rmult_le_pos; [apply Rmult_le_pos; lra|left; apply Rinv_0_lt_compat, rate_pos].
Qed.

Section Upto.
Variable T : R.
Hypothesis HT : 0 <= T.
Hypothesis Hnear : forall t, 0 <= t < T -> dZ t <= delta * s.

Lemma decay_inside t : 0 <= t < T ->
  - 2 * backbone_spending N h k K (Rt t) (V t) - 2 * head_spending N h k (Z t) (Rt t) <= - (2 * rate) * f t.
Proof.
  intros Ht. pose proof (backbone_spending_nonneg N h k K (Rt t) (V t) HK).
  pose proof (Hnear t Ht) as Hd. rewrite <- transpose_diff in Hd.
  pose proof (below_perturb _ _ _ _ _ _ Zlow Hd) as Hb.
  pose proof (below_frob h N k _ (Rt t) (s - delta * s) ltac:(nra) Hb) as Hh.
  change (frob2 h k (fun i e => sumn N (fun j => transpose (Z t) i j * Rt t j e)))
    with (head_spending N h k (Z t) (Rt t)) in Hh.
  fold (f t) in Hh. replace ((s - delta * s)^2) with rate in Hh by (unfold rate; ring). lra.
Qed.

(** At the end point too. *)
Lemma energy_decay_closed : f T <= rho^2 * exp (- (2 * rate * T)).
Proof.
  assert (E : f T * exp (2 * rate * T) <= f 0 * exp (2 * rate * 0)).
  { apply (nonincreasing_upto (fun t => f t * exp (2 * rate * t))
      (fun t => (- 2 * backbone_spending N h k K (Rt t) (V t) - 2 * head_spending N h k (Z t) (Rt t)) * exp (2 * rate * t)
               + f t * (2 * rate * exp (2 * rate * t))) T HT).
    - intros t Ht. apply (is_derive_Rmult f (fun t => exp (2 * rate * t))); [apply f_derive; lra|].
      apply (is_derive_exp_comp (fun t => 2 * rate * t)).
      refine (is_derive_val _ _ _ _ (is_derive_Rscal (fun t => t) (2 * rate) t 1 (is_derive_id t)) _). ring.
    - intros t Ht. pose proof (decay_inside t ltac:(lra)). pose proof (exp_pos (2 * rate * t)).
      set (e := exp (2 * rate * t)) in *.
      replace ((- 2 * backbone_spending N h k K (Rt t) (V t) - 2 * head_spending N h k (Z t) (Rt t)) * e + f t * (2 * rate * e))
        with ((- 2 * backbone_spending N h k K (Rt t) (V t) - 2 * head_spending N h k (Z t) (Rt t) + 2 * rate * f t) * e) by ring.
      nra. }
  rewrite Rmult_0_r, exp_0, Rmult_1_r in E.
  assert (E0 : f 0 = rho^2) by (unfold f; rewrite <- fnorm_sq; fold rho; ring).
  rewrite E0 in E. rewrite exp_Ropp. pose proof (exp_pos (2 * rate * T)) as Hp.
  apply (Rmult_le_reg_r (exp (2 * rate * T))); [exact Hp|].
  rewrite (Rmult_assoc (rho^2)), Rinv_l, Rmult_1_r by lra. exact E.
Qed.

End Upto.

Definition q (t : R) : R := exp (- (rate * t)).

Lemma q_sq t : q t * q t = exp (- (2 * rate * t)).
Proof. unfold q. rewrite <- exp_plus. f_equal. field. Qed.

Lemma integral_derive a t : is_derive (fun x => a / rate * (1 - q x)) t (a * q t).
Proof.
  pose proof rate_pos. unfold q.
  refine (is_derive_val _ _ _ _ (is_derive_Rscal _ (a / rate) _ _
    (is_derive_Rminus (fun _ => 1) (fun x => exp (- (rate * x))) t 0 (- rate * exp (- (rate * t)))
       (is_derive_Rconst _ _) _)) _).
  - apply (is_derive_exp_comp (fun x => - (rate * x))). auto_derive; [exact I|]. simpl. field.
  - field. now apply Rgt_not_eq.
Qed.

Lemma integral_bound a t : 0 <= a -> a / rate * (1 - q t) - a / rate * (1 - q 0) <= a / rate.
Proof.
  intros Ha. pose proof rate_pos. pose proof (exp_pos (- (rate * t))) as Hq. fold (q t) in Hq.
  assert (E : q 0 = 1) by (unfold q; rewrite Rmult_0_r, Ropp_0; apply exp_0).
  rewrite E. assert (0 <= a / rate) by (apply Rmult_le_pos; [exact Ha|left; now apply Rinv_0_lt_compat]). nra.
Qed.

Lemma residual_decay T t : (forall t, 0 <= t < T -> dZ t <= delta * s) -> 0 <= t < T ->
  fnorm N k (Rt t) <= rho * q t.
Proof.
  intros Hn Ht. pose proof rho_nonneg. pose proof (exp_pos (- (rate * t))) as Hq. fold (q t) in Hq.
  apply fnorm_le; [apply Rmult_le_pos; lra|].
  replace ((rho * q t)^2) with (rho^2 * (q t * q t)) by ring. rewrite q_sq.
  apply energy_decay_closed; [lra|]. intros x Hx. apply Hn. lra.
Qed.

Lemma head_stays T : 0 <= T -> (forall t, 0 <= t < T -> dZ t <= delta * s) -> dV T <= beta.
Proof.
  intros HT Hn. pose proof rho_nonneg. pose proof reach_pos.
  set (a := (zeta + delta * s) * rho).
  assert (Ha : 0 <= a) by (apply Rmult_le_pos; lra).
  eapply Rle_trans; [|apply (integral_bound a T Ha)].
  apply (mean_value h k V (fun t j e => 1 * sumn N (fun n => Z t n j * Rt t n e))
    (fun x => a / rate * (1 - q x)) (fun t => a * q t) T HT).
  - intros t Ht j e Hj He. destruct (Hf t ltac:(lra)) as [_ HV]. exact (HV j e Hj He).
  - intros t _. apply integral_derive.
  - intros t Ht. pose proof (residual_decay T t Hn ltac:(lra)) as Hr.
    pose proof (exp_pos (- (rate * t))) as Hq. fold (q t) in Hq.
    apply fnorm_le; [apply Rmult_le_pos; lra|].
    pose proof (Hn t ltac:(lra)) as Hd. rewrite <- transpose_diff in Hd.
    pose proof (bounded_perturb _ _ _ _ _ _ Zup Hd) as Hb.
    pose proof (bounded_frob h N k _ (Rt t) (zeta + delta * s) ltac:(lra) Hb) as Hh.
    replace (frob2 h k (fun j e => 1 * sumn N (fun n => Z t n j * Rt t n e)))
      with (frob2 h k (fun i e => sumn N (fun j => transpose (Z t) i j * Rt t j e))).
    2:{ apply sumn_ext; intros; apply sumn_ext; intros. unfold transpose. ring. }
    eapply Rle_trans; [exact Hh|]. rewrite <- fnorm_sq.
    replace ((a * q t)^2) with ((zeta + delta * s)^2 * ((rho * q t) * (rho * q t))) by (unfold a; ring).
    apply Rmult_le_compat_l; [apply pow2_ge_0|].
    pose proof (fnorm_nonneg N k (Rt t)). nra.
Qed.

Lemma feature_stays T : 0 <= T -> (forall t, 0 <= t < T -> dZ t <= delta * s) -> dZ T <= c * rho.
Proof.
  intros HT Hn. pose proof rho_nonneg. pose proof beta_nonneg' as Hbe.
  set (a := kap * (nu + beta) * rho).
  assert (Ha : 0 <= a) by (apply Rmult_le_pos; [apply Rmult_le_pos; lra|lra]).
  assert (Ec : c * rho = a / rate) by (pose proof rate_pos; unfold c, a; field; lra).
  rewrite Ec.
  eapply Rle_trans; [|apply (integral_bound a T Ha)].
  apply (mean_value N h Z (fun t n j => sumn N (fun m => K n m * sumn k (fun e => V t j e * Rt t m e)))
    (fun x => a / rate * (1 - q x)) (fun t => a * q t) T HT).
  - intros t Ht n j Hnn Hj. destruct (Hf t ltac:(lra)) as [HZ _]. exact (HZ n j Hnn Hj).
  - intros t _. apply integral_derive.
  - intros t Ht. pose proof (residual_decay T t Hn ltac:(lra)) as Hr.
    pose proof (exp_pos (- (rate * t))) as Hq. fold (q t) in Hq.
    apply fnorm_le; [apply Rmult_le_pos; lra|].
    pose proof (head_stays t ltac:(lra) (fun x Hx => Hn x ltac:(lra))) as Hd.
    pose proof (bounded_perturb _ _ _ _ _ _ Vup Hd) as Hb.
    set (G := fun m j => sumn k (fun e => V t j e * Rt t m e)).
    pose proof (bounded_frob N N h K G kap Hkap Kup) as Hh.
    eapply Rle_trans; [exact Hh|].
    assert (HG : frob2 N h G <= (nu + beta)^2 * frob2 N k (Rt t)).
    { rewrite !frob2_rows, <- sumn_scal. apply sumn_le. intros m _.
      exact (bounded_sq h k (V t) (nu + beta) (Rt t m) ltac:(lra) Hb). }
    rewrite <- (fnorm_sq N k) in HG.
    replace ((a * q t)^2) with (kap^2 * ((nu + beta)^2 * ((rho * q t) * (rho * q t)))) by (unfold a; ring).
    apply Rmult_le_compat_l; [apply pow2_ge_0|].
    eapply Rle_trans; [exact HG|]. apply Rmult_le_compat_l; [apply pow2_ge_0|].
    pose proof (fnorm_nonneg N k (Rt t)). nra.
Qed.

Lemma always_near t : 0 <= t -> dZ t <= delta * s.
Proof.
  intros Ht. left. revert t Ht. apply continuous_induction.
  - intros t Ht. apply (continuous_comp (fun x => frob2 N h (msub (Z x) (Z 0))) sqrt).
    + apply (is_derive_continuous _ t (sumn N (fun n => sumn h (fun j =>
        2 * (Z t n j - Z 0 n j) * sumn N (fun m => K n m * sumn k (fun e => V t j e * Rt t m e)))))).
      apply (is_derive_sumn N (fun x n => sumn h (fun j => (Z x n j - Z 0 n j)^2))). intros n Hn.
      apply (is_derive_sumn h (fun x j => (Z x n j - Z 0 n j)^2)). intros j Hj.
      destruct (Hf t Ht) as [HZ _]. pose proof (HZ n j Hn Hj) as D. fold (Rt t) in D.
      apply (is_derive_extR (fun x => (Z x n j - Z 0 n j) * (Z x n j - Z 0 n j))); [intros; ring|].
      pose proof (is_derive_Rminus _ _ _ _ _ D (is_derive_Rconst (Z 0 n j) t)) as D'.
      refine (is_derive_val _ _ _ _ (is_derive_Rmult _ _ _ _ _ D' D') _). ring.
    + apply continuous_sqrt.
  - intros T HT Hb. apply Rle_lt_trans with (c * rho); [|exact Hsmall].
    apply feature_stays; [exact HT|]. intros x Hx. left. now apply Hb.
Qed.

Theorem T18_sharper_bound t : 0 <= t ->
  fnorm N h (msub (Z t) (Z 0)) <= c * rho /\ fnorm h k (msub (V t) (V 0)) <= beta.
Proof.
  intros Ht. split.
  - apply feature_stays; [exact Ht|]. intros x Hx. apply always_near. lra.
  - apply head_stays; [exact Ht|]. intros x Hx. apply always_near. lra.
Qed.

Theorem T18_sharper_decay t : 0 <= t -> frob2 N k (Rt t) <= rho^2 * exp (- (2 * rate * t)).
Proof.
  intros Ht. apply energy_decay_closed; [exact Ht|]. intros x Hx. apply always_near. lra.
Qed.

End Share.

Section Half.
Let beta := 4 * (zeta + s / 2) * rho / s^2.
Let c := 4 * kap * (nu + beta) / s^2.
Hypothesis Hsmall : c * rho < s / 2.

Lemma beta_half : (zeta + 1/2 * s) * rho / ((1 - 1/2)^2 * s^2) = beta.
Proof. unfold beta. field. lra. Qed.

Lemma c_half : kap * (nu + beta) / ((1 - 1/2)^2 * s^2) = c.
Proof. unfold c. field. lra. Qed.

Theorem T18_energy_bound t : 0 <= t ->
  fnorm N h (msub (Z t) (Z 0)) <= c * rho /\ fnorm h k (msub (V t) (V 0)) <= beta.
Proof.
  pose proof (T18_sharper_bound (1/2)) as B. cbv zeta in B. rewrite beta_half, c_half in B. apply B; lra.
Qed.

Theorem T18_energy_decay t : 0 <= t -> frob2 N k (Rt t) <= rho^2 * exp (- (s^2 / 2 * t)).
Proof.
  replace (s^2 / 2) with (2 * ((1 - 1/2)^2 * s^2)) by field.
  pose proof (T18_sharper_decay (1/2)) as D. cbv zeta in D. rewrite beta_half, c_half in D. apply D; lra.
Qed.

End Half.
End Bound.
