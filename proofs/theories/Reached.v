(** * Reached: training with any loss comes to every prediction up to which its residual is positive.

   notation: see Definitions.v; res q = minus the derivative of the loss at the prediction q

   T23_reached    so the runs of T23 that stop at q exist as soon as the flow does
   *)

Require Import Reals Ranalysis5 Lra Lia Psatz.
From Coquelicot Require Import Coquelicot.
From TaskHead Require Import Definitions Sums Calculus Boost LossPath.
Open Scope R_scope.

Section Reached.
Variables (kappa gamma : R) (h : nat) (res : R -> R).
Hypothesis Hk : 0 < kappa.
Hypothesis Hg : 0 < gamma.
Hypothesis Hres : forall q : R, continuous res q.
Let g := sqrt (kappa / gamma).
Let c := sqrt (kappa * gamma).

Lemma exp_le_1 x : 0 <= x -> exp (- x) <= 1.
Proof.
  intros [H|<-]; [|rewrite Ropp_0, exp_0; lra].
  left. rewrite <- exp_0. apply exp_increasing. lra.
Qed.

(** The rapidity grows at least linearly until q is reached, and the prediction grows without bound with it. *)
Theorem T23_reached q z v z0 v0 :
  not_opposite kappa gamma h z0 v0 -> (forall p, p <= q -> 0 < res p) -> dot h z0 v0 <= q ->
  is_one_loss_flow kappa gamma h res z v -> starts h z z0 -> starts h v v0 ->
  exists z1 v1, stops_at kappa gamma h res q z0 v0 z1 v1.
Proof.
  intros Ho Hpos H0 Hf Hz Hv. set (F := fun t => dot h (z t) (v t)).
  assert (E : exists t, 0 <= t /\ F t = q).
  2:{ destruct E as [t [Ht E]]. exists (z t), (v t), z, v, t.
    split; [exact Hf|split; [exact Hz|split; [exact Hv|split; [exact Ht|split; [now split|exact E]]]]]. }
  pose proof (ratio_pos kappa gamma Hk Hg) as Hgp. fold g in Hgp.
  pose proof (not_opposite_sum kappa gamma h Hk Hg z0 v0 Ho) as Ha. fold g in Ha.
  pose proof (beta_nonneg h z0 (vscale g v0)) as Hb.
  assert (F0 : F 0 = dot h z0 v0).
  { unfold F, dot. apply sumn_ext; intros i Hi. now rewrite (Hz i Hi), (Hv i Hi). }
  destruct (T23_path kappa gamma h res Hk Hg Hres z v z0 v0 Hf Hz Hv) as [rho [R0 [Dr Hpath]]].
  fold g in Hpath. fold c in Dr.
  assert (G : forall t, 0 <= t -> 4 * g * F t =
    alpha_of h z0 (vscale g v0) * exp (2 * rho t) - beta_of h z0 (vscale g v0) * exp (- (2 * rho t))).
  { intros t Ht. unfold F. rewrite (T23_prediction kappa gamma h Hk Hg z v z0 v0 rho t) by (intros i Hi; now apply Hpath).
    fold g. field. lra. }
  set (al := alpha_of h z0 (vscale g v0)) in *. set (be := beta_of h z0 (vscale g v0)) in *.
  destruct (Classical_Prop.classic (exists t, 0 <= t /\ F t = q)) as [Y|N]; [exact Y|exfalso].
  assert (Fc : forall t, 0 <= t -> continuity_pt F t).
  { intros t Ht. apply derivable_continuous_pt. eexists. apply is_derive_Reals.
    apply is_derive_dot; intros i Hi; apply (Hf t Ht i Hi). }
  assert (Below : forall t, 0 <= t -> F t < q).
  { intros t Ht. apply Rnot_le_lt. intros Hn.
    assert (F 0 < q).
    { destruct (Req_dec (F 0) q) as [E|E]; [exfalso; apply N; exists 0; lra|lra]. }
    assert (q < F t).
    { destruct (Req_dec (F t) q) as [E|E]; [exfalso; apply N; now exists t|lra]. }
    destruct (Req_dec t 0) as [E|E]; [subst t; lra|].
    destruct (IVT_interv (fun s => F s - q) 0 t) as [s [Hs Es]]; [|lra..|].
    - intros s Hs. apply continuity_pt_minus; [apply Fc; lra|apply continuity_pt_const; now intros x y].
    - apply N. exists s. lra. }
  assert (Hc : 0 < c) by (unfold c; apply sqrt_lt_R0; now apply Rmult_lt_0_compat).
  assert (Up : forall t, 0 <= t -> 0 <= rho t).
  { intros t Ht. assert (0 - rho t <= 0 - rho 0); [|lra].
    apply (nonincreasing_from (fun s => 0 - rho s) (fun s => 0 - c * res (F s))); [| |lra].
    - intros s Hs. apply is_derive_Rminus; [apply is_derive_Rconst|now apply Dr].
    - intros s Hs. pose proof (Hpos (F s) (Rlt_le _ _ (Below s Hs))).
      assert (0 < c * res (F s)) by now apply Rmult_lt_0_compat. lra. }
  assert (Above : forall t, 0 <= t -> F 0 <= F t).
  { intros t Ht. pose proof (G t Ht) as G1. pose proof (G 0 (Rle_refl 0)) as G0. rewrite R0 in G0.
    replace (2 * 0) with 0 in G0 by ring. rewrite Ropp_0, exp_0 in G0. pose proof (Up t Ht) as Hr.
    assert (1 <= exp (2 * rho t)) by (pose proof (exp_ineq1_le (2 * rho t)); lra).
    assert (exp (- (2 * rho t)) <= 1) by (apply exp_le_1; lra).
    apply (Rmult_le_reg_l (4 * g)); [lra|]. rewrite G1, G0. nra. }
  destruct (continuity_ab_min res (F 0) q) as [p [Hmin Hp]]; [rewrite F0; exact H0| |].
  { intros x _. apply continuity_pt_filterlim. apply Hres. }
  set (m := res p) in *. assert (Hm : 0 < m) by (apply Hpos; lra).
  assert (Fast : forall t, 0 <= t -> c * m * t <= rho t).
  { intros t Ht. assert (c * m * t - rho t <= c * m * 0 - rho 0); [|lra].
    apply (nonincreasing_from (fun s => c * m * s - rho s) (fun s => c * m * 1 - c * res (F s))); [| |lra].
    - intros s Hs. apply is_derive_Rminus; [apply (is_derive_Rscal (fun x => x) (c * m) s 1); exact (is_derive_id s)|now apply Dr].
    - intros s Hs. pose proof (Hmin (F s) (conj (Above s Hs) (Rlt_le _ _ (Below s Hs)))).
      assert (c * m <= c * res (F s)) by (apply Rmult_le_compat_l; lra). lra. }
  set (X := (4 * g * q + be) / al). assert (Hcm : 0 < c * m) by now apply Rmult_lt_0_compat.
  assert (Ht : 0 <= Rabs X / (c * m)).
  { apply Rmult_le_pos; [apply Rabs_pos|]. left. now apply Rinv_0_lt_compat. }
  pose proof (Fast _ Ht) as Hr. replace (c * m * (Rabs X / (c * m))) with (Rabs X) in Hr by (field; lra).
  pose proof (G _ Ht) as G1. pose proof (Below _ Ht) as B1. set (t := Rabs X / (c * m)) in *.
  pose proof (Rle_abs X) as HX. pose proof (Rabs_pos X).
  assert (1 + 2 * rho t <= exp (2 * rho t)) by apply exp_ineq1_le.
  assert (exp (- (2 * rho t)) <= 1) by (apply exp_le_1; lra).
  assert (EX : al * X = 4 * g * q + be) by (unfold X; field; lra).
  assert (al * X < al * exp (2 * rho t)) by (apply Rmult_lt_compat_l; lra).
  assert (be * exp (- (2 * rho t)) <= be * 1) by (apply Rmult_le_compat_l; lra).
  assert (4 * g * F t < 4 * g * q) by (apply Rmult_lt_compat_l; lra). lra.
Qed.

End Reached.
