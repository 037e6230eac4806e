(** * CosineLaw: T11, the angle between z_T and z_0 grows with energy, without end.

   notation: see Definitions.v; E = y - a.  The cosine distance is 1 - cosT.

   T11_cosine_law            for all a1 < a2 <= y (w <> 0): cos(a1) < cos(a2), beyond E = y too
   T11_no_orthogonal_part    for w = 0 and a > -1 the angle is 0 for every energy
   *)

Require Import Reals Lra Lia Psatz.
From Coquelicot Require Import Coquelicot.
From TaskHead Require Import Definitions Sums Calculus LimitEquation NormLaw DistanceLaw.
Open Scope R_scope.

Lemma orthogonal_alpha w a : w <> 0 -> 0 < m_of w a + 2 * a.
Proof.
  intros Hw. rewrite alpha_form. pose proof (pow2_gt_0 w Hw). pose proof (pow2_ge_0 (1 + a)). lra.
Qed.

Lemma norm2T_pos y w a : 0 < m_of w a + 2 * a -> 0 < y -> w <> 0 -> 0 < norm2T y w a.
Proof.
  intros Ha Hy Hw. unfold norm2T, dotT.
  pose proof (cosh_ge_1 (sigma y w a)) as Hc. pose proof (pow2_gt_0 w Hw) as Hw2.
  set (ch := cosh (sigma y w a)) in *. set (sh := sinh (sigma y w a)) in *.
  destruct (Req_dec sh 0) as [E|E].
  - rewrite E. replace (ch + a * 0) with ch by ring. nra.
  - pose proof (pow2_ge_0 (ch + a * sh)). pose proof (pow2_gt_0 sh E).
    replace ((w * sh)^2) with (w^2 * sh^2) by ring. nra.
Qed.

Definition cosT_slope (y w a : R) : R :=
  w^2 * sinh (sigma y w a) * (sinh (sigma y w a) ^ 2 - slope y w a)
  / (norm2T y w a * sqrt (norm2T y w a)).

Lemma cosT_derive y w a : w <> 0 -> 0 < y ->
  is_derive (fun x => cosT y w x) a (cosT_slope y w a).
Proof.
  intros Hw Hy. pose proof (orthogonal_alpha w a Hw) as Ha.
  pose proof (norm2T_pos y w a Ha Hy Hw) as HN.
  pose proof (dotT_derive y w a Ha Hy) as Dd. pose proof (wsinh_derive y w a Ha Hy) as Dw.
  pose proof (is_derive_Rplus _ _ _ _ _ (is_derive_square _ _ _ Dd) (is_derive_square _ _ _ Dw)) as DN.
  pose proof (is_derive_sqrt (fun x => norm2T y w x) a _ DN HN) as Dr.
  pose proof (sqrt_lt_R0 _ HN) as Hr.
  assert (Hrr : sqrt (norm2T y w a) * sqrt (norm2T y w a) = norm2T y w a) by (apply sqrt_sqrt; lra).
  destruct (sigma_facts y w a Ha Hy) as [H1 _].
  unfold cosT, cosT_slope.
  refine (is_derive_val _ _ _ _ (is_derive_div (fun x => dotT y w x) (fun x => sqrt (norm2T y w x)) a _ _ Dd Dr _) _).
  - lra.
  - set (r := sqrt (norm2T y w a)) in *.
    assert (EN : norm2T y w a = dotT y w a ^ 2 + (w * sinh (sigma y w a)) ^ 2) by reflexivity.
    rewrite <- Hrr in *. unfold dotT in *.
    set (ch := cosh (sigma y w a)) in *. set (sh := sinh (sigma y w a)) in *.
    set (sl := slope y w a) in *.
    apply (Rmult_eq_reg_r (r * r * r)); [|repeat apply Rmult_integral_contrapositive_currified; lra].
    transitivity ((sh + (sh + a * ch) * sl) * (r * r)
      - (ch + a * sh) * ((ch + a * sh) * (sh + (sh + a * ch) * sl) + w * sh * (w * (ch * sl)))).
    + field. lra.
    + transitivity (w^2 * sh * (sh^2 - sl)); [|field; lra].
      rewrite EN. ring [H1].
Qed.

(** sinh^2 sigma - d sigma/da, times P, is a sum of squares by T9: P + 1 - a^2 = 2 |z_T|^2 + w^2. *)
Lemma angle_slope_pos y w a : w <> 0 -> 0 < y -> 0 < sinh (sigma y w a) ^ 2 - slope y w a.
Proof.
  intros Hw Hy. pose proof (orthogonal_alpha w a Hw) as Ha.
  pose proof (T9_closed_form y w a Ha Hy) as H9. pose proof (norm2T_pos y w a Ha Hy Hw) as HN.
  destruct (sigma_facts y w a Ha Hy) as [H1 [_ [H2 [H3 [Hc HP]]]]].
  unfold slope. rewrite H2, H3. set (ch := cosh (sigma y w a)) in *. set (sh := sinh (sigma y w a)) in *.
  set (P := P_of y w a) in *. pose proof (pow2_gt_0 w Hw) as Hw2.
  replace (sh^2 - - (1 + 2 * sh * sh + a * (2 * sh * ch)) / P)
    with (((P + 1 - a^2) * sh^2 + (ch + a * sh)^2) / P).
  - apply Rdiv_lt_0_compat; [|exact HP].
    assert (HD : 0 < P + 1 - a^2) by lra.
    destruct (Req_dec sh 0) as [E|E].
    + rewrite E. replace (ch + a * 0) with ch by ring. nra.
    + pose proof (pow2_gt_0 sh E). pose proof (pow2_ge_0 (ch + a * sh)). nra.
  - replace ((P + 1 - a^2) * sh^2 + (ch + a * sh)^2)
      with (P * sh^2 + (1 + 2 * sh * sh + a * (2 * sh * ch))) by ring [H1].
    field. lra.
Qed.

Theorem T11_cosine_law y w a1 a2 :
  0 < y -> w <> 0 -> a1 < a2 -> a2 <= y -> cosT y w a1 < cosT y w a2.
Proof.
  intros Hy Hw H12 H2.
  apply (increasing_on (fun x => cosT y w x) (fun x => cosT_slope y w x)); [exact H12| |].
  - intros x _. now apply cosT_derive.
  - intros x Hx. pose proof (orthogonal_alpha w x Hw) as Ha.
    assert (Hs : 0 < sigma y w x) by (apply T8_sign; [assumption..|lra]).
    apply sinh_pos in Hs. pose proof (norm2T_pos y w x Ha Hy Hw) as HN.
    unfold cosT_slope. apply Rdiv_lt_0_compat.
    + apply Rmult_lt_0_compat; [apply Rmult_lt_0_compat; [now apply pow2_gt_0|exact Hs]|].
      now apply angle_slope_pos.
    + apply Rmult_lt_0_compat; [exact HN|now apply sqrt_lt_R0].
Qed.

Theorem T11_no_orthogonal_part y a : 0 < y -> -1 < a -> a <= y -> cosT y 0 a = 1.
Proof.
  intros Hy Ha Hay. unfold cosT, norm2T.
  assert (Hm : 0 < m_of 0 a + 2 * a) by (rewrite alpha_form; nra).
  assert (0 <= sinh (sigma y 0 a)).
  { destruct (Req_dec a y) as [E|E].
    - rewrite T8_zero by assumption. rewrite sinh_0. lra.
    - left. apply sinh_pos. apply T8_sign; [assumption..|lra]. }
  pose proof (sinh_lt_cosh (sigma y 0 a)).
  assert (0 < dotT y 0 a) by (unfold dotT; nra).
  replace (dotT y 0 a ^ 2 + (0 * sinh (sigma y 0 a)) ^ 2) with (dotT y 0 a ^ 2) by ring.
  rewrite sqrt_pow2 by lra. field. lra.
Qed.
