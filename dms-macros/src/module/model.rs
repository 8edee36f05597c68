//! What a module is, with every default filled in.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::{Attribute, Expr, ExprLit, Lit, LitStr, Meta};

use super::args::{self, Args, Overflow, Timeout};
use super::flags::Flag;
use super::names::Dependency;
use super::restart::{Restart, Strategy};
use crate::generics::Generics;

/// All that `Describe::INFO` says.
#[derive(Debug)]
pub(crate) struct Description {
    pub(crate) ident: Ident,
    /// The module's type with its parameters: `Cache<T>`.
    pub(crate) self_ty: TokenStream,
    pub(crate) generics: Generics,
    /// The `cfg`s of the struct that were not expanded yet.
    pub(crate) cfgs: Vec<Attribute>,
    pub(crate) name: Option<(String, Span)>,
    pub(crate) version: Option<(u64, u64, u64)>,
    pub(crate) about: String,
    pub(crate) author: Said,
    pub(crate) license: Said,
    pub(crate) flags: Vec<Flag>,
    pub(crate) depends: Vec<Dependency>,
    /// Each with its place.
    pub(crate) provides: Vec<(String, Span)>,
    pub(crate) mailbox: Option<(usize, Span)>,
    /// With the tokens of its entry.
    pub(crate) overflow: Option<(Overflow, TokenStream)>,
    pub(crate) timeout: Option<Timeout>,
    pub(crate) restart: Restart,
    pub(crate) strategy: Option<Strategy>,
}

/// A text that the attribute says, or else the crate.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) text: String,
    /// The variable of Cargo's that it comes from.
    pub(crate) variable: Option<&'static str>,
}

impl Said {
    fn new(given: Option<LitStr>, variable: &'static str) -> Self {
        match given {
            Some(given) => Self { text: given.value(), variable: None },
            None => Self { text: std::env::var(variable).unwrap_or_default(), variable: Some(variable) },
        }
    }
}

impl Description {
    /// Joins what the attribute says with what the struct and its crate say.
    pub(crate) fn new(attrs: &[Attribute], ident: Ident, generics: &syn::Generics, args: Args) -> Self {
        let (_, parameters, _) = generics.split_for_impl();
        let self_ty = quote!(#ident #parameters);
        let mut author = Said::new(args.author, "CARGO_PKG_AUTHORS");
        if author.variable.is_some() {
            // Cargo joins them so.
            author.text = author.text.split(':').collect::<Vec<_>>().join(", ");
        }
        Self {
            generics: Generics::new(generics, &self_ty),
            self_ty,
            ident,
            cfgs: attrs.iter().filter(|attr| attr.path().is_ident("cfg")).cloned().collect(),
            name: args.name.map(|name| (name.value(), name.span())),
            version: args.version.or_else(crate_version),
            about: args.description.map_or_else(|| first_paragraph(attrs), |text| text.value()),
            author,
            license: Said::new(args.license, "CARGO_PKG_LICENSE"),
            flags: args.flags,
            depends: args.depends,
            provides: args.provides,
            mailbox: args.mailbox,
            overflow: args.overflow,
            timeout: args.timeout,
            restart: args.restart,
            strategy: args.strategy,
        }
    }
}

/// The version of the crate being compiled, without pre-release and build parts.
fn crate_version() -> Option<(u64, u64, u64)> {
    let version = std::env::var("CARGO_PKG_VERSION").ok()?;
    args::numbers(version.split(['-', '+']).next()?)
}

/// The first paragraph of the doc comment, on one line.
fn first_paragraph(attrs: &[Attribute]) -> String {
    let lines = attrs.iter().filter(|attr| attr.path().is_ident("doc")).filter_map(|attr| match &attr.meta {
        Meta::NameValue(doc) => match &doc.value {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value()),
            _ => None,
        },
        _ => None,
    });
    let text = lines.collect::<Vec<_>>().join("\n");
    let lines = text.lines().map(str::trim).skip_while(|line| line.is_empty());
    lines.take_while(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use syn::parse_quote;

    #[test]
    fn the_description_is_the_first_paragraph() {
        let item: syn::ItemStruct = parse_quote! {
            /// Counts things,
            /// one by one.
            ///
            /// More of it.
            #[derive(Debug)]
            struct Counter;
        };
        assert_eq!(first_paragraph(&item.attrs), "Counts things, one by one.");
        assert_eq!(first_paragraph(&[]), "");
    }

    #[test]
    fn the_version_defaults_to_that_of_the_crate() {
        let expected = args::numbers(env!("CARGO_PKG_VERSION").split('-').next().expect("a version"));
        assert_eq!(crate_version(), expected);
        assert!(expected.is_some());
    }
}
