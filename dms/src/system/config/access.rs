//! How modules read their settings.

use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, Error, Visitor};

use super::{Absence, Config, ConfigError, Reader};
use crate::module::cell::Core;
use crate::module::{Context, Module};

/// Settings, with the feature `config`. A module reads the section of its name:
///
/// | the module | its section |
/// |--|--|
/// | registered with `.name("store")` | `[store]` |
/// | `#[module(name = "store")]` | `[store]` |
/// | without a name, of the type `OrderBook` | `[order_book]` |
/// | with a number behind its name, such as a pool's `worker-0` | `[worker-0]` if there is one, else `[worker]` |
///
/// A name with dots, `orders.eu`, is a table in a table. What is read is what the files said last, see
/// [`SystemRef::reload_config`](crate::SystemRef::reload_config).
impl<T: Module> Context<T> {
    /// The whole section of this module as a `C`. A section that is nowhere is an empty one, so that a type whose fields all have defaults needs none.
    ///
    /// ```
    /// use dms::{Config, prelude::*};
    /// use serde::Deserialize;
    ///
    /// #[derive(Default, Deserialize)]
    /// struct Settings { timeout: u64 }
    ///
    /// #[module(name = "store")]
    /// #[derive(Default)]
    /// struct Store { settings: Settings }
    ///
    /// #[module]
    /// impl Store {
    ///     #[init]
    ///     fn init(&mut self, ctx: &mut Context<Self>) -> Result<(), ModuleError> {
    ///         self.settings = ctx.config_as()?;
    ///         Ok(())
    ///     }
    ///     #[handler(Timeout)]
    ///     fn timeout(&self) -> u64 { self.settings.timeout }
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let config = Config::builder().defaults("[store]\ntimeout = 5").build()?;
    /// let system = System::builder("shop").config(config).build();
    /// let store = system.register_module(Store::default()).await?;
    /// assert_eq!(store.timeout().await?, 5);
    /// # system.shutdown().await;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// A key is missing, of the wrong type, unknown or rejected by the type.
    pub fn config_as<C: DeserializeOwned>(&self) -> Result<C, ConfigError> {
        let config = self.system().config();
        config.read(&section(&self.cell.core, &config), Absence::EmptyTable, Reader::Module(&self.name()))
    }

    /// The value of `key` in this module's section; with dots it reaches into tables: `pool.size`. With an `Option` a missing value is `None`.
    ///
    /// # Errors
    /// The value is missing or of the wrong type.
    pub fn config_value<V: DeserializeOwned>(&self, key: &str) -> Result<V, ConfigError> {
        let config = self.system().config();
        let section = section(&self.cell.core, &config);
        config.read(&format!("{section}.{key}"), Absence::Nothing, Reader::Module(&self.name()))
    }

    /// The value of `key` in this module's section as a text; `None` where there is none. A number or a boolean is written as TOML writes it. For a table or a
    /// list there is a warning in the log, and `None`.
    #[must_use]
    pub fn config(&self, key: &str) -> Option<String> {
        or_warn(self.config_value(key).map(|Text(text)| text))
    }

    /// As [`config`](Self::config), or `default`.
    #[must_use]
    pub fn config_or(&self, key: &str, default: &str) -> String {
        self.config(key).unwrap_or_else(|| default.to_owned())
    }

    /// The value of `key` in this module's section as a number; `None` where there is none. For what is no such number there is a warning in the log, and
    /// `None`: [`config_value`](Self::config_value) makes an error of it.
    #[must_use]
    pub fn config_usize(&self, key: &str) -> Option<usize> {
        or_warn(self.config_value(key))
    }
}

fn or_warn<V>(read: Result<V, ConfigError>) -> Option<V> {
    match read {
        Ok(value) => Some(value),
        Err(ConfigError::Missing { .. }) => None,
        Err(error) => {
            tracing::warn!("{error}");
            None
        }
    }
}

/// The path of a module's section.
pub(super) fn section(core: &Core, config: &Config) -> String {
    let Some(name) = core.unique_name() else { return snake_case(core.info().type_name) };
    match name.rsplit_once('-') {
        Some((shared, number))
            if !shared.is_empty()
                && !number.is_empty()
                && number.bytes().all(|byte| byte.is_ascii_digit())
                && !config.has(name) =>
        {
            shared.to_owned()
        }
        _ => name.to_owned(),
    }
}

/// `OrderBook` is `order_book`, `HTTPServer` is `http_server`.
fn snake_case(name: &str) -> String {
    let characters: Vec<char> = name.chars().collect();
    let mut snake = String::with_capacity(name.len() + 4);
    for (at, &character) in characters.iter().enumerate() {
        let before = at.checked_sub(1).map(|before| characters[before]);
        let begins_word = before.is_some_and(|before| {
            let ends_capitals = before.is_uppercase() && characters.get(at + 1).is_some_and(|next| next.is_lowercase());
            before != '_' && (!before.is_uppercase() || ends_capitals)
        });
        if character.is_uppercase() && begins_word {
            snake.push('_');
        }
        snake.extend(character.to_lowercase());
    }
    snake
}

/// Whatever is one value, as a text.
struct Text(String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AsText;

        impl Visitor<'_> for AsText {
            type Value = Text;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a string, a number or a boolean")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Text, E> {
                Ok(Text(text.to_owned()))
            }

            fn visit_bool<E: Error>(self, value: bool) -> Result<Text, E> {
                Ok(Text(value.to_string()))
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Text, E> {
                Ok(Text(number.to_string()))
            }

            fn visit_f64<E: Error>(self, number: f64) -> Result<Text, E> {
                // 2.0 stays 2.0.
                Ok(Text(format!("{number:?}")))
            }
        }

        // A string is asked for, so that the text of a variable stays as it is.
        deserializer.deserialize_str(AsText)
    }
}

#[cfg(test)]
mod tests {
    use super::snake_case;

    #[test]
    fn the_section_of_a_type_is_its_name_in_snake_case() {
        for (name, snake) in [
            ("Store", "store"),
            ("OrderBook", "order_book"),
            ("HTTPServer", "http_server"),
            ("Md5", "md5"),
            ("X", "x"),
            ("already_snake", "already_snake"),
            ("Half_Snake", "half_snake"),
        ] {
            assert_eq!(snake_case(name), snake);
        }
    }
}
