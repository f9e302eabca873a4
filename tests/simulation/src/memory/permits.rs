//! [`PermitStore`] in memory.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc};

use shared::{
    domain::permits::{Group, Ledger},
    ports::{
        permit_store::{KeptLedger, PermitStore, Replaced},
        session_store::StoreError,
    },
};

/// The permit rows of one client id.
#[derive(Debug, Clone, Default)]
pub struct MemoryPermitRows(Rc<RefCell<BTreeMap<Group, KeptLedger>>>);

impl MemoryPermitRows {
    /// The ledger of a group as it stands; nothing before its first write.
    pub fn ledger_now(&self, group: &Group) -> Option<Ledger> {
        self.0.borrow().get(group).map(|kept| kept.ledger.clone())
    }

    /// Takes all ledgers away, as somebody would who deletes the rows.
    pub fn lose(&self) {
        self.0.borrow_mut().clear();
    }

    /// What the rows are now.
    pub(super) fn copied(&self) -> BTreeMap<Group, KeptLedger> {
        self.0.borrow().clone()
    }

    /// Makes the rows what they were.
    pub(super) fn restore(&self, rows: BTreeMap<Group, KeptLedger>) {
        self.0.replace(rows);
    }

    fn kept(&self, group: &Group) -> KeptLedger {
        let kept = self.0.borrow().get(group).cloned();
        kept.unwrap_or_else(|| KeptLedger { ledger: Ledger::of(group), rev: 0 })
    }
}

impl PermitStore for MemoryPermitRows {
    async fn ledger(&self, group: &Group) -> Result<KeptLedger, StoreError> {
        Ok(self.kept(group))
    }

    async fn replace(&self, group: &Group, rev: u64, ledger: &Ledger) -> Result<Replaced, StoreError> {
        let kept = self.kept(group);
        if kept.rev != rev {
            return Ok(Replaced::Changed(kept));
        }
        self.0.borrow_mut().insert(group.clone(), KeptLedger { ledger: ledger.clone(), rev: rev + 1 });
        Ok(Replaced::Done)
    }
}
