(** * Picard: a system of differential equations with a Lipschitz field has a solution for all times.

   notation: a state is a p x q matrix; |A|_1 = norm1 p q A = sum of the absolute values of its entries;
   F t A is the field.  lam t bounds the Lipschitz constant of F t and the speed at the start.

   speed_bound        a path with speed at most g' moves at most g(t) - g(0) in |.|_1
   picard             the limit of the iterates  X_0 = A0,  X_(n+1)(t) = A0 + integral of F s (X_n(s))
   picard_solves      is a solution with start A0
   *)

Require Import Reals Lra Lia Psatz.
From Coquelicot Require Import Coquelicot.
From TaskHead Require Import Definitions Sums Calculus.
Open Scope R_scope.

Definition norm1 (p q : nat) (A : mat) : R := sumn p (fun i => sumn q (fun j => Rabs (A i j))).

Lemma norm1_nonneg p q A : 0 <= norm1 p q A.
Proof. apply sumn_nonneg; intros; apply sumn_nonneg; intros; apply Rabs_pos. Qed.

Lemma norm1_ext p q A B : (forall i j, (i < p)%nat -> (j < q)%nat -> A i j = B i j) -> norm1 p q A = norm1 p q B.
Proof. intros H. apply sumn_ext; intros i Hi; apply sumn_ext; intros j Hj. now rewrite H. Qed.

Lemma norm1_entry p q A i j : (i < p)%nat -> (j < q)%nat -> Rabs (A i j) <= norm1 p q A.
Proof.
  intros Hi Hj. apply Rle_trans with (sumn q (fun j => Rabs (A i j))).
  - apply (sumn_term q (fun j => Rabs (A i j))); [intros; apply Rabs_pos|exact Hj].
  - apply (sumn_term p (fun i => sumn q (fun j => Rabs (A i j)))); [|exact Hi].
    intros; apply sumn_nonneg; intros; apply Rabs_pos.
Qed.

Lemma norm1_bound p q A b : (forall i j, (i < p)%nat -> (j < q)%nat -> Rabs (A i j) <= b) ->
  norm1 p q A <= INR p * (INR q * b).
Proof.
  intros H. assert (S : forall n (f : nat -> R) e, (forall i, (i < n)%nat -> f i <= e) -> sumn n f <= INR n * e).
  { intros n f e. induction n as [|n IH]; intros Hf; [simpl; lra|]. rewrite S_INR. simpl.
    specialize (IH (fun i Hi => Hf i ltac:(lia))). specialize (Hf n ltac:(lia)). lra. }
  apply S. intros i Hi. apply S. intros j Hj. now apply H.
Qed.

(** A primitive from 0, for functions that are continuous after clipping the time at 0. *)
Definition primitive (r : R -> R) (t : R) : R := RInt (fun s => r (Rmax 0 s)) 0 t.

Lemma primitive_0 r : primitive r 0 = 0.
Proof. exact (RInt_point 0 _). Qed.

Lemma primitive_derive r t : (forall t, continuous (fun s => r (Rmax 0 s)) t) ->
  is_derive (primitive r) t (r (Rmax 0 t)).
Proof.
  intros Hg. unfold primitive. set (g := fun s => r (Rmax 0 s)) in *.
  apply (is_derive_RInt g (fun b => RInt g 0 b) 0 t); [|apply Hg].
  exists (mkposreal 1 Rlt_0_1). intros b _. apply (RInt_correct g).
  apply (ex_RInt_continuous g). intros; apply Hg.
Qed.

Definition sign (x : R) : R := if Rle_dec 0 x then 1 else -1.

Lemma sign_abs x : sign x * x = Rabs x.
Proof. unfold sign, Rabs. destruct (Rle_dec 0 x), (Rcase_abs x); lra. Qed.

Lemma sign_le x y : sign x * y <= Rabs y.
Proof. unfold sign, Rabs. destruct (Rle_dec 0 x), (Rcase_abs y); lra. Qed.

Lemma speed_bound p q (W DW : R -> mat) (g dg : R -> R) :
  (forall t, 0 <= t -> forall i j, (i < p)%nat -> (j < q)%nat -> is_derive (fun x => W x i j) t (DW t i j)) ->
  (forall t, 0 <= t -> is_derive g t (dg t)) ->
  (forall t, 0 <= t -> norm1 p q (DW t) <= dg t) ->
  forall t, 0 <= t -> norm1 p q (fun i j => W t i j - W 0 i j) <= g t - g 0.
Proof.
  intros HW Hg Hb T HT. set (e := fun i j => sign (W T i j - W 0 i j)).
  set (S := fun t => sumn p (fun i => sumn q (fun j => e i j * W t i j))).
  assert (K : S T - g T <= S 0 - g 0).
  { apply (nonincreasing_from (fun t => S t - g t)
      (fun t => sumn p (fun i => sumn q (fun j => e i j * DW t i j)) - dg t)); [| |lra].
    - intros t Ht. apply is_derive_Rminus; [|now apply Hg].
      apply (is_derive_sumn p (fun t i => sumn q (fun j => e i j * W t i j))). intros i Hi.
      apply (is_derive_sumn q (fun t j => e i j * W t i j)). intros j Hj.
      apply is_derive_Rscal. now apply HW.
    - intros t Ht. specialize (Hb t Ht).
      assert (sumn p (fun i => sumn q (fun j => e i j * DW t i j)) <= norm1 p q (DW t)); [|lra].
      apply sumn_le; intros i _. apply sumn_le; intros j _. apply sign_le. }
  assert (E : norm1 p q (fun i j => W T i j - W 0 i j) = S T - S 0).
  { unfold S, norm1. rewrite <- sumn_minus. apply sumn_ext; intros i _. rewrite <- sumn_minus.
    apply sumn_ext; intros j _. rewrite <- sign_abs. fold (e i j). ring. }
  lra.
Qed.

Section Picard.
Variables (p q : nat) (F : R -> mat -> mat) (A0 : mat) (lam : R -> R).
Hypothesis lam_continuous : forall t, continuous lam t.
Hypothesis lam_start : forall t, norm1 p q (F t A0) <= lam t.
Hypothesis F_lipschitz : forall t A B,
  norm1 p q (fun i j => F t A i j - F t B i j) <= lam t * norm1 p q (fun i j => A i j - B i j).
Hypothesis F_continuous : forall W : R -> mat,
  (forall t i j, (i < p)%nat -> (j < q)%nat -> continuous (fun s => W s i j) t) ->
  forall t i j, (i < p)%nat -> (j < q)%nat -> continuous (fun s => F s (W s) i j) t.

Definition integral_map (W : R -> mat) : R -> mat :=
  fun t i j => A0 i j + primitive (fun s => F s (W s) i j) t.

Fixpoint iterate (n : nat) : R -> mat :=
  match n with
  | O => fun _ => A0
  | S n => integral_map (iterate n)
  end.

Definition path_continuous (W : R -> mat) : Prop :=
  forall t i j, (i < p)%nat -> (j < q)%nat -> continuous (fun s => W (Rmax 0 s) i j) t.

Lemma field_clipped W : path_continuous W ->
  forall t i j, (i < p)%nat -> (j < q)%nat -> continuous (fun s => F (Rmax 0 s) (W (Rmax 0 s)) i j) t.
Proof.
  intros HW t i j Hi Hj.
  apply (continuous_ext (fun s => (fun r => F r (W (Rmax 0 r)) i j) (Rmax 0 s))).
  - intros s. now rewrite (Rmax_right 0 (Rmax 0 s)) by apply Rmax_l.
  - apply (continuous_comp (fun s => Rmax 0 s) (fun r => F r (W (Rmax 0 r)) i j)); [apply continuous_Rmax0|].
    apply (F_continuous (fun r => W (Rmax 0 r))); assumption.
Qed.

Lemma integral_map_derive W : path_continuous W ->
  forall t i j, 0 <= t -> (i < p)%nat -> (j < q)%nat ->
    is_derive (fun s => integral_map W s i j) t (F t (W t) i j).
Proof.
  intros HW t i j Ht Hi Hj. unfold integral_map.
  refine (is_derive_val _ _ _ _ (is_derive_Rplus (fun _ => A0 i j) (primitive (fun s => F s (W s) i j)) t _ _
    (is_derive_Rconst _ _) (primitive_derive _ t _)) _).
  - intros s. now apply field_clipped.
  - rewrite (Rmax_right 0 t) by exact Ht. ring.
Qed.

Lemma integral_map_continuous W : path_continuous W -> path_continuous (integral_map W).
Proof.
  intros HW t i j Hi Hj. apply (continuous_comp (fun s => Rmax 0 s) (fun s => integral_map W s i j)).
  - apply continuous_Rmax0.
  - eapply is_derive_continuous. apply integral_map_derive; [exact HW|apply Rmax_l|exact Hi|exact Hj].
Qed.

Lemma iterate_continuous n : path_continuous (iterate n).
Proof.
  induction n as [|n IH]; [intros t i j _ _; apply continuous_const|]. now apply integral_map_continuous.
Qed.

Lemma integral_map_0 W i j : integral_map W 0 i j = A0 i j.
Proof. unfold integral_map. rewrite primitive_0. ring. Qed.

Lemma iterate_0 n i j : iterate n 0 i j = A0 i j.
Proof. destruct n; [reflexivity|]. apply integral_map_0. Qed.

(** The weight e^(2 rho), with rho' = lam, grows so fast that each step halves the distance. *)
Definition rho (t : R) : R := RInt lam 0 t.
Definition weight (t : R) : R := exp (2 * rho t).

Lemma weight_derive t : is_derive weight t (2 * lam t * weight t).
Proof.
  unfold weight. refine (is_derive_val _ _ _ _ (is_derive_exp_comp (fun s => 2 * rho s) t _
    (is_derive_Rscal rho 2 t (lam t) _)) _); [|ring].
  apply (is_derive_RInt lam rho 0 t); [|apply lam_continuous].
  exists (mkposreal 1 Rlt_0_1). intros b _. apply (RInt_correct lam).
  apply (ex_RInt_continuous lam). intros; apply lam_continuous.
Qed.

Lemma lam_nonneg t : 0 <= lam t.
Proof. eapply Rle_trans; [apply norm1_nonneg|apply lam_start]. Qed.

Lemma weight_pos t : 0 < weight t.
Proof. apply exp_pos. Qed.

Lemma weight_grows s t : 0 <= s <= t -> weight s <= weight t.
Proof.
  intros H. assert (- weight t <= - weight s); [|lra].
  apply (nonincreasing_from (fun t => - weight t) (fun t => - (2 * lam t * weight t))); [| |exact H].
  - intros x _. apply (is_derive_opp weight). apply weight_derive.
  - intros x _. pose proof (weight_pos x). pose proof (lam_nonneg x).
    assert (0 <= 2 * lam x * weight x) by (apply Rmult_le_pos; lra). lra.
Qed.

Lemma weight_0 : weight 0 = 1.
Proof. unfold weight, rho. rewrite RInt_point. change (exp (2 * 0) = 1). rewrite Rmult_0_r. apply exp_0. Qed.

Lemma scaled_weight_derive a t : is_derive (fun s => a * weight s) t (2 * lam t * (a * weight t)).
Proof. refine (is_derive_val _ _ _ _ (is_derive_Rscal weight a t _ (weight_derive t)) _). ring. Qed.

(** If two paths stay within 2 a weight of each other, their images stay within a weight. *)
Lemma contraction W W' a : 0 <= a -> path_continuous W -> path_continuous W' ->
  (forall t, 0 <= t -> norm1 p q (fun i j => W t i j - W' t i j) <= 2 * a * weight t) ->
  forall t, 0 <= t -> norm1 p q (fun i j => integral_map W t i j - integral_map W' t i j) <= a * weight t.
Proof.
  intros Ha HW HW' Hd t Ht.
  apply Rle_trans with (a * weight t - a * weight 0); [|rewrite weight_0; lra].
  eapply Rle_trans; [|apply (speed_bound p q (fun t i j => integral_map W t i j - integral_map W' t i j)
    (fun t i j => F t (W t) i j - F t (W' t) i j) (fun t => a * weight t) (fun t => 2 * lam t * (a * weight t)))].
  - right. apply norm1_ext; intros. rewrite !integral_map_0. ring.
  - intros s Hs i j Hi Hj. apply is_derive_Rminus; now apply integral_map_derive.
  - intros s _. apply scaled_weight_derive.
  - intros s Hs. eapply Rle_trans; [apply F_lipschitz|]. specialize (Hd s Hs). pose proof (lam_nonneg s). nra.
  - exact Ht.
Qed.

Lemma half_pos n : 0 < (/ 2)^n.
Proof. apply pow_lt. lra. Qed.

Lemma step_bound n t : 0 <= t ->
  norm1 p q (fun i j => iterate (S n) t i j - iterate n t i j) <= (/ 2)^n * weight t.
Proof.
  revert t. induction n as [|n IH]; intros t Ht.
  - simpl. rewrite Rmult_1_l.
    apply Rle_trans with (/ 2 * weight t - / 2 * weight 0); [|rewrite weight_0; pose proof (weight_pos t); lra].
    eapply Rle_trans; [|apply (speed_bound p q (integral_map (fun _ => A0)) (fun t => F t A0)
      (fun t => / 2 * weight t) (fun t => 2 * lam t * (/ 2 * weight t)))].
    + right. apply norm1_ext; intros. now rewrite integral_map_0.
    + intros s Hs i j Hi Hj. apply (integral_map_derive (fun _ => A0)); [apply (iterate_continuous 0)|assumption..].
    + intros s _. apply scaled_weight_derive.
    + intros s Hs. eapply Rle_trans; [apply lam_start|].
      pose proof (weight_grows 0 s ltac:(lra)) as H. rewrite weight_0 in H. pose proof (lam_nonneg s). nra.
    + exact Ht.
  - apply (contraction (iterate (S n)) (iterate n)); [left; apply half_pos|apply iterate_continuous..| |exact Ht].
    intros s Hs. replace (2 * (/ 2)^(S n)) with ((/ 2)^n) by (simpl; field). now apply IH.
Qed.

Lemma entry_steps n m t i j : 0 <= t -> (i < p)%nat -> (j < q)%nat ->
  Rabs (iterate (n + m) t i j - iterate n t i j) <= 2 * weight t * ((/ 2)^n - (/ 2)^(n + m)).
Proof.
  intros Ht Hi Hj. induction m as [|m IH].
  - rewrite Nat.add_0_r, !Rminus_eq_0, Rabs_R0. lra.
  - pose proof (step_bound (n + m) t Ht) as S1.
    pose proof (norm1_entry p q _ i j Hi Hj : Rabs _ <= norm1 p q (fun i j => iterate (S (n + m)) t i j - iterate (n + m) t i j)) as S2.
    cbv beta in S2. rewrite Nat.add_succ_r.
    replace (iterate (S (n + m)) t i j - iterate n t i j) with
      ((iterate (S (n + m)) t i j - iterate (n + m) t i j) + (iterate (n + m) t i j - iterate n t i j)) by ring.
    eapply Rle_trans; [apply Rabs_triang|].
    replace ((/ 2)^(S (n + m))) with (/ 2 * (/ 2)^(n + m)) by reflexivity. lra.
Qed.

Definition limit_path (t : R) : mat := fun i j => real (Lim_seq (fun n => iterate n t i j)).

Lemma half_vanishes : is_lim_seq (fun n => (/ 2)^n) 0.
Proof. apply is_lim_seq_geom. rewrite Rabs_pos_eq; lra. Qed.

Lemma limit_is t i j : 0 <= t -> (i < p)%nat -> (j < q)%nat ->
  is_lim_seq (fun n => iterate n t i j) (limit_path t i j).
Proof.
  intros Ht Hi Hj. apply Lim_seq_correct'. apply ex_lim_seq_cauchy_corr. intros eps.
  pose proof (weight_pos t) as Hw.
  assert (He : 0 < eps / (2 * weight t)) by (apply Rdiv_lt_0_compat; [apply cond_pos|lra]).
  destruct (proj2 (is_lim_seq_spec _ _) half_vanishes (mkposreal _ He)) as [M HM]. simpl in HM.
  assert (K : forall n m, (M <= n)%nat -> (n <= m)%nat -> Rabs (iterate m t i j - iterate n t i j) < eps).
  { intros n m Hn Hm. replace m with (n + (m - n))%nat by lia.
    eapply Rle_lt_trans; [now apply entry_steps|]. specialize (HM n Hn). pose proof (half_pos (n + (m - n))).
    rewrite Rminus_0_r, Rabs_pos_eq in HM by (left; apply half_pos).
    apply Rle_lt_trans with (2 * weight t * (/ 2)^n); [apply Rmult_le_compat_l; lra|].
    apply (Rmult_lt_compat_l (2 * weight t)) in HM; [|lra].
    replace (2 * weight t * (eps / (2 * weight t))) with (pos eps) in HM by (field; lra). exact HM. }
  exists M. intros n m Hn Hm. destruct (Nat.le_ge_cases n m) as [H|H].
  - rewrite Rabs_minus_sym. now apply K.
  - now apply K.
Qed.

Lemma limit_near n t i j : 0 <= t -> (i < p)%nat -> (j < q)%nat ->
  Rabs (limit_path t i j - iterate n t i j) <= 2 * weight t * (/ 2)^n.
Proof.
  intros Ht Hi Hj.
  apply (is_lim_seq_le_loc (fun m => Rabs (iterate m t i j - iterate n t i j)) (fun _ => 2 * weight t * (/ 2)^n)
    (Rabs (limit_path t i j - iterate n t i j)) (2 * weight t * (/ 2)^n)).
  - exists n. intros m Hm. replace m with (n + (m - n))%nat by lia.
    eapply Rle_trans; [now apply entry_steps|]. pose proof (weight_pos t). pose proof (half_pos (n + (m - n))).
    apply Rmult_le_compat_l; lra.
  - apply (is_lim_seq_abs _ (limit_path t i j - iterate n t i j)).
    apply is_lim_seq_minus'; [now apply limit_is|apply is_lim_seq_const].
  - apply is_lim_seq_const.
Qed.

Lemma limit_continuous : path_continuous limit_path.
Proof.
  intros t i j Hi Hj. apply continuity_pt_filterlim.
  apply (CVU_continuity (fun n s => iterate n (Rmax 0 s) i j) (fun s => limit_path (Rmax 0 s) i j) t (mkposreal 1 Rlt_0_1)).
  - intros eps Heps. set (b := weight (Rmax 0 (t + 1))). pose proof (weight_pos (Rmax 0 (t + 1))) as Hb. fold b in Hb.
    assert (He : 0 < eps / (2 * b)) by (apply Rdiv_lt_0_compat; lra).
    destruct (proj2 (is_lim_seq_spec _ _) half_vanishes (mkposreal _ He)) as [M HM]. simpl in HM.
    exists M. intros n s Hn Hs. unfold Boule in Hs. simpl in Hs. apply Rabs_def2 in Hs.
    eapply Rle_lt_trans; [apply limit_near; [apply Rmax_l|assumption..]|].
    assert (weight (Rmax 0 s) <= b).
    { apply weight_grows. split; [apply Rmax_l|]. apply Rle_max_compat_l. lra. }
    specialize (HM n Hn). pose proof (half_pos n). rewrite Rminus_0_r, Rabs_pos_eq in HM by lra.
    apply Rle_lt_trans with (2 * b * (/ 2)^n); [apply Rmult_le_compat_r; lra|].
    apply (Rmult_lt_compat_l (2 * b)) in HM; [|lra].
    replace (2 * b * (eps / (2 * b))) with eps in HM by (field; lra). exact HM.
  - intros n s _. apply continuity_pt_filterlim. now apply iterate_continuous.
  - unfold Boule. simpl. rewrite Rminus_eq_0, Rabs_R0. lra.
Qed.

Definition picard : R -> mat := integral_map limit_path.

Lemma picard_is_limit t i j : 0 <= t -> (i < p)%nat -> (j < q)%nat -> picard t i j = limit_path t i j.
Proof.
  intros Ht Hi Hj. set (C := INR p * INR q).
  assert (HC : 0 <= C) by (apply Rmult_le_pos; apply pos_INR).
  assert (Hc : forall n s, 0 <= s ->
    norm1 p q (fun i j => iterate (S n) s i j - picard s i j) <= C * (/ 2)^n * weight s).
  { intros n s Hs. apply (contraction (iterate n) limit_path); [apply Rmult_le_pos; [exact HC|left; apply half_pos]|
      apply iterate_continuous|exact limit_continuous| |exact Hs].
    intros x Hx. eapply Rle_trans; [apply (norm1_bound p q _ (2 * weight x * (/ 2)^n))|right; unfold C; ring].
    intros i' j' Hi' Hj'. rewrite Rabs_minus_sym. now apply limit_near. }
  assert (L : is_lim_seq (fun n => iterate (S n) t i j) (picard t i j)).
  { apply is_lim_seq_spec. intros eps.
    assert (He : 0 < eps / (C * weight t + 1)).
    { apply Rdiv_lt_0_compat; [apply cond_pos|]. pose proof (weight_pos t). nra. }
    destruct (proj2 (is_lim_seq_spec _ _) half_vanishes (mkposreal _ He)) as [M HM]. simpl in HM.
    exists M. intros n Hn. specialize (HM n Hn). pose proof (half_pos n). pose proof (weight_pos t).
    rewrite Rminus_0_r, Rabs_pos_eq in HM by lra.
    eapply Rle_lt_trans; [apply (norm1_entry p q (fun i j => iterate (S n) t i j - picard t i j) i j Hi Hj)|].
    eapply Rle_lt_trans; [now apply Hc|].
    assert (0 <= C * weight t) by nra.
    apply (Rmult_lt_compat_l (C * weight t + 1)) in HM; [|lra].
    replace ((C * weight t + 1) * (eps / (C * weight t + 1))) with (pos eps) in HM by (field; lra). lra. }
  pose proof (limit_is t i j Ht Hi Hj) as L'. apply is_lim_seq_incr_1 in L'.
  apply is_lim_seq_unique in L, L'. rewrite L in L'. now injection L'.
Qed.

Lemma field_ext t A B : (forall i j, (i < p)%nat -> (j < q)%nat -> A i j = B i j) ->
  forall i j, (i < p)%nat -> (j < q)%nat -> F t A i j = F t B i j.
Proof.
  intros H i j Hi Hj. pose proof (F_lipschitz t A B) as L.
  rewrite (norm1_ext p q (fun i j => A i j - B i j) (fun _ _ => 0)) in L by (intros; rewrite H by assumption; ring).
  unfold norm1 at 2 in L. rewrite (sumn_ext p _ (fun _ => 0)), sumn_zero, Rmult_0_r in L.
  2:{ intros. rewrite (sumn_ext q _ (fun _ => 0)); [apply sumn_zero|]. intros. apply Rabs_R0. }
  pose proof (norm1_entry p q (fun i j => F t A i j - F t B i j) i j Hi Hj) as E. cbv beta in E.
  apply Rminus_diag_uniq. destruct (Req_dec (F t A i j - F t B i j) 0) as [E0|E0]; [exact E0|].
  apply Rabs_pos_lt in E0. lra.
Qed.

Lemma picard_solves :
  (forall i j, (i < p)%nat -> (j < q)%nat -> picard 0 i j = A0 i j) /\
  forall t, 0 <= t -> forall i j, (i < p)%nat -> (j < q)%nat ->
    is_derive (fun s => picard s i j) t (F t (picard t) i j).
Proof.
  split; [intros; apply integral_map_0|]. intros t Ht i j Hi Hj.
  rewrite (field_ext t (picard t) (limit_path t)) by (try assumption; intros; now apply picard_is_limit).
  apply integral_map_derive; [exact limit_continuous|assumption..].
Qed.

(** Before the start the path is a straight line. *)
Lemma picard_before t i j : t <= 0 -> (i < p)%nat -> (j < q)%nat -> picard t i j = A0 i j + t * F 0 A0 i j.
Proof.
  intros Ht Hi Hj. unfold picard, integral_map, primitive. f_equal.
  rewrite (RInt_ext _ (fun _ => F 0 A0 i j)).
  - rewrite RInt_const. unfold scal. simpl. unfold mult. simpl. ring.
  - intros s Hs. rewrite Rmin_right, Rmax_left in Hs by lra. rewrite Rmax_left by lra.
    apply field_ext; try assumption. intros. rewrite <- picard_is_limit by (try assumption; lra). apply integral_map_0.
Qed.

End Picard.
