//! The results as plots: a row for each workload, a mark for each contestant, on a logarithmic scale of ratios to the hand-written actor.

use std::error::Error;
use std::path::Path;

use plotters::coord::Shift;
use plotters::element::{Circle, PathElement, Polygon};
use plotters::prelude::{DrawingArea, IntoDrawingArea, SVGBackend};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, FontStyle, IntoFont, RGBColor, ShapeStyle, TextStyle};

use super::number;
use super::theme::{Shape, Theme, shape};
use crate::contestant::{Flavor, Name};
use crate::results::Results;
use crate::workload::{Unit, Workload};

/// How wide a plot is, in pixels. Pages show it as wide as their text, which is about as much.
const WIDTH: i32 = 880;
/// Where the scale begins: to its left are the names of the rows.
const LEFT: i32 = 250;
/// Where the scale ends: to its right are the numbers of dms.
const RIGHT: i32 = WIDTH - 84;
/// Where the first row is: above it are title, legend and scale.
const TOP: i32 = 128;
/// From row to row.
const ROW: i32 = 30;
/// From the last row to the lower end.
const BOTTOM: i32 = 22;
/// Ratios that the scale marks.
const TICKS: [f64; 12] = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0];

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Drawn = Result<(), Box<dyn Error>>;

/// Ratios about one thing.
struct Row {
    title: String,
    ratios: Vec<(Name, f64)>,
}

/// Writes all plots, in both themes.
pub(super) fn write(results: &Results, directory: &Path) -> Drawn {
    let plots = [
        ("multi-thread", "Time of messages, multi-thread runtime with 2 workers", messages(results, Flavor::Mt)),
        ("current-thread", "Time of messages, current-thread runtime", messages(results, Flavor::Ct)),
        ("costs", "CPU time of timers, memory, builds", costs(results)),
    ];
    for (name, title, rows) in plots {
        if rows.is_empty() {
            continue;
        }
        for theme in Theme::ALL {
            let file = directory.join(format!("{name}-{}.svg", theme.name()));
            Plot { theme, title, rows: &rows }.draw(&file)?;
        }
    }
    Ok(())
}

fn messages(results: &Results, runtime: Flavor) -> Vec<Row> {
    let workloads = results.workloads(runtime).into_iter().filter(|workload| workload.unit() == Unit::Nanoseconds);
    workloads.map(|workload| row(results, workload, runtime)).filter(Row::compares).collect()
}

fn costs(results: &Results) -> Vec<Row> {
    let mut rows = vec![
        row(results, Workload::Ticks, Flavor::Mt),
        row(results, Workload::Idle, Flavor::Ct),
        row(results, Workload::IdleAsked, Flavor::Ct),
    ];
    let builds = results.builds.iter();
    let seconds = builds.clone().filter_map(|build| Some((build.contestant, build.to_floor?))).collect();
    rows.push(Row { title: "clean release build, time".to_owned(), ratios: seconds });
    let floor = builds.clone().find(|build| build.contestant == Name::FLOOR).map(|build| build.crates);
    let ratio = |crates: usize| Some(f64::from(u32::try_from(crates).ok()?) / f64::from(u32::try_from(floor?).ok()?));
    let crates = builds.filter_map(|build| Some((build.contestant, ratio(build.crates)?))).collect();
    rows.push(Row { title: "crates compiled".to_owned(), ratios: crates });
    rows.into_iter().filter(Row::compares).collect()
}

fn row(results: &Results, workload: Workload, runtime: Flavor) -> Row {
    let unit = if workload.unit() == Unit::Bytes { ", heap" } else { "" };
    let ratio = |contestant| Some((contestant, results.of(workload, runtime, contestant)?.to_floor?));
    let ratios = results.contestants().into_iter().filter_map(ratio).collect();
    Row { title: format!("{}{unit}", workload.title()), ratios }
}

impl Row {
    /// Whether anybody is compared with the floor here.
    fn compares(&self) -> bool {
        self.shown().next().is_some()
    }

    /// The marks, dms last so that it lies above the others. The floor is a line; dms with an open set would only be in its way.
    fn shown(&self) -> impl Iterator<Item = (Name, f64)> {
        let others = self
            .ratios
            .iter()
            .copied()
            .filter(|(contestant, _)| !matches!(contestant, Name::Tokio | Name::Dms | Name::DmsOpen));
        others.chain(self.dms().map(|ratio| (Name::Dms, ratio)))
    }

    fn dms(&self) -> Option<f64> {
        self.ratios.iter().find(|(contestant, _)| *contestant == Name::Dms).map(|(_, ratio)| *ratio)
    }
}

struct Plot<'a> {
    theme: Theme,
    title: &'a str,
    rows: &'a [Row],
}

impl Plot<'_> {
    fn draw(&self, file: &Path) -> Drawn {
        let height = TOP + ROW * pixels(self.rows.len()) + BOTTOM;
        let area = SVGBackend::new(file, (WIDTH.unsigned_abs(), height.unsigned_abs())).into_drawing_area();
        self.title(&area)?;
        self.legend(&area)?;
        let scale = Scale::of(self.rows);
        let rows = || self.rows.iter().enumerate().map(|(index, row)| (row, TOP + ROW * pixels(index) + ROW / 2));
        for (_, y) in rows() {
            area.draw(&PathElement::new([(LEFT, y), (RIGHT, y)], self.theme.grid().stroke_width(1)))?;
        }
        self.scale(&area, &scale)?;
        for (row, y) in rows() {
            self.row(&area, &scale, row, y)?;
        }
        area.present()?;
        Ok(())
    }

    fn title(&self, area: &Area<'_>) -> Drawn {
        area.draw_text(self.title, &style(19, self.theme.text(), HPos::Left, FontStyle::Bold), (16, 24))?;
        let what = "relative to a hand-written Tokio actor; further left is better";
        area.draw_text(what, &style(13, self.theme.faint_text(), HPos::Left, FontStyle::Normal), (16, 48))?;
        Ok(())
    }

    fn legend(&self, area: &Area<'_>) -> Drawn {
        let shown = |contestant: &Name| self.rows.iter().any(|row| row.shown().any(|(name, _)| name == *contestant));
        let mut x = 24;
        for contestant in Name::in_legend().into_iter().filter(shown) {
            self.mark(area, contestant, (x, 78))?;
            let weight = if contestant == Name::Dms { FontStyle::Bold } else { FontStyle::Normal };
            let text = style(14, self.theme.text(), HPos::Left, weight);
            area.draw_text(contestant.title(), &text, (x + 12, 78))?;
            x += 100;
        }
        Ok(())
    }

    fn scale(&self, area: &Area<'_>, scale: &Scale) -> Drawn {
        let end = TOP + ROW * pixels(self.rows.len());
        for tick in TICKS.into_iter().filter(|tick| scale.shows(*tick)) {
            let x = scale.x(tick);
            let is_floor = (tick - 1.0).abs() < f64::EPSILON;
            let (line, width) = if is_floor { (self.theme.floor(), 2) } else { (self.theme.grid(), 1) };
            area.draw(&PathElement::new([(x, TOP - 4), (x, end)], line.stroke_width(width)))?;
            let (text, weight) = if is_floor {
                (self.theme.text(), FontStyle::Bold)
            } else {
                (self.theme.faint_text(), FontStyle::Normal)
            };
            let label = if is_floor { "by hand = 1".to_owned() } else { format!("{tick}") };
            area.draw_text(&label, &style(13, text, HPos::Center, weight), (x, TOP - 16))?;
        }
        let text = style(13, self.theme.color(Name::Dms), HPos::Right, FontStyle::Bold);
        area.draw_text("dms", &text, (WIDTH - 20, TOP - 16))?;
        Ok(())
    }

    fn row(&self, area: &Area<'_>, scale: &Scale, row: &Row, y: i32) -> Drawn {
        let label = style(14, self.theme.text(), HPos::Right, FontStyle::Normal);
        area.draw_text(&row.title, &label, (LEFT - 22, y))?;
        for (contestant, ratio) in row.shown() {
            self.mark(area, contestant, (scale.x(ratio), y))?;
        }
        if let Some(ratio) = row.dms() {
            let text = style(14, self.theme.color(Name::Dms), HPos::Right, FontStyle::Bold);
            area.draw_text(&number(ratio), &text, (WIDTH - 20, y))?;
        }
        Ok(())
    }

    fn mark(&self, area: &Area<'_>, contestant: Name, (x, y): (i32, i32)) -> Drawn {
        let color = self.theme.color(contestant);
        let filled = ShapeStyle::from(color).filled();
        let polygon = |corners: &[(i32, i32)]| {
            Polygon::new(corners.iter().map(|(right, down)| (x + right, y + down)).collect::<Vec<_>>(), filled)
        };
        match shape(contestant) {
            Shape::Circle => {
                // A ring in the page's color sets it off from marks below it.
                area.draw(&Circle::new((x, y), 9, self.theme.page().filled()))?;
                area.draw(&Circle::new((x, y), 7, filled))?;
            }
            Shape::Square => area.draw(&polygon(&[(-5, -5), (5, -5), (5, 5), (-5, 5)]))?,
            Shape::Diamond => area.draw(&polygon(&[(0, -7), (7, 0), (0, 7), (-7, 0)]))?,
            Shape::Up => area.draw(&polygon(&[(0, -6), (6, 5), (-6, 5)]))?,
            Shape::Down => area.draw(&polygon(&[(0, 6), (6, -5), (-6, -5)]))?,
            Shape::Cross => {
                for slope in [-1, 1] {
                    let line = [(x - 4, y - 4 * slope), (x + 4, y + 4 * slope)];
                    area.draw(&PathElement::new(line, color.stroke_width(3)))?;
                }
            }
        }
        Ok(())
    }
}

fn style(size: u32, color: RGBColor, horizontal: HPos, weight: FontStyle) -> TextStyle<'static> {
    let font = "Segoe UI, Helvetica, Arial, sans-serif";
    (font, size).into_font().style(weight).color(&color).pos(Pos::new(horizontal, VPos::Center))
}

impl Name {
    /// Those who have marks, dms first.
    fn in_legend() -> [Self; 6] {
        [Self::Dms, Self::Kameo, Self::Ractor, Self::Actix, Self::Xtra, Self::Murmer]
    }
}

/// From ratios to pixels.
struct Scale {
    least: f64,
    most: f64,
}

impl Scale {
    /// A scale from mark to mark on which all rows have room, and 1 with them.
    fn of(rows: &[Row]) -> Self {
        let ratios = || rows.iter().flat_map(Row::shown).map(|(_, ratio)| ratio);
        let (least, most) = (ratios().fold(0.5, f64::min), ratios().fold(2.0, f64::max));
        let begin = TICKS.into_iter().rfind(|tick| *tick <= least).unwrap_or(least);
        let end = TICKS.into_iter().find(|tick| *tick >= most).unwrap_or(most);
        // Some room, so that no mark lies on an end.
        Self { least: begin / 1.05, most: end * 1.05 }
    }

    fn shows(&self, ratio: f64) -> bool {
        (self.least..=self.most).contains(&ratio)
    }

    #[allow(clippy::cast_possible_truncation, reason = "pixels of a plot")]
    fn x(&self, ratio: f64) -> i32 {
        let part = (ratio / self.least).ln() / (self.most / self.least).ln();
        LEFT + (part * f64::from(RIGHT - LEFT)).round() as i32
    }
}

fn pixels(count: usize) -> i32 {
    i32::try_from(count).expect("a plot is not that large")
}
