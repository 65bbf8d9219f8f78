//! Seals: who has the deployment's secret has made this message, just now, for this event.

use std::fmt;
use std::str::FromStr;

use onsale_domain::{EventId, UnixMillis};
use uuid::Uuid;

use super::wire::VERSION;

/// How far the clocks of two processes may be apart, and how long a message may take.
pub(super) const SKEW_MS_MAX: i64 = 30_000;
/// What the keys are made for: a change of either makes all others useless.
const QUESTION_CONTEXT: &str = "onsale 2026-11-21 question of one process to another";
const ANSWER_CONTEXT: &str = "onsale 2026-11-21 answer of one process to another";

/// What seals are dated by. The engine's clock is read once and counts from there, so that it never goes back: over months
/// it would drift away from those of processes that started later.
pub(super) fn wall_time() -> UnixMillis {
    UnixMillis::from(jiff::Timestamp::now())
}

/// Makes and checks seals. A deployment may have several secrets while one takes another's place.
#[derive(Clone)]
pub(crate) struct Seals {
    /// Seals this process's questions.
    first: SealKeys,
    /// Known beside it.
    others: Vec<SealKeys>,
}

/// What one secret seals with.
#[derive(Clone)]
pub(super) struct SealKeys {
    questions: [u8; 32],
    answers: [u8; 32],
}

/// What goes before a question: version, when it was sent, a number of its own, and the code that covers these, the event
/// and the question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seal {
    pub(super) version: u32,
    pub(super) sent_at: UnixMillis,
    pub(super) nonce: Uuid,
    code: blake3::Hash,
}

/// Why a question is not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Forged {
    /// The code is missing or none of ours.
    Code,
    /// It is too old, or from the future.
    Time,
    /// It comes from a release that speaks otherwise.
    Version,
}

impl Seals {
    /// The seals of a deployment: the first secret seals, the others are known too.
    pub(crate) fn new<'a>(first: &[u8], others: impl IntoIterator<Item = &'a [u8]>) -> Self {
        Self {
            first: SealKeys::new(first),
            others: others.into_iter().map(SealKeys::new).collect(),
        }
    }

    pub(super) fn seal(&self, event_id: EventId, body: &[u8], now: UnixMillis) -> Seal {
        let nonce = Uuid::now_v7();
        Seal {
            version: VERSION,
            sent_at: now,
            nonce,
            code: self.first.code(VERSION, now, nonce, event_id, body),
        }
    }

    /// The seal of the answer to a question that was sealed here.
    pub(super) fn answer(&self, question: &Seal, body: &[u8]) -> blake3::Hash {
        self.first.answer(question, body)
    }

    /// Checks a question's seal at `now`, the time included. What it was made with seals the answer: whoever asked may
    /// know no other secret.
    pub(super) fn check(
        &self,
        seal: &Seal,
        event_id: EventId,
        body: &[u8],
        now: UnixMillis,
    ) -> Result<&SealKeys, Forged> {
        if seal.version != VERSION {
            return Err(Forged::Version);
        }
        // Comparing two hashes takes the same time wherever they differ.
        let made =
            |keys: &&SealKeys| keys.code(seal.version, seal.sent_at, seal.nonce, event_id, body) == seal.code;
        let keys = std::iter::once(&self.first).chain(&self.others).find(made);
        let keys = keys.ok_or(Forged::Code)?;
        if now.0.abs_diff(seal.sent_at.0) > SKEW_MS_MAX.unsigned_abs() {
            return Err(Forged::Time);
        }
        Ok(keys)
    }
}

impl SealKeys {
    fn new(secret: &[u8]) -> Self {
        Self {
            questions: blake3::derive_key(QUESTION_CONTEXT, secret),
            answers: blake3::derive_key(ANSWER_CONTEXT, secret),
        }
    }

    /// Seals an answer to one question. Without it, whoever got the address of a process that is gone could answer that
    /// something was bought.
    pub(super) fn answer(&self, question: &Seal, body: &[u8]) -> blake3::Hash {
        let mut hasher = blake3::Hasher::new_keyed(&self.answers);
        hasher.update(question.code.as_bytes());
        hasher.update(body);
        hasher.finalize()
    }

    /// Everything before the body has a fixed length, so that no two messages are the same bytes.
    fn code(
        &self,
        version: u32,
        sent_at: UnixMillis,
        nonce: Uuid,
        event_id: EventId,
        body: &[u8],
    ) -> blake3::Hash {
        let mut hasher = blake3::Hasher::new_keyed(&self.questions);
        hasher.update(&version.to_be_bytes());
        hasher.update(&sent_at.0.to_be_bytes());
        hasher.update(nonce.as_bytes());
        hasher.update(event_id.0.as_bytes());
        hasher.update(body);
        hasher.finalize()
    }
}

impl fmt::Display for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let code = self.code.to_hex();
        write!(
            f,
            "{} {} {} {code}",
            self.version,
            self.sent_at.0,
            self.nonce.simple()
        )
    }
}

impl FromStr for Seal {
    type Err = Forged;

    fn from_str(text: &str) -> Result<Self, Forged> {
        let mut parts = text.split(' ');
        let mut part = || parts.next().ok_or(Forged::Code);
        let version = part()?.parse().map_err(|_| Forged::Code)?;
        // Another version may have other parts after it.
        if version != VERSION {
            return Err(Forged::Version);
        }
        let sent_at = part()?.parse().map_err(|_| Forged::Code)?;
        let nonce = Uuid::try_parse(part()?).map_err(|_| Forged::Code)?;
        let code = blake3::Hash::from_hex(part()?).map_err(|_| Forged::Code)?;
        if parts.next().is_some() {
            return Err(Forged::Code);
        }
        Ok(Self {
            version,
            sent_at: UnixMillis(sent_at),
            nonce,
            code,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMillis = UnixMillis(1_800_000_000_000);
    const EVENT: EventId = EventId(Uuid::from_u128(7));

    const SECRET: &[u8] = b"a secret of thirty-two bytes or so";
    const ANOTHER: &[u8] = b"another secret of thirty-two bytes";

    fn seals() -> Seals {
        Seals::new(SECRET, [])
    }

    /// Whether a question of the one is answered by the other, and the answer known for one.
    fn get_on(asking: &Seals, answering: &Seals) -> Result<(), Forged> {
        let seal = asking.seal(EVENT, b"question", NOW);
        let keys = answering.check(&seal, EVENT, b"question", NOW)?;
        assert_eq!(keys.answer(&seal, b"yes"), asking.answer(&seal, b"yes"));
        Ok(())
    }

    #[test]
    fn a_seal_is_good_for_its_message_and_a_short_while() {
        let (seals, body) = (seals(), b"question");
        let seal: Seal = seals.seal(EVENT, body, NOW).to_string().parse().unwrap();
        let at = |now| seals.check(&seal, EVENT, body, now).map(|_| ());
        assert_eq!(at(NOW), Ok(()));
        assert_eq!(at(NOW.plus_ms(SKEW_MS_MAX)), Ok(()));
        assert_eq!(at(NOW.plus_ms(-SKEW_MS_MAX)), Ok(()));
        assert_eq!(at(NOW.plus_ms(SKEW_MS_MAX + 1)), Err(Forged::Time));
        assert_eq!(at(NOW.plus_ms(-SKEW_MS_MAX - 1)), Err(Forged::Time));
    }

    #[test]
    fn whatever_is_changed_breaks_the_seal() {
        let (seals, body) = (seals(), b"question");
        let seal = seals.seal(EVENT, body, NOW);
        let other = EventId(Uuid::from_u128(8));
        for (what, seal, event_id, body) in [
            ("body", seal, EVENT, &b"questiom"[..]),
            ("event", seal, other, &body[..]),
            (
                "time",
                Seal {
                    sent_at: NOW.plus_ms(1),
                    ..seal
                },
                EVENT,
                &body[..],
            ),
            (
                "nonce",
                Seal {
                    nonce: Uuid::nil(),
                    ..seal
                },
                EVENT,
                &body[..],
            ),
        ] {
            let checked = seals.check(&seal, event_id, body, NOW).map(|_| ());
            assert_eq!(checked, Err(Forged::Code), "{what}");
        }
        let of_others = Seals::new(ANOTHER, []).check(&seal, EVENT, body, NOW).map(|_| ());
        assert_eq!(of_others, Err(Forged::Code));
        let newer = Seal {
            version: VERSION + 1,
            ..seal
        };
        let newer = seals.check(&newer, EVENT, body, NOW).map(|_| ());
        assert_eq!(newer, Err(Forged::Version));
    }

    #[test]
    fn a_secret_is_changed_in_three_steps_of_which_any_two_neighbours_get_on() {
        let steps = [
            Seals::new(SECRET, []),
            Seals::new(SECRET, [ANOTHER]),
            Seals::new(ANOTHER, [SECRET]),
            Seals::new(ANOTHER, []),
        ];
        for (before, after) in steps.iter().zip(&steps[1..]) {
            assert_eq!(get_on(before, after), Ok(()));
            assert_eq!(get_on(after, before), Ok(()));
        }
        assert_eq!(get_on(&steps[0], &steps[3]), Err(Forged::Code));
        assert_eq!(get_on(&steps[2], &steps[0]), Err(Forged::Code));
    }

    #[test]
    fn an_answer_belongs_to_its_question() {
        let seals = seals();
        let (one, two) = (
            seals.seal(EVENT, b"question", NOW),
            seals.seal(EVENT, b"question", NOW),
        );
        assert_ne!(one, two);
        assert_eq!(seals.answer(&one, b"yes"), seals.answer(&one, b"yes"));
        assert_ne!(seals.answer(&one, b"yes"), seals.answer(&two, b"yes"));
        assert_ne!(seals.answer(&one, b"yes"), seals.answer(&one, b"no"));
    }

    #[test]
    fn what_is_no_seal_is_not_read() {
        let good = seals().seal(EVENT, b"", NOW).to_string();
        let newer = good.replacen(&VERSION.to_string(), &(VERSION + 1).to_string(), 1);
        for (text, forged) in [
            (String::new(), Forged::Code),
            ("1".to_owned(), Forged::Code),
            (format!("{good} more"), Forged::Code),
            (good.replace(' ', ""), Forged::Code),
            (good[..good.len() - 1].to_owned(), Forged::Code),
            (newer, Forged::Version),
        ] {
            assert_eq!(text.parse::<Seal>(), Err(forged), "{text}");
        }
    }
}
