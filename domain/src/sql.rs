//! Statements that are put together from parts, each value bound and never spliced.

use sea_orm::{DbBackend, Statement, Value};

/// SQL text with numbered parameters, and their values.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sql {
    text: String,
    values: Vec<Value>,
}

impl Sql {
    /// Begins with this text.
    pub(crate) fn new(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            values: Vec::new(),
        }
    }

    /// Begins with these parameters, for text that names them by their numbers.
    pub(crate) fn with_values(values: Vec<Value>) -> Self {
        Self {
            text: String::new(),
            values,
        }
    }

    /// Appends text.
    pub(crate) fn push(&mut self, text: &str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    /// Appends a parameter with this value.
    pub(crate) fn bind(&mut self, value: impl Into<Value>) -> &mut Self {
        self.values.push(value.into());
        self.text.push('$');
        self.text.push_str(&self.values.len().to_string());
        self
    }

    /// Whether nothing has been appended.
    pub(crate) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// The statement.
    pub(crate) fn build(self) -> Statement {
        Statement::from_sql_and_values(DbBackend::Postgres, self.text, self.values)
    }
}

/// A statement with a fixed text.
pub(crate) fn statement<const N: usize>(text: &'static str, values: [Value; N]) -> Statement {
    Statement::from_sql_and_values(DbBackend::Postgres, text, values)
}

/// Ids as one array parameter, so that a statement has the same text however many there are.
pub(crate) fn uuids<Id: Into<Value> + Copy>(ids: &[Id]) -> Value {
    let values = ids.iter().map(|id| (*id).into()).collect();
    Value::Array(sea_orm::sea_query::ArrayType::Uuid, Some(Box::new(values)))
}
