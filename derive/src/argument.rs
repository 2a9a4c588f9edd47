//! One argument: its attributes, and the code that reads it.

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
    position: Position,
    /// The default: an expression of the type of the field.
    default: Option<TokenStream>,
    is_required: bool,
    /// The word for an option that has no word after an equals sign.
    missing: Option<String>,
    /// Its words may be negative numbers.
    is_any_number: bool,
    /// Arguments that make it optional.
    unless: Vec<String>,
    /// Arguments that conflict with it.
    excludes: Vec<String>,
    /// Arguments that it requires.
    requires: Vec<String>,
    parser: Parser,
}

/// The reader of one word of an argument.
enum Parser {
    /// The trait `Word` of its type.
    Word,
    /// The same, for numbers in a range.
    Range(Expr),
    /// A function of a `&str`.
    OfText(Expr),
    /// A function of an `OsString`.
    OfWord(Expr),
}

/// The number of words, by the type of the field.
enum Shape {
    /// `bool`: none.
    Flag,
    /// `Option<T>`: none or one.
    Optional(Type),
    /// `Vec<T>`: any number.
    Many(Type),
    /// One.
    One(Type),
}

/// The position of the words of an argument.
enum Position {
    /// After one of these names.
    Option(Vec<String>),
    /// Among the operands.
    Operand,
    /// After `--`.
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
            position: Position::Operand,
            default: None,
            is_required: false,
            missing: None,
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
            return Err(Error::new_spanned(
                &field.ty,
                "an argument with a default or a requirement is not an Option",
            ));
        }
        Ok(argument)
    }

    /// Reads one word of an attribute.
    fn learn(&mut self, meta: &Meta, ty: &Type) -> Result<()> {
        let unknown = || Error::new_spanned(meta, "derive(Plain) does not know what this means");
        let key = meta.path().get_ident().ok_or_else(unknown)?.to_string();
        match (key.as_str(), value(meta)) {
            ("long", None) => self.name(format!("--{}", self.field).replace('_', "-")),
            ("long", Some(name)) => self.name(format!("--{}", text(name).ok_or_else(unknown)?)),
            ("short", None) => self.name(format!("-{:.1}", self.field.to_string())),
            ("short", Some(name)) => self.name(format!("-{}", text(name).ok_or_else(unknown)?)),
            ("last", Some(_)) => self.position = Position::Command,
            ("flatten", None) => self.position = Position::Flattened(Box::new(ty.clone())),
            ("skip", None) => self.position = Position::Skipped,
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
            // clap handles options that override each other.
            ("conflicts_with" | "conflicts_with_all" | "overrides_with", Some(others)) => {
                self.excludes.extend(texts(others).ok_or_else(unknown)?);
            }
            ("requires", Some(other)) => self.requires = texts(other).ok_or_else(unknown)?,
            ("value_parser", Some(parser)) => {
                self.parser = Parser::of(parser).ok_or_else(unknown)?;
            }
            ("default_missing_value", Some(word)) => self.missing = text(word),
            ("allow_negative_numbers", Some(_)) => self.is_any_number = true,
            // They come with a default for a missing value.
            ("num_args" | "require_equals", Some(_)) => {}
            // These attributes concern the help only.
            ("value_name" | "display_order" | "hide_possible_values", Some(_))
            | ("hide_default_value" | "hide_short_help" | "help_heading", Some(_)) => {}
            _ => return Err(unknown()),
        }
        Ok(())
    }

    /// Adds a name to those of an option.
    fn name(&mut self, name: String) {
        match &mut self.position {
            Position::Option(names) => names.push(name),
            position => *position = Position::Option(vec![name]),
        }
    }

    /// The arm of a `match` on the names of this option.
    pub fn arm(&self) -> Option<TokenStream> {
        let name = self.id();
        let names = match &self.position {
            Position::Option(names) => names,
            Position::Command => {
                return Some(quote!(b"--" => Some(crate::app::arguments::Known::Values(#name))));
            }
            Position::Operand | Position::Flattened(_) | Position::Skipped => return None,
        };
        let patterns = names.iter().map(|name| LitByteStr::new(name.as_bytes(), self.field.span()));
        if let Some(word) = &self.missing {
            let known = quote!(crate::app::arguments::Known::OptionalValue(#name, #word));
            return Some(quote!(#(#patterns)|* => Some(#known)));
        }
        let known = match self.shape {
            Shape::Flag => quote!(Flag),
            Shape::Many(_) => quote!(Values),
            Shape::Optional(_) | Shape::One(_) => quote!(Value),
        };
        Some(quote!(#(#patterns)|* => Some(crate::app::arguments::Known::#known(#name))))
    }

    /// Whether it is an operand that accepts negative numbers.
    pub fn takes_numbers(&self) -> bool {
        self.is_any_number && matches!(self.position, Position::Operand)
    }

    /// The struct whose arguments are flattened into this one.
    pub fn inner(&self) -> Option<&Type> {
        match &self.position {
            Position::Flattened(inner) => Some(inner),
            _ => None,
        }
    }

    /// The field in the expression of the struct. The code returns from the function if there is no
    /// value.
    pub fn field(&self) -> TokenStream {
        let field = &self.field;
        let value = match &self.position {
            Position::Flattened(inner) => {
                quote!(<#inner as crate::app::arguments::Plain>::read(line)?)
            }
            Position::Skipped => quote!(Default::default()),
            Position::Option(_) => self.option(),
            Position::Operand | Position::Command => self.operand(),
        };
        if self.excludes.is_empty() && self.requires.is_empty() {
            return quote!(#field: #value);
        }
        let (name, excludes, requires) = (self.id(), ids(&self.excludes), ids(&self.requires));
        quote!(#field: {
            let value = #value;
            line.rule(#name, crate::app::arguments::Rule {
                excludes: #excludes,
                requires: #requires,
            });
            value
        })
    }

    /// The number of the argument for the rules of others; `None` for a flattened struct.
    pub fn own_id(&self) -> Option<TokenStream> {
        let is_own = !matches!(self.position, Position::Flattened(_) | Position::Skipped);
        is_own.then(|| self.id())
    }

    /// The number of the argument.
    fn id(&self) -> TokenStream {
        id(&self.field.to_string())
    }

    fn option(&self) -> TokenStream {
        let name = self.id();
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
        let (name, rest) = (self.id(), self.rest());
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

    /// The method that consumes all remaining words.
    fn rest(&self) -> TokenStream {
        match self.position {
            Position::Command => quote!(command),
            _ => quote!(operands),
        }
    }

    /// The value, or the default.
    fn one(&self, read: &TokenStream) -> TokenStream {
        match &self.default {
            Some(default) => quote!(match #read {
                Some(value) => value,
                None => #default,
            }),
            None => quote!(#read?),
        }
    }

    /// All values, at least one if the argument is required.
    fn many(&self, read: &TokenStream) -> TokenStream {
        if !self.is_required {
            return read.clone();
        }
        let names: Vec<String> =
            std::iter::once(self.field.to_string()).chain(self.unless.iter().cloned()).collect();
        let ids = ids(&names);
        quote!({
            let words = #read;
            line.need(#ids);
            words
        })
    }
}

impl Parser {
    /// The parser for an expression of clap, in the forms that this program uses.
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

    /// A function that converts a word to an `Option` of the type.
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

/// The number of the argument of a name, computed at compile time.
fn id(name: &str) -> TokenStream {
    quote!(const { crate::app::arguments::Id::of(#name) })
}

/// The numbers of several arguments.
fn ids(names: &[String]) -> TokenStream {
    let ids = names.iter().map(|name| id(name));
    quote!(const { &[#(#ids),*] })
}

/// The value of a word of an attribute.
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
