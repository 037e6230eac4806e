(** * Calculus: the few facts of analysis that the proofs share.

   is_derive_sumn       the derivative of a finite sum
   is_derive_cosh/sinh  chain rule for cosh and sinh
   increasing_on        derivative positive inside [a,b]  =>  f a < f b
   decreasing_on        derivative negative inside [a,b]  =>  f b < f a
   nonincreasing_from   derivative <= 0 for t >= 0        =>  f t <= f s for 0 <= s <= t
   constant_from        derivative 0 for t >= 0           =>  f t = f 0
   primitive_exists     a function continuous on t >= 0 has a primitive there
   linear_unique        f' = r f and f(0) = 0             =>  f = 0
   *)

Require Import Reals Lra Lia Psatz.
From Coquelicot Require Import Coquelicot.
From TaskHead Require Import Definitions Sums.
Open Scope R_scope.

(** Change the value of a derivative. *)
Lemma is_derive_val (f : R -> R) (x l l' : R) : is_derive f x l -> l = l' -> is_derive f x l'.
Proof. now intros H <-. Qed.

Lemma is_derive_extR (f g : R -> R) (x l : R) :
  (forall t : R, f t = g t) -> is_derive f x l -> is_derive g x l.
Proof. exact (is_derive_ext f g x l). Qed.

Lemma is_derive_sumn n (f : R -> nat -> R) (df : nat -> R) t :
  (forall i, (i < n)%nat -> is_derive (fun s => f s i) t (df i)) ->
  is_derive (fun s => sumn n (f s)) t (sumn n df).
Proof.
  induction n as [|n IH]; intros H; simpl.
  - apply (is_derive_const (K := R_AbsRing) (V := R_NormedModule) 0 t).
  - apply (is_derive_plus (fun s => sumn n (f s)) (fun s => f s n)).
    + apply IH; intros; apply H; lia.
    + apply H; lia.
Qed.

Lemma is_derive_Rmult (f g : R -> R) t df dg :
  is_derive f t df -> is_derive g t dg ->
  is_derive (fun s => f s * g s) t (df * g t + f t * dg).
Proof. intros Hf Hg. apply (is_derive_mult f g t df dg Hf Hg). intros; apply Rmult_comm. Qed.

Lemma is_derive_Rplus (f g : R -> R) t df dg :
  is_derive f t df -> is_derive g t dg -> is_derive (fun s => f s + g s) t (df + dg).
Proof. apply (is_derive_plus f g). Qed.

Lemma is_derive_Rminus (f g : R -> R) t df dg :
  is_derive f t df -> is_derive g t dg -> is_derive (fun s => f s - g s) t (df - dg).
Proof. apply (is_derive_minus f g). Qed.

Lemma is_derive_Rscal (f : R -> R) c t df :
  is_derive f t df -> is_derive (fun s => c * f s) t (c * df).
Proof. intros H. apply (is_derive_scal f t c df H). Qed.

Lemma is_derive_Rconst (c t : R) : is_derive (fun _ => c) t 0.
Proof. apply (is_derive_const (K := R_AbsRing) (V := R_NormedModule) c t). Qed.

Lemma is_derive_dot h (u v : R -> vec) (du dv : vec) t :
  (forall i, (i < h)%nat -> is_derive (fun s => u s i) t (du i)) ->
  (forall i, (i < h)%nat -> is_derive (fun s => v s i) t (dv i)) ->
  is_derive (fun s => dot h (u s) (v s)) t (dot h du (v t) + dot h (u t) dv).
Proof.
  intros Hu Hv. unfold dot at 2 3. rewrite <- sumn_plus.
  apply (is_derive_sumn h (fun s i => u s i * v s i)).
  intros i Hi. apply is_derive_Rmult; auto.
Qed.

Lemma is_derive_comp_R (g f : R -> R) x d dg :
  is_derive f x d -> is_derive g (f x) dg -> is_derive (fun t => g (f t)) x (d * dg).
Proof. intros Hf Hg. apply (is_derive_comp g f x dg d Hg Hf). Qed.

Lemma is_derive_cosh (f : R -> R) x d :
  is_derive f x d -> is_derive (fun t => cosh (f t)) x (d * sinh (f x)).
Proof.
  intros H. apply (is_derive_comp_R cosh f x d _ H).
  unfold cosh, sinh. auto_derive; [exact I|]. field.
Qed.

Lemma is_derive_sinh (f : R -> R) x d :
  is_derive f x d -> is_derive (fun t => sinh (f t)) x (d * cosh (f x)).
Proof.
  intros H. apply (is_derive_comp_R sinh f x d _ H).
  unfold cosh, sinh. auto_derive; [exact I|]. field.
Qed.

Lemma is_derive_exp_comp (f : R -> R) x d :
  is_derive f x d -> is_derive (fun t => exp (f t)) x (d * exp (f x)).
Proof. intros H. apply (is_derive_comp_R exp f x d _ H). apply is_derive_exp. Qed.

(** ** Hyperbolic functions *)

Lemma cosh_sq s : cosh s ^ 2 = 1 + sinh s ^ 2.
Proof.
  unfold cosh, sinh.
  assert (H : exp s * exp (- s) = 1).
  { rewrite <- exp_plus. replace (s + - s) with 0 by ring. apply exp_0. }
  field [H].
Qed.

Lemma cosh_ge_1 s : 1 <= cosh s.
Proof.
  pose proof (cosh_sq s) as H.
  assert (0 < cosh s) by (unfold cosh; pose proof (exp_pos s); pose proof (exp_pos (- s)); lra).
  nra.
Qed.

Lemma sinh_lt_cosh s : sinh s < cosh s.
Proof. unfold cosh, sinh. pose proof (exp_pos (- s)). lra. Qed.

Lemma msinh_lt_cosh s : - sinh s < cosh s.
Proof. unfold cosh, sinh. pose proof (exp_pos s). lra. Qed.

Lemma sinh_pos s : 0 < s -> 0 < sinh s.
Proof.
  intros H. unfold sinh. assert (exp (- s) < exp s) by (apply exp_increasing; lra). lra.
Qed.

Lemma sinh_nonneg s : 0 <= s -> 0 <= sinh s.
Proof.
  intros [H| <-]; [left; now apply sinh_pos|]. rewrite sinh_0. lra.
Qed.

Lemma cosh_2 s : cosh (2 * s) = 1 + 2 * sinh s ^ 2.
Proof.
  pose proof (cosh_sq s) as H.
  assert (E : cosh (2 * s) = cosh s ^ 2 + sinh s ^ 2).
  { unfold cosh, sinh. replace (2 * s) with (s + s) by ring.
    rewrite Ropp_plus_distr, !exp_plus. field. }
  lra.
Qed.

Lemma sinh_2 s : sinh (2 * s) = 2 * sinh s * cosh s.
Proof.
  unfold cosh, sinh. replace (2 * s) with (s + s) by ring.
  rewrite Ropp_plus_distr, !exp_plus. field.
Qed.

Lemma exp_2_ch s : exp (2 * s) = (cosh s + sinh s) ^ 2.
Proof.
  replace (cosh s + sinh s) with (exp s) by (unfold cosh, sinh; field).
  replace (2 * s) with (s + s) by ring. rewrite exp_plus. ring.
Qed.

Lemma exp_m2_ch s : exp (- (2 * s)) = (cosh s - sinh s) ^ 2.
Proof.
  replace (cosh s - sinh s) with (exp (- s)) by (unfold cosh, sinh; field).
  replace (- (2 * s)) with (- s + - s) by ring. rewrite exp_plus. ring.
Qed.

(** ** Monotonicity *)

Lemma increasing_on (f df : R -> R) a b :
  a < b ->
  (forall x, a <= x <= b -> is_derive f x (df x)) ->
  (forall x, a < x < b -> 0 < df x) -> f a < f b.
Proof.
  intros Hab Hd Hp.
  destruct (MVT_cor2 f df a b Hab) as [c [Hc Hin]].
  { intros c Hc. apply is_derive_Reals. now apply Hd. }
  specialize (Hp c Hin). nra.
Qed.

Lemma decreasing_on (f df : R -> R) a b :
  a < b ->
  (forall x, a <= x <= b -> is_derive f x (df x)) ->
  (forall x, a < x < b -> df x < 0) -> f b < f a.
Proof.
  intros Hab Hd Hp.
  destruct (MVT_cor2 f df a b Hab) as [c [Hc Hin]].
  { intros c Hc. apply is_derive_Reals. now apply Hd. }
  specialize (Hp c Hin). nra.
Qed.

Lemma nonincreasing_from (f df : R -> R) :
  (forall t, 0 <= t -> is_derive f t (df t)) -> (forall t, 0 <= t -> df t <= 0) ->
  forall s t, 0 <= s <= t -> f t <= f s.
Proof.
  intros Hd Hn s t [Hs [Hst| <-]]; [|lra].
  destruct (MVT_cor2 f df s t Hst) as [c [Hc Hin]].
  { intros c Hc. apply is_derive_Reals. apply Hd; lra. }
  assert (df c <= 0) by (apply Hn; lra). nra.
Qed.

Lemma constant_from (f : R -> R) :
  (forall t, 0 <= t -> is_derive f t 0) -> forall t, 0 <= t -> f t = f 0.
Proof.
  intros Hd t [Ht| <-]; [|reflexivity].
  destruct (MVT_cor2 f (fun _ => 0) 0 t Ht) as [c [Hc Hin]].
  { intros c Hc. apply is_derive_Reals. apply Hd; lra. }
  lra.
Qed.

(** ** A primitive on t >= 0 *)

Lemma continuous_Rmax0 x : continuous (fun t => Rmax 0 t) x.
Proof.
  apply continuity_pt_filterlim. intros eps He. exists eps; split; [exact He|].
  intros t [_ Ht]. simpl in *. unfold R_dist in *.
  unfold Rmax. destruct (Rle_dec 0 t), (Rle_dec 0 x);
    revert Ht; unfold Rabs; repeat destruct Rcase_abs; lra.
Qed.

Lemma primitive_exists (r : R -> R) :
  (forall t, 0 <= t -> continuous r t) ->
  exists rho : R -> R, rho 0 = 0 /\ forall t, 0 <= t -> is_derive rho t (r t).
Proof.
  intros Hc. set (g := fun t => r (Rmax 0 t)).
  assert (Hg : forall t, continuous g t).
  { intros t. apply (continuous_comp (fun s => Rmax 0 s) r).
    - apply continuous_Rmax0.
    - apply Hc. apply Rmax_l. }
  exists (fun t => RInt g 0 t). split.
  - exact (RInt_point 0 g).
  - intros t Ht. apply (is_derive_val _ _ (g t)).
    + apply (is_derive_RInt g (fun b => RInt g 0 b) 0 t); [|apply Hg].
      exists (mkposreal 1 Rlt_0_1). intros b _. apply (RInt_correct g).
      apply (ex_RInt_continuous g). intros; apply Hg.
    + unfold g. now rewrite Rmax_right.
Qed.

Lemma is_derive_continuous (f : R -> R) t l : is_derive f t l -> continuous f t.
Proof. intros H. apply (ex_derive_continuous f). now exists l. Qed.

(** A solution of f' = r f is f(0) e^(primitive of r). *)
Lemma linear_solution (f r rho : R -> R) :
  rho 0 = 0 ->
  (forall t, 0 <= t -> is_derive rho t (r t)) ->
  (forall t, 0 <= t -> is_derive f t (r t * f t)) ->
  forall t, 0 <= t -> f t = f 0 * exp (rho t).
Proof.
  intros H0 Hr Hf t Ht.
  assert (Hc : f t * exp (- rho t) = f 0 * exp (- rho 0)).
  { apply (constant_from (fun s => f s * exp (- rho s))); [|exact Ht].
    intros s Hs. apply (is_derive_val _ _ (r s * f s * exp (- rho s) + f s * (- r s * exp (- rho s)))).
    - apply (is_derive_Rmult f (fun x => exp (- rho x))); [now apply Hf|].
      apply (is_derive_exp_comp (fun x => - rho x) s (- r s)).
      apply (is_derive_opp rho). now apply Hr.
    - ring. }
  rewrite H0, Ropp_0, exp_0, Rmult_1_r in Hc. rewrite <- Hc, Rmult_assoc, <- exp_plus.
  replace (- rho t + rho t) with 0 by ring. rewrite exp_0. ring.
Qed.

Lemma linear_unique (f r : R -> R) :
  (forall t, 0 <= t -> continuous r t) ->
  (forall t, 0 <= t -> is_derive f t (r t * f t)) -> f 0 = 0 ->
  forall t, 0 <= t -> f t = 0.
Proof.
  intros Hc Hf H0 t Ht. destruct (primitive_exists r Hc) as [rho [Hr0 Hr]].
  rewrite (linear_solution f r rho Hr0 Hr Hf t Ht), H0. ring.
Qed.
