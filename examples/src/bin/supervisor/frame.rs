//! What is drawn: a table and what happened last, as lines that fit a terminal of any size.

use std::time::Duration;

use console::{Alignment, measure_text_width, pad_str, strip_ansi_codes, truncate_str};

/// How wide the column of names is at least and at most.
const NAMES: (usize, usize) = (8, 20);

/// With less room than this the last column is left out.
const SHORTEST_NOTE: usize = 12;

/// What stands where something was cut off.
const CUT: &str = "…";

/// All processes at one moment.
#[derive(Default)]
pub(crate) struct Frame {
    /// The first line.
    pub(crate) title: String,
    pub(crate) rows: Vec<Row>,
    /// What happened last, the latest at the end.
    pub(crate) news: Vec<String>,
    /// The last line: what can be done.
    pub(crate) foot: &'static str,
}

/// One process.
#[derive(Default)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) status: &'static str,
    pub(crate) pid: Option<u32>,
    /// In percent of one core.
    pub(crate) cpu: Option<f64>,
    /// In bytes.
    pub(crate) memory: Option<u64>,
    pub(crate) restarts: Option<u32>,
    /// How long it runs.
    pub(crate) up: Option<Duration>,
    pub(crate) health: &'static str,
    /// How it ended last, or what it waits for.
    pub(crate) note: String,
}

/// What there is to say of a process between its name and its note.
struct Column {
    title: &'static str,
    width: usize,
    align: Alignment,
    /// Where there is no room for all, those of the lowest rank go first.
    rank: u8,
    cell: fn(&Row) -> String,
}

const COLUMNS: [Column; 7] = [
    Column { title: "status", width: 12, align: Alignment::Left, rank: 7, cell: |row| row.status.to_owned() },
    Column {
        title: "pid",
        width: 8,
        align: Alignment::Right,
        rank: 3,
        cell: |row| or_blank(row.pid, |pid| pid.to_string()),
    },
    Column {
        title: "cpu %",
        width: 7,
        align: Alignment::Right,
        rank: 5,
        cell: |row| or_blank(row.cpu, |cpu| format!("{cpu:.1}")),
    },
    Column { title: "memory", width: 10, align: Alignment::Right, rank: 6, cell: |row| or_blank(row.memory, in_bytes) },
    Column {
        title: "restarts",
        width: 10,
        align: Alignment::Right,
        rank: 4,
        cell: |row| or_blank(row.restarts, |restarts| restarts.to_string()),
    },
    Column { title: "up", width: 9, align: Alignment::Right, rank: 2, cell: |row| or_blank(row.up, in_time) },
    Column { title: "  health", width: 12, align: Alignment::Left, rank: 1, cell: |row| format!("  {}", row.health) },
];

impl Frame {
    /// The frame on a terminal of so many lines and columns: never more lines, and none that is wider.
    ///
    /// Where it does not fit, the oldest news go, then the last rows, and columns by their rank; what is too long still is cut off.
    pub(crate) fn lines(&self, height: usize, width: usize) -> Vec<String> {
        let longest = self.rows.iter().map(|row| measure_text_width(&row.name)).max().unwrap_or_default();
        let name_width = longest.clamp(NAMES.0, NAMES.1) + 2;
        let (columns, note_width) = fit(name_width, width);
        let line = |name: &str, note: &str, cell: &dyn Fn(&Column) -> String| {
            let mut line = pad_str(name, name_width, Alignment::Left, Some(CUT)).into_owned();
            for column in &columns {
                line.push_str(&pad_str(&cell(column), column.width, column.align, Some(CUT)));
            }
            if note_width > 0 {
                line.push_str(note);
            }
            line
        };
        let mut head = vec![self.title.clone(), String::new(), line("process", "", &|column| column.title.to_owned())];
        let mut rows: Vec<_> = self
            .rows
            .iter()
            .map(|row| line(&plain(&row.name), &plain(&row.note), &|column| (column.cell)(row)))
            .collect();
        let mut foot = vec![String::new(), self.foot.to_owned()];
        // A terminal of a few lines shows the processes, if anything.
        if height < head.len() + rows.len() + foot.len() {
            foot.clear();
            head.drain(..head.len().min(2));
        }
        let room = height.saturating_sub(head.len());
        if rows.len() > room {
            let hidden = rows.len() - room.saturating_sub(1);
            rows.truncate(room.saturating_sub(1));
            rows.push(format!("… {hidden} more"));
        }
        let room = height.saturating_sub(head.len() + rows.len() + foot.len() + 1);
        let news = self.news.iter().skip(self.news.len().saturating_sub(room)).map(|news| plain(news));
        let mut lines = head;
        lines.append(&mut rows);
        if room > 0 {
            lines.push(String::new());
            lines.extend(news);
        }
        lines.append(&mut foot);
        lines.truncate(height);
        let cut = if width == 0 { "" } else { CUT };
        lines.iter().map(|line| truncate_str(line, width, cut).trim_end().to_owned()).collect()
    }
}

/// The columns that there is room for, and how much is left for the notes.
fn fit(name_width: usize, width: usize) -> (Vec<&'static Column>, usize) {
    let mut columns: Vec<&Column> = COLUMNS.iter().collect();
    let wide = |columns: &[&Column]| name_width + columns.iter().map(|column| column.width).sum::<usize>();
    while wide(&columns) > width
        && let Some(least) = (0..columns.len()).min_by_key(|at| columns[*at].rank)
    {
        columns.remove(least);
    }
    let left = width.saturating_sub(wide(&columns));
    (columns, if left < SHORTEST_NOTE { 0 } else { left })
}

/// What others wrote, without what a terminal would take for a command.
pub(crate) fn plain(text: &str) -> String {
    strip_ansi_codes(text).chars().map(|character| if character.is_control() { ' ' } else { character }).collect()
}

fn or_blank<T>(value: Option<T>, show: impl FnOnce(T) -> String) -> String {
    value.map(show).unwrap_or_default()
}

/// In MiB, or in GiB from ten of them on.
fn in_bytes(bytes: u64) -> String {
    let tenths = |unit: u64| (bytes / (unit / 10), bytes / unit);
    let (unit, name) = if bytes < 10 << 30 { (1 << 20, "MiB") } else { (1 << 30, "GiB") };
    let (tenths, whole) = tenths(unit);
    format!("{whole}.{} {name}", tenths % 10)
}

/// In two units at most.
pub(crate) fn in_time(time: Duration) -> String {
    let seconds = time.as_secs();
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, seconds) => format!("{minutes} m {seconds:02}"),
        (hours, minutes, _) => format!("{hours} h {minutes:02}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str) -> Row {
        Row {
            name: name.to_owned(),
            status: "idle",
            pid: Some(4711),
            cpu: Some(0.25),
            memory: Some(12 << 20),
            restarts: Some(2),
            up: Some(Duration::from_secs(62)),
            health: "healthy",
            note: "exited with 3".to_owned(),
        }
    }

    fn frame(rows: usize, news: usize) -> Frame {
        Frame {
            title: "7 processes".to_owned(),
            rows: (0..rows).map(|number| row(&format!("p{number}"))).collect(),
            news: (0..news).map(|number| format!("news {number}")).collect(),
            foot: "Ctrl-C stops all",
        }
    }

    #[test]
    fn a_terminal_with_room_shows_all() {
        let lines = frame(2, 2).lines(24, 100);
        assert_eq!(
            lines,
            [
                "7 processes",
                "",
                "process   status           pid  cpu %    memory  restarts       up  health",
                "p0        idle            4711    0.2  12.0 MiB         2   1 m 02  healthy   exited with 3",
                "p1        idle            4711    0.2  12.0 MiB         2   1 m 02  healthy   exited with 3",
                "",
                "news 0",
                "news 1",
                "",
                "Ctrl-C stops all",
            ]
        );
    }

    #[test]
    fn no_line_is_wider_than_the_terminal_and_there_are_no_more_of_them() {
        let mut frame = frame(12, 30);
        frame.rows[3].name = "a-name-that-is-very-much-longer-than-others".to_owned();
        frame.rows[4].note = "進程".repeat(40);
        frame.news[29] = "x".repeat(500);
        for height in 0..40 {
            for width in 0..140 {
                let lines = frame.lines(height, width);
                assert!(lines.len() <= height, "{height}x{width}: {lines:#?}");
                for line in lines {
                    assert!(measure_text_width(&line) <= width, "{height}x{width}: {line}");
                }
            }
        }
    }

    #[test]
    fn on_a_narrow_terminal_the_name_and_the_status_remain() {
        let head = |width| frame(1, 0).lines(24, width)[2].clone();
        assert_eq!(head(80), "process   status           pid  cpu %    memory  restarts       up  health");
        assert_eq!(head(70), "process   status           pid  cpu %    memory  restarts       up");
        assert_eq!(head(60), "process   status           pid  cpu %    memory  restarts");
        assert_eq!(head(40), "process   status        cpu %    memory");
        assert_eq!(head(24), "process   status");
        assert_eq!(head(10), "process");
    }

    #[test]
    fn on_a_low_terminal_the_news_go_first_then_the_frame_then_rows() {
        let frame = frame(4, 5);
        assert_eq!(frame.lines(11, 80)[7..], ["", "news 4", "", "Ctrl-C stops all"]);
        assert_eq!(frame.lines(9, 80).last().unwrap(), "Ctrl-C stops all");
        let low = frame.lines(5, 80);
        assert!(low[0].starts_with("process") && low[4].starts_with("p3"), "{low:#?}");
        assert_eq!(frame.lines(3, 80)[2], "… 3 more");
    }

    #[test]
    fn what_a_process_writes_cannot_move_the_cursor() {
        assert_eq!(plain("\x1b[2J\x1b[31mred\x1b[0m\ttab\r\x07bell\u{9b}1A"), "red tab  bell");
    }

    #[test]
    fn figures_are_short() {
        assert_eq!([in_bytes(0), in_bytes(1_572_864), in_bytes(9 << 30)], ["0.0 MiB", "1.5 MiB", "9216.0 MiB"]);
        assert_eq!(in_bytes(11 << 30), "11.0 GiB");
        let times = [5, 65, 3_600, 360_000].map(|seconds| in_time(Duration::from_secs(seconds)));
        assert_eq!(times, ["5 s", "1 m 05", "1 h 00", "100 h 00"]);
    }
}
