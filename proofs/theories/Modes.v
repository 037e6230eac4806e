(** * Modes: T14, decoupled rank-one modes on a common probing schedule.

   notation: see Definitions.v.  Mode i (of n) has its own kernel value, target, feature z0 i, head
   and rank-one flow; the rate ratio gamma is shared.  In orthogonal feature subspaces squared
   distances add up, so the total is a sum over modes.

   mode_distance_le        one mode: E1 <= E2 <= y gives |x1 - z0| <= |x2 - z0|, strict if E1 < E2
   T14_total_distance      energies of all modes at most raised and some strictly raised
                           => the total squared distance is strictly larger
   T14_probed_energy       after probing for time tau a mode has energy e^(-|z0|^2 tau) E(0)
   T14_common_schedule     probing all modes longer strictly lowers the total squared energy and
                           strictly lowers the total squared distance
   T14_decoupling          if K, Y, Z and V share orthonormal directions p (samples) and q (outputs) and
                           the modes stay orthogonal (z_i . v_j = 0; Decoupling.v: at the start is enough), the
                           sum of the mode flows solves the matrix flow
   T14_distances_add       and then |Z_T - Z_0|_F^2 is the sum of the squared distances of the modes
   *)

Require Import Reals Lra Lia Psatz.
From Coquelicot Require Import Coquelicot.
From TaskHead Require Import Definitions Sums Calculus Boost LimitEquation Scaling EnergyLaws Probing.
Open Scope R_scope.

Lemma sqrt_lt_sq x y : sqrt x < sqrt y -> 0 <= x -> 0 <= y -> x < y.
Proof.
  intros H Hx Hy. rewrite <- (sqrt_sqrt x Hx), <- (sqrt_sqrt y Hy).
  pose proof (sqrt_pos x). nra.
Qed.

Lemma mode_distance_lt kappa gamma y h z0 v1 v2 x1 u1 x2 u2 :
  0 < kappa -> 0 < gamma -> 0 < y -> 0 < sq h z0 -> same_probing_line h z0 v1 v2 ->
  trains kappa gamma h y z0 v1 x1 u1 -> trains kappa gamma h y z0 v2 x2 u2 ->
  dot h z0 v1 <= y -> dot h z0 v2 <= y -> energy h y z0 v2 <= y ->
  energy h y z0 v1 < energy h y z0 v2 -> sq h (vsub x1 z0) < sq h (vsub x2 z0).
Proof.
  intros Hk Hg Hy Hz Hl T1 T2 B1 B2 Hb HE.
  apply sqrt_lt_sq; [|apply sq_nonneg..].
  exact (T10_energy kappa gamma y h z0 Hk Hg Hy Hz v1 v2 x1 u1 x2 u2 Hl T1 T2 B1 B2 HE Hb).
Qed.

Lemma mode_distance_le kappa gamma y h z0 v1 v2 x1 u1 x2 u2 :
  0 < kappa -> 0 < gamma -> 0 < y -> 0 < sq h z0 -> same_probing_line h z0 v1 v2 ->
  trains kappa gamma h y z0 v1 x1 u1 -> trains kappa gamma h y z0 v2 x2 u2 ->
  dot h z0 v1 <= y -> dot h z0 v2 <= y -> energy h y z0 v2 <= y ->
  energy h y z0 v1 <= energy h y z0 v2 -> sq h (vsub x1 z0) <= sq h (vsub x2 z0).
Proof.
  intros Hk Hg Hy Hz Hl T1 T2 B1 B2 Hb HE.
  destruct HE as [HE|HE].
  - left. eapply (mode_distance_lt kappa gamma y h z0 v1 v2 x1 u1 x2 u2); assumption.
  - rewrite !energy_below in * by assumption.
    destruct (limit_quantities kappa gamma y h z0 Hk Hg Hz v1 x1 u1 Hy
      (not_opposite_aligned kappa gamma h z0 Hk Hg Hz v1 ltac:(lra)) T1) as [_ [_ [N1 _]]].
    destruct (limit_quantities kappa gamma y h z0 Hk Hg Hz v2 x2 u2 Hy
      (not_opposite_aligned kappa gamma h z0 Hk Hg Hz v2 ltac:(lra)) T2) as [_ [_ [N2 _]]].
    rewrite (w_of_line h z0 v1 v2 Hl) in N2.
    assert (E : dot h z0 v1 = dot h z0 v2) by lra. rewrite E in N1.
    right. rewrite N1, N2. reflexivity.
Qed.

Section Total.
Variables (n h : nat) (gamma : R) (kappa y : nat -> R) (z0 : nat -> vec).
Hypothesis Hg : 0 < gamma.
Hypothesis Hk : forall i, (i < n)%nat -> 0 < kappa i.
Hypothesis Hy : forall i, (i < n)%nat -> 0 < y i.
Hypothesis Hz : forall i, (i < n)%nat -> 0 < sq h (z0 i).

Theorem T14_total_distance (v1 v2 x1 u1 x2 u2 : nat -> vec) :
  (forall i, (i < n)%nat ->
     same_probing_line h (z0 i) (v1 i) (v2 i) /\
     trains (kappa i) gamma h (y i) (z0 i) (v1 i) (x1 i) (u1 i) /\
     trains (kappa i) gamma h (y i) (z0 i) (v2 i) (x2 i) (u2 i) /\
     dot h (z0 i) (v1 i) <= y i /\ dot h (z0 i) (v2 i) <= y i /\
     energy h (y i) (z0 i) (v1 i) <= energy h (y i) (z0 i) (v2 i) <= y i) ->
  (exists i, (i < n)%nat /\ energy h (y i) (z0 i) (v1 i) < energy h (y i) (z0 i) (v2 i)) ->
  sumn n (fun i => sq h (vsub (x1 i) (z0 i))) < sumn n (fun i => sq h (vsub (x2 i) (z0 i))).
Proof.
  intros H [j [Hj Hlt]]. apply sumn_lt.
  - intros i Hi. destruct (H i Hi) as [Hl [T1 [T2 [B1 [B2 [HE Hb]]]]]].
    apply (mode_distance_le (kappa i) gamma (y i) h (z0 i) (v1 i) (v2 i) (x1 i) (u1 i) (x2 i) (u2 i)); auto.
  - exists j. split; [exact Hj|]. destruct (H j Hj) as [Hl [T1 [T2 [B1 [B2 [HE Hb]]]]]].
    apply (mode_distance_lt (kappa j) gamma (y j) h (z0 j) (v1 j) (v2 j) (x1 j) (u1 j) (x2 j) (u2 j)); auto.
Qed.

Lemma probed_dot h' yy z v tau :
  yy - dot h' z (probed_head h' yy z v tau) = exp (- (sq h' z * tau)) * (yy - dot h' z v).
Proof.
  unfold probed_head. rewrite dot_comb_r. fold (sq h' z). rewrite <- phi_exp. ring.
Qed.

Theorem T14_probed_energy h' yy z v tau :
  energy h' yy z (probed_head h' yy z v tau) = exp (- (sq h' z * tau)) * energy h' yy z v.
Proof.
  unfold energy. rewrite probed_dot, Rabs_mult. f_equal. apply Rabs_pos_eq. left. apply exp_pos.
Qed.

Theorem T14_common_schedule (v0 x1 u1 x2 u2 : nat -> vec) (tau1 tau2 : R) :
  0 <= tau1 < tau2 ->
  (forall i, (i < n)%nat -> 0 <= dot h (z0 i) (v0 i) <= y i) ->
  (exists i, (i < n)%nat /\ dot h (z0 i) (v0 i) < y i) ->
  (forall i, (i < n)%nat ->
     trains (kappa i) gamma h (y i) (z0 i) (probed_head h (y i) (z0 i) (v0 i) tau1) (x1 i) (u1 i) /\
     trains (kappa i) gamma h (y i) (z0 i) (probed_head h (y i) (z0 i) (v0 i) tau2) (x2 i) (u2 i)) ->
  sumn n (fun i => energy h (y i) (z0 i) (probed_head h (y i) (z0 i) (v0 i) tau2) ^ 2) <
  sumn n (fun i => energy h (y i) (z0 i) (probed_head h (y i) (z0 i) (v0 i) tau1) ^ 2) /\
  sumn n (fun i => sq h (vsub (x2 i) (z0 i))) < sumn n (fun i => sq h (vsub (x1 i) (z0 i))).
Proof.
  intros Ht Ha [j [Hj Hlt]] HT.
  assert (Edec : forall i, (i < n)%nat -> exp (- (sq h (z0 i) * tau2)) < exp (- (sq h (z0 i) * tau1)) <= 1).
  { intros i Hi. specialize (Hz i Hi). split.
    - apply exp_increasing. assert (sq h (z0 i) * tau1 < sq h (z0 i) * tau2) by (apply Rmult_lt_compat_l; lra). lra.
    - rewrite <- exp_0. replace 0 with (- (sq h (z0 i) * 0)) by ring. apply decay_le; lra. }
  assert (Ele : forall i, (i < n)%nat ->
    energy h (y i) (z0 i) (probed_head h (y i) (z0 i) (v0 i) tau2) <=
    energy h (y i) (z0 i) (probed_head h (y i) (z0 i) (v0 i) tau1) <= y i).
  { intros i Hi. rewrite !T14_probed_energy. destruct (Edec i Hi) as [D1 D2].
    specialize (Ha i Hi). rewrite energy_below by lra.
    pose proof (exp_pos (- (sq h (z0 i) * tau1))).
    split; [apply Rmult_le_compat_r; lra|].
    apply Rle_trans with (1 * (y i - dot h (z0 i) (v0 i))); [apply Rmult_le_compat_r; lra|lra]. }
  assert (Elt : energy h (y j) (z0 j) (probed_head h (y j) (z0 j) (v0 j) tau2) <
                energy h (y j) (z0 j) (probed_head h (y j) (z0 j) (v0 j) tau1)).
  { rewrite !T14_probed_energy. destruct (Edec j Hj) as [D1 D2].
    rewrite energy_below by lra. apply Rmult_lt_compat_r; lra. }
  assert (Epos : forall i tau, 0 <= energy h (y i) (z0 i) (probed_head h (y i) (z0 i) (v0 i) tau))
    by (intros; apply Rabs_pos).
  split.
  - apply sumn_lt.
    + intros i Hi. apply pow_incr. split; [apply Epos|apply Ele; exact Hi].
    + exists j. split; [exact Hj|]. pose proof (Epos j tau2). nra.
  - apply (T14_total_distance (fun i => probed_head h (y i) (z0 i) (v0 i) tau2)
      (fun i => probed_head h (y i) (z0 i) (v0 i) tau1) x2 u2 x1 u1).
    + intros i Hi. destruct (HT i Hi) as [TT1 TT2]. specialize (Ha i Hi).
      assert (B : forall tau, dot h (z0 i) (probed_head h (y i) (z0 i) (v0 i) tau) <= y i).
      { intros tau. pose proof (probed_dot h (y i) (z0 i) (v0 i) tau) as E.
        assert (0 <= exp (- (sq h (z0 i) * tau)) * (y i - dot h (z0 i) (v0 i)))
          by (apply Rmult_le_pos; [left; apply exp_pos|lra]). lra. }
      split; [|split; [exact TT2|split; [exact TT1|split; [apply B|split; [apply B|now apply Ele]]]]].
      exists ((phi (sq h (z0 i)) tau1 - phi (sq h (z0 i)) tau2) * (y i - dot h (z0 i) (v0 i))).
      intros l _. unfold probed_head, comb. ring.
    + exists j. split; [exact Hj|exact Elt].
Qed.

End Total.

(** ** Modes inside the matrix flow

   [p i] and [q i] are orthonormal singular directions over samples and outputs. *)

Lemma outer_apply n N c (u v : nat -> vec) (x : vec) a :
  sumn N (fun b => outer_sum n c u v a b * x b) = sumn n (fun i => c i * u i a * dot N (v i) x).
Proof.
  unfold outer_sum, dot.
  transitivity (sumn N (fun b => sumn n (fun i => c i * u i a * (v i b * x b)))).
  - apply sumn_ext; intros b _. rewrite <- sumn_scal_r. apply sumn_ext; intros; ring.
  - rewrite sumn_swap. apply sumn_ext; intros i _. now rewrite sumn_scal.
Qed.

Lemma dot_outer n N d (w v : nat -> vec) (x : vec) b :
  sumn N (fun a => x a * outer_sum n d w v a b) = sumn n (fun j => d j * dot N x (w j) * v j b).
Proof.
  unfold outer_sum, dot.
  transitivity (sumn N (fun a => sumn n (fun j => d j * v j b * (x a * w j a)))).
  - apply sumn_ext; intros a _. rewrite <- sumn_scal. apply sumn_ext; intros; ring.
  - rewrite sumn_swap. apply sumn_ext; intros j _. rewrite sumn_scal. ring.
Qed.

(** Product of two outer sums whose inner vectors form a diagonal table [g]. *)
Lemma outer_product n N c d (u v w x : nat -> vec) (g : nat -> R) a b :
  (forall i j, (i < n)%nat -> (j < n)%nat -> dot N (v i) (w j) = if Nat.eqb i j then g i else 0) ->
  sumn N (fun l => outer_sum n c u v a l * outer_sum n d w x l b) =
  sumn n (fun i => c i * g i * d i * u i a * x i b).
Proof.
  intros H. rewrite (outer_apply n N c u v (fun l => outer_sum n d w x l b) a).
  apply sumn_ext; intros i Hi. unfold dot at 1. rewrite dot_outer.
  rewrite (sumn_single n i); [|exact Hi|].
  - rewrite H, Nat.eqb_refl by assumption. ring.
  - intros j Hj Hne. rewrite H by assumption.
    apply Nat.eqb_neq in Hne. rewrite Nat.eqb_sym, Hne. ring.
Qed.

Lemma orthonormal_table n N p : orthonormal n N p ->
  forall i j, (i < n)%nat -> (j < n)%nat -> dot N (p i) (p j) = if Nat.eqb i j then 1 else 0.
Proof. auto. Qed.

Theorem T14_decoupling n N h k gamma (kappa y : nat -> R) (p q : nat -> vec) (z v : nat -> R -> vec) :
  orthonormal n N p -> orthonormal n k q ->
  (forall i, (i < n)%nat -> is_flow (kappa i) gamma h (y i) (z i) (v i)) ->
  (forall t i j, 0 <= t -> (i < n)%nat -> (j < n)%nat -> i <> j -> dot h (z i t) (v j t) = 0) ->
  is_feature_flow gamma N h k (outer_sum n kappa p p) (outer_sum n y p q)
    (fun t => outer_sum n (fun _ => 1) p (fun i => z i t))
    (fun t => outer_sum n (fun _ => 1) (fun i => v i t) q).
Proof.
  intros Hp Hq Hf Ho t Ht Rt.
  set (r := fun i => y i - dot h (z i t) (v i t)).
  assert (ER : forall a c, Rt a c = outer_sum n r p q a c).
  { intros a c. unfold Rt, residual.
    rewrite (outer_product n h (fun _ => 1) (fun _ => 1) p (fun i => z i t) (fun i => v i t) q
      (fun i => dot h (z i t) (v i t)) a c).
    - unfold outer_sum. rewrite <- sumn_minus. apply sumn_ext; intros i _. unfold r. ring.
    - intros i j Hi Hj. destruct (Nat.eqb i j) eqn:E.
      + apply Nat.eqb_eq in E. now subst.
      + apply Nat.eqb_neq in E. now apply Ho. }
  split.
  - intros a j Ha Hj.
    refine (is_derive_val _ _ _ _ (is_derive_sumn n (fun s i => 1 * p i a * z i s j)
      (fun i => 1 * p i a * (kappa i * r i * v i t j)) t _) _).
    + intros i Hi. apply is_derive_Rscal. destruct (Hf i Hi t Ht j Hj) as [D _]. exact D.
    + transitivity (sumn N (fun m => outer_sum n kappa p p a m * outer_sum n r p (fun i => v i t) m j)).
      * rewrite (outer_product n N kappa r p p p (fun i => v i t) (fun _ => 1) a j (orthonormal_table n N p Hp)).
        apply sumn_ext; intros; ring.
      * apply sumn_ext; intros m _. f_equal.
        transitivity (sumn k (fun c => outer_sum n r p q m c * outer_sum n (fun _ => 1) q (fun i => v i t) c j)).
        -- rewrite (outer_product n k r (fun _ => 1) p q q (fun i => v i t) (fun _ => 1) m j (orthonormal_table n k q Hq)).
           apply sumn_ext; intros; ring.
        -- apply sumn_ext; intros c _. rewrite ER. rewrite Rmult_comm. f_equal.
           apply sumn_ext; intros; ring.
  - intros j c Hj Hc.
    refine (is_derive_val _ _ _ _ (is_derive_sumn n (fun s i => 1 * v i s j * q i c)
      (fun i => 1 * (gamma * r i * z i t j) * q i c) t _) _).
    + intros i Hi. destruct (Hf i Hi t Ht j Hj) as [_ D].
      refine (is_derive_val _ _ _ _ (is_derive_Rmult (fun s => 1 * v i s j) (fun _ => q i c) t _ _
        (is_derive_Rscal _ 1 _ _ D) (is_derive_Rconst _ _)) _). unfold r. ring.
    + transitivity (gamma * sumn N (fun a => outer_sum n (fun _ => 1) (fun i => z i t) p j a * outer_sum n r p q a c)).
      * rewrite (outer_product n N (fun _ => 1) r (fun i => z i t) p p q (fun _ => 1) j c (orthonormal_table n N p Hp)).
        rewrite <- sumn_scal. apply sumn_ext; intros; ring.
      * f_equal. apply sumn_ext; intros a _. rewrite ER. f_equal. apply sumn_ext; intros; ring.
Qed.

(** The squared Frobenius distance is the sum over modes. *)
Theorem T14_distances_add n N h (p : nat -> vec) (x z0 : nat -> vec) :
  orthonormal n N p ->
  frob2 N h (msub (outer_sum n (fun _ => 1) p x) (outer_sum n (fun _ => 1) p z0)) =
  sumn n (fun i => sq h (vsub (x i) (z0 i))).
Proof.
  intros Hp.
  transitivity (sumn h (fun j => sumn n (fun i => (x i j - z0 i j) * (x i j - z0 i j)))).
  - unfold frob2. rewrite sumn_swap. apply sumn_ext; intros j _.
    set (D := fun i (_ : nat) => x i j - z0 i j).
    transitivity (sumn N (fun a => outer_sum n (fun _ => 1) D p 0%nat a * outer_sum n (fun _ => 1) p D a 0%nat)).
    + apply sumn_ext; intros a _. unfold msub, outer_sum.
      rewrite <- sumn_minus.
      rewrite (sumn_ext n (fun i => 1 * p i a * x i j - 1 * p i a * z0 i j) (fun i => 1 * p i a * D i 0%nat))
        by (intros; unfold D; ring).
      rewrite (sumn_ext n (fun i => 1 * D i 0%nat * p i a) (fun i => 1 * p i a * D i 0%nat)) by (intros; ring).
      ring.
    + rewrite (outer_product n N (fun _ => 1) (fun _ => 1) D p p D (fun _ => 1) 0 0 (orthonormal_table n N p Hp)).
      apply sumn_ext; intros. unfold D. ring.
  - rewrite sumn_swap. reflexivity.
Qed.
