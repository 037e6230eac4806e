(** * Whitened: T16, closed form of training on whitened data (K = I, gamma = 1) from a balanced start.

   notation: see Definitions.v; Q = [Z; V^T] of size (N + k) x h, F = [[-lam/2 I, Y], [Y^T, lam/2 I]],
   E = e^(F t) (E' = F E, E(0) = I), W the integral of E E = e^(2 F s) from 0 to t.

   T16_balance      V V^T - Z^T Z = lam I stays true
   T16_riccati      so Q' = F Q - Q Q^T Q / 2
   T16_linear       if y' = F y, x' = y - F x and y = Q Q^T x at the start, then y = Q Q^T x for ever
   T16_gram         Q Q^T = E Q_0 (I + Q_0^T W Q_0)^(-1) Q_0^T E, for every sign of lam, every shape, all t >= 0
   T16_exponential  E and W exist
   T16_inverse      and so does the inverse
   *)

Require Import Reals Lra Lia Psatz.
From Coquelicot Require Import Coquelicot.
From TaskHead Require Import Definitions Sums Calculus Lorentz EnergyBound LinearFlow FrozenMatrix ProbingMatrix.
Open Scope R_scope.

(** ** Products *)

Lemma act_ext q A A' x x' i : (forall j, (j < q)%nat -> A i j = A' i j) -> (forall j, (j < q)%nat -> x j = x' j) ->
  act q A x i = act q A' x' i.
Proof. intros HA Hx. apply sumn_ext; intros j Hj. now rewrite HA, Hx. Qed.

Lemma act_assoc p q A B x i : act p A (act q B x) i = act q (mmul p A B) x i.
Proof.
  unfold act, mmul. transitivity (sumn p (fun l => sumn q (fun j => A i l * B l j * x j))).
  - apply sumn_ext; intros l _. rewrite <- sumn_scal. apply sumn_ext; intros; ring.
  - rewrite sumn_swap. apply sumn_ext; intros j _. now rewrite sumn_scal_r.
Qed.

Lemma act_identity n x i : (i < n)%nat -> act n identity x i = x i.
Proof. intros Hi. unfold act. now apply identity_row. Qed.

Lemma act_plus q A x y i : act q A (fun j => x j + y j) i = act q A x i + act q A y i.
Proof. unfold act. rewrite <- sumn_plus. apply sumn_ext; intros; ring. Qed.

Lemma act_minus q A x y i : act q A (fun j => x j - y j) i = act q A x i - act q A y i.
Proof. unfold act. rewrite <- sumn_minus. apply sumn_ext; intros; ring. Qed.

Lemma act_derive q (A : R -> mat) (dA : mat) (x : R -> vec) (dx : vec) i t :
  (forall j, (j < q)%nat -> is_derive (fun s => A s i j) t (dA i j)) ->
  (forall j, (j < q)%nat -> is_derive (fun s => x s j) t (dx j)) ->
  is_derive (fun s => act q (A s) (x s) i) t (act q dA (x t) i + act q (A t) dx i).
Proof.
  intros HA Hx. unfold act. rewrite <- sumn_plus. apply (is_derive_sumn q (fun s j => A s i j * x s j)).
  intros j Hj. apply is_derive_Rmult; auto.
Qed.

(** ** Balance and the Riccati equation *)

Section Flow.
Variables (N h k : nat) (lam : R) (Y : mat) (Z V : R -> mat).
Hypothesis Hf : is_feature_flow 1 N h k identity Y Z V.
Hypothesis Hb : balanced N h k lam (Z 0) (V 0).
Local Notation n := (N + k)%nat.
Local Notation F := (whitened_generator N lam Y).
Local Notation Q := (fun t => stacked N (Z t) (V t)).
Local Notation Rt := (fun t => residual h Y (Z t) (V t)).

Lemma feature_velocity t a j : 0 <= t -> (a < N)%nat -> (j < h)%nat ->
  is_derive (fun s => Z s a j) t (sumn k (fun c => Rt t a c * V t j c)).
Proof.
  intros Ht Ha Hj. destruct (Hf t Ht) as [HZ _]. refine (is_derive_val _ _ _ _ (HZ a j Ha Hj) _).
  rewrite identity_row by exact Ha. apply sumn_ext; intros; ring.
Qed.

Lemma head_velocity t j c : 0 <= t -> (j < h)%nat -> (c < k)%nat ->
  is_derive (fun s => V s j c) t (sumn N (fun a => Z t a j * Rt t a c)).
Proof.
  intros Ht Hj Hc. destruct (Hf t Ht) as [_ HV]. refine (is_derive_val _ _ _ _ (HV j c Hj Hc) _). ring.
Qed.

Theorem T16_balance t : 0 <= t -> balanced N h k lam (Z t) (V t).
Proof.
  intros Ht a b Ha Hb'. rewrite <- (Hb a b Ha Hb').
  apply (constant_from (fun s => sumn k (fun c => V s a c * V s b c) - sumn N (fun m => Z s m a * Z s m b))); [|exact Ht].
  intros s Hs.
  refine (is_derive_val _ _ _ _ (is_derive_Rminus _ _ _ _ _
    (is_derive_sumn k (fun s c => V s a c * V s b c)
      (fun c => sumn N (fun m => Z s m a * Rt s m c) * V s b c + V s a c * sumn N (fun m => Z s m b * Rt s m c)) s _)
    (is_derive_sumn N (fun s m => Z s m a * Z s m b)
      (fun m => sumn k (fun c => Rt s m c * V s a c) * Z s m b + Z s m a * sumn k (fun c => Rt s m c * V s b c)) s _)) _).
  - intros c Hc. apply (is_derive_Rmult (fun s => V s a c) (fun s => V s b c)); now apply head_velocity.
  - intros m Hm. apply (is_derive_Rmult (fun s => Z s m a) (fun s => Z s m b)); now apply feature_velocity.
  - assert (E1 : forall p q, sumn k (fun c => sumn N (fun m => Z s m p * Rt s m c) * V s q c) =
                         sumn N (fun m => Z s m p * sumn k (fun c => Rt s m c * V s q c))).
    { intros p q. rewrite (sumn_ext k _ (fun c => sumn N (fun m => Z s m p * (Rt s m c * V s q c)))).
      - rewrite sumn_swap. apply sumn_ext; intros m _. now rewrite sumn_scal.
      - intros c _. rewrite <- sumn_scal_r. apply sumn_ext; intros; ring. }
    rewrite !sumn_plus. rewrite E1.
    rewrite (sumn_ext k (fun c => V s a c * sumn N (fun m => Z s m b * Rt s m c))
      (fun c => sumn N (fun m => Z s m b * Rt s m c) * V s a c)) by (intros; ring). rewrite E1.
    rewrite (sumn_ext N (fun m => sumn k (fun c => Rt s m c * V s a c) * Z s m b)
      (fun m => Z s m b * sumn k (fun c => Rt s m c * V s a c))) by (intros; ring). ring.
Qed.

(** Gram matrix of the columns: Z^T Z + V V^T. *)
Lemma column_gram t a b : sumn n (fun i => Q t i a * Q t i b) =
  sumn N (fun m => Z t m a * Z t m b) + sumn k (fun c => V t a c * V t b c).
Proof.
  rewrite sumn_split. unfold stacked. f_equal.
  - apply sumn_ext; intros m Hm. apply Nat.ltb_lt in Hm. now rewrite Hm.
  - apply sumn_ext; intros c _. replace (Nat.ltb (N + c) N) with false by (symmetry; apply Nat.ltb_ge; lia).
    now replace (N + c - N)%nat with c by lia.
Qed.

Theorem T16_riccati t : 0 <= t -> forall i j, (i < n)%nat -> (j < h)%nat ->
  is_derive (fun s => Q s i j) t
    (sumn n (fun l => F i l * Q t l j) - sumn h (fun a => Q t i a * sumn n (fun l => Q t l a * Q t l j)) / 2).
Proof.
  intros Ht i j Hi Hj.
  refine (is_derive_val _ _ _ _ (stacked_derive N k h Rt Z V t Ht (fun i j => feature_velocity t i j Ht)
    (fun j c => head_velocity t j c Ht) i j Hi Hj) _).
  assert (EF : sumn n (fun l => F i l * Q t l j) = sumn n (fun l => generator N Y i l * Q t l j) - lam / 2 * Jsign N i * Q t i j).
  { unfold whitened_generator.
    rewrite (sumn_ext n _ (fun l => generator N Y i l * Q t l j - lam / 2 * Jsign N i * (identity i l * Q t l j))) by (intros; ring).
    rewrite sumn_minus, sumn_scal, identity_row by exact Hi. reflexivity. }
  rewrite EF.
  set (G := fun a => sumn n (fun l => Q t l a * Q t l j)).
  assert (EV : forall a, (a < h)%nat -> sumn k (fun c => V t a c * V t j c) = G a / 2 + lam / 2 * identity a j).
  { intros a Ha. unfold G. rewrite column_gram. pose proof (T16_balance t Ht a j Ha Hj). lra. }
  assert (EZ : forall a, (a < h)%nat -> sumn N (fun m => Z t m a * Z t m j) = G a / 2 - lam / 2 * identity a j).
  { intros a Ha. unfold G. rewrite column_gram. pose proof (T16_balance t Ht a j Ha Hj). lra. }
  assert (EI : forall (x : vec), sumn h (fun a => x a * identity a j) = x j) by (intros; now apply identity_sum).
  assert (EG : forall (x : vec) s, sumn h (fun a => x a * (G a / 2 + s * identity a j)) = sumn h (fun a => x a * G a) / 2 + s * x j).
  { intros x s. rewrite (sumn_ext h _ (fun a => / 2 * (x a * G a) + s * (x a * identity a j))) by (intros; cbv beta; unfold Rdiv; ring).
    rewrite sumn_plus, !sumn_scal, EI. unfold Rdiv. ring. }
  match goal with |- ?L = ?A - _ / 2 => change (L = A - sumn h (fun a => stacked N (Z t) (V t) i a * G a) / 2) end.
  clearbody G. rewrite !sumn_split.
  assert (Elt : forall l, (l < N)%nat -> Nat.ltb l N = true) by (intros; now apply Nat.ltb_lt).
  assert (Ege : forall c, Nat.ltb (N + c) N = false) by (intros; apply Nat.ltb_ge; lia).
  unfold generator, Jsign. destruct (Nat.ltb i N) eqn:Ei.
  - apply Nat.ltb_lt in Ei.
    assert (S : forall M : mat, sumn N (fun l => (if Nat.ltb l N then 0 else M i (l - N)%nat) * Q t l j) +
      sumn k (fun c => (if Nat.ltb (N + c) N then 0 else M i (N + c - N)%nat) * Q t (N + c)%nat j) =
      sumn k (fun c => M i c * V t j c)).
    { intros M. rewrite (sumn_ext N _ (fun _ => 0)) by (intros l Hl; rewrite Elt by exact Hl; ring).
      rewrite sumn_zero, Rplus_0_l. apply sumn_ext; intros c _. unfold stacked. rewrite !Ege.
      now replace (N + c - N)%nat with c by lia. }
    rewrite (S (Rt t)), (S Y).
    assert (EQ : forall a, Q t i a = Z t i a) by (intros; unfold stacked; now rewrite Elt).
    transitivity (sumn k (fun c => Y i c * V t j c) - sumn h (fun a => Z t i a * sumn k (fun c => V t a c * V t j c))).
    + unfold residual. rewrite (sumn_ext k _ (fun c => Y i c * V t j c - sumn h (fun a => Z t i a * (V t a c * V t j c)))).
      * rewrite sumn_minus. f_equal. rewrite sumn_swap. apply sumn_ext; intros a _. now rewrite sumn_scal.
      * intros c _. rewrite Rmult_minus_distr_r. f_equal. rewrite <- sumn_scal_r. apply sumn_ext; intros; ring.
    + rewrite (sumn_ext h (fun a => Z t i a * sumn k (fun c => V t a c * V t j c))
        (fun a => Z t i a * (G a / 2 + lam / 2 * identity a j))) by (intros a Ha; now rewrite EV).
      rewrite (EG (Z t i)). rewrite EQ.
      replace (sumn h (fun a => stacked N (Z t) (V t) i a * G a)) with (sumn h (fun a => Z t i a * G a))
        by (apply sumn_ext; intros; now rewrite EQ). lra.
  - apply Nat.ltb_ge in Ei. set (c := (i - N)%nat).
    assert (S : forall M : mat, sumn N (fun l => (if Nat.ltb l N then M l c else 0) * Q t l j) +
      sumn k (fun e => (if Nat.ltb (N + e) N then M (N + e)%nat c else 0) * Q t (N + e)%nat j) =
      sumn N (fun l => M l c * Z t l j)).
    { intros M. rewrite (sumn_ext k _ (fun _ => 0)) by (intros e _; rewrite Ege; ring).
      rewrite sumn_zero, Rplus_0_r. apply sumn_ext; intros l Hl. unfold stacked. now rewrite !Elt by exact Hl. }
    rewrite (S (Rt t)), (S Y).
    assert (EQ : forall a, Q t i a = V t a c).
    { intros a. unfold stacked. replace (Nat.ltb i N) with false by (symmetry; now apply Nat.ltb_ge). reflexivity. }
    transitivity (sumn N (fun l => Y l c * Z t l j) - sumn h (fun a => V t a c * sumn N (fun m => Z t m a * Z t m j))).
    + unfold residual. rewrite (sumn_ext N _ (fun l => Y l c * Z t l j - sumn h (fun a => V t a c * (Z t l a * Z t l j)))).
      * rewrite sumn_minus. f_equal. rewrite sumn_swap. apply sumn_ext; intros a _. now rewrite sumn_scal.
      * intros l _. rewrite Rmult_minus_distr_r. f_equal. rewrite <- sumn_scal_r. apply sumn_ext; intros; ring.
    + rewrite (sumn_ext h (fun a => V t a c * sumn N (fun m => Z t m a * Z t m j))
        (fun a => V t a c * (G a / 2 + - (lam / 2) * identity a j))) by (intros a Ha; rewrite EZ by exact Ha; ring).
      rewrite (EG (fun a => V t a c)). rewrite EQ.
      replace (sumn h (fun a => stacked N (Z t) (V t) i a * G a)) with (sumn h (fun a => V t a c * G a))
        by (apply sumn_ext; intros; now rewrite EQ). lra.
Qed.

Lemma generator_symmetric i j : F i j = F j i.
Proof.
  unfold whitened_generator, generator, Jsign, identity. rewrite (Nat.eqb_sym j i).
  destruct (Nat.ltb i N) eqn:Ei, (Nat.ltb j N) eqn:Ej; try reflexivity; destruct (Nat.eqb i j) eqn:E; try ring;
    apply Nat.eqb_eq in E; subst; congruence.
Qed.

Lemma Q_continuous t i j : 0 <= t -> (i < n)%nat -> (j < h)%nat -> continuous (fun s => Q s i j) t.
Proof. intros Ht Hi Hj. eapply is_derive_continuous. now apply (T16_riccati t Ht i j). Qed.

(** ** The linear system behind the Riccati equation *)

Local Notation gram := (fun t i j => sumn h (fun a => Q t i a * Q t j a)).

Lemma gram_act t x i : act n (gram t) x i = sumn h (fun a => Q t i a * sumn n (fun l => Q t l a * x l)).
Proof.
  unfold act. rewrite (sumn_ext n _ (fun l => sumn h (fun a => Q t i a * (Q t l a * x l)))).
  - rewrite sumn_swap. apply sumn_ext; intros a _. now rewrite sumn_scal.
  - intros l _. rewrite <- sumn_scal_r. apply sumn_ext; intros; ring.
Qed.

Theorem T16_linear (x y : R -> vec) :
  (forall t, 0 <= t -> forall i, (i < n)%nat -> is_derive (fun s => y s i) t (act n F (y t) i)) ->
  (forall t, 0 <= t -> forall i, (i < n)%nat -> is_derive (fun s => x s i) t (y t i - act n F (x t) i)) ->
  (forall i, (i < n)%nat -> y 0 i = act n (gram 0) (x 0) i) ->
  forall t i, 0 <= t -> (i < n)%nat -> y t i = act n (gram t) (x t) i.
Proof.
  intros Hy Hx H0.
  (* p = Q^T x *)
  set (p := fun t a => sumn n (fun l => Q t l a * x t l)).
  set (G := fun t a b => sumn n (fun l => Q t l a * Q t l b)).
  assert (Dp : forall t, 0 <= t -> forall a, (a < h)%nat ->
    is_derive (fun s => p s a) t (sumn n (fun l => Q t l a * y t l) - sumn h (fun b => G t b a * p t b) / 2)).
  { intros t Ht a Ha. unfold p.
    refine (is_derive_val _ _ _ _ (is_derive_sumn n (fun s l => Q s l a * x s l)
      (fun l => (sumn n (fun m => F l m * Q t m a) - sumn h (fun b => Q t l b * G t b a) / 2) * x t l
              + Q t l a * (y t l - act n F (x t) l)) t _) _).
    - intros l Hl. apply (is_derive_Rmult (fun s => Q s l a) (fun s => x s l)).
      + exact (T16_riccati t Ht l a Hl Ha).
      + now apply Hx.
    - rewrite (sumn_ext n _ (fun l => (sumn n (fun m => F l m * Q t m a) * x t l - Q t l a * act n F (x t) l)
        + (Q t l a * y t l - / 2 * (sumn h (fun b => Q t l b * G t b a) * x t l)))) by (intros; cbv beta; unfold Rdiv; ring).
      rewrite sumn_plus, !sumn_minus, sumn_scal.
      assert (E1 : sumn n (fun l => sumn n (fun m => F l m * Q t m a) * x t l) = sumn n (fun l => Q t l a * act n F (x t) l)).
      { rewrite (sumn_ext n _ (fun l => sumn n (fun m => Q t m a * (F m l * x t l)))).
        - rewrite sumn_swap. apply sumn_ext; intros m _. unfold act. now rewrite sumn_scal.
        - intros l _. rewrite <- sumn_scal_r. apply sumn_ext; intros m _. rewrite (generator_symmetric l m). ring. }
      assert (E2 : sumn n (fun l => sumn h (fun b => Q t l b * G t b a) * x t l) = sumn h (fun b => G t b a * p t b)).
      { unfold p. rewrite (sumn_ext n _ (fun l => sumn h (fun b => G t b a * (Q t l b * x t l)))).
        - rewrite sumn_swap. apply sumn_ext; intros b _. now rewrite sumn_scal.
        - intros l _. rewrite <- sumn_scal_r. apply sumn_ext; intros; ring. }
      rewrite E1, E2. cbv beta. unfold p, Rdiv. ring. }
  set (D := fun t i => y t i - sumn h (fun a => Q t i a * p t a)).
  assert (ZD : forall t i, 0 <= t -> (i < n)%nat -> D t i = 0).
  { apply (linear_system_unique n (fun t i j => F i j - gram t i j) D).
    - intros t Ht i j Hi Hj. apply (continuous_minus (fun _ => F i j) (fun s => gram s i j)); [apply continuous_const|].
      apply (continuous_sumn h (fun s a => Q s i a * Q s j a)). intros a Ha.
      apply (continuous_mult (fun s => Q s i a) (fun s => Q s j a)); now apply Q_continuous.
    - intros t Ht i Hi. unfold D at 1.
      refine (is_derive_val _ _ _ _ (is_derive_Rminus (fun s => y s i) _ t _ _ (Hy t Ht i Hi)
        (is_derive_sumn h (fun s a => Q s i a * p s a)
          (fun a => (sumn n (fun m => F i m * Q t m a) - sumn h (fun b => Q t i b * G t b a) / 2) * p t a
                  + Q t i a * (sumn n (fun l => Q t l a * y t l) - sumn h (fun b => G t b a * p t b) / 2)) t _)) _).
      + intros a Ha. apply (is_derive_Rmult (fun s => Q s i a) (fun s => p s a)).
        * exact (T16_riccati t Ht i a Hi Ha).
        * now apply Dp.
      + set (q := fun l => sumn h (fun a => Q t l a * p t a)).
        assert (E1 : sumn h (fun a => sumn n (fun m => F i m * Q t m a) * p t a) = act n F q i).
        { unfold act, q. rewrite (sumn_ext h _ (fun a => sumn n (fun m => F i m * (Q t m a * p t a)))).
          - rewrite sumn_swap. apply sumn_ext; intros m _. now rewrite sumn_scal.
          - intros a _. rewrite <- sumn_scal_r. apply sumn_ext; intros; ring. }
        assert (E2 : sumn h (fun a => sumn h (fun b => Q t i b * G t b a) * p t a) = act n (gram t) q i).
        { rewrite gram_act. rewrite (sumn_ext h _ (fun a => sumn h (fun b => Q t i b * (G t b a * p t a)))).
          - rewrite sumn_swap. apply sumn_ext; intros b _. rewrite sumn_scal. f_equal. unfold q, G.
            rewrite (sumn_ext h _ (fun a => sumn n (fun l => Q t l b * (Q t l a * p t a)))).
            + rewrite sumn_swap. apply sumn_ext; intros l _. now rewrite sumn_scal.
            + intros a _. rewrite <- sumn_scal_r. apply sumn_ext; intros; ring.
          - intros a _. rewrite <- sumn_scal_r. apply sumn_ext; intros; ring. }
        assert (E3 : sumn h (fun a => Q t i a * sumn h (fun b => G t b a * p t b)) = act n (gram t) q i).
        { rewrite <- E2. rewrite (sumn_ext h _ (fun a => sumn h (fun b => Q t i a * G t b a * p t b))).
          - rewrite sumn_swap. apply sumn_ext; intros b _. rewrite sumn_scal_r. f_equal. apply sumn_ext; intros a _.
            f_equal. unfold G. apply sumn_ext; intros; ring.
          - intros a _. rewrite <- sumn_scal. apply sumn_ext; intros; ring. }
        rewrite (sumn_ext h (fun a => (sumn n (fun m => F i m * Q t m a) - sumn h (fun b => Q t i b * G t b a) / 2) * p t a
                  + Q t i a * (sumn n (fun l => Q t l a * y t l) - sumn h (fun b => G t b a * p t b) / 2))
          (fun a => (sumn n (fun m => F i m * Q t m a) * p t a - / 2 * (sumn h (fun b => Q t i b * G t b a) * p t a))
                  + (Q t i a * sumn n (fun l => Q t l a * y t l) - / 2 * (Q t i a * sumn h (fun b => G t b a * p t b)))))
          by (intros; cbv beta; unfold Rdiv; ring).
        rewrite sumn_plus, !sumn_minus, !sumn_scal, E1, E2, E3, <- (gram_act t (y t) i).
        transitivity (act n F (D t) i - act n (gram t) (D t) i).
        * unfold D. fold q. rewrite !act_minus. unfold q. cbv beta. field.
        * unfold act. rewrite <- sumn_minus. apply sumn_ext; intros; ring.
    - intros i Hi. unfold D. rewrite H0 by exact Hi. pose proof (gram_act 0 (x 0) i) as E. cbv beta in E |- *. rewrite E. unfold p. cbv beta. ring. }
  intros t i Ht Hi. pose proof (ZD t i Ht Hi) as E. unfold D, p in E.
  pose proof (gram_act t (x t) i) as E'. cbv beta in E, E' |- *. rewrite E'. lra.
Qed.

Lemma propagator_act E (c : vec) : is_propagator n (fun _ => F) E ->
  forall t, 0 <= t -> forall i, (i < n)%nat -> is_derive (fun s => act n (E s) c i) t (act n F (act n (E t) c) i).
Proof.
  intros [_ HE] t Ht i Hi.
  refine (is_derive_val _ _ _ _ (act_derive n E (mmul n F (E t)) (fun _ => c) (fun _ => 0) i t _ _) _).
  - intros j Hj. exact (HE t Ht i j Hi Hj).
  - intros j _. apply is_derive_Rconst.
  - rewrite act_assoc. replace (act n (E t) (fun _ => 0) i) with 0; [ring|].
    unfold act. symmetry. rewrite (sumn_ext n _ (fun _ => 0)); [apply sumn_zero|intros; ring].
Qed.

(** e^(c F t) commutes with F. *)
Lemma exponential_commutes c Em : is_propagator n (fun _ i j => c * F i j) Em ->
  forall t i j, 0 <= t -> (i < n)%nat -> (j < n)%nat -> mmul n (Em t) F i j = mmul n F (Em t) i j.
Proof.
  intros HM t i j Ht Hi Hj. destruct HM as [M0 M1].
  assert (mmul n (Em t) F i j - mmul n F (Em t) i j = 0); [|lra].
  apply (linear_system_unique n (fun _ i j => c * F i j) (fun s i => mmul n (Em s) F i j - mmul n F (Em s) i j));
    [intros; apply continuous_const| | |exact Ht|exact Hi].
  - intros s Hs p Hp.
    refine (is_derive_val _ _ _ _ (is_derive_Rminus _ _ _ _ _
      (is_derive_sumn n (fun s l => Em s p l * F l j) (fun l => sumn n (fun q => c * F p q * Em s q l) * F l j) s _)
      (is_derive_sumn n (fun s l => F p l * Em s l j) (fun l => F p l * sumn n (fun q => c * F l q * Em s q j)) s _)) _).
    + intros l Hl. refine (is_derive_val _ _ _ _ (is_derive_Rmult (fun s => Em s p l) (fun _ => F l j) s _ _
        (M1 s Hs p l Hp Hl) (is_derive_Rconst _ _)) _). ring.
    + intros l Hl. apply is_derive_Rscal. exact (M1 s Hs l j Hl Hj).
    + rewrite (sumn_ext n (fun l => c * F p l * (mmul n (Em s) F l j - mmul n F (Em s) l j))
        (fun l => sumn n (fun q => c * F p l * Em s l q * F q j) - F p l * sumn n (fun q => c * F l q * Em s q j))).
      * rewrite sumn_minus. f_equal. rewrite sumn_swap. apply sumn_ext; intros l _. rewrite <- sumn_scal_r. reflexivity.
      * intros l _. unfold mmul.
        rewrite (sumn_ext n (fun q => c * F p l * Em s l q * F q j) (fun q => c * F p l * (Em s l q * F q j))) by (intros; ring).
        rewrite (sumn_ext n (fun q => c * F l q * Em s q j) (fun q => c * (F l q * Em s q j))) by (intros; ring).
        rewrite !sumn_scal. ring.
  - intros p Hp. unfold mmul.
    rewrite (sumn_ext n (fun l => Em 0 p l * F l j) (fun l => identity p l * F l j)) by (intros; now rewrite M0).
    rewrite (sumn_ext n (fun l => F p l * Em 0 l j) (fun l => F p l * identity l j)) by (intros; now rewrite M0).
    rewrite identity_row, identity_sum by assumption. ring.
Qed.

Section Gram.
Variables (E Em W : R -> mat) (B : mat).
Hypothesis HE : is_propagator n (fun _ => F) E.
Hypothesis HM : is_propagator n (fun _ i j => - F i j) Em.
Hypothesis HW : is_square_integral n E W.

Lemma minus_commutes t i j : 0 <= t -> (i < n)%nat -> (j < n)%nat -> mmul n (Em t) F i j = mmul n F (Em t) i j.
Proof.
  apply (exponential_commutes (-1) Em). destruct HM as [M0 M1]. split; [exact M0|].
  intros u Hu p q Hp Hq. refine (is_derive_val _ _ _ _ (M1 u Hu p q Hp Hq) _). apply sumn_ext; intros; ring.
Qed.

Lemma minus_inverts t i j : 0 <= t -> (i < n)%nat -> (j < n)%nat -> mmul n (Em t) (E t) i j = identity i j.
Proof.
  intros Ht Hi Hj. destruct HM as [M0 M1]. destruct HE as [E0 E1].
  transitivity (mmul n (Em 0) (E 0) i j).
  - apply (constant_from (fun s => mmul n (Em s) (E s) i j)); [|exact Ht]. intros s Hs.
    refine (is_derive_val _ _ _ _ (is_derive_sumn n (fun s l => Em s i l * E s l j)
      (fun l => sumn n (fun q => - F i q * Em s q l) * E s l j + Em s i l * sumn n (fun q => F l q * E s q j)) s _) _).
    + intros l Hl. apply (is_derive_Rmult (fun s => Em s i l) (fun s => E s l j)); [exact (M1 s Hs i l Hi Hl)|exact (E1 s Hs l j Hl Hj)].
    + rewrite sumn_plus.
      assert (A : sumn n (fun l => Em s i l * sumn n (fun q => F l q * E s q j)) = sumn n (fun q => mmul n F (Em s) i q * E s q j)).
      { transitivity (sumn n (fun q => mmul n (Em s) F i q * E s q j)).
        - rewrite (sumn_ext n _ (fun l => sumn n (fun q => Em s i l * F l q * E s q j))).
          + rewrite sumn_swap. apply sumn_ext; intros q _. unfold mmul. now rewrite sumn_scal_r.
          + intros l _. rewrite <- sumn_scal. apply sumn_ext; intros; ring.
        - apply sumn_ext; intros q Hq. now rewrite minus_commutes. }
      rewrite A, <- sumn_plus. rewrite (sumn_ext n _ (fun _ => 0)); [apply sumn_zero|]. intros l _. unfold mmul.
      rewrite (sumn_ext n (fun q => - F i q * Em s q l) (fun q => -1 * (F i q * Em s q l))) by (intros; ring).
      rewrite sumn_scal. ring.
  - unfold mmul. rewrite (sumn_ext n _ (fun l => identity i l * E 0 l j)) by (intros; now rewrite M0).
    rewrite identity_row by exact Hi. now apply E0.
Qed.

Local Notation Q0 := (Q 0).
(** A = I + Q_0^T W Q_0. *)
Local Notation A := (fun t a b => identity a b + sumn n (fun i => Q0 i a * act n (W t) (fun l => Q0 l b) i)).

Lemma gram_with_inverse T : 0 <= T ->
  (forall a b, (a < h)%nat -> (b < h)%nat -> mmul h (A T) B a b = identity a b) ->
  forall i j, (i < n)%nat -> (j < n)%nat ->
    gram T i j = act n (E T) (act h Q0 (act h B (act n (transpose Q0) (fun l => E T l j)))) i.
Proof.
  intros HT HB i j Hi Hj.
  set (e := fun l => E T l j). set (q := act n (transpose Q0) e). set (b := act h B q). set (g := act h Q0 b).
  set (v := fun i => e i - act n (W T) g i).
  (* Q_0^T v = b *)
  assert (C1 : forall a, (a < h)%nat -> act n (transpose Q0) v a = b a).
  { intros a Ha. unfold v. rewrite act_minus. fold q.
    assert (AB : act h (A T) b a = q a).
    { unfold b. rewrite act_assoc. rewrite <- (act_identity h q a Ha). apply act_ext; [|reflexivity].
      intros c Hc. now apply HB. }
    assert (AE : act h (A T) b a = b a + act n (transpose Q0) (act n (W T) g) a).
    { unfold act at 1. rewrite (sumn_ext h _ (fun c => identity a c * b c
        + sumn n (fun i => Q0 i a * (act n (W T) (fun l => Q0 l c) i * b c)))).
      - rewrite sumn_plus, identity_row by exact Ha. f_equal. rewrite sumn_swap. unfold act at 2. apply sumn_ext; intros p _.
        rewrite sumn_scal. unfold transpose at 1. f_equal. unfold g, act.
        rewrite (sumn_ext h _ (fun c => sumn n (fun l => W T p l * (Q0 l c * b c)))).
        + rewrite sumn_swap. apply sumn_ext; intros l _. now rewrite sumn_scal.
        + intros c _. rewrite <- sumn_scal_r. apply sumn_ext; intros; ring.
      - intros c _. rewrite Rmult_plus_distr_r. f_equal. rewrite <- sumn_scal_r. apply sumn_ext; intros; ring. }
    pose proof (eq_trans (eq_sym AB) AE) as AC. lra. }
  (* the two paths of the linear system that end at column j of E and of the Gram matrix *)
  set (x := fun t => act n (Em t) (fun i => v i + act n (W t) g i)).
  set (y := fun t => act n (E t) g).
  assert (Dy : forall t, 0 <= t -> forall i, (i < n)%nat -> is_derive (fun s => y s i) t (act n F (y t) i))
    by (intros; now apply propagator_act).
  assert (Dx : forall t, 0 <= t -> forall i, (i < n)%nat -> is_derive (fun s => x s i) t (y t i - act n F (x t) i)).
  { intros t Ht p Hp. destruct HM as [M0 M1]. destruct HW as [W0 W1].
    refine (is_derive_val _ _ _ _ (act_derive n Em (mmul n (fun i j => - F i j) (Em t)) (fun s i => v i + act n (W s) g i)
      (act n (mmul n (E t) (E t)) g) p t _ _) _).
    - intros l Hl. exact (M1 t Ht p l Hp Hl).
    - intros l Hl.
      refine (is_derive_val _ _ _ _ (is_derive_Rplus (fun _ => v l) (fun s => act n (W s) g l) t _ _ (is_derive_Rconst _ _)
        (act_derive n W (mmul n (E t) (E t)) (fun _ => g) (fun _ => 0) l t _ _)) _).
      + intros m Hm. exact (W1 t Ht l m Hl Hm).
      + intros m _. apply is_derive_Rconst.
      + replace (act n (W t) (fun _ => 0) l) with 0; [ring|].
        unfold act. symmetry. rewrite (sumn_ext n _ (fun _ => 0)); [apply sumn_zero|intros; ring].
    - assert (K1 : act n (mmul n (fun i j => - F i j) (Em t)) (fun i => v i + act n (W t) g i) p = - act n F (x t) p).
      { rewrite <- act_assoc. fold (x t). unfold act.
        rewrite (sumn_ext n _ (fun l => -1 * (F p l * x t l))) by (intros; ring). rewrite sumn_scal. ring. }
      assert (K2 : act n (Em t) (act n (mmul n (E t) (E t)) g) p = y t p).
      { rewrite (act_ext n (Em t) (Em t) _ (act n (E t) (y t))); [|reflexivity|intros; unfold y; now rewrite act_assoc].
        rewrite act_assoc. rewrite <- (act_identity n (y t) p Hp). apply act_ext; [|reflexivity].
        intros l Hl. now apply minus_inverts. }
      rewrite K1, K2. ring. }
  assert (D0 : forall i, (i < n)%nat -> y 0 i = act n (gram 0) (x 0) i).
  { intros p Hp. destruct HM as [M0 _]. destruct HE as [E0 _]. destruct HW as [W0 _].
    unfold y. rewrite (act_ext n (E 0) identity g g) by (intros; auto). rewrite act_identity by exact Hp.
    rewrite (act_ext n (gram 0) (gram 0) (x 0) v); [|reflexivity|].
    - rewrite gram_act. unfold g, act. apply sumn_ext; intros a Ha. f_equal. rewrite <- C1 by exact Ha.
      unfold act, transpose. reflexivity.
    - intros l Hl. unfold x. rewrite (act_ext n (Em 0) identity _ v); [now apply act_identity|intros; now apply M0|].
      intros m Hm. unfold act. rewrite (sumn_ext n _ (fun _ => 0)); [rewrite sumn_zero; ring|].
      intros o Ho. rewrite W0 by assumption. ring. }
  change (gram T i j = y T i). rewrite (T16_linear x y Dy Dx D0 T i HT Hi).
  assert (XT : forall l, (l < n)%nat -> x T l = identity l j).
  { intros l Hl. unfold x. rewrite <- (minus_inverts T l j HT Hl Hj). unfold mmul. apply act_ext; [reflexivity|].
    intros m _. unfold v, e. ring. }
  rewrite (act_ext n (gram T) (gram T) (x T) (fun l => identity l j)); [|reflexivity|exact XT].
  symmetry. exact (identity_sum n (gram T i) j Hj).
Qed.
End Gram.

(** ** Everything in the formula exists *)

Lemma exponential_exists (G : mat) : exists E, is_propagator n (fun _ => G) E.
Proof.
  set (c := fun i j l m => if Nat.eqb j m then - G i l else 0).
  exists (expo n n c identity). split.
  - intros i j _ _. apply expo_start.
  - intros t _ i j Hi Hj. refine (is_derive_val _ _ _ _ (expo_derive n n c identity t i j Hi Hj) _).
    unfold op. replace (- sumn n (fun m => sumn n (fun l => c i j m l * expo n n c identity t m l)))
      with (-1 * sumn n (fun m => sumn n (fun l => c i j m l * expo n n c identity t m l))) by ring.
    rewrite <- sumn_scal. apply sumn_ext; intros l _. rewrite (sumn_single n j); [|exact Hj|].
    + unfold c. rewrite Nat.eqb_refl. ring.
    + intros m _ Hne. unfold c. apply Nat.eqb_neq in Hne. rewrite Nat.eqb_sym, Hne. ring.
Qed.

Lemma choice_upto {T : Type} (d : T) m (P : nat -> T -> Prop) :
  (forall i, (i < m)%nat -> exists u, P i u) -> exists f, forall i, (i < m)%nat -> P i (f i).
Proof.
  induction m as [|m IH]; intros H; [exists (fun _ => d); intros; lia|].
  destruct IH as [f Hch]; [intros; apply H; lia|]. destruct (H m ltac:(lia)) as [u Hu].
  exists (fun i => if Nat.eqb i m then u else f i). intros i Hi. destruct (Nat.eqb i m) eqn:E.
  - apply Nat.eqb_eq in E. now subst.
  - apply Nat.eqb_neq in E. apply Hch. lia.
Qed.

(** Every unit vector is a combination of the columns of M, because what is left over is orthogonal to them. *)
Lemma positive_inverse (M : mat) : (forall x, sq h x <= dot h x (act h M x)) ->
  exists B, forall a b, (a < h)%nat -> (b < h)%nat -> mmul h M B a b = identity a b.
Proof.
  intros K.
  destruct (choice_upto (fun _ : nat => 0) h (fun b u => forall a, (a < h)%nat -> act h M u a = identity a b)) as [f Hch].
  - intros b Hb0. destruct (projection h h (fun j a => M a j) (fun a => identity a b)) as [u Hu]. exists u.
    set (r := fun a => identity a b - sumn h (fun j => u j * M a j)).
    assert (R0 : sq h r <= 0).
    { eapply Rle_trans; [apply K|]. right.
      unfold dot, act. rewrite (sumn_ext h _ (fun a => sumn h (fun j => r a * M a j * r j))).
      - rewrite sumn_swap. rewrite (sumn_ext h _ (fun _ => 0)); [apply sumn_zero|]. intros j Hj.
        rewrite sumn_scal_r. pose proof (Hu j Hj) as Z0. unfold dot in Z0. fold (sumn h (fun a => r a * M a j)).
        change (sumn h (fun a => r a * M a j) = 0) in Z0. rewrite Z0. ring.
      - intros a _. rewrite <- sumn_scal. apply sumn_ext; intros; ring. }
    intros a Ha. pose proof (sq_nonneg h r). pose proof (sq_zero_coord h r ltac:(lra) a Ha) as Z0. unfold r in Z0.
    unfold act. rewrite (sumn_ext h _ (fun j => u j * M a j)) by (intros; ring). lra.
  - exists (fun a b => f b a). intros a b Ha Hb0. exact (Hch b Hb0 a Ha).
Qed.

Theorem T16_exponential : exists E W, is_propagator n (fun _ => F) E /\ is_square_integral n E W.
Proof.
  destruct (exponential_exists F) as [E HE]. exists E.
  assert (K : forall i j, (i < n)%nat -> (j < n)%nat -> exists rho : R -> R,
    rho 0 = 0 /\ forall t, 0 <= t -> is_derive rho t (mmul n (E t) (E t) i j)).
  { intros i j Hi Hj. apply (primitive_exists (fun t => mmul n (E t) (E t) i j)). intros t Ht.
    apply (continuous_sumn n (fun s l => E s i l * E s l j)). intros l Hl. destruct HE as [_ HE].
    apply (continuous_mult (fun s => E s i l) (fun s => E s l j)).
    - eapply is_derive_continuous. exact (HE t Ht i l Hi Hl).
    - eapply is_derive_continuous. exact (HE t Ht l j Hl Hj). }
  destruct (choice_upto (fun (_ : nat) (_ : R) => 0) n (fun i f => forall j, (j < n)%nat ->
    f j 0 = 0 /\ forall t, 0 <= t -> is_derive (f j) t (mmul n (E t) (E t) i j))) as [f Hch].
  { intros i Hi. apply (choice_upto (fun _ : R => 0) n (fun j rho =>
      rho 0 = 0 /\ forall t, 0 <= t -> is_derive rho t (mmul n (E t) (E t) i j))). auto. }
  exists (fun t i j => f i j t). split; [exact HE|]. split.
  - intros i j Hi Hj. now apply (Hch i Hi j Hj).
  - intros t Ht i j Hi Hj. destruct (Hch i Hi j Hj) as [_ D]. now apply D.
Qed.

Section Formula.
Variables (E W : R -> mat).
Hypothesis HE : is_propagator n (fun _ => F) E.
Hypothesis HW : is_square_integral n E W.
Local Notation A := (fun t a b => identity a b + sumn n (fun i => Q 0 i a * act n (W t) (fun l => Q 0 l b) i)).

Theorem T16_gram (B : mat) t : 0 <= t ->
  (forall a b, (a < h)%nat -> (b < h)%nat -> mmul h (A t) B a b = identity a b) ->
  forall i j, (i < n)%nat -> (j < n)%nat ->
    gram t i j = act n (E t) (act h (Q 0) (act h B (act n (transpose (Q 0)) (fun l => E t l j)))) i.
Proof.
  destruct (exponential_exists (fun i j => - F i j)) as [Em HM].
  exact (gram_with_inverse E Em W B HE HM HW t).
Qed.

Lemma exponential_symmetric t i j : 0 <= t -> (i < n)%nat -> (j < n)%nat -> E t i j = E t j i.
Proof.
  intros Ht Hi Hj. destruct HE as [E0 E1].
  assert (C : forall t i j, 0 <= t -> (i < n)%nat -> (j < n)%nat -> mmul n (E t) F i j = mmul n F (E t) i j).
  { apply (exponential_commutes 1 E). split; [exact E0|]. intros u Hu p q Hp Hq.
    refine (is_derive_val _ _ _ _ (E1 u Hu p q Hp Hq) _). apply sumn_ext; intros; ring. }
  assert (E t i j - E t j i = 0); [|lra].
  apply (linear_system_unique n (fun _ => F) (fun s i => E s i j - E s j i));
    [intros; apply continuous_const| | |exact Ht|exact Hi].
  - intros s Hs p Hp.
    refine (is_derive_val _ _ _ _ (is_derive_Rminus _ _ _ _ _ (E1 s Hs p j Hp Hj) (E1 s Hs j p Hj Hp)) _).
    pose proof (C s j p Hs Hj Hp) as Cs. unfold mmul in Cs. rewrite <- Cs, <- sumn_minus.
    apply sumn_ext; intros l _. rewrite (generator_symmetric l p). ring.
  - intros p Hp. rewrite !E0 by assumption. unfold identity. rewrite Nat.eqb_sym. ring.
Qed.

(** x . W x grows from 0: its derivative is |E x|^2. *)
Lemma integral_semidefinite t x : 0 <= t -> 0 <= dot n x (act n (W t) x).
Proof.
  intros Ht. destruct HW as [W0 W1].
  assert (D : forall s, 0 <= s -> is_derive (fun s => - dot n x (act n (W s) x)) s (- sq n (act n (E s) x))).
  { intros s Hs. apply (is_derive_opp (fun s => dot n x (act n (W s) x))).
    refine (is_derive_val _ _ _ _ (is_derive_dot n (fun _ => x) (fun s => act n (W s) x) (fun _ => 0)
      (act n (mmul n (E s) (E s)) x) s _ _) _).
    - intros i _. apply is_derive_Rconst.
    - intros i Hi. refine (is_derive_val _ _ _ _ (act_derive n W (mmul n (E s) (E s)) (fun _ => x) (fun _ => 0) i s _ _) _).
      + intros j Hj. exact (W1 s Hs i j Hi Hj).
      + intros j _. apply is_derive_Rconst.
      + replace (act n (W s) (fun _ => 0) i) with 0; [ring|].
        unfold act. symmetry. rewrite (sumn_ext n _ (fun _ => 0)); [apply sumn_zero|intros; ring].
    - replace (dot n (fun _ => 0) (act n (W s) x)) with 0
        by (unfold dot; symmetry; rewrite (sumn_ext n _ (fun _ => 0)); [apply sumn_zero|intros; ring]).
      rewrite Rplus_0_l. unfold sq, dot.
      transitivity (sumn n (fun i => x i * act n (E s) (act n (E s) x) i)).
      + apply sumn_ext; intros i _. now rewrite act_assoc.
      + unfold act at 1. rewrite (sumn_ext n _ (fun i => sumn n (fun l => x i * E s i l * act n (E s) x l))).
        * rewrite sumn_swap. apply sumn_ext; intros l Hl. rewrite sumn_scal_r. f_equal. unfold act. apply sumn_ext; intros i Hi.
          rewrite (exponential_symmetric s i l) by assumption. ring.
        * intros i _. rewrite <- sumn_scal. apply sumn_ext; intros; ring. }
  pose proof (nonincreasing_from _ _ D) as M.
  assert (P : - dot n x (act n (W t) x) <= - dot n x (act n (W 0) x)).
  { apply M; [|lra]. intros s _. pose proof (sq_nonneg n (act n (E s) x)). lra. }
  rewrite (dot_zero_r n x (act n (W 0) x)) in P; [lra|].
  intros i Hi. unfold act. rewrite (sumn_ext n _ (fun _ => 0)); [apply sumn_zero|]. intros j Hj. rewrite W0 by assumption. ring.
Qed.

Theorem T16_inverse t : 0 <= t -> exists B, forall a b, (a < h)%nat -> (b < h)%nat -> mmul h (A t) B a b = identity a b.
Proof.
  intros Ht.
  assert (K : forall x : vec, sq h x <= dot h x (act h (A t) x)).
  { intros x. set (g := act h (Q 0) x).
    assert (AE : forall a, (a < h)%nat -> act h (A t) x a = x a + sumn n (fun i => Q 0 i a * act n (W t) g i)).
    { intros a Ha. unfold act at 1. rewrite (sumn_ext h _ (fun c => identity a c * x c
        + sumn n (fun i => Q 0 i a * (act n (W t) (fun l => Q 0 l c) i * x c)))).
      - rewrite sumn_plus, identity_row by exact Ha. f_equal. rewrite sumn_swap. apply sumn_ext; intros p _.
        rewrite sumn_scal. f_equal. unfold g, act.
        rewrite (sumn_ext h _ (fun c => sumn n (fun l => W t p l * (Q 0 l c * x c)))).
        + rewrite sumn_swap. apply sumn_ext; intros l _. now rewrite sumn_scal.
        + intros c _. rewrite <- sumn_scal_r. apply sumn_ext; intros; ring.
      - intros c _. rewrite Rmult_plus_distr_r. f_equal. rewrite <- sumn_scal_r. apply sumn_ext; intros; ring. }
    rewrite (dot_ext h x x (act h (A t) x) (fun a => x a + sumn n (fun i => Q 0 i a * act n (W t) g i))); [|reflexivity|exact AE].
    assert (E1 : dot h x (fun a => x a + sumn n (fun i => Q 0 i a * act n (W t) g i)) = sq h x + dot n g (act n (W t) g)).
    { unfold sq, dot. rewrite (sumn_ext h _ (fun a => x a * x a + sumn n (fun i => Q 0 i a * x a * act n (W t) g i))).
      - rewrite sumn_plus. f_equal. rewrite sumn_swap. apply sumn_ext; intros i _. rewrite sumn_scal_r. reflexivity.
      - intros a _. rewrite Rmult_plus_distr_l. f_equal. rewrite <- sumn_scal. apply sumn_ext; intros; ring. }
    rewrite E1. pose proof (integral_semidefinite t g Ht). lra. }
  exact (positive_inverse (A t) K).
Qed.
End Formula.
End Flow.
