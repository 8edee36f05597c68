//! The type parameters of a module, and the part of them that each generated item needs.

use proc_macro2::{Group, Ident, Spacing, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{GenericParam, Lifetime, PathSegment, Type};

/// Generic parameters and where clause, with `Self` written out.
#[derive(Debug, Default)]
pub(crate) struct Generics {
    params: Vec<Param>,
    predicates: Vec<TokenStream>,
    implied: Vec<TokenStream>,
}

#[derive(Debug, Clone)]
struct Param {
    ident: Ident,
    /// With bounds, without default.
    declaration: TokenStream,
    /// How it is used: `T` or `'a`.
    argument: TokenStream,
    is_type: bool,
}

impl Generics {
    /// Takes over the parameters of an item whose type is `self_ty`.
    pub(crate) fn new(generics: &syn::Generics, self_ty: &TokenStream) -> Self {
        let params = generics.params.iter().map(|param| Param::new(param, self_ty)).collect();
        let predicates = generics.where_clause.iter().flat_map(|clause| &clause.predicates);
        let predicates = predicates.map(|predicate| replace_self(predicate.to_token_stream(), self_ty)).collect();
        Self { params, predicates, implied: Vec::new() }
    }

    /// The same, with type parameters that can be sent to another task: no message of a module can do without.
    pub(crate) fn sendable(mut self) -> Self {
        let types = self.params.iter().filter(|param| param.is_type);
        self.implied = types.map(|Param { ident, .. }| quote!(#ident: ::core::marker::Send + 'static)).collect();
        self
    }

    /// What is added to the bounds that were written.
    pub(crate) fn implied(&self) -> impl Iterator<Item = &TokenStream> {
        self.implied.iter()
    }

    /// The parameters as they are declared: `<T: Clone, const N: usize>`.
    pub(crate) fn declared(&self) -> TokenStream {
        let params = self.params.iter().map(|param| &param.declaration);
        if self.params.is_empty() { TokenStream::new() } else { quote!(<#(#params),*>) }
    }

    /// The same, behind a lifetime.
    pub(crate) fn declared_behind(&self, lifetime: &Lifetime) -> TokenStream {
        let params = self.params.iter().map(|param| &param.declaration);
        quote!(<#lifetime, #(#params),*>)
    }

    /// The parameters as they are used: `<T, N>`.
    pub(crate) fn used(&self) -> TokenStream {
        let params = self.params.iter().map(|param| &param.argument);
        if self.params.is_empty() { TokenStream::new() } else { quote!(<#(#params),*>) }
    }

    /// The where clause, if there is one.
    pub(crate) fn where_clause(&self) -> TokenStream {
        self.where_clause_and([])
    }

    /// The same, with more predicates.
    pub(crate) fn where_clause_and(&self, more: impl IntoIterator<Item = TokenStream>) -> TokenStream {
        let own = self.predicates.iter().chain(&self.implied).cloned();
        let mut predicates = own.chain(more).peekable();
        if predicates.peek().is_none() { TokenStream::new() } else { quote!(where #(#predicates),*) }
    }

    /// Whether there are no parameters.
    pub(crate) fn is_empty(&self) -> bool {
        self.params.is_empty()
    }

    /// Whether this type is nothing but one of the parameters.
    pub(crate) fn is_parameter(&self, ty: &TokenStream) -> bool {
        let ty = ty.to_string();
        self.params.iter().any(|param| param.is_type && param.ident == ty)
    }

    /// Whether this type is one that a parameter has: `T::Item`, or `<T as Iterator>::Item`. It could be any.
    pub(crate) fn is_projection(&self, ty: &Type) -> bool {
        match ty {
            Type::Group(group) => self.is_projection(&group.elem),
            Type::Paren(paren) => self.is_projection(&paren.elem),
            Type::Path(path) => {
                let is_param = |first: &PathSegment| self.params.iter().any(|param| param.ident == first.ident);
                let is_of_param = path.path.segments.len() > 1 && path.path.segments.first().is_some_and(is_param);
                !self.is_empty() && (path.qself.is_some() || is_of_param)
            }
            _ => false,
        }
    }

    /// Whether these tokens mention one of the parameters.
    pub(crate) fn mentioned_in(&self, tokens: &TokenStream) -> bool {
        self.params.iter().any(|param| mentions(tokens, &param.ident))
    }

    /// The type parameters that none of these tokens mention.
    pub(crate) fn types_unused_in(&self, tokens: &TokenStream) -> Vec<Ident> {
        let types = self.params.iter().filter(|param| param.is_type);
        types.map(|param| param.ident.clone()).filter(|ident| !mentions(tokens, ident)).collect()
    }

    /// The parameters that these tokens mention, with the bounds that mention no others.
    pub(crate) fn needed_by(&self, tokens: &TokenStream) -> Self {
        let (kept, dropped): (Vec<_>, Vec<_>) = self.params.iter().partition(|param| mentions(tokens, &param.ident));
        let fits = |bound: &TokenStream| !dropped.iter().any(|param| mentions(bound, &param.ident));
        let params = kept.iter().map(|param| {
            let declaration = if fits(&param.declaration) { &param.declaration } else { &param.argument };
            Param { declaration: declaration.clone(), ..(*param).clone() }
        });
        Self {
            params: params.collect(),
            predicates: self.predicates.iter().filter(|predicate| fits(predicate)).cloned().collect(),
            implied: Vec::new(),
        }
    }
}

impl Param {
    fn new(param: &GenericParam, self_ty: &TokenStream) -> Self {
        let mut param = param.clone();
        let (ident, argument, is_type) = match &mut param {
            GenericParam::Type(ty) => {
                ty.default = None;
                (ty.ident.clone(), ty.ident.to_token_stream(), true)
            }
            GenericParam::Const(value) => {
                value.default = None;
                (value.ident.clone(), value.ident.to_token_stream(), false)
            }
            GenericParam::Lifetime(lifetime) => {
                (lifetime.lifetime.ident.clone(), lifetime.lifetime.to_token_stream(), false)
            }
        };
        Self { ident, declaration: replace_self(param.to_token_stream(), self_ty), argument, is_type }
    }
}

/// Whether the identifier occurs in the tokens.
pub(crate) fn mentions(tokens: &TokenStream, ident: &Ident) -> bool {
    tokens.clone().into_iter().any(|token| match token {
        TokenTree::Ident(found) => found == *ident,
        TokenTree::Group(group) => mentions(&group.stream(), ident),
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    })
}

/// Writes the module's type for `Self`, so that the tokens mean the same outside of its impl.
pub(crate) fn replace_self(tokens: TokenStream, self_ty: &TokenStream) -> TokenStream {
    let mut tokens = tokens.into_iter().peekable();
    let mut replaced = TokenStream::new();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Ident(ident) if ident == "Self" => {
                let is_prefix = matches!(tokens.peek(), Some(TokenTree::Punct(colon)) if colon.as_char() == ':' && colon.spacing() == Spacing::Joint);
                let span = ident.span();
                let ty = self_ty.clone().into_iter().map(|mut token| {
                    token.set_span(span);
                    token
                });
                let ty: TokenStream = ty.collect();
                replaced.extend(if is_prefix { quote!(<#ty>) } else { ty });
            }
            TokenTree::Group(group) => {
                let mut copy = Group::new(group.delimiter(), replace_self(group.stream(), self_ty));
                copy.set_span(group.span());
                replaced.extend([TokenTree::Group(copy)]);
            }
            token => replaced.extend([token]),
        }
    }
    replaced
}

#[cfg(test)]
mod tests {
    use super::*;
    use syn::parse_quote;

    fn generics() -> Generics {
        let mut item: syn::ItemImpl = parse_quote! {
            impl<K: Hash, V: From<K>, const N: usize> Cache<K, V, N> where V: Clone, Vec<K>: Clone {}
        };
        item.generics.make_where_clause();
        Generics::new(&item.generics, &quote!(Cache<K, V, N>))
    }

    #[test]
    fn a_part_keeps_only_the_bounds_that_it_can_state() {
        let part = generics().needed_by(&quote!(Option<V>));
        assert_eq!(part.declared().to_string(), quote!(<V>).to_string());
        assert_eq!(part.where_clause().to_string(), quote!(where V: Clone).to_string());

        let part = generics().needed_by(&quote!([K; N]));
        assert_eq!(part.declared().to_string(), quote!(<K: Hash, const N: usize>).to_string());
        assert_eq!(part.used().to_string(), quote!(<K, N>).to_string());
    }

    #[test]
    fn type_parameters_are_sendable_where_the_module_is() {
        let sendable = generics().sendable().where_clause().to_string();
        for ident in ["K", "V"] {
            assert!(sendable.contains(&format!("{ident} : :: core :: marker :: Send + 'static")), "{sendable}");
        }
        let message = generics().sendable().needed_by(&quote!(K)).where_clause().to_string();
        assert!(!message.contains("Send"), "{message}");
    }

    #[test]
    fn parameters_that_nothing_mentions_are_found() {
        assert_eq!(generics().types_unused_in(&quote!(Put<K>)), ["V"]);
        assert!(generics().is_parameter(&quote!(K)));
        assert!(!generics().is_parameter(&quote!(N)));
        assert!(!generics().is_parameter(&quote!(Vec<K>)));
    }

    #[test]
    fn self_is_written_out_also_before_a_path() {
        let cases = [
            (quote!(Vec<(Self, [u8; Self::LEN])>), quote!(Vec<(Cache<K>, [u8; <Cache<K>>::LEN])>)),
            (quote!(Self: Clone), quote!(Cache<K>: Clone)),
        ];
        for (written, expected) in cases {
            let replaced = replace_self(written, &quote!(Cache<K>)).to_string();
            assert_eq!(replaced.replace(' ', ""), expected.to_string().replace(' ', ""));
        }
    }
}
