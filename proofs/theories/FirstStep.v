(** * FirstStep: the algebra of T28, the dot product in the lazy limit first grows with the energy.

   notation: see Definitions.v; gamma the head rate, L = lazy_operator_of gamma.  u is a direction of the samples
   with K u = k1 u and Z0 Z0^T u = lam u (the slowest probing direction in T28); V0 the probed head, whose
   predictions fit the targets along u:  u^T Z0 V0 = eta^T.  A residual that is left along u is a multiple
   of u eta^T.  zeta solves  k1 V0^T V0 zeta + gamma lam zeta = eta.

   T28_lazy_solution    S = u zeta^T solves the lazy equation L S = u eta^T
   T28_lazy_dot         the dot product sum z_n . z_n0 changes by k1 (k1 |V0 zeta|^2 + gamma lam |zeta|^2)
                        = k1 eta . zeta per such residual, to first order
   T28_lazy_dot_rises   which is positive for k1 > 0, gamma > 0, lam > 0 and eta <> 0
   *)

Require Import Reals Lra Lia Psatz.
From Coquelicot Require Import Coquelicot.
From TaskHead Require Import Definitions Sums Calculus EnergyBound.
Open Scope R_scope.

Section FirstStep.
Variables (N h k : nat) (K Z0 V0 : mat) (u eta zeta : vec) (gamma k1 lam : R).
Hypothesis K_eigen : forall n, (n < N)%nat -> act N K u n = k1 * u n.
Hypothesis Z_eigen : forall n, (n < N)%nat -> act h Z0 (act N (transpose Z0) u) n = lam * u n.
Hypothesis zeta_solves : forall c, (c < k)%nat -> k1 * act h (transpose V0) (act k V0 zeta) c + gamma * lam * zeta c = eta c.

Let S : mat := fun n c => u n * zeta c.

Lemma lazy_motion n j : (n < N)%nat -> mul N K (mul k S (transpose V0)) n j = k1 * u n * act k V0 zeta j.
Proof.
  intros Hn. rewrite <- (K_eigen n Hn). unfold mul at 1, act at 1. rewrite <- sumn_scal_r. apply sumn_ext; intros m _.
  replace (mul k S (transpose V0) m j) with (u m * act k V0 zeta j); [ring|].
  unfold mul, act, S, transpose. rewrite <- sumn_scal. apply sumn_ext; intros; ring.
Qed.

Theorem T28_lazy_solution n c : (n < N)%nat -> (c < k)%nat -> lazy_operator_of gamma N h k K Z0 V0 S n c = u n * eta c.
Proof.
  intros Hn Hc. unfold lazy_operator_of. rewrite <- (zeta_solves c Hc).
  assert (E1 : mul h (mul N K (mul k S (transpose V0))) V0 n c = k1 * u n * act h (transpose V0) (act k V0 zeta) c).
  { unfold mul at 1. unfold act at 1. rewrite <- sumn_scal. apply sumn_ext; intros j _.
    rewrite lazy_motion by exact Hn. unfold transpose. ring. }
  assert (E2 : mul h Z0 (mul N (transpose Z0) S) n c = lam * u n * zeta c).
  { rewrite <- (Z_eigen n Hn). unfold mul at 1. unfold act at 1. rewrite <- sumn_scal_r. apply sumn_ext; intros j _.
    unfold mul, act, S. rewrite <- !sumn_scal, <- sumn_scal_r. apply sumn_ext; intros; ring. }
  rewrite E1, E2. ring.
Qed.

Hypothesis fits : forall c, (c < k)%nat -> sumn N (fun n => u n * sumn h (fun j => Z0 n j * V0 j c)) = eta c.

Theorem T28_lazy_dot :
  fdot N h Z0 (mul N K (mul k S (transpose V0))) = k1 * (k1 * sq h (act k V0 zeta) + gamma * lam * sq k zeta) /\
  dot k eta zeta = k1 * sq h (act k V0 zeta) + gamma * lam * sq k zeta.
Proof.
  assert (D : dot k eta zeta = k1 * sq h (act k V0 zeta) + gamma * lam * sq k zeta).
  { unfold dot at 1. rewrite (sumn_ext k _ (fun c => k1 * (act h (transpose V0) (act k V0 zeta) c * zeta c) + gamma * lam * (zeta c * zeta c)))
      by (intros c Hc; rewrite <- (zeta_solves c Hc); ring).
    rewrite sumn_plus, !sumn_scal. f_equal. f_equal.
    transitivity (sumn k (fun c => sumn h (fun j => V0 j c * act k V0 zeta j * zeta c))).
    - apply sumn_ext; intros c _. now rewrite sumn_scal_r.
    - rewrite sumn_swap. unfold sq, dot. apply sumn_ext; intros j _. unfold act at 2.
      rewrite <- sumn_scal_r. apply sumn_ext; intros; ring. }
  split; [|exact D]. rewrite <- D.
  transitivity (sumn N (fun n => sumn h (fun j => k1 * (u n * (Z0 n j * act k V0 zeta j))))).
  - apply sumn_ext; intros n Hn. apply sumn_ext; intros j _. rewrite lazy_motion by exact Hn. ring.
  - transitivity (k1 * sumn N (fun n => u n * sumn h (fun j => Z0 n j * act k V0 zeta j))).
    { rewrite <- sumn_scal. apply sumn_ext; intros n _. now rewrite !sumn_scal. }
    f_equal. unfold dot. rewrite (sumn_ext k _ (fun c => sumn N (fun n => u n * sumn h (fun j => Z0 n j * V0 j c) * zeta c)))
      by (intros c Hc; rewrite <- (fits c Hc), <- sumn_scal_r; reflexivity).
    rewrite sumn_swap. apply sumn_ext; intros n _.
    rewrite (sumn_ext k _ (fun c => u n * sumn h (fun j => Z0 n j * (V0 j c * zeta c))))
      by (intros c _; rewrite Rmult_assoc, <- sumn_scal_r; f_equal; apply sumn_ext; intros; ring).
    rewrite sumn_scal. f_equal. rewrite sumn_swap. apply sumn_ext; intros j _. unfold act. now rewrite sumn_scal.
Qed.

Theorem T28_lazy_dot_rises : 0 < k1 -> 0 < gamma -> 0 < lam -> (exists c, (c < k)%nat /\ eta c <> 0) ->
  0 < fdot N h Z0 (mul N K (mul k S (transpose V0))).
Proof.
  intros Hk Hg Hl' [c [Hc He]]. assert (Hl : 0 < gamma * lam) by now apply Rmult_lt_0_compat. destruct T28_lazy_dot as [-> _].
  pose proof (sq_nonneg h (act k V0 zeta)) as Hq. pose proof (sq_nonneg k zeta) as Hz.
  assert (0 <= k1 * sq h (act k V0 zeta)) by (apply Rmult_le_pos; lra).
  apply Rmult_lt_0_compat; [exact Hk|].
  destruct (Req_dec (sq k zeta) 0) as [E|E].
  - exfalso. apply He. rewrite <- (zeta_solves c Hc). pose proof (sq_zero_coord k zeta E) as Z.
    rewrite (Z c Hc). unfold act at 1. rewrite (sumn_ext h _ (fun _ => 0)), sumn_zero; [ring|].
    intros j _. unfold act. rewrite (sumn_ext k _ (fun _ => 0)), sumn_zero; [ring|].
    intros e Hce. rewrite (Z e Hce). ring.
  - assert (0 < gamma * lam * sq k zeta) by (apply Rmult_lt_0_compat; lra). lra.
Qed.

End FirstStep.
