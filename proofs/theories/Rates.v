(** * Rates: T30, the distance falls with the head's learning rate (one mode, or decoupled modes).

   notation: see Definitions.v.  A head rate gamma enters the normalised model only through its unit:
   y, w and a are all multiplied by g = sqrt(kappa / gamma) / |z0|^2, so a larger gamma is a smaller g.
   ch, sh = cosh, sinh of sigma; n = a^2 + w^2; A = ch - 1 + a sh.

   rapidity_rate        g d sigma / d g = (1 - n) sinh(2 sigma) / (2 P)
   T30_derivative       P g (d D^2 / d g) / (2 sh) = A a (2 + (3 + n) sh^2 + 3 a sh ch) + A sh ch
                                                     + w^2 sh (1 + ch + (2 + n) sh^2 + 3 a sh ch)
   T30_normalised       0 <= a < y, g1 < g2  =>  D^2(g1 y, g1 w, g1 a) < D^2(g2 y, g2 w, g2 a)
   T30_rates            the same runs with head rates gamma1 < gamma2 and 0 <= z0 . v0 < y
                        =>  |x2 - z0| < |x1 - z0|
   T30_below_frozen     and any gamma > 0 moves the feature less than the frozen head does: |x - z0| < E / |v0|
   T30_total            decoupled modes: the total distance strictly falls with the head rate
   *)

Require Import Reals Lra Lia Psatz.
From Coquelicot Require Import Coquelicot.
From TaskHead Require Import Definitions Sums Calculus Boost LimitEquation NormLaw DistanceLaw Scaling EnergyLaws Modes.
Open Scope R_scope.

Lemma bracket_positive ch sh a n w2 : 1 < ch -> 0 < sh -> 0 <= a -> 0 <= n -> 0 <= w2 ->
  0 < (ch - 1 + a * sh) * a * (2 + (3 + n) * sh^2 + 3 * a * sh * ch) + (ch - 1 + a * sh) * sh * ch
      + w2 * sh * (1 + ch + (2 + n) * sh^2 + 3 * a * sh * ch).
Proof.
  intros Hc Hs Ha Hn Hw.
  assert (Hx : 0 <= a * sh) by (apply Rmult_le_pos; lra).
  assert (Hx2 : 0 <= a * sh * ch) by (apply Rmult_le_pos; lra).
  assert (Hsh : 0 <= n * sh^2) by (apply Rmult_le_pos; [lra|apply pow2_ge_0]).
  pose proof (pow2_ge_0 sh).
  assert (T1 : 0 <= (ch - 1 + a * sh) * a * (2 + (3 + n) * sh^2 + 3 * a * sh * ch))
    by (apply Rmult_le_pos; [apply Rmult_le_pos; lra|lra]).
  assert (T2 : 0 < (ch - 1 + a * sh) * sh * ch) by (apply Rmult_lt_0_compat; [apply Rmult_lt_0_compat; lra|lra]).
  assert (T3 : 0 <= w2 * sh * (1 + ch + (2 + n) * sh^2 + 3 * a * sh * ch))
    by (apply Rmult_le_pos; [apply Rmult_le_pos; lra|lra]).
  lra.
Qed.

Section Rate.
Variables (y w a : R).
Hypothesis Hy : 0 < y.
Hypothesis Ha : 0 <= a.

Let Pg x := P_of (x * y) (x * w) (x * a).
Let mg x := m_of (x * w) (x * a).
Let sg x := sigma (x * y) (x * w) (x * a).

Lemma rate_positive g : 0 < g -> 0 < mg g + 2 * (g * a).
Proof. intros Hg. apply positive_head. apply Rmult_le_pos; lra. Qed.

Lemma rapidity_rate g : 0 < g ->
  is_derive sg g ((1 - (g * a)^2 - (g * w)^2) * sinh (2 * sg g) / (2 * g * Pg g)).
Proof.
  intros Hg. pose proof (rate_positive g Hg) as Hal. assert (Hgy : 0 < g * y) by nra.
  destruct (root_numerator (g * y) (g * w) (g * a) Hal (or_introl Hgy)) as [Hn HP].
  pose proof (P_sq' (g * y) (g * w) (g * a)) as H2.
  fold (Pg g) in Hn, HP, H2. fold (mg g) in H2.
  set (D := 4 * g * y^2 + 2 * g * mg g * (a^2 + w^2) - 4 * g * a^2).
  assert (DP : is_derive Pg g (D / Pg g)).
  { refine (is_derive_val _ _ _ _ (is_derive_sqrt (fun x => 4 * (x * y)^2 + (m_of (x * w) (x * a))^2 - 4 * (x * a)^2) g
      (2 * D) _ _) _).
    - unfold D, mg, m_of. auto_derive; [exact I|]. ring.
    - fold (mg g). nra.
    - change (sqrt (4 * (g * y)^2 + (m_of (g * w) (g * a))^2 - 4 * (g * a)^2)) with (Pg g). field. lra. }
  assert (Dm : is_derive (fun x => mg x + 2 * (x * a)) g (2 * g * (a^2 + w^2) + 2 * a)).
  { unfold mg, m_of. auto_derive; [exact I|]. ring. }
  assert (Dq : is_derive (fun x => (2 * (x * y) + Pg x) / (mg x + 2 * (x * a))) g
     (((2 * y + D / Pg g) * (mg g + 2 * (g * a)) - (2 * (g * y) + Pg g) * (2 * g * (a^2 + w^2) + 2 * a))
        / (mg g + 2 * (g * a)) ^ 2)).
  { apply (is_derive_div (fun x => 2 * (x * y) + Pg x) (fun x => mg x + 2 * (x * a))).
    - apply is_derive_Rplus; [auto_derive; [exact I|ring]|exact DP].
    - exact Dm.
    - lra. }
  refine (is_derive_val _ _ _ _ (is_derive_extR
    (fun x => / 2 * ln ((2 * (x * y) + Pg x) / (mg x + 2 * (x * a)))) sg g _ _
    (is_derive_Rscal _ (/ 2) _ _ (is_derive_comp_R ln _ _ _ _ Dq (is_derive_ln _ _)))) _).
  - intros x. unfold sg, sigma, Pg, mg. field.
  - now apply Rdiv_lt_0_compat.
  - unfold sinh. rewrite exp_Ropp. unfold sg at 1 2. rewrite exp_2_sigma by assumption.
    fold (mg g). fold (Pg g).
    assert (Hm : mg g = 1 + (g * a)^2 + (g * w)^2) by reflexivity.
    unfold D. set (P := Pg g) in *. set (m := mg g) in *.
    assert (m + 2 * (g * a) <> 0) by lra. assert (P <> 0) by lra.
    assert (2 * (g * y) + P <> 0) by lra. assert (g <> 0) by lra.
    apply (Rmult_eq_reg_r (4 * g * P * (m + 2 * (g * a)) * (2 * (g * y) + P))).
    2:{ repeat apply Rmult_integral_contrapositive_currified; lra. }
    transitivity (2 * g * (2 * y * P + (4 * g * y^2 + 2 * g * m * (a^2 + w^2) - 4 * g * a^2)) * (m + 2 * (g * a))
      - 2 * g * (2 * g * (a^2 + w^2) + 2 * a) * (2 * (g * y) * P + P * P)); [field; repeat split; lra|].
    transitivity ((1 - (g * a)^2 - (g * w)^2) * (4 * (g * y)^2 + 4 * (g * y) * P + P * P - (m + 2 * (g * a))^2));
      [|field; repeat split; lra].
    rewrite H2, Hm. ring.
Qed.

(** d D^2 / d g, as the chain rule gives it. *)
Let rate_slope g :=
  let ch := cosh (sg g) in let sh := sinh (sg g) in
  let q := (1 - (g * a)^2 - (g * w)^2) * sinh (2 * sg g) / (2 * g * Pg g) in
  2 * (ch - 1 + g * a * sh) * (a * sh + (sh + g * a * ch) * q) + 2 * (g * w * sh) * (w * sh + g * w * (ch * q)).

Lemma rate_slope_derive g : 0 < g -> is_derive (fun x => dist2T (x * y) (x * w) (x * a)) g (rate_slope g).
Proof.
  intros Hg. pose proof (rapidity_rate g Hg) as D. set (q := _ / _) in D.
  unfold dist2T, rate_slope. cbv zeta. fold q. fold (sg g).
  apply (is_derive_Rplus (fun x => (dotT (x * y) (x * w) (x * a) - 1)^2) (fun x => (x * w * sinh (sg x))^2)).
  - refine (is_derive_val _ _ _ _ (is_derive_square (fun x => dotT (x * y) (x * w) (x * a) - 1) g
      (a * sinh (sg g) + (sinh (sg g) + g * a * cosh (sg g)) * q) _) _).
    + unfold dotT.
      refine (is_derive_val _ _ _ _ (is_derive_Rminus (fun x => cosh (sg x) + x * a * sinh (sg x)) (fun _ => 1) g _ _
        (is_derive_Rplus (fun x => cosh (sg x)) (fun x => x * a * sinh (sg x)) g _ _ (is_derive_cosh _ _ _ D)
          (is_derive_Rmult (fun x => x * a) (fun x => sinh (sg x)) g a _ _ (is_derive_sinh _ _ _ D)))
        (is_derive_Rconst _ _)) _).
      * auto_derive; [exact I|ring].
      * ring.
    + unfold dotT. fold (sg g). ring.
  - refine (is_derive_val _ _ _ _ (is_derive_square (fun x => x * w * sinh (sg x)) g _
      (is_derive_Rmult (fun x => x * w) (fun x => sinh (sg x)) g w _ _ (is_derive_sinh _ _ _ D))) _).
    + auto_derive; [exact I|ring].
    + ring.
Qed.

Theorem T30_derivative g : 0 < g ->
  exists slope, is_derive (fun x => dist2T (x * y) (x * w) (x * a)) g slope /\
    let ch := cosh (sg g) in let sh := sinh (sg g) in let a' := g * a in let n := (g * a)^2 + (g * w)^2 in
    Pg g * g * slope = 2 * sh *
      ((ch - 1 + a' * sh) * a' * (2 + (3 + n) * sh^2 + 3 * a' * sh * ch) + (ch - 1 + a' * sh) * sh * ch
       + (g * w)^2 * sh * (1 + ch + (2 + n) * sh^2 + 3 * a' * sh * ch)).
Proof.
  intros Hg. exists (rate_slope g). split; [now apply rate_slope_derive|]. cbv zeta.
  pose proof (rate_positive g Hg) as Hal. assert (Hgy : 0 < g * y) by nra.
  destruct (sigma_facts (g * y) (g * w) (g * a) Hal Hgy) as [H1 [H2 [_ [E2 [_ HP]]]]].
  fold (sg g) in H1, H2, E2. fold (Pg g) in H2, HP.
  unfold rate_slope. cbv zeta. rewrite E2.
  set (ch := cosh (sg g)) in *. set (sh := sinh (sg g)) in *. set (P := Pg g) in *.
  transitivity (2 * ((ch - 1 + g * a * sh) * (P * (g * a * sh) + (sh + g * a * ch) * ((1 - (g * a)^2 - (g * w)^2) * (sh * ch)))
    + g * w * sh * (P * (g * w * sh) + g * w * ch * ((1 - (g * a)^2 - (g * w)^2) * (sh * ch))))); [field; lra|].
  rewrite H2. unfold m_of. ring [H1].
Qed.

Theorem T30_normalised g1 g2 : a < y -> 0 < g1 -> g1 < g2 ->
  dist2T (g1 * y) (g1 * w) (g1 * a) < dist2T (g2 * y) (g2 * w) (g2 * a).
Proof.
  intros Hay Hg1 Hg12.
  apply (increasing_on (fun x => dist2T (x * y) (x * w) (x * a)) rate_slope); [exact Hg12| |].
  - intros g Hg. apply rate_slope_derive. lra.
  - intros g Hg. assert (Hg0 : 0 < g) by lra.
    destruct (T30_derivative g Hg0) as [slope [Ds E]]. cbv zeta in E.
    assert (Es : rate_slope g = slope).
    { apply is_derive_unique in Ds. rewrite <- Ds. symmetry. apply is_derive_unique. now apply rate_slope_derive. }
    rewrite Es. clear Es Ds.
    pose proof (rate_positive g Hg0) as Hal. assert (Hgy : 0 < g * y) by nra.
    destruct (sigma_facts (g * y) (g * w) (g * a) Hal Hgy) as [H1 [_ [_ [_ [Hc HP]]]]].
    assert (Hs : 0 < sg g) by (apply T8_sign; [assumption..|nra]).
    apply sinh_pos in Hs. fold (sg g) in H1, Hc. fold (Pg g) in HP.
    set (ch := cosh (sg g)) in *. set (sh := sinh (sg g)) in *. set (P := Pg g) in *.
    assert (Hch : 1 < ch) by nra.
    assert (Hga : 0 <= g * a) by (apply Rmult_le_pos; lra).
    assert (Hb := bracket_positive ch sh (g * a) ((g * a)^2 + (g * w)^2) ((g * w)^2) Hch Hs Hga
      ltac:(pose proof (pow2_ge_0 (g * a)); pose proof (pow2_ge_0 (g * w)); lra) (pow2_ge_0 _)).
    assert (Hpos : 0 < P * g * slope) by (rewrite E; apply Rmult_lt_0_compat; [lra|exact Hb]).
    assert (HPg : 0 < P * g) by (apply Rmult_lt_0_compat; lra).
    apply (Rmult_lt_reg_l (P * g)); [exact HPg|]. rewrite Rmult_0_r. exact Hpos.
Qed.

(** One sample: the motion is less than that of a head that does not move. *)
Lemma below_frozen : a < y -> 0 < a^2 + w^2 -> dist2T y w a * (a^2 + w^2) < (y - a)^2.
Proof.
  intros Hay Hv. assert (Hal : 0 < m_of w a + 2 * a) by now apply positive_head.
  destruct (sigma_facts y w a Hal Hy) as [H1 [_ [E1 [E2 [Hc HP]]]]].
  assert (Hs : 0 < sigma y w a) by (apply T8_sign; assumption). apply sinh_pos in Hs.
  pose proof (T8_root y w a Hal (or_introl Hy)) as Hr. unfold limit_equation in Hr.
  rewrite E1, E2 in Hr. unfold m_of in Hr. unfold dist2T, dotT.
  set (ch := cosh (sigma y w a)) in *. set (sh := sinh (sigma y w a)) in *.
  set (n := a^2 + w^2) in *.
  assert (Hch : 1 < ch) by nra.
  assert (Er : y - a = sh * ((1 + n) * ch + 2 * a * sh)).
  { unfold n. assert (1 + 2 * sh * sh - 1 = 2 * sh * sh) by ring. lra. }
  (* ch - 1 = t sh with 0 < t < 1, so A = (t + a) sh *)
  set (t := sh / (ch + 1)).
  assert (Ht : 0 < t) by (apply Rdiv_lt_0_compat; lra).
  assert (Et : ch - 1 = t * sh).
  { apply (Rmult_eq_reg_r (ch + 1)); [|lra]. unfold t. transitivity (sh * sh); [nra|field; lra]. }
  assert (Ht1 : t < 1).
  { apply (Rmult_lt_reg_r (ch + 1)); [lra|]. replace (t * (ch + 1)) with sh by (unfold t; field; lra). nra. }
  assert (Hts : t <= sh).
  { apply (Rmult_le_reg_r (ch + 1)); [lra|]. replace (t * (ch + 1)) with sh by (unfold t; field; lra). nra. }
  assert (Hn : n = a^2 + w^2) by reflexivity. clearbody n t.
  assert (Has : 0 <= a * sh) by (apply Rmult_le_pos; lra).
  assert (Hat : a * t <= a * sh) by (apply Rmult_le_compat_l; lra).
  assert (Hn0 : 0 <= n) by (pose proof (pow2_ge_0 a); pose proof (pow2_ge_0 w); lra).
  assert (Hnt : n * t^2 <= n * 1) by (apply Rmult_le_compat_l; [lra|nra]).
  assert (Hnat : n * (a * t) <= n * (a * sh)) by (apply Rmult_le_compat_l; lra).
  assert (Hnas : 0 <= n * (a * sh)) by (apply Rmult_le_pos; lra).
  rewrite Er. replace (ch + a * sh - 1) with ((t + a) * sh) by lra.
  replace ((((t + a) * sh)^2 + (w * sh)^2) * n) with (sh^2 * (n * (n + 2 * (a * t) + t^2))) by (rewrite Hn; ring).
  rewrite Rpow_mult_distr. apply Rmult_lt_compat_l; [apply pow_lt; lra|].
  apply Rlt_le_trans with ((1 + n + 2 * (a * sh))^2).
  - nra.
  - apply pow_incr. split; [lra|]. nra.
Qed.
End Rate.

Section Runs.
Variables (kappa y : R) (h : nat) (z0 v : vec).
Hypothesis Hk : 0 < kappa.
Hypothesis Hy : 0 < y.
Hypothesis Hz : 0 < sq h z0.
Hypothesis Hv : 0 <= dot h z0 v.

Lemma run_distance gamma x u : 0 < gamma -> trains kappa gamma h y z0 v x u ->
  let c := unit_of kappa gamma h z0 in
  0 < c /\ sq h (vsub x z0) = sq h z0 * dist2T (c * y) (c * w_of h z0 v) (c * dot h z0 v).
Proof.
  intros Hg T c. split; [now apply c_pos|].
  now destruct (limit_quantities kappa gamma y h z0 Hk Hg Hz v x u Hy
    (not_opposite_aligned kappa gamma h z0 Hk Hg Hz v Hv) T) as [_ [_ [N _]]].
Qed.

Lemma unit_decreases gamma1 gamma2 : 0 < gamma1 -> gamma1 < gamma2 ->
  unit_of kappa gamma2 h z0 < unit_of kappa gamma1 h z0.
Proof.
  intros H1 H12. unfold unit_of, Rdiv at 1 3. apply Rmult_lt_compat_r; [now apply Rinv_0_lt_compat|].
  apply sqrt_lt_1_alt. split.
  - left. apply Rdiv_lt_0_compat; lra.
  - unfold Rdiv. apply Rmult_lt_compat_l; [exact Hk|]. apply Rinv_lt_contravar; [nra|exact H12].
Qed.

Lemma rates_sq gamma1 gamma2 x1 u1 x2 u2 : dot h z0 v < y -> 0 < gamma1 -> gamma1 < gamma2 ->
  trains kappa gamma1 h y z0 v x1 u1 -> trains kappa gamma2 h y z0 v x2 u2 ->
  sq h (vsub x2 z0) < sq h (vsub x1 z0).
Proof.
  intros Hlt H1 H12 T1 T2.
  destruct (run_distance gamma1 x1 u1 H1 T1) as [_ N1].
  destruct (run_distance gamma2 x2 u2 ltac:(lra) T2) as [P2 N2].
  rewrite N1, N2. apply Rmult_lt_compat_l; [exact Hz|].
  apply T30_normalised; [exact Hy|exact Hv|exact Hlt|exact P2|now apply unit_decreases].
Qed.

Theorem T30_rates gamma1 gamma2 x1 u1 x2 u2 : dot h z0 v < y -> 0 < gamma1 -> gamma1 < gamma2 ->
  trains kappa gamma1 h y z0 v x1 u1 -> trains kappa gamma2 h y z0 v x2 u2 ->
  dist h x2 z0 < dist h x1 z0.
Proof.
  intros Hlt H1 H12 T1 T2. unfold dist, vnorm. apply sqrt_lt_1_alt. split; [apply sq_nonneg|].
  now apply (rates_sq gamma1 gamma2 x1 u1 x2 u2).
Qed.

Theorem T30_below_frozen gamma x u : dot h z0 v < y -> 0 < gamma -> 0 < sq h v -> trains kappa gamma h y z0 v x u ->
  dist h x z0 < energy h y z0 v / vnorm h v.
Proof.
  intros Hlt Hg Hhv T. destruct (run_distance gamma x u Hg T) as [Pc N]. set (c := unit_of kappa gamma h z0) in *.
  rewrite energy_below by lra. assert (Hn : 0 < vnorm h v) by now apply sqrt_lt_R0.
  apply (Rmult_lt_reg_r (vnorm h v)); [exact Hn|].
  replace ((y - dot h z0 v) / vnorm h v * vnorm h v) with (y - dot h z0 v) by (field; lra).
  unfold dist. unfold vnorm at 1 2. rewrite <- sqrt_mult_alt by apply sq_nonneg.
  rewrite <- (sqrt_square (y - dot h z0 v)) by lra.
  apply sqrt_lt_1_alt. split; [apply Rmult_le_pos; apply sq_nonneg|].
  rewrite N. set (a := dot h z0 v) in *. set (w := w_of h z0 v) in *.
  assert (Ew : a^2 + w^2 = sq h z0 * sq h v) by (unfold w; rewrite w_of_sq; fold a; ring).
  assert (Hcc : 0 < c * c) by nra.
  pose proof (below_frozen (c * y) (c * w) (c * a) ltac:(nra) ltac:(apply Rmult_le_pos; lra) ltac:(nra)) as B.
  assert (B' : dist2T (c * y) (c * w) (c * a) * ((c * a)^2 + (c * w)^2) < (c * y - c * a)^2).
  { apply B. replace ((c * a)^2 + (c * w)^2) with (c * c * (a^2 + w^2)) by ring. rewrite Ew.
    apply Rmult_lt_0_compat; [exact Hcc|apply Rmult_lt_0_compat; [exact Hz|exact Hhv]]. }
  replace ((c * a)^2 + (c * w)^2) with (c * c * (a^2 + w^2)) in B' by ring. rewrite Ew in B'.
  apply (Rmult_lt_reg_l (c * c)); [exact Hcc|]. lra.
Qed.
End Runs.

Theorem T30_total n h gamma1 gamma2 (kappa y : nat -> R) (z0 v x1 u1 x2 u2 : nat -> vec) :
  0 < gamma1 -> gamma1 < gamma2 ->
  (forall i, (i < n)%nat -> 0 < kappa i /\ 0 < y i /\ 0 < sq h (z0 i) /\ 0 <= dot h (z0 i) (v i) < y i /\
     trains (kappa i) gamma1 h (y i) (z0 i) (v i) (x1 i) (u1 i) /\
     trains (kappa i) gamma2 h (y i) (z0 i) (v i) (x2 i) (u2 i)) ->
  (0 < n)%nat ->
  sumn n (fun i => sq h (vsub (x2 i) (z0 i))) < sumn n (fun i => sq h (vsub (x1 i) (z0 i))).
Proof.
  intros H1 H12 H Hn.
  assert (K : forall i, (i < n)%nat -> sq h (vsub (x2 i) (z0 i)) < sq h (vsub (x1 i) (z0 i))).
  { intros i Hi. destruct (H i Hi) as [Hk [Hy [Hz [[Hv Hlt] [T1 T2]]]]].
    now apply (rates_sq (kappa i) (y i) h (z0 i) (v i) Hk Hy Hz Hv gamma1 gamma2 (x1 i) (u1 i) (x2 i) (u2 i)). }
  apply sumn_lt; [intros i Hi; left; now apply K|].
  exists 0%nat. split; [exact Hn|now apply K].
Qed.
