(** * LimitEquation: T8, where the normalised flow ends.

   notation: see Definitions.v; m = 1 + a^2 + w^2 and P = sqrt(4 y^2 + m^2 - 4 a^2).
   The number m + 2 a = |z0 + v0|^2 vanishes only for w = 0 and a = -1.

   T8_root            sigma y w a solves  m sinh(2 s) + 2 a cosh(2 s) = 2 y
   T8_unique          and no other number does
   T8_generic         for w <> 0 or |a| <> 1 there is exactly one root, for any target
   T8_sign            for y > 0: the root is positive iff a < y
   T8_zero            the root is 0 at a = y
   T8_algebraic       P = m cosh(2 sigma) + 2 a sinh(2 sigma) = |z_T|^2 + |v_T|^2
   T8_derivative      d sigma / d a = - (cosh(2 sigma) + a sinh(2 sigma)) / P
   *)

Require Import Reals Lra Lia Psatz.
From Coquelicot Require Import Coquelicot.
From TaskHead Require Import Definitions Sums Calculus.
Open Scope R_scope.

Lemma P_sq y w a : P_of y w a ^ 2 = 4 * y^2 + (m_of w a)^2 - 4 * a^2.
Proof.
  unfold P_of. apply pow2_sqrt. unfold m_of.
  pose proof (pow2_ge_0 y). pose proof (pow2_ge_0 w). pose proof (pow2_ge_0 a).
  assert (0 <= (1 + a^2 + w^2)^2 - 4 * a^2); [|lra].
  replace ((1 + a^2 + w^2)^2 - 4 * a^2) with ((1 - a^2)^2 + w^2 * (2 + 2 * a^2 + w^2)) by ring.
  pose proof (pow2_ge_0 (1 - a^2)). nra.
Qed.

Lemma P_nonneg y w a : 0 <= P_of y w a.
Proof. apply sqrt_pos. Qed.

Lemma P_sq' y w a :
  P_of y w a * P_of y w a = 4 * y^2 + (m_of w a + 2 * a) * (m_of w a - 2 * a).
Proof. pose proof (P_sq y w a). lra. Qed.

Lemma alpha_form w a : m_of w a + 2 * a = (1 + a)^2 + w^2.
Proof. unfold m_of; ring. Qed.

Lemma beta_form w a : m_of w a - 2 * a = (1 - a)^2 + w^2.
Proof. unfold m_of; ring. Qed.

Lemma beta_nn w a : 0 <= m_of w a - 2 * a.
Proof. rewrite beta_form. pose proof (pow2_ge_0 (1 - a)). pose proof (pow2_ge_0 w). lra. Qed.

Lemma root_numerator y w a :
  0 < m_of w a + 2 * a -> 0 < y \/ 0 < m_of w a - 2 * a ->
  0 < 2 * y + P_of y w a /\ 0 < P_of y w a.
Proof.
  intros Ha Hor. pose proof (P_nonneg y w a). pose proof (P_sq' y w a) as HP.
  assert (0 <= m_of w a - 2 * a) by apply beta_nn.
  assert (0 < P_of y w a) by (destruct Hor; nra).
  split; [|assumption].
  destruct Hor as [Hy|Hb]; [lra|]. destruct (Rle_dec 0 y); [lra|].
  assert (- (2 * y) < P_of y w a); [|lra].
  apply Rsqr_incrst_0; [unfold Rsqr; nra|lra|lra].
Qed.

Lemma exp_2_sigma y w a :
  0 < m_of w a + 2 * a -> 0 < 2 * y + P_of y w a ->
  exp (2 * sigma y w a) = (2 * y + P_of y w a) / (m_of w a + 2 * a).
Proof.
  intros Ha Hn. unfold sigma.
  replace (2 * _) with (ln ((2 * y + P_of y w a) / (m_of w a + 2 * a))) by field.
  apply exp_ln. now apply Rdiv_lt_0_compat.
Qed.

(** The limit equation as a quadratic in e^(2 s). *)
Lemma limit_equation_exp y w a s :
  limit_equation y w a s <->
  (m_of w a + 2 * a) * exp (2 * s) - (m_of w a - 2 * a) * / exp (2 * s) = 4 * y.
Proof.
  unfold limit_equation, cosh, sinh. rewrite exp_Ropp. split; intros H; lra.
Qed.

Theorem T8_root y w a :
  0 < m_of w a + 2 * a -> 0 < y \/ 0 < m_of w a - 2 * a ->
  limit_equation y w a (sigma y w a).
Proof.
  intros Ha Hor. destruct (root_numerator y w a Ha Hor) as [Hn HP].
  apply limit_equation_exp. rewrite exp_2_sigma by assumption.
  pose proof (P_sq' y w a) as H2.
  set (al := m_of w a + 2 * a) in *. set (be := m_of w a - 2 * a) in *. set (P := P_of y w a) in *.
  apply (Rmult_eq_reg_r (2 * y + P)); [|lra].
  transitivity ((2 * y + P) * (2 * y + P) - al * be); [field; lra|].
  ring [H2].
Qed.

Theorem T8_unique y w a s1 s2 :
  0 < m_of w a + 2 * a ->
  limit_equation y w a s1 -> limit_equation y w a s2 -> s1 = s2.
Proof.
  intros Ha H1 H2. apply limit_equation_exp in H1, H2.
  assert (Hb : 0 <= m_of w a - 2 * a) by apply beta_nn.
  assert (K : forall p q, p < q ->
    (m_of w a + 2 * a) * exp (2 * p) - (m_of w a - 2 * a) * / exp (2 * p) <
    (m_of w a + 2 * a) * exp (2 * q) - (m_of w a - 2 * a) * / exp (2 * q)).
  { intros p q Hpq. assert (He : exp (2 * p) < exp (2 * q)) by (apply exp_increasing; lra).
    assert (/ exp (2 * q) < / exp (2 * p)).
    { apply Rinv_lt_contravar; [apply Rmult_lt_0_compat; apply exp_pos|exact He]. }
    nra. }
  destruct (Rtotal_order s1 s2) as [H|[H|H]]; [|exact H|].
  - specialize (K _ _ H). lra.
  - specialize (K _ _ H). lra.
Qed.

Lemma generic_signs w a : w <> 0 \/ Rabs a <> 1 ->
  0 < m_of w a + 2 * a /\ 0 < m_of w a - 2 * a.
Proof.
  intros H. rewrite alpha_form, beta_form.
  pose proof (pow2_ge_0 (1 + a)). pose proof (pow2_ge_0 (1 - a)). pose proof (pow2_ge_0 w).
  destruct H as [H|H].
  - assert (0 < w^2) by (apply pow2_gt_0; exact H). lra.
  - assert (1 + a <> 0) by (intros E; apply H; replace a with (-(1)) by lra; rewrite Rabs_Ropp; apply Rabs_R1).
    assert (1 - a <> 0) by (intros E; apply H; replace a with 1 by lra; apply Rabs_R1).
    assert (0 < (1 + a)^2) by (apply pow2_gt_0; assumption).
    assert (0 < (1 - a)^2) by (apply pow2_gt_0; assumption). lra.
Qed.

Theorem T8_generic y w a :
  w <> 0 \/ Rabs a <> 1 -> exists! s, limit_equation y w a s.
Proof.
  intros H. destruct (generic_signs w a H) as [Ha Hb].
  exists (sigma y w a). split; [now apply T8_root; [|right]|].
  intros s Hs. apply (T8_unique y w a); [assumption|now apply T8_root; [|right]|assumption].
Qed.

Theorem T8_zero y w a :
  0 < m_of w a + 2 * a -> 0 < y -> a = y -> sigma y w a = 0.
Proof.
  intros Ha Hy E. apply (T8_unique y w a); [assumption|now apply T8_root; [|left]|].
  unfold limit_equation. rewrite Rmult_0_r, sinh_0, cosh_0. lra.
Qed.

Theorem T8_sign y w a :
  0 < m_of w a + 2 * a -> 0 < y -> (0 < sigma y w a <-> a < y).
Proof.
  intros Ha Hy.
  pose proof (T8_root y w a Ha (or_introl Hy)) as Hr. apply limit_equation_exp in Hr.
  assert (Hb : 0 <= m_of w a - 2 * a) by apply beta_nn.
  set (s := sigma y w a) in *. pose proof (exp_pos (2 * s)) as He.
  assert (Hi : exp (2 * s) * / exp (2 * s) = 1) by (apply Rinv_r; lra).
  assert (Hip : 0 < / exp (2 * s)) by now apply Rinv_0_lt_compat.
  split; intros H.
  - assert (1 < exp (2 * s)) by (rewrite <- exp_0; apply exp_increasing; lra).
    assert (/ exp (2 * s) < 1) by nra. nra.
  - destruct (Rlt_dec 0 s) as [Hs|Hs]; [exact Hs|exfalso].
    assert (exp (2 * s) <= 1).
    { rewrite <- exp_0. destruct (Req_dec s 0) as [->|]; [right; f_equal; ring|].
      left. apply exp_increasing; lra. }
    assert (1 <= / exp (2 * s)) by nra. nra.
Qed.

(** Values of cosh(2 sigma) and sinh(2 sigma) through P: only square roots. *)
Theorem T8_algebraic y w a :
  0 < m_of w a + 2 * a -> 0 < y ->
  P_of y w a = m_of w a * cosh (2 * sigma y w a) + 2 * a * sinh (2 * sigma y w a).
Proof.
  intros Ha Hy. destruct (root_numerator y w a Ha (or_introl Hy)) as [Hn HP].
  pose proof (P_sq' y w a) as H2.
  unfold cosh, sinh. rewrite exp_Ropp, exp_2_sigma by assumption.
  transitivity (((m_of w a + 2 * a) * ((2 * y + P_of y w a) / (m_of w a + 2 * a))
    + (m_of w a - 2 * a) * / ((2 * y + P_of y w a) / (m_of w a + 2 * a))) / 2); [|field; lra].
  set (al := m_of w a + 2 * a) in *. set (be := m_of w a - 2 * a) in *. set (P := P_of y w a) in *.
  apply (Rmult_eq_reg_r (2 * (2 * y + P))); [|lra].
  transitivity ((2 * y + P) * (2 * y + P) + al * be); [|field; lra].
  ring [H2].
Qed.

Theorem T8_derivative y w a :
  0 < m_of w a + 2 * a -> 0 < y ->
  is_derive (fun x => sigma y w x) a
    (- (cosh (2 * sigma y w a) + a * sinh (2 * sigma y w a)) / P_of y w a).
Proof.
  intros Ha Hy. destruct (root_numerator y w a Ha (or_introl Hy)) as [Hn HP].
  pose proof (P_sq' y w a) as H2.
  assert (Hrad : 0 < 4 * y^2 + (m_of w a)^2 - 4 * a^2) by (rewrite <- P_sq; nra).
  assert (DP : is_derive (fun x => P_of y w x) a (2 * a * (m_of w a - 2) / P_of y w a)).
  { refine (is_derive_val _ _ _ _ (is_derive_sqrt (fun x => 4 * y^2 + (m_of w x)^2 - 4 * x^2) a
      (2 * m_of w a * (2 * a) - 8 * a) _ Hrad) _).
    - unfold m_of. auto_derive; [exact I|]. ring.
    - fold (P_of y w a). field. lra. }
  assert (Dm : is_derive (fun x => m_of w x + 2 * x) a (2 * a + 2)).
  { unfold m_of. auto_derive; [exact I|]. ring. }
  assert (Dq : is_derive (fun x => (2 * y + P_of y w x) / (m_of w x + 2 * x)) a
     (((0 + 2 * a * (m_of w a - 2) / P_of y w a) * (m_of w a + 2 * a) - (2 * y + P_of y w a) * (2 * a + 2))
        / (m_of w a + 2 * a) ^ 2)).
  { apply (is_derive_div (fun x => 2 * y + P_of y w x) (fun x => m_of w x + 2 * x)).
    - apply is_derive_Rplus; [apply is_derive_Rconst|exact DP].
    - exact Dm.
    - lra. }
  refine (is_derive_val _ _ _ _ (is_derive_extR
    (fun x => / 2 * ln ((2 * y + P_of y w x) / (m_of w x + 2 * x))) (fun x => sigma y w x) a _ _
    (is_derive_Rscal _ (/ 2) _ _ (is_derive_comp_R ln _ _ _ _ Dq (is_derive_ln _ _)))) _).
  - intros x. unfold sigma. field.
  - now apply Rdiv_lt_0_compat.
  - unfold cosh, sinh. rewrite exp_Ropp, exp_2_sigma by assumption.
    assert (Hm : m_of w a = 1 + a^2 + w^2) by reflexivity.
    set (P := P_of y w a) in *. set (m := m_of w a) in *.
    assert (Hal : m + 2 * a <> 0) by lra.
    assert (HPn : P <> 0) by lra. assert (HNn : 2 * y + P <> 0) by lra.
    apply (Rmult_eq_reg_r (2 * P * (m + 2 * a) * (2 * y + P))).
    2:{ repeat apply Rmult_integral_contrapositive_currified; lra. }
    transitivity (2 * a * (m - 2) * (m + 2 * a) - (2 * y + P) * (2 * a + 2) * P);
      [field; repeat split; lra|].
    transitivity (- ((1 + a) * ((2 * y + P) * (2 * y + P)) + (1 - a) * (m + 2 * a)^2));
      [|field; repeat split; lra].
    ring [H2].
Qed.
