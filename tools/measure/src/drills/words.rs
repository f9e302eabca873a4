//! Splits commands into words as a POSIX shell does, as far as the runbook writes them. What is beyond that is an error: a
//! command that is only half understood must not be acted out.

use std::{collections::BTreeMap, iter::Peekable, str::Chars};

/// Values of the variables a command may name.
pub(super) type Variables = BTreeMap<String, String>;

/// The commands of a script, each with its words. Lines are commands; a backslash at the end of a line joins it to the next.
///
/// # Errors
/// Says what is not understood.
pub(super) fn split(script: &str, variables: &Variables) -> Result<Vec<Vec<String>>, String> {
    let mut reader = Reader { rest: script.chars().peekable(), variables };
    let (mut commands, mut words) = (Vec::new(), Vec::new());
    while let Some(next) = reader.rest.peek().copied() {
        match next {
            ' ' | '\t' => drop(reader.rest.next()),
            '\n' => {
                reader.rest.next();
                commands.push(std::mem::take(&mut words));
            }
            '#' => while reader.rest.next_if(|next| *next != '\n').is_some() {},
            '\\' if reader.is_joint() => {}
            _ => words.extend(reader.word()?),
        }
    }
    commands.push(words);
    commands.retain(|words| !words.is_empty());
    Ok(commands)
}

struct Reader<'a> {
    rest: Peekable<Chars<'a>>,
    variables: &'a Variables,
}

impl Reader<'_> {
    /// Takes a backslash and the end of line after it, if that is what comes.
    fn is_joint(&mut self) -> bool {
        let mut ahead = self.rest.clone();
        let joins = ahead.next() == Some('\\') && ahead.next() == Some('\n');
        if joins {
            self.rest = ahead;
        }
        joins
    }

    /// A word; none where unquoted variables are all it has and they are empty.
    fn word(&mut self) -> Result<Option<String>, String> {
        let (mut word, mut is_quoted) = (String::new(), false);
        while let Some(next) = self.rest.peek().copied() {
            match next {
                ' ' | '\t' | '\n' => break,
                '\'' => {
                    self.rest.next();
                    is_quoted = true;
                    self.single(&mut word)?;
                }
                '"' => {
                    self.rest.next();
                    is_quoted = true;
                    self.double(&mut word)?;
                }
                '$' => {
                    let value = self.variable()?;
                    if value.contains(char::is_whitespace) {
                        return Err("an unquoted variable whose value is several words".to_owned());
                    }
                    word.push_str(&value);
                }
                '\\' if self.is_joint() => break,
                '\\' | '`' | '|' | '&' | ';' | '<' | '>' | '(' | ')' | '*' | '?' | '[' | ']' | '{' | '}' | '~'
                | '!' => {
                    return Err(format!("{next} outside quotes"));
                }
                _ => {
                    self.rest.next();
                    word.push(next);
                }
            }
        }
        Ok((is_quoted || !word.is_empty()).then_some(word))
    }

    fn single(&mut self, word: &mut String) -> Result<(), String> {
        loop {
            match self.rest.next() {
                Some('\'') => return Ok(()),
                Some(next) => word.push(next),
                None => return Err("a quote that does not end".to_owned()),
            }
        }
    }

    fn double(&mut self, word: &mut String) -> Result<(), String> {
        loop {
            match self.rest.peek().copied() {
                Some('"') => {
                    self.rest.next();
                    return Ok(());
                }
                Some('$') => word.push_str(&self.variable()?),
                Some('`') => return Err("a command in a command".to_owned()),
                Some('\\') => {
                    self.rest.next();
                    let escaped = self.rest.next_if(|next| ['"', '\\', '$', '`'].contains(next));
                    word.push(escaped.unwrap_or('\\'));
                }
                Some(next) => {
                    self.rest.next();
                    word.push(next);
                }
                None => return Err("a quote that does not end".to_owned()),
            }
        }
    }

    /// `$NAME` or `${NAME}`.
    fn variable(&mut self) -> Result<String, String> {
        self.rest.next();
        let in_braces = self.rest.next_if_eq(&'{').is_some();
        let mut name = String::new();
        while let Some(next) = self.rest.next_if(|next| next.is_ascii_alphanumeric() || *next == '_') {
            name.push(next);
        }
        if name.is_empty() || (in_braces && self.rest.next_if_eq(&'}').is_none()) {
            return Err("a dollar that names no variable".to_owned());
        }
        self.variables.get(&name).cloned().ok_or_else(|| format!("${name}: nobody set it"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(script: &str) -> Result<Vec<Vec<String>>, String> {
        let variables = [("BUCKET", "calls"), ("EMPTY", ""), ("TWO", "a b")];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        split(script, &variables.into())
    }

    #[test]
    fn words_are_split_as_a_shell_does() {
        for (script, expected) in [
            ("aws  s3\trm x", vec![vec!["aws", "s3", "rm", "x"]]),
            ("one\n\n  two # three\n# four\n", vec![vec!["one"], vec!["two"]]),
            ("one \\\n  two\\\n three", vec![vec!["one", "two", "three"]]),
            ("'a b' '' c'd e'f", vec![vec!["a b", "", "cd ef"]]),
            (r#"'{"jwt": "$x"}'"#, vec![vec![r#"{"jwt": "$x"}"#]]),
            (r#""{\"a\": \"$BUCKET\"}" "\n""#, vec![vec![r#"{"a": "calls"}"#, r"\n"]]),
            (
                "s3://$BUCKET/key ${BUCKET}s \"$TWO\" $EMPTY \"$EMPTY\"",
                vec![vec!["s3://calls/key", "callss", "a b", ""]],
            ),
            ("a#b", vec![vec!["a#b"]]),
            ("", vec![]),
        ] {
            let expected = expected.iter().map(|words| words.iter().map(|word| (*word).to_owned()).collect()).collect();
            assert_eq!(read(script), Ok(expected), "{script}");
        }
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for (script, why) in [
            ("one | two", "| outside quotes"),
            ("one && two", "& outside quotes"),
            ("one; two", "; outside quotes"),
            ("one > file", "> outside quotes"),
            ("rm *", "* outside quotes"),
            (r"a\ b", r"\ outside quotes"),
            ("'one", "a quote that does not end"),
            ("\"one", "a quote that does not end"),
            ("\"$(date)\"", "a dollar that names no variable"),
            ("\"`date`\"", "a command in a command"),
            ("$", "a dollar that names no variable"),
            ("${BUCKET", "a dollar that names no variable"),
            ("$TWO", "an unquoted variable whose value is several words"),
            ("$OTHER", "$OTHER: nobody set it"),
        ] {
            assert_eq!(read(script), Err(why.to_owned()), "{script}");
        }
    }
}
