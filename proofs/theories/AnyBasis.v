(** * AnyBasis: T27 for any features of full row rank, in their own sample coordinates.

   notation: see Definitions.v; u_0 ... u_(N-1) an orthonormal basis of R^N of left singular vectors of Z0, that is one
   in which the rows of U^T Z0 are orthogonal; V any path of head probing.

   T27_any_features   K symmetric and definite, Z0 of full row rank (all lam_n > 0), Y <> 0, Z0 V(0) = 0: frozen-head
                      training from the heads V(t1) and V(t2), 0 < t1 < t2, converges both times, and the Frobenius
                      distance |Z_T - Z_0| is strictly smaller for t2
   *)

Require Import Reals Lra Lia Psatz.
From Coquelicot Require Import Coquelicot.
From TaskHead Require Import Definitions Sums Calculus Probing MatrixFlow EnergyBound FrozenMatrix ProbingMatrix FrozenTrend.
Open Scope R_scope.

(** Two heads that agree train to the same features. *)
Lemma same_head N h k K Y Z0 W W' X : (forall j c, (j < h)%nat -> (c < k)%nat -> W j c = W' j c) ->
  frozen_trains N h k K Y Z0 W X -> frozen_trains N h k K Y Z0 W' X.
Proof.
  intros HW [Z [Hf [Hs Ht]]]. exists Z. split; [|split; assumption].
  intros t H0 Rt. destruct (Hf t H0) as [HZ _]. split.
  - intros n j Hn Hj. refine (is_derive_val _ _ _ _ (HZ n j Hn Hj) _).
    apply sumn_ext; intros m _. f_equal. apply sumn_ext; intros c Hc. rewrite HW by assumption. f_equal.
    unfold Rt, residual. f_equal. apply sumn_ext; intros l Hl. now rewrite HW.
  - intros j c _ _. rewrite Rmult_0_l. apply is_derive_Rconst.
Qed.

Section Basis.
Variables (N : nat) (u : nat -> vec).
Hypothesis Hu : orthonormal N N u.
Hypothesis Hc : orthonormal N N (transpose u).

Lemma recover (x : vec) a : (a < N)%nat -> sumn N (fun n => u n a * dot N (u n) x) = x a.
Proof.
  intros Ha. unfold dot. rewrite (sumn_ext N _ (fun n => sumn N (fun b => u n a * u n b * x b))).
  - rewrite sumn_swap. rewrite (sumn_single N a); [|exact Ha|].
    + rewrite sumn_scal_r. change (sumn N (fun n => u n a * u n a)) with (dot N (transpose u a) (transpose u a)).
      rewrite Hc, Nat.eqb_refl by assumption. ring.
    + intros b Hb Hne. rewrite sumn_scal_r. change (sumn N (fun n => u n a * u n b)) with (dot N (transpose u a) (transpose u b)).
      rewrite Hc by assumption. apply Nat.eqb_neq in Hne. rewrite Nat.eqb_sym, Hne. ring.
  - intros n _. rewrite <- sumn_scal. apply sumn_ext; intros; ring.
Qed.

Lemma parseval (x y : vec) : sumn N (fun n => dot N (u n) x * dot N (u n) y) = dot N x y.
Proof.
  unfold dot at 1. rewrite (sumn_ext N _ (fun n => sumn N (fun a => x a * (u n a * dot N (u n) y)))).
  - rewrite sumn_swap. apply sumn_ext; intros a Ha. rewrite sumn_scal. now rewrite recover.
  - intros n _. rewrite <- sumn_scal_r. apply sumn_ext; intros; ring.
Qed.

Lemma rotate_frob m A : frob2 N m (rotate N u A) = frob2 N m A.
Proof.
  unfold frob2. rewrite !(sumn_swap N m). apply sumn_ext; intros j _. unfold rotate.
  rewrite (sumn_ext N _ (fun n => dot N (u n) (col A j) * dot N (u n) (col A j))) by (intros; ring).
  rewrite parseval. apply sumn_ext; intros. unfold col. ring.
Qed.

Lemma rotate_residual h Y Z V n c : residual h (rotate N u Y) (rotate N u Z) V n c = rotate N u (residual h Y Z V) n c.
Proof.
  unfold residual, rotate, dot, col.
  rewrite (sumn_ext h _ (fun j => sumn N (fun a => u n a * (Z a j * V j c)))).
  - rewrite sumn_swap, <- sumn_minus. apply sumn_ext; intros a _. rewrite sumn_scal. ring.
  - intros j _. rewrite <- sumn_scal_r. apply sumn_ext; intros; ring.
Qed.

Lemma rotate_probing h k Y Z V : is_matrix_probing N h k Y Z V ->
  is_matrix_probing N h k (rotate N u Y) (rotate N u Z) V.
Proof.
  intros HV t Ht j c Hj Hc0. refine (is_derive_val _ _ _ _ (HV t Ht j c Hj Hc0) _).
  rewrite (sumn_ext N (fun n => rotate N u Z n j * residual h (rotate N u Y) (rotate N u Z) (V t) n c)
    (fun n => dot N (u n) (col Z j) * dot N (u n) (col (residual h Y Z (V t)) c))) by (intros; now rewrite rotate_residual).
  rewrite parseval. reflexivity.
Qed.

(** The kernel U^T K U. *)
Definition rotate_kernel (K : mat) : mat := fun n m => dot N (u n) (act N K (u m)).

Lemma rotate_symmetric K : symmetric N K -> symmetric N (rotate_kernel K).
Proof.
  intros HK n m _ _. unfold rotate_kernel, dot, act.
  rewrite (sumn_ext N _ (fun a => sumn N (fun b => u n a * K a b * u m b))).
  - rewrite sumn_swap. apply sumn_ext; intros b Hb. rewrite <- sumn_scal. apply sumn_ext; intros a Ha.
    rewrite (HK a b Ha Hb). ring.
  - intros a _. rewrite <- sumn_scal. apply sumn_ext; intros; ring.
Qed.

Lemma rotate_definite K : definite N K -> definite N (rotate_kernel K).
Proof.
  intros HK x [i [Hi Hx]]. set (w := fun a => sumn N (fun n => x n * u n a)).
  assert (E : sumn N (fun n => sumn N (fun m => x n * rotate_kernel K n m * x m)) =
              sumn N (fun a => sumn N (fun b => w a * K a b * w b))).
  { transitivity (dot N w (act N K w)).
    - rewrite dot_comm. unfold w at 2. rewrite (dot_sum_r N N x (act N K w) u). apply sumn_ext; intros n _.
      rewrite (sumn_ext N _ (fun m => x n * (x m * dot N (u n) (act N K (u m))))) by (intros; unfold rotate_kernel; ring).
      rewrite sumn_scal. f_equal. rewrite <- (dot_sum_r N N x (u n) (fun m => act N K (u m))). rewrite dot_comm.
      apply dot_ext; [|reflexivity]. intros a _. unfold w, act.
      rewrite (sumn_ext N (fun m => x m * sumn N (fun j => K a j * u m j)) (fun m => sumn N (fun j => K a j * (x m * u m j)))).
      + rewrite sumn_swap. apply sumn_ext; intros b _. now rewrite sumn_scal.
      + intros m _. rewrite <- sumn_scal. apply sumn_ext; intros; ring.
    - unfold dot, act. apply sumn_ext; intros a _. rewrite <- sumn_scal. apply sumn_ext; intros; ring. }
  rewrite E. apply HK. apply Classical_Prop.NNPP. intros Hno. apply Hx.
  assert (W0 : forall a, (a < N)%nat -> w a = 0).
  { intros a Ha. apply Classical_Prop.NNPP. intros Ha0. apply Hno. now exists a. }
  transitivity (dot N (u i) w); [|now apply dot_zero_r]. unfold w. rewrite (dot_sum_r N N x (u i) u).
  rewrite (sumn_single N i); [|exact Hi|].
  - rewrite Hu, Nat.eqb_refl by assumption. ring.
  - intros m Hm Hne. rewrite Hu by assumption. apply Nat.eqb_neq in Hne. rewrite Nat.eqb_sym, Hne. ring.
Qed.

Lemma rotate_run h k K Y Z0 W X : frozen_trains N h k K Y Z0 W X ->
  frozen_trains N h k (rotate_kernel K) (rotate N u Y) (rotate N u Z0) W (rotate N u X).
Proof.
  intros [Z [Hf [Hs Ht]]]. exists (fun t => rotate N u (Z t)). split; [|split].
  - intros t H0 Rt. destruct (Hf t H0) as [HZ _]. split.
    + intros n j Hn Hj. set (g := fun b => sumn k (fun c => W j c * residual h Y (Z t) W b c)).
      refine (is_derive_val _ _ _ _ (is_derive_sumn N (fun s a => u n a * Z s a j)
        (fun a => u n a * sumn N (fun b => K a b * g b)) t _) _).
      * intros a Ha. apply is_derive_Rscal. exact (HZ a j Ha Hj).
      * rewrite (sumn_ext N (fun m => rotate_kernel K n m * sumn k (fun c => W j c * Rt m c))
          (fun m => rotate_kernel K n m * dot N (u m) g)).
        -- unfold rotate_kernel. transitivity (dot N (u n) (act N K g)); [reflexivity|].
           rewrite (sumn_ext N (fun m => dot N (u n) (act N K (u m)) * dot N (u m) g)
             (fun m => dot N (u m) g * dot N (u n) (act N K (u m)))) by (intros; ring).
           rewrite <- (dot_sum_r N N (fun m => dot N (u m) g) (u n) (fun m => act N K (u m))).
           apply dot_ext; [reflexivity|]. intros a _. cbv beta. symmetry.
           rewrite (sumn_ext N (fun m => dot N (u m) g * act N K (u m) a)
             (fun m => sumn N (fun b => K a b * (u m b * dot N (u m) g)))).
           ++ rewrite sumn_swap. unfold act. apply sumn_ext; intros b Hb. rewrite sumn_scal. now rewrite recover.
           ++ intros m _. unfold act. rewrite Rmult_comm, <- sumn_scal_r. apply sumn_ext; intros; ring.
        -- intros m _. f_equal. unfold Rt. unfold g, dot.
           rewrite (sumn_ext k _ (fun c => sumn N (fun b => u m b * (W j c * residual h Y (Z t) W b c)))).
           ++ rewrite sumn_swap. apply sumn_ext; intros b _. now rewrite sumn_scal.
           ++ intros c _. rewrite rotate_residual. unfold rotate, dot, col. rewrite <- sumn_scal. apply sumn_ext; intros; ring.
    + intros j c _ _. rewrite Rmult_0_l. apply is_derive_Rconst.
  - intros n j _ Hj. apply sumn_ext; intros a Ha. unfold col. now rewrite Hs.
  - intros n j _ Hj. apply (lim_sumn N (fun t a => u n a * Z t a j)). intros a Ha.
    apply (is_lim_scal_l (fun t => Z t a j) (u n a) p_infty (X a j)). now apply Ht.
Qed.

Lemma rotate_distance h X Z0 : fnorm N h (msub (rotate N u X) (rotate N u Z0)) = fnorm N h (msub X Z0).
Proof.
  unfold fnorm. f_equal. rewrite <- (rotate_frob h (msub X Z0)).
  apply sumn_ext; intros n _. apply sumn_ext; intros j _. f_equal. unfold msub at 1, rotate, dot.
  rewrite <- sumn_minus. apply sumn_ext; intros. unfold col, msub. ring.
Qed.
End Basis.

Theorem T27_any_features N h k (K Y Z0 : mat) (u : nat -> vec) (lam : vec) (V : R -> mat) t1 t2 :
  orthonormal N N u -> orthonormal N N (transpose u) ->
  (forall n m, (n < N)%nat -> (m < N)%nat ->
     dot h (rotate N u Z0 n) (rotate N u Z0 m) = if Nat.eqb n m then lam n else 0) ->
  (forall n, (n < N)%nat -> 0 < lam n) ->
  symmetric N K -> definite N K ->
  (exists n c, (n < N)%nat /\ (c < k)%nat /\ Y n c <> 0) ->
  is_matrix_probing N h k Y Z0 V ->
  (forall n c, (n < N)%nat -> (c < k)%nat -> dot h (Z0 n) (col (V 0) c) = 0) ->
  0 < t1 < t2 ->
  (exists X1 X2, frozen_trains N h k K Y Z0 (V t1) X1 /\ frozen_trains N h k K Y Z0 (V t2) X2) /\
  forall X1 X2, frozen_trains N h k K Y Z0 (V t1) X1 -> frozen_trains N h k K Y Z0 (V t2) X2 ->
    fnorm N h (msub X2 Z0) < fnorm N h (msub X1 Z0).
Proof.
  intros Hu Hc Hrow Hlam Ksym Kdef HY HV Hinit Ht.
  pose proof (definite_semidefinite N K Kdef) as Kpos. split.
  { destruct (T15_matrix_converges N h k K Y (V t1) Z0 Ksym Kpos) as [X1 H1].
    destruct (T15_matrix_converges N h k K Y (V t2) Z0 Ksym Kpos) as [X2 H2]. now exists X1, X2. }
  intros X1 X2 H1 H2.
  assert (Hinit' : forall n c, (n < N)%nat -> (c < k)%nat -> dot h (rotate N u Z0 n) (col (V 0) c) = 0).
  { intros n c Hn Hc0. unfold rotate, dot, col.
    rewrite (sumn_ext h _ (fun j => sumn N (fun a => u n a * (Z0 a j * V 0 j c)))).
    - rewrite sumn_swap. rewrite (sumn_ext N _ (fun _ => 0)); [apply sumn_zero|]. intros a Ha.
      rewrite sumn_scal. pose proof (Hinit a c Ha Hc0) as E. unfold dot, col in E. rewrite E. ring.
    - intros j _. rewrite <- sumn_scal_r. apply sumn_ext; intros; ring. }
  assert (HY' : exists n c, (n < N)%nat /\ (c < k)%nat /\ rotate N u Y n c <> 0).
  { apply Classical_Prop.NNPP. intros Hno. destruct HY as [n [c [Hn [Hc0 Hy]]]]. apply Hy.
    change (col Y c n = 0). rewrite <- (recover N u Hc (col Y c) n Hn).
    rewrite (sumn_ext N _ (fun _ => 0)); [apply sumn_zero|]. intros m Hm.
    assert (E : rotate N u Y m c = 0); [|unfold rotate in E; rewrite E; ring].
    apply Classical_Prop.NNPP. intros Hm0. apply Hno. now exists m, c. }
  assert (EV : forall t, 0 <= t -> forall j c, (j < h)%nat -> (c < k)%nat ->
    V t j c = probed N lam (rotate N u Y) (rotate N u Z0) (V 0) t j c).
  { intros t H0 j c Hj Hc0.
    apply (T3_matrix_unique N h k (rotate N u Y) (rotate N u Z0) V (probed N lam (rotate N u Y) (rotate N u Z0) (V 0)));
      [now apply rotate_probing| | |exact H0|exact Hj|exact Hc0].
    - intros s _ i e Hi He. now apply (T27_probed N h k (rotate N u Y) (rotate N u Z0) (V 0) lam Hrow Hinit' s).
    - intros i e _ _. unfold probed. rewrite (sumn_ext N _ (fun _ => 0)); [rewrite sumn_zero; ring|].
      intros m _. rewrite phi_0. ring. }
  rewrite <- (rotate_distance N u Hc h X1 Z0), <- (rotate_distance N u Hc h X2 Z0).
  destruct (T27_whole N h k (rotate_kernel N u K) (rotate N u Y) (rotate N u Z0) (V 0) lam Hrow Hinit'
    (rotate_symmetric N u K Ksym) (rotate_definite N u Hu K Kdef) Hlam HY' t1 t2 Ht) as [_ L].
  apply L.
  - apply (same_head N h k _ _ _ (V t1)); [intros; apply EV; auto; lra|]. now apply rotate_run.
  - apply (same_head N h k _ _ _ (V t2)); [intros; apply EV; auto; lra|]. now apply rotate_run.
Qed.
