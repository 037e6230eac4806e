(** * AnyLoss: T22, the laws of the flows for any differentiable loss of the predictions.

   notation: see Definitions.v; Z = X B^T, R = res(Z V) is minus the gradient of the loss [ell] in the
   predictions; nothing else is asked of it.  (T5 holds too: T5_boost asks of R no more than continuity.)

   T22_kernel_direction_energy  the feature of any input x moves by
                                sum over samples n of (x . x_n) (V r_n)
   T22_features_follow_kernel   so Z obeys  Z' = K R V^T  with K = X X^T
   T22_conservation             V V^T - gamma B B^T never changes
   T22_loss_budget              d ell / dt = - tr(R^T K R V^T V) - gamma |Z^T R|^2
   T22_loss_decreases           so for a semidefinite K and gamma >= 0 the loss never rises
   T22_probing_decreases        nor during head probing
   T22_squared_loss             the residual of |Y - F|^2 / 2 is Y - F
   T22_cross_entropy            the residual of softmax with cross-entropy is Y - softmax(F)
   *)

Require Import Reals Lra Lia Psatz.
From Coquelicot Require Import Coquelicot.
From TaskHead Require Import Definitions Sums Calculus.
Open Scope R_scope.

Theorem T22_kernel_direction_energy gamma N d h k X res B V :
  is_loss_flow gamma N d h k X res B V ->
  forall t (x : vec) j, 0 <= t -> (j < h)%nat ->
    is_derive (fun s => sumn d (fun i => B s j i * x i)) t
      (sumn N (fun n => sumn d (fun i => x i * X n i) *
         sumn k (fun c => V t j c * res (predict h (features d X (B t)) (V t)) n c))).
Proof.
  intros Hf t x j Ht Hj. destruct (Hf t Ht) as [HB _].
  set (Rt := res (predict h (features d X (B t)) (V t))) in *.
  refine (is_derive_val _ _ _ _ (is_derive_sumn d (fun s i => B s j i * x i)
    (fun i => sumn N (fun n => sumn k (fun c => V t j c * Rt n c) * X n i) * x i) t _) _).
  - intros i Hi. refine (is_derive_val _ _ _ _ (is_derive_Rmult _ (fun _ => x i) t _ _
      (HB j i Hj Hi) (is_derive_Rconst _ _)) _). ring.
  - transitivity (sumn d (fun i => sumn N (fun n => x i * X n i * sumn k (fun c => V t j c * Rt n c)))).
    + apply sumn_ext. intros i Hi. rewrite <- sumn_scal_r. apply sumn_ext. intros; ring.
    + rewrite sumn_swap. apply sumn_ext. intros n Hn. now rewrite sumn_scal_r.
Qed.

Theorem T22_features_follow_kernel gamma N d h k X res B V :
  is_loss_flow gamma N d h k X res B V ->
  is_loss_feature_flow gamma N h k (fun n m => sumn d (fun i => X n i * X m i)) res
    (fun t => features d X (B t)) V.
Proof.
  intros Hf t Ht. split.
  - intros n j Hn Hj.
    apply (is_derive_extR (fun s => sumn d (fun i => B s j i * X n i))).
    + intros s. unfold features. apply sumn_ext. intros; ring.
    + exact (T22_kernel_direction_energy gamma N d h k X res B V Hf t (X n) j Ht Hj).
  - intros j c Hj Hc. destruct (Hf t Ht) as [_ HV]. exact (HV j c Hj Hc).
Qed.

Theorem T22_conservation gamma N d h k X res B V :
  is_loss_flow gamma N d h k X res B V ->
  forall j l t, (j < h)%nat -> (l < h)%nat -> 0 <= t ->
    sumn k (fun c => V t j c * V t l c) - gamma * sumn d (fun i => B t j i * B t l i) =
    sumn k (fun c => V 0 j c * V 0 l c) - gamma * sumn d (fun i => B 0 j i * B 0 l i).
Proof.
  intros Hf j l t Hj Hl Ht.
  apply (constant_from (fun s => sumn k (fun c => V s j c * V s l c) - gamma * sumn d (fun i => B s j i * B s l i)));
    [|exact Ht].
  intros s Hs. destruct (Hf s Hs) as [HB HV].
  set (Z := features d X (B s)) in *. set (Rt := res (predict h Z (V s))) in *.
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

(** ** The budget of the loss *)

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

Theorem T22_loss_budget gamma N h k K ell res Z V :
  residual_of N k ell res -> is_loss_feature_flow gamma N h k K res Z V ->
  forall t, 0 <= t ->
  is_derive (fun s => ell (predict h (Z s) (V s))) t
    (- backbone_spending N h k K (res (predict h (Z t) (V t))) (V t)
     - gamma * head_spending N h k (Z t) (res (predict h (Z t) (V t)))).
Proof.
  intros Hl Hf t Ht. set (Rt := res (predict h (Z t) (V t))).
  rewrite backbone_spending_quadratic.
  set (G := fun n j => sumn k (fun c => V t j c * Rt n c)).
  set (D := fun n c => - sumn h (fun j => sumn N (fun m => K n m * sumn k (fun e => V t j e * Rt m e)) * V t j c
                        + Z t n j * (gamma * sumn N (fun m => Z t m j * Rt m c)))).
  assert (DL : is_derive (fun s => ell (predict h (Z s) (V s))) t (sumn N (fun n => sumn k (fun c => Rt n c * D n c)))).
  { refine (is_derive_val _ _ _ _ (Hl (fun s => predict h (Z s) (V s)) (fun n c => - D n c) t _) _).
    - intros n c Hn Hc. destruct (Hf t Ht) as [HZ HV]. fold Rt in HZ, HV. unfold predict, D. rewrite Ropp_involutive.
      apply (is_derive_sumn h (fun s j => Z s n j * V s j c)). intros j Hj.
      apply is_derive_Rmult; [exact (HZ n j Hn Hj)|exact (HV j c Hj Hc)].
    - fold Rt. transitivity ((-1) * sumn N (fun n => sumn k (fun c => Rt n c * - D n c))); [ring|].
      rewrite <- sumn_scal. apply sumn_ext; intros n _. rewrite <- sumn_scal. apply sumn_ext; intros c _. ring. }
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

Theorem T22_loss_decreases gamma N h k K ell res Z V :
  0 <= gamma -> semidefinite N K -> residual_of N k ell res -> is_loss_feature_flow gamma N h k K res Z V ->
  forall s t, 0 <= s <= t -> ell (predict h (Z t) (V t)) <= ell (predict h (Z s) (V s)).
Proof.
  intros Hg HK Hl Hf.
  apply (nonincreasing_from (fun s => ell (predict h (Z s) (V s))) _ (T22_loss_budget gamma N h k K ell res Z V Hl Hf)).
  intros t _. set (Rt := res (predict h (Z t) (V t))).
  pose proof (backbone_spending_nonneg N h k K Rt (V t) HK).
  pose proof (head_spending_nonneg N h k (Z t) Rt).
  assert (0 <= gamma * head_spending N h k (Z t) Rt) by (apply Rmult_le_pos; assumption).
  lra.
Qed.

(** Head probing is the case K = 0, gamma = 1. *)
Theorem T22_probing_decreases N h k ell res (Z : mat) (V : R -> mat) :
  residual_of N k ell res ->
  (forall t, 0 <= t -> forall j c, (j < h)%nat -> (c < k)%nat ->
     is_derive (fun s => V s j c) t (sumn N (fun n => Z n j * res (predict h Z (V t)) n c))) ->
  forall s t, 0 <= s <= t -> ell (predict h Z (V t)) <= ell (predict h Z (V s)).
Proof.
  intros Hl HV.
  apply (T22_loss_decreases 1 N h k (fun _ _ => 0) ell res (fun _ => Z) V); [lra| |exact Hl|].
  - intros x. right. rewrite (sumn_ext N _ (fun _ => 0)); [now rewrite sumn_zero|].
    intros n _. rewrite (sumn_ext N _ (fun _ => 0)); [apply sumn_zero|intros; ring].
  - intros t Ht Rt. split.
    + intros n j _ _. refine (is_derive_val _ _ _ _ (is_derive_Rconst (Z n j) t) _).
      rewrite (sumn_ext N _ (fun _ => 0)); [now rewrite sumn_zero|intros; ring].
    + intros j c Hj Hc. refine (is_derive_val _ _ _ _ (HV t Ht j c Hj Hc) _). unfold Rt. ring.
Qed.

(** ** The two losses of the program *)

Theorem T22_squared_loss N k Y : residual_of N k (squared_loss N k Y) (squared_residual Y).
Proof.
  intros F dF t HF. unfold squared_loss, frob2, squared_residual, msub.
  refine (is_derive_val _ _ _ _ (is_derive_extR
    (fun s => / 2 * sumn N (fun n => sumn k (fun c => (Y n c - F s n c)^2))) _ t _ _
    (is_derive_Rscal _ (/ 2) _ _ (is_derive_sumn N (fun s n => sumn k (fun c => (Y n c - F s n c)^2))
      (fun n => sumn k (fun c => - 2 * ((Y n c - F t n c) * dF n c))) t _))) _).
  - intros s. unfold Rdiv. ring.
  - intros n Hn. apply (is_derive_sumn k (fun s c => (Y n c - F s n c)^2)). intros c Hc.
    assert (D : is_derive (fun s => Y n c - F s n c) t (0 - dF n c))
      by (apply is_derive_Rminus; [apply is_derive_Rconst|now apply HF]).
    apply (is_derive_extR (fun s => (Y n c - F s n c) * (Y n c - F s n c))); [intros; ring|].
    refine (is_derive_val _ _ _ _ (is_derive_Rmult _ _ _ _ _ D D) _). ring.
  - rewrite (sumn_ext N _ (fun n => - 2 * sumn k (fun c => (Y n c - F t n c) * dF n c)))
      by (intros; now rewrite sumn_scal).
    rewrite sumn_scal. field.
Qed.

Lemma partition_pos k f : (0 < k)%nat -> 0 < partition k f.
Proof.
  intros Hk. unfold partition. destruct k as [|p]; [lia|]. simpl.
  assert (0 <= sumn p (fun c => exp (f c))) by (apply sumn_nonneg; intros; left; apply exp_pos).
  pose proof (exp_pos (f p)). lra.
Qed.

Theorem T22_cross_entropy N k Y : (0 < k)%nat ->
  residual_of N k (cross_entropy N k Y) (softmax_residual k Y).
Proof.
  intros Hk F dF t HF. unfold cross_entropy, softmax_residual.
  refine (is_derive_val _ _ _ _ (is_derive_sumn N
    (fun s n => ln (partition k (F s n)) - sumn k (fun c => Y n c * F s n c))
    (fun n => sumn k (fun c => softmax k (F t n) c * dF n c) - sumn k (fun c => Y n c * dF n c)) t _) _).
  - intros n Hn. apply (is_derive_Rminus (fun s => ln (partition k (F s n))) (fun s => sumn k (fun c => Y n c * F s n c))).
    + assert (DP : is_derive (fun s => partition k (F s n)) t (sumn k (fun c => dF n c * exp (F t n c)))).
      { apply (is_derive_sumn k (fun s c => exp (F s n c))). intros c Hc. apply (is_derive_exp_comp (fun s => F s n c)).
        now apply HF. }
      pose proof (partition_pos k (F t n) Hk) as Hp.
      refine (is_derive_val _ _ _ _ (is_derive_comp_R ln (fun s => partition k (F s n)) t _ _ DP (is_derive_ln _ Hp)) _).
      unfold softmax. rewrite <- sumn_scal_r. apply sumn_ext; intros. field. lra.
    + apply (is_derive_sumn k (fun s c => Y n c * F s n c)). intros c Hc. apply is_derive_Rscal. now apply HF.
  - transitivity ((-1) * sumn N (fun n => sumn k (fun c => (Y n c - softmax k (F t n) c) * dF n c))); [|ring].
    rewrite <- sumn_scal. apply sumn_ext; intros n _. rewrite <- sumn_minus, <- sumn_scal. apply sumn_ext; intros; ring.
Qed.
