//! The live view: a few lines below the prompt that redraw themselves and stay in the scrollback.

use std::io::Stderr;
use std::time::Duration;

use anyhow::Context as _;
use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyModifiers};
use ratatui::crossterm::terminal::{disable_raw_mode, enable_raw_mode};
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Style, Stylize as _};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Gauge, Paragraph, Sparkline};
use ratatui::{Frame as Canvas, Terminal, TerminalOptions, Viewport};
use tokio_util::sync::CancellationToken;

use super::{Frame, Phase};

const LINES: u16 = 11;
/// Looks that the sparkline remembers.
const HISTORY_MAX: usize = 240;

/// The terminal in raw mode, until closed.
pub(super) struct Live {
    terminal: Terminal<CrosstermBackend<Stderr>>,
    /// Acknowledgements per second at each look.
    history: Vec<u64>,
    interrupt: CancellationToken,
}

impl Live {
    /// Takes over some lines of the terminal. Raw mode keeps typed keys off the picture, so Ctrl-C is read here.
    pub(super) fn open(interrupt: CancellationToken) -> anyhow::Result<Self> {
        enable_raw_mode().context("raw mode")?;
        let options = TerminalOptions {
            viewport: Viewport::Inline(LINES),
        };
        let terminal = Terminal::with_options(CrosstermBackend::new(std::io::stderr()), options);
        match terminal {
            Ok(terminal) => Ok(Self {
                terminal,
                history: Vec::new(),
                interrupt,
            }),
            Err(error) => {
                disable_raw_mode().context("raw mode")?;
                Err(error).context("terminal")
            }
        }
    }

    /// Draws one look. A terminal that went away is no reason to stop the sale.
    pub(super) fn show(&mut self, frame: &Frame) {
        self.read_keys();
        if self.history.len() == HISTORY_MAX {
            self.history.remove(0);
        }
        self.history.push(whole(frame.acknowledged_per_second));
        let history = &self.history;
        let _ = self.terminal.draw(|canvas| draw(canvas, frame, history));
    }

    /// Gives the terminal back; the last picture stays.
    pub(super) fn close(mut self) {
        let _ = self.terminal.show_cursor();
    }

    fn read_keys(&self) {
        while event::poll(Duration::ZERO).unwrap_or(false) {
            let Ok(Event::Key(key)) = event::read() else {
                continue;
            };
            let control_c = key.code == KeyCode::Char('c') && key.modifiers.contains(KeyModifiers::CONTROL);
            if control_c || key.code == KeyCode::Char('q') {
                self.interrupt.cancel();
            }
        }
    }
}

impl Drop for Live {
    #[expect(
        clippy::print_stderr,
        reason = "leaves the picture, for whatever is printed next"
    )]
    fn drop(&mut self) {
        let _ = disable_raw_mode();
        eprintln!();
    }
}

fn draw(canvas: &mut Canvas<'_>, frame: &Frame, history: &[u64]) {
    let title = format!(" onsale demo · {:.1} s ", frame.elapsed.as_secs_f64());
    let hint = Line::from(" q stops ").right_aligned();
    let block = Block::bordered().title(title.bold()).title_bottom(hint);
    let inner = block.inner(canvas.area());
    canvas.render_widget(block, canvas.area());
    let rows = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(1),
        Constraint::Length(3),
        Constraint::Fill(1),
        Constraint::Length(1),
    ])
    .split(inner);
    bar(
        canvas,
        rows[0],
        "seats sold",
        frame.tickets,
        frame.capacity,
        Color::Green,
    );
    bar(
        canvas,
        rows[1],
        "buyers arrived",
        frame.offered,
        frame.buyers,
        Color::Blue,
    );
    canvas.render_widget(Paragraph::new(numbers(frame)), rows[2]);
    let sparkline = Sparkline::default()
        .data(history)
        .style(Style::new().fg(Color::Cyan));
    canvas.render_widget(sparkline, rows[3]);
    canvas.render_widget(Paragraph::new(phase(frame)), rows[4]);
}

fn bar(canvas: &mut Canvas<'_>, area: Rect, name: &str, part: u64, whole: u64, color: Color) {
    let gauge = Gauge::default()
        .ratio(super::rate(part.min(whole), super::rate(whole.max(1), 1.0)))
        .label(format!("{part} of {whole} {name}"))
        .gauge_style(Style::new().fg(color).bg(Color::Black));
    canvas.render_widget(gauge, area);
}

fn numbers(frame: &Frame) -> Vec<Line<'static>> {
    let latency = frame.latency_ms.map_or_else(
        || "p50 -   p99 -".to_owned(),
        |(p50, p99)| format!("p50 {p50:.1} ms   p99 {p99:.1} ms"),
    );
    let lag = frame.lag.map_or_else(
        || "server away".to_owned(),
        |lag| format!("{:.0} records, {:.2} s", lag.records, lag.seconds),
    );
    vec![
        Line::from(format!(
            "{} seats left   {:.0} offered/s   {:.0} acknowledged/s   {} retries",
            frame.seats_left(),
            frame.offered_per_second,
            frame.acknowledged_per_second,
            frame.retries,
        )),
        Line::from(format!("latency of acknowledged orders: {latency}")),
        Line::from(format!("write-behind to Postgres: {lag}")),
    ]
}

fn phase(frame: &Frame) -> Line<'static> {
    let over = frame.elapsed > frame.duration;
    let line = match frame.phase {
        Phase::Selling | Phase::Recovered { .. } if over => "waiting for the last holds…".into(),
        phase => phase.line(),
    };
    let color = match frame.phase {
        Phase::Selling | Phase::Recovered { .. } => Color::Green,
        Phase::KillingActor | Phase::KillingProcess => Color::Red,
        Phase::Recovering => Color::Yellow,
    };
    Line::from(Span::styled(format!("▶ {line}"), Style::new().fg(color).bold()))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a rate is neither negative nor large"
)]
const fn whole(rate: f64) -> u64 {
    rate as u64
}
