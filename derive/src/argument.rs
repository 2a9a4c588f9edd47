//! One argument: what its attributes say, and the code that reads it.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::punctuated::Punctuated;
use syn::{
    Error, Expr, Field, GenericArgument, Ident, Lit, LitByteStr, Meta, PathArguments, Result,
    Token, Type,
};

pub struct Argument {
    field: Ident,
    shape: Shape,
    place: Place,
    /// What it is if it is not given: an expression of the type of the field.
    default: Option<TokenStream>,
    is_required: bool,
    /// Those that may not be given beside it.
    excludes: Vec<String>,
    /// Those that have to be.
    requires: Vec<String>,
    /// Only clap knows what it may be.
    is_special: bool,
}

/// What the type of a field says of the words.
enum Shape {
    /// `bool`: it is given, or not.
    Flag,
    /// `Option<T>`: one word or none.
    Optional(Type),
    /// `Vec<T>`: any number of words.
    Many(Type),
    /// One word.
    One(Type),
}

/// Where the words of an argument stand.
enum Place {
    /// Behind one of these names.
    Option(Vec<String>),
    /// Among the words that are no options.
    Operand,
    /// Behind `--`.
    Command,
    /// In the arguments of another struct.
    Flattened(Box<Type>),
    /// Nowhere.
    Skipped,
}

impl Argument {
    pub fn new(field: &Field) -> Result<Self> {
        let name = field.ident.clone().ok_or_else(|| Error::new_spanned(field, "no name"))?;
        let mut argument = Self {
            field: name,
            shape: Shape::of(&field.ty),
            place: Place::Operand,
            default: None,
            is_required: false,
            excludes: Vec::new(),
            requires: Vec::new(),
            is_special: false,
        };
        for attribute in &field.attrs {
            let is_argument = attribute.path().is_ident("arg");
            if is_argument || attribute.path().is_ident("command") {
                let words = Punctuated::<Meta, Token![,]>::parse_terminated;
                for word in attribute.parse_args_with(words)? {
                    argument.learn(&word, &field.ty)?;
                }
            }
        }
        let is_always_there = argument.default.is_some() || argument.is_required;
        if is_always_there && matches!(argument.shape, Shape::Optional(_)) {
            return Err(Error::new_spanned(&field.ty, "what is always there is no Option"));
        }
        // Whether a second occurrence adds to the first or is wrong is for clap to say.
        let is_option = matches!(argument.place, Place::Option(_));
        argument.is_special |= is_option && matches!(argument.shape, Shape::Many(_));
        Ok(argument)
    }

    /// Takes one word of an attribute.
    fn learn(&mut self, meta: &Meta, ty: &Type) -> Result<()> {
        let unknown = || Error::new_spanned(meta, "derive(Plain) does not know what this means");
        let key = meta.path().get_ident().ok_or_else(unknown)?.to_string();
        match (key.as_str(), value(meta)) {
            ("long", None) => self.name(format!("--{}", self.field).replace('_', "-")),
            ("long", Some(name)) => self.name(format!("--{}", text(name).ok_or_else(unknown)?)),
            ("short", None) => self.name(format!("-{:.1}", self.field.to_string())),
            ("short", Some(name)) => self.name(format!("-{}", text(name).ok_or_else(unknown)?)),
            ("last", Some(_)) => self.place = Place::Command,
            ("flatten", None) => self.place = Place::Flattened(Box::new(ty.clone())),
            ("skip", None) => self.place = Place::Skipped,
            ("default_value_t", Some(default)) => self.default = Some(default.to_token_stream()),
            ("default_value", Some(default)) => {
                self.default = Some(quote!(<#ty as crate::plain::Word>::read(#default.as_ref())?));
            }
            ("required" | "required_unless_present_any", Some(_)) => self.is_required = true,
            ("conflicts_with" | "conflicts_with_all", Some(others)) => {
                self.excludes = texts(others).ok_or_else(unknown)?;
            }
            ("requires", Some(other)) => self.requires = texts(other).ok_or_else(unknown)?,
            ("value_parser" | "overrides_with", Some(_)) => self.is_special = true,
            // What begins with a hyphen and is no option is left to clap in any case.
            ("allow_negative_numbers", Some(_)) => {}
            // Words for the help.
            ("value_name" | "display_order" | "hide_possible_values", Some(_))
            | ("hide_default_value", Some(_)) => {}
            _ => return Err(unknown()),
        }
        Ok(())
    }

    /// Adds a name to those of an option.
    fn name(&mut self, name: String) {
        match &mut self.place {
            Place::Option(names) => names.push(name),
            place => *place = Place::Option(vec![name]),
        }
    }

    /// The arm of a `match` that knows the names of this option.
    pub fn arm(&self) -> Option<TokenStream> {
        let Place::Option(names) = &self.place else { return None };
        if self.is_special {
            return None;
        }
        let name = self.field.to_string();
        let patterns = names.iter().map(|name| LitByteStr::new(name.as_bytes(), self.field.span()));
        let known = match self.shape {
            Shape::Flag => quote!(Flag),
            _ => quote!(Value),
        };
        Some(quote!(#(#patterns)|* => Some(crate::plain::Known::#known(#name))))
    }

    /// The struct whose arguments stand in the place of this one.
    pub fn inner(&self) -> Option<&Type> {
        match &self.place {
            Place::Flattened(inner) => Some(inner),
            _ => None,
        }
    }

    /// The field in the expression of the struct; it leaves the function if there is no value.
    pub fn field(&self) -> TokenStream {
        let field = &self.field;
        let value = match &self.place {
            Place::Flattened(inner) => quote!(<#inner as crate::plain::Plain>::read(line)?),
            Place::Skipped => quote!(Default::default()),
            Place::Option(_) if self.is_special => self.absent(),
            Place::Option(_) => self.option(),
            Place::Operand | Place::Command if self.is_special => {
                let (name, absent, rest) = (field.to_string(), self.absent(), self.rest());
                quote!({
                    let words = line.#rest::<std::ffi::OsString>(#name);
                    line.want(words.is_empty());
                    #absent
                })
            }
            Place::Operand | Place::Command => self.operand(),
        };
        let (excludes, requires) = (&self.excludes, &self.requires);
        if excludes.is_empty() && requires.is_empty() {
            return quote!(#field: #value);
        }
        let name = field.to_string();
        quote!(#field: {
            let value = #value;
            line.rule(#name, crate::plain::Rule {
                excludes: &[#(#excludes),*],
                requires: &[#(#requires),*],
            });
            value
        })
    }

    fn option(&self) -> TokenStream {
        let name = self.field.to_string();
        match &self.shape {
            Shape::Flag => quote!(line.flag(#name)),
            Shape::Optional(inner) => quote!(line.value::<#inner>(#name)),
            Shape::One(inner) => self.one(quote!(line.value::<#inner>(#name))),
            Shape::Many(_) => self.absent(),
        }
    }

    fn operand(&self) -> TokenStream {
        let (name, rest) = (self.field.to_string(), self.rest());
        match &self.shape {
            Shape::Many(inner) if self.is_required => quote!({
                let words = line.#rest::<#inner>(#name);
                line.want(!words.is_empty());
                words
            }),
            Shape::Many(inner) => quote!(line.#rest::<#inner>(#name)),
            Shape::Optional(inner) => quote!(line.operand::<#inner>(#name)),
            Shape::One(inner) => self.one(quote!(line.operand::<#inner>(#name))),
            Shape::Flag => self.absent(),
        }
    }

    /// The call that takes all that is left.
    fn rest(&self) -> TokenStream {
        match self.place {
            Place::Command => quote!(command),
            _ => quote!(operands),
        }
    }

    /// The one word that is read, or the default, or nothing at all.
    fn one(&self, read: TokenStream) -> TokenStream {
        match &self.default {
            Some(default) => quote!(match #read {
                Some(value) => value,
                None => #default,
            }),
            None => quote!(#read?),
        }
    }

    /// What it is if it is not given.
    fn absent(&self) -> TokenStream {
        match (&self.shape, &self.default) {
            _ if self.is_required => quote!(None?),
            (Shape::One(_), Some(default)) => default.clone(),
            (Shape::One(_), None) => quote!(None?),
            (Shape::Flag, _) => quote!(false),
            (Shape::Optional(_), _) => quote!(None),
            (Shape::Many(_), _) => quote!(Vec::new()),
        }
    }
}

impl Shape {
    fn of(ty: &Type) -> Self {
        let Type::Path(path) = ty else { return Self::One(ty.clone()) };
        let Some(last) = path.path.segments.last() else { return Self::One(ty.clone()) };
        let inner = match &last.arguments {
            PathArguments::AngleBracketed(inner) => match inner.args.first() {
                Some(GenericArgument::Type(inner)) => Some(inner.clone()),
                _ => None,
            },
            _ => None,
        };
        match (last.ident.to_string().as_str(), inner) {
            ("bool", None) => Self::Flag,
            ("Option", Some(inner)) => Self::Optional(inner),
            ("Vec", Some(inner)) => Self::Many(inner),
            _ => Self::One(ty.clone()),
        }
    }
}

/// What an attribute's word is set to.
fn value(meta: &Meta) -> Option<&Expr> {
    match meta {
        Meta::NameValue(pair) => Some(&pair.value),
        _ => None,
    }
}

/// The texts in a literal, or in an array of literals.
fn texts(expression: &Expr) -> Option<Vec<String>> {
    match expression {
        Expr::Array(array) => array.elems.iter().map(text).collect(),
        _ => Some(vec![text(expression)?]),
    }
}

fn text(expression: &Expr) -> Option<String> {
    let Expr::Lit(literal) = expression else { return None };
    match &literal.lit {
        Lit::Str(text) => Some(text.value()),
        Lit::Char(letter) => Some(letter.value().to_string()),
        _ => None,
    }
}
