(** * Lorentz: T5, finetuning moves features and head by a pseudo-orthogonal transformation.

   notation: see Definitions.v; size r + k, J = diag(I_r, -I_k), generator G = [[0, Rh], [Rh^T, 0]].

   T5_generator     J G + G^T J = 0
   T5_invariance    Phi' = G Phi, Phi(0) = I  =>  Phi^T J Phi = J for all t >= 0
   linear_system_unique   a linear system with continuous coefficients has one solution per start
   T5_boost         in square-root coordinates (K = F F^T, Z = F Zh, gamma = 1) the stacked matrix
                    [Zh; V^T] at time t is Phi(t) times its start, with Rh = F^T R
   T5_rank_one_propagator   with one sample and one output Phi is the hyperbolic rotation itself
   *)

Require Import Reals Lra Lia Psatz.
From Coquelicot Require Import Coquelicot.
From TaskHead Require Import Definitions Sums Calculus.
Open Scope R_scope.

Theorem T5_generator r Rh i j :
  Jsign r i * generator r Rh i j + generator r Rh j i * Jsign r j = 0.
Proof.
  unfold Jsign, generator. destruct (Nat.ltb i r), (Nat.ltb j r); ring.
Qed.

Lemma identity_sum n a j : (j < n)%nat -> sumn n (fun l => a l * identity l j) = a j.
Proof.
  intros Hj. rewrite (sumn_single n j); [|exact Hj|].
  - unfold identity. rewrite Nat.eqb_refl. ring.
  - intros l _ Hl. unfold identity. apply Nat.eqb_neq in Hl. rewrite Hl. ring.
Qed.

Theorem T5_invariance n r (G Phi : R -> mat) :
  (forall t i j, 0 <= t -> (i < n)%nat -> (j < n)%nat ->
     Jsign r i * G t i j + G t j i * Jsign r j = 0) ->
  is_propagator n G Phi ->
  forall t i j, 0 <= t -> (i < n)%nat -> (j < n)%nat ->
    sumn n (fun l => Phi t l i * Jsign r l * Phi t l j) = Jsign r i * identity i j.
Proof.
  intros HG [H0 HP] t i j Ht Hi Hj.
  assert (C : sumn n (fun l => Phi t l i * Jsign r l * Phi t l j) = sumn n (fun l => Phi 0 l i * Jsign r l * Phi 0 l j)).
  { apply (constant_from (fun s => sumn n (fun l => Phi s l i * Jsign r l * Phi s l j))); [|exact Ht].
    intros s Hs.
    refine (is_derive_val _ _ _ _ (is_derive_sumn n (fun s l => Phi s l i * Jsign r l * Phi s l j)
      (fun l => sumn n (fun m => G s l m * Phi s m i) * Jsign r l * Phi s l j
              + Phi s l i * Jsign r l * sumn n (fun m => G s l m * Phi s m j)) s _) _).
    - intros l Hl. apply (is_derive_Rmult (fun s => Phi s l i * Jsign r l) (fun s => Phi s l j)).
      + refine (is_derive_val _ _ _ _ (is_derive_Rmult (fun s => Phi s l i) (fun _ => Jsign r l) s _ _
          (HP s Hs l i Hl Hi) (is_derive_Rconst _ _)) _). ring.
      + exact (HP s Hs l j Hl Hj).
    - rewrite sumn_plus.
      transitivity (sumn n (fun l => sumn n (fun m => Jsign r l * G s l m * (Phi s m i * Phi s l j)))
                  + sumn n (fun l => sumn n (fun m => G s m l * Jsign r m * (Phi s m i * Phi s l j)))).
      + f_equal.
        * apply sumn_ext; intros l _. rewrite <- !sumn_scal_r. apply sumn_ext; intros; ring.
        * rewrite sumn_swap. apply sumn_ext; intros l _. rewrite <- sumn_scal. apply sumn_ext; intros; ring.
      + rewrite <- sumn_plus. rewrite (sumn_ext n _ (fun _ => 0)); [apply sumn_zero|].
        intros l Hl. rewrite <- sumn_plus. rewrite (sumn_ext n _ (fun _ => 0)); [apply sumn_zero|].
        intros m Hm. rewrite <- Rmult_plus_distr_r, (HG s l m Hs Hl Hm). ring. }
  rewrite C.
  rewrite (sumn_ext n _ (fun l => (identity l i * Jsign r l) * identity l j)).
  - rewrite identity_sum by exact Hj. unfold identity.
    rewrite Nat.eqb_sym. destruct (Nat.eqb i j) eqn:E; [|ring].
    apply Nat.eqb_eq in E. subst j. ring.
  - intros l Hl. rewrite !H0 by assumption. reflexivity.
Qed.

(** ** Uniqueness for linear systems *)

Lemma continuous_sumn n (f : R -> nat -> R) t :
  (forall i, (i < n)%nat -> continuous (fun s => f s i) t) -> continuous (fun s => sumn n (f s)) t.
Proof.
  induction n as [|n IH]; intros H; simpl; [apply continuous_const|].
  apply (continuous_plus (fun s => sumn n (f s)) (fun s => f s n)).
  - apply IH. intros; apply H; lia.
  - apply H; lia.
Qed.

Lemma linear_system_unique n (G : R -> mat) (D : R -> vec) :
  (forall t, 0 <= t -> forall i j, (i < n)%nat -> (j < n)%nat -> continuous (fun s => G s i j) t) ->
  (forall t, 0 <= t -> forall i, (i < n)%nat -> is_derive (fun s => D s i) t (sumn n (fun l => G t i l * D t l))) ->
  (forall i, (i < n)%nat -> D 0 i = 0) ->
  forall t i, 0 <= t -> (i < n)%nat -> D t i = 0.
Proof.
  intros HG HD H0 t i Ht Hi.
  set (L := fun s => 2 * sumn n (fun p => sumn n (fun l => Rabs (G s p l)))).
  assert (HL : forall s, 0 <= s -> continuous L s).
  { intros s Hs. apply (continuous_scal_r 2 (fun s => sumn n (fun p => sumn n (fun l => Rabs (G s p l))))).
    apply (continuous_sumn n (fun s p => sumn n (fun l => Rabs (G s p l)))). intros p Hp.
    apply (continuous_sumn n (fun s l => Rabs (G s p l))). intros l Hl.
    apply (continuous_comp (fun s => G s p l) Rabs); [now apply HG|apply continuous_Rabs]. }
  destruct (primitive_exists L HL) as [rho [Hr0 Hr]].
  set (f := fun s => sumn n (fun p => D s p * D s p)).
  assert (Hf0 : forall s, 0 <= f s) by (intros; apply sumn_nonneg; intros; nra).
  set (df := fun s => sumn n (fun p => 2 * (D s p * sumn n (fun l => G s p l * D s l)))).
  assert (Hdf : forall s, 0 <= s -> is_derive f s (df s)).
  { intros s Hs. apply (is_derive_sumn n (fun s p => D s p * D s p)). intros p Hp.
    refine (is_derive_val _ _ _ _ (is_derive_Rmult _ _ _ _ _ (HD s Hs p Hp) (HD s Hs p Hp)) _). ring. }
  assert (Hbd : forall s, 0 <= s -> df s <= L s * f s).
  { intros s Hs. unfold df, L.
    replace (2 * sumn n (fun p => sumn n (fun l => Rabs (G s p l))) * f s) with
      (sumn n (fun p => sumn n (fun l => 2 * (Rabs (G s p l) * f s)))).
    - apply sumn_le. intros p Hp.
      replace (2 * (D s p * sumn n (fun l => G s p l * D s l))) with
        (sumn n (fun l => 2 * (G s p l * (D s p * D s l)))).
      + apply sumn_le. intros l Hl. apply Rmult_le_compat_l; [lra|].
        assert (Hp2 : D s p * D s p <= f s) by (apply (sumn_term n (fun p => D s p * D s p)); [intros; nra|exact Hp]).
        assert (Hl2 : D s l * D s l <= f s) by (apply (sumn_term n (fun p => D s p * D s p)); [intros; nra|exact Hl]).
        apply Rle_trans with (Rabs (G s p l * (D s p * D s l))); [apply Rle_abs|].
        rewrite Rabs_mult. apply Rmult_le_compat_l; [apply Rabs_pos|].
        apply Rabs_le. split; nra.
      + rewrite sumn_scal. f_equal. rewrite <- sumn_scal. apply sumn_ext; intros; ring.
    - rewrite <- sumn_scal, <- sumn_scal_r. apply sumn_ext; intros p _.
      rewrite <- sumn_scal, <- sumn_scal_r. apply sumn_ext; intros; ring. }
  assert (K : f t * exp (- rho t) <= f 0 * exp (- rho 0)).
  { apply (nonincreasing_from (fun s => f s * exp (- rho s))
      (fun s => df s * exp (- rho s) + f s * (- L s * exp (- rho s)))); [| |lra].
    - intros s Hs. apply (is_derive_Rmult f (fun s => exp (- rho s))); [now apply Hdf|].
      apply (is_derive_exp_comp (fun x => - rho x) s (- L s)). apply (is_derive_opp rho). now apply Hr.
    - intros s Hs. specialize (Hbd s Hs). pose proof (exp_pos (- rho s)).
      replace (df s * exp (- rho s) + f s * (- L s * exp (- rho s))) with ((df s - L s * f s) * exp (- rho s)) by ring.
      nra. }
  assert (F0 : f 0 = 0).
  { unfold f. rewrite (sumn_ext n _ (fun _ => 0)); [apply sumn_zero|]. intros p Hp. rewrite H0 by exact Hp. ring. }
  rewrite F0, Rmult_0_l in K. pose proof (exp_pos (- rho t)). specialize (Hf0 t).
  assert (Ft : f t = 0) by nra.
  assert (Hi2 : D t i * D t i <= f t) by (apply (sumn_term n (fun p => D t p * D t p)); [intros; nra|exact Hi]).
  nra.
Qed.

(** ** The boost *)

(** Features in square-root coordinates: Zh' = Rh V^T and V' = Zh^T Rh, with Rh = F^T R continuous. *)

Lemma sumn_split r k f : sumn (r + k) f = sumn r f + sumn k (fun c => f (r + c)%nat).
Proof.
  induction k as [|k IH]; simpl; [rewrite Nat.add_0_r; ring|].
  rewrite Nat.add_succ_r. simpl. rewrite IH. ring.
Qed.

Lemma stacked_derive r k h (Rh Zh V : R -> mat) t : 0 <= t ->
  (forall i j, (i < r)%nat -> (j < h)%nat -> is_derive (fun s => Zh s i j) t (sumn k (fun c => Rh t i c * V t j c))) ->
  (forall j c, (j < h)%nat -> (c < k)%nat -> is_derive (fun s => V s j c) t (sumn r (fun i => Zh t i j * Rh t i c))) ->
  forall i j, (i < r + k)%nat -> (j < h)%nat ->
    is_derive (fun s => stacked r (Zh s) (V s) i j) t
      (sumn (r + k) (fun l => generator r (Rh t) i l * stacked r (Zh t) (V t) l j)).
Proof.
  intros Ht HZ HV i j Hi Hj. rewrite sumn_split.
  assert (Elt : forall l, (l < r)%nat -> Nat.ltb l r = true) by (intros; now apply Nat.ltb_lt).
  assert (Ege : forall c, Nat.ltb (r + c) r = false) by (intros; apply Nat.ltb_ge; lia).
  unfold stacked, generator. destruct (Nat.ltb i r) eqn:Ei.
  - apply Nat.ltb_lt in Ei. refine (is_derive_val _ _ _ _ (HZ i j Ei Hj) _).
    rewrite (sumn_ext r _ (fun _ => 0)).
    + rewrite sumn_zero, Rplus_0_l. apply sumn_ext. intros c Hc. rewrite Ege.
      now replace (r + c - r)%nat with c by lia.
    + intros l Hl. rewrite Elt by exact Hl. ring.
  - apply Nat.ltb_ge in Ei. refine (is_derive_val _ _ _ _ (HV j (i - r)%nat Hj ltac:(lia)) _).
    rewrite (sumn_ext k _ (fun _ => 0)).
    + rewrite sumn_zero, Rplus_0_r. apply sumn_ext. intros l Hl. rewrite Elt by exact Hl. ring.
    + intros c _. rewrite Ege. ring.
Qed.

Theorem T5_boost r k h (Rh Zh V Phi : R -> mat) :
  (forall t, 0 <= t -> forall i c, (i < r)%nat -> (c < k)%nat -> continuous (fun s => Rh s i c) t) ->
  (forall t, 0 <= t -> forall i j, (i < r)%nat -> (j < h)%nat ->
     is_derive (fun s => Zh s i j) t (sumn k (fun c => Rh t i c * V t j c))) ->
  (forall t, 0 <= t -> forall j c, (j < h)%nat -> (c < k)%nat ->
     is_derive (fun s => V s j c) t (sumn r (fun i => Zh t i j * Rh t i c))) ->
  is_propagator (r + k) (fun t => generator r (Rh t)) Phi ->
  forall t, 0 <= t -> forall i j, (i < r + k)%nat -> (j < h)%nat ->
    stacked r (Zh t) (V t) i j = sumn (r + k) (fun l => Phi t i l * stacked r (Zh 0) (V 0) l j).
Proof.
  intros HR HZ HV [HP0 HP] t Ht i j Hi Hj.
  set (n := (r + k)%nat) in *. set (W := fun s => stacked r (Zh s) (V s)).
  assert (K : W t i j - sumn n (fun l => Phi t i l * W 0 l j) = 0).
  { apply (linear_system_unique n (fun s => generator r (Rh s))
      (fun s p => W s p j - sumn n (fun l => Phi s p l * W 0 l j))); [| | |exact Ht|exact Hi].
    - intros s Hs p q Hp Hq. unfold generator.
      destruct (Nat.ltb p r) eqn:Ep, (Nat.ltb q r) eqn:Eq; try apply continuous_const.
      + apply Nat.ltb_lt in Ep. apply Nat.ltb_ge in Eq. apply HR; [exact Hs|exact Ep|unfold n in *; lia].
      + apply Nat.ltb_ge in Ep. apply Nat.ltb_lt in Eq. apply HR; [exact Hs|exact Eq|unfold n in *; lia].
    - intros s Hs p Hp.
      refine (is_derive_val _ _ _ _ (is_derive_Rminus (fun s => W s p j) (fun s => sumn n (fun l => Phi s p l * W 0 l j)) s _ _
        (stacked_derive r k h Rh Zh V s Hs (HZ s Hs) (HV s Hs) p j Hp Hj)
        (is_derive_sumn n (fun s l => Phi s p l * W 0 l j)
          (fun l => sumn n (fun q => generator r (Rh s) p q * Phi s q l) * W 0 l j) s _)) _).
      + intros l Hl. refine (is_derive_val _ _ _ _ (is_derive_Rmult (fun s => Phi s p l) (fun _ => W 0 l j) s _ _
          (HP s Hs p l Hp Hl) (is_derive_Rconst _ _)) _). ring.
      + fold n. transitivity (sumn n (fun q => generator r (Rh s) p q * W s q j)
          - sumn n (fun q => generator r (Rh s) p q * sumn n (fun l => Phi s q l * W 0 l j))).
        * f_equal. transitivity (sumn n (fun l => sumn n (fun q => generator r (Rh s) p q * (Phi s q l * W 0 l j)))).
          -- apply sumn_ext; intros l _. rewrite <- sumn_scal_r. apply sumn_ext; intros; ring.
          -- rewrite sumn_swap. apply sumn_ext; intros q _. now rewrite sumn_scal.
        * rewrite <- sumn_minus. apply sumn_ext; intros; ring.
    - intros p Hp. rewrite (sumn_ext n _ (fun l => W 0 l j * identity l p)).
      + rewrite identity_sum by exact Hp. ring.
      + intros l Hl. rewrite HP0 by assumption. unfold identity. rewrite Nat.eqb_sym. ring. }
  unfold W in K. lra.
Qed.

(** In rank one the propagator is the hyperbolic rotation by the rapidity: propagators exist. *)
Theorem T5_rank_one_propagator (rho rate : R -> R) :
  rho 0 = 0 -> (forall t, 0 <= t -> is_derive rho t (rate t)) ->
  is_propagator 2 (fun t => generator 1 (fun _ _ => rate t))
    (fun t i j => if Nat.eqb i j then cosh (rho t) else sinh (rho t)).
Proof.
  intros H0 Hr. split.
  - intros i j Hi Hj. rewrite H0, cosh_0, sinh_0. reflexivity.
  - intros t Ht i j Hi Hj.
    pose proof (is_derive_cosh rho t _ (Hr t Ht)) as Dc. pose proof (is_derive_sinh rho t _ (Hr t Ht)) as Ds.
    destruct i as [|[|i]]; [| |lia]; (destruct j as [|[|j]]; [| |lia]); unfold generator; simpl.
    + refine (is_derive_val _ _ _ _ Dc _). ring.
    + refine (is_derive_val _ _ _ _ Ds _). ring.
    + refine (is_derive_val _ _ _ _ Ds _). ring.
    + refine (is_derive_val _ _ _ _ Dc _). ring.
Qed.
