(** * Turns: the dot product turns exactly twice, and the exact boundaries at E = 2 y.

   notation: see Definitions.v; E = y - a, b = - a, t = tanh sigma, m = m_of w y = 1 + y^2 + w^2, w <> 0.

   T12_two_turns           with growing energy the dot product rises, falls and rises for ever: it turns at E1 < y
                           and at E2 > y, and it is negative at E2
   T13_dot_boundary        it falls on all of y <= E <= 2 y iff 4 y^2 (m^2 - m + 2) <= m^2 (3 m - 2)
   T13_distance_boundary   the distance rises with E at E = 2 y iff m - 1 < sqrt(m^2 - 4 y^2) + 4 y^2 / m^2

   Beyond E = y the sign of the slope is that of g (DotLaw.v).  Where g = 0 there, its slope in a is
     (b t - 1) (2 b + 6 b t^2 - t - t^3) / ((b - t) (1 + t^2)) > 0,
   so g has at most one zero; it has one, as g < 0 for large b.
   *)

Require Import Reals Ranalysis5 Lra Lia Psatz.
From Coquelicot Require Import Coquelicot.
From TaskHead Require Import Definitions Sums Calculus LimitEquation NormLaw DistanceLaw CosineLaw DotLaw Beyond
  EnergyBound Existence.
Open Scope R_scope.

(** ** A function that rises at each of its zeros *)

Lemma smaller_on_left (f : R -> R) x d b :
  is_derive f x d -> 0 < d -> b < x -> exists x', b < x' < x /\ f x' < f x.
Proof.
  intros Hd Hp Hb.
  assert (D : is_derive (fun s => - f (- s)) (- x) d).
  { refine (is_derive_val _ _ _ _ (is_derive_opp (fun s => f (- s)) (- x) (- d) _) _).
    - refine (is_derive_val _ _ _ _ (is_derive_comp_R f (fun s => - s) (- x) (- 1) d _ _) _).
      + auto_derive; [exact I|ring].
      + now rewrite Ropp_involutive.
      + ring.
    - change (- - d = d). ring. }
  destruct (larger_on_right _ (- x) d (- b) D Hp ltac:(lra)) as [s [Hs Hf]].
  exists (- s). split; [lra|]. rewrite Ropp_involutive in Hf. lra.
Qed.

Lemma stays_positive (f df : R -> R) p q : p < q ->
  (forall x, is_derive f x (df x)) -> (forall x, p <= x <= q -> f x = 0 -> 0 < df x) -> f p = 0 -> 0 < f q.
Proof.
  intros Hpq Hd Hz Hp.
  destruct (larger_on_right f p (df p) q (Hd p) (Hz p ltac:(lra) Hp) Hpq) as [u [Hu Hfu]]. rewrite Hp in Hfu.
  assert (Hc : forall x, continuous f x) by (intros; eapply is_derive_continuous; apply Hd).
  assert (K : forall t, 0 <= t -> - f (Rmin (u + t) q) < 0).
  { apply (continuous_induction (fun t => - f (Rmin (u + t) q))).
    - intros t _. apply (continuous_opp (fun t => f (Rmin (u + t) q))).
      apply (continuous_comp (fun t => Rmin (u + t) q) f); [|apply Hc].
      apply (continuous_ext (fun t => q - Rmax 0 (q - u - t))).
      + intros s. unfold Rmax, Rmin. destruct (Rle_dec 0 (q - u - s)), (Rle_dec (u + s) q); lra.
      + apply (continuous_minus (fun _ => q) (fun t => Rmax 0 (q - u - t))); [apply continuous_const|].
        apply (continuous_comp (fun t => q - u - t) (fun r => Rmax 0 r)); [|apply continuous_Rmax0].
        apply (continuous_minus (fun _ => q - u) (fun t => t)); [apply continuous_const|apply continuous_id].
    - intros T HT Hb. destruct (Rle_dec T (q - u)) as [HTq|HTq].
      + rewrite Rmin_left by lra. destruct HT as [HT|<-]; [|rewrite Rplus_0_r; lra].
        assert (Hle : - f (u + T) <= 0).
        { apply (limit_le (fun t => - f (u + t))); [exact HT| |].
          - apply (continuous_opp (fun t => f (u + t))). apply (continuous_comp (fun t => u + t) f); [|apply Hc].
            apply (continuous_plus (fun _ => u) (fun t => t)); [apply continuous_const|apply continuous_id].
          - intros t Ht. specialize (Hb t Ht). now rewrite Rmin_left in Hb by lra. }
        destruct (Req_dec (f (u + T)) 0) as [E|E]; [exfalso|lra].
        destruct (smaller_on_left f (u + T) _ u (Hd (u + T)) (Hz (u + T) ltac:(lra) E) ltac:(lra)) as [x [Hx Hfx]].
        specialize (Hb (x - u) ltac:(lra)). replace (u + (x - u)) with x in Hb by ring.
        rewrite Rmin_left in Hb by lra. lra.
      + specialize (Hb (q - u) ltac:(lra)). rewrite Rmin_right in Hb by lra. now rewrite Rmin_right by lra. }
  specialize (K (q - u) ltac:(lra)). replace (u + (q - u)) with q in K by ring. rewrite Rmin_left in K by lra. lra.
Qed.

Lemma stays_negative (f df : R -> R) p q : q < p ->
  (forall x, is_derive f x (df x)) -> (forall x, q <= x <= p -> f x = 0 -> 0 < df x) -> f p = 0 -> f q < 0.
Proof.
  intros Hpq Hd Hz Hp.
  assert (0 < - f (- - q)); [|rewrite Ropp_involutive in *; lra].
  apply (stays_positive (fun x => - f (- x)) (fun x => df (- x)) (- p) (- q)); [lra| | |rewrite Ropp_involutive; lra].
  - intros x. refine (is_derive_val _ _ _ _ (is_derive_opp (fun s => f (- s)) x (- df (- x)) _) _).
    + refine (is_derive_val _ _ _ _ (is_derive_comp_R f (fun s => - s) x (- 1) _ _ (Hd (- x))) _); [|ring].
      auto_derive; [exact I|ring].
    + change (- - df (- x) = df (- x)). ring.
  - intros x Hx H0. apply Hz; lra.
Qed.

(** ** The slope of g at a zero beyond E = y *)

Lemma slope_at_zero b t W sl : 0 < t < 1 -> 1 < b * t ->
  W * t * (1 + t^2) = b * (b * t - 1) * (1 - t^2) -> sl * (b - t) = t ->
  0 < W * (sl * (4 * t^2 / (1 - t^2) + (1 + t^2))) - (1 - 2 * b * t + b^2 * (sl * (1 - t^2))).
Proof.
  intros Ht Hbt HW Hsl. assert (Hb : 1 < b) by nra. assert (Ht2 : 0 < t^2 < 1) by nra.
  assert (EW : W = b * (b * t - 1) * (1 - t^2) / (t * (1 + t^2))) by (rewrite <- HW; field; nra).
  assert (Es : sl = t / (b - t)) by (apply (Rmult_eq_reg_r (b - t)); [rewrite Hsl; field; lra|lra]).
  replace (W * _ - _) with ((b * t - 1) * (2 * b + 6 * b * t^2 - t - t^3) / ((b - t) * (1 + t^2))).
  - apply Rdiv_lt_0_compat; [apply Rmult_lt_0_compat; [lra|]|apply Rmult_lt_0_compat; nra]. nra.
  - rewrite EW, Es. field. repeat split; nra.
Qed.

Section Beyond.
Variables y w : R.
Hypothesis Hy : 0 < y.
Hypothesis Hw : w <> 0.

Section At.
Variable a : R.
Hypothesis Ha : a < 0.
Let b := - a.
Let t := tanh (sigma y w a).

Lemma tanh_facts : 0 < t < 1 /\ cosh (sigma y w a) ^ 2 * (1 - t^2) = 1 /\ sinh (sigma y w a) = t * cosh (sigma y w a).
Proof.
  pose proof (orthogonal_alpha w a Hw) as Hm.
  assert (Hs : 0 < sigma y w a) by (apply T8_sign; [assumption..|lra]).
  pose proof (sinh_pos _ Hs). pose proof (cosh_ge_1 (sigma y w a)). pose proof (sinh_lt_cosh (sigma y w a)).
  pose proof (cosh_sq (sigma y w a)) as Hq. unfold t, tanh. split; [split|split].
  - apply Rdiv_lt_0_compat; lra.
  - apply (Rmult_lt_reg_r (cosh (sigma y w a))); [lra|]. unfold Rdiv. rewrite Rmult_assoc, Rinv_l; lra.
  - transitivity (cosh (sigma y w a) ^ 2 - sinh (sigma y w a) ^ 2); [field; lra|lra].
  - field. lra.
Qed.

(** The limit equation, and g, in t. *)
Lemma limit_in_t : m_of w a * t = y * (1 - t^2) + b * (1 + t^2).
Proof.
  destruct tanh_facts as [Ht [Hc Hs]]. pose proof (orthogonal_alpha w a Hw) as Hm.
  pose proof (T8_root y w a Hm (or_introl Hy)) as H. unfold limit_equation in H.
  rewrite sinh_2, cosh_2, Hs in H. set (ch := cosh (sigma y w a)) in *. set (c2 := ch^2) in *.
  assert (Hc2 : c2 = / (1 - t^2)) by (apply (Rmult_eq_reg_r (1 - t^2)); [rewrite Hc; field; nra|nra]).
  replace (2 * (t * ch) * ch) with (2 * t * c2) in H by (unfold c2; ring).
  replace ((t * ch)^2) with (t^2 * c2) in H by (unfold c2; ring). unfold b.
  rewrite Hc2 in H. apply (Rmult_eq_compat_r (1 - t^2)) in H.
  replace ((m_of w a * (2 * t * / (1 - t^2)) + 2 * a * (1 + 2 * (t^2 * / (1 - t^2)))) * (1 - t^2))
    with (2 * (m_of w a * t) + 2 * a * (1 + t^2)) in H by (field; nra). lra.
Qed.

Lemma g_in_t : g y w a = w^2 * (1 + t^2) * t / (1 - t^2) + b * (1 - b * t).
Proof.
  destruct tanh_facts as [Ht [Hc Hs]]. unfold g. fold t. rewrite cosh_2, Hs. set (ch := cosh (sigma y w a)) in *.
  replace ((t * ch)^2) with (t^2 * ch^2) by ring.
  assert (Hc2 : ch^2 = / (1 - t^2)) by (apply (Rmult_eq_reg_r (1 - t^2)); [rewrite Hc; field; nra|nra]).
  rewrite Hc2. unfold b. field. nra.
Qed.

Lemma g_zero_facts : g y w a = 0 -> 1 < b * t /\ 0 < g_slope y w a.
Proof.
  intros H0. rewrite g_in_t in H0. destruct tanh_facts as [Ht [Hc Hs]].
  pose proof (orthogonal_alpha w a Hw) as Hm. pose proof (pow2_gt_0 w Hw) as Hw2.
  destruct (sigma_facts y w a Hm Hy) as [H1 [H2 [_ [_ [Hch HP]]]]]. pose proof (sigma_slope y w a Hm Hy) as Hsl.
  rewrite Hs in H1, H2, Hsl.
  unfold g_slope. cbv zeta. rewrite Hs.
  set (ch := cosh (sigma y w a)) in *. set (sl := slope y w a) in *. set (P := P_of y w a) in *.
  assert (Hb : 0 < b) by (unfold b; lra). assert (Ht2 : 0 < t^2 < 1) by nra.
  set (W := w^2) in *. set (d := 1 - t^2) in *. assert (Hd : 0 < d) by (unfold d; lra).
  assert (HW : W * t * (1 + t^2) = b * (b * t - 1) * d).
  { apply (Rmult_eq_compat_r d) in H0. replace ((W * (1 + t^2) * t / d + b * (1 - b * t)) * d)
      with (W * t * (1 + t^2) - b * (b * t - 1) * d) in H0 by (field; lra). lra. }
  assert (Hbt : 1 < b * t).
  { assert (0 < W * t * (1 + t^2)) by (apply Rmult_lt_0_compat; [apply Rmult_lt_0_compat; [exact Hw2|lra]|lra]).
    assert (0 < b * d) by (apply Rmult_lt_0_compat; assumption).
    apply Rnot_le_lt. intros Hn. assert (0 <= (b * d) * (1 - b * t)) by (apply Rmult_le_pos; lra). lra. }
  split; [exact Hbt|].
  assert (EP : P * d = m_of w a * (1 + t^2) - 4 * b * t).
  { rewrite H2. unfold b. transitivity (m_of w a * (d + 2 * t^2 * (ch^2 * d)) + 4 * a * t * (ch^2 * d)); [ring|].
    rewrite Hc. unfold d. ring. }
  assert (Es : P * d * sl = 2 * b * t - 1 - t^2).
  { replace (P * d * sl) with (d * (P * sl)) by ring. rewrite Hsl. unfold b.
    transitivity (- (d + 2 * t^2 * (ch^2 * d) + 2 * a * t * (ch^2 * d))); [ring|]. rewrite Hc. unfold d. ring. }
  assert (EPt : P * d * t = (b - t) * (2 * b * t - 1 - t^2)).
  { rewrite EP. unfold m_of. fold W. replace (a^2) with (b^2) by (unfold b; ring).
    transitivity ((1 + b^2) * t * (1 + t^2) + W * t * (1 + t^2) - 4 * b * t^2); [ring|]. rewrite HW. unfold d. ring. }
  assert (Hsl' : sl * (b - t) = t).
  { apply (Rmult_eq_reg_l (P * d)); [|assert (0 < P * d) by (apply Rmult_lt_0_compat; assumption); lra].
    rewrite EPt, <- Es. ring. }
  pose proof (slope_at_zero b t W sl Ht Hbt HW Hsl') as Hpos. fold d in Hpos.
  replace (W * (2 * sl * (2 * (t * ch) * ch) * (t * ch / ch) + (1 + 2 * (t * ch) * (t * ch)) * (sl / ch^2))
    - (1 + 2 * a * (t * ch / ch) + a^2 * (sl / ch^2)))
    with (W * (sl * (4 * t^2 / d + (1 + t^2))) - (1 - 2 * b * t + b^2 * (sl * d))); [exact Hpos|].
  assert (Ed : d = / ch^2) by (apply (Rmult_eq_reg_l (ch^2)); [rewrite Hc; field; lra|apply pow_nonzero; lra]).
  assert (Et : t^2 = 1 - / ch^2) by (rewrite <- Ed; unfold d; ring).
  transitivity (W * (sl * (4 * t^2 * ch^2 + (1 + t^2))) - (1 - 2 * b * t + b^2 * (sl * / ch^2))).
  - rewrite Ed. f_equal. f_equal. f_equal. f_equal. field. lra.
  - transitivity (W * (sl * (4 * t^2 * ch^2 + (/ ch^2 + 2 * t^2))) - (1 - 2 * b * t + b^2 * (sl * / ch^2))).
    + f_equal. f_equal. f_equal. f_equal. rewrite Et at 2. rewrite Et. ring_simplify. lra.
    + unfold b. field. lra.
Qed.
End At.

Lemma g_negative_far : exists a, a < 0 /\ g y w a < 0.
Proof.
  pose proof (pow2_gt_0 w Hw) as Hw2. set (W := w^2) in *.
  set (b := 7 + y + 4 * (1 + 3 * W) / y).
  assert (Hq : 0 < 4 * (1 + 3 * W) / y) by (apply Rdiv_lt_0_compat; lra).
  assert (Hb : 7 < b /\ y < b /\ 4 * (1 + 3 * W) / y < b) by (unfold b; lra).
  exists (- b). split; [lra|]. assert (Ha : - b < 0) by lra.
  destruct (tanh_facts (- b) Ha) as [Ht _]. pose proof (limit_in_t (- b) Ha) as HL. rewrite (g_in_t (- b) Ha).
  rewrite Ropp_involutive in *. set (t := tanh (sigma y w (- b))) in *. fold W.
  unfold m_of in HL. fold W in HL. replace ((- b)^2) with (b^2) in HL by ring.
  assert (Ht3 : b * t < 3).
  { assert (b * (b * t) < b * 3); [|nra].
    assert (0 < (1 + W) * t) by (apply Rmult_lt_0_compat; lra).
    assert (0 <= y * t^2) by (apply Rmult_le_pos; nra). assert (b * t^2 < b) by nra. nra. }
  assert (Ht2 : t < 1 / 2) by nra. assert (Hd : 3 / 4 < 1 - t^2) by nra.
  assert (E : W * (1 + t^2) * t / (1 - t^2) + b * (1 - b * t) =
    W * t * ((1 + t^2) / (1 - t^2)) + ((1 + W) * t - y * (1 - t^2) - b * t^2)).
  { assert (b * (1 - b * t) = (1 + W) * t - y * (1 - t^2) - b * t^2) by nra. rewrite H. field. lra. }
  rewrite E. assert (HR : (1 + t^2) / (1 - t^2) <= 2).
  { apply (Rmult_le_reg_r (1 - t^2)); [lra|]. unfold Rdiv. rewrite Rmult_assoc, Rinv_l by lra. lra. }
  assert (0 < W * t) by (apply Rmult_lt_0_compat; lra).
  assert (W * t * ((1 + t^2) / (1 - t^2)) <= W * t * 2) by (apply Rmult_le_compat_l; lra).
  assert (H3 : (1 + 3 * W) * t < 3 / 4 * y).
  { assert (Hby : 4 * (1 + 3 * W) < b * y).
    { destruct Hb as [_ [_ Hb]]. apply (Rmult_lt_compat_r y) in Hb; [|exact Hy].
      replace (4 * (1 + 3 * W) / y * y) with (4 * (1 + 3 * W)) in Hb by (field; lra). exact Hb. }
    apply (Rmult_lt_reg_l b); [lra|]. assert ((1 + 3 * W) * (b * t) < (1 + 3 * W) * 3) by nra. nra. }
  assert (0 <= b * t^2) by nra. nra.
Qed.

Lemma g_derive_all x : is_derive (fun a => g y w a) x (g_slope y w x).
Proof. apply g_derive; [now apply orthogonal_alpha|exact Hy]. Qed.

Lemma dotT_monotone_all a1 a2 s : a1 < a2 -> (forall x, a1 < x < a2 -> 0 < s * g y w x) ->
  s * dotT y w a1 < s * dotT y w a2.
Proof.
  intros H12 Hs.
  apply (increasing_on (fun x => s * dotT y w x) (fun x => s * dotT_slope y w x)); [exact H12| |].
  - intros x _. apply is_derive_Rscal. apply dotT_derive; [now apply orthogonal_alpha|exact Hy].
  - intros x Hx. pose proof (orthogonal_alpha w x Hw) as Hm.
    pose proof (dotT_slope_sign y w x Hm Hy) as E. specialize (Hs x Hx).
    destruct (sigma_facts y w x Hm Hy) as [_ [_ [_ [_ [Hc HP]]]]].
    assert (E' : P_of y w x * (s * dotT_slope y w x) = cosh (sigma y w x) * (s * g y w x)).
    { replace (P_of y w x * (s * dotT_slope y w x)) with (s * (P_of y w x * dotT_slope y w x)) by ring.
      rewrite E. ring. }
    apply Rnot_le_lt. intros Hn. assert (0 < cosh (sigma y w x) * (s * g y w x)) by (apply Rmult_lt_0_compat; lra).
    nra.
Qed.

Lemma g_at_0 : 0 < g y w 0.
Proof.
  assert (Hm : 0 < m_of w 0 + 2 * 0) by (apply positive_head; lra).
  assert (Hs : 0 < sigma y w 0) by (apply T8_sign; assumption).
  pose proof (sinh_pos _ Hs). pose proof (cosh_ge_1 (sigma y w 0)). pose proof (cosh_ge_1 (2 * sigma y w 0)).
  unfold g, tanh. rewrite Rmult_0_l, Rminus_0_r. apply Rmult_lt_0_compat; [now apply pow2_gt_0|].
  apply Rmult_lt_0_compat; [lra|]. apply Rdiv_lt_0_compat; lra.
Qed.

(** g has one zero beyond E = y. *)
Lemma g_second_zero : exists p, p < 0 /\ g y w p = 0 /\
  (forall x, p < x <= 0 -> 0 < g y w x) /\ (forall x, x < p -> g y w x < 0).
Proof.
  destruct g_negative_far as [a [Ha Hga]]. pose proof g_at_0 as G0.
  destruct (IVT_interv (fun x => g y w x) a 0) as [p [Hp Hg]].
  - intros x _. apply derivable_continuous_pt. exists (g_slope y w x). apply is_derive_Reals. apply g_derive_all.
  - exact Ha.
  - exact Hga.
  - exact G0.
  - assert (Hp0 : p < 0) by (apply Rnot_le_lt; intros Hn; assert (p = 0) by lra; subst p; lra).
    assert (Hz : forall x, x <= 0 -> g y w x = 0 -> 0 < g_slope y w x).
    { intros x Hx H0. apply g_zero_facts; [|exact H0].
      apply Rnot_le_lt. intros Hn. assert (x = 0) by lra. subst x. lra. }
    exists p. split; [exact Hp0|split; [exact Hg|split]]; intros x Hx.
    + apply (stays_positive (fun x => g y w x) (g_slope y w) p); [lra|exact g_derive_all| |exact Hg].
      intros r Hr. apply Hz. lra.
    + apply (stays_negative (fun x => g y w x) (g_slope y w) p); [lra|exact g_derive_all| |exact Hg].
      intros r Hr. apply Hz. lra.
Qed.

Theorem T12_two_turns : exists p1 p2, p2 < 0 < p1 /\ p1 < y /\
  (forall a1 a2, p1 <= a1 -> a1 < a2 -> a2 <= y -> dotT y w a2 < dotT y w a1) /\
  (forall a1 a2, p2 <= a1 -> a1 < a2 -> a2 <= p1 -> dotT y w a1 < dotT y w a2) /\
  (forall a1 a2, a1 < a2 -> a2 <= p2 -> dotT y w a2 < dotT y w a1) /\
  dotT y w p2 < 0.
Proof.
  destruct (g_root y w Hy Hw) as [p1 [Hp1 Hg1]]. destruct g_second_zero as [p2 [Hp2 [Hg2 [Hup Hdown]]]].
  exists p1, p2. split; [lra|split; [lra|split; [|split; [|split]]]].
  - intros a1 a2 H1 H12 H2. assert (K : -1 * dotT y w a1 < -1 * dotT y w a2); [|lra].
    apply dotT_monotone_all; [exact H12|]. intros x Hx.
    pose proof (g_decreasing y w p1 x Hy ltac:(lra) ltac:(lra) ltac:(lra)). lra.
  - intros a1 a2 H1 H12 H2. assert (K : 1 * dotT y w a1 < 1 * dotT y w a2); [|lra].
    apply dotT_monotone_all; [exact H12|]. intros x Hx. rewrite Rmult_1_l. destruct (Rle_dec x 0) as [Hx0|Hx0].
    + apply Hup. lra.
    + pose proof (g_decreasing y w x p1 Hy ltac:(lra) ltac:(lra) ltac:(lra)). lra.
  - intros a1 a2 H12 H2. assert (K : -1 * dotT y w a1 < -1 * dotT y w a2); [|lra].
    apply dotT_monotone_all; [exact H12|]. intros x Hx. specialize (Hdown x ltac:(lra)). lra.
  - destruct (g_zero_facts p2 Hp2 Hg2) as [Hbt _]. destruct (tanh_facts p2 Hp2) as [_ [_ Hs]].
    unfold dotT. rewrite Hs. pose proof (cosh_ge_1 (sigma y w p2)). nra.
Qed.

(** ** E = 2 y, that is a = - y *)

Let m := m_of w y.
Let r := sqrt (m^2 - 4 * y^2).

Lemma twice_facts : 0 < m - 2 * y /\ r * r = m^2 - 4 * y^2 /\ 0 < r /\ P_of y w (- y) = m /\
  cosh (sigma y w (- y)) = m / r /\ sinh (sigma y w (- y)) = 2 * y / r.
Proof.
  assert (Hm : 0 < m - 2 * y) by (unfold m; rewrite beta_form; pose proof (pow2_gt_0 w Hw); pose proof (pow2_ge_0 (1 - y)); lra).
  assert (Hr2 : 0 < m^2 - 4 * y^2) by nra.
  assert (Hr : r * r = m^2 - 4 * y^2) by (apply sqrt_sqrt; lra).
  assert (Hrp : 0 < r) by now apply sqrt_lt_R0.
  assert (Em : m_of w (- y) = m) by (unfold m, m_of; ring).
  assert (EP : P_of y w (- y) = m).
  { unfold P_of. rewrite Em. replace (4 * y^2 + m^2 - 4 * (- y)^2) with (m^2) by ring. apply sqrt_pow2. lra. }
  assert (Ha : 0 < m_of w (- y) + 2 * - y) by (rewrite Em; lra).
  assert (E2 : exp (2 * sigma y w (- y)) = ((m + 2 * y) / r)^2).
  { rewrite exp_2_sigma; [|exact Ha|rewrite EP; lra]. rewrite EP, Em.
    replace (((m + 2 * y) / r)^2) with ((m + 2 * y)^2 / (r * r)) by (field; lra). rewrite Hr. field. nra. }
  assert (E1 : exp (sigma y w (- y)) = (m + 2 * y) / r).
  { replace (2 * sigma y w (- y)) with (sigma y w (- y) + sigma y w (- y)) in E2 by ring. rewrite exp_plus in E2.
    pose proof (exp_pos (sigma y w (- y))). assert (0 < (m + 2 * y) / r) by (apply Rdiv_lt_0_compat; lra). nra. }
  assert (E3 : / ((m + 2 * y) / r) = (m - 2 * y) / r).
  { apply (Rmult_eq_reg_r (r * (m + 2 * y))); [|nra].
    transitivity (r * r); [field; lra|]. rewrite Hr. field. lra. }
  repeat split; try assumption; unfold cosh, sinh; rewrite exp_Ropp, E1, E3; field; lra.
Qed.

Lemma g_at_twice : m * (r * r) * g y w (- y) = y * (m^2 * (3 * m - 2) - 4 * y^2 * (m^2 - m + 2)).
Proof.
  destruct twice_facts as [Hm [Hr [Hrp [_ [Ec Es]]]]].
  unfold g, tanh. rewrite cosh_2, Ec, Es.
  assert (Ew : w^2 = m - 1 - y^2) by (unfold m, m_of; ring). rewrite Ew.
  replace (m * (r * r) * _) with ((m - 1 - y^2) * ((r * r + 8 * y^2) * (2 * y)) + (r * r) * y * (m - 2 * y^2)).
  - rewrite Hr. ring.
  - field. split; lra.
Qed.

Theorem T13_dot_boundary :
  (forall a1 a2, - y <= a1 -> a1 < a2 -> a2 <= 0 -> dotT y w a1 < dotT y w a2) <->
  4 * y^2 * (m^2 - m + 2) <= m^2 * (3 * m - 2).
Proof.
  destruct g_second_zero as [p [Hp [Hgp [Hup Hdown]]]]. destruct twice_facts as [Hm [Hr [Hrp _]]].
  pose proof g_at_twice as E. assert (Hk : 0 < m * (r * r)) by (apply Rmult_lt_0_compat; nra).
  split.
  - intros H. apply Rnot_lt_le. intros Hn. assert (Hg : g y w (- y) < 0) by nra.
    assert (Hyp : - y < p).
    { apply Rnot_le_lt. intros [L|E0]; [|rewrite <- E0 in Hg; lra]. specialize (Hup (- y) ltac:(lra)). lra. }
    specialize (H (- y) p ltac:(lra) Hyp ltac:(lra)).
    assert (K : -1 * dotT y w (- y) < -1 * dotT y w p); [|lra].
    apply dotT_monotone_all; [exact Hyp|]. intros x Hx. specialize (Hdown x ltac:(lra)). lra.
  - intros H a1 a2 H1 H12 H2. assert (Hg : 0 <= g y w (- y)) by nra.
    assert (Hyp : p <= - y) by (apply Rnot_lt_le; intros L; specialize (Hdown _ L); lra).
    assert (K : 1 * dotT y w a1 < 1 * dotT y w a2); [|lra].
    apply dotT_monotone_all; [exact H12|]. intros x Hx. specialize (Hup x ltac:(lra)). lra.
Qed.

Theorem T13_distance_boundary : exists d,
  is_derive (fun a => dist2T y w a) (- y) d /\ (d < 0 <-> m - 1 < r + 4 * y^2 / m^2).
Proof.
  destruct twice_facts as [Hm [Hr [Hrp [EP [Ec Es]]]]].
  assert (Ha : 0 < m_of w (- y) + 2 * - y) by now apply orthogonal_alpha.
  exists (dist2T_slope y w (- y)). split; [now apply T10_is_derivative|].
  pose proof (T10_derivative y w (- y) Ha Hy) as D. cbv zeta in D. rewrite EP, cosh_2, Ec, Es in D.
  assert (Ew : w^2 = m - 1 - y^2) by (unfold m, m_of; ring). pose proof (pow2_gt_0 w Hw) as Hw2. rewrite Ew in D, Hw2.
  set (d := dist2T_slope y w (- y)) in *.
  assert (Ey : 4 * y^2 = m^2 - r^2) by (rewrite <- (Rmult_1_r r) at 1; nra).
  assert (F : 4 * (m - 1 - y^2) = (r - m + 2) * (r + m - 2)).
  { replace (4 * (m - 1 - y^2)) with (4 * m - 4 - 4 * y^2) by ring. rewrite Ey. ring. }
  assert (Hpos : 0 < r + m - 2) by nra.
  assert (E : m * d * r^3 * 2 = - (4 * y) * ((r + m - 2) * ((r - m + 2) * m^2 - r^2))).
  { replace (m * d * r^3 * 2) with (4 * r^3 * (m * d / 2)) by field. rewrite D.
    transitivity (- (4 * y) * (- (r * (m - r - 2 * y^2) * (m - 2 * y^2))
      + 2 * (m - 1 - y^2) * (r * r + 8 * y^2 - 2 * y^2 * r))); [field; lra|]. f_equal.
    replace (2 * (m - 1 - y^2)) with ((r - m + 2) * (r + m - 2) / 2) by (rewrite <- F; field).
    replace (8 * y^2) with (2 * (m^2 - r^2)) by (rewrite <- Ey; ring).
    replace (2 * y^2) with ((m^2 - r^2) / 2) by (rewrite <- Ey; field). field. }
  assert (Hm2 : 0 < m^2) by (apply pow2_gt_0; lra).
  assert (G : m - 1 < r + 4 * y^2 / m^2 <-> 0 < (r - m + 2) * m^2 - r^2).
  { rewrite Ey. assert (Q : (r + (m^2 - r^2) / m^2 - (m - 1)) * m^2 = (r - m + 2) * m^2 - r^2) by (field; lra).
    split; intros H.
    - rewrite <- Q. apply Rmult_lt_0_compat; lra.
    - assert (0 < r + (m^2 - r^2) / m^2 - (m - 1)); [|lra].
      apply (Rmult_lt_reg_r (m^2)); [exact Hm2|]. lra. }
  rewrite G. assert (Hr3 : 0 < r^3) by (apply pow_lt; exact Hrp).
  assert (Hk : 0 < m * r^3 * 2) by (repeat apply Rmult_lt_0_compat; lra).
  assert (Hl : 0 < 4 * y * (r + m - 2)) by (apply Rmult_lt_0_compat; lra).
  set (X := (r - m + 2) * m^2 - r^2) in *.
  assert (E' : (m * r^3 * 2) * d = - ((4 * y * (r + m - 2)) * X)) by (rewrite <- (Rmult_1_l d); lra).
  split; intros H; apply Rnot_le_lt; intros Hn.
  - assert (0 <= (4 * y * (r + m - 2)) * - X) by (apply Rmult_le_pos; lra).
    assert (0 < (m * r^3 * 2) * - d) by (apply Rmult_lt_0_compat; lra). lra.
  - assert (0 < (4 * y * (r + m - 2)) * X) by (apply Rmult_lt_0_compat; lra).
    assert (0 <= (m * r^3 * 2) * d) by (apply Rmult_le_pos; lra). lra.
Qed.

End Beyond.
