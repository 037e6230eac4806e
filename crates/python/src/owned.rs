//! A run that owns what it is on, as an object of Python must.

use std::sync::Arc;

use taskhead::loss::Loss;
use taskhead::simulation;
use taskhead::tasks::Task;

self_cell::self_cell!(
    /// A run with the task that it is on.
    pub struct Owned {
        owner: Arc<Task>,
        #[covariant]
        dependent: SimulationRun,
    }
);

type SimulationRun<'a> = simulation::Run<'a>;

impl Owned {
    /// The task.
    pub fn task(&self) -> &Arc<Task> {
        self.borrow_owner()
    }

    /// The run.
    pub fn run(&self) -> &simulation::Run<'_> {
        self.borrow_dependent()
    }

    /// Whether everything on it is done in a moment.
    pub fn is_light(&self) -> bool {
        is_light(self.task()) && self.run().reduction().loss_function() == Loss::Squared
    }
}

/// Whether matrices of a task are decomposed in far less than the time that a hand needs for Ctrl-C.
pub fn is_light(task: &Task) -> bool {
    let problem = &task.problem;
    problem.samples() <= 128 && problem.samples() * (problem.width() + problem.outputs()) <= 1 << 14
}
