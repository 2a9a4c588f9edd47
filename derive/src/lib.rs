//! `#[derive(Plain)]`: a second reader of the options that `#[derive(clap::Args)]` defines.
//!
//! It reads the same attributes, and implements the trait `Plain` of `ipc-suite`, which reads the
//! usual command line in a few instructions. It supports a `value_parser` that is a range of
//! numbers or a function of the word. An attribute that it does not know is a compile error, so
//! that no attribute is ignored.

mod argument;

use proc_macro2::TokenStream;
use quote::quote;
use syn::{
    Data, DeriveInput, Error, Expr, ExprLit, Fields, Lit, LitBool, Meta, MetaNameValue, Result,
    parse_macro_input,
};

use argument::Argument;

/// Implements `Plain` for a struct of arguments.
#[proc_macro_derive(Plain, attributes(arg, command, group))]
pub fn plain(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    implement(&input).unwrap_or_else(Error::into_compile_error).into()
}

fn implement(input: &DeriveInput) -> Result<TokenStream> {
    let arguments = arguments(input)?;
    let (name, (generics, types, bounds)) = (&input.ident, input.generics.split_for_impl());
    let names = arguments.iter().filter_map(Argument::arm);
    let takes_numbers = arguments.iter().any(Argument::takes_numbers);
    let number =
        takes_numbers.then(|| quote!(b"-1" => Some(crate::app::arguments::Known::Number),));
    let flattened = arguments.iter().filter_map(Argument::inner);
    let fields = arguments.iter().map(Argument::field);
    let group = group(input, &arguments)?;
    let about = about(input);
    Ok(quote! {
        #[automatically_derived]
        impl #generics crate::app::arguments::Plain for #name #types #bounds {
            const ABOUT: &'static str = #about;

            fn option(name: &[u8]) -> Option<crate::app::arguments::Known> {
                match name {
                    #(#names,)*
                    #number
                    _ => None #(.or_else(|| <#flattened as crate::app::arguments::Plain>::option(name)))*
                }
            }

            fn read(line: &mut crate::app::arguments::Line<'_>) -> Option<Self> {
                let arguments = Self { #(#fields),* };
                #group
                Some(arguments)
            }
        }
    })
}

/// The first line of the documentation, which is the description of a command.
fn about(input: &DeriveInput) -> String {
    let first = input.attrs.iter().find_map(|attribute| match &attribute.meta {
        Meta::NameValue(MetaNameValue {
            path,
            value: Expr::Lit(ExprLit { lit: Lit::Str(text), .. }),
            ..
        }) if path.is_ident("doc") => Some(text.value().trim().to_owned()),
        _ => None,
    });
    first.unwrap_or_default()
}

/// The rule of the group of all arguments: none, or exactly one of them.
fn group(input: &DeriveInput, arguments: &[Argument]) -> Result<Option<TokenStream>> {
    let Some(group) = input.attrs.iter().find(|attribute| attribute.path().is_ident("group"))
    else {
        return Ok(None);
    };
    let (mut is_required, mut is_single) = (false, false);
    group.parse_nested_meta(|meta| {
        let value = meta.value()?.parse::<LitBool>()?.value;
        match meta.path.get_ident().map(ToString::to_string).as_deref() {
            Some("required") => is_required = value,
            Some("multiple") => is_single = !value,
            _ => return Err(meta.error("derive(Plain) does not know what this means")),
        }
        Ok(())
    })?;
    if !(is_required && is_single) {
        return Err(Error::new_spanned(group, "derive(Plain) knows groups of which one is given"));
    }
    let ids = arguments.iter().filter_map(Argument::own_id);
    Ok(Some(quote!(line.need_one(const { &[#(#ids),*] });)))
}

fn arguments(input: &DeriveInput) -> Result<Vec<Argument>> {
    match &input.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(fields) => fields.named.iter().map(Argument::new).collect(),
            _ => Err(Error::new_spanned(input, "arguments have names")),
        },
        _ => Err(Error::new_spanned(input, "arguments are a struct")),
    }
}
