//! The command `taskhead`.

fn main() -> std::process::ExitCode {
    taskhead::cli::run()
}
