//! The runbook, as far as it says how to clear an alarm.

/// The runbook.
const RUNBOOK: &str = include_str!("../../../../docs/RUNBOOK.md");

/// The script that clears an alarm: the fenced block after the words `Clear it` in the section with the alarm's name.
///
/// # Errors
/// Says what the section lacks.
pub(super) fn script(alarm: &str) -> Result<&'static str, String> {
    script_in(RUNBOOK, alarm)
}

fn script_in<'a>(runbook: &'a str, alarm: &str) -> Result<&'a str, String> {
    let heading = format!("\n## {alarm}\n");
    let begin = runbook.find(&heading).ok_or_else(|| format!("the runbook has no section {alarm}"))?;
    let rest = runbook.get(begin + heading.len()..).unwrap_or_default();
    let section = rest.split("\n## ").next().unwrap_or_default();
    let (_, after) = section.split_once("Clear it").ok_or_else(|| format!("{alarm} does not say how to clear it"))?;
    let block = after.split_once("```sh\n").and_then(|(_, block)| block.split_once("```"));
    block.map(|(script, _)| script).ok_or_else(|| format!("{alarm} has no command that clears it"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# Runbook\n\n## One\n\nWhat it means.\n\n```sh\nlook\n```\n\n**Clear it:** do\n\n```sh\nmend \\\n  it\n```\n\n\
                        ## Two\n\n**Clear it:** by waiting.\n\n## Three\n\n```sh\nlook\n```\n";

    #[test]
    fn the_command_stands_after_clear_it() {
        assert_eq!(script_in(TEXT, "One"), Ok("mend \\\n  it\n"));
        assert_eq!(script_in(TEXT, "Two"), Err("Two has no command that clears it".to_owned()));
        assert_eq!(script_in(TEXT, "Three"), Err("Three does not say how to clear it".to_owned()));
        assert_eq!(script_in(TEXT, "Four"), Err("the runbook has no section Four".to_owned()));
    }
}
