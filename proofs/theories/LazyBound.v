(** * LazyBound: T29, the lazy limit with an explicit error.

   notation: see Definitions.v and EnergyBound.v (rho, s, zeta, kap, nu, delta, rate, beta, c), gamma = 1;
   S t = integral of the residual from 0 to t, L = lazy_operator.
     eps = rho / rate (kap (2 nu + beta) beta + (2 zeta + c rho) c rho)

   T29_operator     s^2 |D| <= |L D|: the lazy equation has at most one solution
   T29_integral     |L S_t - (R_0 - R_t)| <= eps
   T29_lazy_error   if L S* = R_0 then the features differ from the lazy ones by at most
                    |Z_t - Z_0 - K S* V_0^T| <= kap beta rho / rate + kap nu (eps + e^(-rate t) rho) / s^2
   beta and c rho are proportional to rho, so both errors are of second order in the energy (t -> infinity).
   *)

Require Import Reals Lra Lia Psatz.
From Coquelicot Require Import Coquelicot.
From TaskHead Require Import Definitions Sums Calculus MatrixFlow EnergyBound.
Open Scope R_scope.

(** ** Products *)

Lemma fnorm_ext n m A B : (forall i j, (i < n)%nat -> (j < m)%nat -> A i j = B i j) -> fnorm n m A = fnorm n m B.
Proof. intros H. unfold fnorm, frob2. f_equal. apply sumn_ext; intros; apply sumn_ext; intros. now rewrite H. Qed.

Lemma fnorm_plus n m A B : fnorm n m (fun i j => A i j + B i j) <= fnorm n m A + fnorm n m B.
Proof.
  pose proof (fnorm_nonneg n m A). pose proof (fnorm_nonneg n m B).
  apply le_of_sq; [lra|]. rewrite fnorm_sq.
  replace (frob2 n m (fun i j => A i j + B i j)) with (frob2 n m (fun i j => 1 * A i j + 1 * B i j)).
  - rewrite frob2_lin. pose proof (fdot_le n m A B). pose proof (fnorm_sq n m A). pose proof (fnorm_sq n m B). nra.
  - apply sumn_ext; intros; apply sumn_ext; intros. ring.
Qed.

Lemma fnorm_opp n m A : fnorm n m (fun i j => - A i j) = fnorm n m A.
Proof. unfold fnorm, frob2. f_equal. apply sumn_ext; intros; apply sumn_ext; intros. ring. Qed.

Lemma fnorm_transposed n m A : fnorm n m (transpose A) = fnorm m n A.
Proof. unfold fnorm, frob2, transpose. f_equal. apply sumn_swap. Qed.

Lemma bounded_transposed p q A c : 0 <= c -> bounded_by p q A c -> bounded_by q p (transpose A) c.
Proof.
  intros Hc H x. set (u := act p (transpose A) x).
  assert (E : sq q u = dot p x (act q A u)).
  { unfold sq, dot. unfold u at 1, act, transpose.
    transitivity (sumn q (fun i => sumn p (fun j => A j i * x j * u i))).
    - apply sumn_ext; intros. now rewrite sumn_scal_r.
    - rewrite sumn_swap. apply sumn_ext; intros j _. rewrite <- sumn_scal. apply sumn_ext; intros. ring. }
  assert (D : dot p x (act q A u) <= vnorm p x * vnorm p (act q A u)).
  { unfold vnorm. rewrite <- sqrt_mult_alt by apply sq_nonneg.
    eapply Rle_trans; [apply Rle_abs|]. rewrite <- sqrt_Rsqr_abs. apply sqrt_le_1_alt.
    rewrite Rsqr_pow2. apply cauchy_schwarz. }
  pose proof (H u) as Hu. pose proof (vnorm_sq q u) as Hq. pose proof (vnorm_nonneg q u). pose proof (vnorm_nonneg p x).
  assert (B : vnorm q u * vnorm q u <= vnorm q u * (c * vnorm p x)).
  { rewrite Hq, E. eapply Rle_trans; [exact D|]. nra. }
  destruct (Req_dec (vnorm q u) 0) as [E0|E0].
  - rewrite E0. apply Rmult_le_pos; lra.
  - apply (Rmult_le_reg_l (vnorm q u)); [lra|exact B].
Qed.

Lemma bounded_by_fnorm p q A c : fnorm p q A <= c -> bounded_by p q A c.
Proof. intros H x. pose proof (act_frob p q A x). pose proof (vnorm_nonneg q x). nra. Qed.

Lemma mul_left p q k A M c : 0 <= c -> bounded_by p q A c -> fnorm p k (mul q A M) <= c * fnorm q k M.
Proof.
  intros Hc H. pose proof (fnorm_nonneg q k M). apply fnorm_le; [apply Rmult_le_pos; lra|].
  eapply Rle_trans; [exact (bounded_frob p q k A M c Hc H)|]. rewrite <- fnorm_sq. right. ring.
Qed.

Lemma mul_right n p q P A c : 0 <= c -> bounded_by p q A c -> fnorm n q (mul p P A) <= c * fnorm n p P.
Proof.
  intros Hc H. rewrite <- (fnorm_transposed q n), <- (fnorm_transposed p n).
  replace (fnorm q n (transpose (mul p P A))) with (fnorm q n (mul p (transpose A) (transpose P))).
  - apply mul_left; [exact Hc|]. now apply bounded_transposed.
  - apply fnorm_ext; intros. unfold transpose, mul. apply sumn_ext; intros. ring.
Qed.

Lemma mul_ext q A A' B B' i j : (forall l, (l < q)%nat -> A i l = A' i l) -> (forall l, (l < q)%nat -> B l j = B' l j) ->
  mul q A B i j = mul q A' B' i j.
Proof. intros HA HB. apply sumn_ext; intros l Hl. now rewrite HA, HB. Qed.

Lemma mul_minus_l q A B C i j : mul q (msub A B) C i j = mul q A C i j - mul q B C i j.
Proof. unfold mul, msub. rewrite <- sumn_minus. apply sumn_ext; intros; ring. Qed.

Lemma mul_minus_r q A B C i j : mul q A (msub B C) i j = mul q A B i j - mul q A C i j.
Proof. unfold mul, msub. rewrite <- sumn_minus. apply sumn_ext; intros; ring. Qed.

Lemma mul_derive_l q (A : R -> mat) dA B t i j :
  (forall l, (l < q)%nat -> is_derive (fun s => A s i l) t (dA i l)) -> is_derive (fun s => mul q (A s) B i j) t (mul q dA B i j).
Proof.
  intros H. apply (is_derive_sumn q (fun s l => A s i l * B l j)). intros l Hl.
  refine (is_derive_val _ _ _ _ (is_derive_Rmult _ (fun _ => B l j) t _ _ (H l Hl) (is_derive_Rconst _ _)) _). ring.
Qed.

Lemma mul_derive_r q (A : mat) (B : R -> mat) dB t i j :
  (forall l, (l < q)%nat -> is_derive (fun s => B s l j) t (dB l j)) -> is_derive (fun s => mul q A (B s) i j) t (mul q A dB i j).
Proof.
  intros H. apply (is_derive_sumn q (fun s l => A i l * B s l j)). intros l Hl. apply is_derive_Rscal. now apply H.
Qed.

(** ** The lazy operator *)

Lemma lazy_operator_minus N h k K Z0 V0 S T n c :
  lazy_operator N h k K Z0 V0 (msub S T) n c = lazy_operator N h k K Z0 V0 S n c - lazy_operator N h k K Z0 V0 T n c.
Proof.
  unfold lazy_operator.
  rewrite (mul_ext h Z0 Z0 (mul N (transpose Z0) (msub S T)) (msub (mul N (transpose Z0) S) (mul N (transpose Z0) T)))
    by (intros; try reflexivity; apply mul_minus_r).
  rewrite (mul_ext h (mul N K (mul k (msub S T) (transpose V0)))
    (msub (mul N K (mul k S (transpose V0))) (mul N K (mul k T (transpose V0)))) V0 V0); [|intros l _|reflexivity].
  - rewrite mul_minus_l, mul_minus_r. ring.
  - rewrite (mul_ext N K K _ (msub (mul k S (transpose V0)) (mul k T (transpose V0))))
      by (intros; try reflexivity; apply mul_minus_l). apply mul_minus_r.
Qed.

Lemma lazy_operator_form N h k K Z0 V0 D :
  fdot N k D (lazy_operator N h k K Z0 V0 D) = backbone_spending N h k K D V0 + head_spending N h k Z0 D.
Proof.
  rewrite backbone_spending_quadratic. unfold fdot, lazy_operator.
  transitivity (sumn N (fun n => sumn k (fun c => D n c * mul h (mul N K (mul k D (transpose V0))) V0 n c)) +
                sumn N (fun n => sumn k (fun c => D n c * mul h Z0 (mul N (transpose Z0) D) n c))).
  - rewrite <- sumn_plus. apply sumn_ext; intros n _. rewrite <- sumn_plus. apply sumn_ext; intros; ring.
  - f_equal.
    + transitivity (sumn N (fun n => sumn h (fun j => sumn k (fun c => V0 j c * D n c) * mul N K (mul k D (transpose V0)) n j))).
      * apply sumn_ext; intros n _. unfold mul at 1.
        transitivity (sumn k (fun c => sumn h (fun j => V0 j c * D n c * mul N K (mul k D (transpose V0)) n j))).
        -- apply sumn_ext; intros c _. rewrite <- sumn_scal. apply sumn_ext; intros; ring.
        -- rewrite sumn_swap. apply sumn_ext; intros j _. now rewrite sumn_scal_r.
      * rewrite sumn_swap. apply sumn_ext; intros j _. apply sumn_ext; intros n _.
        unfold mul at 1. rewrite <- sumn_scal. apply sumn_ext; intros m _.
        replace (mul k D (transpose V0) m j) with (sumn k (fun e => V0 j e * D m e)); [ring|].
        apply sumn_ext; intros. unfold transpose. ring.
    + unfold head_spending. set (M := mul N (transpose Z0) D).
      transitivity (sumn N (fun n => sumn h (fun j => sumn k (fun c => Z0 n j * D n c * M j c)))).
      * apply sumn_ext; intros n _. transitivity (sumn k (fun c => sumn h (fun j => Z0 n j * D n c * M j c))).
        -- apply sumn_ext; intros c _. unfold mul. rewrite <- sumn_scal. apply sumn_ext; intros; ring.
        -- apply sumn_swap.
      * rewrite sumn_swap. apply sumn_ext; intros j _. rewrite sumn_swap. apply sumn_ext; intros c _.
        rewrite sumn_scal_r. unfold M, mul, transpose. ring.
Qed.

Theorem T29_operator N h k K Z0 V0 s D : semidefinite N K -> 0 < s -> bounded_below h N (transpose Z0) s ->
  s^2 * fnorm N k D <= fnorm N k (lazy_operator N h k K Z0 V0 D).
Proof.
  intros HK Hs Hz. set (L := lazy_operator N h k K Z0 V0 D).
  pose proof (lazy_operator_form N h k K Z0 V0 D) as E. fold L in E.
  pose proof (backbone_spending_nonneg N h k K D V0 HK) as Hb.
  pose proof (below_frob h N k _ D s ltac:(lra) Hz) as Hh.
  change (frob2 h k (fun i e => sumn N (fun j => transpose Z0 i j * D j e))) with (head_spending N h k Z0 D) in Hh.
  pose proof (fdot_le N k D L) as Hd. pose proof (fnorm_sq N k D) as Hq. pose proof (fnorm_nonneg N k D).
  pose proof (fnorm_nonneg N k L).
  destruct (Req_dec (fnorm N k D) 0) as [E0|E0]; [rewrite E0; lra|].
  apply (Rmult_le_reg_l (fnorm N k D)); [lra|].
  replace (fnorm N k D * (s^2 * fnorm N k D)) with (s^2 * frob2 N k D) by (rewrite <- Hq; ring). lra.
Qed.

(** ** The error *)

Section Lazy.
Variables (N h k : nat) (K Y : mat) (Z V S : R -> mat).
Variables (s zeta kap nu delta : R).
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
Hypothesis Hdelta : 0 < delta < 1.
Let Rt t := residual h Y (Z t) (V t).
Hypothesis S_start : forall n c, (n < N)%nat -> (c < k)%nat -> S 0 n c = 0.
Hypothesis S_derive : forall t, 0 <= t -> forall n c, (n < N)%nat -> (c < k)%nat ->
  is_derive (fun x => S x n c) t (Rt t n c).
Let rho := fnorm N k (Rt 0).
Let rate := (1 - delta)^2 * s^2.
Let beta := (zeta + delta * s) * rho / rate.
Let c := kap * (nu + beta) / rate.
Hypothesis Hsmall : c * rho < delta * s.
Let eps := rho / rate * (kap * ((2 * nu + beta) * beta) + (2 * zeta + c * rho) * (c * rho)).

Let L := lazy_operator N h k K (Z 0) (V 0).
Let dZ t := msub (Z t) (Z 0).
Let dV t := msub (V t) (V 0).

Lemma lazy_rate_pos : 0 < rate.
Proof. apply Rmult_lt_0_compat; apply pow2_gt_0; lra. Qed.

Lemma lazy_rho_nonneg : 0 <= rho.
Proof. apply fnorm_nonneg. Qed.

Lemma lazy_beta_nonneg : 0 <= beta.
Proof.
  pose proof lazy_rate_pos. pose proof lazy_rho_nonneg.
  assert (0 < delta * s) by (apply Rmult_lt_0_compat; lra).
  apply Rmult_le_pos; [apply Rmult_le_pos; lra|left; now apply Rinv_0_lt_compat].
Qed.

Lemma lazy_c_nonneg : 0 <= c.
Proof.
  pose proof lazy_rate_pos. pose proof lazy_beta_nonneg.
  apply Rmult_le_pos; [apply Rmult_le_pos; lra|left; now apply Rinv_0_lt_compat].
Qed.

Lemma motion t : 0 <= t -> fnorm N h (dZ t) <= c * rho /\ fnorm h k (dV t) <= beta.
Proof. intros Ht. now apply (T18_sharper_bound N h k K Y Z V s zeta kap nu Hf HK Hs Hzeta Hkap Hnu Zlow Zup Kup Vup delta). Qed.

Lemma lazy_decay t : 0 <= t -> fnorm N k (Rt t) <= rho * exp (- (rate * t)).
Proof.
  intros Ht. pose proof (T18_sharper_decay N h k K Y Z V s zeta kap nu Hf HK Hs Hzeta Hkap Hnu Zlow Zup Kup Vup delta
    Hdelta Hsmall t Ht) as H. fold (Rt t) in H. fold (Rt 0) in H. fold rho in H. fold rate in H.
  pose proof lazy_rho_nonneg. pose proof (exp_pos (- (rate * t))).
  apply fnorm_le; [apply Rmult_le_pos; lra|].
  replace ((rho * exp (- (rate * t)))^2) with (rho^2 * (exp (- (rate * t)) * exp (- (rate * t)))) by ring.
  rewrite <- exp_plus. now replace (- (rate * t) + - (rate * t)) with (- (2 * rate * t)) by ring.
Qed.

(** A path with speed at most a |R_t| moves at most a rho / rate. *)
Lemma slow_path n m (W DW : R -> mat) a t : 0 <= a -> 0 <= t ->
  (forall t, 0 <= t -> forall i j, (i < n)%nat -> (j < m)%nat -> is_derive (fun x => W x i j) t (DW t i j)) ->
  (forall t, 0 <= t -> fnorm n m (DW t) <= a * fnorm N k (Rt t)) ->
  fnorm n m (msub (W t) (W 0)) <= a * (rho / rate).
Proof.
  intros Ha Ht HW HD. pose proof lazy_rate_pos as Hr. pose proof lazy_rho_nonneg as Hrho.
  set (g := fun x => a * (rho / rate) * (1 - exp (- (rate * x)))).
  apply Rle_trans with (g t - g 0).
  - apply (mean_value n m W DW g (fun x => a * (rho * exp (- (rate * x)))) t Ht).
    + intros x Hx. apply HW. lra.
    + intros x _. unfold g. auto_derive; [exact I|]. field. lra.
    + intros x Hx. eapply Rle_trans; [apply HD; lra|]. apply Rmult_le_compat_l; [exact Ha|]. apply lazy_decay. lra.
  - unfold g. rewrite Rmult_0_r, Ropp_0, exp_0. pose proof (exp_pos (- (rate * t))).
    assert (0 <= a * (rho / rate)).
    { apply Rmult_le_pos; [exact Ha|]. apply Rmult_le_pos; [exact Hrho|left; now apply Rinv_0_lt_compat]. }
    nra.
Qed.

(** The speed of  L S + R:  it vanishes where features and head have not moved. *)
Let speed t : mat := fun n e =>
  - ((mul h (mul N K (mul k (Rt t) (transpose (dV t)))) (V 0) n e
      + mul h (mul N K (mul k (Rt t) (transpose (V t)))) (dV t) n e)
     + (mul h (Z 0) (mul N (transpose (dZ t)) (Rt t)) n e
      + mul h (dZ t) (mul N (transpose (Z t)) (Rt t)) n e)).

Lemma sum_derive t n e : 0 <= t -> (n < N)%nat -> (e < k)%nat ->
  is_derive (fun x => L (S x) n e + Rt x n e) t (speed t n e).
Proof.
  intros Ht Hn He.
  pose proof (residual_derive 1 N h k K Y Z V Hf t n e Ht Hn He) as DR. cbv zeta in DR. fold (Rt t) in DR.
  assert (DL : is_derive (fun x => L (S x) n e) t (L (Rt t) n e)).
  { unfold L, lazy_operator.
    apply (is_derive_Rplus (fun x => mul h (mul N K (mul k (S x) (transpose (V 0)))) (V 0) n e)
      (fun x => mul h (Z 0) (mul N (transpose (Z 0)) (S x)) n e)).
    - apply (mul_derive_l h (fun x => mul N K (mul k (S x) (transpose (V 0))))). intros j _.
      apply (mul_derive_r N K (fun x => mul k (S x) (transpose (V 0)))). intros m Hm.
      apply (mul_derive_l k S). intros i Hi. now apply S_derive.
    - apply (mul_derive_r h (Z 0) (fun x => mul N (transpose (Z 0)) (S x))). intros j _.
      apply (mul_derive_r N (transpose (Z 0)) S). intros m Hm. now apply S_derive. }
  refine (is_derive_val _ _ _ _ (is_derive_Rplus _ _ _ _ _ DL DR) _).
  assert (E : sumn h (fun j => sumn N (fun m => K n m * sumn k (fun i => V t j i * Rt t m i)) * V t j e
                        + Z t n j * (1 * sumn N (fun m => Z t m j * Rt t m e)))
            = mul h (mul N K (mul k (Rt t) (transpose (V t)))) (V t) n e
            + mul h (Z t) (mul N (transpose (Z t)) (Rt t)) n e).
  { rewrite sumn_plus. f_equal.
    - apply sumn_ext; intros j _. f_equal. apply sumn_ext; intros m _. f_equal.
      apply sumn_ext; intros. unfold transpose. ring.
    - apply sumn_ext; intros j _. rewrite Rmult_1_l. reflexivity. }
  rewrite E. unfold speed, L, lazy_operator.
  assert (E1 : mul h (mul N K (mul k (Rt t) (transpose (dV t)))) (V 0) n e =
    mul h (mul N K (mul k (Rt t) (transpose (V t)))) (V 0) n e
    - mul h (mul N K (mul k (Rt t) (transpose (V 0)))) (V 0) n e).
  { rewrite <- mul_minus_l. apply mul_ext; [|reflexivity]. intros j _. unfold msub. rewrite <- mul_minus_r.
    apply mul_ext; [reflexivity|]. intros m _. apply (mul_minus_r k (Rt t) (transpose (V t)) (transpose (V 0))). }
  assert (E2 : mul h (Z 0) (mul N (transpose (dZ t)) (Rt t)) n e =
    mul h (Z 0) (mul N (transpose (Z t)) (Rt t)) n e - mul h (Z 0) (mul N (transpose (Z 0)) (Rt t)) n e).
  { rewrite <- mul_minus_r. apply mul_ext; [reflexivity|]. intros j _.
    apply (mul_minus_l N (transpose (Z t)) (transpose (Z 0))). }
  rewrite E1, E2. unfold dV at 1, dZ at 1. rewrite mul_minus_r, mul_minus_l. ring.
Qed.

Lemma head_now t : 0 <= t -> bounded_by h k (V t) (nu + beta).
Proof. intros Ht. apply (bounded_perturb h k (V t) (V 0)); [exact Vup|]. now apply motion. Qed.

Lemma features_now t : 0 <= t -> bounded_by h N (transpose (Z t)) (zeta + c * rho).
Proof.
  intros Ht. apply (bounded_perturb h N (transpose (Z t)) (transpose (Z 0))); [exact Zup|].
  change (msub (transpose (Z t)) (transpose (Z 0))) with (transpose (dZ t)). rewrite fnorm_transposed. now apply motion.
Qed.

Lemma speed_small t : 0 <= t ->
  fnorm N k (speed t) <= (kap * ((2 * nu + beta) * beta) + (2 * zeta + c * rho) * (c * rho)) * fnorm N k (Rt t).
Proof.
  intros Ht. destruct (motion t Ht) as [MZ MV]. pose proof lazy_beta_nonneg as Hb. pose proof lazy_c_nonneg as Hc.
  pose proof lazy_rho_nonneg as Hr. assert (Hcr : 0 <= c * rho) by (apply Rmult_le_pos; assumption).
  set (r := fnorm N k (Rt t)). pose proof (fnorm_nonneg N k (Rt t)) as Hrt. fold r in Hrt.
  pose proof (bounded_by_fnorm h k (dV t) beta MV) as BdV.
  pose proof (bounded_by_fnorm N h (dZ t) (c * rho) MZ) as BdZ.
  pose proof (bounded_transposed N h (dZ t) (c * rho) Hcr BdZ) as BdZ'.
  pose proof (bounded_transposed h N (transpose (Z 0)) zeta Hzeta Zup) as BZ0.
  unfold speed. rewrite fnorm_opp.
  eapply Rle_trans; [apply fnorm_plus|].
  pose proof (fnorm_plus N k (mul h (mul N K (mul k (Rt t) (transpose (dV t)))) (V 0))
    (mul h (mul N K (mul k (Rt t) (transpose (V t)))) (dV t))) as P1.
  pose proof (fnorm_plus N k (mul h (Z 0) (mul N (transpose (dZ t)) (Rt t)))
    (mul h (dZ t) (mul N (transpose (Z t)) (Rt t)))) as P2.
  (* the four products *)
  assert (A1 : fnorm N h (mul k (Rt t) (transpose (dV t))) <= beta * r)
    by (apply mul_right; [exact Hb|now apply bounded_transposed]).
  assert (A2 : fnorm N h (mul k (Rt t) (transpose (V t))) <= (nu + beta) * r)
    by (apply mul_right; [lra|apply bounded_transposed; [lra|now apply head_now]]).
  assert (B1 : fnorm N h (mul N K (mul k (Rt t) (transpose (dV t)))) <= kap * (beta * r))
    by (eapply Rle_trans; [now apply (mul_left N N h K _ kap)|now apply Rmult_le_compat_l]).
  assert (B2 : fnorm N h (mul N K (mul k (Rt t) (transpose (V t)))) <= kap * ((nu + beta) * r))
    by (eapply Rle_trans; [now apply (mul_left N N h K _ kap)|now apply Rmult_le_compat_l]).
  assert (C1 : fnorm N k (mul h (mul N K (mul k (Rt t) (transpose (dV t)))) (V 0)) <= nu * (kap * (beta * r)))
    by (eapply Rle_trans; [now apply (mul_right N h k _ (V 0) nu)|now apply Rmult_le_compat_l]).
  assert (C2 : fnorm N k (mul h (mul N K (mul k (Rt t) (transpose (V t)))) (dV t)) <= beta * (kap * ((nu + beta) * r)))
    by (eapply Rle_trans; [now apply (mul_right N h k _ (dV t) beta)|now apply Rmult_le_compat_l]).
  assert (C3 : fnorm N k (mul h (Z 0) (mul N (transpose (dZ t)) (Rt t))) <= zeta * ((c * rho) * r)).
  { eapply Rle_trans; [exact (mul_left N h k (Z 0) _ zeta Hzeta BZ0)|]. apply Rmult_le_compat_l; [exact Hzeta|].
    now apply (mul_left h N k). }
  assert (C4 : fnorm N k (mul h (dZ t) (mul N (transpose (Z t)) (Rt t))) <= (c * rho) * ((zeta + c * rho) * r)).
  { eapply Rle_trans; [exact (mul_left N h k (dZ t) _ (c * rho) Hcr BdZ)|]. apply Rmult_le_compat_l; [exact Hcr|].
    apply (mul_left h N k); [lra|now apply features_now]. }
  lra.
Qed.

Lemma eps_factor_nonneg : 0 <= kap * ((2 * nu + beta) * beta) + (2 * zeta + c * rho) * (c * rho).
Proof.
  pose proof lazy_beta_nonneg. pose proof lazy_c_nonneg. pose proof lazy_rho_nonneg.
  assert (0 <= c * rho) by (apply Rmult_le_pos; assumption).
  apply Rplus_le_le_0_compat; [apply Rmult_le_pos; [lra|]|]; apply Rmult_le_pos; lra.
Qed.

Theorem T29_integral t : 0 <= t -> fnorm N k (fun n e => L (S t) n e - (Rt 0 n e - Rt t n e)) <= eps.
Proof.
  intros Ht. pose proof (slow_path N k (fun x n e => L (S x) n e + Rt x n e) speed _ t eps_factor_nonneg Ht
    (fun x Hx n e Hn He => sum_derive x n e Hx Hn He) speed_small) as H.
  replace eps with ((kap * ((2 * nu + beta) * beta) + (2 * zeta + c * rho) * (c * rho)) * (rho / rate)) by (unfold eps; ring).
  eapply Rle_trans; [|exact H]. right. apply fnorm_ext. intros n e Hn He. unfold msub.
  assert (E : L (S 0) n e = 0); [|rewrite E; ring].
  assert (Z1 : forall q A B i j, (forall l, (l < q)%nat -> A i l = 0) -> mul q A B i j = 0).
  { intros q A B i j HA. unfold mul. rewrite (sumn_ext q _ (fun _ => 0)); [apply sumn_zero|]. intros. rewrite HA by assumption. ring. }
  assert (Z2 : forall q A B i j, (forall l, (l < q)%nat -> B l j = 0) -> mul q A B i j = 0).
  { intros q A B i j HB. unfold mul. rewrite (sumn_ext q _ (fun _ => 0)); [apply sumn_zero|]. intros. rewrite HB by assumption. ring. }
  unfold L, lazy_operator. rewrite Z1, Z2; [ring| |]; intros j Hj.
  - apply Z2. intros m Hm. now apply S_start.
  - apply Z2. intros m Hm. apply Z1. intros i Hi. now apply S_start.
Qed.

Theorem T29_lazy_error Slazy t : 0 <= t ->
  (forall n e, (n < N)%nat -> (e < k)%nat -> L Slazy n e = Rt 0 n e) ->
  fnorm N h (fun n j => Z t n j - Z 0 n j - mul N K (mul k Slazy (transpose (V 0))) n j) <=
  kap * beta * (rho / rate) + kap * nu * ((eps + rho * exp (- (rate * t))) / s^2).
Proof.
  intros Ht HL. pose proof lazy_beta_nonneg as Hb.
  (* the features less K S V_0^T *)
  set (W := fun x n j => Z x n j - mul N K (mul k (S x) (transpose (V 0))) n j).
  set (DW := fun x => mul N K (mul k (Rt x) (transpose (dV x)))).
  assert (H1 : fnorm N h (msub (W t) (W 0)) <= kap * beta * (rho / rate)).
  { apply (slow_path N h W DW (kap * beta)); [apply Rmult_le_pos; assumption|exact Ht| |].
    - intros x Hx n j Hn Hj. destruct (Hf x Hx) as [DZ _].
      refine (is_derive_val _ _ _ _ (is_derive_Rminus _ _ _ _ _ (DZ n j Hn Hj)
        (mul_derive_r N K (fun x => mul k (S x) (transpose (V 0))) (mul k (Rt x) (transpose (V 0))) x n j _)) _).
      + intros m Hm. apply (mul_derive_l k S (Rt x)). intros i Hi. now apply S_derive.
      + unfold DW. transitivity (mul N K (mul k (Rt x) (transpose (V x))) n j - mul N K (mul k (Rt x) (transpose (V 0))) n j).
        * f_equal. apply sumn_ext; intros m _. f_equal. apply sumn_ext; intros. unfold transpose. apply Rmult_comm.
        * rewrite <- mul_minus_r. apply mul_ext; [reflexivity|]. intros m _. unfold msub at 1.
          rewrite <- mul_minus_r. reflexivity.
    - intros x Hx. unfold DW. rewrite Rmult_assoc.
      eapply Rle_trans; [now apply (mul_left N N h K _ kap)|]. apply Rmult_le_compat_l; [exact Hkap|].
      apply mul_right; [exact Hb|]. apply bounded_transposed; [exact Hb|]. apply bounded_by_fnorm. now apply motion. }
  (* S_t against the lazy solution *)
  set (D := msub (S t) Slazy).
  assert (H2 : s^2 * fnorm N k D <= eps + rho * exp (- (rate * t))).
  { eapply Rle_trans; [apply (T29_operator N h k K (Z 0) (V 0) s D HK Hs Zlow)|].
    eapply Rle_trans; [|apply Rplus_le_compat; [exact (T29_integral t Ht)|exact (lazy_decay t Ht)]].
    eapply Rle_trans; [|apply Rplus_le_compat_l; right; apply (fnorm_opp N k (Rt t))].
    eapply Rle_trans; [|apply fnorm_plus]. right. apply fnorm_ext. intros n e Hn He.
    unfold D. rewrite lazy_operator_minus. fold L. rewrite HL by assumption. ring. }
  assert (Hs2 : 0 < s^2) by (apply pow2_gt_0; lra).
  assert (H3 : fnorm N k D <= (eps + rho * exp (- (rate * t))) / s^2).
  { apply (Rmult_le_reg_l (s^2)); [exact Hs2|].
    replace (s^2 * ((eps + rho * exp (- (rate * t))) / s^2)) with (eps + rho * exp (- (rate * t))) by (field; lra).
    exact H2. }
  assert (H4 : fnorm N h (mul N K (mul k D (transpose (V 0)))) <= kap * nu * fnorm N k D).
  { rewrite Rmult_assoc. eapply Rle_trans; [now apply (mul_left N N h K _ kap)|].
    apply Rmult_le_compat_l; [exact Hkap|]. apply mul_right; [exact Hnu|]. now apply bounded_transposed. }
  assert (H5 : kap * nu * fnorm N k D <= kap * nu * ((eps + rho * exp (- (rate * t))) / s^2))
    by (apply Rmult_le_compat_l; [now apply Rmult_le_pos|exact H3]).
  eapply Rle_trans; [|apply Rplus_le_compat; [exact H1|eapply Rle_trans; [exact H4|exact H5]]].
  eapply Rle_trans; [|apply fnorm_plus]. right. apply fnorm_ext. intros n j Hn Hj. unfold msub at 1, W.
  assert (E0 : mul N K (mul k (S 0) (transpose (V 0))) n j = 0).
  { unfold mul at 1. rewrite (sumn_ext N _ (fun _ => 0)); [apply sumn_zero|]. intros m Hm. unfold mul.
    rewrite (sumn_ext k _ (fun _ => 0)), sumn_zero; [ring|]. intros. rewrite S_start by assumption. ring. }
  assert (E1 : mul N K (mul k D (transpose (V 0))) n j =
    mul N K (mul k (S t) (transpose (V 0))) n j - mul N K (mul k Slazy (transpose (V 0))) n j).
  { rewrite <- mul_minus_r. apply mul_ext; [reflexivity|]. intros m _. unfold D, msub at 2. apply mul_minus_l. }
  rewrite E0, E1. ring.
Qed.

End Lazy.
