//! Signs a function in at RingCentral, and again when its credentials change.

use std::sync::{Arc, Mutex, PoisonError};

use super::{Permits, RingCentral, TokenKeeper, origin::OriginGate};
use crate::{
    clients::{
        dynamodb::{PermitRows, Table, TokenRow},
        secrets::{RingCentralCredentials, SecretError, SecretReader},
        system::System,
    },
    domain::permits::Share,
};

/// RingCentral as the functions use it.
pub type Source = RingCentral<reqwest::Client, TokenRow, PermitRows, System>;

/// Makes one [`Source`] for as long as the credentials stay the same.
#[derive(Debug)]
pub struct Connector {
    credentials: SecretReader<RingCentralCredentials>,
    http: reqwest::Client,
    origins: OriginGate,
    table: Table,
    share: Share,
    clock: System,
    /// The client, with the credentials it was made with.
    current: Mutex<Option<(RingCentralCredentials, Arc<Source>)>>,
}

impl Connector {
    /// Signs in with `credentials` where `origins` says; token and permits are shared with other functions in `table`, the
    /// vendor's limits as far as `share`.
    pub fn new(
        credentials: SecretReader<RingCentralCredentials>,
        http: reqwest::Client,
        origins: OriginGate,
        table: Table,
        share: Share,
        clock: System,
    ) -> Self {
        Self { credentials, http, origins, table, share, clock, current: Mutex::default() }
    }

    /// The vendor's client; `holder` tells the process that makes one from others.
    ///
    /// # Errors
    /// The credentials cannot be read.
    pub async fn source(&self, holder: &str) -> Result<Arc<Source>, SecretError> {
        let credentials = self.credentials.value(&self.clock).await?;
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let known = current.take().filter(|(known, _)| known.is(&credentials));
        let (_, source) = current.insert(known.unwrap_or_else(|| {
            let source = Arc::new(self.sign_in(&credentials, holder));
            (credentials, source)
        }));
        Ok(Arc::clone(source))
    }

    fn sign_in(&self, credentials: &RingCentralCredentials, holder: &str) -> Source {
        let tokens = TokenKeeper::new(
            self.http.clone(),
            self.origins.server().clone(),
            credentials.clone(),
            self.table.token_row(&credentials.client_id),
            holder.to_owned(),
        );
        let permits = Permits::within(self.share, self.table.permit_rows(&credentials.client_id), holder.to_owned());
        RingCentral::new(self.http.clone(), self.origins.clone(), tokens, permits, self.clock)
    }
}
