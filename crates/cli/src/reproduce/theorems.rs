//! The theorem table of `taskhead reproduce`: every theorem checked, proved and certified.

use taskhead_figures::plot::escape;
use taskhead_theorems::catalogue::verify::{self, Settings, Verdict, verify};
use taskhead_theorems::catalogue::{Entry, Evidence, catalogue};
use taskhead_theorems::certify::{self, CERTIFIED};

/// Random cases of a cheap check: fewer than those of `taskhead verify`, which is for more.
const INSTANCES: usize = 200;

/// What is known of all theorems.
pub struct Theorems {
    reports: Vec<verify::Report>,
    /// The certificates.
    pub certificates: certify::Report,
}

/// One row of the table.
pub struct Row {
    /// T-number.
    pub id: &'static str,
    /// Name.
    pub name: &'static str,
    /// In words.
    pub statement: &'static str,
    /// "holds in 208 cases", or what is wrong.
    pub checked: String,
    /// Whether it holds.
    pub holds: bool,
    /// Number of Coq theorems.
    pub proofs: usize,
    /// What is certified, if anything.
    pub certified: &'static str,
}

impl Theorems {
    /// Checks every theorem of the catalogue, and certifies those that have certificates.
    pub fn check() -> Self {
        let settings = Settings { instances: INSTANCES, ..Settings::default() };
        let theorem = |entry: &&'static Entry| matches!(entry.evidence, Evidence::Checks(_));
        let reports =
            catalogue().into_iter().filter(theorem).map(|entry| verify(entry, &settings, &|| ()));
        Self {
            reports: reports.collect(),
            certificates: certify::certify(&certify::Settings::default(), &CERTIFIED, &|_| ()),
        }
    }

    /// The rows of the table.
    pub fn rows(&self) -> Vec<Row> {
        self.reports
            .iter()
            .map(|report| Row {
                id: report.entry.id,
                name: report.entry.name,
                statement: report.entry.statement,
                checked: checked(report),
                holds: matches!(report.verdict(), Verdict::Holds | Verdict::Unviolated),
                proofs: report.entry.proofs.len(),
                certified: self.certified(report.entry.id),
            })
            .collect()
    }

    fn certified(&self, id: &str) -> &'static str {
        let verdicts: Vec<certify::Verdict> = self
            .certificates
            .laws
            .iter()
            .filter(|law| law.theorem == id)
            .map(|law| law.verdict)
            .collect();
        if verdicts.is_empty() {
            "-"
        } else if verdicts.contains(&certify::Verdict::Refuted) {
            "refuted"
        } else if verdicts.contains(&certify::Verdict::Undecided) {
            "in part"
        } else {
            "proved"
        }
    }
}

fn checked(report: &verify::Report) -> String {
    let sum = |of: fn(&verify::CheckReport) -> usize| report.checks.iter().map(of).sum::<usize>();
    let (cases, failed) = (sum(|c| c.cases), sum(|c| c.failed));
    let violations = sum(|c| c.check.violations.len());
    let seen = violations - sum(|c| c.unseen.len());
    match report.verdict() {
        Verdict::Refuted => format!("fails in {failed} of {cases} cases"),
        Verdict::Unviolated => {
            // Its examples, checked too, are no attempts to violate it, and its checks share their problems.
            let tried = report.checks.iter().filter(|c| c.check.cost > 0);
            let (problems, violations, unseen) = tried.fold((0, 0, 0), |(problems, all, unseen), c| {
                (problems.max(c.cases), all + c.check.violations.len(), unseen + c.unseen.len())
            });
            let seen = violations - unseen;
            format!(
                "a conjecture: no violation in {problems} problems; {seen} of {violations} counter-examples to what is \
                 weaker"
            )
        }
        _ => {
            format!("holds in {cases} cases, fails in {seen} of {violations} that violate a hypothesis")
        }
    }
}

/// The table as Markdown.
pub fn markdown(rows: &[Row]) -> String {
    let mut text =
        "| | theorem | checked | Coq theorems | by interval arithmetic |\n|---|---|---|---|---|\n"
            .to_owned();
    for row in rows {
        text += &format!(
            "| {} | {} | {} | {} | {} |\n",
            row.id,
            row.name,
            row.checked,
            proofs(row),
            row.certified
        );
    }
    text
}

/// The table as HTML.
pub fn html(rows: &[Row]) -> String {
    let mut text =
        "<div class=\"scroll\"><table>\n<tr><th></th><th>theorem</th><th>in words</th><th>checked</th>\
                    <th>Coq theorems</th><th>by interval arithmetic</th></tr>\n"
            .to_owned();
    for row in rows {
        let class = if row.holds { "yes" } else { "no" };
        text += &format!(
            "<tr><td>{}</td><td>{}</td><td>{}</td><td class=\"{class}\">{}</td><td>{}</td><td>{}</td></tr>\n",
            row.id,
            escape(row.name),
            escape(row.statement),
            row.checked,
            proofs(row),
            row.certified
        );
    }
    text + "</table></div>\n"
}

fn proofs(row: &Row) -> String {
    if row.proofs == 0 { "-".into() } else { row.proofs.to_string() }
}
