(** * Descent: T20, one step of gradient descent against the conservation law T2.

   notation: see Definitions.v; eta is the step, Z = X B^T, and Rt any residual (any loss).

   T20_drift_of_a_step  one step changes V V^T - gamma B B^T by exactly
                        eta^2 (gamma^2 (Z^T R)(Z^T R)^T - gamma (V R^T X)(V R^T X)^T): the part of order eta is 0
   *)

Require Import Reals Lra Lia Psatz.
From Coquelicot Require Import Coquelicot.
From TaskHead Require Import Definitions Sums Calculus.
Open Scope R_scope.

Theorem T20_drift_of_a_step eta gamma N d k X (Rt B V : mat) :
  let Z := features d X B in
  let G := fun j n => sumn k (fun c => V j c * Rt n c) in
  let B' := fun j i => B j i + eta * sumn N (fun n => G j n * X n i) in
  let V' := fun j c => V j c + eta * (gamma * sumn N (fun n => Z n j * Rt n c)) in
  forall j l,
    (sumn k (fun c => V' j c * V' l c) - gamma * sumn d (fun i => B' j i * B' l i))
    - (sumn k (fun c => V j c * V l c) - gamma * sumn d (fun i => B j i * B l i)) =
    eta^2 * (gamma^2 * sumn k (fun c => sumn N (fun n => Z n j * Rt n c) * sumn N (fun n => Z n l * Rt n c))
             - gamma * sumn d (fun i => sumn N (fun n => G j n * X n i) * sumn N (fun n => G l n * X n i))).
Proof.
  intros Z G B' V' j l.
  assert (EV : forall a b, sumn k (fun c => V a c * sumn N (fun n => Z n b * Rt n c)) = sumn N (fun n => G a n * Z n b)).
  { intros a b. transitivity (sumn k (fun c => sumn N (fun n => V a c * Rt n c * Z n b))).
    - apply sumn_ext; intros c _. rewrite <- sumn_scal. apply sumn_ext; intros; ring.
    - rewrite sumn_swap. apply sumn_ext; intros n _. now rewrite sumn_scal_r. }
  assert (EB : forall a b, sumn d (fun i => B a i * sumn N (fun n => G b n * X n i)) = sumn N (fun n => G b n * Z n a)).
  { intros a b. transitivity (sumn d (fun i => sumn N (fun n => G b n * (X n i * B a i)))).
    - apply sumn_ext; intros i _. rewrite <- sumn_scal. apply sumn_ext; intros; ring.
    - rewrite sumn_swap. apply sumn_ext; intros n _. rewrite sumn_scal. reflexivity. }
  assert (SV : sumn k (fun c => V' j c * V' l c) = sumn k (fun c => V j c * V l c)
     + eta * gamma * (sumn N (fun n => G j n * Z n l) + sumn N (fun n => G l n * Z n j))
     + eta^2 * gamma^2 * sumn k (fun c => sumn N (fun n => Z n j * Rt n c) * sumn N (fun n => Z n l * Rt n c))).
  { rewrite <- !EV. rewrite <- sumn_plus, <- !sumn_scal, <- !sumn_plus. apply sumn_ext; intros. unfold V'. ring. }
  assert (SB : sumn d (fun i => B' j i * B' l i) = sumn d (fun i => B j i * B l i)
     + eta * (sumn N (fun n => G l n * Z n j) + sumn N (fun n => G j n * Z n l))
     + eta^2 * sumn d (fun i => sumn N (fun n => G j n * X n i) * sumn N (fun n => G l n * X n i))).
  { rewrite <- !EB. rewrite <- sumn_plus, <- !sumn_scal, <- !sumn_plus. apply sumn_ext; intros. unfold B'. ring. }
  rewrite SV, SB. ring.
Qed.
