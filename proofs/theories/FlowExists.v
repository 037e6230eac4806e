(** * FlowExists: the finetuning flow exists for all times and is unique, any N, d, h, k.

   notation: see Definitions.v; a state is the (N + k) x h matrix [Z; V^T].

   T6_flow_exists      the feature flow exists for all t >= 0 from every start, for gamma >= 0 and any matrix K
   T6_flow_unique      and is unique, for any gamma and any matrix K
   T1_flow_exists      so does the flow of backbone and head
   T1_flow_unique      and it is unique
   T5_propagator_exists   a propagator exists for every continuous generator

   The bound: d/dt |V|^2 = 2 gamma <R, Y - R> <= gamma |Y|^2 / 2, so the head grows at most like sqrt(t);
   then the features obey a linear inequality and grow at most exponentially (Groenwall).
   *)

Require Import Reals Lra Lia Psatz.
From Coquelicot Require Import Coquelicot.
From TaskHead Require Import Definitions Sums Calculus MatrixFlow Lorentz EnergyBound Picard Existence.
Open Scope R_scope.

Lemma sumn_const n a : sumn n (fun _ => a) = INR n * a.
Proof. induction n as [|n IH]; [simpl; ring|]. rewrite S_INR. simpl. rewrite IH. ring. Qed.

Lemma abs_sumn n f : Rabs (sumn n f) <= sumn n (fun i => Rabs (f i)).
Proof.
  induction n as [|n IH]; simpl; [rewrite Rabs_R0; lra|]. eapply Rle_trans; [apply Rabs_triang|]. lra.
Qed.

Section Flow.
Variables (gamma : R) (N h k : nat) (K Y : mat).

Definition state (Z V : mat) : mat := stacked N Z V.
Definition head_of (S : mat) : mat := fun j c => S (N + c)%nat j.

Definition field (S : mat) : mat := fun i j =>
  if Nat.ltb i N then sumn N (fun m => K i m * sumn k (fun c => head_of S j c * residual h Y S (head_of S) m c))
  else gamma * sumn N (fun n => S n j * residual h Y S (head_of S) n (i - N)%nat).

Lemma field_tame M i j : (i < N + k)%nat -> (j < h)%nat -> tame (N + k) h M (fun S => field S i j).
Proof.
  intros Hi Hj.
  assert (TV : forall l c, (l < h)%nat -> (c < k)%nat -> tame (N + k) h M (fun S => head_of S l c)).
  { intros l c Hl Hc. apply (tame_entry (N + k) h M (N + c) l); lia. }
  assert (TZ : forall n l, (n < N)%nat -> (l < h)%nat -> tame (N + k) h M (fun S => S n l)).
  { intros n l Hn Hl. apply tame_entry; lia. }
  assert (TR : forall n c, (n < N)%nat -> (c < k)%nat -> tame (N + k) h M (fun S => residual h Y S (head_of S) n c)).
  { intros n c Hn Hc. apply (tame_minus _ _ _ (fun _ => Y n c)); [apply tame_const|].
    apply (tame_sumn _ _ _ h (fun l S => S n l * head_of S l c)). intros l Hl.
    apply tame_mult; [now apply TZ|now apply TV]. }
  unfold field. destruct (Nat.ltb i N) eqn:E.
  - apply (tame_sumn _ _ _ N (fun m S => K i m * sumn k (fun c => head_of S j c * residual h Y S (head_of S) m c))).
    intros m Hm. apply (tame_mult _ _ _ (fun _ => K i m)); [apply tame_const|].
    apply (tame_sumn _ _ _ k (fun c S => head_of S j c * residual h Y S (head_of S) m c)). intros c Hc.
    apply tame_mult; [now apply TV|now apply TR].
  - apply Nat.ltb_ge in E. apply (tame_mult _ _ _ (fun _ => gamma)); [apply tame_const|].
    apply (tame_sumn _ _ _ N (fun n S => S n j * residual h Y S (head_of S) n (i - N)%nat)). intros n Hn.
    apply tame_mult; [now apply TZ|apply TR; lia].
Qed.

Lemma field_local M : exists L, 0 <= L /\ forall A B, box (N + k) h M A -> box (N + k) h M B ->
  norm1 (N + k) h (fun i j => field A i j - field B i j) <= L * norm1 (N + k) h (fun i j => A i j - B i j).
Proof. apply tame_field. intros. now apply field_tame. Qed.

(** The entries of a path of states obey the flow. *)
Lemma state_solves T (S : R -> mat) : solves_on (N + k) h field T S -> forall t, 0 <= t <= T ->
  let Rt := residual h Y (S t) (head_of (S t)) in
  (forall n j, (n < N)%nat -> (j < h)%nat ->
     is_derive (fun s => S s n j) t (sumn N (fun m => K n m * sumn k (fun c => head_of (S t) j c * Rt m c)))) /\
  (forall j c, (j < h)%nat -> (c < k)%nat ->
     is_derive (fun s => head_of (S s) j c) t (gamma * sumn N (fun n => S t n j * Rt n c))).
Proof.
  intros HS t Ht Rt. split.
  - intros n j Hn Hj. refine (is_derive_val _ _ _ _ (HS t Ht n j ltac:(lia) Hj) _).
    unfold field. apply Nat.ltb_lt in Hn. now rewrite Hn.
  - intros j c Hj Hc. refine (is_derive_val _ _ _ _ (HS t Ht (N + c)%nat j ltac:(lia) Hj) _).
    unfold field. assert (E : Nat.ltb (N + c) N = false) by (apply Nat.ltb_ge; lia). rewrite E.
    now replace (N + c - N)%nat with c by lia.
Qed.

Lemma state_feature Z V n j : (n < N)%nat -> state Z V n j = Z n j.
Proof. intros Hn. unfold state, stacked. apply Nat.ltb_lt in Hn. now rewrite Hn. Qed.

Lemma state_head Z V j c : head_of (state Z V) j c = V j c.
Proof.
  unfold head_of, state, stacked. assert (E : Nat.ltb (N + c) N = false) by (apply Nat.ltb_ge; lia).
  rewrite E. now replace (N + c - N)%nat with c by lia.
Qed.

Lemma residual_state Z V n c : (n < N)%nat ->
  residual h Y (state Z V) (head_of (state Z V)) n c = residual h Y Z V n c.
Proof.
  intros Hn. unfold residual. f_equal. apply sumn_ext; intros. now rewrite state_feature, state_head.
Qed.

Lemma flow_solves T Z V : is_feature_flow gamma N h k K Y Z V -> solves_on (N + k) h field T (fun t => state (Z t) (V t)).
Proof.
  intros Hf t Ht i j Hi Hj. destruct (Hf t (proj1 Ht)) as [HZ HV]. unfold field.
  destruct (Nat.ltb i N) eqn:E.
  - apply Nat.ltb_lt in E. apply (is_derive_extR (fun s => Z s i j)); [intros; now rewrite state_feature|].
    refine (is_derive_val _ _ _ _ (HZ i j E Hj) _). apply sumn_ext; intros m Hm. f_equal.
    apply sumn_ext; intros c Hc. now rewrite state_head, residual_state.
  - apply Nat.ltb_ge in E. set (c := (i - N)%nat). assert (Ei : i = (N + c)%nat) by (unfold c; lia).
    apply (is_derive_extR (fun s => V s j c)).
    + intros s. rewrite <- (state_head (Z s) (V s) j c). unfold head_of. now rewrite Ei.
    + refine (is_derive_val _ _ _ _ (HV j c Hj ltac:(lia)) _). f_equal. apply sumn_ext; intros n Hn.
      now rewrite state_feature, residual_state.
Qed.

(** ** The bound *)

Lemma frob2_state (S : mat) : frob2 (N + k) h S = frob2 N h S + frob2 h k (head_of S).
Proof.
  unfold frob2 at 1. rewrite sumn_split. fold (frob2 N h S). f_equal. unfold frob2, head_of. apply sumn_swap.
Qed.

Section Bound.
Hypothesis Hgamma : 0 <= gamma.
Variable S0 : mat.
Let y2 := frob2 N k Y.
Let v0 := frob2 h k (head_of S0).

(** Bound of the entries of the head, of the growth rate of the features, and of the state, up to time T. *)
Let w (T : R) := 1 + v0 + gamma / 2 * y2 * T.
Let kap := norm1 N N K.
Let yn := norm1 N k Y.
Let rate (T : R) := kap * w T * yn ^ 2 + kap * w T * (1 + 2 * (INR k * w T)) * cells N h.
Definition state_bound (T : R) : R :=
  cells (N + k) h + (frob2 N h S0 + 1) * exp (rate T * T) + (v0 + gamma / 2 * y2 * T).

Lemma y2_nonneg : 0 <= y2.
Proof. apply frob2_nonneg. Qed.

Lemma v0_nonneg : 0 <= v0.
Proof. apply frob2_nonneg. Qed.

Lemma growth_nonneg T : 0 <= T -> 0 <= gamma / 2 * y2 * T.
Proof. intros HT. pose proof y2_nonneg. repeat apply Rmult_le_pos; lra. Qed.

Lemma w_ge_1 T : 0 <= T -> 1 <= w T.
Proof. intros HT. pose proof (growth_nonneg T HT). pose proof v0_nonneg. unfold w. lra. Qed.

Lemma rate_nonneg T : 0 <= T -> 0 <= rate T.
Proof.
  intros HT. pose proof (w_ge_1 T HT). pose proof (norm1_nonneg N N K). fold kap in H0.
  pose proof (cells_nonneg N h). pose proof (pos_INR k). pose proof (pow2_ge_0 yn).
  assert (0 <= INR k * w T) by (apply Rmult_le_pos; lra).
  assert (0 <= kap * w T) by (apply Rmult_le_pos; lra). unfold rate.
  apply Rplus_le_le_0_compat; apply Rmult_le_pos; try lra. apply Rmult_le_pos; lra.
Qed.

Section Path.
Variables (T t1 : R) (S : R -> mat).
Hypothesis Ht1 : 0 <= t1 <= T.
Hypothesis HS : solves_on (N + k) h field t1 S.
Hypothesis HS0 : forall i j, (i < N + k)%nat -> (j < h)%nat -> S 0 i j = S0 i j.

Let V t := head_of (S t).
Let Rt t := residual h Y (S t) (V t).

(** d/dt |V|^2 = 2 gamma <R, Y - R>. *)
Lemma head_bound t : 0 <= t <= t1 -> frob2 h k (V t) <= v0 + gamma / 2 * y2 * t.
Proof.
  intros Ht.
  assert (E0 : frob2 h k (V 0) = v0).
  { unfold v0, frob2, V, head_of. apply sumn_ext; intros. apply sumn_ext; intros. rewrite HS0; [reflexivity|lia|lia]. }
  assert (Kt : frob2 h k (V t) - gamma / 2 * y2 * t <= frob2 h k (V 0) - gamma / 2 * y2 * 0).
  { apply (nonincreasing_upto (fun s => frob2 h k (V s) - gamma / 2 * y2 * s)
      (fun s => sumn h (fun j => sumn k (fun c => 2 * (V s j c * (gamma * sumn N (fun n => S s n j * Rt s n c)))))
                - gamma / 2 * y2 * 1) t (proj1 Ht)).
    - intros s Hs. destruct (state_solves t1 S HS s ltac:(lra)) as [_ DV].
      apply is_derive_Rminus; [|apply is_derive_Rscal; apply (is_derive_id s)].
      apply (is_derive_sumn h (fun s j => sumn k (fun c => V s j c ^ 2))). intros j Hj.
      apply (is_derive_sumn k (fun s c => V s j c ^ 2)). intros c Hc.
      apply (is_derive_extR (fun s => V s j c * V s j c)); [intros; ring|].
      refine (is_derive_val _ _ _ _ (is_derive_Rmult _ _ _ _ _ (DV j c Hj Hc) (DV j c Hj Hc)) _). unfold Rt, V. ring.
    - intros s _.
      assert (E : sumn h (fun j => sumn k (fun c => 2 * (V s j c * (gamma * sumn N (fun n => S s n j * Rt s n c)))))
                = gamma * sumn N (fun n => sumn k (fun c => 2 * (Rt s n c * (Y n c - Rt s n c))))).
      { transitivity (sumn h (fun j => sumn k (fun c => sumn N (fun n => gamma * (2 * (Rt s n c * (S s n j * V s j c))))))).
        - apply sumn_ext; intros j _. apply sumn_ext; intros c _. rewrite !sumn_scal.
          rewrite (sumn_ext N (fun n => Rt s n c * (S s n j * V s j c)) (fun n => S s n j * Rt s n c * V s j c)) by (intros; ring).
          rewrite sumn_scal_r. ring.
        - rewrite <- sumn_scal.
          rewrite (sumn_ext h _ (fun j => sumn N (fun n => sumn k (fun c => gamma * (2 * (Rt s n c * (S s n j * V s j c)))))))
            by (intros; apply sumn_swap).
          rewrite sumn_swap. apply sumn_ext; intros n _. rewrite <- sumn_scal. rewrite sumn_swap.
          apply sumn_ext; intros c _. rewrite !sumn_scal. unfold Rt at 3, residual. ring. }
      rewrite E.
      assert (B : sumn N (fun n => sumn k (fun c => 2 * (Rt s n c * (Y n c - Rt s n c)))) <= / 2 * y2).
      { unfold y2, frob2. rewrite <- sumn_scal. apply sumn_le; intros n _. rewrite <- sumn_scal.
        apply sumn_le; intros c _. pose proof (pow2_ge_0 (2 * Rt s n c - Y n c)). nra. }
      apply (Rmult_le_compat_l gamma) in B; [|exact Hgamma]. lra. }
  rewrite E0, Rmult_0_r in Kt. lra.
Qed.

Lemma head_entry t j c : 0 <= t <= t1 -> (j < h)%nat -> (c < k)%nat -> Rabs (V t j c) <= w T.
Proof.
  intros Ht Hj Hc. pose proof (head_bound t Ht) as H.
  assert (E : V t j c ^ 2 <= frob2 h k (V t)).
  { apply Rle_trans with (sumn k (fun c => V t j c ^ 2)).
    - apply (sumn_term k (fun c => V t j c ^ 2)); [intros; apply pow2_ge_0|exact Hc].
    - apply (sumn_term h (fun j => sumn k (fun c => V t j c ^ 2))); [|exact Hj].
      intros; apply sumn_nonneg; intros; apply pow2_ge_0. }
  rewrite <- pow2_abs in E. pose proof (Rabs_pos (V t j c)).
  assert (gamma / 2 * y2 * t <= gamma / 2 * y2 * T).
  { apply Rmult_le_compat_l; [|lra]. pose proof y2_nonneg. apply Rmult_le_pos; lra. }
  unfold w. nra.
Qed.

Lemma residual_size t : 0 <= t <= t1 -> norm1 N k (Rt t) <= yn + INR k * w T * norm1 N h (S t).
Proof.
  intros Ht. unfold yn, norm1. rewrite <- sumn_scal, <- sumn_plus. apply sumn_le. intros n _.
  apply Rle_trans with (sumn k (fun c => Rabs (Y n c) + w T * sumn h (fun j => Rabs (S t n j)))).
  - apply sumn_le. intros c Hc. unfold Rt, residual. unfold Rminus.
    eapply Rle_trans; [apply Rabs_triang|]. rewrite Rabs_Ropp. apply Rplus_le_compat_l.
    apply Rle_trans with (sumn h (fun j => Rabs (S t n j * V t j c))).
    + apply abs_sumn.
    + rewrite <- sumn_scal. apply sumn_le. intros j Hj. rewrite Rabs_mult, Rmult_comm.
      apply Rmult_le_compat_r; [apply Rabs_pos|]. now apply head_entry.
  - rewrite sumn_plus, sumn_const. lra.
Qed.

(** The features obey a linear differential inequality. *)
Lemma feature_bound t : 0 <= t <= t1 -> frob2 N h (S t) + 1 <= (frob2 N h S0 + 1) * exp (rate T * t).
Proof.
  intros Ht. pose proof (w_ge_1 T ltac:(lra)) as Hw. pose proof (norm1_nonneg N N K) as Hk. fold kap in Hk.
  pose proof (cells_nonneg N h) as Hcells. pose proof (pos_INR k) as Hik.
  set (f := fun s => frob2 N h (S s) + 1).
  set (G := fun s n j => sumn N (fun m => K n m * sumn k (fun c => V s j c * Rt s m c))).
  set (df := fun s => sumn N (fun n => sumn h (fun j => 2 * (S s n j * G s n j)))).
  assert (E0 : f 0 = frob2 N h S0 + 1).
  { unfold f, frob2. f_equal. apply sumn_ext; intros. apply sumn_ext; intros. rewrite HS0; [reflexivity|lia|lia]. }
  assert (Df : forall s, 0 <= s <= t -> is_derive f s (df s)).
  { intros s Hs. destruct (state_solves t1 S HS s ltac:(lra)) as [DZ _].
    refine (is_derive_val _ _ _ _ (is_derive_Rplus (fun s => frob2 N h (S s)) (fun _ => 1) s (df s) 0 _ (is_derive_Rconst _ _)) _);
      [|ring].
    apply (is_derive_sumn N (fun s n => sumn h (fun j => S s n j ^ 2))). intros n Hn.
    apply (is_derive_sumn h (fun s j => S s n j ^ 2)). intros j Hj.
    apply (is_derive_extR (fun s => S s n j * S s n j)); [intros; ring|].
    refine (is_derive_val _ _ _ _ (is_derive_Rmult _ _ _ _ _ (DZ n j Hn Hj) (DZ n j Hn Hj)) _).
    unfold G, Rt, V. ring. }
  assert (Hdf : forall s, 0 <= s <= t -> df s <= rate T * f s).
  { intros s Hs. set (z := norm1 N h (S s)). pose proof (norm1_nonneg N h (S s)) as Hz. fold z in Hz.
    pose proof (residual_size s ltac:(lra)) as Hr. fold z in Hr. set (r := norm1 N k (Rt s)) in *.
    assert (HG : forall n j, (n < N)%nat -> (j < h)%nat -> Rabs (G s n j) <= kap * (w T * r)).
    { intros n j Hn Hj. unfold G. eapply Rle_trans; [apply abs_sumn|].
      apply Rle_trans with (sumn N (fun m => Rabs (K n m) * (w T * r))).
      - apply sumn_le. intros m Hm. rewrite Rabs_mult. apply Rmult_le_compat_l; [apply Rabs_pos|].
        eapply Rle_trans; [apply abs_sumn|]. apply Rle_trans with (w T * sumn k (fun c => Rabs (Rt s m c))).
        + rewrite <- sumn_scal. apply sumn_le. intros c Hc. rewrite Rabs_mult.
          apply Rmult_le_compat_r; [apply Rabs_pos|]. apply head_entry; [lra|exact Hj|exact Hc].
        + apply Rmult_le_compat_l; [lra|].
          apply (sumn_term N (fun m => sumn k (fun c => Rabs (Rt s m c)))); [|exact Hm].
          intros; apply sumn_nonneg; intros; apply Rabs_pos.
      - rewrite sumn_scal_r. apply Rmult_le_compat_r.
        + apply Rmult_le_pos; [lra|apply norm1_nonneg].
        + apply (sumn_term N (fun n => sumn N (fun m => Rabs (K n m)))); [|exact Hn].
          intros; apply sumn_nonneg; intros; apply Rabs_pos. }
    assert (H1 : df s <= 2 * z * (kap * (w T * r))).
    { unfold df, z, norm1. rewrite Rmult_assoc, <- sumn_scal_r, <- sumn_scal. apply sumn_le; intros n Hn.
      rewrite <- sumn_scal_r, <- sumn_scal. apply sumn_le; intros j Hj. apply Rmult_le_compat_l; [lra|].
      eapply Rle_trans; [apply Rle_abs|]. rewrite Rabs_mult. apply Rmult_le_compat_l; [apply Rabs_pos|now apply HG]. }
    pose proof (norm1_cs N h (S s)) as HC. fold z in HC. pose proof (frob2_nonneg N h (S s)) as Hf0.
    assert (Hkw : 0 <= kap * w T) by (apply Rmult_le_pos; lra).
    assert (Hb : 0 <= INR k * w T) by (apply Rmult_le_pos; lra).
    assert (Hy : 0 <= yn) by apply norm1_nonneg.
    assert (H2 : 2 * z * r <= yn ^ 2 + (1 + 2 * (INR k * w T)) * (z * z)).
    { pose proof (pow2_ge_0 (z - yn)).
      assert (2 * z * r <= 2 * z * (yn + INR k * w T * z)) by (apply Rmult_le_compat_l; lra). lra. }
    assert (H3 : (1 + 2 * (INR k * w T)) * (z * z) <= (1 + 2 * (INR k * w T)) * (cells N h * frob2 N h (S s)))
      by (apply Rmult_le_compat_l; lra).
    assert (H4 : kap * w T * (2 * z * r) <= kap * w T * (yn ^ 2 + (1 + 2 * (INR k * w T)) * (cells N h * frob2 N h (S s))))
      by (apply Rmult_le_compat_l; lra).
    assert (H5 : 0 <= kap * w T * yn ^ 2 * frob2 N h (S s))
      by (apply Rmult_le_pos; [apply Rmult_le_pos; [exact Hkw|apply pow2_ge_0]|exact Hf0]).
    assert (H6 : 0 <= kap * w T * (1 + 2 * (INR k * w T)) * cells N h)
      by (apply Rmult_le_pos; [apply Rmult_le_pos; lra|exact Hcells]).
    unfold rate, f. lra. }
  assert (Kt : f t * exp (- (rate T * t)) <= f 0 * exp (- (rate T * 0))).
  { apply (nonincreasing_upto (fun s => f s * exp (- (rate T * s)))
      (fun s => df s * exp (- (rate T * s)) + f s * (- rate T * exp (- (rate T * s)))) t (proj1 Ht)).
    - intros s Hs. apply (is_derive_Rmult f (fun s => exp (- (rate T * s)))); [now apply Df|].
      apply (is_derive_exp_comp (fun s => - (rate T * s))). auto_derive; [exact I|]. ring.
    - intros s Hs. specialize (Hdf s ltac:(lra)). pose proof (exp_pos (- (rate T * s))).
      replace (df s * exp (- (rate T * s)) + f s * (- rate T * exp (- (rate T * s))))
        with ((df s - rate T * f s) * exp (- (rate T * s))) by ring. nra. }
  rewrite Rmult_0_r, Ropp_0, exp_0, Rmult_1_r, E0, exp_Ropp in Kt. fold (f t).
  pose proof (exp_pos (rate T * t)) as He.
  apply (Rmult_le_compat_r (exp (rate T * t))) in Kt; [|lra].
  rewrite Rmult_assoc, Rinv_l, Rmult_1_r in Kt by lra. exact Kt.
Qed.

Lemma state_bounded : norm1 (N + k) h (S t1) <= state_bound T.
Proof.
  eapply Rle_trans; [apply norm1_le_frob2|]. rewrite frob2_state.
  pose proof (feature_bound t1 ltac:(lra)) as H1. pose proof (head_bound t1 ltac:(lra)) as H2. unfold V in H2.
  pose proof (frob2_nonneg N h S0).
  assert (gamma / 2 * y2 * t1 <= gamma / 2 * y2 * T).
  { apply Rmult_le_compat_l; [|lra]. pose proof y2_nonneg. apply Rmult_le_pos; lra. }
  assert (exp (rate T * t1) <= exp (rate T * T)).
  { pose proof (rate_nonneg T ltac:(lra)). destruct (Req_dec (rate T * t1) (rate T * T)) as [->|E]; [lra|].
    left. apply exp_increasing. nra. }
  assert ((frob2 N h S0 + 1) * exp (rate T * t1) <= (frob2 N h S0 + 1) * exp (rate T * T))
    by (apply Rmult_le_compat_l; lra).
  unfold state_bound. lra.
Qed.

End Path.

Lemma state_bound_start T : 0 <= T -> norm1 (N + k) h S0 <= state_bound T.
Proof.
  intros HT. eapply Rle_trans; [apply norm1_le_frob2|]. rewrite frob2_state.
  pose proof (frob2_nonneg N h S0). pose proof (growth_nonneg T HT). fold v0.
  assert (1 <= exp (rate T * T)).
  { rewrite <- exp_0. pose proof (rate_nonneg T HT). destruct (Req_dec (rate T * T) 0) as [->|E]; [lra|].
    left. apply exp_increasing. assert (0 <= rate T * T) by (apply Rmult_le_pos; lra). lra. }
  assert ((frob2 N h S0 + 1) * 1 <= (frob2 N h S0 + 1) * exp (rate T * T)) by (apply Rmult_le_compat_l; lra).
  unfold state_bound. lra.
Qed.

End Bound.
End Flow.

Theorem T6_flow_exists gamma N h k K Y Z0 V0 : 0 <= gamma ->
  exists Z V : R -> mat, is_feature_flow gamma N h k K Y Z V /\
    (forall n j, (n < N)%nat -> (j < h)%nat -> Z 0 n j = Z0 n j) /\
    (forall j c, (j < h)%nat -> (c < k)%nat -> V 0 j c = V0 j c).
Proof.
  intros Hg. set (F := field gamma N h k K Y). set (S0 := state N Z0 V0).
  set (b := state_bound gamma N h k K Y S0).
  destruct (global_exists (N + k) h F (field_local gamma N h k K Y) S0 b) as [P0 P1].
  - intros T HT. now apply state_bound_start.
  - intros T t x Ht Hx Hx0. now apply (state_bounded gamma N h k K Y Hg S0 T t x).
  - set (S := global_path F S0 b) in *. exists S, (fun t => head_of N (S t)). split; [|split].
    + intros t Ht. apply (state_solves gamma N h k K Y t S); [|lra].
      intros s Hs i j Hi Hj. apply P1; [lra|exact Hi|exact Hj].
    + intros n j Hn Hj. rewrite P0 by lia. unfold S0. now apply state_feature.
    + intros j c Hj Hc. unfold head_of. rewrite P0 by lia. apply (state_head N Z0 V0 j c).
Qed.

Theorem T6_flow_unique gamma N h k K Y Z V Z' V' :
  is_feature_flow gamma N h k K Y Z V -> is_feature_flow gamma N h k K Y Z' V' ->
  (forall n j, (n < N)%nat -> (j < h)%nat -> Z 0 n j = Z' 0 n j) ->
  (forall j c, (j < h)%nat -> (c < k)%nat -> V 0 j c = V' 0 j c) ->
  forall t, 0 <= t ->
    (forall n j, (n < N)%nat -> (j < h)%nat -> Z t n j = Z' t n j) /\
    (forall j c, (j < h)%nat -> (c < k)%nat -> V t j c = V' t j c).
Proof.
  intros Hf Hf' HZ HV t Ht.
  assert (E : forall i j, (i < N + k)%nat -> (j < h)%nat -> state N (Z t) (V t) i j = state N (Z' t) (V' t) i j).
  { apply (global_unique (N + k) h _ (field_local gamma N h k K Y) t (fun t => state N (Z t) (V t)) (fun t => state N (Z' t) (V' t)));
      [exact Ht|now apply flow_solves|now apply flow_solves|].
    intros i j Hi Hj. unfold state, stacked. destruct (Nat.ltb i N) eqn:E.
    - apply Nat.ltb_lt in E. now apply HZ.
    - apply Nat.ltb_ge in E. apply HV; [exact Hj|lia]. }
  split.
  - intros n j Hn Hj. specialize (E n j ltac:(lia) Hj). now rewrite !state_feature in E.
  - intros j c Hj Hc. specialize (E (N + c)%nat j ltac:(lia) Hj).
    pose proof (state_head N (Z t) (V t) j c) as E1. pose proof (state_head N (Z' t) (V' t) j c) as E2.
    unfold head_of in E1, E2. now rewrite <- E1, <- E2.
Qed.

(** ** Backbone and head *)

Theorem T1_flow_exists gamma N d h k X Y B0 V0 : 0 <= gamma ->
  exists B V : R -> mat, is_matrix_flow gamma N d h k X Y B V /\
    (forall j i, (j < h)%nat -> (i < d)%nat -> B 0 j i = B0 j i) /\
    (forall j c, (j < h)%nat -> (c < k)%nat -> V 0 j c = V0 j c).
Proof.
  intros Hg. set (K := fun n m => sumn d (fun i => X n i * X m i)).
  destruct (T6_flow_exists gamma N h k K Y (features d X B0) V0 Hg) as [Z [V [Hf [HZ0 HV0]]]].
  (* the backbone is the integral of V R^T X along this flow *)
  set (W := fun t j n => sumn k (fun c => V t j c * residual h Y (Z t) (V t) n c)).
  set (M := fun j n => primitive (fun t => W t j n)).
  set (B := fun t j i => B0 j i + sumn N (fun n => M j n t * X n i)).
  assert (CZ : forall t n j, 0 <= t -> (n < N)%nat -> (j < h)%nat -> continuous (fun s => Z s n j) t).
  { intros t n j Ht Hn Hj. destruct (Hf t Ht) as [D _]. eapply is_derive_continuous. now apply D. }
  assert (CV : forall t j c, 0 <= t -> (j < h)%nat -> (c < k)%nat -> continuous (fun s => V s j c) t).
  { intros t j c Ht Hj Hc. destruct (Hf t Ht) as [_ D]. eapply is_derive_continuous. now apply D. }
  assert (CW : forall t j n, 0 <= t -> (j < h)%nat -> (n < N)%nat -> continuous (fun s => W s j n) t).
  { intros t j n Ht Hj Hn. apply (continuous_sumn k (fun s c => V s j c * residual h Y (Z s) (V s) n c)). intros c Hc.
    apply (continuous_mult (fun s => V s j c) (fun s => residual h Y (Z s) (V s) n c)); [now apply CV|].
    apply (continuous_minus (fun _ => Y n c) (fun s => sumn h (fun l => Z s n l * V s l c))); [apply continuous_const|].
    apply (continuous_sumn h (fun s l => Z s n l * V s l c)). intros l Hl.
    apply (continuous_mult (fun s => Z s n l) (fun s => V s l c)); [now apply CZ|now apply CV]. }
  assert (DM : forall t j n, 0 <= t -> (j < h)%nat -> (n < N)%nat -> is_derive (M j n) t (W t j n)).
  { intros t j n Ht Hj Hn. refine (is_derive_val _ _ _ _ (primitive_derive (fun t => W t j n) t _) _).
    - intros s. apply (continuous_comp (fun s => Rmax 0 s) (fun s => W s j n)); [apply continuous_Rmax0|].
      apply CW; [apply Rmax_l|exact Hj|exact Hn].
    - now rewrite Rmax_right. }
  assert (DB : forall t j i, 0 <= t -> (j < h)%nat -> (i < d)%nat ->
    is_derive (fun s => B s j i) t (sumn N (fun n => W t j n * X n i))).
  { intros t j i Ht Hj Hi.
    refine (is_derive_val _ _ _ _ (is_derive_Rplus (fun _ => B0 j i) (fun s => sumn N (fun n => M j n s * X n i)) t _ _
      (is_derive_Rconst _ _) (is_derive_sumn N (fun s n => M j n s * X n i) (fun n => W t j n * X n i) t _)) _); [|ring].
    intros n Hn. refine (is_derive_val _ _ _ _ (is_derive_Rmult (M j n) (fun _ => X n i) t _ _ (DM t j n Ht Hj Hn) (is_derive_Rconst _ _)) _).
    ring. }
  assert (B00 : forall j i, B 0 j i = B0 j i).
  { intros j i. unfold B. rewrite (sumn_ext N _ (fun _ => 0)), sumn_zero; [ring|].
    intros n _. unfold M. rewrite primitive_0. ring. }
  (* its features are Z *)
  assert (EZ : forall t n j, 0 <= t -> (n < N)%nat -> (j < h)%nat -> features d X (B t) n j = Z t n j).
  { intros t n j Ht Hn Hj.
    assert (E : (fun s => features d X (B s) n j - Z s n j) t = (fun s => features d X (B s) n j - Z s n j) 0).
    { apply (constant_from (fun s => features d X (B s) n j - Z s n j)); [|exact Ht].
      intros s Hs. destruct (Hf s Hs) as [DZ _]. specialize (DZ n j Hn Hj).
      refine (is_derive_val _ _ _ _ (is_derive_Rminus _ _ _ _ _ (is_derive_sumn d (fun s i => X n i * B s j i)
        (fun i => X n i * sumn N (fun m => W s j m * X m i)) s _) DZ) _).
      - intros i Hi. apply is_derive_Rscal. now apply DB.
      - assert (E : sumn d (fun i => X n i * sumn N (fun m => W s j m * X m i)) =
          sumn N (fun m => K n m * sumn k (fun c => V s j c * residual h Y (Z s) (V s) m c))); [|lra].
        transitivity (sumn d (fun i => sumn N (fun m => X n i * X m i * W s j m))).
        + apply sumn_ext; intros i _. rewrite <- sumn_scal. apply sumn_ext; intros; ring.
        + rewrite sumn_swap. apply sumn_ext; intros m _. now rewrite sumn_scal_r. }
    cbv beta in E. rewrite HZ0 in E by assumption.
    replace (features d X (B 0) n j) with (features d X B0 n j) in E; [lra|].
    unfold features. apply sumn_ext; intros. now rewrite B00. }
  assert (ER : forall t n c, 0 <= t -> (n < N)%nat ->
    residual h Y (features d X (B t)) (V t) n c = residual h Y (Z t) (V t) n c).
  { intros t n c Ht Hn. unfold residual. f_equal. apply sumn_ext; intros j Hj. now rewrite EZ. }
  exists B, V. split; [|split; [intros; apply B00|exact HV0]].
  intros t Ht. cbv zeta. destruct (Hf t Ht) as [_ DV]. split.
  - intros j i Hj Hi. refine (is_derive_val _ _ _ _ (DB t j i Ht Hj Hi) _). apply sumn_ext; intros n Hn. f_equal.
    apply sumn_ext; intros c Hc. now rewrite ER.
  - intros j c Hj Hc. refine (is_derive_val _ _ _ _ (DV j c Hj Hc) _). f_equal. apply sumn_ext; intros n Hn.
    now rewrite ER, EZ.
Qed.

Theorem T1_flow_unique gamma N d h k X Y B V B' V' :
  is_matrix_flow gamma N d h k X Y B V -> is_matrix_flow gamma N d h k X Y B' V' ->
  (forall j i, (j < h)%nat -> (i < d)%nat -> B 0 j i = B' 0 j i) ->
  (forall j c, (j < h)%nat -> (c < k)%nat -> V 0 j c = V' 0 j c) ->
  forall t, 0 <= t ->
    (forall j i, (j < h)%nat -> (i < d)%nat -> B t j i = B' t j i) /\
    (forall j c, (j < h)%nat -> (c < k)%nat -> V t j c = V' t j c).
Proof.
  intros Hf Hf' HB HV.
  assert (U : forall t, 0 <= t ->
    (forall n j, (n < N)%nat -> (j < h)%nat -> features d X (B t) n j = features d X (B' t) n j) /\
    (forall j c, (j < h)%nat -> (c < k)%nat -> V t j c = V' t j c)).
  { apply (T6_flow_unique gamma N h k (fun n m => sumn d (fun i => X n i * X m i)) Y
      (fun t => features d X (B t)) V (fun t => features d X (B' t)) V');
      [now apply T1_features_follow_kernel|now apply T1_features_follow_kernel| |exact HV].
    intros n j Hn Hj. unfold features. apply sumn_ext; intros i Hi. now rewrite HB. }
  intros t Ht. destruct (U t Ht) as [_ UV]. split; [|exact UV]. intros j i Hj Hi.
  assert (E : (fun s => B s j i - B' s j i) t = (fun s => B s j i - B' s j i) 0).
  { apply (constant_from (fun s => B s j i - B' s j i)); [|exact Ht].
    intros s Hs. destruct (U s Hs) as [US1 US2].
    destruct (Hf s Hs) as [D _]. destruct (Hf' s Hs) as [D' _].
    refine (is_derive_val _ _ _ _ (is_derive_Rminus _ _ _ _ _ (D j i Hj Hi) (D' j i Hj Hi)) _).
    apply Rminus_diag_eq. apply sumn_ext; intros n Hn. f_equal. apply sumn_ext; intros c Hc.
    rewrite US2 by assumption. f_equal. unfold residual. f_equal. apply sumn_ext; intros l Hl.
    now rewrite US1, US2. }
  cbv beta in E. rewrite HB in E by assumption. lra.
Qed.

(** ** T5: propagators exist *)

Theorem T5_propagator_exists n (G : R -> mat) :
  (forall t, 0 <= t -> forall i j, (i < n)%nat -> (j < n)%nat -> continuous (fun s => G s i j) t) ->
  exists Phi, is_propagator n G Phi.
Proof.
  intros HG. set (H := fun t => G (Rmax 0 t)).
  assert (HH : forall (t : R) i j, (i < n)%nat -> (j < n)%nat -> continuous (fun s => H s i j) t).
  { intros t i j Hi Hj. apply (continuous_comp (fun s => Rmax 0 s) (fun s => G s i j)); [apply continuous_Rmax0|].
    apply HG; [apply Rmax_l|exact Hi|exact Hj]. }
  set (F := fun t (A : mat) i j => sumn n (fun l => H t i l * A l j)).
  set (a := fun t => norm1 n n (H t)).
  set (lam := fun t => a t + norm1 n n (F t identity)).
  assert (Ca : forall t : R, continuous a t) by (intros t; apply norm1_continuous; intros; now apply HH).
  assert (CF : forall W : R -> mat, (forall t i j, (i < n)%nat -> (j < n)%nat -> continuous (fun s => W s i j) t) ->
    forall t i j, (i < n)%nat -> (j < n)%nat -> continuous (fun s => F s (W s) i j) t).
  { intros W HW t i j Hi Hj. apply (continuous_sumn n (fun s l => H s i l * W s l j)). intros l Hl.
    apply (continuous_mult (fun s => H s i l) (fun s => W s l j)); [now apply HH|now apply HW]. }
  destruct (picard_solves n n F identity lam) as [P0 P1].
  - intros t. apply (continuous_plus a (fun t => norm1 n n (F t identity))); [apply Ca|].
    apply norm1_continuous. intros i j Hi Hj. apply (CF (fun _ => identity)); try assumption.
    intros; apply continuous_const.
  - intros t. unfold lam, a. pose proof (norm1_nonneg n n (H t)). lra.
  - intros t A B. apply Rle_trans with (a t * norm1 n n (fun i j => A i j - B i j)).
    + unfold a, norm1 at 1 2. rewrite <- sumn_scal_r. apply sumn_le; intros i Hi.
      apply Rle_trans with (sumn n (fun j => sumn n (fun l => Rabs (H t i l) * Rabs (A l j - B l j)))).
      * apply sumn_le; intros j Hj. unfold F. rewrite <- sumn_minus.
        eapply Rle_trans; [apply abs_sumn|]. apply sumn_le; intros l Hl. rewrite <- Rabs_mult. right. f_equal. ring.
      * rewrite sumn_swap, <- sumn_scal_r. apply sumn_le; intros l Hl. rewrite sumn_scal.
        apply Rmult_le_compat_l; [apply Rabs_pos|].
        apply (sumn_term n (fun l => sumn n (fun j => Rabs (A l j - B l j)))); [|exact Hl].
        intros; apply sumn_nonneg; intros; apply Rabs_pos.
    + apply Rmult_le_compat_r; [apply norm1_nonneg|]. unfold lam. pose proof (norm1_nonneg n n (F t identity)). lra.
  - exact CF.
  - exists (picard F identity). split; [exact P0|]. intros t Ht i j Hi Hj.
    refine (is_derive_val _ _ _ _ (P1 t Ht i j Hi Hj) _). unfold F, H. now rewrite Rmax_right.
Qed.
