(** * LinearFlow: linear flows of matrices, x' = - A x: existence, uniqueness, and convergence for symmetric A >= 0.

   notation: see Definitions.v.  [op a x] applies the linear map with coefficients a n j m l to an N x h matrix;
   no spectral theorem is used.

   expo_flow        the power series with coefficients (-A)^p x0 / p! solves  x' = - A x
   linear_flow_unique    two solutions with one start are equal for t >= 0
   symmetric_flow_tends  if A is symmetric and semidefinite, every coordinate has a limit, and A annuls the limit:
                    |x(t) - x(s)|^2 <= |x(s)|^2 - |x(t)|^2 because x(t) . x(s) = |x((t + s) / 2)|^2
   projection       any r has a combination of w_0 ... w_(n-1) that leaves a remainder orthogonal to all of them
   *)

Require Import Reals Lra Lia Psatz.
From Coquelicot Require Import Coquelicot.
From TaskHead Require Import Definitions Sums Calculus Probing EnergyBound.
Open Scope R_scope.

(** ** Power series *)

Lemma Rabs_sumn n f : Rabs (sumn n f) <= sumn n (fun i => Rabs (f i)).
Proof.
  induction n as [|n IH]; simpl; [rewrite Rabs_R0; lra|].
  eapply Rle_trans; [apply Rabs_triang|]. lra.
Qed.

Lemma term_le_exp x n : 0 <= x -> x^n / INR (fact n) <= exp x.
Proof.
  intros Hx. eapply Rle_trans; [|apply (exp_ge_taylor x n Hx)].
  assert (P : forall k, 0 <= x^k / INR (fact k)).
  { intros k. apply Rmult_le_pos; [now apply pow_le|]. left. apply Rinv_0_lt_compat, INR_fact_lt_0. }
  destruct n as [|n]; [apply Rle_refl|]. cbn [sum_f_R0].
  pose proof (cond_pos_sum (fun k => x^k / INR (fact k)) n P). lra.
Qed.

Lemma exponential_radius (c : nat -> R) b A : 0 <= b -> 0 <= A -> (forall p, Rabs (c p) <= b * A^p) ->
  CV_radius (fun p => c p / INR (fact p)) = p_infty.
Proof.
  intros Hb HA Hc. destruct (CV_radius_bounded (fun p => c p / INR (fact p))) as [Hub _].
  assert (K : forall r : R, Rbar_le r (CV_radius (fun p => c p / INR (fact p)))).
  { intros r. apply (Hub r). exists (b * exp (A * Rabs r)). intros p.
    replace (c p / INR (fact p) * r^p) with (c p * (r^p / INR (fact p))) by (field; apply INR_fact_neq_0).
    pose proof (INR_fact_lt_0 p) as Hf.
    rewrite Rabs_mult. unfold Rdiv. rewrite (Rabs_mult (r^p)), <- RPow_abs, (Rabs_pos_eq (/ _)) by (left; now apply Rinv_0_lt_compat).
    eapply Rle_trans; [apply Rmult_le_compat_r; [|apply Hc]|].
    - apply Rmult_le_pos; [apply pow_le, Rabs_pos|left; now apply Rinv_0_lt_compat].
    - rewrite Rmult_assoc. apply Rmult_le_compat_l; [exact Hb|].
      replace (A^p * (Rabs r^p * / INR (fact p))) with ((A * Rabs r)^p / INR (fact p)) by (rewrite Rpow_mult_distr; field; lra).
      apply term_le_exp. apply Rmult_le_pos; [exact HA|apply Rabs_pos]. }
  destruct (CV_radius (fun p => c p / INR (fact p))) as [x| |]; [|reflexivity|].
  - specialize (K (x + 1)). simpl in K. lra.
  - specialize (K 0). contradiction K.
Qed.

Lemma pseries_sumn n (f : nat -> nat -> R) t : (forall i, (i < n)%nat -> ex_pseries (f i) t) ->
  is_pseries (fun p => sumn n (fun i => f i p)) t (sumn n (fun i => PSeries (f i) t)).
Proof.
  induction n as [|n IH]; intros H; simpl.
  - apply is_pseries_R. apply (is_series_ext (fun _ => 0)); [intros q; change (0 = 0 * t^q); ring|].
    apply (is_lim_seq_ext (fun _ => 0) (sum_n (fun _ => 0)) 0); [|apply is_lim_seq_const].
    intros q. rewrite sum_n_const. ring.
  - apply (is_pseries_plus (fun p => sumn n (fun i => f i p)) (f n) t).
    + apply IH. intros; apply H; lia.
    + apply PSeries_correct, H; lia.
Qed.

Section Linear.
Variables (N h : nat) (a : nat -> nat -> nat -> nat -> R).

Definition op (x : mat) : mat := fun n j => sumn N (fun m => sumn h (fun l => a n j m l * x m l)).

(** Sum of the absolute values of all coefficients. *)
Definition size : R := sumn N (fun n => sumn h (fun j => sumn N (fun m => sumn h (fun l => Rabs (a n j m l))))).

Lemma size_row n j : (n < N)%nat -> (j < h)%nat -> sumn N (fun m => sumn h (fun l => Rabs (a n j m l))) <= size.
Proof.
  intros Hn Hj.
  assert (P : forall n j, 0 <= sumn N (fun m => sumn h (fun l => Rabs (a n j m l))))
    by (intros; apply sumn_nonneg; intros; apply sumn_nonneg; intros; apply Rabs_pos).
  eapply Rle_trans; [apply (sumn_term h (fun j => sumn N (fun m => sumn h (fun l => Rabs (a n j m l)))) j)|].
  - intros; apply P.
  - exact Hj.
  - apply (sumn_term N (fun n => sumn h (fun j => sumn N (fun m => sumn h (fun l => Rabs (a n j m l))))) n); [|exact Hn].
    intros. apply sumn_nonneg; intros; apply P.
Qed.

Lemma size_nonneg : 0 <= size.
Proof. repeat (apply sumn_nonneg; intros). apply Rabs_pos. Qed.

Lemma op_bound x c n j : (forall m l, (m < N)%nat -> (l < h)%nat -> Rabs (x m l) <= c) -> 0 <= c ->
  (n < N)%nat -> (j < h)%nat -> Rabs (op x n j) <= c * size.
Proof.
  intros Hx Hc Hn Hj. eapply Rle_trans; [|apply Rmult_le_compat_l; [exact Hc|apply (size_row n j Hn Hj)]].
  unfold op. eapply Rle_trans; [apply Rabs_sumn|]. rewrite <- sumn_scal. apply sumn_le; intros m Hm.
  eapply Rle_trans; [apply Rabs_sumn|]. rewrite <- sumn_scal. apply sumn_le; intros l Hl.
  rewrite Rabs_mult, Rmult_comm. apply Rmult_le_compat_r; [apply Rabs_pos|now apply Hx].
Qed.

Fixpoint iterate (x0 : mat) (p : nat) : mat :=
  match p with
  | O => x0
  | S q => fun n j => - op (iterate x0 q) n j
  end.

Definition coef (x0 : mat) (n j p : nat) : R := iterate x0 p n j / INR (fact p).
Definition expo (x0 : mat) (t : R) : mat := fun n j => PSeries (coef x0 n j) t.

Lemma iterate_bound x0 p n j : (n < N)%nat -> (j < h)%nat ->
  Rabs (iterate x0 p n j) <= sumn N (fun n => sumn h (fun j => Rabs (x0 n j))) * size ^ p.
Proof.
  set (b := sumn N (fun n => sumn h (fun j => Rabs (x0 n j)))).
  assert (Hb : 0 <= b) by (repeat (apply sumn_nonneg; intros); apply Rabs_pos).
  revert n j. induction p as [|p IH]; intros n j Hn Hj; simpl.
  - rewrite Rmult_1_r.
    eapply Rle_trans; [apply (sumn_term h (fun j => Rabs (x0 n j)) j); [intros; apply Rabs_pos|exact Hj]|].
    apply (sumn_term N (fun n => sumn h (fun j => Rabs (x0 n j))) n); [|exact Hn].
    intros; apply sumn_nonneg; intros; apply Rabs_pos.
  - rewrite Rabs_Ropp. replace (b * (size * size ^ p)) with (b * size ^ p * size) by ring.
    apply op_bound; [exact IH| |exact Hn|exact Hj]. apply Rmult_le_pos; [exact Hb|apply pow_le, size_nonneg].
Qed.

Lemma coef_radius x0 n j : (n < N)%nat -> (j < h)%nat -> CV_radius (coef x0 n j) = p_infty.
Proof.
  intros Hn Hj. apply (exponential_radius (fun p => iterate x0 p n j)
    (sumn N (fun n => sumn h (fun j => Rabs (x0 n j)))) size).
  - repeat (apply sumn_nonneg; intros); apply Rabs_pos.
  - apply size_nonneg.
  - intros p. now apply iterate_bound.
Qed.

Lemma coef_converges x0 n j t : (n < N)%nat -> (j < h)%nat -> ex_pseries (coef x0 n j) t.
Proof. intros Hn Hj. apply CV_radius_inside. now rewrite coef_radius. Qed.

Lemma expo_start x0 n j : expo x0 0 n j = x0 n j.
Proof. unfold expo. rewrite PSeries_0. unfold coef. simpl. field. Qed.

Definition is_linear_flow (x : R -> mat) : Prop :=
  forall t, 0 <= t -> forall n j, (n < N)%nat -> (j < h)%nat -> is_derive (fun s => x s n j) t (- op (x t) n j).

Lemma expo_derive x0 t n j : (n < N)%nat -> (j < h)%nat ->
  is_derive (fun s => expo x0 s n j) t (- op (expo x0 t) n j).
Proof.
  intros Hn Hj. unfold expo at 1.
  refine (is_derive_val _ _ _ _ (is_derive_PSeries (coef x0 n j) t _) _); [now rewrite coef_radius|].
  transitivity (PSeries (PS_scal (-1) (fun p => sumn N (fun m => sumn h (fun l => a n j m l * coef x0 m l p)))) t).
  - apply PSeries_ext. intros p. unfold PS_derive, PS_scal, coef. cbn [iterate]. unfold op.
    change (scal (-1) ?z) with ((-1) * z). rewrite fact_simpl, mult_INR.
    transitivity (- sumn N (fun m => sumn h (fun l => a n j m l * iterate x0 p m l)) * / INR (fact p)).
    + field. split; [apply INR_fact_neq_0|apply not_0_INR; lia].
    + rewrite <- Ropp_mult_distr_l, <- sumn_scal_r.
      replace (-1 * sumn N (fun m => sumn h (fun l => a n j m l * (iterate x0 p m l / INR (fact p)))))
        with (- sumn N (fun m => sumn h (fun l => a n j m l * (iterate x0 p m l / INR (fact p))))) by ring.
      f_equal. apply sumn_ext; intros m _. rewrite <- sumn_scal_r. apply sumn_ext; intros l _. unfold Rdiv. ring.
  - rewrite PSeries_scal. replace (- op (expo x0 t) n j) with (-1 * op (expo x0 t) n j) by ring. f_equal.
    apply is_pseries_unique.
    assert (Q : forall m, (m < N)%nat -> is_pseries (fun p => sumn h (fun l => a n j m l * coef x0 m l p)) t
      (sumn h (fun l => a n j m l * expo x0 t m l))).
    { intros m Hm. pose proof (pseries_sumn h (fun l => PS_scal (a n j m l) (coef x0 m l)) t) as S.
      rewrite (sumn_ext h _ (fun l => a n j m l * expo x0 t m l)) in S by (intros; apply PSeries_scal).
      apply S. intros l Hl. apply ex_pseries_scal; [apply Rmult_comm|now apply coef_converges]. }
    pose proof (pseries_sumn N (fun m p => sumn h (fun l => a n j m l * coef x0 m l p)) t) as S.
    rewrite (sumn_ext N (fun m => PSeries _ t) (fun m => sumn h (fun l => a n j m l * expo x0 t m l))) in S
      by (intros; now apply is_pseries_unique, Q).
    apply S. intros m Hm. eexists. now apply Q.
Qed.

Lemma expo_flow x0 : is_linear_flow (expo x0).
Proof. intros t _ n j. apply expo_derive. Qed.

(** ** Uniqueness *)

Lemma fdot_op_bound x : Rabs (fdot N h x (op x)) <= size * frob2 N h x.
Proof.
  unfold fdot, op, size. eapply Rle_trans; [apply Rabs_sumn|]. rewrite <- sumn_scal_r. apply sumn_le; intros n Hn.
  eapply Rle_trans; [apply Rabs_sumn|]. rewrite <- sumn_scal_r. apply sumn_le; intros j Hj.
  rewrite <- sumn_scal. eapply Rle_trans; [apply Rabs_sumn|]. rewrite <- sumn_scal_r. apply sumn_le; intros m Hm.
  rewrite <- sumn_scal. eapply Rle_trans; [apply Rabs_sumn|]. rewrite <- sumn_scal_r. apply sumn_le; intros l Hl.
  assert (E : forall p q, (p < N)%nat -> (q < h)%nat -> x p q ^ 2 <= frob2 N h x).
  { intros p q Hp Hq. eapply Rle_trans; [apply (sumn_term h (fun q => x p q ^ 2) q); [intros; apply pow2_ge_0|exact Hq]|].
    apply (sumn_term N (fun p => sumn h (fun q => x p q ^ 2)) p); [|exact Hp].
    intros; apply sumn_nonneg; intros; apply pow2_ge_0. }
  replace (x n j * (a n j m l * x m l)) with (a n j m l * (x n j * x m l)) by ring.
  rewrite Rabs_mult. apply Rmult_le_compat_l; [apply Rabs_pos|].
  pose proof (E n j Hn Hj). pose proof (E m l Hm Hl). apply Rabs_le. split; nra.
Qed.

Lemma frob2_zero x : frob2 N h x <= 0 -> forall n j, (n < N)%nat -> (j < h)%nat -> x n j = 0.
Proof.
  intros H n j Hn Hj. rewrite frob2_rows in H.
  pose proof (sumn_term N (fun i => sq h (x i)) n ltac:(intros; apply sq_nonneg) Hn) as T. cbv beta in T.
  apply (sq_zero_coord h (x n)); [|exact Hj]. pose proof (sq_nonneg h (x n)). lra.
Qed.

Lemma frob2_derive (x : R -> mat) (dx : mat) t :
  (forall n j, (n < N)%nat -> (j < h)%nat -> is_derive (fun s => x s n j) t (dx n j)) ->
  is_derive (fun s => frob2 N h (x s)) t (2 * fdot N h (x t) dx).
Proof.
  intros H. unfold frob2, fdot. rewrite <- sumn_scal.
  apply (is_derive_sumn N (fun s n => sumn h (fun j => x s n j ^ 2))). intros n Hn. rewrite <- sumn_scal.
  apply (is_derive_sumn h (fun s j => x s n j ^ 2)). intros j Hj.
  apply (is_derive_extR (fun s => x s n j * x s n j)); [intros; ring|].
  refine (is_derive_val _ _ _ _ (is_derive_Rmult _ _ _ _ _ (H n j Hn Hj) (H n j Hn Hj)) _). ring.
Qed.

Lemma fdot_opp x y : fdot N h x (fun n j => - y n j) = - fdot N h x y.
Proof.
  replace (- fdot N h x y) with (-1 * fdot N h x y) by ring. unfold fdot. rewrite <- sumn_scal.
  apply sumn_ext; intros n _. rewrite <- sumn_scal. apply sumn_ext; intros; ring.
Qed.

Lemma linear_flow_zero x : is_linear_flow x -> (forall n j, (n < N)%nat -> (j < h)%nat -> x 0 n j = 0) ->
  forall t n j, 0 <= t -> (n < N)%nat -> (j < h)%nat -> x t n j = 0.
Proof.
  intros Hx H0 t n j Ht Hn Hj.
  assert (K : frob2 N h (x t) * exp (- (2 * size) * t) <= frob2 N h (x 0) * exp (- (2 * size) * 0)).
  { apply (nonincreasing_from (fun s => frob2 N h (x s) * exp (- (2 * size) * s))
      (fun s => 2 * fdot N h (x s) (fun n j => - op (x s) n j) * exp (- (2 * size) * s)
              + frob2 N h (x s) * (- (2 * size) * exp (- (2 * size) * s)))); [| |lra].
    - intros s Hs. apply (is_derive_Rmult (fun s => frob2 N h (x s)) (fun s => exp (- (2 * size) * s))).
      + apply frob2_derive. intros p q Hp Hq. now apply Hx.
      + apply (is_derive_exp_comp (fun s => - (2 * size) * s)).
        refine (is_derive_val _ _ _ _ (is_derive_Rscal (fun s => s) (- (2 * size)) s 1 (is_derive_id s)) _). ring.
    - intros s Hs. rewrite fdot_opp. pose proof (exp_pos (- (2 * size) * s)).
      pose proof (fdot_op_bound (x s)) as B.
      assert (- (size * frob2 N h (x s)) <= fdot N h (x s) (op (x s))).
      { pose proof (Rle_abs (- fdot N h (x s) (op (x s)))) as L. rewrite Rabs_Ropp in L. lra. }
      nra. }
  assert (F0 : frob2 N h (x 0) = 0).
  { unfold frob2. rewrite (sumn_ext N _ (fun _ => 0)); [apply sumn_zero|]. intros p Hp.
    rewrite (sumn_ext h _ (fun _ => 0)); [apply sumn_zero|]. intros q Hq. rewrite H0 by assumption. ring. }
  rewrite F0, Rmult_0_l in K. pose proof (exp_pos (- (2 * size) * t)).
  apply (frob2_zero (x t)); [nra|exact Hn|exact Hj].
Qed.

Lemma op_sub x y n j : op (fun n j => x n j - y n j) n j = op x n j - op y n j.
Proof.
  unfold op. rewrite <- sumn_minus. apply sumn_ext; intros m _. rewrite <- sumn_minus. apply sumn_ext; intros; ring.
Qed.

Lemma linear_flow_unique x y : is_linear_flow x -> is_linear_flow y ->
  (forall n j, (n < N)%nat -> (j < h)%nat -> x 0 n j = y 0 n j) ->
  forall t n j, 0 <= t -> (n < N)%nat -> (j < h)%nat -> x t n j = y t n j.
Proof.
  intros Hx Hy H0 t n j Ht Hn Hj.
  assert (x t n j - y t n j = 0); [|lra].
  apply (linear_flow_zero (fun s n j => x s n j - y s n j)); [| |exact Ht|exact Hn|exact Hj].
  - intros s Hs p q Hp Hq. rewrite op_sub.
    refine (is_derive_val _ _ _ _ (is_derive_Rminus _ _ _ _ _ (Hx s Hs p q Hp Hq) (Hy s Hs p q Hp Hq)) _). ring.
  - intros p q Hp Hq. rewrite H0 by assumption. ring.
Qed.

(** ** Convergence *)

Hypothesis Hsym : forall x y, fdot N h (op x) y = fdot N h x (op y).
Hypothesis Hpos : forall x, 0 <= fdot N h x (op x).

Lemma fdot_comm x y : fdot N h x y = fdot N h y x.
Proof. apply sumn_ext; intros; apply sumn_ext; intros; ring. Qed.

Section Path.
Variable x0 : mat.
Let x := expo x0.

Lemma semigroup u d : fdot N h (x (u + d)) (x (u - d)) = frob2 N h (x u).
Proof.
  assert (D : forall d, is_derive (fun d => fdot N h (x (u + d)) (x (u - d))) d 0).
  { intros e.
    assert (DP : forall n j, (n < N)%nat -> (j < h)%nat -> is_derive (fun d => x (u + d) n j) e (- op (x (u + e)) n j)).
    { intros n j Hn Hj. refine (is_derive_val _ _ _ _ (is_derive_comp_R (fun s => x s n j) (fun d => u + d) e 1 _ _
        (expo_derive x0 (u + e) n j Hn Hj)) _); [auto_derive; [exact I|ring]|unfold x; ring]. }
    assert (DM : forall n j, (n < N)%nat -> (j < h)%nat -> is_derive (fun d => x (u - d) n j) e (op (x (u - e)) n j)).
    { intros n j Hn Hj. refine (is_derive_val _ _ _ _ (is_derive_comp_R (fun s => x s n j) (fun d => u - d) e (-1) _ _
        (expo_derive x0 (u - e) n j Hn Hj)) _); [auto_derive; [exact I|ring]|unfold x; ring]. }
    refine (is_derive_val _ _ _ _ (is_derive_sumn N (fun d n => sumn h (fun j => x (u + d) n j * x (u - d) n j))
      (fun n => sumn h (fun j => - op (x (u + e)) n j * x (u - e) n j + x (u + e) n j * op (x (u - e)) n j)) e _) _).
    - intros n Hn. apply (is_derive_sumn h (fun d j => x (u + d) n j * x (u - d) n j)). intros j Hj.
      apply (is_derive_Rmult (fun d => x (u + d) n j) (fun d => x (u - d) n j)); [now apply DP|now apply DM].
    - transitivity (- fdot N h (op (x (u + e))) (x (u - e)) + fdot N h (x (u + e)) (op (x (u - e)))); [|rewrite Hsym; ring].
      replace (- fdot N h (op (x (u + e))) (x (u - e))) with (-1 * fdot N h (op (x (u + e))) (x (u - e))) by ring.
      unfold fdot. rewrite <- sumn_scal, <- sumn_plus. apply sumn_ext; intros n _.
      rewrite <- sumn_scal, <- sumn_plus. apply sumn_ext; intros; ring. }
  assert (C : fdot N h (x (u + d)) (x (u - d)) = fdot N h (x (u + 0)) (x (u - 0))).
  { destruct (Rle_dec 0 d) as [Hd|Hd].
    - apply (constant_from (fun d => fdot N h (x (u + d)) (x (u - d)))); [intros; apply D|exact Hd].
    - rewrite (fdot_comm (x (u + d))). replace (u - d) with (u + - d) by ring. replace (u + d) with (u - - d) by ring.
      apply (constant_from (fun d => fdot N h (x (u + d)) (x (u - d)))); [intros; apply D|lra]. }
  rewrite C, Rplus_0_r, Rminus_0_r. apply sumn_ext; intros; apply sumn_ext; intros; ring.
Qed.

Lemma energy_falls s t : 0 <= s <= t -> frob2 N h (x t) <= frob2 N h (x s).
Proof.
  apply (nonincreasing_from (fun s => frob2 N h (x s)) (fun s => 2 * fdot N h (x s) (fun n j => - op (x s) n j))).
  - intros u Hu. apply frob2_derive. intros n j. apply expo_derive.
  - intros u _. rewrite fdot_opp. pose proof (Hpos (x u)). lra.
Qed.

Lemma path_cauchy s t : 0 <= s <= t -> frob2 N h (msub (x t) (x s)) <= frob2 N h (x s) - frob2 N h (x t).
Proof.
  intros Hst. pose proof (semigroup ((t + s) / 2) ((t - s) / 2)) as E.
  replace ((t + s) / 2 + (t - s) / 2) with t in E by field. replace ((t + s) / 2 - (t - s) / 2) with s in E by field.
  pose proof (frob2_lin N h 1 (-1) (x t) (x s)) as L.
  replace (frob2 N h (fun i j => 1 * x t i j + -1 * x s i j)) with (frob2 N h (msub (x t) (x s))) in L
    by (apply sumn_ext; intros; apply sumn_ext; intros; unfold msub; ring).
  pose proof (energy_falls ((t + s) / 2) t ltac:(lra)). lra.
Qed.

Lemma energy_settles eps : 0 < eps -> exists T, 0 <= T /\ forall s t, T <= s <= t -> frob2 N h (x s) - frob2 N h (x t) < eps.
Proof.
  intros He. set (S := fun v => exists t, 0 <= t /\ v = - frob2 N h (x t)).
  destruct (completeness S) as [m [Hub Hlub]].
  - exists 0. intros v [t [_ ->]]. pose proof (frob2_nonneg N h (x t)). lra.
  - exists (- frob2 N h (x 0)), 0. split; [lra|reflexivity].
  - assert (K : exists T, 0 <= T /\ m - eps < - frob2 N h (x T)).
    { apply Classical_Prop.NNPP. intros Hn. assert (m <= m - eps); [|lra]. apply Hlub. intros v [t [Ht ->]].
      apply Rnot_lt_le. intros Hlt. apply Hn. exists t. split; [exact Ht|exact Hlt]. }
    destruct K as [T [HT Hm]]. exists T. split; [exact HT|]. intros s t Hst.
    pose proof (energy_falls T s ltac:(lra)).
    assert (- frob2 N h (x t) <= m) by (apply Hub; exists t; split; [lra|reflexivity]). lra.
Qed.

Lemma entry_le (y : mat) n j : (n < N)%nat -> (j < h)%nat -> y n j ^ 2 <= frob2 N h y.
Proof.
  intros Hn Hj. eapply Rle_trans; [apply (sumn_term h (fun q => y n q ^ 2) j); [intros; apply pow2_ge_0|exact Hj]|].
  apply (sumn_term N (fun p => sumn h (fun q => y p q ^ 2)) n); [|exact Hn].
  intros; apply sumn_nonneg; intros; apply pow2_ge_0.
Qed.

Lemma entry_tends n j : (n < N)%nat -> (j < h)%nat -> exists l : R, is_lim (fun t => x t n j) p_infty l.
Proof.
  intros Hn Hj.
  destruct (proj1 (Hierarchy.filterlim_locally_cauchy (F := Rbar_locally' p_infty) (fun t : R => x t n j))) as [l Hl].
  - intros eps. pose proof (cond_pos eps) as He.
    destruct (energy_settles (eps * eps) ltac:(nra)) as [T [HT K]].
    exists (fun t => T < t). split; [exists T; auto|]. intros u v Hu Hv.
    assert (B : forall s t, T < s -> s <= t -> Rabs (x t n j - x s n j) < eps).
    { intros s t Hs Hst. pose proof (K s t ltac:(lra)). pose proof (path_cauchy s t ltac:(lra)).
      pose proof (entry_le (msub (x t) (x s)) n j Hn Hj) as E. unfold msub at 1 in E.
      apply Rabs_def1; nra. }
    change (Rabs (x v n j - x u n j) < eps).
    destruct (Rle_dec u v) as [Huv|Huv]; [now apply B|]. rewrite Rabs_minus_sym. apply B; lra.
  - exists l. exact Hl.
Qed.

(** Finite choice: the limits form a matrix. *)
Lemma matrix_limit : exists X : mat, forall n j, (n < N)%nat -> (j < h)%nat -> is_lim (fun t => x t n j) p_infty (X n j).
Proof.
  exists (fun n j => real (Lim (fun t => x t n j) p_infty)). intros n j Hn Hj.
  destruct (entry_tends n j Hn Hj) as [l Hl]. now rewrite (is_lim_unique _ _ _ Hl).
Qed.

End Path.

(** A convergent function with a convergent derivative: the derivative tends to 0. *)
Lemma derivative_limit_zero (f df : R -> R) (l d : R) :
  (forall t, 0 <= t -> is_derive f t (df t)) -> is_lim f p_infty l -> is_lim df p_infty d -> d = 0.
Proof.
  intros Hd Hf Hdf.
  assert (L1 : is_lim (fun t => f (t + 1) - f t) p_infty (l - l)).
  { apply (is_lim_minus (fun t => f (t + 1)) f p_infty l l); [|exact Hf|reflexivity].
    apply (is_lim_comp f (fun t => t + 1) p_infty l p_infty Hf).
    - apply (is_lim_plus (fun t => t) (fun _ => 1) p_infty p_infty 1); [apply is_lim_id|apply is_lim_const|reflexivity].
    - exists 0. intros t _. discriminate. }
  assert (L2 : is_lim (fun t => f (t + 1) - f t) p_infty d).
  { apply is_lim_spec. intros eps. apply is_lim_spec in Hdf. destruct (Hdf eps) as [T HT].
    exists (Rmax T 0). intros t Ht. pose proof (Rmax_l T 0). pose proof (Rmax_r T 0).
    destruct (MVT_cor2 f df t (t + 1) ltac:(lra)) as [c [Hc Hin]].
    { intros c Hc. apply is_derive_Reals. apply Hd; lra. }
    rewrite Hc. replace (df c * (t + 1 - t)) with (df c) by ring. apply HT; lra. }
  apply is_lim_unique in L1. apply is_lim_unique in L2. rewrite L1 in L2. injection L2 as E. lra.
Qed.

Lemma symmetric_flow_tends x0 : exists X : mat,
  (forall n j, (n < N)%nat -> (j < h)%nat -> is_lim (fun t => expo x0 t n j) p_infty (X n j)) /\
  (forall n j, (n < N)%nat -> (j < h)%nat -> op X n j = 0).
Proof.
  destruct (matrix_limit x0) as [X HX]. exists X. split; [exact HX|]. intros n j Hn Hj.
  assert (- op X n j = 0); [|lra].
  apply (derivative_limit_zero (fun t => expo x0 t n j) (fun t => - op (expo x0 t) n j) (X n j)).
  - intros t _. now apply expo_derive.
  - now apply HX.
  - apply (is_lim_opp (fun t => op (expo x0 t) n j) p_infty (op X n j)).
    apply (lim_sumn N (fun t m => sumn h (fun l => a n j m l * expo x0 t m l))). intros m Hm.
    apply (lim_sumn h (fun t l => a n j m l * expo x0 t m l)). intros l Hl.
    apply (is_lim_scal_l (fun t => expo x0 t m l) (a n j m l) p_infty (X m l)). now apply HX.
Qed.

End Linear.

(** ** Projection on a finite span *)

Lemma projection k n (w : nat -> vec) (r : vec) :
  exists u : vec, forall i, (i < n)%nat ->
    dot k (fun c => r c - sumn n (fun j => u j * w j c)) (w i) = 0.
Proof.
  revert w r. induction n as [|n IH]; intros w r; [exists (fun _ => 0); intros; lia|].
  destruct (IH w r) as [u Hu]. destruct (IH w (w n)) as [b Hb].
  set (r' := fun c => r c - sumn n (fun j => u j * w j c)) in *.
  set (w' := fun c => w n c - sumn n (fun j => b j * w j c)) in *.
  set (mu := if Req_EM_T (sq k w') 0 then 0 else dot k r' w' / sq k w').
  exists (fun j => if Nat.eqb j n then mu else u j - mu * b j).
  assert (E : forall c, r c - sumn (S n) (fun j => (if Nat.eqb j n then mu else u j - mu * b j) * w j c) = r' c - mu * w' c).
  { intros c. simpl sumn. rewrite Nat.eqb_refl.
    rewrite (sumn_ext n _ (fun j => u j * w j c - mu * (b j * w j c))).
    - rewrite sumn_minus, sumn_scal. unfold r', w'. ring.
    - intros j Hj. destruct (Nat.eqb j n) eqn:Q; [apply Nat.eqb_eq in Q; lia|ring]. }
  assert (D : forall v, dot k (fun c => r c - sumn (S n) (fun j => (if Nat.eqb j n then mu else u j - mu * b j) * w j c)) v
              = dot k r' v - mu * dot k w' v).
  { intros v. transitivity (dot k (comb 1 r' (- mu) w') v); [|rewrite dot_comb_l; ring].
    apply dot_ext; [|reflexivity]. intros c _. rewrite E. unfold comb. ring. }
  intros i Hi. rewrite D. destruct (Nat.eq_dec i n) as [->|Hne].
  - assert (W : forall v, (forall j, (j < n)%nat -> dot k v (w j) = 0) -> dot k v (w n) = dot k v w').
    { intros v Hv. unfold w'. transitivity (dot k v (w n) - sumn n (fun j => b j * dot k v (w j))).
      - rewrite (sumn_ext n _ (fun _ => 0)); [rewrite sumn_zero; ring|]. intros j Hj. rewrite Hv by exact Hj. ring.
      - unfold dot. rewrite (sumn_ext k (fun i => v i * (w n i - _)) (fun c => v c * w n c - sumn n (fun j => b j * (v c * w j c)))).
        + rewrite sumn_minus. f_equal. rewrite sumn_swap. apply sumn_ext; intros j _. now rewrite sumn_scal.
        + intros c _. rewrite Rmult_minus_distr_l. f_equal. rewrite <- sumn_scal. apply sumn_ext; intros; ring. }
    rewrite (W r' Hu), (W w' Hb). fold (sq k w'). unfold mu. destruct (Req_EM_T (sq k w') 0) as [Z|Z].
    + assert (dot k r' w' = 0); [|lra].
      unfold dot. rewrite (sumn_ext k _ (fun _ => 0)); [apply sumn_zero|].
      intros c Hc. rewrite (sq_zero_coord k w' Z c Hc). ring.
    + field. exact Z.
  - rewrite Hu, Hb by lia. ring.
Qed.
