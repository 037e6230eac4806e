(** * SecondOrder: the rate of the trend at the end of probing, to second order (T33).

   notation: K = I, zero head before probing, lambda_1 = gamma = 1, one slow direction u with y = Y^T u, and
   G = V_inf^T V_inf with eigenvalues d_i - 1 and eigenvectors g_i; t_i = 1 / d_i, e_i = (g_i . y)^2 / d_i.
   With x = e^(-tau) the distance is  D^2 = x^2 (|A|^2 + 2 x A.B + ...),  |A|^2 = sum e_i (1 - t_i)  and
   A.B = sum_ij e_i e_j ((1 - t_i)^2 + (1 - t_j)^2 - 1 + t_i t_j / (t_i + t_j)), as derived in
   docs/beyond-one-sample.md;
   G >= y y^T says  sum e_i / (1 - t_i) <= 1.

   T33_second_order   A.B >= - 17/32 |A|^2, whatever the data are
   T33_sharp          equality for one mode with t = 7/8, e = 1/8
   *)

Require Import Reals Lra Lia Psatz.
From Coquelicot Require Import Coquelicot.
From TaskHead Require Import Definitions Sums.
Open Scope R_scope.

Lemma pair_nonneg a b : 0 < a < 1 -> 0 < b < 1 ->
  0 <= a^2 + b^2 - 1 + (1 - a) * (1 - b) / ((1 - a) + (1 - b)) + 17 / 64 * (a / b + b / a).
Proof.
  intros Ha Hb. set (d := (1 - a) + (1 - b)). assert (Hd : 0 < d) by (unfold d; lra).
  assert (Hab : 0 < a * b) by nra.
  assert (P1 : 0 <= (1 - a) * (1 - b) / d).
  { apply Rmult_le_pos; [nra|left; now apply Rinv_0_lt_compat]. }
  assert (P2 : a / b + b / a = 2 + (a - b)^2 / (a * b)) by (field; lra).
  assert (P3 : 0 <= (a - b)^2 / (a * b)).
  { apply Rmult_le_pos; [apply pow2_ge_0|left; now apply Rinv_0_lt_compat]. }
  rewrite P2. destruct (Rle_lt_dec d (1 / 2)) as [Hs|Hs].
  - assert (Hsum : 3 / 2 <= a + b) by (unfold d in Hs; lra).
    assert (1 <= (a + b)^2 / 2) by nra. pose proof (pow2_ge_0 (a - b)).
    replace (a^2 + b^2) with ((a + b)^2 / 2 + (a - b)^2 / 2) by field. lra.
  - assert (E : (1 - a) * (1 - b) / d = d / 4 - (a - b)^2 / 4 / d) by (unfold d; field; unfold d in Hd; lra).
    assert (B : (a - b)^2 / 4 / d <= (a - b)^2 / 2).
    { apply (Rmult_le_reg_r d); [exact Hd|]. unfold Rdiv at 1. rewrite Rmult_assoc, Rinv_l, Rmult_1_r by lra.
      pose proof (pow2_ge_0 (a - b)). nra. }
    rewrite E. pose proof (pow2_ge_0 (a + b - 1 / 4)).
    replace (a^2 + b^2) with ((a + b)^2 / 2 + (a - b)^2 / 2) by field.
    assert (d = 2 - (a + b)) by (unfold d; ring). nra.
Qed.

Theorem T33_second_order n (e t : nat -> R) :
  (forall i, (i < n)%nat -> 0 <= e i /\ 0 < t i < 1) ->
  sumn n (fun i => e i / (1 - t i)) <= 1 ->
  - (17 / 32) * sumn n (fun i => e i * (1 - t i)) <=
  sumn n (fun i => sumn n (fun j => e i * e j * ((1 - t i)^2 + (1 - t j)^2 - 1 + t i * t j / (t i + t j)))).
Proof.
  intros H Hone.
  set (A := sumn n (fun i => e i * (1 - t i))). set (C := sumn n (fun i => e i / (1 - t i))).
  assert (HA : 0 <= A).
  { apply sumn_nonneg. intros i Hi. destruct (H i Hi). apply Rmult_le_pos; lra. }
  assert (E1 : C * A = sumn n (fun i => sumn n (fun j => e i * e j * ((1 - t j) / (1 - t i))))).
  { unfold C. rewrite <- sumn_scal_r. apply sumn_ext; intros i Hi. unfold A. rewrite <- sumn_scal.
    apply sumn_ext; intros j _. destruct (H i Hi). field. lra. }
  assert (E2 : C * A = sumn n (fun i => sumn n (fun j => e i * e j * ((1 - t i) / (1 - t j))))).
  { rewrite E1, sumn_swap. apply sumn_ext; intros i _. apply sumn_ext; intros j _. ring. }
  assert (P : 0 <= sumn n (fun i => sumn n (fun j => e i * e j *
    ((1 - t i)^2 + (1 - t j)^2 - 1 + t i * t j / (t i + t j) + 17 / 64 * ((1 - t i) / (1 - t j) + (1 - t j) / (1 - t i)))))).
  { apply sumn_nonneg; intros i Hi. apply sumn_nonneg; intros j Hj. destruct (H i Hi). destruct (H j Hj).
    apply Rmult_le_pos; [now apply Rmult_le_pos|].
    pose proof (pair_nonneg (1 - t i) (1 - t j) ltac:(lra) ltac:(lra)) as Q.
    replace (1 - (1 - t i)) with (t i) in Q by ring. replace (1 - (1 - t j)) with (t j) in Q by ring. exact Q. }
  set (S := sumn n (fun i => sumn n (fun j => e i * e j * ((1 - t i)^2 + (1 - t j)^2 - 1 + t i * t j / (t i + t j))))).
  assert (E : sumn n (fun i => sumn n (fun j => e i * e j *
    ((1 - t i)^2 + (1 - t j)^2 - 1 + t i * t j / (t i + t j) + 17 / 64 * ((1 - t i) / (1 - t j) + (1 - t j) / (1 - t i)))))
    = S + 17 / 64 * (C * A) + 17 / 64 * (C * A)).
  { rewrite E2 at 1. rewrite E1. unfold S. rewrite <- !sumn_scal, <- !sumn_plus. apply sumn_ext; intros i _.
    rewrite <- !sumn_scal, <- !sumn_plus. apply sumn_ext; intros j _. ring. }
  rewrite E in P. assert (C * A <= 1 * A) by (apply Rmult_le_compat_r; assumption). lra.
Qed.

Theorem T33_sharp :
  let t := 7 / 8 in let e := 1 / 8 in
  e / (1 - t) = 1 /\ e * e * ((1 - t)^2 + (1 - t)^2 - 1 + t * t / (t + t)) = - (17 / 32) * (e * (1 - t)).
Proof. cbv zeta. split; field. Qed.
