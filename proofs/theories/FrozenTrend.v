(** * FrozenTrend: T27, the trend for a frozen head (gamma = 0), any number of samples and outputs.

   notation: see Definitions.v.  Sample coordinates in which the rows z_n of Z0 are orthogonal
   (Z0 Z0^T = diag(lam), the left singular basis of the features; AnyBasis.v leaves them again); K is any
   kernel, Vi an initial head with Z0 Vi = 0 (zero initial prediction; the zero head is one), probed t the head
   after probing for t.

   T27_probed           probed t solves head probing  V' = Z0^T (Y - Z0 V)
   T27_residual         the residual of mode n is e^(-lam_n t) times its target
   T27_mode             if frozen-head training after probing for t1 < t2 fits the targets both times, the motion of
                        mode n after t2 is at most e^(-lam_n (t2 - t1)) times the motion after t1 (indeed times any
                        motion that fits the targets with the earlier head)
   T27_trend            so the Frobenius distance |Z_T - Z_0| strictly falls with probing time, as long as a mode
                        with lam_n > 0 moves
   T27_fits             if K is definite, training after any probing time t > 0 fits the modes with lam_n > 0
   T27_whole            K symmetric and definite, all lam_n > 0, Y <> 0: after any probing times 0 < t1 < t2 both runs
                        exist and converge, and the distance after t2 is strictly smaller
   T27_energy           so it strictly grows with the energy
   *)

Require Import Reals Lra Lia Psatz.
From Coquelicot Require Import Coquelicot.
From TaskHead Require Import Definitions Sums Calculus Boost Probing MatrixFlow EnergyBound FrozenMatrix.
Open Scope R_scope.

Lemma phi_pos l t : 0 <= l -> 0 < t -> 0 < phi l t.
Proof.
  intros Hl Ht. unfold phi. destruct (Req_EM_T l 0) as [E|E]; [exact Ht|].
  apply Rdiv_lt_0_compat; [|lra].
  assert (exp (- (l * t)) < exp 0) by (apply exp_increasing; nra). rewrite exp_0 in *. lra.
Qed.

Lemma phi_le l t1 t2 : 0 <= l -> t1 <= t2 -> phi l t1 <= phi l t2.
Proof.
  intros Hl Ht. unfold phi. destruct (Req_EM_T l 0) as [E|E]; [exact Ht|].
  apply Rmult_le_compat_r; [left; apply Rinv_0_lt_compat; lra|].
  pose proof (decay_le l t1 t2 Hl Ht). lra.
Qed.

Lemma phi_nonneg l t : 0 <= l -> 0 <= t -> 0 <= phi l t.
Proof. intros Hl Ht. rewrite <- (phi_0 l). now apply phi_le. Qed.

Section FrozenTrend.
Variables (N h k : nat) (K Y Z0 Vi : mat) (lam : vec).
Hypothesis Hrow : forall n m, (n < N)%nat -> (m < N)%nat ->
  dot h (Z0 n) (Z0 m) = if Nat.eqb n m then lam n else 0.
Hypothesis Hinit : forall n c, (n < N)%nat -> (c < k)%nat -> dot h (Z0 n) (col Vi c) = 0.

(** The head after probing for time t. *)
Local Notation head := (probed N lam Y Z0 Vi).

Lemma lam_nonneg n : (n < N)%nat -> 0 <= lam n.
Proof.
  intros Hn. pose proof (Hrow n n Hn Hn) as E. rewrite Nat.eqb_refl in E. rewrite <- E. apply sq_nonneg.
Qed.

Lemma probed_apply d t c :
  dot h d (col (head t) c) = dot h d (col Vi c) + sumn N (fun n => phi (lam n) t * Y n c * dot h d (Z0 n)).
Proof.
  rewrite <- dot_sum_r. unfold dot, col, probed. rewrite <- sumn_plus. apply sumn_ext; intros; ring.
Qed.

Lemma probed_prediction t n c : (n < N)%nat -> (c < k)%nat ->
  dot h (Z0 n) (col (head t) c) = lam n * phi (lam n) t * Y n c.
Proof.
  intros Hn Hc. rewrite probed_apply, Hinit by assumption.
  rewrite (sumn_single N n); [|exact Hn|].
  - rewrite Hrow, Nat.eqb_refl by assumption. ring.
  - intros m Hm Hne. rewrite Hrow by assumption. apply Nat.eqb_neq in Hne. rewrite Nat.eqb_sym, Hne. ring.
Qed.

Theorem T27_residual t n c : (n < N)%nat -> (c < k)%nat ->
  residual h Y Z0 (head t) n c = exp (- (lam n * t)) * Y n c.
Proof.
  intros Hn Hc. unfold residual. change (sumn h (fun j => Z0 n j * head t j c)) with (dot h (Z0 n) (col (head t) c)).
  rewrite probed_prediction by assumption. rewrite <- phi_exp. ring.
Qed.

Theorem T27_probed t j c : (j < h)%nat -> (c < k)%nat ->
  is_derive (fun s => head s j c) t (sumn N (fun n => Z0 n j * residual h Y Z0 (head t) n c)).
Proof.
  intros Hj Hc. unfold probed at 1.
  refine (is_derive_val _ _ _ _ (is_derive_Rplus (fun _ => Vi j c) _ t _ _ (is_derive_Rconst _ _)
    (is_derive_sumn N (fun s n => phi (lam n) s * Y n c * Z0 n j) (fun n => exp (- (lam n * t)) * Y n c * Z0 n j) t _)) _).
  - intros n Hn. apply (is_derive_extR (fun s => (Y n c * Z0 n j) * phi (lam n) s)); [intros; ring|].
    refine (is_derive_val _ _ _ _ (is_derive_Rscal _ _ _ _ (phi_derive (lam n) t)) _). ring.
  - rewrite Rplus_0_l. apply sumn_ext; intros n Hn. rewrite T27_residual by assumption. ring.
Qed.

(** ** A contraction that carries the later head to the earlier one *)

Definition lift (a : vec) (d : vec) : vec := fun j => d j - sumn N (fun n => a n * dot h d (Z0 n) * Z0 n j).

Lemma lift_dot a d v :
  dot h (lift a d) v = dot h d v - sumn N (fun n => a n * dot h d (Z0 n) * dot h (Z0 n) v).
Proof.
  rewrite (dot_comm h (lift a d)), (dot_comm h d v).
  assert (E : sumn N (fun n => a n * dot h d (Z0 n) * dot h (Z0 n) v) =
              dot h v (fun j => sumn N (fun n => a n * dot h d (Z0 n) * Z0 n j))).
  { rewrite dot_sum_r. apply sumn_ext; intros. rewrite (dot_comm h v). reflexivity. }
  rewrite E. unfold dot at 1 2 3, lift. rewrite <- sumn_minus. apply sumn_ext; intros; ring.
Qed.

Lemma lift_sq a d :
  sq h (lift a d) = sq h d - sumn N (fun n => a n * (2 - a n * lam n) * (dot h d (Z0 n))^2).
Proof.
  unfold sq at 1. rewrite lift_dot. rewrite (dot_comm h d), lift_dot. fold (sq h d).
  rewrite (sumn_ext N (fun n => a n * dot h d (Z0 n) * dot h (Z0 n) (lift a d))
    (fun n => a n * dot h d (Z0 n) * (dot h d (Z0 n) - a n * dot h d (Z0 n) * lam n))).
  - rewrite (sumn_ext N (fun n => a n * dot h d (Z0 n) * dot h (Z0 n) d) (fun n => a n * (dot h d (Z0 n))^2)).
    + unfold Rminus. rewrite Rplus_assoc. f_equal. rewrite <- Ropp_plus_distr. f_equal.
      rewrite <- sumn_plus. apply sumn_ext; intros; ring.
    + intros n Hn. rewrite (dot_comm h (Z0 n) d). ring.
  - intros n Hn. f_equal. rewrite (dot_comm h (Z0 n) (lift a d)), lift_dot. f_equal.
    rewrite (sumn_single N n); [|exact Hn|].
    + rewrite Hrow, Nat.eqb_refl by assumption. reflexivity.
    + intros m Hm Hne. rewrite Hrow by assumption. apply Nat.eqb_neq in Hne. rewrite Hne. ring.
Qed.

(** Of all motions that fit the targets with this head the run makes the smallest, row by row. *)
Lemma smallest_motion W X : frozen_trains N h k K Y Z0 W X -> forall n (d : vec), (n < N)%nat ->
  (forall c, (c < k)%nat -> dot h (X n) (col W c) = Y n c) ->
  (forall c, (c < k)%nat -> dot h d (col W c) = residual h Y Z0 W n c) ->
  sq h (vsub (X n) (Z0 n)) <= sq h d.
Proof.
  intros HX n d Hn Hfit Hd.
  pose proof (T15_matrix_nearest N h k K Y W Z0 X HX n (fun j => Z0 n j + d j) Hn) as B.
  replace (sq h d) with (sq h (vsub (fun j => Z0 n j + d j) (Z0 n))) by (apply sq_ext; intros; unfold vsub; ring).
  apply B. intros c Hc. rewrite Hfit by exact Hc.
  transitivity (dot h (Z0 n) (col W c) + dot h d (col W c)).
  - unfold dot. rewrite <- sumn_plus. apply sumn_ext; intros; ring.
  - rewrite Hd by exact Hc. unfold residual, dot, col. ring.
Qed.

Section Two.
Variables (t1 t2 : R) (X1 X2 : mat).
Hypothesis Htime : 0 <= t1 < t2.
Hypothesis T2 : frozen_trains N h k K Y Z0 (head t2) X2.
Hypothesis Fit1 : forall n c, (n < N)%nat -> (c < k)%nat -> dot h (X1 n) (col (head t1) c) = Y n c.
Hypothesis Fit2 : forall n c, (n < N)%nat -> (c < k)%nat -> dot h (X2 n) (col (head t2) c) = Y n c.

Let a : vec := fun n => if Req_EM_T (lam n) 0 then 0 else (1 - phi (lam n) t1 / phi (lam n) t2) / lam n.

Lemma a_lam n : (n < N)%nat -> 0 <= a n /\ 0 <= a n * lam n <= 1.
Proof.
  intros Hn. pose proof (lam_nonneg n Hn) as Hl. unfold a. destruct (Req_EM_T (lam n) 0) as [E|E]; [lra|].
  pose proof (phi_pos (lam n) t2 Hl ltac:(lra)) as P2. pose proof (phi_le (lam n) t1 t2 Hl ltac:(lra)) as P12.
  pose proof (phi_nonneg (lam n) t1 Hl ltac:(lra)) as P1.
  assert (Q : 0 <= 1 - phi (lam n) t1 / phi (lam n) t2 <= 1).
  { assert (0 <= phi (lam n) t1 / phi (lam n) t2) by (apply Rmult_le_pos; [exact P1|left; now apply Rinv_0_lt_compat]).
    assert (phi (lam n) t1 / phi (lam n) t2 <= 1); [|lra].
    apply (Rmult_le_reg_r (phi (lam n) t2)); [exact P2|]. unfold Rdiv. rewrite Rmult_assoc, Rinv_l by lra. lra. }
  split; [apply Rmult_le_pos; [lra|left; apply Rinv_0_lt_compat; lra]|].
  replace ((1 - phi (lam n) t1 / phi (lam n) t2) / lam n * lam n) with (1 - phi (lam n) t1 / phi (lam n) t2) by (field; lra).
  exact Q.
Qed.

Lemma lift_head d c : (c < k)%nat -> dot h (lift a d) (col (head t2) c) = dot h d (col (head t1) c).
Proof.
  intros Hc. rewrite lift_dot, !probed_apply.
  rewrite (sumn_ext N (fun n => a n * dot h d (Z0 n) * dot h (Z0 n) (col (head t2) c))
    (fun n => phi (lam n) t2 * Y n c * dot h d (Z0 n) - phi (lam n) t1 * Y n c * dot h d (Z0 n))).
  - rewrite sumn_minus. ring.
  - intros n Hn. rewrite probed_prediction by assumption. unfold a. destruct (Req_EM_T (lam n) 0) as [E|E].
    + assert (Z : dot h d (Z0 n) = 0).
      { pose proof (Hrow n n Hn Hn) as E2. rewrite Nat.eqb_refl, E in E2.
        unfold dot. rewrite (sumn_ext h _ (fun _ => 0)); [apply sumn_zero|].
        intros j Hj. rewrite (sq_zero_coord h (Z0 n) E2 j Hj). ring. }
      rewrite Z. ring.
    + pose proof (phi_pos (lam n) t2 (lam_nonneg n Hn) ltac:(lra)). field. lra.
Qed.

Theorem T27_mode n : (n < N)%nat ->
  sq h (vsub (X2 n) (Z0 n)) <= exp (- (2 * lam n * (t2 - t1))) * sq h (vsub (X1 n) (Z0 n)).
Proof.
  intros Hn. set (u := vsub (X1 n) (Z0 n)). set (q := exp (- (lam n * (t2 - t1)))).
  eapply Rle_trans.
  - apply (smallest_motion (head t2) X2 T2 n (vscale q (lift a u)) Hn); [intros; now apply Fit2|].
    intros c Hc.
    replace (dot h (vscale q (lift a u)) (col (head t2) c)) with (q * dot h (lift a u) (col (head t2) c)).
    2:{ unfold dot, vscale. rewrite <- sumn_scal. apply sumn_ext; intros; ring. }
    rewrite lift_head by exact Hc. unfold u. rewrite dot_vsub_l, Fit1, probed_prediction by assumption.
    rewrite T27_residual by assumption.
    replace (exp (- (lam n * t2))) with (q * exp (- (lam n * t1))).
    + rewrite <- phi_exp. ring.
    + unfold q. rewrite <- exp_plus. f_equal. ring.
  - replace (sq h (vscale q (lift a u))) with (q^2 * sq h (lift a u)).
    2:{ unfold sq, dot, vscale. rewrite <- sumn_scal. apply sumn_ext; intros; ring. }
    replace (exp (- (2 * lam n * (t2 - t1)))) with (q^2).
    2:{ unfold q. replace (- (2 * lam n * (t2 - t1))) with (- (lam n * (t2 - t1)) + - (lam n * (t2 - t1))) by ring.
        rewrite exp_plus. ring. }
    apply Rmult_le_compat_l; [apply pow2_ge_0|]. rewrite lift_sq.
    assert (0 <= sumn N (fun m => a m * (2 - a m * lam m) * (dot h u (Z0 m))^2)); [|lra].
    apply sumn_nonneg; intros m Hm. destruct (a_lam m Hm) as [A1 A2].
    apply Rmult_le_pos; [apply Rmult_le_pos; lra|apply pow2_ge_0].
Qed.

Theorem T27_trend :
  (exists n, (n < N)%nat /\ 0 < lam n /\ 0 < sq h (vsub (X1 n) (Z0 n))) ->
  fnorm N h (msub X2 Z0) < fnorm N h (msub X1 Z0).
Proof.
  intros [m [Hm [Hl Hd]]]. unfold fnorm. apply sqrt_lt_1; [apply frob2_nonneg..|].
  rewrite !frob2_rows. apply sumn_lt.
  - intros n Hn. change (sq h (msub X2 Z0 n)) with (sq h (vsub (X2 n) (Z0 n))).
    change (sq h (msub X1 Z0 n)) with (sq h (vsub (X1 n) (Z0 n))).
    eapply Rle_trans; [now apply T27_mode|].
    rewrite <- (Rmult_1_l (sq h (vsub (X1 n) (Z0 n)))) at 2.
    apply Rmult_le_compat_r; [apply sq_nonneg|]. rewrite <- exp_0.
    replace 0 with (- (2 * lam n * 0)) by ring. apply decay_le; [pose proof (lam_nonneg n Hn); lra|lra].
  - exists m. split; [exact Hm|].
    change (sq h (msub X2 Z0 m)) with (sq h (vsub (X2 m) (Z0 m))).
    change (sq h (msub X1 Z0 m)) with (sq h (vsub (X1 m) (Z0 m))).
    eapply Rle_lt_trans; [now apply T27_mode|].
    rewrite <- (Rmult_1_l (sq h (vsub (X1 m) (Z0 m)))) at 2.
    apply Rmult_lt_compat_r; [exact Hd|]. rewrite <- exp_0. apply exp_increasing.
    assert (0 < 2 * lam m * (t2 - t1)) by (apply Rmult_lt_0_compat; lra). lra.
Qed.
End Two.

(** ** The runs exist, converge and fit *)

Theorem T27_fits t X : definite N K -> 0 < t -> frozen_trains N h k K Y Z0 (head t) X ->
  forall n c, (n < N)%nat -> (c < k)%nat -> 0 < lam n -> dot h (X n) (col (head t) c) = Y n c.
Proof.
  intros Hd Ht HX n c Hn Hc Hl.
  pose proof (phi_pos (lam n) t ltac:(lra) Ht) as Hp.
  assert (P : lam n * phi (lam n) t <> 0) by (apply Rgt_not_eq, Rmult_lt_0_compat; assumption).
  apply (T15_matrix_fits N h k K Y (head t) Z0 X HX Hd n (vscale (/ (lam n * phi (lam n) t)) (Z0 n)) Hn); [|exact Hc].
  intros e He. transitivity (/ (lam n * phi (lam n) t) * dot h (Z0 n) (col (head t) e)).
  - unfold dot, vscale. rewrite <- sumn_scal. apply sumn_ext; intros; ring.
  - rewrite probed_prediction by assumption. field. split; [lra|]. now apply Rgt_not_eq.
Qed.

Lemma probed_energy t : frob2 N k (residual h Y Z0 (head t)) = sumn N (fun n => exp (- (2 * lam n * t)) * sq k (Y n)).
Proof.
  rewrite frob2_rows. apply sumn_ext; intros n Hn. unfold sq, dot. rewrite <- sumn_scal.
  apply sumn_ext; intros c Hc. rewrite T27_residual by assumption.
  replace (- (2 * lam n * t)) with (- (lam n * t) + - (lam n * t)) by ring. rewrite exp_plus. ring.
Qed.

Section Whole.
Hypothesis Ksym : symmetric N K.
Hypothesis Kdef : definite N K.
Hypothesis Hlam : forall n, (n < N)%nat -> 0 < lam n.
Hypothesis HY : exists n c, (n < N)%nat /\ (c < k)%nat /\ Y n c <> 0.

Lemma definite_semidefinite : semidefinite N K.
Proof.
  intros x. destruct (Req_dec (sq N x) 0) as [E|E].
  - right. rewrite (sumn_ext N _ (fun _ => 0)); [now rewrite sumn_zero|]. intros n Hn.
    rewrite (sumn_ext N _ (fun _ => 0)); [apply sumn_zero|]. intros m Hm. rewrite (sq_zero_coord N x E n Hn). ring.
  - left. apply Kdef. apply Classical_Prop.NNPP. intros Hno. apply E. apply dot_zero_r. intros i Hi.
    apply Classical_Prop.NNPP. intros Hi0. apply Hno. now exists i.
Qed.

(** A mode with a target moves: otherwise its prediction would have fitted from the start. *)
Lemma mode_moves t X : 0 <= t -> (forall n c, (n < N)%nat -> (c < k)%nat -> dot h (X n) (col (head t) c) = Y n c) ->
  exists n, (n < N)%nat /\ 0 < lam n /\ 0 < sq h (vsub (X n) (Z0 n)).
Proof.
  intros Ht Hfit. destruct HY as [n [c [Hn [Hc Hy]]]]. exists n. split; [exact Hn|]. split; [now apply Hlam|].
  destruct (Rle_lt_or_eq_dec 0 _ (sq_nonneg h (vsub (X n) (Z0 n)))) as [P|E]; [exact P|exfalso].
  pose proof (Hfit n c Hn Hc) as F.
  rewrite (dot_ext h (X n) (Z0 n) (col (head t) c) (col (head t) c)) in F.
  - pose proof (T27_residual t n c Hn Hc) as Q. unfold residual in Q.
    change (sumn h (fun j => Z0 n j * head t j c)) with (dot h (Z0 n) (col (head t) c)) in Q. rewrite F in Q.
    pose proof (exp_pos (- (lam n * t))). apply Hy.
    apply (Rmult_eq_reg_l (exp (- (lam n * t)))); lra.
  - intros i Hi. pose proof (sq_zero_coord h _ (eq_sym E) i Hi) as Q. unfold vsub in Q. lra.
  - reflexivity.
Qed.

Theorem T27_whole t1 t2 : 0 < t1 < t2 ->
  (exists X1 X2, frozen_trains N h k K Y Z0 (head t1) X1 /\ frozen_trains N h k K Y Z0 (head t2) X2) /\
  forall X1 X2, frozen_trains N h k K Y Z0 (head t1) X1 -> frozen_trains N h k K Y Z0 (head t2) X2 ->
    fnorm N h (msub X2 Z0) < fnorm N h (msub X1 Z0).
Proof.
  intros Ht. split.
  - destruct (T15_matrix_converges N h k K Y (head t1) Z0 Ksym definite_semidefinite) as [X1 H1].
    destruct (T15_matrix_converges N h k K Y (head t2) Z0 Ksym definite_semidefinite) as [X2 H2].
    now exists X1, X2.
  - intros X1 X2 H1 H2.
    assert (F1 : forall n c, (n < N)%nat -> (c < k)%nat -> dot h (X1 n) (col (head t1) c) = Y n c)
      by (intros; apply T27_fits; auto; lra).
    assert (F2 : forall n c, (n < N)%nat -> (c < k)%nat -> dot h (X2 n) (col (head t2) c) = Y n c)
      by (intros; apply T27_fits; auto; lra).
    apply (T27_trend t1 t2 X1 X2 ltac:(lra) H2 F1 F2). apply (mode_moves t1 X1); [lra|exact F1].
Qed.

Theorem T27_energy t1 t2 X1 X2 : 0 < t1 -> 0 < t2 ->
  frozen_trains N h k K Y Z0 (head t1) X1 -> frozen_trains N h k K Y Z0 (head t2) X2 ->
  fnorm N k (residual h Y Z0 (head t2)) < fnorm N k (residual h Y Z0 (head t1)) ->
  fnorm N h (msub X2 Z0) < fnorm N h (msub X1 Z0).
Proof.
  intros P1 P2 H1 H2 HE.
  destruct (Rlt_le_dec t1 t2) as [Hlt|Hle]; [now apply (T27_whole t1 t2)|exfalso].
  apply (Rlt_not_le _ _ HE). unfold fnorm. apply sqrt_le_1_alt. rewrite !probed_energy.
  apply sumn_le; intros n Hn. apply Rmult_le_compat_r; [apply sq_nonneg|].
  apply decay_le; [pose proof (Hlam n Hn); lra|exact Hle].
Qed.
End Whole.
End FrozenTrend.
