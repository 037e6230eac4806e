(** * DistanceLaw: T10, the distance |z_T - z_0| grows with energy on [0, y].

   notation: see Definitions.v; E = y - a, so larger energy means smaller a.
   ch, sh = cosh, sinh of sigma; A = ch - 1 + a sh.

   positive_head         0 <= a makes the normalisation m + 2 a positive
   sigma_slope           P sigma' = -(cosh 2 sigma + a sinh 2 sigma)
   T10_is_derivative     d D^2 / d a = dist2T_slope  (Definitions.v)
   T10_derivative        P dist2T_slope / 2 = -(A a (ch + a sh) + w^2 sh (cosh 2 sigma + a sh))
   T10_distance_law      0 <= a1 < a2 <= y  =>  D^2(a2) < D^2(a1)
   *)

Require Import Reals Lra Lia Psatz.
From Coquelicot Require Import Coquelicot.
From TaskHead Require Import Definitions Sums Calculus LimitEquation NormLaw.
Open Scope R_scope.

Lemma positive_head w a : 0 <= a -> 0 < m_of w a + 2 * a.
Proof.
  intros Ha. unfold m_of. pose proof (pow2_ge_0 a). pose proof (pow2_ge_0 w). lra.
Qed.

Lemma sigma_slope y w a : 0 < m_of w a + 2 * a -> 0 < y ->
  P_of y w a * slope y w a =
  - (1 + 2 * sinh (sigma y w a) * sinh (sigma y w a)
     + a * (2 * sinh (sigma y w a) * cosh (sigma y w a))).
Proof.
  intros Ha Hy. destruct (sigma_facts y w a Ha Hy) as [_ [_ [E1 [E2 [_ HP]]]]].
  unfold slope. rewrite E1, E2. field. lra.
Qed.

Lemma dotT_derive y w a : 0 < m_of w a + 2 * a -> 0 < y ->
  is_derive (fun x => dotT y w x) a
    (sinh (sigma y w a) + (sinh (sigma y w a) + a * cosh (sigma y w a)) * slope y w a).
Proof.
  intros Ha Hy. pose proof (T8_derivative y w a Ha Hy) as D. fold (slope y w a) in D.
  unfold dotT.
  refine (is_derive_val _ _ _ _ (is_derive_Rplus (fun x => cosh (sigma y w x)) (fun x => x * sinh (sigma y w x)) a _ _
    (is_derive_cosh _ _ _ D)
    (is_derive_Rmult (fun x => x) (fun x => sinh (sigma y w x)) a 1 _ (is_derive_id a) (is_derive_sinh _ _ _ D))) _).
  ring.
Qed.

Lemma wsinh_derive y w a : 0 < m_of w a + 2 * a -> 0 < y ->
  is_derive (fun x => w * sinh (sigma y w x)) a (w * (cosh (sigma y w a) * slope y w a)).
Proof.
  intros Ha Hy. pose proof (T8_derivative y w a Ha Hy) as D. fold (slope y w a) in D.
  apply is_derive_Rscal. refine (is_derive_val _ _ _ _ (is_derive_sinh _ _ _ D) _). ring.
Qed.

Lemma is_derive_square (f : R -> R) x d :
  is_derive f x d -> is_derive (fun t => f t ^ 2) x (2 * f x * d).
Proof.
  intros H. apply (is_derive_extR (fun t => f t * f t)); [intros; ring|].
  refine (is_derive_val _ _ _ _ (is_derive_Rmult f f x d d H H) _). ring.
Qed.

Theorem T10_is_derivative y w a : 0 < m_of w a + 2 * a -> 0 < y ->
  is_derive (fun x => dist2T y w x) a (dist2T_slope y w a).
Proof.
  intros Ha Hy. unfold dist2T, dist2T_slope.
  apply (is_derive_Rplus (fun x => (dotT y w x - 1)^2) (fun x => (w * sinh (sigma y w x))^2)).
  - apply (is_derive_square (fun x => dotT y w x - 1)).
    refine (is_derive_val _ _ _ _ (is_derive_Rminus (fun x => dotT y w x) (fun _ => 1) a _ _
      (dotT_derive y w a Ha Hy) (is_derive_Rconst _ _)) _). ring.
  - apply (is_derive_square (fun x => w * sinh (sigma y w x))). now apply wsinh_derive.
Qed.

Theorem T10_derivative y w a : 0 < m_of w a + 2 * a -> 0 < y ->
  let ch := cosh (sigma y w a) in let sh := sinh (sigma y w a) in
  P_of y w a * dist2T_slope y w a / 2 =
  - ((ch - 1 + a * sh) * a * (ch + a * sh) + w^2 * sh * (cosh (2 * sigma y w a) + a * sh)).
Proof.
  intros Ha Hy ch sh. destruct (sigma_facts y w a Ha Hy) as [H1 [H2 [E1 [E2 _]]]].
  pose proof (sigma_slope y w a Ha Hy) as Hs.
  fold ch in H1, H2, E2, Hs. fold sh in H1, H2, E1, E2, Hs.
  rewrite E1. unfold dist2T_slope, dotT. fold ch. fold sh.
  set (sl := slope y w a) in *. set (P := P_of y w a) in *.
  transitivity ((ch + a * sh - 1) * (P * sh + (sh + a * ch) * (P * sl)) + w^2 * sh * ch * (P * sl)); [field|].
  rewrite Hs, H2. unfold m_of. ring [H1].
Qed.

Theorem T10_distance_law y w a1 a2 :
  0 < y -> 0 <= a1 -> a1 < a2 -> a2 <= y -> dist2T y w a2 < dist2T y w a1.
Proof.
  intros Hy H1 H12 H2.
  apply (decreasing_on (fun x => dist2T y w x) (fun x => dist2T_slope y w x)); [exact H12| |].
  - intros x Hx. apply T10_is_derivative; [apply positive_head; lra|exact Hy].
  - intros x Hx. assert (Hm : 0 < m_of w x + 2 * x) by (apply positive_head; lra).
    pose proof (T10_derivative y w x Hm Hy) as D. cbv zeta in D.
    destruct (sigma_facts y w x Hm Hy) as [_ [_ [E1 [_ [Hc HP]]]]].
    assert (Hs : 0 < sigma y w x) by (apply T8_sign; [assumption..|lra]).
    apply sinh_pos in Hs. rewrite E1 in D.
    set (ch := cosh (sigma y w x)) in *. set (sh := sinh (sigma y w x)) in *.
    assert (0 < x) by lra. assert (0 < x * sh) by nra.
    assert (0 < (ch - 1 + x * sh) * x * (ch + x * sh)).
    { repeat apply Rmult_lt_0_compat; lra. }
    assert (0 <= w^2 * sh * (1 + 2 * sh * sh + x * sh)).
    { apply Rmult_le_pos; [apply Rmult_le_pos; [apply pow2_ge_0|lra]|nra]. }
    apply Rnot_le_lt. intros Hc'.
    assert (0 <= P_of y w x * dist2T_slope y w x) by (apply Rmult_le_pos; lra). lra.
Qed.
