(** * Probing: T3, head probing in singular coordinates.

   notation: see Definitions.v; r_i = y_i - s_i v_i is the residual of mode i.

   T3_path              v_i(t) = v_i(0) + s_i phi(s_i^2, t) r_i(0) solves head probing
   T3_residual          for every solution r_i(t) = e^(-s_i^2 t) r_i(0)
   T3_unique            so the path above is the only solution
   T3_energy_monotone   the energy never rises
   T3_energy_strict     it strictly falls while a mode with s_i <> 0 has residual left
   T3_energy_attained   every energy between those at times 0 and T occurs at some time in [0, T]
   T3_energy_limit      the energy tends to that of the modes with s_i = 0
   T21_residual         probing towards the smoothed labels (1 - eps) y + eps mean leaves the residual
                        eps (y_i - mean_i) in every mode with s_i <> 0
   T21_floor            so the squared energy tends to eps^2 |y - mean|^2: a floor proportional to eps
   *)

Require Import Reals Ranalysis5 Lra Lia Psatz.
From Coquelicot Require Import Coquelicot.
From TaskHead Require Import Definitions Sums Calculus Boost.
Open Scope R_scope.

Lemma phi_0 lambda : phi lambda 0 = 0.
Proof.
  unfold phi. destruct (Req_EM_T lambda 0); [reflexivity|].
  rewrite Rmult_0_r, Ropp_0, exp_0. unfold Rdiv. ring.
Qed.

Lemma phi_exp lambda t : 1 - lambda * phi lambda t = exp (- (lambda * t)).
Proof.
  unfold phi. destruct (Req_EM_T lambda 0) as [->|H].
  - rewrite !Rmult_0_l, Ropp_0, exp_0. ring.
  - field. exact H.
Qed.

Lemma phi_derive lambda t : is_derive (phi lambda) t (exp (- (lambda * t))).
Proof.
  unfold phi. destruct (Req_EM_T lambda 0) as [->|H].
  - refine (is_derive_val _ _ _ _ (is_derive_id t) _). rewrite Rmult_0_l, Ropp_0, exp_0. reflexivity.
  - auto_derive; [exact I|]. field. exact H.
Qed.

Theorem T3_path n s y v0 :
  is_probing n s y (fun t i => v0 i + s i * phi (s i ^ 2) t * (y i - s i * v0 i)).
Proof.
  intros t Ht i Hi. set (r := y i - s i * v0 i).
  assert (E : y i - s i * (v0 i + s i * phi (s i ^ 2) t * r) = exp (- (s i ^ 2 * t)) * r).
  { rewrite <- phi_exp. unfold r. ring. }
  rewrite E.
  refine (is_derive_val _ _ _ _ (is_derive_extR (fun x => v0 i + (s i * r) * phi (s i ^ 2) x) _ t _ _
    (is_derive_Rplus (fun _ => v0 i) _ t _ _ (is_derive_Rconst _ _)
       (is_derive_Rscal _ (s i * r) _ _ (phi_derive (s i ^ 2) t)))) _); [intros; ring|ring].
Qed.

Theorem T3_residual n s y v : is_probing n s y v ->
  forall t i, 0 <= t -> (i < n)%nat ->
    y i - s i * v t i = exp (- (s i ^ 2 * t)) * (y i - s i * v 0 i).
Proof.
  intros Hp t i Ht Hi. rewrite (Rmult_comm (exp _)).
  apply (linear_solution (fun x => y i - s i * v x i) (fun _ => - (s i ^ 2)) (fun x => - (s i ^ 2 * x)));
    [ring| | |exact Ht].
  - intros x _. auto_derive; [exact I|]. ring.
  - intros x Hx. refine (is_derive_val _ _ _ _ (is_derive_Rminus (fun _ => y i) (fun x => s i * v x i) x _ _
      (is_derive_Rconst _ _) (is_derive_Rscal _ (s i) _ _ (Hp x Hx i Hi))) _). ring.
Qed.

Theorem T3_unique n s y v : is_probing n s y v ->
  forall t i, 0 <= t -> (i < n)%nat ->
    v t i = v 0 i + s i * phi (s i ^ 2) t * (y i - s i * v 0 i).
Proof.
  intros Hp t i Ht Hi.
  set (e := fun x => v 0 i + s i * phi (s i ^ 2) x * (y i - s i * v 0 i)).
  assert (K : v t i - e t = v 0 i - e 0).
  { apply (constant_from (fun x => v x i - e x)); [|exact Ht]. intros x Hx.
    refine (is_derive_val _ _ _ _ (is_derive_Rminus _ _ _ _ _ (Hp x Hx i Hi)
      (T3_path n s y (v 0) x Hx i Hi)) _). cbv beta.
    rewrite (T3_residual n s y v Hp x i Hx Hi).
    replace (y i - s i * (v 0 i + s i * phi (s i ^ 2) x * (y i - s i * v 0 i)))
      with (exp (- (s i ^ 2 * x)) * (y i - s i * v 0 i)) by (rewrite <- phi_exp; ring). ring. }
  unfold e in K at 2. rewrite phi_0 in K. fold (e t). lra.
Qed.

Lemma energy2_form n s y v t : is_probing n s y v -> 0 <= t ->
  probing_energy2 n s y v t = sumn n (fun i => exp (- (s i ^ 2 * t)) ^ 2 * (y i - s i * v 0 i)^2).
Proof.
  intros Hp Ht. apply sumn_ext. intros i Hi. rewrite (T3_residual n s y v Hp t i Ht Hi). ring.
Qed.

Lemma decay_le c t1 t2 : 0 <= c -> t1 <= t2 -> exp (- (c * t2)) <= exp (- (c * t1)).
Proof.
  intros Hc Ht. destruct (Req_dec (c * t1) (c * t2)) as [->|H]; [lra|].
  left. apply exp_increasing. assert (c * t1 <= c * t2) by (apply Rmult_le_compat_l; lra). lra.
Qed.

Lemma decay_term c t1 t2 r : 0 <= c -> t1 <= t2 ->
  exp (- (c * t2)) ^ 2 * r^2 <= exp (- (c * t1)) ^ 2 * r^2.
Proof.
  intros Hc Ht. pose proof (decay_le c t1 t2 Hc Ht). pose proof (exp_pos (- (c * t2))).
  apply Rmult_le_compat_r; [apply pow2_ge_0|]. apply pow_incr. lra.
Qed.

Theorem T3_energy_monotone n s y v t1 t2 : is_probing n s y v -> 0 <= t1 <= t2 ->
  probing_energy2 n s y v t2 <= probing_energy2 n s y v t1.
Proof.
  intros Hp Ht. rewrite !energy2_form by (assumption || lra).
  apply sumn_le. intros i Hi. apply decay_term; [apply pow2_ge_0|lra].
Qed.

Theorem T3_energy_strict n s y v t1 t2 : is_probing n s y v -> 0 <= t1 < t2 ->
  (exists i, (i < n)%nat /\ s i <> 0 /\ y i - s i * v 0 i <> 0) ->
  probing_energy2 n s y v t2 < probing_energy2 n s y v t1.
Proof.
  intros Hp Ht [i [Hi [Hs Hr]]]. rewrite !energy2_form by (assumption || lra).
  apply sumn_lt.
  - intros j Hj. apply decay_term; [apply pow2_ge_0|lra].
  - exists i. split; [exact Hi|]. pose proof (pow2_gt_0 _ Hs). pose proof (pow2_gt_0 _ Hr).
    apply Rmult_lt_compat_r; [assumption|].
    assert (exp (- (s i ^ 2 * t2)) < exp (- (s i ^ 2 * t1))).
    { apply exp_increasing. assert (s i ^ 2 * t1 < s i ^ 2 * t2) by (apply Rmult_lt_compat_l; lra). lra. }
    pose proof (exp_pos (- (s i ^ 2 * t2))).
    set (p := exp (- (s i ^ 2 * t2))) in *. set (q := exp (- (s i ^ 2 * t1))) in *. nra.
Qed.

Lemma energy2_continuous n (s r : vec) t :
  continuous (fun x => sumn n (fun i => exp (- (s i ^ 2 * x)) ^ 2 * r i ^ 2)) t.
Proof.
  apply (is_derive_continuous _ t (sumn n (fun i => - 2 * s i ^ 2 * exp (- (s i ^ 2 * t)) ^ 2 * r i ^ 2))).
  apply (is_derive_sumn n (fun x i => exp (- (s i ^ 2 * x)) ^ 2 * r i ^ 2)).
  intros i _. generalize (s i ^ 2). intros q. auto_derive; [exact I|]. simpl. ring.
Qed.

Theorem T3_energy_attained n s y v T e : is_probing n s y v -> 0 <= T ->
  probing_energy2 n s y v T <= e <= probing_energy2 n s y v 0 ->
  exists t, 0 <= t <= T /\ probing_energy2 n s y v t = e.
Proof.
  intros Hp HT He.
  destruct (Req_dec e (probing_energy2 n s y v 0)) as [E0|E0]; [exists 0; split; [lra|now symmetry]|].
  destruct (Req_dec e (probing_energy2 n s y v T)) as [E1|E1]; [exists T; split; [lra|now symmetry]|].
  assert (HT' : 0 < T) by (destruct HT as [H|H]; [exact H|rewrite <- H in *; lra]).
  set (f := fun x => sumn n (fun i => exp (- (s i ^ 2 * x)) ^ 2 * (y i - s i * v 0 i) ^ 2)).
  destruct (IVT_interv (fun x => e - f x) 0 T) as [t [Ht Hf]].
  - intros x _. apply continuity_pt_minus; [apply continuity_pt_const; now intros ? ?|].
    apply continuity_pt_filterlim. apply (energy2_continuous n s (fun i => y i - s i * v 0 i) x).
  - exact HT'.
  - unfold f. rewrite <- (energy2_form n s y v 0 Hp) by lra. lra.
  - unfold f. rewrite <- (energy2_form n s y v T Hp) by lra. lra.
  - exists t. split; [exact Ht|]. rewrite (energy2_form n s y v t Hp) by lra. fold (f t). lra.
Qed.

Lemma lim_sumn n (f : R -> nat -> R) (l : nat -> R) :
  (forall i, (i < n)%nat -> is_lim (fun t => f t i) p_infty (l i)) ->
  is_lim (fun t => sumn n (f t)) p_infty (sumn n l).
Proof.
  induction n as [|n IH]; intros H; simpl; [apply is_lim_const|].
  apply (is_lim_plus (fun t => sumn n (f t)) (fun t => f t n) p_infty (sumn n l) (l n)).
  - apply IH. intros; apply H; lia.
  - apply H; lia.
  - reflexivity.
Qed.

Theorem T3_energy_limit n s y v : is_probing n s y v ->
  is_lim (probing_energy2 n s y v) p_infty
    (sumn n (fun i => if Req_EM_T (s i) 0 then (y i)^2 else 0)).
Proof.
  intros Hp.
  apply (is_lim_ext_loc (fun t => sumn n (fun i => exp (- (s i ^ 2 * t)) ^ 2 * (y i - s i * v 0 i)^2))).
  - exists 0. intros t Ht. symmetry. apply energy2_form; [exact Hp|lra].
  - apply (lim_sumn n (fun t i => exp (- (s i ^ 2 * t)) ^ 2 * (y i - s i * v 0 i)^2)).
    intros i Hi. destruct (Req_EM_T (s i) 0) as [E|E].
    + apply (is_lim_ext (fun _ => (y i)^2)); [|apply is_lim_const].
      intros t. rewrite E. replace (- (0^2 * t)) with 0 by ring. rewrite exp_0. ring.
    + pose proof (pow2_gt_0 _ E) as H2.
      apply (is_lim_ext (fun t => exp (- (2 * s i ^ 2 * t)) * (y i - s i * v 0 i)^2)).
      * intros t. replace (- (2 * s i ^ 2 * t)) with (- (s i ^ 2 * t) + - (s i ^ 2 * t)) by ring.
        rewrite exp_plus. ring.
      * replace (Finite 0) with (Rbar_mult 0 ((y i - s i * v 0 i)^2)) by (simpl; f_equal; ring).
        apply is_lim_scal_r. apply lim_exp_minus. lra.
Qed.

Theorem T21_residual n s y mean eps v :
  is_probing n s (fun i => (1 - eps) * y i + eps * mean i) v ->
  forall i, (i < n)%nat -> s i <> 0 -> is_lim (fun t => y i - s i * v t i) p_infty (eps * (y i - mean i)).
Proof.
  intros Hp i Hi Hs.
  set (r0 := (1 - eps) * y i + eps * mean i - s i * v 0 i).
  apply (is_lim_ext_loc (fun t => eps * (y i - mean i) + exp (- (s i ^ 2 * t)) * r0)).
  - exists 0. intros t Ht. pose proof (T3_residual n s _ v Hp t i ltac:(lra) Hi) as E. cbv beta in E. fold r0 in E. lra.
  - replace (Finite (eps * (y i - mean i))) with (Finite (eps * (y i - mean i) + 0 * r0)) by (f_equal; ring).
    apply (is_lim_plus _ _ p_infty (eps * (y i - mean i)) (0 * r0)); [apply is_lim_const| |reflexivity].
    apply (is_lim_scal_r (fun t => exp (- (s i ^ 2 * t))) r0 p_infty 0). apply lim_exp_minus.
    now apply pow2_gt_0.
Qed.

Theorem T21_floor n s y mean eps v :
  is_probing n s (fun i => (1 - eps) * y i + eps * mean i) v ->
  (forall i, (i < n)%nat -> s i <> 0) ->
  is_lim (probing_energy2 n s y v) p_infty (eps^2 * sq n (vsub y mean)).
Proof.
  intros Hp Hs. unfold probing_energy2, sq, dot, vsub. rewrite <- sumn_scal.
  apply (lim_sumn n (fun t i => (y i - s i * v t i)^2)). intros i Hi.
  pose proof (T21_residual n s y mean eps v Hp i Hi (Hs i Hi)) as L.
  apply (is_lim_ext (fun t => (y i - s i * v t i) * (y i - s i * v t i))); [intros; ring|].
  replace (eps^2 * ((y i - mean i) * (y i - mean i))) with (eps * (y i - mean i) * (eps * (y i - mean i))) by ring.
  apply (is_lim_mult _ _ p_infty (eps * (y i - mean i)) (eps * (y i - mean i)) L L). exact I.
Qed.
