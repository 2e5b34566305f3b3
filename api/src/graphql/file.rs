//! Files that come with a request.

use async_graphql::{
    Context, InputValueError, InputValueResult, Scalar, ScalarType, Upload, Value,
};
use domain::{Code, Error, Refusal};

/// What stands in for a file in the variables once the files have been received.
const REFERENCE: &str = "#__graphql_file__:";

/// How many files came with the request.
#[derive(Clone, Copy, Debug)]
pub struct FileCount(pub usize);

/// A file that came with the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct File(usize);

/// A file, sent after the GraphQL multipart request specification.
#[Scalar(
    name = "Upload",
    specified_by_url = "https://github.com/jaydenseric/graphql-multipart-request-spec"
)]
impl ScalarType for File {
    fn parse(value: Value) -> InputValueResult<Self> {
        let Value::String(text) = &value else {
            return Err(InputValueError::expected_type(value));
        };
        let index = text
            .strip_prefix(REFERENCE)
            .and_then(|index| index.parse().ok());
        index.map(Self).ok_or_else(|| {
            InputValueError::custom("a file has to be sent as part of a multipart request")
        })
    }

    fn to_value(&self) -> Value {
        Value::Null
    }
}

impl File {
    /// The file's content, for the input field at `path`. Anybody can write a reference by hand: it counts only when such a file came.
    ///
    /// # Errors
    /// When no such file came with the request.
    pub fn open(&self, ctx: &Context<'_>, path: &str) -> domain::Result<std::fs::File> {
        let FileCount(count) = *ctx.data_unchecked();
        if self.0 >= count {
            return Err(Refusal::new(Code::Required, path).into());
        }
        let upload = Upload(self.0).value(ctx).map_err(Error::internal)?;
        Ok(upload.content)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_references_are_files() {
        assert_eq!(
            File::parse(Value::from("#__graphql_file__:3")).ok(),
            Some(File(3))
        );
        for text in [
            "",
            "3",
            "#__graphql_file__:",
            "#__graphql_file__:-1",
            "#__graphql_file__:x",
            "#__graphql_file__:99999999999999999999",
        ] {
            assert!(File::parse(Value::from(text)).is_err(), "{text}");
        }
        assert!(File::parse(Value::Null).is_err());
    }
}
