use super::*;

#[test]
fn explore() {
    let start = std::time::Instant::now();
    let report = certify(&Settings::default(), &|_| ());
    for c in report.laws.iter().chain(&report.beyond) {
        println!("{} {} | {} {:?} {:?} {:?} {:?}", c.theorem, c.statement, c.examined, c.boxes, c.shares, c.verdict, c.largest_undecided);
    }
    for m in &report.maps {
        println!("{:?} {:?} {} {:?}", m.law, m.target, m.cells.len(), m.shares);
    }
    println!("csv {} {:?}", csv(&report.maps).len(), start.elapsed());
}
