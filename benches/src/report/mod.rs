//! The results for those who read them.

mod plot;
mod table;
mod theme;

use std::fmt::Display;
use std::fs;
use std::path::Path;

pub(crate) use table::markdown;

use crate::results::Results;

/// Writes all forms of the results into a directory.
pub(crate) fn write(results: &Results, directory: &Path) -> Result<(), String> {
    let problem = |error: &dyn Display| format!("writing to {}: {error}", directory.display());
    fs::create_dir_all(directory).map_err(|error| problem(&error))?;
    let json = serde_json::to_string_pretty(results).map_err(|error| problem(&error))?;
    fs::write(directory.join("results.json"), json + "\n").map_err(|error| problem(&error))?;
    let text = markdown(results).trim_end().to_owned() + "\n";
    fs::write(directory.join("results.md"), text).map_err(|error| problem(&error))?;
    plot::write(results, directory).map_err(|error| problem(&error))
}

/// Reads what [`write()`] wrote.
pub(crate) fn read(directory: &Path) -> Result<Results, String> {
    let file = directory.join("results.json");
    let text = fs::read_to_string(&file).map_err(|error| format!("reading {}: {error}", file.display()))?;
    serde_json::from_str(&text).map_err(|error| format!("reading {}: {error}", file.display()))
}

/// A number with as many digits as it deserves: `0.42`, `4.2`, `42`, `4,200`.
fn number(value: f64) -> String {
    match value {
        0.0..10.0 => format!("{value:.2}"),
        10.0..100.0 => format!("{value:.1}"),
        _ => thousands(&format!("{value:.0}")),
    }
}

fn thousands(digits: &str) -> String {
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_as_many_digits_as_they_deserve() {
        assert_eq!(number(0.424), "0.42");
        assert_eq!(number(4.0), "4.00");
        assert_eq!(number(42.42), "42.4");
        assert_eq!(number(424.2), "424");
        assert_eq!(number(4_242.0), "4,242");
        assert_eq!(number(4_242_424.0), "4,242,424");
    }
}
