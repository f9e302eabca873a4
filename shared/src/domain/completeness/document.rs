//! The report as serde writes and reads it: the order of fields here is the order in the file.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{About, Counts, DayProof, Defect, DefectClass, Link, Report, ReportError};
use crate::domain::{
    day::{Day, format_time, parse_time},
    ids::{AccountId, RecordingId, TelephonySessionId},
    object_key::ObjectKey,
};

/// Name and major version of the schema. It changes when the meaning of a field does; a new field changes nothing.
pub const SCHEMA: &str = "ringvault.completeness/1";

#[derive(Deserialize)]
struct Envelope {
    schema: String,
}

#[derive(Serialize, Deserialize)]
struct Document {
    schema: String,
    account: String,
    date: String,
    sequence: u64,
    issued_at: String,
    counts: CountsDocument,
    missing: Vec<String>,
    defects: Vec<DefectDocument>,
    waiting: Vec<String>,
    manifests: Vec<LinkDocument>,
    previous: Option<LinkDocument>,
}

#[derive(Serialize, Deserialize)]
struct CountsDocument {
    offered: usize,
    archived: usize,
    waiting: usize,
    too_short: usize,
    unavailable: usize,
    deleted: usize,
    missing: usize,
}

#[derive(Serialize, Deserialize)]
struct DefectDocument {
    class: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    recording: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct LinkDocument {
    key: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    version_id: Option<String>,
    sha256: String,
}

pub(super) fn write(report: &Report) -> Vec<u8> {
    let Report { proof, sequence, issued_ms, previous } = report;
    let document = Document {
        schema: SCHEMA.to_owned(),
        account: proof.account.to_string(),
        date: proof.day.to_string(),
        sequence: *sequence,
        issued_at: format_time(*issued_ms),
        counts: CountsDocument::of(&proof.counts),
        missing: proof.missing.iter().map(RecordingId::to_string).collect(),
        defects: proof.defects.iter().map(DefectDocument::of).collect(),
        waiting: proof.waiting.iter().map(TelephonySessionId::to_string).collect(),
        manifests: proof.manifests.iter().map(LinkDocument::of).collect(),
        previous: previous.as_ref().map(LinkDocument::of),
    };
    // Texts, numbers and lists: there is nothing in it that JSON cannot say.
    let mut json = serde_json::to_vec_pretty(&document).unwrap_or_default();
    json.push(b'\n');
    json
}

pub(super) fn read(json: &[u8]) -> Result<Report, ReportError> {
    let Envelope { schema } = serde_json::from_slice(json).map_err(|_| ReportError::Malformed)?;
    if schema != SCHEMA {
        return Err(ReportError::OtherSchema);
    }
    let document: Document = serde_json::from_slice(json).map_err(|_| ReportError::Malformed)?;
    let missing: BTreeSet<_> = document.missing.iter().map(|id| RecordingId::parse(id)).collect::<Result<_, _>>()?;
    let counts = document.counts.read();
    if counts.missing != missing.len() {
        return Err(ReportError::Field("missing"));
    }
    let proof = DayProof {
        account: AccountId::parse(&document.account)?,
        day: Day::parse(&document.date).ok_or(ReportError::Field("date"))?,
        counts,
        missing,
        defects: document.defects.into_iter().map(DefectDocument::read).collect::<Result<_, _>>()?,
        waiting: document.waiting.iter().map(|id| TelephonySessionId::parse(id)).collect::<Result<_, _>>()?,
        manifests: document.manifests.into_iter().map(LinkDocument::read).collect(),
    };
    Ok(Report {
        proof,
        sequence: document.sequence,
        issued_ms: parse_time(&document.issued_at).ok_or(ReportError::Field("issued_at"))?,
        previous: document.previous.map(LinkDocument::read),
    })
}

impl CountsDocument {
    fn of(counts: &Counts) -> Self {
        let Counts { archived, waiting, too_short, unavailable, deleted, missing } = *counts;
        Self { offered: counts.offered(), archived, waiting, too_short, unavailable, deleted, missing }
    }

    /// What was offered follows from the rest.
    fn read(self) -> Counts {
        let Self { offered: _, archived, waiting, too_short, unavailable, deleted, missing } = self;
        Counts { archived, waiting, too_short, unavailable, deleted, missing }
    }
}

impl DefectDocument {
    fn of(defect: &Defect) -> Self {
        let class = defect.class.name().to_owned();
        match &defect.about {
            About::Recording { recording, session } => {
                Self { class, recording: Some(recording.to_string()), session: Some(session.to_string()), key: None }
            }
            About::Object(key) => Self { class, recording: None, session: None, key: Some(key.to_string()) },
        }
    }

    fn read(self) -> Result<Defect, ReportError> {
        let class = DefectClass::from_name(&self.class).ok_or(ReportError::Field("class"))?;
        let about = match (self.recording, self.session, self.key) {
            (Some(recording), Some(session), None) => About::Recording {
                recording: RecordingId::parse(&recording)?,
                session: TelephonySessionId::parse(&session)?,
            },
            (None, None, Some(key)) => About::Object(ObjectKey::from_listing(key)),
            (_, _, _) => return Err(ReportError::Field("defects")),
        };
        Ok(Defect { class, about })
    }
}

impl LinkDocument {
    fn of(link: &Link) -> Self {
        Self { key: link.key.to_string(), version_id: link.version.clone(), sha256: link.sha256.clone() }
    }

    fn read(self) -> Link {
        Link { key: ObjectKey::from_listing(self.key), version: self.version_id, sha256: self.sha256 }
    }
}
