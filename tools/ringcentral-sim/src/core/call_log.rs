//! The call log: which records, on which page (API.md §7).

use super::Simulator;
use super::call_record::{Seen, record};
use super::fault::Fault;
use super::message::{Reply, Request, json_text};
use crate::time_text::parse_ms;
use crate::world::{Call, RecordingKind};
use serde_json::json;

const DAY_MS: u64 = 24 * 60 * 60 * 1_000;
const DEFAULT_PER_PAGE: usize = 100;
const MAX_PER_PAGE: usize = 1_000;
const MAX_PAGE: usize = 1_000;

/// How much of a record is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum View {
    Simple,
    Detailed,
}

impl View {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Simple => "Simple",
            Self::Detailed => "Detailed",
        }
    }
}

impl Simulator {
    pub(super) fn account_call_log(&self, request: &Request, now_ms: u64) -> Result<Reply, Fault> {
        self.check_log_permission()?;
        if !self.settings.company_call_log_allowed {
            return Err(Fault::user_lacks("FullCompanyCallLog"));
        }
        let path = format!("{}/call-log", self.links().account());
        self.call_log(&path, None, &Wanted::parse(request, now_ms)?, now_ms)
    }

    pub(super) fn extension_call_log(&self, extension: &str, request: &Request, now_ms: u64) -> Result<Reply, Fault> {
        self.check_log_permission()?;
        let extension = if extension == "~" { &self.settings.extension_id } else { extension };
        let path = format!("{}/call-log", self.links().extension(extension));
        self.call_log(&path, Some(extension), &Wanted::parse(request, now_ms)?, now_ms)
    }

    pub(super) fn account_call_record(&self, id: &str, request: &Request, now_ms: u64) -> Result<Reply, Fault> {
        self.check_log_permission()?;
        if !self.settings.company_call_log_allowed {
            return Err(Fault::user_lacks("FullCompanyCallLog"));
        }
        self.call_record(id, None, request, now_ms)
    }

    pub(super) fn extension_call_record(
        &self,
        extension: &str,
        id: &str,
        request: &Request,
        now_ms: u64,
    ) -> Result<Reply, Fault> {
        self.check_log_permission()?;
        let extension = if extension == "~" { &self.settings.extension_id } else { extension };
        self.call_record(id, Some(extension), request, now_ms)
    }

    fn call_record(&self, id: &str, extension: Option<&str>, request: &Request, now_ms: u64) -> Result<Reply, Fault> {
        let query = request.query();
        let view = view(query.iter().find(|(key, _)| key == "view").map(|(_, value)| value.as_str()))?;
        let call = self.world.call_of_record(id).filter(|call| is_of(call, extension));
        let seen = call.map(|call| Seen::of(call, &self.settings, now_ms)).filter(Seen::is_listed);
        let seen = seen.ok_or_else(|| Fault::not_found("callRecordId"))?;
        Ok(Reply::json(200, &record(&seen, extension, view, &self.links())))
    }

    fn check_log_permission(&self) -> Result<(), Fault> {
        let permission = "ReadCallLog";
        if self.settings.grants(permission) { Ok(()) } else { Err(Fault::app_lacks(permission)) }
    }

    fn call_log(&self, path: &str, extension: Option<&str>, wanted: &Wanted, now_ms: u64) -> Result<Reply, Fault> {
        let links = self.links();
        let found: Vec<String> = self
            .candidates(wanted)
            .filter(|call| is_of(call, extension))
            .map(|call| Seen::of(call, &self.settings, now_ms))
            .filter(|seen| seen.is_listed() && wanted.recordings.takes(seen))
            .skip(wanted.skipped())
            .take(wanted.per_page + 1)
            .map(|seen| json_text(&record(&seen, extension, wanted.view, &links)))
            .collect();
        Ok(Reply::json_text(200, wanted.envelope(path, found)))
    }

    /// What the ids and times of a look-up leave, the newest first.
    fn candidates<'a>(&'a self, wanted: &'a Wanted) -> Box<dyn Iterator<Item = &'a Call> + 'a> {
        let calls: Box<dyn Iterator<Item = &Call>> = match &wanted.telephony_session_id {
            Some(id) => Box::new(self.world.call(id).into_iter()),
            None => Box::new(self.world.begun_between(wanted.from_ms, wanted.to_ms)),
        };
        Box::new(calls.filter(|call| wanted.takes(call)))
    }
}

/// Whether an extension took part; without one, every call counts.
fn is_of(call: &Call, extension: Option<&str>) -> bool {
    let side = |id: &str| call.parties.iter().any(|party| party.extension_id.as_deref() == Some(id));
    extension.is_none_or(side)
}

/// The parameters of one look-up.
struct Wanted {
    telephony_session_id: Option<String>,
    session_id: Option<String>,
    from_ms: u64,
    to_ms: u64,
    recordings: Recordings,
    view: View,
    page: usize,
    per_page: usize,
    /// What the reply's URIs repeat: everything but the page.
    echo: Vec<(String, String)>,
}

/// `recordingType`: which calls, by their recordings.
enum Recordings {
    RecordedOrNot,
    Any,
    Of(RecordingKind),
}

impl Wanted {
    fn parse(request: &Request, now_ms: u64) -> Result<Self, Fault> {
        let query = request.query();
        let value = |name: &str| query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        let time = |name| value(name).map(|text| parse_ms(text).ok_or_else(|| Fault::invalid(name))).transpose();
        if value("sessionId").is_some() && value("extensionNumber").is_some() {
            return Err(Fault::session_id_with("extensionNumber"));
        }
        let to_ms = time("dateTo")?.unwrap_or(now_ms);
        Ok(Self {
            telephony_session_id: value("telephonySessionId").map(str::to_owned),
            session_id: value("sessionId").map(str::to_owned),
            from_ms: time("dateFrom")?.unwrap_or(to_ms.saturating_sub(DAY_MS)),
            to_ms,
            recordings: recordings(value("recordingType"))?,
            view: view(value("view"))?,
            page: page(value("page"))?,
            per_page: per_page(value("perPage"))?,
            echo: query.iter().filter(|(key, _)| !matches!(key.as_str(), "page" | "perPage")).cloned().collect(),
        })
    }

    fn takes(&self, call: &Call) -> bool {
        let same = |wanted: &Option<String>, id: &str| wanted.as_deref().is_none_or(|wanted| wanted == id);
        same(&self.telephony_session_id, &call.telephony_session_id)
            && same(&self.session_id, &call.session_id)
            && (self.from_ms..=self.to_ms).contains(&call.started_at_ms)
    }

    fn skipped(&self) -> usize {
        (self.page - 1) * self.per_page
    }

    /// `found` holds the records of this page as JSON, and one more if there is another page. A page is megabytes: it is
    /// put together as text.
    fn envelope(&self, path: &str, found: Vec<String>) -> String {
        let goes_on = found.len() > self.per_page;
        let mut records = found;
        records.truncate(self.per_page);
        let mut paging = json!({"page": self.page, "perPage": self.per_page});
        let mut navigation = json!({"firstPage": {"uri": self.uri(path, 1)}});
        if !records.is_empty() {
            paging["pageStart"] = json!(self.skipped());
            paging["pageEnd"] = json!(self.skipped() + records.len() - 1);
        }
        if self.page > 1 {
            navigation["previousPage"] = json!({"uri": self.uri(path, self.page - 1)});
        }
        if goes_on && self.page < MAX_PAGE {
            navigation["nextPage"] = json!({"uri": self.uri(path, self.page + 1)});
        }
        let (uri, records) = (json!(self.uri(path, self.page)), records.join(","));
        format!(r#"{{"navigation":{navigation},"paging":{paging},"records":[{records}],"uri":{uri}}}"#)
    }

    fn uri(&self, path: &str, page: usize) -> String {
        let query = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(&self.echo)
            .append_pair("page", &page.to_string())
            .append_pair("perPage", &self.per_page.to_string())
            .finish();
        format!("{path}?{query}")
    }
}

impl Recordings {
    /// A recording that was too short is none.
    fn takes(&self, seen: &Seen<'_>) -> bool {
        let mut kept = seen.recordings.iter().filter(|recording| !recording.too_short);
        match self {
            Self::RecordedOrNot => true,
            Self::Any => kept.next().is_some(),
            Self::Of(kind) => kept.any(|recording| recording.kind == *kind),
        }
    }
}

fn recordings(value: Option<&str>) -> Result<Recordings, Fault> {
    match value {
        None => Ok(Recordings::RecordedOrNot),
        Some("All") => Ok(Recordings::Any),
        Some("Automatic") => Ok(Recordings::Of(RecordingKind::Automatic)),
        Some("OnDemand") => Ok(Recordings::Of(RecordingKind::OnDemand)),
        Some(_) => Err(Fault::invalid("recordingType")),
    }
}

fn view(value: Option<&str>) -> Result<View, Fault> {
    match value {
        None | Some("Simple") => Ok(View::Simple),
        Some("Detailed") => Ok(View::Detailed),
        Some(_) => Err(Fault::invalid("view")),
    }
}

fn page(value: Option<&str>) -> Result<usize, Fault> {
    let Some(text) = value else { return Ok(1) };
    let page = text.parse().ok().filter(|page| (1..=MAX_PAGE).contains(page));
    page.ok_or_else(|| Fault::invalid("page"))
}

fn per_page(value: Option<&str>) -> Result<usize, Fault> {
    match value {
        None => Ok(DEFAULT_PER_PAGE),
        Some("max") => Ok(MAX_PER_PAGE),
        Some(text) => {
            let size = text.parse::<usize>().ok().filter(|size| *size > 0);
            Ok(size.ok_or_else(|| Fault::invalid("perPage"))?.min(MAX_PER_PAGE))
        }
    }
}
