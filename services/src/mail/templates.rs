//! The texts. What stands in them comes from organizers and buyers and may be anything: HTML is escaped, and nothing of
//! it reaches a header but the subject, which is held to one line.

use minijinja::{Environment, UndefinedBehavior, Value};

use crate::ServiceError;

/// Longest subject, in characters.
const SUBJECT_CHARS_MAX: usize = 150;

macro_rules! templates {
    ($($name:literal),+ $(,)?) => {
        [$(($name, include_str!(concat!("../../templates/mail/", $name)))),+]
    };
}

const TEMPLATES: [(&str, &str); 15] = templates![
    "layout.html",
    "event.txt",
    "event.html",
    "password_reset.txt",
    "password_reset.html",
    "password_changed.txt",
    "password_changed.html",
    "order_confirmation.txt",
    "order_confirmation.html",
    "refund.txt",
    "refund.html",
    "ticket_given_away.txt",
    "ticket_given_away.html",
    "ticket_received.txt",
    "ticket_received.html",
];

/// All templates, compiled.
pub(super) struct Templates(Environment<'static>);

/// A text and the same as HTML.
pub(super) struct Texts {
    pub(super) text: String,
    pub(super) html: String,
}

impl Templates {
    /// Errors: one that cannot be read, which a test would have found.
    pub(super) fn compile() -> Result<Self, ServiceError> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        // Names that end in `.html` have their values escaped.
        for (name, source) in TEMPLATES {
            environment
                .add_template(name, source)
                .map_err(|_| ServiceError::Internal("a mail template cannot be read"))?;
        }
        Ok(Self(environment))
    }

    /// Fills in both templates of a name.
    pub(super) fn render(&self, name: &str, values: &Value) -> Result<Texts, ServiceError> {
        Ok(Texts {
            text: self.one(&format!("{name}.txt"), values)?,
            html: self.one(&format!("{name}.html"), values)?,
        })
    }

    fn one(&self, name: &str, values: &Value) -> Result<String, ServiceError> {
        let template = self.0.get_template(name);
        template
            .and_then(|template| template.render(values))
            // The error may quote what was filled in.
            .map_err(|_| ServiceError::Internal("a mail template cannot be filled in"))
    }
}

/// One line of bounded length.
pub(super) fn subject(text: &str) -> String {
    let mut line: String = text
        .chars()
        .map(|char| if char.is_control() { ' ' } else { char })
        .take(SUBJECT_CHARS_MAX + 1)
        .collect();
    if line.chars().count() > SUBJECT_CHARS_MAX {
        line.pop();
        line.push('…');
    }
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use minijinja::context;

    use super::*;

    #[test]
    fn html_is_escaped_and_text_is_not() {
        let templates = Templates::compile().unwrap();
        let values = context! {
            subject => "x", name => "<b>Ada & Co</b>", token => "osp_\"<script>",
        };
        let texts = templates.render("password_reset", &values).unwrap();
        assert!(texts.html.contains("&lt;b&gt;Ada &amp; Co&lt;"), "{}", texts.html);
        assert!(!texts.html.contains("<script>") && !texts.html.contains("<b>"));
        assert!(
            texts.text.contains("Hello <b>Ada & Co</b>,\n\nsomebody"),
            "{}",
            texts.text
        );
        assert!(texts.text.contains("osp_\"<script>"));
    }

    #[test]
    fn what_is_missing_is_not_left_out_in_silence() {
        let templates = Templates::compile().unwrap();
        assert!(
            templates
                .render("password_reset", &context! { subject => "x", name => "Ada" })
                .is_err()
        );
    }

    #[test]
    fn subjects_are_one_line_whatever_an_event_is_called() {
        assert_eq!(
            subject("Your tickets for A\r\nBcc: eve@example.org\u{2028}\0 B"),
            "Your tickets for A Bcc: eve@example.org B"
        );
        assert_eq!(subject(&"é".repeat(400)).chars().count(), 151);
        assert_eq!(subject("A concert"), "A concert");
    }
}
