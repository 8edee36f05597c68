//! Any pattern takes a message apart.
#![deny(warnings)]

use dms::prelude::*;

#[module]
#[derive(Default)]
struct Canvas {
    points: Vec<(i32, i32)>,
}

struct Point {
    x: i32,
    y: i32,
}
struct Line(Point, Point);
struct Clear;
struct Origin;

#[module]
impl Canvas {
    #[handler]
    fn point(&mut self, Point { x, y }: Point) {
        self.points.push((x, y));
    }

    #[handler]
    fn line(&mut self, Line(Point { x, .. }, Point { y: end, .. }): Line) {
        self.points.push((x, end));
    }

    #[handler]
    fn clear(&mut self, _: Clear) {
        self.points.clear();
    }

    #[handler]
    fn origin(&mut self, Origin: Origin) {
        self.points.push((0, 0));
    }

    #[handler]
    fn tuple(&mut self, (x, y): (i32, i32)) -> usize {
        self.points.push((x, y));
        self.points.len()
    }

    #[handler]
    fn array(&mut self, all @ [first, ..]: [i32; 3]) -> i32 {
        first + all.iter().sum::<i32>()
    }

    #[handler]
    fn text(&self, mut text: String) -> String {
        text.push('!');
        text
    }

    #[handler]
    fn ignored(&self, _unused: &'static str) {}

    #[handler(Moved)]
    fn moved(&mut self, mut by: i32, r#type: i32) -> i32 {
        by += r#type;
        by
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let system = System::new();
    let canvas = system.register_module(Canvas::default()).await?;
    canvas.clear(Clear).await?;
    canvas.point(Point { x: 1, y: 2 }).await?;
    canvas.line(Line(Point { x: 3, y: 4 }, Point { x: 5, y: 6 })).await?;
    canvas.origin(Origin).await?;
    canvas.ignored("nothing").await?;
    assert_eq!(canvas.tuple((7, 8)).await?, 4);
    assert_eq!(canvas.array([1, 2, 3]).await?, 7);
    assert_eq!(canvas.text("hey".to_owned()).await?, "hey!");
    assert_eq!(canvas.ask(Moved { by: 1, r#type: 2 }).await?, 3);
    system.shutdown().await;
    Ok(())
}
