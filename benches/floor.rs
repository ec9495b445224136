//! The floor: a trivial ratatui program with a title, a table of 10,000 rows of which only the visible ones are built, and a status row.

use std::io::Write as _;

use crossterm::event::{Event, KeyCode, KeyEventKind};
use crossterm::terminal::{EnterAlternateScreen, LeaveAlternateScreen};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout};
use ratatui::style::{Modifier, Style};
use ratatui::text::Line;
use ratatui::widgets::{Block, Row, Table};

/// Rows of the table.
const ROWS: usize = 10_000;

/// Runs it in this terminal until `q`.
pub(crate) fn run() -> std::io::Result<()> {
    crossterm::terminal::enable_raw_mode()?;
    crossterm::execute!(std::io::stdout(), EnterAlternateScreen, crossterm::cursor::Hide)?;
    let ended = show();
    crossterm::execute!(std::io::stdout(), LeaveAlternateScreen, crossterm::cursor::Show)?;
    crossterm::terminal::disable_raw_mode()?;
    std::io::stdout().flush()?;
    ended
}

fn show() -> std::io::Result<()> {
    let mut terminal = ratatui::Terminal::new(ratatui::backend::CrosstermBackend::new(std::io::stdout()))?;
    let mut marked = 0_usize;
    loop {
        terminal.draw(|frame| draw(frame, marked))?;
        // As the room does: what was typed ahead is taken in before anything is drawn.
        loop {
            if let Event::Key(key) = crossterm::event::read()?
                && key.kind != KeyEventKind::Release
            {
                if key.code == KeyCode::Char('q') {
                    return Ok(());
                } else if key.code == KeyCode::Char('j') {
                    marked = (marked + 1).min(ROWS - 1);
                } else if key.code == KeyCode::Char('k') {
                    marked = marked.saturating_sub(1);
                }
            }
            if !crossterm::event::poll(std::time::Duration::ZERO)? {
                break;
            }
        }
    }
}

fn draw(frame: &mut Frame<'_>, marked: usize) {
    let [title, body, status] = Layout::vertical([Constraint::Length(1), Constraint::Fill(1), Constraint::Length(1)]).areas(frame.area());
    frame.render_widget(Line::raw("floor: the least that a table in ratatui costs"), title);
    let room = usize::from(body.height.saturating_sub(2));
    let first = marked.saturating_sub(room / 2);
    let rows = (first..ROWS.min(first + room)).map(|n| {
        let mark = if n == marked { ">" } else { " " };
        let cells = [format!("{mark} service-{n:05}"), format!("1.{}.0", n % 40), "steady".to_owned(), format!("{} s", n % 10)];
        Row::new(cells)
    });
    let widths = [Constraint::Length(24), Constraint::Length(12), Constraint::Length(12), Constraint::Fill(1)];
    let heading = Row::new(["service", "version", "standing", "age"]).style(Style::new().add_modifier(Modifier::BOLD));
    frame.render_widget(Table::new(rows, widths).header(heading).block(Block::bordered()), body);
    frame.render_widget(Line::raw(format!("row {} of {ROWS}   j k move   q quit", marked + 1)), status);
}
