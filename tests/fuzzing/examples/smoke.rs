//! Fuzzing that needs nothing but the stable toolchain: changes inputs of the committed corpus by chance, without looking
//! at coverage. `smoke <seconds> [seed]` shares the time among the targets, prints how many inputs each was given, and
//! keeps an input that fails below the target folder.

use std::{
    env,
    error::Error,
    fs,
    panic::catch_unwind,
    path::{Path, PathBuf},
    process::ExitCode,
    time::{Duration, Instant},
};

use fastrand::Rng;
use fuzzing::TARGETS;

/// Longer inputs find nothing that shorter ones do not.
const LONGEST: usize = 8192;

/// An input is changed in so many places at most.
const MOST_CHANGES: usize = 6;

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let seconds: u32 = arguments.next().ok_or("how many seconds?")?.parse()?;
    let seed: u64 = arguments.next().map_or(Ok(1), |seed| seed.parse())?;
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz");
    let each = Duration::from_secs(seconds.into()) / u32::try_from(TARGETS.len())?;
    for (target, run) in TARGETS {
        let inputs = inputs(&root.join("corpus").join(target))?;
        let words = words(&fs::read_to_string(root.join(format!("dictionaries/{target}.dict")))?);
        let mut chance = Rng::with_seed(seed);
        let (began, mut executions) = (Instant::now(), 0_u64);
        while began.elapsed() < each {
            let input = changed(&inputs, &words, &mut chance);
            if catch_unwind(|| run(&input)).is_err() {
                let found = found(target)?;
                fs::write(&found, &input)?;
                println!("{target}: FAILED after {executions} executions: {}", found.display());
                return Ok(ExitCode::FAILURE);
            }
            executions += 1;
        }
        println!("{target}: {executions} executions from {} inputs, none failed", inputs.len());
    }
    Ok(ExitCode::SUCCESS)
}

fn inputs(folder: &Path) -> Result<Vec<Vec<u8>>, Box<dyn Error>> {
    let mut paths = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>, std::io::Error>>()?;
    paths.sort();
    let inputs: Vec<_> = paths.iter().map(fs::read).collect::<Result<_, _>>()?;
    if inputs.is_empty() { Err("a corpus of nothing".into()) } else { Ok(inputs) }
}

/// Where a failing input is kept.
fn found(target: &str) -> Result<PathBuf, Box<dyn Error>> {
    let mut folder = env::current_exe()?;
    folder.pop();
    Ok(folder.join(format!("failing-{target}")))
}

/// The words of a libFuzzer dictionary: one a line in quotes, odd bytes as `\xNN`.
fn words(dictionary: &str) -> Vec<Vec<u8>> {
    let quoted = dictionary.lines().filter_map(|line| line.strip_prefix('"')?.strip_suffix('"'));
    quoted.map(|word| unescaped(word.as_bytes())).collect()
}

fn unescaped(word: &[u8]) -> Vec<u8> {
    match word {
        [] => Vec::new(),
        [b'\\', b'x', high, low, rest @ ..] => {
            let digit = |digit: &u8| char::from(*digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
            let byte = digit(high).zip(digit(low)).map(|(high, low)| high * 16 + low);
            byte.into_iter().chain(unescaped(rest)).collect()
        }
        [byte, rest @ ..] => [*byte].into_iter().chain(unescaped(rest)).collect(),
    }
}

fn changed(inputs: &[Vec<u8>], words: &[Vec<u8>], chance: &mut Rng) -> Vec<u8> {
    let any = |chance: &mut Rng| inputs[chance.usize(..inputs.len())].clone();
    let mut input = any(chance);
    for _ in 0..chance.usize(1..=MOST_CHANGES) {
        let at = chance.usize(..=input.len());
        let end = chance.usize(at..=input.len().min(at + 32));
        let piece = match chance.u8(..6) {
            0 => vec![chance.u8(..)],
            1 => Vec::new(),
            2 => words.get(chance.usize(..words.len().max(1))).cloned().unwrap_or_default(),
            3 => input[at..end].repeat(2),
            4 => {
                let other = any(chance);
                let from = chance.usize(..=other.len());
                other[from..].to_vec()
            }
            _ => input[at..end].iter().map(|byte| byte ^ (1 << chance.u8(..8))).collect(),
        };
        input.splice(at..end, piece);
        input.truncate(LONGEST);
    }
    input
}
