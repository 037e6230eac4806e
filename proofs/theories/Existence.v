(** * Existence: systems whose field is Lipschitz on every box have unique solutions, for all times if bounded.

   notation: see Definitions.v; norm1 in Picard.v.  box p q M A: all entries of A are at most M in size.

   tame                bounded and Lipschitz on a box; sums and products of tame functions are tame
   global_unique       two solutions of such a system with one start agree (Groenwall)
   global_exists       and a solution exists for all times if solutions cannot outgrow a bound:
                       Picard's theorem for the clipped field, then continuous induction
   *)

Require Import Reals Lra Lia Psatz.
From Coquelicot Require Import Coquelicot.
From TaskHead Require Import Definitions Sums Calculus MatrixFlow Lorentz EnergyBound Picard.
Open Scope R_scope.

Definition box (p q : nat) (M : R) (A : mat) : Prop :=
  forall i j, (i < p)%nat -> (j < q)%nat -> Rabs (A i j) <= M.

Lemma norm1_box p q A M : norm1 p q A <= M -> box p q M A.
Proof. intros H i j Hi Hj. eapply Rle_trans; [exact (norm1_entry p q A i j Hi Hj)|exact H]. Qed.

(** The number of entries, as a real. *)
Definition cells (p q : nat) : R := sumn p (fun _ => sumn q (fun _ => 1)).

Lemma cells_nonneg p q : 0 <= cells p q.
Proof. apply sumn_nonneg; intros; apply sumn_nonneg; intros; lra. Qed.

Lemma norm1_cs p q A : norm1 p q A * norm1 p q A <= cells p q * frob2 p q A.
Proof.
  pose proof (fdot_cs p q A (fun i j => sign (A i j))) as H.
  replace (fdot p q A (fun i j => sign (A i j))) with (norm1 p q A) in H.
  - replace (frob2 p q (fun i j => sign (A i j))) with (cells p q) in H; [simpl in H; lra|].
    apply sumn_ext; intros; apply sumn_ext; intros. unfold sign. destruct (Rle_dec 0 (A i i0)); ring.
  - apply sumn_ext; intros; apply sumn_ext; intros. rewrite <- sign_abs. ring.
Qed.

Lemma norm1_le_frob2 p q A : norm1 p q A <= cells p q + frob2 p q A.
Proof.
  unfold cells, frob2. rewrite <- sumn_plus. apply sumn_le; intros i _. rewrite <- sumn_plus.
  apply sumn_le; intros j _. rewrite <- (pow2_abs (A i j)). pose proof (Rabs_pos (A i j)). nra.
Qed.

(** ** Functions of the entries that are bounded and Lipschitz on every box *)

Section Tame.
Variables (p q : nat) (M : R).

Definition tame (f : mat -> R) : Prop :=
  exists C L, 0 <= C /\ 0 <= L /\ forall A B, box p q M A -> box p q M B ->
    Rabs (f A) <= C /\ Rabs (f A - f B) <= L * norm1 p q (fun i j => A i j - B i j).

Lemma tame_const c : tame (fun _ => c).
Proof.
  exists (Rabs c), 0. split; [apply Rabs_pos|split; [lra|]]. intros A B _ _. rewrite Rminus_eq_0, Rabs_R0.
  split; lra.
Qed.

Lemma tame_entry i j : (i < p)%nat -> (j < q)%nat -> tame (fun A => A i j).
Proof.
  intros Hi Hj. exists (Rabs M), 1. split; [apply Rabs_pos|split; [lra|]]. intros A B HA _. split.
  - eapply Rle_trans; [now apply HA|apply Rle_abs].
  - rewrite Rmult_1_l. exact (norm1_entry p q (fun i j => A i j - B i j) i j Hi Hj).
Qed.

Lemma tame_plus f g : tame f -> tame g -> tame (fun A => f A + g A).
Proof.
  intros [C [L [HC [HL Hf]]]] [C' [L' [HC' [HL' Hg]]]]. exists (C + C'), (L + L').
  split; [lra|split; [lra|]]. intros A B HA HB. destruct (Hf A B HA HB), (Hg A B HA HB). split.
  - eapply Rle_trans; [apply Rabs_triang|]. lra.
  - replace (f A + g A - (f B + g B)) with ((f A - f B) + (g A - g B)) by ring.
    eapply Rle_trans; [apply Rabs_triang|]. lra.
Qed.

Lemma tame_mult f g : tame f -> tame g -> tame (fun A => f A * g A).
Proof.
  intros [C [L [HC [HL Hf]]]] [C' [L' [HC' [HL' Hg]]]]. exists (C * C'), (C * L' + L * C').
  split; [nra|split; [nra|]]. intros A B HA HB.
  destruct (Hf A B HA HB) as [F1 F2], (Hg A B HA HB) as [G1 G2], (Hg B A HB HA) as [G3 _]. split.
  - rewrite Rabs_mult. apply Rmult_le_compat; try apply Rabs_pos; assumption.
  - replace (f A * g A - f B * g B) with (f A * (g A - g B) + (f A - f B) * g B) by ring.
    eapply Rle_trans; [apply Rabs_triang|]. rewrite !Rabs_mult, Rmult_plus_distr_r. apply Rplus_le_compat.
    + rewrite Rmult_assoc. apply Rmult_le_compat; try apply Rabs_pos; assumption.
    + replace (L * C' * norm1 p q (fun i j => A i j - B i j))
        with (L * norm1 p q (fun i j => A i j - B i j) * C') by ring.
      apply Rmult_le_compat; try apply Rabs_pos; assumption.
Qed.

Lemma tame_minus f g : tame f -> tame g -> tame (fun A => f A - g A).
Proof.
  intros Hf Hg. pose proof (tame_plus f (fun A => -1 * g A) Hf (tame_mult (fun _ => -1) g (tame_const _) Hg)) as H.
  destruct H as [C [L [HC [HL H]]]]. exists C, L. split; [exact HC|split; [exact HL|]].
  intros A B HA HB. destruct (H A B HA HB) as [H1 H2].
  replace (f A - g A) with (f A + -1 * g A) by ring. replace (f B - g B) with (f B + -1 * g B) by ring. now split.
Qed.

Lemma tame_sumn n (f : nat -> mat -> R) : (forall i, (i < n)%nat -> tame (f i)) -> tame (fun A => sumn n (fun i => f i A)).
Proof.
  induction n as [|n IH]; intros H; [exact (tame_const 0)|].
  apply (tame_plus (fun A => sumn n (fun i => f i A)) (f n)); [apply IH; intros; apply H; lia|apply H; lia].
Qed.

Lemma sum_constants n (g : nat -> mat -> mat -> R) :
  (forall i, (i < n)%nat -> exists L, 0 <= L /\ forall A B, box p q M A -> box p q M B ->
     g i A B <= L * norm1 p q (fun i j => A i j - B i j)) ->
  exists L, 0 <= L /\ forall A B, box p q M A -> box p q M B ->
     sumn n (fun i => g i A B) <= L * norm1 p q (fun i j => A i j - B i j).
Proof.
  induction n as [|n IH]; intros H.
  - exists 0. split; [lra|]. intros. simpl. lra.
  - destruct IH as [L [HL IH]]; [intros; apply H; lia|]. destruct (H n ltac:(lia)) as [L' [HL' H']].
    exists (L + L'). split; [lra|]. intros A B HA HB. simpl. specialize (IH A B HA HB). specialize (H' A B HA HB). lra.
Qed.

Lemma tame_field (F : mat -> mat) :
  (forall i j, (i < p)%nat -> (j < q)%nat -> tame (fun A => F A i j)) ->
  exists L, 0 <= L /\ forall A B, box p q M A -> box p q M B ->
    norm1 p q (fun i j => F A i j - F B i j) <= L * norm1 p q (fun i j => A i j - B i j).
Proof.
  intros H. apply (sum_constants p (fun i A B => sumn q (fun j => Rabs (F A i j - F B i j)))). intros i Hi.
  apply (sum_constants q (fun j A B => Rabs (F A i j - F B i j))). intros j Hj.
  destruct (H i j Hi Hj) as [C [L [_ [HL HF]]]]. exists L. split; [exact HL|]. intros A B HA HB. now apply HF.
Qed.

End Tame.

(** ** Systems with a locally Lipschitz field *)

Section Global.
Variables (p q : nat) (F : mat -> mat).
Hypothesis F_local : forall M, exists L, 0 <= L /\ forall A B, box p q M A -> box p q M B ->
  norm1 p q (fun i j => F A i j - F B i j) <= L * norm1 p q (fun i j => A i j - B i j).

Definition solves_on (T : R) (x : R -> mat) : Prop :=
  forall t, 0 <= t <= T -> forall i j, (i < p)%nat -> (j < q)%nat -> is_derive (fun s => x s i j) t (F (x t) i j).

Lemma solves_on_less T T' x : T' <= T -> solves_on T x -> solves_on T' x.
Proof. intros H Hx t Ht. apply Hx. lra. Qed.

Lemma norm1_continuous (x : R -> mat) t :
  (forall i j, (i < p)%nat -> (j < q)%nat -> continuous (fun s => x s i j) t) -> continuous (fun s => norm1 p q (x s)) t.
Proof.
  intros H. apply (continuous_sumn p (fun s i => sumn q (fun j => Rabs (x s i j)))). intros i Hi.
  apply (continuous_sumn q (fun s j => Rabs (x s i j))). intros j Hj.
  apply (continuous_comp (fun s => x s i j) Rabs); [now apply H|apply continuous_Rabs].
Qed.

Lemma bounded_on T x : 0 <= T -> solves_on T x -> exists M, forall t, 0 <= t <= T -> box p q M (x t).
Proof.
  intros HT Hx. destruct (continuity_ab_maj (fun t => norm1 p q (x t)) 0 T HT) as [s [Hs _]].
  - intros t Ht. apply continuity_pt_filterlim. apply norm1_continuous. intros i j Hi Hj.
    eapply is_derive_continuous. now apply Hx.
  - exists (norm1 p q (x s)). intros t Ht. apply norm1_box. now apply Hs.
Qed.

Lemma global_unique T x y : 0 <= T -> solves_on T x -> solves_on T y ->
  (forall i j, (i < p)%nat -> (j < q)%nat -> x 0 i j = y 0 i j) ->
  forall i j, (i < p)%nat -> (j < q)%nat -> x T i j = y T i j.
Proof.
  intros HT Hx Hy H0.
  destruct (bounded_on T x HT Hx) as [M1 B1]. destruct (bounded_on T y HT Hy) as [M2 B2].
  destruct (F_local (Rmax M1 M2)) as [L [HL HF]].
  set (d := fun t i j => x t i j - y t i j). set (f := fun t => frob2 p q (d t)).
  set (a := 2 * L * cells p q).
  set (df := fun t => sumn p (fun i => sumn q (fun j => 2 * (d t i j * (F (x t) i j - F (y t) i j))))).
  assert (Df : forall t, 0 <= t <= T -> is_derive f t (df t)).
  { intros t Ht. apply (is_derive_sumn p (fun t i => sumn q (fun j => d t i j ^ 2))). intros i Hi.
    apply (is_derive_sumn q (fun t j => d t i j ^ 2)). intros j Hj.
    apply (is_derive_extR (fun t => d t i j * d t i j)); [intros; ring|].
    pose proof (is_derive_Rminus _ _ _ _ _ (Hx t Ht i j Hi Hj) (Hy t Ht i j Hi Hj)) as D.
    refine (is_derive_val _ _ _ _ (is_derive_Rmult _ _ _ _ _ D D) _). unfold d. ring. }
  assert (Hdf : forall t, 0 <= t <= T -> df t <= a * f t).
  { intros t Ht. set (G := fun i j => F (x t) i j - F (y t) i j).
    assert (HG : norm1 p q G <= L * norm1 p q (d t)).
    { apply HF; intros i j Hi Hj.
      - apply Rle_trans with M1; [now apply (B1 t Ht)|apply Rmax_l].
      - apply Rle_trans with M2; [now apply (B2 t Ht)|apply Rmax_r]. }
    apply Rle_trans with (2 * (norm1 p q (d t) * norm1 p q G)).
    - unfold df, norm1 at 1. rewrite <- sumn_scal_r, <- sumn_scal. apply sumn_le; intros i Hi.
      rewrite <- sumn_scal_r, <- sumn_scal. apply sumn_le; intros j Hj. fold (G i j).
      apply Rmult_le_compat_l; [lra|]. apply Rle_trans with (Rabs (d t i j * G i j)); [apply Rle_abs|].
      rewrite Rabs_mult. apply Rmult_le_compat_l; [apply Rabs_pos|]. now apply norm1_entry.
    - pose proof (norm1_nonneg p q (d t)). pose proof (norm1_cs p q (d t)) as HC. fold (f t) in HC. unfold a.
      assert (norm1 p q (d t) * norm1 p q G <= L * (norm1 p q (d t) * norm1 p q (d t))) by nra.
      assert (L * (norm1 p q (d t) * norm1 p q (d t)) <= L * (cells p q * f t)) by (apply Rmult_le_compat_l; lra).
      lra. }
  assert (K : f T * exp (- (a * T)) <= f 0 * exp (- (a * 0))).
  { apply (nonincreasing_upto (fun t => f t * exp (- (a * t)))
      (fun t => df t * exp (- (a * t)) + f t * (- a * exp (- (a * t)))) T HT).
    - intros t Ht. apply (is_derive_Rmult f (fun t => exp (- (a * t)))); [now apply Df|].
      apply (is_derive_exp_comp (fun t => - (a * t))). auto_derive; [exact I|]. ring.
    - intros t Ht. specialize (Hdf t ltac:(lra)). pose proof (exp_pos (- (a * t))).
      replace (df t * exp (- (a * t)) + f t * (- a * exp (- (a * t)))) with ((df t - a * f t) * exp (- (a * t))) by ring.
      nra. }
  assert (F0 : f 0 = 0).
  { unfold f, frob2. rewrite (sumn_ext p _ (fun _ => 0)); [apply sumn_zero|]. intros i Hi.
    rewrite (sumn_ext q _ (fun _ => 0)); [apply sumn_zero|]. intros j Hj. unfold d. rewrite H0 by assumption. ring. }
  rewrite F0, Rmult_0_l in K. pose proof (exp_pos (- (a * T))). pose proof (frob2_nonneg p q (d T)) as Hn.
  fold (f T) in Hn. assert (FT : f T = 0) by nra.
  intros i j Hi Hj. pose proof (norm1_cs p q (d T)) as HC. fold (f T) in HC. rewrite FT, Rmult_0_r in HC.
  pose proof (norm1_entry p q (d T) i j Hi Hj) as HE. pose proof (Rabs_pos (d T i j)).
  apply Rminus_diag_uniq. destruct (Req_dec (x T i j - y T i j) 0) as [E|E]; [exact E|].
  apply Rabs_pos_lt in E. fold (d T i j) in E. nra.
Qed.

(** Clipping the entries at M makes the field Lipschitz everywhere. *)
Definition clip (M a : R) : R := Rmax (- M) (Rmin M a).
Definition clipped (M : R) (A : mat) : mat := F (fun i j => clip M (A i j)).

Lemma clip_box M a : 0 <= M -> Rabs (clip M a) <= M.
Proof. intros HM. unfold clip, Rmax, Rmin. apply Rabs_le. destruct (Rle_dec M a), (Rle_dec (- M) _); lra. Qed.

Lemma clip_id M a : Rabs a <= M -> clip M a = a.
Proof.
  intros H. apply Rabs_le_between in H. unfold clip.
  rewrite Rmin_right by lra. now rewrite Rmax_right by lra.
Qed.

Lemma clip_lipschitz M a b : Rabs (clip M a - clip M b) <= Rabs (a - b).
Proof.
  unfold clip, Rmax, Rmin. destruct (Rle_dec M a), (Rle_dec M b);
  repeat match goal with |- context [Rle_dec ?u ?v] => destruct (Rle_dec u v) end;
  unfold Rabs; repeat destruct Rcase_abs; lra.
Qed.

Lemma clipped_lipschitz M : 0 <= M -> exists L, 0 <= L /\ forall A B,
  norm1 p q (fun i j => clipped M A i j - clipped M B i j) <= L * norm1 p q (fun i j => A i j - B i j).
Proof.
  intros HM. destruct (F_local M) as [L [HL HF]]. exists L. split; [exact HL|]. intros A B.
  eapply Rle_trans; [apply HF; intros i j _ _; now apply clip_box|]. apply Rmult_le_compat_l; [exact HL|].
  apply sumn_le; intros; apply sumn_le; intros. apply clip_lipschitz.
Qed.

Lemma lipschitz_continuous (G : mat -> mat) L (W : R -> mat) : 0 <= L ->
  (forall A B, norm1 p q (fun i j => G A i j - G B i j) <= L * norm1 p q (fun i j => A i j - B i j)) ->
  (forall t i j, (i < p)%nat -> (j < q)%nat -> continuous (fun s => W s i j) t) ->
  forall t i j, (i < p)%nat -> (j < q)%nat -> continuous (fun s => G (W s) i j) t.
Proof.
  intros HL HG HW t i j Hi Hj.
  assert (Hn : continuous (fun s => norm1 p q (fun i j => W s i j - W t i j)) t).
  { apply (norm1_continuous (fun s i j => W s i j - W t i j)). intros i' j' Hi' Hj'.
    apply (continuous_minus (fun s => W s i' j') (fun _ => W t i' j')); [now apply HW|apply continuous_const]. }
  apply continuity_pt_filterlim in Hn. apply continuity_pt_filterlim. intros eps Heps.
  assert (He : 0 < eps / (L + 1)) by (apply Rdiv_lt_0_compat; lra).
  destruct (Hn (eps / (L + 1)) He) as [del [Hdel H]]. exists del. split; [exact Hdel|]. intros s Hs.
  specialize (H s Hs). simpl in H |- *. unfold R_dist in *.
  assert (E0 : norm1 p q (fun i j => W t i j - W t i j) = 0).
  { unfold norm1. rewrite (sumn_ext p _ (fun _ => 0)); [apply sumn_zero|]. intros.
    rewrite (sumn_ext q _ (fun _ => 0)); [apply sumn_zero|]. intros. now rewrite Rminus_eq_0, Rabs_R0. }
  rewrite E0, Rminus_0_r, Rabs_pos_eq in H by apply norm1_nonneg.
  eapply Rle_lt_trans; [apply (norm1_entry p q (fun i j => G (W s) i j - G (W t) i j) i j Hi Hj)|].
  eapply Rle_lt_trans; [apply HG|].
  pose proof (norm1_nonneg p q (fun i j => W s i j - W t i j)).
  apply (Rmult_lt_compat_l (L + 1)) in H; [|lra].
  replace ((L + 1) * (eps / (L + 1))) with eps in H by (field; lra). nra.
Qed.

Section From.
Variables (A0 : mat) (bound : R -> R).
Hypothesis bound_start : forall T, 0 <= T -> norm1 p q A0 <= bound T.
Hypothesis bound_holds : forall T t x, 0 <= t <= T -> solves_on t x ->
  (forall i j, (i < p)%nat -> (j < q)%nat -> x 0 i j = A0 i j) -> norm1 p q (x t) <= bound T.

Let path (T : R) : R -> mat := picard (fun _ => clipped (bound T + 1)) A0.

Lemma bound_nonneg T : 0 <= T -> 0 <= bound T.
Proof. intros HT. eapply Rle_trans; [apply norm1_nonneg|now apply bound_start]. Qed.

Lemma path_facts T : 0 <= T ->
  (forall i j, (i < p)%nat -> (j < q)%nat -> path T 0 i j = A0 i j) /\
  (forall t, 0 <= t -> forall i j, (i < p)%nat -> (j < q)%nat ->
     is_derive (fun s => path T s i j) t (clipped (bound T + 1) (path T t) i j)) /\
  (forall t i j, t <= 0 -> (i < p)%nat -> (j < q)%nat -> path T t i j = A0 i j + t * clipped (bound T + 1) A0 i j).
Proof.
  intros HT. pose proof (bound_nonneg T HT) as HB.
  destruct (clipped_lipschitz (bound T + 1) ltac:(lra)) as [L [HL HF]].
  set (G := clipped (bound T + 1)) in *. set (lam := L + norm1 p q (G A0)).
  pose proof (norm1_nonneg p q (G A0)) as HN.
  assert (C1 : forall t : R, continuous (fun _ : R => lam) t) by (intros; apply continuous_const).
  assert (C2 : forall t : R, norm1 p q ((fun _ : R => G) t A0) <= (fun _ : R => lam) t) by (intros; unfold lam; lra).
  assert (C3 : forall (t : R) A B, norm1 p q (fun i j => (fun _ : R => G) t A i j - (fun _ : R => G) t B i j)
    <= (fun _ : R => lam) t * norm1 p q (fun i j => A i j - B i j)).
  { intros t A B. eapply Rle_trans; [apply HF|]. apply Rmult_le_compat_r; [apply norm1_nonneg|unfold lam; lra]. }
  assert (C4 : forall W : R -> mat, (forall t i j, (i < p)%nat -> (j < q)%nat -> continuous (fun s => W s i j) t) ->
    forall t i j, (i < p)%nat -> (j < q)%nat -> continuous (fun s => (fun _ : R => G) s (W s) i j) t).
  { intros W HW. now apply (lipschitz_continuous G L). }
  destruct (picard_solves p q (fun _ => G) A0 (fun _ => lam) C1 C2 C3 C4) as [S0 S1].
  split; [exact S0|split; [exact S1|]].
  exact (picard_before p q (fun _ => G) A0 (fun _ => lam) C1 C2 C3 C4).
Qed.

Lemma clipped_id M A : 0 <= M -> norm1 p q A <= M ->
  forall i j, (i < p)%nat -> (j < q)%nat -> clipped M A i j = F A i j.
Proof.
  intros HM HA i j Hi Hj. destruct (F_local M) as [L [_ HF]]. pose proof (norm1_box p q A M HA) as HB.
  assert (E : norm1 p q (fun i j => clipped M A i j - F A i j) <= 0).
  { eapply Rle_trans; [apply (HF (fun i j => clip M (A i j)) A); [|exact HB]; intros i' j' _ _; now apply clip_box|].
    unfold norm1. rewrite (sumn_ext p _ (fun _ => 0)), sumn_zero; [lra|]. intros.
    rewrite (sumn_ext q _ (fun _ => 0)); [apply sumn_zero|]. intros.
    rewrite clip_id by now apply HB. now rewrite Rminus_eq_0, Rabs_R0. }
  pose proof (norm1_entry p q (fun i j => clipped M A i j - F A i j) i j Hi Hj) as HE. cbv beta in HE.
  apply Rminus_diag_uniq. destruct (Req_dec (clipped M A i j - F A i j) 0) as [E0|E0]; [exact E0|].
  apply Rabs_pos_lt in E0. lra.
Qed.

(** A continuous function below M before T is at most M there. *)
Lemma limit_le (f : R -> R) M T : 0 < T -> continuous f T -> (forall t, 0 <= t < T -> f t < M) -> f T <= M.
Proof.
  intros HT Hc Hb. apply Rnot_lt_le. intros Hlt. apply continuity_pt_filterlim in Hc.
  destruct (Hc (f T - M) ltac:(lra)) as [del [Hdel H]].
  set (s := Rmax (T / 2) (T - del / 2)).
  assert (S1 : s < T) by (apply Rmax_lub_lt; lra).
  assert (S2 : T / 2 <= s) by apply Rmax_l. assert (S3 : T - del / 2 <= s) by apply Rmax_r.
  assert (Hd : R_dist (f s) (f T) < f T - M).
  { apply H. split; [split; [exact I|lra]|]. simpl. unfold R_dist. rewrite Rabs_left; lra. }
  unfold R_dist in Hd. apply Rabs_def2 in Hd. specialize (Hb s ltac:(lra)). lra.
Qed.

Lemma path_solves T : 0 <= T -> solves_on T (path T).
Proof.
  intros HT. pose proof (bound_nonneg T HT) as HB. destruct (path_facts T HT) as [P0 [P1 _]].
  set (M := bound T + 1) in *.
  assert (Hcont : forall t, 0 <= t -> continuous (fun s => norm1 p q (path T s)) t).
  { intros t Ht. apply norm1_continuous. intros i j Hi Hj. eapply is_derive_continuous. now apply P1. }
  assert (Hin : forall t, 0 <= t -> norm1 p q (path T (Rmin t T)) < M).
  { apply (continuous_induction (fun t => norm1 p q (path T (Rmin t T)))).
    - intros t Ht. apply (continuous_comp (fun s => Rmin s T) (fun s => norm1 p q (path T s))).
      + apply (continuous_ext (fun s => T - Rmax 0 (T - s))).
        * intros s. unfold Rmax, Rmin. destruct (Rle_dec 0 (T - s)), (Rle_dec s T); lra.
        * apply (continuous_minus (fun _ => T) (fun s => Rmax 0 (T - s))); [apply continuous_const|].
          apply (continuous_comp (fun s => T - s) (fun r => Rmax 0 r)); [|apply continuous_Rmax0].
          apply (continuous_minus (fun _ => T) (fun s => s)); [apply continuous_const|apply continuous_id].
      + apply Hcont. apply Rmin_glb; lra.
    - intros T1 HT1 Hb. set (T2 := Rmin T1 T).
      assert (HT2 : 0 <= T2 <= T) by (split; [apply Rmin_glb; lra|apply Rmin_r]).
      assert (HT21 : T2 <= T1) by apply Rmin_l.
      assert (Hle : forall t, 0 <= t <= T2 -> norm1 p q (path T t) <= M).
      { assert (Hlt : forall t, 0 <= t < T2 -> norm1 p q (path T t) < M).
        { intros t Ht. specialize (Hb t ltac:(lra)). now rewrite Rmin_left in Hb by lra. }
        intros t [H0 [H| ->]]; [left; now apply Hlt|]. destruct (proj1 HT2) as [Hp|Hz].
        - apply (limit_le (fun s => norm1 p q (path T s))); [exact Hp|apply Hcont; lra|exact Hlt].
        - rewrite <- Hz. rewrite (norm1_ext p q _ A0) by exact P0. pose proof (bound_start T HT). unfold M. lra. }
      assert (norm1 p q (path T T2) <= bound T); [|unfold M; lra].
      apply bound_holds; [exact HT2| |exact P0]. intros t Ht i j Hi Hj.
      refine (is_derive_val _ _ _ _ (P1 t (proj1 Ht) i j Hi Hj) _). apply clipped_id; try assumption.
      + unfold M; lra.
      + now apply Hle. }
  intros t Ht i j Hi Hj. refine (is_derive_val _ _ _ _ (P1 t (proj1 Ht) i j Hi Hj) _).
  apply clipped_id; try assumption; [unfold M; lra|]. left.
  specialize (Hin t (proj1 Ht)). now rewrite Rmin_left in Hin by lra.
Qed.

Definition global_path (t : R) : mat := path (Rmax 0 t + 1) t.

Lemma global_path_near t s i j : 0 <= t -> s < t + 1 -> (i < p)%nat -> (j < q)%nat ->
  global_path s i j = path (t + 2) s i j.
Proof.
  intros Ht Hs Hi Hj. unfold global_path. destruct (Rle_dec 0 s) as [H0|H0].
  - rewrite Rmax_right by exact H0. apply (global_unique s); try assumption.
    + apply (solves_on_less (s + 1)); [lra|]. apply path_solves. lra.
    + apply (solves_on_less (t + 2)); [lra|]. apply path_solves. lra.
    + intros i' j' Hi' Hj'. destruct (path_facts (s + 1) ltac:(lra)) as [-> _]; try assumption.
      now destruct (path_facts (t + 2) ltac:(lra)) as [-> _].
  - rewrite Rmax_left by lra.
    destruct (path_facts (0 + 1) ltac:(lra)) as [_ [_ ->]]; try assumption; [|lra].
    destruct (path_facts (t + 2) ltac:(lra)) as [_ [_ ->]]; try assumption; [|lra].
    pose proof (bound_nonneg (0 + 1) ltac:(lra)). pose proof (bound_nonneg (t + 2) ltac:(lra)).
    pose proof (bound_start (0 + 1) ltac:(lra)). pose proof (bound_start (t + 2) ltac:(lra)).
    rewrite !clipped_id by (try assumption; lra). reflexivity.
Qed.

Lemma global_exists :
  (forall i j, (i < p)%nat -> (j < q)%nat -> global_path 0 i j = A0 i j) /\
  forall t, 0 <= t -> forall i j, (i < p)%nat -> (j < q)%nat ->
    is_derive (fun s => global_path s i j) t (F (global_path t) i j).
Proof.
  split.
  - intros i j Hi Hj. rewrite (global_path_near 0) by (try assumption; lra).
    destruct (path_facts (0 + 2) ltac:(lra)) as [-> _]; [reflexivity|assumption..].
  - intros t Ht i j Hi Hj.
    apply (is_derive_ext_loc (fun s => path (t + 2) s i j)).
    + exists (mkposreal 1 Rlt_0_1). intros s Hs. symmetry. apply global_path_near; try assumption.
      apply Rabs_def2 in Hs. unfold minus, plus, opp in Hs. simpl in Hs. lra.
    + refine (is_derive_val _ _ _ _ (path_solves (t + 2) ltac:(lra) t ltac:(lra) i j Hi Hj) _).
      set (b := Rmax (norm1 p q (path (t + 2) t)) (norm1 p q (global_path t))).
      destruct (F_local b) as [L [_ HF]].
      assert (E : norm1 p q (fun i j => F (path (t + 2) t) i j - F (global_path t) i j) <= 0).
      { eapply Rle_trans; [apply HF; apply norm1_box; [apply Rmax_l|apply Rmax_r]|].
        unfold norm1. rewrite (sumn_ext p _ (fun _ => 0)), sumn_zero; [lra|]. intros.
        rewrite (sumn_ext q _ (fun _ => 0)); [apply sumn_zero|]. intros.
        rewrite (global_path_near t) by (try assumption; lra). now rewrite Rminus_eq_0, Rabs_R0. }
      pose proof (norm1_entry p q (fun i j => F (path (t + 2) t) i j - F (global_path t) i j) i j Hi Hj) as HE.
      cbv beta in HE. apply Rminus_diag_uniq.
      destruct (Req_dec (F (path (t + 2) t) i j - F (global_path t) i j) 0) as [E0|E0]; [exact E0|].
      apply Rabs_pos_lt in E0. lra.
Qed.

End From.
End Global.
