(** * Boost: T2 (rank one) and T7, the closed form of the rank-one flow.

   notation: see Definitions.v.  Here alpha = |z0 + v0|^2, beta = |z0 - v0|^2,
   omega = sqrt(4 y^2 + alpha beta), u = clock_num / clock_den = e^(2 clock).

   T2_rank_one            kappa v_i v_j - gamma z_i z_j never changes along a flow
   T7_clock_equation      the explicit clock has derivative y - (alpha u - beta / u) / 4
   T7_boost_is_flow       the hyperbolic rotation by the clock solves the flow
   T7_flow_is_boost       every solution is that rotation (uniqueness)
   T7_clock_limit         the clock tends to ln((omega + 2y + beta) / (omega + alpha - 2y)) / 2
   T7_convergence         feature and head tend to the rotation by that limit
   T7_residual_vanishes   and the limit fits the target: z_T . v_T = y
   T7_opposite_head       a head exactly opposite to the feature (alpha = 0):
                          z stays a multiple of z0 and v = -z for all times
   T7_opposite_collapse   and then, for y > 0, feature and head tend to 0
   *)

Require Import Reals Lra Lia Psatz.
From Coquelicot Require Import Coquelicot.
From TaskHead Require Import Definitions Sums Calculus.
Open Scope R_scope.

(** ** T2, rank one *)

Theorem T2_rank_one kappa gamma h y z v :
  is_flow kappa gamma h y z v ->
  forall i j t, (i < h)%nat -> (j < h)%nat -> 0 <= t ->
    kappa * v t i * v t j - gamma * z t i * z t j =
    kappa * v 0 i * v 0 j - gamma * z 0 i * z 0 j.
Proof.
  intros Hf i j t Hi Hj Ht.
  apply (constant_from (fun s => kappa * v s i * v s j - gamma * z s i * z s j)); [|exact Ht].
  intros s Hs. destruct (Hf s Hs i Hi) as [Hzi Hvi]. destruct (Hf s Hs j Hj) as [Hzj Hvj].
  set (r := y - dot h (z s) (v s)) in *.
  refine (is_derive_val _ _ _ _ (is_derive_Rminus (fun s => kappa * v s i * v s j)
    (fun s => gamma * z s i * z s j) s _ _
    (is_derive_Rmult (fun s => kappa * v s i) (fun s => v s j) s _ _
       (is_derive_Rscal _ kappa _ _ Hvi) Hvj)
    (is_derive_Rmult (fun s => gamma * z s i) (fun s => z s j) s _ _
       (is_derive_Rscal _ gamma _ _ Hzi) Hzj)) _).
  ring.
Qed.

(** ** The explicit clock *)

Section Clock.
Variables y alpha beta : R.
Hypothesis Ha : 0 <= alpha.
Hypothesis Hb : 0 <= beta.
Let w := omega y alpha beta.
Let C t := cosh (w * t / 2).
Let S t := sinhc w t.

Lemma omega_nonneg : 0 <= w.
Proof. apply sqrt_pos. Qed.

Lemma omega_sq : w ^ 2 = 4 * y^2 + alpha * beta.
Proof. unfold w, omega. apply pow2_sqrt. nra. Qed.

Lemma derive_half (c t : R) : is_derive (fun s => c * s / 2) t (c / 2).
Proof. auto_derive; [exact I|]. field. Qed.

Lemma derive_C t : is_derive C t (w^2 / 4 * S t).
Proof.
  unfold C. refine (is_derive_val _ _ _ _ (is_derive_cosh _ t _ (derive_half w t)) _).
  unfold S, sinhc. destruct (Req_EM_T w 0) as [->|Hw]; [field|]. field. exact Hw.
Qed.

Lemma derive_S t : is_derive S t (C t).
Proof.
  unfold S, C. destruct (Req_EM_T w 0) as [Hw|Hw].
  - apply (is_derive_extR (fun s => s)).
    + intros s. unfold sinhc. destruct (Req_EM_T w 0); [reflexivity|contradiction].
    + refine (is_derive_val _ _ _ _ (is_derive_id _) _).
      rewrite Hw. replace (0 * t / 2) with 0 by field. now rewrite cosh_0.
  - apply (is_derive_extR (fun s => / (w / 2) * sinh (w * s / 2))).
    + intros s. unfold sinhc. destruct (Req_EM_T w 0); [contradiction|]. field. exact Hw.
    + refine (is_derive_val _ _ _ _
        (is_derive_Rscal _ (/ (w / 2)) _ _ (is_derive_sinh _ t _ (derive_half w t))) _).
      field. exact Hw.
Qed.

Lemma S_nonneg t : 0 <= t -> 0 <= S t.
Proof.
  intros Ht. unfold S, sinhc. destruct (Req_EM_T w 0) as [Hw|Hw]; [exact Ht|].
  pose proof omega_nonneg. assert (0 < w) by lra.
  apply Rmult_le_pos; [apply sinh_nonneg; nra|]. left. apply Rinv_0_lt_compat. lra.
Qed.

(** cosh - (omega/2) sinhc = e^(- omega t / 2) *)
Lemma C_minus_S t : C t - w / 2 * S t = exp (- (w * t / 2)).
Proof.
  unfold C, S, sinhc. destruct (Req_EM_T w 0) as [Hw|Hw].
  - rewrite Hw. replace (0 * t / 2) with 0 by field. rewrite cosh_0, Ropp_0, exp_0. field.
  - unfold cosh, sinh. field. exact Hw.
Qed.

Lemma num_coef : - (w / 2) <= y + beta / 2.
Proof.
  pose proof omega_nonneg. pose proof omega_sq.
  destruct (Rle_dec 0 (2 * y + beta)); [lra|].
  assert (- (2 * y + beta) <= w); [|lra].
  apply Rsqr_incr_0; [unfold Rsqr; nra|lra|lra].
Qed.

Lemma den_coef : - (w / 2) <= alpha / 2 - y.
Proof.
  pose proof omega_nonneg. pose proof omega_sq.
  destruct (Rle_dec 0 (alpha - 2 * y)); [lra|].
  assert (2 * y - alpha <= w); [|lra].
  apply Rsqr_incr_0; [unfold Rsqr; nra|lra|lra].
Qed.

Lemma num_pos t : 0 <= t -> 0 < clock_num y alpha beta t.
Proof.
  intros Ht. unfold clock_num. fold w. change (0 < C t + (y + beta / 2) * S t).
  pose proof (C_minus_S t) as H. pose proof (exp_pos (- (w * t / 2))).
  pose proof (S_nonneg t Ht). pose proof num_coef. nra.
Qed.

Lemma den_pos t : 0 <= t -> 0 < clock_den y alpha beta t.
Proof.
  intros Ht. unfold clock_den. fold w. change (0 < C t + (alpha / 2 - y) * S t).
  pose proof (C_minus_S t) as H. pose proof (exp_pos (- (w * t / 2))).
  pose proof (S_nonneg t Ht). pose proof den_coef. nra.
Qed.

Lemma clock_0 : clock y alpha beta 0 = 0.
Proof.
  assert (E : forall c, C 0 + c * S 0 = 1).
  { intros c. unfold C, S, sinhc. replace (w * 0 / 2) with 0 by field.
    rewrite cosh_0, sinh_0. destruct (Req_EM_T w 0); [ring|]. field. assumption. }
  unfold clock, clock_num, clock_den. fold w.
  change (ln ((C 0 + (y + beta / 2) * S 0) / (C 0 + (alpha / 2 - y) * S 0)) / 2 = 0).
  rewrite !E. replace (1 / 1) with 1 by field. rewrite ln_1. field.
Qed.

Lemma exp_2_clock t : 0 <= t ->
  exp (2 * clock y alpha beta t) = clock_num y alpha beta t / clock_den y alpha beta t.
Proof.
  intros Ht. unfold clock. replace (2 * _) with (ln (clock_num y alpha beta t / clock_den y alpha beta t)) by field.
  apply exp_ln. apply Rdiv_lt_0_compat; [now apply num_pos|now apply den_pos].
Qed.

Lemma exp_m2_clock t : 0 <= t ->
  exp (- (2 * clock y alpha beta t)) = clock_den y alpha beta t / clock_num y alpha beta t.
Proof.
  intros Ht. rewrite exp_Ropp, exp_2_clock by exact Ht.
  pose proof (num_pos t Ht). pose proof (den_pos t Ht). field; lra.
Qed.

Theorem T7_clock_equation t : 0 <= t ->
  is_derive (clock y alpha beta) t
    (y - (alpha * exp (2 * clock y alpha beta t) - beta * exp (- (2 * clock y alpha beta t))) / 4).
Proof.
  intros Ht. rewrite exp_2_clock, exp_m2_clock by exact Ht.
  pose proof (num_pos t Ht) as Hn. pose proof (den_pos t Ht) as Hd.
  assert (Dn : is_derive (clock_num y alpha beta) t (w^2 / 4 * S t + (y + beta / 2) * C t)).
  { apply (is_derive_Rplus C (fun s => (y + beta / 2) * S s)); [apply derive_C|].
    apply is_derive_Rscal. apply derive_S. }
  assert (Dd : is_derive (clock_den y alpha beta) t (w^2 / 4 * S t + (alpha / 2 - y) * C t)).
  { apply (is_derive_Rplus C (fun s => (alpha / 2 - y) * S s)); [apply derive_C|].
    apply is_derive_Rscal. apply derive_S. }
  set (dn := w^2 / 4 * S t + (y + beta / 2) * C t) in *.
  set (dd := w^2 / 4 * S t + (alpha / 2 - y) * C t) in *.
  assert (Dq : is_derive (fun s => clock_num y alpha beta s / clock_den y alpha beta s) t
    ((dn * clock_den y alpha beta t - clock_num y alpha beta t * dd) / clock_den y alpha beta t ^ 2)).
  { apply (is_derive_div (clock_num y alpha beta) (clock_den y alpha beta)); [assumption..|lra]. }
  refine (is_derive_val _ _ _ _ (is_derive_extR (fun s => / 2 * ln (clock_num y alpha beta s / clock_den y alpha beta s))
    (clock y alpha beta) t _ _ (is_derive_Rscal _ (/ 2) _ _ (is_derive_comp_R ln _ _ _ _ Dq (is_derive_ln _ _)))) _).
  - intros s. unfold clock. field.
  - apply Rdiv_lt_0_compat; assumption.
  - assert (En : clock_num y alpha beta t = C t + (y + beta / 2) * S t) by reflexivity.
    assert (Ed : clock_den y alpha beta t = C t + (alpha / 2 - y) * S t) by reflexivity.
    assert (Hdn : dn = y * clock_num y alpha beta t + beta / 2 * clock_den y alpha beta t).
    { rewrite En, Ed. unfold dn. rewrite omega_sq. field. }
    assert (Hdd : dd = alpha / 2 * clock_num y alpha beta t - y * clock_den y alpha beta t).
    { rewrite En, Ed. unfold dd. rewrite omega_sq. field. }
    rewrite Hdn, Hdd. field. split; lra.
Qed.

End Clock.

(** ** The boost solves the flow *)

Lemma dot_boost h z0 v0 s :
  dot h (boost_z z0 v0 s) (boost_v z0 v0 s) =
  (alpha_of h z0 v0 * exp (2 * s) - beta_of h z0 v0 * exp (- (2 * s))) / 4.
Proof.
  rewrite exp_2_ch, exp_m2_ch. unfold boost_z, boost_v.
  replace (dot h (comb (cosh s) z0 (sinh s) v0) (comb (cosh s) v0 (sinh s) z0))
    with (dot h (comb (cosh s) z0 (sinh s) v0) (comb (sinh s) z0 (cosh s) v0)).
  - rewrite dot_comb. unfold alpha_of, beta_of. field.
  - apply dot_ext; intros; [reflexivity|]. unfold comb; ring.
Qed.

Theorem T7_boost_is_flow h y z0 v0 :
  let s := clock y (alpha_of h z0 v0) (beta_of h z0 v0) in
  is_flow 1 1 h y (fun t => boost_z z0 v0 (s t)) (fun t => boost_v z0 v0 (s t)) /\
  starts h (fun t => boost_z z0 v0 (s t)) z0 /\
  starts h (fun t => boost_v z0 v0 (s t)) v0.
Proof.
  intros s. split; [|split].
  - intros t Ht i Hi.
    pose proof (T7_clock_equation y _ _ (alpha_nonneg h z0 v0) (beta_nonneg h z0 v0) t Ht) as Hs.
    fold s in Hs. rewrite dot_boost.
    set (r := y - _) in *. unfold boost_z, boost_v, comb. split.
    + refine (is_derive_val _ _ _ _ (is_derive_Rplus (fun x => cosh (s x) * z0 i) (fun x => sinh (s x) * v0 i) t _ _
        (is_derive_Rmult _ _ _ _ _ (is_derive_cosh s t r Hs) (is_derive_Rconst _ _))
        (is_derive_Rmult _ _ _ _ _ (is_derive_sinh s t r Hs) (is_derive_Rconst _ _))) _). ring.
    + refine (is_derive_val _ _ _ _ (is_derive_Rplus (fun x => cosh (s x) * v0 i) (fun x => sinh (s x) * z0 i) t _ _
        (is_derive_Rmult _ _ _ _ _ (is_derive_cosh s t r Hs) (is_derive_Rconst _ _))
        (is_derive_Rmult _ _ _ _ _ (is_derive_sinh s t r Hs) (is_derive_Rconst _ _))) _). ring.
  - intros i Hi. unfold s. rewrite clock_0.
    unfold boost_z, comb. rewrite cosh_0, sinh_0. ring.
  - intros i Hi. unfold s. rewrite clock_0.
    unfold boost_v, comb. rewrite cosh_0, sinh_0. ring.
Qed.

(** ** Uniqueness *)

(** Two solutions of the clock equation with the same start agree. *)
Lemma clock_unique y alpha beta (s1 s2 : R -> R) :
  0 <= alpha -> 0 <= beta ->
  (forall t, 0 <= t -> is_derive s1 t (y - (alpha * exp (2 * s1 t) - beta * exp (- (2 * s1 t))) / 4)) ->
  (forall t, 0 <= t -> is_derive s2 t (y - (alpha * exp (2 * s2 t) - beta * exp (- (2 * s2 t))) / 4)) ->
  s1 0 = s2 0 -> forall t, 0 <= t -> s1 t = s2 t.
Proof.
  intros Ha Hb H1 H2 H0 t Ht.
  set (F := fun x => y - (alpha * exp (2 * x) - beta * exp (- (2 * x))) / 4).
  assert (HF : forall p q, p <= q -> F q <= F p).
  { intros p q Hpq. unfold F.
    assert (exp (2 * p) <= exp (2 * q)) by (destruct Hpq as [H| ->]; [left; apply exp_increasing; lra|lra]).
    assert (exp (- (2 * q)) <= exp (- (2 * p))) by (destruct Hpq as [H'| ->]; [left; apply exp_increasing; lra|lra]).
    nra. }
  assert (Hle : (s1 t - s2 t) * (s1 t - s2 t) <= (s1 0 - s2 0) * (s1 0 - s2 0)).
  { apply (nonincreasing_from (fun x => (s1 x - s2 x) * (s1 x - s2 x))
      (fun x => (F (s1 x) - F (s2 x)) * (s1 x - s2 x) + (s1 x - s2 x) * (F (s1 x) - F (s2 x)))); [| |lra].
    - intros p Hp. apply (is_derive_Rmult (fun x => s1 x - s2 x) (fun x => s1 x - s2 x));
        apply (is_derive_Rminus s1 s2); [exact (H1 p Hp)|exact (H2 p Hp)|exact (H1 p Hp)|exact (H2 p Hp)].
    - intros x Hx. cbv beta. destruct (Rle_dec (s1 x) (s2 x)) as [Hc|Hc].
      + pose proof (HF _ _ Hc). nra.
      + assert (s2 x <= s1 x) as Hc' by lra. pose proof (HF _ _ Hc'). nra. }
  rewrite H0 in Hle. nra.
Qed.

Theorem T7_flow_is_boost h y z v z0 v0 :
  is_flow 1 1 h y z v -> starts h z z0 -> starts h v v0 ->
  forall t i, 0 <= t -> (i < h)%nat ->
    z t i = boost_z z0 v0 (clock y (alpha_of h z0 v0) (beta_of h z0 v0) t) i /\
    v t i = boost_v z0 v0 (clock y (alpha_of h z0 v0) (beta_of h z0 v0) t) i.
Proof.
  intros Hf Hz Hv.
  set (r := fun t => y - dot h (z t) (v t)).
  assert (Hr : forall t, 0 <= t -> continuous r t).
  { intros t Ht. eapply is_derive_continuous.
    apply (is_derive_Rminus (fun _ => y) (fun s => dot h (z s) (v s))).
    - apply is_derive_Rconst.
    - apply (is_derive_dot h z v (fun i => 1 * (y - dot h (z t) (v t)) * v t i)
                               (fun i => 1 * (y - dot h (z t) (v t)) * z t i)).
      + intros i Hi. destruct (Hf t Ht i Hi) as [Dz _]. exact Dz.
      + intros i Hi. destruct (Hf t Ht i Hi) as [_ Dv]. exact Dv. }
  destruct (primitive_exists r Hr) as [rho [Hr0 Hrho]].
  assert (Hp : forall t i, 0 <= t -> (i < h)%nat -> z t i + v t i = (z0 i + v0 i) * exp (rho t)).
  { intros t i Ht Hi. rewrite <- (Hz i Hi), <- (Hv i Hi).
    apply (linear_solution (fun s => z s i + v s i) r rho Hr0 Hrho); [|exact Ht].
    intros s Hs. destruct (Hf s Hs i Hi) as [Dz Dv].
    refine (is_derive_val _ _ _ _ (is_derive_Rplus _ _ _ _ _ Dz Dv) _). unfold r. ring. }
  assert (Hn : forall t i, 0 <= t -> (i < h)%nat -> z t i - v t i = (z0 i - v0 i) * exp (- rho t)).
  { intros t i Ht Hi. rewrite <- (Hz i Hi), <- (Hv i Hi).
    apply (linear_solution (fun s => z s i - v s i) (fun s => - r s) (fun s => - rho s)); [lra| | |exact Ht].
    - intros s Hs. apply (is_derive_opp rho). auto.
    - intros s Hs. destruct (Hf s Hs i Hi) as [Dz Dv].
      refine (is_derive_val _ _ _ _ (is_derive_Rminus _ _ _ _ _ Dz Dv) _). unfold r. ring. }
  assert (Hzb : forall t i, 0 <= t -> (i < h)%nat -> z t i = boost_z z0 v0 (rho t) i).
  { intros t i Ht Hi. pose proof (Hp t i Ht Hi). pose proof (Hn t i Ht Hi).
    unfold boost_z, comb, cosh, sinh. lra. }
  assert (Hvb : forall t i, 0 <= t -> (i < h)%nat -> v t i = boost_v z0 v0 (rho t) i).
  { intros t i Ht Hi. pose proof (Hp t i Ht Hi). pose proof (Hn t i Ht Hi).
    unfold boost_v, comb, cosh, sinh. lra. }
  assert (Hc : forall t, 0 <= t -> rho t = clock y (alpha_of h z0 v0) (beta_of h z0 v0) t).
  { apply (clock_unique y _ _ _ _ (alpha_nonneg h z0 v0) (beta_nonneg h z0 v0)).
    - intros t Ht. refine (is_derive_val _ _ _ _ (Hrho t Ht) _). unfold r.
      rewrite <- dot_boost. f_equal. apply dot_ext; intros; [now apply Hzb|now apply Hvb].
    - apply T7_clock_equation; [apply alpha_nonneg|apply beta_nonneg].
    - now rewrite Hr0, clock_0. }
  intros t i Ht Hi. rewrite <- (Hc t Ht). split; [now apply Hzb|now apply Hvb].
Qed.

(** ** Convergence *)

Lemma lim_exp_minus c : 0 < c -> is_lim (fun t => exp (- (c * t))) p_infty 0.
Proof.
  intros Hc. apply (is_lim_comp exp (fun t => - (c * t)) p_infty 0 m_infty).
  - apply is_lim_exp_m.
  - apply (is_lim_ext (fun t => (- c) * t)); [intros; ring|].
    replace m_infty with (Rbar_mult (- c) p_infty).
    + apply is_lim_scal_l. apply is_lim_id.
    + simpl. destruct (Rle_dec 0 (- c)) as [H|H]; [exfalso; lra|reflexivity].
  - exists 0. intros; discriminate.
Qed.

Section Limit.
Variables y alpha beta : R.
Hypothesis Ha : 0 <= alpha.
Hypothesis Hb : 0 <= beta.
Let w := omega y alpha beta.

(** 2 omega e^(-omega t/2) (cosh + c sinhc) -> omega + 2 c, if omega > 0 *)
Lemma scaled_form (c t : R) : 0 < w ->
  cosh (w * t / 2) + c * sinhc w t =
  exp (w * t / 2) / (2 * w) * ((w + 2 * c) + (w - 2 * c) * exp (- (w * t))).
Proof.
  intros Hw. unfold sinhc. destruct (Req_EM_T w 0); [lra|].
  assert (E : exp (- (w * t / 2)) = exp (w * t / 2) * exp (- (w * t))).
  { rewrite <- exp_plus. f_equal. field. }
  unfold cosh, sinh. rewrite E. field. lra.
Qed.

Lemma u_lim : 0 < w -> 0 < w + alpha - 2 * y ->
  is_lim (fun t => clock_num y alpha beta t / clock_den y alpha beta t) p_infty
    ((w + 2 * y + beta) / (w + alpha - 2 * y)).
Proof.
  intros Hw Hd.
  apply (is_lim_ext_loc (fun t => ((w + 2 * y + beta) + (w - (2 * y + beta)) * exp (- (w * t)))
                               / ((w + alpha - 2 * y) + (w - (alpha - 2 * y)) * exp (- (w * t))))).
  - exists 0. intros t Ht.
    pose proof (den_pos y alpha beta Ha Hb t ltac:(lra)) as Hden.
    unfold clock_num, clock_den in *. fold w in Hden |- *.
    rewrite scaled_form in Hden by exact Hw. rewrite !scaled_form by exact Hw.
    pose proof (exp_pos (w * t / 2)).
    assert (Hd' : w + 2 * (alpha / 2 - y) + (w - 2 * (alpha / 2 - y)) * exp (- (w * t)) <> 0).
    { intros E. rewrite E in Hden. lra. }
    field. repeat split; try lra.
  - apply (is_lim_div _ _ p_infty (w + 2 * y + beta) (w + alpha - 2 * y)).
    + replace (Finite (w + 2 * y + beta)) with (Rbar_plus (w + 2 * y + beta) (Rbar_mult (w - (2 * y + beta)) 0)).
      * apply (is_lim_plus _ _ _ (w + 2 * y + beta) (Rbar_mult (w - (2 * y + beta)) 0)).
        -- apply is_lim_const.
        -- apply is_lim_scal_l. now apply lim_exp_minus.
        -- reflexivity.
      * simpl. f_equal. ring.
    + replace (Finite (w + alpha - 2 * y)) with (Rbar_plus (w + alpha - 2 * y) (Rbar_mult (w - (alpha - 2 * y)) 0)).
      * apply (is_lim_plus _ _ _ (w + alpha - 2 * y) (Rbar_mult (w - (alpha - 2 * y)) 0)).
        -- apply is_lim_const.
        -- apply is_lim_scal_l. now apply lim_exp_minus.
        -- reflexivity.
      * simpl. f_equal. ring.
    + intros E. injection E as E. lra.
    + simpl. exact I.
Qed.

Lemma is_lim_continuous_comp (g f : R -> R) (l : R) :
  is_lim f p_infty l -> continuous g l -> is_lim (fun t => g (f t)) p_infty (g l).
Proof.
  intros Hf Hg. apply is_lim_comp_continuous; [exact Hf|exact Hg].
Qed.

Lemma limit_signs : 0 < alpha -> 0 < y \/ 0 < beta ->
  0 < w /\ 0 < w + 2 * y + beta /\ 0 < w + alpha - 2 * y /\ 0 < 2 * y + w.
Proof.
  intros Hap Hor. pose proof (omega_nonneg y alpha beta). pose proof (omega_sq y alpha beta Ha Hb).
  fold w in H, H0.
  assert (Hw : 0 < w) by (destruct Hor; nra).
  assert (H2 : 0 < w + alpha - 2 * y).
  { destruct (Rle_dec 0 (alpha - 2 * y)); [lra|].
    assert (2 * y - alpha < w); [|lra]. apply Rsqr_incrst_0; [unfold Rsqr; nra|lra|lra]. }
  assert (H3 : 0 < w + 2 * y + beta).
  { destruct (Rle_dec 0 (2 * y + beta)); [lra|].
    assert (- (2 * y + beta) < w); [|lra].
    apply Rsqr_incrst_0; [unfold Rsqr; destruct Hor; nra|lra|lra]. }
  repeat split; try assumption.
  destruct Hor as [Hy|Hbp]; [lra|].
  destruct (Rle_dec 0 y); [lra|].
  assert (- (2 * y) < w); [|lra]. apply Rsqr_incrst_0; [unfold Rsqr; nra|lra|lra].
Qed.

Theorem T7_clock_limit : 0 < alpha -> 0 < y \/ 0 < beta ->
  is_lim (clock y alpha beta) p_infty (final_clock y alpha beta).
Proof.
  intros Hap Hor. destruct (limit_signs Hap Hor) as [Hw [Hn [Hd Hp]]].
  unfold final_clock. fold w.
  replace ((2 * y + w) / alpha) with ((w + 2 * y + beta) / (w + alpha - 2 * y)).
  - unfold clock. apply (is_lim_continuous_comp (fun x => ln x / 2)); [now apply u_lim|].
    apply (ex_derive_continuous (fun x => ln x / 2)).
    auto_derive. apply Rdiv_lt_0_compat; assumption.
  - pose proof (omega_sq y alpha beta Ha Hb) as Hs. fold w in Hs.
    assert (Hw2 : w * w = 4 * y^2 + alpha * beta) by (rewrite <- Hs; ring).
    apply (Rmult_eq_reg_r (alpha * (w + alpha - 2 * y))).
    + transitivity (alpha * (w + 2 * y + beta)); [field; lra|].
      transitivity ((2 * y + w) * (w + alpha - 2 * y)); [|field; lra].
      ring [Hw2].
    + apply Rmult_integral_contrapositive; split; lra.
Qed.

(** The final rapidity solves the limit equation: the residual is zero there. *)
Lemma final_clock_fits : 0 < alpha -> 0 < y \/ 0 < beta ->
  (alpha * exp (2 * final_clock y alpha beta) - beta * exp (- (2 * final_clock y alpha beta))) / 4 = y.
Proof.
  intros Hap Hor. destruct (limit_signs Hap Hor) as [Hw [Hn [Hd Hp]]].
  pose proof (omega_sq y alpha beta Ha Hb) as Hs. fold w in Hs.
  assert (E : exp (2 * final_clock y alpha beta) = (2 * y + w) / alpha).
  { unfold final_clock. fold w. replace (2 * _) with (ln ((2 * y + w) / alpha)) by field.
    apply exp_ln. now apply Rdiv_lt_0_compat. }
  rewrite exp_Ropp, E.
  assert (Hw2 : w * w = 4 * y^2 + alpha * beta) by (rewrite <- Hs; ring).
  apply (Rmult_eq_reg_r (4 * (2 * y + w))); [|lra].
  transitivity ((2 * y + w) * (2 * y + w) - alpha * beta); [field; lra|].
  ring [Hw2].
Qed.

End Limit.

(** The condition alpha > 0 and (y > 0 or beta > 0) says that the limit equation
    has a root; for y > 0 it only excludes the head v0 = -z0. *)

Theorem T7_convergence h y z0 v0 :
  0 < alpha_of h z0 v0 -> 0 < y \/ 0 < beta_of h z0 v0 ->
  let s := final_clock y (alpha_of h z0 v0) (beta_of h z0 v0) in
  trains 1 1 h y z0 v0 (boost_z z0 v0 s) (boost_v z0 v0 s).
Proof.
  intros Hap Hor s.
  pose proof (T7_clock_limit y _ _ (alpha_nonneg h z0 v0) (beta_nonneg h z0 v0) Hap Hor) as Hl.
  pose proof (T7_boost_is_flow h y z0 v0) as Hb. simpl in Hb. destruct Hb as [Hf [Hz Hv]].
  set (c := clock y (alpha_of h z0 v0) (beta_of h z0 v0)) in *.
  exists (fun t => boost_z z0 v0 (c t)), (fun t => boost_v z0 v0 (c t)).
  split; [exact Hf|split; [exact Hz|split; [exact Hv|split]]].
  - intros i Hi. apply (is_lim_continuous_comp (fun x => boost_z z0 v0 x i)); [exact Hl|].
    apply (ex_derive_continuous (fun x => boost_z z0 v0 x i)).
    unfold boost_z, comb, cosh, sinh. auto_derive. exact I.
  - intros i Hi. apply (is_lim_continuous_comp (fun x => boost_v z0 v0 x i)); [exact Hl|].
    apply (ex_derive_continuous (fun x => boost_v z0 v0 x i)).
    unfold boost_v, comb, cosh, sinh. auto_derive. exact I.
Qed.

(** All flows from one start end at one place. *)
Theorem T7_limit_unique h y z0 v0 zT vT :
  0 < alpha_of h z0 v0 -> 0 < y \/ 0 < beta_of h z0 v0 ->
  trains 1 1 h y z0 v0 zT vT ->
  let s := final_clock y (alpha_of h z0 v0) (beta_of h z0 v0) in
  forall i, (i < h)%nat -> zT i = boost_z z0 v0 s i /\ vT i = boost_v z0 v0 s i.
Proof.
  intros Hap Hor [z [v [Hf [Hz [Hv [Lz Lv]]]]]] s i Hi.
  pose proof (T7_flow_is_boost h y z v z0 v0 Hf Hz Hv) as Hb.
  pose proof (T7_clock_limit y _ _ (alpha_nonneg h z0 v0) (beta_nonneg h z0 v0) Hap Hor) as Hl.
  fold s in Hl. set (c := clock y (alpha_of h z0 v0) (beta_of h z0 v0)) in *.
  assert (Bz : is_lim (fun t => z t i) p_infty (boost_z z0 v0 s i)).
  { apply (is_lim_ext_loc (fun t => boost_z z0 v0 (c t) i)).
    - exists 0. intros t Ht. symmetry. apply (Hb t i); [lra|exact Hi].
    - apply (is_lim_continuous_comp (fun x => boost_z z0 v0 x i)); [exact Hl|].
      apply (ex_derive_continuous (fun x => boost_z z0 v0 x i)).
      unfold boost_z, comb, cosh, sinh. auto_derive. exact I. }
  assert (Bv : is_lim (fun t => v t i) p_infty (boost_v z0 v0 s i)).
  { apply (is_lim_ext_loc (fun t => boost_v z0 v0 (c t) i)).
    - exists 0. intros t Ht. symmetry. apply (Hb t i); [lra|exact Hi].
    - apply (is_lim_continuous_comp (fun x => boost_v z0 v0 x i)); [exact Hl|].
      apply (ex_derive_continuous (fun x => boost_v z0 v0 x i)).
      unfold boost_v, comb, cosh, sinh. auto_derive. exact I. }
  apply is_lim_unique in Bz, Bv. specialize (Lz i Hi). specialize (Lv i Hi).
  apply is_lim_unique in Lz, Lv. rewrite Lz in Bz. rewrite Lv in Bv.
  split; congruence.
Qed.

Theorem T7_residual_vanishes h y z0 v0 zT vT :
  0 < alpha_of h z0 v0 -> 0 < y \/ 0 < beta_of h z0 v0 ->
  trains 1 1 h y z0 v0 zT vT -> dot h zT vT = y.
Proof.
  intros Hap Hor Ht. pose proof (T7_limit_unique h y z0 v0 zT vT Hap Hor Ht) as Hu. simpl in Hu.
  set (s := final_clock y (alpha_of h z0 v0) (beta_of h z0 v0)) in *.
  rewrite (dot_ext h zT (boost_z z0 v0 s) vT (boost_v z0 v0 s)); [|intros; apply Hu; assumption..].
  rewrite dot_boost. apply final_clock_fits; try assumption; [apply alpha_nonneg|apply beta_nonneg].
Qed.

(** ** The head exactly opposite to the feature *)

Theorem T7_opposite_head h y z0 z v :
  is_flow 1 1 h y z v -> starts h z z0 -> starts h v (fun i => - z0 i) ->
  forall t i, 0 <= t -> (i < h)%nat ->
    z t i = exp (- clock y 0 (4 * sq h z0) t) * z0 i /\ v t i = - z t i.
Proof.
  intros Hf Hz Hv t i Ht Hi.
  destruct (T7_flow_is_boost h y z v _ _ Hf Hz Hv t i Ht Hi) as [Ez Ev].
  assert (E : dot h z0 (fun i => - z0 i) = - sq h z0).
  { unfold sq, dot. rewrite <- (Rmult_1_l (sumn h (fun i => z0 i * z0 i))), Ropp_mult_distr_l, <- sumn_scal.
    apply sumn_ext; intros; ring. }
  assert (E2 : sq h (fun i => - z0 i) = sq h z0) by (apply sumn_ext; intros; ring).
  assert (Ea : alpha_of h z0 (fun i => - z0 i) = 0) by (unfold alpha_of; rewrite E, E2; ring).
  assert (Eb : beta_of h z0 (fun i => - z0 i) = 4 * sq h z0) by (unfold beta_of; rewrite E, E2; ring).
  rewrite Ea, Eb in Ez, Ev. rewrite Ez, Ev. unfold boost_z, boost_v, comb, cosh, sinh.
  split; field.
Qed.

Theorem T7_opposite_collapse h y z0 z v :
  0 < y -> is_flow 1 1 h y z v -> starts h z z0 -> starts h v (fun i => - z0 i) ->
  tends h z (fun _ => 0) /\ tends h v (fun _ => 0).
Proof.
  intros Hy Hf Hz Hv.
  set (b := 4 * sq h z0).
  assert (Hb : 0 <= b) by (pose proof (sq_nonneg h z0); unfold b; lra).
  assert (Ew : omega y 0 b = 2 * y).
  { unfold omega. replace (4 * y^2 + 0 * b) with ((2 * y)^2) by ring. apply sqrt_pow2. lra. }
  assert (Hl : is_lim (fun t => exp (- clock y 0 b t)) p_infty 0).
  { apply (is_lim_le_le_loc (fun _ => 0) (fun t => exp (- (y / 2 * t)))).
    - exists 0. intros t Ht. split; [left; apply exp_pos|].
      apply Rsqr_incr_0; [|left; apply exp_pos..].
      unfold Rsqr. rewrite <- !exp_plus.
      replace (- clock y 0 b t + - clock y 0 b t) with (- (2 * clock y 0 b t)) by ring.
      rewrite exp_m2_clock by lra.
      replace (- (y / 2 * t) + - (y / 2 * t)) with (- (y * t)) by field.
      assert (Ed : clock_den y 0 b t = exp (- (y * t))).
      { unfold clock_den. pose proof (C_minus_S y 0 b t) as H. rewrite Ew in *.
        replace (2 * y * t / 2) with (y * t) in * by field.
        rewrite <- H. field. }
      assert (En : 1 <= clock_num y 0 b t).
      { unfold clock_num. pose proof (S_nonneg y 0 b t ltac:(lra)) as H.
        pose proof (cosh_ge_1 (omega y 0 b * t / 2)). nra. }
      rewrite Ed. pose proof (exp_pos (- (y * t))).
      apply Rle_div_l; nra.
    - apply is_lim_const.
    - apply lim_exp_minus. lra. }
  split; intros i Hi.
  - apply (is_lim_ext_loc (fun t => exp (- clock y 0 b t) * z0 i)).
    + exists 0. intros t Ht. symmetry. apply (T7_opposite_head h y z0 z v Hf Hz Hv); [lra|exact Hi].
    + replace (Finite 0) with (Rbar_mult 0 (z0 i)) by (simpl; f_equal; ring).
      now apply is_lim_scal_r.
  - apply (is_lim_ext_loc (fun t => exp (- clock y 0 b t) * (- z0 i))).
    + exists 0. intros t Ht.
      destruct (T7_opposite_head h y z0 z v Hf Hz Hv t i ltac:(lra) Hi) as [E1 E2].
      fold b in E1. rewrite E2, E1. ring.
    + replace (Finite 0) with (Rbar_mult 0 (- z0 i)) by (simpl; f_equal; ring).
      now apply is_lim_scal_r.
Qed.
