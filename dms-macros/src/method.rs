//! An impl and its methods as they are written. Bodies stay tokens, so that editing one never upsets the macro.

use proc_macro2::{TokenStream, TokenTree};
use quote::{ToTokens, TokenStreamExt, quote};
use syn::parse::{Parse, ParseStream};
use syn::{AttrStyle, Attribute, FnArg, Generics, Ident, ImplItem, Lifetime, Signature, Token, Type, Visibility};

/// An impl, with or without a trait.
#[derive(Debug)]
pub(crate) struct ImplBlock {
    pub(crate) attrs: Vec<Attribute>,
    /// `unsafe` or `default`.
    pub(crate) qualifier: TokenStream,
    pub(crate) impl_token: Token![impl],
    pub(crate) generics: Generics,
    /// The `Trait for` of a trait impl.
    pub(crate) of_trait: Option<(TokenStream, Token![for])>,
    pub(crate) self_ty: Type,
    pub(crate) items: Vec<Item>,
}

/// An item of an impl.
#[derive(Debug)]
pub(crate) enum Item {
    Method(Box<Method>),
    /// A constant, a type or a macro: not ours, and not looked into.
    Other(TokenStream),
}

/// A function of an impl, with its body unread.
#[derive(Debug)]
pub(crate) struct Method {
    pub(crate) attrs: Vec<Attribute>,
    /// Visibility and `default`.
    pub(crate) qualifier: TokenStream,
    pub(crate) sig: Signature,
    body: TokenTree,
    /// Whether generated code calls it, so that the user did not choose all of its form.
    pub(crate) is_called: bool,
}

/// Whether the item that `#[module]` stands on is an impl.
pub(crate) fn is_impl(item: &TokenStream) -> bool {
    let mut tokens = item.clone().into_iter().peekable();
    while let Some(token) = tokens.next() {
        match token {
            // An attribute is `#` and a group.
            TokenTree::Punct(hash) if hash.as_char() == '#' => {
                tokens.next();
            }
            TokenTree::Ident(word) if word == "unsafe" || word == "default" => {}
            TokenTree::Ident(word) => return word == "impl",
            _ => return false,
        }
    }
    false
}

/// A second `#[module]` on the item: the attribute that is expanded first sees it.
pub(crate) fn second_module(attrs: &[Attribute]) -> Option<&Attribute> {
    attrs.iter().find(|attr| attr.path().segments.last().is_some_and(|name| name.ident == "module"))
}

impl Parse for ImplBlock {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut attrs = input.call(Attribute::parse_outer)?;
        let mut qualifier = TokenStream::new();
        while !input.peek(Token![impl]) {
            qualifier.append(input.parse::<TokenTree>()?);
        }
        let impl_token = input.parse()?;
        let mut generics = if has_generics(input) { input.parse()? } else { Generics::default() };
        let negative: Option<Token![!]> = input.parse()?;
        let mut self_ty: Type = input.parse()?;
        let mut of_trait = None;
        if let Some(for_token) = input.parse::<Option<Token![for]>>()? {
            of_trait = Some((quote!(#negative #self_ty), for_token));
            self_ty = input.parse()?;
        }
        generics.where_clause = input.parse()?;
        let content;
        syn::braced!(content in input);
        let inner = content.call(Attribute::parse_inner)?;
        attrs.extend(inner.into_iter().map(|attr| Attribute { style: AttrStyle::Outer, ..attr }));
        let mut items = Vec::new();
        while !content.is_empty() {
            items.push(content.parse()?);
        }
        Ok(Self { attrs, qualifier, impl_token, generics, of_trait, self_ty, items })
    }
}

/// Whether `<` opens generics, and not a qualified path as in `impl <A as B>::C`.
fn has_generics(input: ParseStream<'_>) -> bool {
    let named = input.peek2(Ident) || input.peek2(Lifetime);
    let declared =
        (input.peek3(Token![:]) && !input.peek3(Token![::])) || input.peek3(Token![,]) || input.peek3(Token![>]);
    input.peek(Token![<])
        && (named && declared || input.peek2(Token![>]) || input.peek2(Token![#]) || input.peek2(Token![const]))
}

impl Parse for Item {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let ahead = input.fork();
        ahead.call(Attribute::parse_outer)?;
        ahead.parse::<Visibility>()?;
        ahead.parse::<Option<Token![default]>>()?;
        if is_signature(&ahead) {
            input.parse().map(Box::new).map(Self::Method)
        } else {
            let item: ImplItem = input.parse()?;
            Ok(Self::Other(item.to_token_stream()))
        }
    }
}

/// Whether a function comes next, however it is qualified; `const NAME: T` does not count.
fn is_signature(input: ParseStream<'_>) -> bool {
    let ahead = input.fork();
    while ahead.peek(Token![const])
        || ahead.peek(Token![async])
        || ahead.peek(Token![unsafe])
        || ahead.peek(Token![extern])
        || ahead.peek(syn::LitStr)
    {
        if ahead.parse::<TokenTree>().is_err() {
            return false;
        }
    }
    ahead.peek(Token![fn])
}

impl Parse for Method {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let attrs = input.call(Attribute::parse_outer)?;
        let vis: Visibility = input.parse()?;
        let default: Option<Token![default]> = input.parse()?;
        Ok(Self {
            attrs,
            qualifier: quote!(#vis #default),
            sig: input.parse()?,
            body: input.parse()?,
            is_called: false,
        })
    }
}

impl Method {
    /// Takes the attributes off the arguments that only the generated message can carry.
    ///
    /// Lint levels stay: they are all that the compiler lets an argument have beside `cfg`.
    pub(crate) fn take_argument_attrs(&mut self) -> Vec<Vec<Attribute>> {
        let stays = |attr: &Attribute| {
            ["allow", "expect", "warn", "deny", "forbid", "cfg", "cfg_attr"]
                .iter()
                .any(|lint| attr.path().is_ident(lint))
        };
        let arguments = self.sig.inputs.iter_mut().filter_map(|input| match input {
            FnArg::Typed(argument) => Some(&mut argument.attrs),
            FnArg::Receiver(_) => None,
        });
        arguments
            .map(|attrs| {
                let (kept, taken) = std::mem::take(attrs).into_iter().partition(stays);
                *attrs = kept;
                taken
            })
            .collect()
    }
}

impl ToTokens for ImplBlock {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let Self { attrs, qualifier, impl_token, generics, of_trait, self_ty, items } = self;
        let of_trait = of_trait.as_ref().map(|(path, for_token)| quote!(#path #for_token));
        let where_clause = &generics.where_clause;
        tokens.extend(quote! {
            #(#attrs)* #qualifier #impl_token #generics #of_trait #self_ty #where_clause { #(#items)* }
        });
    }
}

impl ToTokens for Item {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        match self {
            Self::Method(method) => method.to_tokens(tokens),
            Self::Other(item) => item.to_tokens(tokens),
        }
    }
}

impl ToTokens for Method {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let Self { attrs, qualifier, sig, body, is_called } = self;
        // A handler is `async`, takes its message by value or returns a `Result` because its callers expect it.
        let allowed = is_called.then(|| {
            quote! {
                #[allow(
                    clippy::missing_errors_doc,
                    clippy::missing_panics_doc,
                    clippy::must_use_candidate,
                    clippy::needless_pass_by_ref_mut,
                    clippy::needless_pass_by_value,
                    clippy::too_many_arguments,
                    clippy::trivially_copy_pass_by_ref,
                    clippy::unnecessary_wraps,
                    clippy::unused_async,
                    clippy::unused_self,
                )]
            }
        });
        tokens.extend(quote!(#allowed #(#attrs)* #qualifier #sig #body));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_impl_survives_unchanged() {
        let source = quote! {
            #[allow(dead_code)]
            impl<T: Clone, const N: usize> Cache<T, N> where T: Send {
                const LIMIT: usize = { 3 };
                type Item = u8;
                /// Documented.
                pub(crate) async fn put(&mut self, (a, b): (T, u8)) -> Option<T> where T: Clone { a }
                const fn limit() -> usize { Self::LIMIT }
                unsafe extern "C" fn raw(&self) {}
                helper!(a b c);
            }
        };
        let block: ImplBlock = syn::parse2(source.clone()).expect("an impl");
        assert_eq!(block.to_token_stream().to_string(), source.to_string());
        assert_eq!(block.items.iter().filter(|item| matches!(item, Item::Method(_))).count(), 3);
    }

    #[test]
    fn an_impl_is_told_from_other_items() {
        assert!(is_impl(&quote!(
            #[allow(dead_code)]
            impl<T> A<T> {}
        )));
        assert!(is_impl(&quote!(
            unsafe impl Send for A {}
        )));
        assert!(!is_impl(&quote!(
            pub struct A;
        )));
        assert!(!is_impl(&quote!(
            unsafe fn a(b: impl Fn()) {}
        )));
    }

    #[test]
    fn a_body_may_be_anything() {
        let source = quote!(impl A { fn half(&self) { self. let x = ; } });
        let block: ImplBlock = syn::parse2(source.clone()).expect("an impl");
        assert_eq!(block.to_token_stream().to_string(), source.to_string());
    }

    #[test]
    fn trait_impls_and_odd_types_are_told_apart() {
        let block: ImplBlock = syn::parse2(quote!(
            unsafe impl Send for A {}
        ))
        .expect("a trait impl");
        assert!(block.of_trait.is_some());
        let block: ImplBlock = syn::parse2(quote!(
            impl <A as B>::C {}
        ))
        .expect("an impl of a projection");
        assert!(block.generics.params.is_empty());
    }
}
