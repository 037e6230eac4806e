(** * Commuting: the trend with its rate where K, Z0 Z0^T and Y Y^T commute (T31).

   notation: see Definitions.v and Modes.v; n modes with orthonormal directions p (samples) and q (outputs),
   Z0 = sum p_i z_i^T with orthogonal features z_i, Y = sum y_i p_i q_i^T, y_i > 0, K = sum kappa_i p_i p_i^T
   (K = I if n = N and kappa_i = 1: T31_whitened); the head is zero before probing.

   T31_one_mode    normalised model, a = (1 - e^(-x)) y, w = 0:  d D^2 / dx <= -2 (1 - e^(-x)) D^2
   T31_runs        the runs from the probed heads V(t1), V(t2) converge
   T31_commuting   0 <= t1 < t2: the Frobenius distance is strictly smaller for t2, and with lam <= |z_i|^2 for all i
                   D(t2) <= exp(-(g(t2) - g(t1))) D(t1),  g(t) = lam t + e^(-lam t)
   T31_whitened    with n = N modes and kappa_i = 1 the kernel is the identity
   *)

Require Import Reals Lra Lia Psatz.
From Coquelicot Require Import Coquelicot.
From TaskHead Require Import Definitions Sums Calculus Boost LimitEquation NormLaw DistanceLaw Scaling EnergyLaws
  Probing FrozenMatrix Modes Decoupling FlowExists.
Open Scope R_scope.

Lemma exp_mono x y : x <= y -> exp x <= exp y.
Proof. intros [H| ->]; [left; now apply exp_increasing|lra]. Qed.

(** ** One mode *)

(** The end point (z, v) fits, zv = y, and keeps z^2 - v^2 = 1 - a^2. *)
Lemma end_point y a : 0 < y -> 0 <= a <= y ->
  let z := dotT y 0 a in exists v, 1 <= z /\ z * v = y /\ z * z - v * v = 1 - a * a /\ P_of y 0 a = z * z + v * v.
Proof.
  intros Hy Ha z. assert (Hm : 0 < m_of 0 a + 2 * a) by (apply positive_head; lra).
  destruct (sigma_facts y 0 a Hm Hy) as [H1 [H2 [E1 [E2 [Hc HP]]]]].
  pose proof (T8_root y 0 a Hm (or_introl Hy)) as HL. unfold limit_equation in HL. rewrite E1, E2 in HL.
  assert (Hs : 0 <= sinh (sigma y 0 a)).
  { destruct (proj2 Ha) as [Hlt| ->].
    - left. apply sinh_pos, (T8_sign y 0 a Hm Hy), Hlt.
    - rewrite (T8_zero y 0 y Hm Hy eq_refl), sinh_0. lra. }
  unfold m_of in *. subst z. unfold dotT.
  set (c := cosh (sigma y 0 a)) in *. set (s := sinh (sigma y 0 a)) in *.
  exists (s + a * c). split; [nra|split; [nra|split; [|rewrite H2]]]; ring [H1].
Qed.

Theorem T31_one_mode y x : 0 < y -> 0 <= x ->
  let a := y * (1 - exp (- x)) in
  dist2T_slope y 0 a * (y * exp (- x)) <= - 2 * (1 - exp (- x)) * dist2T y 0 a.
Proof.
  intros Hy Hx a. set (q := exp (- x)).
  assert (Hq : 0 < q <= 1).
  { split; [apply exp_pos|]. unfold q. rewrite <- exp_0. apply exp_mono. lra. }
  assert (Ea : a = y * (1 - q)) by reflexivity.
  assert (Ha : 0 <= a <= y) by (rewrite Ea; nra).
  assert (Hm : 0 < m_of 0 a + 2 * a) by (apply positive_head; lra).
  pose proof (T10_derivative y 0 a Hm Hy) as D. cbv zeta in D.
  destruct (end_point y a Hy Ha) as [v [Hz [Hzv [Hinv HP]]]].
  unfold dist2T. set (D' := dist2T_slope y 0 a) in *. unfold dotT in *.
  set (c := cosh (sigma y 0 a)) in *. set (s := sinh (sigma y 0 a)) in *.
  replace ((c - 1 + a * s) * a * (c + a * s) + 0^2 * s * (cosh (2 * sigma y 0 a) + a * s))
    with ((c + a * s - 1) * a * (c + a * s)) in D by ring.
  set (z := c + a * s) in *. rewrite HP in D.
  assert (Hv : 0 < v) by nra.
  (* Q = 1 - (1 - q)^2 z^2, and Q v^2 = z^2 - 1 *)
  set (Q := 1 - (1 - q) * (1 - q) * (z * z)).
  assert (HQ : Q * (v * v) = z * z - 1).
  { unfold Q. transitivity (v * v - (1 - q) * (1 - q) * ((z * v) * (z * v))); [ring|]. rewrite Hzv.
    transitivity (v * v - a * a); [rewrite Ea; ring|lra]. }
  assert (G : 0 <= q * z * (z * v) * (z * v) - (z - 1) * (z * z + v * v)).
  { destruct (Rle_lt_or_eq_dec 1 z Hz) as [Hlt|<-]; [|assert (0 < v * v) by nra; nra].
    assert (HQp : 0 < Q) by (apply (Rmult_lt_reg_r (v * v)); nra).
    apply (Rmult_le_reg_l Q); [exact HQp|]. rewrite Rmult_0_r.
    replace (Q * (q * z * (z * v) * (z * v) - (z - 1) * (z * z + v * v)))
      with (q * z * (z * z) * (Q * (v * v)) - (z - 1) * (Q * (z * z) + Q * (v * v))) by ring.
    rewrite HQ.
    replace (q * z * (z * z) * (z * z - 1) - (z - 1) * (Q * (z * z) + (z * z - 1)))
      with ((z - 1) * ((z * z - 1) * (z * z - 1) + z * z * z * q * (1 - z * (1 - q)))) by (unfold Q; ring).
    assert (0 <= 1 - z * (1 - q)).
    { apply Rnot_lt_le. intros Hn. unfold Q in HQp. assert (1 < z * (1 - q)) by lra. nra. }
    apply Rmult_le_pos; [lra|]. apply Rplus_le_le_0_compat; [apply Rle_0_sqr|].
    repeat apply Rmult_le_pos; lra. }
  assert (HPp : 0 < z * z + v * v) by nra.
  apply (Rmult_le_reg_l (z * z + v * v)); [exact HPp|].
  replace ((z * z + v * v) * (D' * (y * q))) with (2 * (y * q) * ((z * z + v * v) * D' / 2)) by field.
  rewrite D, Ea. rewrite Hzv in G.
  assert (0 <= (1 - q) * (z - 1) * (q * z * y * y - (z - 1) * (z * z + v * v)))
    by (apply Rmult_le_pos; [apply Rmult_le_pos; lra|exact G]).
  nra.
Qed.

(** Integrated over the probing time, for a mode with squared singular value [mu] and any smaller [lam]. *)
Definition lag (lam t : R) : R := lam * t + exp (- (lam * t)).

Lemma lag_derive lam t : is_derive (lag lam) t (lam * (1 - exp (- (lam * t)))).
Proof. unfold lag. auto_derive; [exact I|]. ring. Qed.

Lemma mode_rate y mu lam : 0 < y -> 0 <= lam <= mu -> 0 < mu ->
  forall t1 t2, 0 <= t1 <= t2 ->
  exp (2 * lag lam t2) * dist2T y 0 (y * (1 - exp (- (mu * t2)))) <=
  exp (2 * lag lam t1) * dist2T y 0 (y * (1 - exp (- (mu * t1)))).
Proof.
  intros Hy Hl Hmu t1 t2 Ht.
  set (a := fun t => y * (1 - exp (- (mu * t)))).
  apply (nonincreasing_from (fun t => exp (2 * lag lam t) * dist2T y 0 (a t))
    (fun t => exp (2 * lag lam t) * (2 * (lam * (1 - exp (- (lam * t)))) * dist2T y 0 (a t)
      + dist2T_slope y 0 (a t) * (y * (mu * exp (- (mu * t))))))); [| |exact Ht].
  - intros t H0. assert (Hm : 0 < m_of 0 (a t) + 2 * a t).
    { apply positive_head. unfold a. apply Rmult_le_pos; [lra|].
      assert (exp (- (mu * t)) <= 1); [|lra]. rewrite <- exp_0 at 1. apply exp_mono. nra. }
    assert (Da : is_derive a t (y * (mu * exp (- (mu * t))))).
    { unfold a. auto_derive; [exact I|]. ring. }
    refine (is_derive_val _ _ _ _ (is_derive_Rmult (fun t => exp (2 * lag lam t)) (fun t => dist2T y 0 (a t)) t _ _
      (is_derive_exp_comp _ _ _ (is_derive_Rscal _ 2 _ _ (lag_derive lam t)))
      (is_derive_comp_R (fun x => dist2T y 0 x) a t _ _ Da (T10_is_derivative y 0 (a t) Hm Hy))) _).
    cbv beta. ring.
  - intros t H0. pose proof (exp_pos (2 * lag lam t)) as He.
    pose proof (T31_one_mode y (mu * t) Hy ltac:(nra)) as D. cbv zeta in D. fold (a t) in D.
    assert (E : exp (- (mu * t)) <= exp (- (lam * t))) by (apply exp_mono; nra).
    assert (E1 : exp (- (lam * t)) <= 1) by (rewrite <- exp_0; apply exp_mono; nra).
    assert (Hd : 0 <= dist2T y 0 (a t)).
    { unfold dist2T. pose proof (pow2_ge_0 (dotT y 0 (a t) - 1)).
      pose proof (pow2_ge_0 (0 * sinh (sigma y 0 (a t)))). lra. }
    set (d := dist2T y 0 (a t)) in *. set (s := dist2T_slope y 0 (a t)) in *.
    set (ql := exp (- (lam * t))) in *. set (qm := exp (- (mu * t))) in *.
    assert (lam * (1 - ql) * d <= mu * (1 - qm) * d).
    { apply Rmult_le_compat_r; [exact Hd|]. apply Rmult_le_compat; lra. }
    assert (mu * (s * (y * qm)) <= mu * (-2 * (1 - qm) * d)) by (apply Rmult_le_compat_l; lra).
    assert (2 * (lam * (1 - ql)) * d + s * (y * (mu * qm)) <= 0) by lra.
    nra.
Qed.

(** A mode of the matrix problem, from the head that probing for [t] gives. *)
Section Mode.
Variables (kappa gamma y : R) (h : nat) (z0 : vec).
Hypothesis Hk : 0 < kappa.
Hypothesis Hg : 0 < gamma.
Hypothesis Hy : 0 < y.
Hypothesis Hz : 0 < sq h z0.
Let head := probed_head h y z0 (fun _ => 0).

Lemma probed_prediction t : dot h z0 (head t) = y * (1 - exp (- (sq h z0 * t))).
Proof.
  pose proof (probed_dot h y z0 (fun _ => 0) t) as E. rewrite (dot_zero_r h z0 (fun _ => 0)) in E by reflexivity.
  fold (head t) in E. lra.
Qed.

Lemma prediction_range t : 0 <= t -> 0 <= dot h z0 (head t) <= y.
Proof.
  intros Ht. rewrite probed_prediction. pose proof (exp_pos (- (sq h z0 * t))).
  assert (exp (- (sq h z0 * t)) <= 1) by (rewrite <- exp_0; apply exp_mono; nra). nra.
Qed.

Lemma probed_runs t : 0 <= t -> exists x u, trains kappa gamma h y z0 (head t) x u.
Proof.
  intros Ht. apply T7_general_converges; try assumption.
  apply not_opposite_aligned; try assumption. now apply prediction_range.
Qed.

Lemma probed_distance t x u : 0 <= t -> trains kappa gamma h y z0 (head t) x u ->
  let c := unit_of kappa gamma h z0 in
  sq h (vsub x z0) = sq h z0 * dist2T (c * y) 0 (c * y * (1 - exp (- (sq h z0 * t)))).
Proof.
  intros Ht T c. destruct (prediction_range t Ht) as [A B].
  destruct (limit_quantities kappa gamma y h z0 Hk Hg Hz (head t) x u Hy
    (not_opposite_aligned kappa gamma h z0 Hk Hg Hz (head t) A) T) as [_ [_ [E _]]].
  rewrite E. f_equal. fold c. rewrite probed_prediction.
  assert (W : w_of h z0 (head t) = 0).
  { rewrite (w_of_line h z0 (fun _ => 0) (head t)).
    - unfold w_of, sq. rewrite (dot_zero_r h z0 (fun _ => 0)), (dot_zero_r h (fun _ => 0) (fun _ => 0)) by reflexivity.
      replace (dot h z0 z0 * 0 - 0 ^ 2) with 0 by ring. apply sqrt_0.
    - exists (phi (sq h z0) t * (y - dot h z0 (fun _ => 0))). intros i _. unfold head, probed_head, comb. ring. }
  rewrite W, Rmult_0_r. f_equal. ring.
Qed.

Lemma probed_rate lam t1 t2 x1 u1 x2 u2 : 0 <= lam <= sq h z0 -> 0 <= t1 <= t2 ->
  trains kappa gamma h y z0 (head t1) x1 u1 -> trains kappa gamma h y z0 (head t2) x2 u2 ->
  exp (2 * lag lam t2) * sq h (vsub x2 z0) <= exp (2 * lag lam t1) * sq h (vsub x1 z0).
Proof.
  intros Hl Ht T1 T2.
  rewrite (probed_distance t1 x1 u1), (probed_distance t2 x2 u2) by (assumption || lra).
  assert (Hc : 0 < unit_of kappa gamma h z0 * y) by (apply Rmult_lt_0_compat; [now apply c_positive|exact Hy]).
  pose proof (mode_rate _ (sq h z0) lam Hc Hl Hz t1 t2 Ht). nra.
Qed.
End Mode.

(** ** All modes *)
Section Commuting.
Variables (n N h k : nat) (gamma : R) (kappa y : nat -> R) (p q z0 : nat -> vec) (V : R -> mat).
Hypothesis Hg : 0 < gamma.
Hypothesis Hp : orthonormal n N p.
Hypothesis Hq : orthonormal n k q.
Hypothesis Hk : forall i, (i < n)%nat -> 0 < kappa i.
Hypothesis Hy : forall i, (i < n)%nat -> 0 < y i.
Hypothesis Hz : forall i, (i < n)%nat -> 0 < sq h (z0 i).
Hypothesis Hort : forall i j, (i < n)%nat -> (j < n)%nat -> i <> j -> dot h (z0 i) (z0 j) = 0.
Let K := outer_sum n kappa p p.
Let Y := outer_sum n y p q.
Let Z0 := outer_sum n (fun _ => 1) p z0.
Let zero : vec := fun _ => 0.
Let head i := probed_head h (y i) (z0 i) zero.
Hypothesis HV : is_matrix_probing N h k Y Z0 V.
Hypothesis HV0 : forall j c, (j < h)%nat -> (c < k)%nat -> V 0 j c = 0.

Lemma dot_zero (u : vec) : dot h u zero = 0.
Proof. apply dot_zero_r. reflexivity. Qed.

Lemma probed_is t j c : 0 <= t -> (j < h)%nat -> (c < k)%nat ->
  V t j c = outer_sum n (fun _ => 1) (fun i => head i t) q j c.
Proof.
  intros Ht Hj Hc. apply (T14_probing_unique n N h k y p q Hp Hq z0 (fun _ => zero)); try assumption.
  - intros i l Hi Hl Hne. split; [now apply Hort|apply dot_zero].
  - intros i e Hi He. rewrite HV0 by assumption. unfold outer_sum.
    rewrite (sumn_ext n _ (fun _ => 0)); [now rewrite sumn_zero|]. intros l _. unfold zero. ring.
Qed.

Definition mode_run (t : R) (x u : nat -> vec) : Prop :=
  forall i, (i < n)%nat -> trains (kappa i) gamma h (y i) (z0 i) (head i t) (x i) (u i).

Lemma mode_runs t : 0 <= t -> exists x u, mode_run t x u.
Proof.
  intros Ht.
  assert (E : forall m, (m <= n)%nat -> exists x u : nat -> vec, forall i, (i < m)%nat ->
    trains (kappa i) gamma h (y i) (z0 i) (head i t) (x i) (u i)).
  { induction m as [|m IH]; intros Hm; [exists (fun _ => zero), (fun _ => zero); intros; lia|].
    destruct (IH ltac:(lia)) as [x [u H]].
    destruct (probed_runs (kappa m) gamma (y m) h (z0 m) (Hk m Hm) Hg (Hy m Hm) (Hz m Hm) t Ht) as [xm [um Hm']].
    exists (fun i => if Nat.eqb i m then xm else x i), (fun i => if Nat.eqb i m then um else u i).
    intros i Hi. destruct (Nat.eqb_spec i m) as [->|Hne]; [exact Hm'|apply H; lia]. }
  exact (E n (le_n n)).
Qed.

(** Every run of the matrix flow is the sum of the runs of the modes. *)
Lemma run_of_modes t x u : 0 <= t -> mode_run t x u ->
  finetunes gamma N h k K Y Z0 (V t) (outer_sum n (fun _ => 1) p x) /\
  forall X, finetunes gamma N h k K Y Z0 (V t) X ->
    forall a j, (a < N)%nat -> (j < h)%nat -> X a j = outer_sum n (fun _ => 1) p x a j.
Proof.
  intros Ht Hrun.
  assert (E : exists z v : nat -> R -> vec, forall i, (i < n)%nat ->
    is_flow (kappa i) gamma h (y i) (z i) (v i) /\
    starts h (z i) (z0 i) /\ starts h (v i) (head i t) /\ tends h (z i) (x i)).
  { assert (E : forall m, (m <= n)%nat -> exists z v : nat -> R -> vec, forall i, (i < m)%nat ->
      is_flow (kappa i) gamma h (y i) (z i) (v i) /\
      starts h (z i) (z0 i) /\ starts h (v i) (head i t) /\ tends h (z i) (x i)).
    { induction m as [|m IH]; intros Hm; [exists (fun _ _ => zero), (fun _ _ => zero); intros; lia|].
      destruct (IH ltac:(lia)) as [z [v H]]. destruct (Hrun m Hm) as [zm [vm [A [B [C [D _]]]]]].
      exists (fun i => if Nat.eqb i m then zm else z i), (fun i => if Nat.eqb i m then vm else v i).
      intros i Hi. destruct (Nat.eqb_spec i m) as [->|Hne]; [auto|apply H; lia]. }
    exact (E n (le_n n)). }
  destruct E as [z [v E]].
  set (Zt := fun s => outer_sum n (fun _ => 1) p (fun i => z i s)).
  set (Vt := fun s => outer_sum n (fun _ => 1) (fun i => v i s) q).
  assert (Hf : is_feature_flow gamma N h k K Y Zt Vt).
  { apply T14_decoupling_start; [exact Hp|exact Hq|intros i Hi; now apply E|].
    intros i j Hi Hj Hne. destruct (E i Hi) as [_ [Szi [Svi _]]]. destruct (E j Hj) as [_ [Szj [Svj _]]].
    assert (O : dot h (z0 i) (z0 j) = 0) by now apply Hort.
    assert (P1 : forall w, dot h (z0 i) w = 0 -> dot h (head i t) w = 0).
    { intros w Hw. unfold head, probed_head. rewrite dot_comb_l, (dot_comm h zero w), dot_zero, Hw. ring. }
    assert (P2 : dot h (z0 i) (head j t) = 0).
    { unfold head, probed_head. rewrite dot_comb_r, dot_zero, O. ring. }
    rewrite (dot_ext h _ (z0 i) _ (z0 j) Szi Szj), (dot_ext h _ (z0 i) _ (head j t) Szi Svj),
      (dot_ext h _ (head i t) _ (head j t) Svi Svj). auto. }
  assert (S1 : forall a j, (a < N)%nat -> (j < h)%nat -> Zt 0 a j = Z0 a j).
  { intros a j Ha Hj. apply sumn_ext; intros i Hi. destruct (E i Hi) as [_ [Sz _]]. now rewrite Sz. }
  assert (S2 : forall j c, (j < h)%nat -> (c < k)%nat -> Vt 0 j c = V t j c).
  { intros j c Hj Hc. rewrite probed_is by assumption. apply sumn_ext; intros i Hi.
    destruct (E i Hi) as [_ [_ [Sv _]]]. now rewrite Sv. }
  assert (L : forall a j, (a < N)%nat -> (j < h)%nat ->
    is_lim (fun s => Zt s a j) p_infty (outer_sum n (fun _ => 1) p x a j)).
  { intros a j Ha Hj. apply (lim_sumn n (fun s i => 1 * p i a * z i s j)). intros i Hi.
    destruct (E i Hi) as [_ [_ [_ T]]]. exact (is_lim_scal_l (fun s => z i s j) (1 * p i a) p_infty (x i j) (T j Hj)). }
  split; [now exists Zt, Vt|].
  intros X [Z' [V' [F' [A [B C]]]]] a j Ha Hj.
  assert (Eq : Rbar.Finite (X a j) = Rbar.Finite (outer_sum n (fun _ => 1) p x a j)).
  { rewrite <- (is_lim_unique _ _ _ (C a j Ha Hj)), <- (is_lim_unique _ _ _ (L a j Ha Hj)).
    apply Lim_ext_loc. exists 0. intros s Hs.
    destruct (T6_flow_unique gamma N h k K Y Z' V' Zt Vt F' Hf) with (t := s) as [U _].
    - intros; now rewrite A, S1.
    - intros; now rewrite B, S2.
    - lra.
    - symmetry. now apply U. }
  now injection Eq.
Qed.

Theorem T31_runs t : 0 <= t -> exists X, finetunes gamma N h k K Y Z0 (V t) X.
Proof.
  intros Ht. destruct (mode_runs t Ht) as [x [u H]]. exists (outer_sum n (fun _ => 1) p x).
  now apply (run_of_modes t x u).
Qed.

Theorem T31_commuting t1 t2 X1 X2 : (0 < n)%nat -> 0 <= t1 < t2 ->
  finetunes gamma N h k K Y Z0 (V t1) X1 -> finetunes gamma N h k K Y Z0 (V t2) X2 ->
  fnorm N h (msub X2 Z0) < fnorm N h (msub X1 Z0) /\
  forall lam, 0 <= lam -> (forall i, (i < n)%nat -> lam <= sq h (z0 i)) ->
    fnorm N h (msub X2 Z0) <=
    exp (- ((lam * t2 + exp (- (lam * t2))) - (lam * t1 + exp (- (lam * t1))))) * fnorm N h (msub X1 Z0).
Proof.
  intros Hn Ht R1 R2.
  destruct (mode_runs t1 ltac:(lra)) as [x1 [u1 M1]]. destruct (mode_runs t2 ltac:(lra)) as [x2 [u2 M2]].
  destruct (run_of_modes t1 x1 u1 ltac:(lra) M1) as [_ E1]. destruct (run_of_modes t2 x2 u2 ltac:(lra) M2) as [_ E2].
  assert (D : forall X x, (forall a j, (a < N)%nat -> (j < h)%nat -> X a j = outer_sum n (fun _ => 1) p x a j) ->
    frob2 N h (msub X Z0) = sumn n (fun i => sq h (vsub (x i) (z0 i)))).
  { intros X x E. rewrite <- (T14_distances_add n N h p x z0 Hp).
    apply sumn_ext; intros a Ha. apply sumn_ext; intros j Hj. unfold msub. now rewrite E. }
  pose proof (D X1 x1 (E1 X1 R1)) as D1. pose proof (D X2 x2 (E2 X2 R2)) as D2.
  set (s1 := sumn n (fun i => sq h (vsub (x1 i) (z0 i)))) in *.
  set (s2 := sumn n (fun i => sq h (vsub (x2 i) (z0 i)))) in *.
  unfold fnorm. rewrite D1, D2.
  assert (P1 : 0 <= s1) by (apply sumn_nonneg; intros; apply sq_nonneg).
  assert (P2 : 0 <= s2) by (apply sumn_nonneg; intros; apply sq_nonneg).
  split.
  - apply sqrt_lt_1; [exact P2|exact P1|].
    destruct (T14_common_schedule n h gamma kappa y z0 Hg Hk Hy Hz (fun _ => zero) x1 u1 x2 u2 t1 t2 Ht) as [_ L];
      [| | |exact L].
    + intros i Hi. rewrite dot_zero. specialize (Hy i Hi). lra.
    + exists 0%nat. split; [exact Hn|]. rewrite dot_zero. now apply Hy.
    + intros i Hi. split; [now apply M1|now apply M2].
  - intros lam Hl Hlam.
    assert (S : exp (2 * lag lam t2) * s2 <= exp (2 * lag lam t1) * s1).
    { unfold s1, s2. rewrite <- !sumn_scal. apply sumn_le. intros i Hi.
      apply (probed_rate (kappa i) gamma (y i) h (z0 i) (Hk i Hi) Hg (Hy i Hi) (Hz i Hi) lam t1 t2
          (x1 i) (u1 i) (x2 i) (u2 i));
        [split; [exact Hl|now apply Hlam]|lra|now apply M1|now apply M2]. }
    fold (lag lam t2) (lag lam t1). set (d := lag lam t2 - lag lam t1).
    assert (S' : s2 <= exp (- d) ^ 2 * s1).
    { apply (Rmult_le_reg_l (exp (2 * lag lam t2))); [apply exp_pos|].
      replace (exp (2 * lag lam t2) * (exp (- d) ^ 2 * s1)) with (exp (2 * lag lam t1) * s1); [exact S|].
      rewrite <- Rmult_assoc. f_equal. replace (exp (- d) ^ 2) with (exp (- d) * exp (- d)) by ring.
      rewrite <- !exp_plus. f_equal. unfold d. ring. }
    apply Rle_trans with (sqrt (exp (- d) ^ 2 * s1)); [now apply sqrt_le_1_alt|].
    rewrite sqrt_mult_alt by apply pow2_ge_0. rewrite sqrt_pow2 by (left; apply exp_pos). lra.
Qed.
End Commuting.

(** With as many modes as samples and kappa_i = 1 the kernel is the identity. *)
Theorem T31_whitened N (p : nat -> vec) : orthonormal N N (transpose p) ->
  forall a b, (a < N)%nat -> (b < N)%nat -> outer_sum N (fun _ => 1) p p a b = identity a b.
Proof.
  intros Hp a b Ha Hb. unfold identity. rewrite <- (Hp a b Ha Hb). apply sumn_ext; intros i _. unfold transpose. ring.
Qed.
