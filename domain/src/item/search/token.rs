//! Single words of what was typed, and what they may mean.

use sea_orm::{ConnectionTrait, FromQueryResult, QueryResult};

use super::WORDS_MAX;
use crate::{error::Result, sql::Sql};

/// Words that say nothing where others are given.
const FILLING: [&str; 22] = [
    "a", "an", "and", "for", "in", "of", "on", "or", "the", "to", "with", "و", "از", "با", "به",
    "در", "برای", "که", "را", "های", "ها", "ای",
];
/// Endings of the Persian plural, longest first: who looks for rings means each ring.
const ENDINGS: &str = "(هایی|های|ها)$";
/// How many words a typo may have meant.
const MEANT_MAX: i32 = 5;
/// Most options of attributes whose labels are compared.
const LABELS_MAX: i32 = 500;

/// A word, and what it may mean.
#[derive(Debug)]
pub(super) struct Token {
    word: String,
    /// Words that it is a typo of; none when it is one, or the beginning of one.
    meant: Vec<String>,
    /// Lexemes of options that have it in their labels: all words of each.
    labelled: Vec<String>,
}

/// The words of a text, in their order.
pub(super) async fn resolve(db: &impl ConnectionTrait, text: &str) -> Result<Vec<Token>> {
    let rows = db.query_all_raw(statement(text).build()).await?;
    let tokens: Vec<Token> = rows.iter().map(Token::read).collect::<Result<_>>()?;
    let says_something = |token: &Token| !FILLING.contains(&token.word.as_str());
    if tokens.iter().any(says_something) {
        return Ok(tokens.into_iter().filter(says_something).collect());
    }
    Ok(tokens)
}

/// A typo is looked for only where nothing begins with the word. Words of up to four letters may differ in one, longer ones in two, from
/// words with the same first or last letter; those that differ least are meant.
fn statement(text: &str) -> Sql {
    let mut sql = Sql::new(
        "WITH token AS (
             SELECT left(word, 100) AS word, min(place) AS place
             FROM string_to_table(search_fold(",
    );
    sql.bind(text)
        .push(
            "), ' ') WITH ORDINALITY AS t (word, place)
             WHERE word <> '' GROUP BY 1 ORDER BY 2 LIMIT ",
        )
        .bind(WORDS_MAX)
        .push(
            "), label AS MATERIALIZED (
             SELECT a.key, o.option->>'value' AS value, ' ' || search_fold(string_agg(l.value, ' ')) AS words
             FROM attribute a CROSS JOIN LATERAL jsonb_array_elements(a.options) o (option)
                  CROSS JOIN LATERAL jsonb_each_text(o.option->'label') l
             WHERE a.searchable AND a.retired_at IS NULL GROUP BY 1, 2 ORDER BY 1, 2 LIMIT ",
        )
        .bind(LABELS_MAX)
        .push(
            ")
         SELECT t.word, labelled.lexemes,
                CASE WHEN known.is_so OR labelled.lexemes <> '{}' THEN '{}' ELSE ARRAY(
                    SELECT meant.word FROM (
                        SELECT c.word, c.distance, min(c.distance) OVER () AS least FROM (
                            SELECT s.word, 0 AS distance FROM search_word s
                            WHERE s.word = regexp_replace(t.word, ",
        )
        .bind(ENDINGS)
        .push(
            ", '')
                            UNION ALL
                            SELECT s.word, levenshtein_less_equal(s.word, t.word, bound.most) FROM search_word s
                            WHERE length(t.word) >= 3
                              AND (left(s.word, 1) = left(t.word, 1) AND length(s.word) BETWEEN length(t.word) - bound.most AND length(t.word) + bound.most
                                OR right(s.word, 1) = right(t.word, 1) AND length(s.word) BETWEEN length(t.word) - bound.most AND length(t.word) + bound.most)
                        ) c WHERE c.distance <= bound.most
                    ) meant WHERE meant.distance = meant.least ORDER BY meant.word LIMIT ",
        )
        .bind(MEANT_MAX)
        .push(
            ") END AS meant
         FROM token t
              CROSS JOIN LATERAL (SELECT CASE WHEN length(t.word) < 5 THEN 1 ELSE 2 END AS most) bound
              CROSS JOIN LATERAL (SELECT t.word ~ '[0-9]' OR EXISTS (
                  SELECT FROM search_word s WHERE s.word >= t.word AND s.word < t.word || U&'\\+10FFFF') AS is_so) known
              CROSS JOIN LATERAL (SELECT ARRAY(
                  SELECT quoted_lexemes(':' || l.key || ':', btrim(search_fold(l.value)))
                  FROM label l WHERE strpos(l.words, ' ' || t.word) > 0 AND btrim(search_fold(l.value)) <> '' LIMIT 20) AS lexemes) labelled
         ORDER BY t.place",
        );
    sql
}

impl Token {
    fn read(row: &QueryResult) -> Result<Self> {
        #[derive(FromQueryResult)]
        struct Row {
            word: String,
            meant: Vec<String>,
            lexemes: Vec<String>,
        }
        let Row {
            word,
            meant,
            lexemes,
        } = Row::from_query_result(row, "")?;
        Ok(Self {
            word,
            meant,
            labelled: lexemes,
        })
    }

    /// What an item must have: in its name, its tags, or the attributes with these keys.
    pub(super) fn query(&self, keys: &[String]) -> String {
        let mut any = Vec::new();
        for prefix in ["", "#"]
            .into_iter()
            .map(str::to_owned)
            .chain(keys.iter().map(|key| format!(":{key}:")))
        {
            if self.meant.is_empty() {
                any.push(format!("{}:*", quoted(&format!("{prefix}{}", self.word))));
            }
            any.extend(
                self.meant
                    .iter()
                    .map(|word| quoted(&format!("{prefix}{word}"))),
            );
        }
        any.extend(self.labelled.iter().map(|lexemes| {
            let lexemes: Vec<_> = lexemes.split_whitespace().collect();
            format!("({})", lexemes.join(" & "))
        }));
        format!("({})", any.join(" | "))
    }

    /// That it is a word of the name.
    pub(super) fn whole(&self) -> String {
        let words = self.words().map(quoted);
        words.collect::<Vec<_>>().join(" | ")
    }

    /// That a word of the name begins so.
    pub(super) fn begun(&self) -> String {
        let words = self.words().map(|word| format!("{}:*", quoted(word)));
        words.collect::<Vec<_>>().join(" | ")
    }

    fn words(&self) -> impl Iterator<Item = &str> {
        let typed = Some(&self.word).filter(|_| self.meant.is_empty());
        typed.into_iter().chain(&self.meant).map(String::as_str)
    }
}

/// A lexeme in the text of a tsquery.
fn quoted(lexeme: &str) -> String {
    format!("'{}'", lexeme.replace('\\', "\\\\").replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::{Token, quoted};

    #[test]
    fn a_lexeme_means_itself() {
        assert_eq!(quoted(r"a'b\c"), r"'a''b\\c'");
    }

    #[test]
    fn a_word_is_looked_for_everywhere_and_a_typo_as_what_was_meant() {
        let mut token = Token {
            word: "rin".into(),
            meant: Vec::new(),
            labelled: Vec::new(),
        };
        assert_eq!(
            token.query(&["metal".into()]),
            "('rin':* | '#rin':* | ':metal:rin':*)"
        );
        assert_eq!(token.begun(), "'rin':*");
        token.meant = vec!["ring".into(), "rind".into()];
        token.labelled = vec!["':metal:white' ':metal:gold' ".into()];
        assert_eq!(
            token.query(&[]),
            "('ring' | 'rind' | '#ring' | '#rind' | (':metal:white' & ':metal:gold'))"
        );
        assert_eq!(token.whole(), "'ring' | 'rind'");
    }
}
