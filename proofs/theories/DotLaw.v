(** * DotLaw: T12, the dot product z_T . z_0 first grows and then falls with energy.

   notation: see Definitions.v; E = y - a; ch, sh = cosh, sinh of sigma; th = sh / ch.
   g(a) = w^2 cosh(2 sigma) th - a (1 + a th): the derivative of the dot product in a is ch g / P.

   g_decreasing       g strictly decreases on [0, y]
   T12_dot_law        for w <> 0 there is a peak p with 0 < p < y: with growing energy the dot product
                      strictly grows down to a = p and strictly falls from there to a = 0
   T12_no_orthogonal_part   for w = 0 it strictly grows on all of E in [0, y]
   *)

Require Import Reals Ranalysis5 Lra Lia Psatz.
From Coquelicot Require Import Coquelicot.
From TaskHead Require Import Definitions Sums Calculus LimitEquation NormLaw DistanceLaw.
Open Scope R_scope.

Definition dotT_slope (y w a : R) : R :=
  sinh (sigma y w a) + (sinh (sigma y w a) + a * cosh (sigma y w a)) * slope y w a.

Definition g (y w a : R) : R :=
  w^2 * (cosh (2 * sigma y w a) * tanh (sigma y w a)) - a * (1 + a * tanh (sigma y w a)).

Lemma dotT_slope_sign y w a : 0 < m_of w a + 2 * a -> 0 < y ->
  P_of y w a * dotT_slope y w a = cosh (sigma y w a) * g y w a.
Proof.
  intros Ha Hy. destruct (sigma_facts y w a Ha Hy) as [H1 [H2 [E1 [E2 [Hc HP]]]]].
  pose proof (sigma_slope y w a Ha Hy) as Hs.
  unfold dotT_slope, g, tanh. rewrite E1.
  set (ch := cosh (sigma y w a)) in *. set (sh := sinh (sigma y w a)) in *.
  set (sl := slope y w a) in *. set (P := P_of y w a) in *.
  transitivity (P * sh + (sh + a * ch) * (P * sl)); [ring|].
  transitivity (w^2 * ((1 + 2 * sh * sh) * sh) - a * (ch + a * sh)); [|field; lra].
  rewrite Hs, H2. unfold m_of. ring [H1].
Qed.

Definition g_slope (y w a : R) : R :=
  let ch := cosh (sigma y w a) in let sh := sinh (sigma y w a) in let sl := slope y w a in
  w^2 * (2 * sl * (2 * sh * ch) * (sh / ch) + (1 + 2 * sh * sh) * (sl / ch^2))
  - (1 + 2 * a * (sh / ch) + a^2 * (sl / ch^2)).

Lemma tanh_derive (f : R -> R) x d :
  is_derive f x d -> is_derive (fun t => tanh (f t)) x (d / cosh (f x) ^ 2).
Proof.
  intros H. pose proof (cosh_ge_1 (f x)). pose proof (cosh_sq (f x)) as Hq. unfold tanh.
  refine (is_derive_val _ _ _ _ (is_derive_div (fun t => sinh (f t)) (fun t => cosh (f t)) x _ _
    (is_derive_sinh _ _ _ H) (is_derive_cosh _ _ _ H) _) _); [lra|].
  replace d with (d * (cosh (f x) ^ 2 - sinh (f x) ^ 2)) at 3 by (rewrite Hq; ring).
  field. lra.
Qed.

Lemma g_derive y w a : 0 < m_of w a + 2 * a -> 0 < y ->
  is_derive (fun x => g y w x) a (g_slope y w a).
Proof.
  intros Ha Hy. pose proof (T8_derivative y w a Ha Hy) as D. fold (slope y w a) in D.
  destruct (sigma_facts y w a Ha Hy) as [_ [_ [E1 [E2 [Hc _]]]]].
  pose proof (tanh_derive _ _ _ D) as Dt.
  pose proof (is_derive_cosh _ _ _ (is_derive_Rscal _ 2 _ _ D)) as D2.
  unfold g.
  refine (is_derive_val _ _ _ _ (is_derive_Rminus
    (fun x => w^2 * (cosh (2 * sigma y w x) * tanh (sigma y w x)))
    (fun x => x * (1 + x * tanh (sigma y w x))) a _ _
    (is_derive_Rscal _ (w^2) _ _ (is_derive_Rmult _ _ _ _ _ D2 Dt))
    (is_derive_Rmult (fun x => x) (fun x => 1 + x * tanh (sigma y w x)) a 1 _ (is_derive_id a)
      (is_derive_Rplus (fun _ => 1) (fun x => x * tanh (sigma y w x)) a 0 _ (is_derive_Rconst _ _)
        (is_derive_Rmult (fun x => x) (fun x => tanh (sigma y w x)) a 1 _ (is_derive_id a) Dt)))) _).
  unfold g_slope. rewrite E1, E2. unfold tanh. field. lra.
Qed.

Lemma sinh_sigma_nonneg y w a : 0 < y -> 0 <= a <= y -> 0 <= sinh (sigma y w a).
Proof.
  intros Hy Ha. assert (Hm : 0 < m_of w a + 2 * a) by (apply positive_head; lra).
  destruct (Req_dec a y) as [E|E].
  - rewrite T8_zero by assumption. rewrite sinh_0. lra.
  - left. apply sinh_pos. apply T8_sign; [assumption..|lra].
Qed.

Lemma g_slope_negative y w a : 0 < y -> 0 <= a <= y -> g_slope y w a < 0.
Proof.
  intros Hy Ha. assert (Hm : 0 < m_of w a + 2 * a) by (apply positive_head; lra).
  destruct (sigma_facts y w a Hm Hy) as [H1 [H2 [E1 [E2 [Hc HP]]]]].
  pose proof (sigma_slope y w a Hm Hy) as Hs.
  pose proof (sinh_sigma_nonneg y w a Hy Ha) as Hsh.
  unfold g_slope. cbv zeta.
  set (ch := cosh (sigma y w a)) in *. set (sh := sinh (sigma y w a)) in *.
  set (sl := slope y w a) in *. set (P := P_of y w a) in *.
  pose proof (pow2_ge_0 w) as Hw. set (q := w^2) in *.
  assert (Hsc : 0 <= sh * ch) by (apply Rmult_le_pos; lra).
  assert (Hss : 0 <= sh * sh) by (apply Rmult_le_pos; lra).
  assert (Hasc : 0 <= a * (sh * ch)) by (apply Rmult_le_pos; lra).
  set (D := 1 + 2 * sh * sh + a * (2 * sh * ch)) in *.
  assert (HD : 1 <= D) by (unfold D; lra).
  assert (Hsl : sl < 0).
  { apply Rnot_le_lt. intros Hn. assert (0 <= P * sl) by (apply Rmult_le_pos; lra). lra. }
  assert (Hi : 0 < / ch) by (apply Rinv_0_lt_compat; lra).
  assert (Hi2 : 0 < / ch^2) by (apply Rinv_0_lt_compat; nra).
  assert (T1 : q * (2 * sl * (2 * sh * ch) * (sh / ch) + (1 + 2 * sh * sh) * (sl / ch^2)) <= 0).
  { replace (2 * sl * (2 * sh * ch) * (sh / ch) + (1 + 2 * sh * sh) * (sl / ch^2))
      with (sl * (4 * (sh * sh) + (1 + 2 * (sh * sh)) * / ch^2)) by (field; lra).
    assert (0 <= (1 + 2 * (sh * sh)) * / ch^2) by (apply Rmult_le_pos; lra).
    assert (0 <= q * (4 * (sh * sh) + (1 + 2 * (sh * sh)) * / ch ^ 2)) by (apply Rmult_le_pos; lra).
    nra. }
  (* a^2 D < P (ch^2 + 2 a sh ch) *)
  assert (T2 : a^2 * D < P * (ch * ch + 2 * a * (sh * ch))).
  { assert (Hpl : a^2 * (1 + 2 * (sh * sh)) + (1 + 2 * (sh * sh)) + 4 * (a * (sh * ch)) <= P).
    { rewrite H2. unfold m_of. fold q. assert (0 <= q * (1 + 2 * (sh * sh))) by (apply Rmult_le_pos; lra). lra. }
    assert (Ha2 : 0 <= a^2) by apply pow2_ge_0.
    set (k := a * (sh * ch)) in *. set (c2 := sh * sh) in *.
    assert (ED : D = 1 + 2 * c2 + 2 * k) by (unfold D, c2, k; ring).
    replace (2 * a * (sh * ch)) with (2 * k) by (unfold k; ring).
    rewrite H1, ED. set (A := a^2) in *.
    assert (0 <= A * c2) by (apply Rmult_le_pos; lra).
    assert (0 <= A * k) by (apply Rmult_le_pos; lra).
    assert (0 <= c2 * k) by (apply Rmult_le_pos; lra).
    assert (0 <= A * c2 * c2) by (apply Rmult_le_pos; lra).
    assert (0 <= A * c2 * k) by (apply Rmult_le_pos; lra).
    assert (0 <= c2 * c2) by (apply Rmult_le_pos; lra).
    assert (0 <= k * k) by (apply Rmult_le_pos; lra).
    apply Rlt_le_trans with ((A * (1 + 2 * c2) + (1 + 2 * c2) + 4 * k) * (1 + c2 + 2 * k)).
    - nra.
    - apply Rmult_le_compat_r; lra. }
  assert (T3 : 0 < 1 + 2 * a * (sh / ch) + a^2 * (sl / ch^2)).
  { assert (Hk : P * ch^2 * (1 + 2 * a * (sh / ch) + a^2 * (sl / ch^2))
               = P * (ch * ch + 2 * a * (sh * ch)) + a^2 * (P * sl)) by (field; lra).
    rewrite Hs in Hk. apply Rnot_le_lt. intros Hn.
    assert (0 < P * ch^2) by (apply Rmult_lt_0_compat; nra). nra. }
  lra.
Qed.

Lemma g_decreasing y w a1 a2 :
  0 < y -> 0 <= a1 -> a1 < a2 -> a2 <= y -> g y w a2 < g y w a1.
Proof.
  intros Hy H1 H12 H2.
  apply (decreasing_on (fun x => g y w x) (fun x => g_slope y w x)); [exact H12| |].
  - intros x Hx. apply g_derive; [apply positive_head; lra|exact Hy].
  - intros x Hx. apply g_slope_negative; [exact Hy|lra].
Qed.

Lemma g_root y w : 0 < y -> w <> 0 -> exists p, 0 < p < y /\ g y w p = 0.
Proof.
  intros Hy Hw.
  assert (G0 : 0 < g y w 0).
  { assert (Hm : 0 < m_of w 0 + 2 * 0) by (apply positive_head; lra).
    assert (Hs : 0 < sigma y w 0) by (apply T8_sign; assumption).
    pose proof (sinh_pos _ Hs). pose proof (cosh_ge_1 (sigma y w 0)). pose proof (cosh_ge_1 (2 * sigma y w 0)).
    unfold g, tanh. rewrite Rmult_0_l, Rminus_0_r.
    apply Rmult_lt_0_compat; [now apply pow2_gt_0|].
    apply Rmult_lt_0_compat; [lra|]. apply Rdiv_lt_0_compat; lra. }
  assert (Gy : g y w y < 0).
  { unfold g. rewrite (T8_zero y w y) by (try apply positive_head; lra).
    unfold tanh. rewrite sinh_0. unfold Rdiv. rewrite Rmult_0_l. lra. }
  destruct (IVT_interv (fun x => - g y w x) 0 y) as [p [Hp Hg]].
  - intros x Hx. apply continuity_pt_opp. apply derivable_continuous_pt.
    exists (g_slope y w x). apply is_derive_Reals. apply g_derive; [apply positive_head; lra|exact Hy].
  - exact Hy.
  - lra.
  - lra.
  - exists p. assert (g y w p = 0) by lra. split; [|assumption].
    split; apply Rnot_le_lt; intros Hn; [assert (p = 0) by lra|assert (p = y) by lra]; subst p; lra.
Qed.

Lemma dotT_monotone y w a1 a2 s :
  0 < y -> 0 <= a1 -> a1 < a2 -> a2 <= y ->
  (forall x, a1 < x < a2 -> 0 < s * g y w x) -> s * dotT y w a1 < s * dotT y w a2.
Proof.
  intros Hy H1 H12 H2 Hs.
  apply (increasing_on (fun x => s * dotT y w x) (fun x => s * dotT_slope y w x)); [exact H12| |].
  - intros x Hx. apply is_derive_Rscal. apply dotT_derive; [apply positive_head; lra|exact Hy].
  - intros x Hx. assert (Hm : 0 < m_of w x + 2 * x) by (apply positive_head; lra).
    pose proof (dotT_slope_sign y w x Hm Hy) as E. specialize (Hs x Hx).
    destruct (sigma_facts y w x Hm Hy) as [_ [_ [_ [_ [Hc HP]]]]].
    assert (E' : P_of y w x * (s * dotT_slope y w x) = cosh (sigma y w x) * (s * g y w x)).
    { replace (P_of y w x * (s * dotT_slope y w x)) with (s * (P_of y w x * dotT_slope y w x)) by ring.
      rewrite E. ring. }
    apply Rnot_le_lt. intros Hn. assert (0 < cosh (sigma y w x) * (s * g y w x)) by (apply Rmult_lt_0_compat; lra).
    nra.
Qed.

Theorem T12_dot_law y w : 0 < y -> w <> 0 ->
  exists p, 0 < p < y /\
    (forall a1 a2, p <= a1 -> a1 < a2 -> a2 <= y -> dotT y w a2 < dotT y w a1) /\
    (forall a1 a2, 0 <= a1 -> a1 < a2 -> a2 <= p -> dotT y w a1 < dotT y w a2).
Proof.
  intros Hy Hw. destruct (g_root y w Hy Hw) as [p [Hp Hg]]. exists p. split; [exact Hp|split].
  - intros a1 a2 H1 H12 H2.
    assert (K : (-1) * dotT y w a1 < (-1) * dotT y w a2); [|lra].
    apply dotT_monotone; try lra. intros x Hx.
    pose proof (g_decreasing y w p x Hy ltac:(lra) ltac:(lra) ltac:(lra)). lra.
  - intros a1 a2 H1 H12 H2.
    assert (K : 1 * dotT y w a1 < 1 * dotT y w a2); [|lra].
    apply dotT_monotone; try lra. intros x Hx.
    pose proof (g_decreasing y w x p Hy ltac:(lra) ltac:(lra) ltac:(lra)). lra.
Qed.

Theorem T12_no_orthogonal_part y a1 a2 :
  0 < y -> 0 <= a1 -> a1 < a2 -> a2 <= y -> dotT y 0 a2 < dotT y 0 a1.
Proof.
  intros Hy H1 H12 H2.
  assert (K : (-1) * dotT y 0 a1 < (-1) * dotT y 0 a2); [|lra].
  apply dotT_monotone; try lra. intros x Hx.
  pose proof (sinh_sigma_nonneg y 0 x Hy ltac:(lra)). pose proof (cosh_ge_1 (sigma y 0 x)).
  unfold g. assert (0 <= tanh (sigma y 0 x)).
  { unfold tanh. apply Rmult_le_pos; [assumption|]. left; apply Rinv_0_lt_compat; lra. }
  nra.
Qed.
