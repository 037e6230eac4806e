(** * Width: T4, the features need no more width than their motion.

   notation: see Definitions.v; the columns of P (h x p) are orthonormal directions in feature space.

   T22_width   a flow of width p, for any loss, put into the directions P is a flow of width h:
               Z = Z_p P^T, V = P V_p solve the equations of width h
   T4_width    the same for the squared loss
   T4_start    and every start whose feature rows and head columns lie in the span of P is of this form:
               p = N + k is enough, whatever h is
   *)

Require Import Reals Lra Lia Psatz FunctionalExtensionality.
From Coquelicot Require Import Coquelicot.
From TaskHead Require Import Definitions Sums Calculus.
Open Scope R_scope.

Theorem T22_width gamma N p h k K res (P : mat) (Zr Vr : R -> mat) :
  orthonormal p h (transpose P) ->
  is_loss_feature_flow gamma N p k K res Zr Vr ->
  is_loss_feature_flow gamma N h k K res
    (fun t n j => sumn p (fun a => Zr t n a * P j a)) (fun t j c => sumn p (fun a => P j a * Vr t a c)).
Proof.
  intros HP0 Hf t Ht.
  assert (HP : forall a b, (a < p)%nat -> (b < p)%nat ->
    sumn h (fun j => P j a * P j b) = if Nat.eqb a b then 1 else 0) by exact HP0.
  set (R1 := res (predict p (Zr t) (Vr t))).
  assert (EP : predict h (fun n j => sumn p (fun a => Zr t n a * P j a)) (fun j c => sumn p (fun a => P j a * Vr t a c))
             = predict p (Zr t) (Vr t)).
  { extensionality n. extensionality c. unfold predict.
    transitivity (sumn p (fun a => Zr t n a * sumn p (fun b => sumn h (fun j => P j a * P j b) * Vr t b c))).
    - transitivity (sumn h (fun j => sumn p (fun a => Zr t n a * sumn p (fun b => P j a * P j b * Vr t b c)))).
      + apply sumn_ext; intros j _. rewrite <- sumn_scal_r. apply sumn_ext; intros a _. rewrite Rmult_assoc. f_equal.
        rewrite <- sumn_scal. apply sumn_ext; intros; ring.
      + rewrite sumn_swap. apply sumn_ext; intros a _. rewrite sumn_scal. f_equal. rewrite sumn_swap.
        apply sumn_ext; intros b _. now rewrite sumn_scal_r.
    - apply sumn_ext; intros a Ha. f_equal. rewrite (sumn_single p a); [|exact Ha|].
      + rewrite HP, Nat.eqb_refl by assumption. ring.
      + intros b Hb Hne. rewrite HP by assumption. apply Nat.eqb_neq in Hne. rewrite Nat.eqb_sym, Hne. ring. }
  cbv zeta. rewrite EP. fold R1. destruct (Hf t Ht) as [HZ HV]. fold R1 in HZ, HV. split.
  - intros n j Hn Hj.
    refine (is_derive_val _ _ _ _ (is_derive_sumn p (fun s a => Zr s n a * P j a)
      (fun a => sumn N (fun m => K n m * sumn k (fun c => Vr t a c * R1 m c)) * P j a) t _) _).
    + intros a Ha. refine (is_derive_val _ _ _ _ (is_derive_Rmult _ (fun _ => P j a) t _ _ (HZ n a Hn Ha) (is_derive_Rconst _ _)) _). ring.
    + transitivity (sumn N (fun m => K n m * sumn k (fun c => R1 m c * sumn p (fun a => P j a * Vr t a c)))).
      * transitivity (sumn p (fun a => sumn N (fun m => K n m * sumn k (fun c => R1 m c * (P j a * Vr t a c))))).
        -- apply sumn_ext; intros a _. rewrite <- sumn_scal_r. apply sumn_ext; intros m _. rewrite Rmult_assoc. f_equal.
           rewrite <- sumn_scal_r. apply sumn_ext; intros; ring.
        -- rewrite sumn_swap. apply sumn_ext; intros m _. rewrite sumn_scal. f_equal. rewrite sumn_swap.
           apply sumn_ext; intros c _. now rewrite sumn_scal.
      * apply sumn_ext; intros m _. f_equal. apply sumn_ext; intros c _. ring.
  - intros j c Hj Hc.
    refine (is_derive_val _ _ _ _ (is_derive_sumn p (fun s a => P j a * Vr s a c)
      (fun a => P j a * (gamma * sumn N (fun n => Zr t n a * R1 n c))) t _) _).
    + intros a Ha. apply is_derive_Rscal. exact (HV a c Ha Hc).
    + transitivity (gamma * sumn N (fun n => sumn p (fun a => Zr t n a * P j a) * R1 n c)).
      * transitivity (gamma * sumn p (fun a => sumn N (fun n => Zr t n a * P j a * R1 n c))).
        -- rewrite <- sumn_scal. apply sumn_ext; intros a _. rewrite <- !sumn_scal. apply sumn_ext; intros; ring.
        -- f_equal. rewrite sumn_swap. apply sumn_ext; intros n _. now rewrite sumn_scal_r.
      * reflexivity.
Qed.

Theorem T4_width gamma N p h k K Y (P : mat) (Zr Vr : R -> mat) :
  orthonormal p h (transpose P) ->
  is_feature_flow gamma N p k K Y Zr Vr ->
  is_feature_flow gamma N h k K Y
    (fun t n j => sumn p (fun a => Zr t n a * P j a)) (fun t j c => sumn p (fun a => P j a * Vr t a c)).
Proof. exact (T22_width gamma N p h k K (squared_residual Y) P Zr Vr). Qed.

(** [x] is in the span of the columns of P: some coefficients give it, and then they are P^T x. *)
Theorem T4_start p h (P : mat) (x b : vec) :
  orthonormal p h (transpose P) ->
  (forall j, (j < h)%nat -> x j = sumn p (fun a => P j a * b a)) ->
  forall j, (j < h)%nat -> x j = sumn p (fun a => P j a * sumn h (fun l => P l a * x l)).
Proof.
  intros HP Hx j Hj. rewrite (Hx j Hj). apply sumn_ext; intros a Ha. f_equal.
  rewrite (sumn_ext h (fun l => P l a * x l) (fun l => sumn p (fun e => P l a * P l e * b e))).
  - rewrite sumn_swap. rewrite (sumn_single p a); [|exact Ha|].
    + rewrite sumn_scal_r. change (b a = dot h (transpose P a) (transpose P a) * b a).
      rewrite HP, Nat.eqb_refl by assumption. ring.
    + intros e He Hne. rewrite sumn_scal_r. change (dot h (transpose P a) (transpose P e) * b e = 0).
      rewrite HP by assumption. apply Nat.eqb_neq in Hne. rewrite Nat.eqb_sym, Hne. ring.
  - intros l Hl. rewrite (Hx l Hl), <- sumn_scal. apply sumn_ext; intros; ring.
Qed.
