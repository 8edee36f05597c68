#[module(version = "0.1.0")]
struct Cache {
    pages: Vec<Page>,
}

#[module]
impl Cache {
    #[handler(inline)]
    fn look(&self, At(at): At) -> Option<Page> {
        self.pages.get(at).cloned()
    }

    #[handler(Put, boxed, inline)]
    fn put(&mut self, page: Page, ctx: &mut Context<Self>) {
        self.pages.push(page);
    }

    #[handler(Clear)]
    fn clear(&mut self) {
        self.pages.clear();
    }
}
