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
    /// Its words may be numbers below zero.
    is_any_number: bool,
    /// It need not be given if one of these is.
    unless: Vec<String>,
    /// Those that may not be given beside it.
    excludes: Vec<String>,
    /// Those that have to be.
    requires: Vec<String>,
    parser: Parser,
}

/// What reads one word of an argument.
enum Parser {
    /// The trait `Word` of its type.
    Word,
    /// The same, for numbers of which only a range is allowed.
    Range(Expr),
    /// A function of a `&str`.
    OfText(Expr),
    /// A function of an `OsString`.
    OfWord(Expr),
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
            is_any_number: false,
            unless: Vec::new(),
            excludes: Vec::new(),
            requires: Vec::new(),
            parser: Parser::Word,
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
                self.default =
                    Some(quote!(<#ty as crate::app::arguments::Word>::read(#default.as_ref())?));
            }
            ("required", Some(_)) => self.is_required = true,
            ("required_unless_present_any", Some(others)) => {
                self.is_required = true;
                self.unless = texts(others).ok_or_else(unknown)?;
            }
            // Which of two is meant that override each other is for clap to say.
            ("conflicts_with" | "conflicts_with_all" | "overrides_with", Some(others)) => {
                self.excludes.extend(texts(others).ok_or_else(unknown)?);
            }
            ("requires", Some(other)) => self.requires = texts(other).ok_or_else(unknown)?,
            ("value_parser", Some(parser)) => {
                self.parser = Parser::of(parser).ok_or_else(unknown)?;
            }
            ("allow_negative_numbers", Some(_)) => self.is_any_number = true,
            // Words for the help.
            ("value_name" | "display_order" | "hide_possible_values", Some(_))
            | ("hide_default_value" | "hide_short_help" | "help_heading", Some(_)) => {}
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
        let name = self.field.to_string();
        let names = match &self.place {
            Place::Option(names) => names,
            Place::Command => {
                return Some(quote!(b"--" => Some(crate::app::arguments::Known::Values(#name))));
            }
            Place::Operand | Place::Flattened(_) | Place::Skipped => return None,
        };
        let patterns = names.iter().map(|name| LitByteStr::new(name.as_bytes(), self.field.span()));
        let known = match self.shape {
            Shape::Flag => quote!(Flag),
            Shape::Many(_) => quote!(Values),
            Shape::Optional(_) | Shape::One(_) => quote!(Value),
        };
        Some(quote!(#(#patterns)|* => Some(crate::app::arguments::Known::#known(#name))))
    }

    /// Whether operands are its words that look like options, but are numbers.
    pub fn takes_numbers(&self) -> bool {
        self.is_any_number && matches!(self.place, Place::Operand)
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
            Place::Flattened(inner) => {
                quote!(<#inner as crate::app::arguments::Plain>::read(line)?)
            }
            Place::Skipped => quote!(Default::default()),
            Place::Option(_) => self.option(),
            Place::Operand | Place::Command => self.operand(),
        };
        let (excludes, requires) = (&self.excludes, &self.requires);
        if excludes.is_empty() && requires.is_empty() {
            return quote!(#field: #value);
        }
        let name = field.to_string();
        quote!(#field: {
            let value = #value;
            line.rule(#name, crate::app::arguments::Rule {
                excludes: &[#(#excludes),*],
                requires: &[#(#requires),*],
            });
            value
        })
    }

    /// The name of the argument, so that others can speak of it; `None` for those of another struct.
    pub fn own_name(&self) -> Option<String> {
        let is_own = !matches!(self.place, Place::Flattened(_) | Place::Skipped);
        is_own.then(|| self.field.to_string())
    }

    fn option(&self) -> TokenStream {
        let name = self.field.to_string();
        match &self.shape {
            Shape::Flag => quote!(line.flag(#name)),
            Shape::Many(inner) => {
                let parser = self.parser.function(inner);
                self.many(&quote!(line.values::<#inner>(#name, #parser)))
            }
            Shape::Optional(inner) => {
                let parser = self.parser.function(inner);
                quote!(line.value::<#inner>(#name, #parser))
            }
            Shape::One(inner) => {
                let parser = self.parser.function(inner);
                self.one(&quote!(line.value::<#inner>(#name, #parser)))
            }
        }
    }

    fn operand(&self) -> TokenStream {
        let (name, rest) = (self.field.to_string(), self.rest());
        match &self.shape {
            Shape::Flag => quote!(false),
            Shape::Many(inner) => {
                let parser = self.parser.function(inner);
                self.many(&quote!(line.#rest::<#inner>(#name, #parser)))
            }
            Shape::Optional(inner) => {
                let parser = self.parser.function(inner);
                quote!(line.operand::<#inner>(#name, #parser))
            }
            Shape::One(inner) => {
                let parser = self.parser.function(inner);
                self.one(&quote!(line.operand::<#inner>(#name, #parser)))
            }
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
    fn one(&self, read: &TokenStream) -> TokenStream {
        match &self.default {
            Some(default) => quote!(match #read {
                Some(value) => value,
                None => #default,
            }),
            None => quote!(#read?),
        }
    }

    /// All words that are read, of which there has to be one if the argument is required.
    fn many(&self, read: &TokenStream) -> TokenStream {
        if !self.is_required {
            return read.clone();
        }
        let (name, unless) = (self.field.to_string(), &self.unless);
        quote!({
            let words = #read;
            line.need(&[#name #(, #unless)*]);
            words
        })
    }
}

impl Parser {
    /// What an expression for clap means: the forms that this program has.
    fn of(parser: &Expr) -> Option<Self> {
        match parser {
            Expr::Path(_) => Some(Self::OfText(parser.clone())),
            Expr::MethodCall(call) => {
                let argument = call.args.first()?.clone();
                match call.method.to_string().as_str() {
                    "range" => Some(Self::Range(argument)),
                    "try_map" => Some(Self::OfWord(argument)),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// A function that makes an `Option` of the type from a word.
    fn function(&self, ty: &Type) -> TokenStream {
        let word = quote!(<#ty as crate::app::arguments::Word>::read);
        match self {
            Self::Word => word,
            Self::Range(range) => {
                quote!(|word| #word(word).filter(|&value| crate::app::arguments::is_within(value, #range)))
            }
            Self::OfText(parse) => quote!(|word| (#parse)(word.to_str()?).ok()),
            Self::OfWord(parse) => quote!(|word| crate::app::arguments::owned(word, #parse)),
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
