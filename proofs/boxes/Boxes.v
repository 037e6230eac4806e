(** * Boxes: T11 and T12 on a bounded box, by interval arithmetic inside Coq.

   T11_cosine_law and T12_dot_law are proved for all parameters; this file replays what certificates do: the sign of a
   derivative is decided by interval arithmetic for every real point of a box.  Neither sign lemma of those proofs
   (angle_slope_pos, g_slope_negative) is used.  It needs Coq's library Interval and is no part of the other proofs,
   because it rests on the machine integers and floating-point numbers of Coq's kernel (expected-axioms.txt).

   notation           see Definitions.v; E = y - a = e y
   in_box y w         1/4 <= y <= 4 and 1/4 <= w <= 4

   T11_box            for 0 <= E1 < E2 <= 2 y the cosine strictly falls from E1 to E2
   T12_box            there is one peak inside (0, y): the dot product strictly grows up to it and strictly falls from
                      there to E = y
   *)

From Coq Require Import Reals Lra.
From Coquelicot Require Import Coquelicot.
From Interval Require Import Tactic.
From TaskHead Require Import Definitions Sums Calculus LimitEquation NormLaw DistanceLaw CosineLaw DotLaw.
Open Scope R_scope.

Definition in_box (y w : R) : Prop := 1/4 <= y <= 4 /\ 1/4 <= w <= 4.

(** e^(2 sigma), in square roots and quotients only. *)
Definition growth (y w a : R) : R := (2 * y + P_of y w a) / ((1 + a)^2 + w^2).

Lemma box_facts y w a : 0 < y -> 0 < w ->
  let q := growth y w a in
  0 < q /\ 0 < P_of y w a /\ exp (2 * sigma y w a) = q /\
  cosh (2 * sigma y w a) = (q + / q) / 2 /\ sinh (2 * sigma y w a) = (q - / q) / 2.
Proof.
  intros Hy Hw q. assert (Ha : 0 < m_of w a + 2 * a) by (apply orthogonal_alpha; lra).
  destruct (root_numerator y w a Ha (or_introl Hy)) as [Hn HP].
  assert (E : exp (2 * sigma y w a) = q).
  { rewrite (exp_2_sigma y w a Ha Hn), alpha_form. reflexivity. }
  pose proof (exp_pos (2 * sigma y w a)) as Hq. rewrite E in Hq.
  split; [exact Hq|split; [exact HP|split; [exact E|]]].
  unfold cosh, sinh. rewrite exp_Ropp, E. now split.
Qed.

Lemma share y a : 0 < y -> a = y * (1 - (y - a) / y).
Proof. intros Hy. field. lra. Qed.

Lemma share_in y a k : 0 < y -> y - k * y <= a <= y -> 0 <= (y - a) / y <= k.
Proof.
  intros Hy [Hl Hh]. split.
  - apply Rmult_le_pos; [lra|]. left. now apply Rinv_0_lt_compat.
  - apply Rmult_le_reg_r with y; [exact Hy|]. unfold Rdiv. rewrite Rmult_assoc, Rinv_l by lra. lra.
Qed.

(** The certificate of T11. *)
Lemma angle_slope_box y w e : in_box y w -> 0 <= e <= 2 -> let a := y * (1 - e) in let q := growth y w a in
  0 < ((q + / q) / 2 - 1) / 2 + ((q + / q) / 2 + a * ((q - / q) / 2)) / P_of y w a.
Proof.
  intros [Hy Hw] He a q. unfold q, growth, P_of, m_of, a.
  interval with (i_bisect y, i_bisect w, i_bisect e, i_depth 60).
Qed.

Theorem T11_box y w a1 a2 :
  in_box y w -> - y <= a1 -> a1 < a2 -> a2 <= y -> cosT y w a1 < cosT y w a2.
Proof.
  intros Hbox H1 H12 H2. assert (Hy : 0 < y) by (destruct Hbox; lra). assert (Hw : 0 < w) by (destruct Hbox; lra).
  apply (increasing_on (fun x => cosT y w x) (fun x => cosT_slope y w x)); [exact H12| |].
  - intros x _. apply cosT_derive; lra.
  - intros x Hx. assert (Ha : 0 < m_of w x + 2 * x) by (apply orthogonal_alpha; lra).
    assert (Hs : 0 < sigma y w x) by (apply T8_sign; lra).
    apply sinh_pos in Hs. assert (HN : 0 < norm2T y w x) by (apply norm2T_pos; lra).
    pose proof (angle_slope_box y w ((y - x) / y) Hbox (share_in y x 2 Hy ltac:(lra))) as C.
    cbv zeta in C. rewrite <- (share y x Hy) in C.
    destruct (box_facts y w x Hy Hw) as [Hq [HP [_ [Ec Es]]]].
    rewrite <- Ec, <- Es in C.
    assert (S : 0 < sinh (sigma y w x) ^ 2 - slope y w x).
    { unfold slope. rewrite (cosh_2 (sigma y w x)) in C |- *.
      replace (sinh (sigma y w x) ^ 2) with ((1 + 2 * sinh (sigma y w x) * sinh (sigma y w x) - 1) / 2) by field.
      replace (- (1 + 2 * sinh (sigma y w x) * sinh (sigma y w x) + x * sinh (2 * sigma y w x)) / P_of y w x)
        with (- ((1 + 2 * sinh (sigma y w x) * sinh (sigma y w x) + x * sinh (2 * sigma y w x)) / P_of y w x))
        by (field; lra). lra. }
    unfold cosT_slope. apply Rdiv_lt_0_compat.
    + apply Rmult_lt_0_compat; [apply Rmult_lt_0_compat; [apply pow2_gt_0; lra|exact Hs]|exact S].
    + apply Rmult_lt_0_compat; [exact HN|now apply sqrt_lt_R0].
Qed.

(** The certificate of T12. *)
Lemma g_slope_box y w e : in_box y w -> 0 <= e <= 1 -> let a := y * (1 - e) in let q := growth y w a in
  let c := (q + / q) / 2 in let s := (q - / q) / 2 in let sl := - (c + a * s) / P_of y w a in
  let t := (q - 1) / (q + 1) in let i := 2 / (1 + c) in
  w^2 * (2 * sl * s * t + c * sl * i) - (1 + 2 * a * t + a^2 * sl * i) < 0.
Proof.
  intros [Hy Hw] He a q c s sl t i. unfold i, t, sl, s, c, q, growth, P_of, m_of, a.
  interval with (i_bisect y, i_bisect w, i_bisect e, i_depth 60).
Qed.

Lemma g_decreasing_box y w a1 a2 :
  in_box y w -> 0 <= a1 -> a1 < a2 -> a2 <= y -> g y w a2 < g y w a1.
Proof.
  intros Hbox H1 H12 H2. assert (Hy : 0 < y) by (destruct Hbox; lra). assert (Hw : 0 < w) by (destruct Hbox; lra).
  apply (decreasing_on (fun x => g y w x) (fun x => g_slope y w x)); [exact H12| |].
  - intros x _. apply g_derive; [apply orthogonal_alpha; lra|exact Hy].
  - intros x Hx.
    pose proof (g_slope_box y w ((y - x) / y) Hbox (share_in y x 1 Hy ltac:(lra))) as C.
    cbv zeta in C. rewrite <- (share y x Hy) in C.
    destruct (box_facts y w x Hy Hw) as [Hq [HP [Eq [Ec Es]]]].
    assert (Ha : 0 < m_of w x + 2 * x) by (apply orthogonal_alpha; lra).
    destruct (sigma_facts y w x Ha Hy) as [H0 [_ [E1 [E2 [Hc _]]]]].
    assert (Et : (growth y w x - 1) / (growth y w x + 1) = sinh (sigma y w x) / cosh (sigma y w x)).
    { rewrite <- Eq. replace (2 * sigma y w x) with (sigma y w x + sigma y w x) by ring.
      rewrite exp_plus. unfold sinh, cosh. rewrite exp_Ropp. pose proof (exp_pos (sigma y w x)) as Hp.
      field. split; nra. }
    rewrite Et, <- Ec, <- Es in C.
    assert (Ei : 2 / (1 + cosh (2 * sigma y w x)) = / cosh (sigma y w x) ^ 2).
    { rewrite E1. replace (1 + (1 + 2 * sinh (sigma y w x) * sinh (sigma y w x)))
        with (2 * (cosh (sigma y w x) * cosh (sigma y w x))) by (rewrite H0; ring). field. lra. }
    rewrite Ei in C. unfold g_slope. cbv zeta. fold (slope y w x) in C. rewrite E1, E2 in C.
    set (ch := cosh (sigma y w x)) in *. set (sh := sinh (sigma y w x)) in *. set (sl := slope y w x) in *.
    refine (Rle_lt_trans _ _ _ _ C). right. field. lra.
Qed.

Theorem T12_box y w : in_box y w ->
  exists p, 0 < p < y /\
    (forall a1 a2, p <= a1 -> a1 < a2 -> a2 <= y -> dotT y w a2 < dotT y w a1) /\
    (forall a1 a2, 0 <= a1 -> a1 < a2 -> a2 <= p -> dotT y w a1 < dotT y w a2).
Proof.
  intros Hbox. assert (Hy : 0 < y) by (destruct Hbox; lra). assert (Hw : 0 < w) by (destruct Hbox; lra).
  destruct (g_root y w Hy ltac:(lra)) as [p [Hp Hg]]. exists p. split; [exact Hp|split].
  - intros a1 a2 H1 H12 H2.
    assert (K : (-1) * dotT y w a1 < (-1) * dotT y w a2); [|lra].
    apply dotT_monotone; try lra. intros x Hx.
    pose proof (g_decreasing_box y w p x Hbox ltac:(lra) ltac:(lra) ltac:(lra)). lra.
  - intros a1 a2 H1 H12 H2.
    assert (K : 1 * dotT y w a1 < 1 * dotT y w a2); [|lra].
    apply dotT_monotone; try lra. intros x Hx.
    pose proof (g_decreasing_box y w x p Hbox ltac:(lra) ltac:(lra) ltac:(lra)). lra.
Qed.

Goal True. idtac "==" "T11_box". Abort.
Print Assumptions T11_box.
Goal True. idtac "==" "T12_box". Abort.
Print Assumptions T12_box.
