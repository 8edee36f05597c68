#[module(version = "0.1.0")]
struct Desk {
    waiting: Vec<ReplyTo<Page>>,
}

#[module]
impl Desk {
    #[handler]
    fn fetch(&mut self, reply: ReplyTo<Page>, Fetch(number): Fetch) {
        self.waiting.push(reply);
    }

    #[handler(Print, boxed)]
    async fn print(&mut self, ctx: &mut Context<Self>, text: [u8; 4096], reply: ReplyTo<usize>) {
        reply.send(text.len());
    }

    #[handler(boxed)]
    async fn keep(&self, page: Page) -> usize {
        page.len()
    }
}
