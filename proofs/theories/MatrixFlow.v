(** * MatrixFlow: T1, T2 and T6 for any finite number of samples, inputs, features and outputs.

   notation: see Definitions.v; Z = X B^T, R = Y - Z V, K = X X^T.

   T1_kernel_direction_energy  the feature of any input x moves by
                               sum over samples n of (x . x_n) (V r_n)
   T1_features_follow_kernel      so Z obeys  Z' = K R V^T  with K = X X^T
   T2_matrix                   V V^T - gamma B B^T never changes
   T6_loss_budget              d/dt |R|^2 / 2 = - tr(R^T K R V^T V) - gamma |Z^T R|^2
   T6_loss_decreases           and for a semidefinite K and gamma >= 0 both terms are spendings,
                               so the loss never rises
   gram_semidefinite           K = X X^T is semidefinite
   T6_covers_rank_one          the rank-one flow is the case N = k = 1
   *)

Require Import Reals Lra Lia Psatz.
From Coquelicot Require Import Coquelicot.
From TaskHead Require Import Definitions Sums Calculus.
From TaskHead Require Export AnyLoss.
Open Scope R_scope.

(** The squared loss is one of the losses of AnyLoss.v: its residual is Y - Z V. *)
Theorem T1_kernel_direction_energy gamma N d h k X Y B V :
  is_matrix_flow gamma N d h k X Y B V ->
  forall t (x : vec) j, 0 <= t -> (j < h)%nat ->
    is_derive (fun s => sumn d (fun i => B s j i * x i)) t
      (sumn N (fun n => sumn d (fun i => x i * X n i) *
         sumn k (fun c => V t j c * residual h Y (features d X (B t)) (V t) n c))).
Proof. exact (T22_kernel_direction_energy gamma N d h k X (squared_residual Y) B V). Qed.

Theorem T1_features_follow_kernel gamma N d h k X Y B V :
  is_matrix_flow gamma N d h k X Y B V ->
  is_feature_flow gamma N h k (fun n m => sumn d (fun i => X n i * X m i)) Y
    (fun t => features d X (B t)) V.
Proof. exact (T22_features_follow_kernel gamma N d h k X (squared_residual Y) B V). Qed.

Theorem T2_matrix gamma N d h k X Y B V :
  is_matrix_flow gamma N d h k X Y B V ->
  forall j l t, (j < h)%nat -> (l < h)%nat -> 0 <= t ->
    sumn k (fun c => V t j c * V t l c) - gamma * sumn d (fun i => B t j i * B t l i) =
    sumn k (fun c => V 0 j c * V 0 l c) - gamma * sumn d (fun i => B 0 j i * B 0 l i).
Proof. exact (T22_conservation gamma N d h k X (squared_residual Y) B V). Qed.

(** ** T6 *)

Lemma residual_derive gamma N h k K Y Z V : is_feature_flow gamma N h k K Y Z V ->
  forall t n c, 0 <= t -> (n < N)%nat -> (c < k)%nat ->
  let Rt := residual h Y (Z t) (V t) in
  is_derive (fun s => residual h Y (Z s) (V s) n c) t
    (- sumn h (fun j => sumn N (fun m => K n m * sumn k (fun e => V t j e * Rt m e)) * V t j c
                        + Z t n j * (gamma * sumn N (fun m => Z t m j * Rt m c)))).
Proof.
  intros Hf t n c Ht Hn Hc Rt. destruct (Hf t Ht) as [HZ HV]. fold Rt in HZ, HV.
  unfold residual at 1.
  refine (is_derive_val _ _ _ _ (is_derive_Rminus (fun _ => Y n c) (fun s => sumn h (fun j => Z s n j * V s j c)) t _ _
    (is_derive_Rconst _ _) (is_derive_sumn h (fun s j => Z s n j * V s j c)
      (fun j => sumn N (fun m => K n m * sumn k (fun e => V t j e * Rt m e)) * V t j c
              + Z t n j * (gamma * sumn N (fun m => Z t m j * Rt m c))) t _)) _).
  - intros j Hj. apply is_derive_Rmult; [exact (HZ n j Hn Hj)|exact (HV j c Hj Hc)].
  - ring.
Qed.

Theorem T6_loss_budget gamma N h k K Y Z V : is_feature_flow gamma N h k K Y Z V ->
  forall t, 0 <= t ->
  is_derive (fun s => loss N h k Y (Z s) (V s)) t
    (- backbone_spending N h k K (residual h Y (Z t) (V t)) (V t)
     - gamma * head_spending N h k (Z t) (residual h Y (Z t) (V t))).
Proof.
  exact (T22_loss_budget gamma N h k K (squared_loss N k Y) (squared_residual Y) Z V (T22_squared_loss N k Y)).
Qed.

Theorem T6_loss_decreases gamma N h k K Y Z V :
  0 <= gamma -> semidefinite N K -> is_feature_flow gamma N h k K Y Z V ->
  forall s t, 0 <= s <= t -> loss N h k Y (Z t) (V t) <= loss N h k Y (Z s) (V s).
Proof.
  intros Hg HK. exact (T22_loss_decreases gamma N h k K (squared_loss N k Y) (squared_residual Y) Z V
    Hg HK (T22_squared_loss N k Y)).
Qed.

Lemma gram_semidefinite N d X : semidefinite N (fun n m => sumn d (fun i => X n i * X m i)).
Proof.
  intros x.
  replace (sumn N (fun n => sumn N (fun m => x n * sumn d (fun i => X n i * X m i) * x m)))
    with (sumn d (fun i => (sumn N (fun n => x n * X n i))^2)).
  - apply sumn_nonneg. intros. apply pow2_ge_0.
  - transitivity (sumn d (fun i => sumn N (fun n => sumn N (fun m => x n * X n i * (x m * X m i))))).
    + apply sumn_ext; intros i _.
      transitivity (sumn N (fun n => x n * X n i) * sumn N (fun m => x m * X m i)); [ring|].
      rewrite <- sumn_scal_r. apply sumn_ext; intros n _. now rewrite sumn_scal.
    + rewrite sumn_swap. apply sumn_ext; intros n _. rewrite sumn_swap. apply sumn_ext; intros m _.
      rewrite <- sumn_scal, <- sumn_scal_r. apply sumn_ext; intros; ring.
Qed.

(** The rank-one flow is the case N = k = 1 of the feature flow, so flows of this kind exist
    (Boost.v and Scaling.v construct them). *)
Theorem T6_covers_rank_one kappa gamma h y z v :
  is_flow kappa gamma h y z v ->
  is_feature_flow gamma 1 h 1 (fun _ _ => kappa) (fun _ _ => y) (fun t _ j => z t j) (fun t j _ => v t j).
Proof.
  intros Hf t Ht. unfold residual. split.
  - intros n j _ Hj. destruct (Hf t Ht j Hj) as [D _]. refine (is_derive_val _ _ _ _ D _).
    simpl. unfold dot. ring.
  - intros j c Hj _. destruct (Hf t Ht j Hj) as [_ D]. refine (is_derive_val _ _ _ _ D _).
    simpl. unfold dot. ring.
Qed.
