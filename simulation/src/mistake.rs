//! Records that the rules refuse, as a rule that forgets something would make them.

use onsale_domain::record::{HoldConfirmed, IssuedTicket, TicketScanned};
use onsale_domain::{Command, Inventory, Presented, Record, Refusal, UnixMillis};

use crate::fault::Bug;

/// The record that a deliberate mistake makes of a command that was refused.
pub(crate) fn made(
    bug: Option<Bug>,
    command: &Command,
    refusal: &Refusal,
    inventory: &Inventory,
    now: UnixMillis,
) -> Option<Record> {
    match (bug?, command, refusal) {
        (Bug::ForgetScan, Command::ScanTicket(scan), Refusal::AlreadyUsed { .. }) => {
            let Presented::Pass { ticket_id, .. } = scan.presented else {
                return None;
            };
            Some(Record::TicketScanned(TicketScanned {
                at: now,
                ticket_id,
                ticket_type_id: inventory.definition()?.ticket_types.first()?.id,
                gate: scan.gate.clone(),
                direction: scan.direction,
                scanned_at: now,
                scan: scan.scan,
            }))
        }
        (
            Bug::ReclaimTaken,
            Command::ReclaimHold(reclaim),
            Refusal::SoldOut | Refusal::AllHeld { .. } | Refusal::InsufficientAvailability { .. },
        ) => {
            let confirm = &reclaim.confirm;
            let kinds = reclaim
                .lines
                .iter()
                .flat_map(|line| (0..line.quantity).map(|_| line.ticket_type_id));
            Some(Record::HoldReclaimed(HoldConfirmed {
                at: now,
                hold_id: confirm.hold_id,
                buyer_id: confirm.buyer_id,
                lines: reclaim.lines.clone(),
                total: confirm.payment.as_ref()?.amount,
                payment: confirm.payment.clone(),
                pending_since: Some(reclaim.pending_since),
                package_order_id: None,
                tickets: kinds
                    .zip(&confirm.tickets)
                    .map(|(ticket_type_id, (id, code))| IssuedTicket {
                        id: *id,
                        ticket_type_id,
                        code: *code,
                    })
                    .collect(),
                key: confirm.key,
            }))
        }
        _ => None,
    }
}
