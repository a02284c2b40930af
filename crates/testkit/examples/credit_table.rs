use accredit_credit::LearnedMethod;
use accredit_testkit::credit_table::{CreditPlan, credit_table};
fn main() {
    let args: Vec<String> = std::env::args().collect();
    let seed = args.get(1).and_then(|a| a.parse().ok()).unwrap_or(1);
    let quick = args.get(2).is_some_and(|a| a == "quick");
    let method = match args.get(3).map(String::as_str) {
        Some("td_ce") => LearnedMethod::TdCe,
        Some("sdae") => LearnedMethod::Sdae,
        _ => LearnedMethod::Auto,
    };
    let t = std::time::Instant::now();
    credit_table(CreditPlan { seed, quick, method }, &mut |r| {
        if r.method != "decay" {
            println!(
                "{:26} {:5} {:8} {:12} {:8.4} {}",
                r.suite,
                r.n,
                r.method,
                r.metric,
                r.value,
                r.goal.map_or(String::new(), |g| format!("{} {g}", if r.value >= g { "ok  " } else { "MISS" }))
            );
        }
    });
    eprintln!("{:?}", t.elapsed());
}
