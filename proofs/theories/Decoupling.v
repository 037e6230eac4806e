(** * Decoupling: T14, what the modes need at the start only.

   notation: see Definitions.v and Modes.v.

   T14_stays_orthogonal   modes whose features and heads are orthogonal to each other at the start stay so
   T14_decoupling_start   so the sum of the mode flows solves the matrix flow, with hypotheses on the start only
   T14_matrix_probing     the modes decouple in head probing, too: the sum of the probed heads solves it
   T14_probing_unique     and nothing else does
   *)

Require Import Reals Lra Lia Psatz.
From Coquelicot Require Import Coquelicot.
From TaskHead Require Import Definitions Sums Calculus Boost Probing Modes Lorentz FrozenMatrix ProbingMatrix.
Open Scope R_scope.

(** A flow stays orthogonal to what it is orthogonal to at the start. *)
Lemma flow_blind kappa gamma h y z v (x : vec) : is_flow kappa gamma h y z v ->
  dot h (z 0) x = 0 -> dot h (v 0) x = 0 -> forall t, 0 <= t -> dot h (z t) x = 0 /\ dot h (v t) x = 0.
Proof.
  intros Hf Hz Hv t Ht.
  set (r := fun s => y - dot h (z s) (v s)).
  set (G := fun (s : R) i j => match i, j with 0%nat, 1%nat => kappa * r s | 1%nat, 0%nat => gamma * r s | _, _ => 0 end).
  set (D := fun s i => match i with 0%nat => dot h (z s) x | _ => dot h (v s) x end).
  assert (Hr : forall s, 0 <= s -> continuous r s).
  { intros s Hs.
    apply (is_derive_continuous r s (0 - (dot h (fun i => kappa * r s * v s i) (v s) + dot h (z s) (fun i => gamma * r s * z s i)))).
    apply (is_derive_Rminus (fun _ => y)); [apply is_derive_Rconst|].
    apply is_derive_dot; intros i Hi; now apply (Hf s Hs i Hi). }
  assert (K : forall i, (i < 2)%nat -> D t i = 0).
  { intros i Hi. apply (linear_system_unique 2 G D); [| | |exact Ht|exact Hi].
    - intros s Hs p q Hp Hq. unfold G.
      destruct p as [|[|p]], q as [|[|q]]; try apply continuous_const; try lia;
        apply (continuous_scal_r _ r); now apply Hr.
    - intros s Hs p Hp.
      assert (Dz : is_derive (fun s => dot h (z s) x) s (kappa * r s * dot h (v s) x)).
      { refine (is_derive_val _ _ _ _ (is_derive_dot h z (fun _ => x) (fun i => kappa * r s * v s i) (fun _ => 0) s _ _) _).
        - intros i' Hi'. now apply (Hf s Hs i' Hi').
        - intros i' _. apply is_derive_Rconst.
        - rewrite (dot_zero_r h (z s)) by reflexivity. unfold dot. rewrite <- sumn_scal, Rplus_0_r. apply sumn_ext; intros; ring. }
      assert (Dv : is_derive (fun s => dot h (v s) x) s (gamma * r s * dot h (z s) x)).
      { refine (is_derive_val _ _ _ _ (is_derive_dot h v (fun _ => x) (fun i => gamma * r s * z s i) (fun _ => 0) s _ _) _).
        - intros i' Hi'. now apply (Hf s Hs i' Hi').
        - intros i' _. apply is_derive_Rconst.
        - rewrite (dot_zero_r h (v s)) by reflexivity. unfold dot. rewrite <- sumn_scal, Rplus_0_r. apply sumn_ext; intros; ring. }
      destruct p as [|[|p]]; [| |lia].
      + refine (is_derive_val _ _ _ _ Dz _). simpl. ring.
      + refine (is_derive_val _ _ _ _ Dv _). simpl. ring.
    - intros p Hp. destruct p as [|[|p]]; [exact Hz|exact Hv|lia]. }
  split; [exact (K 0%nat ltac:(lia))|exact (K 1%nat ltac:(lia))].
Qed.

Theorem T14_stays_orthogonal h kappa1 kappa2 gamma y1 y2 z1 v1 z2 v2 :
  is_flow kappa1 gamma h y1 z1 v1 -> is_flow kappa2 gamma h y2 z2 v2 ->
  dot h (z1 0) (z2 0) = 0 -> dot h (z1 0) (v2 0) = 0 -> dot h (v1 0) (z2 0) = 0 -> dot h (v1 0) (v2 0) = 0 ->
  forall s t, 0 <= s -> 0 <= t ->
    dot h (z1 s) (z2 t) = 0 /\ dot h (z1 s) (v2 t) = 0 /\ dot h (v1 s) (z2 t) = 0 /\ dot h (v1 s) (v2 t) = 0.
Proof.
  intros F1 F2 Hzz Hzv Hvz Hvv s t Hs Ht.
  destruct (flow_blind kappa1 gamma h y1 z1 v1 (z2 0) F1 Hzz Hvz s Hs) as [A1 A2].
  destruct (flow_blind kappa1 gamma h y1 z1 v1 (v2 0) F1 Hzv Hvv s Hs) as [B1 B2].
  destruct (flow_blind kappa2 gamma h y2 z2 v2 (z1 s) F2) with (t := t) as [C1 C2];
    [now rewrite dot_comm|now rewrite dot_comm|exact Ht|].
  destruct (flow_blind kappa2 gamma h y2 z2 v2 (v1 s) F2) with (t := t) as [E1 E2];
    [now rewrite dot_comm|now rewrite dot_comm|exact Ht|].
  rewrite (dot_comm h (z1 s)), (dot_comm h (z1 s)), (dot_comm h (v1 s)), (dot_comm h (v1 s)). auto.
Qed.

Section Modes.
Variables (n N h k : nat) (y : nat -> R) (p q : nat -> vec).
Hypothesis Hp : orthonormal n N p.
Hypothesis Hq : orthonormal n k q.

Theorem T14_decoupling_start gamma (kappa : nat -> R) (z v : nat -> R -> vec) :
  (forall i, (i < n)%nat -> is_flow (kappa i) gamma h (y i) (z i) (v i)) ->
  (forall i j, (i < n)%nat -> (j < n)%nat -> i <> j ->
     dot h (z i 0) (z j 0) = 0 /\ dot h (z i 0) (v j 0) = 0 /\ dot h (v i 0) (v j 0) = 0) ->
  is_feature_flow gamma N h k (outer_sum n kappa p p) (outer_sum n y p q)
    (fun t => outer_sum n (fun _ => 1) p (fun i => z i t))
    (fun t => outer_sum n (fun _ => 1) (fun i => v i t) q).
Proof.
  intros Hf H0. apply T14_decoupling; [exact Hp|exact Hq|exact Hf|].
  intros t i j Ht Hi Hj Hne.
  destruct (H0 i j Hi Hj Hne) as [Z [ZV VV]]. destruct (H0 j i Hj Hi ltac:(auto)) as [_ [VZ _]].
  apply (T14_stays_orthogonal h (kappa i) (kappa j) gamma (y i) (y j) (z i) (v i) (z j) (v j)); auto.
  now rewrite dot_comm.
Qed.

(** ** Head probing *)

Section ProbingModes.
Variables (z0 v0 : nat -> vec).
Hypothesis Hort : forall i j, (i < n)%nat -> (j < n)%nat -> i <> j ->
  dot h (z0 i) (z0 j) = 0 /\ dot h (z0 i) (v0 j) = 0.

Lemma probed_head_flow i : is_flow 0 1 h (y i) (fun _ => z0 i) (fun t => probed_head h (y i) (z0 i) (v0 i) t).
Proof.
  intros t Ht j Hj. split.
  - rewrite !Rmult_0_l. apply is_derive_Rconst.
  - rewrite probed_dot. unfold probed_head, comb.
    apply (is_derive_extR (fun t => 1 * v0 i j + (y i - dot h (z0 i) (v0 i)) * z0 i j * phi (sq h (z0 i)) t)); [intros; ring|].
    refine (is_derive_val _ _ _ _ (is_derive_Rplus (fun _ => 1 * v0 i j) _ t _ _ (is_derive_Rconst _ _)
      (is_derive_Rscal _ _ _ _ (phi_derive (sq h (z0 i)) t))) _).
    cbv beta. ring.
Qed.

Theorem T14_matrix_probing :
  is_matrix_probing N h k (outer_sum n y p q) (outer_sum n (fun _ => 1) p z0)
    (fun t => outer_sum n (fun _ => 1) (fun i => probed_head h (y i) (z0 i) (v0 i) t) q).
Proof.
  intros t Ht j c Hj Hc.
  destruct (T14_decoupling n N h k 1 (fun _ => 0) y p q (fun i _ => z0 i) (fun i t => probed_head h (y i) (z0 i) (v0 i) t)
    Hp Hq) with (t := t) as [_ D]; [intros; apply probed_head_flow| |exact Ht|].
  - intros s i l Hs Hi Hl Hne. destruct (Hort i l Hi Hl Hne) as [Z ZV].
    unfold probed_head. rewrite dot_comb_r, Z, ZV. ring.
  - refine (is_derive_val _ _ _ _ (D j c Hj Hc) _). apply Rmult_1_l.
Qed.

Theorem T14_probing_unique V : is_matrix_probing N h k (outer_sum n y p q) (outer_sum n (fun _ => 1) p z0) V ->
  (forall j c, (j < h)%nat -> (c < k)%nat -> V 0 j c = outer_sum n (fun _ => 1) v0 q j c) ->
  forall t j c, 0 <= t -> (j < h)%nat -> (c < k)%nat ->
    V t j c = outer_sum n (fun _ => 1) (fun i => probed_head h (y i) (z0 i) (v0 i) t) q j c.
Proof.
  intros HV H0 t j c Ht Hj Hc.
  apply (T3_matrix_unique N h k _ _ V _ HV T14_matrix_probing); [|exact Ht|exact Hj|exact Hc].
  intros i e Hi He. rewrite H0 by assumption. apply sumn_ext; intros l _.
  unfold probed_head, comb. rewrite phi_0. ring.
Qed.
End ProbingModes.
End Modes.
