//! `#[derive(Plain)]`: a second reader of the options that `#[derive(clap::Args)]` defines.
//!
//! It reads the same attributes, and implements the trait `Plain` of `ipc-suite`, which understands
//! the usual words of a command line in a few instructions. Where an argument has a parser of its
//! own for its value, such as one that knows a range, a command line that has it is left to clap.
//! An attribute that this file does not know is an error of compilation, so that nobody adds one to
//! an argument and has it ignored.

mod argument;

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, DeriveInput, Error, Fields, Result, parse_macro_input};

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
    // Rules about several arguments are clap's to enforce.
    let is_group = input.attrs.iter().any(|attribute| attribute.path().is_ident("group"));
    let (option, read) = if is_group {
        (quote!(None), quote!(None))
    } else {
        let names = arguments.iter().filter_map(Argument::arm);
        let flattened = arguments.iter().filter_map(Argument::inner);
        let fields = arguments.iter().map(Argument::field);
        (
            quote!(match name {
                #(#names,)*
                _ => None #(.or_else(|| <#flattened as crate::plain::Plain>::option(name)))*
            }),
            quote!(Some(Self { #(#fields),* })),
        )
    };
    Ok(quote! {
        #[automatically_derived]
        impl #generics crate::plain::Plain for #name #types #bounds {
            fn option(name: &[u8]) -> Option<crate::plain::Known> {
                #option
            }

            fn read(line: &mut crate::plain::Line<'_>) -> Option<Self> {
                #read
            }
        }
    })
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
