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
Open Scope R_scope.

Theorem T1_kernel_direction_energy gamma N d h k X Y B V :
  is_matrix_flow gamma N d h k X Y B V ->
  forall t (x : vec) j, 0 <= t -> (j < h)%nat ->
    is_derive (fun s => sumn d (fun i => B s j i * x i)) t
      (sumn N (fun n => sumn d (fun i => x i * X n i) *
         sumn k (fun c => V t j c * residual h Y (features d X (B t)) (V t) n c))).
Proof.
  intros Hf t x j Ht Hj. destruct (Hf t Ht) as [HB _].
  set (Rt := residual h Y (features d X (B t)) (V t)) in *.
  refine (is_derive_val _ _ _ _ (is_derive_sumn d (fun s i => B s j i * x i)
    (fun i => sumn N (fun n => sumn k (fun c => V t j c * Rt n c) * X n i) * x i) t _) _).
  - intros i Hi. refine (is_derive_val _ _ _ _ (is_derive_Rmult _ (fun _ => x i) t _ _
      (HB j i Hj Hi) (is_derive_Rconst _ _)) _). ring.
  - transitivity (sumn d (fun i => sumn N (fun n => x i * X n i * sumn k (fun c => V t j c * Rt n c)))).
    + apply sumn_ext. intros i Hi. rewrite <- sumn_scal_r. apply sumn_ext. intros; ring.
    + rewrite sumn_swap. apply sumn_ext. intros n Hn. now rewrite sumn_scal_r.
Qed.

Theorem T1_features_follow_kernel gamma N d h k X Y B V :
  is_matrix_flow gamma N d h k X Y B V ->
  is_feature_flow gamma N h k (fun n m => sumn d (fun i => X n i * X m i)) Y
    (fun t => features d X (B t)) V.
Proof.
  intros Hf t Ht. split.
  - intros n j Hn Hj.
    apply (is_derive_extR (fun s => sumn d (fun i => B s j i * X n i))).
    + intros s. unfold features. apply sumn_ext. intros; ring.
    + exact (T1_kernel_direction_energy gamma N d h k X Y B V Hf t (X n) j Ht Hj).
  - intros j c Hj Hc. destruct (Hf t Ht) as [_ HV]. exact (HV j c Hj Hc).
Qed.

Theorem T2_matrix gamma N d h k X Y B V :
  is_matrix_flow gamma N d h k X Y B V ->
  forall j l t, (j < h)%nat -> (l < h)%nat -> 0 <= t ->
    sumn k (fun c => V t j c * V t l c) - gamma * sumn d (fun i => B t j i * B t l i) =
    sumn k (fun c => V 0 j c * V 0 l c) - gamma * sumn d (fun i => B 0 j i * B 0 l i).
Proof.
  intros Hf j l t Hj Hl Ht.
  apply (constant_from (fun s => sumn k (fun c => V s j c * V s l c) - gamma * sumn d (fun i => B s j i * B s l i)));
    [|exact Ht].
  intros s Hs. destruct (Hf s Hs) as [HB HV].
  set (Z := features d X (B s)) in *. set (Rt := residual h Y Z (V s)) in *.
  set (G := fun j n => sumn k (fun c => V s j c * Rt n c)).
  assert (DV : is_derive (fun s => sumn k (fun c => V s j c * V s l c)) s
    (sumn k (fun c => gamma * sumn N (fun n => Z n j * Rt n c) * V s l c
                    + V s j c * (gamma * sumn N (fun n => Z n l * Rt n c))))).
  { apply (is_derive_sumn k (fun s c => V s j c * V s l c)). intros c Hc.
    apply is_derive_Rmult; [exact (HV j c Hj Hc)|exact (HV l c Hl Hc)]. }
  assert (DB : is_derive (fun s => sumn d (fun i => B s j i * B s l i)) s
    (sumn d (fun i => sumn N (fun n => G j n * X n i) * B s l i + B s j i * sumn N (fun n => G l n * X n i)))).
  { apply (is_derive_sumn d (fun s i => B s j i * B s l i)). intros i Hi.
    apply is_derive_Rmult; [exact (HB j i Hj Hi)|exact (HB l i Hl Hi)]. }
  assert (EV : sumn k (fun c => gamma * sumn N (fun n => Z n j * Rt n c) * V s l c
                    + V s j c * (gamma * sumn N (fun n => Z n l * Rt n c)))
             = gamma * sumn N (fun n => Z n j * G l n + Z n l * G j n)).
  { rewrite <- sumn_scal. unfold G.
    transitivity (sumn k (fun c => sumn N (fun n => gamma * (Z n j * (V s l c * Rt n c) + Z n l * (V s j c * Rt n c))))).
    - apply sumn_ext. intros c Hc.
      transitivity (sumn N (fun n => (Z n j * Rt n c) * (gamma * V s l c)) + sumn N (fun n => (Z n l * Rt n c) * (gamma * V s j c))).
      + rewrite !sumn_scal_r. ring.
      + rewrite <- sumn_plus. apply sumn_ext. intros; ring.
    - rewrite sumn_swap. apply sumn_ext. intros n Hn. rewrite sumn_scal, sumn_plus, !sumn_scal. reflexivity. }
  assert (EB : sumn d (fun i => sumn N (fun n => G j n * X n i) * B s l i + B s j i * sumn N (fun n => G l n * X n i))
             = sumn N (fun n => Z n j * G l n + Z n l * G j n)).
  { transitivity (sumn d (fun i => sumn N (fun n => G l n * (X n i * B s j i) + G j n * (X n i * B s l i)))).
    - apply sumn_ext. intros i Hi.
      rewrite (Rmult_comm (B s j i)), <- !sumn_scal_r, <- sumn_plus. apply sumn_ext. intros; ring.
    - rewrite sumn_swap. apply sumn_ext. intros n Hn. rewrite sumn_plus, !sumn_scal. unfold Z, features. ring. }
  refine (is_derive_val _ _ _ _ (is_derive_Rminus _ _ _ _ _ DV (is_derive_Rscal _ gamma _ _ DB)) _).
  rewrite EV, EB. ring.
Qed.

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

(** tr(R^T K R V^T V) = sum over features j of  g_j^T K g_j,  g_j = column j of R V^T. *)
Lemma backbone_spending_quadratic N h k K Rt V :
  backbone_spending N h k K Rt V =
  sumn h (fun j => sumn N (fun n => sumn N (fun m =>
    sumn k (fun c => V j c * Rt n c) * K n m * sumn k (fun e => V j e * Rt m e)))).
Proof.
  unfold backbone_spending.
  transitivity (sumn k (fun c => sumn k (fun e => sumn h (fun j => sumn N (fun n => sumn N (fun m =>
    V j c * Rt n c * (K n m * (V j e * Rt m e)))))))).
  - apply sumn_ext; intros c _. apply sumn_ext; intros e _. rewrite <- sumn_scal.
    apply sumn_ext; intros j _. rewrite <- sumn_scal_r. apply sumn_ext; intros n _.
    rewrite <- sumn_scal_r. apply sumn_ext; intros m _. ring.
  - transitivity (sumn k (fun c => sumn h (fun j => sumn N (fun n => sumn N (fun m =>
      V j c * Rt n c * (K n m * sumn k (fun e => V j e * Rt m e))))))).
    + apply sumn_ext; intros c _. rewrite sumn_swap. apply sumn_ext; intros j _.
      rewrite sumn_swap. apply sumn_ext; intros n _. rewrite sumn_swap. apply sumn_ext; intros m _.
      now rewrite sumn_scal, sumn_scal.
    + rewrite sumn_swap. apply sumn_ext; intros j _. rewrite sumn_swap. apply sumn_ext; intros n _.
      rewrite sumn_swap. apply sumn_ext; intros m _. rewrite sumn_scal_r. ring.
Qed.

Theorem T6_loss_budget gamma N h k K Y Z V : is_feature_flow gamma N h k K Y Z V ->
  forall t, 0 <= t ->
  is_derive (fun s => loss N h k Y (Z s) (V s)) t
    (- backbone_spending N h k K (residual h Y (Z t) (V t)) (V t)
     - gamma * head_spending N h k (Z t) (residual h Y (Z t) (V t))).
Proof.
  intros Hf t Ht. set (Rt := residual h Y (Z t) (V t)).
  rewrite backbone_spending_quadratic.
  set (G := fun n j => sumn k (fun c => V t j c * Rt n c)).
  set (D := fun n c => - sumn h (fun j => sumn N (fun m => K n m * sumn k (fun e => V t j e * Rt m e)) * V t j c
                        + Z t n j * (gamma * sumn N (fun m => Z t m j * Rt m c)))).
  assert (DL : is_derive (fun s => loss N h k Y (Z s) (V s)) t (sumn N (fun n => sumn k (fun c => Rt n c * D n c)))).
  { unfold loss, frob2.
    refine (is_derive_val _ _ _ _ (is_derive_extR (fun s => / 2 * sumn N (fun n => sumn k (fun c => residual h Y (Z s) (V s) n c ^ 2))) _ t _ _
      (is_derive_Rscal _ (/ 2) _ _ (is_derive_sumn N (fun s n => sumn k (fun c => residual h Y (Z s) (V s) n c ^ 2))
        (fun n => sumn k (fun c => 2 * (Rt n c * D n c))) t _))) _).
    - intros s. unfold Rdiv. ring.
    - intros n Hn. apply (is_derive_sumn k (fun s c => residual h Y (Z s) (V s) n c ^ 2)). intros c Hc.
      pose proof (residual_derive gamma N h k K Y Z V Hf t n c Ht Hn Hc) as Dr. cbv zeta in Dr.
      apply (is_derive_extR (fun s => residual h Y (Z s) (V s) n c * residual h Y (Z s) (V s) n c)); [intros; ring|].
      refine (is_derive_val _ _ _ _ (is_derive_Rmult _ _ _ _ _ Dr Dr) _). fold Rt. unfold D. ring.
    - rewrite <- sumn_scal. apply sumn_ext; intros n _. rewrite <- sumn_scal. apply sumn_ext; intros c _. field. }
  refine (is_derive_val _ _ _ _ DL _).
  (* the two spendings *)
  assert (E1 : sumn N (fun n => sumn k (fun c => sumn h (fun j =>
      Rt n c * (sumn N (fun m => K n m * G m j) * V t j c)))) =
    sumn h (fun j => sumn N (fun n => sumn N (fun m => G n j * K n m * G m j)))).
  { transitivity (sumn N (fun n => sumn h (fun j => sumn N (fun m => G n j * K n m * G m j)))).
    - apply sumn_ext; intros n _. rewrite sumn_swap. apply sumn_ext; intros j _.
      transitivity (sumn k (fun c => V t j c * Rt n c) * sumn N (fun m => K n m * G m j)).
      + rewrite <- sumn_scal_r. apply sumn_ext; intros; ring.
      + fold (G n j). rewrite <- sumn_scal. apply sumn_ext; intros; ring.
    - apply sumn_swap. }
  assert (E2 : sumn N (fun n => sumn k (fun c => sumn h (fun j =>
      Rt n c * (Z t n j * (gamma * sumn N (fun m => Z t m j * Rt m c)))))) = gamma * head_spending N h k (Z t) Rt).
  { unfold head_spending. rewrite <- sumn_scal.
    transitivity (sumn N (fun n => sumn h (fun j => sumn k (fun c =>
      Rt n c * (Z t n j * (gamma * sumn N (fun m => Z t m j * Rt m c))))))).
    - apply sumn_ext; intros n _. apply sumn_swap.
    - rewrite sumn_swap. apply sumn_ext; intros j _. rewrite sumn_swap, <- sumn_scal.
      apply sumn_ext; intros c _.
      transitivity (sumn N (fun n => Z t n j * Rt n c) * (gamma * sumn N (fun m => Z t m j * Rt m c))); [|ring].
      rewrite <- sumn_scal_r. apply sumn_ext; intros; ring. }
  change (sumn h (fun j => sumn N (fun n => sumn N (fun m =>
    sumn k (fun c => V t j c * Rt n c) * K n m * sumn k (fun e => V t j e * Rt m e)))))
    with (sumn h (fun j => sumn N (fun n => sumn N (fun m => G n j * K n m * G m j)))).
  rewrite <- E1, <- E2.
  transitivity (- (sumn N (fun n => sumn k (fun c => sumn h (fun j =>
      Rt n c * (sumn N (fun m => K n m * G m j) * V t j c)))) + sumn N (fun n => sumn k (fun c => sumn h (fun j =>
      Rt n c * (Z t n j * (gamma * sumn N (fun m => Z t m j * Rt m c)))))))); [|ring].
  rewrite <- sumn_plus.
  transitivity (sumn N (fun n => (-1) * sumn k (fun c => sumn h (fun j => Rt n c * (sumn N (fun m => K n m * G m j) * V t j c
     + Z t n j * (gamma * sumn N (fun m => Z t m j * Rt m c))))))).
  - apply sumn_ext; intros n _. rewrite <- sumn_scal. apply sumn_ext; intros c _.
    rewrite sumn_scal. unfold D, G. ring.
  - rewrite sumn_scal. transitivity (- sumn N (fun n => sumn k (fun c => sumn h (fun j => Rt n c * (sumn N (fun m => K n m * G m j) * V t j c
     + Z t n j * (gamma * sumn N (fun m => Z t m j * Rt m c))))))); [ring|]. f_equal.
    apply sumn_ext; intros n _. rewrite <- sumn_plus. apply sumn_ext; intros c _.
    rewrite <- sumn_plus. apply sumn_ext; intros j _. ring.
Qed.

Lemma backbone_spending_nonneg N h k K Rt V : semidefinite N K -> 0 <= backbone_spending N h k K Rt V.
Proof.
  intros HK. rewrite backbone_spending_quadratic. apply sumn_nonneg. intros j _.
  apply (HK (fun n => sumn k (fun c => V j c * Rt n c))).
Qed.

Lemma head_spending_nonneg N h k Z Rt : 0 <= head_spending N h k Z Rt.
Proof. apply sumn_nonneg; intros. apply sumn_nonneg; intros. apply pow2_ge_0. Qed.

Theorem T6_loss_decreases gamma N h k K Y Z V :
  0 <= gamma -> semidefinite N K -> is_feature_flow gamma N h k K Y Z V ->
  forall s t, 0 <= s <= t -> loss N h k Y (Z t) (V t) <= loss N h k Y (Z s) (V s).
Proof.
  intros Hg HK Hf.
  apply (nonincreasing_from (fun s => loss N h k Y (Z s) (V s)) _ (T6_loss_budget gamma N h k K Y Z V Hf)).
  intros t _. pose proof (backbone_spending_nonneg N h k K (residual h Y (Z t) (V t)) (V t) HK).
  pose proof (head_spending_nonneg N h k (Z t) (residual h Y (Z t) (V t))).
  assert (0 <= gamma * head_spending N h k (Z t) (residual h Y (Z t) (V t))) by (apply Rmult_le_pos; assumption).
  lra.
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
