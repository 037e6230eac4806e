(** * ProbingMatrix: T3 for any features and any number of outputs.

   notation: see Definitions.v; Z the features, which do not move; R = Y - Z V.
   Probing is frozen-head training of V^T with kernel I and head Z^T, so FrozenMatrix.v says most of it.

   T3_matrix_converges   from every start probing has a path, and the path converges
   T3_matrix_unique      the path is unique
   T3_matrix_best        no head predicts the targets better than the limit
   T3_matrix_nearest     and of all heads with the predictions of the limit, the limit is nearest to the start
   T3_matrix_energy      the energy |R| never rises
   T3_matrix_path        with the singular value decomposition Z = sum s_i u_i w_i^T:
                         V(t) = V_init + sum s_i phi(s_i^2, t) w_i (u_i^T R_init)
   T3_matrix_residual    and R(t) = R_init - sum u_i (1 - e^(-s_i^2 t)) u_i^T R_init along every path
   *)

Require Import Reals Lra Lia Psatz.
From Coquelicot Require Import Coquelicot.
From TaskHead Require Import Definitions Sums Calculus Probing Modes AnyLoss MatrixFlow EnergyBound Lorentz FrozenMatrix.
Open Scope R_scope.

Lemma identity_row n (f : nat -> R) i : (i < n)%nat -> sumn n (fun m => identity i m * f m) = f i.
Proof.
  intros Hi. rewrite (sumn_single n i); [unfold identity; rewrite Nat.eqb_refl; ring|exact Hi|].
  intros m _ Hne. unfold identity. apply Nat.eqb_neq in Hne. rewrite Nat.eqb_sym, Hne. ring.
Qed.

Lemma identity_symmetric n : symmetric n identity.
Proof. intros i j _ _. unfold identity. now rewrite Nat.eqb_sym. Qed.

Lemma identity_form n (x : vec) : sumn n (fun i => sumn n (fun j => x i * identity i j * x j)) = sq n x.
Proof.
  apply sumn_ext; intros i Hi. rewrite (sumn_ext n _ (fun j => identity i j * (x i * x j))) by (intros; ring).
  now rewrite identity_row.
Qed.

Lemma identity_definite n : definite n identity.
Proof.
  intros x [i [Hi Hx]]. rewrite identity_form. pose proof (sq_nonneg n x).
  destruct (Req_dec (sq n x) 0) as [E|E]; [|lra]. exfalso. apply Hx. exact (sq_zero_coord n x E i Hi).
Qed.

Lemma identity_semidefinite n : semidefinite n identity.
Proof. intros x. rewrite identity_form. apply sq_nonneg. Qed.

Section Probing.
Variables (N h k : nat) (Y Z : mat).

Lemma probing_is_frozen V : is_matrix_probing N h k Y Z V <->
  is_feature_flow 0 k h N identity (transpose Y) (fun t => transpose (V t)) (fun _ => transpose Z).
Proof.
  assert (E : forall (W : mat) j c, (c < k)%nat -> sumn N (fun n => Z n j * residual h Y Z W n c) =
    sumn k (fun m => identity c m * sumn N (fun n => transpose Z j n * residual h (transpose Y) (transpose W) (transpose Z) m n))).
  { intros W j c Hc. rewrite identity_row by exact Hc. apply sumn_ext; intros n _. unfold transpose at 1. f_equal.
    unfold residual, transpose. f_equal. apply sumn_ext; intros; ring. }
  split; intros H t Ht.
  - intros Rt. split.
    + intros c j Hc Hj. unfold Rt. rewrite <- E by exact Hc. exact (H t Ht j c Hj Hc).
    + intros j c _ _. rewrite Rmult_0_l. apply is_derive_Rconst.
  - intros j c Hj Hc. rewrite E by exact Hc. destruct (H t Ht) as [HZ _]. exact (HZ c j Hc Hj).
Qed.

Theorem T3_matrix_converges Vi : exists (V : R -> mat) (L : mat), is_matrix_probing N h k Y Z V /\
  (forall j c, (j < h)%nat -> (c < k)%nat -> V 0 j c = Vi j c) /\
  (forall j c, (j < h)%nat -> (c < k)%nat -> is_lim (fun t => V t j c) p_infty (L j c)).
Proof.
  destruct (T15_matrix_converges k h N identity (transpose Y) (transpose Z) (transpose Vi)
    (identity_symmetric k) (identity_semidefinite k)) as [X [Q [Hf [Hs Ht]]]].
  exists (fun t => transpose (Q t)), (transpose X). split; [|split].
  - apply probing_is_frozen. exact Hf.
  - intros j c Hj Hc. exact (Hs c j Hc Hj).
  - intros j c Hj Hc. exact (Ht c j Hc Hj).
Qed.

Theorem T3_matrix_unique V1 V2 : is_matrix_probing N h k Y Z V1 -> is_matrix_probing N h k Y Z V2 ->
  (forall j c, (j < h)%nat -> (c < k)%nat -> V1 0 j c = V2 0 j c) ->
  forall t j c, 0 <= t -> (j < h)%nat -> (c < k)%nat -> V1 t j c = V2 t j c.
Proof.
  intros H1 H2 H0 t j c Ht Hj Hc. apply probing_is_frozen in H1, H2.
  apply (T15_matrix_unique k h N identity (transpose Y) (transpose Z) _ _ H1 H2); try assumption.
  intros e i He Hi. exact (H0 i e Hi He).
Qed.

Section Limit.
Variables (V : R -> mat) (L : mat).
Hypothesis HV : is_matrix_probing N h k Y Z V.
Hypothesis HL : forall j c, (j < h)%nat -> (c < k)%nat -> is_lim (fun t => V t j c) p_infty (L j c).

Lemma limit_is_frozen : frozen_trains k h N identity (transpose Y) (transpose (V 0)) (transpose Z) (transpose L).
Proof.
  exists (fun t => transpose (V t)). split; [now apply probing_is_frozen|]. split; [reflexivity|].
  intros c j Hc Hj. exact (HL j c Hj Hc).
Qed.

Lemma swap_dot (W : mat) c n : dot h (transpose W c) (col (transpose Z) n) = sumn h (fun j => Z n j * W j c).
Proof. unfold dot, transpose, col. apply sumn_ext; intros; ring. Qed.

Theorem T3_matrix_best W : frob2 N k (residual h Y Z L) <= frob2 N k (residual h Y Z W).
Proof.
  assert (E : forall W, frob2 N k (residual h Y Z W) = sumn k (fun c =>
    sq N (fun n => transpose Y c n - dot h (transpose W c) (col (transpose Z) n)))).
  { intros W'. unfold frob2. rewrite sumn_swap. apply sumn_ext; intros c _. unfold sq, dot at 1.
    apply sumn_ext; intros n _. rewrite swap_dot. unfold residual, transpose. ring. }
  rewrite !E. apply sumn_le; intros c Hc.
  exact (T15_matrix_fits_best k h N identity (transpose Y) (transpose Z) _ _ limit_is_frozen (identity_definite k)
    c (transpose W c) Hc).
Qed.

Theorem T3_matrix_nearest W :
  (forall n c, (n < N)%nat -> (c < k)%nat -> residual h Y Z W n c = residual h Y Z L n c) ->
  frob2 h k (msub L (V 0)) <= frob2 h k (msub W (V 0)).
Proof.
  intros HW. unfold frob2. rewrite !(sumn_swap h k). apply sumn_le; intros c Hc.
  assert (E : forall A : mat, sumn h (fun j => msub A (V 0) j c ^ 2) = sq h (vsub (transpose A c) (transpose (V 0) c)))
    by (intros A; apply sumn_ext; intros; unfold msub, vsub, transpose; ring).
  rewrite !E.
  apply (T15_matrix_nearest k h N identity (transpose Y) (transpose Z) _ _ limit_is_frozen c (transpose W c) Hc).
  intros n Hn. rewrite !swap_dot. pose proof (HW n c Hn Hc) as ER. unfold residual in ER. lra.
Qed.

Theorem T3_matrix_energy s t : 0 <= s <= t -> frob2 N k (residual h Y Z (V t)) <= frob2 N k (residual h Y Z (V s)).
Proof.
  intros Hst.
  pose proof (T22_probing_decreases N h k (squared_loss N k Y) (squared_residual Y) Z V (T22_squared_loss N k Y)) as M.
  specialize (M HV s t Hst). unfold squared_loss in M.
  change (msub Y (predict h Z (V t))) with (residual h Y Z (V t)) in M.
  change (msub Y (predict h Z (V s))) with (residual h Y Z (V s)) in M. lra.
Qed.
End Limit.
End Probing.

(** ** Closed form *)

Section Path.
Variables (n N h k : nat) (s : vec) (u w : nat -> vec) (Y Vi : mat).
Hypothesis Hu : orthonormal n N u.
Hypothesis Hw : orthonormal n h w.
Local Notation Z := (outer_sum n s u w).
Local Notation R0 := (residual h Y Z Vi).
Local Notation path := (fun t j c => Vi j c + sumn n (fun i => s i * phi (s i ^ 2) t * w i j * dot N (u i) (col R0 c))).

Lemma path_residual t a c : residual h Y Z (path t) a c =
  R0 a c - sumn n (fun i => u i a * ((1 - exp (- (s i ^ 2 * t))) * dot N (u i) (col R0 c))).
Proof.
  assert (E : sumn h (fun j => Z a j * path t j c) = sumn h (fun j => Z a j * Vi j c) +
    sumn n (fun i => u i a * ((1 - exp (- (s i ^ 2 * t))) * dot N (u i) (col R0 c)))).
  { set (g := fun i => s i * phi (s i ^ 2) t * dot N (u i) (col R0 c)).
    rewrite (sumn_ext h _ (fun j => Z a j * Vi j c + Z a j * outer_sum n g w (fun _ _ => 1) j c)).
    - rewrite sumn_plus. f_equal.
      rewrite (outer_product n h s g u w w (fun _ _ => 1) (fun _ => 1) a c (orthonormal_table n h w Hw)).
      apply sumn_ext; intros i _. unfold g. rewrite <- phi_exp. ring.
    - intros j _. rewrite Rmult_plus_distr_l. f_equal. f_equal.
      change (outer_sum n g w (fun _ _ => 1) j c) with (sumn n (fun i => g i * w i j * 1)).
      apply sumn_ext; intros. unfold g. ring. }
  change (residual h Y Z (path t) a c) with (Y a c - sumn h (fun j => Z a j * path t j c)).
  cbv beta in E |- *. rewrite E.
  change (R0 a c) with (Y a c - sumn h (fun j => Z a j * Vi j c)). ring.
Qed.

Theorem T3_matrix_path : is_matrix_probing N h k Y Z path /\ forall j c, path 0 j c = Vi j c.
Proof.
  split.
  - intros t Ht j c Hj Hc.
    apply (is_derive_extR (fun x => Vi j c + sumn n (fun i => s i * w i j * dot N (u i) (col R0 c) * phi (s i ^ 2) x))).
    { intros x. f_equal. apply sumn_ext; intros; ring. }
    refine (is_derive_val _ _ _ _ (is_derive_Rplus (fun _ => Vi j c) _ t _ _ (is_derive_Rconst _ _)
      (is_derive_sumn n (fun x i => s i * w i j * dot N (u i) (col R0 c) * phi (s i ^ 2) x)
        (fun i => s i * w i j * dot N (u i) (col R0 c) * exp (- (s i ^ 2 * t))) t _)) _).
    + intros i _. apply is_derive_Rscal, phi_derive.
    + rewrite Rplus_0_l.
      rewrite (sumn_ext N _ (fun a => residual h Y Z (path t) a c * Z a j)) by (intros; ring).
      rewrite (dot_outer n N s u w (fun a => residual h Y Z (path t) a c) j).
      apply sumn_ext; intros i Hi.
      assert (D : dot N (fun a => residual h Y Z (path t) a c) (u i) = exp (- (s i ^ 2 * t)) * dot N (u i) (col R0 c)).
      { set (g := fun l => (1 - exp (- (s l ^ 2 * t))) * dot N (u l) (col R0 c)).
        rewrite (dot_ext N _ (fun a => col R0 c a - sumn n (fun l => g l * u l a)) (u i) (u i)); [| |reflexivity].
        - rewrite dot_comm. transitivity (dot N (u i) (col R0 c) - sumn n (fun l => g l * dot N (u i) (u l))).
          + rewrite <- (dot_sum_r N n g (u i) u).
            change (dot N (u i) (vsub (col R0 c) (fun a => sumn n (fun l => g l * u l a))) =
              dot N (u i) (col R0 c) - dot N (u i) (fun a => sumn n (fun l => g l * u l a))).
            rewrite !(dot_comm N (u i)). apply dot_vsub_l.
          + rewrite (sumn_single n i); [|exact Hi|].
            * rewrite Hu, Nat.eqb_refl by assumption. unfold g. ring.
            * intros l Hl Hne. rewrite Hu by assumption. apply Nat.eqb_neq in Hne. rewrite Nat.eqb_sym, Hne. ring.
        - intros a _. rewrite path_residual. change (col R0 c a) with (R0 a c). f_equal.
          apply sumn_ext; intros l _. unfold g. apply Rmult_comm. }
      rewrite D. ring.
  - intros j c. rewrite (sumn_ext n _ (fun _ => 0)); [rewrite sumn_zero; ring|]. intros i _. rewrite phi_0. ring.
Qed.

Theorem T3_matrix_residual V : is_matrix_probing N h k Y Z V ->
  (forall j c, (j < h)%nat -> (c < k)%nat -> V 0 j c = Vi j c) ->
  forall t a c, 0 <= t -> (c < k)%nat ->
    residual h Y Z (V t) a c =
    R0 a c - sumn n (fun i => u i a * ((1 - exp (- (s i ^ 2 * t))) * dot N (u i) (col R0 c))).
Proof.
  intros HV H0 t a c Ht Hc. rewrite <- path_residual. unfold residual at 1 2. f_equal.
  apply sumn_ext; intros j Hj. f_equal. destruct T3_matrix_path as [HP P0].
  apply (T3_matrix_unique N h k Y Z V path HV HP); [|exact Ht|exact Hj|exact Hc].
  intros i e Hi He. rewrite P0. now apply H0.
Qed.
End Path.
