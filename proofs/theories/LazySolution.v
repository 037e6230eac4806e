(** * LazySolution: the lazy equation has a solution, so the bound of T29 holds for every flow of T18.

   notation: see LazyBound.v.

   T29_solution    K semidefinite, Z0 Z0^T >= s^2 > 0: for every R there is S with
                   K S V0^T V0 + Z0 Z0^T S = R, and only one
   T29_whole       hypotheses of T18, nothing else: the solution S for R_0 satisfies
                   |Z_t - Z_0 - K S V_0^T| <= kap beta rho / rate + kap nu (eps + e^(-rate t) rho) / s^2
   *)

Require Import Reals Lra Lia Psatz Arith.
From Coquelicot Require Import Coquelicot.
From TaskHead Require Import Definitions Sums Calculus Probing MatrixFlow EnergyBound LinearFlow LazyBound.
Open Scope R_scope.

Lemma mul_lin_l q A B C D u i j : (forall l, (l < q)%nat -> C i l = A i l + u * B i l) ->
  mul q C D i j = mul q A D i j + u * mul q B D i j.
Proof.
  intros H. unfold mul. rewrite <- sumn_scal, <- sumn_plus. apply sumn_ext; intros l Hl. rewrite H by assumption. ring.
Qed.

Lemma mul_lin_r q A B C D u i j : (forall l, (l < q)%nat -> C l j = A l j + u * B l j) ->
  mul q D C i j = mul q D A i j + u * mul q D B i j.
Proof.
  intros H. unfold mul. rewrite <- sumn_scal, <- sumn_plus. apply sumn_ext; intros l Hl. rewrite H by assumption. ring.
Qed.

Section Solution.
Variables (N h k : nat) (K Z0 V0 : mat) (s : R).
Hypothesis HK : semidefinite N K.
Hypothesis Hs : 0 < s.
Hypothesis Zlow : bounded_below h N (transpose Z0) s.
Let L := lazy_operator N h k K Z0 V0.

Lemma lazy_lin A B C u n c : (c < k)%nat ->
  (forall m e, (m < N)%nat -> (e < k)%nat -> C m e = A m e + u * B m e) -> L C n c = L A n c + u * L B n c.
Proof.
  intros Hc H. unfold L, lazy_operator.
  rewrite (mul_lin_l h (mul N K (mul k A (transpose V0))) (mul N K (mul k B (transpose V0))) _ V0 u n c).
  - rewrite (mul_lin_r h (mul N (transpose Z0) A) (mul N (transpose Z0) B) (mul N (transpose Z0) C) Z0 u n c); [ring|].
    intros l _. apply mul_lin_r. intros m Hm. now apply H.
  - intros l _. apply mul_lin_r. intros m Hm. apply mul_lin_l. intros e He. now apply H.
Qed.

(** ** Matrices as vectors *)

Let q := (N * k)%nat.
Let at_ n c := (n * k + c)%nat.
Let flat (A : mat) : vec := fun i => A (i / k)%nat (i mod k)%nat.
Let unit_ (i : nat) : mat := fun n c => if Nat.eqb (at_ n c) i then 1 else 0.

Lemma at_bound n c : (n < N)%nat -> (c < k)%nat -> (at_ n c < q)%nat.
Proof. intros Hn Hc. unfold at_, q. nia. Qed.

Lemma flat_at A n c : (c < k)%nat -> flat A (at_ n c) = A n c.
Proof.
  intros Hc. unfold flat, at_.
  rewrite Nat.div_add_l, (Nat.div_small c k Hc), Nat.add_0_r by lia.
  now rewrite Nat.add_comm, Nat.mod_add, (Nat.mod_small c k Hc) by lia.
Qed.

Lemma sumn_split f m : sumn (m * k) f = sumn m (fun n => sumn k (fun c => f (at_ n c))).
Proof.
  assert (A : forall a b, sumn (a + b) f = sumn a f + sumn b (fun c => f (a + c)%nat)).
  { intros a b. induction b as [|b IH]; [rewrite Nat.add_0_r; simpl; ring|].
    rewrite Nat.add_succ_r. simpl. rewrite IH. ring. }
  induction m as [|m IH]; [reflexivity|].
  replace (S m * k)%nat with (m * k + k)%nat by lia. rewrite A, IH. reflexivity.
Qed.

Lemma dot_flat A B : dot q (flat A) (flat B) = fdot N k A B.
Proof.
  unfold dot, q. rewrite sumn_split. apply sumn_ext; intros n _. apply sumn_ext; intros c Hc.
  now rewrite !flat_at.
Qed.

Lemma unit_expand (u : vec) n c : (n < N)%nat -> (c < k)%nat ->
  sumn q (fun i => u i * unit_ i n c) = u (at_ n c).
Proof.
  intros Hn Hc. rewrite (sumn_single q (at_ n c)); [|now apply at_bound|].
  - unfold unit_. rewrite Nat.eqb_refl. ring.
  - intros i Hi Hne. unfold unit_. destruct (Nat.eqb_spec (at_ n c) i) as [E|E]; [congruence|ring].
Qed.

(** The operator on a combination of units. *)
Lemma lazy_units (u : vec) m n c : (c < k)%nat ->
  L (fun a b => sumn m (fun i => u i * unit_ i a b)) n c = sumn m (fun i => u i * L (unit_ i) n c).
Proof.
  intros Hc. induction m as [|m IH]; simpl.
  - rewrite (lazy_lin (fun _ _ => 0) (fun _ _ => 0) (fun _ _ => 0) (-1) n c Hc) by (intros; ring). ring.
  - rewrite <- IH. apply lazy_lin; [exact Hc|]. intros; ring.
Qed.

Lemma lazy_ext A B n c : (c < k)%nat -> (forall a b, (a < N)%nat -> (b < k)%nat -> A a b = B a b) -> L A n c = L B n c.
Proof.
  intros Hc H. rewrite (lazy_lin B (fun _ _ => 0) A 0 n c Hc); [ring|]. intros. rewrite H by assumption. ring.
Qed.

Theorem T29_solution (R0 : mat) : exists S : mat,
  (forall n c, (n < N)%nat -> (c < k)%nat -> L S n c = R0 n c) /\
  forall S', (forall n c, (n < N)%nat -> (c < k)%nat -> L S' n c = R0 n c) ->
    forall n c, (n < N)%nat -> (c < k)%nat -> S' n c = S n c.
Proof.
  assert (Inj : forall D : mat, fdot N k D (L D) = 0 -> forall n c, (n < N)%nat -> (c < k)%nat -> D n c = 0).
  { intros D HD. unfold L in HD. rewrite lazy_operator_form in HD.
    pose proof (backbone_spending_nonneg N h k K D V0 HK) as Hb.
    pose proof (below_frob h N k _ D s ltac:(lra) Zlow) as Hh.
    change (frob2 h k (fun i e => sumn N (fun j => transpose Z0 i j * D j e))) with (head_spending N h k Z0 D) in Hh.
    pose proof (frob2_nonneg N k D). assert (0 < s^2) by (apply pow2_gt_0; lra).
    apply frob2_zero. nra. }
  destruct (projection q q (fun i => flat (L (unit_ i))) (flat R0)) as [u Hu].
  set (S := fun a b => sumn q (fun i => u i * unit_ i a b)).
  set (rest := fun n c => R0 n c - L S n c).
  assert (Hrest : forall i, (i < q)%nat -> fdot N k rest (L (unit_ i)) = 0).
  { intros i Hi. rewrite <- dot_flat, <- (Hu i Hi). unfold dot, q. rewrite !sumn_split.
    apply sumn_ext; intros n _. apply sumn_ext; intros c Hc. rewrite !flat_at by assumption. f_equal.
    unfold rest, S. rewrite lazy_units by assumption. f_equal.
    apply sumn_ext; intros j _. now rewrite flat_at. }
  assert (Z : forall n c, (n < N)%nat -> (c < k)%nat -> rest n c = 0).
  { apply Inj.
    transitivity (fdot N k rest (fun n c => sumn q (fun i => flat rest i * L (unit_ i) n c))).
    - apply sumn_ext; intros n _. apply sumn_ext; intros c Hc. f_equal. rewrite <- lazy_units by assumption.
      apply lazy_ext; [exact Hc|]. intros a b Ha Hb. rewrite unit_expand by assumption. now rewrite flat_at.
    - unfold fdot.
      transitivity (sumn q (fun i => flat rest i * fdot N k rest (L (unit_ i)))).
      + transitivity (sumn N (fun n => sumn q (fun i => sumn k (fun c => flat rest i * (rest n c * L (unit_ i) n c))))).
        * apply sumn_ext; intros n _. rewrite sumn_swap. apply sumn_ext; intros c _.
          rewrite <- sumn_scal. apply sumn_ext; intros; ring.
        * rewrite sumn_swap. apply sumn_ext; intros i _. unfold fdot. rewrite <- sumn_scal.
          apply sumn_ext; intros n _. now rewrite sumn_scal.
      + rewrite (sumn_ext q _ (fun _ => 0)); [apply sumn_zero|]. intros i Hi. rewrite Hrest by assumption. ring. }
  exists S. split.
  - intros n c Hn Hc. specialize (Z n c Hn Hc). unfold rest in Z. lra.
  - intros S' HS' n c Hn Hc.
    assert (E : msub S' S n c = 0); [|unfold msub in E; lra].
    apply (Inj (msub S' S)); [|exact Hn|exact Hc].
    unfold fdot. rewrite (sumn_ext N _ (fun _ => 0)); [apply sumn_zero|]. intros a Ha.
    rewrite (sumn_ext k _ (fun _ => 0)); [apply sumn_zero|]. intros b Hb.
    unfold L. rewrite lazy_operator_minus. fold L. rewrite HS' by assumption.
    specialize (Z a b Ha Hb). unfold rest in Z. replace (R0 a b) with (L S a b) by lra. ring.
Qed.
End Solution.

(** ** The bound *)

Theorem T29_whole N h k K Y Z V s zeta kap nu delta :
  is_feature_flow 1 N h k K Y Z V -> semidefinite N K -> 0 < s -> 0 <= zeta -> 0 <= kap -> 0 <= nu ->
  bounded_below h N (transpose (Z 0)) s -> bounded_by h N (transpose (Z 0)) zeta ->
  bounded_by N N K kap -> bounded_by h k (V 0) nu -> 0 < delta < 1 ->
  let R0 := residual h Y (Z 0) (V 0) in
  let rho := fnorm N k R0 in
  let rate := (1 - delta)^2 * s^2 in
  let beta := (zeta + delta * s) * rho / rate in
  let c := kap * (nu + beta) / rate in
  let eps := rho / rate * (kap * ((2 * nu + beta) * beta) + (2 * zeta + c * rho) * (c * rho)) in
  c * rho < delta * s ->
  exists S : mat,
    (forall n e, (n < N)%nat -> (e < k)%nat -> lazy_operator N h k K (Z 0) (V 0) S n e = R0 n e) /\
    forall t, 0 <= t ->
      fnorm N h (fun n j => Z t n j - Z 0 n j - mul N K (mul k S (transpose (V 0))) n j) <=
      kap * beta * (rho / rate) + kap * nu * ((eps + rho * exp (- (rate * t))) / s^2).
Proof.
  intros Hf HK Hs Hzeta Hkap Hnu Zlow Zup Kup Vup Hdelta R0 rho rate beta c eps Hsmall.
  destruct (T29_solution N h k K (Z 0) (V 0) s HK Hs Zlow R0) as [S [HS _]].
  exists S. split; [exact HS|].
  (* the integral of the residual, entry by entry *)
  assert (E : forall m, exists P : nat -> R -> R, forall n e, (n < N)%nat -> (e < k)%nat -> (n * k + e < m)%nat ->
    P (n * k + e)%nat 0 = 0 /\
    forall t, 0 <= t -> is_derive (P (n * k + e)%nat) t (residual h Y (Z t) (V t) n e)).
  { induction m as [|m [P HP]]; [exists (fun _ _ => 0); intros; lia|].
    destruct (le_lt_dec (N * k) m) as [Hle|Hlt].
    { exists P. intros n e Hn He _. apply HP; try assumption. nia. }
    assert (Hk : (0 < k)%nat) by nia.
    assert (Hn : (m / k < N)%nat) by (apply Nat.div_lt_upper_bound; lia).
    assert (He : (m mod k < k)%nat) by (apply Nat.mod_upper_bound; lia).
    destruct (primitive_exists (fun t => residual h Y (Z t) (V t) (m / k)%nat (m mod k)%nat)) as [p [P0 P1]].
    { intros t Ht. exact (is_derive_continuous _ _ _ (residual_derive 1 N h k K Y Z V Hf t _ _ Ht Hn He)). }
    exists (fun i => if Nat.eqb i m then p else P i). intros n e Hn' He' Hb.
    destruct (Nat.eqb_spec (n * k + e) m) as [Em|Em]; [|apply HP; try assumption; lia].
    assert (En : n = (m / k)%nat) by (rewrite <- Em, Nat.div_add_l, (Nat.div_small e k He') by lia; lia).
    assert (Ee : e = (m mod k)%nat)
      by (rewrite <- Em, Nat.add_comm, Nat.mod_add, (Nat.mod_small e k He') by lia; reflexivity).
    rewrite En, Ee. split; [exact P0|exact P1]. }
  destruct (E (N * k)%nat) as [P HP].
  intros t Ht.
  apply (T29_lazy_error N h k K Y Z V (fun x n e => P (n * k + e)%nat x) s zeta kap nu delta); try assumption.
  - intros n e Hn He. apply HP; try assumption. nia.
  - intros x Hx n e Hn He. apply HP; try assumption. nia.
Qed.
