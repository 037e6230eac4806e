(** * Axioms: prints the axioms that the exported theorems rest on, file by file.

   The build writes the output of this file to axioms.out; the script [check]
   compares it with expected-axioms.txt and with the table in README.md.
   A theorem is exported if it is stated with the keyword Theorem.
   For each file the theorems are put into one tuple; their names are printed
   from that tuple, then the axioms of the tuple, that is of all of them. *)

From TaskHead Require Import
  Definitions Sums Calculus Boost LimitEquation NormLaw DistanceLaw CosineLaw
  DotLaw Beyond Scaling EnergyLaws LossPath Reached Probing FrozenHead Modes AnyLoss MatrixFlow
  Width Descent Lorentz EnergyBound LinearFlow FrozenMatrix ProbingMatrix FrozenTrend Whitened Decoupling AnyBasis
  LazyBound Picard Existence FlowExists Turns FirstStep Rates Commuting LazySolution
  SecondOrder.

Ltac names t :=
  lazymatch t with
  | (?a, ?b) => names a; names b
  | ?x => idtac "==" x
  end.

Definition Boost_theorems :=
  (T2_rank_one,
   T7_clock_equation,
   T7_boost_is_flow,
   T7_flow_is_boost,
   T7_clock_limit,
   T7_convergence,
   T7_limit_unique,
   T7_residual_vanishes,
   T7_opposite_head,
   T7_opposite_collapse).
Goal True. let t := eval unfold Boost_theorems in Boost_theorems in names t. Abort.
Print Assumptions Boost_theorems.

Definition LimitEquation_theorems :=
  (T8_root,
   T8_unique,
   T8_generic,
   T8_zero,
   T8_sign,
   T8_algebraic,
   T8_derivative).
Goal True. let t := eval unfold LimitEquation_theorems in LimitEquation_theorems in names t. Abort.
Print Assumptions LimitEquation_theorems.

Definition NormLaw_theorems :=
  (T9_closed_form,
   T9_norm_law,
   T9_rises,
   T13_norm_falls).
Goal True. let t := eval unfold NormLaw_theorems in NormLaw_theorems in names t. Abort.
Print Assumptions NormLaw_theorems.

Definition DistanceLaw_theorems :=
  (T10_is_derivative,
   T10_derivative,
   T10_distance_law).
Goal True. let t := eval unfold DistanceLaw_theorems in DistanceLaw_theorems in names t. Abort.
Print Assumptions DistanceLaw_theorems.

Definition CosineLaw_theorems :=
  (T11_cosine_law,
   T11_no_orthogonal_part).
Goal True. let t := eval unfold CosineLaw_theorems in CosineLaw_theorems in names t. Abort.
Print Assumptions CosineLaw_theorems.

Definition DotLaw_theorems :=
  (T12_dot_law,
   T12_no_orthogonal_part).
Goal True. let t := eval unfold DotLaw_theorems in DotLaw_theorems in names t. Abort.
Print Assumptions DotLaw_theorems.

Definition Beyond_theorems :=
  (T13_distance_breaks,
   T13_dot_turns_up).
Goal True. let t := eval unfold Beyond_theorems in Beyond_theorems in names t. Abort.
Print Assumptions Beyond_theorems.

Definition Scaling_theorems :=
  (scale_flow,
   flip_flow,
   trains_normalise,
   limit_quantities,
   T7_general_converges,
   T7_general_unique).
Goal True. let t := eval unfold Scaling_theorems in Scaling_theorems in names t. Abort.
Print Assumptions Scaling_theorems.

Definition EnergyLaws_theorems :=
  (T9_energy,
   T13_energy,
   T10_energy,
   T11_energy,
   T12_energy,
   T12_energy_parallel,
   laws_not_vacuous).
Goal True. let t := eval unfold EnergyLaws_theorems in EnergyLaws_theorems in names t. Abort.
Print Assumptions EnergyLaws_theorems.

Definition LossPath_theorems :=
  (T23_path,
   T23_prediction,
   T23_same_end,
   T23_norm,
   T23_norm_beyond,
   T23_distance,
   T23_cosine,
   T23_dot,
   T23_logistic_energy,
   T23_logistic_laws,
   T23_logistic_peak).
Goal True. let t := eval unfold LossPath_theorems in LossPath_theorems in names t. Abort.
Print Assumptions LossPath_theorems.

Definition Reached_theorems :=
  (T23_reached).
Goal True. let t := eval unfold Reached_theorems in Reached_theorems in names t. Abort.
Print Assumptions Reached_theorems.

Definition Probing_theorems :=
  (T3_path,
   T3_residual,
   T3_unique,
   T3_energy_monotone,
   T3_energy_strict,
   T3_energy_attained,
   T3_energy_limit,
   T21_residual,
   T21_floor).
Goal True. let t := eval unfold Probing_theorems in Probing_theorems in names t. Abort.
Print Assumptions Probing_theorems.

Definition FrozenHead_theorems :=
  (T15_path,
   T15_unique,
   T15_limit,
   T15_distance,
   T15_dot,
   T15_distance_law,
   T15_dot_law).
Goal True. let t := eval unfold FrozenHead_theorems in FrozenHead_theorems in names t. Abort.
Print Assumptions FrozenHead_theorems.

Definition FrozenMatrix_theorems :=
  (T15_matrix_converges,
   T15_matrix_unique,
   T15_matrix_limit_unique,
   T15_matrix_fits_best,
   T15_matrix_fits,
   T15_matrix_nearest,
   T15_matrix_path,
   T15_matrix_path_limit,
   T15_matrix_fits_reachable).
Goal True. let t := eval unfold FrozenMatrix_theorems in FrozenMatrix_theorems in names t. Abort.
Print Assumptions FrozenMatrix_theorems.

Definition ProbingMatrix_theorems :=
  (T3_matrix_converges,
   T3_matrix_unique,
   T3_matrix_best,
   T3_matrix_nearest,
   T3_matrix_energy,
   T3_matrix_path,
   T3_matrix_residual).
Goal True. let t := eval unfold ProbingMatrix_theorems in ProbingMatrix_theorems in names t. Abort.
Print Assumptions ProbingMatrix_theorems.

Definition FrozenTrend_theorems :=
  (T27_probed,
   T27_residual,
   T27_mode,
   T27_trend,
   T27_fits,
   T27_whole,
   T27_energy).
Goal True. let t := eval unfold FrozenTrend_theorems in FrozenTrend_theorems in names t. Abort.
Print Assumptions FrozenTrend_theorems.

Definition Modes_theorems :=
  (T14_total_distance,
   T14_probed_energy,
   T14_common_schedule,
   T14_decoupling,
   T14_distances_add).
Goal True. let t := eval unfold Modes_theorems in Modes_theorems in names t. Abort.
Print Assumptions Modes_theorems.

Definition AnyLoss_theorems :=
  (T22_kernel_direction_energy,
   T22_features_follow_kernel,
   T22_conservation,
   T22_loss_budget,
   T22_loss_decreases,
   T22_probing_decreases,
   T22_squared_loss,
   T22_cross_entropy).
Goal True. let t := eval unfold AnyLoss_theorems in AnyLoss_theorems in names t. Abort.
Print Assumptions AnyLoss_theorems.

Definition MatrixFlow_theorems :=
  (T1_kernel_direction_energy,
   T1_features_follow_kernel,
   T2_matrix,
   T6_loss_budget,
   T6_loss_decreases,
   T6_covers_rank_one).
Goal True. let t := eval unfold MatrixFlow_theorems in MatrixFlow_theorems in names t. Abort.
Print Assumptions MatrixFlow_theorems.

Definition Width_theorems :=
  (T22_width,
   T4_width,
   T4_start).
Goal True. let t := eval unfold Width_theorems in Width_theorems in names t. Abort.
Print Assumptions Width_theorems.

Definition Descent_theorems := T20_drift_of_a_step.
Goal True. let t := eval unfold Descent_theorems in Descent_theorems in names t. Abort.
Print Assumptions Descent_theorems.

Definition Lorentz_theorems :=
  (T5_generator,
   T5_invariance,
   T5_boost,
   T5_rank_one_propagator).
Goal True. let t := eval unfold Lorentz_theorems in Lorentz_theorems in names t. Abort.
Print Assumptions Lorentz_theorems.

Definition EnergyBound_theorems :=
  (T18_sharper_bound,
   T18_sharper_decay,
   T18_energy_bound,
   T18_energy_decay).
Goal True. let t := eval unfold EnergyBound_theorems in EnergyBound_theorems in names t. Abort.
Print Assumptions EnergyBound_theorems.

Definition Whitened_theorems :=
  (T16_balance,
   T16_riccati,
   T16_linear,
   T16_gram,
   T16_exponential,
   T16_inverse).
Goal True. let t := eval unfold Whitened_theorems in Whitened_theorems in names t. Abort.
Print Assumptions Whitened_theorems.

Definition Decoupling_theorems :=
  (T14_stays_orthogonal,
   T14_decoupling_start,
   T14_matrix_probing,
   T14_probing_unique).
Goal True. let t := eval unfold Decoupling_theorems in Decoupling_theorems in names t. Abort.
Print Assumptions Decoupling_theorems.
Definition LazyBound_theorems :=
  (T29_operator,
   T29_integral,
   T29_lazy_error).
Goal True. let t := eval unfold LazyBound_theorems in LazyBound_theorems in names t. Abort.
Print Assumptions LazyBound_theorems.

Definition FlowExists_theorems :=
  (T6_flow_exists,
   T6_flow_unique,
   T1_flow_exists,
   T1_flow_unique,
   T5_propagator_exists).
Goal True. let t := eval unfold FlowExists_theorems in FlowExists_theorems in names t. Abort.
Print Assumptions FlowExists_theorems.

Definition AnyBasis_theorems :=
  (T27_any_features).
Goal True. let t := eval unfold AnyBasis_theorems in AnyBasis_theorems in names t. Abort.
Print Assumptions AnyBasis_theorems.

Definition Turns_theorems :=
  (T12_two_turns,
   T13_dot_boundary,
   T13_distance_boundary).
Goal True. let t := eval unfold Turns_theorems in Turns_theorems in names t. Abort.
Print Assumptions Turns_theorems.

Definition FirstStep_theorems :=
  (T28_lazy_solution,
   T28_lazy_dot,
   T28_lazy_dot_rises).
Goal True. let t := eval unfold FirstStep_theorems in FirstStep_theorems in names t. Abort.
Print Assumptions FirstStep_theorems.

Definition Rates_theorems :=
  (T30_derivative,
   T30_normalised,
   T30_rates,
   T30_below_frozen,
   T30_total).
Goal True. let t := eval unfold Rates_theorems in Rates_theorems in names t. Abort.
Print Assumptions Rates_theorems.

Definition Commuting_theorems :=
  (T31_one_mode,
   T31_runs,
   T31_commuting,
   T31_whitened).
Goal True. let t := eval unfold Commuting_theorems in Commuting_theorems in names t. Abort.
Print Assumptions Commuting_theorems.

Definition LazySolution_theorems :=
  (T29_solution,
   T29_whole).
Goal True. let t := eval unfold LazySolution_theorems in LazySolution_theorems in names t. Abort.
Print Assumptions LazySolution_theorems.

Definition SecondOrder_theorems :=
  (T33_second_order,
   T33_sharp).
Goal True. let t := eval unfold SecondOrder_theorems in SecondOrder_theorems in names t. Abort.
Print Assumptions SecondOrder_theorems.
