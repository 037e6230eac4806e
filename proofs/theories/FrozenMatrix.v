(** * FrozenMatrix: T15 for matrices, training the features with a head W that does not move (gamma = 0).

   notation: see Definitions.v; any N, h, k; K symmetric and semidefinite; (z W) c = z . (column c of W).

   T15_matrix_converges  from every start, for every head, training converges
   T15_matrix_unique     two paths with one start are equal (any K)
   T15_matrix_limit_unique   and have one limit
   T15_matrix_fits_best  if K is definite, no feature vector predicts the target of a sample better than its limit
   T15_matrix_fits       so a target that some feature vector predicts exactly is fitted
   T15_matrix_fits_reachable   for a singular K it is enough that some features Z0 + K M fit the targets with this head
   T15_matrix_nearest    of all features with the predictions of the limit, the limit is nearest to the start
                         (any K: the kernel steers the path only)
   T15_matrix_path       closed form: with K = sum lam_i u_i u_i^T and W = sum mu_l w_l q_l^T,
                         Z = Z0 + K M, M = sum phi(lam_i mu_l^2, t) mu_l (u_i^T R_0 q_l) u_i w_l^T
   T15_matrix_path_limit and for lam_i, mu_l > 0 it tends to Z0 + sum (u_i^T R_0 q_l) / mu_l u_i w_l^T
   *)

Require Import Reals Lra Lia Psatz.
From Coquelicot Require Import Coquelicot.
From TaskHead Require Import Definitions Sums Calculus Boost Probing Modes EnergyBound LinearFlow.
Open Scope R_scope.

(** ** Linear algebra *)

Lemma dot_vsub_l h u v w : dot h (vsub u v) w = dot h u w - dot h v w.
Proof. unfold dot, vsub. rewrite <- sumn_minus. apply sumn_ext; intros; ring. Qed.

Lemma dot_sum_r h N (a : nat -> R) (d : vec) (A : nat -> vec) :
  dot h d (fun j => sumn N (fun n => a n * A n j)) = sumn N (fun n => a n * dot h d (A n)).
Proof.
  unfold dot. transitivity (sumn h (fun j => sumn N (fun n => a n * (d j * A n j)))).
  - apply sumn_ext; intros j _. rewrite <- sumn_scal. apply sumn_ext; intros; ring.
  - rewrite sumn_swap. apply sumn_ext; intros n _. now rewrite sumn_scal.
Qed.

Lemma dot_zero_r h u v : (forall i, (i < h)%nat -> v i = 0) -> dot h u v = 0.
Proof. intros H. unfold dot. rewrite (sumn_ext h _ (fun _ => 0)); [apply sumn_zero|]. intros i Hi. rewrite H by exact Hi. ring. Qed.

(** A choice for every one of finitely many indices. *)
Lemma finite_choice N (P : nat -> vec -> Prop) :
  (forall n, (n < N)%nat -> exists u, P n u) -> exists A : mat, forall n, (n < N)%nat -> P n (A n).
Proof.
  induction N as [|N IH]; intros H; [exists (fun _ _ => 0); intros; lia|].
  destruct IH as [A HA]; [intros; apply H; lia|]. destruct (H N ltac:(lia)) as [u Hu].
  exists (fun n => if Nat.eqb n N then u else A n). intros n Hn. destruct (Nat.eqb n N) eqn:E.
  - apply Nat.eqb_eq in E. now subst.
  - apply Nat.eqb_neq in E. apply HA. lia.
Qed.

(** Predictions of a feature vector. *)
Definition through (h : nat) (W : mat) (z : vec) : vec := fun c => dot h z (col W c).

Lemma through_sub h W x y c : through h W (vsub x y) c = through h W x c - through h W y c.
Proof. apply dot_vsub_l. Qed.

Section Frozen.
Variables (N h k : nat) (K Y W : mat).

Definition head_gram : mat := fun j l => dot k (W j) (W l).
Definition frozen_op (n j m l : nat) : R := K n m * head_gram j l.

Lemma gram_apply (x : vec) j : sumn h (fun l => head_gram j l * x l) = dot k (W j) (through h W x).
Proof.
  unfold head_gram, through, dot, col.
  transitivity (sumn h (fun l => sumn k (fun c => W j c * (x l * W l c)))).
  - apply sumn_ext; intros l _. rewrite <- sumn_scal_r. apply sumn_ext; intros; ring.
  - rewrite sumn_swap. apply sumn_ext; intros c _. now rewrite sumn_scal.
Qed.

Lemma op_apply x n j : op N h frozen_op x n j = sumn N (fun m => K n m * dot k (W j) (through h W (x m))).
Proof.
  unfold op, frozen_op. apply sumn_ext; intros m _. rewrite <- gram_apply, <- sumn_scal. apply sumn_ext; intros; ring.
Qed.

Lemma op_form x y : fdot N h x (op N h frozen_op y) =
  sumn k (fun c => sumn N (fun n => sumn N (fun m => through h W (x n) c * K n m * through h W (y m) c))).
Proof.
  unfold fdot.
  transitivity (sumn N (fun n => sumn N (fun m => sumn k (fun c => through h W (x n) c * K n m * through h W (y m) c)))).
  - apply sumn_ext; intros n _.
    transitivity (sumn h (fun j => sumn N (fun m => K n m * sumn k (fun c => x n j * W j c * through h W (y m) c)))).
    + apply sumn_ext; intros j _. rewrite op_apply, <- sumn_scal. apply sumn_ext; intros m _.
      unfold dot. rewrite (sumn_ext k (fun c => x n j * W j c * through h W (y m) c)
        (fun c => x n j * (W j c * through h W (y m) c))) by (intros; ring). rewrite sumn_scal. ring.
    + rewrite sumn_swap. apply sumn_ext; intros m _. rewrite sumn_scal, sumn_swap, <- sumn_scal.
      apply sumn_ext; intros c _. rewrite sumn_scal_r. unfold through at 2, dot, col. ring.
  - rewrite (sumn_ext N _ (fun n => sumn k (fun c => sumn N (fun m => through h W (x n) c * K n m * through h W (y m) c))))
      by (intros; apply sumn_swap). apply sumn_swap.
Qed.

Lemma op_symmetric : symmetric N K -> forall x y, fdot N h (op N h frozen_op x) y = fdot N h x (op N h frozen_op y).
Proof.
  intros HK x y. rewrite (fdot_comm N h (op N h frozen_op x)), !op_form. apply sumn_ext; intros c _.
  rewrite sumn_swap. apply sumn_ext; intros n Hn. apply sumn_ext; intros m Hm. rewrite (HK m n Hm Hn). ring.
Qed.

Lemma op_semidefinite : semidefinite N K -> forall x, 0 <= fdot N h x (op N h frozen_op x).
Proof. intros HK x. rewrite op_form. apply sumn_nonneg; intros c _. apply HK. Qed.

(** Features from which training does not move: every row predicts its target as well as it can. *)
Lemma resting : exists S : mat, forall m j, (m < N)%nat -> (j < h)%nat ->
  dot k (W j) (vsub (Y m) (through h W (S m))) = 0.
Proof.
  destruct (finite_choice N (fun m s => forall j, (j < h)%nat -> dot k (W j) (vsub (Y m) (through h W s)) = 0)) as [S HS].
  - intros m _. destruct (projection k h W (Y m)) as [u Hu]. exists u. intros j Hj.
    rewrite dot_comm. exact (Hu j Hj).
  - exists S. intros m j Hm Hj. now apply HS.
Qed.

Section Rest.
Variable S : mat.
Hypothesis HS : forall m j, (m < N)%nat -> (j < h)%nat -> dot k (W j) (vsub (Y m) (through h W (S m))) = 0.

Lemma velocity (Z : mat) n j : (j < h)%nat ->
  sumn N (fun m => K n m * sumn k (fun c => W j c * residual h Y Z W m c)) =
  - op N h frozen_op (fun n j => Z n j - S n j) n j.
Proof.
  intros Hj. rewrite op_apply. transitivity (-1 * sumn N (fun m => K n m * dot k (W j) (through h W (vsub (Z m) (S m)))));
    [|change (fun j0 => Z ?m j0 - S ?m j0) with (vsub (Z m) (S m)); unfold vsub; ring].
  rewrite <- sumn_scal. apply sumn_ext; intros m Hm.
  rewrite <- (Rplus_0_r (-1 * _)). rewrite <- (Rmult_0_r (K n m)), <- (HS m j Hm Hj).
  transitivity (K n m * (dot k (W j) (vsub (Y m) (through h W (S m))) - dot k (W j) (through h W (vsub (Z m) (S m)))));
    [|ring].
  f_equal. unfold dot at 1 2. rewrite <- sumn_minus. apply sumn_ext; intros c _.
  rewrite through_sub. unfold vsub, residual, through, dot, col. ring.
Qed.

Lemma frozen_is_linear Z : is_feature_flow 0 N h k K Y Z (fun _ => W) ->
  is_linear_flow N h frozen_op (fun t n j => Z t n j - S n j).
Proof.
  intros Hf t Ht n j Hn Hj. destruct (Hf t Ht) as [HZ _].
  refine (is_derive_val _ _ _ _ (is_derive_Rminus (fun s => Z s n j) (fun _ => S n j) t _ _ (HZ n j Hn Hj) (is_derive_Rconst _ _)) _).
  cbv beta zeta. rewrite velocity by exact Hj. ring.
Qed.

Lemma linear_is_frozen x : is_linear_flow N h frozen_op x ->
  is_feature_flow 0 N h k K Y (fun t n j => S n j + x t n j) (fun _ => W).
Proof.
  intros Hx t Ht Rt. split.
  - intros n j Hn Hj. unfold Rt. rewrite velocity by exact Hj.
    refine (is_derive_val _ _ _ _ (is_derive_Rplus (fun _ => S n j) (fun s => x s n j) t _ _ (is_derive_Rconst _ _)
      (Hx t Ht n j Hn Hj)) _).
    rewrite Rplus_0_l. f_equal. unfold op. apply sumn_ext; intros m _. apply sumn_ext; intros l _. ring.
  - intros j c _ _. rewrite Rmult_0_l. apply is_derive_Rconst.
Qed.
End Rest.

Theorem T15_matrix_converges Z0 : symmetric N K -> semidefinite N K -> exists X, frozen_trains N h k K Y Z0 W X.
Proof.
  intros Hsym Hpos. destruct resting as [S HS].
  set (x0 := fun n j => Z0 n j - S n j).
  destruct (symmetric_flow_tends N h frozen_op (op_symmetric Hsym) (op_semidefinite Hpos) x0) as [L [HL _]].
  exists (fun n j => S n j + L n j), (fun t n j => S n j + expo N h frozen_op x0 t n j). split; [|split].
  - apply (linear_is_frozen S HS). intros t _ n j Hn Hj. now apply expo_derive.
  - intros n j _ _. rewrite expo_start. unfold x0. ring.
  - intros n j Hn Hj. apply (is_lim_plus (fun _ => S n j) (fun t => expo N h frozen_op x0 t n j) p_infty (S n j) (L n j)).
    + apply is_lim_const.
    + now apply HL.
    + reflexivity.
Qed.

Theorem T15_matrix_unique Z1 Z2 :
  is_feature_flow 0 N h k K Y Z1 (fun _ => W) -> is_feature_flow 0 N h k K Y Z2 (fun _ => W) ->
  (forall n j, (n < N)%nat -> (j < h)%nat -> Z1 0 n j = Z2 0 n j) ->
  forall t n j, 0 <= t -> (n < N)%nat -> (j < h)%nat -> Z1 t n j = Z2 t n j.
Proof.
  intros F1 F2 H0 t n j Ht Hn Hj. destruct resting as [S HS].
  pose proof (linear_flow_unique N h frozen_op _ _ (frozen_is_linear S HS Z1 F1) (frozen_is_linear S HS Z2 F2)) as U.
  cbv beta in U. specialize (U ltac:(intros; rewrite H0 by assumption; reflexivity) t n j Ht Hn Hj). lra.
Qed.

Theorem T15_matrix_limit_unique Z0 X1 X2 :
  frozen_trains N h k K Y Z0 W X1 -> frozen_trains N h k K Y Z0 W X2 ->
  forall n j, (n < N)%nat -> (j < h)%nat -> X1 n j = X2 n j.
Proof.
  intros [Z1 [F1 [S1 L1]]] [Z2 [F2 [S2 L2]]] n j Hn Hj.
  assert (E : is_lim (fun t => Z2 t n j) p_infty (X1 n j)).
  { apply (is_lim_ext_loc (fun t => Z1 t n j)); [|now apply L1]. exists 0. intros t Ht.
    apply (T15_matrix_unique Z1 Z2 F1 F2); [|lra|exact Hn|exact Hj].
    intros p q Hp Hq. rewrite S1, S2 by assumption. reflexivity. }
  apply is_lim_unique in E. specialize (L2 n j Hn Hj). apply is_lim_unique in L2. rewrite E in L2. now injection L2.
Qed.

(** ** The limit *)

Section Limit.
Variables (Z0 X : mat).
Hypothesis HX : frozen_trains N h k K Y Z0 W X.

(** Features do not move in directions that the head does not see. *)
Lemma moves_along_head n (x : vec) : (n < N)%nat ->
  (forall c, (c < k)%nat -> dot h x (col W c) = 0) -> dot h (vsub (X n) (Z0 n)) x = 0.
Proof.
  intros Hn Hx. destruct HX as [Z [Hf [Hs Ht]]]. rewrite dot_vsub_l.
  assert (C : forall t, 0 <= t -> dot h (Z t n) x = dot h (Z 0 n) x).
  { intros t H0. apply (constant_from (fun s => dot h (Z s n) x)); [|exact H0]. intros s Hs0.
    destruct (Hf s Hs0) as [HZ _].
    set (Rt := residual h Y (Z s) W) in *.
    refine (is_derive_val _ _ _ _ (is_derive_sumn h (fun u j => Z u n j * x j)
      (fun j => sumn N (fun m => K n m * sumn k (fun c => W j c * Rt m c)) * x j) s _) _).
    - intros j Hj. pose proof (HZ n j Hn Hj) as D.
      refine (is_derive_val _ _ _ _ (is_derive_Rmult _ _ _ _ _ D (is_derive_Rconst (x j) s)) _). ring.
    - transitivity (sumn h (fun j => sumn N (fun m => K n m * sumn k (fun c => Rt m c * (x j * W j c))))).
      + apply sumn_ext; intros j _. rewrite <- sumn_scal_r. apply sumn_ext; intros m _.
        rewrite Rmult_assoc. f_equal. rewrite <- sumn_scal_r. apply sumn_ext; intros; ring.
      + rewrite sumn_swap. rewrite (sumn_ext N _ (fun _ => 0)); [apply sumn_zero|]. intros m _.
        rewrite sumn_scal, sumn_swap. rewrite (sumn_ext k _ (fun _ => 0)); [rewrite sumn_zero; ring|].
        intros c Hc. rewrite sumn_scal. change (sumn h (fun i => x i * W i c)) with (dot h x (col W c)).
        rewrite Hx by exact Hc. ring. }
  assert (L1 : is_lim (fun t => dot h (Z t n) x) p_infty (dot h (X n) x)).
  { apply (lim_sumn h (fun t j => Z t n j * x j) (fun j => X n j * x j)). intros j Hj.
    apply (is_lim_scal_r (fun t => Z t n j) (x j) p_infty (X n j)). now apply Ht. }
  assert (L2 : is_lim (fun t => dot h (Z t n) x) p_infty (dot h (Z0 n) x)).
  { apply (is_lim_ext_loc (fun _ => dot h (Z0 n) x)); [|apply is_lim_const].
    exists 0. intros t H0. rewrite C by lra. apply dot_ext; intros; [symmetry; now apply Hs|reflexivity]. }
  apply is_lim_unique in L1. apply is_lim_unique in L2. rewrite L1 in L2. injection L2 as E. lra.
Qed.

Theorem T15_matrix_nearest n (x : vec) : (n < N)%nat ->
  (forall c, (c < k)%nat -> dot h x (col W c) = dot h (X n) (col W c)) ->
  sq h (vsub (X n) (Z0 n)) <= sq h (vsub x (Z0 n)).
Proof.
  intros Hn Hx. set (u := vsub (X n) (Z0 n)). set (e := vsub x (X n)).
  assert (He : dot h u e = 0).
  { apply moves_along_head; [exact Hn|]. intros c Hc. unfold e. rewrite dot_vsub_l, Hx by exact Hc. ring. }
  assert (E : sq h (vsub x (Z0 n)) = sq h u + sq h e).
  { rewrite (sq_ext h (vsub x (Z0 n)) (comb 1 u 1 e)) by (intros; unfold comb, e, u, vsub; ring).
    rewrite sq_comb, He. ring. }
  pose proof (sq_nonneg h e). lra.
Qed.

(** At the limit nothing moves any more: K (Y - X W) W^T = 0. *)
Lemma limit_rests n j : (n < N)%nat -> (j < h)%nat ->
  sumn N (fun m => K n m * dot k (W j) (vsub (Y m) (through h W (X m)))) = 0.
Proof.
  intros Hn Hj. destruct HX as [Z [Hf [_ Ht]]].
  apply (derivative_limit_zero (fun t => Z t n j)
    (fun t => sumn N (fun m => K n m * sumn k (fun c => W j c * residual h Y (Z t) W m c))) (X n j)).
  - intros t H0. destruct (Hf t H0) as [HZ _]. now apply HZ.
  - now apply Ht.
  - apply (lim_sumn N (fun t m => K n m * sumn k (fun c => W j c * residual h Y (Z t) W m c))). intros m Hm.
    apply (is_lim_scal_l (fun t => sumn k (fun c => W j c * residual h Y (Z t) W m c)) (K n m) p_infty
      (dot k (W j) (vsub (Y m) (through h W (X m))))).
    apply (lim_sumn k (fun t c => W j c * residual h Y (Z t) W m c)). intros c Hc.
    apply (is_lim_scal_l (fun t => residual h Y (Z t) W m c) (W j c) p_infty (vsub (Y m) (through h W (X m)) c)).
    apply (is_lim_minus (fun _ => Y m c) (fun t => sumn h (fun l => Z t m l * W l c)) p_infty (Y m c) (through h W (X m) c)).
    + apply is_lim_const.
    + apply (lim_sumn h (fun t l => Z t m l * W l c) (fun l => X m l * W l c)). intros l Hl.
      apply (is_lim_scal_r (fun t => Z t m l) (W l c) p_infty (X m l)). now apply Ht.
    + reflexivity.
Qed.

(** ** A singular kernel *)

Section Reachable.
Hypothesis Ksym : symmetric N K.

(** What the kernel annuls is orthogonal to everything that it moves. *)
Lemma annulled_dot (q g : mat) : (forall n j, (n < N)%nat -> (j < h)%nat -> sumn N (fun m => K n m * q m j) = 0) ->
  fdot N h q (fun n j => sumn N (fun m => K n m * g m j)) = 0.
Proof.
  intros Hq. unfold fdot. rewrite sumn_swap. rewrite (sumn_ext h _ (fun _ => 0)); [apply sumn_zero|]. intros j Hj.
  rewrite (sumn_ext N _ (fun n => sumn N (fun m => g m j * (K m n * q n j)))).
  - rewrite sumn_swap. rewrite (sumn_ext N _ (fun _ => 0)); [apply sumn_zero|]. intros m Hm.
    rewrite sumn_scal, Hq by assumption. ring.
  - intros n Hn. rewrite <- sumn_scal. apply sumn_ext; intros m Hm. rewrite (Ksym n m Hn Hm). ring.
Qed.

Lemma annulled_motion (q : mat) : (forall n j, (n < N)%nat -> (j < h)%nat -> sumn N (fun m => K n m * q m j) = 0) ->
  fdot N h q X = fdot N h q Z0.
Proof.
  intros Hq. destruct HX as [Z [Hf [Hs Ht]]].
  assert (C : forall t, 0 <= t -> fdot N h q (Z t) = fdot N h q (Z 0)).
  { intros t H0. apply (constant_from (fun s => fdot N h q (Z s))); [|exact H0]. intros s Hs0.
    destruct (Hf s Hs0) as [HZ _]. set (g := fun m j => sumn k (fun c => W j c * residual h Y (Z s) W m c)).
    refine (is_derive_val _ _ _ _ (is_derive_sumn N (fun s n => sumn h (fun j => q n j * Z s n j))
      (fun n => sumn h (fun j => q n j * sumn N (fun m => K n m * g m j))) s _) (annulled_dot q g Hq)).
    intros n Hn. apply (is_derive_sumn h (fun s j => q n j * Z s n j)). intros j Hj. apply is_derive_Rscal.
    exact (HZ n j Hn Hj). }
  assert (L1 : is_lim (fun t => fdot N h q (Z t)) p_infty (fdot N h q X)).
  { apply (lim_sumn N (fun t n => sumn h (fun j => q n j * Z t n j))). intros n Hn.
    apply (lim_sumn h (fun t j => q n j * Z t n j)). intros j Hj.
    apply (is_lim_scal_l (fun t => Z t n j) (q n j) p_infty (X n j)). now apply Ht. }
  assert (L2 : is_lim (fun t => fdot N h q (Z t)) p_infty (fdot N h q Z0)).
  { apply (is_lim_ext_loc (fun _ => fdot N h q Z0)); [|apply is_lim_const]. exists 0. intros t H0. rewrite C by lra.
    apply sumn_ext; intros n Hn. apply sumn_ext; intros j Hj. now rewrite Hs. }
  apply is_lim_unique in L1. apply is_lim_unique in L2. rewrite L1 in L2. now injection L2.
Qed.

Theorem T15_matrix_fits_reachable (M : mat) :
  (forall n c, (n < N)%nat -> (c < k)%nat ->
     dot h (fun j => Z0 n j + sumn N (fun m => K n m * M m j)) (col W c) = Y n c) ->
  forall n c, (n < N)%nat -> (c < k)%nat -> dot h (X n) (col W c) = Y n c.
Proof.
  intros HM. set (q := fun n j => dot k (W j) (vsub (Y n) (through h W (X n)))).
  assert (Hq : forall n j, (n < N)%nat -> (j < h)%nat -> sumn N (fun m => K n m * q m j) = 0)
    by (intros; now apply limit_rests).
  set (D := fun n j => sumn N (fun m => K n m * M m j)).
  assert (E : forall n, (n < N)%nat -> sq k (vsub (Y n) (through h W (X n))) =
    sumn h (fun j => q n j * Z0 n j + q n j * D n j - q n j * X n j)).
  { intros n Hn. set (r := vsub (Y n) (through h W (X n))).
    transitivity (dot k r (through h W (fun j => Z0 n j + D n j - X n j))).
    - apply dot_ext; [reflexivity|]. intros c Hc. unfold r, vsub. rewrite <- (HM n c Hn Hc). fold (D n).
      unfold through, dot. rewrite <- sumn_minus. apply sumn_ext; intros j _. unfold D. ring.
    - transitivity (dot k r (fun c => sumn h (fun j => (Z0 n j + D n j - X n j) * W j c))); [reflexivity|].
      rewrite (dot_sum_r k h (fun j => Z0 n j + D n j - X n j) r W). apply sumn_ext; intros j _.
      rewrite (dot_comm k r). fold r. change (dot k (W j) r) with (q n j). ring. }
  assert (T : sumn N (fun n => sq k (vsub (Y n) (through h W (X n)))) = 0).
  { rewrite (sumn_ext N _ _ E).
    rewrite (sumn_ext N _ (fun n => sumn h (fun j => q n j * Z0 n j) + sumn h (fun j => q n j * D n j) - sumn h (fun j => q n j * X n j)))
      by (intros; now rewrite sumn_minus, sumn_plus).
    rewrite sumn_minus, sumn_plus.
    pose proof (annulled_dot q M Hq) as A1. pose proof (annulled_motion q Hq) as A2. unfold fdot in A1, A2.
    change (sumn N (fun n => sumn h (fun j => q n j * D n j)) = 0) in A1. rewrite A1, A2. ring. }
  intros n c Hn Hc.
  pose proof (sumn_term N (fun n => sq k (vsub (Y n) (through h W (X n)))) n ltac:(intros; apply sq_nonneg) Hn) as B.
  cbv beta in B. rewrite T in B. pose proof (sq_nonneg k (vsub (Y n) (through h W (X n)))).
  pose proof (sq_zero_coord k _ ltac:(apply Rle_antisym; [exact B|assumption]) c Hc) as P. unfold vsub, through in P. lra.
Qed.
End Reachable.

Lemma definite_kernel_trivial (y : vec) : definite N K ->
  (forall n, (n < N)%nat -> sumn N (fun m => K n m * y m) = 0) -> forall n, (n < N)%nat -> y n = 0.
Proof.
  intros Hd Hy n Hn. destruct (Req_dec (y n) 0) as [E|E]; [exact E|exfalso].
  pose proof (Hd y (ex_intro _ n (conj Hn E))) as P.
  rewrite (sumn_ext N _ (fun _ => 0)) in P; [rewrite sumn_zero in P; lra|]. intros i Hi.
  rewrite (sumn_ext N _ (fun m => y i * (K i m * y m))) by (intros; ring).
  rewrite sumn_scal, Hy by exact Hi. ring.
Qed.

Hypothesis Hdef : definite N K.

Lemma residual_orthogonal n j : (n < N)%nat -> (j < h)%nat -> dot k (W j) (vsub (Y n) (through h W (X n))) = 0.
Proof.
  intros Hn Hj. apply (definite_kernel_trivial (fun m => dot k (W j) (vsub (Y m) (through h W (X m)))) Hdef); [|exact Hn].
  intros i Hi. now apply limit_rests.
Qed.

(** The residual of the limit is orthogonal to every prediction. *)
Lemma residual_blind n (z : vec) : (n < N)%nat -> dot k (vsub (Y n) (through h W (X n))) (through h W z) = 0.
Proof.
  intros Hn. set (r := vsub (Y n) (through h W (X n))).
  transitivity (dot k r (fun c => sumn h (fun j => z j * W j c))); [reflexivity|].
  rewrite (dot_sum_r k h z r W). rewrite (sumn_ext h _ (fun _ => 0)); [apply sumn_zero|].
  intros j Hj. rewrite (dot_comm k r). unfold r. rewrite residual_orthogonal by assumption. ring.
Qed.

Theorem T15_matrix_fits_best n (z : vec) : (n < N)%nat ->
  sq k (fun c => Y n c - dot h (X n) (col W c)) <= sq k (fun c => Y n c - dot h z (col W c)).
Proof.
  intros Hn. set (r := vsub (Y n) (through h W (X n))). set (e := through h W (vsub (X n) z)).
  assert (E : sq k (fun c => Y n c - dot h z (col W c)) = sq k r + sq k e).
  { rewrite (sq_ext k _ (comb 1 r 1 e)).
    - rewrite sq_comb. unfold r at 2, e at 1. rewrite residual_blind by exact Hn. ring.
    - intros c _. unfold comb, r, e. rewrite through_sub. unfold vsub, through. ring. }
  rewrite E. fold (sq k r). pose proof (sq_nonneg k e). change (sq k (fun c => Y n c - dot h (X n) (col W c))) with (sq k r). lra.
Qed.

Theorem T15_matrix_fits n (z : vec) : (n < N)%nat ->
  (forall c, (c < k)%nat -> dot h z (col W c) = Y n c) ->
  forall c, (c < k)%nat -> dot h (X n) (col W c) = Y n c.
Proof.
  intros Hn Hz c Hc. pose proof (T15_matrix_fits_best n z Hn) as B.
  assert (E : sq k (fun c => Y n c - dot h z (col W c)) = 0).
  { unfold sq. apply dot_zero_r. intros i Hi. rewrite Hz by exact Hi. ring. }
  pose proof (sq_nonneg k (fun c => Y n c - dot h (X n) (col W c))).
  pose proof (sq_zero_coord k (fun c => Y n c - dot h (X n) (col W c)) ltac:(lra) c Hc) as Q. cbv beta in Q. lra.
Qed.

End Limit.
End Frozen.

(** ** Closed form *)

(** The product of K with a matrix in its eigenvectors. *)
Lemma kernel_times n N p (lam mu : nat -> R) (u w : nat -> vec) (r f : nat -> nat -> R) a j : orthonormal n N u ->
  sumn N (fun m => outer_sum n lam u u a m * sumn n (fun i => sumn p (fun l => f i l * mu l * r i l * u i m * w l j))) =
  sumn n (fun i => sumn p (fun l => lam i * mu l * r i l * f i l * u i a * w l j)).
Proof.
  intros Hu. set (g := fun i => sumn p (fun l => f i l * mu l * r i l * w l j)).
  transitivity (sumn N (fun m => outer_sum n lam u u a m * outer_sum n g u (fun _ _ => 1) m j)).
  - apply sumn_ext; intros m _. f_equal. unfold outer_sum. apply sumn_ext; intros i _. unfold g.
    rewrite Rmult_1_r, <- sumn_scal_r. apply sumn_ext; intros l _. ring.
  - rewrite (outer_product n N lam g u u u (fun _ _ => 1) (fun _ => 1) a j (orthonormal_table n N u Hu)).
    apply sumn_ext; intros i _. unfold g.
    transitivity ((lam i * u i a) * sumn p (fun l => f i l * mu l * r i l * w l j)); [ring|].
    rewrite <- sumn_scal. apply sumn_ext; intros; ring.
Qed.

Theorem T15_matrix_path N h k n p (lam mu : nat -> R) (u w q : nat -> vec) (Y Z0 : mat) :
  orthonormal n N u -> orthonormal p h w -> orthonormal p k q ->
  let K := outer_sum n lam u u in
  let W := outer_sum p mu w q in
  let R0 := residual h Y Z0 W in
  let M := fun t m j => sumn n (fun i => sumn p (fun l =>
    phi (lam i * mu l ^ 2) t * mu l * sumn N (fun a => sumn k (fun c => u i a * R0 a c * q l c)) * u i m * w l j)) in
  is_feature_flow 0 N h k K Y (fun t a j => Z0 a j + sumn N (fun m => K a m * M t m j)) (fun _ => W) /\
  forall a j, Z0 a j + sumn N (fun m => K a m * M 0 m j) = Z0 a j.
Proof.
  intros Hu Hw Hq K W R0 M. set (r := fun i l => sumn N (fun a => sumn k (fun c => u i a * R0 a c * q l c))).
  (* K M in singular coordinates *)
  assert (EK : forall t a j, sumn N (fun m => K a m * M t m j) =
    sumn n (fun i => sumn p (fun l => lam i * mu l * r i l * phi (lam i * mu l ^ 2) t * u i a * w l j)))
    by (intros t a j; exact (kernel_times n N p lam mu u w r (fun i l => phi (lam i * mu l ^ 2) t) a j Hu)).
  assert (Ew : forall l c, (l < p)%nat -> sumn h (fun j => w l j * W j c) = mu l * q l c).
  { intros l c Hl. unfold W. rewrite (dot_outer p h mu w q (w l) c).
    rewrite (sumn_single p l); [|exact Hl|].
    - rewrite Hw, Nat.eqb_refl by assumption. ring.
    - intros i Hi Hne. rewrite Hw by assumption. apply Nat.eqb_neq in Hne. rewrite Nat.eqb_sym, Hne. ring. }
  split.
  2:{ intros a j. rewrite EK. rewrite (sumn_ext n _ (fun _ => 0)); [rewrite sumn_zero; ring|]. intros i _.
      rewrite (sumn_ext p _ (fun _ => 0)); [apply sumn_zero|]. intros l _. rewrite phi_0. ring. }
  intros t Ht Rt.
  (* the residual in singular coordinates decays mode by mode *)
  assert (ER : forall a c, Rt a c = R0 a c -
    sumn n (fun i => sumn p (fun l => lam i * mu l ^ 2 * phi (lam i * mu l ^ 2) t * r i l * u i a * q l c))).
  { intros a c. unfold Rt, R0, residual.
    assert (E : sumn h (fun j => (Z0 a j + sumn N (fun m => K a m * M t m j)) * W j c) =
      sumn h (fun j => Z0 a j * W j c) +
      sumn n (fun i => sumn p (fun l => lam i * mu l ^ 2 * phi (lam i * mu l ^ 2) t * r i l * u i a * q l c))); [|rewrite E; ring].
    rewrite (sumn_ext h _ (fun j => Z0 a j * W j c + sumn N (fun m => K a m * M t m j) * W j c)) by (intros; ring).
    rewrite sumn_plus. f_equal.
    transitivity (sumn h (fun j => sumn n (fun i => sumn p (fun l =>
      lam i * mu l * r i l * phi (lam i * mu l ^ 2) t * u i a * (w l j * W j c))))).
    - apply sumn_ext; intros j _. rewrite EK, <- sumn_scal_r. apply sumn_ext; intros i _. rewrite <- sumn_scal_r.
      apply sumn_ext; intros; ring.
    - rewrite sumn_swap. apply sumn_ext; intros i _. rewrite sumn_swap. apply sumn_ext; intros l Hl.
      rewrite sumn_scal, Ew by exact Hl. ring. }
  assert (Er : forall i l, (i < n)%nat -> (l < p)%nat ->
    sumn N (fun a => sumn k (fun c => u i a * Rt a c * q l c)) = exp (- (lam i * mu l ^ 2 * t)) * r i l).
  { intros i l Hi Hl.
    set (g := fun i' l' => lam i' * mu l' ^ 2 * phi (lam i' * mu l' ^ 2) t * r i' l').
    transitivity (r i l - sumn N (fun a => sumn k (fun c => u i a *
      sumn n (fun i' => sumn p (fun l' => g i' l' * u i' a * q l' c)) * q l c))).
    - unfold r. rewrite <- sumn_minus. apply sumn_ext; intros a _. rewrite <- sumn_minus. apply sumn_ext; intros c _.
      rewrite ER. unfold g. fold (r i l). unfold r. ring.
    - assert (E : sumn N (fun a => sumn k (fun c => u i a *
        sumn n (fun i' => sumn p (fun l' => g i' l' * u i' a * q l' c)) * q l c)) = g i l); [|rewrite E; unfold g;
        rewrite <- phi_exp; ring].
      transitivity (sumn N (fun a => u i a * sumn n (fun i' => g i' l * u i' a))).
      + apply sumn_ext; intros a _.
        transitivity (sumn k (fun c => sumn n (fun i' => sumn p (fun l' => u i a * g i' l' * u i' a * (q l' c * q l c))))).
        * apply sumn_ext; intros c _. rewrite <- sumn_scal, <- sumn_scal_r. apply sumn_ext; intros i' _.
          rewrite <- sumn_scal, <- sumn_scal_r. apply sumn_ext; intros; ring.
        * rewrite sumn_swap, <- sumn_scal. apply sumn_ext; intros i' _. rewrite sumn_swap.
          rewrite (sumn_single p l); [|exact Hl|].
          -- rewrite sumn_scal. change (sumn k (fun c => q l c * q l c)) with (dot k (q l) (q l)).
             rewrite Hq, Nat.eqb_refl by assumption. ring.
          -- intros l' Hl' Hne. rewrite sumn_scal. change (sumn k (fun c => q l' c * q l c)) with (dot k (q l') (q l)).
             rewrite Hq by assumption. apply Nat.eqb_neq in Hne. rewrite Hne. ring.
      + transitivity (sumn n (fun i' => g i' l * dot N (u i) (u i'))).
        * unfold dot. transitivity (sumn N (fun a => sumn n (fun i' => g i' l * (u i a * u i' a)))).
          -- apply sumn_ext; intros a _. rewrite <- sumn_scal. apply sumn_ext; intros; ring.
          -- rewrite sumn_swap. apply sumn_ext; intros i' _. now rewrite sumn_scal.
        * rewrite (sumn_single n i); [|exact Hi|].
          -- rewrite Hu, Nat.eqb_refl by assumption. ring.
          -- intros i' Hi' Hne. rewrite Hu by assumption. apply Nat.eqb_neq in Hne. rewrite Nat.eqb_sym, Hne. ring. }
  split.
  - intros a j Ha Hj.
    apply (is_derive_extR (fun s => Z0 a j + sumn n (fun i => sumn p (fun l =>
      lam i * mu l * r i l * u i a * w l j * phi (lam i * mu l ^ 2) s)))).
    { intros s. rewrite EK. f_equal. apply sumn_ext; intros i _. apply sumn_ext; intros; ring. }
    refine (is_derive_val _ _ _ _ (is_derive_Rplus (fun _ => Z0 a j) _ t _ _ (is_derive_Rconst _ _)
      (is_derive_sumn n (fun s i => sumn p (fun l => lam i * mu l * r i l * u i a * w l j * phi (lam i * mu l ^ 2) s))
        (fun i => sumn p (fun l => lam i * mu l * r i l * u i a * w l j * exp (- (lam i * mu l ^ 2 * t)))) t _)) _).
    + intros i _. apply (is_derive_sumn p (fun s l => lam i * mu l * r i l * u i a * w l j * phi (lam i * mu l ^ 2) s)).
      intros l _. apply is_derive_Rscal, phi_derive.
    + rewrite Rplus_0_l.
      transitivity (sumn n (fun i => lam i * u i a * sumn p (fun l => mu l * w l j *
        sumn N (fun m => sumn k (fun c => u i m * Rt m c * q l c))))).
      * apply sumn_ext; intros i Hi. rewrite <- sumn_scal. apply sumn_ext; intros l Hl. rewrite Er by assumption. ring.
      * symmetry. unfold K. rewrite (outer_apply n N lam u u (fun m => sumn k (fun c => W j c * Rt m c)) a).
        apply sumn_ext; intros i _. f_equal. unfold dot.
        transitivity (sumn N (fun m => sumn p (fun l => mu l * w l j * sumn k (fun c => u i m * Rt m c * q l c)))).
        -- apply sumn_ext; intros m _. unfold W, outer_sum. rewrite <- sumn_scal.
           transitivity (sumn k (fun c => sumn p (fun l => mu l * w l j * (u i m * Rt m c * q l c)))).
           ++ apply sumn_ext; intros c _. rewrite <- sumn_scal_r, <- sumn_scal. apply sumn_ext; intros; ring.
           ++ rewrite sumn_swap. apply sumn_ext; intros l _. now rewrite sumn_scal.
        -- rewrite sumn_swap. apply sumn_ext; intros l _. now rewrite sumn_scal.
  - intros j c _ _. rewrite Rmult_0_l. apply is_derive_Rconst.
Qed.

Theorem T15_matrix_path_limit h k n N p (lam mu : nat -> R) (u w q : nat -> vec) (Y Z0 : mat) a j :
  orthonormal n N u -> (forall i, (i < n)%nat -> 0 < lam i) -> (forall l, (l < p)%nat -> 0 < mu l) ->
  let K := outer_sum n lam u u in
  let R0 := residual h Y Z0 (outer_sum p mu w q) in
  let r := fun i l => sumn N (fun a => sumn k (fun c => u i a * R0 a c * q l c)) in
  let M := fun t m j => sumn n (fun i => sumn p (fun l => phi (lam i * mu l ^ 2) t * mu l * r i l * u i m * w l j)) in
  is_lim (fun t => Z0 a j + sumn N (fun m => K a m * M t m j)) p_infty
    (Z0 a j + sumn n (fun i => sumn p (fun l => r i l / mu l * u i a * w l j))).
Proof.
  intros Hu Hl Hm K R0 r M.
  apply (is_lim_ext (fun t => Z0 a j + sumn n (fun i => sumn p (fun l =>
    lam i * mu l * r i l * phi (lam i * mu l ^ 2) t * u i a * w l j)))).
  { intros t. f_equal. symmetry.
    exact (kernel_times n N p lam mu u w r (fun i l => phi (lam i * mu l ^ 2) t) a j Hu). }
  apply (is_lim_plus (fun _ => Z0 a j) _ p_infty (Z0 a j) (sumn n (fun i => sumn p (fun l => r i l / mu l * u i a * w l j))));
    [apply is_lim_const| |reflexivity].
  apply (lim_sumn n (fun t i => sumn p (fun l => lam i * mu l * r i l * phi (lam i * mu l ^ 2) t * u i a * w l j))).
  intros i Hi. apply (lim_sumn p (fun t l => lam i * mu l * r i l * phi (lam i * mu l ^ 2) t * u i a * w l j)).
  intros l Hl'. specialize (Hl i Hi). specialize (Hm l Hl'). set (b := r i l / mu l * u i a * w l j).
  apply (is_lim_ext (fun t => b + exp (- (lam i * mu l ^ 2 * t)) * - b)).
  - intros t. rewrite <- phi_exp. unfold b. field. lra.
  - replace (Finite b) with (Finite (b + 0 * - b)) by (f_equal; ring).
    apply (is_lim_plus _ _ p_infty b (0 * - b)); [apply is_lim_const| |reflexivity].
    apply (is_lim_scal_r (fun t => exp (- (lam i * mu l ^ 2 * t))) (- b) p_infty 0). apply lim_exp_minus.
    apply Rmult_lt_0_compat; [exact Hl|]. apply pow2_gt_0. lra.
Qed.
