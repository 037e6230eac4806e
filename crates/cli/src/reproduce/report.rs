//! One self-contained HTML page with the summary and all figures, for light and dark screens.

use super::theorems;
use taskhead::analysis::summary::Row;
use taskhead_figures::plot::{Figure, Theme, escape};

/// A figure with its words.
pub struct Entry {
    /// Title.
    pub title: &'static str,
    /// Name of its files.
    pub name: &'static str,
    /// What it shows.
    pub caption: &'static str,
    /// The figure.
    pub figure: Box<dyn Figure>,
}

/// Everything on the page.
pub struct Report<'a> {
    /// Laws and what was seen of them.
    pub rows: &'a [Row],
    /// Theorems and what is known of them.
    pub theorems: &'a [theorems::Row],
    /// Figures.
    pub entries: &'a [Entry],
    /// How many cells were run, failed and stopped early, in words.
    pub counts: String,
}

const STYLE: &str = "
:root { color-scheme: light dark; --ink: #1b1b1b; --soft: #5b5b5b; --line: #d5d5d5; --page: #ffffff; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8e8e8; --soft: #a8a8a8; --line: #3c3c3c; --page: #16181c; } }
body { margin: 0 auto; max-width: 60rem; padding: 2rem 1rem 4rem; background: var(--page); color: var(--ink);
  font: 16px/1.5 'DejaVu Sans', Verdana, sans-serif; }
h1, h2 { line-height: 1.2; font-weight: 600; } h2 { margin-top: 3rem; }
p.lead, figcaption { color: var(--soft); } figure { margin: 0; } figure svg { width: 100%; height: auto; }
.dark { display: none; }
@media (prefers-color-scheme: dark) { .dark { display: block; } .light { display: none; } }
.scroll { overflow-x: auto; } table { border-collapse: collapse; font-size: 0.85rem; }
th, td { text-align: left; padding: 0.3rem 0.8rem 0.3rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
td.no { font-weight: 700; }
";

impl Report<'_> {
    /// The page.
    pub fn html(&self) -> String {
        let version = env!("CARGO_PKG_VERSION");
        let rows: String = self.rows.iter().map(row).collect();
        let theorems = theorems::html(self.theorems);
        let figures: String = self.entries.iter().map(figure).collect();
        format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <title>taskhead: how the task head decides how far features move</title>\n<style>{STYLE}</style>\n</head>\n<body>\n\
             <h1>How the task head decides how far features move</h1>\n\
             <p class=\"lead\">The residual that is left when finetuning starts is the energy for moving the features. \
             Everything below was computed by taskhead {version}: {}.</p>\n\
             <h2>Does the trend hold?</h2>\n<div class=\"scroll\"><table>\n\
             <tr><th>where</th><th>metric</th><th>claim, as energy grows</th><th>verdict</th><th>curves that agree</th></tr>\n\
             {rows}</table></div>\n{figures}<h2>The theorems</h2>\n{theorems}</body>\n</html>\n",
            self.counts
        )
    }
}

fn row(row: &Row) -> String {
    let (class, verdict) =
        if row.holds() { ("yes", "holds") } else { ("no", "does not hold everywhere") };
    format!(
        "<tr><td>{}</td><td>{}</td><td>{}</td><td class=\"{class}\">{verdict}</td><td>{}</td></tr>\n",
        escape(&row.source),
        row.metric.title(),
        row.claim(),
        row.finding()
    )
}

fn figure(entry: &Entry) -> String {
    format!(
        "<h2>{}</h2>\n<figure><div class=\"light\">{}</div><div class=\"dark\">{}</div>\n<figcaption>{}</figcaption></figure>\n",
        escape(entry.title),
        entry.figure.svg(Theme::Light),
        entry.figure.svg(Theme::Dark),
        escape(entry.caption)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use taskhead_figures::plot::Trend;

    #[test]
    fn the_page_is_self_contained_and_says_what_does_not_hold() {
        let row = Row {
            source: "a < b".into(),
            metric: taskhead::metric::Metric::Dot,
            agree: (1, 2),
            rising: 1,
            peaks: None,
        };
        let entries =
            [Entry { title: "T", name: "trend", caption: "C & D", figure: Box::new(Trend::default()) }];
        let html =
            Report { rows: &[row], theorems: &[], entries: &entries, counts: "3 cells".into() }.html();
        assert!(html.contains("a &lt; b") && html.contains("does not hold everywhere"));
        assert!(html.contains("C &amp; D") && html.matches("<svg ").count() == 2);
        for outside in ["<script src", "<link", "url(http", "<img"] {
            assert!(!html.contains(outside));
        }
    }
}
