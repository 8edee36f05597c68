#[module(version = "0.1.0")]
struct Mill {
    ground: u64,
}

#[module]
impl Mill {
    #[handler(retry = 3)]
    async fn grind(&mut self, corn: Corn, ctx: &mut Context<Self>) -> Flour {
        ctx.grind(corn).await
    }

    #[handler(Sift, derive(Clone), boxed, retry = 1, deadline = "1s")]
    fn sift(&mut self, mesh: u8) -> u64 {
        self.ground
    }
}
