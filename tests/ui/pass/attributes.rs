//! What stands on a handler and its arguments goes where it belongs: docs, derives, `deprecated`, lint levels.
#![deny(warnings, missing_docs)]

use dms::prelude::*;

/// Greets.
#[module]
pub struct Greeter;

/// Marks a field.
mod mark {
    /// Used by name only.
    pub(crate) const LEVEL: u8 = 1;
}

#[module]
impl Greeter {
    #![allow(clippy::unused_self)]

    /// Says hello, as [`Self::bye`] says goodbye.
    #[handler(Hello, derive(Debug, Clone, PartialEq, Eq, Hash, Default))]
    #[inline]
    fn hello(
        &self,
        /// Who is greeted.
        #[allow(unused_variables)]
        name: String,
    ) -> u8 {
        mark::LEVEL
    }

    /// Says goodbye.
    #[deprecated(note = "say nothing")]
    #[handler(Bye)]
    #[allow(clippy::unused_async)]
    pub async fn bye(&self) {}

    #[dms::handler(Quiet)]
    #[expect(unused_variables, reason = "it is quiet")]
    fn quiet(&self) {
        let nothing = 1;
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let system = System::new();
    let greeter = system.register_module(Greeter).await?;
    assert_eq!(format!("{:?}", Hello { name: "you".to_owned() }), "Hello { name: \"you\" }");
    assert_eq!(Hello::default(), Hello { name: String::new() });
    assert_eq!(greeter.hello("you".to_owned()).await?, 1);
    #[expect(deprecated)]
    greeter.bye().await?;
    greeter.quiet().await?;
    system.shutdown().await;
    Ok(())
}
