//! Pages held by snapshots, at a narrow and a wide screen, from one recorded experience with set times.

use accredit_model::{Action, Closing, Evidence, Experience, Status, Timestamp, Verdict};

use super::{
    Child, Explanation, ListPage, ShowPage, TopPage, VersionLine, insights_page, list_page, show_page, top_page,
    why_page,
};
use crate::screen::Screen;
use crate::text;

const WIDTHS: [usize; 2] = [60, 120];

fn experience() -> Experience {
    let text = include_str!("../../tests/data/experience.json");
    serde_json::from_str(text).expect("the fixture is an experience")
}

fn screen(width: usize) -> Screen {
    // An hour after the fixture's times.
    Screen { width, colour: false, now: experience().action.begun_at.plus_micros(3_600_000_000) }
}

fn explanation() -> Explanation {
    Explanation { experience: experience(), children: Vec::new(), versions: Vec::new(), stands: None, all: false }
}

/// The same with a fitted model, criteria, a revision and children.
fn learned() -> Explanation {
    let mut why = explanation();
    let attribution = &mut why.experience.attribution;
    attribution.evidence = Evidence::Learned;
    attribution.method = "ridge_rd".to_owned();
    attribution.model_version = Some(3);
    attribution.version = 2;
    why.experience.action.version = 2;
    let n_steps = attribution.credits.len();
    for (index, advantage) in attribution.advantages.iter_mut().enumerate() {
        *advantage =
            if index + 2 == n_steps { -0.41 } else { 0.01 * f64::from(u8::try_from(index).expect("few steps")) };
    }
    let criteria = r#"[{"criterion":"health_score > baseline","result":"pass","source":"observed"},
        {"criterion":"the customer is content with how the matter was handled in the end","result":"unevaluable","source":"missing"},
        {"criterion":"refunded == false","result":"fail","source":"claimed"}]"#;
    attribution.criteria = serde_json::from_str(criteria).expect("these are results");
    why.versions = vec![
        VersionLine { version: 1, verdict: Verdict::Success, success_score: 1.0, reward: Some(1.0), reason: None },
        VersionLine {
            version: 2,
            verdict: Verdict::Failure,
            success_score: 0.0,
            reward: Some(0.0),
            reason: Some("the database was checked again".to_owned()),
        },
    ];
    let action = &why.experience.action;
    why.children = vec![Child {
        action_id: action.action_id,
        agent_id: "helper".into(),
        action_type: action.action_type.clone(),
        status: Status::Closed(Closing::Completed),
        verdict: Some(Verdict::Partial),
        success_score: Some(0.5),
        parent_step: Some(2),
        credit: 0.125,
    }];
    why
}

/// Two steps were judged, over a prior.
fn judged() -> Explanation {
    let mut why = explanation();
    let attribution = &mut why.experience.attribution;
    attribution.judged = vec![5, 12];
    (attribution.advantages[5], attribution.advantages[12]) = (0.3, -0.5);
    attribution.residual -= 0.3 - 0.5;
    attribution.forecast = attribution
        .advantages
        .iter()
        .scan(attribution.baseline, |standing, advantage| {
            *standing += advantage;
            Some(*standing)
        })
        .collect();
    why
}

/// What another method would give.
fn what_if() -> Explanation {
    let mut why = explanation();
    let attribution = &mut why.experience.attribution;
    attribution.what_if = true;
    let n_steps = attribution.credits.len();
    attribution.method = "first".to_owned();
    attribution.credits = (0..n_steps).map(|index| if index == 0 { 1.0 } else { 0.0 }).collect();
    why.stands = Some("decay".to_owned());
    why
}

fn actions() -> Vec<Action> {
    let done = experience().action;
    let mut open = done.clone();
    open.action_id = "018f0000-0000-7000-8000-000000000001".parse().expect("this is an id");
    open.status = Status::Open;
    (open.verdict, open.success_score, open.reward, open.duration_seconds) = (None, None, None, None);
    open.last_activity_at = open.begun_at.plus_micros(3_590_000_000);
    let mut long = done.clone();
    long.action_id = "018f0000-0000-7000-8000-000000000002".parse().expect("this is an id");
    long.agent_id = "a-very-long-agent-name-\x1b[31mwith-an-escape-in-it".into();
    long.action_type = "reconcile_ledgers_across_regions".into();
    long.goal_id = None;
    long.status = Status::Closed(Closing::TimedOut);
    long.duration_seconds = Some(86_400.0 * 3.0);
    long.step_count = 1_234_567;
    vec![open, done, long]
}

/// What was learned of a type: what holds, what may be chance, and what nobody can know.
fn insights() -> accredit::Insights {
    let id = |end: u32| format!("018f0000-0000-7000-8000-0000{end:08x}").parse().expect("this is an id");
    let row = |decision: &str, state: Option<&str>, (advantage, wide): (f64, f64), n: u64, q: f64| {
        let (low, high) = (advantage - wide, advantage + wide);
        let (decision, state) = (decision.to_owned(), state.map(str::to_owned));
        let examples = vec![id(0x7f3a_9c21), id(u32::try_from(n).expect("few"))];
        accredit::DecisionInsight { decision, state, advantage, low, high, n, q, identifiable: q < 1.0, examples }
    };
    let why = "situations recur (97 % of held-out steps), forecasts from them beat the base rate (z = 11.2), and decisions \
               explain 41 % of held-out rewards (38 % by sdae)";
    accredit::Insights {
        action_type: "fix_bug".into(),
        n_actions: 1_412,
        model: Some(accredit::ModelSummary {
            action_type: "fix_bug".into(),
            version: 9,
            created_at: Timestamp::from_micros(0),
            n_actions: 1_398,
            method: "td_ce".to_owned(),
            reason: why.to_owned(),
            coverage: 0.97,
            n: 1_398,
            candidates: Vec::new(),
        }),
        decisions: vec![
            row("retry", Some("timeout"), (0.21, 0.07), 412, 0.0),
            row("retry", None, (0.12, 0.05), 612, 0.002),
            row(
                "rewrite the parser from the beginning, with all of its tests",
                Some("after read"),
                (-0.18, 0.06),
                77,
                0.01,
            ),
            row("reproduce", Some("after read"), (0.06, 0.09), 30, 0.21),
            row("reproduce", None, (0.06, 0.09), 30, 0.21),
            row("read", Some("after the beginning"), (0.0, 0.0), 1_398, 1.0),
        ],
    }
}

fn every_page(screen: &Screen) -> Vec<(&'static str, String)> {
    let why = explanation();
    let learned = learned();
    let experience = &why.experience;
    let actions = actions();
    let closed = ShowPage {
        action: &experience.action,
        attribution: Some(&experience.attribution),
        chain: &experience.chain,
        all: false,
    };
    let stats = accredit_model::Stats {
        begun: 12_345,
        open: 1,
        completed: 12_000,
        timed_out: 344,
        received: 1_000_001,
        steps: 900_000,
        observations: 100_000,
        refused: [("unknown_action".to_owned(), 1)].into(),
        refused_total: 1,
        ..accredit_model::Stats::default()
    };
    let before = accredit_model::Stats { begun: 12_340, steps: 899_000, ..accredit_model::Stats::default() };
    let top = TopPage {
        place: "accredit.db",
        stats: &stats,
        before: Some((&before, 2.0)),
        open: &actions[..1],
        closed: &actions[1..],
    };
    vec![
        ("why", why_page(&why, screen)),
        ("why_learned", why_page(&learned, screen)),
        ("why_what_if", why_page(&what_if(), screen)),
        ("why_judged", why_page(&judged(), screen)),
        ("show", show_page(&closed, screen)),
        ("show_open", show_page(&ShowPage { action: &actions[0], attribution: None, ..closed }, screen)),
        ("list", list_page(&ListPage { actions: &actions, next_cursor: Some("94") }, screen)),
        ("top", top_page(&top, screen)),
        ("insights", insights_page(&insights(), 20, screen)),
    ]
}

#[test]
fn pages_look_as_they_should() {
    for width in WIDTHS {
        for (name, page) in every_page(&screen(width)) {
            insta::assert_snapshot!(format!("{name}_{width}"), page);
        }
    }
}

#[test]
fn no_page_is_wider_than_its_screen() {
    for width in 60..=200 {
        for (name, page) in every_page(&screen(width)) {
            for line in page.lines() {
                assert!(text::width(line) <= width, "{name} at {width}: {line:?} has {} columns", text::width(line));
            }
        }
    }
}

#[test]
fn pages_have_no_control_characters() {
    for (name, page) in every_page(&screen(100)) {
        assert!(page.chars().all(|c| c == '\n' || !c.is_control()), "{name}");
        assert!(page.lines().all(|line| line.trim_end() == line), "{name} has blanks at the end of a line");
    }
}

#[test]
fn colour_changes_nothing_but_colour() {
    let plain = every_page(&screen(100));
    let coloured = every_page(&Screen { colour: true, ..screen(100) });
    for ((name, plain), (_, coloured)) in plain.iter().zip(&coloured) {
        assert_ne!(plain, coloured, "{name} has no colour");
        let mut stripped = String::new();
        for (index, part) in coloured.split("\x1b[").enumerate() {
            let rest = if index == 0 { part } else { part.split_once('m').expect("a colour ends with m").1 };
            stripped.push_str(rest);
        }
        let lines = |page: &str| page.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>();
        assert_eq!(lines(plain), lines(&stripped), "{name}");
    }
}

#[test]
fn a_long_chain_shows_its_ends() {
    let mut experience = experience();
    let entry = experience.chain.iter().find(|entry| entry.step().is_some()).expect("there is a step").clone();
    experience.chain = (0..1_000).map(|seq| accredit_model::Entry { seq, ..entry.clone() }).collect();
    experience.attribution.credits = vec![0.001; 1_000];
    experience.attribution.advantages = vec![0.0; 1_000];
    let Experience { action, attribution, chain, .. } = &experience;
    let page = |all| show_page(&ShowPage { action, attribution: Some(attribution), chain, all }, &screen(100));
    assert!(page(false).contains("… 960 more (--all)") && page(false).lines().count() < 60);
    assert!(page(true).lines().count() > 1_000);
    let why = Explanation { experience, ..explanation() };
    assert!(why_page(&why, &screen(100)).contains("together (--all)"));
    assert!(why_page(&why, &screen(100)).lines().count() < 100);
}

#[test]
fn insights_name_two_actions_in_every_row() {
    for width in [60, 80, 120] {
        let page = insights_page(&insights(), 20, &screen(width));
        // One row of `reproduce` says what both do.
        let rows: Vec<&str> = page.lines().filter(|line| line.contains("7f3a9c21 ")).collect();
        assert_eq!(rows.len(), 5, "{page}");
        assert!(page.contains("`accredit why 7f3a9c21`"), "{page}");
    }
    let page = insights_page(&insights(), 2, &screen(100));
    assert!(page.contains("… 3 more: --limit N") && !page.contains("chance:"), "{page}");
    let mut nothing = insights();
    nothing.decisions.truncate(0);
    assert!(!insights_page(&nothing, 20, &screen(100)).contains("DECISION"));
}

#[test]
fn an_action_without_steps_has_a_page() {
    let mut why = explanation();
    why.experience.chain.clear();
    why.experience.attribution.credits.clear();
    why.experience.attribution.advantages.clear();
    why.experience.action.begun_at = Timestamp::from_micros(0);
    assert!(why_page(&why, &screen(60)).contains("no steps, no credit"));
}
