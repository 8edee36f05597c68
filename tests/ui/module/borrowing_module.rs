use dms::prelude::*;

#[module]
struct Reader<'a> {
    text: &'a str,
}

#[module]
impl<'a> Reader<'a> {
    #[handler(Read)]
    fn read(&self) -> usize {
        self.text.len()
    }
}

fn main() {}
