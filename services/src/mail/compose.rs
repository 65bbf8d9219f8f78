//! From what a message tells to the message: who gets it, in which words.

use minijinja::{Value, context};
use onsale_domain::{EventId, MailId, OrderId, UnixMillis, UserId};
use onsale_persistence::{AccountStatus, MailEvent, MailMessage, MailOrder};
use secrecy::ExposeSecret as _;

use super::amounts::{amount, local_time};
use super::order::order_attachments;
use super::templates::{Templates, subject};
use super::{Mail, MailAttachment};
use crate::accounts::{OpaqueToken, Purpose, RESET_LIFETIME_MS};
use crate::{ServiceError, Services};

/// A message without its recipient.
struct Words {
    template: &'static str,
    subject: String,
    values: Value,
    attachments: Vec<MailAttachment>,
}

/// Looks up what a message tells, and puts it into words. `None`: there is nobody to tell any more, because the account
/// was shut, or nothing.
pub(super) async fn compose(
    services: &Services,
    templates: &Templates,
    (mail_id, at): (MailId, UnixMillis),
    message: MailMessage,
) -> Result<Option<Mail>, ServiceError> {
    let Some((user_id, words)) = words(services, message).await? else {
        return Ok(None);
    };
    let account = services.database().account(user_id).await?;
    let Some(account) = account.filter(|account| account.user.status == AccountStatus::Active) else {
        return Ok(None);
    };
    let subject = subject(&words.subject);
    let values = context! { name => account.user.name, subject => &subject, ..words.values };
    let texts = templates.render(words.template, &values)?;
    Ok(Some(Mail {
        mail_id,
        at,
        to: account.user.email.into(),
        subject,
        text: texts.text.into(),
        html: texts.html.into(),
        attachments: words.attachments,
    }))
}

async fn words(services: &Services, message: MailMessage) -> Result<Option<(UserId, Words)>, ServiceError> {
    match message {
        MailMessage::PasswordReset { user_id } => {
            Ok(Some((user_id, password_reset(services, user_id).await?)))
        }
        MailMessage::PasswordChanged { user_id } => Ok(Some((user_id, password_changed()))),
        MailMessage::OrderConfirmation { event_id, order_id } => {
            let Some((event, order)) = order_of(services, event_id, order_id).await? else {
                return Ok(None);
            };
            let files = order_attachments(services, event_id, order_id).await?;
            let buyer = UserId(order.buyer_id.0);
            Ok(Some((buyer, order_confirmation(&event, &order, order_id, files))))
        }
        MailMessage::Refund {
            event_id,
            order_id,
            amount: money,
            refund_id: _,
        } => {
            let Some((event, order)) = order_of(services, event_id, order_id).await? else {
                return Ok(None);
            };
            let values = context! {
                amount => amount(money), order_id => order_id.to_string(), event => shown(&event),
            };
            let subject = format!("Money back for {}", event.name);
            Ok(Some((UserId(order.buyer_id.0), plain("refund", subject, values))))
        }
        MailMessage::TicketGivenAway {
            event_id,
            ticket_id,
            user_id,
            version: _,
        } => {
            let event = services.database().mail_event(event_id).await?;
            Ok(event.map(|event| {
                let values = context! { ticket_id => ticket_id.to_string(), event => shown(&event) };
                let subject = format!("Your ticket for {} was given away", event.name);
                (user_id, plain("ticket_given_away", subject, values))
            }))
        }
        MailMessage::TicketReceived {
            event_id,
            ticket_id,
            user_id,
            version: _,
        } => {
            let event = services.database().mail_event(event_id).await?;
            Ok(event.map(|event| {
                let values = context! { ticket_id => ticket_id.to_string(), event => shown(&event) };
                let subject = format!("A ticket for {}", event.name);
                (user_id, plain("ticket_received", subject, values))
            }))
        }
    }
}

/// The token is made now and stands in no table but by its digest.
async fn password_reset(services: &Services, user_id: UserId) -> Result<Words, ServiceError> {
    let token = OpaqueToken::random(Purpose::PasswordReset)?;
    let expires_at = services.now().plus_ms(RESET_LIFETIME_MS);
    services
        .database()
        .insert_password_reset(token.digest(), user_id, expires_at)
        .await?;
    let values = context! { token => token.text().expose_secret() };
    Ok(plain("password_reset", "Set another password".to_owned(), values))
}

fn password_changed() -> Words {
    plain(
        "password_changed",
        "Your password was changed".to_owned(),
        context! {},
    )
}

fn order_confirmation(
    event: &MailEvent,
    order: &MailOrder,
    order_id: OrderId,
    files: Option<Vec<MailAttachment>>,
) -> Words {
    let attachments = files.unwrap_or_default();
    let lines: Vec<Value> = order
        .lines
        .iter()
        .map(|(quantity, name)| context! { quantity => quantity, name => name })
        .collect();
    let values = context! {
        event => shown(event), lines => lines, total => amount(order.total), order_id => order_id.to_string(),
        attached => !attachments.is_empty(),
    };
    Words {
        attachments,
        ..plain(
            "order_confirmation",
            format!("Your tickets for {}", event.name),
            values,
        )
    }
}

fn plain(template: &'static str, subject: String, values: Value) -> Words {
    Words {
        template,
        subject,
        values,
        attachments: vec![],
    }
}

fn shown(event: &MailEvent) -> Value {
    context! {
        name => &event.name, venue => &event.venue, starts_at => local_time(event.starts_at, &event.time_zone),
    }
}

async fn order_of(
    services: &Services,
    event_id: EventId,
    order_id: OrderId,
) -> Result<Option<(MailEvent, MailOrder)>, ServiceError> {
    let database = services.database();
    let event = database.mail_event(event_id).await?;
    let order = database.mail_order(event_id, order_id).await?;
    Ok(event.zip(order))
}
