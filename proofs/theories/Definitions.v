(** * Definitions: every notion that the theorems mention, and no proof.

   Vectors and matrices are functions of an index; only indices below the
   stated size count.

   notation            meaning
   ------------------  ------------------------------------------------------
   sumn n f            f 0 + f 1 + ... + f (n-1)
   dot h u v           u . v, over the first h coordinates
   sq h u              |u|^2
   vnorm h u           |u|
   dist h u v          |u - v|
   cosine h u v        (u . v) / (|u| |v|)
   z t, v t            feature vector and head vector at time t (width h)
   kappa, gamma        kernel value of the sample; head rate / backbone rate
   y                   target; the residual is r = y - z . v
   is_flow             (z, v) solves  z' = kappa r v,  v' = gamma r z
   starts, tends       value at time 0; limit for t -> infinity
   is_one_loss_flow      the same flow for a loss with residual r = res (z . v)
   stops_at            such a flow is at (z1, v1) when its prediction z . v is q
   trains              some flow leads from (z0, v0) to the limits (zT, vT)
   energy h y z0 v0    E = |y - z0 . v0|, the residual at the start
   a, w                normalised head: v0 = a z0 + w e, |z0| = |e| = 1, e _|_ z0
   sigma y w a         rapidity at t = infinity
   *)

Require Import Reals.
From Coquelicot Require Import Coquelicot.
Open Scope R_scope.

(** ** Vectors *)

Definition vec := nat -> R.

(** Sum of the first [n] values of [f]. *)
Fixpoint sumn (n : nat) (f : nat -> R) : R :=
  match n with
  | O => 0
  | S p => sumn p f + f p
  end.

Definition dot (h : nat) (u v : vec) : R := sumn h (fun i => u i * v i).
Definition sq (h : nat) (u : vec) : R := dot h u u.
Definition vsub (u v : vec) : vec := fun i => u i - v i.
Definition vnorm (h : nat) (u : vec) : R := sqrt (sq h u).
Definition dist (h : nat) (u v : vec) : R := vnorm h (vsub u v).
Definition cosine (h : nat) (u v : vec) : R := dot h u v / (vnorm h u * vnorm h v).

(** The combination [p u + q v]. *)
Definition comb (p : R) (u : vec) (q : R) (v : vec) : vec := fun i => p * u i + q * v i.

Definition vscale (p : R) (u : vec) : vec := fun i => p * u i.

(** ** The rank-one finetuning flow

   The equations are required for [0 <= t] only: backwards in time solutions
   blow up, so asking for all [t] would leave nothing to talk about. *)

Definition is_flow (kappa gamma : R) (h : nat) (y : R) (z v : R -> vec) : Prop :=
  forall t, 0 <= t -> forall i, (i < h)%nat ->
    is_derive (fun s => z s i) t (kappa * (y - dot h (z t) (v t)) * v t i) /\
    is_derive (fun s => v s i) t (gamma * (y - dot h (z t) (v t)) * z t i).

Definition starts (h : nat) (z : R -> vec) (z0 : vec) : Prop :=
  forall i, (i < h)%nat -> z 0 i = z0 i.

Definition tends (h : nat) (z : R -> vec) (zT : vec) : Prop :=
  forall i, (i < h)%nat -> is_lim (fun t => z t i) p_infty (zT i).

(** Training from feature [z0] and head [v0] ends at [zT] and [vT]. *)
Definition trains (kappa gamma : R) (h : nat) (y : R) (z0 v0 zT vT : vec) : Prop :=
  exists z v : R -> vec,
    is_flow kappa gamma h y z v /\ starts h z z0 /\ starts h v v0 /\
    tends h z zT /\ tends h v vT.

(** The same for any differentiable loss of one sample: [res q] is minus its derivative at the
    prediction [q], so the squared loss has [res q = y - q]. *)
Definition is_one_loss_flow (kappa gamma : R) (h : nat) (res : R -> R) (z v : R -> vec) : Prop :=
  forall t, 0 <= t -> forall i, (i < h)%nat ->
    is_derive (fun s => z s i) t (kappa * res (dot h (z t) (v t)) * v t i) /\
    is_derive (fun s => v s i) t (gamma * res (dot h (z t) (v t)) * z t i).

(** The logistic loss ln(1 + e^(-q)) of the label 1: its residual, that is 1 - p for the predicted
    probability p = 1 / (1 + e^(-q)). It is the energy of a head with prediction [q]. *)
Definition logistic_energy (q : R) : R := 1 - / (1 + exp (- q)).

(** Training with the loss of residual [res] from (z0, v0), stopped when the prediction is [q], gives (z1, v1). *)
Definition stops_at (kappa gamma : R) (h : nat) (res : R -> R) (q : R) (z0 v0 z1 v1 : vec) : Prop :=
  exists (z v : R -> vec) (t : R),
    is_one_loss_flow kappa gamma h res z v /\ starts h z z0 /\ starts h v v0 /\ 0 <= t /\
    (forall i, (i < h)%nat -> z1 i = z t i /\ v1 i = v t i) /\ dot h z1 v1 = q.

(** Training residual left at the start of finetuning. *)
Definition energy (h : nat) (y : R) (z0 v0 : vec) : R := Rabs (y - dot h z0 v0).

(** [v2] differs from [v1] by a multiple of the feature [z0]: head probing
   on one sample moves the head along the feature and in no other direction. *)
Definition same_probing_line (h : nat) (z0 v1 v2 : vec) : Prop :=
  exists mu, forall i, (i < h)%nat -> v2 i = v1 i + mu * z0 i.

(** The head has a part orthogonal to the feature (w > 0 in the normalised model). *)
Definition has_orthogonal_part (h : nat) (z0 v0 : vec) : Prop :=
  (dot h z0 v0)^2 < sq h z0 * sq h v0.

(** ** Closed form of the flow (kappa = gamma = 1)

   With alpha = |z0 + v0|^2, beta = |z0 - v0|^2 and omega = sqrt(4 y^2 + alpha beta),
   u = e^(2 sigma) is the quotient of two solutions of a linear system. *)

Definition omega (y alpha beta : R) : R := sqrt (4 * y^2 + alpha * beta).

(** sinh(w t / 2) / (w / 2), and its limit t at w = 0. *)
Definition sinhc (w t : R) : R :=
  if Req_EM_T w 0 then t else sinh (w * t / 2) / (w / 2).

Definition clock_num (y alpha beta t : R) : R :=
  cosh (omega y alpha beta * t / 2) + (y + beta / 2) * sinhc (omega y alpha beta) t.
Definition clock_den (y alpha beta t : R) : R :=
  cosh (omega y alpha beta * t / 2) + (alpha / 2 - y) * sinhc (omega y alpha beta) t.

(** Rapidity at time [t]. *)
Definition clock (y alpha beta t : R) : R :=
  ln (clock_num y alpha beta t / clock_den y alpha beta t) / 2.

(** Rapidity at [t] = infinity. *)
Definition final_clock (y alpha beta : R) : R := ln ((2 * y + omega y alpha beta) / alpha) / 2.

Definition alpha_of (h : nat) (z0 v0 : vec) : R := sq h z0 + 2 * dot h z0 v0 + sq h v0.
Definition beta_of (h : nat) (z0 v0 : vec) : R := sq h z0 - 2 * dot h z0 v0 + sq h v0.

(** Feature and head at rapidity [s]: a hyperbolic rotation of the pair (z0, v0). *)
Definition boost_z (z0 v0 : vec) (s : R) : vec := comb (cosh s) z0 (sinh s) v0.
Definition boost_v (z0 v0 : vec) (s : R) : vec := comb (cosh s) v0 (sinh s) z0.

(** ** Limits of the normalised model: |z0| = 1, v0 = a z0 + w e *)

Definition m_of (w a : R) : R := 1 + a^2 + w^2.
Definition P_of (y w a : R) : R := sqrt (4 * y^2 + (m_of w a)^2 - 4 * a^2).

Definition sigma (y w a : R) : R :=
  ln ((2 * y + P_of y w a) / (m_of w a + 2 * a)) / 2.

(** The limit equation  m sinh(2 s) + 2 a cosh(2 s) = 2 y. *)
Definition limit_equation (y w a s : R) : Prop :=
  m_of w a * sinh (2 * s) + 2 * a * cosh (2 * s) = 2 * y.

(** z_T . z_0, |z_T|^2, |z_T - z_0|^2 and the cosine between z_T and z_0. *)
Definition dotT (y w a : R) : R := cosh (sigma y w a) + a * sinh (sigma y w a).
Definition norm2T (y w a : R) : R := dotT y w a ^ 2 + (w * sinh (sigma y w a)) ^ 2.
Definition dist2T (y w a : R) : R := (dotT y w a - 1) ^ 2 + (w * sinh (sigma y w a)) ^ 2.
Definition cosT (y w a : R) : R := dotT y w a / sqrt (norm2T y w a).

(** d sigma / d a and d |z_T - z_0|^2 / d a: that they are the derivatives is proved (T8_derivative,
    T10_is_derivative). *)
Definition slope (y w a : R) : R :=
  - (cosh (2 * sigma y w a) + a * sinh (2 * sigma y w a)) / P_of y w a.
Definition dist2T_slope (y w a : R) : R :=
  2 * (dotT y w a - 1) * (sinh (sigma y w a) + (sinh (sigma y w a) + a * cosh (sigma y w a)) * slope y w a)
  + 2 * (w * sinh (sigma y w a)) * (w * (cosh (sigma y w a) * slope y w a)).

(** ** From general kappa, gamma and |z0| to the normalised model

   y, a and w of the normalised model are [unit_of] times their general
   counterparts y, z0 . v0 and sqrt(|z0|^2 |v0|^2 - (z0 . v0)^2). *)

Definition unit_of (kappa gamma : R) (h : nat) (z0 : vec) : R := sqrt (kappa / gamma) / sq h z0.
Definition w_of (h : nat) (z0 v0 : vec) : R := sqrt (sq h z0 * sq h v0 - (dot h z0 v0)^2).

(** Excludes only the head that is exactly opposite to the feature (in the
    metric of the flow), from which training collapses to 0. *)
Definition not_opposite (kappa gamma : R) (h : nat) (z0 v0 : vec) : Prop :=
  0 < gamma * sq h z0 + 2 * sqrt (kappa * gamma) * dot h z0 v0 + kappa * sq h v0.

(** ** Head probing and the frozen head *)

(** (1 - e^(-lambda t)) / lambda, and its limit t at lambda = 0. *)
Definition phi (lambda t : R) : R :=
  if Req_EM_T lambda 0 then t else (1 - exp (- (lambda * t))) / lambda.

(** Head probing in singular coordinates, one output: mode [i] of the features has
    singular value [s i], and  v_i' = s_i (y_i - s_i v_i). *)
Definition is_probing (n : nat) (s y : vec) (v : R -> vec) : Prop :=
  forall t, 0 <= t -> forall i, (i < n)%nat ->
    is_derive (fun x => v x i) t (s i * (y i - s i * v t i)).

(** Squared energy: the sum of the squared residuals of all modes. *)
Definition probing_energy2 (n : nat) (s y : vec) (v : R -> vec) (t : R) : R :=
  sumn n (fun i => (y i - s i * v t i)^2).

(** Head of one sample after probing for time [tau]. *)
Definition probed_head (h : nat) (y : R) (z0 v0 : vec) (tau : R) : vec :=
  comb 1 v0 (phi (sq h z0) tau * (y - dot h z0 v0)) z0.

(** Feature of one sample after training for time [t] with a head that does not move, and its limit. *)
Definition frozen_z (kappa : R) (h : nat) (y : R) (z0 v0 : vec) (t : R) : vec :=
  comb 1 z0 (kappa * (y - dot h z0 v0) * phi (kappa * sq h v0) t) v0.
Definition frozen_limit (h : nat) (y : R) (z0 v0 : vec) : vec :=
  comb 1 z0 ((y - dot h z0 v0) / sq h v0) v0.

(** ** Matrices: N samples, d inputs, h features, k outputs *)

Definition mat := nat -> nat -> R.

Definition transpose (A : mat) : mat := fun i j => A j i.
Definition msub (A B : mat) : mat := fun i j => A i j - B i j.

(** Column [c] of a matrix; the product of an n x q and a q x m matrix. *)
Definition col (A : mat) (c : nat) : vec := fun j => A j c.
Definition mmul (q : nat) (A B : mat) : mat := fun i j => sumn q (fun l => A i l * B l j).

(** [n] orthonormal vectors in R^N, and the sum of the outer products [c i (u i) (v i)^T]. *)
Definition orthonormal (n N : nat) (p : nat -> vec) : Prop :=
  forall i j, (i < n)%nat -> (j < n)%nat -> dot N (p i) (p j) = if Nat.eqb i j then 1 else 0.
Definition outer_sum (n : nat) (c : nat -> R) (u v : nat -> vec) : mat :=
  fun a b => sumn n (fun i => c i * u i a * v i b).

(** Z = X B^T, R = Y - Z V. *)
Definition features (d : nat) (X B : mat) : mat := fun n j => sumn d (fun i => X n i * B j i).
Definition residual (h : nat) (Y Z V : mat) : mat := fun n c => Y n c - sumn h (fun j => Z n j * V j c).

(** Finetuning of backbone [B] (h x d) and head [V] (h x k):  B' = V R^T X,  V' = gamma Z^T R. *)
Definition is_matrix_flow (gamma : R) (N d h k : nat) (X Y : mat) (B V : R -> mat) : Prop :=
  forall t, 0 <= t ->
    let Z := features d X (B t) in let Rt := residual h Y Z (V t) in
    (forall j i, (j < h)%nat -> (i < d)%nat ->
       is_derive (fun s => B s j i) t (sumn N (fun n => sumn k (fun c => V t j c * Rt n c) * X n i))) /\
    (forall j c, (j < h)%nat -> (c < k)%nat ->
       is_derive (fun s => V s j c) t (gamma * sumn N (fun n => Z n j * Rt n c))).

(** The same dynamics in the features, for a kernel [K]:  Z' = K R V^T,  V' = gamma Z^T R. *)
Definition is_feature_flow (gamma : R) (N h k : nat) (K Y : mat) (Z V : R -> mat) : Prop :=
  forall t, 0 <= t ->
    let Rt := residual h Y (Z t) (V t) in
    (forall n j, (n < N)%nat -> (j < h)%nat ->
       is_derive (fun s => Z s n j) t (sumn N (fun m => K n m * sumn k (fun c => V t j c * Rt m c)))) /\
    (forall j c, (j < h)%nat -> (c < k)%nat ->
       is_derive (fun s => V s j c) t (gamma * sumn N (fun n => Z t n j * Rt n c))).

(** Squared Frobenius norm of an n x m matrix, the product tr(A^T B) of two, and the loss |R|^2 / 2. *)
Definition frob2 (n m : nat) (A : mat) : R := sumn n (fun i => sumn m (fun j => A i j ^ 2)).
Definition fdot (n m : nat) (A B : mat) : R := sumn n (fun i => sumn m (fun j => A i j * B i j)).
Definition loss (N h k : nat) (Y Z V : mat) : R := frob2 N k (residual h Y Z V) / 2.

(** tr(R^T K R V^T V): loss spent per time by moving the backbone;
    |Z^T R|^2 (times gamma): by moving the head. *)
Definition backbone_spending (N h k : nat) (K Rt V : mat) : R :=
  sumn k (fun c => sumn k (fun e =>
    sumn N (fun n => sumn N (fun m => Rt n c * K n m * Rt m e)) * sumn h (fun j => V j e * V j c))).
Definition head_spending (N h k : nat) (Z Rt : mat) : R :=
  sumn h (fun j => sumn k (fun c => (sumn N (fun n => Z n j * Rt n c))^2)).

Definition semidefinite (N : nat) (K : mat) : Prop :=
  forall x : vec, 0 <= sumn N (fun n => sumn N (fun m => x n * K n m * x m)).
Definition definite (N : nat) (K : mat) : Prop :=
  forall x : vec, (exists i, (i < N)%nat /\ x i <> 0) -> 0 < sumn N (fun n => sumn N (fun m => x n * K n m * x m)).
Definition symmetric (N : nat) (K : mat) : Prop :=
  forall n m, (n < N)%nat -> (m < N)%nat -> K n m = K m n.

(** ** Any loss

   A loss [ell] of the predictions F = Z V enters the flows through its residual, minus its gradient:
   along every differentiable path F(t),  d ell / dt = - sum of res(F) * F'. *)

Definition predict (h : nat) (Z V : mat) : mat := fun n c => sumn h (fun j => Z n j * V j c).
Definition residual_of (N k : nat) (ell : mat -> R) (res : mat -> mat) : Prop :=
  forall (F : R -> mat) (dF : mat) t,
    (forall n c, (n < N)%nat -> (c < k)%nat -> is_derive (fun s => F s n c) t (dF n c)) ->
    is_derive (fun s => ell (F s)) t (- sumn N (fun n => sumn k (fun c => res (F t) n c * dF n c))).

(** The flows of [is_matrix_flow] and [is_feature_flow] with R = res(Z V). *)
Definition is_loss_flow (gamma : R) (N d h k : nat) (X : mat) (res : mat -> mat) (B V : R -> mat) : Prop :=
  forall t, 0 <= t ->
    let Z := features d X (B t) in let Rt := res (predict h Z (V t)) in
    (forall j i, (j < h)%nat -> (i < d)%nat ->
       is_derive (fun s => B s j i) t (sumn N (fun n => sumn k (fun c => V t j c * Rt n c) * X n i))) /\
    (forall j c, (j < h)%nat -> (c < k)%nat ->
       is_derive (fun s => V s j c) t (gamma * sumn N (fun n => Z n j * Rt n c))).
Definition is_loss_feature_flow (gamma : R) (N h k : nat) (K : mat) (res : mat -> mat) (Z V : R -> mat) : Prop :=
  forall t, 0 <= t ->
    let Rt := res (predict h (Z t) (V t)) in
    (forall n j, (n < N)%nat -> (j < h)%nat ->
       is_derive (fun s => Z s n j) t (sumn N (fun m => K n m * sumn k (fun c => V t j c * Rt m c)))) /\
    (forall j c, (j < h)%nat -> (c < k)%nat ->
       is_derive (fun s => V s j c) t (gamma * sumn N (fun n => Z t n j * Rt n c))).

(** Squared loss |Y - F|^2 / 2, and its residual. *)
Definition squared_loss (N k : nat) (Y F : mat) : R := frob2 N k (msub Y F) / 2.
Definition squared_residual (Y F : mat) : mat := msub Y F.

(** Softmax with cross-entropy, for any label distribution Y (one-hot or smoothed), and y - p. *)
Definition partition (k : nat) (f : vec) : R := sumn k (fun c => exp (f c)).
Definition softmax (k : nat) (f : vec) : vec := fun c => exp (f c) / partition k f.
Definition cross_entropy (N k : nat) (Y F : mat) : R :=
  sumn N (fun n => ln (partition k (F n)) - sumn k (fun c => Y n c * F n c)).
Definition softmax_residual (k : nat) (Y F : mat) : mat := fun n c => Y n c - softmax k (F n) c.

(** ** Head probing and frozen-head training of matrices *)

(** Head probing of matrices:  V' = Z^T (Y - Z V)  with fixed features Z. *)
Definition is_matrix_probing (N h k : nat) (Y Z : mat) (V : R -> mat) : Prop :=
  forall t, 0 <= t -> forall j c, (j < h)%nat -> (c < k)%nat ->
    is_derive (fun s => V s j c) t (sumn N (fun n => Z n j * residual h Y Z (V t) n c)).

(** Head after probing for time [t] where the rows of Z0 are orthogonal (Z0 Z0^T = diag(lam)) and Z0 Vi = 0. *)
Definition probed (N : nat) (lam : vec) (Y Z0 Vi : mat) (t : R) : mat :=
  fun j c => Vi j c + sumn N (fun n => phi (lam n) t * Y n c * Z0 n j).

(** Row n of U^T A, for vectors u n over the samples (the columns of U). *)
Definition rotate (N : nat) (u : nat -> vec) (A : mat) : mat := fun n j => dot N (u n) (col A j).

(** Training the features from [Z0] with the fixed head [W] ends at [X]. *)
Definition frozen_trains (N h k : nat) (K Y Z0 W X : mat) : Prop :=
  exists Z : R -> mat, is_feature_flow 0 N h k K Y Z (fun _ => W) /\
    (forall n j, (n < N)%nat -> (j < h)%nat -> Z 0 n j = Z0 n j) /\
    (forall n j, (n < N)%nat -> (j < h)%nat -> is_lim (fun t => Z t n j) p_infty (X n j)).

(** Finetuning from the features [Z0] and the head [V0] ends at the features [X]. *)
Definition finetunes (gamma : R) (N h k : nat) (K Y Z0 V0 X : mat) : Prop :=
  exists Z V : R -> mat, is_feature_flow gamma N h k K Y Z V /\
    (forall n j, (n < N)%nat -> (j < h)%nat -> Z 0 n j = Z0 n j) /\
    (forall j c, (j < h)%nat -> (c < k)%nat -> V 0 j c = V0 j c) /\
    (forall n j, (n < N)%nat -> (j < h)%nat -> is_lim (fun t => Z t n j) p_infty (X n j)).

(** ** Pseudo-orthogonal (Lorentz) transformations of R^(r + k) *)

(** Diagonal of J = diag(I_r, -I_k). *)
Definition Jsign (r i : nat) : R := if Nat.ltb i r then 1 else -1.

(** The generator [[0, Rh], [Rh^T, 0]] for an r x k matrix [Rh]. *)
Definition generator (r : nat) (Rh : mat) : mat := fun i j =>
  if Nat.ltb i r then (if Nat.ltb j r then 0 else Rh i (j - r)%nat)
  else (if Nat.ltb j r then Rh j (i - r)%nat else 0).

Definition identity : mat := fun i j => if Nat.eqb i j then 1 else 0.

(** The (r + k) x h matrix [Zh; V^T]. *)
Definition stacked (r : nat) (Zh V : mat) : mat := fun i j =>
  if Nat.ltb i r then Zh i j else V j (i - r)%nat.

(** Phi' = G Phi, Phi(0) = I, for size n. *)
Definition is_propagator (n : nat) (G : R -> mat) (Phi : R -> mat) : Prop :=
  (forall i j, (i < n)%nat -> (j < n)%nat -> Phi 0 i j = identity i j) /\
  forall t, 0 <= t -> forall i j, (i < n)%nat -> (j < n)%nat ->
    is_derive (fun s => Phi s i j) t (sumn n (fun l => G t i l * Phi t l j)).

(** ** Whitened, balanced training (K = I)

   F = [[-lam/2 I, Y], [Y^T, lam/2 I]] and the balance V V^T - Z^T Z = lam I_h of a start. *)

Definition whitened_generator (N : nat) (lam : R) (Y : mat) : mat := fun i j =>
  generator N Y i j - lam / 2 * Jsign N i * identity i j.
Definition balanced (N h k : nat) (lam : R) (Z V : mat) : Prop := forall a b, (a < h)%nat -> (b < h)%nat ->
  sumn k (fun c => V a c * V b c) - sumn N (fun n => Z n a * Z n b) = lam * identity a b.

(** A primitive of the n x n matrix path E E, zero at the start. *)
Definition is_square_integral (n : nat) (E W : R -> mat) : Prop :=
  (forall i j, (i < n)%nat -> (j < n)%nat -> W 0 i j = 0) /\
  forall t, 0 <= t -> forall i j, (i < n)%nat -> (j < n)%nat -> is_derive (fun s => W s i j) t (mmul n (E t) (E t) i j).

(** ** Norms of matrices, for the energy bound *)

(** A p x q matrix applied to a vector; it stretches no vector by more than [c];
    it shrinks none below [s] times its length. *)
Definition act (q : nat) (A : mat) (x : vec) : vec := fun i => sumn q (fun j => A i j * x j).
Definition bounded_by (p q : nat) (A : mat) (c : R) : Prop :=
  forall x : vec, vnorm p (act q A x) <= c * vnorm q x.
Definition bounded_below (p q : nat) (A : mat) (s : R) : Prop :=
  forall x : vec, s * vnorm q x <= vnorm p (act q A x).
Definition mul (q : nat) (A B : mat) : mat := fun i j => sumn q (fun l => A i l * B l j).

(** The operator  S |-> K S V0^T V0 + Z0 Z0^T S  of the lazy limit (gamma = 1). *)
Definition lazy_operator (N h k : nat) (K Z0 V0 S : mat) : mat := fun n c =>
  mul h (mul N K (mul k S (transpose V0))) V0 n c + mul h Z0 (mul N (transpose Z0) S) n c.

(** The same for any head rate:  S |-> K S V0^T V0 + gamma Z0 Z0^T S. *)
Definition lazy_operator_of (gamma : R) (N h k : nat) (K Z0 V0 S : mat) : mat := fun n c =>
  mul h (mul N K (mul k S (transpose V0))) V0 n c + gamma * mul h Z0 (mul N (transpose Z0) S) n c.

(** Frobenius norm. *)
Definition fnorm (n m : nat) (A : mat) : R := sqrt (frob2 n m A).
