//! What the macros write, for representative modules: `tests/snapshots/NAME.rs` becomes `NAME.expanded.rs`.
//!
//! `UPDATE_SNAPSHOTS=1 cargo test -p dms-macros` writes the expansions anew; read what changed before you commit it.

use std::fs;
use std::path::Path;

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{Attribute, Item, Meta};

use crate::{handlers, module};

fn check(name: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots");
    let source = fs::read_to_string(folder.join(format!("{name}.rs"))).expect("a module to expand");
    let source = syn::parse_file(&source).expect("Rust");
    let expanded: TokenStream = source.items.into_iter().map(expand).collect();
    let expanded = syn::parse2(expanded).expect("the macros write Rust");
    let expanded = prettyplease::unparse(&expanded);

    let file = folder.join(format!("{name}.expanded.rs"));
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        fs::write(&file, &expanded).expect("the snapshot is written");
    }
    let expected = fs::read_to_string(&file).expect("a snapshot: run with UPDATE_SNAPSHOTS=1 to write it");
    for (number, (found, expected)) in (1..).zip(expanded.lines().zip(expected.lines())) {
        assert_eq!(found, expected, "{}:{number}: run with UPDATE_SNAPSHOTS=1 if this is meant", file.display());
    }
    assert_eq!(expanded, expected, "{}: run with UPDATE_SNAPSHOTS=1 if this is meant", file.display());
}

/// Does what the compiler does with `#[module]`.
fn expand(mut item: Item) -> TokenStream {
    let krate = quote!(::dms);
    match &mut item {
        Item::Struct(found) => {
            let args = take_args(&mut found.attrs);
            module::expand(args, &item.to_token_stream(), &krate)
        }
        Item::Enum(found) => {
            let args = take_args(&mut found.attrs);
            module::expand(args, &item.to_token_stream(), &krate)
        }
        Item::Impl(found) => {
            let args = take_args(&mut found.attrs);
            handlers::expand(args, item.to_token_stream(), &krate)
        }
        other => other.to_token_stream(),
    }
}

fn take_args(attrs: &mut Vec<Attribute>) -> TokenStream {
    let at = attrs.iter().position(|attr| attr.path().is_ident("module")).expect("`#[module]`");
    match attrs.remove(at).meta {
        Meta::List(list) => list.tokens,
        _ => TokenStream::new(),
    }
}

#[test]
fn a_counter_with_everything() {
    check("counter");
}

#[test]
fn a_generic_module() {
    check("generic");
}

#[test]
fn a_session_with_a_loop_of_its_own() {
    check("session");
}

#[test]
fn handlers_with_reply_to_and_boxes() {
    check("replies");
}

#[test]
fn handlers_that_an_asker_may_run() {
    check("inline");
}

#[test]
fn handlers_that_are_reached_by_name() {
    check("remote");
}

#[test]
fn a_module_that_gives_and_takes_its_state() {
    check("state");
}

#[test]
fn handlers_of_events() {
    check("events");
}

#[test]
fn health_checks() {
    check("health");
}

#[test]
fn a_module_with_mistakes_keeps_its_names() {
    check("mistaken");
}

#[test]
fn handlers_with_deadlines() {
    check("deadlines");
}

#[test]
fn handlers_that_are_tried_again() {
    check("retries");
}

#[test]
fn a_module_that_handles_the_messages_of_another_one() {
    check("replaces");
}
