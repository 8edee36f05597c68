use dms::prelude::*;

#[module]
struct Counter {
    count: u64,
}

#[module]
impl Counter {
    #[handler(Name)]
    fn name_of(&self) -> &str {
        "counter"
    }

    #[handler(Count)]
    fn count(&self) -> Option<&u64> {
        Some(&self.count)
    }

    #[handler(Text)]
    fn text(&self) -> std::borrow::Cow<'_, str> {
        "text".into()
    }
}

fn main() {}
