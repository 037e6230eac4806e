(** * FrozenMatrix: T15 for any N, h, k: finetuning with a head W that does not move (gamma = 0).

   notation: see Definitions.v; R_0 = Y - Z_0 W; frozen_trains ... X: some flow from Z_0 has the limit X.

   T15_matrix_path          in eigenvectors p_i of K (values lam_i) and q_j of W^T W (values m_j), if
                            R_0 = sum c_ij p_i q_j^T, the features
                            Z(t) = Z_0 + sum lam_i c_ij phi(lam_i m_j, t) p_i (W q_j)^T  solve the flow
   T15_matrix_unique        for any K two flows with one start are equal
   T15_matrix_path_limit    the limit of the path is Z_0 + sum over lam_i m_j <> 0 of c_ij / m_j p_i (W q_j)^T
   T15_matrix_converges     for any symmetric semidefinite K (no eigenvectors needed) every run exists and converges,
                            and what is left of the residual drives no motion: K R W^T = 0
   T15_matrix_limit_unique  all runs from one start have one limit
   T15_matrix_fits          if some reachable features fit the targets, (Z_0 + K M) W = Y, the limit does
   T15_matrix_fits_definite for a definite K it is enough that any features fit them, (Z_0 + U) W = Y
   *)

Require Import Reals Lra Lia Psatz.
From Coquelicot Require Import Coquelicot.
From TaskHead Require Import Definitions Sums Calculus Boost Probing EnergyBound LinearFlow.
Open Scope R_scope.

Lemma finite_choice (P : nat -> vec -> Prop) N :
  (forall n, (n < N)%nat -> exists u, P n u) -> exists U : mat, forall n, (n < N)%nat -> P n (U n).
Proof.
  induction N as [|N IH]; intros H; [exists (fun _ _ => 0); intros; lia|].
  destruct IH as [U HU]; [intros; apply H; lia|]. destruct (H N ltac:(lia)) as [u Hu].
  exists (fun n => if Nat.eqb n N then u else U n). intros n Hn.
  destruct (Nat.eqb n N) eqn:E; [apply Nat.eqb_eq in E; now subst|].
  apply Nat.eqb_neq in E. apply HU. lia.
Qed.

(** ** The closed path *)

Section Path.
Variables (N h k a b : nat) (K Y Z0 W c : mat) (lam m : vec) (p q : nat -> vec).
Hypothesis Hp : forall i n, (i < a)%nat -> (n < N)%nat -> sumn N (fun l => K n l * p i l) = lam i * p i n.
Hypothesis Hq : forall j e, (j < b)%nat -> (e < k)%nat ->
  sumn h (fun l => W l e * sumn k (fun f => W l f * q j f)) = m j * q j e.
Hypothesis HR : forall n e, (n < N)%nat -> (e < k)%nat ->
  residual h Y Z0 W n e = sumn a (fun i => sumn b (fun j => c i j * p i n * q j e)).

Definition frozen_path (t : R) : mat := fun n l =>
  Z0 n l + sumn a (fun i => sumn b (fun j => lam i * c i j * phi (lam i * m j) t * p i n * sumn k (fun f => W l f * q j f))).

Lemma frozen_path_residual t n e : (n < N)%nat -> (e < k)%nat ->
  residual h Y (frozen_path t) W n e =
  sumn a (fun i => sumn b (fun j => c i j * exp (- (lam i * m j * t)) * p i n * q j e)).
Proof.
  intros Hn He.
  transitivity (residual h Y Z0 W n e - sumn a (fun i => sumn b (fun j =>
    lam i * c i j * phi (lam i * m j) t * p i n * (m j * q j e)))).
  - unfold residual. set (s := sumn a _).
    enough (E : sumn h (fun l => frozen_path t n l * W l e) = sumn h (fun l => Z0 n l * W l e) + s) by (rewrite E; ring).
    unfold frozen_path. rewrite (sumn_ext h _ (fun l => Z0 n l * W l e + sumn a (fun i => sumn b (fun j =>
      lam i * c i j * phi (lam i * m j) t * p i n * (W l e * sumn k (fun f => W l f * q j f)))))).
    + rewrite sumn_plus. f_equal. unfold s. rewrite sumn_swap. apply sumn_ext; intros i _.
      rewrite sumn_swap. apply sumn_ext; intros j Hj. rewrite sumn_scal, Hq by assumption. reflexivity.
    + intros l _. rewrite Rmult_plus_distr_r. f_equal. rewrite <- sumn_scal_r. apply sumn_ext; intros i _.
      rewrite <- sumn_scal_r. apply sumn_ext; intros; ring.
  - rewrite HR by assumption. rewrite <- sumn_minus. apply sumn_ext; intros i _. rewrite <- sumn_minus.
    apply sumn_ext; intros j _. rewrite <- phi_exp. ring.
Qed.

Theorem T15_matrix_path :
  is_feature_flow 0 N h k K Y frozen_path (fun _ => W) /\ forall n l, frozen_path 0 n l = Z0 n l.
Proof.
  split.
  - intros t Ht Rt. split.
    + intros n l Hn Hl. unfold frozen_path.
      refine (is_derive_val _ _ _ _ (is_derive_Rplus (fun _ => Z0 n l) _ t _ _ (is_derive_Rconst _ _)
        (is_derive_sumn a (fun s i => sumn b (fun j => lam i * c i j * phi (lam i * m j) s * p i n * sumn k (fun f => W l f * q j f)))
          (fun i => sumn b (fun j => lam i * c i j * exp (- (lam i * m j * t)) * p i n * sumn k (fun f => W l f * q j f))) t _)) _).
      * intros i _. apply (is_derive_sumn b (fun s j => lam i * c i j * phi (lam i * m j) s * p i n * sumn k (fun f => W l f * q j f))).
        intros j _. set (w := sumn k _).
        apply (is_derive_extR (fun s => (lam i * c i j * p i n * w) * phi (lam i * m j) s)); [intros; ring|].
        refine (is_derive_val _ _ _ _ (is_derive_Rscal _ _ _ _ (phi_derive (lam i * m j) t)) _). ring.
      * rewrite Rplus_0_l. symmetry.
        transitivity (sumn N (fun l' => sumn a (fun i => sumn b (fun j =>
          c i j * exp (- (lam i * m j * t)) * sumn k (fun f => W l f * q j f) * (K n l' * p i l'))))).
        -- apply sumn_ext; intros n' Hn'.
           rewrite (sumn_ext k _ (fun f => sumn a (fun i => sumn b (fun j => c i j * exp (- (lam i * m j * t)) * p i n' * (W l f * q j f))))).
           ++ rewrite sumn_swap, <- sumn_scal. apply sumn_ext; intros i _.
              rewrite sumn_swap, <- sumn_scal. apply sumn_ext; intros j _. rewrite sumn_scal. ring.
           ++ intros f Hf. unfold Rt. rewrite frozen_path_residual by assumption. rewrite <- sumn_scal.
              apply sumn_ext; intros i _. rewrite <- sumn_scal. apply sumn_ext; intros; ring.
        -- rewrite sumn_swap. apply sumn_ext; intros i Hi. rewrite sumn_swap. apply sumn_ext; intros j _.
           rewrite sumn_scal, Hp by assumption. ring.
    + intros j e _ _. refine (is_derive_val _ _ _ _ (is_derive_Rconst (W j e) t) _). ring.
  - intros n l. unfold frozen_path. rewrite (sumn_ext a _ (fun _ => 0)); [rewrite sumn_zero; ring|].
    intros i _. rewrite (sumn_ext b _ (fun _ => 0)); [apply sumn_zero|]. intros. rewrite phi_0. ring.
Qed.

Hypothesis Hlam : forall i, (i < a)%nat -> 0 <= lam i.
Hypothesis Hm : forall j, (j < b)%nat -> 0 <= m j.

Theorem T15_matrix_path_limit n l : (n < N)%nat -> (l < h)%nat ->
  is_lim (fun t => frozen_path t n l) p_infty
    (Z0 n l + sumn a (fun i => sumn b (fun j =>
       (if Req_EM_T (lam i * m j) 0 then 0 else c i j / m j) * p i n * sumn k (fun f => W l f * q j f)))).
Proof.
  intros Hn Hl.
  assert (Z : forall j, (j < b)%nat -> m j = 0 -> sumn k (fun f => W l f * q j f) = 0).
  { intros j Hj E.
    assert (S : sq h (fun l => sumn k (fun f => W l f * q j f)) = 0).
    { transitivity (sumn k (fun e => q j e * sumn h (fun l => W l e * sumn k (fun f => W l f * q j f)))).
      - unfold sq, dot. rewrite (sumn_ext k _ (fun e => sumn h (fun l => W l e * q j e * sumn k (fun f => W l f * q j f)))).
        + rewrite sumn_swap. apply sumn_ext; intros l' _. now rewrite <- sumn_scal_r.
        + intros e _. rewrite <- sumn_scal. apply sumn_ext; intros; ring.
      - rewrite (sumn_ext k _ (fun _ => 0)); [apply sumn_zero|]. intros e He. rewrite Hq, E by assumption. ring. }
    exact (sq_zero_coord h _ S l Hl). }
  unfold frozen_path.
  apply (is_lim_plus (fun _ => Z0 n l) _ p_infty (Z0 n l) (sumn a (fun i => sumn b (fun j =>
       (if Req_EM_T (lam i * m j) 0 then 0 else c i j / m j) * p i n * sumn k (fun f => W l f * q j f)))));
    [apply is_lim_const| |reflexivity].
  apply (lim_sumn a (fun t i => sumn b (fun j => lam i * c i j * phi (lam i * m j) t * p i n * sumn k (fun f => W l f * q j f)))).
  intros i Hi.
  apply (lim_sumn b (fun t j => lam i * c i j * phi (lam i * m j) t * p i n * sumn k (fun f => W l f * q j f))).
  intros j Hj. set (w := sumn k (fun f => W l f * q j f)).
  destruct (Req_EM_T (lam i * m j) 0) as [E|E].
  - apply (is_lim_ext (fun _ => 0 * p i n * w)); [|apply is_lim_const]. intros t.
    apply Rmult_integral in E as [E|E]; [rewrite E; ring|].
    unfold w. rewrite (Z j Hj E). ring.
  - assert (Hl0 : lam i <> 0) by (intros H0; apply E; rewrite H0; ring).
    assert (Hm0 : m j <> 0) by (intros H0; apply E; rewrite H0; ring).
    apply (is_lim_ext (fun t => c i j / m j * p i n * w + exp (- (lam i * m j * t)) * (- (c i j / m j * p i n * w)))).
    + intros t. rewrite <- phi_exp. field. exact Hm0.
    + replace (Finite (c i j / m j * p i n * w)) with
        (Finite (c i j / m j * p i n * w + 0 * (- (c i j / m j * p i n * w)))) by (f_equal; ring).
      apply (is_lim_plus _ _ p_infty (c i j / m j * p i n * w) (0 * (- (c i j / m j * p i n * w)))); [apply is_lim_const| |reflexivity].
      apply (is_lim_scal_r (fun t => exp (- (lam i * m j * t))) _ p_infty 0). apply lim_exp_minus.
      specialize (Hlam i Hi). specialize (Hm j Hj). apply Rmult_lt_0_compat; lra.
Qed.

End Path.

(** ** Any kernel *)

Section Any.
Variables (N h k : nat) (K W : mat).

(** The linear flow behind it: x' = - K x W W^T. *)
Let coefs n j m l := K n m * sumn k (fun c => W l c * W j c).
Let drive (x : mat) : mat := fun n j => sumn N (fun m => K n m * sumn k (fun c => W j c * predict h x W m c)).

Lemma op_drive x n j : op N h coefs x n j = drive x n j.
Proof.
  unfold op, drive, coefs, predict. apply sumn_ext; intros m _.
  transitivity (K n m * sumn h (fun l => sumn k (fun c => W l c * W j c) * x m l)).
  - rewrite <- sumn_scal. apply sumn_ext; intros; ring.
  - f_equal. rewrite (sumn_ext h _ (fun l => sumn k (fun c => W l c * W j c * x m l))) by (intros; now rewrite sumn_scal_r).
    rewrite sumn_swap. apply sumn_ext; intros c _. rewrite <- sumn_scal. apply sumn_ext; intros; ring.
Qed.

Lemma form x y : fdot N h x (op N h coefs y) =
  sumn k (fun c => sumn N (fun n => sumn N (fun m => predict h x W n c * K n m * predict h y W m c))).
Proof.
  transitivity (sumn N (fun n => sumn h (fun j => sumn N (fun m => sumn k (fun c => x n j * W j c * (K n m * predict h y W m c)))))).
  - apply sumn_ext; intros n _. apply sumn_ext; intros j _. rewrite op_drive. unfold drive.
    rewrite <- sumn_scal. apply sumn_ext; intros m _. rewrite <- !sumn_scal. apply sumn_ext; intros; ring.
  - symmetry. rewrite sumn_swap. apply sumn_ext; intros n _. rewrite sumn_swap.
    rewrite (sumn_swap h N). apply sumn_ext; intros m _. rewrite sumn_swap. apply sumn_ext; intros c _.
    rewrite sumn_scal_r. unfold predict at 1. ring.
Qed.

Lemma form_sym x y : symmetric N K -> fdot N h (op N h coefs x) y = fdot N h x (op N h coefs y).
Proof.
  intros HK. rewrite (fdot_comm N h), !form. apply sumn_ext; intros c _. rewrite sumn_swap.
  apply sumn_ext; intros n Hn. apply sumn_ext; intros m Hm. rewrite (HK m n) by assumption. ring.
Qed.

Lemma form_pos x : semidefinite N K -> 0 <= fdot N h x (op N h coefs x).
Proof. intros HK. rewrite form. apply sumn_nonneg; intros c _. apply (HK (fun n => predict h x W n c)). Qed.

(** The difference of two flows is a linear flow. *)
Theorem T15_matrix_unique Y Z Z' :
  is_feature_flow 0 N h k K Y Z (fun _ => W) -> is_feature_flow 0 N h k K Y Z' (fun _ => W) ->
  (forall n j, (n < N)%nat -> (j < h)%nat -> Z 0 n j = Z' 0 n j) ->
  forall t n j, 0 <= t -> (n < N)%nat -> (j < h)%nat -> Z t n j = Z' t n j.
Proof.
  intros H H' H0 t n j Ht Hn Hj.
  assert (Z t n j - Z' t n j = 0); [|lra].
  apply (linear_flow_zero N h coefs (fun s => msub (Z s) (Z' s))); [| |exact Ht|exact Hn|exact Hj].
  - intros s Hs p q Hp Hq. destruct (H s Hs) as [D _]. destruct (H' s Hs) as [D' _].
    refine (is_derive_val _ _ _ _ (is_derive_Rminus _ _ _ _ _ (D p q Hp Hq) (D' p q Hp Hq)) _).
    rewrite op_drive. unfold drive. rewrite <- sumn_minus.
    replace (- sumn N (fun m => K p m * sumn k (fun c => W q c * predict h (msub (Z s) (Z' s)) W m c)))
      with (-1 * sumn N (fun m => K p m * sumn k (fun c => W q c * predict h (msub (Z s) (Z' s)) W m c))) by ring.
    rewrite <- sumn_scal. apply sumn_ext; intros m _.
    rewrite <- Rmult_minus_distr_l, <- sumn_minus.
    replace (-1 * (K p m * sumn k (fun c => W q c * predict h (msub (Z s) (Z' s)) W m c)))
      with (K p m * (-1 * sumn k (fun c => W q c * predict h (msub (Z s) (Z' s)) W m c))) by ring.
    f_equal. rewrite <- sumn_scal. apply sumn_ext; intros c _. unfold residual, predict, msub.
    rewrite (sumn_ext h (fun l => (Z s m l - Z' s m l) * W l c) (fun l => Z s m l * W l c - Z' s m l * W l c)) by (intros; ring).
    rewrite sumn_minus. ring.
  - intros p q Hp Hq. unfold msub. rewrite H0 by assumption. ring.
Qed.

Theorem T15_matrix_limit_unique Y Z0 X X' :
  frozen_trains N h k K Y Z0 W X -> frozen_trains N h k K Y Z0 W X' ->
  forall n j, (n < N)%nat -> (j < h)%nat -> X n j = X' n j.
Proof.
  intros [Z [F [S L]]] [Z' [F' [S' L']]] n j Hn Hj.
  assert (E : is_lim (fun t => Z' t n j) p_infty (X n j)).
  { apply (is_lim_ext_loc (fun t => Z t n j)); [|now apply L]. exists 0. intros t Ht.
    apply (T15_matrix_unique Y Z Z' F F'); [|lra|exact Hn|exact Hj].
    intros p q Hp Hq. rewrite S, S' by assumption. reflexivity. }
  apply is_lim_unique in E. specialize (L' n j Hn Hj). apply is_lim_unique in L'. rewrite E in L'. now injection L'.
Qed.

(** From a displacement [u] that would end the motion: Z = Z0 + u - x with x' = - K x W W^T, x(0) = u. *)
Section Run.
Variables (Y Z0 u : mat).
Hypothesis HK : symmetric N K.
Hypothesis HK0 : semidefinite N K.
Hypothesis Hu : forall n j, (n < N)%nat -> (j < h)%nat ->
  sumn N (fun m => K n m * sumn k (fun c => W j c * (residual h Y Z0 W m c - predict h u W m c))) = 0.

Let x := expo N h coefs u.
Let Z t : mat := fun n j => Z0 n j + u n j - x t n j.

Lemma shifted_residual (y : mat) n c :
  residual h Y (fun n j => Z0 n j + u n j - y n j) W n c = residual h Y Z0 W n c - predict h u W n c + predict h y W n c.
Proof.
  unfold residual, predict.
  rewrite (sumn_ext h (fun j => (Z0 n j + u n j - y n j) * W j c)
    (fun j => (Z0 n j * W j c + u n j * W j c) - y n j * W j c)) by (intros; ring).
  rewrite sumn_minus, sumn_plus. ring.
Qed.

Lemma shifted_drive (y : mat) n j : (n < N)%nat -> (j < h)%nat ->
  sumn N (fun m => K n m * sumn k (fun c => W j c * residual h Y (fun n j => Z0 n j + u n j - y n j) W m c)) = drive y n j.
Proof.
  intros Hn Hj.
  transitivity (sumn N (fun m => K n m * sumn k (fun c => W j c * (residual h Y Z0 W m c - predict h u W m c))) + drive y n j).
  - unfold drive. rewrite <- sumn_plus. apply sumn_ext; intros m _. rewrite <- Rmult_plus_distr_l, <- sumn_plus. f_equal.
    apply sumn_ext; intros c _. rewrite shifted_residual. ring.
  - rewrite Hu by assumption. ring.
Qed.

Lemma run_flow : is_feature_flow 0 N h k K Y Z (fun _ => W).
Proof.
  intros t Ht. split.
  - intros n j Hn Hj. unfold Z.
    refine (is_derive_val _ _ _ _ (is_derive_Rminus (fun _ => Z0 n j + u n j) (fun s => x s n j) t _ _
      (is_derive_Rconst _ _) (expo_derive N h coefs u t n j Hn Hj)) _).
    rewrite shifted_drive by assumption. rewrite op_drive. unfold x. ring.
  - intros j c _ _. refine (is_derive_val _ _ _ _ (is_derive_Rconst (W j c) t) _). ring.
Qed.

Lemma run_start n j : Z 0 n j = Z0 n j.
Proof. unfold Z, x. rewrite expo_start. ring. Qed.

Lemma run_limit : exists y : mat,
  (forall n j, (n < N)%nat -> (j < h)%nat -> is_lim (fun t => x t n j) p_infty (y n j)) /\
  (forall n j, (n < N)%nat -> (j < h)%nat -> drive y n j = 0) /\
  frozen_trains N h k K Y Z0 W (fun n j => Z0 n j + u n j - y n j).
Proof.
  destruct (symmetric_flow_tends N h coefs (fun x y => form_sym x y HK) (fun x => form_pos x HK0) u) as [y [L D]].
  exists y. split; [exact L|split].
  - intros n j Hn Hj. rewrite <- op_drive. now apply D.
  - exists Z. split; [exact run_flow|split; [intros; apply run_start|]]. intros n j Hn Hj.
    apply (is_lim_minus (fun _ => Z0 n j + u n j) (fun t => x t n j) p_infty (Z0 n j + u n j) (y n j));
      [apply is_lim_const|now apply L|reflexivity].
Qed.

(** What K cannot see never moves. *)
Lemma unseen (q : mat) : (forall n j, (n < N)%nat -> (j < h)%nat -> sumn N (fun m => K n m * q m j) = 0) ->
  forall t, 0 <= t -> fdot N h (x t) q = fdot N h u q.
Proof.
  intros Hq t Ht.
  assert (C : fdot N h (x t) q = fdot N h (x 0) q).
  { apply (constant_from (fun s => fdot N h (x s) q)); [|exact Ht]. intros s _.
    refine (is_derive_val _ _ _ _ (is_derive_sumn N (fun s n => sumn h (fun j => x s n j * q n j))
      (fun n => sumn h (fun j => - op N h coefs (x s) n j * q n j)) s _) _).
    - intros n Hn. apply (is_derive_sumn h (fun s j => x s n j * q n j)). intros j Hj.
      refine (is_derive_val _ _ _ _ (is_derive_Rmult _ (fun _ => q n j) s _ _ (expo_derive N h coefs u s n j Hn Hj) (is_derive_Rconst _ _)) _).
      unfold x. ring.
    - transitivity (sumn h (fun j => sumn N (fun m => - sumn k (fun c => W j c * predict h (x s) W m c) * sumn N (fun n => K m n * q n j)))).
      + rewrite sumn_swap. apply sumn_ext; intros j _.
        transitivity (sumn N (fun n => sumn N (fun m => - sumn k (fun c => W j c * predict h (x s) W m c) * (K m n * q n j)))).
        * apply sumn_ext; intros n Hn. rewrite op_drive. unfold drive.
          replace (- sumn N (fun m => K n m * sumn k (fun c => W j c * predict h (x s) W m c)) * q n j)
            with (-1 * q n j * sumn N (fun m => K n m * sumn k (fun c => W j c * predict h (x s) W m c))) by ring.
          rewrite <- sumn_scal. apply sumn_ext; intros m Hm. rewrite (HK n m) by assumption. ring.
        * rewrite sumn_swap. apply sumn_ext; intros m _. now rewrite sumn_scal.
      + rewrite (sumn_ext h _ (fun _ => 0)); [apply sumn_zero|]. intros j Hj.
        rewrite (sumn_ext N _ (fun _ => 0)); [apply sumn_zero|]. intros m Hm. rewrite Hq by assumption. ring. }
  rewrite C. apply sumn_ext; intros n _. apply sumn_ext; intros j _. unfold x. now rewrite expo_start.
Qed.
End Run.

Theorem T15_matrix_converges Y Z0 : symmetric N K -> semidefinite N K ->
  exists X, frozen_trains N h k K Y Z0 W X /\
    forall n j, (n < N)%nat -> (j < h)%nat ->
      sumn N (fun m => K n m * sumn k (fun c => W j c * residual h Y X W m c)) = 0.
Proof.
  intros HK HK0.
  destruct (finite_choice (fun n v => forall j, (j < h)%nat ->
    sumn k (fun c => W j c * (residual h Y Z0 W n c - sumn h (fun l => v l * W l c))) = 0) N) as [u Hu].
  { intros n _. destruct (projection k h W (residual h Y Z0 W n)) as [v Hv]. exists v. intros j Hj.
    rewrite <- (Hv j Hj). unfold dot. apply sumn_ext; intros; ring. }
  assert (Hu' : forall n j, (n < N)%nat -> (j < h)%nat ->
    sumn N (fun m => K n m * sumn k (fun c => W j c * (residual h Y Z0 W m c - predict h u W m c))) = 0).
  { intros n j Hn Hj. rewrite (sumn_ext N _ (fun _ => 0)); [apply sumn_zero|]. intros m Hm.
    unfold predict. rewrite (Hu m Hm j Hj). ring. }
  destruct (run_limit Y Z0 u HK HK0 Hu') as [y [_ [D T]]]. exists (fun n j => Z0 n j + u n j - y n j).
  split; [exact T|]. intros n j Hn Hj. rewrite (shifted_drive Y Z0 u Hu' y n j Hn Hj). now apply D.
Qed.

Lemma residual_ext Y X X' n c : (forall j, (j < h)%nat -> X n j = X' n j) -> residual h Y X W n c = residual h Y X' W n c.
Proof. intros H. unfold residual. f_equal. apply sumn_ext; intros j Hj. now rewrite H. Qed.

(** <x W, A> = <x, A W^T> *)
Lemma predict_adjoint (x A : mat) :
  fdot N k (predict h x W) A = fdot N h x (fun n j => sumn k (fun c => A n c * W j c)).
Proof.
  unfold fdot, predict. apply sumn_ext; intros n _.
  transitivity (sumn k (fun c => sumn h (fun j => x n j * (A n c * W j c)))).
  - apply sumn_ext; intros c _. rewrite <- sumn_scal_r. apply sumn_ext; intros; ring.
  - rewrite sumn_swap. apply sumn_ext; intros j _. now rewrite sumn_scal.
Qed.

Theorem T15_matrix_fits Y Z0 X : symmetric N K -> semidefinite N K ->
  (exists M : mat, forall n c, (n < N)%nat -> (c < k)%nat ->
     predict h (fun n j => Z0 n j + sumn N (fun m => K n m * M m j)) W n c = Y n c) ->
  frozen_trains N h k K Y Z0 W X ->
  forall n c, (n < N)%nat -> (c < k)%nat -> predict h X W n c = Y n c.
Proof.
  intros HK HK0 [M HM] HX. set (u := fun n j => sumn N (fun m => K n m * M m j)).
  assert (ER : forall n c, (n < N)%nat -> (c < k)%nat -> residual h Y Z0 W n c - predict h u W n c = 0).
  { intros n c Hn Hc. unfold residual, predict. rewrite <- (HM n c Hn Hc). unfold predict.
    rewrite (sumn_ext h (fun j => (Z0 n j + sumn N (fun m => K n m * M m j)) * W j c)
      (fun j => Z0 n j * W j c + u n j * W j c)) by (intros; unfold u; ring).
    rewrite sumn_plus. ring. }
  assert (Hu : forall n j, (n < N)%nat -> (j < h)%nat ->
    sumn N (fun m => K n m * sumn k (fun c => W j c * (residual h Y Z0 W m c - predict h u W m c))) = 0).
  { intros n j Hn Hj. rewrite (sumn_ext N _ (fun _ => 0)); [apply sumn_zero|]. intros m Hm.
    rewrite (sumn_ext k _ (fun _ => 0)); [rewrite sumn_zero; ring|]. intros c Hc. rewrite ER by assumption. ring. }
  destruct (run_limit Y Z0 u HK HK0 Hu) as [y [L [D T]]].
  set (A := predict h y W). set (q := fun n j => sumn k (fun c => A n c * W j c)).
  assert (Hq : forall n j, (n < N)%nat -> (j < h)%nat -> sumn N (fun m => K n m * q m j) = 0).
  { intros n j Hn Hj. rewrite <- (D n j Hn Hj). unfold drive. apply sumn_ext; intros m _. f_equal.
    apply sumn_ext; intros c _. unfold A. ring. }
  assert (E0 : fdot N h u q = 0).
  { unfold fdot. rewrite sumn_swap.
    transitivity (sumn h (fun j => sumn N (fun m => M m j * sumn N (fun n => K m n * q n j)))).
    - apply sumn_ext; intros j _. rewrite (sumn_ext N _ (fun n => sumn N (fun m => M m j * (K m n * q n j)))).
      + rewrite sumn_swap. apply sumn_ext; intros m _. now rewrite sumn_scal.
      + intros n Hn. unfold u. rewrite <- sumn_scal_r. apply sumn_ext; intros m Hm. rewrite (HK n m) by assumption. ring.
    - rewrite (sumn_ext h _ (fun _ => 0)); [apply sumn_zero|]. intros j Hj.
      rewrite (sumn_ext N _ (fun _ => 0)); [apply sumn_zero|]. intros m Hm. rewrite Hq by assumption. ring. }
  assert (E : frob2 N k A = 0).
  { transitivity (fdot N h y q).
    - unfold q. rewrite <- predict_adjoint. apply sumn_ext; intros; apply sumn_ext; intros. unfold A. ring.
    - assert (L1 : is_lim (fun t => fdot N h (expo N h coefs u t) q) p_infty (fdot N h y q)).
      { apply (lim_sumn N (fun t n => sumn h (fun j => expo N h coefs u t n j * q n j))). intros n Hn.
        apply (lim_sumn h (fun t j => expo N h coefs u t n j * q n j)). intros j Hj.
        apply (is_lim_scal_r (fun t => expo N h coefs u t n j) (q n j) p_infty (y n j)). now apply L. }
      assert (L2 : is_lim (fun t => fdot N h (expo N h coefs u t) q) p_infty 0).
      { apply (is_lim_ext_loc (fun _ => 0)); [|apply is_lim_const]. exists 0. intros t Ht.
        rewrite (unseen u HK q Hq t) by lra. now rewrite E0. }
      apply is_lim_unique in L1. apply is_lim_unique in L2. rewrite L1 in L2. injection L2 as E2. exact E2. }
  intros n c Hn Hc.
  pose proof (frob2_zero N k A ltac:(lra) n c Hn Hc) as Z.
  pose proof (shifted_residual Y Z0 u y n c) as S. rewrite ER in S by assumption. fold A in S. rewrite Z in S.
  rewrite (residual_ext Y _ X n c) in S.
  - unfold residual in S. unfold predict. lra.
  - intros j Hj. now apply (T15_matrix_limit_unique Y Z0 _ X T HX).
Qed.

Theorem T15_matrix_fits_definite Y Z0 X : symmetric N K -> definite N K ->
  (exists U : mat, forall n c, (n < N)%nat -> (c < k)%nat -> predict h (fun n j => Z0 n j + U n j) W n c = Y n c) ->
  frozen_trains N h k K Y Z0 W X ->
  forall n c, (n < N)%nat -> (c < k)%nat -> predict h X W n c = Y n c.
Proof.
  intros HK HKp [U HU] HX.
  assert (HK0 : semidefinite N K).
  { intros v. destruct (Classical_Prop.classic (exists i, (i < N)%nat /\ v i <> 0)) as [Hv|Hv]; [left; now apply HKp|].
    right. rewrite (sumn_ext N _ (fun _ => 0)); [now rewrite sumn_zero|]. intros n Hn.
    assert (v n = 0) by (apply Classical_Prop.NNPP; intros Hne; apply Hv; now exists n).
    rewrite (sumn_ext N _ (fun _ => 0)); [apply sumn_zero|]. intros. rewrite H. ring. }
  destruct (T15_matrix_converges Y Z0 HK HK0) as [X' [HX' D]].
  set (r := residual h Y X' W). set (q := fun n j => sumn k (fun c => r n c * W j c)).
  assert (Hq : forall n j, (n < N)%nat -> (j < h)%nat -> q n j = 0).
  { intros n j Hn Hj. apply Classical_Prop.NNPP. intros Hne.
    assert (0 < sumn N (fun n => sumn N (fun m => q n j * K n m * q m j))) by (apply HKp; now exists n).
    assert (sumn N (fun n => sumn N (fun m => q n j * K n m * q m j)) = 0); [|lra].
    rewrite (sumn_ext N _ (fun _ => 0)); [apply sumn_zero|]. intros p Hp.
    transitivity (q p j * sumn N (fun m => K p m * q m j)); [rewrite <- sumn_scal; apply sumn_ext; intros; ring|].
    replace (sumn N (fun m => K p m * q m j)) with 0; [ring|]. rewrite <- (D p j Hp Hj). apply sumn_ext; intros m _.
    f_equal. apply sumn_ext; intros c _. unfold r. ring. }
  assert (E : frob2 N k r = 0).
  { transitivity (fdot N k (predict h (fun n j => Z0 n j + U n j - X' n j) W) r).
    - unfold frob2, fdot. apply sumn_ext; intros n Hn. apply sumn_ext; intros c Hc.
      replace (predict h (fun n j => Z0 n j + U n j - X' n j) W n c) with (r n c); [ring|].
      unfold r, residual. rewrite <- (HU n c Hn Hc). unfold predict. rewrite <- sumn_minus. apply sumn_ext; intros; ring.
    - rewrite predict_adjoint. unfold fdot. rewrite (sumn_ext N _ (fun _ => 0)); [apply sumn_zero|]. intros n Hn.
      rewrite (sumn_ext h _ (fun _ => 0)); [apply sumn_zero|]. intros j Hj. fold (q n j). rewrite Hq by assumption. ring. }
  intros n c Hn Hc. pose proof (frob2_zero N k r ltac:(lra) n c Hn Hc) as Z. unfold r in Z.
  rewrite (residual_ext Y _ X n c) in Z.
  - unfold residual in Z. unfold predict. lra.
  - intros j Hj. now apply (T15_matrix_limit_unique Y Z0 X' X HX' HX).
Qed.

End Any.
