(** * Sums: finite sums and dot products.

   notation: see Definitions.v (sumn, dot, sq, comb).

   sumn_ext, sumn_plus, sumn_scal, sumn_swap   the usual rules
   sumn_nonneg, sumn_le, sumn_lt               order
   dot_comb                                    (p u + q v) . (r u + s v), expanded
   cauchy_schwarz                              (u . v)^2 <= |u|^2 |v|^2
   *)

Require Import Reals Lra Lia Psatz.
From Coquelicot Require Import Coquelicot.
From TaskHead Require Import Definitions.
Open Scope R_scope.

Lemma sumn_ext n f g : (forall i, (i < n)%nat -> f i = g i) -> sumn n f = sumn n g.
Proof.
  induction n as [|n IH]; intros H; simpl; [reflexivity|].
  rewrite IH; [|intros; apply H; lia]. now rewrite H by lia.
Qed.

Lemma sumn_plus n f g : sumn n (fun i => f i + g i) = sumn n f + sumn n g.
Proof. induction n as [|n IH]; simpl; [ring|]. rewrite IH; ring. Qed.

Lemma sumn_minus n f g : sumn n (fun i => f i - g i) = sumn n f - sumn n g.
Proof. induction n as [|n IH]; simpl; [ring|]. rewrite IH; ring. Qed.

Lemma sumn_scal n c f : sumn n (fun i => c * f i) = c * sumn n f.
Proof. induction n as [|n IH]; simpl; [ring|]. rewrite IH; ring. Qed.

Lemma sumn_scal_r n c f : sumn n (fun i => f i * c) = sumn n f * c.
Proof. induction n as [|n IH]; simpl; [ring|]. rewrite IH; ring. Qed.

Lemma sumn_zero n : sumn n (fun _ => 0) = 0.
Proof. induction n as [|n IH]; simpl; [ring|]. rewrite IH; ring. Qed.

Lemma sumn_swap n p (f : nat -> nat -> R) :
  sumn n (fun i => sumn p (fun j => f i j)) = sumn p (fun j => sumn n (fun i => f i j)).
Proof.
  induction n as [|n IH]; simpl.
  - now rewrite sumn_zero.
  - rewrite IH. now rewrite <- sumn_plus.
Qed.

Lemma sumn_nonneg n f : (forall i, (i < n)%nat -> 0 <= f i) -> 0 <= sumn n f.
Proof.
  induction n as [|n IH]; intros H; simpl; [lra|].
  assert (0 <= sumn n f) by (apply IH; intros; apply H; lia).
  assert (0 <= f n) by (apply H; lia). lra.
Qed.

Lemma sumn_le n f g : (forall i, (i < n)%nat -> f i <= g i) -> sumn n f <= sumn n g.
Proof.
  induction n as [|n IH]; intros H; simpl; [lra|].
  assert (sumn n f <= sumn n g) by (apply IH; intros; apply H; lia).
  assert (f n <= g n) by (apply H; lia). lra.
Qed.

Lemma sumn_lt n f g :
  (forall i, (i < n)%nat -> f i <= g i) -> (exists i, (i < n)%nat /\ f i < g i) ->
  sumn n f < sumn n g.
Proof.
  induction n as [|n IH]; intros H [i [Hi Hlt]]; simpl; [lia|].
  assert (Hn : f n <= g n) by (apply H; lia).
  destruct (Nat.eq_dec i n) as [->|Hne].
  - assert (sumn n f <= sumn n g) by (apply sumn_le; intros; apply H; lia). lra.
  - assert (sumn n f < sumn n g).
    { apply IH; [intros; apply H; lia|]. exists i; split; [lia|assumption]. }
    lra.
Qed.

(** One term of a sum of non-negative terms is at most the sum. *)
Lemma sumn_term n f i :
  (forall j, (j < n)%nat -> 0 <= f j) -> (i < n)%nat -> f i <= sumn n f.
Proof.
  induction n as [|n IH]; intros H Hi; simpl; [lia|].
  assert (0 <= f n) by (apply H; lia).
  assert (0 <= sumn n f) by (apply sumn_nonneg; intros; apply H; lia).
  destruct (Nat.eq_dec i n) as [->|Hne]; [lra|].
  assert (f i <= sumn n f) by (apply IH; [intros; apply H; lia|lia]). lra.
Qed.

(** A sum with one non-zero term. *)
Lemma sumn_single n i (f : nat -> R) :
  (i < n)%nat -> (forall j, (j < n)%nat -> j <> i -> f j = 0) -> sumn n f = f i.
Proof.
  induction n as [|n IH]; intros Hi H; simpl; [lia|].
  destruct (Nat.eq_dec i n) as [->|Hne].
  - rewrite (sumn_ext n f (fun _ => 0)) by (intros; apply H; lia).
    rewrite sumn_zero; ring.
  - rewrite IH by (try lia; intros; apply H; lia). rewrite (H n) by lia. ring.
Qed.

(** ** Dot products *)

Lemma dot_ext h u u' v v' :
  (forall i, (i < h)%nat -> u i = u' i) -> (forall i, (i < h)%nat -> v i = v' i) ->
  dot h u v = dot h u' v'.
Proof. intros Hu Hv. apply sumn_ext; intros; now rewrite Hu, Hv. Qed.

Lemma sq_ext h u u' : (forall i, (i < h)%nat -> u i = u' i) -> sq h u = sq h u'.
Proof. intros H. now apply dot_ext. Qed.

Lemma dot_comm h u v : dot h u v = dot h v u.
Proof. apply sumn_ext; intros; ring. Qed.

Lemma sq_nonneg h u : 0 <= sq h u.
Proof. apply sumn_nonneg; intros; nra. Qed.

Lemma sq_zero_coord h u : sq h u = 0 -> forall i, (i < h)%nat -> u i = 0.
Proof.
  intros H i Hi.
  assert (u i * u i <= sq h u).
  { apply (sumn_term h (fun j => u j * u j)); [intros; nra|assumption]. }
  nra.
Qed.

Lemma dot_comb h p q r s u v :
  dot h (comb p u q v) (comb r u s v) =
  p * r * sq h u + (p * s + q * r) * dot h u v + q * s * sq h v.
Proof.
  unfold sq, dot, comb. induction h as [|h IH]; simpl; [ring|]. rewrite IH; ring.
Qed.

Lemma dot_comb_r h w p u q v :
  dot h w (comb p u q v) = p * dot h w u + q * dot h w v.
Proof. unfold dot, comb. induction h as [|h IH]; simpl; [ring|]. rewrite IH; ring. Qed.

Lemma dot_comb_l h w p u q v :
  dot h (comb p u q v) w = p * dot h u w + q * dot h v w.
Proof. rewrite dot_comm, dot_comb_r, (dot_comm h w u), (dot_comm h w v). reflexivity. Qed.

Lemma sq_comb h p q u v :
  sq h (comb p u q v) = p^2 * sq h u + 2 * p * q * dot h u v + q^2 * sq h v.
Proof. unfold sq at 1. rewrite dot_comb. ring. Qed.

Lemma cauchy_schwarz h u v : (dot h u v)^2 <= sq h u * sq h v.
Proof.
  destruct (Req_dec (sq h u) 0) as [H0|H0].
  - assert (H : dot h u v = 0).
    { unfold dot. rewrite (sumn_ext h _ (fun _ => 0)); [apply sumn_zero|].
      intros i Hi. rewrite (sq_zero_coord h u H0 i Hi). ring. }
    rewrite H, H0. lra.
  - assert (Hp : 0 < sq h u) by (pose proof (sq_nonneg h u); lra).
    pose proof (sq_nonneg h (comb (dot h u v) u (- sq h u) v)) as H.
    rewrite sq_comb in H.
    assert (H' : 0 <= sq h u * (sq h u * sq h v - dot h u v ^ 2)) by nra.
    assert (0 <= sq h u * sq h v - dot h u v ^ 2); [|lra].
    apply Rmult_le_reg_l with (sq h u); lra.
Qed.

Lemma alpha_nonneg h z0 v0 : 0 <= alpha_of h z0 v0.
Proof.
  replace (alpha_of h z0 v0) with (sq h (comb 1 z0 1 v0)); [apply sq_nonneg|].
  rewrite sq_comb. unfold alpha_of. ring.
Qed.

Lemma beta_nonneg h z0 v0 : 0 <= beta_of h z0 v0.
Proof.
  replace (beta_of h z0 v0) with (sq h (comb 1 z0 (-1) v0)); [apply sq_nonneg|].
  rewrite sq_comb. unfold beta_of. ring.
Qed.
