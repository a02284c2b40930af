//! Rows as columns.

use std::sync::Arc;

use accredit::{Action, Attribution, DecisionInsight, Entry, Step, Timestamp};
use arrow_array::builder::{LargeStringBuilder, ListBuilder};
use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{
    Array, ArrayRef, BooleanArray, Float64Array, Int64Array, LargeStringArray, RecordBatch, TimestampMicrosecondArray,
};
use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

/// Something with columns.
pub(super) trait Rows: Sized {
    /// Name, and how the column is made.
    fn table() -> Vec<(&'static str, Column<Self>)>;

    fn schema() -> Schema {
        Schema::new(
            Self::table().iter().map(|(name, column)| Field::new(*name, column.kind(), true)).collect::<Vec<_>>(),
        )
    }

    fn columns(rows: &[Self]) -> Vec<ArrayRef> {
        Self::table().into_iter().map(|(_, column)| column.array(rows)).collect()
    }
}

/// How a column is made of rows.
pub(super) enum Column<R> {
    Text(fn(&R) -> Option<&str>),
    Made(fn(&R) -> Option<String>),
    Real(fn(&R) -> Option<f64>),
    Whole(fn(&R) -> Option<u64>),
    Truth(fn(&R) -> Option<bool>),
    Time(fn(&R) -> Option<Timestamp>),
    Texts(fn(&R) -> Vec<String>),
}

const ZONE: &str = "UTC";

impl<R> Column<R> {
    fn kind(&self) -> DataType {
        match self {
            Self::Text(_) | Self::Made(_) => DataType::LargeUtf8,
            Self::Real(_) => DataType::Float64,
            Self::Whole(_) => DataType::Int64,
            Self::Truth(_) => DataType::Boolean,
            Self::Time(_) => DataType::Timestamp(TimeUnit::Microsecond, Some(ZONE.into())),
            Self::Texts(_) => DataType::List(Arc::new(Field::new("item", DataType::LargeUtf8, true))),
        }
    }

    fn array(&self, rows: &[R]) -> ArrayRef {
        match self {
            Self::Text(get) => Arc::new(rows.iter().map(get).collect::<LargeStringArray>()),
            Self::Made(get) => Arc::new(rows.iter().map(get).collect::<LargeStringArray>()),
            Self::Real(get) => Arc::new(rows.iter().map(get).collect::<Float64Array>()),
            Self::Whole(get) => Arc::new(rows.iter().map(|row| get(row).and_then(signed)).collect::<Int64Array>()),
            Self::Truth(get) => Arc::new(rows.iter().map(get).collect::<BooleanArray>()),
            Self::Time(get) => {
                let micros = rows.iter().map(|row| get(row).map(Timestamp::micros));
                Arc::new(micros.collect::<TimestampMicrosecondArray>().with_timezone(ZONE))
            }
            Self::Texts(get) => {
                let mut lists = ListBuilder::new(LargeStringBuilder::new());
                for row in rows {
                    get(row).iter().for_each(|text| lists.values().append_value(text));
                    lists.append(true);
                }
                Arc::new(lists.finish())
            }
        }
    }
}

fn signed(number: u64) -> Option<i64> {
    i64::try_from(number).ok()
}

fn json(value: &impl serde::Serialize) -> Option<String> {
    serde_json::to_string(value).ok()
}

/// The wire format's word for it.
fn code(value: &impl serde::Serialize) -> Option<String> {
    json(value).map(|text| text.trim_matches('"').to_owned())
}

impl Rows for Action {
    fn table() -> Vec<(&'static str, Column<Self>)> {
        use Column::{Made, Real, Text, Time, Whole};
        vec![
            ("action_id", Made(|action| Some(action.action_id.to_string()))),
            ("agent_id", Text(|action| Some(action.agent_id.as_str()))),
            ("action_type", Text(|action| Some(action.action_type.as_str()))),
            ("goal_id", Text(|action| action.goal_id.as_ref().map(|goal| goal.as_str()))),
            ("parent_action_id", Made(|action| action.parent_action_id.map(|parent| parent.to_string()))),
            ("status", Text(|action| Some(action.status.code()))),
            ("begun_at", Time(|action| Some(action.begun_at))),
            ("closed_at", Time(|action| action.closed_at)),
            ("duration_seconds", Real(|action| action.duration_seconds)),
            ("step_count", Whole(|action| Some(action.step_count))),
            ("observation_count", Whole(|action| Some(action.observation_count))),
            ("version", Whole(|action| Some(action.version.into()))),
            ("success_score", Real(|action| action.success_score)),
            ("verdict", Text(|action| action.verdict.map(accredit::Verdict::code))),
            ("reward", Real(|action| action.reward)),
            ("outcome", Made(|action| action.outcome.as_ref().and_then(json))),
            ("expected_outcome", Made(|action| json(&action.expected_outcome))),
            ("attributes", Made(|action| json(&action.attributes))),
        ]
    }
}

/// One step with what it belongs to and what it earned.
pub(super) struct StepRow {
    action: Arc<(Action, Option<Attribution>)>,
    index: usize,
    seq: u64,
    time: Timestamp,
    step: Step,
}

impl StepRow {
    fn of(&self, numbers: fn(&Attribution) -> &[f64]) -> Option<f64> {
        self.attribution().and_then(|attribution| numbers(attribution).get(self.index).copied())
    }

    fn attribution(&self) -> Option<&Attribution> {
        self.action.1.as_ref()
    }

    fn usage<T>(&self, get: fn(&accredit::Usage) -> Option<T>) -> Option<T> {
        self.step.usage.as_ref().and_then(get)
    }
}

/// The steps of one action.
pub(super) fn steps(action: Action, attribution: Option<Attribution>, chain: Vec<Entry>) -> Vec<StepRow> {
    let action = Arc::new((action, attribution));
    let steps = chain.into_iter().filter_map(|entry| {
        let (seq, time) = (entry.seq, entry.time());
        match entry.body {
            accredit::EntryBody::Step(step) => Some((seq, time, step)),
            accredit::EntryBody::Observation(_) => None,
        }
    });
    let row = |(index, (seq, time, step))| StepRow { action: Arc::clone(&action), index, seq, time, step };
    steps.enumerate().map(row).collect()
}

impl Rows for StepRow {
    fn table() -> Vec<(&'static str, Column<Self>)> {
        let mut table = said();
        table.extend(earned());
        table
    }
}

/// What the agent said.
fn said() -> Vec<(&'static str, Column<StepRow>)> {
    use Column::{Made, Real, Text, Time, Truth, Whole};
    vec![
        ("action_id", Made(|row| Some(row.action.0.action_id.to_string()))),
        ("agent_id", Text(|row| Some(row.action.0.agent_id.as_str()))),
        ("action_type", Text(|row| Some(row.action.0.action_type.as_str()))),
        ("goal_id", Text(|row| row.action.0.goal_id.as_ref().map(|goal| goal.as_str()))),
        ("parent_action_id", Made(|row| row.action.0.parent_action_id.map(|parent| parent.to_string()))),
        ("step", Whole(|row| Some(row.index as u64))),
        ("seq", Whole(|row| Some(row.seq))),
        ("at", Time(|row| Some(row.time))),
        ("description", Text(|row| Some(&row.step.description))),
        ("decision", Text(|row| row.step.decision.as_deref())),
        ("key", Text(|row| row.step.key.as_deref())),
        ("state_key", Text(|row| row.step.state_key.as_deref())),
        ("state", Text(|row| row.step.state.as_ref().map(accredit::Payload::get))),
        ("confidence", Real(|row| row.step.confidence)),
        ("effect", Truth(|row| row.step.effect)),
        ("propensity", Real(|row| row.step.propensity)),
        ("step_reward", Real(|row| row.step.reward)),
        ("input_tokens", Whole(|row| row.usage(|usage| usage.input_tokens))),
        ("output_tokens", Whole(|row| row.usage(|usage| usage.output_tokens))),
        ("cost_usd", Real(|row| row.usage(|usage| usage.cost_usd))),
        ("latency_ms", Real(|row| row.usage(|usage| usage.latency_ms))),
    ]
}

/// What came of it.
fn earned() -> Vec<(&'static str, Column<StepRow>)> {
    use Column::{Made, Real, Text, Whole};
    vec![
        ("credit", Real(|row| row.of(|attribution| &attribution.credits))),
        ("advantage", Real(|row| row.of(|attribution| &attribution.advantages))),
        ("std_error", Real(|row| row.attribution()?.std_errors.get(row.index).copied()?)),
        ("n", Whole(|row| row.attribution()?.n.get(row.index).copied())),
        ("forecast", Real(|row| row.of(|attribution| &attribution.forecast))),
        ("baseline", Real(|row| Some(row.attribution()?.baseline))),
        ("method", Text(|row| Some(&row.attribution()?.method))),
        ("model_version", Whole(|row| row.attribution()?.model_version)),
        ("evidence", Made(|row| code(&row.attribution()?.evidence))),
        ("version", Whole(|row| Some(row.attribution()?.version.into()))),
        ("success_score", Real(|row| Some(row.attribution()?.success_score))),
        ("verdict", Text(|row| Some(row.attribution()?.verdict.code()))),
        ("grounding", Made(|row| code(&row.attribution()?.grounding))),
        (
            "reward",
            Real(|row| row.attribution().map(|attribution| attribution.reward.unwrap_or(attribution.success_score))),
        ),
    ]
}

impl Rows for DecisionInsight {
    fn table() -> Vec<(&'static str, Column<Self>)> {
        use Column::{Real, Text, Texts, Truth, Whole};
        vec![
            ("decision", Text(|insight| Some(&insight.decision))),
            ("state", Text(|insight| insight.state.as_deref())),
            ("advantage", Real(|insight| Some(insight.advantage))),
            ("low", Real(|insight| Some(insight.low))),
            ("high", Real(|insight| Some(insight.high))),
            ("n", Whole(|insight| Some(insight.n))),
            ("q", Real(|insight| Some(insight.q))),
            ("identifiable", Truth(|insight| Some(insight.identifiable))),
            ("examples", Texts(|insight| insight.examples.iter().map(ToString::to_string).collect())),
        ]
    }
}

/// The columns as Python lists; times as `datetime` in UTC.
pub(super) fn to_pydict<'py>(
    py: Python<'py>,
    schema: &SchemaRef,
    batches: &[RecordBatch],
) -> PyResult<Bound<'py, PyDict>> {
    let columns = PyDict::new(py);
    for (index, field) in schema.fields().iter().enumerate() {
        let values = PyList::empty(py);
        for array in batches.iter().map(|batch| batch.column(index)) {
            for row in 0..array.len() {
                values.append(value(py, array, row)?)?;
            }
        }
        columns.set_item(field.name(), values)?;
    }
    Ok(columns)
}

fn value<'py>(py: Python<'py>, array: &ArrayRef, row: usize) -> PyResult<Bound<'py, PyAny>> {
    if array.is_null(row) {
        return Ok(py.None().into_bound(py));
    }
    Ok(match array.data_type() {
        DataType::Float64 => array.as_primitive::<Float64Type>().value(row).into_pyobject(py)?.into_any(),
        DataType::Int64 => array.as_primitive::<Int64Type>().value(row).into_pyobject(py)?.into_any(),
        DataType::Boolean => array.as_boolean().value(row).into_pyobject(py)?.to_owned().into_any(),
        DataType::Timestamp(..) => {
            let micros = array.as_primitive::<TimestampMicrosecondType>().value(row);
            py.import("accredit._plain")?.getattr("instant")?.call1((micros,))?
        }
        DataType::List(_) => {
            let texts = array.as_list::<i32>().value(row);
            texts.as_string::<i64>().iter().collect::<Vec<_>>().into_pyobject(py)?
        }
        _ => array.as_string::<i64>().value(row).into_pyobject(py)?.into_any(),
    })
}
