#[module(version = "0.1.0", mailbox = 0)]
struct Mistaken;

#[module]
impl Mistaken {
    #[handler(Get)]
    fn get(&self) -> &str {
        "borrowed"
    }

    #[handler]
    fn nothing(&self) {}
}
